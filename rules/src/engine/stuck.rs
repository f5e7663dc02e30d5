//! Values that do not move: a frozen heartbeat, a stuck sensor.
//!
//! One anchor per rule: the extremes since the value last moved by more than allowed, and when that was. A stuck value is
//! pending from half its window on, so that a restart finds how long it has been so; the rest is its on-delay. What a restart loses of
//! the first half comes back from the history ([`super::stillness`]).
//!
//! Time that nobody looked counts as still where the value is the same on both sides of it ([`is_blind`] says how long that may be): what
//! comes back from an outage as it went is no stuck sensor. It clears nothing either: what is pending or active goes on.

use super::limit::Verdict;
use super::rate::Samples;
use super::{ConditionState, Engine};
use crate::book::Condition;
use crate::reading::Reading;
use crate::time::{Mono, Now};
use std::time::Duration;

/// What a condition over time remembers.
#[derive(Clone, Debug, Default)]
pub(super) enum Memory {
    #[default]
    Nothing,
    Unchanged(Box<Anchor>),
    Rate(Box<Samples>),
}

/// Extremes since the last move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) since: Mono,
    /// How long before the boot already.
    pub(super) before: Duration,
    /// The newest sample in it, or the start that found it.
    pub(super) newest: Mono,
    /// How old the newest sample was at that start.
    pub(super) down: Duration,
    /// A start found it so: unmoved for long enough, however short the machine has been up.
    pub(super) proved: bool,
}

impl Anchor {
    fn begun(value: f64, at: Mono) -> Self {
        let (before, down) = (Duration::ZERO, Duration::ZERO);
        Self { low: value, high: value, since: at, before, newest: at, down, proved: false }
    }

    /// Unmoved since before this start.
    fn proved(value: f64) -> Self {
        Self { proved: true, ..Self::begun(value, Mono(0)) }
    }

    pub(super) fn age(self, at: Mono) -> Duration {
        at.since(self.since) + self.before
    }

    pub(super) fn gap(self, at: Mono) -> Duration {
        at.since(self.newest) + self.down
    }

    fn widened(self, value: f64, at: Mono) -> Self {
        let (low, high) = (self.low.min(value), self.high.max(value));
        Self { low, high, newest: at, down: Duration::ZERO, ..self }
    }
}

/// Nobody looked for more than half of the window, and a reading stands for as long as it counts as `fresh`: too long to say what the
/// value did meanwhile.
pub(super) fn is_blind(gap: Duration, window: Duration, fresh: Duration) -> bool {
    gap.saturating_sub(fresh) > window / 2
}

/// A heartbeat that missed this many periods is frozen.
const FROZEN_PERIODS: u32 = 5;

impl Engine {
    /// Smallest move that counts, the whole window, and how long without a move is suspicious.
    fn stillness_of(&self, i: usize) -> (f64, Duration, Duration) {
        match self.condition_of(i) {
            Condition::Stuck { epsilon, window } => (*epsilon, *window, *window / 2),
            Condition::Frozen { period } => (0.0, *period * FROZEN_PERIODS, *period * FROZEN_PERIODS),
            _ => (0.0, Duration::MAX, Duration::MAX),
        }
    }

    /// What the anchor says was still is not: nobody looked for too long. Against an alarm that is none yet only.
    fn is_lost(&self, i: usize, anchor: &Anchor, window: Duration, at: Mono) -> bool {
        let calm = matches!(self.alarms[i].condition, ConditionState::Unknown | ConditionState::Normal);
        let point = self.book.index().point_of_rule[i].index();
        calm && is_blind(anchor.gap(at), window, self.book.points()[point].max_age)
    }

    pub(super) fn unchanged_verdict(&mut self, i: usize, value: Option<f64>, at: Now) -> Verdict {
        let Some(v) = value else { return Verdict::NotEvaluable };
        let (epsilon, window, suspicious) = self.stillness_of(i);
        let old = match &self.memory[i] {
            Memory::Unchanged(anchor) => Some(**anchor),
            _ => self.remembered_anchor(i, v),
        };
        let known = old.filter(|a| !self.is_lost(i, a, window, at.mono));
        let anchor = match known.map(|a| a.widened(v, at.mono)) {
            Some(a) if a.high - a.low <= epsilon => a,
            _ => Anchor::begun(v, at.mono),
        };
        match &mut self.memory[i] {
            Memory::Unchanged(kept) => **kept = anchor,
            other => *other = Memory::Unchanged(Box::new(anchor)),
        }
        let still = anchor.proved || anchor.age(at.mono) >= suspicious;
        Verdict::of(still, !still)
    }

    /// What is left of the window when a stuck value becomes pending: half of it, less what a start has found beyond that. While it is
    /// pending, another configuration may ask for another window.
    pub(super) fn rest_of_window(&self, i: usize, window: Duration) -> Duration {
        let half = window - window / 2;
        let (a, stood) = (&self.alarms[i], self.stood(i));
        match a.condition {
            // a row of an earlier version does not say how long it had stood
            ConditionState::PendingOn(_) if stood.is_zero() => {
                let told = a.fact.as_ref().map(|f| Duration::from_millis(f.on_delay_ms));
                told.map_or(half, |told| told.min(half))
            }
            ConditionState::PendingOn(_) => window.saturating_sub(stood),
            ConditionState::Unknown | ConditionState::Normal => half.min(window.saturating_sub(stood)),
            ConditionState::Active | ConditionState::PendingOff(_) => half,
        }
    }

    /// How long the value of a stuck rule had stood still at its newest sample; of what is pending, when it became so.
    pub(super) fn stood(&self, i: usize) -> Duration {
        let Some(memory) = self.memory.get(i) else { return Duration::ZERO };
        if !matches!(self.condition_of(i), Condition::Stuck { .. }) {
            return Duration::ZERO;
        }
        let a = &self.alarms[i];
        match (a.condition, memory) {
            (ConditionState::PendingOn(_), _) => a.fact.as_ref().map_or(Duration::ZERO, |f| f.stood()),
            (_, Memory::Unchanged(anchor)) if !anchor.proved => anchor.age(anchor.newest).saturating_sub(anchor.down),
            _ => Duration::ZERO,
        }
    }

    /// At a start: the value with which it became pending or active. What the start says of it before its first sample has none, and what
    /// proves nothing is not what it stood at.
    pub(super) fn restore_anchor(&mut self, i: usize) {
        let a = &self.alarms[i];
        let told = a.fact.as_ref().and_then(|f| f.reading).filter(|r| r.proves_normal());
        let value = told.and_then(Reading::value);
        let unmoved = matches!(self.condition_of(i), Condition::Stuck { .. } | Condition::Frozen { .. });
        let stands = a.pending_since().is_some() || a.is_active();
        if let Some(v) = value.filter(|_| unmoved && stands) {
            self.memory[i] = Memory::Unchanged(Box::new(Anchor::proved(v)));
        }
    }

    /// One that was held at the start has no value, and is taken as it is found: what nobody saw moving clears nothing.
    fn remembered_anchor(&self, i: usize, found: f64) -> Option<Anchor> {
        let calm = matches!(self.alarms[i].condition, ConditionState::Unknown | ConditionState::Normal);
        (!calm).then(|| Anchor::proved(found))
    }
}
