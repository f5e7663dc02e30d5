//! A start at any moment changes no outcome, except as the rules say.
//!
//! What they say is kept out of the stories: off-delays and release delays begin anew (here they are zero), chatter runs on an
//! off-delay (none here), and until its first good sample a pending alarm waits (here every point is well one second later).

use super::operations::{Move, Stage, full, reading};
use super::*;
use proptest::prelude::*;

fn site() -> BookParts {
    let mut p = full();
    let fault = |point: &str| Rule { on_delay: Duration::from_secs(4), ..rule(point, Condition::SensorFault, 2) };
    p.rules.extend([fault("GT-101"), fault("GT-102")]);
    p.rules.iter_mut().for_each(|r| r.off_delay = Duration::ZERO);
    p.suppressions[0].release_delay = Duration::ZERO;
    p.policy.chatter_window = Duration::ZERO;
    p
}

type Second = ([Reading; 3], Option<(usize, u8)>);

fn second() -> impl Strategy<Value = Second> {
    ([reading(), reading(), reading()], prop::option::weighted(0.3, (0..12_usize, 0..10_u8)))
}

/// All that happened, without numbers and without the start itself.
fn told(seconds: &[Second], start_after: Option<usize>, well_after: usize) -> Vec<(Now, EventKind)> {
    let mut stage = Stage::of(site());
    for (n, (readings, person)) in seconds.iter().enumerate() {
        let well = |r: &Reading| if n == well_after + 1 && r.value().is_none() { good(30.0) } else { *r };
        let scan = readings.iter().enumerate().map(|(p, r)| (p, well(r))).collect();
        stage.play(&Move::Scan(scan));
        if let Some((alarm, what)) = person {
            stage.person(*alarm, *what);
        }
        if start_after == Some(n) {
            stage.start();
        }
    }
    let events = stage.rig.events.into_iter();
    // What a start credits of a delay is said in the event, and is no outcome.
    let kind = |mut kind: EventKind| {
        if let Some(fact) = kind.fact_mut() {
            fact.gap_credited_ms = 0;
        }
        kind
    };
    events.map(|e| (e.at, kind(e.kind))).filter(|(_, kind)| !matches!(kind, EventKind::Started { .. })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_start_at_any_moment_changes_no_outcome(
        seconds in prop::collection::vec(second(), 2..60),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(seconds.len() - 1);
        prop_assert_eq!(told(&seconds, Some(at), at), told(&seconds, None, at));
    }
}
