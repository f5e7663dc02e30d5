//! The whole of it: one reader of the history, one player per rule book, each on a thread of its own.

use super::changes::{Changes, changes};
use super::compare::{Circumstances, Comparison, Why, compare};
use super::player::{Played, Player, Refused};
use super::revisions::{self, Revision, Revisions};
use super::script::{self, Step};
use super::survey::{Gap, Noise, Survey, banded};
use super::timeline::Timeline;
use crate::kpi;
use crate::store::{Past, PastSample, Span, StoreError};
use rules::{Event, Now, RuleBook};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Before the time that is asked for, so that delays and windows stand as they stood.
const WARM_UP_MS: i64 = 600_000;
/// Batches under way to a player.
const BATCHES_MAX: usize = 64;
/// Samples in one batch: few enough to stay in the cache of who plays them.
const BATCH: usize = 4_096;

/// Which rules the journal is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of each time, where they are on file.
    OfEachTime,
    /// Those in hand throughout: a look ahead.
    InHand,
}

/// What is asked.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The configuration in hand.
    pub book: &'a RuleBook,
    /// Its hash: tells whether the same rules were in force.
    pub config_hash: &'a str,
    pub rules: Rules,
    pub other: Option<&'a RuleBook>,
    pub span: Span,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    pub comparison: Comparison,
    /// The rules of each time, played; beside other rules those in hand.
    pub present: kpi::Report,
    pub refused: Vec<Refused>,
    /// The other rules.
    pub other: Option<Other>,
    pub noise: Vec<Noise>,
    /// Points with a deadband, of which those in `noise` could be compared.
    pub banded: usize,
    pub samples: u64,
    pub gaps: usize,
    pub damaged_blocks: u64,
    /// What put rules in force, and whether they are on file.
    pub revisions: Vec<Revision>,
    /// Rule books that were in force once and are no longer kept.
    pub books_dropped: u64,
}

/// What the other rules gave.
#[derive(Debug)]
pub struct Other {
    pub report: kpi::Report,
    pub changes: Changes,
    pub refused: Vec<Refused>,
}

/// How far it is, between 0 and 1.
pub type Progress<'a> = &'a mut (dyn FnMut(f64) + Send);

/// Plays a time again.
/// # Errors
/// The files cannot be read.
pub fn run(past: &Past, ask: &Ask<'_>, progress: Progress<'_>) -> Result<Outcome, StoreError> {
    let mut journal = Vec::new();
    past.records(|_| true, |record| journal.push(record.event))?;
    let start_ms = ask.span.from_ms - WARM_UP_MS;
    let before = journal.partition_point(|e| e.at.wall.utc_ms < start_ms);
    let keep = journal.get(before.saturating_sub(1)).or(journal.first()).map_or(0, |e| e.seq);
    let timeline = Timeline::of(journal.iter(), keep);
    let recorded: Vec<Event> = journal.iter().map(|e| Event { at: timeline.recorded(e), ..e.clone() }).collect();
    let revisions = Revisions::of(past, &journal, before, ask.span.to_ms, (ask.book, ask.config_hash))?;
    let steps = steps(&journal[before..], &timeline, ask.span.to_ms);

    let keys = keys(ask, &revisions);
    let samples = Span { from_ms: start_ms, to_ms: ask.span.to_ms };
    let stage = Stage { keys: &keys, timeline: &timeline, before: &recorded[..before], steps, span: samples };
    let mut survey = Survey::new(ask.book, &keys);
    let (played, damaged_blocks) = play_all(past, ask, &revisions, &stage, &mut survey, progress)?;
    Ok(judge(ask, &recorded, &stage, revisions, played, survey, damaged_blocks))
}

/// What happened from outside, by time.
fn steps(journal: &[Event], timeline: &Timeline, to_ms: i64) -> Vec<(Now, Step)> {
    let inside = journal.iter().take_while(|e| e.at.wall.utc_ms <= to_ms);
    let step = |e: &Event| Some((timeline.recorded(e), script::step(e, timeline.booted(e))?));
    revisions::without_echoes(inside.filter_map(step).collect())
}

/// What all players have in common.
struct Stage<'a> {
    /// Points by the reader's numbers.
    keys: &'a [String],
    timeline: &'a Timeline,
    before: &'a [Event],
    steps: Vec<(Now, Step)>,
    span: Span,
}

impl Stage<'_> {
    fn player(&self, book: &RuleBook) -> Player<'_> {
        let start = self.timeline.at(self.span.from_ms);
        Player::new(book, self.keys, self.timeline, self.before, self.steps.clone(), start)
    }
}

/// What the players gave.
struct PlayedAll {
    /// Beside the journal.
    recorded: Played,
    /// The rules in hand, where they are not those.
    present: Option<Played>,
    other: Option<Played>,
}

/// One reader of the history feeds every player on its own thread.
fn play_all(
    past: &Past,
    ask: &Ask<'_>,
    revisions: &Revisions,
    stage: &Stage<'_>,
    survey: &mut Survey,
    progress: Progress<'_>,
) -> Result<(PlayedAll, u64), StoreError> {
    let of_each_time = ask.rules == Rules::OfEachTime;
    let apart = of_each_time && ask.other.is_some() && revisions.differ();
    let end = stage.timeline.at(stage.span.to_ms);
    std::thread::scope(|scope| {
        let mut outlets = Vec::new();
        let mut seat = |book: &RuleBook, of_each_time: bool| {
            let (outlet, batches) = sync_channel(BATCHES_MAX);
            outlets.push(outlet);
            let (book, revisions) = (book.clone(), Some(revisions).filter(|_| of_each_time));
            scope.spawn(move || play(stage.player(&book).by_revisions(revisions), &batches, end))
        };
        let first = revisions.first().filter(|_| of_each_time).unwrap_or(ask.book);
        let recorded = seat(first, of_each_time);
        let present = apart.then(|| seat(ask.book, false));
        let other = ask.other.map(|book| seat(book, false));
        let damaged = read(past, stage.span, stage.keys, &outlets, survey, progress);
        drop(outlets);
        let end = |thread: std::thread::ScopedJoinHandle<'_, Played>| {
            thread.join().expect("a player only panics by a defect")
        };
        let played = PlayedAll { recorded: end(recorded), present: present.map(end), other: other.map(end) };
        Ok((played, damaged?))
    })
}

/// Samples that a look at the noise reads at most: a second or two.
const NOISE_SAMPLES: f64 = 50e6;

/// The noise of every point with a deadband over the newest history, at most `length_ms` of it; less where many points are read often.
/// None without samples.
/// # Errors
/// The files cannot be read.
pub fn noise(
    past: &Past,
    book: &RuleBook,
    length_ms: i64,
    progress: Progress<'_>,
) -> Result<Option<(Span, Vec<Noise>)>, StoreError> {
    let Some(recorded) = past.samples_span() else { return Ok(None) };
    let per_s: f64 = book.points().iter().map(|p| 1.0 / p.period.as_secs_f64().max(1e-3)).sum();
    #[allow(clippy::cast_possible_truncation, reason = "cut to the length that is asked")]
    let readable_ms = (NOISE_SAMPLES / per_s.max(1.0) * 1000.0) as i64;
    let from_ms = recorded.from_ms.max(recorded.to_ms - length_ms.min(readable_ms));
    let span = Span { from_ms, to_ms: recorded.to_ms };
    let keys: Vec<String> = book.points().iter().map(|p| p.key.to_string()).collect();
    let mut survey = Survey::new(book, &keys);
    read(past, span, &keys, &[], &mut survey, progress)?;
    Ok(Some((span, survey.noise(book, &keys))))
}

/// Points of all books, by the reader's numbers: those in hand first.
fn keys(ask: &Ask<'_>, revisions: &Revisions) -> Vec<String> {
    let mut keys: Vec<String> = ask.book.points().iter().map(|p| p.key.to_string()).collect();
    let mut known: BTreeSet<String> = keys.iter().cloned().collect();
    for point in ask.other.into_iter().chain(revisions.books()).flat_map(RuleBook::points) {
        if known.insert(point.key.to_string()) {
            keys.push(point.key.to_string());
        }
    }
    keys
}

fn play(mut player: Player<'_>, batches: &Receiver<Arc<Vec<PastSample>>>, end: Now) -> Played {
    while let Ok(batch) = batches.recv() {
        player.feed(&batch);
    }
    player.finish(end)
}

fn read(
    past: &Past,
    span: Span,
    keys: &[String],
    outlets: &[SyncSender<Arc<Vec<PastSample>>>],
    survey: &mut Survey,
    progress: Progress<'_>,
) -> Result<u64, StoreError> {
    let numbers: std::collections::BTreeMap<&str, u32> = keys.iter().map(String::as_str).zip(0..).collect();
    let length = (span.to_ms - span.from_ms).max(1) as f64;
    let mut waiting: Vec<PastSample> = Vec::with_capacity(2 * BATCH);
    let send = |batch: Vec<PastSample>, survey: &mut Survey| {
        survey.take(&batch);
        let batch = Arc::new(batch);
        // A player that is gone has panicked; its join says so.
        outlets.iter().all(|outlet| outlet.send(batch.clone()).is_ok())
    };
    let mut damaged = 0;
    for day in past.days(span) {
        damaged += past.samples(&day, span, &|key| numbers.get(key).copied(), &mut waiting, |waiting| {
            if waiting.len() < BATCH {
                return true;
            }
            if let Some(last) = waiting.last() {
                progress(((last.utc_ms - span.from_ms) as f64 / length).clamp(0.0, 1.0));
            }
            send(std::mem::replace(waiting, Vec::with_capacity(2 * BATCH)), survey)
        })?;
    }
    send(waiting, survey);
    progress(1.0);
    Ok(damaged)
}

fn judge(
    ask: &Ask<'_>,
    recorded: &[Event],
    stage: &Stage<'_>,
    revisions: Revisions,
    played: PlayedAll,
    survey: Survey,
    damaged_blocks: u64,
) -> Outcome {
    let inside = |e: &&Event| e.at.wall.utc_ms >= ask.span.from_ms && e.at.wall.utc_ms <= ask.span.to_ms;
    let decided = |events: &[Event]| -> Vec<Event> {
        events.iter().filter(inside).filter(|e| script::is_decided(&e.kind)).cloned().collect()
    };
    let known = Known {
        ask,
        revisions: &revisions,
        gaps: &survey.gaps,
        keys: stage.keys,
        steps_ms: &stage.timeline.steps_ms,
        without_reasons: survey.without_reason > 0,
    };
    let comparison = compare(&decided(recorded), &decided(&played.recorded.events), &known);
    let (samples, gaps) = (played.recorded.samples, survey.gaps.len());
    let present = played.present.as_ref().unwrap_or(&played.recorded);
    let other = played.other.as_ref().map(|other| Other {
        report: kpi::report(&other.events, ask.span),
        changes: changes(&decided(&present.events), &decided(&other.events)),
        refused: other.refused.clone(),
    });
    Outcome {
        comparison,
        present: kpi::report(&present.events, ask.span),
        other,
        refused: played.recorded.refused,
        noise: survey.noise(ask.book, stage.keys),
        banded: banded(ask.book),
        samples,
        gaps,
        damaged_blocks,
        books_dropped: revisions.dropped,
        revisions: revisions.all,
    }
}

struct Known<'a> {
    ask: &'a Ask<'a>,
    revisions: &'a Revisions,
    gaps: &'a [Gap],
    keys: &'a [String],
    steps_ms: &'a [i64],
    without_reasons: bool,
}

impl Known<'_> {
    /// The gap belongs to the point, to a point of the device, or the event is of the whole site.
    fn concerns(&self, gap: Gap, subject: &str) -> bool {
        let Some(key) = self.keys.get(gap.point as usize) else { return false };
        let name = subject.rsplit_once(':').map_or(subject, |(name, _)| name);
        let device = || self.ask.book.point_id(key).map(|p| self.ask.book.points()[p.index()].device.as_str());
        name.is_empty() || name == key || device() == Some(name)
    }
}

impl Circumstances for Known<'_> {
    fn why(&self, kind: &str, subject: &str, at_ms: i64) -> Option<Why> {
        let same_rules = match self.ask.rules {
            Rules::OfEachTime => self.revisions.is_on_file(at_ms),
            Rules::InHand => self.revisions.were_in_hand(at_ms),
        };
        if !same_rules {
            return Some(Why::OtherRules);
        }
        let near = |gap: &&Gap| at_ms >= gap.from_ms && at_ms <= gap.to_ms + WARM_UP_MS;
        if self.gaps.iter().filter(near).any(|gap| self.concerns(*gap, subject)) {
            return Some(Why::Gap);
        }
        if self.steps_ms.iter().any(|step| (at_ms - step).abs() < WARM_UP_MS) {
            return Some(Why::ClockStep);
        }
        let bad = subject.ends_with(":SENSOR_FAULT") || subject.ends_with(":COMMS_LOSS") || kind.ends_with("held");
        (self.without_reasons && bad).then_some(Why::NoReasons)
    }
}
