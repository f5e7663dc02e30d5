//! What the township office shows, read page by page, and compared with what its site owes it.

use crate::http::Client;
use serde_json::Value;
use std::collections::BTreeSet;

/// The site's events as the office lists them, in order of arrival; its own remarks (offline, back) have no number.
pub async fn arrived(officer: &Client) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut after = 0;
    loop {
        let page = officer.get(&format!("/api/v1/office/events?after={after}&limit=1000")).await;
        let page = page.as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        after = last["n"].as_u64().unwrap();
        all.extend(page);
    }
    all.retain(|event| !event["payload"]["seq"].is_null());
    all
}

/// What the journal owes and what the office shows are the same, one to one, field by field.
pub fn all_and_each_once(due: &[Value], shown: &[Value]) {
    let ids: BTreeSet<&str> = shown.iter().map(|e| e["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), shown.len(), "an event is shown twice");
    let lost: Vec<&Value> = due.iter().filter(|r| !ids.contains(r["event_id"].as_str().unwrap())).collect();
    assert!(lost.is_empty(), "lost at the office: {lost:#?}");
    assert_eq!(due.len(), shown.len(), "the office shows what the site never said");
    for event in shown {
        let record = due.iter().find(|r| r["event_id"] == event["event_id"]).unwrap();
        let payload = &event["payload"];
        for (at_office, at_site) in
            [("seq", "delivery_seq"), ("journal_seq", "seq"), ("kind", "kind"), ("hash", "hash")]
        {
            assert_eq!(payload[at_office], record[at_site], "{at_office} of {payload}");
        }
    }
}
