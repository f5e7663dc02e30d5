//! 28: another book while the site runs.

use super::*;
use crate::hide::EndCause;

fn limits(high: f64, high_high: f64) -> BookParts {
    let mut p = parts();
    p.rules[0].condition = Condition::High { limit: high, deadband: 2.0 };
    p.rules[1].condition = Condition::HighHigh { limit: high_high, deadband: 2.0 };
    p
}

fn switch(r: &mut Rig, t: f64, parts: BookParts) -> Vec<String> {
    r.until(t);
    let change = ConfigChange { by: "engineer".into(), asked: None, old_hash: "a".into(), new_hash: "b".into() };
    r.engine.change_config(RuleBook::build(parts).unwrap().0, &change, at(t), &mut r.events)
}

/// What the switch itself said.
fn said(r: &mut Rig, t: f64, parts: BookParts) -> Vec<String> {
    r.until(t);
    let begun = r.events.len();
    switch(r, t, parts);
    let name = |e: &Event| {
        let (alarm, cause) = e.kind.fact().map_or(("", None), |f| (f.alarm.as_str(), Some(f.cause)));
        format!("{} {alarm} {cause:?}", e.kind.name()).trim_end_matches(" None").trim_end().to_owned()
    };
    r.events[begun..].iter().map(name).collect()
}

#[test]
fn an_edited_text_changes_nothing_but_says_who() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.ack(6.0, "GT-101:H").unwrap();
    let before = r.engine.alarms().all();
    let mut p = parts();
    p.rules[0].action = "撤离".into();
    assert_eq!(said(&mut r, 6.5, p), ["system.config_changed"]);
    assert_eq!(r.engine.alarms().all(), before);
    let Some(EventKind::ConfigChanged { by, old_hash, new_hash, .. }) = r.events.last().map(|e| &e.kind) else {
        panic!()
    };
    assert_eq!((by.as_str(), old_hash.as_str(), new_hash.as_str()), ("engineer", "a", "b"));
}

#[test]
fn the_newest_sample_is_judged_with_the_new_limit() {
    let mut r = Rig::plain();
    r.hold(0, 5, 22.0);
    let mut p = limits(20.0, 50.0);
    p.rules[0].on_delay = Duration::ZERO;
    assert_eq!(said(&mut r, 5.5, p), ["system.config_changed", "alarm.raised GT-101:H Some(Config)"]);
}

#[test]
fn a_closure_by_the_new_limit_says_so_after_its_off_delay() {
    let mut r = Rig::new(limits(20.0, 50.0), Restored::default(), 0.0);
    r.hold(0, 5, 22.0);
    r.ack(5.5, "GT-101:H").unwrap();
    let begun = r.events.len();
    switch(&mut r, 6.0, limits(25.0, 50.0));
    r.hold(7, 17, 22.0);
    let causes: Vec<_> = r.events[begun..].iter().filter_map(|e| Some((e.kind.name(), e.kind.fact()?.cause))).collect();
    let by_config = |name| (name, Cause::Config);
    assert_eq!(causes, ["alarm.pending_off", "alarm.returned", "alarm.cleared"].map(by_config));
}

#[test]
fn acknowledgement_latch_and_shelf_survive_an_edit_of_limits() {
    let mut p = parts();
    p.rules[1].latching = true;
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 5, 60.0);
    r.ack(6.0, "GT-101:HH").unwrap();
    r.hold(7, 20, 30.0);
    r.shelve(20.5, "GT-101:H", 600).unwrap();
    let mut p = limits(24.0, 45.0);
    p.rules[1].latching = true;
    switch(&mut r, 21.0, p);
    let (h, hh) = (r.alarm("GT-101:H"), r.alarm("GT-101:HH"));
    assert!(h.hidden.shelf.is_some() && h.acked && h.is_active(), "{h:?}");
    assert!(hh.latched && hh.acked_by.as_deref() == Some("operator"), "{hh:?}");
    r.hold(22, 30, 30.0);
    r.until(700.0);
    assert!(r.story().contains(&"shelf_expired GT-101:H @620.5".to_owned()));
}

#[test]
fn what_the_new_book_no_longer_has_is_closed_and_named() {
    let mut r = Rig::plain();
    r.hold(0, 5, 60.0);
    let mut p = parts();
    p.rules.remove(1);
    let begun = r.events.len();
    assert_eq!(switch(&mut r, 6.0, p), ["GT-101:HH"]);
    let closed = r.events[begun..].iter().find(|e| e.kind.name() == "alarm.cleared").unwrap();
    assert_eq!(closed.kind.fact().map(|f| (f.alarm.as_str(), f.cause)), Some(("GT-101:HH", Cause::Config)));
    assert!(r.engine.alarm_index("GT-101:HH").is_none());
    assert!(!r.alarm("GT-101:H").acked, "what it covered still wants to be seen");
}

#[test]
fn a_pending_alarm_goes_on_with_the_new_delay() {
    let mut r = Rig::plain();
    r.hold(0, 1, 30.0);
    let mut p = parts();
    p.rules[0].on_delay = Duration::from_secs(5);
    switch(&mut r, 1.5, p);
    r.hold(2, 6, 30.0);
    assert_eq!(r.story(), ["pending_on GT-101:H @0", "raised GT-101:H @5"]);
}

#[test]
fn a_shelf_that_would_not_be_allowed_any_more_ends_aloud() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.shelve(5.5, "GT-101:H", 600).unwrap();
    let mut p = parts();
    p.rules[0].priority = 1;
    switch(&mut r, 6.0, p);
    let ended = r.events.iter().find_map(|e| match &e.kind {
        EventKind::ShelfExpired { annunciated, why, .. } => Some((*annunciated, *why)),
        _ => None,
    });
    assert_eq!(ended, Some((true, EndCause::Config)));
}

/// Uptime and the wall clock, in seconds.
fn clocks(up: f64, wall_s: i64) -> Now {
    let wall = Wall::synced(1_767_225_600_000 + wall_s * 1000);
    Now { wall, ..at(up) }
}

#[test]
fn a_shelf_of_before_a_reboot_that_is_too_long_now_ends_too() {
    // A long uptime: differences of its monotonic times to those of the next boot say nothing.
    let (book, _) = RuleBook::build(parts()).unwrap();
    let mut events = Vec::new();
    let fresh = Restored { next_seq: 1, next_hazard: 1, ..Restored::default() };
    let mut engine = Engine::new(book.clone(), fresh, clocks(1e6, 0));
    let (alarm, reason) = ("GT-101:H".to_owned(), "标定试验".to_owned());
    let shelve = Command::Shelve { alarm, seen_seq: 0, kind: ShelfKind::Timed, duration_s: 3000, reason };
    engine.command(&shelve, &operator(), clocks(1e6 + 5.0, 5), &mut events).unwrap();
    let alarms = engine.alarms().all();
    let restored = Restored { next_seq: engine.next_seq(), next_hazard: 1, alarms, ..Restored::default() };
    let mut engine = Engine::new(book, restored, clocks(20.0, 60));
    let mut p = parts();
    p.policy.shelf_max[1] = Some(Duration::from_secs(600));
    let change = ConfigChange { by: "erik".into(), asked: None, old_hash: "a".into(), new_hash: "b".into() };
    engine.change_config(RuleBook::build(p).unwrap().0, &change, clocks(25.0, 65), &mut events);
    let ended = events.iter().any(|e| matches!(e.kind, EventKind::ShelfExpired { why: EndCause::Config, .. }));
    assert!(ended, "{events:#?}");
}

#[test]
fn a_value_in_another_unit_is_not_compared_with_the_new_limit() {
    let mut r = Rig::plain();
    r.hold(0, 2, 24.0);
    let mut p = limits(20.0, 40.0);
    p.points[0].unit = "ppm".into();
    assert_eq!(said(&mut r, 2.5, p), ["system.config_changed"]);
    assert_eq!(r.engine.readings()[0].0, Reading::Bad(Fault::NeverRead));
}

#[test]
fn a_new_device_has_the_grace_of_a_start_and_an_old_one_has_not() {
    let mut r = Rig::plain();
    r.hold(0, 100, 10.0);
    let mut p = parts();
    p.devices.push(Device { key: "d2".into(), ..p.devices[0].clone() });
    p.points[1].device = "d2".into();
    switch(&mut r, 100.5, p);
    r.until(120.0);
    let silent: Vec<_> = r.story().into_iter().filter(|s| s.contains("COMMS_LOSS")).collect();
    assert_eq!(silent, ["raised d1:COMMS_LOSS @105", "raised d2:COMMS_LOSS @110.5"]);
}

#[test]
fn a_new_rule_of_a_bypassed_point_is_bypassed_too() {
    let mut p = parts();
    p.rules.remove(0);
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 3, 10.0);
    let bypass = Command::Bypass {
        point: "GT-101".into(),
        seen_seq: r.engine.next_seq() - 1,
        permit: "PTW-7".into(),
        reason: "标定试验".into(),
        requested_by: "ivan".into(),
        no_account: false,
        duration_s: 3600,
        compensation: "便携仪巡检".into(),
    };
    r.engine.command(&bypass, &operator(), at(3.5), &mut r.events).unwrap();
    switch(&mut r, 4.0, parts());
    assert!(["GT-101:H", "GT-101:HH", "GT-101:SENSOR_FAULT"].iter().all(|k| r.alarm(k).hidden.bypass.is_some()));
}

#[test]
fn a_record_that_was_rejected_is_not_opened_again_by_another_configuration() {
    let mut r = Rig::plain();
    r.hold(0, 610, 30.0);
    let reject = Command::RejectHazard { hazard: "HD-1".into(), seen_seq: None, reason: "标定气体试验".into() };
    r.engine.command(&reject, &operator(), at(610.5), &mut r.events).unwrap();
    switch(&mut r, 611.0, limits(24.0, 50.0));
    r.hold(612, 620, 30.0);
    assert_eq!((r.count("hazard.opened"), r.engine.hazards().len()), (1, 0));
}

/// GT-101:H is suppressed while P-1 is off, for so long at most.
fn suppressed_for(max_s: u64) -> BookParts {
    let mut p = parts();
    let pump = Point { key: "P-1".into(), kind: PointKind::State, ..p.points[0].clone() };
    p.points.push(pump);
    p.suppressions.push(crate::book::Suppression {
        key: "off".into(),
        name: String::new(),
        name_en: String::new(),
        when: crate::book::Suppressor::State { point: "P-1".into(), is: false },
        alarms: vec!["GT-101:H".into()],
        release_delay: Duration::ZERO,
        max: Duration::from_secs(max_s),
    });
    p
}

#[test]
fn a_suppression_that_is_shortened_twice_ends_by_the_second() {
    let mut r = Rig::new(suppressed_for(100), Restored::default(), 0.0);
    for t in 0..120_u32 {
        let pump = r.engine.book().point_id("P-1").unwrap().index();
        r.scan(f64::from(t), &[(0, good(10.0)), (pump, good(0.0))]);
        for (_, max_s) in [(40, 80), (60, 50)].iter().filter(|(at, _)| *at == t) {
            switch(&mut r, f64::from(t) + 0.5, suppressed_for(*max_s));
        }
    }
    let ended = r.events.iter().find(|e| matches!(e.kind, EventKind::Unsuppressed { .. })).unwrap();
    assert_eq!(ended.at.mono, at(60.5).mono, "it has hidden for longer than the 50 s that it may");
}

/// GT-102 on an instrument of its own.
fn two_instruments() -> BookParts {
    let mut p = parts();
    p.devices.push(Device { key: "d2".into(), ..p.devices[0].clone() });
    p.points[1].device = "d2".into();
    p
}

#[test]
fn an_instrument_that_nobody_asks_is_not_silent() {
    let mut alone = parts();
    alone.devices.push(Device { key: "d2".into(), ..alone.devices[0].clone() });
    let mut r = Rig::new(alone.clone(), Restored::default(), 0.0);
    r.hold(0, 30, 10.0);
    assert_eq!(r.count("alarm.raised"), 0, "d2 has no point");
    // It had one, and the silence stands: by a reload, and by a start.
    let silent = || {
        let mut r = Rig::new(two_instruments(), Restored::default(), 0.0);
        for t in 0..=20 {
            r.scan(f64::from(t), &[(0, good(10.0))]);
        }
        assert!(r.alarm("d2:COMMS_LOSS").is_active());
        r
    };
    let mut r = silent();
    switch(&mut r, 20.5, alone.clone());
    assert!(!r.alarm("d2:COMMS_LOSS").stands());
    let r = silent();
    let mut r = Rig::new(alone, r.stored(true), 21.0);
    r.hold(21, 40, 10.0);
    assert!(!r.alarm("d2:COMMS_LOSS").stands());
    assert_eq!((r.count("alarm.cleared"), r.count("alarm.raised")), (1, 0));
}

#[test]
fn the_first_point_of_an_instrument_gives_it_the_grace_of_a_new_one() {
    let mut alone = parts();
    alone.points.pop();
    alone.rules.pop();
    alone.measures.clear();
    alone.risks.clear();
    alone.devices.push(Device { key: "d2".into(), ..alone.devices[0].clone() });
    let mut r = Rig::new(alone, Restored::default(), 0.0);
    for t in 0..=3600 {
        r.scan(f64::from(t), &[(0, good(10.0))]);
    }
    switch(&mut r, 3600.5, two_instruments());
    for t in 3601..=3609 {
        r.scan(f64::from(t), &[(0, good(10.0))]);
    }
    assert_eq!(r.count("alarm.raised"), 0, "{:?}", r.story());
    for t in 3610..=3612 {
        r.scan(f64::from(t), &[(0, good(10.0))]);
    }
    assert!(r.alarm("d2:COMMS_LOSS").is_active(), "and then it is silent");
}
