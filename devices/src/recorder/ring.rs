//! The ring of exchanges and the incidents copied out of it. Owns their bounds and when an incident is complete.

use super::{Dropped, EXCHANGES_MAX, KEPT_BYTES, Verdict};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

pub(super) const INCIDENTS_MAX: usize = 4;
const BEFORE: usize = 64;
const AFTER: u64 = 32;
/// An incident gathers no longer, however little comes: a dead unit alone on its link is probed six times in it, a lost link says nothing.
pub(super) const GATHERS_AT_MOST: Duration = Duration::from_secs(120);
/// Journal entries that name one incident: a flood of alarms belongs to it as a whole.
pub(super) const EVENTS_MAX: usize = 16;
/// The same for the words of its cause.
pub(super) const CAUSE_BYTES: usize = 500;

#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) number: u64,
    pub(super) begun: Instant,
    /// What went out, then what came in.
    pub(super) bytes: Vec<u8>,
    pub(super) asked: u16,
    pub(super) unit: Option<u8>,
    pub(super) verdict: Verdict,
    pub(super) more: usize,
    /// Microseconds from the request to the first and to the last byte that came in.
    pub(super) heard_us: Option<(u32, u32)>,
    /// Most exchanges throw nothing away.
    pub(super) dropped: Option<Box<Dropped>>,
}

#[derive(Debug)]
pub(super) struct Incident {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) cause: String,
    pub(super) events: Vec<String>,
    pub(super) until: u64,
    /// All that belongs to it has come.
    pub(super) complete: bool,
    pub(super) exchanges: Vec<Exchange>,
}

#[derive(Debug, Default)]
pub(super) struct Ring {
    pub(super) exchanges: VecDeque<Exchange>,
    pub(super) written: u64,
    /// The newest exchange still takes bytes.
    pub(super) open: bool,
    pub(super) incidents: VecDeque<Incident>,
    pub(super) incidents_begun: u64,
}

impl Ring {
    pub(super) fn push(&mut self, unit: Option<u8>, request: &[u8]) {
        if self.exchanges.len() == EXCHANGES_MAX {
            self.exchanges.pop_front();
        }
        self.written += 1;
        self.open = true;
        self.exchanges.push_back(Exchange {
            number: self.written,
            begun: Instant::now(),
            bytes: request.to_vec(),
            asked: u16::try_from(request.len()).expect("a request is at most 260 bytes"),
            unit,
            verdict: Verdict::None,
            more: 0,
            heard_us: None,
            dropped: None,
        });
    }

    /// False when it said nothing new.
    pub(super) fn incident(&mut self, cause: &str, event: Option<&str>) -> bool {
        let gathers = |i: &Incident| !i.complete && self.written < i.until && !i.is_late();
        if let Some(gathering) = self.incidents.back_mut().filter(|i| gathers(i)) {
            return gathering.add(cause, event);
        }
        self.settle_incident(false);
        if self.incidents.len() == INCIDENTS_MAX {
            self.incidents.pop_front();
        }
        self.incidents_begun += 1;
        self.incidents.push_back(Incident {
            number: self.incidents_begun,
            at: Instant::now(),
            cause: cause.to_owned(),
            events: event.map(str::to_owned).into_iter().collect(),
            until: self.written + AFTER,
            complete: false,
            exchanges: self.exchanges.iter().rev().take(BEFORE).rev().cloned().collect(),
        });
        true
    }

    /// When the newest incident is complete at the latest; `None` when it is, or when the end of the exchange under way makes it so.
    pub(super) fn gathers_until(&self) -> Option<Instant> {
        let incident = self.incidents.back().filter(|i| !i.complete)?;
        (!(self.open && incident.is_late())).then(|| incident.at + GATHERS_AT_MOST)
    }

    /// Adds to the newest incident what has come after it; `early` does not wait for all of it. True when it is complete now.
    pub(super) fn settle_incident(&mut self, early: bool) -> bool {
        let Some(incident) = self.incidents.back_mut().filter(|i| !i.complete) else { return false };
        let all = self.written >= incident.until || incident.is_late();
        if !early && !all {
            return false;
        }
        // The last exchange of all may still be under way while somebody looks.
        incident.complete = all && !early;
        // The last one of before may have been under way when it was copied.
        if let Some(last) = incident.exchanges.pop() {
            let fresh = self.exchanges.iter().filter(|e| e.number >= last.number && e.number <= incident.until);
            let before = incident.exchanges.len();
            incident.exchanges.extend(fresh.cloned());
            if incident.exchanges.len() == before {
                incident.exchanges.push(last);
            }
        } else {
            incident.exchanges.extend(self.exchanges.iter().filter(|e| e.number <= incident.until).cloned());
        }
        incident.complete
    }
}

impl Incident {
    /// It has gathered for as long as it may.
    pub(super) fn is_late(&self) -> bool {
        self.at.elapsed() >= GATHERS_AT_MOST
    }

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

impl Exchange {
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let us = u32::try_from(self.begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.heard_us = Some((self.heard_us.map_or(us, |(first, _)| first), us));
        let room = KEPT_BYTES.saturating_sub(self.bytes.len() - usize::from(self.asked)).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        self.more += bytes.len() - room;
    }
}
