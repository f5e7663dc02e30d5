//! The desk against a database of its own, without a broker.

use super::desk::{Desk, Outgoing};
use crate::store::office::{self as tables, Confirmation, Confirmed, Listing};
use crate::web::OwnDb;
use rules::{Clock, Mono, Now, Wall};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock that is put forward by hand.
#[derive(Default)]
struct HandClock(AtomicU64);

impl HandClock {
    fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Now {
        let s = 1_000_000 + self.0.load(Ordering::Relaxed);
        let utc_ms = i64::try_from(s * 1_000).unwrap();
        Now { mono: Mono(s * 1_000_000_000), wall: Wall::synced(utc_ms) }
    }
}

async fn desk(folder: &Path, clock: &Arc<HandClock>) -> Desk {
    let (conn, _) = tables::open(folder, "label").unwrap();
    let desk = Desk::open(OwnDb::new(conn).unwrap(), clock.clone()).await.unwrap();
    desk.broker.store(true, Ordering::Relaxed);
    desk
}

fn event(seq: u64) -> (String, Vec<u8>) {
    let payload =
        json!({ "event_id": format!("a-{seq}"), "site": "a", "seq": seq, "kind": "alarm.raised", "hash": "h" });
    ("hazard/v1/a/event".into(), payload.to_string().into_bytes())
}

fn said(name: &str, payload: &Value) -> (String, Vec<u8>) {
    (format!("hazard/v1/a/{name}"), payload.to_string().into_bytes())
}

fn bodies(out: &[Outgoing]) -> Vec<Value> {
    out.iter().map(|message| serde_json::from_str(&message.payload).unwrap()).collect()
}

fn confirmation(by: &str) -> Confirmation {
    Confirmation { by: by.into(), note: "已电话核实".into(), user: "duty".into() }
}

#[tokio::test]
async fn an_event_is_stored_before_it_is_receipted_and_a_copy_is_receipted_again() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), &Arc::default()).await;
    let first = desk.take(vec![event(1), event(2)]).await;
    assert_eq!(
        bodies(&first).iter().map(|b| b["event_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
        ["a-1", "a-2"]
    );
    assert_eq!(desk.take(vec![event(1)]).await.len(), 1);
    let listed = desk.events(Listing { limit: 10, ..Listing::default() }).await.unwrap();
    assert_eq!(listed.iter().map(|e| (e.event_id.as_str(), e.copies)).collect::<Vec<_>>(), [("a-2", 1), ("a-1", 2)]);
}

#[tokio::test]
async fn a_number_used_twice_for_different_events_hides_neither() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), &Arc::default()).await;
    desk.take(vec![event(1)]).await;
    let other = json!({ "event_id": "a-1", "site": "a", "seq": 1, "kind": "alarm.raised", "hash": "other" });
    assert_eq!(desk.take(vec![said("event", &other)]).await.len(), 1);
    assert_eq!(desk.events(Listing { limit: 10, ..Listing::default() }).await.unwrap().len(), 2);
}

#[tokio::test]
async fn events_and_holes_survive_a_restart_and_a_hole_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<HandClock> = Arc::default();
    {
        let desk = desk(folder.path(), &clock).await;
        desk.take(vec![said("status", &json!({ "online": true, "boot_id": "b" })), event(1), event(4)]).await;
    }
    let desk = desk(folder.path(), &clock).await;
    assert_eq!(desk.rows()[0]["missing"], json!([[2, 3]]));
    assert_eq!(desk.rows()[0]["events_unconfirmed"], 2);
    assert!(desk.tick().await.is_empty());
    clock.forward(10);
    let asked = desk.tick().await;
    assert_eq!(asked[0].topic, "hazard/v1/a/request");
    assert_eq!(bodies(&asked), [json!({ "want": "resend", "from": 2, "to": 3 })]);
}

#[tokio::test]
async fn a_site_that_returns_is_asked_for_what_follows_and_told_what_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<HandClock> = Arc::default();
    let desk = desk(folder.path(), &clock).await;
    let online = || said("status", &json!({ "online": true, "boot_id": "b" }));
    desk.take(vec![online(), said("heartbeat", &json!({ "outbox_depth": 0 })), event(1)]).await;
    assert_eq!(desk.confirm("a-1".into(), confirmation("王值班")).await, Some(Confirmed::Now));
    let sent = desk.owed().await;
    assert_eq!(bodies(&sent)[0]["by"], "王值班");
    desk.paid(sent[0].confirmation.unwrap()).await;
    assert!(desk.owed().await.is_empty());

    desk.take(vec![said("status", &json!({ "online": false, "boot_id": "b" }))]).await;
    let asked = desk.take(vec![online()]).await;
    assert_eq!(bodies(&asked), [json!({ "want": "resend", "from": 2 })]);
    assert_eq!(desk.owed().await.len(), 1);
}

#[tokio::test]
async fn what_is_missing_at_the_end_and_a_state_that_differs_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<HandClock> = Arc::default();
    let desk = desk(folder.path(), &clock).await;
    let state = |digest: &str| said("state", &json!({ "alarms": [], "digest": digest, "as_of_seq": 1 }));
    desk.take(vec![said("status", &json!({ "online": true, "boot_id": "b" })), event(1), state("a")]).await;
    let beat = || said("heartbeat", &json!({ "seq": 4, "outbox_depth": 0, "digest": "b" }));
    assert!(desk.take(vec![beat()]).await.is_empty());
    clock.forward(30);
    assert_eq!(bodies(&desk.take(vec![beat()]).await), [json!({ "want": "state" })]);
    assert!(desk.tick().await.is_empty());
    clock.forward(10);
    assert_eq!(bodies(&desk.tick().await), [json!({ "want": "resend", "from": 2, "to": 4 })]);
    assert_eq!(desk.rows()[0]["missing"], json!([[2, 4]]));
    desk.take(vec![event(2), event(3), event(4), state("b")]).await;
    assert_eq!(desk.rows()[0]["missing"], json!([]));
    clock.forward(30);
    assert!(desk.take(vec![beat(), beat()]).await.is_empty());
}

#[tokio::test]
async fn the_first_confirmation_counts() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), &Arc::default()).await;
    desk.take(vec![event(1)]).await;
    assert_eq!(desk.confirm("a-1".into(), confirmation("王")).await, Some(Confirmed::Now));
    assert_eq!(desk.confirm("a-1".into(), confirmation("李")).await, Some(Confirmed::Already("王".into())));
    assert_eq!(desk.confirm("a-9".into(), confirmation("李")).await, Some(Confirmed::Unknown));
    assert_eq!(desk.rows()[0]["events_unconfirmed"], 0);
}

#[tokio::test]
async fn the_will_and_silence_become_events_that_want_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<HandClock> = Arc::default();
    let desk = desk(folder.path(), &clock).await;
    desk.take(vec![said("status", &json!({ "online": true, "boot_id": "b" }))]).await;
    clock.forward(91);
    desk.tick().await;
    desk.take(vec![said("status", &json!({ "online": false, "boot_id": "b" }))]).await;
    let kinds: Vec<_> = desk.events(Listing { limit: 10, ..Listing::default() }).await.unwrap();
    let kinds: Vec<_> = kinds.iter().map(|e| (e.payload["kind"].as_str().unwrap(), e.wants_person)).collect();
    assert_eq!(kinds, [("office.site_offline", true), ("office.site_silent", true)]);
    assert!(desk.owed().await.is_empty());
}

#[tokio::test]
async fn nonsense_is_counted_and_answers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), &Arc::default()).await;
    let nonsense = vec![("hazard/v1/a/event".into(), b"{".to_vec()), ("hazard/v1/A B/status".into(), b"{}".to_vec())];
    assert!(desk.take(nonsense).await.is_empty());
    assert_eq!(desk.figures.set_aside.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_damaged_database_is_set_aside_and_the_office_starts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(tables::FILE), vec![7_u8; 8192]).unwrap();
    let (_, said) = tables::open(folder.path(), "label").unwrap();
    assert!(said.unwrap().contains("corrupt-label"));
}
