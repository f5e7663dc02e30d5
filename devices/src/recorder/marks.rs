//! Exchanges in which the condition of an alarm began: its delay may be longer than the ring. Owns their bounds.

use super::Concerns;
use super::frames::{Exchange, Frames, Kept};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Alarms of one link whose delay runs; the oldest go first.
pub(super) const MARKS_MAX: usize = 16;
/// Exchanges of the unit for each: a unit of several requests, or a value that was on its way.
const MARKED_MAX: usize = 8;
const MARK_BYTES: usize = 2 << 10;

#[derive(Debug)]
struct Mark {
    alarm: String,
    unit: u8,
    frames: Frames,
}

#[derive(Debug, Default)]
pub(super) struct Marks(VecDeque<Mark>);

impl Marks {
    /// Keeps the last exchanges of the unit up to a moment.
    pub(super) fn set(&mut self, alarm: &str, unit: u8, until: Instant, ring: &Frames) {
        self.clear(alarm);
        let wanted = |e: &Exchange| e.unit == Some(unit) && e.begun <= until;
        let oldest = ring.reach(MARKED_MAX, MARK_BYTES, wanted);
        let frames: Frames = ring.iter().filter(|k| k.exchange.number >= oldest && wanted(k.exchange)).collect();
        if self.0.len() == MARKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Mark { alarm: alarm.to_owned(), unit, frames });
    }

    pub(super) fn clear(&mut self, alarm: &str) {
        self.0.retain(|mark| mark.alarm != alarm);
    }

    pub(super) fn of(&self, concerns: Concerns) -> impl Iterator<Item = Kept<'_>> {
        self.0.iter().filter(move |mark| concerns.include(Some(mark.unit))).flat_map(|mark| mark.frames.iter())
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.0.iter().map(|mark| mark.frames.allocated() + mark.alarm.len()).sum()
    }
}
