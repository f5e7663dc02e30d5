//! What a start finds and says first, also after an end without a stop.

use super::*;
use rules::{EventKind, ShelfKind, SystemCondition};
use rusqlite::Connection;

/// Notices and alarms of the gateway itself: `raised #1`, `acked`, or the words of a notice.
async fn own_story(store: &Store) -> Vec<String> {
    let line = |record: Record| match record.event.kind {
        EventKind::Notice { code, text_zh, .. } if code == "unclean_end" => Some(text_zh),
        kind => {
            let fact = kind.fact().filter(|fact| fact.alarm == "system:unclean_end")?;
            Some(format!("{} #{} P{}", kind.name(), fact.occurrence, fact.priority))
        }
    };
    journal(store).await.into_iter().filter_map(line).collect()
}

/// As a process that is killed leaves its folder: the core is gone without a word.
async fn kill(bench: Bench) {
    bench.task.abort();
    let _ = bench.task.await;
}

/// The row of the only alarm that stands, and the boot of the machine that the file is of.
fn on_disk(folder: &Path) -> (serde_json::Value, String) {
    let file = Connection::open(folder.join("records.db")).unwrap();
    let text = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let row = text("SELECT json FROM alarm_state WHERE key = 'GT-101:H'");
    (serde_json::from_str(&row).unwrap(), text("SELECT value FROM meta WHERE key = 'kernel_boot_id'"))
}

#[tokio::test]
async fn a_hidden_danger_that_cannot_be_read_is_named_at_the_start_and_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    drop(bench(folder.path()).end().await);
    let disk = Connection::open(folder.path().join("records.db")).unwrap();
    disk.execute("INSERT INTO hazard VALUES ('HD-7', '{', TRUE)", []).unwrap();
    drop(disk);
    let bench = bench(folder.path());
    let mut pictures = bench.handle.snapshots();
    let called = async {
        while pictures.borrow_and_update().alarms.iter().all(|a| a.id != "system:records_salvaged") {
            pictures.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, called).await.expect("the control room is told");
    let store = bench.end().await;
    let named = |record: &Record| matches!(&record.event.kind, EventKind::Notice { code, text_zh, .. } if code == "hazards_unreadable" && text_zh.contains("HD-7"));
    assert!(journal(&store).await.iter().any(named));
}

#[tokio::test]
async fn the_rows_of_another_boot_are_on_this_ones_clock_with_the_first_event_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut b = bench(folder.path());
    b.raised_by(30.0).await;
    b.stop.cancel();
    b.task.await.unwrap();
    drop((b.handle, b.store));
    // The machine had been up for eleven days longer, and was booted since.
    let (mut row, boot) = on_disk(folder.path());
    assert_eq!(boot, "kernel");
    let up = |row: &serde_json::Value| row["annunciated"]["mono"].as_u64().unwrap();
    let before = up(&row) + 1_000_000_000_000_000;
    row["annunciated"]["mono"] = before.into();
    let file = Connection::open(folder.path().join("records.db")).unwrap();
    file.execute("UPDATE alarm_state SET json = ?1 WHERE key = 'GT-101:H'", [row.to_string()]).unwrap();
    file.execute("UPDATE meta SET value = 'another' WHERE key = 'kernel_boot_id'", []).unwrap();
    drop(file);
    // Killed before a second event: the next start takes what it finds for times of this boot.
    let mut b = bench(folder.path());
    b.next("system.started").await;
    kill(b).await;
    let (row, boot) = on_disk(folder.path());
    assert_eq!(boot, "kernel");
    assert!(up(&row) <= SystemClock::default().now().mono.0, "{row:#}");
}

#[tokio::test]
async fn neither_the_first_start_nor_one_after_a_clean_stop_speaks_of_the_end_before() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut bench = bench(folder.path());
        bench.next("system.started").await;
        let store = bench.end().await;
        assert_eq!(own_story(&store).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_end_without_a_stop_is_an_alarm_of_the_next_start_that_a_person_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = bench(folder.path());
    first.next("system.started").await;
    kill(first).await;
    let mut second = bench(folder.path());
    let seen_seq = second.next("alarm.raised").await.event.seq;
    let alarm = "system:unclean_end".to_owned();
    let shown = second.handle.snapshots().wait_for(|s| !s.alarms.is_empty()).await.unwrap().alarms[0].clone();
    assert_eq!((shown.id.as_str(), shown.priority, shown.state.as_str()), (alarm.as_str(), 3, "unacked"));
    let said = "上次运行没有正常停止：断电、进程被强行结束或程序崩溃";
    assert_eq!(own_story(&second.store).await, [said, "alarm.raised #1 P3"]);
    let ack = Command::Acknowledge { alarm, seen_seq, comment: "已查，停电".into() };
    second
        .handle
        .command(ack, Actor { user: "li".into(), role: "operator".into(), terminal: String::new() }, None)
        .await
        .unwrap();
    // it ends again before the ten minutes are over: what was acknowledged was the end before
    kill(second).await;
    std::fs::write(folder.path().join("stalled"), "core\nbus gas-bus").unwrap();
    let mut third = bench(folder.path());
    third.next("alarm.raised").await;
    let store = third.end().await;
    let named = "上次运行没有正常停止：结束前 报警核心、总线 gas-bus 没有进展，看门狗不再被喂";
    let again = ["alarm.acked #1 P3", "alarm.returned #1 P3", "alarm.cleared #1 P3", named, "alarm.raised #2 P3"];
    assert_eq!(own_story(&store).await[2..], again);
    drop(store);
    let mut fourth = bench(folder.path());
    fourth.next("alarm.returned").await;
    let store = fourth.end().await;
    assert_eq!(own_story(&store).await[7..], ["alarm.returned #2 P3"], "still to be acknowledged, and nothing new");
}

#[tokio::test]
async fn a_start_says_so_before_anything_that_follows_from_it_and_puts_its_rules_on_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = bench(folder.path());
    first.handle.system(SystemCondition::AnnunciatorFailed, true).await;
    first.next("alarm.raised").await;
    drop(first.end().await);
    let mut second = bench_on(folder.path(), &SITE.replacen("limit = 25", "limit = 24", 1));
    second.next("system.config_changed").await;
    let store = second.end().await;
    let journal = journal(&store).await;
    let place = |name: &str| journal.iter().rposition(|r| r.event.kind.name() == name).unwrap();
    assert!(place("system.started") < place("system.config_changed"));
    assert!(place("system.config_changed") < place("alarm.returned"), "{journal:#?}");
    let books =
        store.read(|conn| conn.query_row("SELECT COUNT(*) FROM rule_book", [], |row| row.get::<_, u32>(0))).await;
    assert_eq!(books.unwrap(), 2);
}

#[tokio::test]
async fn the_first_word_of_a_start_and_the_end_of_what_it_cannot_prove_are_one_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let mut b = bench(folder.path());
    let seen_seq = b.raised_by(30.0).await.event.seq;
    let (alarm, reason) = ("GT-101:H".to_owned(), "探头受潮".to_owned());
    let shelve = Command::Shelve { alarm, seen_seq, kind: ShelfKind::Timed, duration_s: 600, reason };
    b.handle.command(shelve, operator(), None).await.unwrap();
    drop(b.end().await);
    // Another boot, whose clock is behind what it has shown; and a disk that takes no end of a shelf.
    let file = Connection::open(folder.path().join("records.db")).unwrap();
    let no_end = "CREATE TRIGGER no_end BEFORE INSERT ON event WHEN NEW.kind = 'alarm.shelf_expired' BEGIN SELECT RAISE(ABORT, 'no'); END";
    file.execute_batch(no_end).unwrap();
    file.execute("UPDATE meta SET value = 'another' WHERE key = 'kernel_boot_id'", []).unwrap();
    let year_2100 = "4102444800000";
    file.execute("INSERT OR REPLACE INTO meta VALUES ('wall_mark_utc_ms', ?1)", [year_2100]).unwrap();
    let starts = |file: &Connection| {
        file.query_row("SELECT COUNT(*) FROM event WHERE kind = 'system.started'", [], |row| row.get::<_, u32>(0))
    };
    let mut b = bench(folder.path());
    assert!(!b.next("alarm.shelf_expired").await.durable);
    kill(b).await;
    // It has left no word of its boot: to the next start all is as it was.
    assert_eq!((starts(&file).unwrap(), on_disk(folder.path()).1.as_str()), (1, "another"));
    file.execute_batch("DROP TRIGGER no_end").unwrap();
    let mut b = bench(folder.path());
    assert!(b.next("alarm.shelf_expired").await.durable);
    b.end().await;
    let (row, boot) = on_disk(folder.path());
    assert_eq!((starts(&file).unwrap(), boot.as_str()), (2, "kernel"));
    assert!(row["hidden"].get("shelf").is_none(), "{row:#}");
}
