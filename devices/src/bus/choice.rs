//! Who is asked next. Pure: the live bus and its forecast decide by the same rule.
//!
//! Units that are alive go first: the alarm-critical requests, then the earliest deadline. A dead unit is probed where that
//! disturbs nobody, and when that never comes, a little later all the same; for at most a twentieth of the time.

use super::unit::Unit;
use std::time::Duration;
use tokio::time::Instant;

/// A probe pays with this many times its length before the next one may run, while others live (5 % of the bus).
pub(super) const PROBE_REST: u32 = 19;

/// A probe for which there is no room waits so long and no longer: a unit is back within 65 s of its return, the longest pause and this.
pub(super) const ROOM_AFTER: Duration = Duration::from_secs(3);

/// What the bus does now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Ask(usize),
    Wait(Instant),
}

/// A unit to ask, or the time to wait for. No probe runs before `probes_from` while any unit lives.
pub(super) fn choose(units: &[Unit], now: Instant, probes_from: Instant) -> Turn {
    let (mut ready, mut next_live, mut all_live) = (None, None, true);
    for (index, unit) in units.iter().enumerate() {
        all_live &= unit.dead.is_none();
        let Some(wish) = unit.dead.is_none().then(|| unit.wish(now)).flatten() else { continue };
        if wish.from <= now && ready.is_none_or(|(urgency, _)| wish.urgency < urgency) {
            ready = Some((wish.urgency, index));
        }
        next_live = Some(next_live.map_or(wish.from, |next: Instant| next.min(wish.from)));
    }
    let wake = next_live.unwrap_or(now + Duration::from_secs(1));
    // A bus that is asked for more than it can do has never room: what is late has its twentieth all the same.
    // A gap may come soon: only when none came for a while does a probe go before work that is there.
    let gap = if ready.is_some() { ROOM_AFTER } else { Duration::ZERO };
    let probe = if all_live { Turn::Wait(wake) } else { probe(units, now, probes_from + gap, next_live, wake) };
    match (probe, ready) {
        (ask @ Turn::Ask(_), _) => ask,
        (Turn::Wait(_), Some((_, index))) => Turn::Ask(index),
        (Turn::Wait(wake), None) => Turn::Wait(wake.max(now + Duration::from_millis(1))),
    }
}

/// A dead unit to probe: the one that has waited longest, so that all have their turn where there is not time for all.
fn probe(units: &[Unit], now: Instant, probes_from: Instant, next_live: Option<Instant>, mut wake: Instant) -> Turn {
    let room = next_live.map(|t| t.saturating_duration_since(now));
    let mut longest: Option<(Instant, usize)> = None;
    for (index, unit) in units.iter().enumerate().filter(|(_, u)| u.is_askable()) {
        let Some(probe) = unit.dead else { continue };
        // A bus without room for a probe makes some once the probe is late.
        let has_room = room.is_none_or(|r| r >= unit.probe_time());
        let from = if has_room { probe.at } else { probe.at + probe.pause.min(ROOM_AFTER) };
        let from = if next_live.is_some() { from.max(probes_from) } else { from }.max(unit.not_before);
        if from <= now && longest.is_none_or(|(at, _)| probe.at < at) {
            longest = Some((probe.at, index));
        }
        wake = wake.min(from).min(unit.next_due().unwrap_or(wake));
    }
    longest.map_or(Turn::Wait(wake), |(_, index)| Turn::Ask(index))
}
