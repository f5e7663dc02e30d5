//! One incident: the exchanges that prove it, copied out of the ring. Owns which these are, their bounds, and when it is late.
//!
//! ```text
//!   those in which its alarm began … of its units, as far back as the ring goes … 64 of all │ incident │ 32 of all
//! ```

use super::Concerns;
use super::frames::{Exchange, Frames, Kept};
use super::marks::Marks;
use super::seldom::Seldom;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

pub(super) const INCIDENTS_MAX: usize = 4;
/// Of all units.
const JUST_BEFORE: u64 = 64;
const AFTER: u64 = 32;
/// What was before one incident is no more, the newest first: as a file it is thrice as large, and fifty links may go silent at once.
pub(super) const BEFORE_MAX: usize = 256;
const BEFORE_BYTES: usize = 40 << 10;
/// Of what its alarms had marked and of units that are asked seldom; the first stay.
const MARKED_BYTES: usize = 16 << 10;
/// Of all incidents together; the oldest go first, the newest always stays.
pub(super) const INCIDENTS_BYTES: usize = 128 << 10;
/// An incident gathers no longer, however little comes: a dead unit alone on its link is probed six times in it, a lost link says nothing.
pub(super) const GATHERS_AT_MOST: Duration = Duration::from_secs(120);
/// Journal entries that name one incident: a flood of alarms belongs to it as a whole.
pub(super) const EVENTS_MAX: usize = 16;
/// The same for the words of its cause.
pub(super) const CAUSE_BYTES: usize = 500;

#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) cause: String,
    pub(super) events: Vec<String>,
    /// Number of the last exchange before it, and of the last that belongs to it.
    since: u64,
    pub(super) until: u64,
    /// All that belongs to it has come.
    pub(super) complete: bool,
    concerns: Vec<Concerns>,
    frames: Frames,
    /// Older than the ring, some of them.
    marked: Frames,
}

/// The oldest go, by number and by bytes.
pub(super) fn make_room(incidents: &mut VecDeque<Incident>) {
    let bytes = |all: &VecDeque<Incident>| all.iter().map(Incident::cost).sum::<usize>();
    while incidents.len() > INCIDENTS_MAX || (incidents.len() > 1 && bytes(incidents) > INCIDENTS_BYTES) {
        incidents.pop_front();
    }
}

impl Incident {
    /// `written` is the number of the newest exchange.
    pub(super) fn begin(number: u64, written: u64, cause: &str, event: Option<&str>) -> Self {
        Self {
            number,
            at: Instant::now(),
            cause: cause.to_owned(),
            events: event.map(str::to_owned).into_iter().collect(),
            since: written,
            until: written + AFTER,
            complete: false,
            concerns: Vec::new(),
            frames: Frames::default(),
            marked: Frames::default(),
        }
    }

    /// Copies what was before it: of all, and of those it concerns.
    pub(super) fn concern(&mut self, concerned: &[Concerns], ring: &Frames, marks: &Marks, seldom: &Seldom) {
        let mut room = MARKED_BYTES;
        let fits = |k: &Kept<'_>| room.checked_sub(k.exchange.cost()).inspect(|left| room = *left).is_some();
        let older = marks.of(concerned).chain(seldom.of(concerned, ring));
        self.marked = self.marked.iter().chain(older).take_while(fits).collect();
        let known = self.concerns.len();
        for one in concerned {
            if !self.concerns.contains(one) {
                self.concerns.push(*one);
            }
        }
        if self.concerns.len() == known {
            return;
        }
        let (since, all) = (self.since, &self.concerns);
        let wanted = |e: &Exchange| {
            e.number <= since && (e.number + JUST_BEFORE > since || all.iter().any(|c| c.include(e.unit)))
        };
        let oldest = ring.reach(BEFORE_MAX, BEFORE_BYTES, wanted);
        let before = ring.iter().filter(|k| k.exchange.number >= oldest && wanted(k.exchange));
        let mut frames: Frames = before.chain(self.frames.iter()).collect();
        // Others may have brought older ones.
        let oldest = frames.reach(BEFORE_MAX, BEFORE_BYTES, |e| e.number <= since);
        while frames.first().is_some_and(|e| e.number < oldest.min(since)) {
            frames.pop_front();
        }
        self.frames = frames;
    }

    pub(super) fn take_what_followed(&mut self, ring: &Frames) {
        // The last one that is here may have been under way when it was copied: it is taken again.
        let last = self.frames.last().map_or(0, |e| e.number);
        let fresh = ring.iter().filter(|k| (last..=self.until).contains(&k.exchange.number));
        self.frames = fresh.chain(self.frames.iter()).collect();
    }

    /// All that is kept around it.
    pub(super) fn frames(&self) -> Frames {
        self.frames.iter().chain(self.marked.iter()).collect()
    }

    /// Bytes of memory that its exchanges take.
    pub(super) fn cost(&self) -> usize {
        self.frames.cost() + self.marked.cost()
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.frames.allocated() + self.marked.allocated()
    }

    /// It has gathered for as long as it may.
    pub(super) fn is_late(&self) -> bool {
        self.at.elapsed() >= GATHERS_AT_MOST
    }

    /// Another cause of it; false when it says nothing new.
    pub(super) fn add(&mut self, cause: &str, event: Option<&str>) -> bool {
        let another =
            self.cause.len() + cause.len() < CAUSE_BYTES && !self.cause.split(", ").any(|known| known == cause);
        if another {
            self.cause = format!("{}, {cause}", self.cause);
        }
        let event = event.filter(|_| self.events.len() < EVENTS_MAX);
        self.events.extend(event.map(str::to_owned));
        another || event.is_some()
    }
}
