//! The ring of exchanges and what is copied out of it. Owns how far back it goes, and when an incident begins or is another cause of one.

use super::frames::{Exchange, Frames};
use super::incident::{self, Incident};
use super::marks::Marks;
use super::seldom::Seldom;
use super::{Concerns, EXCHANGES_MIN, KEPT_BYTES};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Whatever is younger is kept as well, on a bus of many units too: more than the longest delay of an alarm of gas, pressure or level.
pub(super) const REACHES_BACK: Duration = Duration::from_secs(20);
/// Beyond [`EXCHANGES_MIN`] only as long as all of them take no more than this.
pub(super) const RING_BYTES: usize = 56 << 10;

#[derive(Debug, Default)]
pub(super) struct Ring {
    pub(super) frames: Frames,
    pub(super) written: u64,
    /// The newest exchange still takes bytes.
    pub(super) open: bool,
    pub(super) incidents: VecDeque<Incident>,
    incidents_begun: u64,
    pub(super) marks: Marks,
    pub(super) seldom: Seldom,
}

impl Ring {
    pub(super) fn push(&mut self, unit: Option<u8>, request: &[u8]) {
        self.written += 1;
        self.open = true;
        let exchange = Exchange::asked(self.written, unit, request);
        self.make_room(&exchange);
        self.seldom.came(&exchange);
        self.frames.push(exchange, request);
    }

    fn make_room(&mut self, next: &Exchange) {
        while self.frames.len() >= EXCHANGES_MIN {
            let young = self.frames.first().is_some_and(|oldest| next.begun - oldest.begun < REACHES_BACK);
            if young && self.frames.cost() + next.cost() + KEPT_BYTES <= RING_BYTES {
                return;
            }
            self.seldom.follow(&self.frames);
            self.frames.pop_front();
        }
    }

    /// False when it said nothing new.
    pub(super) fn incident(&mut self, cause: &str, event: Option<&str>, concerned: &[Concerns]) -> bool {
        let gathers = |i: &Incident| !i.complete && self.written < i.until && !i.is_late();
        if let Some(gathering) = self.incidents.back_mut().filter(|i| gathers(i)) {
            gathering.concern(concerned, &self.frames, &self.marks, &self.seldom);
            return gathering.add(cause, event);
        }
        self.settle_incident(false);
        self.incidents_begun += 1;
        let mut begun = Incident::begin(self.incidents_begun, self.written, cause, event);
        begun.concern(concerned, &self.frames, &self.marks, &self.seldom);
        self.incidents.push_back(begun);
        incident::make_room(&mut self.incidents);
        true
    }

    /// When the newest incident is complete at the latest; `None` when it is, or when the end of the exchange under way makes it so.
    pub(super) fn gathers_until(&self) -> Option<Instant> {
        let incident = self.incidents.back().filter(|i| !i.complete)?;
        (!(self.open && incident.is_late())).then(|| incident.at + incident::GATHERS_AT_MOST)
    }

    /// Adds to the newest incident what has come after it; `early` does not wait for all of it. True when it is complete now.
    pub(super) fn settle_incident(&mut self, early: bool) -> bool {
        let Some(incident) = self.incidents.back_mut().filter(|i| !i.complete) else { return false };
        let all = self.written >= incident.until || incident.is_late();
        if !early && !all {
            return false;
        }
        incident.take_what_followed(&self.frames);
        // The last exchange of all may still be under way while somebody looks.
        incident.complete = all && !early;
        let complete = incident.complete;
        incident::make_room(&mut self.incidents);
        complete
    }
}
