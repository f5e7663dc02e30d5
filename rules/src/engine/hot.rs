//! What the way of every sample needs, close together: the numbers of a rule and how its alarm stands, half a cache line each.
//!
//! Most readings change nothing: a normal alarm whose value is not at its limit, an active one whose value has not returned.
//! [`Hot::settles`] compares and says so; all others go to [`Engine::step`], which decides. The comparison is the same function in
//! both. What is copied here follows the alarm's state in one place, [`Engine::follow_state`].

use super::limit::{Verdict, above, below};
use super::{AlarmState, ConditionState, Engine};
use crate::book::{Condition, RuleBook, RuleId};
use crate::reading::Reading;
use crate::time::Mono;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Above,
    Below,
    /// Any value says that the sensor works.
    Fault,
    /// Needs more than the value: not decided here.
    Other,
}

/// How the alarm stands, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Normal.
    Calm,
    /// Active, by a value.
    Standing,
    /// Anything else: not decided here.
    Busy,
}

impl Phase {
    fn of(a: &AlarmState) -> Self {
        match a.condition {
            _ if a.hidden.service.is_some() => Self::Busy,
            ConditionState::Normal => Self::Calm,
            ConditionState::Active if !a.held => Self::Standing,
            _ => Self::Busy,
        }
    }
}

/// No judgement yet; 584 years after the boot.
const NEVER: Mono = Mono(u64::MAX);

/// One rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hot {
    limit: f64,
    deadband: f64,
    judged: Mono,
    test: Test,
    phase: Phase,
    /// At its limit when it could be judged last.
    pub(super) beyond: bool,
    /// Of a sensor fault: the device says it is inhibited.
    pub(super) inhibited: bool,
}

impl Hot {
    pub(super) fn of(condition: &Condition) -> Self {
        let mut hot = Self {
            limit: 0.0,
            deadband: 0.0,
            judged: NEVER,
            test: Test::Other,
            phase: Phase::Busy,
            beyond: false,
            inhibited: false,
        };
        hot.number(condition);
        hot
    }

    /// Takes up the numbers that hold now.
    fn number(&mut self, condition: &Condition) {
        (self.test, self.limit, self.deadband) = match condition {
            Condition::HighHigh { limit, deadband } | Condition::High { limit, deadband } => {
                (Test::Above, *limit, *deadband)
            }
            Condition::LowLow { limit, deadband } | Condition::Low { limit, deadband } => {
                (Test::Below, *limit, *deadband)
            }
            Condition::SensorFault => (Test::Fault, 0.0, 0.0),
            _ => (Test::Other, 0.0, 0.0),
        };
    }

    /// More than the value decides.
    pub(super) fn needs_more(&self) -> bool {
        self.test == Test::Other
    }

    /// When its condition could be judged last.
    pub(super) fn judged(&self) -> Option<Mono> {
        (self.judged != NEVER).then_some(self.judged)
    }
    pub(super) fn set_judged(&mut self, at: Option<Mono>) {
        self.judged = at.unwrap_or(NEVER);
    }

    /// True when this reading changes nothing but the time of the last judgement; then that is noted.
    #[inline]
    pub(super) fn settles(&mut self, reading: Reading, at: Mono) -> bool {
        let verdict = match (self.test, reading.value()) {
            (Test::Above, Some(v)) => above(v, self.limit, self.deadband),
            (Test::Below, Some(v)) => below(v, self.limit, self.deadband),
            (Test::Fault, Some(_)) => Verdict::Clear,
            // A normal alarm stays normal without a value.
            (Test::Above | Test::Below, None) => return self.phase == Phase::Calm,
            _ => return false,
        };
        let changes = match self.phase {
            Phase::Calm => verdict == Verdict::True,
            Phase::Standing => verdict == Verdict::Clear || verdict == Verdict::Between && !reading.proves_normal(),
            Phase::Busy => true,
        };
        if !changes {
            self.judged = at;
            self.beyond = verdict == Verdict::True;
        }
        !changes
    }
}

/// What a sample of one point touches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// Its rules stand together in the book.
    first: u32,
    end: u32,
    pub(super) fault: Option<RuleId>,
    /// Suppressions or units look at it.
    pub(super) groups: bool,
    /// An alarm of it suppresses others.
    pub(super) suppresses: bool,
    /// Deviations of other points refer to it.
    pub(super) referred: bool,
    /// A fault after a steep rise is taken for its limit.
    pub(super) rises: bool,
}

impl Way {
    pub(super) fn of(book: &RuleBook, p: usize) -> Self {
        let x = book.index();
        let rules = &x.rules_of_point[p];
        let at = |r: Option<&RuleId>| r.map_or(0, |r| r.index());
        let (first, end) = (at(rules.first()), rules.last().map_or(0, |r| r.index() + 1));
        debug_assert_eq!(end - first, rules.len(), "the book sorts rules by point");
        let number = |i: usize| u32::try_from(i).expect("rules are numbered with 32 bits");
        Self {
            first: number(first),
            end: number(end),
            fault: x.fault_of_point[p],
            groups: !x.groups.units_run_by_point[p].is_empty() || !x.groups.suppressions_of_point[p].is_empty(),
            suppresses: rules.iter().any(|r| !x.groups.suppressions_of_alarm[r.index()].is_empty()),
            referred: !x.referring_to_point[p].is_empty(),
            rises: super::rising::watches(book, x, p),
        }
    }
    pub(super) fn rules(self) -> std::ops::Range<usize> {
        self.first as usize..self.end as usize
    }
}

impl Engine {
    /// After any change of alarm `i`.
    pub(super) fn follow_state(&mut self, i: usize) {
        let Some(hot) = self.hot.get_mut(i) else { return };
        hot.phase = Phase::of(&self.alarms[i]);
        hot.inhibited = self.alarms[i].inhibit.is_some();
    }

    /// After a change of the numbers of rule `i`.
    pub(super) fn follow_numbers(&mut self, i: usize) {
        let mut hot = self.hot[i];
        hot.number(self.condition_of(i));
        self.hot[i] = hot;
    }

    /// What is copied is what stands.
    pub(super) fn is_followed(&self, i: usize) -> bool {
        let (hot, a) = (&self.hot[i], &self.alarms[i]);
        hot.phase == Phase::of(a) && hot.inhibited == a.inhibit.is_some()
    }
}
