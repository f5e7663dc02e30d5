//! What units said last that are asked too seldom for the ring: a tank asked once a minute beside detectors that are asked every second.
//! An alarm may be judged from both. Owns how much of them is kept.

use super::Concerns;
use super::frames::{Exchange, Frames, Kept};

/// Exchanges of one unit: one of several requests.
const OF_UNIT: usize = 4;
const SELDOM_MAX: usize = 16;
const SELDOM_BYTES: usize = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Seldom(Frames);

impl Seldom {
    /// The oldest of the ring is about to go.
    pub(super) fn follow(&mut self, ring: &Frames) {
        let Some(going) = ring.iter().next() else { return };
        let unit = going.exchange.unit;
        let stay = ring.iter().skip(1).filter(|k| k.exchange.unit == unit).take(OF_UNIT).count();
        if unit.is_none() || stay == OF_UNIT {
            return;
        }
        let of_unit = |e: &Exchange| e.unit == unit;
        let oldest = self.0.reach(OF_UNIT - 1, SELDOM_BYTES, of_unit);
        let kept = self.0.iter().filter(|k| !of_unit(k.exchange) || k.exchange.number >= oldest);
        let mut all: Frames = kept.chain([going]).collect();
        let oldest = all.reach(SELDOM_MAX, SELDOM_BYTES, |_| true);
        while all.first().is_some_and(|e| e.number < oldest) {
            all.pop_front();
        }
        self.0 = all;
    }

    /// Of those it concerns and of whom the ring has nothing.
    pub(super) fn of<'s>(&'s self, concerned: &'s [Concerns], ring: &'s Frames) -> impl Iterator<Item = Kept<'s>> {
        let is_missing = |unit: Option<u8>| ring.iter().all(|k| k.exchange.unit != unit);
        let wanted = move |unit| concerned.iter().any(|one| one.include(unit)) && is_missing(unit);
        self.0.iter().filter(move |kept| wanted(kept.exchange.unit))
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.0.allocated()
    }
}
