//! One unit on a link: its requests, the scan in progress, and whether it is alive.
//!
//! Pure state: time comes in as an argument, messages go out through the desk.

use crate::decode::{Image, decode};
use crate::line::AskError;
use crate::plan::cuts::Cuts;
use crate::plan::{Bounds, Cost, Span, arrange, distinct, plan};
use crate::profile::Field;
use crate::{DeviceSpec, PointBinding, Transport};
use rules::{Fault, Now, Reading, Sample};
use std::time::Duration;
use tokio::time::Instant;

/// Misses in a row after which a unit is dead.
const MISSES_TO_DIE: u32 = 3;
const FIRST_PROBE: Duration = Duration::from_secs(2);
const LAST_PROBE: Duration = Duration::from_secs(60);
const BUSY_PAUSE: Duration = Duration::from_millis(100);
const BUSY_REPEATS: u8 = 2;
const FIRST_MUTE: Duration = Duration::from_secs(10);

/// What an outcome changed that others want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Died,
    Back,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    span: Span,
    refusals: u32,
    muted_until: Option<Instant>,
    /// Read at least once as it is.
    proven: bool,
}

impl From<Span> for Block {
    fn from(span: Span) -> Self {
        Self { span, refusals: 0, muted_until: None, proven: false }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) at: Instant,
    pub(super) pause: Duration,
}

pub(super) struct Unit {
    pub(super) spec: DeviceSpec,
    pub(super) period: Duration,
    pub(super) due: Instant,
    /// Not to be asked before: gap of the profile, busy, or answers still owed.
    pub(super) not_before: Instant,
    pub(super) dead: Option<Probe>,
    values: Vec<Span>,
    cost: Cost,
    cuts: Cuts,
    blocks: Vec<Block>,
    cursor: usize,
    image: Image,
    answered: bool,
    misses: u32,
    busy: u8,
    fault: Fault,
    /// An answer to the present request may still be on its way.
    owed: bool,
}

impl Unit {
    pub(super) fn new(spec: DeviceSpec, transport: &Transport, now: Instant) -> Self {
        let spans: Vec<Span> = spec.points.iter().filter_map(|p| field(&spec, p)).flat_map(Field::spans).collect();
        let values = distinct(&spans);
        let cost = Cost::on(transport, spec.profile.limits.turnaround, None);
        let cuts = Cuts::default();
        let blocks = requests(&values, &spec, &cost, &cuts);
        let period = spec.points.iter().map(|p| p.period).min().unwrap_or(Duration::from_secs(1));
        Self {
            period: period.max(Duration::from_millis(10)),
            spec,
            due: now,
            not_before: now,
            dead: None,
            values,
            cost,
            cuts,
            blocks,
            cursor: 0,
            image: Image::default(),
            answered: false,
            misses: 0,
            busy: 0,
            fault: Fault::NeverRead,
            owed: false,
        }
    }

    /// The next request of the scan; skips what the device has refused for good. `None` when the scan is complete.
    pub(super) fn request(&mut self, now: Instant, label: Now) -> Option<Span> {
        let all_muted = self.blocks.iter().all(|b| b.muted_until.is_some_and(|t| t > now));
        while let Some(block) = self.blocks.get(self.cursor) {
            let muted = block.muted_until.is_some_and(|t| t > now) && !(all_muted && self.cursor == 0);
            if !muted {
                return Some(block.span);
            }
            self.image.put(block.span, Err(Fault::Configuration), label);
            self.cursor += 1;
        }
        None
    }

    pub(super) fn note(
        &mut self,
        outcome: Result<Vec<u16>, AskError>,
        now: Instant,
        label: Now,
        quarantine: Duration,
    ) -> Change {
        self.not_before = now + self.spec.profile.limits.min_gap;
        match outcome {
            Ok(words) => {
                self.blocks[self.cursor].refusals = 0;
                self.blocks[self.cursor].muted_until = None;
                self.prove();
                self.pass(Ok(words), label);
                self.revive(now, quarantine)
            }
            Err(AskError::Exception(code @ (0x0A | 0x0B))) => self.miss(Fault::Exception(code), now, label),
            Err(AskError::Exception(code)) => {
                self.refused(code, now, label);
                self.revive(now, quarantine)
            }
            Err(AskError::Timeout) => self.miss(Fault::Timeout, now, label),
            Err(AskError::Protocol | AskError::Gone) => self.miss(Fault::Protocol, now, label),
        }
    }

    fn prove(&mut self) {
        let block = &mut self.blocks[self.cursor];
        if !std::mem::replace(&mut block.proven, true) {
            let whole = block.span;
            let inside: Vec<Span> = self.values.iter().copied().filter(|v| whole.holds(*v)).collect();
            self.cuts.read(&inside);
        }
    }

    fn pass(&mut self, words: Result<Vec<u16>, Fault>, label: Now) {
        self.image.put(self.blocks[self.cursor].span, words, label);
        self.cursor += 1;
        self.busy = 0;
    }

    /// It answered. Where an earlier answer is still owed, requests of the same shape wait until it cannot come any more.
    fn revive(&mut self, now: Instant, quarantine: Duration) -> Change {
        self.answered = true;
        self.misses = 0;
        if std::mem::take(&mut self.owed) && self.has_lookalikes() {
            self.not_before = self.not_before.max(now + quarantine);
        }
        if self.dead.take().is_some() { Change::Back } else { Change::None }
    }

    fn has_lookalikes(&self) -> bool {
        let shape = |b: &Block| (b.span.function, b.span.count);
        self.blocks.iter().enumerate().any(|(i, a)| self.blocks[..i].iter().any(|b| shape(a) == shape(b)))
    }

    fn refused(&mut self, code: u8, now: Instant, label: Now) {
        match code {
            5 | 6 if self.busy < BUSY_REPEATS => {
                self.busy += 1;
                self.not_before = self.not_before.max(now + BUSY_PAUSE);
            }
            2 | 3 if self.split(now) => {}
            1..=3 => {
                let block = &mut self.blocks[self.cursor];
                block.refusals += 1;
                // The first time may be noise: it is asked again in the next cycle.
                let mute = (block.refusals > 1).then(|| FIRST_MUTE * (1 << block.refusals.min(4)) / 4);
                block.muted_until = mute.map(|d| now + d);
                self.pass(Err(Fault::Configuration), label);
            }
            other => self.pass(Err(Fault::Exception(other)), label),
        }
    }

    /// Replaces a refused request by smaller ones; false when it is for one value.
    fn split(&mut self, now: Instant) -> bool {
        let whole = self.blocks[self.cursor].span;
        let inside: Vec<Span> = self.values.iter().copied().filter(|v| whole.holds(*v)).collect();
        if !self.cuts.refused(&inside, now) {
            return false;
        }
        self.blocks.splice(self.cursor..=self.cursor, requests(&inside, &self.spec, &self.cost, &self.cuts));
        true
    }

    /// No answer. The same request comes first again, at once the first time: a late answer can then only be its own.
    fn miss(&mut self, fault: Fault, now: Instant, label: Now) -> Change {
        self.misses += 1;
        self.owed = true;
        self.fault = fault;
        if let Some(probe) = &mut self.dead {
            probe.pause = (probe.pause * 2).min(LAST_PROBE);
            probe.at = now + probe.pause;
            self.restart();
            return Change::None;
        }
        if self.misses == 1 {
            return Change::None;
        }
        let failed = self.cursor;
        while self.cursor < self.blocks.len() {
            self.pass(Err(fault), label);
        }
        self.blocks.rotate_left(failed);
        if self.misses < MISSES_TO_DIE {
            return Change::None;
        }
        self.dead = Some(Probe { at: now + FIRST_PROBE, pause: FIRST_PROBE });
        Change::Died
    }

    fn restart(&mut self) {
        self.cursor = 0;
        self.busy = 0;
        self.answered = false;
        self.image.clear();
    }

    /// Ends the scan: its readings, and whether the unit answered. The next cycle starts at its next due time.
    pub(super) fn finish(&mut self, now: Instant, label: Now) -> (bool, Vec<Sample>, usize) {
        let sample = |p: &PointBinding| match field(&self.spec, p) {
            Some(f) => Sample {
                point: p.point,
                reading: decode(f, &self.image),
                at: self.image.arrived(f.span).unwrap_or(label),
            },
            None => Sample { point: p.point, reading: Reading::Bad(Fault::Configuration), at: label },
        };
        let samples = self.spec.points.iter().map(sample).collect();
        let answered = self.answered;
        self.restart();
        if !self.cuts.is_empty() && self.cuts.try_one(now) {
            self.blocks = requests(&self.values, &self.spec, &self.cost, &self.cuts);
        }
        (answered, samples, self.advance(now))
    }

    /// Moves the due time past `now`; returns how many cycles were skipped.
    pub(super) fn advance(&mut self, now: Instant) -> usize {
        let late = now.saturating_duration_since(self.due).as_nanos() / self.period.as_nanos();
        let skipped = u32::try_from(late).unwrap_or(u32::MAX);
        self.due += self.period * skipped + self.period;
        skipped as usize
    }

    /// Every point bad for the same reason.
    pub(super) fn all_bad(&self, fault: Fault, label: Now) -> Vec<Sample> {
        let reading = Reading::Bad(fault);
        self.spec.points.iter().map(|p| Sample { point: p.point, reading, at: label }).collect()
    }

    /// Why the unit's points are bad without asking: it is dead, or no point names a field of its profile.
    pub(super) fn standing_fault(&self) -> Option<Fault> {
        if self.is_askable() { self.dead.map(|_| self.fault) } else { Some(Fault::Configuration) }
    }

    /// False when there is nothing to ask for.
    pub(super) fn is_askable(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// The link was lost: what was asked is void. A dead unit is probed as soon as the link is back.
    pub(super) fn link_lost(&mut self, now: Instant) {
        self.dead = self.dead.map(|_| Probe { at: now, pause: FIRST_PROBE });
        self.restart();
    }
}

fn field<'a>(spec: &'a DeviceSpec, point: &PointBinding) -> Option<&'a Field> {
    spec.profile.field(&point.field)
}

fn requests(values: &[Span], spec: &DeviceSpec, cost: &Cost, cuts: &Cuts) -> Vec<Block> {
    let bounds = Bounds::of(spec.profile.limits);
    let blocks = plan(values, bounds, cost, |v| cuts.stands_before(v));
    arrange(&blocks).into_iter().map(Block::from).collect()
}
