//! The office's side of the broker: subscribe to all sites, hand in what arrives, send receipts and requests.
//!
//! ```text
//!   connect ──CONNACK──► subscribed ──error or stop──► dropped ──1 s doubling to 30 s──► connect
//! ```
//! Each connection has a new client and a clean session: nothing is trusted to the client's or the broker's memory. What the broker
//! lost has no receipt, and its site sends it again.

use super::desk::{Desk, Outgoing};
use crate::config::MqttSettings;
use crate::mqtt::payload::PACKET_BYTES_MAX;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing as Sent, Packet, QoS};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const QUEUE: usize = 64;
/// Half of what a broker keeps per client by default; more than one commit takes together.
const INFLIGHT: u16 = 64;
/// Messages stored in one transaction.
const BATCH: usize = 64;
/// Receipts that wait for the client; the oldest is dropped beyond it, its event comes again and is receipted again.
const WAITING_MAX: usize = 10_000;
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// What an office listens to.
const TOPICS: [&str; 4] = ["hazard/v1/+/event", "hazard/v1/+/state", "hazard/v1/+/status", "hazard/v1/+/heartbeat"];

/// Keeps the connection until `stop`.
pub(super) async fn run(settings: MqttSettings, desk: &Desk, stop: CancellationToken) {
    let mut wait = BACKOFF_FIRST;
    while !stop.is_cancelled() {
        let mut link = Link::open(&settings, desk);
        let why = link.run(&stop).await;
        let was_connected = desk.broker.swap(false, Ordering::Relaxed);
        desk.tell();
        if stop.is_cancelled() {
            return;
        }
        tracing::warn!(why, "broker connection ended");
        wait = if was_connected { BACKOFF_FIRST } else { wait };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = (wait * 2).min(BACKOFF_MAX);
    }
}

struct Link<'a> {
    desk: &'a Desk,
    client: AsyncClient,
    events: Option<EventLoop>,
    waiting: VecDeque<Outgoing>,
    /// Rows of confirmations, in the order the client was given them; `None` for other messages.
    given: VecDeque<Option<i64>>,
    by_packet: BTreeMap<u16, i64>,
    /// Confirmations on the way, so that none goes twice over one connection.
    confirming: Vec<i64>,
}

impl<'a> Link<'a> {
    fn open(settings: &MqttSettings, desk: &'a Desk) -> Self {
        let mut options = MqttOptions::new(&settings.client_id, &settings.host, settings.port);
        options.set_clean_session(true).set_keep_alive(settings.keep_alive.max(Duration::from_secs(1)));
        options.set_inflight(INFLIGHT).set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        if let Some(user) = &settings.username {
            options.set_credentials(user, settings.password.clone().unwrap_or_default());
        }
        let (client, events) = AsyncClient::new(options, QUEUE);
        Self {
            desk,
            client,
            events: Some(events),
            waiting: VecDeque::new(),
            given: VecDeque::new(),
            by_packet: BTreeMap::new(),
            confirming: Vec::new(),
        }
    }

    async fn run(&mut self, stop: &CancellationToken) -> String {
        let (pass, mut arrived) = mpsc::channel(QUEUE);
        let mut events = self.events.take().expect("a link is run once");
        // poll lives in a task of its own: a poll dropped half-way loses packets
        let poll = tokio::spawn(async move {
            loop {
                let event = events.poll().await.map_err(|error| error.to_string());
                let failed = event.is_err();
                if pass.send(event).await.is_err() || failed {
                    return;
                }
            }
        });
        let why = self.turns(&mut arrived, stop).await;
        poll.abort();
        why
    }

    async fn turns(&mut self, arrived: &mut mpsc::Receiver<Result<Event, String>>, stop: &CancellationToken) -> String {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed = self.desk.changes();
        let mut together = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.leave(arrived).await,
                count = arrived.recv_many(&mut together, BATCH) => {
                    if count == 0 {
                        return "event loop ended".into();
                    }
                    if let Err(error) = self.on_events(together.drain(..)).await {
                        return error;
                    }
                }
                // woken by a confirmation, and by nothing that could be missed: each second looks too
                _ = changed.changed() => self.send_confirmations().await,
                _ = second.tick() => {
                    let due = self.desk.tick().await;
                    self.queue(due);
                    self.send_confirmations().await;
                }
            }
            self.flush();
        }
    }

    /// The last receipts are given a moment.
    async fn leave(&mut self, arrived: &mut mpsc::Receiver<Result<Event, String>>) -> String {
        self.flush();
        let _ = self.client.try_disconnect();
        let drain = async { while let Some(Ok(_)) = arrived.recv().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), drain).await;
        "stopped".into()
    }

    async fn on_events(&mut self, events: impl Iterator<Item = Result<Event, String>>) -> Result<(), String> {
        let mut messages = Vec::new();
        let mut failed = None;
        for event in events {
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => self.on_connected(),
                Ok(Event::Incoming(Packet::Publish(p))) => messages.push((p.topic, p.payload.to_vec())),
                Ok(Event::Incoming(Packet::PubAck(ack))) => self.on_acknowledged(ack.pkid).await,
                Ok(Event::Outgoing(Sent::Publish(id))) if id != 0 => {
                    if let Some(Some(row)) = self.given.pop_front() {
                        self.by_packet.insert(id, row);
                    }
                }
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
        if !messages.is_empty() {
            let out = self.desk.take(messages).await;
            self.queue(out);
        }
        failed.map_or(Ok(()), Err)
    }

    fn on_connected(&mut self) {
        self.desk.broker.store(true, Ordering::Relaxed);
        self.desk.tell();
        for topic in TOPICS {
            if self.client.try_subscribe(topic, QoS::AtLeastOnce).is_err() {
                tracing::error!(topic, "subscription refused by the client's queue");
            }
        }
    }

    async fn on_acknowledged(&mut self, packet: u16) {
        if let Some(row) = self.by_packet.remove(&packet) {
            self.confirming.retain(|other| *other != row);
            self.desk.paid(row).await;
        }
    }

    fn queue(&mut self, out: Vec<Outgoing>) {
        self.waiting.extend(out);
        while self.waiting.len() > WAITING_MAX {
            self.waiting.pop_front();
        }
    }

    async fn send_confirmations(&mut self) {
        if !self.desk.broker.load(Ordering::Relaxed) {
            return;
        }
        for message in self.desk.owed().await {
            let row = message.confirmation.expect("an owed message names its row");
            if !self.confirming.contains(&row) {
                self.confirming.push(row);
                self.waiting.push_back(message);
            }
        }
    }

    /// As much as the client takes; the rest waits for its next turn.
    fn flush(&mut self) {
        if !self.desk.broker.load(Ordering::Relaxed) {
            return;
        }
        while let Some(next) = self.waiting.front() {
            let sent = self.client.try_publish(&next.topic, QoS::AtLeastOnce, false, next.payload.as_bytes());
            if sent.is_err() {
                return;
            }
            self.given.push_back(next.confirmation);
            self.waiting.pop_front();
        }
    }
}
