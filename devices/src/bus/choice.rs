//! Who is asked next. Pure: the live bus and its forecast decide by the same rule.
//!
//! Units that are alive go first: the alarm-critical requests, then the earliest deadline. Where they leave room, and a little when they
//! leave none, dead units have their turn by [`super::probes`]. No unit, dead or dying, is waited for so long that the reading of another
//! becomes stale; where that time is short, what is stale first goes first.

use super::freshness::{most_endangered, spare};
use super::probes::{Living, Probes, is_full};
use super::unit::Unit;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest wait there is.
const GRAIN: Duration = Duration::from_millis(20);

/// What the bus does now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A unit; the longest wait for its answer where it is dead or the readings of others are at stake.
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
        (Turn::Wait(wake), Some((_, index))) => ask(units, index, now, wake),
        (Turn::Wait(wake), None) => Turn::Wait(wake.max(now + Duration::from_millis(1))),
    }
}

/// Waits for a unit that lives, as far as is known: as long as its patience says, and as the readings of the others bear.
fn ask(units: &[Unit], index: usize, now: Instant, wake: Instant) -> Turn {
    let (wire, patience) = (units[index].longest_wire(), units[index].patience());
    let (mut margin, mut work, mut all_well) = (Duration::MAX, Duration::ZERO, true);
    for unit in units {
        let pace = unit.pace();
        (margin, work) = (margin.min(pace.margin.unwrap_or(Duration::MAX)), work + pace.work);
        all_well &= unit.dead.is_none() && !unit.is_doubtful();
    }
    let whole = wire + patience.limit();
    if all_well && margin.saturating_sub(work) >= whole {
        return Turn::Ask(index, None);
    }
    let Some(left) = spare(units, Some(index), now).filter(|left| *left < whole) else { return Turn::Ask(index, None) };
    let bears = left.saturating_sub(wire);
    if is_full(units) {
        return Turn::Ask(index, Some(bears.max(patience.least())));
    }
    if bears >= patience.keen() || (all_well && !patience.is_new()) {
        let least = if all_well { patience.least() / 2 } else { Duration::ZERO };
        return Turn::Ask(index, Some(bears.max(least)));
    }
    // Time is short: whoever is known to answer, and is stale first.
    if let Some(first) = most_endangered(units, now) {
        let left = spare(units, Some(first), now).unwrap_or(whole).saturating_sub(units[first].longest_wire());
        return Turn::Ask(first, Some(left.max(units[first].patience().keen())));
    }
    // What was not answered waits until the others are read once more, but not for ever.
    let others = units.iter().enumerate().filter(|(other, unit)| *other != index && unit.dead.is_none());
    let next = others.filter_map(|(_, unit)| Some(unit.wish(now)?.from)).filter(|from| *from > now).min();
    match next {
        // One that never answered has no reading to lose.
        Some(next) if !units[index].is_late(now) || (patience.is_new() && bears < GRAIN) => {
            Turn::Wait(next.min(wake.max(now + GRAIN)))
        }
        _ if patience.is_new() => Turn::Ask(index, Some(bears.max(GRAIN))),
        _ => Turn::Ask(index, Some(patience.keen())),
    }
}
