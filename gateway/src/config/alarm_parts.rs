//! Alarm tables become rules and groups of the rule book.
//!
//! Owns what is taken where a table says nothing: deadband, delays and latching by kind of measurement. Leaves cross-checks to `RuleBook`.

use super::alarm_tables::{
    DeviationTable, LimitTable, LimitWord, ModeValue, ModeWord, Modes, RateTable, StateAlarmTable, SuppressionTable,
    UnknownWord, VoteTable,
};
use super::diagnostic::Finding;
use super::fast;
use super::file::{KindWord, PointTable, SiteFile};
use super::parts::{Seconds, kind};
use rules::Text;
use rules::book::{
    BookParts, Condition, FirstOutGroup, Mode, ModeRule, PlantUnit, Reference, Rule, Suppression, Suppressor,
    UnknownVote, Vote, presets,
};
use std::time::Duration;

/// Condition of a limit and its rule.
pub(super) fn limit_rule(p: &PointTable, word: LimitWord, t: &LimitTable, seconds: &mut Seconds<'_>) -> Rule {
    let range = p.range.unwrap_or_default();
    let start = presets::start(kind(p.kind), &p.unit, range, t.limit);
    let (limit, deadband) = (t.limit, t.deadband.unwrap_or(start.deadband));
    let (name, condition) = match word {
        LimitWord::HH => ("HH", Condition::HighHigh { limit, deadband }),
        LimitWord::H => ("H", Condition::High { limit, deadband }),
        LimitWord::L => ("L", Condition::Low { limit, deadband }),
        LimitWord::LL => ("LL", Condition::LowLow { limit, deadband }),
    };
    let mut delay = |field: &str, given: Option<f64>, preset: Duration| {
        given.map_or(preset, |s| seconds.duration(|| format!("point[{}].limits.{name}.{field}", p.key), s))
    };
    Rule {
        point: (&p.key).into(),
        latching: t.latching.unwrap_or_else(|| presets::latches(kind(p.kind), &condition)),
        condition,
        priority: t.priority,
        on_delay: delay("delay_s", t.delay_s, presets::at_pace(start.on_delay, fast::period_beyond(p))),
        off_delay: delay("off_delay_s", t.off_delay_s, start.off_delay),
        by_mode: modes(&t.modes),
        cause: (&t.cause).into(),
        consequence: (&t.consequence).into(),
        action: (&t.action).into(),
        action_en: (&t.action_en).into(),
    }
}

fn modes(given: &Modes) -> Vec<(Mode, ModeRule)> {
    let one = |(word, value): (&ModeWord, &ModeValue)| {
        let mode = match word {
            ModeWord::Running => Mode::Running,
            ModeWord::Stopped => Mode::Stopped,
            ModeWord::Maintenance => Mode::Maintenance,
        };
        let change = match value {
            ModeValue::Limit(limit) => ModeRule::Limit(*limit),
            ModeValue::Word(_) => ModeRule::Suppressed,
        };
        (mode, change)
    };
    given.iter().map(one).collect()
}

/// `state_alarm`.
pub(super) fn state_rule(p: &PointTable, s: &StateAlarmTable, seconds: &mut Seconds<'_>) -> Rule {
    Rule {
        point: (&p.key).into(),
        condition: Condition::Discrete { alarm_state: s.when },
        priority: s.priority,
        on_delay: seconds.duration(|| format!("point[{}].state_alarm.delay_s", p.key), s.delay_s),
        off_delay: seconds.duration(|| format!("point[{}].state_alarm.off_delay_s", p.key), s.off_delay_s),
        latching: s.latching,
        by_mode: modes(&s.modes),
        cause: (&s.cause).into(),
        consequence: (&s.consequence).into(),
        action: (&s.action).into(),
        action_en: (&s.action_en).into(),
    }
}

/// Conditions over time and against others.
pub(super) fn other_rules(p: &PointTable, seconds: &mut Seconds<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    rules.extend(p.rising.as_ref().map(|t| rate(p, t, true, seconds)));
    rules.extend(p.falling.as_ref().map(|t| rate(p, t, false, seconds)));
    rules.extend(p.deviation.as_ref().and_then(|t| deviation(p, t, seconds)));
    rules.extend(p.stuck.as_ref().map(|t| {
        let preset = if p.kind == KindWord::Pressure { 600.0 } else { 3600.0 };
        let window = seconds.duration(|| format!("point[{}].stuck.window_s", p.key), t.window_s.unwrap_or(preset));
        still(p, Condition::Stuck { epsilon: t.epsilon, window }, t.priority, (&t.action, &t.action_en))
    }));
    rules.extend(p.frozen.as_ref().map(|t| {
        let period = seconds.duration(|| format!("point[{}].frozen.period_s", p.key), t.period_s);
        still(p, Condition::Frozen { period }, t.priority, (&t.action, &t.action_en))
    }));
    rules
}

/// A sensor that does not move: cause and consequence are always the same.
fn still(p: &PointTable, condition: Condition, priority: u8, action: (&str, &str)) -> Rule {
    let or = |text: &str, preset: &str| -> Text { if text.is_empty() { preset.into() } else { text.into() } };
    Rule {
        point: (&p.key).into(),
        condition,
        priority,
        off_delay: Duration::from_secs(2),
        cause: "仪表卡滞、引压管堵塞或装置内部停止更新".into(),
        consequence: "显示值不再反映现场，超限不能被发现".into(),
        action: or(action.0, "现场核对读数，检查仪表与引压管"),
        action_en: or(action.1, "Compare the reading on site, check the instrument and its tapping"),
        ..Rule::default()
    }
}

fn rate(p: &PointTable, t: &RateTable, rising: bool, seconds: &mut Seconds<'_>) -> Rule {
    let name = if rising { "rising" } else { "falling" };
    let mut duration = |field: &str, s: f64| seconds.duration(|| format!("point[{}].{name}.{field}", p.key), s);
    let (limit_per_min, window) = (t.limit_per_min, duration("window_s", t.window_s));
    Rule {
        point: (&p.key).into(),
        condition: if rising {
            Condition::Rising { limit_per_min, window }
        } else {
            Condition::Falling { limit_per_min, window }
        },
        priority: t.priority,
        on_delay: duration("delay_s", t.delay_s),
        off_delay: duration("off_delay_s", t.off_delay_s),
        cause: (&t.cause).into(),
        consequence: (&t.consequence).into(),
        action: (&t.action).into(),
        action_en: (&t.action_en).into(),
        ..Rule::default()
    }
}

fn deviation(p: &PointTable, t: &DeviationTable, seconds: &mut Seconds<'_>) -> Option<Rule> {
    let reference = match (t.setpoint, &t.from_point) {
        (Some(setpoint), None) => Reference::Setpoint(setpoint),
        (None, Some(point)) => Reference::Point(point.clone()),
        _ => {
            seconds.findings.push(one_of(format!("point[{}].deviation", p.key), "setpoint", "from_point"));
            return None;
        }
    };
    let mut duration = |field: &str, s: f64| seconds.duration(|| format!("point[{}].deviation.{field}", p.key), s);
    Some(Rule {
        point: (&p.key).into(),
        condition: Condition::Deviation { reference, limit: t.limit, deadband: t.deadband },
        priority: t.priority,
        on_delay: duration("delay_s", t.delay_s),
        off_delay: duration("off_delay_s", t.off_delay_s),
        cause: (&t.cause).into(),
        consequence: (&t.consequence).into(),
        action: (&t.action).into(),
        action_en: (&t.action_en).into(),
        ..Rule::default()
    })
}

fn one_of(path: String, a: &str, b: &str) -> Finding {
    Finding::fatal(
        path,
        (format!("{a} 与 {b} 必须且只能写一个"), format!("exactly one of `{a}` and `{b}` is needed")),
        (format!("写 {a} 或 {b}"), format!("give `{a}` or `{b}`")),
    )
}

/// Votes, suppressions, first-out groups and units.
pub(super) fn groups(file: &SiteFile, seconds: &mut Seconds<'_>, parts: &mut BookParts) {
    parts.votes = file.vote.iter().map(vote).collect();
    parts.suppressions = file.suppression.iter().filter_map(|s| suppression(s, seconds)).collect();
    parts.first_out = file
        .first_out
        .iter()
        .map(|g| FirstOutGroup {
            key: g.key.clone(),
            name: g.name.clone(),
            name_en: g.name_en.clone(),
            alarms: g.alarms.clone(),
        })
        .collect();
    parts.plant_units = file
        .unit
        .iter()
        .map(|u| PlantUnit {
            key: u.key.clone(),
            name: u.name.clone(),
            name_en: u.name_en.clone(),
            running_point: u.running_point.clone(),
            points: u.points.clone(),
        })
        .collect();
}

fn vote(v: &VoteTable) -> Vote {
    let unknown = match v.unknown {
        Some(UnknownWord::VoteAlarm) => UnknownVote::VoteAlarm,
        Some(UnknownWord::VoteNormal) => UnknownVote::VoteNormal,
        Some(UnknownWord::Degrade) => UnknownVote::Degrade,
        None if v.needed == 1 => UnknownVote::VoteAlarm,
        None => UnknownVote::Degrade,
    };
    Vote {
        key: v.key.clone(),
        name: v.name.clone(),
        name_en: v.name_en.clone(),
        area: v.area.clone(),
        members: v.members.clone(),
        needed: v.needed,
        unknown,
        bypassed_max: v.bypassed_max,
        priority: v.priority,
        second_approver: v.second_approver.clone(),
        cause: v.cause.clone(),
        consequence: v.consequence.clone(),
        action: v.action.clone(),
        action_en: v.action_en.clone(),
    }
}

fn suppression(s: &SuppressionTable, seconds: &mut Seconds<'_>) -> Option<Suppression> {
    let when = match (&s.point, &s.alarm) {
        (Some(point), None) => Suppressor::State { point: point.clone(), is: s.is },
        (None, Some(alarm)) => Suppressor::Alarm(alarm.clone()),
        _ => {
            seconds.findings.push(one_of(format!("suppression[{}]", s.key), "point", "alarm"));
            return None;
        }
    };
    let mut duration = |field: &str, n: f64| seconds.duration(|| format!("suppression[{}].{field}", s.key), n);
    Some(Suppression {
        key: s.key.clone(),
        name: s.name.clone(),
        name_en: s.name_en.clone(),
        when,
        alarms: s.alarms.clone(),
        release_delay: duration("release_delay_s", s.release_delay_s),
        max: duration("max_s", s.max_s),
    })
}

#[cfg(test)]
mod tests {
    use crate::config::site_from_text;

    const SITE: &str = include_str!("../../examples/minimal-site.toml");

    /// Those of the minimal site that latch, with its HH as it is or with a line more.
    fn latching(of_hh: &str) -> Vec<String> {
        let text = SITE.replacen("[point.limits.HH]\n", &format!("[point.limits.HH]\n{of_hh}\n"), 1);
        let checked = site_from_text("site.toml", &text, |_| ());
        let site = checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        let latching = site.book.rules().iter().filter(|r| r.latching);
        latching.map(|r| format!("{}:{}", r.point, r.condition.word())).collect()
    }

    #[test]
    fn hh_of_a_gas_latches_unless_it_says_otherwise() {
        assert_eq!(latching(""), ["GT-101:HH"]);
        assert_eq!(latching("latching = true"), ["GT-101:HH"]);
        assert!(latching("latching = false").is_empty());
    }
}
