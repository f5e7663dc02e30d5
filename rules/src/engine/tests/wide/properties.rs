//! What holds for every wide site and every series on it.

use super::super::*;
use super::stage::{Move, Stage, bad, story};
use super::{Ties, drawn};
use crate::book::Subject;
use proptest::prelude::*;

const LONGEST: usize = 40;

/// Never evaluated and evaluated to false differ in the readings only, never in an event.
fn settled(engine: &Engine) -> Vec<AlarmState> {
    let settle = |a: &AlarmState| match a.condition {
        ConditionState::Unknown => AlarmState { condition: ConditionState::Normal, ..a.clone() },
        _ => a.clone(),
    };
    engine.alarms().all().iter().map(settle).collect()
}

/// States without times.
fn in_words(engine: &Engine) -> Vec<(String, u64, String, Option<String>)> {
    let words = |a: &AlarmState| (a.key.clone(), a.occurrence, a.words(), a.acked_by.clone());
    settled(engine).iter().map(words).collect()
}

/// The journal over again: each event applied, each book adopted where its hash comes up.
fn replayed(stage: &Stage) -> Engine {
    let mut engine = Engine::new(stage.books[0].clone(), Restored::default(), at(0.0));
    for e in &stage.events {
        engine.apply(&serde_json::from_str(&serde_json::to_string(e).unwrap()).unwrap());
        if let EventKind::ConfigChanged { new_hash, .. } = &e.kind {
            engine.adopt(stage.books[new_hash.parse::<usize>().unwrap()].clone(), e.at);
        }
    }
    engine
}

/// Alarms that a value raised: of a point's rules. Silence of a device, a vote and a condition of the gateway have other evidence.
fn active_by_value(engine: &Engine) -> Vec<String> {
    let rule = |i: &usize| matches!(engine.book().index().subject(*i), Subject::Rule(_));
    let alarms = engine.alarms();
    (0..alarms.len()).filter(rule).filter(|i| alarms[*i].is_active()).map(|i| alarms.key(i)).collect()
}

/// Seconds of bad readings of every point, device by device, in any mixture.
fn tail() -> impl Strategy<Value = Vec<Vec<Reading>>> {
    prop::collection::vec(prop::collection::vec(bad(), 9), 1..60)
}

fn play_bad(stage: &mut Stage, tail: &[Vec<Reading>]) {
    for readings in tail {
        for device in 0..3 {
            let told: Vec<_> = readings.iter().enumerate().map(|(slot, r)| (slot, *r, 0)).collect();
            stage.scan(device, &told);
        }
        stage.pass(1);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn every_book_of_the_dice_is_accepted(dice in super::stage::dice()) {
        for ties in [Ties::Across, Ties::Within] {
            let built = RuleBook::build(drawn(&dice, ties)).map(|_| ());
            prop_assert_eq!(built, Ok(()));
        }
    }

    #[test]
    fn bad_quality_never_clears_an_alarm_of_any_kind(story in story(LONGEST), tail in tail()) {
        let mut stage = Stage::played(&story);
        stage.pass(1);
        // The running signal is bad from here on: numbers of another mode may hold, and judge what is still good once more.
        play_bad(&mut stage, &tail[..1]);
        let (before, begun) = (active_by_value(&stage.engine), stage.events.len());
        play_bad(&mut stage, &tail);
        let after = active_by_value(&stage.engine);
        prop_assert!(before.iter().all(|key| after.contains(key)), "{before:?} {after:?}");
        for e in &stage.events[begun..] {
            let cleared = matches!(e.kind, EventKind::Returned { .. } | EventKind::ShadowReturned { .. } | EventKind::PendingOff { .. });
            let of_point = e.kind.fact().is_some_and(|f| !f.point.is_empty());
            prop_assert!(!(cleared && of_point), "{e:?}");
        }
    }

    #[test]
    fn replay_equals_live(story in story(LONGEST)) {
        let stage = Stage::played(&story);
        for (i, e) in stage.events.iter().enumerate() {
            prop_assert_eq!(e.seq, i as u64 + 1);
        }
        let replayed = replayed(&stage);
        // A boot begins another monotonic clock, and what a start makes of times before it is in no event: there the words are compared.
        if story.1.iter().all(|m| !matches!(m, Move::Start(false))) {
            for (replayed, live) in settled(&replayed).iter().zip(settled(&stage.engine)) {
                prop_assert_eq!(replayed, &live);
            }
            prop_assert_eq!(replayed.hazards(), stage.engine.hazards());
            prop_assert_eq!(replayed.closed_hazards(), stage.engine.closed_hazards());
        }
        prop_assert_eq!(in_words(&replayed), in_words(&stage.engine));
        prop_assert_eq!(replayed.modes(), stage.engine.modes());
        prop_assert_eq!(replayed.next_seq(), stage.engine.next_seq());
    }

    #[test]
    fn at_every_moment_what_is_hidden_has_an_end_ahead_and_what_is_not_was_annunciated(story in story(LONGEST)) {
        let mut stage = Stage::of(&story.0, Ties::Across);
        for m in &story.1 {
            stage.play(m);
            let now = stage.now();
            for a in &stage.engine.alarms().all() {
                let h = &a.hidden;
                prop_assert!(h.shelf.as_ref().is_none_or(|s| !s.until.is_over(now)), "{a:?} at {now:?}");
                prop_assert!(h.bypass.as_ref().is_none_or(|b| !b.until.is_over(now)), "{a:?} at {now:?}");
                prop_assert!(h.suppressed.iter().all(|s| !s.until.is_over(now)), "{a:?} at {now:?}");
                let quiet = a.condition == ConditionState::Active && !a.is_hidden() && a.shadow;
                prop_assert!(!quiet, "{a:?}");
            }
        }
    }

    #[test]
    fn every_raised_occurrence_is_closed_or_stands(story in story(LONGEST)) {
        let stage = Stage::played(&story);
        let open = open_occurrences(&stage.events);
        for a in &stage.engine.alarms().all() {
            prop_assert_eq!(open.get(&a.key).is_some_and(|o| !o.is_empty()), a.stands(), "{:?}", a);
        }
    }

    #[test]
    fn timers_armed_truly_fire_as_with_every_tick(story in story(LONGEST)) {
        let (every, mut truly) = (Stage::played(&story), Stage::of(&story.0, Ties::Across));
        truly.truly = true;
        story.1.iter().for_each(|m| truly.play(m));
        for (every, truly) in every.events.iter().zip(&truly.events) {
            prop_assert_eq!(every, truly);
        }
        prop_assert_eq!(every.events.len(), truly.events.len());
        prop_assert_eq!(every.engine.alarms().all(), truly.engine.alarms().all());
        prop_assert_eq!(every.engine.readings(), truly.engine.readings());
    }
}
