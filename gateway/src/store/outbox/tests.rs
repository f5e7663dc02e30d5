//! What the rows of the outbox promise, as facts.

use super::*;
use crate::delivery::Delivery;
use crate::mqtt::fixture;
use crate::store::{Commit, OpenOptions, Store};
use rules::hazard::{Hazard, Stage};
use rules::{EventKind, Mono, Wall};
use std::sync::Arc;

struct Still;

impl rules::Clock for Still {
    fn now(&self) -> Now {
        at(0)
    }
}

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono(seconds * 1_000_000_000),
        wall: Wall { utc_ms: 1_000 * i64::try_from(seconds).unwrap(), ..Wall::default() },
    }
}

/// A store with events of these priorities, numbered from 1.
async fn with(priorities: &[u8]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        points: Vec::new(),
        commit_interval: Duration::from_secs(1),
        max_bytes: 1 << 20,
        now_label: "x".into(),
        kernel_boot_id: "k".into(),
        clock: Arc::new(Still),
        workers: crate::store::Workers::Threads,
    };
    let store = Store::open(dir.path(), options).unwrap().0;
    let records = (1..).zip(priorities).map(|(seq, priority)| fixture::raised(seq, *priority)).collect();
    store.commit(Commit { records, next_hazard: 1, ..Commit::default() }).await.unwrap();
    (dir, store)
}

fn blank(now: Now) -> Turn {
    Turn {
        now,
        reopened: None,
        acknowledged: Vec::new(),
        receipts: Vec::new(),
        resend: Vec::new(),
        room: 8,
        again_max: 8,
        first_period: Duration::from_secs(60),
        longest_period: Duration::from_secs(300),
    }
}

async fn ask(store: &Store, asked: Turn) -> Outcome {
    store.write(move |tx| turn(tx, &asked)).await.unwrap()
}

fn numbers(outcome: &Outcome) -> Vec<u64> {
    outcome.due.iter().map(|due| due.delivery_seq).collect()
}

fn receipt(seq: u64, by: Option<&str>) -> OfficeReceipt {
    let (event_id, by) = (format!("demo-chemical-{seq}"), by.map(str::to_owned));
    OfficeReceipt { event_id, received_at: "2026-01-01T00:00:00Z".into(), by, note: None }
}

async fn state(store: &Store, seq: u64) -> Delivery {
    let id = format!("demo-chemical-{seq}");
    let key = id.clone();
    store.read(move |conn| states(conn, &[key])).await.unwrap()[&id].state
}

/// A candidate's event has no alarm of its own; what the office is told of its weight is what it travels with.
#[tokio::test]
async fn a_candidate_on_a_major_risk_overtakes_as_an_urgent_alarm_does() {
    let (_dir, store) = with(&[2, 2]).await;
    let mut record = fixture::raised(3, 2);
    let hazard = Hazard {
        id: "HD-1".into(),
        measure: "RA-01.M1".into(),
        risk: "RA-01".into(),
        cause: "GT-101:HH".into(),
        opened: at(0),
        occurrences: Vec::new(),
        stage: Stage::Candidate,
        found: None,
        repeat_of: None,
        moved_seq: 0,
        overdue: false,
    };
    record.event.kind = EventKind::HazardOpened { hazard };
    let priorities = [(record.event.seq, 1)].into();
    store.commit(Commit { records: vec![record], priorities, next_hazard: 2, ..Commit::default() }).await.unwrap();
    let due = ask(&store, blank(at(1))).await.due;
    assert_eq!(due.iter().map(|due| due.delivery_seq).collect::<Vec<_>>(), [3, 1, 2]);
}

#[tokio::test]
async fn priority_one_overtakes_and_the_rest_goes_in_order() {
    let (_dir, store) = with(&[3, 2, 1, 4, 1]).await;
    let outcome = ask(&store, Turn { room: 3, ..blank(at(1)) }).await;
    assert_eq!((numbers(&outcome), outcome.more), (vec![3, 5, 1], true));
    let outcome = ask(&store, blank(at(1))).await;
    assert_eq!((numbers(&outcome), outcome.more), (vec![2, 4], false));
}

#[tokio::test]
async fn without_a_receipt_an_event_is_due_after_its_doubling_period_over_connections_too() {
    let (_dir, store) = with(&[1]).await;
    let mut sent_at = Vec::new();
    for second in 0..2_000 {
        let acknowledged = vec![1];
        let reopened = (second % 100 == 0).then(Reopened::default);
        let outcome = ask(&store, Turn { acknowledged, reopened, ..blank(at(second)) }).await;
        if !outcome.due.is_empty() {
            assert_eq!(outcome.due[0].again, !sent_at.is_empty());
            sent_at.push(second);
        }
    }
    let periods: Vec<u64> = sent_at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(periods, [60, 120, 240, 300, 300, 300, 300, 300]);
}

#[tokio::test]
async fn what_was_under_way_is_due_at_once_on_the_next_connection() {
    let (_dir, store) = with(&[2, 2, 2]).await;
    ask(&store, blank(at(1))).await;
    ask(&store, Turn { acknowledged: vec![2], ..blank(at(1)) }).await;
    let again = ask(&store, Turn { reopened: Some(Reopened::default()), ..blank(at(2)) }).await;
    assert_eq!(numbers(&again), [1, 3]);
    let lost = Reopened { lost: vec![2], suspect: None };
    assert_eq!(numbers(&ask(&store, Turn { reopened: Some(lost), ..blank(at(3)) }).await), [1, 3, 2]);
}

#[tokio::test]
async fn a_receipt_lost_with_the_connection_is_made_good_soon_after_it_a_few_times() {
    let (_dir, store) = with(&[2]).await;
    let reopened = || Some(Reopened::default());
    let acknowledged = || vec![1];
    ask(&store, blank(at(0))).await;
    for begin in [10, 20, 30, 40] {
        // the acknowledgement came while the connection before was up
        ask(&store, Turn { acknowledged: acknowledged(), room: 0, ..blank(at(begin - 1)) }).await;
        let turn = Turn { reopened: reopened(), ..blank(at(begin)) };
        assert!(ask(&store, turn).await.due.is_empty());
        let turn = Turn { reopened: reopened(), ..blank(at(begin + 1)) };
        assert!(ask(&store, turn).await.due.is_empty(), "a second break puts nothing off");
        assert_eq!(numbers(&ask(&store, blank(at(begin + 5))).await), [1]);
    }
    ask(&store, Turn { acknowledged: acknowledged(), room: 0, ..blank(at(49)) }).await;
    ask(&store, Turn { reopened: reopened(), ..blank(at(50)) }).await;
    assert!(ask(&store, blank(at(344))).await.due.is_empty(), "then its longest period holds");
    assert_eq!(numbers(&ask(&store, blank(at(345))).await), [1]);
}

#[tokio::test]
async fn times_of_an_earlier_boot_of_the_machine_hold_nothing_back() {
    let (_dir, store) = with(&[2]).await;
    ask(&store, blank(at(1_000_000))).await;
    ask(&store, Turn { acknowledged: vec![1], ..blank(at(1_000_000)) }).await;
    let reopened = Some(Reopened::default());
    assert_eq!(numbers(&ask(&store, Turn { reopened, ..blank(at(5)) }).await), [1]);
}

#[tokio::test]
async fn the_event_that_connections_die_of_lets_the_others_go_first() {
    let (_dir, store) = with(&[2, 2]).await;
    ask(&store, Turn { room: 1, ..blank(at(1)) }).await;
    let reopened = Some(Reopened { lost: vec![1], suspect: Some(1) });
    assert_eq!(numbers(&ask(&store, Turn { reopened, ..blank(at(2)) }).await), [2]);
    assert_eq!(numbers(&ask(&store, blank(at(62))).await), [1, 2]);
}

#[tokio::test]
async fn receipts_end_re_sending_once_and_strangers_are_counted() {
    let (_dir, store) = with(&[2, 2]).await;
    let early = ask(&store, Turn { receipts: vec![receipt(1, None)], room: 0, ..blank(at(1)) }).await;
    assert_eq!((early.unknown_receipts, early.received.len()), (1, 0), "nobody receives what was never sent");
    ask(&store, blank(at(1))).await;
    let receipts = vec![receipt(2, None), receipt(1, None), receipt(1, None), receipt(9, None)];
    let outcome = ask(&store, Turn { receipts, ..blank(at(2)) }).await;
    assert_eq!((outcome.first_receipts, outcome.received.len(), outcome.unknown_receipts), (2, 2, 1));
    let receipts = vec![receipt(1, Some("zhang")), receipt(1, Some("li")), receipt(1, None)];
    let outcome = ask(&store, Turn { receipts, ..blank(at(3)) }).await;
    assert_eq!((outcome.first_receipts, outcome.received), (0, vec![receipt(1, Some("zhang"))]));
    assert_eq!((state(&store, 1).await, state(&store, 2).await), (Delivery::Confirmed, Delivery::Received));
    assert!(ask(&store, blank(at(10_000))).await.due.is_empty());
    assert_eq!(store.read(|conn| standing(conn, 9)).await.unwrap().depth, 0);
}

#[tokio::test]
async fn the_office_gets_a_range_again_whatever_the_state_of_its_rows() {
    let (_dir, store) = with(&[2; 6]).await;
    ask(&store, Turn { room: 5, ..blank(at(1)) }).await;
    let receipts = vec![receipt(3, None), receipt(4, Some("zhang"))];
    ask(&store, Turn { acknowledged: vec![2], receipts, room: 0, ..blank(at(2)) }).await;
    // 1 sent, 2 acknowledged, 3 received, 4 confirmed, 5 sent, 6 never sent
    let first = ask(&store, Turn { resend: vec![(2, u64::MAX)], room: 3, ..blank(at(3)) }).await;
    assert_eq!((numbers(&first), first.more), (vec![6, 2, 3], true));
    assert!(first.due[1].again && first.due[2].again);
    let rest = ask(&store, blank(at(4))).await;
    assert_eq!(numbers(&rest), [4, 5, 6]);
    assert_eq!((state(&store, 3).await, state(&store, 4).await), (Delivery::Received, Delivery::Confirmed));
    assert!(ask(&store, blank(at(5))).await.due.is_empty());
}

#[tokio::test]
async fn a_range_asked_for_survives_a_lost_connection() {
    let (_dir, store) = with(&[2; 4]).await;
    ask(&store, blank(at(1))).await;
    let receipts = (1..=4).map(|seq| receipt(seq, None)).collect();
    ask(&store, Turn { receipts, ..blank(at(1)) }).await;
    let two = ask(&store, Turn { resend: vec![(1, 9)], room: 2, ..blank(at(2)) }).await;
    assert_eq!(numbers(&two), [1, 2]);
    let reopened = Some(Reopened { lost: vec![2], suspect: None });
    assert_eq!(numbers(&ask(&store, Turn { reopened, ..blank(at(3)) }).await), [2, 3, 4]);
}

#[tokio::test]
async fn a_row_nobody_can_read_is_set_aside_and_does_not_block_those_behind_it() {
    let (_dir, store) = with(&[1, 2, 2]).await;
    let damage = "UPDATE event SET json = CASE seq WHEN 1 THEN '{\"half' ELSE CAST(x'FFFE' AS TEXT) END WHERE seq < 3";
    store.write(|tx| tx.execute(damage, [])).await.unwrap();
    let outcome = ask(&store, blank(at(7))).await;
    assert_eq!((numbers(&outcome), outcome.dead_lettered), (vec![1, 2, 3], 2));
    let Body::Damaged(rest) = &outcome.due[0].body else { panic!("readable") };
    assert_eq!((rest.event_id.as_str(), rest.kind.as_str(), rest.priority), ("demo-chemical-1", "alarm.raised", 1));
    let sql = "SELECT at_ms, line, reason FROM dead_letter ORDER BY id LIMIT 1";
    let read = |conn: &Connection| conn.query_row(sql, [], |r| Ok((r.get::<_, i64>(0)?, text(r, 1), text(r, 2))));
    let (at_ms, line, reason) = store.read(read).await.unwrap();
    assert_eq!((at_ms, line.as_str()), (7_000, "{\"half"));
    assert!(reason.starts_with("outbox: the record cannot be read"), "{reason}");
    assert_eq!(ask(&store, blank(at(100))).await.dead_lettered, 0, "set aside once");
    assert_eq!(store.read(|conn| standing(conn, 3)).await.unwrap().oldest.unwrap().utc_ms, 100_000);
}

#[tokio::test]
async fn every_question_walks_an_index_and_sorts_nothing() {
    let (_dir, store) = with(&[2; 50]).await;
    let questions = [
        format!("{ROW}{FRESH}").replace("?1", "1").replace("?2", "8"),
        format!("{ROW}{AGAIN}").replace("?1", "1").replace("?2", "8").replace("?3", "9"),
        format!("{ROW}{ASKED}").replace("?1", "1").replace("?2", "8").replace("?3", "9"),
        "SELECT MIN(due_ms) FROM outbox WHERE state IN (1, 2) AND (priority > 1) = 1".to_owned(),
        "SELECT MAX(delivery_seq) FROM outbox".to_owned(),
    ];
    for question in questions {
        let plan: Vec<String> = store
            .read({
                let question = question.clone();
                move |c| {
                    let mut plan = c.prepare(&format!("EXPLAIN QUERY PLAN {question}"))?;
                    plan.query_map([], |row| row.get(3))?.collect()
                }
            })
            .await
            .unwrap();
        let bad = |step: &String| step.contains("SCAN") || step.contains("TEMP B-TREE");
        assert!(!plan.iter().any(bad), "{question}\n{plan:#?}");
    }
}

#[test]
fn the_step_of_the_schema_keeps_the_rows_of_before() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(
        "CREATE TABLE outbox(delivery_seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, priority INTEGER NOT NULL,
           state INTEGER NOT NULL DEFAULT 0, sent_ms INTEGER, received_ms INTEGER, by TEXT, note TEXT);
         CREATE INDEX outbox_waiting ON outbox(priority, delivery_seq) WHERE state < 3;
         INSERT INTO outbox(delivery_seq, event_id, priority, state) VALUES (7, 's-7', 1, 2);",
    )
    .unwrap();
    conn.execute_batch(SCHEMA_STEP).unwrap();
    let row = "SELECT state, attempts, due_ms FROM outbox WHERE delivery_seq = 7";
    let row: (i64, i64, i64) = conn.query_row(row, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
    assert_eq!(row, (2, 1, 0));
}
