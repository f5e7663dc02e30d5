//! What every alarm event says of the alarm's state before and after it.

use super::*;

#[test]
fn every_alarm_event_carries_the_state_before_and_after_and_the_revision_of_the_rules() {
    let parts = BookParts { revision: "abc123".into(), ..parts() };
    let mut r = Rig::new(parts, Restored::default(), 0.0);
    r.scan(0.0, &[(0, good(10.0))]);
    for t in 1..=9 {
        r.scan(f64::from(t), &[(0, good(90.0))]);
    }
    let facts: Vec<_> = r.events.iter().filter_map(|e| e.kind.fact()).collect();
    assert!(facts.len() > 3, "{facts:?}");
    assert!(facts.iter().all(|f| f.config_rev == "abc123" && f.states.is_some()), "{facts:?}");
    for pair in facts.windows(2).filter(|pair| pair[0].alarm == pair[1].alarm) {
        assert_eq!(pair[0].states.as_ref().unwrap().after, pair[1].states.as_ref().unwrap().before);
    }
    let raised = r.events.iter().find(|e| matches!(e.kind, EventKind::Raised { .. })).unwrap();
    assert!(raised.kind.fact().unwrap().states.as_ref().unwrap().after.starts_with("active unacked"));
}
