//! A start: what stood before stands again, without a second raise.
//!
//! On-delays keep their progress and the gap is credited when the first good sample is still true; off-delays begin anew;
//! an acknowledgement, an occurrence number and an open record survive.

use super::comms::START_GRACE;
use super::{AlarmState, ConditionState, Deadlines, Engine, Restored, SystemCondition, Timer};
use crate::book::RuleBook;
use crate::event::{AlarmFact, Event, EventKind};
use crate::hazard::Stage;
use crate::reading::{Fault, Reading};
use crate::time::{Mono, Now};
use std::collections::HashMap;

fn fresh_alarms(book: &RuleBook) -> Vec<AlarmState> {
    let rules = book.rules().iter().map(|r| format!("{}:{}", r.point, r.condition.word()));
    let devices = book.devices().iter().map(|d| format!("{}:COMMS_LOSS", d.key));
    let system = SystemCondition::ALL.iter().map(|c| format!("system:{}", c.code()));
    rules.chain(devices).chain(system).map(AlarmState::fresh).collect()
}

/// A restored engine.
pub(super) fn engine(book: RuleBook, restored: Restored, now: Now) -> Engine {
    let (points, devices) = (book.points().len(), book.devices().len());
    let alarms = fresh_alarms(&book);
    let keys: HashMap<String, usize> = alarms.iter().enumerate().map(|(i, a)| (a.key.clone(), i)).collect();
    let mut engine = Engine {
        judged: vec![None; alarms.len()],
        deadlines: Deadlines::new(devices, alarms.len(), points),
        alarms,
        keys,
        readings: vec![(Reading::Bad(Fault::NeverRead), now); points],
        newest: vec![None; points],
        answered: vec![None; devices],
        hazards: restored.hazards.into_iter().filter(|h| !matches!(h.stage, Stage::Rejected { .. })).collect(),
        orphans: Vec::new(),
        scratch: Vec::new(),
        started: now.mono,
        next_seq: restored.next_seq.max(1),
        next_hazard: restored.next_hazard.max(1),
        book,
    };
    for alarm in restored.alarms {
        engine.restore_alarm(alarm, restored.same_boot, now);
    }
    engine.drop_off_delays();
    engine.arm_all(now);
    engine
}

impl Engine {
    fn restore_alarm(&mut self, mut alarm: AlarmState, same_boot: bool, now: Now) {
        let Some(i) = self.alarm_index(&alarm.key) else {
            if alarm.stands() {
                self.orphans.push(alarm);
            }
            return;
        };
        if !same_boot {
            if let ConditionState::PendingOn(t0) = alarm.condition {
                // Times of another boot say nothing here except how far the delay had come.
                let done = alarm.last_evaluable.map_or(0, |t| t.0.saturating_sub(t0.0));
                alarm.condition = ConditionState::PendingOn(Mono(now.mono.0.saturating_sub(done)));
            }
            alarm.last_evaluable = None;
        }
        alarm.suppressed = false;
        let since = alarm.raised.filter(|_| same_boot).unwrap_or(now);
        self.alarms[i] = alarm;
        if self.alarms[i].is_active() {
            self.watch_standing(i, since);
        }
    }

    /// Silence is judged after the grace; a pending alarm waits for its first sample, but not for ever.
    fn arm_all(&mut self, now: Now) {
        for d in 0..self.book.devices().len() {
            self.deadlines.set(Timer::Comms(d), Some(self.silence_due(d)));
            self.suppress(d, now);
        }
        for p in 0..self.book.points().len() {
            let age = self.book.points()[p].max_age.max(START_GRACE);
            self.deadlines.set(Timer::Stale(p), Some(now.mono.plus(age)));
        }
        for (i, rule) in self.book.rules().iter().enumerate() {
            if let ConditionState::PendingOn(t0) = self.alarms[i].condition
                && !self.alarms[i].suppressed
            {
                let point = self.book.index().point_of_rule[i].index();
                let wait = now.mono.plus(self.book.points()[point].max_age);
                self.deadlines.set(Timer::Delay(i), Some(t0.plus(rule.on_delay).max(wait)));
            }
        }
    }

    /// Alarms that the book no longer has are over; the first call says so.
    pub(super) fn close_orphans(&mut self, now: Now, out: &mut Vec<Event>) {
        for orphan in std::mem::take(&mut self.orphans) {
            let (point, condition) = orphan.key.rsplit_once(':').unwrap_or((&orphan.key, ""));
            let fact = orphan.fact.clone().unwrap_or_else(|| AlarmFact {
                alarm: orphan.key.clone(),
                occurrence: orphan.occurrence,
                point: point.to_owned(),
                condition: condition.to_owned(),
                priority: 3,
                reading: None,
                limit: None,
                unit: String::new(),
                risk: None,
                drill: false,
            });
            self.emit(EventKind::Cleared { fact }, now, out);
        }
    }
}
