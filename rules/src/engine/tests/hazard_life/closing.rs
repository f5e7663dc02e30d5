//! A record and its alarm: closed only while that is known to be normal, moved by people only, joined by what comes again.

use super::*;

#[test]
fn a_record_is_closed_only_while_its_alarm_is_known_to_be_normal() {
    let not_normal = refused(Refusal::ConditionNotNormal);
    let mut active = accepted();
    active.hold(30, 34, 60.0);
    assert_eq!(active.step(34.5, "sun", close()), not_normal);
    active.hold(35, 40, 10.0);
    assert_eq!(active.step(40.5, "sun", close()), not_normal, "its off-delay still runs");

    let mut failed = accepted();
    failed.scan(30.0, &[(0, Reading::Bad(Fault::Sensor)), (1, good(10.0))]);
    assert_eq!(failed.step(30.5, "sun", close()), not_normal, "nobody knows");

    let mut started = accepted();
    let stored = started.stored(true);
    started.engine = Engine::new(RuleBook::build(parts()).unwrap().0, stored, at(30.0));
    assert_eq!(started.step(30.5, "sun", close()), not_normal, "nothing was read since the start");
    started.hold(31, 32, 10.0);
    assert_eq!(started.step(32.5, "sun", close()), Ok(()));

    let mut hidden = accepted();
    let seen_seq = hidden.engine.next_seq() - 1;
    let (work_order, reason) = ("WO-1".into(), "送检标定".into());
    let service = Command::OutOfService { point: "GT-101".into(), seen_seq, work_order, reason };
    assert_eq!(hidden.command(30.0, "sun", &service), Ok(()));
    assert_eq!(hidden.step(30.5, "sun", close()), not_normal);
}

#[test]
fn a_value_of_a_test_or_one_that_is_not_confirmed_does_not_prove_that_its_alarm_is_normal() {
    let doubted = |doubt| [(0, Reading::Uncertain(Finite::new(10.0).unwrap(), doubt)), (1, good(10.0))];
    for (doubt, proves) in [(Doubt::Simulated, false), (Doubt::Unconfirmed, false), (Doubt::Maintenance, true)] {
        let mut r = accepted();
        r.scan(30.0, &doubted(doubt));
        let told = if proves { Ok(()) } else { refused(Refusal::ConditionNotNormal) };
        assert_eq!(r.step(30.5, "sun", close()), told, "{doubt:?}");
    }
}

#[test]
fn a_rule_that_was_taken_out_proves_nothing_while_its_point_is_there() {
    let mut without_rule = parts();
    without_rule.rules.remove(1);
    let mut without_point = without_rule.clone();
    without_point.points.remove(0);
    without_point.rules.remove(0);
    without_point.measures[0].evidence = Evidence::Watched { points: vec!["GT-102".into()] };
    for (book, told) in [(without_rule, refused(Refusal::ConditionNotNormal)), (without_point, Ok(()))] {
        let mut r = accepted();
        let stored = r.stored(true);
        r.engine = Engine::new(RuleBook::build(book).unwrap().0, stored, at(30.0));
        r.until(30.1);
        let first = r.engine.book().points().iter().position(|p| *p.key == *"GT-102").unwrap();
        let calm: Vec<(usize, Reading)> = (0..=first).map(|p| (p, good(10.0))).collect();
        r.scan(31.0, &calm);
        assert_eq!(r.step(31.5, "sun", close()), told);
    }
}

#[test]
fn a_latched_alarm_is_not_normal() {
    let mut p = parts();
    p.rules[1].latching = true;
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 4, 60.0);
    let confirm = Command::ConfirmHazard { hazard: HD.into(), seen_seq: None, reason: String::new() };
    assert_eq!(r.command(4.5, "sun", &confirm), Ok(()));
    r.hold(5, 20, 10.0);
    r.steps(20.1, vec![("sun", assess(Level::General)), ("sun", assign(3600, ""))]);
    r.steps(20.5, vec![("chen", rectify()), ("sun", accept(""))]);
    assert_eq!(r.ack(20.6, "GT-101:HH"), Ok(()));
    assert_eq!(r.step(20.7, "sun", close()), refused(Refusal::ConditionNotNormal));
    let seen_seq = r.engine.next_seq() - 1;
    let reset = Command::ResetLatch { alarm: "GT-101:HH".into(), seen_seq, reason: "现场检测合格".into() };
    assert_eq!(r.command(20.8, "sun", &reset), Ok(()));
    assert_eq!(r.step(20.9, "sun", close()), Ok(()));
}

#[test]
fn the_end_of_the_alarm_never_moves_its_record_and_a_repeat_joins_it_at_every_stage() {
    let mut r = accepted();
    assert_eq!(r.count("alarm.cleared"), 2);
    assert_eq!(r.word(), "accepted");
    r.hold(30, 34, 60.0);
    assert_eq!(r.record().occurrences, ["GT-101:HH#1", "GT-101:HH#2"]);
    assert_eq!((r.word(), r.engine.hazards().len()), ("accepted", 1));
    assert_eq!(r.step(35.0, "sun", send_back()), Ok(()), "it was not good enough after all");
    assert_eq!(r.word(), "rectifying");
}

#[test]
fn a_repeat_after_the_closing_opens_another_record_that_says_which_it_repeats() {
    let mut r = accepted();
    assert_eq!(r.step(30.0, "sun", close()), Ok(()));
    for same_boot in [true, false] {
        let stored = r.stored(same_boot);
        r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, stored, at(31.0));
    }
    r.hold(32, 36, 60.0);
    let again = &r.engine.hazards()[0];
    assert_eq!((again.id.as_str(), again.repeat_of.as_deref()), ("HD-2", Some(HD)));
    assert_eq!(again.stage, Stage::Candidate);
    assert_eq!(r.step(40.0, "sun", close()), Err(Rejected::Changed(HD.into())), "what is closed stays closed");
}
