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
    /// Number of the newest exchange of each unit.
    newest: [u64; 256],
}

impl Default for Seldom {
    fn default() -> Self {
        Self { frames: Frames::default(), newest: [0; 256] }
    }
}

impl Seldom {
    /// The ring has one more.
    pub(super) fn came(&mut self, exchange: &Exchange) {
        if let Some(unit) = exchange.unit {
            self.newest[usize::from(unit)] = exchange.number;
        }
    }

    /// The oldest of the ring is about to go. A unit that was asked again in the newer half of the ring is not about to leave it: most are, and cost
    /// no more than this.
    pub(super) fn follow(&mut self, ring: &Frames) {
        let (Some(going), Some(last)) = (ring.first(), ring.last()) else { return };
        let Some(unit) = going.unit else { return };
        let since = last.number.saturating_sub(self.newest[usize::from(unit)]);
        if since > ring.len() as u64 / 2 {
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
    pub(super) fn of<'s>(
        &'s self,
        concerned: &'s [Concerns],
        ring: &Frames,
    ) -> impl Iterator<Item = Kept<'s>> + use<'s> {
        let oldest = ring.first().map_or(u64::MAX, |first| first.number);
        let is_missing = move |unit: Option<u8>| unit.is_some_and(|unit| self.newest[usize::from(unit)] < oldest);
        let wanted = move |unit| concerned.iter().any(|one| one.include(unit)) && is_missing(unit);
        self.frames.iter().filter(move |kept| wanted(kept.exchange.unit))
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.frames.allocated()
    }
}
