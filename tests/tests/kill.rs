//! `kill -9` again and again while alarms come and go: what the page, the API or the broker had shown is there afterwards, unchanged.
//!
//! Samples are counted from outside: the instruments note each answer they send; after the last kill the history is read back and every
//! answer without its sample must have been sent in the last second before a kill. The poll period is 1 s, so that is at most one sample
//! of each point, two where the kill falls between two polls of the same commit.

#![allow(clippy::print_stdout, reason = "figures of the run, shown with --nocapture")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use e2e::clock::utc_ms;
use e2e::http::Client;
use e2e::oracle::judge;
use e2e::peer::{Mosquitto, wait_until};
use e2e::plant::{Simulated, churn};
use e2e::registers::REGISTERS;
use e2e::station::Station;
use e2e::witness::Witness;
use serde_json::{Value, json};
use sim::Prng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Set by `HAZARD_KILLS`.
const KILLS_USUAL: u32 = 20;
const SEED: u64 = 7;
/// Samples that are not yet in a commit: the commit interval of the demo site.
const LOSS_MAX_MS: i64 = 1000;
/// From the moment noted before a kill until the process is gone; it may still be asking.
const KILL_TAKES_MS: i64 = 100;
const LIMIT: Duration = Duration::from_secs(30);

/// An acknowledgement that was answered with 200.
#[derive(Clone, Debug)]
struct Acknowledged {
    alarm: String,
    occurrence: u64,
    /// The entry in the answer.
    record: Value,
}

type Acks = Arc<Mutex<Vec<Acknowledged>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_shown_is_lost_or_changed_by_kill_9() {
    let kills: u32 = std::env::var("HAZARD_KILLS").ok().map_or(KILLS_USUAL, |n| n.parse().unwrap());
    println!("seed {SEED}");
    let dir = tempfile::tempdir().unwrap();
    let plant = Arc::new(Simulated::start(SEED).await);
    let broker = Mosquitto::start(dir.path());
    let begun_ms = utc_ms();
    let mut site = Station::site(dir.path(), &plant.field(), broker.port, None);
    let admin = site.first_admin().await;
    let operator = site.person(&admin, "operator-a", "operator").await;
    let mut witness = Witness::default();
    witness.watch_page(&operator);
    witness.watch_api(&operator);
    witness.watch_broker(broker.port, true);
    let acks = Acks::default();
    let churn = tokio::spawn(churn(plant.clone(), SEED + 1, Duration::from_millis(150)));
    let acknowledging = tokio::spawn(acknowledge(operator.clone(), acks.clone()));

    let mut prng = Prng::new(SEED);
    let mut killed_ms = Vec::new();
    for kill in 1..=kills {
        // Every fourth kill comes as it may, also during the start; the others when something new has just been shown.
        if kill % 4 != 0 {
            let shown = witness.ledger().records.len();
            let more = wait_until(LIMIT, || (witness.ledger().records.len() > shown + 2).then_some(()));
            assert!(more.is_some(), "nothing new is shown before kill {kill}; log:\n{}", site.log());
        }
        // Any moment of a commit, a publish or an acknowledgement: not a wait for something.
        tokio::time::sleep(Duration::from_millis(prng.next_u64() % 3000)).await;
        killed_ms.push(utc_ms());
        site.program.kill();
        site.restart();
        acknowledgements_stand(&operator, &acks, kill).await;
    }
    churn.abort();
    acknowledging.abort();

    nothing_waits(&operator).await;
    let journal = operator.journal().await;
    whole_and_chained(&journal);
    every_kill_is_said(&journal);
    // the outbox's figures are a second old: what came after them is on its way
    let _ = wait_until(LIMIT, || unpublished(&witness, &journal).is_empty().then_some(()));
    let messages = as_it_was_shown(&witness, &journal, &acks.lock().unwrap());
    let worst_ms = samples_kept(&plant, &operator, begun_ms, &killed_ms).await;
    let raised = journal.iter().filter(|r| r["kind"] == "alarm.raised").count();
    let acked = acks.lock().unwrap().len();
    println!(
        "{kills} kills: {} entries, {raised} raised, {acked} acknowledged, {messages} messages; samples lost up to {worst_ms} ms before a kill",
        journal.len()
    );
    // alarms that chatter are held by design, so transitions are counted and not only raises
    let transitions =
        journal.iter().filter(|r| r["kind"].as_str().is_some_and(|kind| kind.starts_with("alarm."))).count();
    assert!(
        transitions > 3 * kills as usize && raised >= kills as usize / 2 && acked >= kills as usize / 2,
        "too little happened: {transitions} transitions, {raised} raised, {acked} acknowledged"
    );
}

/// HH of a gas latches: it stays in the list after its return.
fn is_acked(state: &Value) -> bool {
    state == "acked" || state == "latched_acked"
}

/// An operator who acknowledges whatever stands.
async fn acknowledge(operator: Client, acks: Acks) {
    let mut turn = tokio::time::interval(Duration::from_millis(200));
    loop {
        turn.tick().await;
        let Some(alarms) = operator.try_get("/api/v1/alarms").await else { continue };
        let Some(alarm) = alarms.as_array().unwrap().iter().find(|a| !is_acked(&a["state"])) else { continue };
        let (id, occurrence) = (alarm["id"].as_str().unwrap(), alarm["occurrence"].as_u64().unwrap());
        let body = json!({"seen_seq": alarm["seq"]});
        let Ok(answer) = operator.try_request("POST", &format!("/api/v1/alarms/{id}/ack"), Some(body)).await else {
            continue;
        };
        let status = answer.status().as_u16();
        assert!([200, 409].contains(&status), "ack of {id}: {status}");
        let Ok(done) = answer.json::<Value>().await else { continue };
        for record in done["records"].as_array().into_iter().flatten().filter(|r| r["kind"] == "alarm.acked") {
            acks.lock().unwrap().push(Acknowledged { alarm: id.into(), occurrence, record: record.clone() });
        }
    }
}

/// No alarm that was acknowledged is unacknowledged again in the same occurrence.
async fn acknowledgements_stand(operator: &Client, acks: &Acks, kill: u32) {
    // What was acknowledged before the list was asked for: the operator goes on meanwhile.
    let acks = acks.lock().unwrap().clone();
    let alarms = operator.get("/api/v1/alarms").await;
    for alarm in alarms.as_array().unwrap() {
        let done = |a: &Acknowledged| alarm["id"] == a.alarm.as_str() && alarm["occurrence"] == a.occurrence;
        if acks.iter().any(done) {
            assert!(is_acked(&alarm["state"]) && alarm["acked_by"] == "operator-a", "after kill {kill}: {alarm}");
        }
    }
}

/// Everything has reached the office's end and has its receipt.
async fn nothing_waits(operator: &Client) {
    let drained = |s: &Value| (s["outbox"]["connected"] == true && s["outbox"]["depth"] == 0).then_some(());
    operator.until("/api/v1/status", Duration::from_secs(60), drained).await;
}

/// Numbers without a gap, every entry chained to the one before it, ids once.
fn whole_and_chained(journal: &[Value]) {
    let mut previous = json!("0".repeat(64));
    for (n, record) in journal.iter().enumerate() {
        assert_eq!(record["seq"], n as u64 + 1, "the journal has a gap");
        assert_eq!(record["prev_hash"], previous, "the chain breaks at {record}");
        assert_eq!(record["event_id"], format!("demo-chemical-{}", n + 1));
        previous = record["hash"].clone();
    }
}

/// A start after a kill says that the run before did not end in order, unless it was killed before it could; it says so of nothing else.
fn every_kill_is_said(journal: &[Value]) {
    let starts: Vec<usize> = (0..journal.len()).filter(|n| journal[*n]["kind"] == "system.started").collect();
    for (start, next) in starts.iter().zip(starts[1..].iter().chain([&journal.len()])) {
        let said = journal[*start..*next].iter().filter(|r| r["code"] == "unclean_end").count();
        let raised = journal[*start..*next].iter().filter(|r| r["fact"]["alarm"] == "system:unclean_end");
        let raised = raised.filter(|r| r["kind"] == "alarm.raised").count();
        let first_moments = next - start < 8;
        assert!(said <= 1 && raised <= 1, "{said} {raised}");
        assert!(said == usize::from(*start > 0) || first_moments, "the start at {start} of {starts:?}");
    }
}

/// All that was shown stands in the journal as it was shown; gives the number of messages.
fn as_it_was_shown(witness: &Witness, journal: &[Value], acks: &[Acknowledged]) -> usize {
    let ledger = witness.ledger();
    assert_eq!(ledger.contradictions, Vec::<String>::new());
    for source in ["page", "API"] {
        assert!(ledger.showings.get(source).is_some_and(|n| *n > 20), "{:?}", ledger.showings);
    }
    let by_id: BTreeMap<&str, &Value> = journal.iter().map(|r| (r["event_id"].as_str().unwrap(), r)).collect();
    for (seq, shown) in &ledger.records {
        let kept = journal.get(usize::try_from(*seq).unwrap() - 1);
        assert_eq!(kept, Some(shown), "entry {seq} was shown and is another now");
    }
    for (id, alarm) in &ledger.alarms {
        let kept = by_id.get(id.as_str()).unwrap_or_else(|| panic!("{alarm} was shown as {id}, which is lost"));
        assert_eq!((&kept["kind"], &kept["fact"]["alarm"]), (&json!("alarm.raised"), &json!(alarm)));
    }
    for ack in acks {
        let kept = by_id.get(ack.record["event_id"].as_str().unwrap());
        assert_eq!(kept, Some(&&ack.record), "the acknowledgement of {} is lost", ack.alarm);
    }
    for (id, message) in &ledger.messages {
        let kept = by_id.get(id.as_str()).unwrap_or_else(|| panic!("{id} was published and is lost"));
        for (on_wire, in_journal) in [
            ("seq", "delivery_seq"),
            ("journal_seq", "seq"),
            ("kind", "kind"),
            ("boot_id", "boot_id"),
            ("hash", "hash"),
            ("prev_hash", "prev_hash"),
        ] {
            assert_eq!(message[on_wire], kept[in_journal], "{on_wire} of {id}");
        }
    }
    drop(ledger);
    let lost = unpublished(witness, journal);
    assert!(lost.is_empty(), "never published: {lost:?}");
    journal.iter().filter(|r| !r["delivery_seq"].is_null()).count()
}

/// Entries for the office that the subscriber has not seen.
fn unpublished<'a>(witness: &Witness, journal: &'a [Value]) -> Vec<&'a str> {
    let ledger = witness.ledger();
    let due = journal.iter().filter(|r| !r["delivery_seq"].is_null()).map(|r| r["event_id"].as_str().unwrap());
    due.filter(|id| !ledger.messages.contains_key(*id)).collect()
}

/// Every answer older than the last second before a kill is in the history; gives the age of the oldest that is not.
async fn samples_kept(plant: &Simulated, operator: &Client, begun_ms: i64, killed_ms: &[i64]) -> i64 {
    let now_ms = utc_ms();
    let mut worst_ms = 0;
    for register in &REGISTERS {
        let given = plant.given(register.point);
        let kept = operator.samples(register.point, begun_ms, now_ms).await;
        let until_ms = kept.last().map_or(0, |k| k.utc_ms);
        let verdict = judge(register, &given, &kept, until_ms);
        assert_eq!((verdict.foreign.as_slice(), verdict.out_of_order), (&[][..], 0), "{}", register.point);
        assert!(verdict.pairs >= killed_ms.len(), "{}: only {} samples", register.point, verdict.pairs);
        for missing in verdict.missing {
            let kill = killed_ms.iter().find(|kill| **kill >= missing.utc_ms - KILL_TAKES_MS);
            let age_ms = kill.map_or(i64::MAX, |kill| kill - missing.utc_ms);
            worst_ms = worst_ms.max(age_ms);
            assert!(age_ms <= LOSS_MAX_MS, "{}: {missing:?} lost, {age_ms} ms before a kill", register.point);
        }
    }
    worst_ms
}
