//! Gas limits by standard: what is looser than it is refused with the number and the basis.

use super::report::Report;
use crate::book::presets::{self, GasLimit};
use crate::book::{Condition, LimitsBy, Point, PointKind, Rule};

/// Four digits: a limit is no more exact than its source.
fn number(limit: f64) -> f64 {
    let scale = 10f64.powf(3.0 - limit.abs().log10().floor());
    (limit * scale).floor() / scale
}

/// Not looser than GB/T 50493.
pub(super) fn gas_limits(r: &mut Report, rule: &Rule, p: &Point, at: &dyn Fn(&str) -> String) {
    if p.kind != PointKind::Gas {
        return;
    }
    let Some((limit, _)) = rule.condition.band() else { return };
    let by_substance = p.substance.and_then(|s| s.limit(&p.unit, p.limits_by, &rule.condition));
    let Some(GasLimit { max, basis }) = by_substance.or_else(|| presets::gas_limit(&p.unit, &rule.condition)) else {
        return;
    };
    if limit > max {
        let (basis_zh, basis_en) = basis.said();
        r.error(
            at("limit"),
            format!("气体报警限 {limit} {u} 宽于规定的 {} {u}，依据 {basis_zh}", number(max), u = p.unit),
            format!("the gas limit {limit} {} is looser than the {} of {basis_en}", p.unit, number(max)),
            match p.limits_by {
                LimitsBy::Oel => (
                    "一级不高于 25 %LEL（100 %OEL），二级不高于 50 %LEL（200 %OEL）",
                    "at most 25 %LEL (100 %OEL) and 50 %LEL (200 %OEL)",
                ),
                LimitsBy::Idlh => ("一级不高于 5 %IDLH，二级不高于 10 %IDLH", "at most 5 % and 10 % of IDLH"),
            },
        );
    }
}

/// Oxygen is the gas that may be too little: its first low limit is not below the one of the standard, and its first high one not above.
pub(super) fn oxygen(r: &mut Report, p: &Point, rules: &[&Rule]) {
    let unit: String = p.unit.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let in_volume = matches!(unit.as_str(), "%VOL" | "VOL%" | "%(V/V)");
    let of = |low: bool| {
        let side = move |c: &Condition| match c {
            Condition::Low { limit, .. } | Condition::LowLow { limit, .. } if low => Some(*limit),
            Condition::High { limit, .. } | Condition::HighHigh { limit, .. } if !low => Some(*limit),
            _ => None,
        };
        rules.iter().filter_map(move |rule| Some((side(&rule.condition)?, *rule)))
    };
    let Some((least, low)) = of(true).max_by(|a, b| a.0.total_cmp(&b.0)) else { return };
    if p.kind != PointKind::Gas || p.substance.is_some() || !in_volume {
        return;
    }
    let (basis_zh, basis_en) = presets::GB_T_50493.said();
    let mut looser = |rule: &Rule, limit: f64, bound: f64| {
        r.error(
            format!("points[{}].rules.{}.limit", p.key, rule.condition.word()),
            format!("氧气报警限 {limit} {u} 宽于规定的 {bound} {u}，依据 {basis_zh}", u = p.unit),
            format!("the oxygen limit {limit} {} is looser than the {bound} of {basis_en}", p.unit),
            (
                "缺氧不低于 19.5 %VOL，富氧不高于 23.5 %VOL",
                "at least 19.5 %VOL for too little, at most 23.5 %VOL for too much",
            ),
        );
    };
    if least < presets::OXYGEN_VOLUME_PERCENT.0 {
        looser(low, least, presets::OXYGEN_VOLUME_PERCENT.0);
    }
    if let Some((most, high)) = of(false).min_by(|a, b| a.0.total_cmp(&b.0))
        && most > presets::OXYGEN_VOLUME_PERCENT.1
    {
        looser(high, most, presets::OXYGEN_VOLUME_PERCENT.1);
    }
}

/// A limit that nobody can compare would pass whatever it is.
pub(super) fn unit_of_substance(r: &mut Report, p: &Point) {
    let by_exposure = p.substance.is_some_and(|s| s.ranges_by_idlh(&p.unit).is_some());
    let in_percent = presets::gas_limit(&p.unit, &Condition::High { limit: 0.0, deadband: 0.0 }).is_some();
    if p.substance.is_some() && !by_exposure && !in_percent {
        r.error(
            format!("points[{}].unit", p.key),
            format!("有毒气体的单位“{}”无法与职业接触限值比较", p.unit),
            format!("the unit `{}` of a toxic gas cannot be held against its exposure limit", p.unit),
            ("写 ppm、ppb、mg/m³ 或 %OEL", "write ppm, ppb, mg/m³ or %OEL"),
        );
    }
}

/// IDLH is for a detector whose range cannot fit the exposure limit.
pub(super) fn limits_by_idlh(r: &mut Report, p: &Point) {
    if p.limits_by == LimitsBy::Oel {
        return;
    }
    let at = || format!("points[{}].limits_by_idlh", p.key);
    let Some((wider, not_wider)) = p.substance.and_then(|s| s.ranges_by_idlh(&p.unit)) else {
        return r.error(
            at(),
            "没有可换算的有毒气体：IDLH 需要 substance 和单位 ppm 或 mg/m³",
            "IDLH needs a `substance` and the unit ppm or mg/m³",
            ("写明 substance，或删去此行", "name the substance, or take this line out"),
        );
    };
    if p.has_range() && (p.range.1 <= wider || p.range.1 > not_wider) {
        let (upper, u) = (p.range.1, &p.unit);
        r.error(
            at(),
            format!(
                "量程上限 {upper} {u} 不在 3 倍 OEL（{}）与 30 %IDLH（{}）之间，报警限不能按 IDLH",
                number(wider),
                number(not_wider)
            ),
            format!(
                "the range up to {upper} {u} is not between three exposure limits ({}) and 30 % of IDLH ({}): the limits cannot hang on IDLH",
                number(wider),
                number(not_wider)
            ),
            ("删去此行，按 OEL 设限；或换用量程合适的探测器", "take this line out and set the limits by OEL, or use a detector that fits"),
        );
    }
}
