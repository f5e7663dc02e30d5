//! Silence is an alarm of its own, and one cause makes one alarm.

use super::*;

#[test]
fn a_device_that_never_answers_is_reported_after_the_grace() {
    let mut r = Rig::plain();
    for t in 1..=15 {
        r.silence(f64::from(t));
    }
    assert_eq!(r.story(), ["raised d1:COMMS_LOSS @10"]);
}

#[test]
fn comms_loss_returns_after_unbroken_answers() {
    let mut r = Rig::plain();
    r.hold(0, 20, 10.0);
    for t in 21..=30 {
        r.silence(f64::from(t));
    }
    r.hold(31, 33, 10.0);
    r.silence(34.0);
    r.hold(35, 41, 10.0);
    assert_eq!(
        r.story(),
        [
            "raised d1:COMMS_LOSS @25",
            "pending_off d1:COMMS_LOSS @31",
            "return_cancelled d1:COMMS_LOSS @34",
            "pending_off d1:COMMS_LOSS @35",
            "returned d1:COMMS_LOSS @40"
        ]
    );
}

#[test]
fn a_broken_sensor_is_reported_after_four_seconds() {
    let mut r = Rig::plain();
    r.hold(0, 4, 10.0);
    for t in 5..=9 {
        r.scan(f64::from(t), &[(0, Reading::Bad(Fault::Sensor))]);
    }
    assert_eq!(r.story(), ["pending_on GT-101:SENSOR_FAULT @5", "raised GT-101:SENSOR_FAULT @9"]);
}

#[test]
fn a_sensor_fault_is_suppressed_while_its_device_is_silent() {
    let mut r = Rig::plain();
    r.hold(0, 10, 10.0);
    for t in 11..=15 {
        r.scan(f64::from(t), &[(0, Reading::Bad(Fault::Sensor))]);
    }
    assert!(!r.alarm("GT-101:SENSOR_FAULT").suppressed);
    r.until(30.0);
    assert!(r.alarm("GT-101:SENSOR_FAULT").suppressed);
    assert!(r.alarm("GT-101:SENSOR_FAULT").is_active());
    r.hold(31, 37, 10.0);
    assert!(!r.alarm("GT-101:SENSOR_FAULT").suppressed);
}

#[test]
fn an_old_reading_is_stale_once_and_keeps_its_time() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.until(9.0);
    assert_eq!(r.engine.readings()[0], (Reading::Bad(Fault::Stale), at(5.0)));
    assert!(r.alarm("GT-101:H").held);
    assert_eq!(r.count("alarm.held"), 1);
}

#[test]
fn an_off_delay_does_not_end_on_a_stale_value() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.hold(6, 8, 10.0);
    r.until(60.0);
    assert!(r.alarm("GT-101:H").is_active());
}

#[test]
fn a_condition_of_the_gateway_is_an_alarm_that_repeats_nothing() {
    let mut r = Rig::plain();
    for active in [true, true, false, false] {
        let input = Input::System { condition: SystemCondition::UplinkDown, active };
        r.engine.handle(input, at(1.0), &mut r.events);
    }
    assert_eq!(r.story(), ["raised system:uplink_down @1", "returned system:uplink_down @1"]);
    assert_eq!(r.events[0].kind.fact().unwrap().priority, 3);
}

#[test]
fn the_first_reading_after_a_time_out_raises_but_only_the_second_clears() {
    let first = |v| [(0, Reading::Uncertain(Finite::new(v).unwrap(), Doubt::Unconfirmed))];
    let mut parts = parts();
    parts.rules.iter_mut().for_each(|r| (r.on_delay, r.off_delay) = (Duration::ZERO, Duration::ZERO));
    let mut r = Rig::new(parts, Restored::default(), 0.0);
    r.hold(0, 4, 10.0);
    r.scan(5.0, &first(30.0));
    r.scan(6.0, &first(10.0));
    r.scan(7.0, &first(10.0));
    assert_eq!(r.story(), ["raised GT-101:H @5"]);
    r.hold(8, 8, 10.0);
    assert_eq!(r.story(), ["raised GT-101:H @5", "returned GT-101:H @8"]);
}

#[test]
fn a_late_sample_goes_to_history_only() {
    let mut r = Rig::plain();
    r.hold(0, 5, 10.0);
    let late = Sample { point: PointId::mint(0), reading: good(60.0), raw: crate::Raw::NONE, at: at(4.5) };
    let input = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &[late] };
    r.engine.handle(input, at(5.5), &mut r.events);
    assert_eq!((r.story().len(), r.engine.readings()[0].0), (0, good(10.0)));
}

#[test]
fn a_sample_from_the_future_counts_from_now() {
    let mut r = Rig::plain();
    let early = Sample { point: PointId::mint(0), reading: good(30.0), raw: crate::Raw::NONE, at: at(100.0) };
    let input = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &[early] };
    r.engine.handle(input, at(5.0), &mut r.events);
    assert_eq!(r.story(), ["pending_on GT-101:H @5"]);
}

#[test]
fn an_alarm_to_which_nothing_has_happened_takes_no_room() {
    let mut r = Rig::plain();
    for t in 0..20 {
        r.scan(f64::from(t), &[(0, good(10.0)), (1, good(10.0))]);
    }
    let all = r.engine.alarms();
    assert_eq!((all.eventful().count(), all[0].condition), (0, ConditionState::Normal));
    r.scan(20.0, &[(0, good(30.0)), (1, good(10.0))]);
    let keys: Vec<&str> = r.engine.alarms().eventful().map(|(_, state)| state.key.as_str()).collect();
    assert_eq!(keys, ["GT-101:H"]);
}

#[test]
fn samples_of_one_round_are_one_answer() {
    let mut p = parts();
    p.devices[0].comms_timeout = Duration::from_secs(40);
    for point in &mut p.points {
        (point.kind, point.period, point.max_age) = (PointKind::Other, Duration::from_secs(8), Duration::from_secs(24));
    }
    p.rules.iter_mut().for_each(|r| r.on_delay = Duration::from_secs(16));
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.until(50.0);
    let sample =
        |k: usize, t: f64| Sample { point: PointId::mint(k), reading: good(10.0), raw: crate::Raw::NONE, at: at(t) };
    let round = [sample(0, 79.5), sample(1, 80.0)];
    let scan = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &round };
    r.engine.handle(scan, at(80.0), &mut r.events);
    r.scan(88.0, &[(0, good(10.0))]);
    let told: Vec<String> = r.story().into_iter().filter(|line| line.contains("d1:")).collect();
    assert_eq!(told, ["raised d1:COMMS_LOSS @40", "pending_off d1:COMMS_LOSS @79.5", "returned d1:COMMS_LOSS @88"]);
}

#[test]
fn the_row_of_a_fault_is_kept_with_the_silence_that_pauses_it() {
    let mut r = Rig::plain();
    r.hold(0, 5, 10.0);
    r.scan(6.0, &[(0, Reading::Bad(Fault::Sensor))]);
    r.until(30.0);
    let fault = r.engine.alarm_index("GT-101:SENSOR_FAULT").unwrap();
    assert!(r.engine.alarms()[fault].paused.is_some(), "{:?}", r.story());
    let silence = r.events.iter().find(|e| e.kind.fact().is_some_and(|f| f.condition == "COMMS_LOSS")).unwrap();
    let rows = r.engine.rows_of(&silence.kind);
    assert!(rows.contains(&fault), "{rows:?}");
    assert!(!rows.contains(&r.engine.alarm_index("GT-102:SENSOR_FAULT").unwrap()), "nothing happened to it: {rows:?}");
}
