//! What holds for every series on the small site: replay equals live, numbers have no gaps, an alarm event of a point has the reading that
//! caused it. That bad quality never clears, that order in one instant does not matter and that nothing happens without a cause is held
//! against sites of every kind in [`super::wide`].

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Move {
    Scan(Vec<(usize, Reading)>),
    Silence,
    Wait,
    Ack(usize),
    Reject,
    Restart,
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        4 => prop::sample::select(vec![10.0, 22.9, 24.0, 25.0, 30.0, 49.0, 60.0]).prop_map(good),
        1 => Just(Reading::Uncertain(Finite::new(60.0).unwrap(), Doubt::OverRange)),
        1 => Just(Reading::Bad(Fault::Sensor)),
        1 => Just(Reading::Bad(Fault::Timeout)),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        12 => prop::collection::vec((0..2_usize, reading()), 0..3).prop_map(Move::Scan),
        2 => Just(Move::Silence),
        2 => Just(Move::Wait),
        2 => (0..8_usize).prop_map(Move::Ack),
        1 => Just(Move::Reject),
        1 => Just(Move::Restart),
    ]
}

fn play(r: &mut Rig, t: f64, m: &Move) {
    match m {
        Move::Scan(readings) => r.scan(t, readings),
        Move::Silence => r.silence(t),
        Move::Wait => r.until(t),
        Move::Ack(k) => {
            let key = r.engine.alarms().key(*k % r.engine.alarms().len());
            drop(r.ack(t, &key));
        }
        Move::Reject => {
            r.until(t);
            if let Some(hazard) = r.engine.hazards().first().map(|h| h.id.clone()) {
                let c = Command::RejectHazard { hazard, seen_seq: None, reason: "标定气体试验".into() };
                r.engine.command(&c, &operator(), at(t), &mut r.events).unwrap();
            }
        }
        Move::Restart => {
            r.until(t);
            let stored = r.stored(true);
            r.engine = Engine::new(RuleBook::build(parts()).unwrap().0, stored, at(t));
            let start = EventKind::Started {
                boot_id: "b".into(),
                version: "0".into(),
                config_hash: "c".into(),
                down_for_ms: None,
            };
            r.engine.begin(vec![start], at(t), &mut r.events);
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn replay_equals_live_and_numbers_have_no_gaps(moves in prop::collection::vec(a_move(), 1..80)) {
        let mut r = Rig::plain();
        for (i, m) in moves.iter().enumerate() {
            play(&mut r, (i + 1) as f64, m);
        }
        let mut replayed = Engine::new(RuleBook::build(parts()).unwrap().0, Restored::default(), at(0.0));
        for (i, e) in r.events.iter().enumerate() {
            prop_assert_eq!(e.seq, i as u64 + 1);
            let json = serde_json::to_string(e).unwrap();
            replayed.apply(&serde_json::from_str(&json).unwrap());
        }
        prop_assert_eq!(settled(&replayed), settled(&r.engine));
        prop_assert_eq!(replayed.hazards(), r.engine.hazards());
        prop_assert_eq!(replayed.next_seq(), r.engine.next_seq());
    }

    #[test]
    fn timers_armed_truly_fire_as_with_every_tick(moves in prop::collection::vec(a_move(), 1..80), pace in 1..9_u8) {
        let (mut every, mut truly) = (Rig::plain(), Rig::plain());
        for (i, m) in moves.iter().enumerate() {
            let t = (i + 1) as f64 * f64::from(pace) / 2.0;
            play(&mut every, t, m);
            truly.engine.truly_due(at(t).mono);
            play(&mut truly, t, m);
        }
        prop_assert_eq!(&every.events, &truly.events);
        prop_assert_eq!(every.engine.alarms().all(), truly.engine.alarms().all());
        prop_assert_eq!(every.engine.readings(), truly.engine.readings());
    }

    #[test]
    fn every_alarm_event_of_a_point_carries_the_reading_that_caused_it(moves in prop::collection::vec(a_move(), 1..60)) {
        let mut r = Rig::plain();
        for (i, m) in moves.iter().enumerate() {
            play(&mut r, (i + 1) as f64, m);
        }
        for fact in r.events.iter().filter_map(|e| e.kind.fact()) {
            prop_assert!(fact.point.is_empty() || fact.reading.is_some(), "{fact:?}");
        }
    }
}
