//! The whole of it: one reader of the history, one player per rule book, each on a thread of its own.

use super::changes::{Changes, changes};
use super::compare::{Circumstances, Comparison, Why, compare};
use super::player::{Played, Player, Refused};
use super::script::{self, Step};
use super::survey::{Gap, Noise, Survey};
use super::timeline::Timeline;
use crate::kpi;
use crate::store::{Past, PastSample, Span, StoreError};
use rules::{Event, EventKind, Now, RuleBook};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Before the time that is asked for, so that delays and windows stand as they stood.
const WARM_UP_MS: i64 = 600_000;
/// Batches under way to a player.
const BATCHES_MAX: usize = 16;
/// Samples in one batch.
const BATCH: usize = 16_384;

/// What is asked.
#[derive(Debug)]
pub struct Ask<'a> {
    pub book: &'a RuleBook,
    /// Hash of the configuration in hand: tells whether the same rules were in force.
    pub config_hash: &'a str,
    pub other: Option<&'a RuleBook>,
    pub span: Span,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    pub comparison: Comparison,
    /// The rules in force, played.
    pub present: kpi::Report,
    pub refused: Vec<Refused>,
    /// The other rules.
    pub other: Option<Other>,
    pub noise: Vec<Noise>,
    pub samples: u64,
    pub gaps: usize,
    pub damaged_blocks: u64,
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
    let (start, end) = (timeline.at(start_ms), timeline.at(ask.span.to_ms));
    let steps: Vec<(Now, Step)> = journal[before..]
        .iter()
        .take_while(|e| e.at.wall.utc_ms <= ask.span.to_ms)
        .filter_map(|e| Some((timeline.recorded(e), script::step(e, timeline.booted(e))?)))
        .collect();

    let keys = keys(ask);
    let player = |book| Player::new(book, &keys, &timeline, &recorded[..before], steps.clone(), start);
    let samples = Span { from_ms: start_ms, to_ms: ask.span.to_ms };
    let (present, other, survey, damaged) = std::thread::scope(|scope| {
        let (to_present, present) = sync_channel(BATCHES_MAX);
        let present = scope.spawn(move || play(player(ask.book), &present, end));
        let mut outlets = vec![to_present];
        let other = ask.other.map(|book| {
            let (to_other, other) = sync_channel(BATCHES_MAX);
            outlets.push(to_other);
            scope.spawn(move || play(player(book), &other, end))
        });
        let mut survey = Survey::new(ask.book, &keys);
        let damaged = read(past, samples, &keys, &outlets, &mut survey, progress);
        drop(outlets);
        let present = present.join().expect("a player only panics by a defect");
        (present, other.map(|o| o.join().expect("a player only panics by a defect")), survey, damaged)
    });
    Ok(judge(ask, &recorded, &keys, &timeline, present, other, survey, damaged?))
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

/// Points of both books, by the reader's numbers.
fn keys(ask: &Ask<'_>) -> Vec<String> {
    let mut keys: Vec<String> = ask.book.points().iter().map(|p| p.key.to_string()).collect();
    if let Some(other) = ask.other {
        keys.extend(other.points().iter().filter(|p| ask.book.point_id(&p.key).is_none()).map(|p| p.key.to_string()));
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
    let mut waiting: Vec<PastSample> = Vec::with_capacity(BATCH);
    let send = |batch: Vec<PastSample>, survey: &mut Survey| {
        survey.take(&batch);
        let batch = Arc::new(batch);
        // A player that is gone has panicked; its join says so.
        outlets.iter().all(|outlet| outlet.send(batch.clone()).is_ok())
    };
    let mut damaged = 0;
    for day in past.days(span) {
        damaged += past.samples(&day, span, &|key| numbers.get(key).copied(), |block| {
            if let Some(last) = block.last() {
                progress(((last.utc_ms - span.from_ms) as f64 / length).clamp(0.0, 1.0));
            }
            waiting.extend(block);
            waiting.len() < BATCH || send(std::mem::replace(&mut waiting, Vec::with_capacity(BATCH)), survey)
        })?;
    }
    send(waiting, survey);
    progress(1.0);
    Ok(damaged)
}

#[allow(clippy::too_many_arguments, reason = "everything that was gathered comes together once")]
fn judge(
    ask: &Ask<'_>,
    recorded: &[Event],
    keys: &[String],
    timeline: &Timeline,
    present: Played,
    other: Option<Played>,
    survey: Survey,
    damaged_blocks: u64,
) -> Outcome {
    let inside = |e: &&Event| e.at.wall.utc_ms >= ask.span.from_ms && e.at.wall.utc_ms <= ask.span.to_ms;
    let decided = |events: &[Event]| -> Vec<Event> {
        events.iter().filter(inside).filter(|e| script::is_decided(&e.kind)).cloned().collect()
    };
    let known = Known {
        hashes: hashes(recorded),
        config_hash: ask.config_hash,
        gaps: &survey.gaps,
        keys,
        book: ask.book,
        steps_ms: &timeline.steps_ms,
        without_reasons: survey.without_reason > 0,
    };
    let comparison = compare(&decided(recorded), &decided(&present.events), &known);
    let (samples, gaps) = (present.samples, survey.gaps.len());
    let other = other.map(|played| Other {
        report: kpi::report(&played.events, ask.span),
        changes: changes(&decided(&present.events), &decided(&played.events)),
        refused: played.refused,
    });
    Outcome {
        comparison,
        present: kpi::report(&present.events, ask.span),
        refused: present.refused,
        other,
        noise: survey.noise(ask.book, keys),
        samples,
        gaps,
        damaged_blocks,
    }
}

/// From when on which configuration was in force.
fn hashes(recorded: &[Event]) -> Vec<(i64, String)> {
    recorded
        .iter()
        .filter_map(|e| match &e.kind {
            EventKind::Started { config_hash: hash, .. } | EventKind::ConfigChanged { new_hash: hash, .. } => {
                Some((e.at.wall.utc_ms, hash.clone()))
            }
            _ => None,
        })
        .collect()
}

struct Known<'a> {
    hashes: Vec<(i64, String)>,
    config_hash: &'a str,
    gaps: &'a [Gap],
    keys: &'a [String],
    book: &'a RuleBook,
    steps_ms: &'a [i64],
    without_reasons: bool,
}

impl Known<'_> {
    /// The gap belongs to the point, to a point of the device, or the event is of the whole site.
    fn concerns(&self, gap: Gap, subject: &str) -> bool {
        let Some(key) = self.keys.get(gap.point as usize) else { return false };
        let name = subject.rsplit_once(':').map_or(subject, |(name, _)| name);
        let device = || self.book.point_id(key).map(|p| self.book.points()[p.index()].device.as_str());
        name.is_empty() || name == key || device() == Some(name)
    }
}

impl Circumstances for Known<'_> {
    fn why(&self, kind: &str, subject: &str, at_ms: i64) -> Option<Why> {
        let in_force = self.hashes.iter().rev().find(|(from, _)| *from <= at_ms);
        if in_force.is_some_and(|(_, hash)| hash != self.config_hash) {
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
