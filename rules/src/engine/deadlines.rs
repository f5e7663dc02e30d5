//! When something is due. One slot per timer, ordered by time; arming, disarming and asking for the next are O(log n).
//!
//! Whatever ends a hiding has a second slot on the wall clock: the first clock to reach it counts.

use crate::hide::Expiry;
use crate::time::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes due. Equal times fire in this order: silence of a device first, because it suppresses sensor faults; then
/// suppressions, then alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A device has been silent for its time-out.
    Comms(usize),
    /// A suppression has been released long enough.
    Release(usize),
    /// A suppression has hidden long enough.
    SuppressionMax(usize),
    /// An on-delay or off-delay is over.
    Delay(usize),
    /// A point's reading is too old.
    Stale(usize),
    /// A device has called itself inhibited for too long: by point.
    Inhibit(usize),
    /// A shelf ends.
    Shelf(usize),
    /// A bypass is about to end: by point.
    BypassWarning(usize),
    /// A bypass ends: by point.
    Bypass(usize),
    /// Something is still out of service: by point.
    Review(usize),
    /// A high or low alarm has stood so long that its measure failed.
    Standing(usize),
    /// An alarm was not acknowledged in time.
    Escalation(usize),
    /// An acknowledged alarm is still active.
    Realarm(usize),
    /// The flood may be over.
    Flood,
}

impl Timer {
    /// Why, for the log.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Comms(_) => "a device is silent",
            Self::Release(_) | Self::SuppressionMax(_) => "a suppression ends",
            Self::Delay(_) => "an alarm delay is over",
            Self::Stale(_) => "a reading becomes stale",
            Self::Inhibit(_) => "a device is inhibited for too long",
            Self::Shelf(_) => "a shelf ends",
            Self::BypassWarning(_) => "a bypass is about to end",
            Self::Bypass(_) => "a bypass ends",
            Self::Review(_) => "a point is still out of service",
            Self::Standing(_) => "an alarm stands",
            Self::Escalation(_) => "an alarm is not acknowledged",
            Self::Realarm(_) => "an acknowledged alarm is still active",
            Self::Flood => "a flood may be over",
        }
    }
}

/// All timers.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    order: BTreeSet<(Mono, Timer)>,
    armed: BTreeMap<Timer, Mono>,
    walls: BTreeSet<(i64, Timer)>,
    wall_armed: BTreeMap<Timer, i64>,
}

impl Deadlines {
    /// Arms the timer for `due`, or disarms it.
    pub(super) fn set(&mut self, timer: Timer, due: Option<Mono>) {
        let old = match due {
            Some(new) => self.armed.insert(timer, new),
            None => self.armed.remove(&timer),
        };
        if old == due {
            return;
        }
        if let Some(old) = old {
            self.order.remove(&(old, timer));
        }
        if let Some(new) = due {
            self.order.insert((new, timer));
        }
    }

    /// Arms it unless it is armed for an earlier time; whoever is woken early looks again. Cheap on the way of every sample.
    pub(super) fn set_lazily(&mut self, timer: Timer, due: Mono) {
        if self.armed.get(&timer).is_none_or(|old| *old > due) {
            self.set(timer, Some(due));
        }
    }

    /// Arms or disarms an end on both clocks.
    pub(super) fn set_expiry(&mut self, timer: Timer, end: Option<Expiry>) {
        self.set(timer, end.map(|e| e.mono));
        if let Some(old) = self.wall_armed.remove(&timer) {
            self.walls.remove(&(old, timer));
        }
        if let Some(end) = end {
            self.walls.insert((end.wall_utc_ms, timer));
            self.wall_armed.insert(timer, end.wall_utc_ms);
        }
    }

    /// The earliest.
    pub(super) fn next(&self) -> Option<(Mono, Timer)> {
        self.order.first().copied()
    }

    /// Takes the earliest timer due at or before `until`, or whose end the wall clock has reached.
    pub(super) fn take(&mut self, until: Mono, now: Now) -> Option<(Mono, Timer)> {
        if let Some((due, timer)) = self.next().filter(|(due, _)| *due <= until) {
            self.set_expiry(timer, None);
            return Some((due, timer));
        }
        let (_, timer) = self.walls.first().copied().filter(|(wall, _)| *wall <= now.wall.utc_ms)?;
        self.set_expiry(timer, None);
        Some((until, timer))
    }
}
