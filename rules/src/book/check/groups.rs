//! Votes, suppressions, first-out groups and units: members exist, loops do not.

use super::report::Report;
use super::rules::is_chinese;
use crate::book::{BookParts, PointKind, Rule, Suppression, Suppressor, UnknownVote, Vote, alarm_keys};
use std::collections::{BTreeMap, HashSet};

pub(super) fn groups(r: &mut Report, parts: &BookParts, points: &HashSet<&str>) {
    let mut keys: Vec<String> = alarm_keys::alarm_keys(parts).collect();
    let measured = parts.points.iter().filter(|p| p.kind != PointKind::State);
    keys.extend(measured.map(|p| format!("{}:SENSOR_FAULT", p.key)));
    let alarms: HashSet<&str> = keys.iter().map(String::as_str).collect();
    r.keys("votes", parts.votes.iter().map(|v| v.key.as_str()));
    for v in &parts.votes {
        members(r, format!("votes[{}].members", v.key), &v.members, &alarms);
        vote(r, v);
        if !v.area.trim().is_empty() {
            r.area(format!("votes[{}].area", v.key), &v.area, &parts.areas);
        }
    }
    r.keys("first_out", parts.first_out.iter().map(|g| g.key.as_str()));
    let mut grouped = HashSet::new();
    for g in &parts.first_out {
        members(r, format!("first_out[{}].alarms", g.key), &g.alarms, &alarms);
        for a in g.alarms.iter().filter(|a| !grouped.insert(a.as_str())) {
            r.error(
                format!("first_out[{}].alarms", g.key),
                format!("报警 {a} 已属于另一个首出组"),
                format!("the alarm {a} is in another first-out group already"),
                ("每个报警只属于一个首出组", "an alarm belongs to one group"),
            );
        }
    }
    suppressions(r, parts, points, &alarms);
    units(r, parts, points);
}

fn members(r: &mut Report, path: String, list: &[String], alarms: &HashSet<&str>) {
    for key in list {
        r.known(path.clone(), ("报警", "alarm"), key, alarms);
    }
    if list.len() < 2 {
        r.error(path, "至少要有两个成员", "at least two members are needed", ("补充成员", "add members"));
    }
}

fn vote(r: &mut Report, v: &Vote) {
    let at = |f: &str| format!("votes[{}].{f}", v.key);
    r.priority(at("priority"), v.priority);
    if v.needed == 0 || usize::from(v.needed) > v.members.len() {
        r.error(
            at("needed"),
            format!("{} 个成员中要求 {} 个", v.members.len(), v.needed),
            format!("{} of {} members are asked for", v.needed, v.members.len()),
            ("取 1 到成员数之间", "between 1 and the number of members"),
        );
    }
    let points: HashSet<&str> = v.members.iter().filter_map(|m| m.split(':').next()).collect();
    if points.len() < v.members.len() {
        r.error(
            at("members"),
            "同一测点在表决中出现两次",
            "a point votes twice",
            ("每个测点一票", "one vote for each point"),
        );
    }
    if v.unknown == UnknownVote::VoteNormal && v.second_approver.as_deref().is_none_or(|a| a.trim().is_empty()) {
        r.error(
            at("second_approver"),
            "故障成员按正常计票须有第二批准人",
            "counting a failed member as normal needs a second approver",
            ("填写 second_approver，或改用 degrade", "name one, or use degrade"),
        );
    }
    for (field, text) in [("cause", &v.cause), ("consequence", &v.consequence), ("action", &v.action)] {
        if v.priority <= 2 && !is_chinese(text) {
            r.error(
                at(field),
                "1、2 级表决报警必须写明中文原因、后果和处置措施",
                "a vote of priority 1 or 2 needs cause, consequence and action in Chinese",
                ("补充文字", "write them"),
            );
        }
    }
}

fn suppressions(r: &mut Report, parts: &BookParts, points: &HashSet<&str>, alarms: &HashSet<&str>) {
    r.keys("suppressions", parts.suppressions.iter().map(|s| s.key.as_str()));
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for s in &parts.suppressions {
        let at = |f: &str| format!("suppressions[{}].{f}", s.key);
        for key in &s.alarms {
            r.known(at("alarms"), ("报警", "alarm"), key, alarms);
        }
        match &s.when {
            Suppressor::State { point, .. } => {
                r.known(at("point"), ("测点", "point"), point, points);
                if parts.points.iter().any(|p| p.key == *point && p.kind != PointKind::State) {
                    r.error(
                        at("point"),
                        format!("抑制条件 {point} 不是开关量"),
                        format!("what suppresses, {point}, is no state"),
                        (
                            "写一个 kind = \"state\" 的测点，或用 alarm 写一条报警",
                            "name a point with kind = \"state\", or an alarm by `alarm`",
                        ),
                    );
                }
            }
            Suppressor::Alarm(key) => {
                r.known(at("alarm"), ("报警", "alarm"), key, alarms);
                edges.entry(key).or_default().extend(s.alarms.iter().map(String::as_str));
            }
        }
        hides_urgent(r, at("alarms"), s, parts);
        if s.max.is_zero() {
            r.error(
                at("max_s"),
                "抑制没有最长时间",
                "the suppression has no longest time",
                ("通常不超过 60 min：max_s = 3600", "60 min are usual: max_s = 3600"),
            );
        }
    }
    let looped = |s: &&Suppression| matches!(&s.when, Suppressor::Alarm(key) if reaches(&edges, key));
    let looped: Vec<&str> = parts.suppressions.iter().filter(looped).map(|s| s.key.as_str()).collect();
    if let Some(first) = looped.first() {
        let (all_zh, all_en) = (looped.join("、"), looped.join(", "));
        r.error(
            format!("suppressions[{first}].alarm"),
            format!("抑制成环：{all_zh} 相互抑制"),
            format!("a loop of suppressions: {all_en} suppress one another"),
            (&format!("去掉其中一条：{all_zh}"), &format!("remove one of {all_en}")),
        );
    }
}

/// What people's lives may hang on is hidden by a rule: nobody should come upon that only when it happens.
fn hides_urgent(r: &mut Report, path: String, s: &Suppression, parts: &BookParts) {
    let is_gas = |key: &str| parts.points.iter().any(|p| *p.key == *key && p.kind == PointKind::Gas);
    let urgent = |a: &&String| {
        let named = |x: &&Rule| **a == format!("{}:{}", x.point, x.condition.word());
        parts
            .rules
            .iter()
            .find(named)
            .is_some_and(|x| x.priority == 1 || is_gas(&x.point) && x.condition.limit().is_some())
    };
    let hidden: Vec<&str> = s.alarms.iter().filter(urgent).map(String::as_str).collect();
    if !hidden.is_empty() {
        let (all_zh, all_en) = (hidden.join("、"), hidden.join(", "));
        r.warn(
            path,
            format!("抑制 {} 会隐藏气体或一级报警：{all_zh}", s.key),
            format!("the suppression {} hides alarms of gas or of priority 1: {all_en}", s.key),
            ("确认已按设计审批，max_s 尽量短", "make sure that it is designed and approved, and max_s short"),
        );
    }
}

/// True when following the suppressions from `start` leads back to it.
fn reaches(edges: &BTreeMap<&str, Vec<&str>>, start: &str) -> bool {
    let mut seen = HashSet::new();
    let mut open: Vec<&str> = edges.get(start).cloned().unwrap_or_default();
    while let Some(key) = open.pop() {
        if key == start {
            return true;
        }
        if seen.insert(key) {
            open.extend(edges.get(key).into_iter().flatten());
        }
    }
    false
}

fn units(r: &mut Report, parts: &BookParts, points: &HashSet<&str>) {
    r.keys("plant_units", parts.plant_units.iter().map(|u| u.key.as_str()));
    let mut used = HashSet::new();
    for u in &parts.plant_units {
        let path = format!("plant_units[{}].points", u.key);
        for p in &u.points {
            r.known(path.clone(), ("测点", "point"), p, points);
        }
        if let Some(signal) = &u.running_point {
            let at = format!("plant_units[{}].running_point", u.key);
            r.known(at.clone(), ("测点", "point"), signal, points);
            if parts.points.iter().any(|p| p.key == *signal && p.kind != PointKind::State) {
                r.error(
                    at,
                    format!("运行信号 {signal} 不是开关量"),
                    format!("the running signal {signal} is no state"),
                    ("写一个 kind = \"state\" 的测点：真为运行", "name a point with kind = \"state\": true is running"),
                );
            }
        }
        for p in u.points.iter().filter(|p| !used.insert(p.as_str())) {
            r.error(
                path.clone(),
                format!("测点 {p} 已属于另一个装置"),
                format!("the point {p} belongs to another unit already"),
                ("每个测点只属于一个装置", "a point belongs to one unit"),
            );
        }
    }
    for rule in parts.rules.iter().filter(|x| !x.by_mode.is_empty() && !used.contains(x.point.as_str())) {
        r.error(
            format!("points[{}].rules.{}.modes", rule.point, rule.condition.word()),
            "按工况设限，但测点不属于任何装置",
            "limits by mode, but the point belongs to no unit",
            ("把测点列入 [[unit]]", "list the point in a [[unit]]"),
        );
    }
}
