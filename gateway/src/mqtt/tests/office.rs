//! Offices that are silent, repeat themselves, ask for much, or talk nonsense; and what the site says of itself.

use super::broker::Broker;
use super::site::{Site, fast, patient};
use super::{events, raised, seqs};
use crate::mqtt::meter::Meter;
use crate::mqtt::sender::Sender;
use crate::mqtt::settings::Pace;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_silent_office_costs_a_bounded_number_of_questions_to_the_store() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(1_000)).await;
    let mut peer = broker.peer().await;
    assert_eq!(seqs(&peer.take(1_000).await), (1..=1_000).collect::<Vec<_>>());
    let sent = site.figures("acknowledged", |f| f.broker_acknowledged == 1_000 && f.depth == 1_000).await;
    assert!(sent.store_turns < 2_500, "{} for 1,000 events", sent.store_turns);
    // the broker talks, nothing has changed: the store is left alone
    let before = site.figures("settled", |f| f.messages_ignored == 0).await.store_turns;
    for _ in 0..200 {
        peer.say("request", "{}").await;
    }
    let after = site.figures("ignored", |f| f.messages_ignored == 200).await.store_turns;
    assert!(after - before <= 5, "{} questions for 200 messages without a meaning", after - before);
}

#[tokio::test]
async fn re_sends_to_a_silent_office_are_rationed_and_new_events_are_not_held_back_by_them() {
    let broker = Broker::start().await;
    let pace = Pace { resend_first: Duration::from_millis(1), resend_longest: Duration::from_millis(1), ..patient() };
    let site = Site::start(broker.port(), pace, events(200)).await;
    let mut peer = broker.peer().await;
    let first = peer.take_for(Duration::from_millis(2_500)).await;
    let again = first.iter().filter(|event| event.payload["replay"] == true).count();
    assert_eq!(first.len() - again, 200, "everything went out once");
    assert!((32..=128).contains(&again), "{again} re-sends in 2.5 s");
    site.happens(raised(201, 3)).await;
    let next = peer.take_for(Duration::from_millis(500)).await;
    assert!(seqs(&next).contains(&201));
}

#[tokio::test]
async fn receipts_count_once_whatever_is_said() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(2)).await;
    let mut peer = broker.peer().await;
    let came = peer.take(2).await;
    for _ in 0..5 {
        peer.receipt(&came[0].id).await;
    }
    peer.receipt("demo-chemical-77").await;
    peer.receipt("another-site-1").await;
    peer.say("receipt", "{").await;
    peer.say("receipt", r#"{"event_id":"demo-chemical-2"}"#).await;
    peer.say("request", r#"{"want":"clear","alarm":"GT-102:HH"}"#).await;
    peer.say("request", "\u{0}").await;
    let figures = site.figures("sorted out", |f| f.receipts_unknown == 2 && f.messages_ignored == 4).await;
    assert_eq!((figures.received, figures.messages_refused), (1, 0));
    site.figures("one left", |f| f.depth == 1).await;
    let told: Vec<String> = site.receipts.lock().unwrap().iter().map(|r| r.event_id.clone()).collect();
    assert_eq!(told, ["demo-chemical-1"]);
}

#[tokio::test]
async fn a_flood_of_receipts_is_cut_and_the_site_goes_on() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(1)).await;
    let mut peer = broker.peer().await;
    peer.take(1).await;
    for n in 0..3_000 {
        peer.receipt(&format!("forged-{n}")).await;
    }
    let figures = site.figures("all accounted for", |f| f.receipts_unknown + f.messages_refused == 3_000).await;
    assert!(figures.messages_refused > 0, "{figures:?}");
    site.happens(raised(2, 1)).await;
    assert_eq!(seqs(&peer.take(1).await), [2]);
}

#[tokio::test]
async fn the_office_gets_again_what_it_asks_for_received_or_not() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(6)).await;
    let mut peer = broker.peer().await;
    let came = peer.take(6).await;
    for event in &came[..4] {
        peer.receipt(&event.id).await;
    }
    site.figures("four received", |f| f.received == 4).await;
    peer.say("request", r#"{"want":"resend","from":2}"#).await;
    let again = peer.take(5).await;
    assert_eq!(seqs(&again), [2, 3, 4, 5, 6]);
    let ids = |events: &[super::Came]| events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&came[1..]));
    assert!(again.iter().all(|event| event.payload["replay"] == true));
    for event in &again {
        peer.receipt(&event.id).await;
    }
    site.figures("all received", |f| f.received == 6 && f.depth == 0 && f.resend_requests == 1).await;
    peer.say("request", r#"{"want":"resend","from":3,"to":4}"#).await;
    assert_eq!(seqs(&peer.take(2).await), [3, 4]);
    assert_eq!(site.receipts.lock().unwrap().len(), 6, "a repeated receipt is not told twice");
}

#[tokio::test]
async fn the_site_says_what_it_is_and_goes_with_a_word() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), fast(), events(3)).await;
    let mut peer = broker.peer().await;
    let beat = peer.hear("heartbeat", 2).await;
    assert_eq!((&beat["seq"], &beat["journal_seq"], &beat["chain_head"]), (&3.into(), &3.into(), &"aa".into()));
    assert_eq!((&beat["outbox_depth"], &beat["boot_id"]), (&3.into(), &"boot-1".into()));
    let state = peer.hear("state", 1).await;
    assert_eq!((&state["as_of_seq"], &state["alarms"]), (&3.into(), &json!([])));
    let retained = |name: &str| peer.said.iter().filter(|(said, ..)| said == name).all(|(_, retained, _)| *retained);
    assert!(retained("state") && retained("status") && !retained("heartbeat"));
    assert_eq!(peer.said.iter().find(|(name, ..)| name == "status").unwrap().2["online"], true);
    peer.say("request", r#"{"want":"state"}"#).await;
    peer.hear("state", 2).await;
    // decided by the core as it stopped: still in time
    site.happens(raised(4, 1)).await;
    let goes = tokio::spawn(site.stop());
    while peer.take(1).await[0].id != "demo-chemical-4" {}
    assert_eq!(peer.hear("status", 2).await["online"], false);
    peer.close().await;
    goes.await.unwrap();
}

#[tokio::test]
async fn what_the_client_has_no_room_for_is_said_later() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(1)).await;
    let shared = site.settings();
    let mut meter = Meter::default();
    let reading = meter.look(&shared).unwrap().await;
    meter.keep(reading);
    let (client, mut queue) = rumqttc::AsyncClient::new(rumqttc::MqttOptions::new("x", "127.0.0.1", 1), 1);
    let mut out = Sender::new(&shared, client, 8);
    out.say(&meter);
    assert!(!out.unsaid.status && out.unsaid.state, "one place in the queue");
    let beat_due = out.unsaid.heartbeat_at;
    queue.clean();
    out.say(&meter);
    assert!(out.unsaid.heartbeat_at > beat_due && out.unsaid.state);
    queue.clean();
    out.say(&meter);
    assert!(!out.unsaid.state);
}
