//! Points that are read faster near a limit: which `fast_period_ms` has an effect.
//!
//! Owns that predicate; rule book, buses and the load of a line go by it. Leaves the wish itself to `core::nearness`, which follows the
//! limits, rates and deviations of a point and of what is computed from it, those of modes included.

use super::diagnostic::Finding;
use super::file::{PointTable, SiteFile};
use super::pace::PERIOD_MS;
use super::parts;
use std::time::Duration;

/// The shorter period of a point that can become fast; `None` where a fast period would do nothing.
pub(super) fn period(p: &PointTable) -> Option<Duration> {
    let period_ms = p.fast_period_ms.filter(|fast| *fast < p.period_ms)?;
    (p.expression.is_none() && (p.can_near() || p.is_input_of_neared))
        .then(|| Duration::from_millis(u64::from(period_ms)))
}

/// How often a value beyond one of its limits is read.
pub(super) fn period_beyond(p: &PointTable) -> Duration {
    period(p).unwrap_or_else(|| parts::period(p))
}

/// Warns of every fast period that does nothing; one out of bounds is refused by [`super::pace`].
pub(super) fn check(file: &SiteFile, findings: &mut Vec<Finding>) {
    let idle = |p: &&PointTable| p.fast_period_ms.is_some_and(|ms| PERIOD_MS.contains(&ms)) && period(p).is_none();
    findings.extend(file.point.iter().filter(idle).map(without_effect));
}

fn without_effect(p: &PointTable) -> Finding {
    let period_ms = p.period_ms;
    let (message, remedy) = if p.expression.is_some() {
        (
            (
                "fast_period_ms 不起作用：计算测点不读取".to_owned(),
                "fast_period_ms has no effect: a computed point is not read".to_owned(),
            ),
            (
                "写在它用到的测点上：它接近限值时，那些测点加快读取",
                "write it at the points it is computed from: they are read fast when it nears a limit",
            ),
        )
    } else if !p.can_near() && !p.is_input_of_neared {
        (
            (
                "fast_period_ms 不起作用：测点和由它计算的测点都没有限值、变化率或偏差".to_owned(),
                "fast_period_ms has no effect: neither the point nor one computed from it has a limit, a rate or a deviation".to_owned(),
            ),
            (
                "给它或由它计算的测点写 limits、rising、falling 或 deviation；或去掉 fast_period_ms、缩短 period_ms",
                "give it or a point computed from it limits, rising, falling or deviation; or leave it out and shorten period_ms",
            ),
        )
    } else {
        (
            (
                format!("fast_period_ms 不起作用：不短于 period_ms（{period_ms} 毫秒）"),
                format!("fast_period_ms has no effect: it is not shorter than period_ms ({period_ms} ms)"),
            ),
            ("写得比 period_ms 短，或去掉", "write less than period_ms, or leave it out"),
        )
    };
    let remedy = (remedy.0.to_owned(), remedy.1.to_owned());
    Finding::fatal(format!("point[{}].fast_period_ms", p.key), message, remedy).warning()
}

#[cfg(test)]
mod tests {
    use crate::config::{Checked, Diagnostic, Site, site_from_text};
    use rules::book::Condition;
    use std::time::Duration;

    /// A pressure behind a current card.
    fn pressure(of_the_point: &str) -> Checked<Site> {
        let text = format!(
            "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
             [[link]]\nkey = \"l\"\ntcp = \"192.0.2.1:502\"\n\
             [[device]]\nkey = \"CARD\"\nlink = \"l\"\nunit = 1\nprofile = \"adam-4117\"\narea = \"A1\"\n\
             [[point]]\nkey = \"PT-1\"\nname = \"压力\"\nname_en = \"Pressure\"\ndevice = \"CARD\"\nfield = \"channel_0\"\n\
             kind = \"pressure\"\nunit = \"kPa\"\nrange = [0, 100]\nsignal_span = [0, 100]\n{of_the_point}\n"
        );
        site_from_text("site.toml", &text, |_| ())
    }

    fn said(of_the_point: &str) -> Vec<Diagnostic> {
        pressure(of_the_point).diagnostics
    }

    const LIMIT: &str = "limits.H = { limit = 80, priority = 3 }";

    fn on_delay(of_the_point: &str, is_wanted: fn(&Condition) -> bool) -> Duration {
        let checked = pressure(of_the_point);
        let site = checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        site.book.rules().iter().find(|r| is_wanted(&r.condition)).unwrap().on_delay
    }

    #[test]
    fn a_limit_waits_by_the_fast_period_that_it_brings_and_a_failed_sensor_by_the_slow_one() {
        let high = |c: &Condition| matches!(c, Condition::High { .. });
        for (fast_ms, seconds) in [("fast_period_ms = 500", 15), ("fast_period_ms = 20000", 40), ("", 120)] {
            let found = on_delay(&format!("period_ms = 60000\n{fast_ms}\n{LIMIT}"), high);
            assert_eq!(found, Duration::from_secs(seconds), "{fast_ms}");
        }
        let failed = |c: &Condition| matches!(c, Condition::SensorFault);
        let found = on_delay(&format!("period_ms = 60000\nfast_period_ms = 500\n{LIMIT}"), failed);
        assert_eq!(found, Duration::from_secs(120), "a value that is none nears nothing");
    }

    #[test]
    fn a_written_delay_of_a_limit_is_held_against_the_fast_period_and_of_a_deviation_against_the_slow_one() {
        let limit = "limits.H = { limit = 80, priority = 3, delay_s = 5 }";
        let refused = |text: &str| said(text).iter().filter(|d| d.fatal).count();
        assert_eq!(refused(&format!("period_ms = 60000\nfast_period_ms = 500\n{limit}")), 0);
        assert_eq!(refused(&format!("period_ms = 60000\n{limit}")), 1);
        assert_eq!(refused(&format!("period_ms = 60000\nfast_period_ms = 3000\n{limit}")), 1);
        let deviation = "deviation = { setpoint = 50, limit = 9, priority = 3, delay_s = 5 }";
        assert_eq!(refused(&format!("period_ms = 60000\nfast_period_ms = 500\n{LIMIT}\n{deviation}")), 1);
    }

    #[test]
    fn a_late_alarm_of_a_point_with_a_fast_period_is_told_by_when_a_jump_is_seen() {
        let urgent =
            "limits.HH = { limit = 80, priority = 1, cause = \"泄漏\", consequence = \"超压\", action = \"切断进料\" }";
        let late = |text: String| said(&text).into_iter().find(|d| d.path.ends_with("limits.HH")).unwrap();
        let one = late(format!("period_ms = 60000\nfast_period_ms = 500\n{urgent}"));
        assert!(!one.fatal && one.message_zh.contains("突变最迟 60 秒后才读到，再等 15 秒"), "{one:?}");
        assert!(one.message_en.contains("first seen after 60 s at worst, then waits 15 s"), "{one:?}");
        assert!(!one.remedy_en.contains("fast_period_ms") && one.remedy_en.contains("period_ms"), "{one:?}");
        let slow = late(format!("period_ms = 60000\n{urgent}"));
        assert!(
            slow.message_en.contains("two polls (2 min)") && slow.remedy_en.contains("(period_ms, fast_"),
            "{slow:?}"
        );
        let seldom = said(&format!("period_ms = 900000\nfast_period_ms = 500\n{LIMIT}"));
        let [failed, jump] = seldom.as_slice() else { panic!("{seldom:?}") };
        assert!(jump.message_en.contains("after 900 s at worst, then waits 15 s"), "{jump:?}");
        assert!(
            failed.message_en.contains("two polls (30 min)") && failed.remedy_en.contains("sensor_fault"),
            "{failed:?}"
        );
    }

    #[test]
    fn a_fast_period_without_effect_is_told_at_its_line_and_binds_nothing() {
        let stuck = "stuck = { epsilon = 0.1, priority = 3 }";
        for (text, english) in [
            ("fast_period_ms = 500", "neither the point nor one computed"),
            (&format!("fast_period_ms = 500\n{stuck}"), "neither the point nor one computed"),
            (&format!("fast_period_ms = 1000\n{LIMIT}"), "not shorter than period_ms (1000 ms)"),
            (&format!("fast_period_ms = 5000\n{LIMIT}"), "not shorter than period_ms (1000 ms)"),
        ] {
            let checked = pressure(text);
            let [one] = checked.diagnostics.as_slice() else { panic!("{text}: {:?}", checked.diagnostics) };
            assert!(!one.fatal && one.path == "point[PT-1].fast_period_ms" && one.line == 28, "{one:?}");
            assert!(one.message_en.contains(english) && !one.remedy_zh.is_empty(), "{one:?}");
            let site = checked.value.unwrap();
            assert!(site.buses[0].devices[0].points.iter().all(|p| p.fast.is_none()), "{text}");
        }
        let rising = "rising = { limit_per_min = 9, window_s = 60, priority = 3 }";
        let deviation = "deviation = { setpoint = 50, limit = 9, priority = 3 }";
        for rule in [LIMIT, rising, deviation] {
            let right = pressure(&format!("fast_period_ms = 500\n{rule}"));
            assert_eq!(right.diagnostics, [], "{rule}");
            assert!(right.value.unwrap().buses[0].devices[0].points[0].fast.is_some(), "{rule}");
        }
    }

    #[test]
    fn the_inputs_of_a_computed_point_with_a_limit_can_be_read_fast_also_through_another_computed_one() {
        let computed = |key: &str, of: &str, more: &str| {
            format!(
                "[[point]]\nkey = \"{key}\"\nname = \"容积\"\nname_en = \"Volume\"\nexpression = \"{{{of}}} * 2\"\n\
                 kind = \"other\"\nrange = [0, 400]\n{more}\n"
            )
        };
        let chain = |more: &str| {
            format!("fast_period_ms = 500\n{}{}", computed("W-1", "V-1", more), computed("V-1", "PT-1", ""))
        };
        let right = pressure(&chain("limits.H = { limit = 160, priority = 3 }"));
        assert_eq!(right.diagnostics, []);
        assert!(right.value.unwrap().buses[0].devices[0].points[0].fast.is_some());
        let idle = said(&chain(""));
        assert!(idle.iter().any(|d| d.path == "point[PT-1].fast_period_ms"), "nothing to come near to: {idle:?}");
    }

    #[test]
    fn a_computed_point_is_read_by_nobody_and_its_fast_period_says_so() {
        let volume = "[[point]]\nkey = \"V-1\"\nname = \"容积\"\nname_en = \"Volume\"\nexpression = \"{PT-1} * 2\"\n\
             kind = \"other\"\nrange = [0, 200]\nfast_period_ms = 500\nlimits.H = { limit = 160, priority = 3 }";
        let found = said(volume);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert!(!one.fatal && one.path == "point[V-1].fast_period_ms", "{one:?}");
        assert!(one.message_en.contains("computed") && one.remedy_en.contains("they are read fast"), "{one:?}");
    }
}
