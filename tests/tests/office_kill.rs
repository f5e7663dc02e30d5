//! `kill -9` of the office while events arrive: what it had shown is there afterwards, unchanged and once; what it had not yet taken comes again.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "figures of the run, shown with --nocapture")]

use e2e::http::Client;
use e2e::office::{all_and_each_once, arrived};
use e2e::peer::Mosquitto;
use e2e::plant::{Simulated, churn};
use e2e::station::Station;
use serde_json::Value;
use sim::Prng;
use std::sync::Arc;
use std::time::Duration;

const SEED: u64 = 31;
const KILLS: u32 = 8;
const SOON: Duration = Duration::from_secs(20);
/// A hole is asked for after 10 s, or 60 s while the site says that it has a backlog.
const ALL_THERE: Duration = Duration::from_secs(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_the_office_has_shown_is_lost_or_doubled_by_kill_9_of_the_office() {
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let plant = Arc::new(Simulated::start(SEED).await);
    let broker = Mosquitto::start(dir.path());
    let mut office = Station::office(dir.path(), broker.port);
    let site = Station::site(dir.path(), &plant.field(), broker.port, None);
    let operator = site.sign_in_as("operator-a", "operator").await;
    let officer = office.sign_in_as("duty-officer", "operator").await;
    let churn = tokio::spawn(churn(plant.clone(), SEED + 1, Duration::from_millis(150)));

    let mut prng = Prng::new(SEED);
    for kill in 1..=KILLS {
        let had = newest(&officer).await;
        let more = |events: &Value| (events[0]["n"].as_u64()? > had + 3).then_some(());
        officer.until("/api/v1/office/events?limit=1", SOON, more).await;
        // Any moment between taking, storing and answering.
        tokio::time::sleep(Duration::from_millis(prng.next_u64() % 1500)).await;
        let shown = arrived(&officer).await;
        office.program.kill();
        office.restart();
        as_before(&shown, &arrived(&officer).await, kill);
    }
    churn.abort();
    let drained = |s: &Value| (s["outbox"]["depth"] == 0).then_some(());
    operator.until("/api/v1/status", ALL_THERE, drained).await;
    let due: Vec<Value> = operator.journal().await.into_iter().filter(|r| !r["delivery_seq"].is_null()).collect();
    let shown = arrived(&officer).await;
    all_and_each_once(&due, &shown);
    println!("{KILLS} kills: {} events at the office, each once", shown.len());
}

async fn newest(officer: &Client) -> u64 {
    officer.get("/api/v1/office/events?limit=1").await[0]["n"].as_u64().unwrap_or(0)
}

/// Same place, same event, same words, same time of arrival.
fn as_before(shown: &[Value], now: &[Value], kill: u32) {
    for (before, after) in shown.iter().zip(now) {
        for field in ["n", "event_id", "payload", "received_at"] {
            assert_eq!(before[field], after[field], "{field} after kill {kill}");
        }
    }
    assert!(now.len() >= shown.len(), "{} events were shown before kill {kill}, {} after it", shown.len(), now.len());
}
