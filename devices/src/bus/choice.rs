//! Who is asked next. Pure: the live bus and its forecast decide by the same rule.
//!
//! Units that are alive go first: the alarm-critical requests, then the earliest deadline. A dead unit is probed where that
//! disturbs nobody, and for at most a twentieth of the time.

use super::unit::Unit;
use std::time::Duration;
use tokio::time::Instant;

/// A probe pays with this many times its length before the next one may run, while others live (5 % of the bus).
pub(super) const PROBE_REST: u32 = 19;

/// A probe for which there is no room waits so long and no longer: a unit is back within 65 s of its return, the longest pause and this.
const ROOM_AFTER: Duration = Duration::from_secs(3);

/// What the bus does now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Ask(usize),
    Wait(Instant),
}

/// A unit to ask, or the time to wait for. No probe runs before `probes_from` while any unit lives.
pub(super) fn choose(units: &[Unit], now: Instant, probes_from: Instant) -> Turn {
    let live = || units.iter().enumerate().filter(|(_, u)| u.dead.is_none());
    let wishes = || live().filter_map(|(index, u)| Some((index, u.wish(now)?)));
    if let Some((index, _)) = wishes().filter(|(_, w)| w.from <= now).min_by_key(|(_, w)| w.urgency) {
        return Turn::Ask(index);
    }
    let next_live = wishes().map(|(_, w)| w.from).min();
    let room = next_live.map(|t| t.saturating_duration_since(now));
    let mut wake = next_live.unwrap_or(now + Duration::from_secs(1));
    for (index, unit) in units.iter().enumerate().filter(|(_, u)| u.is_askable()) {
        let Some(probe) = unit.dead else { continue };
        let from = if next_live.is_some() { probe.at.max(probes_from) } else { probe.at };
        // A bus without room for a probe makes some once the probe is late.
        let from = if room.is_none_or(|r| r >= unit.probe_time()) { from } else { from + probe.pause.min(ROOM_AFTER) };
        if from.max(unit.not_before) <= now {
            return Turn::Ask(index);
        }
        wake = wake.min(from.max(unit.not_before)).min(unit.next_due().unwrap_or(wake));
    }
    Turn::Wait(wake.max(now + Duration::from_millis(1)))
}
