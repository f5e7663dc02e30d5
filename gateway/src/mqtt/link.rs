//! One connection of the outbox: subscribe, publish a window, correlate acknowledgements, end at the first error.
//!
//! ```text
//!   client ─event──► acknowledged, receipts, wishes ─┐                          ┌─► publish what is due
//!   core ──record──► something new ──────────────────┼─► one turn of the store ─┤
//!   a due time passes ───────────────────────────────┘      (one at a time)     └─► receipts to the core
//! ```
//! Nothing in here waits for the store: a turn that does not come back (a stalled disk) holds up no alarm and no keep-alive.

use super::dial::Session;
use super::inbox::{self, Gate, Meaning};
use super::meter::{Meter, Reading};
use super::sender::Sender;
use super::settings::{Settings, options};
use super::turns::Turns;
use super::window::{Content, EVENTS_MAX};
use crate::record::Record;
use crate::store::outbox::{Body, Due, Outcome, Reopened};
use futures_util::future::BoxFuture;
use rumqttc::{Event, Outgoing, Packet, Publish, SubscribeReasonCode};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Publishes and subscriptions between us and the client; the window keeps it far below.
const QUEUE: usize = 64;
/// After so many barren connections one event at a time goes out; after as many more it is that event that is to blame.
const BARREN_MAX: u32 = 3;
const LEAVE_LIMIT: Duration = Duration::from_secs(4);
/// A part of it: a backlog waits for the next start.
const LAST_EVENTS_LIMIT: Duration = Duration::from_secs(2);

/// What a connection leaves to the next one.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) meter: Meter,
    /// Events under way when it ended.
    lost: Vec<u64>,
    /// Connections in a row that the broker ended with events under way and none acknowledged.
    barren: u32,
}

pub(super) struct Link<'a> {
    shared: &'a Settings,
    meter: Meter,
    out: Sender<'a>,
    turns: Turns<'a>,
    gate: Gate,
    connected: bool,
    /// An event was acknowledged on this connection.
    fruitful: bool,
    /// We gave it up, not the broker.
    stalled: bool,
    leaving: bool,
    barren: u32,
}

type Arrived = mpsc::Receiver<Result<Event, String>>;

impl<'a> Link<'a> {
    pub(super) fn open(shared: &'a Settings, left: Left) -> (Self, Box<dyn Session>) {
        let (client, events) = shared.dial.dial(options(shared), QUEUE);
        let events_max = if left.barren >= BARREN_MAX { 1 } else { EVENTS_MAX };
        let suspect = left.lost.first().copied().filter(|_| left.barren >= 2 * BARREN_MAX);
        let link = Self {
            shared,
            meter: left.meter,
            out: Sender::new(shared, client, events_max),
            turns: Turns::new(shared, Reopened { lost: left.lost, suspect }),
            gate: Gate::new(),
            connected: false,
            fruitful: false,
            stalled: false,
            leaving: false,
            barren: left.barren,
        };
        (link, events)
    }

    /// True when the broker did more than accept the connection.
    pub(super) fn was_fruitful(&self) -> bool {
        self.connected && (self.fruitful || self.out.window.is_empty())
    }

    pub(super) fn into_left(self) -> Left {
        let mut lost = self.out.under_way();
        let barren = match (self.connected, self.fruitful, self.stalled || lost.is_empty()) {
            (true, false, false) => self.barren + 1,
            (true, true, _) => 0,
            _ => self.barren,
        };
        lost.extend(self.turns.reopened.into_iter().flat_map(|reopened| reopened.lost));
        Left { meter: self.meter, lost, barren }
    }

    /// Runs until the connection fails or `stop`; says why it ended.
    pub(super) async fn run(&mut self, mut events: Box<dyn Session>, stop: &CancellationToken) -> String {
        let (pass, mut arrived) = mpsc::channel(QUEUE);
        // poll lives in a task of its own: a poll dropped half-way loses packets
        let poll = tokio::spawn(async move {
            loop {
                let event = events.poll().await;
                let failed = event.is_err();
                if pass.send(event).await.is_err() || failed {
                    return;
                }
            }
        });
        let why = self.turn_by_turn(&mut arrived, stop).await;
        let _ = tokio::time::timeout(LEAVE_LIMIT, self.leave(&mut arrived, stop.is_cancelled())).await;
        poll.abort();
        why
    }

    async fn turn_by_turn(&mut self, arrived: &mut Arrived, stop: &CancellationToken) -> String {
        let mut look = every(self.shared.pace.look);
        let mut second = every(Duration::from_secs(1));
        let mut records = self.shared.core.records();
        let mut reading: Option<BoxFuture<'static, Reading>> = None;
        let mut live = true;
        loop {
            self.ask();
            // In order, so that a run can be repeated; what may come in floods stands last.
            tokio::select! {
                biased;
                () = stop.cancelled() => return "stopped".into(),
                _ = second.tick() => self.turns.on_second(),
                _ = look.tick() => self.on_look(&mut reading),
                outcome = self.turns.outcome() => self.on_outcome(outcome).await,
                glance = read(&mut reading) => {
                    self.meter.keep(glance);
                    self.tell();
                }
                record = records.recv(), if live => match record {
                    Ok(record) => self.on_record(&record),
                    Err(RecvError::Lagged(_)) => self.turns.something_new(),
                    Err(RecvError::Closed) => live = false,
                },
                event = arrived.recv() => match event {
                    Some(Ok(event)) => self.on_event(event),
                    Some(Err(error)) => return error,
                    None => return "event loop ended".into(),
                },
            }
            if self.connected && self.out.is_stalled() {
                self.stalled = true;
                return "the broker acknowledges nothing".into();
            }
        }
    }

    fn ask(&mut self) {
        let room = if self.connected { self.out.room() } else { 0 };
        self.meter.figures.store_turns += u64::from(self.turns.ask(room));
    }

    fn on_look(&mut self, reading: &mut Option<BoxFuture<'static, Reading>>) {
        if reading.is_none() {
            *reading = self.meter.look(self.shared);
            if reading.is_some() {
                return;
            }
        }
        self.tell();
    }

    /// Tells the core the figures and the office the site's state, both as of the newest reading.
    fn tell(&mut self) {
        self.meter.figures.sent += std::mem::take(&mut self.out.sent);
        self.meter.tell(self.shared);
        if self.connected {
            self.out.say(&self.meter);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => self.on_connected(),
            Event::Outgoing(Outgoing::Publish(id)) if id != 0 => self.out.window.on_wire(id),
            Event::Incoming(Packet::PubAck(ack)) => self.on_acknowledged(ack.pkid),
            Event::Incoming(Packet::Publish(publish)) => self.on_message(&publish),
            Event::Incoming(Packet::SubAck(ack)) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                tracing::error!("the broker refuses the subscription to receipts");
                self.meter.figures.last_error = Some("the broker refuses the subscription to receipts".into());
            }
            _ => {}
        }
    }

    fn on_connected(&mut self) {
        self.connected = true;
        self.meter.figures.connected = true;
        self.meter.figures.last_error = None;
        self.out.subscribe();
        self.out.say(&self.meter);
    }

    fn on_acknowledged(&mut self, packet: u16) {
        if let Some(Content::Event(seq)) = self.out.acknowledged(packet) {
            self.fruitful = true;
            self.meter.figures.broker_acknowledged += 1;
            self.turns.acknowledged(seq);
        }
    }

    fn on_message(&mut self, publish: &Publish) {
        if self.leaving {
            return;
        }
        if !self.gate.lets_in() {
            self.meter.figures.messages_refused += 1;
            return;
        }
        let name = publish.topic.rsplit('/').next().unwrap_or_default();
        match inbox::read(name, publish.retain, &publish.payload) {
            Meaning::Receipt(receipt) => {
                self.meter.figures.messages_refused += u64::from(!self.turns.received(receipt));
            }
            Meaning::Resend(from, to) => {
                self.meter.figures.resend_requests += 1;
                self.meter.figures.messages_refused += u64::from(!self.turns.resend(from, to));
            }
            Meaning::State => self.out.unsaid.state = true,
            Meaning::Nothing(why) => {
                self.meter.figures.messages_ignored += 1;
                tracing::debug!(topic = publish.topic, why, "message of no meaning set aside");
            }
        }
    }

    /// A committed record waits in its row. One that the disk has not taken goes out from memory: people first, then the ledger;
    /// its row follows with the same id.
    fn on_record(&mut self, record: &Record) {
        let Some(delivery_seq) = record.delivery_seq else { return };
        self.turns.something_new();
        if !record.durable && self.connected {
            let body = Body::Record(Box::new(record.clone()));
            self.out.publish_unwritten(Due { delivery_seq, again: false, body });
        }
    }

    async fn on_outcome(&mut self, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else { return };
        let figures = &mut self.meter.figures;
        figures.received += outcome.first_receipts;
        figures.receipts_unknown += outcome.unknown_receipts;
        figures.dead_lettered += outcome.dead_lettered;
        self.meter.changed = true;
        self.out.publish(outcome.due);
        for receipt in outcome.received {
            self.shared.core.receipt(receipt).await;
        }
    }

    /// What is known is written down. On a stop the site sends what the core decided last and says offline by itself; messages
    /// are left alone then: the core is gone, and an event without a receipt is sent again after the start.
    async fn leave(&mut self, arrived: &mut Arrived, stopping: bool) {
        if stopping && self.connected {
            self.leaving = true;
            self.turns.something_new();
            let _ = tokio::time::timeout(LAST_EVENTS_LIMIT, self.send_the_last(arrived)).await;
            self.out.say_offline();
            while let Some(Ok(event)) = arrived.recv().await {
                self.on_event(event);
            }
        }
        // no room: nothing more is taken
        while self.turns.is_under_way() || self.turns.ask(0) {
            let outcome = self.turns.outcome().await;
            self.on_outcome(outcome).await;
        }
        self.meter.figures.sent += std::mem::take(&mut self.out.sent);
    }

    async fn send_the_last(&mut self, arrived: &mut Arrived) {
        loop {
            self.ask();
            if !self.turns.is_under_way() && self.out.under_way().is_empty() {
                return;
            }
            tokio::select! {
                event = arrived.recv() => match event {
                    Some(Ok(event)) => self.on_event(event),
                    _ => return,
                },
                outcome = self.turns.outcome() => self.on_outcome(outcome).await,
            }
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Waits for a reading that is under way; for ever when there is none.
async fn read(reading: &mut Option<BoxFuture<'static, Reading>>) -> Reading {
    let Some(under_way) = reading else { return std::future::pending().await };
    let glance = under_way.await;
    *reading = None;
    glance
}
