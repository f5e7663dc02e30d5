//! Shape: the merged table becomes file structs, entry by entry, so that one bad entry does not hide the others.
//!
//! Owns strictness (no unknown keys, no coercion, no NaN, no key twice). Leaves mending one entry to [`super::repair`], meaning to
//! [`super::build`].

use super::diagnostic::Finding;
use super::file::{OfficeFile, SiteFile};
use super::nearest::nearest;
use super::words::unknown_key;
use super::{repair, twice};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// What came through, what did not, and the keys of entries that did not (they are not reported as missing again).
#[derive(Default)]
pub(super) struct Shaped<T> {
    pub(super) file: T,
    pub(super) findings: Vec<Finding>,
    pub(super) broken: BTreeSet<String>,
    /// Paths whose values the reader made up; nothing is said about them again.
    pub(super) tainted: BTreeSet<String>,
}

const SITE_NAMES: [&str; 19] = [
    "site",
    "web",
    "mqtt",
    "influx",
    "history",
    "annunciator",
    "area",
    "source",
    "risk",
    "measure",
    "link",
    "device",
    "point",
    "strapping",
    "vote",
    "suppression",
    "first_out",
    "unit",
    "call",
];
const OFFICE_NAMES: [&str; 3] = ["office", "web", "mqtt"];

/// A site file.
pub(super) fn site(table: &Table) -> Shaped<SiteFile> {
    let mut reader = Reader::new(table, &SITE_NAMES);
    let file = SiteFile {
        site: reader.one("site"),
        web: reader.one("web"),
        mqtt: reader.one("mqtt"),
        influx: reader.one("influx"),
        history: reader.one("history"),
        annunciator: reader.one("annunciator"),
        area: reader.many("area"),
        source: reader.many("source"),
        risk: reader.many("risk"),
        measure: reader.many("measure"),
        link: reader.many("link"),
        device: reader.many("device"),
        point: reader.many("point"),
        strapping: reader.many("strapping"),
        vote: reader.many("vote"),
        suppression: reader.many("suppression"),
        first_out: reader.many("first_out"),
        unit: reader.many("unit"),
        call: reader.many("call"),
    };
    reader.keep_places_of("call", file.call.len());
    Shaped { file, findings: reader.findings, broken: reader.broken, tainted: reader.tainted }
}

/// An office file.
pub(super) fn office(table: &Table) -> Shaped<OfficeFile> {
    let mut reader = Reader::new(table, &OFFICE_NAMES);
    let file = OfficeFile { office: reader.one("office"), web: reader.one("web"), mqtt: reader.one("mqtt") };
    Shaped { file, findings: reader.findings, broken: reader.broken, tainted: reader.tainted }
}

struct Reader {
    table: Table,
    findings: Vec<Finding>,
    broken: BTreeSet<String>,
    tainted: BTreeSet<String>,
}

impl Reader {
    fn new(table: &Table, names: &[&str]) -> Self {
        let mut reader =
            Self { table: table.clone(), findings: Vec::new(), broken: BTreeSet::new(), tainted: BTreeSet::new() };
        let allowed: Vec<String> = names.iter().map(ToString::to_string).collect();
        for key in table.keys().filter(|k| !names.contains(&k.as_str())) {
            reader.findings.push(unknown_key(key.clone(), key, &allowed));
            // `[[points]]`: read as what was meant, or everything that names a point would be called wrong
            if let Some(meant) = nearest(key, &allowed).filter(|meant| !table.contains_key(*meant))
                && let Some(value) = reader.table.remove(key)
            {
                reader.table.insert(meant.to_owned(), value);
            }
        }
        for (key, value) in table {
            not_finite(key, value, &mut reader);
        }
        reader
    }

    fn one<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.table.get(name)?.clone();
        self.take(name, &value)
    }

    fn many<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let entries = match self.table.get(name) {
            None => return Vec::new(),
            Some(Value::Array(entries)) => entries.clone(),
            Some(_) => {
                self.findings.push(not_a_list(name));
                return Vec::new();
            }
        };
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut shaped = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            let Some(key) = entry.get("key").and_then(Value::as_str).filter(|key| !key.contains([']', '['])) else {
                shaped.extend(self.take(&format!("{name}[#{i}]"), entry));
                continue;
            };
            let times = seen.entry(key).and_modify(|n| *n += 1).or_insert(1);
            if *times == 1 {
                shaped.extend(self.take(&format!("{name}[{key}]"), entry));
            } else {
                // checked under a name of its own, so that its other defects are found at its place
                let alias = twice::alias(key, *times);
                self.findings.push(duplicate(format!("{name}[{alias}].key"), name, key));
                let mut renamed = entry.clone();
                renamed.as_table_mut().map(|table| table.insert("key".into(), Value::String(alias.clone())));
                shaped.extend(self.take(&format!("{name}[{alias}]"), &renamed));
            }
        }
        shaped
    }

    /// Entries of this list have no key and are spoken of by their number: where one could not be read, nothing more is said of any.
    fn keep_places_of(&mut self, name: &str, read: usize) {
        if self.table.get(name).is_some_and(|value| value.as_array().is_none_or(|all| all.len() != read)) {
            self.tainted.insert(name.to_owned());
        }
    }

    fn take<T: DeserializeOwned>(&mut self, path: &str, entry: &Value) -> Option<T> {
        let fitted = repair::fit(path, entry);
        self.findings.extend(fitted.findings);
        self.tainted.extend(fitted.tainted);
        if fitted.value.is_none()
            && let Some(key) = entry.get("key").and_then(Value::as_str)
        {
            self.broken.insert(key.to_owned());
        }
        fitted.value
    }
}

fn duplicate(path: String, name: &str, key: &str) -> Finding {
    let finding = Finding::fatal(
        path,
        (format!("{key} 重复：前面已有同名的 {name}"), format!("{key} is used by an earlier {name} already")),
        ("每个键只用一次，改名或删去其一".into(), "use each key once: rename or remove one".into()),
    );
    Finding { first: Some(format!("{name}[{key}].key")), ..finding }
}

fn not_a_list(name: &str) -> Finding {
    Finding::fatal(
        name,
        (format!("{name} 应写成 [[{name}]]"), format!("`{name}` is a list of tables")),
        (format!("用双方括号 [[{name}]]"), format!("write [[{name}]] with double brackets")),
    )
    .at_key()
}

/// TOML knows `nan` and `inf`; a configuration does not.
fn not_finite(path: &str, value: &Value, reader: &mut Reader) {
    match value {
        Value::Float(f) if !f.is_finite() => {
            reader.tainted.insert(path.to_owned());
            reader.findings.push(Finding::fatal(
                path,
                ("数值必须是有限数".into(), "a number here must be finite".into()),
                ("写一个普通数字，不用 nan 或 inf".into(), "write an ordinary number, not nan or inf".into()),
            ));
        }
        Value::Array(entries) => {
            for (i, entry) in entries.iter().enumerate() {
                let step = entry.get("key").and_then(Value::as_str).map_or_else(|| format!("#{i}"), str::to_owned);
                not_finite(&format!("{path}[{step}]"), entry, reader);
            }
        }
        Value::Table(table) => {
            for (key, entry) in table {
                not_finite(&format!("{path}.{key}"), entry, reader);
            }
        }
        _ => {}
    }
}
