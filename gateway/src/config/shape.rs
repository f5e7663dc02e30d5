//! Shape: the merged table becomes file structs, entry by entry, so that one bad entry does not hide the others.
//!
//! Owns strictness (no unknown keys, no coercion, no NaN) and translating serde's words. Leaves meaning to [`super::build`].

use super::diagnostic::Finding;
use super::file::{OfficeFile, SiteFile};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// What came through, what did not, and the keys of entries that did not (they are not reported as missing again).
#[derive(Default)]
pub(super) struct Shaped<T> {
    pub(super) file: T,
    pub(super) findings: Vec<Finding>,
    pub(super) broken: BTreeSet<String>,
}

const SITE_NAMES: [&str; 12] =
    ["site", "web", "mqtt", "influx", "history", "area", "source", "risk", "measure", "link", "device", "point"];
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
        area: reader.many("area"),
        source: reader.many("source"),
        risk: reader.many("risk"),
        measure: reader.many("measure"),
        link: reader.many("link"),
        device: reader.many("device"),
        point: reader.many("point"),
    };
    Shaped { file, findings: reader.findings, broken: reader.broken }
}

/// An office file.
pub(super) fn office(table: &Table) -> Shaped<OfficeFile> {
    let mut reader = Reader::new(table, &OFFICE_NAMES);
    let file = OfficeFile { office: reader.one("office"), web: reader.one("web"), mqtt: reader.one("mqtt") };
    Shaped { file, findings: reader.findings, broken: reader.broken }
}

struct Reader<'a> {
    table: &'a Table,
    findings: Vec<Finding>,
    broken: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(table: &'a Table, names: &[&str]) -> Self {
        let mut reader = Self { table, findings: Vec::new(), broken: BTreeSet::new() };
        for key in table.keys().filter(|k| !names.contains(&k.as_str())) {
            reader.findings.push(unknown_key(key.clone(), key, names));
        }
        for (key, value) in table {
            not_finite(key, value, &mut reader.findings);
        }
        reader
    }

    fn one<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.table.get(name)?.clone();
        value.try_into().map_err(|e| self.findings.push(translate(name, &e))).ok()
    }

    fn many<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let entries = match self.table.get(name) {
            None => return Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                self.findings.push(not_a_list(name));
                return Vec::new();
            }
        };
        self.duplicates(name, entries);
        let mut shaped = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            match entry.clone().try_into() {
                Ok(v) => shaped.push(v),
                Err(error) => {
                    self.findings.push(translate(&format!("{name}[#{i}]"), &error));
                    if let Some(key) = entry.get("key").and_then(Value::as_str) {
                        self.broken.insert(key.to_owned());
                    }
                }
            }
        }
        shaped
    }
}

impl Reader<'_> {
    fn duplicates(&mut self, name: &str, entries: &[Value]) {
        let mut seen = BTreeSet::new();
        for (i, entry) in entries.iter().enumerate() {
            let Some(key) = entry.get("key").and_then(Value::as_str) else { continue };
            if !seen.insert(key) {
                self.broken.insert(key.to_owned());
                self.findings.push(Finding::fatal(
                    format!("{name}[#{i}].key"),
                    (
                        format!("{key} 重复：前面已有同名的 {name}"),
                        format!("{key} is used by an earlier {name} already"),
                    ),
                    ("每个键只用一次，改名或删去其一".into(), "use each key once: rename or remove one".into()),
                ));
            }
        }
    }
}

/// Serde's error of one entry in people's words.
fn translate(path: &str, error: &toml::de::Error) -> Finding {
    let message = error.message();
    let inner = inner_path(&error.to_string());
    let path = if inner.is_empty() { path.to_owned() } else { format!("{path}.{inner}") };
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field") {
        let name = words.first().copied().unwrap_or("?");
        return unknown_key(format!("{path}.{name}"), name, &words[1..]);
    }
    if message.starts_with("unknown variant") {
        let name = words.first().copied().unwrap_or("?");
        return Finding::fatal(
            path,
            (format!("“{name}” 不是允许的取值"), format!("`{name}` is not one of the allowed words")),
            did_you_mean(name, &words[1..]),
        );
    }
    if message.starts_with("missing field") {
        let name = words.first().copied().unwrap_or("?");
        return Finding::fatal(
            path,
            (format!("缺少键 {name}"), format!("the key `{name}` is missing")),
            (format!("在此表中加上 {name} = …"), format!("add `{name} = …` to this table")),
        );
    }
    Finding::fatal(
        path,
        (format!("取值类型不对：{message}"), format!("wrong kind of value: {message}")),
        (
            "改成要求的类型；数字不加引号，文字要加引号".into(),
            "give the kind of value asked for; numbers without quotes, text with quotes".into(),
        ),
    )
}

/// The path toml prints after the message: ``in `limits.H.limit` ``.
fn inner_path(printed: &str) -> String {
    printed
        .lines()
        .rev()
        .find_map(|l| l.trim().strip_prefix("in `").and_then(|r| r.strip_suffix('`')))
        .unwrap_or("")
        .to_owned()
}

fn unknown_key(path: String, name: &str, allowed: &[&str]) -> Finding {
    Finding::fatal(
        path,
        (format!("没有名为 {name} 的键"), format!("there is no key `{name}` here")),
        did_you_mean(name, allowed),
    )
    .at_key()
}

fn not_a_list(name: &str) -> Finding {
    Finding::fatal(
        name,
        (format!("{name} 应写成 [[{name}]]"), format!("`{name}` is a list of tables")),
        (format!("用双方括号 [[{name}]]"), format!("write [[{name}]] with double brackets")),
    )
    .at_key()
}

/// The nearest allowed word first, then all of them.
pub(super) fn did_you_mean(word: &str, allowed: &[&str]) -> (String, String) {
    let list = allowed.join(", ");
    match nearest(word, allowed) {
        Some(near) => (format!("是不是 {near}？可用：{list}"), format!("did you mean `{near}`? allowed: {list}")),
        None => (format!("可用：{list}"), format!("allowed: {list}")),
    }
}

fn nearest<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    allowed.iter().map(|a| (distance(word, a), *a)).min().filter(|(d, _)| *d <= limit).map(|(_, a)| a)
}

/// Edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// TOML knows `nan` and `inf`; a configuration does not.
fn not_finite(path: &str, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Float(f) if !f.is_finite() => findings.push(Finding::fatal(
            path,
            ("数值必须是有限数".into(), "a number here must be finite".into()),
            ("写一个普通数字，不用 nan 或 inf".into(), "write an ordinary number, not nan or inf".into()),
        )),
        Value::Array(entries) => {
            for (i, entry) in entries.iter().enumerate() {
                not_finite(&format!("{path}[#{i}]"), entry, findings);
            }
        }
        Value::Table(table) => {
            for (key, entry) in table {
                not_finite(&format!("{path}.{key}"), entry, findings);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered() {
        assert_eq!(nearest("limt", &["limit", "delay_s"]), Some("limit"));
        assert_eq!(nearest("zzzzzz", &["limit", "delay_s"]), None);
    }
}
