//! A start at any moment changes no outcome, except as the rules say.
//!
//! What they say is kept out of the stories: off-delays and release delays begin anew (here they are zero), chatter runs on an
//! off-delay (none here), a trend begins empty (no gas here), and until its first good sample a pending alarm waits (here every point is well one second later).

use super::operations::{Move, Stage, full, reading};
use super::*;
use proptest::prelude::*;

fn site() -> BookParts {
    let mut p = full();
    let fault = |point: &str| Rule { on_delay: Duration::from_secs(4), ..rule(point, Condition::SensorFault, 2) };
    p.rules.extend([fault("GT-101"), fault("GT-102")]);
    // A trend begins empty with a start (2.4, as a rate).
    p.points.iter_mut().filter(|p| p.kind == PointKind::Gas).for_each(|p| p.kind = PointKind::Other);
    p.rules.iter_mut().for_each(|r| r.off_delay = Duration::ZERO);
    p.suppressions[0].release_delay = Duration::ZERO;
    p.policy.chatter_window = Duration::ZERO;
    p
}

type Second = ([Reading; 3], Option<(usize, u8)>);

fn second() -> impl Strategy<Value = Second> {
    ([reading(), reading(), reading()], prop::option::weighted(0.3, (0..12_usize, 0..10_u8)))
}

/// A start after so many seconds.
#[derive(Clone, Copy)]
struct Start {
    after: usize,
    same_boot: bool,
}

/// All that happened, with the time of the wall clock.
fn told(seconds: &[Second], start: Option<Start>, well_after: usize) -> Vec<(i64, serde_json::Value)> {
    let mut stage = Stage::of(site());
    for (n, (readings, person)) in seconds.iter().enumerate() {
        let well = |r: &Reading| if n == well_after + 1 && r.value().is_none() { good(30.0) } else { *r };
        let scan = readings.iter().enumerate().map(|(p, r)| (p, well(r))).collect();
        stage.play(&Move::Scan(scan));
        if let Some((alarm, what)) = person {
            stage.person(*alarm, *what);
        }
        if let Some(start) = start.filter(|start| start.after == n) {
            stage.start(start.same_boot);
        }
    }
    outcome(stage.rig.events)
}

/// Without numbers and without the start itself.
pub(super) fn outcome(events: Vec<Event>) -> Vec<(i64, serde_json::Value)> {
    // What a start credits of a delay is said in the event, and is no outcome.
    let kind = |mut kind: EventKind| {
        if let Some(fact) = kind.fact_mut() {
            fact.gap_credited_ms = 0;
        }
        kind
    };
    let told = events.into_iter().filter(|e| !matches!(e.kind, EventKind::Started { .. }));
    told.map(|e| (e.at.wall.utc_ms, without_mono(serde_json::to_value(kind(e.kind)).unwrap()))).collect()
}

/// The monotonic clock begins anew with a boot, and what it says of a time the wall clock says as well; numbers of events count the start.
fn without_mono(mut value: serde_json::Value) -> serde_json::Value {
    match &mut value {
        serde_json::Value::Object(fields) => {
            fields.retain(|key, value| key != "mono" && !key.ends_with("_seq") && !(key == "at" && value.is_u64()));
            fields.values_mut().for_each(|v| *v = without_mono(v.take()));
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|v| *v = without_mono(v.take())),
        _ => {}
    }
    value
}

fn outcome_is_the_same(seconds: &[Second], at: prop::sample::Index, same_boot: bool) -> Result<(), TestCaseError> {
    let after = at.index(seconds.len() - 1);
    prop_assert_eq!(told(seconds, Some(Start { after, same_boot }), after), told(seconds, None, after));
    Ok(())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_start_at_any_moment_changes_no_outcome(
        seconds in prop::collection::vec(second(), 2..60),
        at in any::<prop::sample::Index>(),
    ) {
        outcome_is_the_same(&seconds, at, true)?;
    }

    #[test]
    fn nor_does_a_reboot_whose_wall_clock_is_believed(
        seconds in prop::collection::vec(second(), 2..60),
        at in any::<prop::sample::Index>(),
    ) {
        outcome_is_the_same(&seconds, at, false)?;
    }
}
