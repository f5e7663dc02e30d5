//! The engine: scans, conditions of the gateway itself, commands and time go in; numbered events come out.
//!
//! ```text
//!             true, on-delay 0
//!  Unknown ┐ ┌──────────────────────────────────┐
//!          ▼ │                                  ▼      past limit∓deadband
//!        Normal ──true──► PendingOn ──due──► Active ───────────────────────► PendingOff
//!          ▲ ▲              │                 ▲  ▲◄──back, or not evaluable──────┘ │
//!          │ └──false───────┘                 │  └─ not evaluable: held, not cleared │
//!          └──────────────────────────────────┼── off-delay due, newest value fresh ─┘
//!   returned unacknowledged ──true again──────┘ (a new occurrence)
//! ```
//!
//! An acknowledgement is a second, independent part: `Raised` takes it away, a person gives it, and the occurrence is
//! `Cleared` when it is both returned and acknowledged.
//!
//! Every change that is worth a record goes through one path: a transition builds an event, [`Engine::apply`] changes the
//! state, the event is appended. Replaying the events therefore gives the same state; only the difference between
//! `Unknown` and `Normal` and the readings are observations, not events.
//!
//! Owns alarm states, hidden-danger candidates and deadlines. Leaves storing, sending and showing to the gateway.

mod ack;
mod apply;
mod comms;
mod deadlines;
mod hazards;
mod limit;
mod restore;
mod state;
#[cfg(test)]
mod tests;

pub use state::{AlarmState, ConditionState, Input, Restored, SystemCondition};

use crate::book::{PointId, RuleBook};
use crate::command::{Actor, Command, Rejected};
use crate::event::{AlarmFact, Event, EventKind};
use crate::hazard::Hazard;
use crate::reading::{Doubt, Fault, Reading, Sample};
use crate::time::{Mono, Now};
use deadlines::{Deadlines, Timer};
use std::collections::HashMap;

/// The alarm engine of one site.
#[derive(Debug)]
pub struct Engine {
    book: RuleBook,
    /// Rules, then devices, then system conditions.
    alarms: Vec<AlarmState>,
    /// Looked up, never iterated.
    keys: HashMap<String, usize>,
    /// Newest time at which an alarm's condition could be judged.
    judged: Vec<Option<Mono>>,
    readings: Vec<(Reading, Now)>,
    /// Time of the newest sample of a point; anything not newer goes to history only.
    newest: Vec<Option<Mono>>,
    /// Newest valid answer of a device.
    answered: Vec<Option<Mono>>,
    hazards: Vec<Hazard>,
    deadlines: Deadlines,
    /// Standing alarms whose key the book no longer has, until the first `handle`.
    orphans: Vec<AlarmState>,
    scratch: Vec<Sample>,
    started: Mono,
    next_seq: u64,
    next_hazard: u64,
}

impl Engine {
    /// Alarms whose key the book no longer has are closed with `alarm.cleared` by the first `handle`.
    #[must_use]
    pub fn new(book: RuleBook, restored: Restored, now: Now) -> Self {
        restore::engine(book, restored, now)
    }

    /// The checked site it judges.
    #[must_use]
    pub fn book(&self) -> &RuleBook {
        &self.book
    }

    /// Total: never fails, never blocks. Events are numbered without gaps from `next_seq` and appended to `out`.
    pub fn handle(&mut self, input: Input<'_>, now: Now, out: &mut Vec<Event>) {
        self.close_orphans(now, out);
        match input {
            Input::Scan { device, answered, samples } => self.scan(device.index(), answered, samples, now, out),
            Input::System { condition, active } => self.system(condition, active, now, out),
            Input::Tick => self.fire(now.mono, now, out),
        }
    }

    /// A person's request.
    /// # Errors
    /// [`Rejected`] says what the caller does next; nothing changed.
    pub fn command(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        if actor.user.trim().is_empty() {
            return Err(Rejected::Incomplete(vec!["user".to_owned()]));
        }
        match command {
            Command::Acknowledge { alarm, seen_seq, comment } => {
                self.acknowledge(alarm, *seen_seq, comment, actor, now, out)
            }
            Command::ConfirmHazard { hazard, reason } => self.confirm(hazard, reason, actor, now, out),
            Command::RejectHazard { hazard, reason } => self.reject(hazard, reason, actor, now, out),
        }
    }

    /// Numbers a fact of the gateway itself (start, receipt, operator action, notice). Alarm kinds are refused (debug assertion).
    pub fn note(&mut self, kind: EventKind, now: Now, out: &mut Vec<Event>) {
        let own = kind.fact().is_some()
            || matches!(
                kind,
                EventKind::HazardOpened { .. } | EventKind::HazardOccurrence { .. } | EventKind::HazardStage { .. }
            );
        debug_assert!(!own, "alarms and hazards change by samples, time and commands only");
        if !own {
            self.emit(kind, now, out);
        }
    }

    /// When it wants to be called with [`Input::Tick`], and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        self.deadlines.next().map(|(due, timer)| (due, timer.reason()))
    }

    /// All alarm states in the book's order (rules, then devices, then system alarms); one per rule, device and condition.
    #[must_use]
    pub fn alarms(&self) -> &[AlarmState] {
        &self.alarms
    }

    /// Open records (candidate or registered).
    #[must_use]
    pub fn hazards(&self) -> &[Hazard] {
        &self.hazards
    }

    /// Latest reading of every point, by `PointId::index()`; `Bad(NeverRead)` before the first. Stale ones are `Bad(Stale)` with
    /// the original time.
    #[must_use]
    pub fn readings(&self) -> &[(Reading, Now)] {
        &self.readings
    }

    /// Number of the next event.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Position of an alarm in [`Engine::alarms`].
    #[must_use]
    pub fn alarm_index(&self, key: &str) -> Option<usize> {
        self.keys.get(key).copied()
    }

    /// An H whose HH (or L whose LL) is active: it is shown under that one and does not sound.
    #[must_use]
    pub fn superseded(&self, alarm: usize) -> bool {
        let above = self.book.index().superseder.get(alarm).copied().flatten();
        above.is_some_and(|r| self.alarms[r.index()].is_active())
    }

    /// Suppressor first, then samples in the order of their points, then timers due by then.
    fn scan(&mut self, device: usize, answered: bool, samples: &[Sample], now: Now, out: &mut Vec<Event>) {
        let at = |s: &Sample| if s.at.mono > now.mono { now } else { s.at };
        let first = samples.iter().map(at).min_by_key(|t| t.mono).unwrap_or(now);
        let last = samples.iter().map(at).max_by_key(|t| t.mono).unwrap_or(now);
        // Missed ticks: what was due before this scan happened before it.
        self.fire(Mono(first.mono.0.saturating_sub(1)), now, out);
        self.heard(device, answered, first, out);
        let mut sorted = std::mem::take(&mut self.scratch);
        sorted.clear();
        sorted.extend(samples.iter().map(|s| Sample { at: at(s), ..*s }));
        sorted.sort_by_key(order);
        for sample in &sorted {
            self.sample(*sample, out);
        }
        self.scratch = sorted;
        self.fire(last.mono, now, out);
    }

    fn sample(&mut self, s: Sample, out: &mut Vec<Event>) {
        let p = s.point.index();
        let Some(newest) = self.newest.get_mut(p) else { return };
        if newest.is_some_and(|n| s.at.mono <= n) {
            return;
        }
        *newest = Some(s.at.mono);
        self.readings[p] = (s.reading, s.at);
        let silent = matches!(s.reading, Reading::Bad(f) if f.is_communication());
        let due = s.at.mono.plus(self.book.points()[p].max_age).plus(std::time::Duration::from_nanos(1));
        self.deadlines.set(Timer::Stale(p), (!silent).then_some(due));
        self.judge(s.point, s.reading, s.at, out);
    }

    fn judge(&mut self, point: PointId, reading: Reading, at: Now, out: &mut Vec<Event>) {
        for k in 0..self.book.index().rules_of_point[point.index()].len() {
            let rule = self.book.index().rules_of_point[point.index()][k];
            self.step(rule, reading, at, out);
        }
    }

    fn fire(&mut self, until: Mono, now: Now, out: &mut Vec<Event>) {
        while let Some((due, timer)) = self.deadlines.take(until) {
            match timer {
                Timer::Comms(d) => self.silent(d, due, now, out),
                Timer::Delay(i) => self.delay_over(i, due, now, out),
                Timer::Stale(p) => self.stale(p, now, out),
                Timer::Standing(i) => self.standing(i, now, out),
            }
        }
    }

    /// The reading keeps its time; a point never read stays so, but what stands on it is held.
    fn stale(&mut self, p: usize, now: Now, out: &mut Vec<Event>) {
        if self.readings[p].0 != Reading::Bad(Fault::NeverRead) {
            self.readings[p].0 = Reading::Bad(Fault::Stale);
        }
        self.judge(PointId::mint(p), self.readings[p].0, now, out);
    }

    /// The one way an event comes about: numbered, applied, appended.
    fn emit(&mut self, kind: EventKind, at: Now, out: &mut Vec<Event>) {
        let event = Event { seq: self.next_seq, at, kind };
        self.apply(&event);
        out.push(event);
    }

    /// Numbers and state of alarm `i` for an event about it.
    fn fact(&self, i: usize, reading: Option<Reading>) -> AlarmFact {
        let rules = self.book.rules().len();
        let devices = self.book.devices().len();
        let x = self.book.index();
        let risk_key = |r: Option<crate::book::RiskId>| r.map(|r| self.book.risks()[r.index()].key.clone());
        let mut fact = AlarmFact {
            alarm: self.alarms[i].key.clone(),
            occurrence: self.alarms[i].occurrence,
            point: String::new(),
            condition: String::new(),
            priority: 2,
            reading,
            limit: None,
            unit: String::new(),
            risk: None,
            drill: false,
        };
        if let Some(rule) = self.book.rules().get(i) {
            let point = x.point_of_rule[i].index();
            fact.point.clone_from(&rule.point);
            fact.condition = rule.condition.word().to_owned();
            fact.priority = rule.priority;
            fact.limit = rule.condition.limit();
            fact.unit.clone_from(&self.book.points()[point].unit);
            fact.risk = risk_key(x.risk_of_point[point]);
        } else if let Some(device) = self.book.devices().get(i - rules) {
            fact.condition = "COMMS_LOSS".to_owned();
            fact.priority = device.priority;
            fact.risk = risk_key(x.risk_of_device[i - rules]);
        } else {
            fact.condition = "SYSTEM".to_owned();
            fact.priority = SystemCondition::ALL[i - rules - devices].priority();
        }
        fact
    }
}

/// A total order of samples, so that their order inside one instant does not matter.
fn order(s: &Sample) -> (Mono, PointId, u8, u64, Option<Doubt>, Option<Fault>) {
    let (doubt, fault) = match s.reading {
        Reading::Good(_) => (None, None),
        Reading::Uncertain(_, d) => (Some(d), None),
        Reading::Bad(f) => (None, Some(f)),
    };
    (s.at.mono, s.point, s.reading.quality_code(), s.reading.value().map_or(0, f64::to_bits), doubt, fault)
}
