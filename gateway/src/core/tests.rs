//! The core with a real store in a folder of its own. Owns the bench; each theme has a file.

mod bus;
mod calls;
mod disk;
mod other_rules;
mod people;
mod starts;

use super::{CoreHandle, CoreParts, Derived, Nearness, start};
use crate::clock::SystemClock;
use crate::config;
use crate::record::Record;
use crate::reload::Asker;
use crate::store::{OpenOptions, Store};
use devices::status::BusStatus;
use devices::{BusMessage, BusSpec, Scan};
use rules::{Actor, Clock, Command, Finite, Now, Reading, RuleBook, Sample, TimeQuality, Wall};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
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

    /// Reads `value`, which raises an alarm.
    async fn raised_by(&mut self, value: f64) -> Arc<Record> {
        self.scan(value).await;
        self.next("alarm.raised").await
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

/// By a person who has seen the alarm as this event left it.
fn ack_of(raised: &Record, seen_seq: u64) -> Command {
    let alarm = raised.event.kind.fact().unwrap().alarm.clone();
    Command::Acknowledge { alarm, seen_seq, comment: String::new() }
}

fn operator() -> Actor {
    Actor { user: "zhang".into(), role: "operator".into(), terminal: String::new() }
}
