use super::*;
use crate::mqtt::fixture;

#[test]
fn an_event_payload_has_every_field_of_the_interface() {
    let record = fixture::raised(1, 1);
    let payload = event_payload(&record, &fixture::site(), false);
    let golden = json!({
        "event_id": "demo-chemical-1", "site": "demo-chemical", "seq": 1, "journal_seq": 1, "boot_id": "boot-1",
        "time": "2026-01-02T03:04:05.006Z", "time_quality": "synced", "time_max_error_ms": null, "kind": "alarm.raised", "priority": 1,
        "point": "GT-102", "tag": "GT-102", "rule": "GT-102:HH", "condition": "HH", "value": 52.3, "limit": 50.0,
        "unit": "%LEL", "quality": "good", "risk_id": "RA-01", "risk_level": "major", "source_id": "A1",
        "hazard_id": null,
        "text": {
            "zh": "GT-102 液氨泵房 高高限报警发生：当前 52.3 %LEL，限值 50.0 %LEL；关联风险：RA-01 液氨储罐泄漏",
            "en": "GT-102 Ammonia pump room: high-high alarm raised: now 52.3 %LEL, limit 50.0 %LEL; risk: RA-01 Ammonia tank leak"
        },
        "durable": true, "replay": false, "drill": false, "flood": false, "hash": "aa", "prev_hash": "00",
    });
    assert_eq!(payload, golden);
}

#[test]
fn a_payload_that_is_too_large_is_cut_and_never_refused() {
    let mut record = fixture::raised(1, 1);
    record.event.kind = EventKind::Notice { code: "x".into(), text_zh: "长".repeat(900_000), text_en: "l".into() };
    let bytes = event_bytes(&record, &fixture::site(), false);
    assert!(bytes.len() < PAYLOAD_BYTES_MAX);
    let payload: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(payload["truncated"], true);
    assert_eq!(payload["event_id"], "demo-chemical-1");
}

#[test]
fn an_event_nobody_can_read_still_arrives_with_its_number() {
    let damaged =
        Damaged { event_id: "demo-chemical-7".into(), kind: "alarm.raised".into(), priority: 1, ..Damaged::default() };
    let payload: Value = serde_json::from_slice(&damaged_bytes(&damaged, 7, &fixture::site(), true)).unwrap();
    assert_eq!(
        (&payload["event_id"], &payload["seq"], &payload["site"]),
        (&"demo-chemical-7".into(), &7.into(), &"demo-chemical".into())
    );
    assert_eq!(
        (&payload["unreadable"], &payload["replay"], &payload["drill"]),
        (&true.into(), &true.into(), &false.into())
    );
}

#[test]
fn a_candidate_weighs_what_its_risk_weighs() {
    let mut site = fixture::site();
    let hazard = rules::hazard::Hazard {
        id: "HD-1".into(),
        measure: "M-1".into(),
        risk: "RA-01".into(),
        cause: "GT-102:HH".into(),
        opened: rules::Now::default(),
        occurrences: Vec::new(),
        stage: rules::hazard::Stage::Candidate,
        found: None,
        repeat_of: None,
        moved_seq: 0,
        overdue: false,
    };
    let opened = EventKind::HazardOpened { hazard: hazard.clone() };
    let levels = [RiskLevel::Major, RiskLevel::Considerable, RiskLevel::General, RiskLevel::Low];
    let weights = levels.map(|level| {
        site.risks[0].level = level;
        priority(&opened, &site.risks)
    });
    assert_eq!(weights, [1, 2, 3, 3]);
    site.risks[0].level = RiskLevel::Major;
    assert_eq!(priority(&EventKind::HazardStage { hazard }, &site.risks), 3, "people are at work on it");
    site.risks.clear();
    assert_eq!(priority(&opened, &site.risks), 3);
}
