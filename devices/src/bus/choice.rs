//! Who is asked next. Pure: the live bus and its forecast decide by the same rule.
//!
//! Units that are alive go first: the alarm-critical requests, then the earliest deadline. Where they leave room, and a little when they
//! leave none, dead units have their turn by [`super::probes`]. A unit that did not answer is waited for no longer than the readings of the
//! others bear.

use super::freshness::spare;
use super::probes::{Living, Probes};
use super::unit::Unit;
use std::time::Duration;
use tokio::time::Instant;

/// What the bus does now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A unit; the longest wait for its answer where it is dead, or did not answer before.
    Ask(usize, Option<Duration>),
    Wait(Instant),
}

/// A unit to ask, or the time to wait for.
pub(super) fn choose(units: &[Unit], now: Instant, probes: &Probes) -> Turn {
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
    let living = Living { is_ready: ready.is_some(), next: next_live };
    let probe = if all_live { Turn::Wait(wake) } else { probes.turn(units, now, &living, wake) };
    match (probe, ready) {
        (ask @ Turn::Ask(..), _) => ask,
        (Turn::Wait(_), Some((_, index))) => Turn::Ask(index, longest(units, index)),
        (Turn::Wait(wake), None) => Turn::Wait(wake.max(now + Duration::from_millis(1))),
    }
}

/// Of a unit that may be as silent as a dead one; always as long as it usually takes.
fn longest(units: &[Unit], index: usize) -> Option<Duration> {
    let unit = &units[index];
    if !unit.may_be_silent() {
        return None;
    }
    let others = units.iter().enumerate().filter(|(other, unit)| *other != index && unit.dead.is_none());
    let bears = spare(others.map(|(_, unit)| unit))?.saturating_sub(unit.longest_wire());
    Some(bears.max(unit.usual_wait()))
}
