//! Alarms that escalate and have nobody to be called: a warning with numbers for every level.

use super::calls::is_reached;
use super::report::Report;
use crate::book::BookParts;
use crate::book::calls::LEVELS;
use crate::engine::SystemCondition;
use std::collections::{BTreeMap, BTreeSet};

/// Priority and area of an alarm; the gateway's own are of no area.
type Alarm<'a> = (u8, &'a str);

/// A site whose rules and votes have no alarm that escalates needs nobody; where they have one, the silence of instruments counts as well.
pub(super) fn uncalled(r: &mut Report, parts: &BookParts) {
    let mut alarms = of_rules(parts);
    let escalates = |(priority, _): &Alarm<'_>| is_reached(parts, *priority, 1);
    if !alarms.iter().any(escalates) {
        return;
    }
    alarms.extend(parts.devices.iter().map(|d| (d.priority, d.area.as_str())));
    alarms.retain(escalates);
    if parts.calls.is_empty() {
        return nobody(r, &alarms);
    }
    alarms.extend(SystemCondition::ALL.iter().map(|condition| (condition.priority(), "")));
    for level in LEVELS {
        let reach: Vec<Alarm<'_>> = alarms.iter().copied().filter(|(p, _)| is_reached(parts, *p, level)).collect();
        let is_called = |(priority, area): &Alarm<'_>| parts.called(level, *priority, area).next().is_some();
        let without: Vec<Alarm<'_>> = reach.iter().copied().filter(|alarm| !is_called(alarm)).collect();
        if !without.is_empty() {
            at_level(r, level, reach.len(), &without);
        }
    }
}

fn of_rules(parts: &BookParts) -> Vec<Alarm<'_>> {
    let area_of: BTreeMap<&str, &str> = parts.points.iter().map(|p| (&*p.key, &*p.area)).collect();
    let of_rules = parts.rules.iter().map(|x| (x.priority, area_of.get(&*x.point).copied().unwrap_or_default()));
    of_rules.chain(parts.votes.iter().map(|v| (v.priority, v.area.as_str()))).collect()
}

fn nobody(r: &mut Report, alarms: &[Alarm<'_>]) {
    let (zh, en) = counted(alarms);
    r.warn(
        "calls".to_owned(),
        format!("没有任何 [[call]]：{zh}，无人确认而升级时不知道叫谁"),
        format!("there is no [[call]]: {en}, and nobody to be called when nobody acknowledges"),
        (
            "为 L1、L2、L3 各加 [[call]]：level、post（岗位）、post_en、telephone",
            "add a [[call]] for each of the levels 1, 2 and 3: level, post, post_en, telephone",
        ),
    );
}

fn at_level(r: &mut Report, level: u8, all: usize, without: &[Alarm<'_>]) {
    let ((zh, en), n) = (counted(without), without.len());
    let areas: BTreeSet<&str> = without.iter().map(|(_, area)| *area).collect();
    let places = |own: &str, comma: &str| {
        let names: Vec<&str> = areas.iter().map(|area| if area.is_empty() { own } else { area }).collect();
        names.join(comma)
    };
    r.warn(
        "calls".to_owned(),
        format!("会升级到 L{level} 的 {all} 条报警中有 {n} 条无人可叫：{zh}；区域 {}", places("（网关自身）", "、")),
        format!(
            "{n} of {all} alarms that reach level {level} have nobody to be called: {en}; areas {}",
            places("(the gateway's own)", ", ")
        ),
        (
            &format!("加一个 level = {level} 的 [[call]]；不写 areas 和 priorities 就对全部报警"),
            &format!("add a [[call]] with level = {level}; without areas and priorities it is for all alarms"),
        ),
    );
}

/// How many of each priority.
fn counted(alarms: &[Alarm<'_>]) -> (String, String) {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    alarms.iter().for_each(|(priority, _)| *counts.entry(*priority).or_default() += 1);
    let list = |word: fn((&u8, &usize)) -> String, comma: &str| counts.iter().map(word).collect::<Vec<_>>().join(comma);
    (
        list(|(priority, n)| format!("{priority} 级 {n} 条"), "，"),
        list(|(priority, n)| format!("{n} of priority {priority}"), ", "),
    )
}

#[cfg(test)]
mod tests {
    use crate::book::check_tests::{parts, point, rule};
    use crate::book::{BookParts, Call, Condition, Point, Rule, RuleBook};

    /// What is warned of in a site with an alarm of priority 1 in A, one of 2 in B, one of 3, and an instrument of 2 in A.
    fn said(calls: &[(u8, &[u8], &[&str])]) -> Vec<String> {
        let mut p = parts();
        p.areas = vec!["A".into(), "B".into()];
        p.points.push(Point { area: "B".into(), ..point("G2") });
        p.points.push(point("G3"));
        let high = |point: &str, priority| Rule {
            priority,
            cause: "泄漏".into(),
            consequence: "爆炸".into(),
            action: "撤离".into(),
            ..rule(point, Condition::High { limit: 25.0, deadband: 2.0 })
        };
        p.rules = vec![high("G1", 1), high("G2", 2), high("G3", 3)];
        p.calls = calls
            .iter()
            .enumerate()
            .map(|(n, (level, priorities, areas))| Call {
                level: *level,
                priorities: priorities.to_vec(),
                areas: areas.iter().map(|a| (*a).to_owned()).collect(),
                post: format!("岗位{n}"),
                post_en: String::new(),
            })
            .collect();
        let (_, warnings) = RuleBook::build(p).unwrap();
        assert!(warnings.iter().all(|w| w.path == "calls" && w.remedy_zh.contains("[[call]]")), "{warnings:?}");
        warnings.into_iter().map(|w| w.message_en).collect()
    }

    #[test]
    fn a_site_that_names_nobody_is_told_once_with_the_number_of_alarms_that_escalate() {
        let [one] = said(&[]).try_into().unwrap();
        assert_eq!(
            one,
            "there is no [[call]]: 1 of priority 1, 2 of priority 2, and nobody to be called when nobody acknowledges"
        );
    }

    #[test]
    fn a_level_that_calls_nobody_for_some_alarms_is_told_with_their_numbers_and_areas() {
        let own = crate::engine::SystemCondition::ALL.iter().filter(|c| c.priority() == 2).count();
        let all = own + 3;
        let found = said(&[(1, &[], &[]), (2, &[1], &[]), (3, &[], &["B"])]);
        assert_eq!(
            found,
            [
                format!(
                    "{} of {all} alarms that reach level 2 have nobody to be called: {} of priority 2; areas (the gateway's own), A, B",
                    own + 2,
                    own + 2
                ),
                "1 of 1 alarms that reach level 3 have nobody to be called: 1 of priority 1; areas A".to_owned(),
            ]
        );
    }

    #[test]
    fn a_site_whose_every_level_has_a_post_is_told_nothing() {
        assert_eq!(said(&[(1, &[], &[]), (2, &[], &[]), (3, &[1], &[])]), [""; 0]);
    }

    #[test]
    fn a_site_without_an_alarm_that_escalates_needs_nobody() {
        let p = BookParts { calls: Vec::new(), ..parts() };
        assert_eq!(RuleBook::build(p).unwrap().1, [], "the silence of its instrument has priority 2");
    }
}
