//! A start at any moment changes no outcome on a wide site, except as the rules say.
//!
//! What they say is kept out of the stories, as on the small site ([`super::super::restart_anywhere`]): off-delays and release delays begin
//! anew (here they are zero), chatter runs on an off-delay (none here), a trend begins empty (windows of a day, which no story fills; no
//! gas), a silence is dropped (nobody orders one), and until its first good sample a pending alarm waits (every device tells of all its points in the second after the start).
//! With [`Ties::Within`] a device a scan after the start tells at once all that a vote, a suppression or a deviation looks at, and every word
//! of every event is the same. With [`Ties::Across`] (a deviation's twin stays within: until both have told it is held), floods among them,
//! all is the same but the readings, and what of them is held against a limit, told of points whose device has not answered since.

use super::super::*;
use super::stage::{Given, Stage, dice, reading};
use super::{Ties, drawn};
use crate::book::Reference;
use proptest::prelude::*;

/// What each of the nine points says, a device that is silent, and what somebody does after it.
type Second = (Vec<Reading>, Option<usize>, Option<Deed>);

#[derive(Clone, Copy, Debug)]
enum Deed {
    Person(usize, u8),
    System(usize, bool),
}

fn seconds() -> impl Strategy<Value = Vec<Second>> {
    // Fifteen orders silence, which a start drops, or a test of the sound.
    let what = prop_oneof![0..15_u8, 16..20_u8];
    let person = (0..64_usize, what).prop_map(|(a, what)| Deed::Person(a, what));
    let system = (0..13_usize, any::<bool>()).prop_map(|(k, on)| Deed::System(k, on));
    let deed = prop_oneof![5 => person, 1 => system];
    let silent = prop::option::weighted(0.05, 0..3_usize);
    let second = (prop::collection::vec(reading(), 9), silent, prop::option::weighted(0.4, deed));
    prop::collection::vec(second, 2..60)
}

fn book(dice: &[u8], ties: Ties) -> BookParts {
    let mut p = drawn(dice, ties);
    let given = |p: &BookParts, point: &str| {
        p.rules.iter().any(|r| *r.point == *point && r.condition == Condition::SensorFault)
    };
    let judged = |p: &BookParts, key: &crate::Text| p.rules.iter().any(|r| r.point == *key);
    let has_fault = |q: &&Point| q.kind != PointKind::State || judged(&p, &q.key);
    let without: Vec<_> =
        p.points.iter().filter(has_fault).filter(|q| !given(&p, &q.key)).map(|q| q.key.clone()).collect();
    let fault = |point: &str| Rule { on_delay: Duration::from_secs(4), ..rule(point, Condition::SensorFault, 3) };
    p.rules.extend(without.iter().map(|key| fault(key)));
    let day = Duration::from_secs(86_400);
    for rule in &mut p.rules {
        rule.off_delay = Duration::ZERO;
        if let Condition::Rising { window, .. } | Condition::Falling { window, .. } = &mut rule.condition {
            *window = day;
        }
        if let Condition::Deviation { reference: Reference::Point(other), .. } = &mut rule.condition {
            "PT-1".clone_into(other);
        }
    }
    p.points.iter_mut().filter(|p| p.kind == PointKind::Gas).for_each(|p| p.kind = PointKind::Other);
    p.suppressions.iter_mut().for_each(|s| s.release_delay = Duration::ZERO);
    p.policy.chatter_window = Duration::ZERO;
    p
}

/// The points of each device, in the order of the tags.
const POINTS: [std::ops::Range<usize>; 3] = [0..3, 3..7, 7..9];

/// Of whole scans, a quarter of a second apart, so that what is due with a scan is not called for by that of another device. The second
/// after the start is well.
fn tell(stage: &mut Stage, second: &Second, well: bool) {
    for (device, points) in POINTS.into_iter().enumerate() {
        stage.pass_ms(250);
        if second.1 == Some(device) && !well {
            stage.give(Given::Scan { device, answered: false, samples: Vec::new() });
            continue;
        }
        let of = |r: &Reading| if well && (r.value().is_none() || r.is_unconfirmed()) { good(30.0) } else { *r };
        let told: Vec<_> = second.0[points].iter().enumerate().map(|(k, r)| (k, of(r), 0)).collect();
        stage.scan(device, &told);
    }
}

type Told = Vec<(i64, serde_json::Value)>;

/// An on-delay that a person's change of mode began ends between two scans: one that is over after a start and before its device has told
/// waits for that sample, as the rules say, and is called for later than without the start.
fn waits_for_its_sample(stage: &Stage) -> bool {
    let engine = &stage.engine;
    let next_scan = |i: usize| {
        let point = engine.book.index().point_of_rule[i].index();
        let device = POINTS.iter().position(|points| points.contains(&point)).expect("each point is of a device");
        stage.now().mono.plus(Duration::from_millis(250 * (device as u64 + 1)))
    };
    (0..engine.book.rules().len()).any(|i| match engine.alarms[i].condition {
        ConditionState::PendingOn(t0) => engine.pending_due(i, t0) < next_scan(i),
        _ => false,
    })
}

/// None for a moment that is no test.
fn told(dice: &[Vec<u8>; 2], ties: Ties, seconds: &[Second], start: Option<bool>, after: usize) -> Option<Told> {
    let books = [0, 1].map(|n| book(&dice[n], ties));
    let mut stage = Stage::with(books);
    stage.down_ns = 0;
    for (n, second) in seconds.iter().enumerate() {
        tell(&mut stage, second, n == after + 1);
        stage.pass_ms(250);
        match second.2 {
            Some(Deed::Person(a, what)) => stage.person(a, what),
            Some(Deed::System(k, on)) => stage.give(Given::System(SystemCondition::ALL[k], on)),
            None => {}
        }
        if let Some(same_boot) = start.filter(|_| after == n) {
            if waits_for_its_sample(&stage) {
                return None;
            }
            stage.start(same_boot);
        }
    }
    let mut told = restart_anywhere::outcome(stage.events);
    for (_, e) in told.iter_mut().filter(|_| ties == Ties::Across) {
        if let Some(fact) = e.get_mut("fact").and_then(|f| f.as_object_mut()) {
            fact.retain(|key, _| key != "reading" && key != "ne107" && key != "judged");
        }
    }
    // What was normal and no more has no row in a store: it is unknown until its next sample.
    for (_, e) in &mut told {
        for state in e.pointer_mut("/fact/states").and_then(|s| s.as_object_mut()).into_iter().flatten() {
            *state.1 = state.1.as_str().unwrap().replacen("unknown", "normal", 1).into();
        }
    }
    Some(told)
}

fn outcome_is_the_same(
    (dice, seconds, at): (&[Vec<u8>; 2], &[Second], prop::sample::Index),
    ties: Ties,
    same_boot: bool,
) -> Result<(), TestCaseError> {
    let after = at.index(seconds.len() - 1);
    let reject = || TestCaseError::reject("a delay ends between the start and its sample");
    let with = told(dice, ties, seconds, Some(same_boot), after).ok_or_else(reject)?;
    let without = told(dice, ties, seconds, None, after).expect("nothing starts");
    let first = with.iter().zip(&without).position(|(a, b)| a != b).unwrap_or(with.len().min(without.len()));
    let around = |told: &Told| {
        let line = |(ms, e): &(i64, serde_json::Value)| {
            format!("{ms} {} {} {}\n", e["kind"], e["fact"]["alarm"], e["fact"]["states"])
        };
        told.iter().skip(first.saturating_sub(12)).take(16).map(line).collect::<String>()
    };
    prop_assert_eq!(with.get(first), without.get(first), "after {}\n{}\n{}", after, around(&with), around(&without));
    Ok(())
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn a_start_at_any_moment_changes_no_outcome_of_a_wide_site(
        dice in [dice(), dice()],
        seconds in seconds(),
        at in any::<prop::sample::Index>(),
    ) {
        outcome_is_the_same((&dice, &seconds, at), Ties::Within, true)?;
        outcome_is_the_same((&dice, &seconds, at), Ties::Across, true)?;
    }

    #[test]
    fn nor_does_a_reboot_of_a_wide_site(
        dice in [dice(), dice()],
        seconds in seconds(),
        at in any::<prop::sample::Index>(),
    ) {
        outcome_is_the_same((&dice, &seconds, at), Ties::Within, false)?;
        outcome_is_the_same((&dice, &seconds, at), Ties::Across, false)?;
    }
}
