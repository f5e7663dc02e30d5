//! The journal beside what came out of the replay: kind, alarm and time of every event that the rules decide, and what it says.
//!
//! Leaves what an event must say again to [`super::contents`]. Owns matching and the reason for a difference. What has no reason is named so: it is a defect of the rules or of the record.

use super::contents::differing;
use super::script::subject;
use rules::{Event, Mono};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The engine is woken so late at most; the label of a sample is cut to the millisecond.
pub(super) const TOLERANCE: Duration = Duration::from_millis(100);
/// The same event within this is one that moved.
const MOVED: Duration = Duration::from_secs(120);

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// In the journal, not in the replay.
    Missing,
    /// In the replay, not in the journal.
    Extra,
    /// In both, at another time.
    Moved,
    /// In both at the same time, judged by other numbers or saying something else.
    Changed,
}

/// Why it may be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Other rules were in force.
    OtherRules,
    /// Samples are missing there.
    Gap,
    /// The wall clock was stepped: labels and times part.
    ClockStep,
    /// The samples do not say why a value was bad (written by an earlier version).
    NoReasons,
    /// It follows from an earlier difference of the same alarm.
    Follows,
    /// Nothing explains it.
    Unexplained,
}

/// One event that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub what: What,
    pub kind: &'static str,
    pub subject: String,
    pub at_ms: i64,
    /// Replayed minus recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_ms: Option<i64>,
    /// Of a changed one: each field, recorded and replayed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    pub why: Why,
}

/// What the comparison gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    pub recorded: usize,
    pub matched: usize,
    /// The largest distance of two that match.
    pub apart_max_ms: u64,
    pub differences: Vec<Difference>,
}

/// What is known of the circumstances of a time.
pub(super) trait Circumstances {
    /// Why events of this subject may differ there, if anything speaks for it.
    fn why(&self, kind: &str, subject: &str, at_ms: i64) -> Option<Why>;
}

type Key = (&'static str, String);

/// Both lists on the clock of the replay, each in its order.
#[must_use]
pub(super) fn compare(recorded: &[Event], played: &[Event], circumstances: &dyn Circumstances) -> Comparison {
    let mut pairs: BTreeMap<Key, (Vec<&Event>, Vec<&Event>)> = BTreeMap::new();
    for event in recorded {
        pairs.entry((event.kind.name(), subject(&event.kind))).or_default().0.push(event);
    }
    for event in played {
        pairs.entry((event.kind.name(), subject(&event.kind))).or_default().1.push(event);
    }
    let mut found = Comparison { recorded: recorded.len(), ..Comparison::default() };
    for ((kind, subject), (was, is)) in pairs {
        one_key(kind, &subject, &was, &is, &mut found);
    }
    found.differences.sort_by(|a, b| (a.at_ms, a.kind, &a.subject).cmp(&(b.at_ms, b.kind, &b.subject)));
    explain(&mut found.differences, circumstances);
    found
}

fn apart(a: Mono, b: Mono) -> Duration {
    a.since(b).max(b.since(a))
}

fn one_key(kind: &'static str, subject: &str, was: &[&Event], is: &[&Event], found: &mut Comparison) {
    let difference = |what, event: &Event, moved_ms| Difference {
        what,
        kind,
        subject: subject.to_owned(),
        at_ms: event.at.wall.utc_ms,
        moved_ms,
        fields: Vec::new(),
        why: Why::Unexplained,
    };
    let (mut w, mut i) = (0, 0);
    loop {
        match (was.get(w), is.get(i)) {
            (Some(a), Some(b)) => {
                let distance = apart(a.at.mono, b.at.mono);
                if distance <= TOLERANCE {
                    let fields = differing(&a.kind, &b.kind);
                    if fields.is_empty() {
                        found.matched += 1;
                    } else {
                        found.differences.push(Difference { fields, ..difference(What::Changed, a, None) });
                    }
                    found.apart_max_ms =
                        found.apart_max_ms.max(u64::try_from(distance.as_millis()).unwrap_or(u64::MAX));
                    (w, i) = (w + 1, i + 1);
                } else if distance <= MOVED && !better_later(a, b, &was[w + 1..], &is[i + 1..]) {
                    let moved = (i128::from(b.at.mono.0) - i128::from(a.at.mono.0)) / 1_000_000;
                    found.differences.push(difference(What::Moved, a, i64::try_from(moved).ok()));
                    (w, i) = (w + 1, i + 1);
                } else if a.at.mono < b.at.mono {
                    found.differences.push(difference(What::Missing, a, None));
                    w += 1;
                } else {
                    found.differences.push(difference(What::Extra, b, None));
                    i += 1;
                }
            }
            (Some(a), None) => {
                found.differences.push(difference(What::Missing, a, None));
                w += 1;
            }
            (None, Some(b)) => {
                found.differences.push(difference(What::Extra, b, None));
                i += 1;
            }
            (None, None) => break,
        }
    }
}

/// One of the two has a better partner in what follows.
fn better_later(a: &Event, b: &Event, was: &[&Event], is: &[&Event]) -> bool {
    let close = |x: &Event, list: &[&Event]| list.first().is_some_and(|y| apart(x.at.mono, y.at.mono) <= TOLERANCE);
    close(a, is) || close(b, was)
}

fn explain(differences: &mut [Difference], circumstances: &dyn Circumstances) {
    let mut explained: Vec<String> = Vec::new();
    for d in differences {
        d.why = match circumstances.why(d.kind, &d.subject, d.at_ms) {
            Some(why) => why,
            None if explained.contains(&d.subject) => Why::Follows,
            None => Why::Unexplained,
        };
        if d.why != Why::Unexplained {
            explained.push(d.subject.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::{AlarmFact, EventKind, Now, Wall};

    struct Nothing;
    impl Circumstances for Nothing {
        fn why(&self, _: &str, _: &str, _: i64) -> Option<Why> {
            None
        }
    }

    fn raised(ms: u64, alarm: &str) -> Event {
        let wall = Wall { utc_ms: i64::try_from(ms).unwrap(), ..Wall::default() };
        let fact = AlarmFact { alarm: alarm.into(), ..AlarmFact::default() };
        let kind = EventKind::Raised { fact, assumed: false, late_by_ms: 0 };
        Event { seq: 1, at: Now { mono: Mono(ms * 1_000_000), wall }, kind }
    }

    #[test]
    fn events_within_the_tick_of_the_engine_are_the_same() {
        let (was, is) = ([raised(5_000, "A:H"), raised(9_000, "B:H")], [raised(5_040, "A:H"), raised(9_000, "B:H")]);
        let found = compare(&was, &is, &Nothing);
        assert_eq!((found.matched, found.apart_max_ms, found.differences.len()), (2, 40, 0));
    }

    #[test]
    fn what_is_missing_new_or_moved_is_named_as_such() {
        let was = [raised(1_000_000, "A:H"), raised(2_000_000, "A:H"), raised(3_000_000, "B:H")];
        let is = [raised(2_000_000, "A:H"), raised(3_005_000, "B:H"), raised(9_000_000, "C:H")];
        let found = compare(&was, &is, &Nothing);
        let list: Vec<_> = found.differences.iter().map(|d| (d.what, d.subject.as_str(), d.moved_ms)).collect();
        assert_eq!(list, [(What::Missing, "A:H", None), (What::Moved, "B:H", Some(5000)), (What::Extra, "C:H", None)]);
        assert!(found.differences.iter().all(|d| d.why == Why::Unexplained));
    }

    #[test]
    fn an_event_between_two_that_match_does_not_drag_them_along() {
        let was = [raised(10_000, "A:H"), raised(70_000, "A:H")];
        let is = [raised(10_000, "A:H"), raised(40_000, "A:H"), raised(70_000, "A:H")];
        let found = compare(&was, &is, &Nothing);
        assert_eq!((found.matched, found.differences.len(), found.differences[0].what), (2, 1, What::Extra));
    }

    #[test]
    fn what_follows_from_an_explained_difference_is_explained() {
        struct Early;
        impl Circumstances for Early {
            fn why(&self, _: &str, _: &str, at_ms: i64) -> Option<Why> {
                (at_ms < 2000).then_some(Why::Gap)
            }
        }
        let found = compare(&[raised(1000, "A:H")], &[raised(900_000, "A:H"), raised(900_000, "B:H")], &Early);
        let list: Vec<_> = found.differences.iter().map(|d| (d.subject.as_str(), d.why)).collect();
        assert_eq!(list, [("A:H", Why::Gap), ("A:H", Why::Follows), ("B:H", Why::Unexplained)]);
    }
}
