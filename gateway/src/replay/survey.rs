//! What the samples themselves say: how much a point trembles when nothing happens, and where samples are missing.
//!
//! Noise is the standard deviation around the straight line through each quiet five minutes; the point's noise is the median of
//! those. A deadband below three of it lets a value at its limit raise again and again (alarms.md 2.10).

use crate::store::PastSample;
use rules::book::PointKind;
use rules::{Reading, RuleBook};
use serde::Serialize;

const WINDOW_MS: i64 = 300_000;
/// A window with fewer values says nothing.
const VALUES_MIN: u32 = 20;
/// Nor does one of which only a part was recorded: a minute of a rise is no five quiet minutes.
const SPAN_MIN_S: f64 = 240.0;
/// Windows kept of a point: a month.
const WINDOWS_MAX: usize = 8640;
const GAPS_MAX: usize = 10_000;

/// Points whose deadband could be compared with their noise.
pub(super) fn banded(book: &RuleBook) -> usize {
    let has_band = |key: &str| book.rules().iter().any(|r| *r.point == *key && r.condition.band().is_some());
    book.points().iter().filter(|p| p.kind != PointKind::State && has_band(&p.key)).count()
}

/// One point's noise and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noise {
    pub point: String,
    pub unit: String,
    /// Standard deviation in quiet periods.
    pub sigma: f64,
    /// Quiet periods it rests on.
    pub windows: usize,
    /// Smallest deadband of the point's limits.
    pub deadband: f64,
    /// Three sigma, rounded up to two digits.
    pub proposed: f64,
    /// The deadband in force is smaller.
    pub too_small: bool,
}

/// Sums of one window, around its first value.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    begun_ms: i64,
    first: f64,
    n: u32,
    /// Seconds from the first value to the last.
    span: f64,
    t: f64,
    tt: f64,
    v: f64,
    vv: f64,
    tv: f64,
    /// When the newest sample came.
    newest_ms: i64,
    /// A value at a limit, none at all, or a time without samples: not a quiet window.
    disturbed: bool,
}

#[derive(Debug)]
struct PointSurvey {
    low: f64,
    high: f64,
    gap_ms: i64,
    last_ms: Option<i64>,
    sums: Sums,
    sigmas: Vec<f64>,
}

/// A time without samples of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    pub point: u32,
    pub from_ms: i64,
    pub to_ms: i64,
}

/// Gathers as the samples pass by.
#[derive(Debug)]
pub struct Survey {
    points: Vec<Option<PointSurvey>>,
    pub gaps: Vec<Gap>,
    /// Samples without a recorded reason (written by an earlier version).
    pub without_reason: u64,
    pub samples: u64,
}

impl Survey {
    /// `keys` are the points by the reader's numbers.
    #[must_use]
    pub fn new(book: &RuleBook, keys: &[String]) -> Self {
        let survey = |key: &String| {
            let point = &book.points()[book.point_id(key)?.index()];
            let gap_ms = i64::try_from((point.max_age.max(point.period * 3)).as_millis()).ok()? + 1000;
            let mut s = PointSurvey {
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
                gap_ms,
                last_ms: None,
                sums: Sums::default(),
                sigmas: Vec::new(),
            };
            for rule in book.rules().iter().filter(|r| r.point == *key) {
                match (rule.condition.word(), rule.condition.limit()) {
                    ("H" | "HH", Some(limit)) => s.high = s.high.min(limit),
                    ("L" | "LL", Some(limit)) => s.low = s.low.max(limit),
                    _ => {}
                }
            }
            Some(s)
        };
        Self { points: keys.iter().map(survey).collect(), gaps: Vec::new(), without_reason: 0, samples: 0 }
    }

    /// The next samples.
    pub fn take(&mut self, batch: &[PastSample]) {
        for s in batch {
            self.samples += 1;
            self.without_reason += u64::from(s.answered.is_none());
            let Some(point) = self.points.get_mut(s.point as usize).and_then(Option::as_mut) else { continue };
            if let Some(last) = point.last_ms
                && s.utc_ms - last > point.gap_ms
                && self.gaps.len() < GAPS_MAX
            {
                self.gaps.push(Gap { point: s.point, from_ms: last, to_ms: s.utc_ms });
            }
            point.last_ms = Some(s.utc_ms);
            point.value(s);
        }
    }

    /// The noise of every point with limits and enough quiet time.
    #[must_use]
    pub fn noise(mut self, book: &RuleBook, keys: &[String]) -> Vec<Noise> {
        let mut all = Vec::new();
        for (survey, key) in self.points.iter_mut().zip(keys) {
            let Some(survey) = survey else { continue };
            survey.close();
            let Some(point) = book.point_id(key).map(|p| &book.points()[p.index()]) else { continue };
            let deadband = book
                .rules()
                .iter()
                .filter(|r| r.point == *key)
                .filter_map(|r| r.condition.band())
                .map(|(_, deadband)| deadband)
                .min_by(f64::total_cmp);
            let (Some(deadband), Some(sigma)) = (deadband, median(&mut survey.sigmas)) else { continue };
            if point.kind == PointKind::State {
                continue;
            }
            let proposed = two_digits_up(3.0 * sigma);
            all.push(Noise {
                point: key.clone(),
                unit: point.unit.to_string(),
                sigma,
                windows: survey.sigmas.len(),
                deadband,
                proposed,
                too_small: deadband < 3.0 * sigma,
            });
        }
        all
    }
}

impl PointSurvey {
    fn value(&mut self, s: &PastSample) {
        if s.utc_ms - self.sums.begun_ms >= WINDOW_MS || s.utc_ms < self.sums.begun_ms {
            self.close();
            self.sums.begun_ms = s.utc_ms;
            self.sums.newest_ms = s.utc_ms;
        }
        // what happened in it nobody knows, and it counts as no recorded time
        self.sums.disturbed |= s.utc_ms - self.sums.newest_ms > self.gap_ms;
        self.sums.newest_ms = s.utc_ms;
        let Reading::Good(v) = s.reading else {
            self.sums.disturbed = true;
            return;
        };
        let v = v.get();
        self.sums.disturbed |= v >= self.high || v <= self.low;
        if self.sums.n == 0 {
            self.sums.first = v;
        }
        let (t, v) = ((s.utc_ms - self.sums.begun_ms) as f64 / 1000.0, v - self.sums.first);
        let sums = &mut self.sums;
        sums.n += 1;
        sums.span = t;
        sums.t += t;
        sums.tt += t * t;
        sums.v += v;
        sums.vv += v * v;
        sums.tv += t * v;
    }

    fn close(&mut self) {
        let s = std::mem::take(&mut self.sums);
        if s.n >= VALUES_MIN && s.span >= SPAN_MIN_S && !s.disturbed && self.sigmas.len() < WINDOWS_MAX {
            self.sigmas.push(s.sigma());
        }
    }
}

impl Sums {
    /// Around the straight line: what drifts is not noise.
    fn sigma(&self) -> f64 {
        let n = f64::from(self.n);
        let (stt, svv, stv) =
            (self.tt - self.t * self.t / n, self.vv - self.v * self.v / n, self.tv - self.t * self.v / n);
        let rest = if stt > 0.0 { svv - stv * stv / stt } else { svv };
        (rest.max(0.0) / (n - 2.0)).sqrt()
    }
}

fn median(list: &mut [f64]) -> Option<f64> {
    list.sort_by(f64::total_cmp);
    list.get(list.len() / 2).copied()
}

fn two_digits_up(v: f64) -> f64 {
    if v <= 0.0 {
        return 0.0;
    }
    let step = 10_f64.powf(v.log10().floor() - 1.0);
    let up = (v / step - 1e-9).ceil() * step;
    // The decimal that is meant, not its binary neighbour.
    format!("{up:.12}").parse().unwrap_or(up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::Finite;

    fn survey(values: impl Iterator<Item = (i64, f64)>) -> PointSurvey {
        let mut s = PointSurvey {
            low: f64::NEG_INFINITY,
            high: 1000.0,
            gap_ms: 4000,
            last_ms: None,
            sums: Sums::default(),
            sigmas: Vec::new(),
        };
        for (utc_ms, v) in values {
            let reading = Reading::Good(Finite::new(v).unwrap());
            s.value(&PastSample { point: 0, utc_ms, reading, answered: Some(true) });
        }
        s.close();
        s
    }

    #[test]
    fn a_drift_is_not_noise_and_a_tremble_is() {
        let drift = survey((0..600).map(|k| (k * 1000, 20.0 + 0.01 * k as f64)));
        assert_eq!(drift.sigmas.len(), 2);
        assert!(drift.sigmas.iter().all(|s| *s < 1e-6), "{:?}", drift.sigmas);
        let tremble =
            survey((0..600).map(|k| (k * 1000, 20.0 + 0.01 * k as f64 + if k % 2 == 0 { 0.5 } else { -0.5 })));
        assert!(tremble.sigmas.iter().all(|s| (s - 0.5).abs() < 0.01), "{:?}", tremble.sigmas);
    }

    #[test]
    fn a_minute_of_values_is_no_quiet_five_minutes() {
        assert_eq!(survey((0..65).map(|k| (k * 1000, 20.0))).sigmas.len(), 0);
        assert_eq!(survey((0..260).map(|k| (k * 1000, 20.0))).sigmas.len(), 1);
    }

    #[test]
    fn a_window_with_a_gap_inside_is_not_recorded() {
        let two_ends = (0..40).chain(240..280).map(|k| (k * 1000, 20.0));
        assert_eq!(survey(two_ends).sigmas.len(), 0);
        let beat_missed = (0..260).filter(|k| k % 10 > 1).map(|k| (k * 1000, 20.0));
        assert_eq!(survey(beat_missed).sigmas.len(), 1);
    }

    #[test]
    fn a_window_with_a_value_at_its_limit_is_not_quiet() {
        assert_eq!(survey((0..300).map(|k| (k * 1000, if k == 7 { 1000.0 } else { 1.0 }))).sigmas.len(), 0);
    }

    #[test]
    fn proposals_round_up_to_two_digits() {
        assert_eq!([0.0, 0.031, 1.234, 12.01, 120.0].map(two_digits_up), [0.0, 0.031, 1.3, 13.0, 120.0]);
    }
}
