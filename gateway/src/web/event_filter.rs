//! Which entries of the journal are asked for: the query of `/api/v1/events`.
//!
//! Owns the words and their check; an unknown one is an error that names the known ones, never an empty list. Leaves the reading to
//! [`super::archive`].

use super::fields::Wrong;
use super::problem::Problem;
use crate::config::nearest_few;
use rules::EventKind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Events per answer: at most, and when not said.
const EVENTS_MAX: u32 = 1000;
const EVENTS_USUAL: u32 = 200;
/// Kinds that are told of a word that is none.
const NEAR_MAX: usize = 4;
/// Names of the query.
const NAMES: [&str; 8] = ["after_seq", "limit", "type", "alarm", "point", "priority", "since", "until"];

/// What is asked for; empty lists and `None` leave nothing out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only later ones, from the first on; the newest when not given.
    pub after_seq: Option<u64>,
    pub limit: u32,
    /// Names of [`EventKind`].
    pub kinds: Vec<&'static str>,
    /// `GT-101:HH`.
    pub alarm: Option<String>,
    pub point: Option<String>,
    pub priorities: Vec<u8>,
    /// Both inclusive.
    pub since_ms: Option<i64>,
    pub until_ms: Option<i64>,
}

impl EventFilter {
    /// # Errors
    /// 422 with every word that is not understood, and what is.
    pub fn of_query(pairs: &[(String, String)]) -> Result<Self, Problem> {
        let mut filter = Self { limit: EVENTS_USUAL, ..Self::default() };
        let wrong: Vec<Wrong> = pairs.iter().filter_map(|(name, value)| filter.take(name, value).err()).collect();
        if wrong.is_empty() { Ok(filter) } else { Err(Problem::unacceptable(&wrong)) }
    }

    /// True when some are left out that a plain list would have.
    #[must_use]
    pub fn narrows(&self) -> bool {
        let plain = Self { after_seq: self.after_seq, limit: self.limit, ..Self::default() };
        *self != plain
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Wrong> {
        let sent = || Some(Value::from(value));
        let number = || ("非负整数", "a whole number, 0 or more");
        match name {
            "after_seq" => {
                self.after_seq = Some(value.parse().map_err(|_| Wrong::new(name, sent().as_ref(), number()))?)
            }
            "limit" => {
                let limit: u32 = value.parse().map_err(|_| Wrong::new(name, sent().as_ref(), number()))?;
                self.limit = limit.clamp(1, EVENTS_MAX);
            }
            "type" => self.kinds.extend(kinds_of(value)?),
            "alarm" => self.alarm = Some(value.to_owned()),
            "point" => self.point = Some(value.to_owned()),
            "priority" => self.priorities.push(priority(value)?),
            "since" => self.since_ms = Some(moment(name, value)?),
            "until" => self.until_ms = Some(moment(name, value)?),
            other => return Err(Wrong::new(other, sent().as_ref(), (NAMES.join("、"), NAMES.join(", ")))),
        }
        Ok(())
    }
}

/// A name, or a family of them such as `alarm`.
fn kinds_of(word: &str) -> Result<Vec<&'static str>, Wrong> {
    let fits = |kind: &&'static str| *kind == word || kind.split('.').next() == Some(word);
    let found: Vec<&'static str> = kinds().iter().copied().filter(fits).collect();
    if found.is_empty() {
        return Err(Wrong::new("type", Some(&word.into()), near_kinds(word)));
    }
    Ok(found)
}

/// The nearest few, or the families where none is near; where the whole list is, in any case.
fn near_kinds(word: &str) -> (String, String) {
    let families: BTreeSet<&str> = kinds().iter().filter_map(|kind| kind.split('.').next()).collect();
    let families: Vec<&str> = families.into_iter().collect();
    let all: Vec<&str> = families.iter().chain(kinds()).copied().collect();
    let near = nearest_few(word, &all, NEAR_MAX);
    let (zh, en) = match near[..] {
        [] => (format!("首段有 {}", families.join("、")), format!("the first parts are {}", families.join(", "))),
        _ => (format!("相近的有 {}", near.join("、")), format!("the nearest are {}", near.join(", "))),
    };
    (
        format!("事件种类或其首段；{zh}；全部种类见 hazard-gateway events --help"),
        format!("a kind of event or its first part; {en}; all kinds are under hazard-gateway events --help"),
    )
}

fn priority(value: &str) -> Result<u8, Wrong> {
    let known = value.parse().ok().filter(|priority| (1..=4).contains(priority));
    known.ok_or_else(|| Wrong::new("priority", Some(&value.into()), (" 1 至 4", "1 to 4")))
}

/// Milliseconds since 1970 or RFC 3339.
fn moment(name: &str, value: &str) -> Result<i64, Wrong> {
    super::api::moment(value).ok_or_else(|| Wrong::new(name, Some(&value.into()), MOMENT))
}

pub(super) const MOMENT: (&str, &str) = (
    "时间，如 2026-11-24T16:00:00+08:00，或 1970 年以来的毫秒数",
    "a time such as 2026-11-24T16:00:00+08:00, or milliseconds since 1970",
);

/// Every kind there is. Serde's own list is taken, so that a kind that is added needs no second entry here.
pub(crate) fn kinds() -> &'static [&'static str] {
    static KINDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let said = serde_json::from_str::<EventKind>("{\"kind\":\"\"}").err().map(|error| error.to_string());
        let said: &'static str = Box::leak(said.unwrap_or_default().into_boxed_str());
        said.split('`').skip(1).step_by(2).filter(|kind| !kind.is_empty()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &[(&str, &str)]) -> Result<EventFilter, Problem> {
        let pairs: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        EventFilter::of_query(&pairs)
    }

    #[test]
    fn kinds_are_those_of_the_journal_by_name_or_by_family() {
        assert!(
            kinds().len() > 40 && kinds().contains(&"alarm.raised") && kinds().contains(&"operator.action"),
            "{:?}",
            kinds()
        );
        let found =
            filter(&[("type", "alarm.raised"), ("type", "point"), ("priority", "1"), ("priority", "2")]).unwrap();
        assert!(found.kinds.len() == 7 && found.kinds.contains(&"point.in_service"), "{:?}", found.kinds);
        assert_eq!(found.priorities, [1, 2]);
        let found = filter(&[("since", "1970-01-01T00:00:02Z"), ("until", "5000"), ("limit", "9999")]).unwrap();
        assert_eq!((found.since_ms, found.until_ms, found.limit), (Some(2000), Some(5000), EVENTS_MAX));
        assert!(found.narrows() && !filter(&[("after_seq", "7")]).unwrap().narrows());
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_the_known_ones() {
        let problem =
            filter(&[("type", "alarm.rised"), ("priority", "9"), ("since", "gestern"), ("typ", "x")]).unwrap_err();
        assert_eq!(problem.fields, ["type", "priority", "since", "typ"]);
        let detail = problem.detail.unwrap();
        assert!(
            detail.contains("相近的有 alarm.raised") && !detail.contains("point.bypassed"),
            "the nearest few: {detail}"
        );
        assert!(near_kinds("raised").1.contains("the nearest are alarm.raised"), "{:?}", near_kinds("raised"));
        assert!(near_kinds("qqqqqq").1.contains("the first parts are alarm, "), "{:?}", near_kinds("qqqqqq"));
        for part in [
            "type：收到 \"alarm.rised\"",
            "alarm.raised",
            "got \"9\", allowed is 1 to 4",
            "gestern",
            "after_seq, limit, type",
        ] {
            assert!(detail.contains(part), "{part} is not in {detail}");
        }
    }
}
