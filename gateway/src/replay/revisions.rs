//! Which rules were in force when, and those of them that are on file.
//!
//! Owns the way from an entry of the journal (a start, a change) to its rule book. Leaves keeping them to the store.

use super::script::Step;
use crate::store::{Past, StoreError};
use rules::{Event, EventKind, Now, RuleBook};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One entry that put rules in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// Entry of the journal.
    pub seq: u64,
    pub from_ms: i64,
    pub config_hash: String,
    /// Its rules can be played again.
    pub on_file: bool,
}

/// Rule books by the entries that put them in force.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    pub(super) all: Vec<Revision>,
    /// Books that were in force once and are no longer kept.
    pub(super) dropped: u64,
    books: BTreeMap<u64, RuleBook>,
    /// Entries that put the rules in hand in force.
    in_hand: BTreeSet<u64>,
}

impl Revisions {
    /// Those of the journal that matter from position `before` on: the last one until then and all later ones up to `end_ms`.
    /// What is not on file is the book in hand where the hash is the same.
    pub(super) fn of(
        past: &Past,
        journal: &[Event],
        before: usize,
        end_ms: i64,
        in_hand: (&RuleBook, &str),
    ) -> Result<Self, StoreError> {
        let said = |e: &Event| Some((e.seq, e.at.wall.utc_ms, hash(&e.kind)?.to_owned()));
        let first = journal[..before].iter().rev().find_map(said);
        let later = journal[before..].iter().take_while(|e| e.at.wall.utc_ms <= end_ms).filter_map(said);
        let kept = past.books()?;
        let mut found = Self { dropped: kept.dropped()?, ..Self::default() };
        // a book that comes back is read once
        let mut rows: BTreeMap<i64, Option<RuleBook>> = BTreeMap::new();
        for (seq, from_ms, config_hash) in first.into_iter().chain(later) {
            let book = match kept.row(&config_hash, seq)? {
                Some(row) if rows.contains_key(&row) => rows[&row].clone(),
                Some(row) => rows.entry(row).or_insert(kept.read(row)?).clone(),
                None => None,
            };
            let book = book.or_else(|| (config_hash == in_hand.1).then(|| in_hand.0.clone()));
            let same = |book: &RuleBook| config_hash == in_hand.1 && book.parts() == in_hand.0.parts();
            found.in_hand.extend(book.as_ref().is_some_and(same).then_some(seq));
            found.all.push(Revision { seq, from_ms, config_hash, on_file: book.is_some() });
            found.books.extend(book.map(|book| (seq, book)));
        }
        Ok(found)
    }

    /// The rules that an entry put in force.
    pub(super) fn book(&self, seq: u64) -> Option<&RuleBook> {
        self.books.get(&seq)
    }

    /// All books, for their points.
    pub(super) fn books(&self) -> impl Iterator<Item = &RuleBook> {
        self.books.values()
    }

    /// The rules in force at the beginning.
    pub(super) fn first(&self) -> Option<&RuleBook> {
        self.book(self.all.first()?.seq)
    }

    /// Other rules than those in hand were in force at some time, also by another program under the same configuration.
    pub(super) fn differ(&self) -> bool {
        self.all.iter().any(|r| !self.in_hand.contains(&r.seq))
    }

    /// Those in hand were in force at that time; before the first entry nothing speaks against it.
    pub(super) fn were_in_hand(&self, at_ms: i64) -> bool {
        self.at(at_ms).is_none_or(|r| self.in_hand.contains(&r.seq))
    }

    fn at(&self, at_ms: i64) -> Option<&Revision> {
        self.all.iter().rev().find(|r| r.from_ms <= at_ms)
    }

    /// The rules of a time can be played; before the first entry nothing speaks against it.
    pub(super) fn is_on_file(&self, at_ms: i64) -> bool {
        self.at(at_ms).is_none_or(|r| r.on_file)
    }
}

fn hash(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Started { config_hash: hash, .. } | EventKind::ConfigChanged { new_hash: hash, .. } => Some(hash),
        _ => None,
    }
}

/// Without the changes that only say what a start has found, right behind it: its rules are those of the start.
pub(super) fn without_echoes(mut steps: Vec<(Now, Step)>) -> Vec<(Now, Step)> {
    let mut begun = None;
    steps.retain(|(_, step)| match step {
        Step::Start { seq, config_hash, .. } => {
            begun = Some((*seq, config_hash.clone()));
            true
        }
        Step::Change { seq, change } => {
            let of_start = begun.as_ref().is_some_and(|(start, hash)| *seq == start + 1 && *hash == change.new_hash);
            !of_start || change.old_hash == change.new_hash
        }
        _ => true,
    });
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::engine::ConfigChange;

    fn change(seq: u64, old: &str, new: &str) -> (Now, Step) {
        let change = ConfigChange { by: "li".into(), asked: None, old_hash: old.into(), new_hash: new.into() };
        (Now::default(), Step::Change { seq, change })
    }

    fn start(seq: u64, hash: &str) -> (Now, Step) {
        (Now::default(), Step::Start { seq, config_hash: hash.into(), rebooted: false })
    }

    #[test]
    fn what_a_start_has_found_is_no_change_and_a_live_one_right_behind_it_is() {
        let live = [start(1, "a"), change(2, "a", "b"), change(9, "b", "a"), start(20, "a"), change(21, "a", "a")];
        assert_eq!(without_echoes(live.to_vec()), live);
        let found = vec![start(1, "b"), change(2, "a", "b"), change(3, "b", "c")];
        assert_eq!(without_echoes(found.clone()), [found[0].clone(), found[2].clone()]);
    }
}
