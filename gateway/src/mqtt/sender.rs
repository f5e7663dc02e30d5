//! The publishing side of one connection: events by the window, and what the site says of itself. Never waits: what the client
//! has no room for is held, or stays marked as unsaid.

use super::meter::Meter;
use super::payload::{damaged_bytes, event_bytes};
use super::said::{self, Unsaid, topic};
use super::settings::Settings;
use super::window::{Content, EVENTS_MAX, Window};
use crate::store::outbox::{Body, Due};
use rumqttc::{AsyncClient, QoS};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Slower than any line in use: a large state may take its time before the link is called dead.
const SLOWEST_BYTES_PER_SECOND: usize = 4 * 1024;

pub(super) struct Sender<'a> {
    shared: &'a Settings,
    client: AsyncClient,
    pub(super) window: Window,
    pub(super) unsaid: Unsaid,
    /// Taken from the store, but the client or the window had no room. Not more than a window.
    held: VecDeque<Due>,
    /// When the broker last acknowledged something, or the first publish after everything was.
    progress: Instant,
    pub(super) sent: u64,
}

impl<'a> Sender<'a> {
    pub(super) fn new(shared: &'a Settings, client: AsyncClient, events_max: usize) -> Self {
        Self {
            shared,
            client,
            window: Window::new(events_max),
            unsaid: Unsaid::all(),
            held: VecDeque::new(),
            progress: Instant::now(),
            sent: 0,
        }
    }

    /// Before anything is published: a receipt must find us listening.
    pub(super) fn subscribe(&mut self) {
        self.progress = Instant::now();
        for name in ["receipt", "request"] {
            let subscribed = self.client.try_subscribe(topic(self.shared, name), QoS::AtLeastOnce);
            subscribed.expect("a fresh client has room for two subscriptions");
        }
    }

    /// Events that may be taken from the store now.
    pub(super) fn room(&self) -> usize {
        self.window.room().saturating_sub(self.held.len())
    }

    /// Publishes these, and before them what was held.
    pub(super) fn publish(&mut self, due: impl IntoIterator<Item = Due>) {
        self.held.extend(due);
        while self.window.room() > 0 {
            let Some(due) = self.held.pop_front() else { return };
            if !self.publish_one(&due) {
                self.held.push_front(due);
                return;
            }
        }
    }

    /// An event that the disk has not taken: held when there is no room now, left to its row when there is none at all.
    pub(super) fn publish_unwritten(&mut self, due: Due) {
        if self.held.len() < EVENTS_MAX {
            self.publish([due]);
        }
    }

    fn publish_one(&mut self, due: &Due) -> bool {
        let content = Content::Event(due.delivery_seq);
        if self.window.holds(content) {
            return true;
        }
        // names and limits may have changed since the start
        let site = self.shared.core.snapshot().site.clone();
        let bytes = match &due.body {
            Body::Record(record) => event_bytes(record, &site, due.again),
            Body::Damaged(damaged) => damaged_bytes(damaged, due.delivery_seq, &site, due.again),
        };
        let taken = self.hand_over("event", content, false, bytes);
        self.sent += u64::from(taken);
        taken
    }

    pub(super) fn acknowledged(&mut self, packet: u16) -> Option<Content> {
        self.progress = Instant::now();
        let content = self.window.acknowledged(packet);
        self.publish([]);
        content
    }

    /// Something is out and the broker has been silent for too long, the time to carry it allowed for.
    pub(super) fn is_stalled(&self) -> bool {
        let carry = Duration::from_secs((self.window.bytes() / SLOWEST_BYTES_PER_SECOND) as u64);
        !self.window.is_empty() && self.progress.elapsed() > self.shared.pace.stall + carry
    }

    /// Numbers of the events that are out, then of those that are held.
    pub(super) fn under_way(&self) -> Vec<u64> {
        let mut numbers = self.window.events();
        numbers.extend(self.held.iter().map(|due| due.delivery_seq));
        numbers
    }

    /// Says what is unsaid; a state goes out when the one before it has arrived.
    pub(super) fn say(&mut self, meter: &Meter) {
        if self.unsaid.status {
            let online = said::status(self.shared, true).into_bytes();
            self.unsaid.status = !self.hand_over("status", Content::Status, true, online);
        }
        let Some((snapshot, standing)) = meter.glance() else { return };
        if self.unsaid.heartbeat_at <= Instant::now() {
            let beat = said::heartbeat(snapshot, standing, &meter.figures);
            if self.client.try_publish(topic(self.shared, "heartbeat"), QoS::AtMostOnce, false, beat).is_ok() {
                self.unsaid.heartbeat_at = Instant::now() + self.shared.pace.heartbeat;
            }
        }
        self.unsaid.compare(snapshot);
        if self.unsaid.state && !self.window.holds(Content::State) {
            let state = said::state(snapshot, standing).into_bytes();
            if self.hand_over("state", Content::State, true, state) {
                self.unsaid.state_said(snapshot);
            }
        }
    }

    /// By itself; the will is for deaths.
    pub(super) fn say_offline(&mut self) {
        let offline = said::status(self.shared, false).into_bytes();
        self.hand_over("status", Content::Status, true, offline);
        let _ = self.client.try_disconnect();
    }

    fn hand_over(&mut self, name: &str, content: Content, retain: bool, bytes: Vec<u8>) -> bool {
        let length = bytes.len();
        let taken = self.client.try_publish(topic(self.shared, name), QoS::AtLeastOnce, retain, bytes).is_ok();
        if taken {
            if self.window.is_empty() {
                self.progress = Instant::now();
            }
            self.window.handed_over(content, length);
        }
        taken
    }
}
