//! A site with an outbox and nothing else: a store, a core that only listens, and the loop under test.

use crate::config::MqttSettings;
use crate::core::{CoreHandle, CoreRequest};
use crate::delivery::{OfficeReceipt, OutboxFigures};
use crate::mqtt::fixture;
use crate::mqtt::outbox::run;
use crate::mqtt::settings::{Pace, Settings};
use crate::record::Record;
use crate::snapshot::Snapshot;
use crate::store::{Commit, OpenOptions, Store};
use rules::Clock;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A hundred times faster than in the field.
pub(super) fn fast() -> Pace {
    Pace {
        resend_first: Duration::from_millis(400),
        resend_longest: Duration::from_millis(800),
        stall: Duration::from_millis(300),
        heartbeat: Duration::from_millis(100),
        look: Duration::from_millis(10),
        backoff_first: Duration::from_millis(2),
        backoff_longest: Duration::from_millis(20),
    }
}

/// As in the field, only quicker to return.
pub(super) fn patient() -> Pace {
    Pace { look: Duration::from_millis(10), backoff_first: Duration::from_millis(2), ..Pace::default() }
}

pub(super) struct Site {
    pub(super) store: Store,
    pub(super) figures: watch::Receiver<OutboxFigures>,
    pub(super) receipts: Arc<Mutex<Vec<OfficeReceipt>>>,
    pub(super) records: broadcast::Sender<Arc<Record>>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    stop: CancellationToken,
    outbox: JoinHandle<()>,
    handle: CoreHandle,
    core: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Site {
    pub(super) async fn start(port: u16, pace: Pace, records: Vec<Record>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock::default());
        let store = open(dir.path(), clock);
        let last = records.last().map_or(0, |record| record.event.seq);
        store.commit(Commit { records, next_hazard: 1, ..Commit::default() }).await.unwrap();
        let (requests, inbox) = mpsc::channel(256);
        let (snapshots, pictures) = watch::channel(picture(last));
        let (records, _) = broadcast::channel(1024);
        let core = CoreHandle { requests, snapshots: pictures, records: records.clone(), looked: Arc::default() };
        let handle = core.clone();
        let (tell, figures) = watch::channel(OutboxFigures::default());
        let receipts = Arc::new(Mutex::new(Vec::new()));
        let listening = tokio::spawn(listen(inbox, tell, receipts.clone()));
        let stop = CancellationToken::new();
        let outbox = tokio::spawn(run(settings(port, pace, store.clone(), core), stop.clone()));
        Self { store, figures, receipts, records, snapshots, stop, outbox, handle, core: listening, _dir: dir }
    }

    /// As the core does: committed, then shown.
    pub(super) async fn happens(&self, record: Record) {
        let seq = record.event.seq;
        let commit = Commit { records: vec![record.clone()], next_hazard: 1, ..Commit::default() };
        self.store.commit(commit).await.unwrap();
        let _ = self.records.send(Arc::new(record));
        self.snapshots.send_replace(picture(seq));
    }

    /// Waits until the figures are as wanted.
    pub(super) async fn figures(&self, what: &str, wanted: impl Fn(&OutboxFigures) -> bool) -> OutboxFigures {
        let mut figures = self.figures.clone();
        let waited = tokio::time::timeout(Duration::from_secs(10), figures.wait_for(|f| wanted(f))).await;
        let Ok(told) = waited else { panic!("{what}: {:?}", *self.figures.borrow()) };
        told.unwrap().clone()
    }

    /// What a connection of this site would be made from.
    pub(super) fn settings(&self) -> Settings {
        settings(1, patient(), self.store.clone(), self.handle.clone())
    }

    /// Ends the outbox as a stop of the gateway does.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.outbox.await.unwrap();
        drop(self.handle);
        self.core.await.unwrap();
    }
}

fn open(dir: &std::path::Path, clock: Arc<dyn Clock>) -> Store {
    let options = OpenOptions {
        points: Vec::new(),
        commit_interval: Duration::from_secs(1),
        max_bytes: 1 << 20,
        now_label: "x".into(),
        kernel_boot_id: "k".into(),
        clock,
        workers: crate::store::Workers::Threads,
    };
    Store::open(dir, options).unwrap().0
}

pub(super) fn settings(port: u16, pace: Pace, store: Store, core: CoreHandle) -> Settings {
    let mqtt = MqttSettings {
        host: "127.0.0.1".into(),
        port,
        client_id: "site".into(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(5),
    };
    let clock = Arc::new(crate::clock::SystemClock::default());
    Settings {
        mqtt,
        site: Arc::new(fixture::site()),
        store,
        core,
        clock,
        pace,
        dial: Arc::new(crate::mqtt::dial::Network),
    }
}

async fn listen(
    mut inbox: mpsc::Receiver<CoreRequest>,
    figures: watch::Sender<OutboxFigures>,
    receipts: Arc<Mutex<Vec<OfficeReceipt>>>,
) {
    while let Some(request) = inbox.recv().await {
        match request {
            CoreRequest::Outbox(told) => {
                figures.send_replace(told);
            }
            CoreRequest::Receipt(receipt) => receipts.lock().unwrap().push(receipt),
            other => panic!("the outbox has no business with {other:?}"),
        }
    }
}

fn picture(seq: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot { seq, ..fixture::picture(Vec::new()) })
}
