//! How long to wait for a unit: twice its observed 99th percentile, between the profile's floor and ceiling.
//!
//! Pure. Owns the last turnarounds of one unit. What the bytes take on the wire is not in them.

use crate::profile::Limits;
use std::time::Duration;

/// Turnarounds remembered: the second longest of them is the 99th percentile.
const REMEMBERED: usize = 128;
/// Answers before they say anything.
const ENOUGH: usize = 16;

/// Of a unit that is dead, but for long probes, and of one of which nobody knows how long it takes, where more is not to be had: nearly every
/// instrument answers within it.
pub(super) const SHORT_WAIT: Duration = Duration::from_millis(300);

/// The patience with one unit.
#[derive(Debug)]
pub(super) struct Patience {
    floor: Duration,
    ceiling: Duration,
    /// In microseconds: an hour fits, and a site has a thousand units.
    last: Vec<u32>,
    next: usize,
    fresh: usize,
    p99: Duration,
    median: Duration,
}

impl Patience {
    /// `link` is the longest wait on this link; a profile may ask for less.
    pub(super) fn new(limits: &Limits, link: Duration) -> Self {
        let ceiling = link.min(limits.timeout_ceiling);
        Self {
            floor: limits.timeout_floor.min(ceiling),
            ceiling,
            last: Vec::new(),
            next: 0,
            fresh: 0,
            p99: ceiling,
            median: Duration::ZERO,
        }
    }

    /// A request took so long to be answered.
    pub(super) fn answered(&mut self, turnaround: Duration) {
        let us = u32::try_from(turnaround.as_micros()).unwrap_or(u32::MAX);
        if self.last.len() < REMEMBERED {
            self.last.push(us);
        } else {
            self.last[self.next] = us;
            self.next = (self.next + 1) % REMEMBERED;
        }
        self.fresh += 1;
        if self.fresh >= ENOUGH {
            self.reckon();
        }
    }

    /// A request was not answered in time, yet the unit is alive: its answers may take longer than we wait.
    pub(super) fn missed(&mut self) {
        self.answered(self.ceiling);
        self.reckon();
    }

    /// It is dead: what it was used to may hold no more, and whoever asks it too briefly never learns how long it takes now.
    pub(super) fn forget(&mut self) {
        self.last.clear();
        (self.next, self.fresh, self.p99) = (0, 0, self.ceiling);
    }

    fn reckon(&mut self) {
        self.fresh = 0;
        let mut sorted = self.last.clone();
        sorted.sort_unstable();
        let at = |n: usize| Duration::from_micros(sorted[n].into());
        (self.p99, self.median) = (at(sorted.len() * 99 / 100), at(sorted.len() / 2));
    }

    /// Longest wait for an answer, without the bytes' own time.
    pub(super) fn limit(&self) -> Duration {
        if self.is_known() { (self.p99 * 2).clamp(self.floor, self.ceiling) } else { self.ceiling }
    }

    /// As long as it is waited for now; of one that is not known, as short as its profile allows.
    pub(super) fn least(&self) -> Duration {
        if self.is_known() { self.limit() } else { self.floor }
    }

    /// As long as a unit is waited for that answers as it usually does, or of which that is not known.
    pub(super) fn usual_wait(&self) -> Duration {
        self.usual().map_or(SHORT_WAIT, |usual| usual * 2).max(self.floor).min(self.ceiling)
    }

    /// True once the unit has answered often enough.
    pub(super) fn is_known(&self) -> bool {
        self.last.len() >= ENOUGH
    }

    /// The usual turnaround, once known.
    pub(super) fn usual(&self) -> Option<Duration> {
        self.is_known().then_some(self.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use proptest::prelude::*;

    const ONE: &str = "
title_zh = '一'
title_en = 'one'
[limits]
timeout_floor_ms = 50
timeout_ceiling_ms = 300
[field.a]
function = 3
address = 7
type = 'u16'
";

    fn patience() -> Patience {
        Patience::new(&Profile::from_toml("one", ONE).unwrap().limits, Duration::from_millis(500))
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_unit_that_is_not_known_gets_the_ceiling() {
        assert_eq!(patience().limit(), ms(300));
    }

    #[test]
    fn the_time_out_is_twice_the_99th_percentile_between_floor_and_ceiling() {
        for (turnaround, limit) in [(10, 50), (60, 120), (250, 300)] {
            let mut patience = patience();
            (0..32).for_each(|_| patience.answered(ms(turnaround)));
            assert_eq!(patience.limit(), ms(limit));
        }
    }

    #[test]
    fn one_slow_answer_of_a_hundred_changes_nothing_and_two_do() {
        let mut patience = patience();
        (0..127).for_each(|_| patience.answered(ms(40)));
        patience.answered(ms(140));
        assert_eq!(patience.limit(), ms(80));
        (0..16).for_each(|i| patience.answered(ms(if i == 0 { 140 } else { 40 })));
        assert_eq!(patience.limit(), ms(280));
    }

    #[test]
    fn missing_answers_of_a_living_unit_make_patient_at_once() {
        let mut patience = patience();
        (0..100).for_each(|_| patience.answered(ms(10)));
        patience.missed();
        patience.missed();
        assert_eq!(patience.limit(), ms(300));
    }

    /// In microseconds, all there were.
    fn known(all: &[u64]) -> Duration {
        let mut sorted = all[all.len().saturating_sub(128)..].to_vec();
        if sorted.len() < ENOUGH {
            return ms(300);
        }
        sorted.sort_unstable();
        Duration::from_micros(sorted[sorted.len() * 99 / 100] * 2).clamp(ms(50), ms(300))
    }

    proptest! {
        /// Whatever a unit does. Between two reckonings the limit is that of the last one: after every sixteenth answer and every miss.
        #[test]
        fn the_limit_is_twice_the_99th_percentile_of_the_last_128_and_no_miss_lowers_it(
            turnarounds in prop::collection::vec(prop_oneof![8 => (0..400_000_u64).prop_map(Some), 1 => Just(None)], 0..500),
        ) {
            let (mut patience, mut all, mut since) = (patience(), Vec::new(), 0);
            let mut expected = ms(300);
            for turnaround in turnarounds {
                let was = known(&all);
                match turnaround {
                    Some(us) => patience.answered(Duration::from_micros(us)),
                    None => patience.missed(),
                }
                all.push(turnaround.unwrap_or(300_000));
                since += 1;
                if since == ENOUGH || turnaround.is_none() {
                    (since, expected) = (0, known(&all));
                }
                prop_assert_eq!(patience.limit(), expected);
                prop_assert!((ms(50)..=ms(300)).contains(&patience.limit()));
                prop_assert!(turnaround.is_some() || patience.limit() >= was, "a miss lowers nothing");
                prop_assert!(patience.least() >= ms(50) && patience.usual_wait() >= ms(50) && patience.usual_wait() <= patience.limit());
            }
        }
    }
}
