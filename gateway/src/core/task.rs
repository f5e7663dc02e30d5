//! The core's loop: scans, requests and time go to the engine; its events go to the ledger, then to everybody.
//!
//! Owns the core's state, the order of a turn and the drain at a stop. Leaves the first words of a start to [`super::beginning`], what is
//! asked of it to [`super::requests`], what it looks at by itself to [`super::second`], and what is seen of it to [`super::picture`].

use super::beginning::Beginning;
use super::derived::Derived;
use super::ledger::Ledger;
use super::nearness::Nearness;
use super::pace::{Looked, Pace};
use super::tick::Tick;
use super::{CommandOutcome, CoreHandle, CoreRequest};
use crate::annunciator::AnnunciatorView;
use crate::delivery::{Delivered, OutboxFigures};
use crate::influx::writer::Figures as InfluxFigures;
use crate::record::Record;
use crate::reload::Asker;
use crate::snapshot::{BusView, SiteView, Snapshot};
use crate::store::{Found, Store};
use devices::status::BusStatus;
use devices::{BusMessage, Scan};
use rules::{Clock, Engine, Event, EventKind, Input, Mono, RuleBook, SystemCondition};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A quarter of a second of 1,000 devices.
const REQUESTS_MAX: usize = 256;
/// Messages of the buses in one turn; people's requests come between two of them.
const TURN_MAX: usize = 256;
/// Records a slow reader may lag behind before it is told to ask the journal.
pub(super) const RECORDS_MAX: usize = 1024;

/// A stop waits so long for a disk that is behind; inside the eight seconds of the whole stop.
const LAST_COMMITS_LIMIT: Duration = Duration::from_secs(4);
const LAST_COMMIT_GLANCE: Duration = Duration::from_millis(50);

/// What the core is built from.
pub struct CoreParts {
    pub book: RuleBook,
    pub site: Arc<SiteView>,
    pub store: Store,
    pub found: Found,
    pub clock: Arc<dyn Clock>,
    pub boot_id: String,
    /// Who wanted this start with this configuration.
    pub asker: Asker,
    pub buses: Vec<(String, Arc<BusStatus>)>,
    /// Points that are read faster near a limit.
    pub nearness: Nearness,
    /// Points that are computed from others.
    pub derived: Derived,
    pub uplink: bool,
    pub influx: bool,
    /// As it stands before its first turn; none where none is configured.
    pub annunciator: Option<AnnunciatorView>,
    pub scans: mpsc::Receiver<BusMessage>,
    /// Grows with every turn: the watchdog's evidence.
    pub progress: Arc<AtomicU64>,
}

/// Starts the core; it ends after `stop` with a last commit.
pub fn start(parts: CoreParts, stop: CancellationToken) -> (CoreHandle, JoinHandle<()>) {
    let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
    let (records, _) = broadcast::channel(RECORDS_MAX);
    let (core, scans, beginning) = Core::new(parts, records.clone());
    let (publish, snapshots) = watch::channel(Arc::new(core.picture(core.clock.now())));
    let handle = CoreHandle { requests, snapshots, records, looked: core.looked.clone() };
    let task = tokio::spawn(core.run(scans, inbox, publish, beginning, stop));
    (handle, task)
}

pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) ledger: Ledger,
    pub(super) store: Store,
    pub(super) site: Arc<SiteView>,
    pub(super) site_since_seq: u64,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) buses: Vec<(String, Arc<BusStatus>)>,
    pub(super) nearness: Nearness,
    pub(super) derived: Derived,
    pub(super) bus_views: Arc<Vec<BusView>>,
    pub(super) records: broadcast::Sender<Arc<Record>>,
    pub(super) progress: Arc<AtomicU64>,
    pub(super) delivery: BTreeMap<String, Delivered>,
    pub(super) not_durable: BTreeSet<u64>,
    pub(super) outbox: OutboxFigures,
    pub(super) influx: InfluxFigures,
    pub(super) transitions: InfluxFigures,
    pub(super) uplink: bool,
    pub(super) influx_on: bool,
    pub(super) annunciator: Option<AnnunciatorView>,
    pub(super) connected_at: Mono,
    /// Until when the end of the run before is an alarm.
    pub(super) unclean_until: Option<Mono>,
    /// No time service has been seen since then.
    pub(super) unsynced_since: Option<Mono>,
    pub(super) answers: VecDeque<(String, CommandOutcome)>,
    pub(super) receipts: BTreeSet<(String, Option<String>)>,
    pub(super) dirty: bool,
    pub(super) looked: Arc<Looked>,
}

impl Core {
    /// With what its loop reads: the scans, and what the start has to say.
    fn new(parts: CoreParts, records: broadcast::Sender<Arc<Record>>) -> (Self, mpsc::Receiver<BusMessage>, Beginning) {
        let mut found = parts.found;
        let now = parts.clock.now();
        let restored = std::mem::take(&mut found.restored);
        let next_hazard = restored.next_hazard;
        let core = Self {
            engine: Engine::new(parts.book, restored, now),
            ledger: Ledger::new(
                parts.store.clone(),
                parts.site.site.clone(),
                parts.boot_id,
                found.chain_head.clone(),
                found.next_delivery,
                next_hazard,
            ),
            store: parts.store,
            site: parts.site,
            site_since_seq: 0,
            clock: parts.clock,
            buses: parts.buses,
            nearness: parts.nearness,
            derived: parts.derived,
            bus_views: Arc::default(),
            records,
            progress: parts.progress,
            delivery: BTreeMap::new(),
            not_durable: BTreeSet::new(),
            outbox: OutboxFigures::default(),
            influx: InfluxFigures::default(),
            transitions: InfluxFigures::default(),
            uplink: parts.uplink,
            influx_on: parts.influx,
            annunciator: parts.annunciator,
            connected_at: now.mono,
            unclean_until: None,
            unsynced_since: None,
            answers: VecDeque::new(),
            receipts: BTreeSet::new(),
            dirty: true,
            looked: Arc::default(),
        };
        (core, parts.scans, Beginning { found, asker: parts.asker })
    }

    async fn run(
        mut self,
        mut scans: mpsc::Receiver<BusMessage>,
        mut inbox: mpsc::Receiver<CoreRequest>,
        publish: watch::Sender<Arc<Snapshot>>,
        beginning: Beginning,
        stop: CancellationToken,
    ) {
        self.announce_start(&beginning).await;
        let (mut pace, looked) = (Pace::begin(), self.looked.clone());
        let (timer, stopped, mut tick) = (pace.timer(), stop.cancelled(), Tick::new());
        tokio::pin!(timer, stopped);
        loop {
            tick.follow(self.engine.next_deadline().map(|(at, _)| at), || self.clock.now().mono);
            tokio::select! {
                biased;
                () = stopped.as_mut() => break,
                Some(request) = inbox.recv() => self.request(request).await,
                Some(message) = scans.recv() => self.buses(message, &mut scans).await,
                () = tick.comes(), if tick.is_set() => self.input(Input::Tick).await,
                due = pace.turn(&looked, timer.as_mut()) => {
                    if due.second {
                        self.every_second().await;
                    }
                    self.dirty |= due.second || due.seen;
                }
            }
            self.progress.fetch_add(1, Ordering::Relaxed);
            if self.dirty {
                self.dirty = false;
                // Figures of buses are a second old at most; a link that came or went, and the first picture, do not wait for them.
                if !self.buses.iter().map(|(_, status)| status.is_up()).eq(self.bus_views.iter().map(|view| view.up)) {
                    self.look_at_buses();
                }
                publish.send_replace(Arc::new(self.picture(self.clock.now())));
            }
        }
        self.finish(&mut scans).await;
    }

    /// What the buses had handed over before the stop is still judged and kept.
    async fn finish(mut self, scans: &mut mpsc::Receiver<BusMessage>) {
        scans.close();
        while let Some(message) = scans.recv().await {
            self.buses(message, scans).await;
        }
        let boot_id = self.ledger.boot_id().to_owned();
        self.note(EventKind::Stopped { boot_id }).await;
        let ledger = &mut self.ledger;
        let rest = async {
            while ledger.is_late() {
                ledger.catch_up().await;
                tokio::time::sleep(LAST_COMMIT_GLANCE).await;
            }
        };
        if tokio::time::timeout(LAST_COMMITS_LIMIT, rest).await.is_err() {
            tracing::error!("the disk did not take the last events; they have gone out but are not in the journal");
        }
        self.store.close().await;
    }

    /// All that waits, judged one by one and committed together: a burst of alarms costs one sync of the disk.
    async fn buses(&mut self, first: BusMessage, scans: &mut mpsc::Receiver<BusMessage>) {
        let mut events = Vec::new();
        self.bus(first, &mut events);
        for _ in 1..TURN_MAX {
            let Ok(message) = scans.try_recv() else { break };
            self.bus(message, &mut events);
        }
        self.keep(events).await;
    }

    fn bus(&mut self, message: BusMessage, events: &mut Vec<Event>) {
        match message {
            BusMessage::Scan(Scan { device, answered, mut samples, ends_cycle, .. }) => {
                self.derived.follow(device, &mut samples, ends_cycle);
                self.store.append_samples(&samples, answered);
                let scan = Input::Scan { device, answered, samples: &samples };
                self.engine.handle(scan, self.clock.now(), events);
                self.nearness.look(&samples, &self.engine);
            }
            BusMessage::State { subject, code, detail } => {
                let kind = EventKind::DeviceState { device: subject, code: code.into(), detail };
                self.engine.note(kind, self.clock.now(), events);
            }
        }
    }

    pub(super) async fn input(&mut self, input: Input<'_>) {
        let mut events = Vec::new();
        self.engine.handle(input, self.clock.now(), &mut events);
        self.keep(events).await;
    }

    pub(super) async fn system(&mut self, condition: SystemCondition, active: bool) {
        self.input(Input::System { condition, active }).await;
    }

    pub(super) async fn note(&mut self, kind: EventKind) -> Option<Arc<Record>> {
        let mut events = Vec::new();
        self.engine.note(kind, self.clock.now(), &mut events);
        self.keep(events).await.pop()
    }

    /// Commits, then shows. Nothing else in here sends a record.
    pub(super) async fn keep(&mut self, events: Vec<Event>) -> Vec<Arc<Record>> {
        if events.is_empty() {
            return Vec::new();
        }
        let records = self.ledger.keep(events, &self.engine).await;
        self.tell(&records);
        records
    }

    pub(super) fn tell(&mut self, records: &[Arc<Record>]) {
        for record in records {
            if !record.durable {
                self.not_durable.insert(record.event.seq);
            }
            let _ = self.records.send(record.clone());
        }
        self.dirty = true;
    }
}
