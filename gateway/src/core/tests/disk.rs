//! What is shown is on the disk, a stuck disk silences nobody, and a stop leaves nothing behind.

use super::*;
use crate::store::verify;
use rules::EventKind;
use rusqlite::Connection;

/// Another writer, that lets nobody else write until it rolls back.
fn holding_the_disk(folder: &Path) -> Connection {
    let other = Connection::open(folder.join("records.db")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn what_is_shown_is_already_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let shown = bench.raised_by(60.0).await;
    let disk = Connection::open(folder.path().join("records.db")).unwrap();
    let stored: String =
        disk.query_row("SELECT hash FROM event WHERE event_id = ?1", [&shown.event_id], |row| row.get(0)).unwrap();
    assert_eq!(stored, shown.hash);
    assert!(shown.durable);
    bench.end().await;
}

#[tokio::test]
async fn a_stuck_disk_lets_the_alarm_out_marked_and_the_journal_is_whole_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(1.0).await;
    let other = holding_the_disk(folder.path());
    let shown = bench.raised_by(60.0).await;
    assert!(!shown.durable, "the disk is held");
    let said = tokio::time::timeout(PATIENCE, async {
        let mut pictures = bench.handle.snapshots();
        while pictures.borrow_and_update().alarms.iter().all(|a| a.id != "system:storage_slow" || a.durable) {
            pictures.changed().await.unwrap();
        }
    });
    assert!(said.await.is_ok(), "the control room is told of the disk: {:?}", bench.handle.snapshot().alarms);
    other.execute_batch("ROLLBACK").unwrap();
    let mut pictures = bench.handle.snapshots();
    let whole = async {
        while !pictures.borrow_and_update().storage.ok {
            pictures.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, whole).await.expect("the disk takes what waited");
    let store = bench.end().await;
    let records = journal(&store).await;
    assert!(records.iter().any(|r| r.hash == shown.hash), "the alarm that went out early is in the journal");
    let whole = store.read(verify).await.unwrap();
    assert!(whole.is_ok(), "{whole:?}: {records:#?}");
}

#[tokio::test]
async fn a_stop_is_journaled_and_the_next_start_knows_the_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = bench(folder.path());
    let raised = first.raised_by(60.0).await;
    let alarm = raised.event.kind.fact().unwrap().alarm.clone();
    let store = first.end().await;
    assert!(matches!(journal(&store).await.last().unwrap().event.kind, EventKind::Stopped { .. }));
    drop(store);
    let second = bench(folder.path());
    let picture = second.handle.snapshot();
    assert!(picture.alarms.iter().any(|a| a.id == alarm && a.seq == raised.event.seq), "{:?}", picture.alarms);
    second.end().await;
}

#[tokio::test]
async fn a_stop_waits_for_a_disk_that_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let other = holding_the_disk(folder.path());
    let shown = bench.raised_by(60.0).await;
    bench.stop.cancel();
    other.execute_batch("ROLLBACK").unwrap();
    let records = journal(&bench.end().await).await;
    assert!(records.iter().any(|r| r.hash == shown.hash));
    assert_eq!(records.last().unwrap().event.kind.name(), "system.stopped");
}

/// What the office is told of a candidate's weight is what it travels with: behind no backlog.
#[tokio::test]
async fn a_candidate_on_a_major_risk_travels_as_urgent() {
    let folder = tempfile::tempdir().unwrap();
    let register = r#"
[[risk]]
key = "RA-01"
name = "氨泄漏"
name_en = "Ammonia leak"
area = "A1"
level = "major"
accident_type = "poisoning"
leader_role = "主要负责人"

[[measure]]
key = "RA-01.M1"
risk = "RA-01"
text = "气体检测"
text_en = "Gas detection"
responsible_role = "仪表主管"
watched = ["GT-101"]
"#;
    let mut bench = bench_on(folder.path(), &format!("{SITE}{register}"));
    bench.scan(60.0).await;
    let opened = bench.next("hazard.opened").await.event_id.clone();
    let store = bench.end().await;
    let priority = store.read(move |conn| {
        conn.query_row("SELECT priority FROM outbox WHERE event_id = ?1", [opened], |row| row.get::<_, u8>(0))
    });
    assert_eq!(priority.await.unwrap(), 1);
}
