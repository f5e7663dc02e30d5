//! How long values have stood still, carried over a start (2.4: "last-change time persisted").
//!
//! ```text
//!   history on disk ──take──► Stillness ──Restored──► anchors of stuck rules that were not pending yet
//! ```
//! The samples are on disk anyway; nothing more is written while the site runs. From half its window on a stuck value is pending,
//! which is a row of the store: only the first half is looked for. Labels of the wall clock date it, so that it counts only where that
//! clock may be believed.
//!
//! Owns what is remembered of each rule. Leaves reading the samples to the gateway.

use super::Engine;
use super::restore::Passage;
use super::stuck::{Anchor, Memory, is_blind};
use crate::book::{Condition, PointId, RuleBook};
use crate::time::{Mono, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// Extremes of a rule's point since they last moved by more than its epsilon.
#[derive(Clone, Copy, Debug)]
struct Still {
    low: f64,
    high: f64,
    since_utc_ms: i64,
    newest_utc_ms: i64,
}

/// What a history says of the stuck rules of a book, by alarm key.
#[derive(Clone, Debug, Default)]
pub struct Stillness(BTreeMap<String, Still>);

impl Stillness {
    /// How far back it must be read from the newest sample; none without such rules.
    #[must_use]
    pub fn reach(book: &RuleBook) -> Option<Duration> {
        let windows = book.rules().iter().filter_map(|r| match r.condition {
            Condition::Stuck { window, .. } => Some(window / 2),
            _ => None,
        });
        windows.max()
    }

    /// One sample with a value, oldest first.
    pub fn take(&mut self, book: &RuleBook, point: PointId, value: f64, utc_ms: i64) {
        for rule in &book.index().rules_of_point[point.index()] {
            let Condition::Stuck { epsilon, window } = book.rules()[rule.index()].condition else { continue };
            let begun = Still { low: value, high: value, since_utc_ms: utc_ms, newest_utc_ms: utc_ms };
            let known = self.0.entry(book.alarm_key(rule.index())).or_insert(begun);
            let gap = Duration::from_millis(u64::try_from(utc_ms.saturating_sub(known.newest_utc_ms)).unwrap_or(0));
            let blind = is_blind(gap, window, book.points()[point.index()].max_age);
            let (low, high) = (known.low.min(value), known.high.max(value));
            let still = !blind && high - low <= epsilon;
            *known = if still { Still { low, high, newest_utc_ms: utc_ms, ..*known } } else { begun };
        }
    }
}

impl Engine {
    /// What stands still now, as a history up to now would say.
    #[must_use]
    pub fn stillness(&self, now: Now) -> Stillness {
        let of = |i: usize| match (&self.memory[i], self.condition_of(i)) {
            (Memory::Unchanged(a), Condition::Stuck { .. }) => {
                let label =
                    |ago: Duration| now.wall.utc_ms.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX));
                let (since_utc_ms, newest_utc_ms) = (label(a.age(now.mono)), label(a.gap(now.mono)));
                Some((self.alarms.key(i), Still { low: a.low, high: a.high, since_utc_ms, newest_utc_ms }))
            }
            _ => None,
        };
        Stillness((0..self.memory.len()).filter_map(of).collect())
    }

    /// A start: rules that were not pending yet go on from where their value stood.
    pub(super) fn restore_stillness(&mut self, stillness: &Stillness, passage: Passage) {
        for (key, still) in &stillness.0 {
            let Some(i) = self.alarm_index(key).filter(|i| *i < self.memory.len()) else { continue };
            let calm = !self.alarms[i].is_active() && self.alarms[i].pending_since().is_none();
            let Some(ago) = passage.ago(still.since_utc_ms).filter(|_| calm) else { continue };
            let Some(down) = passage.ago(still.newest_utc_ms) else { continue };
            let up = Duration::from_nanos(passage.now.mono.0);
            let since = Mono(u64::try_from(up.saturating_sub(ago).as_nanos()).unwrap_or(0));
            let before = ago.saturating_sub(up);
            let (Still { low, high, .. }, newest) = (*still, passage.now.mono);
            let anchor = Anchor { low, high, since, before, newest, down, proved: false };
            self.memory[i] = Memory::Unchanged(Box::new(anchor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::{parts, rule};

    fn with_stuck(windows_s: [u64; 2]) -> (RuleBook, PointId) {
        let mut p = parts();
        for (point, window_s) in ["GT-101", "GT-102"].into_iter().zip(windows_s) {
            let stuck = Condition::Stuck { epsilon: 0.1, window: Duration::from_secs(window_s) };
            p.rules.push(crate::book::Rule { off_delay: Duration::ZERO, ..rule(point, stuck, 3) });
        }
        let (book, _) = RuleBook::build(p).unwrap();
        let point = book.point_id("GT-101").unwrap();
        (book, point)
    }

    #[test]
    fn a_history_is_read_back_for_half_of_the_longest_window_and_not_at_all_without_one() {
        for windows_s in [[600, 100], [100, 600]] {
            assert_eq!(Stillness::reach(&with_stuck(windows_s).0), Some(Duration::from_secs(300)));
        }
        assert_eq!(Stillness::reach(&RuleBook::build(parts()).unwrap().0), None);
    }

    #[test]
    fn holes_of_a_history_count_from_its_newest_sample_and_each_by_the_window_of_its_own_rule() {
        let ((book, long), mut still) = (with_stuck([600, 100]), Stillness::default());
        let short = book.point_id("GT-102").unwrap();
        for utc_ms in [0, 200_000, 400_000, 600_000] {
            still.take(&book, long, 20.0, utc_ms);
            still.take(&book, short, 20.0, utc_ms);
        }
        let of = |key: &str| (still.0[key].since_utc_ms, still.0[key].newest_utc_ms);
        assert_eq!((of("GT-101:STUCK"), of("GT-102:STUCK")), ((0, 600_000), (600_000, 600_000)));
    }

    #[test]
    fn a_drift_by_small_steps_is_a_move() {
        let ((book, point), mut still) = (with_stuck([600, 600]), Stillness::default());
        for (utc_ms, value, since) in [(1, 20.0, 1), (2, 20.08, 1), (3, 20.16, 3), (4, 20.1, 3), (5, 20.05, 5)] {
            still.take(&book, point, value, utc_ms);
            assert_eq!(still.0["GT-101:STUCK"].since_utc_ms, since, "{utc_ms}");
        }
    }

    #[test]
    fn a_start_tells_how_long_a_value_has_stood_and_how_long_nobody_has_looked() {
        let ((book, point), now) = (with_stuck([600, 600]), |s: u64| Now {
            mono: Mono(s * 1_000_000_000),
            wall: crate::time::Wall::synced(i64::try_from(s * 1000).unwrap()),
        });
        let mut engine = Engine::new(book.clone(), crate::Restored::default(), now(0));
        for s in [100, 101] {
            let sample =
                crate::Sample { point, reading: crate::engine::tests::good(20.0), raw: crate::Raw::NONE, at: now(s) };
            let input = crate::Input::Scan { device: crate::DeviceId::mint(0), answered: true, samples: &[sample] };
            engine.handle(input, now(s), &mut Vec::new());
        }
        // Down from 101 s on; the machine booted at 130 s, the first start is at 150 s and another at 160 s.
        let since_boot = |s: u64| Now { mono: Mono((s - 130) * 1_000_000_000), ..now(s) };
        let mut restored = crate::Restored { stillness: engine.stillness(now(120)), ..crate::Restored::default() };
        for s in [150, 160] {
            let told = restored.stillness.0["GT-101:STUCK"];
            assert_eq!((told.since_utc_ms, told.newest_utc_ms), (100_000, 101_000), "{s}");
            let engine = Engine::new(book.clone(), restored, since_boot(s));
            let boot = Some(crate::BootSince { seq: 1, at: since_boot(150), wall_mark_utc_ms: None });
            let stillness = engine.stillness(since_boot(s + 5));
            restored = crate::Restored { stillness, boot, ..crate::Restored::default() };
        }
    }

    #[test]
    fn a_history_dates_stillness_by_the_last_move() {
        let ((book, point), mut still) = (with_stuck([600, 600]), Stillness::default());
        for (utc_ms, value) in [(1, 20.0), (2, 20.05), (3, 50.0), (4, 50.09), (5, 50.02)] {
            still.take(&book, point, value, utc_ms);
        }
        let only: Vec<(i64, f64, f64)> = still.0.values().map(|s| (s.since_utc_ms, s.low, s.high)).collect();
        assert_eq!(only, [(3, 50.0, 50.09)]);
    }

    #[test]
    fn a_history_with_a_hole_of_more_than_half_the_window_begins_anew_after_it() {
        let ((book, point), mut still) = (with_stuck([600, 600]), Stillness::default());
        let longest = 300_000 + i64::try_from(book.points()[point.index()].max_age.as_millis()).unwrap();
        for (utc_ms, since) in
            [(0, 0), (longest, 0), (2 * longest + 1, 2 * longest + 1), (2 * longest + 2, 2 * longest + 1)]
        {
            still.take(&book, point, 20.0, utc_ms);
            assert_eq!(still.0.values().map(|s| s.since_utc_ms).collect::<Vec<_>>(), [since], "{utc_ms}");
        }
    }
}
