//! Suppressions: what they look at can be judged, what they hide is known, and none leads back to itself.

use super::report::Report;
use crate::book::{BookParts, PointKind, Suppression, Suppressor};
use std::collections::HashSet;
use std::time::Duration;

/// One shift, as a bypass at most lasts: a longer one is seen by nobody who was there when it began.
const SHIFT: Duration = Duration::from_secs(8 * 3600);
/// What hides for longer than a day is no known state of the plant any more.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(super) fn suppressions(r: &mut Report, parts: &BookParts, points: &HashSet<&str>, alarms: &HashSet<&str>) {
    r.keys("suppressions", parts.suppressions.iter().map(|s| s.key.as_str()));
    for s in &parts.suppressions {
        let at = |f: &str| format!("suppressions[{}].{f}", s.key);
        if s.key == crate::hide::MODE_RULE {
            r.is_torn = true;
            r.error(
                at("key"),
                "键“mode”留给装置运行方式使用",
                "the key `mode` stands for what the mode of a unit hides",
                ("换一个键", "choose another key"),
            );
        }
        for key in &s.alarms {
            r.known(at("alarms"), ("报警", "alarm"), key, alarms);
        }
        match &s.when {
            Suppressor::State { point, .. } => {
                r.known(at("point"), ("测点", "point"), point, points);
                state(r, parts, at("point"), point);
            }
            Suppressor::Alarm(key) => r.known(at("alarm"), ("报警", "alarm"), key, alarms),
        }
        time(r, s, at("max"));
        hides(r, parts, s);
    }
    loops(r, &parts.suppressions);
}

/// The time for which it may hide without a break.
fn time(r: &mut Report, s: &Suppression, at: String) {
    let hours = format!("{:.1} h", s.max.as_secs_f64() / 3600.0);
    if s.max.is_zero() {
        r.error(
            at,
            "抑制没有最长时间",
            "the suppression has no longest time",
            ("写 max_s = 3600（60 min），一般不应更长", "write max_s = 3600 (60 min); longer is unusual"),
        );
    } else if s.max > LONGEST {
        r.error(
            at,
            format!("抑制最长 {hours}，超过 24 h"),
            format!("the suppression may hide for {hours}, more than 24 h"),
            (
                "max_s 不大于 86400，一般 3600（60 min）；更长的停运写成 [[unit]] 的 modes，或把测点停用",
                "let max_s be at most 86400, 3600 (60 min) is usual; a longer stop is a mode of a [[unit]], or the point is taken out of service",
            ),
        );
    } else if s.max > SHIFT {
        r.warn(
            at,
            format!("抑制最长 {hours}，超过一个班（8 h，也是旁路的上限）"),
            format!("the suppression may hide for {hours}, more than one shift (8 h, the bound of a bypass)"),
            (
                "max_s 取工艺所需的最短时间，一般 3600（60 min）",
                "let max_s be as short as the process allows; 3600 (60 min) is usual",
            ),
        );
    }
}

/// Nothing says from which value on a measured quantity would be true.
fn state(r: &mut Report, parts: &BookParts, at: String, point: &str) {
    if parts.points.iter().any(|p| p.key == *point && p.kind != PointKind::State) {
        r.error(
            at,
            format!("抑制条件 {point} 不是开关量，不能据此隐藏报警"),
            format!("the suppressor {point} is no state: it may not hide an alarm"),
            (
                "写一个 kind = \"state\" 的测点，或改用 alarm = \"测点:限值\"",
                "name a point with kind = \"state\", or give alarm = \"point:limit\" instead",
            ),
        );
    }
}

/// A gas alarm or one of priority 1 that somebody may miss: allowed by design, never unnoticed.
fn hides(r: &mut Report, parts: &BookParts, s: &Suppression) {
    let grave: Vec<&str> = s.alarms.iter().map(String::as_str).filter(|key| is_grave(parts, key)).collect();
    if grave.is_empty() {
        return;
    }
    r.warn(
        format!("suppressions[{}].alarms", s.key),
        format!("抑制期间不会报出气体报警或 1 级报警：{}", grave.join("、")),
        format!("while it suppresses, a gas alarm or one of priority 1 is hidden: {}", grave.join(", ")),
        (
            "只有经设计和审批的抑制才可以这样：留存审批记录，max_s 取工艺所需的最短时间；否则从 alarms 中删去",
            "this must be a designed and approved suppression: keep the approval, let max_s be as short as the process allows, or take them out of `alarms`",
        ),
    );
}

fn is_grave(parts: &BookParts, alarm: &str) -> bool {
    let Some((subject, word)) = alarm.rsplit_once(':') else { return false };
    let is_gas = |point: &str| parts.points.iter().any(|p| p.key == *point && p.kind == PointKind::Gas);
    if let Some(vote) = parts.votes.iter().find(|v| v.key == subject && word.starts_with("VOTE")) {
        let of_gas = |member: &String| member.rsplit_once(':').is_some_and(|(point, _)| is_gas(point));
        return vote.priority == 1 || vote.members.iter().any(of_gas);
    }
    let urgent = |rule: &crate::book::Rule| rule.point == *subject && rule.condition.word() == word;
    is_gas(subject)
        || parts.rules.iter().any(|rule| rule.priority == 1 && urgent(rule))
        || parts.devices.iter().any(|d| word == "COMMS_LOSS" && d.key == subject && d.priority == 1)
}

/// Every loop once, by the suppressions that form it.
fn loops(r: &mut Report, all: &[Suppression]) {
    let mut told: HashSet<&str> = HashSet::new();
    for start in all {
        let Some(round) = round(all, start).filter(|round| !round.iter().any(|s| told.contains(s.key.as_str()))) else {
            continue;
        };
        let keys: Vec<&str> = round.iter().map(|s| s.key.as_str()).collect();
        r.is_torn = true;
        let (chain, last) = (keys.join(" → "), keys.last().copied().unwrap_or_default());
        r.error(
            format!("suppressions[{}].alarm", start.key),
            format!("抑制成环：{chain} → {}", start.key),
            format!("a loop of suppressions: {chain} → {}", start.key),
            (
                &format!("删去其中一条，例如 key = \"{last}\" 的 [[suppression]]，或改变它的 alarm 或 alarms"),
                &format!("remove one of them, such as the [[suppression]] with key = \"{last}\", or change its `alarm` or `alarms`"),
            ),
        );
        told.extend(keys);
    }
}

/// The shortest way from a suppression over those that it hides the condition of, back to itself.
fn round<'a>(all: &'a [Suppression], start: &'a Suppression) -> Option<Vec<&'a Suppression>> {
    let leads =
        |from: &Suppression, to: &Suppression| matches!(&to.when, Suppressor::Alarm(by) if from.alarms.contains(by));
    let mut seen: HashSet<&str> = HashSet::from([start.key.as_str()]);
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    while let Some(way) = ways.pop_front() {
        let from = way.last()?;
        if leads(from, start) {
            return Some(way);
        }
        for next in all.iter().filter(|to| leads(from, to)) {
            if seen.insert(next.key.as_str()) {
                ways.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Condition, Defect, Point, Rule, RuleBook, check_tests};

    fn point(key: &str, kind: PointKind) -> Point {
        Point { kind, unit: "bar".into(), ..check_tests::point(key) }
    }

    fn high(point: &str) -> Rule {
        let condition = Condition::High { limit: 25.0, deadband: 2.0 };
        Rule { point: point.into(), condition, priority: 3, ..Rule::default() }
    }

    fn suppression(key: &str, when: Suppressor, alarms: &[&str]) -> Suppression {
        Suppression {
            key: key.into(),
            name: String::new(),
            name_en: String::new(),
            when,
            alarms: alarms.iter().map(ToString::to_string).collect(),
            release_delay: Duration::ZERO,
            max: Duration::from_secs(60),
        }
    }

    fn said(suppressions: Vec<Suppression>) -> Vec<Defect> {
        let urgent =
            Rule {
                priority: 1, cause: "超压".into(), consequence: "破裂".into(), action: "泄压".into(), ..high("P3")
            };
        let parts = BookParts {
            points: vec![
                point("S1", PointKind::State),
                point("P1", PointKind::Pressure),
                point("P2", PointKind::Pressure),
                point("P3", PointKind::Pressure),
                point("G1", PointKind::Gas),
            ],
            rules: vec![high("P1"), high("P2"), urgent, high("G1")],
            suppressions,
            ..check_tests::parts()
        };
        RuleBook::build(parts).map_or_else(|defects| defects, |(_, warnings)| warnings)
    }

    fn when(point: &str) -> Suppressor {
        Suppressor::State { point: point.into(), is: true }
    }

    #[test]
    fn only_a_state_suppresses_not_a_measured_value_above_one_half() {
        assert_eq!(said(vec![suppression("s", when("S1"), &["P1:H"])]), []);
        let refused = said(vec![suppression("s", when("P2"), &["P1:H"])]);
        assert_eq!((refused.len(), refused[0].path.as_str(), refused[0].fatal), (1, "suppressions[s].point", true));
        assert!(refused[0].remedy_zh.contains("kind = \"state\"") && refused[0].remedy_en.contains("alarm = "));
    }

    #[test]
    fn hiding_a_gas_alarm_or_one_of_priority_1_is_warned_of_by_name() {
        let warned = said(vec![suppression("s", when("S1"), &["P1:H", "P3:H", "G1:H", "G1:SENSOR_FAULT"])]);
        assert_eq!((warned.len(), warned[0].path.as_str(), warned[0].fatal), (1, "suppressions[s].alarms", false));
        assert!(warned[0].message_zh.ends_with("：P3:H、G1:H、G1:SENSOR_FAULT"), "{warned:?}");
        assert!(warned[0].remedy_en.contains("approved") && warned[0].remedy_en.contains("max_s"));
    }

    #[test]
    fn a_loop_is_told_once_by_the_suppressions_that_form_it() {
        let by = |key: &str, alarm: &str, target: &str| suppression(key, Suppressor::Alarm(alarm.into()), &[target]);
        assert_eq!(said(vec![by("a", "P1:H", "P2:H"), by("b", "P2:H", "P1:SENSOR_FAULT")]), []);
        let found = said(vec![by("a", "P1:H", "P2:H"), by("b", "P2:H", "P1:H")]);
        assert_eq!((found.len(), found[0].path.as_str()), (1, "suppressions[a].alarm"));
        assert_eq!(found[0].message_en, "a loop of suppressions: a → b → a");
        assert!(found[0].remedy_zh.contains("key = \"b\""), "{found:?}");
        let itself = said(vec![by("a", "P1:H", "P1:H")]);
        assert_eq!(itself[0].message_en, "a loop of suppressions: a → a");
    }

    #[test]
    fn more_than_a_shift_is_warned_of_and_more_than_a_day_is_refused() {
        let lasting = |max_s: u64| {
            let max = Duration::from_secs(max_s);
            said(vec![Suppression { max, ..suppression("s", when("S1"), &["P1:H"]) }])
        };
        assert_eq!((lasting(3600), lasting(8 * 3600)), (vec![], vec![]));
        let warned = lasting(8 * 3600 + 1800);
        assert_eq!((warned.len(), warned[0].path.as_str(), warned[0].fatal), (1, "suppressions[s].max", false));
        assert!(warned[0].message_en.contains("8.5 h, more than one shift"), "{warned:?}");
        assert!(!lasting(24 * 3600)[0].fatal);
        let refused = lasting(30 * 3600);
        assert_eq!((refused.len(), refused[0].path.as_str(), refused[0].fatal), (1, "suppressions[s].max", true));
        assert!(
            refused[0].message_zh.contains("30.0 h，超过 24 h") && refused[0].remedy_zh.contains("86400"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_suppression_without_end_is_told_what_to_write() {
        let endless = Suppression { max: Duration::ZERO, ..suppression("s", when("S1"), &["P1:H"]) };
        let said = said(vec![endless]);
        assert_eq!((said.len(), said[0].path.as_str()), (1, "suppressions[s].max"));
        assert!(said[0].remedy_zh.contains("max_s = 3600") && said[0].remedy_en.contains("max_s = 3600"));
    }
}
