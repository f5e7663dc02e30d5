//! The sound may be stopped for a while; the next urgent alarm brings it back.

use super::*;

fn silenced() -> Rig {
    let mut p = parts();
    p.rules[2].priority = 3;
    let mut r = Rig::new(p, Restored::default(), 0.0);
    r.hold(0, 5, 30.0);
    r.engine.command(&Command::Silence, &operator(), at(6.0), &mut r.events).unwrap();
    r
}

#[test]
fn it_is_off_for_two_minutes_on_the_clock_that_never_steps() {
    let r = silenced();
    assert!(r.engine.silenced(at(125.9)).is_some());
    assert!(r.engine.silenced(at(126.0)).is_none());
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
