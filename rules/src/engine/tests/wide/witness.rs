//! What somebody knows who only sees what goes in, call by call, and reads the journal: the oracle of [`super::causes`].
//!
//! It shares the vocabulary and the book with the engine, and no decision. Times count from the beginning of the story; with another boot a
//! time of before is as long ago as the wall clock says, if that is longer.

use super::super::*;
use super::stage::{Call, Given, STARTED_NS};
use crate::command::ShelfKind;
use crate::event::AlarmFact;
use crate::hide::{EndCause, Expiry};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const START_GRACE: Duration = Duration::from_secs(10);

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct When {
    pub(super) ns: i128,
    pub(super) wall_ms: i64,
}

impl When {
    pub(super) fn is(self, d: Duration, now: When) -> bool {
        now.ns - self.ns >= nanos(d)
    }
    /// That moment, not one after it.
    pub(super) fn is_just(self, d: Duration, now: When) -> bool {
        now.ns - self.ns == nanos(d)
    }
    /// An end is over on either clock.
    pub(super) fn ended(self, now: When) -> bool {
        now.ns >= self.ns || now.wall_ms >= self.wall_ms
    }
    fn booted(&mut self, now: When) {
        self.ns = self.ns.min(now.ns + i128::from(self.wall_ms - now.wall_ms) * 1_000_000);
    }
}

fn nanos(d: Duration) -> i128 {
    i128::try_from(d.as_nanos()).unwrap()
}

/// One alarm by the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) active: bool,
    pub(super) unacked: bool,
    pub(super) latched: bool,
    pub(super) chatters: bool,
    /// Of a sensor fault: the function check has lasted for too long, and nothing but silence came after it.
    pub(super) overdue: bool,
    pub(super) occurrence: u64,
    pub(super) level: u8,
    pub(super) one_shot: bool,
    pub(super) pending_on: Option<When>,
    pub(super) pending_off: Option<When>,
    pub(super) raised: Option<When>,
    pub(super) ended: Option<When>,
    pub(super) annunciated: Option<When>,
    pub(super) acked: Option<When>,
    pub(super) shelf: Option<When>,
    pub(super) inhibit: Option<When>,
    pub(super) suppressed: BTreeMap<String, When>,
    pub(super) raises: Vec<When>,
}

impl Row {
    fn times(&mut self) -> impl Iterator<Item = &mut When> {
        let single = [&mut self.pending_on, &mut self.pending_off, &mut self.raised, &mut self.ended];
        let more = [&mut self.annunciated, &mut self.acked, &mut self.shelf, &mut self.inhibit];
        let listed = self.suppressed.values_mut().chain(&mut self.raises);
        single.into_iter().chain(more).flatten().chain(listed)
    }
}

/// One point by what it told, and by the journal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub(super) newest: Option<(When, Reading)>,
    /// The newest with a value.
    pub(super) valued: Option<When>,
    /// As a suppressor: since when it has said 0, or 1.
    pub(super) same_since: Option<When>,
    pub(super) bypass: Option<When>,
    pub(super) reviewed: Option<When>,
}

pub(super) struct Witness {
    pub(super) book: RuleBook,
    books: [RuleBook; 2],
    pub(super) call: Call,
    pub(super) now: When,
    /// Samples of this call that are still to be heard.
    coming: Vec<(When, Sample)>,
    /// Those that were, and are newer than any before, with their times.
    pub(super) told: Vec<(String, Reading, When)>,
    /// What this call has led to so far.
    pub(super) said: Vec<Event>,
    pub(super) rows: BTreeMap<String, Row>,
    pub(super) points: BTreeMap<String, Heard>,
    pub(super) answered: BTreeMap<String, When>,
    pub(super) started: When,
    /// The latest that the wall clock has shown, and whether the newest start found it there or later.
    mark_ms: i64,
    pub(super) proved: bool,
    /// Those that can be dated, and how many there were at all.
    pub(super) annunciations: Vec<When>,
    pub(super) called: usize,
    pub(super) dues: BTreeMap<String, i64>,
    /// Suppressions that have used up their time, and were not released since.
    pub(super) used_up: BTreeSet<String>,
}

impl Witness {
    pub(super) fn new(books: &[RuleBook; 2], first: &Call) -> Self {
        let now = When { ns: i128::from(STARTED_NS), wall_ms: first.now.wall.utc_ms };
        Self {
            book: books[0].clone(),
            books: books.clone(),
            call: first.clone(),
            now,
            coming: Vec::new(),
            told: Vec::new(),
            said: Vec::new(),
            rows: BTreeMap::new(),
            points: BTreeMap::new(),
            answered: BTreeMap::new(),
            started: now,
            mark_ms: now.wall_ms,
            proved: true,
            annunciations: Vec::new(),
            called: 0,
            dues: BTreeMap::new(),
            used_up: BTreeSet::new(),
        }
    }

    pub(super) fn when(&self, at: Now) -> When {
        When { ns: i128::from(at.mono.0) + i128::from(self.call.booted_ns), wall_ms: at.wall.utc_ms }
    }

    fn end(&self, until: Expiry) -> When {
        When { ns: i128::from(until.mono.0) + i128::from(self.call.booted_ns), wall_ms: until.wall_utc_ms }
    }

    pub(super) fn row(&self, alarm: &str) -> Row {
        self.rows.get(alarm).cloned().unwrap_or_default()
    }

    pub(super) fn heard(&self, point: &str) -> Heard {
        self.points.get(point).copied().unwrap_or_default()
    }

    /// A call begins.
    pub(super) fn begin(&mut self, call: &Call) {
        self.call = call.clone();
        self.now = self.when(call.now);
        (self.told, self.said) = (Vec::new(), Vec::new());
        match &call.given {
            Given::Scan { device, answered, samples } => self.hear(*device, *answered, samples),
            Given::Start => self.start(call.same_boot),
            _ => {}
        }
        self.mark_ms = self.mark_ms.max(self.now.wall_ms);
    }

    fn hear(&mut self, device: usize, answered: bool, samples: &[Sample]) {
        self.coming = samples.iter().map(|s| (self.when(s.at), *s)).collect();
        let fault = |r: Reading| if let Reading::Bad(f) = r { Some(f) } else { None };
        let bits = |r: Reading| r.value().map_or(0, f64::to_bits);
        let better = |r: Reading| (r.quality_code(), bits(r), fault(r));
        self.coming.sort_by_key(|(at, s)| (at.ns, better(s.reading)));
        let at = self.coming.last().map_or(self.now, |(at, _)| *at);
        if answered {
            let last = self.answered.entry(self.book.devices()[device].key.clone()).or_insert(at);
            *last = if at.ns > last.ns { at } else { *last };
        }
    }

    /// Samples up to there: they count by their own times, and not before the newest; of two of one time the better one.
    pub(super) fn hear_until(&mut self, until: When) {
        let coming = std::mem::take(&mut self.coming);
        let (now, later): (Vec<_>, Vec<_>) = coming.into_iter().partition(|(at, _)| at.ns <= until.ns);
        self.coming = later;
        for (at, s) in now {
            let key = self.book.points()[s.point.index()].key.to_string();
            let heard = self.points.entry(key.clone()).or_default();
            if heard.newest.is_none_or(|(newest, _)| at.ns > newest.ns) {
                let state = |r: Reading| r.value().map(|v| v >= 0.5);
                let was = heard.newest.and_then(|(_, r)| state(r));
                let same = was.is_some() && was == state(s.reading);
                heard.same_since = if same { heard.same_since } else { Some(at) };
                heard.newest = Some((at, s.reading));
                heard.valued = if s.reading.value().is_some() { Some(at) } else { heard.valued };
                self.told.push((key, s.reading, at));
            }
        }
    }

    /// What was told before a start is not known any more.
    fn start(&mut self, same_boot: bool) {
        let now = self.now;
        (self.started, self.proved) = (now, now.wall_ms >= self.mark_ms);
        self.answered.clear();
        self.points.values_mut().for_each(|p| (p.newest, p.valued, p.same_since) = (None, None, None));
        // With another boot all times of before are told by the wall clock, as it is at its first start.
        if !same_boot {
            self.annunciations.retain(|at| at.wall_ms <= now.wall_ms);
            let hidden = self.points.values_mut().flat_map(|p| [&mut p.bypass, &mut p.reviewed].into_iter().flatten());
            let times = self.rows.values_mut().flat_map(Row::times).chain(hidden).chain(&mut self.annunciations);
            times.for_each(|at| at.booted(now));
        }
        // Off-delays begin anew.
        self.rows.values_mut().for_each(|row| row.pending_off = None);
    }

    /// An event has been found right, and is read.
    pub(super) fn read(&mut self, e: &Event) {
        let at = self.when(e.at);
        if let Some(fact) = e.kind.fact() {
            let mut row = self.row(&fact.alarm);
            self.read_condition(&mut row, fact, e, at);
            self.read_rest(&mut row, e, at);
            self.rows.insert(fact.alarm.clone(), row);
        }
        if e.kind.annunciates() {
            self.annunciations.push(at);
            self.called += 1;
        }
        self.read_whole(e, at);
        self.said.push(e.clone());
    }

    fn read_condition(&self, row: &mut Row, fact: &AlarmFact, e: &Event, at: When) {
        match &e.kind {
            EventKind::PendingOn { .. } => row.pending_on = Some(at),
            EventKind::PendingCancelled { .. } => row.pending_on = None,
            EventKind::Raised { .. } | EventKind::ShadowRaised { .. } => {
                let again = row.occurrence == fact.occurrence && row.raised.is_some();
                row.raised = if again { row.raised } else { Some(at) };
                (row.active, row.pending_on, row.occurrence) = (true, None, fact.occurrence);
                if matches!(e.kind, EventKind::Raised { .. }) {
                    row.latched = false;
                    (row.unacked, row.annunciated, row.level, row.acked) = (true, Some(at), 0, None);
                    row.raises.push(at);
                }
            }
            EventKind::PendingOff { .. } => row.pending_off = Some(at),
            EventKind::ReturnCancelled { .. } | EventKind::Held { .. } => row.pending_off = None,
            EventKind::Returned { latched, .. } | EventKind::ShadowReturned { latched, .. } => {
                (row.active, row.pending_off, row.ended) = (false, None, Some(at));
                row.latched |= *latched;
                if *latched && !row.unacked {
                    (row.unacked, row.annunciated, row.level, row.acked) = (true, None, 0, None);
                }
            }
            EventKind::Cleared { .. } => {
                row.ended = if row.active { Some(at) } else { row.ended };
                (row.active, row.pending_off, row.unacked) = (false, None, false);
            }
            EventKind::ChatterStart { .. } => row.chatters = true,
            EventKind::ChatterEnd { .. } => (row.chatters, row.raises) = (false, Vec::new()),
            _ => {}
        }
    }

    fn read_rest(&self, row: &mut Row, e: &Event, at: When) {
        match &e.kind {
            EventKind::Acked { .. } => (row.unacked, row.acked) = (false, Some(at)),
            EventKind::Realarm { .. } => {
                (row.unacked, row.acked, row.annunciated, row.level) = (true, None, Some(at), 0)
            }
            EventKind::Escalated { level, .. } => row.level = *level,
            EventKind::Shelved { shelf, .. } => {
                (row.shelf, row.one_shot) = (Some(self.end(shelf.until)), shelf.kind == ShelfKind::OneShot);
            }
            EventKind::Reset { .. } => row.latched = false,
            EventKind::Unshelved { .. } if row.active || row.latched => {
                (row.shelf, row.unacked, row.acked) = (None, false, Some(at))
            }
            EventKind::Unshelved { .. } | EventKind::ShelfEnded { .. } => row.shelf = None,
            EventKind::ShelfExpired { annunciated, .. } => {
                row.shelf = None;
                if *annunciated {
                    (row.unacked, row.annunciated, row.level, row.acked) = (true, Some(at), 0, None);
                }
            }
            EventKind::Suppressed { rule, until, .. } => drop(row.suppressed.insert(rule.clone(), self.end(*until))),
            EventKind::Unsuppressed { rule, .. } => drop(row.suppressed.remove(rule)),
            EventKind::Inhibited { inhibit, .. } => row.inhibit = Some(self.end(inhibit.until)),
            EventKind::InhibitEnded { overdue, .. } => (row.inhibit, row.overdue) = (None, *overdue),
            _ => {}
        }
    }

    /// Points, records and the book.
    fn read_whole(&mut self, e: &Event, at: When) {
        let end = |until: Expiry| self.end(until);
        match &e.kind {
            EventKind::Unsuppressed { rule, why: EndCause::Expired, .. } => drop(self.used_up.insert(rule.clone())),
            EventKind::SuppressionReleased { rule } => drop(self.used_up.remove(rule)),
            EventKind::Bypassed { point, bypass } => {
                let until = end(bypass.until);
                self.points.entry(point.clone()).or_default().bypass = Some(until);
            }
            EventKind::BypassEnded { point, .. } => self.points.entry(point.clone()).or_default().bypass = None,
            EventKind::OutOfService { point, .. } => {
                self.points.entry(point.clone()).or_default().reviewed = Some(at);
                let of_point = |row: &&String| row.rsplit_once(':').is_some_and(|(key, _)| key == point);
                let keys: Vec<String> = self.rows.keys().filter(of_point).cloned().collect();
                for row in keys.iter().filter_map(|key| Some((key, self.rows.remove(key)?))).collect::<Vec<_>>() {
                    let calm = Row {
                        active: false,
                        chatters: false,
                        overdue: false,
                        pending_on: None,
                        pending_off: None,
                        inhibit: None,
                        ..row.1
                    };
                    self.rows.insert(row.0.clone(), calm);
                }
            }
            EventKind::ServiceReview { point, .. } => self.points.entry(point.clone()).or_default().reviewed = Some(at),
            EventKind::InService { point, .. } => self.points.entry(point.clone()).or_default().reviewed = None,
            EventKind::HazardStage { hazard } => match hazard.stage.due() {
                Some(due) => drop(self.dues.insert(hazard.id.clone(), due.wall_utc_ms)),
                None => drop(self.dues.remove(&hazard.id)),
            },
            EventKind::ConfigChanged { new_hash, .. } => {
                self.book = self.books[new_hash.parse::<usize>().unwrap()].clone();
                // What a book does not have is forgotten: brought back by another one it begins anew.
                self.rows.retain(|alarm, _| self.book.alarm_index(alarm).is_some());
            }
            _ => {}
        }
    }
}
