//! The whole chain with real peers: instruments over TCP and a serial line → site → Mosquitto → office → a person → back to the site, and into
//! InfluxDB. Everything is seen from outside: the API of both stations and the database.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "figures of the run, shown with --nocapture")]

use e2e::clock::utc_ms;
use e2e::http::{Client, found};
use e2e::influx::Influx;
use e2e::oracle::{Kept, must_equal};
use e2e::peer::Mosquitto;
use e2e::plant::Simulated;
use e2e::registers::POINTS;
use e2e::station::Station;
use serde_json::{Value, json};
use sim::Scenario;
use std::collections::BTreeMap;
use std::time::Duration;

const SEED: u64 = 11;
const SOON: Duration = Duration::from_secs(10);
/// The gas needs 27 s to the second limit.
const LEAK: Duration = Duration::from_secs(45);
const ALARM: &str = "GT-102:HH";
/// The name the duty officer writes under it; the account is `duty-officer`.
const OFFICER: &str = "镇应急办值班员甲";
const NOTE: &str = "已电话核实，水幕已开 · checked by phone, water curtain is on";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leak_reaches_the_duty_officer_whose_confirmation_reaches_the_site() {
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let plant = Simulated::start(SEED).await;
    let broker = Mosquitto::start(dir.path());
    let mut influx = Influx::start(dir.path()).await;
    // this machine by an address that does not say so: the bodies are packed, as they are to a server elsewhere
    influx.url = influx.url.replace("127.0.0.1", "0.0.0.0");
    let office = Station::office(dir.path(), broker.port);
    let mut site = Station::site(dir.path(), &plant.field(), broker.port, Some(&influx));
    let admin = site.first_admin().await;
    let operator = site.person(&admin, "operator-a", "operator").await;
    let safety = site.person(&admin, "safety-a", "safety").await;
    let viewer = site.sign_in_as("viewer-a", "viewer").await;
    let officer = office.sign_in_as("duty-officer", "operator").await;
    let clerk = office.sign_in_as("clerk", "viewer").await;
    every_instrument_answers(&operator).await;

    plant.begin(Scenario::Nh3Leak);
    let alarm = operator.until("/api/v1/alarms", LEAK, |alarms| found(alarms, "id", ALARM)).await;
    assert_eq!((&alarm["priority"], &alarm["risk"], &alarm["state"]), (&json!(1), &json!("RA-01"), &json!("unacked")));
    let event_id = alarm["event_id"].as_str().unwrap().to_owned();
    let candidate = operator.until("/api/v1/hazards", SOON, |hazards| found(hazards, "cause", ALARM)).await;
    assert_eq!((&candidate["risk"], &candidate["stage"]["stage"]), (&json!("RA-01"), &json!("candidate")));

    let at_office = officer.until("/api/v1/office/events", SOON, |events| found(events, "event_id", &event_id)).await;
    as_the_site_says(&at_office, &alarm);
    the_record_has_the_register(&operator, &event_id).await;
    delivery_becomes(&operator, "received").await;
    confirmation(&operator, &officer, &clerk, &event_id).await;
    acknowledgement(&site, &operator, &viewer, &officer).await;
    decision(&operator, &safety, candidate["id"].as_str().unwrap()).await;

    let counted = database_equals_instruments(&plant, &influx).await;
    println!("{counted} values in InfluxDB, each equal to what its instrument sent");
    transitions_are_mirrored(&influx).await;
    assert_eq!(
        site.program.terminate(Duration::from_secs(10)),
        Some(0),
        "SIGTERM ends cleanly within 10 s:\n{}",
        site.log()
    );
}

/// Measurement `alarm`: the raise and the acknowledgement stand beside the curve.
async fn transitions_are_mirrored(influx: &Influx) {
    let mut turn = tokio::time::interval(Duration::from_millis(300));
    let there = async {
        loop {
            turn.tick().await;
            let transitions = influx.transitions(ALARM).await;
            if ["raised", "acked"].iter().all(|name| transitions.iter().any(|t| t == name)) {
                return transitions;
            }
        }
    };
    let transitions =
        tokio::time::timeout(Duration::from_secs(20), there).await.expect("alarm transitions in InfluxDB");
    println!("{ALARM} in InfluxDB: {}", transitions.join(", "));
}

/// All points are good, also those on the serial line and the one that is computed.
async fn every_instrument_answers(operator: &Client) {
    let all_good = |points: &Value| {
        let points = points.as_array()?;
        (points.len() == POINTS && points.iter().all(|p| p["quality"] == 0)).then_some(())
    };
    operator.until("/api/v1/points", SOON, all_good).await;
    let all_up = |buses: &Value| {
        let up = buses.as_array()?.iter().filter(|b| b["up"] == true);
        (up.map(|b| b["key"].as_str().unwrap()).collect::<Vec<_>>() == ["tcp-a1", "tcp-a2", "rtu-a3"]).then_some(())
    };
    operator.until("/api/v1/devices", SOON, all_up).await;
}

fn as_the_site_says(at_office: &Value, alarm: &Value) {
    let payload = &at_office["payload"];
    for (field, expected) in [
        ("kind", json!("alarm.raised")),
        ("site", json!("demo-chemical")),
        ("point", json!("GT-102")),
        ("tag", json!("GT-102")),
        ("condition", json!("HH")),
        ("priority", json!(1)),
        ("limit", json!(50.0)),
        ("value", alarm["value"].clone()),
        ("unit", json!("ppm")),
        ("quality", json!("good")),
        ("risk_id", json!("RA-01")),
        ("risk_level", json!("major")),
        ("journal_seq", alarm["seq"].clone()),
        ("durable", json!(true)),
        ("drill", json!(false)),
    ] {
        assert_eq!(payload[field], expected, "{field} of {payload}");
    }
    assert!(payload["text"]["zh"].as_str().unwrap().contains("GT-102"), "{payload}");
    assert_eq!(at_office["by"], Value::Null, "nobody has confirmed yet");
}

/// The module sends tenths of a ppm in one register: the record tells the value and the register it was made of.
async fn the_record_has_the_register(operator: &Client, event_id: &str) {
    let raised = |events: &Value| found(events, "event_id", event_id);
    let record = operator.until("/api/v1/events?after_seq=0&limit=1000&type=alarm.raised", SOON, raised).await;
    let register = u16::from_str_radix(record["fact"]["raw"].as_str().unwrap(), 16).unwrap();
    assert_eq!(record["fact"]["reading"], json!({ "good": f64::from(register) / 10.0 }), "{record}");
}

async fn delivery_becomes(operator: &Client, state: &str) {
    let stands = |alarms: &Value| (found(alarms, "id", ALARM)?["delivery"] == state).then_some(());
    operator.until("/api/v1/alarms", SOON, stands).await;
}

/// The duty officer confirms with a note; the site shows that it is confirmed and by whom.
async fn confirmation(operator: &Client, officer: &Client, clerk: &Client, event_id: &str) {
    let path = format!("/api/v1/office/events/{event_id}/confirm");
    let body = || Some(json!({ "by": OFFICER, "note": NOTE }));
    assert_eq!(Client::anonymous(officer.base()).status("POST", &path, body()).await, 401);
    assert_eq!(clerk.status("POST", &path, body()).await, 403);
    assert_eq!(officer.status("POST", &path, Some(json!({ "note": NOTE }))).await, 422, "without a name");
    assert_eq!(officer.status("POST", &path, body()).await, 200);
    delivery_becomes(operator, "confirmed").await;
    let receipt = |events: &Value| {
        let of_person =
            |r: &&Value| r["kind"] == "delivery.receipt" && r["receipt_for"] == event_id && !r["by"].is_null();
        events.as_array()?.iter().find(of_person).cloned()
    };
    let record = operator.until("/api/v1/events?after_seq=0&limit=1000", SOON, receipt).await;
    assert_eq!((&record["by"], &record["note"]), (&json!(OFFICER), &json!(NOTE)));
    let shown = found(&officer.get("/api/v1/office/events").await, "event_id", event_id).unwrap();
    assert_eq!(
        (&shown["by"], &shown["note"], &shown["by_user"]),
        (&json!(OFFICER), &json!(NOTE), &json!("duty-officer"))
    );
}

/// An operator acknowledges what is on the screen; nobody else can, and not what has changed meanwhile.
async fn acknowledgement(site: &Station, operator: &Client, viewer: &Client, officer: &Client) {
    let path = format!("/api/v1/alarms/{ALARM}/ack");
    let alarm = found(&operator.get("/api/v1/alarms").await, "id", ALARM).unwrap();
    let body = |seq: u64| Some(json!({"seen_seq": seq, "comment": "水幕已开"}));
    let seq = alarm["seq"].as_u64().unwrap();
    assert_eq!(Client::anonymous(&site.base).status("POST", &path, body(seq)).await, 401);
    assert_eq!(viewer.status("POST", &path, body(seq)).await, 403);
    assert_eq!(operator.status("POST", &path, body(seq - 1)).await, 409, "another state than the one seen");
    assert_eq!(operator.status("POST", &path, body(seq)).await, 200);
    let acked = found(&operator.get("/api/v1/alarms").await, "id", ALARM).unwrap();
    assert_eq!((&acked["state"], &acked["acked_by"]), (&json!("acked"), &json!("operator-a")));
    let told = |events: &Value| {
        let of_ack = |e: &&Value| e["payload"]["kind"] == "alarm.acked" && e["payload"]["rule"] == ALARM;
        events.as_array()?.iter().find(of_ack).cloned()
    };
    officer.until("/api/v1/office/events", SOON, told).await;
}

/// The candidate becomes a registered hidden danger by the safety officer, not by the operator.
async fn decision(operator: &Client, safety: &Client, hazard: &str) {
    let path = format!("/api/v1/hazards/{hazard}/confirm");
    let body = || Some(json!({"reason": "现场确认阀门泄漏"}));
    assert_eq!(operator.status("POST", &path, body()).await, 403);
    assert_eq!(safety.status("POST", &path, body()).await, 200);
    let registered = found(&operator.get("/api/v1/hazards").await, "id", hazard).unwrap();
    assert_eq!(registered["stage"]["stage"], "registered");
    assert_eq!(registered["stage"]["confirmed"]["by"], "safety-a");
}

/// Value by value, count and order: what InfluxDB gives back is what the instruments sent. Gives the number of values.
async fn database_equals_instruments(plant: &Simulated, influx: &Influx) -> usize {
    let cut_ms = utc_ms();
    let stored = influx.until_after(cut_ms, POINTS, Duration::from_secs(20)).await;
    let pairs = must_equal(plant, &stored, cut_ms);
    let peak = |rows: &BTreeMap<String, Vec<Kept>>| rows["GT-102"].iter().map(|k| k.value).fold(0.0, f64::max);
    assert!(peak(&stored) >= 50.0, "the leak is in the database");
    pairs
}
