//! Sensor fault, and what a device says of itself: inhibited, warming up, in calibration (NE 107 C).
//!
//! A function check is no fault: it holds the point's alarms for as long as it may last, and becomes a fault after that. Silence is the
//! device's affair ([`super::comms`]) as long as the whole device is silent; a point that alone stays silent is faulty.

use super::limit::Verdict;
use super::{Engine, Timer};
use crate::book::PointId;
use crate::event::{Cause, Event, EventKind};
use crate::hide::{Expiry, Inhibit};
use crate::reading::{Fault, Reading};
use crate::time::Now;

/// The device is in a state in which it does not measure, and says so.
pub(super) fn is_function_check(reading: Reading) -> bool {
    matches!(reading, Reading::Bad(Fault::WarmUp | Fault::Inhibited))
}

impl Engine {
    pub(super) fn fault_verdict(&self, i: usize, reading: Reading) -> Verdict {
        let overdue = self.alarms[i].inhibit.as_ref().is_some_and(|x| x.overdue);
        match reading {
            Reading::Bad(f) if f.is_communication() => match self.book.index().point_of_alarm(i) {
                Some(p) if self.is_silent_alone(p.index()) => Verdict::True,
                _ => Verdict::NotEvaluable,
            },
            Reading::Bad(_) if is_function_check(reading) && !overdue => Verdict::NotEvaluable,
            Reading::Bad(_) => Verdict::True,
            Reading::Good(_) | Reading::Uncertain(..) => Verdict::Clear,
        }
    }

    /// 30: the device begins or ends a function check.
    pub(super) fn watch_inhibit(&mut self, point: PointId, reading: Reading, at: Now, out: &mut Vec<Event>) {
        let Some(rule) = self.ways[point.index()].fault else { return };
        let i = rule.index();
        match (self.hot[i].inhibited, reading) {
            (false, r) if is_function_check(r) => {
                let until = Expiry::after(at, self.book.policy().inhibit_max);
                let inhibit = Inhibit { since: at, until, overdue: false };
                let fact = self.fact(i, Some(reading));
                self.emit(EventKind::Inhibited { fact, inhibit }, at, out);
            }
            // Silence says nothing about it; anything else the device says ends it.
            (true, Reading::Bad(f)) if f.is_communication() || is_function_check(reading) => {}
            (true, _) => {
                let fact = self.fact(i, Some(reading));
                self.emit(EventKind::InhibitEnded { fact, overdue: false }, at, out);
            }
            (false, _) => {}
        }
    }

    /// It has lasted for too long: a fault from now on, without a further delay.
    pub(super) fn inhibit_overdue(&mut self, p: usize, now: Now, out: &mut Vec<Event>) {
        let Some(rule) = self.book.index().fault_of_point[p] else { return };
        let i = rule.index();
        if self.alarms[i].inhibit.as_ref().is_none_or(|x| x.overdue) {
            return;
        }
        self.cause = Cause::Timer;
        let reading = self.readings[p].0;
        let fact = self.fact(i, Some(reading));
        self.emit(EventKind::InhibitEnded { fact, overdue: true }, now, out);
        if is_function_check(reading) {
            self.step(i, reading, now, out);
        }
    }

    pub(super) fn arm_inhibit(&mut self, i: usize) {
        let Some(p) = self.book.index().point_of_alarm(i) else { return };
        let end = self.alarms[i].inhibit.as_ref().filter(|x| !x.overdue).map(|x| x.until);
        self.deadlines.set_expiry(Timer::Inhibit(p.index()), end);
    }
}
