//! The worked scenarios S1, S3 and S10, and what acknowledging covers.

use super::*;

#[test]
fn s1_limit_is_inclusive_and_an_acknowledged_alarm_closes_when_it_returns() {
    let mut r = Rig::plain();
    for (t, v) in [(0, 10.0), (1, 24.9), (2, 25.0), (3, 25.1)] {
        r.hold(t, t, v);
    }
    r.hold(4, 8, 26.0);
    r.ack(8.0, "GT-101:H").unwrap();
    r.hold(9, 19, 26.0);
    r.hold(20, 20, 22.9);
    r.hold(21, 39, 22.0);
    assert_eq!(
        r.story(),
        [
            "pending_on GT-101:H @2",
            "raised GT-101:H @5",
            "acked GT-101:H @8",
            "pending_off GT-101:H @20",
            "returned GT-101:H @30",
            "cleared GT-101:H @30"
        ]
    );
}

#[test]
fn s3_chatter_inside_the_deadband_raises_once() {
    let mut r = Rig::plain();
    r.hold(0, 0, 24.0);
    r.hold(1, 4, 26.0);
    for t in 5..=34 {
        r.hold(t, t, if t % 2 == 1 { 24.0 } else { 26.0 });
    }
    assert_eq!(r.story(), ["pending_on GT-101:H @1", "raised GT-101:H @4"]);
}

#[test]
fn s10_an_alarm_that_returned_stays_until_it_is_acknowledged() {
    let mut r = Rig::plain();
    r.hold(0, 0, 24.0);
    r.hold(1, 9, 26.0);
    r.hold(10, 24, 10.0);
    assert!(r.alarm("GT-101:H").stands());
    r.hold(25, 25, 10.0);
    r.ack(25.0, "GT-101:H").unwrap();
    assert_eq!(
        r.story()[1..],
        [
            "raised GT-101:H @4",
            "pending_off GT-101:H @10",
            "returned GT-101:H @20",
            "acked GT-101:H @25",
            "cleared GT-101:H @25"
        ]
    );
    assert!(!r.alarm("GT-101:H").stands());
}

#[test]
fn a_pending_alarm_is_cancelled_at_the_limit_without_the_deadband() {
    let mut r = Rig::plain();
    r.hold(0, 1, 25.0);
    r.hold(2, 9, 24.9);
    assert_eq!(r.story(), ["pending_on GT-101:H @0", "pending_cancelled GT-101:H @2"]);
}

#[test]
fn a_value_that_returns_exactly_when_due_cancels() {
    let mut r = Rig::plain();
    r.hold(0, 2, 26.0);
    r.hold(3, 3, 20.0);
    assert_eq!(r.count("alarm.raised"), 0);
}

#[test]
fn lost_data_never_cancels_a_pending_alarm() {
    let mut r = Rig::plain();
    r.hold(0, 1, 26.0);
    r.until(20.0);
    assert!(r.story().contains(&"raised GT-101:H @3".to_owned()));
}

#[test]
fn bad_quality_holds_and_drops_the_off_delay() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.hold(6, 10, 10.0);
    for t in 11..=13 {
        r.scan(f64::from(t), &[(0, Reading::Bad(Fault::Sensor))]);
    }
    r.hold(14, 23, 10.0);
    assert!(r.alarm("GT-101:H").is_active());
    r.hold(24, 24, 10.0);
    let story: Vec<_> = r.story().into_iter().filter(|s| s.contains(":H ")).collect();
    assert_eq!(
        story[2..],
        [
            "pending_off GT-101:H @6",
            "held GT-101:H @11",
            "released GT-101:H @14",
            "pending_off GT-101:H @14",
            "returned GT-101:H @24"
        ]
    );
}

#[test]
fn the_low_side_mirrors_the_sign_of_the_deadband() {
    let mut p = parts();
    p.rules = vec![rule("GT-101", Condition::Low { limit: 10.0, deadband: 2.0 }, 2)];
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 3, 10.0);
    r.hold(4, 20, 12.0);
    assert_eq!(r.story(), ["pending_on GT-101:L @0", "raised GT-101:L @3"]);
    r.hold(21, 31, 12.1);
    assert!(!r.alarm("GT-101:L").is_active());
}

#[test]
fn an_acknowledgement_covers_only_what_was_on_the_screen() {
    let mut r = Rig::plain();
    r.hold(0, 3, 26.0);
    let seq = r.alarm("GT-101:H").annunciated_seq;
    let mut ack = |seen_seq| {
        let c = Command::Acknowledge { alarm: "GT-101:H".into(), seen_seq, comment: String::new() };
        r.engine.command(&c, &operator(), at(4.0), &mut r.events)
    };
    assert_eq!(ack(seq - 1), Err(Rejected::Changed("GT-101:H".into())));
    assert_eq!(ack(seq + 100), Err(Rejected::Changed("GT-101:H".into())));
    assert_eq!(ack(seq), Ok(()));
    assert_eq!(ack(seq), Err(Rejected::AlreadySo));
    assert!(matches!(r.ack(5.0, "GT-999:H"), Err(Rejected::NotFound(_))));
}

#[test]
fn what_never_stood_or_is_over_has_nothing_to_acknowledge_and_a_repeat_stays_already_so() {
    let nothing = Err(Rejected::Refused(crate::command::Refusal::NothingToAcknowledge));
    let mut r = Rig::plain();
    r.hold(0, 3, 10.0);
    let ack = |r: &mut Rig, seen_seq| {
        let c = Command::Acknowledge { alarm: "GT-101:H".into(), seen_seq, comment: String::new() };
        r.engine.command(&c, &operator(), at(30.0), &mut r.events)
    };
    let newest = |r: &Rig| r.engine.next_seq() - 1;
    let before = newest(&r);
    assert_eq!(ack(&mut r, before), nothing, "never raised");
    r.hold(4, 8, 26.0);
    r.hold(9, 20, 10.0);
    let seen = newest(&r);
    assert_eq!(ack(&mut r, seen), Ok(()), "returned, and over by this");
    assert!(!r.alarm("GT-101:H").stands());
    assert_eq!(ack(&mut r, seen), Err(Rejected::AlreadySo), "the same once more");
    let after = newest(&r);
    assert_eq!(ack(&mut r, after), nothing, "who looked after its end saw nothing to acknowledge");
}

#[test]
fn an_alarm_raised_again_is_a_new_occurrence_that_needs_its_own_acknowledgement() {
    let mut r = Rig::plain();
    r.hold(0, 4, 26.0);
    r.ack(4.0, "GT-101:H").unwrap();
    r.hold(5, 20, 10.0);
    r.hold(21, 25, 26.0);
    let a = r.alarm("GT-101:H");
    assert_eq!((a.occurrence, a.acked), (2, false));
}

#[test]
fn hh_supersedes_h() {
    let mut r = Rig::plain();
    r.hold(0, 3, 60.0);
    let h = r.engine.alarm_index("GT-101:H").unwrap();
    assert!(r.engine.superseded(h));
    assert!(!r.engine.superseded(r.engine.alarm_index("GT-101:HH").unwrap()));
}

#[test]
fn an_event_can_be_read_without_the_configuration_of_its_time() {
    let mut r = Rig::plain();
    r.hold(0, 3, 30.0);
    let raised = r.events.iter().find(|e| e.kind.name() == "alarm.raised").and_then(|e| e.kind.fact()).unwrap();
    assert_eq!((raised.point.as_str(), raised.device.as_str(), raised.area.as_str()), ("GT-101", "d1", "A"));
    assert_eq!((raised.limit, raised.deadband, raised.unit.as_str()), (Some(25.0), Some(2.0), "%LEL"));
    assert_eq!((raised.on_delay_ms, raised.off_delay_ms, raised.risk.as_deref()), (3000, 10_000, Some("RA-01")));
    r.scan(4.0, &[(0, Reading::Bad(Fault::WarmUp))]);
    assert_eq!(r.events.last().and_then(|e| e.kind.fact()?.ne107), Some('C'));
}

#[test]
fn the_worst_is_assumed_only_where_the_last_value_was_at_the_limit() {
    let assumed = |last: f64| {
        let mut r = Rig::plain();
        r.hold(0, 5, 30.0);
        r.hold(6, 7, last);
        r.scan(8.0, &[(0, Reading::Bad(Fault::Sensor))]);
        let held = r.events.iter().rev().find_map(|e| match e.kind {
            EventKind::Held { assumed, .. } => Some(assumed),
            _ => None,
        });
        held.unwrap()
    };
    assert!(assumed(26.0));
    assert!(!assumed(24.0), "inside the deadband: held, but nothing says that it is worse");
}

#[test]
fn h_is_not_escalated_early_where_a_late_sample_ends_hh() {
    let mut p = parts();
    (p.rules[1].on_delay, p.rules[1].off_delay) = (Duration::ZERO, Duration::ZERO);
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.scan(1.0, &[(0, good(60.0))]);
    r.until(4.5);
    let late = Sample { point: PointId::mint(0), reading: good(30.0), raw: crate::Raw::NONE, at: at(3.5) };
    let scan = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &[late] };
    r.engine.handle(scan, at(4.5), &mut r.events);
    assert!(r.story().contains(&"returned GT-101:HH @3.5".to_owned()), "{:?}", r.story());
    r.until(200.0);
    let first = r.story().into_iter().find(|line| line.starts_with("escalated GT-101:H @"));
    assert_eq!(first.as_deref(), Some("escalated GT-101:H @184"));
}
