//! Any person at any time: what is closed was accepted by another person, and its alarm was normal.

use super::*;
use proptest::prelude::*;

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(assess(Level::General)),
        1 => Just(assess(Level::Major)),
        1 => Just(plan(50, "资金未批复")),
        1 => Just(report()),
        1 => Just(assign(40, "配件未到货")),
        2 => Just(rectify()),
        3 => Just(accept("复查-1")),
        1 => Just(send_back()),
        4 => Just(close()),
    ]
}

#[derive(Clone, Debug)]
enum Move {
    Step(&'static str, Step),
    Confirm,
    Read(Reading),
    Restart,
}

fn a_move() -> impl Strategy<Value = Move> {
    let reading = prop::sample::select(vec![good(10.0), good(60.0), Reading::Bad(Fault::Sensor)]);
    prop_oneof![
        8 => (prop::sample::select(vec!["sun", "chen", "li"]), a_step()).prop_map(|(who, step)| Move::Step(who, step)),
        2 => Just(Move::Confirm),
        8 => reading.prop_map(Move::Read),
        1 => Just(Move::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_closed_without_an_acceptance_by_another_person_and_a_normal_alarm(
        moves in prop::collection::vec(a_move(), 1..120)
    ) {
        let mut p = parts();
        p.rules.iter_mut().for_each(|rule| (rule.on_delay, rule.off_delay) = (Duration::ZERO, Duration::ZERO));
        p.policy.chatter_window = Duration::from_millis(1);
        let mut r = Rig::new(p.clone(), Restored::default(), 0.0);
        let mut reading = Reading::Bad(Fault::NeverRead);
        r.scan(1.0, &[(0, good(60.0))]);
        for (n, m) in moves.iter().enumerate() {
            let t = (n + 2) as f64;
            let before = r.events.len();
            match m {
                Move::Step(who, step) => {
                    r.until(t);
                    let Some(hazard) = r.engine.hazards().first().map(|h| h.id.clone()) else { continue };
                    let seen_seq = r.engine.next_seq() - 1;
                    drop(r.command(t, who, &Command::MoveHazard { hazard, seen_seq, step: step.clone() }));
                }
                Move::Confirm => {
                    r.until(t);
                    let Some(hazard) = r.engine.hazards().first().map(|h| h.id.clone()) else { continue };
                    drop(r.command(t, "sun", &Command::ConfirmHazard { hazard, seen_seq: None, reason: String::new() }));
                }
                Move::Read(value) => {
                    reading = *value;
                    r.scan(t, &[(0, reading)]);
                }
                Move::Restart => {
                    r.until(t);
                    let stored = r.stored(true);
                    r.engine = Engine::new(RuleBook::build(p.clone()).unwrap().0, stored, at(t));
                    reading = Reading::Bad(Fault::NeverRead);
                }
            }
            for event in &r.events[before..] {
                let EventKind::HazardStage { hazard } = &event.kind else { continue };
                let Stage::Closed { work, rectified, acceptance, .. } = &hazard.stage else { continue };
                let inspector = &acceptance.by.by;
                prop_assert!(*inspector != rectified.by.by && *inspector != work.assignment.responsible);
                prop_assert!(!r.engine.alarms()[r.engine.alarm_index(&hazard.cause).unwrap()].is_active());
                if hazard.cause.starts_with("GT-101") {
                    prop_assert_eq!(reading, good(10.0), "{:?}", hazard);
                }
            }
            let open: Vec<_> = r.engine.hazards().iter().map(|h| (&h.measure, &h.cause)).collect();
            prop_assert!(open.iter().enumerate().all(|(n, key)| !open[..n].contains(key)), "one open per key");
            let overdue = r.engine.hazards().iter().any(|h| h.overdue);
            prop_assert_eq!(overdue, r.alarm("system:hazard_overdue").is_active());
        }
        let mut replayed = Engine::new(RuleBook::build(p).unwrap().0, Restored::default(), at(0.0));
        for event in &r.events {
            replayed.apply(&serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap());
        }
        prop_assert_eq!(replayed.hazards(), r.engine.hazards());
        prop_assert_eq!(replayed.closed_hazards(), r.engine.closed_hazards());
    }
}
