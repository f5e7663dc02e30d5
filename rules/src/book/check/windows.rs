//! Conditions over time, deviations, limits by mode.

use super::gas::gas_limits;
use super::report::Report;
use crate::book::{Condition, ModeRule, Point, PointKind, Reference, Rule};
use std::collections::HashSet;
use std::time::Duration;

/// Rate, stuck and frozen: a window that cannot be filled or a limit that is none.
pub(super) fn windows(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    let (window, least, number) = match &rule.condition {
        Condition::Rising { limit_per_min, window } | Condition::Falling { limit_per_min, window } => {
            (*window, p.period * 5, *limit_per_min)
        }
        Condition::Stuck { epsilon, window } => (*window, p.period * 10, *epsilon + f64::MIN_POSITIVE),
        Condition::Frozen { period } => (*period * 5, p.period * 2, 1.0),
        Condition::Deviation { limit, .. } => (Duration::MAX, Duration::ZERO, *limit),
        _ => return,
    };
    if window < least {
        r.error(
            at("window"),
            format!("时间窗 {window:?} 太短，至少 {least:?}"),
            format!("the window of {window:?} is too short: at least {least:?}"),
            ("放宽时间窗或加快采集", "widen the window or poll faster"),
        );
    }
    if !(number.is_finite() && number > 0.0) {
        r.error(
            at("limit"),
            "限值必须大于零",
            "the limit must be above zero",
            ("写一个正数", "give a positive number"),
        );
    }
    if matches!(rule.condition, Condition::Stuck { .. }) && p.kind == PointKind::Gas {
        r.warn(
            at("condition"),
            "气体探测器平时读数恒定，“卡滞”会误报",
            "a gas detector is constant in clean air: STUCK will report it",
            ("改为按周期做通气试验", "check the age of its bump test instead"),
        );
    }
}

/// What a deviation is measured against exists and is another one; its deadband leaves room to clear.
pub(super) fn deviation(r: &mut Report, rule: &Rule, keys: &HashSet<&str>, at: &dyn Fn(&str) -> String) {
    let Condition::Deviation { reference, limit, deadband } = &rule.condition else { return };
    match reference {
        Reference::Point(key) if *key == rule.point => r.error(
            at("from"),
            "偏差的参考测点就是它自己",
            "the deviation is measured against the point itself",
            ("写另一个测点，或写 setpoint", "name another point, or give a setpoint"),
        ),
        Reference::Point(key) => r.known(at("from"), ("测点", "point"), key, keys),
        Reference::Setpoint(v) if !v.is_finite() => {
            r.error(at("setpoint"), "设定值不是有限数", "the setpoint is not finite", ("写一个数", "give a number"));
        }
        Reference::Setpoint(_) => {}
    }
    if !(*deadband >= 0.0 && deadband < limit) {
        r.error(
            at("deadband"),
            format!("回差 {deadband} 不在 0 与限值 {limit} 之间，报警不能恢复"),
            format!("the deadband {deadband} is not between 0 and the limit {limit}: the alarm could not clear"),
            ("减小回差", "make the deadband smaller"),
        );
    }
}

/// Limits by mode lie in the range, and are not looser than the standard; one mode has one rule.
pub(super) fn modes(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    for (n, (mode, change)) in rule.by_mode.iter().enumerate() {
        if rule.by_mode[..n].iter().any(|(m, _)| m == mode) {
            r.error(
                at("modes"),
                format!("模式 {} 写了两次", mode.word()),
                format!("the mode {} is given twice", mode.word()),
                ("每种模式只写一次", "give each mode once"),
            );
        }
        if *change == ModeRule::Suppressed && (rule.priority == 1 || p.kind == PointKind::Gas) {
            r.warn(
                at("modes"),
                format!("模式 {} 下不会报出气体报警或 1 级报警", mode.word()),
                format!(
                    "in mode {} a gas alarm or one of priority 1 is hidden for as long as the mode lasts",
                    mode.word()
                ),
                (
                    "给这种模式另写一个限值；只有经设计和审批才可以不报：留存审批记录",
                    "give a limit for this mode instead; hide it only by an approved design, and keep the approval",
                ),
            );
        }
        if let ModeRule::Limit(limit) = change {
            gas_limits(r, &Rule { condition: rule.condition.with_limit(*limit), ..rule.clone() }, p, at);
        }
        if let ModeRule::Limit(limit) = change
            && p.has_range()
            && !(p.range.0..=p.range.1).contains(limit)
        {
            r.error(
                at("modes"),
                format!("模式 {} 的限值 {limit} 不在量程内", mode.word()),
                format!("the limit {limit} in mode {} lies outside the range", mode.word()),
                ("限值应在量程内", "a limit lies inside the range"),
            );
        }
    }
}
