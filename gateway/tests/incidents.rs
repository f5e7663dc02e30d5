//! What the flight recorder kept around an incident, from outside: it outlives a kill, and what nobody can read hinders no start.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::Value;
use support::{Gateway, Site, hazard_gateway};

const SECRET: &str = "红杉木在雨后的山坡上生长";

fn saved(list: &Value) -> Option<Value> {
    list["incidents"].as_array()?.iter().find(|one| one["saved"] == true).cloned()
}

/// An alarm around whose raise frames are kept.
fn with_frames(alarms: &Value) -> Option<Value> {
    alarms.as_array()?.iter().find(|one| one["incident"]["number"].is_u64()).cloned()
}

#[test]
fn an_incident_outlives_a_kill_and_an_unreadable_file_is_set_aside_with_a_notice() {
    let site = Site::minimal();
    for (name, role) in [("ada", "admin"), ("vera", "viewer")] {
        assert_eq!(hazard_gateway(&site, &["user", "add", name, "--role", role], SECRET).code, 0);
    }
    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    let first = saved(&gateway.until("/api/v1/incidents", Some(&cookie), |list| saved(list).is_some())).unwrap();
    drop(gateway);
    std::fs::write(site.data().join("incidents/00000077.json"), "{\"number\": 77,").unwrap();

    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    let again = gateway.until("/api/v1/incidents", Some(&cookie), |list| saved(list).is_some());
    let again = again["incidents"].as_array().unwrap().iter().find(|one| one["number"] == first["number"]).unwrap();
    assert_eq!(again["cause"], first["cause"]);
    assert!(!again["event_ids"].as_array().unwrap().is_empty(), "{again}");
    let file = format!("/api/v1/devices/{}/incidents", first["bus"].as_str().unwrap());
    let file = gateway.get(&file, Some(&cookie));
    assert_eq!(file["incidents"][0]["number"], first["number"], "{file}");
    let alarms = gateway.until("/api/v1/alarms", Some(&cookie), |alarms| with_frames(alarms).is_some());
    let row = with_frames(&alarms).unwrap();
    let file = format!(
        "/api/v1/devices/{}/incidents?event_id={}",
        row["incident"]["bus"].as_str().unwrap(),
        row["event_id"].as_str().unwrap()
    );
    let file = gateway.get(&file, Some(&cookie));
    assert_eq!(file["incidents"][0]["number"], row["incident"]["number"], "an alarm leads to its frames: {file}");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie));
    let said = events.as_array().unwrap().iter().find(|e| e["code"] == "incidents_set_aside").expect("a notice");
    assert!(said["text_zh"].as_str().unwrap().contains("00000077.json"), "{said}");
}
