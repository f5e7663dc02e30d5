//! Who is asked next, and what is told about it: earliest deadline first, dead units only where they disturb nobody.

use super::unit::{Change, Unit};
use crate::line::AskError;
use crate::plan::Span;
use crate::status::BusStatus;
use crate::{BusMessage, BusSpec, Scan};
use rules::{Clock, Fault, Sample};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Longest wait for the answer of a unit that is dead.
const PROBE_LIMIT: Duration = Duration::from_millis(300);
/// A probe pays with this many times its length before the next one may run, while others live (5 % of the bus).
const PROBE_REST: u32 = 19;

pub(super) struct Desk {
    key: String,
    timeout: Duration,
    units: Vec<Unit>,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<BusMessage>,
    pub(super) status: Arc<BusStatus>,
    reported_up: Option<bool>,
    probes_from: Instant,
}

/// What the bus does now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Ask(usize),
    Wait(Instant),
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
        let units = spec.devices.into_iter().map(|d| Unit::new(d, &spec.transport, now)).collect();
        Self { key: spec.key, timeout: spec.timeout, units, clock, out, status, reported_up: None, probes_from: now }
    }

    /// A unit to ask, or the time to wait for. Units that are alive go first, the one due earliest before the others.
    pub(super) fn turn(&mut self) -> Turn {
        let now = Instant::now();
        let live = || self.units.iter().enumerate().filter(|(_, u)| u.dead.is_none() && u.is_askable());
        let ready = |u: &Unit| u.due.max(u.not_before);
        if let Some((index, _)) = live().filter(|(_, u)| ready(u) <= now).min_by_key(|(_, u)| u.due) {
            return Turn::Ask(index);
        }
        let next_live = live().map(|(_, u)| ready(u)).min();
        let fits = next_live.is_none_or(|t| t.saturating_duration_since(now) >= self.timeout.min(PROBE_LIMIT));
        let mut wake = next_live.unwrap_or(now + Duration::from_secs(1));
        for (index, unit) in self.units.iter().enumerate() {
            let Some(probe) = unit.dead else { continue };
            let from = if next_live.is_some() { probe.at.max(self.probes_from) } else { probe.at };
            // A bus without room for a probe makes room once the probe is as late as its pause is long.
            let from = if fits { from } else { from + probe.pause };
            if from.max(unit.not_before) <= now {
                return Turn::Ask(index);
            }
            wake = wake.min(from.max(unit.not_before)).min(unit.due);
        }
        Turn::Wait(wake.max(now + Duration::from_millis(1)))
    }

    pub(super) fn question(&mut self, index: usize) -> Question {
        let (now, label) = (Instant::now(), self.clock.now());
        let unit = &mut self.units[index];
        let limit = if unit.dead.is_some() { self.timeout.min(PROBE_LIMIT) } else { self.timeout };
        let block = unit.request(now, label).expect("note() ends a scan as soon as nothing is left to ask");
        Question { unit: unit.spec.unit, block, turnaround: unit.spec.profile.limits.turnaround, limit }
    }

    /// Takes the outcome of a question, tells what changed, and publishes the scan when it is complete.
    pub(super) async fn note(&mut self, index: usize, outcome: Result<Vec<u16>, AskError>, took: Duration) {
        let (now, label) = (Instant::now(), self.clock.now());
        self.count(index, &outcome, took);
        let unit = &mut self.units[index];
        if unit.dead.is_some() {
            self.probes_from = now + took * PROBE_REST;
        }
        let change = unit.note(outcome, now, label, self.timeout * 2);
        let complete = unit.dead.is_none() || change == Change::Died;
        if complete && unit.request(now, label).is_none() {
            let (answered, samples, skipped) = unit.finish(now, label);
            self.status.unit(index).inspect(|c| c.skipped.add(skipped));
            self.send_scan(index, answered, samples).await;
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
            Err(AskError::Protocol | AskError::Gone) => counters.protocol.one(),
        }
    }

    async fn tell(&self, index: usize, code: &'static str) {
        let unit = &self.units[index].spec;
        self.status.set_dead(index, code == "unit_dead");
        let detail = format!("{} unit {}", self.key, unit.unit);
        tracing::info!(bus = self.key, device = unit.key, code, "unit state");
        let _ = self.out.send(BusMessage::State { subject: unit.key.clone(), code, detail }).await;
    }

    async fn send_scan(&self, index: usize, answered: bool, samples: Vec<Sample>) {
        let device = self.units[index].spec.device;
        // A closed channel ends the bus from outside.
        let _ = self.out.send(BusMessage::Scan(Scan { device, answered, samples, at: self.clock.now() })).await;
    }

    /// Dead units, and those with nothing to ask for, stay bad in every period, without a byte on the wire.
    pub(super) async fn publish_dead(&mut self) {
        self.publish_due(|u| u.standing_fault()).await;
    }

    /// Every unit that is due, bad because there is no link.
    pub(super) async fn publish_disconnected(&mut self) {
        self.status.turn();
        self.publish_due(|_| Some(Fault::Disconnected)).await;
    }

    async fn publish_due(&mut self, why: impl Fn(&Unit) -> Option<Fault>) {
        let (now, label) = (Instant::now(), self.clock.now());
        for index in 0..self.units.len() {
            let unit = &mut self.units[index];
            if unit.due > now {
                continue;
            }
            let Some(fault) = why(unit) else { continue };
            let samples = unit.all_bad(fault, label);
            unit.advance(now);
            self.send_scan(index, false, samples).await;
        }
    }

    pub(super) fn next_due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(1);
        self.units.iter().map(|u| u.due).min().unwrap_or(far)
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
