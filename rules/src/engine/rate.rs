//! Rate of change: the least-squares slope over a window.
//!
//! It needs five samples that cover four fifths of the window, and none after a gap of half of it: a slope across a hole says
//! nothing. The ring is bounded: a fast point keeps one sample per sixtieth of the window.

use super::Engine;
use super::limit::Verdict;
use super::stuck::Memory;
use crate::book::Condition;
use crate::reading::Reading;
use crate::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// Fewer samples have no slope.
const SAMPLES_MIN: usize = 5;
/// More are not kept.
const SAMPLES_MAX: usize = 64;
/// Clears below this part of the limit.
const CLEAR_AT: f64 = 0.8;

/// One sample, and whether it proves what it says: the first value after a time-out and a value of a test do not.
#[derive(Clone, Copy, Debug)]
struct Taken {
    at: Mono,
    value: f64,
    proves: bool,
}

/// Samples of one window, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(VecDeque<Taken>);

impl Samples {
    /// A sample that is in already is judged again, not counted again. Without a value there is none.
    pub(super) fn push(&mut self, at: Mono, reading: Reading, window: Duration) {
        let Some(value) = reading.value() else { return };
        if self.0.back().is_some_and(|last| last.at >= at) {
            return;
        }
        if self.0.back().is_some_and(|last| at.since(last.at) > window / 2) {
            self.0.clear();
        }
        let spacing = window / 60;
        if self.0.len() >= 2 && at.since(self.0[self.0.len() - 2].at) < spacing {
            self.0.pop_back();
        }
        self.0.push_back(Taken { at, value, proves: reading.proves_normal() });
        while self.0.len() > SAMPLES_MAX || self.0.front().is_some_and(|first| at.since(first.at) > window) {
            self.0.pop_front();
        }
    }

    /// Time of the newest.
    pub(super) fn newest(&self) -> Option<Mono> {
        self.0.back().map(|last| last.at)
    }

    /// The least-squares line of all: units per minute, and where it is at the newest sample.
    pub(super) fn line(&self, window: Duration) -> Option<(f64, f64)> {
        line(self.0.iter(), window)
    }

    /// Units per minute of all, and of those that prove something; none while they do not carry a slope, also across what proves nothing.
    fn slopes(&self, window: Duration) -> (Option<f64>, Option<f64>) {
        let all = self.line(window).map(|(slope, _)| slope);
        if self.0.iter().all(|s| s.proves) {
            return (all, all);
        }
        let proving = || self.0.iter().filter(|s| s.proves);
        let whole = proving().zip(proving().skip(1)).all(|(a, b)| b.at.since(a.at) <= window / 2);
        let newest = proving().next_back().map(|s| s.at).zip(self.newest());
        let whole = whole && newest.is_some_and(|(proved, newest)| newest.since(proved) <= window / 2);
        (all, line(proving(), window).map(|(slope, _)| slope).filter(|_| whole))
    }
}

/// Enough of them, over enough of the window.
fn carry_slope<'a>(mut samples: impl DoubleEndedIterator<Item = &'a Taken> + Clone, window: Duration) -> bool {
    let enough = samples.clone().count() >= SAMPLES_MIN;
    let span = samples.next().zip(samples.next_back()).map(|(first, last)| last.at.since(first.at));
    enough && span.is_some_and(|span| span >= window.mul_f64(0.8))
}

fn line<'a>(samples: impl DoubleEndedIterator<Item = &'a Taken> + Clone, window: Duration) -> Option<(f64, f64)> {
    if !carry_slope(samples.clone(), window) {
        return None;
    }
    let (first, last) = (samples.clone().next()?.at, samples.clone().next_back()?.at);
    let minutes = |t: Mono| t.since(first).as_secs_f64() / 60.0;
    #[allow(clippy::cast_precision_loss, reason = "at most 64 samples")]
    let n = samples.clone().count() as f64;
    let mean_t = samples.clone().map(|s| minutes(s.at)).sum::<f64>() / n;
    let mean_v = samples.clone().map(|s| s.value).sum::<f64>() / n;
    let (mut above, mut below) = (0.0, 0.0);
    for s in samples {
        let d = minutes(s.at) - mean_t;
        above += d * (s.value - mean_v);
        below += d * d;
    }
    let slope = (below > 0.0).then(|| above / below)?;
    Some((slope, mean_v + slope * (minutes(last) - mean_t)))
}

impl Engine {
    /// Its samples have a slope now that proves something.
    pub(super) fn has_slope(&self, i: usize, window: Duration) -> bool {
        matches!(&self.memory[i], Memory::Rate(samples) if samples.slopes(window).1.is_some())
    }

    /// Units per minute, while its samples have a slope; the steeper of the two in that direction.
    pub(super) fn slope(&self, i: usize, window: Duration, sign: f64) -> Option<f64> {
        let Memory::Rate(samples) = &self.memory[i] else { return None };
        let (all, proved) = samples.slopes(window);
        [all, proved].into_iter().flatten().max_by(|a, b| (a * sign).total_cmp(&(b * sign)))
    }

    /// What proves nothing may make the slope that raises, and never the one that clears.
    pub(super) fn rate_verdict(&mut self, i: usize, reading: Reading) -> Verdict {
        // By the time of the sample: a change of configuration or mode judges it later than it came.
        let point = self.book.index().point_of_rule[i].index();
        let Some(at) = self.newest[point].filter(|_| reading.value().is_some()) else { return Verdict::NotEvaluable };
        let (sign, limit, window) = match self.condition_of(i) {
            Condition::Rising { limit_per_min, window } => (1.0, *limit_per_min, *window),
            Condition::Falling { limit_per_min, window } => (-1.0, *limit_per_min, *window),
            _ => return Verdict::NotEvaluable,
        };
        if !matches!(self.memory[i], Memory::Rate(_)) {
            self.memory[i] = Memory::Rate(Box::default());
        }
        let Memory::Rate(samples) = &mut self.memory[i] else { return Verdict::NotEvaluable };
        samples.push(at, reading, window);
        let (all, proved) = samples.slopes(window);
        if [all, proved].into_iter().flatten().any(|slope| slope * sign >= limit) {
            return Verdict::True;
        }
        proved.map_or(Verdict::NotEvaluable, |slope| Verdict::of(false, slope * sign < CLEAR_AT * limit))
    }
}
