//! Every defect is found, all at once, and a large book is built in time.

use super::*;
use crate::risk::{Evidence, RiskLevel};
use std::time::Duration;

pub(crate) fn point(key: &str) -> Point {
    Point {
        key: key.into(),
        name: "".into(),
        name_en: "".into(),
        area: "A".into(),
        device: "d1".into(),
        kind: PointKind::Gas,
        unit: "%LEL".into(),
        range: (0.0, 100.0),
        decimals: 1,
        period: Duration::from_secs(1),
        fast_period: None,
        max_age: Duration::from_secs(3),
        position: None,
        substance: None,
        limits_by: LimitsBy::default(),
        computed: false,
    }
}

/// Of alarms in area A, with no text of its own.
pub(crate) fn vote(key: &str, members: &[&str], needed: u8) -> Vote {
    Vote {
        key: key.into(),
        name: String::new(),
        name_en: String::new(),
        area: "A".into(),
        members: members.iter().map(ToString::to_string).collect(),
        needed,
        unknown: UnknownVote::Degrade,
        bypassed_max: 1,
        priority: 3,
        second_approver: None,
        cause: String::new(),
        consequence: String::new(),
        action: String::new(),
        action_en: String::new(),
    }
}

pub(super) fn rule(point: &str, condition: Condition) -> Rule {
    Rule {
        point: point.into(),
        condition,
        priority: 3,
        on_delay: Duration::ZERO,
        off_delay: Duration::ZERO,
        ..Rule::default()
    }
}

pub(super) fn parts() -> BookParts {
    BookParts {
        devices: vec![Device {
            key: "d1".into(),
            name: "".into(),
            area: "A".into(),
            comms_timeout: Duration::from_secs(5),
            priority: 2,
        }],
        points: vec![point("G1")],
        rules: vec![rule("G1", Condition::High { limit: 25.0, deadband: 2.0 })],
        calls: (1..=3).map(call).collect(),
        ..BookParts::default()
    }
}

/// Somebody for all alarms at this level.
fn call(level: u8) -> Call {
    Call { level, post: "值班长".into(), post_en: "Shift leader".into(), ..Call::default() }
}

/// A point with a limit.
pub(super) fn plain_book() -> RuleBook {
    RuleBook::build(parts()).unwrap().0
}

/// The paths of all fatal defects.
fn faults(parts: BookParts) -> Vec<String> {
    RuleBook::build(parts).err().unwrap_or_default().into_iter().filter(|d| d.fatal).map(|d| d.path).collect()
}

#[test]
fn a_sensor_fault_rule_is_added_unless_given() {
    let mut p = parts();
    p.points.push(Point { kind: PointKind::State, ..point("S1") });
    let (book, warnings) = RuleBook::build(p).unwrap();
    assert_eq!((book.rules().len(), warnings.len()), (2, 0));
    assert_eq!(book.rules()[1].on_delay, Duration::from_secs(4));
    let mut p = parts();
    p.rules.push(rule("G1", Condition::SensorFault));
    assert_eq!(RuleBook::build(p).unwrap().0.rules().len(), 2);
    let mut p = parts();
    (p.points[0].period, p.points[0].max_age) = (Duration::from_secs(10), Duration::from_secs(30));
    let of = |book: &RuleBook| book.rules().iter().find(|r| r.condition == Condition::SensorFault).unwrap().on_delay;
    assert_eq!(of(&RuleBook::build(p).unwrap().0), Duration::from_secs(20));
}

#[test]
fn all_defects_come_at_once() {
    let mut p = parts();
    p.points.push(Point { device: "nowhere".into(), ..point("G1") });
    p.rules.push(Rule { priority: 9, ..rule("G9", Condition::SensorFault) });
    p.measures.push(Measure {
        key: "M1".into(),
        risk: "R9".into(),
        text: String::new(),
        text_en: String::new(),
        responsible_role: String::new(),
        responsible_role_en: String::new(),
        evidence: Evidence::Watched { points: vec![] },
    });
    p.risks.push(Risk {
        key: "R1".into(),
        name: "".into(),
        name_en: "".into(),
        area: "A".into(),
        level: RiskLevel::Low,
        accident_type: String::new(),
        leader_role: String::new(),
        leader_role_en: String::new(),
        source: Some("none".into()),
    });
    assert_eq!(
        faults(p),
        [
            "points[G1].key",
            "points[G1].device",
            "points[G9].rules.SENSOR_FAULT.point",
            "points[G9].rules.SENSOR_FAULT.priority",
            "risks[R1].source",
            "measures[M1].risk",
            "measures[M1].points"
        ]
    );
}

#[test]
fn limits_must_be_ordered_finite_and_inside_the_range() {
    let with = |rules: Vec<Rule>| faults(BookParts { rules, ..parts() });
    let high = |limit, deadband| rule("G1", Condition::High { limit, deadband });
    let hh = |limit| rule("G1", Condition::HighHigh { limit, deadband: 0.0 });
    assert_eq!(with(vec![high(24.0, 0.0), hh(20.0)]), ["points[G1].rules.HH.limit"]);
    assert_eq!(with(vec![high(25.0, 25.0), hh(50.0)]), ["points[G1].rules.H.deadband"]);
    // Outside the range, and looser than the standard.
    assert_eq!(with(vec![high(101.0, 0.0)]), ["points[G1].rules.H.limit", "points[G1].rules.H.limit"]);
    assert_eq!(with(vec![high(f64::NAN, -1.0)]), ["points[G1].rules.H.limit", "points[G1].rules.H.deadband"]);
    let low = |limit| rule("G1", Condition::Low { limit, deadband: 0.0 });
    assert_eq!(with(vec![low(30.0), high(25.0, 0.0)]), ["points[G1].rules.H.limit"]);
    assert_eq!(with(vec![high(25.0, 0.0), high(25.0, 0.0)]), ["points[G1].rules.H.condition"]);
}

#[test]
fn delays_that_do_nothing_or_wait_too_long_for_gas_are_refused() {
    let with = |on_delay| {
        let mut p = parts();
        p.rules[0].on_delay = on_delay;
        p
    };
    assert_eq!(faults(with(Duration::from_millis(1999))), ["points[G1].rules.H.on_delay"]);
    assert_eq!(faults(with(Duration::from_secs(11))), ["points[G1].rules.H.on_delay"]);
    assert!(RuleBook::build(with(Duration::ZERO)).is_ok());
    assert!(RuleBook::build(with(Duration::from_secs(2))).is_ok());
}

#[test]
fn an_urgent_alarm_needs_cause_consequence_and_action_in_chinese() {
    let mut p = parts();
    p.rules[0].priority = 1;
    p.rules[0].action = "leave".into();
    let at = |f: &str| format!("points[G1].rules.H.{f}");
    assert_eq!(faults(p.clone()), [at("cause"), at("consequence"), at("action")]);
    p.rules[0].cause = "泄漏".into();
    p.rules[0].consequence = "爆炸".into();
    p.rules[0].action = "立即撤离".into();
    assert!(RuleBook::build(p).is_ok());
}

#[test]
fn twenty_thousand_points_are_built_and_found() {
    let mut p = parts();
    p.points = (0..20_000).map(|i| point(&format!("G{i}"))).collect();
    p.rules = p.points.iter().map(|x| rule(&x.key, Condition::High { limit: 25.0, deadband: 2.0 })).collect();
    let (book, _) = RuleBook::build(p).unwrap();
    assert_eq!(book.point_id("G19999").unwrap().index(), 19_999);
    assert_eq!(book.rules().len(), 40_000);
}

#[test]
fn a_deviation_needs_another_point_that_exists_and_room_to_clear() {
    let from = |key: &str, deadband| {
        let mut p = parts();
        let reference = Reference::Point(key.into());
        p.rules = vec![rule("G1", Condition::Deviation { reference, limit: 5.0, deadband })];
        p
    };
    assert_eq!(faults(from("G9", 1.0)), ["points[G1].rules.DEV.from"]);
    assert_eq!(faults(from("G1", 1.0)), ["points[G1].rules.DEV.from"]);
    let mut p = from("G2", 5.0);
    p.points.push(point("G2"));
    assert_eq!(faults(p.clone()), ["points[G1].rules.DEV.deadband"]);
    p.rules[0].condition = Condition::Deviation { reference: Reference::Setpoint(f64::NAN), limit: 5.0, deadband: 1.0 };
    assert_eq!(faults(p), ["points[G1].rules.DEV.setpoint"]);
}

fn unit_of_g1() -> PlantUnit {
    let name = String::new;
    PlantUnit { key: "U1".into(), name: name(), name_en: name(), running_point: None, points: vec!["G1".into()] }
}

/// For a minute at most.
fn by_alarm(key: &str, suppressor: &str, target: &str) -> Suppression {
    Suppression {
        key: key.into(),
        name: "".into(),
        name_en: "".into(),
        when: Suppressor::Alarm(suppressor.into()),
        alarms: vec![target.into()],
        release_delay: Duration::ZERO,
        max: Duration::from_secs(60),
    }
}

#[test]
fn a_state_has_no_sensor_fault_that_could_suppress_or_vote() {
    let mut p = parts();
    p.points.push(Point { kind: PointKind::State, ..point("S1") });
    p.suppressions.push(by_alarm("x", "S1:SENSOR_FAULT", "G1:H"));
    assert_eq!(faults(p), ["suppressions[x].alarm"]);
}

#[test]
fn a_limit_by_mode_is_as_strict_as_any_other() {
    let mut p = parts();
    p.plant_units.push(unit_of_g1());
    p.rules[0].by_mode = vec![(Mode::Stopped, ModeRule::Limit(40.0))];
    assert_eq!(faults(p.clone()), ["points[G1].rules.H.limit"], "looser than the standard");
    p.points[0].kind = PointKind::Other;
    assert!(RuleBook::build(p.clone()).is_ok());
    p.rules.push(rule("G1", Condition::HighHigh { limit: 35.0, deadband: 0.0 }));
    let said = RuleBook::build(p).unwrap_err();
    assert_eq!(said[0].message_en, "in mode stopped: the H limit 40 is not below the HH limit 35");
}

#[test]
fn oxygen_calls_at_the_limits_of_the_standard_on_both_sides() {
    let with = |limits: &[Condition], unit: &str| {
        let mut p = parts();
        (p.points[0].unit, p.points[0].range) = (unit.into(), (0.0, 25.0));
        p.rules = limits.iter().map(|c| rule("G1", c.clone())).collect();
        RuleBook::build(p).map_or_else(|defects| defects.into_iter().map(|d| d.path).collect(), |_| Vec::new())
    };
    let low = |limit| Condition::Low { limit, deadband: 0.1 };
    let very_low = |limit| Condition::LowLow { limit, deadband: 0.1 };
    let high = |limit| Condition::High { limit, deadband: 0.1 };
    assert_eq!(with(&[low(19.5), very_low(18.0), high(23.5)], "%VOL"), Vec::<String>::new());
    assert_eq!(with(&[low(19.0), very_low(18.0)], "%VOL"), ["points[G1].rules.L.limit"]);
    assert_eq!(with(&[very_low(19.4)], "vol %"), ["points[G1].rules.LL.limit"]);
    assert_eq!(with(&[low(19.5), high(24.0)], "%VOL"), ["points[G1].rules.H.limit"]);
    assert_eq!(with(&[high(24.0)], "%VOL"), Vec::<String>::new(), "nothing says that it is oxygen");
    assert_eq!(with(&[low(19.0)], "bar"), Vec::<String>::new());
}

#[test]
fn oxygen_calls_at_those_limits_in_every_mode() {
    let mut p = parts();
    (p.points[0].unit, p.points[0].range) = ("%VOL".into(), (0.0, 25.0));
    let low = rule("G1", Condition::Low { limit: 19.5, deadband: 0.1 });
    p.rules = vec![Rule { by_mode: vec![(Mode::Maintenance, ModeRule::Limit(15.0))], ..low }];
    p.plant_units.push(unit_of_g1());
    let said = RuleBook::build(p).unwrap_err();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].message_en.starts_with("in mode maintenance: the oxygen limit 15 "), "{said:?}");
}

#[test]
fn no_suppression_has_the_word_that_stands_for_a_mode() {
    let mut p = parts();
    p.suppressions.push(by_alarm("mode", "G1:H", "G2:H"));
    assert!(faults(p).contains(&"suppressions[mode].key".to_owned()));
}

#[test]
fn a_top_heavy_spread_of_priorities_is_told_with_its_numbers() {
    let mut p = parts();
    p.points = (0..100).map(|i| point(&format!("G{i}"))).collect();
    let urgent = |x: &Point| Rule {
        priority: 1,
        cause: "泄漏".into(),
        consequence: "爆炸".into(),
        action: "撤离".into(),
        ..rule(&x.key, Condition::High { limit: 25.0, deadband: 2.0 })
    };
    p.rules = p.points.iter().map(urgent).collect();
    let (_, warnings) = RuleBook::build(p).unwrap();
    assert!(warnings.iter().any(|w| w.message_en.contains("100 % P1, 0 % P2, 0 % P3")), "{warnings:?}");
}

#[test]
fn a_limit_in_ppm_is_held_against_the_exposure_limit_of_its_substance() {
    let with = |substance, limit| {
        let ammonia = Point { unit: "ppm".into(), substance, ..point("G1") };
        let rules = vec![rule("G1", Condition::High { limit, deadband: 1.0 })];
        RuleBook::build(BookParts { points: vec![ammonia], rules, ..parts() })
    };
    assert!(with(Some(Substance::Ammonia), 28.0).is_ok());
    let defects = with(Some(Substance::Ammonia), 35.0).unwrap_err();
    assert_eq!(defects[0].path, "points[G1].rules.H.limit");
    assert!(defects[0].message_en.contains("35 ppm is looser than the 28.25 of GB/T 50493-2019"), "{defects:?}");
    assert!(with(None, 35.0).is_ok(), "without the substance nobody knows");
}

#[test]
fn idlh_is_for_a_detector_whose_range_cannot_fit_and_for_no_wider_one() {
    let with = |upper, limit| {
        let wide = Point {
            unit: "ppm".into(),
            substance: Some(Substance::HydrogenSulfide),
            limits_by: LimitsBy::Idlh,
            range: (0.0, upper),
            ..point("G1")
        };
        let rules = vec![rule("G1", Condition::High { limit, deadband: 1.0 })];
        faults(BookParts { points: vec![wide], rules, ..parts() })
    };
    assert_eq!(with(20.0, 7.0), ["points[G1].limits_by_idlh"], "three exposure limits fit");
    assert_eq!(with(100.0, 7.0), ["points[G1].limits_by_idlh"], "30 % of IDLH is 91 ppm");
    assert_eq!(with(90.0, 15.0), [""; 0]);
    assert_eq!(with(90.0, 16.0), ["points[G1].rules.H.limit"], "5 % of IDLH is 15.2 ppm");
    let flammable = Point { limits_by: LimitsBy::Idlh, ..point("G1") };
    let rules = vec![rule("G1", Condition::High { limit: 20.0, deadband: 1.0 })];
    assert_eq!(faults(BookParts { points: vec![flammable], rules, ..parts() }), ["points[G1].limits_by_idlh"]);
}

#[test]
fn an_outer_limit_is_at_least_as_urgent_as_the_inner_one() {
    let with = |inner: u8, outer: u8| {
        let mut p = parts();
        p.rules[0].priority = inner;
        let condition = Condition::HighHigh { limit: 50.0, deadband: 2.0 };
        p.rules.push(Rule { priority: outer, ..rule("G1", condition) });
        p
    };
    assert_eq!(faults(with(3, 4)), ["points[G1].rules.HH.priority"]);
    assert!(RuleBook::build(with(4, 4)).is_ok() && RuleBook::build(with(4, 3)).is_ok());
}

#[test]
fn a_toxic_gas_has_a_unit_that_can_be_compared_and_a_running_signal_is_a_state() {
    let with = |unit: &str, limit| {
        let gas = Point { unit: unit.into(), substance: Some(Substance::Ammonia), ..point("G1") };
        let rules = vec![rule("G1", Condition::High { limit, deadband: 1.0 })];
        faults(BookParts { points: vec![gas], rules, ..parts() })
    };
    assert_eq!(with("PPM", 80.0), ["points[G1].rules.H.limit"], "as ppm");
    assert_eq!((with("", 20.0), with("%VOL", 20.0)), (vec!["points[G1].unit".into()], vec!["points[G1].unit".into()]));
    assert_eq!(with("%OEL", 90.0), [""; 0]);
    let unit = PlantUnit {
        key: "U-1".into(),
        name: String::new(),
        name_en: String::new(),
        running_point: Some("G1".into()),
        points: Vec::new(),
    };
    assert_eq!(faults(BookParts { plant_units: vec![unit], ..parts() }), ["plant_units[U-1].running_point"]);
}

#[test]
fn of_a_range_upside_down_only_the_range_is_told() {
    let mut p = parts();
    p.points[0].range = (100.0, 0.0);
    p.rules[0].by_mode = vec![(Mode::Stopped, ModeRule::Limit(20.0))];
    p.plant_units.push(unit_of_g1());
    assert_eq!(faults(p), ["points[G1].range"]);
    assert!(presets::start(PointKind::Pressure, "bar", (12.0, 0.0), 8.0).deadband >= 0.0);
}

#[test]
fn a_delay_that_does_nothing_is_told_with_the_shortest_that_does() {
    let mut p = parts();
    p.rules[0].on_delay = Duration::from_millis(1500);
    let said = RuleBook::build(p).unwrap_err();
    assert_eq!(
        (said[0].remedy_zh.as_str(), said[0].remedy_en.as_str()),
        ("写 0，或至少 2 s（两个轮询周期）", "write 0, or at least 2 s (two polls)")
    );
}

#[test]
fn a_book_of_before_a_stricter_check_is_read_again_and_one_that_is_torn_is_not() {
    let mut strict = parts();
    strict.rules[0].on_delay = Duration::from_secs(3600);
    assert!(RuleBook::build(strict.clone()).is_err(), "no gas alarm may wait so long today");
    let kept = RuleBook::kept(strict.clone()).unwrap();
    assert_eq!(kept.parts().rules, strict.rules, "as it was in force, with no rule added");
    let nobodys = BookParts { rules: vec![rule("G9", Condition::SensorFault)], ..parts() };
    let twice = BookParts { points: vec![point("G1"), point("G1")], ..parts() };
    let gone = BookParts { devices: Vec::new(), ..parts() };
    let same = BookParts { rules: [parts().rules, parts().rules].concat(), ..parts() };
    for torn in [nobodys, twice, gone, same] {
        assert!(RuleBook::kept(torn).is_none());
    }
}
