//! Dates of hidden dangers: until when, what is overdue, and what a start and another clock make of it.

use super::hazard_life::*;
use super::*;
use crate::hazard::Level;
use crate::hazard::step::Step;

#[test]
fn an_overdue_step_calls_once_and_is_over_when_the_step_is_done() {
    let mut r = assigned();
    r.until(3599.0);
    assert_eq!(r.count("hazard.overdue"), 0);
    r.until(4000.0);
    assert_eq!(r.count("hazard.overdue"), 1);
    let alarm = r.alarm("system:hazard_overdue");
    assert!(alarm.is_active() && r.record().overdue);
    let fact = alarm.fact.as_ref().unwrap();
    assert_eq!((fact.priority, fact.detail.as_str()), (3, HD));
    assert_eq!(r.step(4001.0, "chen", rectify()), Ok(()));
    assert!(!r.alarm("system:hazard_overdue").is_active() && !r.record().overdue);
    assert_eq!(r.step(4002.0, "sun", send_back()), Ok(()));
    r.until(4010.0);
    assert_eq!((r.count("hazard.overdue"), r.alarm("system:hazard_overdue").is_active()), (2, true));
}

#[test]
fn a_date_is_moved_with_a_reason_only_and_then_the_alarm_is_over() {
    let mut r = assigned();
    r.until(4000.0);
    assert_eq!(r.step(4001.0, "sun", assign(9000, "")), missing(&["reason"]));
    let later = |due_s: i64, reason: &str| Step::Assign {
        responsible: String::new(),
        due_at: due_s * 1000,
        interim_control: String::new(),
        reason: reason.into(),
    };
    // the wall clock of these tests stands at 0, so a date is as far from now as it says
    assert_eq!(r.step(4002.0, "sun", later(-1, "配件未到货")), missing(&["due_at"]));
    assert!(r.alarm("system:hazard_overdue").is_active());
    assert_eq!(r.step(4003.0, "sun", later(5000, "配件未到货")), Ok(()));
    assert!(!r.alarm("system:hazard_overdue").is_active());
    let work = r.record().stage.work().unwrap();
    assert_eq!((work.assignment.responsible.as_str(), work.earlier.len()), ("chen", 1));
    assert_eq!(work.assignment.by.reason, "配件未到货");
    r.until(9002.0);
    assert_eq!(r.count("hazard.overdue"), 1);
    r.until(9004.0);
    assert_eq!(r.count("hazard.overdue"), 2);
}

#[test]
fn another_person_is_put_on_overdue_work_without_another_date_and_it_stays_overdue() {
    let mut r = assigned();
    r.until(4000.0);
    let due = r.record().stage.due();
    let to_li =
        Step::Assign {
            responsible: "li".into(), due_at: 0, interim_control: String::new(), reason: "陈工出差".into()
        };
    assert_eq!(r.step(4001.0, "sun", to_li), Ok(()));
    assert_eq!((r.record().stage.due(), r.record().overdue), (due, true));
    assert!(r.alarm("system:hazard_overdue").is_active());
    r.until(4100.0);
    assert_eq!(r.count("hazard.overdue"), 1, "the same date calls once");
    let work = r.record().stage.work().unwrap();
    assert_eq!((work.assignment.responsible.as_str(), work.earlier[0].responsible.as_str()), ("li", "chen"));
}

#[test]
fn an_assignment_after_the_date_of_the_plan_needs_a_reason_which_is_kept() {
    let mut r = registered_and_normal();
    r.steps(21.0, vec![("sun", assess(Level::Major)), ("sun", plan(7200, "")), ("sun", report())]);
    let late = |reason: &str| Command::MoveHazard { hazard: HD.into(), seen_seq: 0, step: assign(7201, reason) };
    assert_eq!(r.engine.latest_utc_ms(&late("")), Some(7_200_000));
    assert_eq!(r.step(22.0, "sun", assign(7201, "")), missing(&["due_at"]));
    assert_eq!(r.step(22.1, "sun", assign(7201, "急")), missing(&["due_at"]));
    assert_eq!(r.step(22.2, "sun", assign(7201, "配件未到货")), Ok(()));
    assert_eq!(r.record().stage.work().unwrap().assignment.by.reason, "配件未到货");
}

#[test]
fn an_assignment_within_the_plan_needs_no_reason() {
    let mut r = registered_and_normal();
    r.steps(21.0, vec![("sun", assess(Level::Major)), ("sun", plan(7200, "")), ("sun", report())]);
    assert_eq!(r.step(22.0, "sun", assign(7200, "")), Ok(()));
}

#[test]
fn a_plan_whose_time_is_over_before_anybody_was_assigned_is_overdue_too() {
    let mut r = registered_and_normal();
    r.steps(21.0, vec![("sun", assess(Level::Major)), ("sun", plan(100, ""))]);
    r.until(200.0);
    assert!(r.alarm("system:hazard_overdue").is_active());
    assert_eq!(r.step(201.0, "sun", plan(500, "")), missing(&["reason"]));
    assert_eq!(r.step(202.0, "sun", plan(500, "资金未批复")), Ok(()));
    assert!(!r.alarm("system:hazard_overdue").is_active());
}

#[test]
fn a_second_overdue_record_calls_again() {
    let mut r = assigned();
    r.until(3700.0);
    assert_eq!(r.ack(3701.0, "system:hazard_overdue"), Ok(()));
    r.hold(3702, 3704, 10.0);
    let by_hand = Command::RegisterHazard {
        measure: "RA-01.M1".into(),
        place: "泵房".into(),
        description: "防爆接线盒缺螺栓".into(),
    };
    assert_eq!(r.command(3705.0, "li", &by_hand), Ok(()));
    let second = r.engine.hazards().last().unwrap().id.clone();
    for step in [assess(Level::General), assign(60, "")] {
        let seen_seq = r.engine.next_seq() - 1;
        let c = Command::MoveHazard { hazard: second.clone(), seen_seq, step };
        assert_eq!(r.command(3706.0, "sun", &c), Ok(()));
    }
    r.until(3770.0);
    assert_eq!(r.count("hazard.overdue"), 2);
    let alarm = r.alarm("system:hazard_overdue");
    assert!(!alarm.acked && alarm.realarms == 1);
}

#[test]
fn a_due_time_survives_a_start_and_the_wall_clock_reaches_it_too() {
    let mut r = assigned();
    let stored = r.stored(false);
    // another boot, an hour less ten seconds later
    r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, stored, synced(5.0, 3_590_000));
    r.engine.handle(Input::Tick, synced(6.0, 3_591_000), &mut r.events);
    assert_eq!(r.count("hazard.overdue"), 0);
    r.engine.handle(Input::Tick, synced(7.0, 3_600_001), &mut r.events);
    assert_eq!(r.count("hazard.overdue"), 1, "the wall clock was moved on");
    let stored = r.stored(true);
    r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, stored, synced(8.0, 3_600_002));
    r.engine.handle(Input::Tick, synced(20.0, 3_700_000), &mut r.events);
    assert_eq!(r.count("hazard.overdue"), 1, "each due time calls once");
    assert!(r.alarm("system:hazard_overdue").is_active());
}

fn synced(mono_s: f64, utc_ms: i64) -> Now {
    Now { wall: Wall::synced(utc_ms), ..at(mono_s) }
}

/// A record whose persons acted at `utc_ms`, a second after a boot, with its date an hour later.
fn agreed_at(utc_ms: i64, steps: Vec<(&str, Step)>) -> Restored {
    let mut r = Rig::plain();
    let by_hand =
        Command::RegisterHazard {
            measure: "RA-01.M1".into(), place: "泵房".into(), description: "螺栓缺失".into()
        };
    let actor = |user: &str| Actor { user: user.into(), role: "safety".into(), terminal: String::new() };
    assert_eq!(r.engine.command(&by_hand, &actor("li"), synced(1.0, utc_ms), &mut r.events), Ok(()));
    for (user, step) in steps {
        let c = Command::MoveHazard { hazard: HD.into(), seen_seq: r.engine.next_seq() - 1, step };
        assert_eq!(r.engine.command(&c, &actor(user), synced(1.0, utc_ms), &mut r.events), Ok(()));
    }
    Restored { wall_mark_utc_ms: Some(utc_ms), ..r.stored(false) }
}

const AGREED_MS: i64 = 1_796_140_800_000;

#[test]
fn a_boot_with_an_unset_clock_changes_no_date_and_calls_nobody_when_the_clock_is_set() {
    let date_ms = AGREED_MS + 3_600_000;
    let steps = vec![("sun", assess(Level::General)), ("sun", assign(date_ms / 1000, ""))];
    let mut r = Rig::plain();
    // 1970, and then the time server answers: half an hour after the agreement
    r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, agreed_at(AGREED_MS, steps), at(5.0));
    r.engine.handle(Input::Tick, at(6.0), &mut r.events);
    r.engine.handle(Input::Tick, synced(7.0, AGREED_MS + 1_800_000), &mut r.events);
    assert_eq!(r.count("hazard.overdue"), 0);
    assert_eq!(r.record().stage.due().unwrap().wall_utc_ms, date_ms, "the date is people's");
    r.engine.handle(Input::Tick, synced(8.0, date_ms), &mut r.events);
    assert_eq!(r.count("hazard.overdue"), 1);
}

#[test]
fn what_is_sent_back_on_another_boot_is_not_overdue_by_the_clock_of_the_boot_before() {
    let date_ms = AGREED_MS + 3_600_000;
    let steps = vec![("sun", assess(Level::General)), ("sun", assign(date_ms / 1000, "")), ("chen", rectify())];
    let mut r = Rig::plain();
    let later = synced(9_000.0, AGREED_MS + 600_000);
    r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, agreed_at(AGREED_MS, steps), later);
    let actor = Actor { user: "sun".into(), role: "safety".into(), terminal: String::new() };
    let c = Command::MoveHazard { hazard: HD.into(), seen_seq: r.engine.next_seq() - 1, step: send_back() };
    assert_eq!(r.engine.command(&c, &actor, later, &mut r.events), Ok(()));
    assert_eq!((r.word(), r.count("hazard.overdue")), ("rectifying", 0));
}

#[test]
fn a_start_calls_again_where_the_row_of_the_overdue_alarm_is_lost_and_ends_it_where_the_records_are() {
    let mut r = assigned();
    r.until(4000.0);
    let overdue = |alarm: &AlarmState| alarm.key == "system:hazard_overdue";
    let mut without_alarm = r.stored(true);
    without_alarm.alarms.retain(|alarm| !overdue(alarm));
    let mut without_records = r.stored(true);
    without_records.hazards.clear();
    for (stored, active) in [(without_alarm, true), (without_records, false), (r.stored(true), true)] {
        r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, stored, at(4001.0));
        r.engine.handle(Input::Tick, at(4001.0), &mut r.events);
        assert_eq!(r.alarm("system:hazard_overdue").is_active(), active);
    }
    assert_eq!(r.count("hazard.overdue"), 1, "the date has been called");
}
