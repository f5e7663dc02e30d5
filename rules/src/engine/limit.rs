//! The four limits, the deviation and the state: what one reading says about a condition.
//!
//! Raising is inclusive; the deadband is used by alarms that are active, never by pending ones.

use super::{ConditionState, Engine};
use crate::book::{Condition, PointId, Reference};
use crate::reading::Reading;
use crate::time::Now;

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

impl Verdict {
    pub(super) fn of(raises: bool, clears: bool) -> Self {
        match (raises, clears) {
            (true, _) => Self::True,
            (false, true) => Self::Clear,
            (false, false) => Self::Between,
        }
    }
}

/// Upper limits.
pub(super) fn above(v: f64, limit: f64, deadband: f64) -> Verdict {
    Verdict::of(v >= limit, v < limit - deadband)
}

/// Lower limits: the mirror image.
pub(super) fn below(v: f64, limit: f64, deadband: f64) -> Verdict {
    Verdict::of(v <= limit, v > limit + deadband)
}

impl Engine {
    /// The condition of rule `i` in the present mode of its unit.
    pub(super) fn condition_of(&self, i: usize) -> &Condition {
        let rule = &self.book.rules()[i];
        if rule.by_mode.is_empty() {
            return &rule.condition;
        }
        self.by_mode.get(&i).unwrap_or(&rule.condition)
    }

    /// Judges one reading; conditions over time remember it.
    pub(super) fn verdict(&mut self, i: usize, reading: Reading, at: Now) -> Verdict {
        let value = reading.value();
        match (self.condition_of(i), value) {
            (Condition::SensorFault, _) => self.fault_verdict(i, reading),
            (Condition::Rising { .. } | Condition::Falling { .. }, _) => self.rate_verdict(i, reading),
            (Condition::Frozen { .. } | Condition::Stuck { .. }, _) => self.unchanged_verdict(i, value, at),
            (_, None) => Verdict::NotEvaluable,
            (Condition::HighHigh { limit, deadband } | Condition::High { limit, deadband }, Some(v)) => {
                above(v, *limit, *deadband)
            }
            (Condition::Low { limit, deadband } | Condition::LowLow { limit, deadband }, Some(v)) => {
                below(v, *limit, *deadband)
            }
            (Condition::Deviation { reference, limit, deadband }, Some(v)) => {
                let reference = match reference {
                    Reference::Setpoint(s) => Some(*s),
                    Reference::Point(_) => self.reference_value(i),
                };
                reference.map_or(Verdict::NotEvaluable, |r| above((v - r).abs(), *limit, *deadband))
            }
            (Condition::Discrete { alarm_state }, Some(v)) => {
                let is = v >= 0.5;
                Verdict::of(is == *alarm_state, is != *alarm_state)
            }
        }
    }

    /// Rules that say nothing now although their points have values: a slope of too few samples, a difference to a sensor that is bad,
    /// a point that is back in service and was not read since. None of them is to be called normal. By point, in the book's order.
    pub fn unjudged(&self) -> impl Iterator<Item = (PointId, &'static str)> {
        let silent = (0..self.hot.len()).filter(|i| !self.says_something(*i));
        let named = silent.map(|i| (self.book.index().point_of_rule[i], self.book.rules()[i].condition.word()));
        named.filter(|(p, _)| self.readings[p.index()].0.value().is_some())
    }

    /// Its condition says something of a point that has a value.
    pub(super) fn says_something(&self, i: usize) -> bool {
        if self.alarms[i].condition == ConditionState::Unknown {
            return false;
        }
        // most need the value only, and their conditions lie elsewhere
        !self.hot[i].needs_more() || self.has_what_it_needs(i)
    }

    /// What is held against the limit of a rate or a deviation, rule `i` of the book, while its point says `value`: units per minute, the
    /// difference. None of other rules, while samples carry no slope or the reference says nothing, and out of service, when no sample
    /// comes to the slope of before.
    #[must_use]
    pub fn judged(&self, i: usize, value: f64) -> Option<f64> {
        if self.alarms[i].hidden.service.is_some() {
            return None;
        }
        match self.condition_of(i) {
            Condition::Rising { window, .. } => self.slope(i, *window, 1.0),
            Condition::Falling { window, .. } => self.slope(i, *window, -1.0),
            Condition::Deviation { reference: Reference::Setpoint(setpoint), .. } => Some(value - setpoint),
            Condition::Deviation { .. } => self.reference_value(i).map(|reference| value - reference),
            _ => None,
        }
    }

    fn has_what_it_needs(&self, i: usize) -> bool {
        match self.condition_of(i) {
            Condition::Rising { window, .. } | Condition::Falling { window, .. } => self.has_slope(i, *window),
            Condition::Deviation { reference: Reference::Point(_), .. } => self.reference_value(i).is_some(),
            _ => true,
        }
    }

    /// The other sensor's value, while it has one.
    fn reference_value(&self, i: usize) -> Option<f64> {
        let p = self.book.index().reference_of_rule[i]?;
        self.readings[p.index()].0.value()
    }
}
