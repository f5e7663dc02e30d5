//! When dead units are probed and how long each probe waits: what those that are silent cost those that live.
//!
//! ```text
//!   short  as long as the gap before the next work of the living allows, up to 300 ms; one that finds none waits 3 s and goes all the same
//!   long   the link's whole time-out, for a unit that became slower: where there is room for it, else once in 150 periods of the living
//!          where that is 300 ms or less there is one only after a short one that a gap cut
//! ```
//! A long one that finds no room is cut to what the readings of the living bear ([`super::freshness`]), and there is none where that is no
//! more than a short one; a short one is cut so too, but not below what the unit needed when it lived.
//! Pure. Owns the pace: short probes take 4 % of the bus, long ones what is left of 5. Leaves the state of each dead unit to [`super::unit`].

use super::choice::Turn;
use super::freshness::spare;
use super::unit::Unit;
use std::time::Duration;
use tokio::time::Instant;

/// All probes together have one part in so many of the bus …
pub(super) const SHARE: u32 = 20;
/// … and short ones alone one in so many, so that there is something left for long ones.
pub(super) const SHORT_SHARE: u32 = 25;

/// A probe for which there is no room waits so long and no longer: a unit is back within 65 s of its return, the longest pause and this.
pub(super) const ROOM_AFTER: Duration = Duration::from_secs(3);

/// The living wait for a long probe in one of so many of their periods: less than the hundredth interval.
const PERIODS_APART: u32 = 150;
/// A wait that is a smaller part of a period than that (15 %) is not felt.
const FELT_UP_TO: u32 = 7;

/// The pace of all probes of a bus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probes {
    from: Instant,
    /// No long one before: they have what is left of the share.
    long_from: Instant,
    /// No long one before that holds anybody up.
    holds_up_from: Instant,
}

/// What those that live want.
pub(super) struct Living {
    /// Of them wants to be asked now.
    pub(super) is_ready: bool,
    /// When the next one does; none when nobody lives.
    pub(super) next: Option<Instant>,
}

/// What the living leave.
#[derive(Clone, Copy)]
struct Room {
    /// Until one of them wants to be asked.
    gap: Duration,
    /// Their readings bear a wait of so long at any time.
    bears: Duration,
}

impl Probes {
    pub(super) fn new(now: Instant) -> Self {
        Self { from: now, long_from: now, holds_up_from: now }
    }

    /// When the share that probes have taken is paid for.
    pub(super) fn rest_until(&self) -> Instant {
        self.from.max(self.long_from)
    }

    /// A dead unit to probe: the one that has waited longest, so that all have their turn where there is not time for all.
    pub(super) fn turn(&self, units: &[Unit], now: Instant, living: &Living, mut wake: Instant) -> Turn {
        // A bus that is asked for more than it can do has never room: what is late has its share all the same.
        // A gap may come soon: only when none came for a while does a probe go before work that is there.
        let gap = if living.is_ready { ROOM_AFTER } else { Duration::ZERO };
        let next_long = next_long(units);
        let bears = spare(units.iter().filter(|u| u.dead.is_none())).unwrap_or(Duration::MAX);
        let mut longest: Option<(Instant, usize, Duration)> = None;
        for (index, unit) in units.iter().enumerate().filter(|(_, u)| u.is_askable()) {
            let Some(probe) = unit.dead else { continue };
            let paced = |at: Instant, gap| if living.next.is_some() { at.max(self.from + gap) } else { at };
            let from = paced(probe.at, Duration::ZERO).max(unit.not_before);
            let late = paced(probe.at + probe.pause.min(ROOM_AFTER), gap).max(unit.not_before);
            wake = wake.min(if from > now { from } else { late }).min(unit.next_due().unwrap_or(wake));
            if from > now || longest.is_some_and(|(at, ..)| at <= probe.at) {
                continue;
            }
            let room = living.next.map(|next| Room { gap: next.saturating_duration_since(now), bears });
            let wait = self.wait(unit, room, now, late <= now, next_long == Some(index));
            longest = wait.map(|wait| (probe.at, index, wait)).or(longest);
        }
        longest.map_or(Turn::Wait(wake), |(_, index, wait)| Turn::Ask(index, Some(wait)))
    }

    /// How long a probe that is due waits for its answer; `None` when it waits for room itself.
    fn wait(&self, unit: &Unit, room: Option<Room>, now: Instant, late: bool, has_turn: bool) -> Option<Duration> {
        let (waits, wire) = (unit.probe_waits(), unit.longest_wire());
        let Some(room) = room else {
            return Some(if unit.wants_long_probe() { waits.long } else { waits.short });
        };
        let (gap, bears) = (room.gap.saturating_sub(wire), room.bears.saturating_sub(wire));
        let long = if gap >= waits.long { waits.long } else { waits.long.min(bears) };
        let is_worth_it = long > waits.short || long == waits.long;
        if has_turn && is_worth_it && now >= self.long_from && (gap >= long || now >= self.holds_up_from) {
            return (gap >= long || late).then_some(long);
        }
        if gap >= waits.least {
            Some(gap.min(waits.short))
        } else {
            late.then_some(waits.short.min(bears.max(waits.least)))
        }
    }

    /// A probe of `unit` is over, answered or not.
    pub(super) fn over(&mut self, units: &[Unit], index: usize, took: Duration, now: Instant) {
        let unit = &units[index];
        // Where nobody lives nobody is kept waiting: nothing is owed when the first one is back.
        let owed_from =
            if units.iter().any(|u| u.dead.is_none()) { self.long_from.max(now - took) } else { now - took };
        self.long_from = owed_from + took * SHARE;
        if !unit.dead.is_some_and(|probe| probe.is_long) {
            self.from = now + took * (SHORT_SHARE - 1);
            return;
        }
        // The others' short ones do not wait for it.
        self.from = now + took.min(unit.probe_waits().short) * (SHORT_SHARE - 1);
        let living = || units.iter().filter(|u| u.dead.is_none());
        if living().any(|u| u.wish(now).is_some_and(|wish| wish.from < now)) {
            self.holds_up_from = now + apart(living(), took);
        }
    }
}

/// Whose turn the next long probe is: the one whose last, or whose death where it had none yet, is longest ago. One that dies again and
/// again takes no turn from the others.
fn next_long(units: &[Unit]) -> Option<usize> {
    let wanting = units.iter().enumerate().filter(|(_, u)| u.is_askable() && u.wants_long_probe());
    wanting.min_by_key(|(_, u)| u.dead.map(|probe| probe.long_at)).map(|(index, _)| index)
}

/// From one long probe that holds others up to the next: of the living whose intervals it makes longer than promised, the slowest counts.
pub(super) fn apart<'a>(living: impl Iterator<Item = &'a Unit>, took: Duration) -> Duration {
    let periods = living.flat_map(Unit::periods).filter(|period| *period < took * FELT_UP_TO);
    periods.max().unwrap_or_default() * PERIODS_APART
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tests::{ONE, spec, tcp};
    use rules::{Fault, Mono, Now, Wall};

    #[test]
    fn a_unit_that_dies_again_and_again_has_its_long_probe_after_one_that_waited_for_hours() {
        let begun = Instant::now();
        let bus = spec(tcp(), &[1, 2], ONE);
        let unit = |d: &crate::DeviceSpec| Unit::new(d.clone(), &bus.transport, bus.timeout, begun);
        let mut units: Vec<Unit> = bus.devices.iter().map(unit).collect();
        let at = |s: u64| begun + Duration::from_secs(s);
        let ask = |unit: &mut Unit, s: u64, ms: u64| {
            let label = Now { mono: Mono(0), wall: Wall::default() };
            unit.request(at(s), label, Some(Duration::from_millis(ms))).unwrap();
        };
        units[0].stays_dead(Fault::Timeout, at(0));
        [(2, 300), (6, 400), (14, 300)].into_iter().for_each(|(s, ms)| ask(&mut units[0], s, ms));
        units[1].stays_dead(Fault::Timeout, at(7_200));
        ask(&mut units[1], 7_202, 300);
        assert!(units.iter().all(Unit::wants_long_probe));
        assert_eq!(next_long(&units), Some(0));
    }

    #[test]
    fn an_outage_of_all_leaves_no_debt_that_keeps_those_away_that_answer_slowly() {
        let begun = Instant::now();
        let bus = spec(tcp(), &[1, 2], ONE);
        let unit = |d: &crate::DeviceSpec| Unit::new(d.clone(), &bus.transport, bus.timeout, begun);
        let mut units: Vec<Unit> = bus.devices.iter().map(unit).collect();
        let (mut probes, took) = (Probes::new(begun), Duration::from_secs(3));
        units.iter_mut().for_each(|unit| unit.stays_dead(Fault::Timeout, begun));
        let ten_hours = (1..1200).map(|n| begun + Duration::from_secs(30) * n);
        let last = ten_hours.inspect(|at| probes.over(&units, 0, took, *at)).last().unwrap();
        assert_eq!(
            probes.rest_until(),
            last + took * (SHARE - 1),
            "what the last one took, and nothing of those before"
        );
        units[1] = unit(&bus.devices[1]);
        probes.over(&units, 0, took, last + took);
        assert_eq!(probes.rest_until(), last + took * (2 * SHARE - 1), "while one lives each probe is paid for");
    }
}
