//! A broker that goes away as planned, and behind it an office that notes every event and answers with receipts.
//!
//! What a broken connection had under way is lost: acknowledgements and receipts alike. What the office got, it keeps.

use crate::plan::{Plan, Window};
use futures_util::future::BoxFuture;
use gateway::mqtt::dial::{Dial, Session};
use rumqttc::{
    AsyncClient, ConnAck, ConnectReturnCode, Event, MqttOptions, Outgoing, Packet, PubAck, Publish, QoS, Request,
    SubAck, SubscribeReasonCode,
};
use serde_json::{Value, json};
use sim::Prng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const CONNECT_TAKES: Duration = Duration::from_millis(40);
const ACKNOWLEDGE_TAKES: Duration = Duration::from_millis(30);

/// What the office has noted.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Event id by delivery number.
    pub(crate) events: BTreeMap<u64, String>,
    pub(crate) again: u64,
    pub(crate) receipts: u64,
    pub(crate) connections: u64,
}

#[derive(Clone)]
pub(crate) struct Broker {
    begun: Instant,
    down: Arc<Vec<Window>>,
    silent: Arc<Vec<Window>>,
    draw: Arc<Mutex<Prng>>,
    pub(crate) noted: Arc<Mutex<Noted>>,
}

impl Broker {
    pub(crate) fn new(plan: &Plan, begun: Instant) -> Self {
        Self {
            begun,
            down: Arc::new(plan.broker_down.clone()),
            silent: Arc::new(plan.office_silent.clone()),
            draw: Arc::new(Mutex::new(Prng::new(plan.seed ^ 0x0FFC))),
            noted: Arc::default(),
        }
    }

    fn is_down(&self) -> bool {
        self.down.iter().any(|w| w.has(self.begun.elapsed()))
    }

    /// When it goes away next.
    fn falls_at(&self) -> Instant {
        let now = self.begun.elapsed();
        let next = self.down.iter().map(|w| w.from).filter(|from| *from >= now).min();
        self.begun + next.unwrap_or(Duration::from_secs(1_000_000))
    }

    /// Drawn.
    fn happens(&self, percent: f64) -> bool {
        self.draw.lock().unwrap().unit() * 100.0 < percent
    }

    fn takes(&self, least_ms: u64, most_ms: u64) -> Duration {
        Duration::from_millis(least_ms + self.draw.lock().unwrap().next_u64() % (most_ms - least_ms))
    }
}

impl Dial for Broker {
    fn dial(&self, _: MqttOptions, queue: usize) -> (AsyncClient, Box<dyn Session>) {
        let (requests, inbox) = flume::bounded(queue);
        let session = Connection {
            broker: self.clone(),
            requests: inbox,
            connected: false,
            last_id: 0,
            to_client: BTreeMap::new(),
            sent: 0,
        };
        (AsyncClient::from_senders(requests), Box::new(session))
    }
}

struct Connection {
    broker: Broker,
    requests: flume::Receiver<Request>,
    connected: bool,
    last_id: u16,
    to_client: BTreeMap<(Instant, u64), Packet>,
    sent: u64,
}

impl Session for Connection {
    fn poll(&mut self) -> BoxFuture<'_, Result<Event, String>> {
        Box::pin(async {
            if !self.connected {
                tokio::time::sleep(CONNECT_TAKES).await;
                if self.broker.is_down() {
                    return Err("connection refused".into());
                }
                self.connected = true;
                self.broker.noted.lock().unwrap().connections += 1;
                return Ok(Event::Incoming(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false))));
            }
            self.next().await
        })
    }
}

impl Connection {
    async fn next(&mut self) -> Result<Event, String> {
        loop {
            let falls = self.broker.falls_at();
            let due = self.to_client.keys().next().map_or(falls + Duration::from_secs(1), |(at, _)| *at);
            tokio::select! {
                biased;
                () = sleep_until(falls) => return Err("connection reset by peer".into()),
                () = sleep_until(due) => if let Some((_, packet)) = self.to_client.pop_first() {
                    return Ok(Event::Incoming(packet));
                },
                request = self.requests.recv_async() => {
                    let Ok(request) = request else { return Err("the client is gone".into()) };
                    if let Some(done) = self.take(request) {
                        return done;
                    }
                }
            }
        }
    }

    fn take(&mut self, request: Request) -> Option<Result<Event, String>> {
        match request {
            Request::Publish(publish) => {
                let id = if publish.qos == QoS::AtMostOnce { 0 } else { self.next_id() };
                if publish.topic.ends_with("/event") {
                    self.event(&publish);
                }
                // Now and then an acknowledgement is lost: the site must notice by itself.
                if id != 0 && !self.broker.happens(0.2) {
                    self.later(ACKNOWLEDGE_TAKES, Packet::PubAck(PubAck::new(id)));
                }
                Some(Ok(Event::Outgoing(Outgoing::Publish(id))))
            }
            Request::Subscribe(_) => {
                let id = self.next_id();
                let granted = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
                self.later(ACKNOWLEDGE_TAKES, Packet::SubAck(SubAck::new(id, granted)));
                Some(Ok(Event::Outgoing(Outgoing::Subscribe(id))))
            }
            Request::Disconnect(_) => Some(Err("disconnected".into())),
            _ => None,
        }
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id % 64 + 1;
        self.last_id
    }

    fn later(&mut self, after: Duration, packet: Packet) {
        self.sent += 1;
        self.to_client.insert((Instant::now() + after, self.sent), packet);
    }

    /// The office notes the event, sends its machine's receipt, and for what begins later a person's.
    fn event(&mut self, publish: &Publish) {
        let event: Value = serde_json::from_slice(&publish.payload).expect("the site sends JSON");
        let (id, seq) = (event["event_id"].as_str().unwrap(), event["seq"].as_u64().unwrap());
        let known = self.broker.noted.lock().unwrap().events.insert(seq, id.to_owned());
        assert!(known.as_deref().is_none_or(|before| before == id), "number {seq} was {known:?} and is {id}");
        self.broker.noted.lock().unwrap().again += u64::from(known.is_some());
        if self.broker.silent.iter().any(|w| w.has(self.broker.begun.elapsed())) || self.broker.happens(2.0) {
            return;
        }
        let topic = publish.topic.replace("/event", "/receipt");
        let after = self.broker.takes(100, 1500);
        self.receipt(&topic, after, json!({ "event_id": id, "received_at": event["time"] }));
        if event["kind"] == "alarm.raised" {
            let after = self.broker.takes(5_000, 40_000);
            let by = json!({ "event_id": id, "received_at": event["time"], "by": "值班员" });
            self.receipt(&topic, after, by);
        }
    }

    fn receipt(&mut self, topic: &str, after: Duration, body: Value) {
        self.broker.noted.lock().unwrap().receipts += 1;
        self.later(after, Packet::Publish(Publish::new(topic, QoS::AtLeastOnce, body.to_string())));
    }
}
