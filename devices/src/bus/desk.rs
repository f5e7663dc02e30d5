//! The units of a bus and what is told about them. Leaves who is asked next to [`super::choice`].

use super::choice::{Turn, choose};
use super::probes::Probes;
use super::unit::{Change, Unit};
use crate::line::AskError;
use crate::plan::Span;
use crate::status::BusStatus;
use crate::{BusMessage, BusSpec, Scan};
use rules::{Clock, Fault, Now, Sample};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often the core's wishes for fast periods are looked at.
const WISHES_EVERY: Duration = Duration::from_millis(100);
pub(super) struct Desk {
    key: String,
    timeout: Duration,
    units: Vec<Unit>,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<BusMessage>,
    pub(super) status: Arc<BusStatus>,
    reported_up: Option<bool>,
    probes: Probes,
    /// When the present question was given out.
    asked_at: Instant,
    wishes_at: Instant,
}

/// One request, with all the line needs to know.
pub(super) struct Question {
    pub(super) unit: u8,
    pub(super) block: Span,
    pub(super) turnaround: Duration,
    pub(super) limit: Duration,
}

impl Desk {
    pub(super) fn new(
        spec: BusSpec,
        clock: Arc<dyn Clock>,
        out: mpsc::Sender<BusMessage>,
        status: Arc<BusStatus>,
    ) -> Self {
        let now = Instant::now();
        let unit = |(index, device)| {
            let mut unit = Unit::new(device, &spec.transport, spec.timeout, now);
            status.why_dead(index).into_iter().for_each(|why| unit.stays_dead(why, now));
            unit
        };
        let units = spec.devices.into_iter().enumerate().map(unit).collect();
        let (key, timeout) = (spec.key, spec.timeout);
        Self {
            key,
            timeout,
            units,
            clock,
            out,
            status,
            reported_up: None,
            probes: Probes::new(now),
            asked_at: now,
            wishes_at: now,
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn is_dead(&self, index: usize) -> bool {
        self.units[index].dead.is_some()
    }

    /// A unit to ask, or the time to wait for.
    pub(super) fn turn(&mut self) -> Turn {
        let now = Instant::now();
        if self.wishes_at <= now {
            self.wishes_at = now + WISHES_EVERY;
            self.units.iter_mut().for_each(|u| u.follow_wishes(now));
        }
        choose(&self.units, now, &self.probes)
    }

    /// `longest` is what a probe may wait.
    pub(super) fn question(&mut self, index: usize, longest: Option<Duration>) -> Question {
        let (now, label) = (Instant::now(), self.clock.now());
        self.asked_at = now;
        let unit = &mut self.units[index];
        let (block, limit) =
            unit.request(now, label, longest).expect("note() ends a cycle as soon as nothing is left to ask");
        Question { unit: unit.spec.unit, block, turnaround: unit.spec.profile.limits.turnaround, limit }
    }

    /// What a unit said is not to be used and no miss of it: it is asked again after its own pause.
    pub(super) fn rest(&mut self, index: usize) {
        self.units[index].rest(Instant::now());
    }

    /// Takes the outcome of a question, tells what changed, and publishes the points that are complete with it.
    pub(super) async fn note(&mut self, index: usize, outcome: Result<Vec<u16>, AskError>, took: Duration) {
        let (now, label) = (Instant::now(), self.clock.now());
        self.count(index, &outcome, took);
        if self.is_dead(index) {
            // with the wait for a pause on the line
            self.probes.over(&self.units, index, now.saturating_duration_since(self.asked_at), now);
        }
        let unit = &mut self.units[index];
        let change = unit.note(outcome, took, now, label, self.timeout * 2);
        if unit.dead.is_none() || change == Change::Died {
            while let Some(part) = self.units[index].take_ready(now, label) {
                self.status.unit(index).inspect(|c| c.skipped.add(part.skipped));
                self.send_scan(index, part.answered, part.samples, part.is_last, label).await;
            }
        }
        match change {
            Change::None => {}
            Change::Died => self.tell(index, "unit_dead").await,
            Change::Back => self.tell(index, "unit_back").await,
        }
    }

    fn count(&self, index: usize, outcome: &Result<Vec<u16>, AskError>, took: Duration) {
        let Some(counters) = self.status.unit(index) else { return };
        match outcome {
            Ok(_) => {
                counters.ok.one();
                self.status.answered(index, took);
            }
            Err(AskError::Exception(code)) => {
                self.status.exception(index, *code);
                self.status.answered(index, took);
                if matches!(code, 5 | 6) {
                    counters.busy.one();
                }
            }
            Err(AskError::Timeout) => counters.timeouts.one(),
            Err(AskError::Protocol) => counters.protocol.one(),
            // The link's own: `session` keeps them to itself.
            Err(AskError::Doubtful | AskError::Renew | AskError::Gone) => {}
        }
    }

    async fn tell(&self, index: usize, code: &'static str) {
        let unit = &self.units[index].spec;
        self.status.set_dead(index, self.units[index].why_dead());
        let detail = format!("{} unit {}", self.key, unit.unit);
        tracing::info!(bus = self.key, device = unit.key, code, "unit state");
        let _ = self.out.send(BusMessage::State { subject: unit.key.clone(), code, detail }).await;
    }

    async fn send_scan(&self, index: usize, answered: bool, samples: Vec<Sample>, ends_cycle: bool, at: Now) {
        let device = self.units[index].spec.device;
        // A closed channel ends the bus from outside.
        let _ = self.out.send(BusMessage::Scan(Scan { device, answered, samples, ends_cycle, at })).await;
    }

    /// Dead units, and those with nothing to ask for, stay bad in every period, without a byte on the wire.
    pub(super) async fn publish_dead(&mut self) {
        // most turns find every unit alive, and this is asked in each
        if self.units.iter().any(Unit::has_unasked) {
            self.publish_unasked(None).await;
        }
    }

    /// Every unit that is due, bad because there is no link.
    pub(super) async fn publish_disconnected(&mut self) {
        self.status.turn();
        self.publish_unasked(Some(Fault::Disconnected)).await;
    }

    async fn publish_unasked(&mut self, why: Option<Fault>) {
        let (now, label) = (Instant::now(), self.clock.now());
        for index in 0..self.units.len() {
            while let Some(samples) = self.units[index].unasked(now, label, why) {
                self.send_scan(index, false, samples, true, label).await;
            }
        }
    }

    pub(super) fn next_due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(1);
        self.units.iter().filter_map(Unit::next_due).min().unwrap_or(far)
    }

    /// Any value has a fast period.
    pub(super) fn may_wish(&self) -> bool {
        self.units.iter().any(|u| u.spec.points.iter().any(|p| p.fast.is_some()))
    }

    pub(super) fn reported_down(&self) -> bool {
        self.reported_up == Some(false)
    }

    pub(super) async fn link_is_up(&mut self) {
        self.link_is(true, "link_up", "").await;
    }

    pub(super) async fn link_is_down(&mut self, detail: &str) {
        let now = Instant::now();
        self.units.iter_mut().for_each(|u| u.link_lost(now));
        self.link_is(false, "link_down", detail).await;
    }

    async fn link_is(&mut self, up: bool, code: &'static str, detail: &str) {
        self.status.set_up(up);
        if self.reported_up.replace(up) == Some(up) {
            return;
        }
        tracing::info!(bus = self.key, code, detail, "link state");
        let _ = self.out.send(BusMessage::State { subject: self.key.clone(), code, detail: detail.to_owned() }).await;
    }

    /// Between 0.75 and 1.25, the same for the same bus and attempt.
    pub(super) fn jitter(&self, attempt: u64) -> f64 {
        let mut hasher = std::hash::DefaultHasher::new();
        (&self.key, attempt).hash(&mut hasher);
        0.75 + f64::from(u8::try_from(hasher.finish() & 0xFF).unwrap_or(0)) / 510.0
    }
}
