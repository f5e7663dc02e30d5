//! What the scheduler, played through as it is, with one instrument dead and with every fast period in force, says of a bus: a warning with numbers, at its link.
//!
//! Owns the words. Leaves playing to `devices::forecast`, and a serial line that certainly cannot bear it to [`super::pace`], which refuses it.

use super::diagnostic::{Diagnostic, Finding};
use super::{SourceFile, locate};
use crate::text::counted;
use devices::{BusForecast, LatePoint, Outlook};

const PLAN: (&str, &str) = ("；hazard-gateway plan 逐点列出", "; hazard-gateway plan names every point");

/// Of every bus that is too full, now or once all its values near their limits, or holds a deadline no longer then or with one instrument
/// dead; and of a time-out that the readings of its instruments do not bear.
#[must_use]
pub fn load_warnings(buses: &[BusForecast], files: &[SourceFile]) -> Vec<Diagnostic> {
    let found = buses.iter().flat_map(|bus| of_bus(bus).into_iter().chain(long_time_out(bus)).chain(one_dead(bus)));
    locate::resolve(found.collect(), files)
}

/// The link's time-out is longer than the readings of the others stay fresh: nobody is waited for so long, and who needs it is lost.
fn long_time_out(bus: &BusForecast) -> Option<Finding> {
    let (key, bears) = (&bus.bus, bus.with_dead.as_ref()?.waits_at_most?.as_millis());
    let message = (
        format!(
            "链路 {key} 的 timeout_ms 比其余仪表的数据有效期所容许的（{bears} ms）长：一台仪表失联或变慢时只等这么久，更慢的可能一直采不到"
        ),
        format!(
            "timeout_ms of link {key} is longer than the readings of its other instruments stay fresh ({bears} ms are left): one that is silent or slow is waited for no longer than that, and a slower one may never be read"
        ),
    );
    let remedy = (
        format!("把 timeout_ms 改为 {bears} 或更短；确有更慢的仪表时，加长其余测点的 max_age_s，或把它分到另一条链路"),
        format!(
            "set timeout_ms to {bears} or less; where an instrument is slower, lengthen max_age_s of the other points or give it a link of its own"
        ),
    );
    Some(Finding::fatal(format!("link[{key}].timeout_ms"), message, remedy).warning())
}

/// A deadline that holds until one instrument is dead.
fn one_dead(bus: &BusForecast) -> Option<Finding> {
    let dead = bus.with_dead.as_ref()?;
    let held = |late: &&LatePoint| !bus.healthy.late.iter().any(|l| l.point == late.point);
    let late: Vec<&LatePoint> = dead.late.iter().filter(held).collect();
    let LatePoint { point, interval, max_age, .. } = late.first()?;
    let (key, n, interval, max_age) = (&bus.bus, late.len(), interval.as_secs_f64(), max_age.as_secs_f64());
    let message = (
        format!(
            "链路 {key} 上一台仪表失联时，{n} 个数据有效期守不住，例如 {point}：最长 {interval:.2} s 才来一个值，有效期 {max_age} s"
        ),
        format!(
            "with one instrument of link {key} dead, {} cannot hold, such as {point}: a value every {interval:.2} s at worst, max_age {max_age} s",
            counted(n, "freshness deadline")
        ),
    );
    let remedy = remedy(bus, ("加长 period_ms 或 max_age_s".into(), "lengthen period_ms or max_age_s".into()));
    Some(Finding::fatal(format!("link[{key}]"), message, remedy).warning())
}

fn of_bus(bus: &BusForecast) -> Option<Finding> {
    if bus.healthy.demand > 1.0 {
        return Some(full_now(bus));
    }
    let fast = bus.all_fast.as_ref()?;
    let held = |late: &&LatePoint| !bus.healthy.late.iter().any(|l| l.point == late.point);
    let late: Vec<&LatePoint> = fast.late.iter().filter(held).collect();
    (fast.demand > 1.0 || !late.is_empty()).then(|| warning(bus, fast, &late))
}

fn full_now(bus: &BusForecast) -> Finding {
    let (key, now) = (&bus.bus, bus.healthy.demand * 100.0);
    let message = (
        format!("总线 {key} 需要占用 {now:.0}%：采不完，迟到的轮次被跳过，失联的仪表恢复后更晚才重新采到"),
        format!(
            "bus {key} is asked for {now:.0} % of its time: late cycles are skipped, and an instrument that returns is read again later"
        ),
    );
    let remedy = remedy(bus, ("加长 period_ms".into(), "lengthen period_ms".into()));
    Finding::fatal(format!("link[{key}]"), reckoned(bus, message), remedy).warning()
}

/// What helps on a link of this kind: longer periods, in words, and more.
fn remedy(bus: &BusForecast, (zh, en): (String, String)) -> (String, String) {
    if bus.assumed_round_trip.is_some() {
        return (
            format!("{zh}，或把仪表分到两条链路{}", PLAN.0),
            format!("{en}, or put the instruments on two links{}", PLAN.1),
        );
    }
    (
        format!("{zh}、提高波特率，或把仪表分到两条总线{}", PLAN.0),
        format!("{en}, raise the baud rate, or put the instruments on two links{}", PLAN.1),
    )
}

/// On a socket nearly all of it is the round trip, and that is not known before the instrument answers: hence a warning, never an error.
fn reckoned(bus: &BusForecast, (zh, en): (String, String)) -> (String, String) {
    let Some(round_trip) = bus.assumed_round_trip else { return (zh, en) };
    let ms = round_trip.as_millis();
    (
        format!("{zh}（按往返 {ms} ms 估算；实测见 /api/v1/devices 的 turnaround_us）"),
        format!("{en} (reckoned with a round trip of {ms} ms; the real one is turnaround_us of /api/v1/devices)"),
    )
}

/// How many times as long the fast periods must be; none where those without one are too much already, or only a deadline is late.
fn longer(bus: &BusForecast, fast: &Outlook) -> (String, String) {
    let times = ((fast.demand - bus.steady) / (1.0 - bus.steady) * 10.0).ceil() / 10.0;
    if fast.demand > 1.0 && bus.steady < 1.0 {
        return (
            format!("把 fast_period_ms 加长到 {times} 倍或更长"),
            format!("make fast_period_ms {times} times as long or longer"),
        );
    }
    ("加长 fast_period_ms 或 max_age_s".to_owned(), "lengthen fast_period_ms or max_age_s".to_owned())
}

fn warning(bus: &BusForecast, fast: &Outlook, late: &[&LatePoint]) -> Finding {
    let (key, now, then) = (&bus.bus, bus.healthy.demand * 100.0, fast.demand * 100.0);
    let (late_zh, late_en) = match late.first() {
        None => ("，迟到的轮次被跳过".to_owned(), ", late cycles are skipped".to_owned()),
        Some(LatePoint { point, interval, max_age, .. }) => {
            let (n, interval, max_age) = (late.len(), interval.as_secs_f64(), max_age.as_secs_f64());
            (
                format!("，{n} 个数据有效期守不住，例如 {point}：最长 {interval:.2} s 才来一个值，有效期 {max_age} s"),
                format!(
                    ", {} cannot hold, such as {point}: a value every {interval:.2} s at worst, max_age {max_age} s",
                    counted(n, "freshness deadline")
                ),
            )
        }
    };
    let message = (
        format!("总线 {key} 平时需要占用 {now:.0}%，全部 fast_period_ms 生效时 {then:.0}%{late_zh}"),
        format!(
            "bus {key} is asked for {now:.0} % of its time, with every fast_period_ms in force {then:.0} %{late_en}"
        ),
    );
    Finding::fatal(format!("link[{key}]"), reckoned(bus, message), remedy(bus, longer(bus, fast))).warning()
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::{LIMIT, line};
    use super::*;
    use std::time::Duration;

    fn forecasts(fast_period_ms: u32) -> (Vec<BusForecast>, Vec<SourceFile>) {
        let checked = line(&format!("period_ms = 10000\nfast_period_ms = {fast_period_ms}\n{LIMIT}"));
        let site = checked.value.unwrap();
        let max_age = |point: rules::PointId| site.book.points()[point.index()].max_age;
        (site.buses.iter().map(|b| devices::forecast(b, 0, &max_age)).collect(), checked.files)
    }

    #[test]
    fn a_bus_that_is_full_once_every_value_nears_its_limit_is_told_with_both_shares() {
        let (buses, files) = forecasts(900);
        let found = load_warnings(&buses, &files);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert!(!one.fatal && one.path == "link[rtu]" && one.line == 10, "{one:?}");
        let (now, then) = ("is asked for 12 % of its time", "in force 138 %, late cycles are skipped");
        assert!(one.message_en.contains(now) && one.message_en.contains(then), "{}", one.message_en);
        let (buses, files) = forecasts(5_000);
        assert_eq!(load_warnings(&buses, &files), []);
    }

    #[test]
    fn a_socket_that_is_full_once_every_value_nears_its_limit_is_a_warning_with_its_numbers_and_what_helps() {
        let (mut buses, files) = forecasts(900);
        let serial = load_warnings(&buses, &files).remove(0);
        assert!(serial.remedy_en.contains("1.4 times as long") && serial.remedy_en.contains("baud"), "{serial:?}");
        assert!(serial.remedy_zh.contains("1.4 倍或更长、提高波特率，或把"), "{serial:?}");
        buses[0].assumed_round_trip = Some(Duration::from_millis(5));
        let [one] = load_warnings(&buses, &files).try_into().unwrap_or_else(|found| panic!("{found:?}"));
        assert!(!one.fatal && one.message_en.contains("round trip of 5 ms"), "{}", one.message_en);
        assert!(one.message_zh.contains("按往返 5 ms 估算"), "{}", one.message_zh);
        assert!(one.remedy_en.contains("1.4 times as long") && !one.remedy_en.contains("baud"), "{}", one.remedy_en);
        assert!(one.remedy_zh.contains("1.4 倍或更长，或把"), "{}", one.remedy_zh);
        buses[0].steady = 0.5;
        let steady = load_warnings(&buses, &files).remove(0);
        assert!(steady.remedy_en.contains("1.8 times as long"), "what is not fast gives nothing back: {steady:?}");
    }

    #[test]
    fn a_time_out_that_the_readings_of_the_others_do_not_bear_is_told_at_its_link_with_the_one_that_they_do() {
        let checked = line("period_ms = 5000");
        let mut site = checked.value.unwrap();
        let max_age: Vec<Duration> = site.book.points().iter().map(|p| p.max_age).collect();
        let mut found = |timeout_s| {
            site.buses[0].timeout = Duration::from_secs(timeout_s);
            load_warnings(&[devices::forecast(&site.buses[0], 1, &|p| max_age[p.index()])], &checked.files)
        };
        assert_eq!(found(3), []);
        let [one] = found(12).try_into().unwrap_or_else(|found| panic!("{found:?}"));
        assert!(!one.fatal && one.path == "link[rtu].timeout_ms" && one.line == 10, "{one:?}");
        assert!(
            one.message_en.contains("stay fresh (7") || one.message_en.contains("stay fresh (8"),
            "{}",
            one.message_en
        );
        assert!(one.remedy_zh.contains("timeout_ms 改为") && one.remedy_en.contains("max_age_s"), "{one:?}");
    }

    #[test]
    fn a_deadline_that_one_dead_instrument_breaks_is_told() {
        let (mut buses, files) = forecasts(5_000);
        buses[0].with_dead = Some(buses[0].healthy.clone());
        let [period, max_age, interval] = [5, 10, 12].map(Duration::from_secs);
        let late = LatePoint { point: "GT-7".into(), device: "D-7".into(), period, max_age, interval };
        buses[0].with_dead.as_mut().unwrap().late.push(late.clone());
        let [one] = load_warnings(&buses, &files).try_into().unwrap_or_else(|found| panic!("{found:?}"));
        assert!(
            !one.fatal
                && one.path == "link[rtu]"
                && one.message_zh.contains("一台仪表失联时，1 个数据有效期守不住，例如 GT-7"),
            "{one:?}"
        );
        buses[0].healthy.late.push(late);
        assert_eq!(load_warnings(&buses, &files), []);
    }

    #[test]
    fn a_bus_that_is_full_as_it_is_is_told_once() {
        let (mut buses, files) = forecasts(900);
        buses[0].healthy.demand = 1.24;
        let found = load_warnings(&buses, &files);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert!(!one.fatal && one.path == "link[rtu]" && one.message_en.contains("124 %"), "{one:?}");
    }

    #[test]
    fn a_deadline_that_holds_only_while_nothing_is_fast_is_named_with_its_numbers() {
        let (mut buses, files) = forecasts(5_000);
        let (point, device) = ("GT-7".to_owned(), "D-7".to_owned());
        let [period, max_age, interval] = [5, 10, 12].map(Duration::from_secs);
        let late = LatePoint { point, device, period, max_age, interval };
        buses[0].all_fast.as_mut().unwrap().late.push(late.clone());
        let found = load_warnings(&buses, &files);
        assert!(found[0].message_zh.contains("例如 GT-7：最长 12.00 s 才来一个值，有效期 10 s"), "{found:?}");
        buses[0].healthy.late.push(late);
        assert_eq!(load_warnings(&buses, &files), [], "what does not hold now either is the plan's to say");
    }
}
