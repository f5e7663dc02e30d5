//! Exchanges in which the condition of an alarm began: its delay may be longer than the ring. Owns their bounds.

use super::Concerns;
use super::frames::{Exchange, Frames, Kept};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Alarms of one link whose delay runs; the oldest go first.
pub(super) const MARKS_MAX: usize = 16;
/// Exchanges of a unit for each: a unit of several requests, or a value that was on its way.
const MARKED_MAX: usize = 8;
/// For each alarm; its units have equal shares, and of very many the newest stay.
const MARK_BYTES: usize = 2 << 10;

#[derive(Debug)]
struct Mark {
    alarm: String,
    frames: Frames,
}

#[derive(Debug, Default)]
pub(super) struct Marks(VecDeque<Mark>);

impl Marks {
    /// Keeps the last exchanges of each of the units up to a moment.
    pub(super) fn set(&mut self, alarm: &str, units: &[u8], until: Instant, ring: &Frames) {
        self.clear(alarm);
        let of = |unit: u8| {
            let wanted = move |e: &Exchange| e.unit == Some(unit) && e.begun <= until;
            // the newest of each in any case
            let oldest =
                ring.reach(MARKED_MAX, MARK_BYTES / units.len(), wanted).min(ring.reach(1, MARK_BYTES, wanted));
            ring.iter().filter(move |k| k.exchange.number >= oldest && wanted(k.exchange))
        };
        let mut frames: Frames = units.iter().copied().flat_map(of).collect();
        while frames.cost() > MARK_BYTES {
            frames.pop_front();
        }
        if self.0.len() == MARKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Mark { alarm: alarm.to_owned(), frames });
    }

    pub(super) fn clear(&mut self, alarm: &str) {
        self.0.retain(|mark| mark.alarm != alarm);
    }

    pub(super) fn of(&self, concerned: &[Concerns]) -> impl Iterator<Item = Kept<'_>> {
        let all = self.0.iter().flat_map(|mark| mark.frames.iter());
        all.filter(move |kept| concerned.iter().any(|one| one.include(kept.exchange.unit)))
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.0.iter().map(|mark| mark.frames.allocated() + mark.alarm.len()).sum()
    }
}
