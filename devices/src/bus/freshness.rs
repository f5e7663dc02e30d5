//! How long the bus can do without the living before one of their readings is older than it may be.
//!
//! ```text
//!   a reading ─ its period ─ a wait for a unit that says nothing ─ one cycle of every other ─► the next reading, in time
//!                            └────────── [`spare`] ───────────┘
//! ```
//! Pure, and known before anything goes live: it asks for nothing of the moment. Leaves what the time is spent on to [`super::probes`] and
//! [`super::choice`].

use super::unit::Unit;
use std::time::Duration;

/// What its readings ask of the bus, of the requests as they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// One cycle of each group.
    pub(super) work: Duration,
    /// Least time between a period and the time for which its readings are fresh; none when nothing is asked.
    pub(super) margin: Option<Duration>,
}

/// What is left of the time for which a reading counts as fresh beside its period. A sixteenth is kept back: the wire is no model of itself.
pub(super) fn margin(max_age: Duration, period: Duration) -> Duration {
    let left = max_age.saturating_sub(period);
    left - (max_age / 16).min(left / 4)
}

/// Longest time in which none of these units is asked and nobody's reading becomes stale; `None` where none of them has any.
pub(super) fn spare<'a>(living: impl Iterator<Item = &'a Unit>) -> Option<Duration> {
    let (mut least, mut work) = (None, Duration::ZERO);
    for pace in living.map(Unit::pace) {
        work += pace.work;
        least = least.into_iter().chain(pace.margin).min();
    }
    least.map(|least: Duration| least.saturating_sub(work))
}
