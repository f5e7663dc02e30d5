//! Scenarios S8 and S9, credited gaps, and alarms that the configuration no longer has.

use super::*;

fn restart(r: Rig, t: f64) -> Rig {
    let stored = r.stored(true);
    let alarms = serde_json::from_str(&serde_json::to_string(&stored.alarms).unwrap()).unwrap();
    Rig::new(parts(), Restored { alarms, ..stored }, t)
}

#[test]
fn s8_a_restart_inside_the_off_delay_begins_it_anew() {
    let mut p = parts();
    p.rules[0].off_delay = Duration::from_secs(30);
    let mut r = Rig::new(p.clone(), Restored::default(), 0.0);
    r.hold(0, 99, 30.0);
    r.hold(100, 110, 20.0);
    let mut r = Rig::new(p, r.stored(true), 115.0);
    assert!(r.alarm("GT-101:H").is_active());
    r.hold(116, 150, 20.0);
    assert_eq!(r.story(), ["pending_off GT-101:H @116", "returned GT-101:H @146"]);
    assert!(!r.alarm("GT-101:H").acked);
}

#[test]
fn s9_a_restart_keeps_the_acknowledgement() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.ack(5.0, "GT-101:H").unwrap();
    let before = r.alarm("GT-101:H").clone();
    let mut r = restart(r, 52.0);
    r.hold(55, 70, 30.0);
    assert!(r.story().is_empty());
    let after = r.alarm("GT-101:H");
    assert_eq!((after.occurrence, &after.acked_by, after.acked), (1, &before.acked_by, true));
}

#[test]
fn the_gap_counts_toward_raising_when_the_first_good_sample_is_still_true() {
    let mut r = Rig::plain();
    r.hold(0, 1, 30.0);
    let mut r = restart(r, 60.0);
    r.hold(61, 61, 30.0);
    let raised = r.events.iter().find(|e| e.kind.name() == "alarm.raised").unwrap();
    assert!(matches!(raised.kind, EventKind::Raised { late_by_ms: 58_000, assumed: false, .. }));
}

#[test]
fn the_gap_is_void_when_the_first_good_sample_is_false() {
    let mut r = Rig::plain();
    r.hold(0, 1, 30.0);
    let mut r = restart(r, 60.0);
    r.hold(61, 70, 10.0);
    assert_eq!(r.story(), ["pending_cancelled GT-101:H @61"]);
}

#[test]
fn a_pending_alarm_whose_data_never_come_back_is_raised_as_assumed() {
    let mut r = Rig::plain();
    r.hold(0, 1, 30.0);
    let mut r = restart(r, 60.0);
    r.until(70.0);
    assert_eq!(r.story()[0], "raised GT-101:H @63");
    assert!(r.alarm("GT-101:H").assumed);
}

#[test]
fn an_alarm_that_the_configuration_no_longer_has_is_cleared_once() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    let mut p = parts();
    p.rules.remove(0);
    let mut r = Rig::new(p, r.stored(true), 10.0);
    r.hold(11, 13, 10.0);
    assert_eq!(r.story(), ["cleared GT-101:H @11"]);
}

#[test]
fn numbers_go_on_where_they_ended() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    let next = r.engine.next_seq();
    let mut r = restart(r, 10.0);
    r.hold(11, 11, 10.0);
    assert_eq!(r.events[0].seq, next);
}

#[test]
fn after_a_reboot_a_pending_alarm_is_judged_on_the_new_clock() {
    let mut r = Rig::plain();
    r.hold(0, 99, 10.0);
    r.hold(100, 101, 30.0);
    let mut r = Rig::new(parts(), r.stored(false), 5.0);
    r.hold(6, 9, 30.0);
    assert_eq!(r.story(), ["raised GT-101:H @8"]);
}

#[test]
fn a_new_rule_of_a_bypassed_point_is_bypassed_and_the_bypass_can_be_ended() {
    let mut p = parts();
    p.rules.remove(1);
    let mut r = Rig::new(p, Restored::default(), 0.0);
    let bypass = Command::Bypass {
        point: "GT-101".into(),
        seen_seq: 0,
        permit: "PTW-7".into(),
        reason: "标定试验".into(),
        requested_by: "ivan".into(),
        no_account: false,
        duration_s: 3600,
        compensation: "便携仪巡检".into(),
    };
    r.engine.command(&bypass, &operator(), at(1.0), &mut r.events).unwrap();
    let mut r = Rig::new(parts(), r.stored(true), 2.0);
    assert!(r.alarm("GT-101:HH").hidden.bypass.is_some());
    let end =
        Command::EndBypass { point: "GT-101".into(), seen_seq: r.engine.next_seq() - 1, reason: "试验结束".into() };
    r.engine.command(&end, &operator(), at(3.0), &mut r.events).unwrap();
    assert!(r.alarm("GT-101:HH").hidden.is_empty() && r.alarm("GT-101:H").hidden.is_empty());
}

#[test]
fn a_bypass_never_lasts_longer_than_it_was_given_whatever_the_wall_clock_did_before_a_reboot() {
    let mut stage = super::operations::Stage::of(super::operations::full());
    stage.play(&super::operations::Move::Scan(vec![(0, good(1.0)), (1, good(1.0)), (2, good(0.0))]));
    stage.person(0, 6);
    stage.step_wall(-30 * 24 * 3_600_000);
    stage.start(false);
    let now = stage.now();
    let bypass = stage.rig.alarm("GT-101:H").hidden.bypass.clone().unwrap();
    assert!(bypass.until.mono <= now.mono.plus(Duration::from_secs(1800)), "{bypass:?} at {now:?}");
    assert!(bypass.until.wall_utc_ms <= now.wall.utc_ms + 1_800_000, "{bypass:?} at {now:?}");
}

#[test]
fn what_was_due_before_a_command_happens_before_it() {
    let mut r = Rig::plain();
    r.scan(0.0, &[(0, good(30.0))]);
    // the on-delay of 3 s is over, and nobody has ticked: the request was first in the queue
    let done = r.shelve(3.5, "GT-101:H", 600);
    assert!(matches!(done, Err(Rejected::Changed(_))), "{done:?}");
    assert_eq!(r.count("alarm.raised"), 1, "{:?}", r.story());
}

#[test]
fn what_a_start_lets_go_is_caused_by_the_start() {
    let mut r = Rig::plain();
    r.hold(0, 0, 10.0);
    let (point, seen_seq) = ("GT-101".to_owned(), r.engine.next_seq() - 1);
    let (permit, requested_by, compensation) = ("PTW-7".into(), "ivan".into(), "便携仪巡检".into());
    let reason = "标定试验".to_owned();
    let bypass = Command::Bypass {
        point: point.clone(),
        seen_seq,
        permit,
        requested_by,
        no_account: false,
        reason: reason.clone(),
        duration_s: 3600,
        compensation,
    };
    r.engine.command(&bypass, &operator(), at(0.5), &mut r.events).unwrap();
    r.hold(1, 6, 30.0);
    r.hold(7, 8, 10.0);
    let end = Command::EndBypass { point, seen_seq: r.engine.next_seq() - 1, reason };
    r.engine.command(&end, &operator(), at(8.5), &mut r.events).unwrap();
    assert_eq!(r.count("alarm.raised"), 0, "it was returning: {:?}", r.story());
    // The clock is behind its mark, so that the start has something to say before it looks at what it found.
    let mut r = Rig::new(parts(), Restored { wall_mark_utc_ms: Some(1), ..r.stored(true) }, 9.0);
    r.engine.handle(Input::Tick, at(9.0), &mut r.events);
    let cause = r.events.iter().find(|e| e.kind.name() == "alarm.raised").and_then(|e| e.kind.fact()).map(|f| f.cause);
    assert_eq!(cause, Some(Cause::Restart), "{:?}", r.story());
}

/// GT-101 to GT-103, of which two vote.
fn voting(members: [&str; 2]) -> BookParts {
    let mut p = parts();
    p.points.push(Point { key: "GT-103".into(), ..p.points[1].clone() });
    p.rules.push(Rule { point: "GT-103".into(), ..p.rules[2].clone() });
    p.votes = vec![check_tests::vote("V-1", &members, 2)];
    p
}

#[test]
fn a_vote_with_other_members_after_a_start_waits_until_they_are_read() {
    let mut r = Rig::new(voting(["GT-101:H", "GT-102:H"]), Restored::default(), 0.0);
    (0..5).for_each(|t| r.scan(f64::from(t), &[(0, good(30.0)), (1, good(30.0)), (2, good(10.0))]));
    assert!(r.alarm("V-1:VOTE").is_active());
    let returned = |third: Option<u32>| {
        // A row of the third there is only where something has happened to it.
        let alarms = r.stored(true).alarms.into_iter().filter(|a| a.key != "GT-103:H").collect();
        let stored = Restored { alarms, ..r.stored(true) };
        let mut r = Rig::new(voting(["GT-101:H", "GT-103:H"]), stored, 5.0);
        r.engine.handle(Input::Tick, at(5.0), &mut r.events);
        for t in 6..20 {
            let read = [(0, good(30.0)), (2, good(10.0))];
            r.scan(f64::from(t), if third.is_some_and(|third| t >= third) { &read } else { &read[..1] });
        }
        r.story().into_iter().find(|line| line.starts_with("returned V-1:VOTE"))
    };
    assert_eq!(returned(Some(8)).as_deref(), Some("returned V-1:VOTE @8"));
    assert_eq!(returned(None).as_deref(), Some("returned V-1:VOTE @15"), "it has had its time");
}

/// A store keeps the events of a start in one transaction: whoever dies after it has nothing on the disk that this start could not prove.
#[test]
fn what_a_start_cannot_prove_is_over_in_the_rows_of_its_first_event() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.shelve(6.0, "GT-101:H", 600).unwrap();
    // Another boot, and a clock that nobody has set.
    let mut first = Rig::new(parts(), r.stored(false), 7.0);
    let (boot_id, version, config_hash) = (String::new(), String::new(), String::new());
    let started = EventKind::Started { boot_id, version, config_hash, down_for_ms: None };
    first.engine.begin(vec![started], at(7.0), &mut first.events);
    assert_eq!(first.events[0].kind.name(), "system.started");
    assert_eq!(first.story(), ["shelf_expired GT-101:H @7"]);
    let mut rows = Rows::default();
    rows.keep(&first.engine, &first.events[..1]);
    assert!(rows.alarms().iter().all(|row| row.hidden.is_empty()), "{:?}", rows.alarms());
    // The same boot: its own times would prove what they find.
    let second = Rig::new(parts(), Restored { alarms: rows.alarms(), ..first.stored(true) }, 8.0);
    assert!(second.alarm("GT-101:H").calls());
}
