//! What the store promises, as facts.

use super::history::Stored;
use super::outbox;
use super::writer::WAITING_MAX;
use super::*;
use crate::influx::writer::Source as _;
use crate::record::Record;
use crate::web::AccountDb as _;
use rules::{AlarmFact, Clock, Event, EventKind, Finite, Mono, Now, Reading, Wall};
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
const AT_MS: i64 = 20_000 * DAY_MS;

/// Ten seconds pass with every look, so that a group commit is over at once.
#[derive(Default)]
struct Hasty(std::sync::atomic::AtomicU64);

impl Clock for Hasty {
    fn now(&self) -> Now {
        let mono = self.0.fetch_add(10_000_000_000, std::sync::atomic::Ordering::Relaxed);
        Now { mono: Mono(mono), wall: Wall { utc_ms: AT_MS, ..Wall::default() } }
    }
}

pub(super) fn options(kernel_boot_id: &str, workers: Workers) -> OpenOptions {
    OpenOptions {
        points: vec!["GT-101".into()],
        commit_interval: Duration::from_millis(1),
        max_bytes: 1 << 30,
        now_label: "20261124T000000Z".into(),
        kernel_boot_id: kernel_boot_id.into(),
        clock: Arc::new(Hasty::default()),
        workers,
    }
}

fn open(dir: &Path, kernel_boot_id: &str) -> Result<(Store, Found), StoreError> {
    Store::open(dir, options(kernel_boot_id, Workers::Threads))
}

fn history(dir: &Path) -> History {
    History::open(dir.into(), &options("boot-a", Workers::Threads)).unwrap()
}

fn put(history: &History, utc_ms: i64) {
    let before = history.figures().stored;
    history.append_stored(Stored { point: 0, utc_ms, value: Some(1.0), quality: 0, detail: 0 });
    while history.figures().stored == before {
        std::thread::yield_now();
    }
}

fn raised(value: f64) -> EventKind {
    let fact = AlarmFact {
        alarm: "GT-101:HH".into(),
        occurrence: 1,
        point: "GT-101".into(),
        condition: "HH".into(),
        priority: 1,
        reading: Some(Reading::Good(Finite::new(value).unwrap())),
        limit: Some(50.0),
        unit: "%LEL".into(),
        risk: None,
        ..AlarmFact::default()
    };
    EventKind::Raised { fact, assumed: false, late_by_ms: 0 }
}

fn started() -> EventKind {
    EventKind::Started { boot_id: "b".into(), version: "1".into(), config_hash: "c".into(), down_for_ms: None }
}

/// A sealed chain of records, from number 1.
pub(super) fn chain(kinds: impl IntoIterator<Item = EventKind>) -> Vec<Record> {
    let mut head = GENESIS.to_owned();
    let mut record = |(i, kind): (usize, EventKind)| {
        let seq = i as u64 + 1;
        let at = Now { mono: Mono(seq), wall: Wall { utc_ms: AT_MS, ..Wall::default() } };
        let mut record = Record {
            event_id: format!("s-{seq}"),
            boot_id: "b".into(),
            delivery_seq: kind.goes_to_office().then_some(seq),
            durable: true,
            prev_hash: String::new(),
            hash: String::new(),
            event: Event { seq, at, kind },
        };
        seal(&mut record, &head);
        head.clone_from(&record.hash);
        record
    };
    kinds.into_iter().enumerate().map(&mut record).collect()
}

pub(super) fn commit(records: Vec<Record>) -> Commit {
    Commit { records, next_hazard: 1, ..Commit::default() }
}

#[test]
fn every_kind_of_the_gateways_own_records_can_be_read_back() {
    let (id, none) = (|| "s-9".to_owned(), String::new);
    let records = chain([
        started(),
        EventKind::Stopped { boot_id: id() },
        EventKind::ConfigChanged { old_hash: id(), new_hash: id(), by: id(), asked: None },
        EventKind::Notice { code: id(), text_zh: none(), text_en: none() },
        EventKind::DeviceState { device: id(), code: id(), detail: none() },
        EventKind::Receipt { event_id: id(), by: Some(id()), note: None },
        EventKind::Operator { user: id(), action: id(), detail: none() },
        raised(50.0),
    ]);
    for record in records {
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }
}

/// As it was written before events had `sound` and `stood_ms`, and its hash.
const EARLIER: (&str, &str) = (
    r#"{"seq":1,"at":{"mono":1000000000,"wall":{"utc_ms":1728000000000,"quality":"synced"}},"kind":"alarm.raised","fact":{"alarm":"LT-1:STUCK","occurrence":1,"point":"LT-1","condition":"STUCK","priority":3,"reading":{"good":50.0},"limit":null,"on_delay_ms":300000,"unit":"%","device":"D1","area":"A1","risk":null,"drill":false,"cause":"timer","config_rev":"abc123","states":{"before":"pending_on","after":"active unacked"}},"assumed":false,"late_by_ms":0}"#,
    "670d6d559bb4e61cb9a9f97fcdf0beb12d786bac51e7edeeb307a1ad9963bc98",
);

#[test]
fn a_record_of_an_earlier_version_still_proves_its_hash() {
    let event: Event = serde_json::from_str(EARLIER.0).unwrap();
    let mut record = chain([event.kind.clone()]).remove(0);
    (record.event, record.hash) = (event, String::new());
    seal(&mut record, GENESIS);
    assert_eq!((serde_json::to_string(&record.event).unwrap().as_str(), record.hash.as_str()), EARLIER);
}

#[test]
fn any_measured_value_is_the_same_after_reading_back() {
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..5_000 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        let value = Finite::new(f64::from_bits(x)).map_or(0.1, Finite::get);
        let record = chain([raised(value)]).remove(0);
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record, "{value:e}");
    }
}

#[tokio::test]
async fn a_start_waits_for_the_office_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "k").unwrap();
    store.commit(commit(chain([started(), raised(92.36648026850173)]))).await.unwrap();
    assert_eq!(store.read(verify).await.unwrap(), Ok(2));
    let standing = store.read(|c| outbox::standing(c, 2)).await.unwrap();
    let since = standing.oldest.unwrap();
    assert_eq!((standing.depth, since.boot_id.as_str(), since.mono_ns, since.utc_ms), (2, "b", 1, AT_MS));
    assert_eq!((standing.delivery_seq, standing.chain_seq), (2, 2));
}

#[tokio::test]
async fn a_changed_record_is_found_at_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "k").unwrap();
    store.commit(commit(chain([raised(50.0), raised(50.0), raised(50.0)]))).await.unwrap();
    let sql = "UPDATE event SET json = replace(json, '50.0', '51.0') WHERE seq = 2";
    store.write(|tx| tx.execute(sql, [])).await.unwrap();
    assert_eq!(store.read(verify).await.unwrap().unwrap_err().seq, 2);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_may_be_repeated_but_no_number_is_taken_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "k").unwrap();
    let first = commit(chain([raised(50.0)]));
    store.commit(first.clone()).await.unwrap();
    store.commit(first).await.unwrap();
    assert!(store.commit(commit(chain([raised(51.0)]))).await.is_err());
    assert_eq!(store.read(verify).await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_panicking_write_leaves_the_writer_alive_and_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "k").unwrap();
    let bad = store.write(|tx| -> rusqlite::Result<()> {
        tx.execute("INSERT INTO meta VALUES ('half', 'done')", [])?;
        panic!("one bad job")
    });
    assert!(bad.await.is_err());
    let half =
        store.write(|tx| tx.query_row("SELECT COUNT(*) FROM meta WHERE key = 'half'", [], |r| r.get::<_, i64>(0)));
    assert_eq!(half.await.unwrap(), 0);
}

#[tokio::test]
async fn a_damaged_records_file_is_set_aside_and_the_start_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("records.db"), vec![0x55; 65_536]).unwrap();
    let (store, found) = open(dir.path(), "k").unwrap();
    assert!(found.salvaged.is_some());
    assert!(dir.path().join("records.db.corrupt-20261124T000000Z").exists());
    store.commit(commit(chain([started()]))).await.unwrap();
}

#[tokio::test]
async fn a_record_of_a_hidden_danger_that_cannot_be_read_is_told_and_the_others_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "k").unwrap();
    let damaged = store.write(|tx| {
        let put = "INSERT INTO hazard VALUES (?1, ?2, ?3)";
        let closed = r#"{"id":"HD-1","stage":{"stage":"closed""#;
        tx.execute(put, rusqlite::params!["HD-1", closed, false])?;
        tx.execute(put, rusqlite::params!["HD-2", "{", true])?;
        tx.execute(put, rusqlite::params!["HD-3", HAZARD, true])
    });
    damaged.await.unwrap();
    drop(store);
    let (_store, found) = open(dir.path(), "k").unwrap();
    assert_eq!(found.unread_hazards, ["HD-1", "HD-2"]);
    assert_eq!(found.restored.hazards.iter().map(|h| h.id.as_str()).collect::<Vec<_>>(), ["HD-3"]);
    let (zh, en) = crate::text::parts::unread_hazards(&found.unread_hazards);
    assert!(
        zh.starts_with("2 条隐患记录损坏") && zh.contains("HD-1、HD-2") && en.contains("HD-1, HD-2"),
        "{zh} · {en}"
    );
}

const HAZARD: &str = r#"{"id":"HD-3","measure":"RA-01.M1","risk":"RA-01","cause":"GT-101:HH",
    "opened":{"mono":1,"wall":{"utc_ms":2,"quality":"synced"}},"occurrences":[],"stage":{"stage":"candidate"}}"#;

#[test]
fn a_newer_store_is_refused_and_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(open(dir.path(), "k"), Err(StoreError::NewerVersion(_, 99))));
    assert!(std::fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn the_same_boot_is_known_by_its_first_event_and_no_boot_id_never_equals_another() {
    for (kernel, same) in [("k", true), ("", false)] {
        let dir = tempfile::tempdir().unwrap();
        let boot = || open(dir.path(), kernel).unwrap().1.restored.boot.map(|boot| boot.seq);
        let (store, found) = open(dir.path(), "before").unwrap();
        let records = chain(vec![raised(50.0), raised(60.0), raised(70.0)]);
        store.commit(Commit { boot: found.new_boot, ..commit(records[..1].to_vec()) }).await.unwrap();
        drop(store);
        assert_eq!((boot(), boot()), (None, None), "{kernel}: nothing in the journal is of this boot yet");
        let (store, found) = open(dir.path(), kernel).unwrap();
        store.commit(Commit { boot: found.new_boot, ..commit(records[1..].to_vec()) }).await.unwrap();
        drop(store);
        assert_eq!(boot(), same.then_some(2), "{kernel}");
    }
}

#[tokio::test]
async fn the_position_of_a_sink_survives() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "k").unwrap();
    let cursor = HistoryCursor { day: "20261124".into(), block: 7 };
    assert!(store.save(&cursor).await);
    assert_eq!(store.load().await, cursor);
}

#[test]
fn samples_come_back_in_order_once_and_by_range() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path());
    put(&history, AT_MS + 5);
    put(&history, AT_MS + DAY_MS);
    let first = history.after(&HistoryCursor::default(), 60).unwrap();
    let second = history.after(&first.next, 60).unwrap();
    assert_eq!((first.samples[0].utc_ms, second.samples[0].utc_ms), (AT_MS + 5, AT_MS + DAY_MS));
    assert_eq!((first.samples[0].point, first.more), (Some(0), false));
    assert!(history.after(&second.next, 60).is_none());
    assert_eq!(history.range("GT-101", AT_MS, AT_MS + 10).len(), 1);
}

#[test]
fn a_day_that_is_over_and_the_last_one_are_whole_without_their_logs_though_somebody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path());
    let log = |day: i64| {
        let path = dir.path().join(format!("{}.db-wal", super::writer::day_of(day)));
        std::fs::metadata(path).map_or(0, |log| log.len())
    };
    put(&history, AT_MS);
    let first = history.after(&HistoryCursor::default(), 8).unwrap();
    assert!(log(AT_MS) > 0, "the reader keeps it");
    put(&history, AT_MS + DAY_MS);
    assert_eq!(log(AT_MS), 0, "another day has begun");
    let _second = history.after(&first.next, 8);
    history.close();
    assert_eq!(log(AT_MS + DAY_MS), 0);
}

#[test]
fn a_day_of_a_killed_run_is_whole_after_the_next_run() {
    let (killed, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let history_of_killed = history(killed.path());
    put(&history_of_killed, AT_MS);
    let day = super::writer::day_of(AT_MS);
    for end in [".db", ".db-wal"] {
        let name = format!("{day}{end}");
        std::fs::copy(killed.path().join(&name), dir.path().join(&name)).unwrap();
    }
    let log = || std::fs::metadata(dir.path().join(format!("{day}.db-wal"))).map_or(0, |log| log.len());
    assert!(log() > 0, "as a kill leaves it");
    let next = history(dir.path());
    put(&next, AT_MS + DAY_MS);
    assert_eq!(log(), 0);
    let samples = next.range("GT-101", AT_MS, AT_MS + 10);
    assert_eq!(samples.len(), 1, "{samples:?}");
}

#[test]
fn a_damaged_day_does_not_hide_the_days_after_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("20200101.db"), vec![0x55; 8_192]).unwrap();
    let history = history(dir.path());
    put(&history, AT_MS);
    assert!(history.after(&HistoryCursor::default(), 60).is_some());
}

#[test]
fn a_damaged_day_is_set_aside_when_it_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("20241004.db"), vec![0x55; 8_192]).unwrap();
    let history = history(dir.path());
    put(&history, AT_MS);
    assert!(dir.path().join("20241004.db.corrupt-0").exists());
    assert_eq!(history.range("GT-101", AT_MS, AT_MS).len(), 1);
}

#[test]
fn a_minute_of_the_largest_site_waits_while_the_disk_stalls() {
    const { assert!(WAITING_MAX >= 60 * 20_000) };
}

#[test]
fn inline_work_is_done_when_the_call_returns_and_what_it_wrote_is_read_by_a_store_with_threads() {
    use futures_util::FutureExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), options("boot-a", Workers::Inline)).unwrap();
    let written = store.write(|tx| tx.execute("INSERT OR REPLACE INTO meta VALUES ('a', 'b')", []));
    assert_eq!(written.now_or_never().unwrap().unwrap(), 1);
    let sample = |utc_ms| Stored { point: 0, utc_ms, value: Some(1.0), quality: 0, detail: 0 };
    store.history.append_stored(sample(AT_MS));
    store.history.append_stored(sample(AT_MS + 1));
    store.close().now_or_never().unwrap();
    assert_eq!(store.history_figures().stored, 2);
    drop(store);
    let (store, _) = open(dir.path(), "boot-a").unwrap();
    assert_eq!(store.history.range("GT-101", AT_MS, AT_MS + 1).len(), 2);
}

#[tokio::test]
async fn a_line_that_the_database_refuses_is_kept_with_the_time_it_was_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), "boot-a").unwrap();
    assert!(store.set_aside("sample v=1".into(), "unable to parse".into()).await);
    let kept = store.read(|c| {
        c.query_row("SELECT at_ms, line FROM dead_letter", [], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)))
    });
    assert_eq!(kept.await.unwrap(), (AT_MS, "sample v=1".to_owned()));
}

#[tokio::test]
async fn a_flood_that_is_on_is_found_by_a_start_however_many_alarms_came_since() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), options("boot-a", Workers::Threads)).unwrap();
    let begun = EventKind::FloodStarted { count: 11, first: "GT-101:H".into() };
    let raises = std::iter::repeat_with(|| raised(50.0)).take(4_200);
    let records = chain(std::iter::once(begun).chain(raises).collect::<Vec<_>>());
    let last = records.len();
    store.commit(commit(records)).await.unwrap();
    drop(store);
    let (store, found) = Store::open(folder.path(), options("boot-a", Workers::Threads)).unwrap();
    let recent = &found.restored.recent;
    assert!(matches!(recent[0].kind, EventKind::FloodStarted { .. }) && recent[0].seq == 1, "{:?}", recent[0]);
    assert_eq!((recent.len(), recent[recent.len() - 1].seq), (4_097, last as u64));
    drop(store);
}

#[tokio::test]
async fn a_commit_of_anybody_moves_the_mark_and_reading_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(crate::clock::SystemClock::default());
    let options = OpenOptions { clock, ..options("boot-a", Workers::Threads) };
    let (store, _) = Store::open(folder.path(), options).unwrap();
    let insert = "INSERT OR REPLACE INTO cursor VALUES ('a', '1')";
    let settled = async || {
        tokio::time::sleep(Duration::from_millis(250)).await;
        store.mark()
    };
    store.write(move |tx| tx.execute(insert, [])).await.unwrap();
    assert_eq!(store.mark(), None, "another commit might get the same stamp");
    let first = settled().await;
    assert!(first.is_some());
    store.write(|tx| tx.query_row("SELECT COUNT(*) FROM cursor", [], |row| row.get::<_, i64>(0))).await.unwrap();
    assert_eq!(settled().await, first);
    open_beside(folder.path()).unwrap().execute(insert, []).unwrap();
    let second = settled().await;
    assert!(second.is_some() && second != first, "a commit of the command line");
}
