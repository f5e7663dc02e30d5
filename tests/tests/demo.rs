//! `hazard-gateway demo --scenario nh3-leak`, as somebody who has just downloaded it: one command, two pages, and within two seconds of the gas
//! passing a limit the alarm, the candidate, the event at the office and its receipt.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "figures of the run, shown with --nocapture")]

use e2e::clock::utc_ms;
use e2e::http::Client;
use e2e::peer::{Program, gateway_program, wait_until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const START: Duration = Duration::from_secs(30);
/// The gas needs 27 s to the second limit.
const LEAK: Duration = Duration::from_secs(60);
/// Poll period 1 s, delay of the alarm 0 s, and 1 s for everything else.
const WITHIN_MS: i64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_the_whole_chain_within_two_seconds_of_the_gas() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(gateway_program());
    let mut demo =
        Program::start("demo", dir.path(), command.args(["demo", "--scenario", "nh3-leak"]).env("TMPDIR", dir.path()));
    let (site, office) = addresses(&dir.path().join("demo.log"));
    for base in [&site, &office] {
        let page = Client::anonymous(base).request("GET", "/", None).await;
        assert!(page.status().is_success() && page.text().await.unwrap().contains("<html"), "no page at {base}");
    }
    let (operator, officer) = (Client::demo(&site).await, Client::demo(&office).await);
    let session = operator.get("/api/v1/session").await;
    assert_eq!((&session["kind"], &session["demo"]), (&json!("site"), &json!(true)), "{session}");
    assert_eq!(officer.get("/api/v1/session").await["kind"], "office");

    let curve = tokio::spawn(follow(operator.clone()));
    let (high, high_high) =
        tokio::join!(alarm_travels(&operator, &officer, "GT-102:H"), alarm_travels(&operator, &officer, "GT-102:HH"));
    let candidate_ms = high_high.candidate_ms.expect("a high-high alarm opens a candidate");
    let curve = curve.await.unwrap();
    for (limit, seen) in [(25.0, &high), (50.0, &high_high)] {
        let crossing_ms = crossing(&curve, limit);
        let mut steps = vec![("alarm", seen.alarm_ms), ("office", seen.office_ms), ("receipt", seen.receipt_ms)];
        if limit > 25.0 {
            steps.push(("candidate", candidate_ms));
        }
        let after: Vec<(&str, i64)> = steps.into_iter().map(|(step, ms)| (step, ms - crossing_ms)).collect();
        println!("ms after {limit} ppm: {after:?}");
        assert!(after.iter().all(|(_, ms)| *ms <= WITHIN_MS), "{limit} ppm: {after:?}");
    }
    the_operator_and_the_officer_can_act(&operator, &officer, &high_high.event_id).await;
    assert_eq!(demo.terminate(Duration::from_secs(10)), Some(0), "it ends cleanly");
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["demo.log"], "it leaves nothing behind");
}

/// The two addresses as they are printed.
fn addresses(log: &Path) -> (String, String) {
    let printed = |text: &str, label: &str| {
        let line = text.lines().find(|line| line.contains(label))?;
        Some(line[line.find("http://")?..].trim().to_owned())
    };
    let found = wait_until(START, || {
        let text = std::fs::read_to_string(log).ok()?;
        Some((printed(&text, "control room:")?, printed(&text, "township office:")?))
    });
    found.unwrap_or_else(|| panic!("no addresses printed:\n{}", std::fs::read_to_string(log).unwrap_or_default()))
}

/// When each step of an alarm's way was seen from outside.
#[derive(Debug)]
struct Seen {
    event_id: String,
    alarm_ms: i64,
    candidate_ms: Option<i64>,
    office_ms: i64,
    receipt_ms: i64,
}

async fn alarm_travels(operator: &Client, officer: &Client, key: &str) -> Seen {
    let find = |list: &Value, field: &str, value: &str| list.as_array()?.iter().find(|e| e[field] == value).cloned();
    let alarm = operator.until("/api/v1/alarms", LEAK, |a| Some((find(a, "id", key)?, utc_ms()))).await;
    let event_id = alarm.0["event_id"].as_str().unwrap().to_owned();
    let limit = Duration::from_secs(10);
    let candidate = async {
        if !key.ends_with(":HH") {
            return None;
        }
        let ms = operator.until("/api/v1/hazards", limit, |h| find(h, "cause", key).map(|h| (h, utc_ms()))).await;
        assert_eq!((&ms.0["risk"], &ms.0["stage"]["stage"]), (&json!("RA-01"), &json!("candidate")));
        Some(ms.1)
    };
    let office = officer.until("/api/v1/office/events", limit, |e| find(e, "event_id", &event_id).map(|_| utc_ms()));
    let received = |a: &Value| (find(a, "id", key)?["delivery"] == "received").then(utc_ms);
    let receipt = operator.until("/api/v1/alarms", limit, received);
    let (candidate_ms, office_ms, receipt_ms) = tokio::join!(candidate, office, receipt);
    Seen { event_id, alarm_ms: alarm.1, candidate_ms, office_ms, receipt_ms }
}

/// GT-102 as it is shown until it has passed 52 ppm: time of acquisition and value.
async fn follow(operator: Client) -> Vec<(i64, f64)> {
    let mut curve: Vec<(i64, f64)> = Vec::new();
    let done = |point: &Value| {
        let (at, value) = (point["utc_ms"].as_i64()?, point["value"].as_f64()?);
        if curve.last().is_none_or(|last| last.0 < at) {
            curve.push((at, value));
        }
        (value > 52.0).then_some(())
    };
    operator.until("/api/v1/points/GT-102", LEAK, done).await;
    curve
}

/// When the rising value passed a limit, on the line between the two readings around it.
fn crossing(curve: &[(i64, f64)], limit: f64) -> i64 {
    let pair = curve.windows(2).find(|pair| pair[0].1 < limit && pair[1].1 >= limit).expect("the gas passed the limit");
    let share = (limit - pair[0].1) / (pair[1].1 - pair[0].1);
    #[allow(clippy::cast_possible_truncation, reason = "a second at most")]
    let into_ms = (share * (pair[1].0 - pair[0].0) as f64) as i64;
    pair[0].0 + into_ms
}

/// Without any password, on this machine: acknowledge on one page, confirm on the other.
async fn the_operator_and_the_officer_can_act(operator: &Client, officer: &Client, event_id: &str) {
    let alarms = operator.get("/api/v1/alarms").await;
    let alarm = alarms.as_array().unwrap().iter().find(|a| a["event_id"] == event_id).unwrap();
    let path = format!("/api/v1/alarms/{}/ack", alarm["id"].as_str().unwrap());
    assert_eq!(operator.status("POST", &path, Some(json!({"seen_seq": alarm["seq"]}))).await, 200);
    let path = format!("/api/v1/office/events/{event_id}/confirm");
    assert_eq!(officer.status("POST", &path, Some(json!({"by": "值班员", "note": "已知悉"}))).await, 200);
    let confirmed = |alarms: &Value| {
        alarms.as_array()?.iter().find(|a| a["event_id"] == event_id && a["delivery"] == "confirmed").map(|_| ())
    };
    operator.until("/api/v1/alarms", Duration::from_secs(10), confirmed).await;
}
