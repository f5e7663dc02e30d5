//! Values that do not move: a frozen heartbeat, a stuck sensor.
//!
//! One anchor per rule: the extremes since the value last moved by more than allowed, and when that was. A stuck value is
//! pending from half its window on, so that a restart finds how long it has been so; the rest is its on-delay. What a restart loses of
//! the first half comes back from the history ([`super::stillness`]).

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
    /// A start found it so: unmoved for long enough, however short the machine has been up.
    pub(super) proved: bool,
}

impl Anchor {
    fn age(self, at: Mono) -> Duration {
        at.since(self.since) + self.before
    }
}

/// A heartbeat that missed this many periods is frozen.
const FROZEN_PERIODS: u32 = 5;

impl Engine {
    /// Smallest move that counts, and how long without one is suspicious.
    fn stillness_of(&self, i: usize) -> (f64, Duration) {
        match self.condition_of(i) {
            Condition::Stuck { epsilon, window } => (*epsilon, *window / 2),
            Condition::Frozen { period } => (0.0, *period * FROZEN_PERIODS),
            _ => (0.0, Duration::MAX),
        }
    }

    pub(super) fn unchanged_verdict(&mut self, i: usize, value: Option<f64>, at: Now) -> Verdict {
        let Some(v) = value else { return Verdict::NotEvaluable };
        let (epsilon, window) = self.stillness_of(i);
        let old = match &self.memory[i] {
            Memory::Unchanged(anchor) => Some(**anchor),
            _ => self.remembered_anchor(i, v),
        };
        let widened = old.map(|a| Anchor { low: a.low.min(v), high: a.high.max(v), ..a });
        let anchor = match widened {
            Some(a) if a.high - a.low <= epsilon => a,
            _ => Anchor { low: v, high: v, since: at.mono, before: Duration::ZERO, proved: false },
        };
        match &mut self.memory[i] {
            Memory::Unchanged(kept) => **kept = anchor,
            other => *other = Memory::Unchanged(Box::new(anchor)),
        }
        let still = anchor.proved || anchor.age(at.mono) >= window;
        Verdict::of(still, !still)
    }

    /// What is left of the window when a stuck value becomes pending: half of it, less what a start has found beyond that.
    pub(super) fn rest_of_window(&self, i: usize, window: Duration) -> Duration {
        let half = window - window / 2;
        let a = &self.alarms[i];
        match (a.condition, &self.memory[i]) {
            (ConditionState::PendingOn(_), _) => {
                let told = a.fact.as_ref().map(|f| Duration::from_millis(f.on_delay_ms));
                told.map_or(half, |told| told.min(half))
            }
            (ConditionState::Unknown | ConditionState::Normal, Memory::Unchanged(anchor)) if !anchor.proved => {
                let newest = self.newest[self.book.index().point_of_rule[i].index()].unwrap_or_default();
                half.saturating_sub(anchor.age(newest).saturating_sub(window / 2))
            }
            _ => half,
        }
    }

    /// After a start: the value with which it became pending or active. One that was held then has none, and is taken as it is found:
    /// what nobody saw moving clears nothing.
    fn remembered_anchor(&self, i: usize, found: f64) -> Option<Anchor> {
        let a = &self.alarms[i];
        if matches!(a.condition, ConditionState::Unknown | ConditionState::Normal) {
            return None;
        }
        let v = a.fact.as_ref().and_then(|f| f.reading).and_then(Reading::value).unwrap_or(found);
        Some(Anchor { low: v, high: v, since: Mono(0), before: Duration::ZERO, proved: true })
    }
}
