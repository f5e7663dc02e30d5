//! The sound may be stopped for a while; the next urgent alarm brings it back.

use super::*;
use crate::annunciator::Sound;

fn silenced() -> Rig {
    let mut p = parts();
    p.rules[2].priority = 3;
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 5, 30.0);
    r.engine.command(&Command::Silence { seen_seq: None }, &operator(), at(6.0), &mut r.events).unwrap();
    r
}

#[test]
fn it_is_off_for_two_minutes_on_the_clock_that_never_steps() {
    let r = silenced();
    assert!(r.engine.silenced(at(125.9)).is_some());
    assert!(r.engine.silenced(at(126.0)).is_none());
    assert_eq!((r.engine.silenced_by(at(125.9)), r.engine.silenced_by(at(126.0))), (Some(&*operator().user), None));
}

#[test]
fn a_new_alarm_of_priority_1_or_2_brings_it_back_and_one_of_priority_3_does_not() {
    let mut r = silenced();
    (7..=11).for_each(|t| r.scan(f64::from(t), &[(1, good(30.0))]));
    assert!(r.count("alarm.raised") == 2 && r.engine.silenced(at(11.0)).is_some());
    r.hold(12, 16, 60.0);
    assert!(r.engine.silenced(at(16.0)).is_none());
}

#[test]
fn a_start_ends_it() {
    let r = silenced();
    let again = Rig::new(parts(), r.stored(true), 7.0);
    assert!(again.engine.silenced(at(7.0)).is_none());
}

/// What sounds, whether it is silenced, what is unacknowledged, what stands.
fn heard(r: &Rig, t: f64) -> (Option<Sound>, bool, Option<u8>, Option<u8>) {
    let a = r.engine.annunciation(at(t));
    (a.sound, a.silenced.is_some(), a.unacknowledged, a.standing)
}

#[test]
fn an_alarm_sounds_until_it_is_acknowledged_and_stands_until_it_is_over() {
    let mut r = Rig::plain();
    assert_eq!(heard(&r, 0.0), (None, false, None, None));
    r.hold(0, 5, 30.0);
    assert_eq!(heard(&r, 5.0), (Some(Sound::P2), false, Some(2), Some(2)));
    let seen = r.alarm("GT-101:H").annunciated_seq;
    let ack = Command::Acknowledge { alarm: "GT-101:H".into(), seen_seq: seen, comment: String::new() };
    r.engine.command(&ack, &operator(), at(6.0), &mut r.events).unwrap();
    assert_eq!(heard(&r, 6.0), (None, false, None, Some(2)));
}

#[test]
fn a_silence_takes_the_sound_only_and_a_new_urgent_alarm_brings_it_back() {
    let mut r = silenced();
    assert_eq!(heard(&r, 7.0), (Some(Sound::P2), true, Some(2), Some(2)));
    r.hold(7, 12, 60.0);
    assert_eq!(heard(&r, 12.0), (Some(Sound::P1), false, Some(1), Some(1)));
}

#[test]
fn a_shelved_alarm_neither_sounds_nor_stands_in_sight() {
    let mut r = Rig::plain();
    r.hold(0, 5, 30.0);
    r.shelve(6.0, "GT-101:H", 600).unwrap();
    assert_eq!(heard(&r, 6.0), (None, false, None, None));
    assert!(!r.engine.sounds(r.engine.alarm_index("GT-101:H").unwrap()));
}

#[test]
fn a_superseded_alarm_leaves_the_sound_to_its_outer_limit() {
    let mut r = Rig::plain();
    r.hold(0, 10, 60.0);
    let index = |key| r.engine.alarm_index(key).unwrap();
    assert_eq!((r.engine.sounds(index("GT-101:HH")), r.engine.sounds(index("GT-101:H"))), (true, false));
    assert_eq!(heard(&r, 10.0), (Some(Sound::P1), false, Some(1), Some(1)));
}

#[test]
fn a_test_of_the_annunciator_is_asked_for_with_a_reason_and_changes_no_alarm() {
    let mut r = Rig::plain();
    let ask = |r: &mut Rig, reason: &str| {
        let command = Command::TestAnnunciator { reason: reason.into() };
        r.engine.command(&command, &operator(), at(1.0), &mut r.events)
    };
    assert_eq!(ask(&mut r, "x"), Err(Rejected::Incomplete(vec!["reason".into()])));
    ask(&mut r, "交接班试音").unwrap();
    let EventKind::AnnunciatorTestRequested { by } = &r.events[0].kind else { panic!("{:?}", r.events) };
    assert_eq!(
        (by.by.as_str(), by.reason.as_str(), heard(&r, 1.0)),
        (operator().user.as_str(), "交接班试音", (None, false, None, None))
    );
}
