//! What a device has refused to read over, or never answered, and until when that is believed.
//!
//! ```text
//!   refused ─► cut in the middle ─► both halves asked at once ─► … ─► only the register that is not there stands alone
//!   pause over ─► joined again on trial ─► read: the cut is forgotten · refused: the same cut, twice the pause
//! ```
//! A cut stands before the start of a value: no request reads over it. Holes that were never read come first, then holes, then
//! the borders of neighbours (a device may refuse a length, or one of its registers). One noisy exception costs a cut for a
//! short while and no value. What is silent is cut in the same way, but costs a time-out each time: its parts are asked by and by
//! ([`super::super::bus`]), and it is joined again on trial as rarely as a silent request is asked.

use super::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LAST_PAUSE: Duration = Duration::from_secs(3_600);
/// Each trial of what was silent costs a time-out or two: as seldom as a request that alone stays silent.
const FIRST_SILENT_PAUSE: Duration = Duration::from_secs(600);

/// Where a value begins.
type Place = (u8, u16);

#[derive(Clone, Copy, Debug)]
struct Cut {
    until: Instant,
    pause: Duration,
    on_trial: bool,
    /// Not refused, but never answered.
    silent: bool,
}

/// The cuts of one unit.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    cuts: BTreeMap<Place, Cut>,
    /// Read over at least once.
    proven: BTreeSet<Place>,
    trial: u32,
}

impl Cuts {
    /// True when no request may read over the start of `value`.
    pub(crate) fn stands_before(&self, value: Span) -> bool {
        self.cuts.get(&place(value)).is_some_and(|c| !c.on_trial)
    }

    /// `values` (distinct, sorted, all of one request) were read together.
    pub(crate) fn read(&mut self, values: &[Span]) {
        for inner in values.iter().skip(1).copied().map(place) {
            self.cuts.remove(&inner);
            self.proven.insert(inner);
        }
    }

    /// `values` were refused together: cuts between two of them. False when there is only one.
    pub(crate) fn refused(&mut self, values: &[Span], now: Instant) -> bool {
        self.cut(values, now, false)
    }

    /// As [`Self::refused`], where nothing came at all.
    pub(crate) fn silent(&mut self, values: &[Span], now: Instant) -> bool {
        self.cut(values, now, true)
    }

    /// What the request `silent` asks for keeps apart from its neighbours among `values` (sorted, all of one group), as if they had been
    /// silent together. Nothing where the group has none of it.
    pub(crate) fn keep_apart(&mut self, silent: Span, values: &[Span], now: Instant) {
        let same = values.iter().filter(|v| v.function == silent.function);
        let first = same.clone().find(|v| silent.holds(**v));
        let next = same.clone().find(|v| u32::from(v.address) >= silent.end()).filter(|_| first.is_some());
        for at in first.into_iter().chain(next).copied().map(place) {
            let pause = FIRST_SILENT_PAUSE;
            self.cuts.entry(at).or_insert(Cut { until: now + pause, pause, on_trial: false, silent: true });
        }
    }

    /// True when a request for `values` tries whether what was silent is still so.
    pub(crate) fn tries_silence(&self, values: &[Span]) -> bool {
        let cut = |value: &Span| self.cuts.get(&place(*value));
        values.iter().skip(1).filter_map(cut).any(|c| c.on_trial && c.silent)
    }

    fn cut(&mut self, values: &[Span], now: Instant, silent: bool) -> bool {
        let first = if silent { FIRST_SILENT_PAUSE } else { FIRST_PAUSE };
        let on_trial: Vec<Place> = values.iter().skip(1).copied().map(place).filter(|p| self.is_on_trial(*p)).collect();
        for again in &on_trial {
            let pause = self.cuts.get(again).map_or(first, |c| (c.pause * 2).min(LAST_PAUSE));
            self.cuts.insert(*again, Cut { until: now + pause, pause, on_trial: false, silent });
        }
        if !on_trial.is_empty() {
            return true;
        }
        let Some(at) = self.most_suspect(values) else { return false };
        self.cuts.insert(at, Cut { until: now + first, pause: first, on_trial: false, silent });
        true
    }

    /// The middle one of those that are most likely the reason.
    fn most_suspect(&self, values: &[Span]) -> Option<Place> {
        let hole = |pair: &[Span]| u32::from(pair[1].address) > pair[0].end();
        let rank = |pair: &[Span]| match (hole(pair), self.proven.contains(&place(pair[1]))) {
            (true, false) => 0,
            (true, true) => 1,
            (false, _) => 2,
        };
        let worst = values.windows(2).map(rank).min()?;
        let suspects: Vec<Place> = values.windows(2).filter(|p| rank(p) == worst).map(|p| place(p[1])).collect();
        suspects.get(suspects.len() / 2).copied()
    }

    fn is_on_trial(&self, at: Place) -> bool {
        self.cuts.get(&at).is_some_and(|c| c.on_trial)
    }

    /// Takes the cut whose pause is over first on trial; true when there is one. One at a time, so that it is known which failed.
    pub(crate) fn try_one(&mut self, now: Instant) -> bool {
        // A trial that nobody could judge in its time, since no request holds both sides, is over. What was silent may be so still.
        let unjudged = |c: &Cut| c.on_trial && now >= c.until + c.pause;
        let stood = self.cuts.len();
        self.cuts.retain(|_, c| c.silent || !unjudged(c));
        let mut changed = self.cuts.len() < stood;
        for cut in self.cuts.values_mut().filter(|c| unjudged(c)) {
            (cut.on_trial, cut.until) = (false, now + cut.pause);
            changed = true;
        }
        let on_trial = self.cuts.values().any(|c| c.on_trial);
        let over = self.cuts.iter_mut().filter(|(_, c)| !on_trial && c.until <= now).min_by_key(|(_, c)| c.until);
        let tried = over.map(|(_, c)| c.on_trial = true).is_some();
        self.trial = self.trial.wrapping_add(u32::from(changed || tried));
        tried
    }

    /// Another one whenever a request may read over more, or less, than before without having asked.
    pub(crate) fn trial(&self) -> u32 {
        self.trial
    }

    /// True when nothing is refused, as far as is known.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }
}

fn place(value: Span) -> Place {
    (value.function, value.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;
    use crate::plan::{Bounds, Cost, plan};
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { max_registers: 125, max_bits: 2000, coils_from_zero: false };

    fn cost() -> Cost {
        Cost::on(&Transport::Tcp { address: String::new() }, Duration::ZERO, None)
    }

    fn inside(values: &[Span], block: Span) -> Vec<Span> {
        values.iter().copied().filter(|v| block.holds(*v)).collect()
    }

    /// Asks every request, cutting as told; returns the values read and the number of requests.
    fn cycle(cuts: &mut Cuts, values: &[Span], now: Instant, refuses: &impl Fn(Span) -> bool) -> (usize, usize) {
        cuts.try_one(now);
        let (mut good, mut asked) = (0, 0);
        let mut open = plan(values, BOUNDS, &cost(), |v| cuts.stands_before(v));
        while let Some(block) = open.pop() {
            asked += 1;
            assert!(asked <= 4 * values.len(), "{block:?} again and again");
            let held = inside(values, block);
            if !refuses(block) {
                cuts.read(&held);
                good += held.len();
            } else if cuts.refused(&held, now) {
                open.extend(plan(&held, BOUNDS, &cost(), |v| cuts.stands_before(v)));
            }
        }
        (good, asked)
    }

    proptest! {
        /// Registers that are not there cost no other value, are left out at the least price, and are found again when they come.
        #[test]
        fn refused_holes_cost_no_value_and_are_joined_again(
            gaps in proptest::collection::vec(0u16..4, 2..30), missing in proptest::collection::vec(0u16..90, 0..4),
        ) {
            let now = Instant::now();
            let mut at = 0;
            let values: Vec<Span> = gaps.iter().map(|gap| {
                at += 1 + gap;
                Span { function: 3, address: at, count: 1 }
            }).collect();
            let refuses = |b: Span| missing.iter().any(|m| b.holds(Span { function: 3, address: *m, count: 1 }));
            let there = values.iter().filter(|v| !refuses(**v)).count();
            let mut cuts = Cuts::default();
            for second in 0..300 {
                let (good, asked) = cycle(&mut cuts, &values, now + Duration::from_secs(second), &refuses);
                prop_assert_eq!(good, there, "second {}", second);
                prop_assert!(asked <= 2 * values.len());
            }
            // All registers are there from now on: within some pauses it is one request again.
            for second in 0..200 {
                cycle(&mut cuts, &values, now + Duration::from_secs(second * 400 + 4_000), &|_| false);
            }
            let whole = plan(&values, BOUNDS, &cost(), |v| cuts.stands_before(v));
            prop_assert_eq!(whole.len(), 1);
        }
    }

    #[test]
    fn one_noisy_exception_is_forgotten_after_one_pause() {
        let now = Instant::now();
        let values = [0, 2, 4].map(|address| Span { function: 3, address, count: 1 });
        let mut cuts = Cuts::default();
        assert!(cuts.refused(&values, now));
        assert_eq!(plan(&values, BOUNDS, &cost(), |v| cuts.stands_before(v)).len(), 2);
        assert!(!cuts.try_one(now + Duration::from_secs(9)));
        assert!(cuts.try_one(now + Duration::from_secs(10)));
        cuts.read(&values);
        assert!(cuts.is_empty());
    }

    #[test]
    fn a_hole_refused_again_waits_twice_as_long() {
        let now = Instant::now();
        let values = [0, 2].map(|address| Span { function: 3, address, count: 1 });
        let mut cuts = Cuts::default();
        cuts.refused(&values, now);
        cuts.try_one(now + Duration::from_secs(10));
        cuts.refused(&values, now + Duration::from_secs(10));
        assert!(!cuts.try_one(now + Duration::from_secs(29)));
        assert!(cuts.try_one(now + Duration::from_secs(30)));
    }
}
