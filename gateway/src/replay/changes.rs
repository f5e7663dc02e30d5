//! What other rules would change: alarms that would come, go or move, against the rules in force over the same samples.
//!
//! Two occurrences of an alarm are the same one when their times of being active overlap. Owns that comparison only; rates, chattering
//! and standing ones of both sides are `kpi`'s.

use rules::{Event, EventKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// Below this two raises are at the same time.
const SAME_MS: i64 = 100;

/// One alarm that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub alarm: String,
    pub at_ms: i64,
    /// How much later (or, negative, earlier) it would be raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_ms: Option<i64>,
}

/// All that differs, by time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    pub same: usize,
    pub come: Vec<Change>,
    pub go: Vec<Change>,
    pub moved: Vec<Change>,
}

/// Raised and until when active.
type Occurrence = (i64, i64);

/// Compares what was raised; shadows of hidden alarms do not count, nobody sees them.
#[must_use]
pub(super) fn changes(now: &[Event], then: &[Event]) -> Changes {
    let (was, is) = (occurrences(now), occurrences(then));
    let mut found = Changes::default();
    let alarms: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for alarm in alarms {
        let nothing = Vec::new();
        one_alarm(alarm, was.get(alarm).unwrap_or(&nothing), is.get(alarm).unwrap_or(&nothing), &mut found);
    }
    for list in [&mut found.come, &mut found.go, &mut found.moved] {
        list.sort_by(|a, b| (a.at_ms, &a.alarm).cmp(&(b.at_ms, &b.alarm)));
    }
    found
}

fn one_alarm(alarm: &str, was: &[Occurrence], is: &[Occurrence], found: &mut Changes) {
    let change = |at_ms, moved_ms| Change { alarm: alarm.to_owned(), at_ms, moved_ms };
    let (mut w, mut i) = (0, 0);
    loop {
        match (was.get(w).copied(), is.get(i).copied()) {
            (Some(a), Some(b)) if a.1 < b.0 => {
                found.go.push(change(a.0, None));
                w += 1;
            }
            (Some(a), Some(b)) if b.1 < a.0 => {
                found.come.push(change(b.0, None));
                i += 1;
            }
            (Some(a), Some(b)) => {
                let moved = b.0 - a.0;
                if moved.abs() <= SAME_MS {
                    found.same += 1;
                } else {
                    found.moved.push(change(a.0, Some(moved)));
                }
                (w, i) = (w + 1, i + 1);
            }
            (Some(a), None) => {
                found.go.push(change(a.0, None));
                w += 1;
            }
            (None, Some(b)) => {
                found.come.push(change(b.0, None));
                i += 1;
            }
            (None, None) => break,
        }
    }
}

fn occurrences(events: &[Event]) -> BTreeMap<String, Vec<Occurrence>> {
    let mut all: BTreeMap<String, Vec<Occurrence>> = BTreeMap::new();
    for event in events {
        let at = event.at.wall.utc_ms;
        match &event.kind {
            EventKind::Raised { fact, .. } => all.entry(fact.alarm.clone()).or_default().push((at, i64::MAX)),
            EventKind::Returned { fact, .. } | EventKind::Cleared { fact } => {
                let open = all.get_mut(&fact.alarm).and_then(|list| list.last_mut());
                if let Some(open) = open.filter(|o| o.1 == i64::MAX) {
                    open.1 = at;
                }
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::{AlarmFact, Mono, Now, Wall};

    fn active(alarm: &str, from: i64, to: i64) -> [Event; 2] {
        let at = |ms: i64| Now { mono: Mono(0), wall: Wall { utc_ms: ms, ..Wall::default() } };
        let fact = AlarmFact { alarm: alarm.into(), ..AlarmFact::default() };
        let raised = EventKind::Raised { fact: fact.clone(), assumed: false, late_by_ms: 0 };
        let returned = EventKind::Returned { fact, latched: false };
        [Event { seq: 1, at: at(from), kind: raised }, Event { seq: 2, at: at(to), kind: returned }]
    }

    #[test]
    fn overlapping_occurrences_are_the_same_alarm_at_another_time() {
        let now = [active("A:H", 10_000, 20_000), active("A:H", 50_000, 60_000)].concat();
        let then = [active("A:H", 12_000, 20_000), active("A:H", 70_000, 80_000), active("B:L", 1, 2)].concat();
        let found = changes(&now, &then);
        let moved = Change { alarm: "A:H".into(), at_ms: 10_000, moved_ms: Some(2000) };
        assert_eq!((found.same, &found.moved[..]), (0, &[moved][..]));
        assert_eq!(found.go.iter().map(|c| c.at_ms).collect::<Vec<_>>(), [50_000]);
        assert_eq!(found.come.iter().map(|c| c.at_ms).collect::<Vec<_>>(), [1, 70_000]);
    }

    #[test]
    fn the_same_rules_change_nothing() {
        let events = [active("A:H", 10_000, 20_000), active("B:H", 11_000, 12_000)].concat();
        assert_eq!(changes(&events, &events), Changes { same: 2, ..Changes::default() });
    }
}
