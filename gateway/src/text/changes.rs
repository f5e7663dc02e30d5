//! What differs between two rule books, as a person reads it: `GT-101 氨气 高限报警：限值 25 → 28 ppm`.

use super::alarm;
use crate::snapshot::SiteView;
use rules::book::{Condition, Rule};
use rules::{RuleBook, Text};
use std::collections::BTreeMap;
use std::time::Duration;

/// Named in the sentence; the rest is counted.
const NAMED_MAX: usize = 12;

/// One difference, zh-CN and English.
pub type Difference = (String, String);

/// All differences that change a decision or a text of an alarm, by alarm key; then those of points and groups.
#[must_use]
pub fn between(old: &RuleBook, new: &RuleBook, was: &SiteView, is: &SiteView) -> Vec<Difference> {
    let keyed = |book: &RuleBook| -> BTreeMap<String, Rule> {
        book.rules().iter().map(|r| (format!("{}:{}", r.point, r.condition.word()), r.clone())).collect()
    };
    let (old_rules, new_rules) = (keyed(old), keyed(new));
    let mut found = Vec::new();
    for (key, rule) in &old_rules {
        match new_rules.get(key) {
            None => found.push(said(alarm::title(key, was), ("已删除".into(), "removed".into()))),
            Some(next) if next != rule => {
                let unit = is.points.find(&rule.point).map_or_else(Text::default, |p| p.unit);
                found.push(said(alarm::title(key, is), rule_words(rule, next, &unit)));
            }
            Some(_) => {}
        }
    }
    for key in new_rules.keys().filter(|key| !old_rules.contains_key(*key)) {
        found.push(said(alarm::title(key, is), ("新增".into(), "added".into())));
    }
    found.extend(points(old, new, was, is));
    found.extend(groups(old, new, was, is));
    if old.calls() != new.calls() {
        found.push(("升级通知岗位（[[call]]）已改".into(), "posts to be called ([[call]]) changed".into()));
    }
    found
}

/// One sentence of all of them; none when only what no alarm depends on differs.
#[must_use]
pub fn sentence(differences: &[Difference]) -> Option<(String, String)> {
    listed(("配置更改内容：", "What the configuration changed: "), differences)
}

/// The same where the configuration is as it was in the last run: another version of the program, or another profile, makes other rules of it.
#[must_use]
pub fn of_the_program(differences: &[Difference]) -> Option<(String, String)> {
    let begin = (
        "配置文件未变，程序版本或仪表档案与上次运行不同，规则因此改变：",
        "The configuration is as it was, and another program version or profile made other rules of it: ",
    );
    listed(begin, differences)
}

fn listed(begin: (&str, &str), differences: &[Difference]) -> Option<(String, String)> {
    if differences.is_empty() {
        return None;
    }
    let rest = differences.len().saturating_sub(NAMED_MAX);
    let (more_zh, more_en) = match rest {
        0 => (String::new(), String::new()),
        n => (format!("；另有 {n} 处"), format!("; and {n} more")),
    };
    let list = |pick: fn(&Difference) -> &str, comma: &str| {
        differences.iter().take(NAMED_MAX).map(pick).collect::<Vec<_>>().join(comma)
    };
    Some((
        format!("{}{}{more_zh}", begin.0, list(|d| &d.0, "；")),
        format!("{}{}{more_en}", begin.1, list(|d| &d.1, "; ")),
    ))
}

/// Only what no alarm depends on differs.
#[must_use]
pub fn none() -> (String, String) {
    (
        "配置更改内容：测点和报警规则没有变化；变的是总线、仪表、上报或页面等设置".into(),
        "What the configuration changed: no point and no alarm rule; links, instruments, uplinks, page or other settings".into(),
    )
}

/// The book of the last run is not on file.
#[must_use]
pub fn unknown() -> (String, String) {
    (
        "配置更改内容：上次运行的规则不在档案中，无法比较".into(),
        "What the configuration changed: the rules of the last run are not on file and cannot be compared".into(),
    )
}

/// Points by key; of one that stays only that it differs.
fn points(old: &RuleBook, new: &RuleBook, was: &SiteView, is: &SiteView) -> Vec<Difference> {
    let keyed = |book: &RuleBook| -> BTreeMap<Text, String> {
        book.points().iter().map(|point| (point.key.clone(), format!("{point:?}"))).collect()
    };
    let (old, new) = (keyed(old), keyed(new));
    let named = |key: &str, site: &SiteView, (zh, en): (&str, &str)| {
        let (name_zh, name_en) =
            site.points.find(key).map(|p| (format!(" {}", p.name), format!(" {}", p.name_en))).unwrap_or_default();
        (format!("测点 {key}{name_zh} {zh}"), format!("point {key}{name_en} {en}"))
    };
    let mut found = Vec::new();
    for (key, inside) in &old {
        match new.get(key) {
            None => found.push(named(key, was, ("已删除", "removed"))),
            Some(next) if next != inside => found.push(named(key, is, ("已改", "changed"))),
            Some(_) => {}
        }
    }
    found.extend(new.keys().filter(|key| !old.contains_key(*key)).map(|key| named(key, is, ("新增", "added"))));
    found
}

fn said((zh, en): (String, String), (what_zh, what_en): (String, String)) -> Difference {
    (format!("{zh} {what_zh}"), format!("{en} {what_en}"))
}

fn rule_words(old: &Rule, new: &Rule, unit: &str) -> (String, String) {
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut moved = |zh: &str, en: &str, a: String, b: String, unit: &str| {
        if a != b {
            let tail = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            parts.push((format!("{zh} {a} → {b}{tail}"), format!("{en} {a} → {b}{tail}")));
        }
    };
    let number = |n: Option<f64>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let band = |c: &Condition| c.band().map(|(_, deadband)| deadband);
    moved("限值", "limit", number(old.condition.limit()), number(new.condition.limit()), unit);
    moved("回差", "deadband", number(band(&old.condition)), number(band(&new.condition)), unit);
    moved("报警延时", "on-delay", seconds(old.on_delay), seconds(new.on_delay), "s");
    moved("恢复延时", "off-delay", seconds(old.off_delay), seconds(new.off_delay), "s");
    moved("优先级", "priority", old.priority.to_string(), new.priority.to_string(), "");
    if old.latching != new.latching {
        let (zh, en) =
            if new.latching { ("改为锁存", "now latching") } else { ("改为不锁存", "no longer latching") };
        parts.push((zh.into(), en.into()));
    }
    if parts.is_empty() {
        parts.push(("条件或说明文字已改".into(), "other condition or texts".into()));
    }
    let join =
        |pick: fn(&(String, String)) -> &str, comma: &str| parts.iter().map(pick).collect::<Vec<_>>().join(comma);
    (join(|p| &p.0, "，"), join(|p| &p.1, ", "))
}

fn seconds(d: Duration) -> String {
    d.as_secs_f64().to_string()
}

/// Votes, suppressions, first-out groups and units: by key, without their insides.
fn groups(old: &RuleBook, new: &RuleBook, was: &SiteView, is: &SiteView) -> Vec<Difference> {
    let all = |book: &RuleBook| -> BTreeMap<(&'static str, &'static str, String), String> {
        let votes = book.votes().iter().map(|v| (("表决", "vote", v.key.clone()), format!("{v:?}")));
        let suppressions =
            book.suppressions().iter().map(|s| (("抑制", "suppression", s.key.clone()), format!("{s:?}")));
        let groups =
            book.first_out_groups().iter().map(|g| (("首出组", "first-out group", g.key.clone()), format!("{g:?}")));
        let units = book.plant_units().iter().map(|u| (("装置", "unit", u.key.clone()), format!("{u:?}")));
        votes.chain(suppressions).chain(groups).chain(units).collect()
    };
    let (old, new) = (all(old), all(new));
    let mut found = Vec::new();
    let mut say = |(zh, en, key): &(&str, &str, String), site: &SiteView, what: (&str, &str)| {
        let (name_zh, name_en) = site.names.of(key);
        found.push((format!("{zh} {name_zh} {}", what.0), format!("{en} {name_en} {}", what.1)));
    };
    for (key, inside) in &old {
        match new.get(key) {
            None => say(key, was, ("已删除", "removed")),
            Some(next) if next != inside => say(key, is, ("已改", "changed")),
            Some(_) => {}
        }
    }
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        say(key, is, ("新增", "added"));
    }
    found
}
