//! A broker that does what the test says, on a loopback port: one [`Peer`] per connection of the outbox.

use bytes::BytesMut;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything in a test takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(10);
const PACKET_MAX: usize = 1 << 21;

pub(super) struct Broker(TcpListener);

impl Broker {
    pub(super) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The next connection, accepted without a session; subscriptions are granted.
    pub(super) async fn peer(&self) -> Peer {
        let (stream, _) = tokio::time::timeout(PATIENCE, self.0.accept()).await.expect("a connection").unwrap();
        let mut peer = Peer { stream, read: BytesMut::new(), silent: false, said: Vec::new() };
        assert!(matches!(peer.packet().await, Some(Packet::Connect(_))));
        peer.put(&Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false))).await;
        peer
    }
}

pub(super) struct Peer {
    stream: TcpStream,
    read: BytesMut,
    /// Acknowledges nothing, not even `status` and `state`.
    pub(super) silent: bool,
    /// Everything that was not an event: (last part of the topic, retained, payload).
    pub(super) said: Vec<(String, bool, Value)>,
}

/// An event as it came.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) packet: u16,
    pub(super) id: String,
    pub(super) payload: Value,
}

impl Peer {
    /// The next event; everything else is granted, acknowledged and kept in `said`. `None` when the site hangs up.
    pub(super) async fn event(&mut self) -> Option<Came> {
        loop {
            let publish = self.publish().await?;
            let payload: Value = serde_json::from_slice(&publish.payload).unwrap();
            let name = publish.topic.strip_prefix("hazard/v1/demo-chemical/").unwrap().to_owned();
            if name == "event" {
                let id = payload["event_id"].as_str().unwrap().to_owned();
                return Some(Came { packet: publish.pkid, id, payload });
            }
            if publish.qos == QoS::AtLeastOnce && !self.silent {
                self.acknowledge(publish.pkid).await;
            }
            self.said.push((name, publish.retain, payload));
        }
    }

    pub(super) async fn events(&mut self, count: usize) -> Vec<Came> {
        let mut came = Vec::new();
        while came.len() < count {
            came.push(self.event().await.expect("the site stays connected"));
        }
        came
    }

    /// The next events, each acknowledged at once.
    pub(super) async fn take(&mut self, count: usize) -> Vec<Came> {
        let mut came = Vec::new();
        while came.len() < count {
            let event = self.event().await.expect("the site stays connected");
            self.acknowledge(event.packet).await;
            came.push(event);
        }
        came
    }

    /// Acknowledges what comes for a while and returns it; the site must stay connected.
    pub(super) async fn take_for(&mut self, time: Duration) -> Vec<Came> {
        let until = tokio::time::Instant::now() + time;
        let mut came = Vec::new();
        while let Ok(event) = tokio::time::timeout_at(until, self.event()).await {
            let event = event.expect("the site stays connected");
            self.acknowledge(event.packet).await;
            came.push(event);
        }
        came
    }

    /// Reads until something of this name was said.
    pub(super) async fn hear(&mut self, name: &str, count: usize) -> Value {
        while self.said.iter().filter(|(said, ..)| said == name).count() < count {
            let publish = self.publish().await.expect("the site stays connected");
            if publish.qos == QoS::AtLeastOnce {
                self.acknowledge(publish.pkid).await;
            }
            let name = publish.topic.rsplit('/').next().unwrap().to_owned();
            self.said.push((name, publish.retain, serde_json::from_slice(&publish.payload).unwrap()));
        }
        self.said.iter().rev().find(|(said, ..)| said == name).unwrap().2.clone()
    }

    pub(super) async fn acknowledge(&mut self, packet: u16) {
        self.put(&Packet::PubAck(PubAck::new(packet))).await;
    }

    /// A message of the office.
    pub(super) async fn say(&mut self, name: &str, payload: &str) {
        let publish = Publish::new(format!("hazard/v1/demo-chemical/{name}"), QoS::AtMostOnce, payload);
        self.put(&Packet::Publish(publish)).await;
    }

    pub(super) async fn receipt(&mut self, id: &str) {
        self.say("receipt", &format!(r#"{{"event_id":"{id}","received_at":"2026-01-02T03:04:05.006Z"}}"#)).await;
    }

    /// Ends the connection so that everything written before still arrives.
    pub(super) async fn close(mut self) {
        let _ = self.stream.shutdown().await;
        let mut rest = [0; 4096];
        while matches!(tokio::time::timeout(PATIENCE, self.stream.read(&mut rest)).await, Ok(Ok(1..))) {}
    }

    /// Reads until the site hangs up, answering nothing but pings.
    pub(super) async fn until_it_leaves(mut self) -> Vec<String> {
        self.silent = true;
        let mut ids = Vec::new();
        while let Some(event) = self.event().await {
            ids.push(event.id);
        }
        ids
    }

    async fn publish(&mut self) -> Option<Publish> {
        loop {
            match self.packet().await? {
                Packet::Publish(publish) => return Some(publish),
                Packet::Subscribe(subscribe) => {
                    let granted = SubAck::new(subscribe.pkid, vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)]);
                    self.put(&Packet::SubAck(granted)).await;
                }
                Packet::PingReq => self.put(&Packet::PingResp).await,
                _ => {}
            }
        }
    }

    async fn packet(&mut self) -> Option<Packet> {
        loop {
            if !self.read.is_empty()
                && let Ok(packet) = Packet::read(&mut self.read, PACKET_MAX)
            {
                return Some(packet);
            }
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
            match read.expect("the site says something") {
                Ok(1..) => {}
                _ => return None,
            }
        }
    }

    async fn put(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, PACKET_MAX).unwrap();
        // the site may have hung up already; the test sees that when it reads
        let _ = self.stream.write_all(&bytes).await;
    }
}
