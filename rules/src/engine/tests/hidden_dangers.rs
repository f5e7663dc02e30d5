//! A failed measure opens a candidate; only a person moves it.

use super::*;
use crate::hazard::Stage;

fn hh() -> Rig {
    let mut r = Rig::plain();
    r.hold(0, 4, 60.0);
    r
}

#[test]
fn hh_on_a_watched_point_opens_one_candidate_per_measure_and_cause() {
    let r = hh();
    let h = &r.engine.hazards()[0];
    assert_eq!((h.id.as_str(), h.measure.as_str(), h.cause.as_str()), ("HD-1", "RA-01.M1", "GT-101:HH"));
    assert_eq!((h.stage.clone(), r.engine.hazards().len()), (Stage::Candidate, 1));
}

#[test]
fn a_repeat_is_attached_to_the_open_record() {
    let mut r = hh();
    r.hold(5, 20, 10.0);
    r.hold(21, 25, 60.0);
    assert_eq!(r.engine.hazards()[0].occurrences, ["GT-101:HH#1", "GT-101:HH#2"]);
}

#[test]
fn h_opens_a_candidate_only_after_ten_minutes() {
    let mut r = Rig::plain();
    r.hold(0, 602, 30.0);
    assert!(r.engine.hazards().is_empty());
    r.hold(603, 604, 30.0);
    assert_eq!(r.engine.hazards()[0].cause, "GT-101:H");
}

#[test]
fn silence_of_a_watched_point_is_a_failed_measure() {
    let mut r = Rig::plain();
    r.until(11.0);
    assert_eq!(r.engine.hazards()[0].cause, "d1:COMMS_LOSS");
    assert_eq!(r.engine.hazards().len(), 1);
}

#[test]
fn a_rejection_needs_a_reason_and_ends_the_record() {
    let mut r = hh();
    let mut reject = |reason: &str| {
        let c = Command::RejectHazard { hazard: "HD-1".into(), seen_seq: None, reason: reason.into() };
        r.engine.command(&c, &operator(), at(9.0), &mut r.events)
    };
    assert_eq!(reject(" 误报 "), Err(Rejected::Incomplete(vec!["reason".into()])));
    assert_eq!(reject("标定气体试验"), Ok(()));
    assert_eq!(reject("标定气体试验"), Err(Rejected::Changed("HD-1".into())));
    assert!(r.engine.hazards().is_empty());
}

#[test]
fn a_confirmed_record_stays_open_and_cannot_be_rejected() {
    let mut r = hh();
    let confirm = Command::ConfirmHazard { hazard: "HD-1".into(), seen_seq: None, reason: String::new() };
    assert_eq!(r.engine.command(&confirm, &operator(), at(9.0), &mut r.events), Ok(()));
    assert_eq!(r.engine.command(&confirm, &operator(), at(9.0), &mut r.events), Err(Rejected::AlreadySo));
    let reject = Command::RejectHazard { hazard: "HD-1".into(), seen_seq: None, reason: "标定气体试验".into() };
    assert!(matches!(r.engine.command(&reject, &operator(), at(9.0), &mut r.events), Err(Rejected::Changed(_))));
    assert!(matches!(r.engine.hazards()[0].stage, Stage::Registered { .. }));
}

#[test]
fn a_candidate_is_confirmed_or_rejected_only_as_it_was_seen() {
    let mut r = hh();
    let shown = Some(r.engine.hazards()[0].moved_seq);
    r.hold(5, 20, 10.0);
    r.hold(21, 25, 60.0);
    let hazard = || "HD-1".to_owned();
    let changed = Err(Rejected::Changed(hazard()));
    let reject = |seen_seq| Command::RejectHazard { hazard: hazard(), seen_seq, reason: "标定气体试验".into() };
    let confirm = |seen_seq| Command::ConfirmHazard { hazard: hazard(), seen_seq, reason: String::new() };
    let mut ask = |c: Command| r.engine.command(&c, &operator(), at(26.0), &mut r.events);
    assert_eq!(ask(reject(shown)), changed, "its alarm called again after it was shown");
    assert_eq!(ask(confirm(shown)), changed);
    assert_eq!(ask(confirm(Some(9999))), changed, "nobody has seen a number that was not given out");
    let shown = Some(r.engine.hazards()[0].moved_seq);
    let mut ask = |c: Command| r.engine.command(&c, &operator(), at(27.0), &mut r.events);
    assert_eq!(ask(confirm(shown)), Ok(()));
    assert_eq!(
        ask(confirm(shown)),
        changed,
        "somebody has decided since: what this person would say of it is not to be lost unsaid"
    );
    assert_eq!(ask(confirm(None)), Err(Rejected::AlreadySo), "who vouches for nothing learns that it is so already");
    assert_eq!(ask(reject(shown)), changed);
}

#[test]
fn a_record_keeps_its_newest_64_occurrences() {
    let mut p = parts();
    for rule in &mut p.rules {
        (rule.on_delay, rule.off_delay) = (Duration::ZERO, Duration::ZERO);
    }
    // Three raises a minute would be chattering.
    p.policy.chatter_window = Duration::from_secs(1);
    let mut r = Rig::new(p, Restored::default(), 0.0);
    for t in 0..200 {
        r.hold(t, t, if t % 2 == 0 { 60.0 } else { 10.0 });
    }
    let h = r.engine.hazards().iter().find(|h| h.cause == "GT-101:HH").unwrap();
    assert_eq!((h.occurrences.len(), h.occurrences[63].as_str()), (64, "GT-101:HH#100"));
}

#[test]
fn a_vote_is_a_failed_measure_of_whatever_watches_any_member() {
    let mut p = parts();
    p.measures[0].evidence = Evidence::Watched { points: vec!["GT-102".into()] };
    p.votes.push(check_tests::vote("V-1", &["GT-101:H", "GT-102:H"], 1));
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 4, 30.0);
    assert_eq!(r.engine.hazards().iter().map(|h| h.cause.as_str()).collect::<Vec<_>>(), ["V-1:VOTE"]);
}

#[test]
fn a_rejected_record_is_not_opened_again_by_the_same_occurrence_also_after_a_start() {
    let mut r = Rig::plain();
    r.hold(0, 604, 30.0);
    let c = Command::RejectHazard { hazard: "HD-1".into(), seen_seq: None, reason: "标定气体试验".into() };
    r.engine.command(&c, &operator(), at(604.5), &mut r.events).unwrap();
    let mut r = Rig::new(parts(), r.stored(true), 620.0);
    r.hold(621, 1300, 30.0);
    assert!(r.engine.hazards().is_empty(), "the standing alarm is the one that was judged false");
    r.hold(1301, 1330, 0.0);
    r.hold(1331, 1335, 60.0);
    assert_eq!(r.engine.hazards().len(), 1, "another occurrence is another matter");
}

fn unshelve(r: &mut Rig, t: f64, alarm: &str) {
    r.until(t);
    let unshelve = Command::Unshelve { alarm: alarm.into(), seen_seq: r.engine.next_seq() - 1, reason: String::new() };
    r.engine.command(&unshelve, &operator(), at(t), &mut r.events).unwrap();
}

/// When a record was opened.
fn opened(r: &Rig) -> Vec<Mono> {
    r.events.iter().filter(|e| e.kind.name() == "hazard.opened").map(|e| e.at.mono).collect()
}

#[test]
fn h_that_rose_behind_a_shelf_opens_a_candidate_ten_minutes_after_its_raise() {
    let rise = |ends: &dyn Fn(&mut Rig)| {
        let mut r = Rig::plain();
        r.hold(0, 4, 10.0);
        r.shelve(5.0, "GT-101:H", 300).unwrap();
        r.hold(10, 100, 30.0);
        ends(&mut r);
        r.hold(401, 700, 30.0);
        opened(&r)
    };
    assert_eq!(rise(&|r| r.hold(101, 400, 30.0)), [at(613.0).mono], "the shelf's time is over");
    let by_hand = |r: &mut Rig| {
        unshelve(r, 100.5, "GT-101:H");
        r.hold(101, 400, 30.0);
    };
    assert_eq!(rise(&by_hand), [at(613.0).mono], "a person ended it");
}

#[test]
fn h_that_stood_for_longer_behind_a_shelf_opens_a_candidate_when_it_calls() {
    let mut r = Rig::plain();
    r.shelve(0.5, "GT-101:H", 1000).unwrap();
    r.hold(1, 1000, 30.0);
    assert_eq!(opened(&r), [], "nobody was called for it");
    r.hold(1001, 1001, 30.0);
    assert_eq!(opened(&r), [at(1000.5).mono]);
}

#[test]
fn a_start_behind_the_shelf_opens_no_candidate() {
    let mut r = Rig::plain();
    r.shelve(0.5, "GT-101:H", 1000).unwrap();
    r.hold(1, 700, 30.0);
    let mut r = Rig::new(parts(), r.stored(true), 700.5);
    r.hold(701, 1000, 30.0);
    assert_eq!(opened(&r), []);
    r.hold(1001, 1001, 30.0);
    assert_eq!(opened(&r), [at(1000.5).mono]);
}

#[test]
fn hh_of_the_second_priority_that_a_person_unshelves_opens_a_candidate() {
    let mut p = parts();
    p.rules[1].priority = 2;
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.shelve(0.5, "GT-101:HH", 600).unwrap();
    r.hold(1, 9, 60.0);
    assert_eq!(opened(&r), []);
    unshelve(&mut r, 9.5, "GT-101:HH");
    assert_eq!(opened(&r), [at(9.5).mono]);
}
