//! Which numbers of one site have arrived, and what is asked for again when one stays away.
//!
//! ```text
//!   hole seen ──10 s, or 60 s while the site has a backlog──► asked ──60 s──► asked ──300 s──► asked ──300 s──► given up: a person is told
//!      └───────────────────────────────── filled: forgotten ◄──────────────────────────────────────────┘
//! ```
//! A site also says in its heartbeats which number was its last: what is missing at the end is a hole like another.
//!
//! Pure: time comes in. Memory follows the holes, not the events.

use rules::Mono;
use std::collections::BTreeMap;
use std::time::Duration;

/// A later event that overtook (priority 1 does) is not a loss yet.
const FIRST_ASK: Duration = Duration::from_secs(10);
/// While the site says it still has events waiting, holes are normal.
const FIRST_ASK_BACKLOG: Duration = Duration::from_secs(60);
/// Pauses after each request; after the last one a person is told.
const PAUSES: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(300)];
/// Holes watched per site; more are a site that numbers at random, and its later ones wait.
const HOLES_MAX: usize = 256;

/// Numbers as closed ranges.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrived {
    /// First → last.
    ranges: BTreeMap<u64, u64>,
    watched: BTreeMap<(u64, u64), Hole>,
    /// Last number the site says it has sent and got receipted; 0 when all of it came.
    announced: u64,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    since: Mono,
    asked: usize,
    due: Option<Mono>,
}

/// What to do about holes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Ask the site for these numbers again.
    Ask(u64, u64),
    /// Asked often enough: tell a person.
    GivenUp(u64, u64),
}

impl Arrived {
    /// Takes a whole range, as found in the database.
    pub(super) fn insert_range(&mut self, first: u64, last: u64) {
        self.ranges.insert(first, last);
    }

    pub(super) fn insert(&mut self, seq: u64) {
        let before = self.ranges.range(..=seq).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| last >= seq) {
            return;
        }
        let first = before.filter(|(_, last)| last + 1 == seq).map_or(seq, |(first, _)| first);
        let last = seq.checked_add(1).and_then(|next| self.ranges.remove(&next)).unwrap_or(seq);
        self.ranges.insert(first, last);
    }

    /// The number after the highest that came; 1 when none has.
    pub(super) fn next(&self) -> u64 {
        self.ranges.last_key_value().map_or(1, |(_, last)| last.saturating_add(1))
    }

    /// The site's last number. While a hole at the end is open its far end stays where it is: with each heartbeat another one would
    /// never become due for a person.
    pub(super) fn announce(&mut self, last: u64) {
        let open = self.announced >= self.next();
        if !open || last < self.announced {
            self.announced = last;
        }
    }

    /// Holes between the lowest and the highest number that came, and the one at the end.
    pub(super) fn missing(&self) -> Vec<(u64, u64)> {
        let ends = self.ranges.values();
        let starts = self.ranges.keys().skip(1);
        let between = ends.zip(starts).map(|(last, first)| (last + 1, first - 1));
        let at_the_end = (self.announced >= self.next()).then(|| (self.next(), self.announced));
        between.take(HOLES_MAX).chain(at_the_end).collect()
    }

    /// What is due; `backlog` when the site said that events wait.
    pub(super) fn due(&mut self, now: Mono, backlog: bool) -> Vec<Wanted> {
        let holes = self.missing();
        self.watched.retain(|hole, _| holes.contains(hole));
        let first = if backlog { FIRST_ASK_BACKLOG } else { FIRST_ASK };
        let mut wanted = Vec::new();
        for hole in holes {
            let watch = self.watched.entry(hole).or_insert(Hole { since: now, asked: 0, due: None });
            let due = watch.due.unwrap_or(watch.since.plus(first));
            if now < due || watch.asked > PAUSES.len() {
                continue;
            }
            wanted.push(match PAUSES.get(watch.asked) {
                Some(pause) => {
                    watch.due = Some(now.plus(*pause));
                    Wanted::Ask(hole.0, hole.1)
                }
                None => Wanted::GivenUp(hole.0, hole.1),
            });
            watch.asked += 1;
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000_000)
    }

    #[test]
    fn numbers_in_any_order_leave_only_the_real_holes() {
        let mut arrived = Arrived::default();
        for seq in [5, 7, 6, 12, 5, 10, 9] {
            arrived.insert(seq);
        }
        assert_eq!(arrived.missing(), [(8, 8), (11, 11)]);
        assert_eq!(arrived.next(), 13);
        arrived.insert(8);
        arrived.insert(11);
        assert!(arrived.missing().is_empty());
        assert_eq!(arrived.ranges.len(), 1);
    }

    #[test]
    fn the_largest_number_does_not_overflow() {
        let mut arrived = Arrived::default();
        arrived.insert(u64::MAX);
        arrived.insert(1);
        assert_eq!(arrived.missing(), [(2, u64::MAX - 1)]);
        assert_eq!(arrived.next(), u64::MAX);
    }

    #[test]
    fn a_hole_is_asked_for_three_times_then_a_person_is_told_once() {
        let mut arrived = Arrived::default();
        arrived.insert(1);
        arrived.insert(4);
        assert!(arrived.due(at(0), false).is_empty());
        assert!(arrived.due(at(9), false).is_empty());
        assert_eq!(arrived.due(at(10), false), [Wanted::Ask(2, 3)]);
        assert!(arrived.due(at(69), false).is_empty());
        assert_eq!(arrived.due(at(70), false), [Wanted::Ask(2, 3)]);
        assert_eq!(arrived.due(at(370), false), [Wanted::Ask(2, 3)]);
        assert_eq!(arrived.due(at(670), false), [Wanted::GivenUp(2, 3)]);
        assert!(arrived.due(at(9_999), false).is_empty());
    }

    #[test]
    fn a_hole_at_the_end_is_asked_for_and_given_up_while_the_site_goes_on_counting() {
        let mut arrived = Arrived::default();
        arrived.insert(1);
        arrived.announce(1);
        assert!(arrived.missing().is_empty());
        arrived.announce(3);
        arrived.announce(5);
        assert_eq!(arrived.missing(), [(2, 3)]);
        assert!(arrived.due(at(0), false).is_empty());
        let asked: Vec<_> = [10, 70, 370, 670].into_iter().flat_map(|s| arrived.due(at(s), false)).collect();
        assert_eq!(asked, [Wanted::Ask(2, 3), Wanted::Ask(2, 3), Wanted::Ask(2, 3), Wanted::GivenUp(2, 3)]);
        arrived.insert(2);
        arrived.insert(3);
        assert!(arrived.missing().is_empty());
        arrived.announce(5);
        assert_eq!(arrived.missing(), [(4, 5)]);
        arrived.announce(2);
        assert!(arrived.missing().is_empty(), "the site has begun to count anew");
    }

    #[test]
    fn a_filled_hole_is_forgotten_and_a_backlog_gives_time() {
        let mut arrived = Arrived::default();
        arrived.insert(1);
        arrived.insert(3);
        assert!(arrived.due(at(0), true).is_empty());
        assert!(arrived.due(at(59), true).is_empty());
        arrived.insert(2);
        assert!(arrived.due(at(61), true).is_empty());
    }
}
