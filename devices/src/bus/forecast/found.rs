//! How long a dead unit waits after its return until it is asked: reckoned from what the probes of all may take.

use super::load;
use crate::bus::freshness::spare;
use crate::bus::probes::{ROOM_AFTER, SHARE, SHORT_SHARE, apart};
use crate::bus::unit::{LAST_PROBE, Unit};
use std::time::Duration;

/// The dead of a bus, and those that live.
pub(super) struct Parted<'a> {
    pub(super) dead: Vec<&'a Unit>,
    pub(super) living: Vec<&'a Unit>,
}

impl Parted<'_> {
    /// The longest pause, or a turn of each where that is longer; and what came just before: another one's turn and a long probe. On a full
    /// bus each waits for its turn as well as for room.
    pub(super) fn back(&self) -> Duration {
        let Self { dead, living } = self;
        if living.is_empty() {
            return alone(dead);
        }
        let full = living.iter().map(|u| load(u)).sum::<f64>() > 1.0;
        let wait = if full { ROOM_AFTER } else { Duration::ZERO };
        let turns = dead.iter().map(|u| (u.longest_wire() + u.probe_waits().short) * SHORT_SHARE + wait);
        let Some(another) = turns.clone().max() else { return Duration::ZERO };
        let before = if dead.len() > 1 { another + longest_probe(dead) } else { Duration::ZERO };
        turns.sum::<Duration>().max(LAST_PROBE) + ROOM_AFTER + before
    }

    /// A long probe of each, and from one to the next what its share of the bus and the intervals of the living ask for. Nothing where the
    /// short ones wait as long.
    pub(super) fn back_slower(&self) -> Duration {
        let Self { dead, living } = self;
        let waits_longer = dead.iter().map(|u| u.probe_waits()).any(|waits| waits.long > waits.short);
        if !waits_longer && !cuts(dead, living) {
            return Duration::ZERO;
        }
        if living.is_empty() {
            return alone(dead) * 2;
        }
        let long = longest_probe(dead).min(spare(living.iter().copied()).unwrap_or(Duration::MAX));
        let short: Duration = dead.iter().map(|u| u.longest_wire() + u.probe_waits().short).sum();
        let short = (short.as_secs_f64() / LAST_PROBE.as_secs_f64()).min(1.0 / f64::from(SHORT_SHARE));
        let share = long.div_f64(1.0 / f64::from(SHARE) - short);
        let apart = if fits(living, long) { Duration::ZERO } else { apart(living.iter().copied(), long) };
        let every = share.max(apart).max(LAST_PROBE + ROOM_AFTER);
        (every + LAST_PROBE + ROOM_AFTER) * u32::try_from(dead.len()).unwrap_or(u32::MAX)
    }

    /// What the readings of the living bear at any time, where that is less than the whole time-out of a dead one.
    pub(super) fn waits_at_most(&self) -> Option<Duration> {
        let bears = spare(self.living.iter().copied())?;
        let shorter = |u: &&Unit| bears.saturating_sub(u.longest_wire());
        self.dead.iter().filter(|u| shorter(u) < u.probe_waits().long).map(shorter).min()
    }
}

/// Longest time between two probes of a unit where nobody is kept waiting: the longest pause, and all the others before it.
fn alone(dead: &[&Unit]) -> Duration {
    let probes: Duration = dead.iter().map(|u| u.longest_wire() + u.probe_waits().long).sum();
    if dead.is_empty() { Duration::ZERO } else { LAST_PROBE + probes }
}

/// The living leave gaps in which a short probe is cut. One that is asked for more than it can do has none at all.
fn cuts(dead: &[&Unit], living: &[&Unit]) -> bool {
    let short = dead.iter().filter(|u| u.probe_waits().least < u.probe_waits().short);
    let short = short.map(|u| u.longest_wire() + u.probe_waits().short).max();
    short.is_some_and(|short| !fits(living, short)) && living.iter().map(|u| load(u)).sum::<f64>() < 1.0
}

/// Even where the due times of the living, which nobody can foresee, lie as far from each other as they can: what they leave between two
/// cycles on the average, and so once in a while whatever they are.
fn fits(living: &[&Unit], wait: Duration) -> bool {
    let cycles_per_second: f64 = living.iter().flat_map(|u| u.periods()).map(|period| 1.0 / period.as_secs_f64()).sum();
    let idle = 1.0 - living.iter().map(|u| load(u)).sum::<f64>();
    idle >= wait.as_secs_f64() * cycles_per_second
}

/// With its request.
fn longest_probe(dead: &[&Unit]) -> Duration {
    dead.iter().map(|u| u.longest_wire() + u.probe_waits().long).max().unwrap_or_default()
}
