//! What units said last that are asked too seldom for the ring: a tank asked once a minute beside detectors that are asked every second.
//! An alarm may be judged from both. Owns how much of them is kept.

use super::Concerns;
use super::frames::{Exchange, Frames, Kept};

/// Exchanges of one unit: one of several requests.
const OF_UNIT: usize = 4;
const SELDOM_MAX: usize = 16;
const SELDOM_BYTES: usize = 4 << 10;

#[derive(Debug)]
pub(super) struct Seldom {
    frames: Frames,
    /// Exchanges of each unit that the ring has: counted, because one goes with every request of a busy link.
    in_ring: [u16; 256],
}

impl Default for Seldom {
    fn default() -> Self {
        Self { frames: Frames::default(), in_ring: [0; 256] }
    }
}

impl Seldom {
    /// An exchange of the unit is in the ring from now on.
    pub(super) fn came(&mut self, unit: Option<u8>) {
        if let Some(unit) = unit {
            self.in_ring[usize::from(unit)] += 1;
        }
    }

    /// The oldest of the ring is about to go.
    pub(super) fn follow(&mut self, ring: &Frames) {
        let Some(unit) = ring.first().and_then(|going| going.unit) else { return };
        let stay = &mut self.in_ring[usize::from(unit)];
        *stay -= 1;
        if usize::from(*stay) < OF_UNIT {
            self.keep_first(ring);
        }
    }

    fn keep_first(&mut self, ring: &Frames) {
        let Some(going) = ring.iter().next() else { return };
        let of_unit = |e: &Exchange| e.unit == going.exchange.unit;
        let oldest = self.frames.reach(OF_UNIT - 1, SELDOM_BYTES, of_unit);
        let kept = self.frames.iter().filter(|k| !of_unit(k.exchange) || k.exchange.number >= oldest);
        let mut all: Frames = kept.chain([going]).collect();
        let oldest = all.reach(SELDOM_MAX, SELDOM_BYTES, |_| true);
        while all.first().is_some_and(|e| e.number < oldest) {
            all.pop_front();
        }
        self.frames = all;
    }

    /// Of those it concerns and of whom the ring has nothing.
    pub(super) fn of<'s>(&'s self, concerned: &'s [Concerns]) -> impl Iterator<Item = Kept<'s>> {
        let is_missing = |unit: Option<u8>| unit.is_none_or(|unit| self.in_ring[usize::from(unit)] == 0);
        let wanted = move |unit| concerned.iter().any(|one| one.include(unit)) && is_missing(unit);
        self.frames.iter().filter(move |kept| wanted(kept.exchange.unit))
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.frames.allocated()
    }
}
