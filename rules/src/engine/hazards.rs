//! From alarm to hidden danger: a failed measure opens a *candidate*; only people confirm or reject it.
//!
//! At most one record is open per (measure, cause). A repeat is attached to it, whatever its stage; after the closing it opens another one
//! that says which it repeats.

use super::ack::decision;
use super::{Engine, Timer};
use crate::book::{Condition, MeasureId, Subject};
use crate::command::{Actor, Rejected};
use crate::event::{Event, EventKind};
use crate::hazard::{Hazard, Stage};
use crate::time::Now;
use std::time::Duration;

/// A high or low alarm that stands longer than this is a failed measure.
pub(super) const STANDING: Duration = Duration::from_secs(600);
/// Occurrences kept in a record: the newest; all of them are in the journal.
pub(super) const OCCURRENCES_MAX: usize = 64;
/// Shortest acceptable reason for a rejection.
const REASON_MIN: usize = 4;
/// Closed records kept at hand for a repeat; all of them are in the store.
const CLOSED_MAX: usize = 256;

impl Engine {
    /// Measures that watch what alarm `i` is about.
    pub(super) fn measures_of(&self, i: usize) -> &[MeasureId] {
        let x = self.book.index();
        let of_point = |alarm: usize| x.point_of_alarm(alarm).map(|p| &x.measures_of_point[p.index()]);
        match x.subject(i) {
            Subject::Rule(_) => of_point(i).unwrap_or_default(),
            Subject::Device(d) => &x.measures_of_device[d.index()],
            Subject::Vote(k) | Subject::VoteInvalid(k) => &x.groups.measures_of_vote[k],
            Subject::System(_) => &[],
        }
    }

    /// True when the alarm proves the failure at once; H and L must stand.
    fn fails_at_once(&self, i: usize) -> bool {
        self.book
            .rules()
            .get(i)
            .is_none_or(|r| r.priority == 1 || !matches!(r.condition, Condition::High { .. } | Condition::Low { .. }))
    }

    /// An alarm was raised.
    pub(super) fn measure_failed(&mut self, i: usize, at: Now, out: &mut Vec<Event>) {
        let at_once = self.fails_at_once(i);
        self.open_or_attach(i, at_once, at, out);
    }

    /// An alarm has stood for [`STANDING`].
    pub(super) fn standing(&mut self, i: usize, now: Now, out: &mut Vec<Event>) {
        if self.alarms[i].is_active() {
            self.open_or_attach(i, true, now, out);
        }
    }

    /// Arms the timer of a standing H or L that somebody watches.
    pub(super) fn watch_standing(&mut self, i: usize, since: Now) {
        if !self.fails_at_once(i) && !self.measures_of(i).is_empty() {
            self.deadlines.set(Timer::Standing(i), Some(self.due_after(since, STANDING)));
        }
    }

    /// A person knows of it now; how long it had stood by then counts.
    pub(super) fn watch_called(&mut self, i: usize) {
        let a = &self.alarms[i];
        if let Some(since) = a.raised.filter(|_| a.is_active() && !a.is_hidden()) {
            self.watch_standing(i, since);
        }
    }

    fn open_or_attach(&mut self, i: usize, open: bool, at: Now, out: &mut Vec<Event>) {
        let occurrence = format!("{}#{}", self.alarms.key(i), self.alarms[i].occurrence);
        for k in 0..self.measures_of(i).len() {
            let m = self.measures_of(i)[k];
            let measure = &self.book.measures()[m.index()];
            let cause = &self.alarms.key(i);
            match self.hazards.iter().find(|h| h.measure == measure.key && h.cause == *cause) {
                Some(h) if h.occurrences.contains(&occurrence) => {}
                Some(h) => {
                    let (hazard, occurrence) = (h.id.clone(), occurrence.clone());
                    self.emit(EventKind::HazardOccurrence { hazard, occurrence }, at, out);
                }
                None if open && !self.alarms[i].rejected.contains(&measure.key) => {
                    let hazard = Hazard {
                        id: format!("HD-{}", self.next_hazard),
                        measure: measure.key.clone(),
                        risk: measure.risk.clone(),
                        cause: cause.clone(),
                        opened: at,
                        occurrences: vec![occurrence.clone()],
                        stage: Stage::Candidate,
                        found: None,
                        repeat_of: self.closed_before(&measure.key, cause),
                        moved_seq: 0,
                        overdue: false,
                    };
                    self.emit(EventKind::HazardOpened { hazard }, at, out);
                }
                None => {}
            }
        }
    }

    /// The newest closed record of a measure and cause.
    fn closed_before(&self, measure: &str, cause: &str) -> Option<String> {
        self.closed.iter().rev().find(|h| h.measure == measure && h.cause == cause).map(|h| h.id.clone())
    }

    /// As an event has it; the record knows which event moved it last.
    pub(super) fn take_hazard(&mut self, hazard: &Hazard, seq: u64) {
        self.replace_hazard(&Hazard { moved_seq: seq, ..hazard.clone() });
    }

    pub(super) fn replace_hazard(&mut self, hazard: &Hazard) {
        let at = self.hazards.iter().position(|h| h.id == hazard.id);
        match at {
            Some(k) if hazard.stage.is_open() => self.hazards[k] = hazard.clone(),
            None if hazard.stage.is_open() => self.hazards.push(hazard.clone()),
            Some(k) => drop(self.hazards.remove(k)),
            None => {}
        }
        if matches!(hazard.stage, Stage::Closed { .. }) {
            self.keep_closed(hazard);
        }
        self.arm_overdue();
    }

    /// What a person found has no alarm that could come back.
    fn keep_closed(&mut self, hazard: &Hazard) {
        if hazard.cause.is_empty() {
            return;
        }
        self.closed.retain(|h| (&h.measure, &h.cause) != (&hazard.measure, &hazard.cause));
        self.closed.push(hazard.clone());
        self.closed.drain(..self.closed.len().saturating_sub(CLOSED_MAX));
    }

    /// What a person has called a false alarm is not opened again by the same occurrence.
    pub(super) fn note_rejection(&mut self, hazard: &Hazard) {
        let rejected = matches!(hazard.stage, Stage::Rejected { .. });
        if let Some(i) = self.alarm_index(&hazard.cause).filter(|_| rejected) {
            let all = &mut self.alarms[i].rejected;
            all.retain(|measure| *measure != hazard.measure);
            all.push(hazard.measure.clone());
        }
    }

    /// What is said to be mended and comes again was not seen by who accepts or closes; nor by who calls a candidate a false alarm.
    pub(super) fn attach(&mut self, id: &str, occurrence: &str, seq: u64) {
        if let Some(h) = self.hazards.iter_mut().find(|h| h.id == id) {
            if h.stage.is_done() || matches!(h.stage, Stage::Candidate) {
                h.moved_seq = seq;
            }
            h.occurrences.push(occurrence.to_owned());
            let over = h.occurrences.len().saturating_sub(OCCURRENCES_MAX);
            h.occurrences.drain(..over);
        }
    }

    pub(super) fn open_record(&self, id: &str) -> Result<&Hazard, Rejected> {
        if let Some(h) = self.hazards.iter().find(|h| h.id == id) {
            return Ok(h);
        }
        match number(id) {
            Some(n) if n >= 1 && n < self.next_hazard => Err(Rejected::Changed(id.to_owned())),
            _ => Err(Rejected::NotFound(id.to_owned())),
        }
    }

    /// What the person saw of a record is what stands: it was not moved since. Who says no number vouches for none.
    pub(super) fn seen_record(&self, hazard: &Hazard, seen_seq: Option<u64>) -> Result<(), Rejected> {
        match seen_seq {
            Some(seen) if seen < hazard.moved_seq || seen >= self.next_seq => Err(Rejected::Changed(hazard.id.clone())),
            _ => Ok(()),
        }
    }

    /// A person confirms a candidate.
    pub(super) fn confirm(
        &mut self,
        id: &str,
        seen_seq: Option<u64>,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let mut hazard = self.open_record(id)?.clone();
        self.seen_record(&hazard, seen_seq)?;
        if !matches!(hazard.stage, Stage::Candidate) {
            return Err(Rejected::AlreadySo);
        }
        hazard.stage = Stage::Registered { confirmed: decision(actor, reason, now) };
        self.emit(EventKind::HazardStage { hazard }, now, out);
        Ok(())
    }

    /// A person calls a candidate a false alarm, and says why.
    pub(super) fn reject(
        &mut self,
        id: &str,
        seen_seq: Option<u64>,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let mut hazard = self.open_record(id)?.clone();
        if reason.trim().chars().count() < REASON_MIN {
            return Err(Rejected::Incomplete(vec!["reason".to_owned()]));
        }
        if !matches!(hazard.stage, Stage::Candidate) {
            return Err(Rejected::Changed(id.to_owned()));
        }
        self.seen_record(&hazard, seen_seq)?;
        hazard.stage = Stage::Rejected { rejected: decision(actor, reason, now) };
        self.emit(EventKind::HazardStage { hazard }, now, out);
        Ok(())
    }
}

/// The number in `HD-<n>`.
pub(super) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("HD-")?.parse().ok()
}
