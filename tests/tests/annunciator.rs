//! The annunciator as a person in the control room has it: the built binary, instruments that read gas, a relay module with a sounder behind it. What
//! sounds is seen at the module's own end of the wire; no browser is open.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "figures of the run, shown with --nocapture")]

use e2e::clock::utc_ms;
use e2e::http::{Client, found};
use e2e::peer::free_port;
use e2e::plant::Simulated;
use e2e::registers::POINTS;
use e2e::station::Station;
use serde_json::{Value, json};
use sim::{Relay, RelayFault};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SEED: u64 = 23;
const SOON: Duration = Duration::from_secs(10);
/// Commit to coil.
const LATENCY_MS: i64 = 1000;
/// A failure is told after three seconds, the rest is the scan of a page.
const FAILED: Duration = Duration::from_secs(8);
/// A module that answers again is trusted after half a minute of it.
const TRUSTED: Duration = Duration::from_secs(45);
const TEST: &str = "/api/v1/annunciator/test";
const OWN_ALARM: &str = "system:annunciator_failed";

/// Waits until the room is as it should be; when that was.
async fn until(relay: &Relay, what: &str, is: impl Fn(&Relay) -> bool) -> i64 {
    let begun = Instant::now();
    while !is(relay) {
        assert!(begun.elapsed() < SOON, "{what}: not within {SOON:?}");
        sleep(Duration::from_millis(2)).await;
    }
    utc_ms()
}

async fn alarm(person: &Client, id: &str, limit: Duration, is: impl Fn(&Value) -> bool) -> Value {
    person.until("/api/v1/alarms", limit, |alarms| found(alarms, "id", id).filter(&is)).await
}

async fn acknowledge_all(person: &Client) {
    for alarm in person.get("/api/v1/alarms").await.as_array().unwrap() {
        let path = format!("/api/v1/alarms/{}/ack", alarm["id"].as_str().unwrap());
        person.status("POST", &path, Some(json!({"seen_seq": alarm["seq"], "comment": "已知"}))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_room_hears_what_the_gateway_decides_and_learns_when_it_could_not() {
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let plant = Simulated::start(SEED).await;
    let relay = plant.relay().clone();
    let mut site = Station::site(dir.path(), &plant.field(), free_port(), None);
    let operator = site.sign_in_as("operator-a", "operator").await;
    let viewer = site.sign_in_as("viewer-a", "viewer").await;
    until(&relay, "the gateway lives", |r| r.coil(2)).await;
    acknowledge_all(&operator).await;
    until(&relay, "nothing sounds", |r| !r.sounds()).await;

    sounds_soon_and_follows_people(&plant, &relay, &operator).await;
    a_dead_module_is_an_alarm_and_disturbs_no_instrument(&relay, &operator).await;
    a_person_tests_it(&relay, &operator, &viewer).await;

    assert_eq!(relay.written(), [(5, 0), (5, 1), (5, 2)], "single coils, and only those of the configuration");
    site.program.kill();
    until(&relay, "a gateway that died lets its wire go", |r| !r.coil(2)).await;
    site.restart();
    until(&relay, "the gateway lives again", |r| r.coil(2)).await;
    assert_eq!(site.program.terminate(SOON), Some(0), "{}", site.log());
    assert!((0..8).all(|n| !relay.coil(n)), "an orderly stop switches everything off");
}

async fn sounds_soon_and_follows_people(plant: &Simulated, relay: &Relay, operator: &Client) {
    plant.hold("GT-102", 35.0);
    let sounded = until(relay, "a P2 sounds", Relay::sounds).await;
    let raised = alarm(operator, "GT-102:H", SOON, |a| a["state"] == "unacked").await;
    let latency = sounded - raised["raised_utc_ms"].as_i64().unwrap();
    println!("raised to sound: {latency} ms");
    assert!(latency <= LATENCY_MS, "{latency} ms from raise to coil");
    assert!(relay.coil(1), "and lights");

    assert_eq!(operator.status("POST", "/api/v1/silence", Some(json!({}))).await, 200);
    until(relay, "silence, light", |r| !r.sounds() && r.coil(1)).await;
    plant.hold("GT-102", 70.0);
    until(relay, "a new P1 breaks the silence", Relay::sounds).await;
    alarm(operator, "GT-102:HH", SOON, |a| a["sounds"] == true).await;
    relay.restart();
    until(relay, "a module that restarted sounds again", |r| r.sounds() && r.coil(1) && r.coil(2)).await;
    acknowledge_all(operator).await;
    until(relay, "acknowledged: silence, light", |r| !r.sounds() && r.coil(1)).await;
}

async fn a_dead_module_is_an_alarm_and_disturbs_no_instrument(relay: &Relay, operator: &Client) {
    relay.suffer(RelayFault::Silent);
    let failed = alarm(operator, OWN_ALARM, FAILED, |a| a["state"] == "unacked").await;
    assert_eq!(failed["priority"], 2);
    assert!(failed["action"].as_str().unwrap().contains("继电器") && !failed["action_en"].as_str().unwrap().is_empty());
    let fresh = |points: &Value| points.as_array().unwrap().iter().filter(|p| p["quality"] == 0).count();
    let points = operator.get("/api/v1/points").await;
    assert_eq!(fresh(&points), POINTS, "every instrument is read as before");
    relay.suffer(RelayFault::None);
    alarm(operator, OWN_ALARM, TRUSTED, |a| a["state"] == "returned_unacked").await;
    acknowledge_all(operator).await;
    until(relay, "nothing sounds", |r| !r.sounds()).await;
}

async fn a_person_tests_it(relay: &Relay, operator: &Client, viewer: &Client) {
    let body = || Some(json!({"reason": "交接班试音"}));
    assert_eq!(viewer.status("POST", TEST, body()).await, 403);
    assert_eq!(operator.status("POST", TEST, Some(json!({}))).await, 422, "without a reason");
    assert_eq!(operator.status("POST", TEST, body()).await, 200);
    until(relay, "a pulse", Relay::sounds).await;
    let tested = |events: &Value| {
        let last = events.as_array()?.iter().rev().find(|e| e["kind"] == "annunciator.tested")?;
        Some((last["fault"].clone(), last["asked_by"].clone()))
    };
    let journal = "/api/v1/events?after_seq=0&limit=1000";
    let passed = operator.until(journal, SOON, tested).await;
    assert_eq!(passed, (Value::Null, json!("operator-a")));
    assert!(!relay.sounds());

    relay.suffer(RelayFault::Mute);
    assert_eq!(operator.status("POST", TEST, body()).await, 200);
    let failed = |events: &Value| tested(events).filter(|(fault, _)| !fault.is_null());
    assert_eq!(operator.until(journal, SOON, failed).await.0, "feedback_missing");
    alarm(operator, OWN_ALARM, SOON, |a| a["state"] == "unacked").await;
    relay.suffer(RelayFault::None);
    acknowledge_all(operator).await;
    until(relay, "nothing sounds", |r| !r.sounds()).await;
    alarm(operator, OWN_ALARM, SOON, |a| a["state"] == "acked").await;
    assert_eq!(operator.status("POST", TEST, body()).await, 200);
    operator.until("/api/v1/alarms", SOON, |alarms| found(alarms, "id", OWN_ALARM).is_none().then_some(())).await;
    let status = operator.get("/api/v1/status").await;
    let figures = &status["annunciator"];
    assert_eq!((&figures["fault"], &figures["last_test"]["passed"]), (&Value::Null, &json!(true)), "{figures}");
    assert_eq!((&figures["tests_passed"], &figures["tests_failed"]), (&json!(2), &json!(1)));
}
