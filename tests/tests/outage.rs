//! Broker and database go away while alarms come and go, and come back: nothing is lost at the office or in InfluxDB, nothing is shown twice,
//! nothing out of order. The broker comes back with an empty session and an empty store, and the site is killed meanwhile: only its outbox on disk
//! can know what is owed.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "figures of the run, shown with --nocapture")]

use e2e::clock::utc_ms;
use e2e::http::Client;
use e2e::influx::Influx;
use e2e::office::{all_and_each_once, arrived};
use e2e::oracle::must_equal;
use e2e::peer::Mosquitto;
use e2e::plant::{Simulated, churn};
use e2e::registers::POINTS;
use e2e::station::Station;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SEED: u64 = 23;
const SOON: Duration = Duration::from_secs(20);
/// Longest pause between two attempts is 30 s for the broker and 60 s for the database.
const BROKER_BACK: Duration = Duration::from_secs(60);
const DATABASE_BACK: Duration = Duration::from_secs(100);

/// `HAZARD_OUTAGE_S`: 15 s in CI, 60 s in the long version.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("HAZARD_OUTAGE_S").ok().map_or(15, |s| s.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_at_the_office_when_the_broker_forgets_everything() {
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let plant = Arc::new(Simulated::start(SEED).await);
    let mut broker = Mosquitto::start(dir.path());
    let office = Station::office(dir.path(), broker.port);
    let mut site = Station::site(dir.path(), &plant.field(), broker.port, None);
    let operator = site.sign_in_as("operator-a", "operator").await;
    let officer = office.sign_in_as("duty-officer", "operator").await;
    let churn = tokio::spawn(churn(plant.clone(), SEED + 1, Duration::from_millis(300)));
    officer.until("/api/v1/office/events", SOON, |events| (events.as_array()?.len() >= 10).then_some(())).await;

    broker.program.kill();
    let (before, at_office) = (raised(&operator).await, arrived(&officer).await.len());
    operator.until("/api/v1/status", SOON, |s| (s["outbox"]["connected"] == false).then_some(())).await;
    tokio::time::sleep(outage() / 2).await;
    // What waits must not live in memory.
    site.program.kill();
    site.restart();
    tokio::time::sleep(outage() / 2).await;
    let during = raised(&operator).await - before;
    assert!(during >= 5, "alarms go on without a broker: {during} raised");
    let waiting = operator.get("/api/v1/status").await["outbox"]["depth"].as_u64().unwrap();
    assert!(waiting > during, "{waiting} wait for {during} raised");
    broker.restart_empty();
    let connected =
        |s: &Value| (s["outbox"]["connected"] == true && s["outbox"]["depth"].as_u64()? < waiting).then_some(());
    operator.until("/api/v1/status", BROKER_BACK, connected).await;
    churn.abort();
    let drained = |s: &Value| (s["outbox"]["depth"] == 0).then_some(());
    operator.until("/api/v1/status", BROKER_BACK, drained).await;

    let shown = arrived(&officer).await;
    let due: Vec<Value> = operator.journal().await.into_iter().filter(|r| !r["delivery_seq"].is_null()).collect();
    all_and_each_once(&due, &shown);
    in_order(&shown);
    let standing = officer.get("/api/v1/office/sites").await;
    assert_eq!((&standing[0]["missing"], &standing[0]["online"]), (&json!([]), &json!(true)), "{standing}");
    println!("{} events at the office, {at_office} before the outage; {waiting} waited at its end", shown.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_the_database_when_it_dies_and_returns() {
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let plant = Arc::new(Simulated::start(SEED).await);
    let broker = Mosquitto::start(dir.path());
    let mut influx = Influx::start(dir.path()).await;
    let site = Station::site(dir.path(), &plant.field(), broker.port, Some(&influx));
    let operator = site.sign_in_as("operator-a", "operator").await;
    let churn = tokio::spawn(churn(plant.clone(), SEED + 1, Duration::from_millis(300)));
    influx.until_after(utc_ms(), POINTS, SOON).await;

    influx.program.kill();
    let before = raised(&operator).await;
    operator.until("/api/v1/status", SOON, |s| (!s["storage"]["influx_last_error"].is_null()).then_some(())).await;
    tokio::time::sleep(outage()).await;
    let during = raised(&operator).await - before;
    assert!(during >= 5, "alarms go on without a database: {during} raised");
    influx.restart();
    let cut_ms = utc_ms();
    let stored = influx.until_after(cut_ms, POINTS, DATABASE_BACK).await;
    churn.abort();
    let pairs = must_equal(&plant, &stored, cut_ms);
    println!("{pairs} values in InfluxDB, each equal to what its instrument sent; {during} alarms raised meanwhile");
}

/// How often an alarm was raised or returned so far.
async fn raised(operator: &Client) -> u64 {
    let alarm = |r: &&Value| ["alarm.raised", "alarm.returned"].contains(&r["kind"].as_str().unwrap());
    operator.journal().await.iter().filter(alarm).count() as u64
}

/// In order of arrival the numbers rise; only the most urgent may overtake, and rise among themselves.
fn in_order(shown: &[Value]) {
    for urgent in [true, false] {
        let of_class = shown.iter().filter(|e| (e["payload"]["priority"] == 1) == urgent);
        let of = |e: &Value| (e["payload"]["seq"].as_u64().unwrap(), e["payload"]["kind"].to_string());
        let seqs: Vec<(u64, String)> = of_class.map(of).collect();
        assert!(seqs.is_sorted_by_key(|(seq, _)| *seq), "priority 1: {urgent}, order of arrival: {seqs:?}");
    }
}
