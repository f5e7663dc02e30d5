//! The figures and the targets of the standards. A number has its source beside it.

use super::DAY_MS;
use schemars::JsonSchema;
use serde::Serialize;

/// One figure with the target beside it.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Figure {
    /// Stable word for scripts.
    pub code: &'static str,
    pub name: &'static str,
    pub name_en: &'static str,
    /// None when there is nothing to reckon it from.
    pub value: Option<f64>,
    pub unit: &'static str,
    /// The target in words; empty where no standard has one.
    pub target: &'static str,
    pub met: Option<bool>,
}

/// What the figures are reckoned from.
pub(super) struct Basis<'a> {
    /// Time that was watched.
    pub(super) length_ms: i64,
    pub(super) alarms: u64,
    /// Most in one period of ten minutes.
    pub(super) peak: u64,
    /// Periods with more than ten.
    pub(super) overfull: u64,
    pub(super) by_priority: [u64; 4],
    pub(super) top_share: f64,
    pub(super) chattering: u64,
    pub(super) standing: u64,
    pub(super) floods: u64,
    pub(super) flood_ms: i64,
    /// Sorted.
    pub(super) ack_ms: &'a [i64],
    pub(super) unacknowledged: u64,
}

type Words = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn figure((code, name, name_en, unit, target): Words, value: Option<f64>, met: Option<bool>) -> Figure {
    Figure { code, name, name_en, value, unit, target, met: value.and(met) }
}

/// Rates, floods, nuisance, priorities, people: in this order.
pub(super) fn figures(b: &Basis<'_>) -> Vec<Figure> {
    let mut all = rates(b);
    all.extend(nuisance(b));
    all.extend(priorities(b));
    all.extend(people(b));
    if b.length_ms == 0 {
        // nobody watched: that nothing came meets no target
        all.iter_mut().for_each(|figure| (figure.value, figure.met) = (None, None));
    }
    all
}

/// EEMUA 191: one alarm in ten minutes per operator is acceptable in steady state, ten are the most one can follow.
fn rates(b: &Basis<'_>) -> Vec<Figure> {
    let periods = b.length_ms as f64 / 600_000.0;
    let average = b.alarms as f64 / periods;
    let per_day = (b.length_ms >= DAY_MS).then(|| b.alarms as f64 * DAY_MS as f64 / b.length_ms as f64);
    let overfull = 100.0 * b.overfull as f64 / periods.max(1.0);
    let flood = 100.0 * b.flood_ms as f64 / b.length_ms as f64;
    vec![
        figure(
            ("average_per_10min", "平均报警率", "average rate", "/10 min", "≤ 1（EEMUA 191）"),
            Some(average),
            Some(average <= 1.0),
        ),
        figure(
            ("per_day", "每日报警", "alarms a day", "/d", "≤ 150（ISA-18.2-2009）"),
            per_day,
            per_day.map(|n| n <= 150.0),
        ),
        figure(
            ("peak_per_10min", "10 分钟峰值", "peak of ten minutes", "/10 min", "≤ 10（EEMUA 191）"),
            Some(b.peak as f64),
            Some(b.peak <= 10),
        ),
        figure(
            ("overfull_periods", "超过 10 条的时段", "periods with more than 10", "%", "< 1（ISA-18.2）"),
            Some(overfull),
            Some(overfull < 1.0),
        ),
        figure(("floods", "报警泛滥次数", "floods", "", ""), Some(b.floods as f64), None),
        figure(("flood_time", "泛滥时间占比", "time in flood", "%", "< 1（ISA-18.2）"), Some(flood), Some(flood < 1.0)),
    ]
}

fn nuisance(b: &Basis<'_>) -> Vec<Figure> {
    let top = (b.alarms > 0).then_some(100.0 * b.top_share);
    vec![
        figure(
            ("standing", "滞留超 24 h，最多的一天", "standing > 24 h, worst day", "", "< 5（ISA-18.2）"),
            Some(b.standing as f64),
            Some(b.standing < 5),
        ),
        figure(
            ("chattering", "抖动报警", "chattering alarms", "", "0（ISA-18.2）"),
            Some(b.chattering as f64),
            Some(b.chattering == 0),
        ),
        figure(
            ("top_ten_share", "前十名占比", "share of the top ten", "%", "≤ 5（ISA-18.2）"),
            top,
            top.map(|share| share <= 5.0),
        ),
    ]
}

/// About 80 / 15 / 5 % low, medium, high of what was annunciated; priorities 3 and 4 together are low. The standard has no tolerance: met within a
/// factor of two of the high ones.
fn priorities(b: &Basis<'_>) -> Vec<Figure> {
    let share = |n: u64| (b.alarms > 0).then_some(100.0 * n as f64 / b.alarms.max(1) as f64);
    let [p1, p2, p3, p4] = b.by_priority;
    let (high, medium, low) = (share(p1), share(p2), share(p3 + p4));
    vec![
        figure(
            ("priority_1_share", "一级（紧急）占比", "priority 1", "%", "≈ 5（ISA-18.2）"),
            high,
            high.map(|s| s <= 10.0),
        ),
        figure(
            ("priority_2_share", "二级占比", "priority 2", "%", "≈ 15（ISA-18.2）"),
            medium,
            medium.map(|s| s <= 30.0),
        ),
        figure(
            ("priority_3_share", "三、四级占比", "priorities 3 and 4", "%", "≈ 80（ISA-18.2）"),
            low,
            low.map(|s| s >= 60.0),
        ),
    ]
}

/// No standard has a figure for the time to acknowledge; what the site's own escalation allows is the measure.
fn people(b: &Basis<'_>) -> Vec<Figure> {
    let p90 = quantile(b.ack_ms, 0.9).map(|ms| ms as f64 / 1000.0);
    vec![
        figure(
            ("ack_median", "确认用时中位数", "time to acknowledge, median", "s", ""),
            median(b.ack_ms).map(|ms| ms / 1000.0),
            None,
        ),
        figure(("ack_p90", "确认用时 90%", "time to acknowledge, 90 %", "s", ""), p90, None),
        figure(
            ("unacknowledged", "尚未确认", "not acknowledged yet", "", "0"),
            Some(b.unacknowledged as f64),
            Some(b.unacknowledged == 0),
        ),
    ]
}

/// The middle of a sorted list; of an even number the mean of the middle two.
fn median(sorted: &[i64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some((lower as f64 + upper as f64) / 2.0)
}

/// Nearest rank of a sorted list.
fn quantile(sorted: &[i64], share: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank inside the list")]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::{median, quantile};

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let list = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        assert_eq!((quantile(&list, 0.9), quantile(&list, 1.0), quantile(&[], 0.9)), (Some(9), Some(10), None));
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!((median(&[24_710, 101_810]), median(&[1, 5, 90]), median(&[])), (Some(63_260.0), Some(5.0), None));
    }
}
