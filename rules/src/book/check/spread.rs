//! How priorities are spread: about 80 / 15 / 5 % low, medium, high, as ISA-18.2 has it for what is annunciated. A warning with numbers.

use super::report::Report;
use crate::book::BookParts;

/// Fewer rules say nothing about a spread: a small site is mostly detectors and protections.
const RULES_MIN: usize = 100;
/// Shares of priorities 1 and 2 above which operators stop believing them.
const HIGH_MAX: f64 = 0.10;
const MEDIUM_MAX: f64 = 0.30;

pub(super) fn spread(r: &mut Report, parts: &BookParts) {
    let all = parts.rules.len();
    if all < RULES_MIN {
        return;
    }
    let count = |p: u8| parts.rules.iter().filter(|x| x.priority == p).count();
    let (high, medium) = (count(1), count(2));
    #[allow(clippy::cast_precision_loss, reason = "a share for people")]
    let share = |n: usize| n as f64 / all as f64;
    if share(high) > HIGH_MAX || share(medium) > MEDIUM_MAX {
        let percent = |n: usize| share(n) * 100.0;
        let low = all - high - medium;
        r.warn(
            "rules.priority".to_owned(),
            format!(
                "报警优先级分布失衡：1 级 {:.0} %、2 级 {:.0} %、3–4 级 {:.0} %（共 {all} 条）",
                percent(high),
                percent(medium),
                percent(low)
            ),
            format!(
                "priorities are top-heavy: {:.0} % P1, {:.0} % P2, {:.0} % P3 and P4 of {all} rules",
                percent(high),
                percent(medium),
                percent(low)
            ),
            (
                "目标约为 5 / 15 / 80 %：把不需要立即行动的降级",
                "aim at 5 / 15 / 80 %: lower what needs no action at once",
            ),
        );
    }
}
