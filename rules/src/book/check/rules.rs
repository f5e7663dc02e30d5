//! Rules: texts, delays, limits, deadbands.

use super::gas::{gas_limits, oxygen};
use super::order::{order, urgencies};
use super::report::Report;
use super::windows::{deviation, modes, windows};
use crate::book::{BookParts, Condition, Mode, ModeRule, Point, PointKind, Rule};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// A gas alarm may not wait longer than this.
const GAS_ON_DELAY_MAX: Duration = Duration::from_secs(10);
/// Longer than this no controller allows an off-delay.
const OFF_DELAY_MAX: Duration = Duration::from_secs(120 * 60);

pub(super) fn rules(r: &mut Report, parts: &BookParts, keys: &HashSet<&str>) {
    let points: HashMap<&str, &Point> = parts.points.iter().map(|p| (p.key.as_str(), p)).collect();
    let mut seen = HashSet::new();
    let mut limits: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &parts.rules {
        let word = rule.condition.word();
        let at = |f: &str| format!("points[{}].rules.{word}.{f}", rule.point);
        r.known(at("point"), ("测点", "point"), &rule.point, keys);
        if !seen.insert((rule.point.as_str(), word)) {
            r.is_torn = true;
            r.error(
                at("condition"),
                format!("同一测点有两条 {word} 规则"),
                format!("the point has two {word} rules"),
                ("删除其中一条", "remove one of them"),
            );
        }
        r.priority(at("priority"), rule.priority);
        action(r, rule, &at);
        deviation(r, rule, keys, &at);
        if let Some(p) = points.get(rule.point.as_str()) {
            delays(r, rule, p, &at);
            numbers(r, rule, p, &at);
            windows(r, rule, p, &at);
            gas_limits(r, rule, p, &at);
            modes(r, rule, p, &at);
        }
        if rule.condition.limit().is_some_and(f64::is_finite) {
            limits.entry(&rule.point).or_default().push(rule);
        }
    }
    for (point, rules) in limits {
        order(r, point, &rules);
        urgencies(r, point, &rules);
        if let Some(p) = points.get(point) {
            oxygen(r, p, &rules);
        }
        for mode in [Mode::Running, Mode::Stopped, Mode::Maintenance] {
            ladder_of_mode(r, (point, points.get(point).copied()), &rules, mode);
        }
    }
}

/// The limits that hold in one mode form a ladder too; what is wrong in every mode has been said.
fn ladder_of_mode(r: &mut Report, (key, point): (&str, Option<&Point>), rules: &[&Rule], mode: Mode) {
    let limit_of = |rule: &Rule| {
        rule.by_mode.iter().find_map(|(m, change)| match change {
            ModeRule::Limit(limit) if *m == mode => Some(*limit),
            _ => None,
        })
    };
    if rules.iter().all(|rule| limit_of(rule).is_none()) {
        return;
    }
    let changed: Vec<Rule> = rules
        .iter()
        .map(|rule| {
            let condition = limit_of(rule).map_or_else(|| rule.condition.clone(), |l| rule.condition.with_limit(l));
            Rule { condition, ..(*rule).clone() }
        })
        .collect();
    let changed: Vec<&Rule> = changed.iter().collect();
    let mut of_mode = Report::default();
    order(&mut of_mode, key, &changed);
    if let Some(p) = point {
        let mut always = Report::default();
        oxygen(&mut always, p, rules);
        oxygen(&mut of_mode, p, &changed);
        of_mode.defects.retain(|d| !always.defects.contains(d));
    }
    for mut defect in of_mode.defects {
        defect.message_zh = format!("模式 {}：{}", mode.word(), defect.message_zh);
        defect.message_en = format!("in mode {}: {}", mode.word(), defect.message_en);
        r.defects.push(defect);
    }
}

/// Every alarm that calls for a person at once says why it comes, what follows and what to do (ISA-18.2).
fn action(r: &mut Report, rule: &Rule, at: &dyn Fn(&str) -> String) {
    let words = [
        ("cause", &rule.cause, "原因", "cause"),
        ("consequence", &rule.consequence, "后果", "consequence"),
        ("action", &rule.action, "处置措施", "action"),
    ];
    for (field, text, zh, en) in words {
        if rule.priority <= 2 && !is_chinese(text) {
            r.error(
                at(field),
                format!("1、2 级报警必须写明中文{zh}"),
                format!("an alarm of priority 1 or 2 needs its {en} in Chinese"),
                (
                    "写明为什么报警、不处理会怎样、操作员应当做什么",
                    "say why it comes, what follows, what the operator does",
                ),
            );
        }
    }
}

pub(super) fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn delays(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    let two_polls = p.period_beyond(&rule.condition) * 2;
    if !rule.on_delay.is_zero() && rule.on_delay < two_polls {
        let two = format!("{} s", two_polls.as_secs_f64());
        r.error(
            at("on_delay"),
            format!("延时 {:?} 短于两个轮询周期，不起作用", rule.on_delay),
            format!("an on-delay of {:?} is shorter than two polls and does nothing", rule.on_delay),
            (&format!("写 0，或至少 {two}（两个轮询周期）"), &format!("write 0, or at least {two} (two polls)")),
        );
    }
    let fault = matches!(rule.condition, Condition::SensorFault);
    if p.kind == PointKind::Gas && !fault && rule.on_delay > GAS_ON_DELAY_MAX {
        r.error(
            at("on_delay"),
            format!("气体报警延时 {:?} 超过 10 s", rule.on_delay),
            format!("a gas alarm may not wait {:?}", rule.on_delay),
            ("不超过 10 s，建议 0–2 s", "at most 10 s; 0 to 2 s are usual"),
        );
    }
    if rule.off_delay > OFF_DELAY_MAX {
        r.error(
            at("off_delay"),
            "恢复延时超过 120 min",
            "the off-delay is longer than 120 min",
            ("不超过 120 min", "at most 120 min"),
        );
    }
}

fn numbers(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    let state = p.kind == PointKind::State;
    let misfit = match rule.condition {
        Condition::Discrete { .. } => !state,
        Condition::SensorFault => false,
        _ => state,
    };
    if misfit {
        r.error(
            at("condition"),
            "状态点只用 DISCRETE 和 SENSOR_FAULT，模拟量点不用 DISCRETE",
            "a state takes DISCRETE and SENSOR_FAULT only, and nothing else takes DISCRETE",
            ("更换条件或测点类型", "change the condition or the kind of the point"),
        );
    }
    let Some((limit, deadband)) = rule.condition.band() else { return };
    if !limit.is_finite() || (p.has_range() && (limit < p.range.0 || limit > p.range.1)) {
        r.error(
            at("limit"),
            format!("限值 {limit} 不在量程 {} … {} 内", p.range.0, p.range.1),
            format!("the limit {limit} lies outside the range {} … {}", p.range.0, p.range.1),
            ("限值应在量程内", "a limit lies inside the range"),
        );
    }
    if !deadband.is_finite() || deadband < 0.0 {
        r.error(
            at("deadband"),
            format!("回差 {deadband} 无效"),
            format!("the deadband {deadband} is not valid"),
            ("取 0 或正数", "take 0 or a positive number"),
        );
    }
}
