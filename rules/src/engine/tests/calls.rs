//! Posts in the event of an escalation, and whom to call now.

use super::*;
use crate::book::Call;
use crate::event::AlarmFact;

fn with(calls: &[(u8, &str)]) -> Rig {
    let call = |(level, post): &(u8, &str)| Call { level: *level, post: (*post).into(), ..Call::default() };
    Rig::new(BookParts { calls: calls.iter().map(call).collect(), ..parts() }, Restored::default(), 0.0)
}

fn called(r: &Rig, alarm: &str) -> Vec<String> {
    r.engine.called(r.engine.alarm_index(alarm).unwrap()).map(|c| c.post.clone()).collect()
}

#[test]
fn the_posts_of_the_level_reached_are_called_until_somebody_acknowledges() {
    let mut r = with(&[(1, "值班长"), (2, "安全总监"), (2, "车间主任")]);
    r.hold(0, 62, 60.0);
    assert_eq!(called(&r, "GT-101:HH"), [""; 0], "raised and not escalated");
    r.hold(63, 64, 60.0);
    assert_eq!(called(&r, "GT-101:HH"), ["值班长"]);
    r.hold(65, 190, 60.0);
    assert_eq!(called(&r, "GT-101:HH"), ["安全总监", "车间主任"], "in the order in which they were written");
    r.ack(191.0, "GT-101:HH").unwrap();
    assert_eq!(called(&r, "GT-101:HH"), [""; 0]);
}

#[test]
fn nobody_is_called_for_an_alarm_under_its_outer_limit() {
    let mut r = with(&[(1, "值班长")]);
    r.hold(0, 184, 30.0);
    assert_eq!(called(&r, "GT-101:H"), ["值班长"]);
    r.hold(185, 190, 60.0);
    assert_eq!(called(&r, "GT-101:H"), [""; 0], "HH calls for both");
}

/// As a record of an earlier version has it: the chain over old records hashes these bytes.
const WITHOUT: &str = r#""level":2,"late_by_ms":7}"#;

#[test]
fn an_escalation_that_calls_nobody_has_the_bytes_of_before_and_those_are_read() {
    let event = |call: &[&str]| EventKind::Escalated {
        fact: AlarmFact::default(),
        level: 2,
        late_by_ms: 7,
        call: call.iter().map(|post| (*post).to_owned()).collect(),
    };
    let text = serde_json::to_string(&event(&[])).unwrap();
    assert!(text.ends_with(WITHOUT) && !text.contains("call"), "{text}");
    assert_eq!(serde_json::from_str::<EventKind>(&text).unwrap(), event(&[]));
    let text = serde_json::to_string(&event(&["值班长", "安全总监"])).unwrap();
    assert!(text.ends_with(r#""late_by_ms":7,"call":["值班长","安全总监"]}"#), "{text}");
}

#[test]
fn a_book_that_calls_nobody_is_kept_in_the_bytes_of_before() {
    let text = |parts: &BookParts| serde_json::to_string(parts).unwrap();
    assert!(!text(&parts()).contains("calls"), "{}", text(&parts()));
    let calls = vec![Call { level: 1, post: "值班长".into(), post_en: "Shift leader".into(), ..Call::default() }];
    let named = BookParts { calls, ..parts() };
    assert!(text(&named).contains(r#""calls":[{"level":1,"post":"值班长","post_en":"Shift leader"}]"#));
    assert_eq!(serde_json::from_str::<BookParts>(&text(&named)).unwrap(), named);
}
