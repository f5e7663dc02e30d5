//! The core with a real store in a folder of its own: what is shown is on the disk, and a stuck disk silences nobody.

mod calls;

use super::{CommandError, CoreHandle, CoreParts, Derived, Nearness, NewRules, start};
use crate::clock::SystemClock;
use crate::config;
use crate::kept_bus::keep;
use crate::record::Record;
use crate::reload::Asker;
use crate::snapshot::Snapshot;
use crate::store::{OpenOptions, Store, verify};
use devices::status::BusStatus;
use devices::{BusMessage, BusSpec, Connect, Connecting, LinkStream, Scan, run_bus_with};
use rules::{
    Actor, Clock, Command, EventKind, Fault, Finite, Now, Reading, Rejected, RuleBook, Sample, SystemCondition,
    TimeQuality, Wall,
};
use rusqlite::Connection;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Longest wait of a test for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The system's own clocks, called synchronised so that no alarm of the test machine's clock interferes.
#[derive(Default)]
struct Trusted(SystemClock);

impl Clock for Trusted {
    fn now(&self) -> Now {
        let now = self.0.now();
        Now { wall: Wall { quality: TimeQuality::Synced, ..now.wall }, ..now }
    }
}

struct Bench {
    handle: CoreHandle,
    task: JoinHandle<()>,
    scans: mpsc::Sender<BusMessage>,
    records: broadcast::Receiver<Arc<Record>>,
    stop: CancellationToken,
    book: RuleBook,
    clock: Arc<Trusted>,
    store: Store,
    bus: (BusSpec, Arc<BusStatus>),
}

const SITE: &str = include_str!("../../examples/minimal-site.toml");

fn bench(folder: &Path) -> Bench {
    bench_on(folder, SITE)
}

fn bench_on(folder: &Path, text: &str) -> Bench {
    bench_for(folder, text, Asker::Start)
}

fn bench_for(folder: &Path, text: &str, asker: Asker) -> Bench {
    let checked = config::site_from_text("minimal-site.toml", text, |_| {});
    bench_of(folder, &checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics)), asker)
}

fn bench_of(folder: &Path, site: &config::Site, asker: Asker) -> Bench {
    let clock = Arc::new(Trusted::default());
    let options = OpenOptions {
        points: site.book.points().iter().map(|p| p.key.clone()).collect(),
        commit_interval: Duration::from_millis(10),
        max_bytes: 1 << 30,
        now_label: "label".into(),
        kernel_boot_id: "kernel".into(),
        clock: clock.clone(),
        workers: crate::store::Workers::Threads,
    };
    let (store, found) = Store::open(folder, options).unwrap();
    let (scans, inbox) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let spec = site.buses[0].clone();
    let bus = (spec.clone(), Arc::new(BusStatus::new(&spec)));
    let parts = CoreParts {
        book: site.book.clone(),
        site: site.view.clone(),
        store: store.clone(),
        found,
        clock: clock.clone(),
        boot_id: "boot".into(),
        asker,
        buses: vec![(spec.key, bus.1.clone())],
        nearness: Nearness::default(),
        derived: Derived::default(),
        uplink: false,
        influx: false,
        annunciator: None,
        scans: inbox,
        progress: Arc::default(),
    };
    let (handle, task) = start(parts, stop.clone());
    let records = handle.records();
    Bench { handle, task, scans, records, stop, book: site.book.clone(), clock, store, bus }
}

impl Bench {
    async fn scan(&self, value: f64) {
        let at = self.clock.now();
        let device = self.book.device_id("DET-101").unwrap();
        let reading = Reading::Good(Finite::new(value).unwrap());
        let samples = vec![Sample { point: self.book.point_id("GT-101").unwrap(), reading, raw: rules::Raw::NONE, at }];
        self.scans
            .send(BusMessage::Scan(Scan { device, answered: true, samples, ends_cycle: true, at }))
            .await
            .unwrap();
    }

    /// The next record of this kind.
    async fn next(&mut self, kind: &str) -> Arc<Record> {
        let wanted = async {
            loop {
                let record = self.records.recv().await.unwrap();
                if record.event.kind.name() == kind {
                    return record;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("no {kind}"))
    }

    async fn end(self) -> Store {
        self.stop.cancel();
        self.task.await.unwrap();
        self.store
    }
}

async fn journal(store: &Store) -> Vec<Record> {
    let texts = store
        .read(|conn| {
            let mut query = conn.prepare("SELECT json FROM event ORDER BY seq")?;
            query.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        })
        .await
        .unwrap();
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn operator() -> Actor {
    Actor { user: "zhang".into(), role: "operator".into(), terminal: String::new() }
}

#[tokio::test]
async fn what_is_shown_is_already_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(60.0).await;
    let shown = bench.next("alarm.raised").await;
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
    let other = Connection::open(folder.path().join("records.db")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    bench.scan(60.0).await;
    let shown = bench.next("alarm.raised").await;
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
async fn a_repeated_command_is_answered_as_the_first_and_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(60.0).await;
    let raised = bench.next("alarm.raised").await;
    let alarm = raised.event.kind.fact().unwrap().alarm.clone();
    let ack = || Command::Acknowledge { alarm: alarm.clone(), seen_seq: raised.event.seq, comment: String::new() };
    let first = bench.handle.command(ack(), operator(), Some("key".into())).await.unwrap();
    let again = bench.handle.command(ack(), operator(), Some("key".into())).await.unwrap();
    assert_eq!(first.records[0].event_id, again.records[0].event_id);
    let acks = journal(&bench.end().await).await;
    assert_eq!(
        acks.iter()
            .filter(|r| r.event.kind.name() == "alarm.acked" && r.event.kind.fact().unwrap().alarm == alarm)
            .count(),
        1
    );
}

#[tokio::test]
async fn an_acknowledgement_of_what_has_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(60.0).await;
    let raised = bench.next("alarm.raised").await;
    let alarm = raised.event.kind.fact().unwrap().alarm.clone();
    let stale = Command::Acknowledge { alarm, seen_seq: raised.event.seq - 1, comment: String::new() };
    let refused = bench.handle.command(stale, operator(), None).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Rejected::Changed(_)))), "{refused:?}");
    bench.end().await;
}

#[tokio::test]
async fn a_stop_is_journaled_and_the_next_start_knows_the_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = bench(folder.path());
    first.scan(60.0).await;
    let raised = first.next("alarm.raised").await;
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
    let other = Connection::open(folder.path().join("records.db")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    bench.scan(60.0).await;
    let shown = bench.next("alarm.raised").await;
    bench.stop.cancel();
    other.execute_batch("ROLLBACK").unwrap();
    let records = journal(&bench.end().await).await;
    assert!(records.iter().any(|r| r.hash == shown.hash));
    assert_eq!(records.last().unwrap().event.kind.name(), "system.stopped");
}

/// The rules of the minimal site with another limit.
fn with_limit(limit: &str) -> NewRules {
    let text = SITE.replacen("limit = 25", limit, 1);
    // without the substance any limit may be tried
    let text = text.replace("substance = \"NH3\"\n", "");
    let site = config::site_from_text("minimal-site.toml", &text, |_| {}).value.unwrap();
    NewRules::of(&site, Asker::Signal)
}

#[tokio::test]
async fn other_rules_take_over_at_once_and_what_people_did_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    bench.scan(30.0).await;
    let raised = bench.next("alarm.raised").await;
    let id = raised.event.kind.fact().unwrap().alarm.clone();
    let ack = Command::Acknowledge { alarm: id.clone(), seen_seq: raised.event.seq, comment: String::new() };
    bench.handle.command(ack, operator(), None).await.unwrap();
    let old_hash = bench.handle.snapshot().site.config_hash.clone();

    assert!(bench.handle.change(with_limit("limit = 28")).await);
    let EventKind::ConfigChanged { old_hash: old, new_hash: new, by, asked: None } =
        bench.next("system.config_changed").await.event.kind.clone()
    else {
        panic!("another kind")
    };
    assert_eq!((old.as_str(), by.as_str(), new != old), (old_hash.as_str(), "SIGHUP", true));
    let said = bench.next("system.notice").await;
    let EventKind::Notice { text_zh, .. } = &said.event.kind else { panic!("{said:?}") };
    assert!(text_zh.contains("高限报警 限值 25 → 28"), "{text_zh}");
    let mut pictures = bench.handle.snapshots();
    let shown = pictures.wait_for(|p| p.site.config_hash == new).await.unwrap().clone();
    let alarm = shown.alarms.iter().find(|a| a.id == id).expect("30 is above 28 too");
    assert_eq!((alarm.state.as_str(), alarm.acked_by.as_deref(), alarm.occurrence), ("acked", Some("zhang"), 1));
    assert_eq!(shown.site.points.get(0).unwrap().limits.iter().find(|(word, _)| *word == "H").unwrap().1, 28.0);

    assert!(bench.handle.change(with_limit("limit = 35\noff_delay_s = 0")).await);
    let closed = bench.next("alarm.cleared").await;
    assert_eq!(closed.event.kind.fact().unwrap().cause, rules::Cause::Config, "{closed:?}");
    let whole = bench.end().await.read(verify).await.unwrap();
    assert!(whole.is_ok(), "{whole:?}");
}

#[tokio::test]
async fn a_start_with_another_configuration_says_what_differs_from_the_last_run() {
    let folder = tempfile::tempdir().unwrap();
    bench(folder.path()).end().await;
    let told = async |text: &str| {
        let store = bench_on(folder.path(), text).end().await;
        let sql = "SELECT json_extract(json, '$.text_zh') FROM event WHERE json_extract(json, '$.code') = 'config_differences'";
        let list = store.read(move |conn| conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect());
        list.await.unwrap()
    };
    let limit = SITE.replacen("limit = 25", "limit = 28", 1);
    assert_ne!(limit, SITE);
    let first: Vec<String> = told(&limit).await;
    assert!(first.len() == 1 && first[0].contains("高限报警 限值 25 → 28"), "{first:?}");
    assert_eq!(told(&limit).await, first, "the same again says nothing");
    let renamed = limit.replacen("GT-101", "GT-109", 9);
    let second = told(&renamed).await;
    let last = second.last().unwrap();
    assert!(last.contains("GT-101 氨气浓度 高限报警 已删除") && last.contains("测点 GT-101 氨气浓度 已删除"), "{last}");
    assert!(last.contains("测点 GT-109") && last.contains("新增"), "{last}");
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
async fn the_rows_of_another_boot_are_on_this_ones_clock_with_the_first_event_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut b = bench(folder.path());
    b.scan(30.0).await;
    b.next("alarm.raised").await;
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
async fn who_had_the_same_rules_read_again_and_why_is_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    drop(bench(folder.path()).end().await);
    let actor = Actor { user: "li".into(), role: "engineer".into(), terminal: String::new() };
    let mut second = bench_for(folder.path(), SITE, Asker::Person { actor, reason: "换了数据库口令".into() });
    let record = second.next("operator.action").await;
    let said = serde_json::to_string(&record).unwrap();
    assert!(said.contains("config_reloaded") && said.contains("\"li\"") && said.contains("换了数据库口令"), "{said}");
}

/// A wire on which the task of its bus fails with the first exchange, as if the decoder had a mistake.
struct Cursed;

impl Connect for Cursed {
    fn connect(&mut self) -> Connecting<'_> {
        Box::pin(async { Ok(Box::new(Self) as Box<dyn LinkStream>) })
    }
}

impl AsyncRead for Cursed {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        panic!("as if the decoder had a mistake")
    }
}

impl AsyncWrite for Cursed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn the_link_of_a_bus_that_failed_is_down_at_once_and_its_points_are_stale_within_their_age() {
    let folder = tempfile::tempdir().unwrap();
    let age = "range = [0, 100]\nmax_age_s = 1.0";
    let mut bench = bench_on(folder.path(), &SITE.replacen("range = [0, 100]", age, 1));
    let ((spec, status), clock, scans) = (bench.bus.clone(), bench.clock.clone(), bench.scans.clone());
    let (core, stop) = (bench.handle.clone(), bench.stop.clone());
    let mut pictures = core.snapshots();
    bench.scan(10.0).await;
    pictures.wait_for(|p| p.values[0].reading.value() == Some(10.0)).await.unwrap();
    let scanned = Instant::now();
    let keeping = tokio::spawn(async move {
        let run = || run_bus_with(Cursed, spec.clone(), clock.clone(), scans.clone(), status.clone(), stop.clone());
        keep("bus-a", run, &status, &core, &AtomicU32::new(0), &stop).await;
    });
    let mut told = Vec::new();
    while told.len() < 3 {
        let record = bench.records.recv().await.unwrap();
        match &record.event.kind {
            EventKind::DeviceState { code, .. } | EventKind::Notice { code, .. } => told.push(code.to_string()),
            _ => {}
        }
    }
    told.sort_unstable(); // the bus has said that it is up on a way of its own
    assert_eq!(told, ["link_down", "link_up", "task_panicked"]);
    let stale = |p: &Arc<Snapshot>| !p.buses[0].up && p.values[0].reading == Reading::Bad(Fault::Stale);
    tokio::time::timeout(PATIENCE, pictures.wait_for(stale)).await.unwrap().unwrap();
    assert!(scanned.elapsed() < Duration::from_secs(3), "a second, and the next picture");
    bench.end().await;
    keeping.await.unwrap();
}
