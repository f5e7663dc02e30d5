//! What every alarm event says of the alarm's state before and after it.

use super::*;

#[test]
fn every_alarm_event_carries_the_state_before_and_after_and_the_revision_of_the_rules() {
    let parts = BookParts { revision: "abc123".into(), ..parts() };
    let mut r = Rig::new(parts, Restored::default(), 0.0);
    r.scan(0.0, &[(0, good(10.0))]);
    for t in 1..=9 {
        r.scan(f64::from(t), &[(0, good(90.0))]);
    }
    let facts: Vec<_> = r.events.iter().filter_map(|e| e.kind.fact()).collect();
    assert!(facts.len() > 3, "{facts:?}");
    assert!(facts.iter().all(|f| f.config_rev == "abc123" && f.states.is_some()), "{facts:?}");
    for pair in facts.windows(2).filter(|pair| pair[0].alarm == pair[1].alarm) {
        assert_eq!(pair[0].states.as_ref().unwrap().after, pair[1].states.as_ref().unwrap().before);
    }
    let raised = r.events.iter().find(|e| matches!(e.kind, EventKind::Raised { .. })).unwrap();
    assert!(raised.kind.fact().unwrap().states.as_ref().unwrap().after.starts_with("active unacked"));
}

#[test]
fn an_event_says_what_the_instrument_sent_and_only_of_the_reading_it_tells() {
    let mut r = Rig::new(parts(), Restored::default(), 0.0);
    let sent = |t: u32| Raw::of(&[0x42B4, u16::try_from(t).unwrap()]);
    for t in 0..=5 {
        let reading = if t == 0 { good(10.0) } else { good(90.0) };
        let sample = Sample { point: PointId::mint(0), reading, raw: sent(t), at: at(f64::from(t)) };
        r.until(f64::from(t));
        let input = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &[sample] };
        r.engine.handle(input, at(f64::from(t)), &mut r.events);
    }
    let told = |kind: &str| r.events.iter().find(|e| e.kind.name() == kind).unwrap().kind.fact().unwrap().raw;
    let raised = r.events.iter().find(|e| matches!(e.kind, EventKind::Raised { .. })).unwrap();
    assert_eq!(told("alarm.pending_on"), Some(sent(1)));
    assert_eq!(told("alarm.raised"), Some(sent(u32::try_from(raised.at.mono.0 / 1_000_000_000).unwrap())));
    let json = serde_json::to_value(raised).unwrap();
    assert_eq!(json["fact"]["raw"], "42B4 0004");
    let row = r.alarm(&raised.kind.fact().unwrap().alarm);
    assert_eq!(row.fact.as_ref().unwrap().raw, None, "the row of the alarm stays as small as it was");
}

/// GT-101 with an H, a slope of 10 s and a difference to GT-102.
fn with_slope_and_twin() -> Rig {
    let mut parts = parts();
    let rising = Condition::Rising { limit_per_min: 60.0, window: Duration::from_secs(10) };
    let twin = crate::book::Reference::Point("GT-102".into());
    let differs = Condition::Deviation { reference: twin, limit: 20.0, deadband: 2.0 };
    parts.rules.extend([rule("GT-101", rising, 3), rule("GT-101", differs, 3)]);
    Rig::new(parts, Restored::default(), 0.0)
}

fn unjudged(r: &Rig) -> Vec<&'static str> {
    let of_first = r.engine.unjudged().filter(|(p, _)| p.index() == 0);
    of_first.map(|(_, condition)| condition).collect()
}

#[test]
fn a_slope_of_too_few_samples_and_a_difference_to_a_bad_sensor_say_nothing() {
    let mut r = with_slope_and_twin();
    assert_eq!(unjudged(&r), [""; 0], "the point itself has no value");
    r.scan(0.0, &[(0, good(10.0))]);
    assert_eq!(unjudged(&r), ["ROC+", "DEV"], "the twin was never read");
    r.hold(1, 7, 10.0);
    assert_eq!(unjudged(&r), ["ROC+"], "seven seconds of ten");
    r.hold(8, 8, 10.0);
    assert_eq!(unjudged(&r), [""; 0]);
    r.scan(9.0, &[(0, good(10.0)), (1, Reading::Bad(Fault::Sensor))]);
    assert_eq!(unjudged(&r), ["DEV"]);
    assert!(!r.engine.is_proven_normal("GT-101:DEV") && r.engine.is_proven_normal("GT-101:H"));
    r.hold(10, 10, 10.0);
    assert_eq!(unjudged(&r), [""; 0]);
    assert!(r.engine.is_proven_normal("GT-101:DEV"));
    r.hold(17, 17, 10.0);
    assert_eq!(unjudged(&r), ["ROC+"], "nobody looked for more than half of the window");
    let next = Rig::new(r.engine.book().parts().clone(), r.stored(true), 18.0);
    assert_eq!(unjudged(&next), [""; 0]);
}

#[test]
fn a_point_back_in_service_is_not_judged_before_its_next_sample() {
    let mut r = with_slope_and_twin();
    r.hold(0, 9, 10.0);
    let (point, reason) = ("GT-101".to_owned(), "calibration".to_owned());
    let seen_seq = r.engine.next_seq() - 1;
    let out =
        Command::OutOfService { point: point.clone(), seen_seq, work_order: "WO-1".into(), reason: reason.clone() };
    r.engine.command(&out, &operator(), at(9.5), &mut r.events).unwrap();
    let back = Command::ReturnToService { point, seen_seq: r.engine.next_seq() - 1, reason };
    r.engine.command(&back, &operator(), at(9.6), &mut r.events).unwrap();
    assert_eq!(unjudged(&r), ["HH", "H", "ROC+", "DEV", "SENSOR_FAULT"]);
    r.hold(10, 10, 10.0);
    assert_eq!(unjudged(&r), ["ROC+"]);
}
