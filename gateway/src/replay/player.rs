//! One rule book played over recorded samples and steps: the same engine that runs live, with the recorded times.
//!
//! ```text
//!   batches of samples, in the order in which they came ──► scans (runs of one device) ─┐
//!   steps of the journal, by time ──────────────────────────────────────────────────────┴─► Engine, timers at their due time
//! ```
//!
//! A computed value joins the scan before it: it was computed with the end of that device's cycle, whatever devices its inputs hang on.
//!
//! Owns order and grouping. Every decision is the engine's.

use super::revisions::Revisions;
use super::script::{Step, seen};
use super::timeline::{Stretch, Timeline};
use crate::store::PastSample;
use rules::{
    Actor, BootSince, Command, DeviceId, Engine, Event, EventKind, Input, Mono, Now, PointId, Reading, Restored,
    RuleBook, Sample,
};
use std::time::Duration;

/// The boot in hand keeps its times; those of events before it lie at or before 0 on the clock of the replay.
fn boot_in_hand(before: &[Event], start: Now) -> BootSince {
    let first = before.iter().find(|e| e.at.mono > Mono(0));
    let (seq, at) = first.map_or((before.last().map_or(1, |e| e.seq + 1), start), |e| (e.seq, e.at));
    BootSince { seq, at, wall_mark_utc_ms: None }
}

fn is_flood_start(event: &Event) -> bool {
    matches!(event.kind, EventKind::FloodStarted { .. })
}

/// Samples of one device further apart than this are not of one scan.
const SCAN_MS: i64 = 1_000;
/// What a start reads back for the flood window.
const RECENT: Duration = Duration::from_secs(600);

/// A person's command that the rules refused in the replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    pub at: Now,
    pub command: Command,
    pub reason: String,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Played {
    pub events: Vec<Event>,
    pub refused: Vec<Refused>,
    pub samples: u64,
}

/// Where a sample of a point belongs.
#[derive(Clone, Copy)]
struct Place {
    point: PointId,
    device: DeviceId,
    computed: bool,
}

/// The engine with everything it is fed from.
pub struct Player<'a> {
    engine: Engine,
    book: RuleBook,
    /// Rules that take over on the way, where each time is judged with its own.
    revisions: Option<&'a Revisions>,
    keys: &'a [String],
    timeline: &'a Timeline,
    steps: std::iter::Peekable<std::vec::IntoIter<(Now, Step)>>,
    /// By the reader's numbers, in the book in force.
    points: Vec<Option<Place>>,
    /// Where the last sample lay on the timeline.
    stretch: Stretch,
    /// The scan being collected, by the reader's numbers: another book may take over before it is judged.
    scan: Vec<(u32, Reading, Now)>,
    /// The same as the engine takes it; kept for its memory.
    samples: Vec<Sample>,
    /// The point, by the reader's numbers, whose device is scanned.
    scanned: Option<u32>,
    answered: bool,
    next_hazard: u64,
    /// The boot of the machine in which the recorded samples are.
    boot: BootSince,
    /// Nothing has been told yet, by no event and no sample: the watch begins with the first of them.
    untold: bool,
    last: Now,
    played: Played,
}

impl<'a> Player<'a> {
    /// Stands where the journal stood at `start`: `before` are its events until then, on the clock of the replay. One book judges
    /// throughout.
    #[must_use]
    pub fn new(
        book: &RuleBook,
        keys: &'a [String],
        timeline: &'a Timeline,
        before: &[Event],
        steps: Vec<(Now, Step)>,
        start: Now,
    ) -> Self {
        let mut player = Self {
            engine: Engine::new(book.clone(), Restored::default(), start),
            book: book.clone(),
            revisions: None,
            keys,
            timeline,
            steps: steps.into_iter().peekable(),
            points: numbered(book, keys),
            stretch: Stretch::default(),
            scan: Vec::new(),
            samples: Vec::new(),
            scanned: None,
            answered: false,
            next_hazard: 1,
            boot: boot_in_hand(before, start),
            untold: before.is_empty(),
            last: start,
            played: Played::default(),
        };
        before.iter().for_each(|event| {
            player.engine.apply(event);
            player.note(event);
        });
        player.restart(before, false, start);
        player
    }

    /// Each time is judged with the rules that were in force then, as far as they are on file.
    pub(super) fn by_revisions(mut self, revisions: Option<&'a Revisions>) -> Self {
        self.revisions = revisions;
        self
    }

    /// The next samples, in the order in which they came.
    pub fn feed(&mut self, batch: &[PastSample]) {
        for past in batch {
            let at = self.timeline.at_near(past.utc_ms, &mut self.stretch);
            let Some(place) = self.place_at(past.point, at) else { continue };
            let answered = past.answered.unwrap_or_else(|| is_heard(past.reading));
            if place.computed {
                self.join(past, at);
                continue;
            }
            self.played.samples += 1;
            let begins = self.scanned.and_then(|number| self.place(number)).map(|p| p.device) != Some(place.device)
                || self.answered != answered && past.answered.is_some()
                || self.has_in_hand(past.point)
                || self.scan.last().is_some_and(|(.., at)| (past.utc_ms - at.wall.utc_ms).abs() > SCAN_MS);
            if begins {
                self.flush();
                (self.scanned, self.answered) = (Some(past.point), answered);
            }
            self.answered |= answered;
            self.scan.push((past.point, past.reading, at));
        }
    }

    /// A computed value; without a scan before it, what it was computed from lies outside of what is played.
    fn join(&mut self, past: &PastSample, at: Now) {
        let Some(number) = self.scanned else { return };
        self.played.samples += 1;
        if self.has_in_hand(past.point) {
            // Two cycles of one device, close together.
            self.flush();
            self.scanned = Some(number);
        }
        self.scan.push((past.point, past.reading, at));
    }

    fn has_in_hand(&self, point: u32) -> bool {
        self.scan.iter().any(|(number, ..)| *number == point)
    }

    fn place(&self, number: u32) -> Option<Place> {
        self.points.get(number as usize).copied().flatten()
    }

    /// Where a point belongs in the book in force; a start may just have brought a book that has it.
    fn place_at(&mut self, number: u32, at: Now) -> Option<Place> {
        let now = self.place(number);
        if now.is_none() && self.steps.peek().is_some_and(|(due, _)| due.mono <= at.mono) {
            self.flush();
            self.steps_until(at.mono);
            return self.place(number);
        }
        now
    }

    /// Everything until `end`.
    #[must_use]
    pub fn finish(mut self, end: Now) -> Played {
        self.flush();
        self.steps_until(end.mono);
        self.timers(end.mono, true);
        self.played
    }

    fn flush(&mut self) {
        let Some(scanned) = self.scanned.take() else { return };
        let times = || self.scan.iter().map(|(.., at)| *at);
        let (Some(begun), Some(now)) = (times().min_by_key(|at| at.mono), times().max_by_key(|at| at.mono)) else {
            return;
        };
        let first = begun.mono;
        self.steps_until(first);
        if std::mem::take(&mut self.untold) {
            self.restart(&[], false, begun);
        }
        self.timers(first, false);
        self.last = now;
        // Only now: a step may have brought another book.
        self.samples.clear();
        for (number, reading, at) in self.scan.drain(..) {
            let Some(Place { point, .. }) = self.points[number as usize] else { continue };
            self.samples.push(Sample { point, reading, raw: rules::Raw::NONE, at });
        }
        let Some(Place { device, .. }) = self.place(scanned) else { return };
        let begun = self.played.events.len();
        let scan = Input::Scan { device, answered: self.answered, samples: &self.samples };
        self.engine.handle(scan, now, &mut self.played.events);
        self.noted(begun);
    }

    fn steps_until(&mut self, until: Mono) {
        while let Some((at, step)) = self.steps.next_if(|(at, _)| at.mono <= until) {
            self.untold = false;
            // While the daemon was down nothing was judged; after a kill nobody knows since when, but for its last sign of life.
            // A change sees to what was due before it by itself.
            if !matches!(step, Step::Start { .. }) {
                self.timers(at.mono, !matches!(step, Step::Change { .. }));
            }
            self.last = at;
            let begun = self.played.events.len();
            match step {
                Step::Start { seq, rebooted, .. } => {
                    if let Some(book) = self.revision(seq) {
                        self.use_book(book);
                    }
                    let recent: Vec<Event> = self.recent(at).cloned().collect();
                    self.restart(&recent, rebooted, at);
                }
                Step::Change { seq, change } => {
                    if let Some(book) = self.revision(seq) {
                        self.use_book(book.clone());
                        let _ = self.engine.change_config(book, &change, at, &mut self.played.events);
                    }
                }
                Step::Stop => {}
                Step::System(condition, active) => {
                    self.engine.handle(Input::System { condition, active }, at, &mut self.played.events);
                }
                Step::Person(command, actor) => self.person(&command, &actor, at),
            }
            self.noted(begun);
        }
    }

    fn revision(&self, seq: u64) -> Option<RuleBook> {
        self.revisions?.book(seq).cloned()
    }

    fn use_book(&mut self, book: RuleBook) {
        self.points = numbered(&book, self.keys);
        self.book = book;
    }

    fn person(&mut self, command: &Command, actor: &Actor, at: Now) {
        // What else the person acknowledged with it has an entry of its own.
        let newest = match command {
            Command::Acknowledge { alarm, .. } => self.engine.called_seq(alarm),
            _ => None,
        };
        let command = seen(command, newest.unwrap_or(self.engine.next_seq() - 1));
        match self.engine.command(&command, actor, at, &mut self.played.events) {
            Ok(()) | Err(rules::Rejected::AlreadySo) => {}
            Err(reason) => self.played.refused.push(Refused { at, command, reason: reason.to_string() }),
        }
    }

    /// Each timer at its own time; those of the last instant only when `too`, because a sample comes before a timer.
    fn timers(&mut self, until: Mono, too: bool) {
        while let Some(due) = self.engine.truly_due(until).filter(|due| *due < until || too && *due == until) {
            let at = self.timeline.label(due.max(self.last.mono), self.last);
            self.last = at;
            let begun = self.played.events.len();
            self.engine.handle(Input::Tick, at, &mut self.played.events);
            self.noted(begun);
        }
    }

    /// As the gateway starts: from the stored rows and the events of the last minutes.
    fn restart(&mut self, recent: &[Event], rebooted: bool, now: Now) {
        let mark = Some(self.last.wall.utc_ms).filter(|_| rebooted);
        let boot = (!rebooted).then_some(self.boot);
        if rebooted {
            self.boot = BootSince { seq: self.engine.next_seq(), at: now, wall_mark_utc_ms: mark };
        }
        let restored = Restored {
            next_seq: self.engine.next_seq(),
            next_hazard: self.next_hazard,
            alarms: self.engine.alarms().eventful().map(|(_, a)| a).filter(|a| a.fact.is_some()).cloned().collect(),
            hazards: [self.engine.closed_hazards(), self.engine.hazards()].concat(),
            boot,
            wall_mark_utc_ms: mark,
            modes: self.engine.unit_modes(),
            recent: recent.to_vec(),
            stillness: self.engine.stillness(self.last),
        };
        self.engine = Engine::new(self.book.clone(), restored, now);
    }

    fn recent(&self, now: Now) -> impl Iterator<Item = &Event> {
        let events = &self.played.events;
        let within = events.partition_point(|e| now.mono.since(e.at.mono) > RECENT);
        let flood = self.engine.flood().and_then(|_| events.iter().rposition(is_flood_start));
        events[flood.map_or(within, |begun| begun.min(within))..].iter()
    }

    fn noted(&mut self, begun: usize) {
        for n in begun..self.played.events.len() {
            let event = self.played.events[n].clone();
            self.note(&event);
        }
    }

    /// What a start has to be told and the engine does not show.
    fn note(&mut self, event: &Event) {
        if let EventKind::HazardOpened { hazard } = &event.kind {
            let number = hazard.id.rsplit('-').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            self.next_hazard = self.next_hazard.max(number + 1);
        }
    }
}

/// What the reader's numbers are in a book.
fn numbered(book: &RuleBook, keys: &[String]) -> Vec<Option<Place>> {
    let place = |point: PointId| {
        let of = &book.points()[point.index()];
        Some(Place { point, device: book.device_id(&of.device)?, computed: of.computed })
    };
    keys.iter().map(|key| book.point_id(key).and_then(place)).collect()
}

/// Without a record of it: a device that says anything at all has answered.
fn is_heard(reading: Reading) -> bool {
    !matches!(reading, Reading::Bad(fault) if fault.is_communication())
}
