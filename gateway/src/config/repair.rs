//! One entry made to fit its struct: everything serde has to say about it, not only the first thing.
//!
//! serde stops at the first defect. Here each one is reported, mended in a copy, and the copy is tried again; what was mended is
//! *tainted*, so that nobody complains about a value nobody wrote. Owns the loop; leaves the words to [`super::words`].

use super::diagnostic::Finding;
use super::nearest::nearest;
use super::words::{self, Trouble};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// More defects than anybody makes in one entry; each is one round, a placeholder some more.
const ROUNDS_MAX: usize = 200;

/// What came of an entry.
pub(super) struct Fitted<T> {
    /// As far as it can be used; `None` when it cannot be named or mended.
    pub(super) value: Option<T>,
    pub(super) findings: Vec<Finding>,
    /// Paths whose values are ours.
    pub(super) tainted: BTreeSet<String>,
}

/// Fits `value`, which stands at `path`.
pub(super) fn fit<T: DeserializeOwned>(path: &str, value: &Value) -> Fitted<T> {
    let mut repair = Repair {
        path,
        copy: value.clone(),
        findings: Vec::new(),
        tainted: BTreeSet::new(),
        filled: BTreeMap::new(),
        incomplete: BTreeSet::new(),
        size: 0,
    };
    let mut fitted = None;
    for _ in 0..ROUNDS_MAX {
        match repair.copy.clone().try_into::<T>() {
            Ok(_) if !repair.incomplete.is_empty() => repair.leave_out_incomplete(),
            Ok(value) => {
                fitted = Some(value);
                break;
            }
            Err(error) => {
                if !repair.mend(&error) {
                    break;
                }
            }
        }
    }
    // without its key an entry cannot be spoken of
    let value = fitted.filter(|_| !repair.tainted.contains(&format!("{path}.key")));
    Fitted { value, findings: repair.findings, tainted: repair.tainted }
}

struct Repair<'a> {
    path: &'a str,
    copy: Value,
    findings: Vec<Finding>,
    tainted: BTreeSet<String>,
    /// Keys that were missing, and how many placeholders were tried.
    filled: BTreeMap<String, usize>,
    /// Inner tables with a placeholder in them.
    incomplete: BTreeSet<String>,
    /// Of the list that is being filled.
    size: usize,
}

/// What may stand for a missing value, in the order of trying; `size` is that of a list whose length is fixed.
fn placeholder(tried: usize, size: usize) -> Option<Value> {
    let (text, number) = (Value::String("?".into()), Value::Integer(1));
    match tried {
        0 => Some(text),
        1 => Some(number),
        2 => Some(Value::Boolean(false)),
        3 => Some(Value::Array(Vec::new())),
        4 => Some(Value::Array(vec![text; size])),
        5 => Some(Value::Array(vec![number; size])),
        _ => None,
    }
}

impl Repair<'_> {
    /// Reports one trouble and mends it; false when nothing more can be done.
    fn mend(&mut self, error: &toml::de::Error) -> bool {
        let inner = words::inner_path(&error.to_string());
        match words::trouble(error.message()) {
            Trouble::UnknownKey { name, allowed } => self.unknown_key(&inner, &name, &allowed),
            Trouble::UnknownWord { name, allowed } => self.unknown_word(&inner, &name, &allowed),
            Trouble::Missing { name } => self.missing(&inner, &name),
            Trouble::Kind => self.wrong_kind(&inner, error.message()),
        }
    }

    fn at(&self, inner: &str) -> String {
        if inner.is_empty() { self.path.to_owned() } else { format!("{}.{inner}", self.path) }
    }

    /// Takes the nearest key for what was meant, unless that one is there as well.
    fn unknown_key(&mut self, inner: &str, name: &str, allowed: &[String]) -> bool {
        let path = self.at(&joined(inner, name));
        self.findings.push(words::unknown_key(path, name, allowed));
        let meant = nearest(name, allowed).map(str::to_owned);
        let meant_path = meant.as_ref().map(|meant| self.at(&joined(inner, meant)));
        let Some(table) = table_at(&mut self.copy, inner) else { return false };
        let Some(value) = table.remove(name) else { return false };
        if let (Some(meant), Some(path)) = (meant, meant_path)
            && !table.contains_key(&meant)
        {
            table.insert(meant, value);
            self.tainted.insert(path);
        }
        true
    }

    fn unknown_word(&mut self, inner: &str, name: &str, allowed: &[String]) -> bool {
        let stand_in = nearest(name, allowed).or(allowed.first().map(String::as_str)).unwrap_or_default().to_owned();
        if self.filled.contains_key(inner) {
            return put(&mut self.copy, inner, Value::String(stand_in));
        }
        let (above, last) = split(inner);
        // the word may be a key, as in `limits.HHH`, and then the path leads to its table or to itself
        let key_of = if last == name { above } else { inner };
        if value_at(&mut self.copy, inner).is_some_and(|v| v.as_str() == Some(name)) {
            self.findings.push(words::unknown_word(self.at(inner), name, allowed));
            self.tainted.insert(self.at(inner));
            return put(&mut self.copy, inner, Value::String(stand_in));
        }
        self.findings.push(words::unknown_word(self.at(&joined(key_of, name)), name, allowed).at_key());
        table_at(&mut self.copy, key_of).is_some_and(|table| table.remove(name).is_some())
    }

    fn missing(&mut self, inner: &str, name: &str) -> bool {
        let place = joined(inner, name);
        if self.tainted.insert(self.at(&place)) {
            self.findings.push(words::missing(self.at(inner), name));
        }
        if !inner.is_empty() {
            self.incomplete.insert(inner.to_owned());
        }
        self.filled.insert(place.clone(), 0);
        placeholder(0, 0).is_some_and(|first| put(&mut self.copy, &place, first))
    }

    fn wrong_kind(&mut self, inner: &str, message: &str) -> bool {
        let place = inner.split('[').next().unwrap_or_default().to_owned();
        if let Some(tried) = self.filled.get_mut(&place) {
            *tried += 1;
            let size = words::size(message).unwrap_or(0);
            self.size = self.size.max(size);
            return placeholder(*tried, self.size).is_some_and(|next| put(&mut self.copy, &place, next));
        }
        let written = value_at(&mut self.copy, &place).cloned();
        let last = split(&place).1.to_owned();
        self.findings.push(words::wrong_kind(self.at(&place), &last, message, written.as_ref()));
        self.tainted.insert(self.at(&place));
        let (above, last) = split(&place);
        !place.is_empty() && table_at(&mut self.copy, above).is_some_and(|table| table.remove(last).is_some())
    }

    fn leave_out_incomplete(&mut self) {
        for inner in std::mem::take(&mut self.incomplete) {
            let (above, last) = split(&inner);
            if let Some(table) = table_at(&mut self.copy, above) {
                table.remove(last);
            }
            self.tainted.insert(self.at(&inner));
        }
    }
}

fn joined(inner: &str, name: &str) -> String {
    if inner.is_empty() { name.to_owned() } else { format!("{inner}.{name}") }
}

fn split(inner: &str) -> (&str, &str) {
    inner.rsplit_once('.').unwrap_or(("", inner))
}

fn value_at<'v>(value: &'v mut Value, inner: &str) -> Option<&'v mut Value> {
    inner.split('.').filter(|word| !word.is_empty()).try_fold(value, |value, word| value.as_table_mut()?.get_mut(word))
}

fn table_at<'v>(value: &'v mut Value, inner: &str) -> Option<&'v mut Table> {
    value_at(value, inner)?.as_table_mut()
}

fn put(value: &mut Value, inner: &str, what: Value) -> bool {
    let (above, last) = split(inner);
    table_at(value, above).map(|table| table.insert(last.to_owned(), what)).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::file::PointTable;
    use super::*;

    fn paths(text: &str) -> (bool, Vec<String>) {
        let table: Table = text.parse().unwrap();
        let fitted = fit::<PointTable>("point[X]", &Value::Table(table));
        (fitted.value.is_some(), fitted.findings.iter().map(|f| format!("{}: {}", f.path, f.message_en)).collect())
    }

    #[test]
    fn every_defect_of_one_entry_is_reported() {
        let (usable, found) = paths(
            "key = \"X\"\nname = 5\nname_en = \"x\"\ndevise = \"d\"\nkind = \"gass\"\nperiod_ms = \"1s\"\nrange = [0]\n\
             [limits.H]\nlimt = 5\nprio = 1\n[limits.HHH]\nlimit = 1\n[limits.L]\n",
        );
        let has = |words: &str| assert!(found.iter().any(|f| f.contains(words)), "{words}: {found:#?}");
        for words in [
            "point[X].name: ",
            "point[X].devise: there is no key",
            "point[X].kind: `gass`",
            "point[X].period_ms: ",
            "point[X].range: ",
            "point[X].limits.H.limt: ",
            "point[X].limits.H.prio: ",
            "point[X].limits.HHH: ",
            "point[X].limits.L: the key `limit` is missing",
            "point[X].limits.L: the key `priority` is missing",
        ] {
            has(words);
        }
        assert!(usable);
        assert_eq!(found.len(), 10, "{found:#?}");
    }

    #[test]
    fn an_entry_without_its_key_is_reported_and_left_out() {
        let (usable, found) = paths("name = \"x\"\nname_en = \"x\"\ndevice = \"d\"\nfield = \"f\"\nkind = \"gas\"\n");
        assert_eq!((usable, found), (false, vec!["point[X]: the key `key` is missing".to_owned()]));
    }
}
