//! How long the bus can do without the living before one of their readings is older than it may be.
//!
//! ```text
//!   now ─ a wait for a unit that may say nothing ─► what the others owe, first what is stale first ─► all of it still fresh
//!         └──────────── [`spare`] ────────────┘
//! ```
//! Pure. Owns the time that can be spared. Leaves when a reading was taken to [`super::group`], and what the time is spent on to
//! [`super::probes`] and [`super::choice`]. A reading that is late whatever is done asks for nothing.

use super::unit::Unit;
use std::time::Duration;
use tokio::time::Instant;

/// A cycle of a living unit that replaces a fresh reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    /// It must be over by then.
    pub(super) until: Instant,
    /// What is left of it, and the whole of one.
    pub(super) left: Duration,
    pub(super) whole: Duration,
    pub(super) period: Duration,
    pub(super) max_age: Duration,
}

/// Kept back of a reading's time: the wire is no model of itself.
pub(super) fn reserve(max_age: Duration, period: Duration) -> Duration {
    (max_age / 16).min(max_age.saturating_sub(period) / 4)
}

/// Longest time without a request to any living unit but `but`; `None` where no reading can become stale.
pub(super) fn spare(units: &[Unit], but: Option<usize>, now: Instant) -> Option<Duration> {
    let others = units.iter().enumerate().filter(|(index, unit)| Some(*index) != but && unit.dead.is_none());
    let mut owed: Vec<Owed> = others.flat_map(|(_, unit)| unit.owed(now)).collect();
    owed.sort_unstable_by_key(|o| o.until);
    let mut again: Vec<Owed> = owed.clone();
    again.sort_unstable_by_key(|o| o.max_age);
    let (mut before, mut again, mut repeated) = (Duration::ZERO, again.into_iter().peekable(), Repeated::default());
    let left = owed.iter().map(|o| {
        before += o.left;
        let time = o.until.saturating_duration_since(now);
        while let Some(soon) = again.next_if(|a| a.max_age < time) {
            repeated.add(&soon);
        }
        time.saturating_sub(before + repeated.within(time))
    });
    left.min()
}

/// Cycles that come due once more before a reading that may become older.
#[derive(Default)]
struct Repeated {
    once_s: f64,
    per_s: f64,
    from_s: f64,
}

impl Repeated {
    fn add(&mut self, o: &Owed) {
        let rate = o.whole.as_secs_f64() / o.period.as_secs_f64();
        self.once_s += o.whole.as_secs_f64();
        self.per_s += rate;
        self.from_s += rate * o.max_age.as_secs_f64();
    }

    fn within(&self, time: Duration) -> Duration {
        Duration::from_secs_f64((self.once_s + self.per_s * time.as_secs_f64() - self.from_s).max(0.0))
    }
}

/// What can be spared at any moment while nobody of them is silent: of the least time between a period and `max_age`, what is left beside
/// one cycle of each.
pub(super) fn always_spare<'a>(living: impl Iterator<Item = &'a Unit>) -> Option<Duration> {
    let (mut margin, mut work) = (None, Duration::ZERO);
    for unit in living {
        work += unit.pace().work;
        margin = margin.into_iter().chain(unit.pace().margin).min();
    }
    margin.map(|margin: Duration| margin.saturating_sub(work))
}

/// The living one that is ready and whose reading is stale first. One that was not answered lately lets the others go first.
pub(super) fn most_endangered(units: &[Unit], now: Instant) -> Option<usize> {
    let living = units.iter().enumerate().filter(|(_, u)| u.dead.is_none() && !u.is_doubtful());
    let ready = living.filter(|(_, u)| u.wish(now).is_some_and(|wish| wish.from <= now));
    ready.filter_map(|(index, u)| Some((u.stale_first(now)?.0, index))).min().map(|(_, index)| index)
}
