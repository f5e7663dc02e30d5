//! Transitions of a point's alarms: one function per transition, numbered as in the state machine's table.
//!
//! Owns when a limit, state or sensor fault raises and clears. The raise is inclusive; the deadband is used by alarms that
//! are active, never by pending ones.

use super::{ConditionState, Engine, Timer};
use crate::book::{Condition, RuleId};
use crate::event::{Event, EventKind};
use crate::reading::Reading;
use crate::time::{Mono, Now};
use std::time::Duration;

/// What one reading says about one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// At or beyond the limit.
    True,
    /// Neither at the limit nor past the deadband: does not raise, does not clear.
    Between,
    /// Past limit and deadband.
    Clear,
    /// Says nothing.
    NotEvaluable,
}

/// Judges one reading.
pub(super) fn verdict(condition: Condition, reading: Reading) -> Verdict {
    let of = |raise: bool, clear: bool| match (raise, clear) {
        (true, _) => Verdict::True,
        (false, true) => Verdict::Clear,
        (false, false) => Verdict::Between,
    };
    match (condition, reading) {
        (Condition::SensorFault, Reading::Bad(f)) if f.is_communication() => Verdict::NotEvaluable,
        (Condition::SensorFault, Reading::Bad(_)) => Verdict::True,
        (Condition::SensorFault, _) => Verdict::Clear,
        (_, Reading::Bad(_)) => Verdict::NotEvaluable,
        (Condition::HighHigh { limit, deadband } | Condition::High { limit, deadband }, r) => {
            let v = r.value().unwrap_or(limit);
            of(v >= limit, v < limit - deadband)
        }
        (Condition::Low { limit, deadband } | Condition::LowLow { limit, deadband }, r) => {
            let v = r.value().unwrap_or(limit);
            of(v <= limit, v > limit + deadband)
        }
        (Condition::Discrete { alarm_state }, r) => {
            let is = r.value().unwrap_or(0.0) >= 0.5;
            of(is == alarm_state, is != alarm_state)
        }
    }
}

impl Engine {
    /// One reading meets one rule.
    pub(super) fn step(&mut self, rule: RuleId, reading: Reading, at: Now, out: &mut Vec<Event>) {
        use ConditionState as S;
        let i = rule.index();
        let (condition, on_delay) = (self.book.rules()[i].condition, self.book.rules()[i].on_delay);
        let verdict = verdict(condition, reading);
        if verdict != Verdict::NotEvaluable {
            self.judged[i] = Some(at.mono);
        }
        match (self.alarms[i].condition, verdict) {
            (S::Unknown | S::Normal, Verdict::True) => {
                if on_delay.is_zero() && !self.alarms[i].suppressed {
                    self.raise(i, reading, false, Duration::ZERO, at, out);
                } else {
                    self.pending_on(i, reading, at, out);
                }
            }
            (S::PendingOn(t0), Verdict::True) => self.still_true(i, t0.plus(on_delay), reading, at, out),
            (S::PendingOn(_), Verdict::Between | Verdict::Clear) => self.cancel_pending(i, reading, at, out),
            (S::Unknown, Verdict::Between | Verdict::Clear) => self.alarms[i].condition = S::Normal,
            (S::Active, Verdict::True | Verdict::Between) => self.release(i, reading, at, out),
            (S::Active, Verdict::Clear) => {
                self.release(i, reading, at, out);
                self.begin_return(i, reading, at, out);
            }
            (S::PendingOff(_), Verdict::True | Verdict::Between) => self.cancel_return(i, reading, at, out),
            (S::Active | S::PendingOff(_), Verdict::NotEvaluable) => self.hold(i, reading, at, out),
            (S::PendingOff(_), Verdict::Clear)
            | (S::Normal, Verdict::Between | Verdict::Clear)
            | (S::Unknown | S::Normal | S::PendingOn(_), Verdict::NotEvaluable) => {}
        }
    }

    /// 2: the on-delay starts with the arrival of the sample.
    fn pending_on(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, Some(reading));
        self.emit(EventKind::PendingOn { fact }, at, out);
    }

    /// After a restart or a suppression the delay may long be over: the gap is credited.
    fn still_true(&mut self, i: usize, due: Mono, reading: Reading, at: Now, out: &mut Vec<Event>) {
        if self.alarms[i].suppressed {
            return;
        }
        if due <= at.mono {
            self.raise(i, reading, false, at.mono.since(due), at, out);
        } else {
            self.deadlines.set(Timer::Delay(i), Some(due));
        }
    }

    /// 3, 5, 13: active and unacknowledged.
    pub(super) fn raise(
        &mut self,
        i: usize,
        reading: impl Into<Option<Reading>>,
        assumed: bool,
        late: Duration,
        at: Now,
        out: &mut Vec<Event>,
    ) {
        let mut fact = self.fact(i, reading.into());
        fact.occurrence += 1;
        let late_by_ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        self.emit(EventKind::Raised { fact, assumed, late_by_ms }, at, out);
        self.measure_failed(i, at, out);
    }

    /// 4: the limit itself counts, not the deadband.
    fn cancel_pending(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
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
    fn begin_return(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        if self.book.rules()[i].off_delay.is_zero() {
            self.give_back(i, Some(reading), at, out);
        } else {
            let fact = self.fact(i, Some(reading));
            self.emit(EventKind::PendingOff { fact }, at, out);
        }
    }

    /// 7: no annunciation, no new occurrence.
    pub(super) fn cancel_return(
        &mut self,
        i: usize,
        reading: impl Into<Option<Reading>>,
        at: Now,
        out: &mut Vec<Event>,
    ) {
        let fact = self.fact(i, reading.into());
        self.emit(EventKind::ReturnCancelled { fact }, at, out);
    }

    /// 8, 10: held once, the off-delay dropped, never cleared.
    fn hold(&mut self, i: usize, reading: Reading, at: Now, out: &mut Vec<Event>) {
        if !self.alarms[i].held {
            let fact = self.fact(i, Some(reading));
            self.emit(EventKind::Held { fact }, at, out);
        }
    }

    /// 9: returned; over when acknowledged.
    pub(super) fn give_back(&mut self, i: usize, reading: Option<Reading>, at: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, reading);
        self.emit(EventKind::Returned { fact: fact.clone() }, at, out);
        if self.alarms[i].acked {
            self.emit(EventKind::Cleared { fact }, at, out);
        }
    }

    /// An on-delay or off-delay is over.
    pub(super) fn delay_over(&mut self, i: usize, due: Mono, now: Now, out: &mut Vec<Event>) {
        if i >= self.book.rules().len() {
            return self.comms_delay_over(i, now, out);
        }
        let point = self.book.index().point_of_rule[i].index();
        let reading = self.readings[point].0;
        let fresh = self.judged[i].is_some_and(|t| due.since(t) <= self.book.points()[point].max_age);
        match self.alarms[i].condition {
            ConditionState::PendingOn(t0) if !self.alarms[i].suppressed => {
                let late = now.mono.since(t0.plus(self.book.rules()[i].on_delay));
                self.raise(i, reading, !fresh, late, now, out);
            }
            ConditionState::PendingOff(_) if fresh => self.give_back(i, Some(reading), now, out),
            ConditionState::PendingOff(_) => self.hold(i, reading, now, out),
            _ => {}
        }
    }
}
