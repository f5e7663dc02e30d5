//! Rate of change: the least-squares slope over a window.
//!
//! It needs five samples that cover four fifths of the window, and none after a gap of half of it: a slope across a hole says
//! nothing. The ring is bounded: a fast point keeps one sample per sixtieth of the window.

use super::Engine;
use super::limit::Verdict;
use super::stuck::Memory;
use crate::book::Condition;
use crate::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// Fewer samples have no slope.
const SAMPLES_MIN: usize = 5;
/// More are not kept.
const SAMPLES_MAX: usize = 64;
/// Clears below this part of the limit.
const CLEAR_AT: f64 = 0.8;

/// Samples of one window, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(VecDeque<(Mono, f64)>);

impl Samples {
    /// A sample that is in already is judged again, not counted again.
    pub(super) fn push(&mut self, at: Mono, v: f64, window: Duration) {
        if self.0.back().is_some_and(|(t, _)| *t >= at) {
            return;
        }
        if self.0.back().is_some_and(|(t, _)| at.since(*t) > window / 2) {
            self.0.clear();
        }
        let spacing = window / 60;
        if self.0.len() >= 2 && at.since(self.0[self.0.len() - 2].0) < spacing {
            self.0.pop_back();
        }
        self.0.push_back((at, v));
        while self.0.len() > SAMPLES_MAX || self.0.front().is_some_and(|(t, _)| at.since(*t) > window) {
            self.0.pop_front();
        }
    }

    /// Time of the newest.
    pub(super) fn newest(&self) -> Option<Mono> {
        self.0.back().map(|(at, _)| *at)
    }

    /// Units per minute; none while the samples do not carry one.
    fn slope_per_min(&self, window: Duration) -> Option<f64> {
        self.line(window).map(|(slope, _)| slope)
    }

    /// Enough of them, over enough of the window.
    fn carries_slope(&self, window: Duration) -> bool {
        let span = self.0.front().zip(self.0.back()).map(|(first, last)| last.0.since(first.0));
        self.0.len() >= SAMPLES_MIN && span.is_some_and(|span| span >= window.mul_f64(0.8))
    }

    /// The least-squares line: units per minute, and where it is at the newest sample.
    pub(super) fn line(&self, window: Duration) -> Option<(f64, f64)> {
        if !self.carries_slope(window) {
            return None;
        }
        let (first, last) = (self.0.front()?.0, self.0.back()?.0);
        let minutes = |t: Mono| t.since(first).as_secs_f64() / 60.0;
        #[allow(clippy::cast_precision_loss, reason = "at most 64 samples")]
        let n = self.0.len() as f64;
        let mean_t = self.0.iter().map(|(t, _)| minutes(*t)).sum::<f64>() / n;
        let mean_v = self.0.iter().map(|(_, v)| v).sum::<f64>() / n;
        let (mut above, mut below) = (0.0, 0.0);
        for (t, v) in &self.0 {
            let d = minutes(*t) - mean_t;
            above += d * (v - mean_v);
            below += d * d;
        }
        let slope = (below > 0.0).then(|| above / below)?;
        Some((slope, mean_v + slope * (minutes(last) - mean_t)))
    }
}

impl Engine {
    /// Its samples have a slope now.
    pub(super) fn has_slope(&self, i: usize, window: Duration) -> bool {
        matches!(&self.memory[i], Memory::Rate(samples) if samples.carries_slope(window))
    }

    /// Units per minute, while its samples have a slope.
    pub(super) fn slope(&self, i: usize, window: Duration) -> Option<f64> {
        match &self.memory[i] {
            Memory::Rate(samples) => samples.slope_per_min(window),
            _ => None,
        }
    }

    pub(super) fn rate_verdict(&mut self, i: usize, value: Option<f64>) -> Verdict {
        // By the time of the sample: a change of configuration or mode judges it later than it came.
        let point = self.book.index().point_of_rule[i].index();
        let Some((v, at)) = value.zip(self.newest[point]) else { return Verdict::NotEvaluable };
        let (sign, limit, window) = match self.condition_of(i) {
            Condition::Rising { limit_per_min, window } => (1.0, *limit_per_min, *window),
            Condition::Falling { limit_per_min, window } => (-1.0, *limit_per_min, *window),
            _ => return Verdict::NotEvaluable,
        };
        if !matches!(self.memory[i], Memory::Rate(_)) {
            self.memory[i] = Memory::Rate(Box::default());
        }
        let Memory::Rate(samples) = &mut self.memory[i] else { return Verdict::NotEvaluable };
        samples.push(at, v, window);
        match samples.slope_per_min(window).map(|s| s * sign) {
            Some(slope) => Verdict::of(slope >= limit, slope < CLEAR_AT * limit),
            None => Verdict::NotEvaluable,
        }
    }
}
