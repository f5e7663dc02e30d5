//! Votes, first-out groups and units: members exist and belong together.

use super::report::Report;
use super::rules::is_chinese;
use super::suppressions::suppressions;
use crate::book::{BookParts, PointKind, UnknownVote, Vote, alarm_keys};
use std::collections::HashSet;

pub(super) fn groups(r: &mut Report, parts: &BookParts, points: &HashSet<&str>) {
    let mut keys: Vec<String> = alarm_keys::alarm_keys(parts).collect();
    let measured = parts.points.iter().filter(|p| p.kind != PointKind::State);
    keys.extend(measured.map(|p| format!("{}:SENSOR_FAULT", p.key)));
    let alarms: HashSet<&str> = keys.iter().map(String::as_str).collect();
    r.keys("votes", parts.votes.iter().map(|v| v.key.as_str()));
    for v in &parts.votes {
        members(r, format!("votes[{}].members", v.key), &v.members, &alarms);
        r.area(format!("votes[{}].area", v.key), &v.area, &parts.areas);
        vote(r, v);
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
    texts(r, v);
}

/// What the operator must know; all that is missing in one sentence, at the first of it.
fn texts(r: &mut Report, v: &Vote) {
    let texts = [("cause", &v.cause), ("consequence", &v.consequence), ("action", &v.action)];
    let missing: Vec<&str> = texts.into_iter().filter(|(_, text)| !is_chinese(text)).map(|(field, _)| field).collect();
    let Some(first) = missing.first().filter(|_| v.priority <= 2) else { return };
    r.error(
        format!("votes[{}].{first}", v.key),
        format!("1、2 级表决报警必须用中文写明 {}", missing.join("、")),
        format!("a vote of priority 1 or 2 needs {} in Chinese", missing.join(", ")),
        (
            "写明为什么报警（cause）、不处理会怎样（consequence）、操作员应当做什么（action）",
            "say why it comes (cause), what follows (consequence), what the operator does (action)",
        ),
    );
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

#[cfg(test)]
mod tests {
    use crate::book::check_tests::{parts, point, rule, vote};
    use crate::book::{Condition, RuleBook, Vote};

    #[test]
    fn a_vote_names_all_texts_it_lacks_at_once_and_an_area_that_exists() {
        let mut p = parts();
        p.areas = vec!["A".into()];
        p.points.push(point("G2"));
        p.rules.push(rule("G2", Condition::High { limit: 25.0, deadband: 2.0 }));
        let (area, cause, action) = ("A9".into(), "泄漏".into(), "evacuate".into());
        p.votes.push(Vote { area, priority: 1, cause, action, ..vote("V", &["G1:H", "G2:H"], 2) });
        let said = RuleBook::build(p).unwrap_err();
        let told: Vec<(&str, &str)> = said.iter().map(|d| (d.path.as_str(), d.message_en.as_str())).collect();
        assert_eq!(
            told,
            [
                ("votes[V].area", "there is no area named \"A9\""),
                ("votes[V].consequence", "a vote of priority 1 or 2 needs consequence, action in Chinese"),
            ]
        );
    }
}
