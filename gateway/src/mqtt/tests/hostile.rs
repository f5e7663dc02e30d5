//! Brokers that acknowledge nothing, hang up, forget, reorder, or choke on one event.

use super::broker::Broker;
use super::site::{Site, fast, patient};
use super::{events, raised, seqs};
use crate::delivery::Delivery;
use crate::mqtt::settings::Pace;
use crate::store::outbox as table;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[tokio::test]
async fn a_broker_that_acknowledges_nothing_is_left_and_nothing_is_lost() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), fast(), events(12)).await;
    let first = broker.peer().await.until_it_leaves().await;
    assert_eq!(first.len(), 8, "no more than a window is out: {first:?}");
    site.figures("the reason is told", |f| !f.connected && f.last_error.is_some()).await;
    let mut peer = broker.peer().await;
    let came = peer.take(12).await;
    assert_eq!(seqs(&came), (1..=12).collect::<Vec<_>>());
    assert!(came[..8].iter().all(|event| event.payload["replay"] == true));
    assert!(came[8..].iter().all(|event| event.payload["replay"] == false));
    for event in &came {
        peer.receipt(&event.id).await;
    }
    let figures = site.figures("all received", |f| f.received == 12 && f.depth == 0).await;
    assert_eq!((figures.connected, figures.last_error), (true, None), "an old error is no error any more");
}

#[tokio::test]
async fn a_connection_cut_after_every_event_delivers_all_of_them_under_their_names() {
    let broker = Broker::start().await;
    let _site = Site::start(broker.port(), fast(), events(20)).await;
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut connections = 0;
    while texts.len() < 20 {
        let mut peer = broker.peer().await;
        connections += 1;
        assert!(connections < 200, "only {} events after {connections} connections", texts.len());
        let event = peer.event().await.expect("an event on every connection");
        peer.acknowledge(event.packet).await;
        let mut payload = event.payload.clone();
        payload["replay"] = false.into();
        let text = texts.entry(event.id).or_insert_with(|| payload.to_string());
        assert_eq!(*text, payload.to_string(), "the same event is the same on every connection");
        peer.receipt(payload["event_id"].as_str().unwrap()).await;
        peer.close().await;
    }
}

#[tokio::test]
async fn a_broker_that_forgot_everything_gets_what_has_no_receipt_again_in_order() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), fast(), events(20)).await;
    let mut peer = broker.peer().await;
    let first = peer.take(20).await;
    peer.receipt(&first[4].id).await;
    while site.receipts.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    peer.close().await;
    let mut peer = broker.peer().await;
    let again = peer.take(19).await;
    assert_eq!(seqs(&again), (1..=20).filter(|seq| *seq != 5).collect::<Vec<_>>());
    assert!(again.iter().all(|event| event.payload["replay"] == true));
}

#[tokio::test]
async fn acknowledgements_out_of_order_lose_and_repeat_nothing() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(96)).await;
    let mut peer = broker.peer().await;
    let mut seen = Vec::new();
    while seen.len() < 96 {
        let mut batch = peer.events(8.min(96 - seen.len())).await;
        seen.extend(seqs(&batch));
        batch.reverse();
        for event in batch {
            peer.acknowledge(event.packet).await;
        }
    }
    assert_eq!(seen, (1..=96).collect::<Vec<_>>());
    site.figures("all acknowledged", |f| f.broker_acknowledged == 96 && f.sent == 96).await;
    // counted when it comes, written down in the turn after
    while delivery(&site, 96).await != Delivery::BrokerAcknowledged {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_acknowledgement_nobody_asked_for_costs_a_connection_and_no_event() {
    let broker = Broker::start().await;
    let _site = Site::start(broker.port(), fast(), events(3)).await;
    let mut peer = broker.peer().await;
    peer.events(3).await;
    peer.acknowledge(61).await;
    assert_eq!(peer.until_it_leaves().await, [""; 0]);
    assert_eq!(seqs(&broker.peer().await.take(3).await), [1, 2, 3]);
}

#[tokio::test]
async fn an_event_the_broker_chokes_on_does_not_block_those_behind_it() {
    let broker = Broker::start().await;
    let _site = Site::start(broker.port(), fast(), events(10)).await;
    let mut through = BTreeSet::new();
    for connection in 0.. {
        assert!(connection < 100, "only {through:?} got through");
        let mut peer = broker.peer().await;
        while let Some(event) = peer.event().await {
            let seq = event.payload["seq"].as_u64().unwrap();
            if seq == 1 {
                break;
            }
            peer.acknowledge(event.packet).await;
            through.insert(seq);
            if through.len() == 9 {
                return;
            }
        }
        peer.close().await;
    }
}

#[tokio::test]
async fn priority_one_overtakes_a_backlog() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(40)).await;
    let mut peer = broker.peer().await;
    peer.take(8).await;
    site.happens(raised(41, 1)).await;
    let position = seqs(&peer.take(33).await).iter().position(|seq| *seq == 41).unwrap();
    assert!(position <= 16, "behind {position} events; two windows are on the way already");
}

#[tokio::test]
async fn an_alarm_goes_out_while_the_disk_does_not_answer() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), Vec::new()).await;
    let mut peer = broker.peer().await;
    peer.hear("state", 1).await;
    let (release, held) = std::sync::mpsc::sync_channel::<()>(1);
    let (begun, waits) = tokio::sync::oneshot::channel();
    let stalled = site.store.clone();
    let stalled = tokio::spawn(async move {
        let job = stalled.write(move |_| {
            let _ = begun.send(());
            let _ = held.recv();
            Ok(())
        });
        job.await
    });
    waits.await.unwrap();
    let mut record = raised(1, 1);
    record.durable = false;
    site.records.send(std::sync::Arc::new(record)).unwrap();
    let alarm = peer.take(1).await.remove(0);
    assert_eq!((alarm.id.as_str(), &alarm.payload["durable"]), ("demo-chemical-1", &false.into()));
    release.send(()).unwrap();
    stalled.await.unwrap().unwrap();
    // the row follows, under the same name
    site.happens(raised(1, 1)).await;
    assert_eq!(peer.take(1).await[0].id, "demo-chemical-1");
}

#[tokio::test]
async fn an_unreachable_broker_is_told_with_the_queue_behind_it() {
    let unused = Broker::start().await.port();
    let site = Site::start(unused, fast(), events(5)).await;
    let figures = site.figures("depth and error", |f| f.depth == 5 && f.last_error.is_some()).await;
    assert!(!figures.connected);
    tokio::time::timeout(Duration::from_secs(3), site.stop()).await.expect("stops while it waits");
}

#[tokio::test]
async fn a_store_that_refuses_is_asked_again_and_nothing_is_forgotten() {
    let broker = Broker::start().await;
    let site = Site::start(broker.port(), patient(), events(2)).await;
    let mut peer = broker.peer().await;
    let came = peer.take(2).await;
    let sql = |text: &'static str| site.store.write(move |tx| tx.execute_batch(text));
    sql("CREATE TRIGGER full BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'disk'); END").await.unwrap();
    let turns = site.figures.borrow().store_turns;
    peer.receipt(&came[0].id).await;
    site.figures("asked and refused", |f| f.store_turns > turns).await;
    assert_eq!(site.figures.borrow().received, 0);
    sql("DROP TRIGGER full").await.unwrap();
    site.figures("written down in the end", |f| f.received == 1 && f.depth == 1).await;
}

/// Acknowledgements withheld, connections cut, receipts lost: whatever the mix, every event is received in the end.
#[tokio::test]
async fn no_mix_of_faults_loses_an_event() {
    for seed in [1_u64, 0x9E37_79B9, 20_261_124] {
        let mut random = Random(seed);
        let broker = Broker::start().await;
        let (resend_first, resend_longest) = (Duration::from_millis(40), Duration::from_millis(80));
        let pace = Pace { resend_first, resend_longest, ..fast() };
        let site = Site::start(broker.port(), pace, events(30)).await;
        let mut received = BTreeSet::new();
        for connection in 0.. {
            assert!(connection < 400, "seed {seed}: only {} of 30 received", received.len());
            let mut peer = broker.peer().await;
            for _ in 0..=random.below(12) {
                // silence is the end of it, too: what waits comes on a later connection
                let next = tokio::time::timeout(Duration::from_millis(80), peer.event()).await;
                let Ok(Some(event)) = next else { break };
                if random.below(10) < 7 {
                    peer.acknowledge(event.packet).await;
                }
                if random.below(2) == 0 {
                    peer.receipt(&event.id).await;
                }
            }
            if random.below(2) == 0 {
                peer.close().await;
            }
            received = site.receipts.lock().unwrap().iter().map(|receipt| receipt.event_id.clone()).collect();
            if received.len() == 30 {
                break;
            }
        }
        site.figures(&format!("seed {seed}: nothing waits"), |f| f.depth == 0 && f.received == 30).await;
    }
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

async fn delivery(site: &Site, seq: u64) -> Delivery {
    let id = format!("demo-chemical-{seq}");
    let key = id.clone();
    site.store.read(move |conn| table::states(conn, &[key])).await.unwrap()[&id].state
}
