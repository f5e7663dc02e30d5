//! Transitions of a point's alarms: one function per transition, numbered as in the table of alarms.md 2.3.

use super::limit::Verdict;
use super::{ConditionState, Engine, Timer};
use crate::book::{Condition, Subject};
use crate::event::{Cause, Event, EventKind};
use crate::reading::Reading;
use crate::time::{Mono, Now};
use std::time::Duration;

/// How a raise came about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Onset {
    pub(super) reading: Option<Reading>,
    /// Without a fresh good sample.
    pub(super) assumed: bool,
    /// How much later than due.
    pub(super) late: Duration,
}

impl Onset {
    /// In time, on evidence.
    pub(super) fn plain(reading: Option<Reading>) -> Self {
        Self { reading, assumed: false, late: Duration::ZERO }
    }
    pub(super) fn late(reading: Option<Reading>, late: Duration) -> Self {
        Self { reading, assumed: false, late }
    }
}

/// Whole milliseconds.
pub(super) fn ms(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

impl Engine {
    /// How long the condition must hold before it is annunciated.
    pub(super) fn on_delay(&self, i: usize) -> Duration {
        match self.book.rules().get(i) {
            Some(rule) => match self.condition_of(i) {
                Condition::SensorFault if self.alarms[i].inhibit.as_ref().is_some_and(|x| x.overdue) => Duration::ZERO,
                Condition::Stuck { window, .. } => self.rest_of_window(i, *window),
                Condition::Frozen { .. } => Duration::ZERO,
                _ => rule.on_delay,
            },
            None => Duration::ZERO,
        }
    }

    /// How long it must be gone before it has returned; a chattering one until it is quiet.
    pub(super) fn off_delay(&self, i: usize) -> Duration {
        let delay = match self.book.index().subject(i) {
            Subject::Rule(r) => self.book.rules()[r.index()].off_delay,
            Subject::Device(_) => super::comms::COMMS_OFF_DELAY,
            Subject::System(_) | Subject::Vote(_) | Subject::VoteInvalid(_) => Duration::ZERO,
        };
        if self.alarms[i].chatter { delay.max(self.book.policy().chatter_quiet) } else { delay }
    }

    /// One reading meets one rule.
    pub(super) fn step(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        use ConditionState as S;
        if self.alarms[i].hidden.service.is_some() {
            return;
        }
        if self.needs_proof(i) && is_doubtful(reading) {
            return;
        }
        let verdict = self.verdict(i, reading, at);
        let eases = match self.alarms[i].condition {
            S::PendingOn(_) | S::Active => matches!(verdict, Verdict::Between | Verdict::Clear),
            S::PendingOff(_) => verdict == Verdict::Clear,
            S::Unknown | S::Normal => false,
        };
        if eases && self.is_in_doubt(i, reading) {
            // The first reading after a time-out clears nothing, the next one may; a value of a test never does.
            return;
        }
        if verdict != Verdict::NotEvaluable {
            self.hot[i].set_judged(Some(at.mono));
            self.hot[i].beyond = verdict == Verdict::True;
        }
        match (self.alarms[i].condition, verdict) {
            (S::Normal, Verdict::Between | Verdict::Clear)
            | (S::Unknown | S::Normal | S::PendingOn(_), Verdict::NotEvaluable)
            | (S::PendingOff(_), Verdict::Clear) => {}
            (S::Unknown, Verdict::Between | Verdict::Clear) => {
                self.alarms.set_normal(i);
                self.follow_state(i);
            }
            (S::Unknown | S::Normal, Verdict::True) if self.on_delay(i).is_zero() => {
                self.raise(i, Onset::plain(Some(reading)), at, out);
            }
            (S::Unknown | S::Normal, Verdict::True) => self.pending_on(i, reading, at, out),
            (S::PendingOn(t0), Verdict::True) => self.still_true(i, self.pending_due(i, t0), reading, at, out),
            (S::PendingOn(_), Verdict::Between | Verdict::Clear) => self.cancel_pending(i, reading, at, out),
            (S::Active, Verdict::True | Verdict::Between) => self.release(i, reading, at, out),
            (S::Active, Verdict::Clear) => {
                self.release(i, reading, at, out);
                self.begin_return(i, Some(reading), at, out);
            }
            (S::PendingOff(_), Verdict::True | Verdict::Between) => self.cancel_return(i, Some(reading), at, out),
            (S::Active | S::PendingOff(_), Verdict::NotEvaluable) => self.hold(i, reading, at, out),
        }
    }

    /// A value, or what it is compared with, that proves no normal state.
    fn is_in_doubt(&self, i: usize, reading: Reading) -> bool {
        let reference = self.book.index().reference_of_rule.get(i).copied().flatten();
        is_doubtful(reading) || reference.is_some_and(|p| is_doubtful(self.readings[p.index()].0))
    }

    /// Whether a value moved is not judged by one that may be another's or a test's: against the next good one everything would have moved.
    fn needs_proof(&self, i: usize) -> bool {
        matches!(self.condition_of(i), Condition::Stuck { .. } | Condition::Frozen { .. })
    }

    /// 2: the on-delay starts with the arrival of the sample.
    fn pending_on(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, Some(reading));
        self.emit(EventKind::PendingOn { fact }, at, out);
    }

    /// After a restart the delay may long be over: the gap is credited.
    fn still_true(&mut self, i: usize, due: Mono, reading: Reading, at: Now, out: &mut Vec<Event>) {
        if due <= at.mono {
            self.raise(i, Onset::late(Some(reading), at.mono.since(due)), at, out);
        } else {
            self.deadlines.set(Timer::Delay(i), Some(due));
        }
    }

    /// 4: the limit itself counts, not the deadband.
    fn cancel_pending(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        self.credited_ms.remove(&i);
        let fact = self.fact(i, Some(reading));
        self.emit(EventKind::PendingCancelled { fact }, at, out);
    }

    /// Evaluable again.
    fn release(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        if self.alarms[i].held {
            let fact = self.fact(i, Some(reading));
            self.emit(EventKind::Released { fact }, at, out);
        }
    }

    /// 6, or 9 without an off-delay.
    pub(super) fn begin_return(&mut self, i: usize, reading: Option<Reading>, at: Now, out: &mut Vec<Event>) {
        if self.off_delay(i).is_zero() {
            self.give_back(i, reading, at, out);
        } else {
            let fact = self.fact(i, reading);
            self.emit(EventKind::PendingOff { fact }, at, out);
        }
    }

    /// 7: no annunciation, no new occurrence.
    pub(super) fn cancel_return(&mut self, i: usize, reading: Option<Reading>, at: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, reading);
        self.emit(EventKind::ReturnCancelled { fact }, at, out);
    }

    /// 8, 10: held once, the off-delay dropped, never cleared. Beyond the limit before: the worst is assumed.
    pub(super) fn hold(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        if !self.alarms[i].held || matches!(self.alarms[i].condition, ConditionState::PendingOff(_)) {
            let assumed = self.hot[i].beyond || self.alarms[i].assumed;
            let fact = self.fact(i, Some(reading));
            self.emit(EventKind::Held { fact, assumed }, at, out);
        }
    }

    /// What is true or not without a reading of its own, a vote or a condition of the gateway: at once, but for 26.
    pub(super) fn follow(&mut self, i: usize, active: bool, now: Now, out: &mut Vec<Event>) {
        use ConditionState as S;
        match (self.alarms[i].condition, active) {
            (S::Unknown | S::Normal | S::PendingOn(_), true) => self.raise(i, Onset::plain(None), now, out),
            (S::Active, false) => self.begin_return(i, None, now, out),
            (S::PendingOff(_), true) => self.cancel_return(i, None, now, out),
            (S::Unknown, false) => self.alarms.set_normal(i),
            (S::Normal | S::PendingOn(_) | S::PendingOff(_), false) | (S::Active, true) => {}
        }
    }

    /// 9: it stays latched when it returns. Behind a permit or a rule of design, which expect it, it does not; a shelf only puts it off.
    pub(super) fn would_latch(&self, i: usize) -> bool {
        let hidden = &self.alarms[i].hidden;
        let only_shelved = hidden.shelf.is_some() && hidden.bypass.is_none() && hidden.suppressed.is_empty();
        self.book.rules().get(i).is_some_and(|r| r.latching) && (!self.alarms[i].shadow || only_shelved)
    }

    /// 9: returned; over when acknowledged, unless it latches.
    pub(super) fn give_back(&mut self, i: usize, reading: Option<Reading>, at: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, reading);
        let chattered = self.alarms[i].chatter;
        let latched = self.would_latch(i);
        if self.alarms[i].shadow {
            self.emit(EventKind::ShadowReturned { fact: fact.clone(), latched }, at, out);
        } else {
            self.emit(EventKind::Returned { fact: fact.clone(), latched }, at, out);
            if self.alarms[i].acked && !latched {
                self.emit(EventKind::Cleared { fact: fact.clone() }, at, out);
            }
        }
        if chattered {
            self.emit(EventKind::ChatterEnd { fact }, at, out);
        }
        self.end_one_shot(i, at, out);
    }

    /// An on-delay or off-delay is over.
    pub(super) fn delay_over(&mut self, i: usize, due: Mono, now: Now, out: &mut Vec<Event>) {
        let Some(point) = self.book.index().point_of_alarm(i).map(crate::book::PointId::index) else {
            return self.comms_delay_over(i, now, out);
        };
        // What a new configuration let go is closed by it, however long the off-delay took.
        let by_config = self.alarms[i].fact.as_ref().is_some_and(|f| f.cause == Cause::Config);
        let returning = matches!(self.alarms[i].condition, ConditionState::PendingOff(_));
        self.cause = if by_config && returning { Cause::Config } else { Cause::Timer };
        let reading = self.readings[point].0;
        let fresh = self.hot[i].judged().is_some_and(|t| due.since(t) <= self.book.points()[point].max_age);
        match self.alarms[i].condition {
            ConditionState::PendingOn(t0) => {
                let late = now.mono.since(self.pending_due(i, t0));
                self.raise(i, Onset { reading: Some(reading), assumed: !fresh, late }, now, out);
            }
            ConditionState::PendingOff(_) if fresh => self.give_back(i, Some(reading), now, out),
            ConditionState::PendingOff(_) => self.hold(i, reading, now, out),
            _ => {}
        }
    }
}

/// A value that proves no normal state.
fn is_doubtful(reading: Reading) -> bool {
    reading.value().is_some() && !reading.proves_normal()
}
