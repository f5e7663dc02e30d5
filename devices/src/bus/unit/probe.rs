//! A unit that is dead: its probes, how long they wait, and what ends it without an answer.

use super::{Group, MISSES_TO_DIE, Unit};
use crate::bus::patience::SHORT_WAIT;
use crate::plan::Span;
use rules::Fault;
use std::time::Duration;
use tokio::time::Instant;

pub(super) const FIRST_PROBE: Duration = Duration::from_secs(2);
pub(in crate::bus) const LAST_PROBE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
pub(in crate::bus) struct Probe {
    pub(in crate::bus) at: Instant,
    pub(in crate::bus) pause: Duration,
    /// As long as the unit was waited for when it lived; a wait that is shorter would not find it.
    least: Duration,
    /// The last one waited for less than a short one may, as the living left no more: had the unit become slower it would not have been found.
    is_cut: bool,
    /// The last one waited for the whole time-out.
    pub(in crate::bus) is_long: bool,
    /// When one did last; until then, when the unit died.
    pub(in crate::bus) long_at: Instant,
    /// Where among the requests of the unit the probes begin.
    turn: usize,
    /// How many there were.
    shorts: usize,
    longs: usize,
}

impl Probe {
    /// Of a unit that died now. A short one comes first.
    pub(super) fn first(at: Instant, least: Duration, now: Instant) -> Self {
        Self { at, pause: FIRST_PROBE, least, is_cut: false, is_long: true, long_at: now, turn: 0, shorts: 0, longs: 0 }
    }

    pub(super) fn beginning_with(self, turn: usize) -> Self {
        Self { turn, ..self }
    }
}

/// How long probes of a unit wait for an answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::bus) struct ProbeWaits {
    /// Shorter is of no use.
    pub(in crate::bus) least: Duration,
    pub(in crate::bus) short: Duration,
    /// The whole time-out: it may have become slower.
    pub(in crate::bus) long: Duration,
}

impl Unit {
    pub(super) fn note_probe(&mut self, wait: Duration, now: Instant) {
        let (wants_long, waits) = (self.wants_long_probe(), self.probe_waits());
        if let Some(probe) = &mut self.dead {
            // A long one may be cut to what the readings of the living bear.
            probe.is_long =
                if waits.long > waits.short { wait > waits.short } else { wants_long && wait >= waits.long };
            probe.is_cut = wait < waits.short;
            probe.long_at = if probe.is_long { now } else { probe.long_at };
        }
    }

    /// A short probe and a long one by turns, as far as the bus has time for long ones; where a short one waits as long, after one that was
    /// cut alone.
    pub(in crate::bus) fn wants_long_probe(&self) -> bool {
        let waits = self.probe_waits();
        self.dead.is_some_and(|probe| probe.is_cut || (waits.long > waits.short && !probe.is_long))
    }

    pub(in crate::bus) fn probe_waits(&self) -> ProbeWaits {
        let long = self.patience.limit();
        let short = long.min(SHORT_WAIT);
        ProbeWaits { least: self.dead.map_or(short, |probe| probe.least.min(short)), short, long }
    }

    /// What the probe that was noted asks: a device that never answers one request may answer another. Short and long ones go through all
    /// requests each by a count of its own, so that each is asked with either wait; the long ones one ahead.
    pub(super) fn probe_request(&mut self, now: Instant) -> Option<Span> {
        let requests = self.probed();
        let probe = self.dead.as_mut().filter(|_| !requests.is_empty())?;
        let (count, ahead) = if probe.is_long { (&mut probe.longs, 1) } else { (&mut probe.shorts, 0) };
        let nth = std::mem::replace(count, count.wrapping_add(1));
        let (group, span) = requests[(probe.turn + ahead + nth) % requests.len()];
        // A request that was never answered may hold a register that the device says nothing about: each is asked whole and in part by turns.
        let in_part = (nth / requests.len() + ahead) % 2 == 1;
        self.asked = group;
        let whole = self.groups[group].probe_with(span, now)?;
        let part = self.groups[group].part_of_unproven().filter(|_| in_part);
        self.asks_part = part.is_some();
        Some(part.unwrap_or(whole))
    }

    /// All requests, by group, in an order that asking does not change.
    fn probed(&self) -> Vec<(usize, Span)> {
        let of = |(index, group): (usize, &Group)| group.blocks().map(|(span, _)| (index, span)).collect::<Vec<_>>();
        let mut all: Vec<_> = self.groups.iter().enumerate().flat_map(of).collect();
        all.sort_unstable();
        all
    }

    /// The probes of a unit that dies begin with what it did not answer, which is the first of its group now.
    pub(super) fn missed_turn(&self) -> usize {
        let missed = self.groups[self.asked].blocks().next().map(|(span, _)| (self.asked, span));
        self.probed().iter().position(|request| Some(*request) == missed).unwrap_or(0)
    }

    /// A run of the bus before this one has told that it is dead: so it is, until it answers.
    pub(in crate::bus) fn stays_dead(&mut self, why: Fault, now: Instant) {
        self.dead = Some(Probe::first(now, self.patience.least(), now));
        (self.fault, self.misses) = (why, MISSES_TO_DIE);
    }

    /// Why it is dead.
    pub(in crate::bus) fn why_dead(&self) -> Option<Fault> {
        self.dead.map(|_| self.fault)
    }

    /// The link was lost: what was asked is void. A dead unit is probed as soon as the link is back. A cycle under way is closed by
    /// [`Self::unasked`]: what it told stays told.
    pub(in crate::bus) fn link_lost(&mut self, now: Instant) {
        self.dead = self.dead.map(|probe| Probe { at: now, pause: FIRST_PROBE, ..probe });
        self.repeat = None;
        self.shapes.forget_first();
    }
}
