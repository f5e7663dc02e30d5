//! The ladder of limits of one point.

use super::report::Report;
use crate::book::Rule;

/// LL < L < H < HH, and each deadband smaller than the step to its neighbour.
pub(super) fn order(r: &mut Report, point: &str, rules: &[&Rule]) {
    let of = |word: &str| rules.iter().find(|x| x.condition.word() == word).and_then(|x| x.condition.band());
    let ladder: Vec<_> = ["LL", "L", "H", "HH"].into_iter().filter_map(|w| of(w).map(|b| (w, b))).collect();
    for pair in ladder.windows(2) {
        let ((low, (a, _)), (high, (b, _))) = (pair[0], pair[1]);
        if a >= b {
            r.error(
                format!("points[{point}].rules.{high}.limit"),
                format!("{low} 限值 {a} 不小于 {high} 限值 {b}"),
                format!("the {low} limit {a} is not below the {high} limit {b}"),
                ("必须满足 LL < L < H < HH", "LL < L < H < HH must hold"),
            );
        }
    }
    for (inner, outer) in [("H", "HH"), ("L", "LL")] {
        let (Some((a, da)), Some((b, db))) = (of(inner), of(outer)) else { continue };
        for (word, deadband) in [(inner, da), (outer, db)] {
            // rounded for people: 1.8 − 1.6 is 0.19999999999999996
            let step = ((b - a).abs() * 1e9).round() / 1e9;
            if deadband >= step {
                r.error(
                    format!("points[{point}].rules.{word}.deadband"),
                    format!("回差 {deadband} 不小于 {outer} 与 {inner} 之差 {step}"),
                    format!("the deadband {deadband} is not below the step {step} from {inner} to {outer}"),
                    ("减小回差", "make the deadband smaller"),
                );
            }
        }
    }
}

/// Each pair once; no mode changes a priority.
pub(super) fn urgencies(r: &mut Report, point: &str, rules: &[&Rule]) {
    for pair in [("H", "HH"), ("L", "LL")] {
        urgency(r, point, rules, pair);
    }
}

/// Under a standing outer limit the inner one makes no sound of its own: a less urgent outer one would take the urgent sound away.
fn urgency(r: &mut Report, point: &str, rules: &[&Rule], (inner, outer): (&str, &str)) {
    let of = |word: &str| rules.iter().find(|x| x.condition.word() == word).map(|x| x.priority);
    let Some((a, b)) = of(inner).zip(of(outer)).filter(|(inner, outer)| outer > inner) else { return };
    r.error(
        format!("points[{point}].rules.{outer}.priority"),
        format!("{outer} 的优先级 {b} 低于 {inner} 的 {a}：{outer} 发生后，{inner} 不再单独发声"),
        format!("{outer} of priority {b} is less urgent than {inner} of priority {a}, which makes no sound of its own under it"),
        ("把外侧限值的优先级设为相同或更高（数字更小或相等）", "make the outer limit as urgent or more: the same number or a lower one"),
    );
}
