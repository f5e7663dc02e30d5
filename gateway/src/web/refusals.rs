//! What people wanted to change and might not: who, what and why, for the journal (security.md asks that refusals are seen).
//!
//! ```text
//!   answer 403 or 409 to a signed-in person's change ──► paced per person ──► journal: refused · POST /api/v1/… · why
//!                                                             └──► counted, and said with that person's next one
//! ```
//! Owns the pace and the counters. Leaves the decision to those who refuse, and the sentence to [`crate::text`].

use super::problem::Reason;
use crate::lock::lock;
use crate::pace::Pace;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use rules::Mono;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Refusals of one person that are written one after the other: a shift that works against the rules is seen as a whole …
const BURST: u32 = 20;
/// … and one more for each of these: a script with a password cannot fill the disk, 1,440 a day are half a megabyte.
const ONE_MORE_EVERY: Duration = Duration::from_secs(60);
/// People whose pace is remembered; beyond it those who rest are forgotten.
const PEOPLE_MAX: usize = 256;

/// The refusals of a station.
#[derive(Debug, Default)]
pub struct Refusals {
    people: Mutex<BTreeMap<String, Kept>>,
    written: AtomicU64,
    not_written: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    pace: Pace,
    not_written: u64,
}

impl Refusals {
    /// How many stand in the journal, and how many were too many for it.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.written.load(Ordering::Relaxed), self.not_written.load(Ordering::Relaxed))
    }

    /// What the journal says of it; `None` when this person has had too many.
    pub(super) fn sentence(&self, user: &str, now: Mono, asked: &Asked, why: &str) -> Option<String> {
        let people = &mut *lock(&self.people);
        if people.len() >= PEOPLE_MAX {
            people.retain(|_, kept| !kept.pace.is_rested(now));
        }
        let crowded = people.len() >= PEOPLE_MAX && !people.contains_key(user);
        let new = || Kept { pace: Pace::new(BURST, ONE_MORE_EVERY), not_written: 0 };
        let admitted = if crowded { None } else { Some(people.entry(user.to_owned()).or_insert_with(new)) };
        let admitted = admitted.and_then(|kept| {
            let admitted = kept.pace.admits(now);
            kept.not_written += u64::from(!admitted);
            admitted.then(|| std::mem::take(&mut kept.not_written))
        });
        let counter = if admitted.is_some() { &self.written } else { &self.not_written };
        counter.fetch_add(1, Ordering::Relaxed);
        let more = match admitted? {
            0 => String::new(),
            n => format!("; {n} more before were not written"),
        };
        Some(format!("{}: {} (as {}){more}", asked.what, shortened(why, WHY_MAX), asked.roles))
    }
}

/// Letters of an address that are written: room for any key, percent signs and all. A longer one was made up, and must not push out of the
/// journal's line ([`super::shell::DETAIL_MAX`]) why it was refused and how many more there were.
const ASKED_MAX: usize = 300;
/// The same for why: a name of the request may be in it.
const WHY_MAX: usize = 100;

/// At most so many letters; what is cut out of the middle leaves a mark, what was wanted stands at the end.
fn shortened(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let end = most / 3;
    let head = letters[..most - end - 1].iter();
    head.chain(&['…']).chain(&letters[letters.len() - end..]).collect()
}

/// A change that a signed-in person asks for.
pub(super) struct Asked {
    what: String,
    roles: String,
}

impl Asked {
    /// `None` for a look.
    pub(super) fn of(method: &Method, path: &str, roles: &str) -> Option<Self> {
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        let what = path.strip_prefix("/api/v1/").unwrap_or(path);
        changes.then(|| Self { what: shortened(&format!("{method} {what}"), ASKED_MAX), roles: roles.to_owned() })
    }
}

/// Why the answer is a refusal: by role, by the rule of two persons, by what has changed since. What is missing in a form is none.
pub(super) fn reason(answer: &Response) -> Option<String> {
    let refused = matches!(answer.status(), StatusCode::FORBIDDEN | StatusCode::CONFLICT);
    answer.extensions().get::<Reason>().filter(|_| refused).map(|reason| reason.0.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_is_refused_all_day_writes_little_and_says_how_much_it_did_not() {
        let refusals = Refusals::default();
        let asked = Asked::of(&Method::POST, "/api/v1/alarms/GT-101:HH/shelve", "operator").unwrap();
        let at = |seconds: u64| Mono(seconds * 1_000_000_000);
        let said: Vec<String> =
            (0..100).filter_map(|_| refusals.sentence("li", at(0), &asked, "forbidden: priority_one")).collect();
        assert_eq!((said.len(), refusals.counts()), (20, (20, 80)));
        assert_eq!(said[0], "POST alarms/GT-101:HH/shelve: forbidden: priority_one (as operator)");
        let next = refusals.sentence("li", at(60), &asked, "changed").unwrap();
        assert!(next.ends_with("; 80 more before were not written"), "{next}");
        assert!(refusals.sentence("wang", at(60), &asked, "changed").is_some(), "another person is not held");
        assert!(Asked::of(&Method::GET, "/api/v1/users", "operator").is_none());
    }

    #[test]
    fn the_longest_key_pushes_neither_the_reason_nor_the_count_out_of_the_line() {
        let refusals = Refusals::default();
        let every_role = "viewer+operator+shift+safety+maintenance+admin";
        let path = format!("/api/v1/alarms/{}/shelve", "键".repeat(5_000));
        let asked = Asked::of(&Method::POST, &path, every_role).unwrap();
        let why = format!("changed: {}", "x".repeat(5_000));
        let say = |at| refusals.sentence("li", Mono(at), &asked, &why);
        (0..BURST + 7).for_each(|_| drop(say(0)));
        let said = say(60_000_000_000).unwrap();
        let line = format!("{said}, from {}", "f".repeat(45));
        assert!(line.chars().count() <= super::super::shell::DETAIL_MAX, "{}", line.chars().count());
        assert!(said.contains("/shelve: changed: x") && said.ends_with("; 7 more before were not written"), "{said}");
        assert_eq!(shortened("12345", 5), "12345");
        assert_eq!(shortened("1234567890", 6), "123…90");
    }

    #[test]
    fn people_are_remembered_up_to_a_bound() {
        let refusals = Refusals::default();
        let asked = Asked::of(&Method::POST, "/x", "").unwrap();
        let said = |n: usize, now| refusals.sentence(&format!("p{n}"), Mono(now), &asked, "w").is_some();
        assert_eq!((0..PEOPLE_MAX + 50).filter(|n| said(*n, 0)).count(), PEOPLE_MAX);
        assert!(said(9_999, 60_000_000_000), "who rests makes room");
    }
}
