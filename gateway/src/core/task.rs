//! The core's loop: scans, requests and time go to the engine; its events go to the ledger, then to everybody.

use super::derived::Derived;
use super::ledger::Ledger;
use super::nearness::Nearness;
use super::pace::{Looked, Pace};
use super::standing;
use super::tick::Tick;
use super::view::{self, Beside};
use super::{CommandError, CommandOutcome, CoreHandle, CoreRequest};
use crate::annunciator::AnnunciatorView;
use crate::delivery::{Delivered, Delivery, OfficeReceipt, OutboxFigures};
use crate::influx::writer::Figures as InfluxFigures;
use crate::record::Record;
use crate::reload::Asker;
use crate::snapshot::{BusView, SiteView, Snapshot, StorageView};
use crate::store::{Found, KeptBook, Store, UncleanEnd};
use crate::text::parts;
use devices::status::BusStatus;
use devices::{BusMessage, Scan};
use rules::{
    Actor, Clock, Command, Engine, Event, EventKind, Input, Mono, Now, Rejected, RuleBook, SystemCondition, TimeQuality,
};
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
const RECORDS_MAX: usize = 1024;
/// Answers to repeated commands kept, oldest first out.
const IDEMPOTENCY_MAX: usize = 1000;
/// A broker connection that comes back within this is no alarm.
const UPLINK_GRACE: Duration = Duration::from_secs(30);
/// An event older than this without a receipt is told to the control room.
const OFFICE_SILENT_MS: u64 = 300_000;

/// A time service needs minutes to come up, and a line that is down for a while costs a clock little.
const UNSYNCED_GRACE: Duration = Duration::from_secs(1800);
/// An end that was not in order is an alarm for so long after the start: the pages are back by then, and a gateway that ends again
/// and again is never quiet in between.
const UNCLEAN_END_SAID: Duration = Duration::from_secs(600);

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

/// What a start has to say: how the store was found, and who wanted it.
struct Beginning {
    found: Found,
    asker: Asker,
}

pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) ledger: Ledger,
    store: Store,
    pub(super) site: Arc<SiteView>,
    pub(super) site_since_seq: u64,
    pub(super) clock: Arc<dyn Clock>,
    buses: Vec<(String, Arc<BusStatus>)>,
    pub(super) nearness: Nearness,
    pub(super) derived: Derived,
    bus_views: Arc<Vec<BusView>>,
    records: broadcast::Sender<Arc<Record>>,
    progress: Arc<AtomicU64>,
    delivery: BTreeMap<String, Delivered>,
    not_durable: BTreeSet<u64>,
    outbox: OutboxFigures,
    influx: InfluxFigures,
    transitions: InfluxFigures,
    uplink: bool,
    influx_on: bool,
    annunciator: Option<AnnunciatorView>,
    connected_at: Mono,
    /// Until when the end of the run before is an alarm.
    unclean_until: Option<Mono>,
    /// No time service has been seen since then.
    unsynced_since: Option<Mono>,
    answers: VecDeque<(String, CommandOutcome)>,
    receipts: BTreeSet<(String, Option<String>)>,
    dirty: bool,
    looked: Arc<Looked>,
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

    async fn announce_start(&mut self, Beginning { found, asker }: &Beginning) {
        let now = self.clock.now();
        self.ledger.put_on_file(KeptBook::of(self.engine.book(), &self.site.config_hash));
        self.ledger.begin_boot(found.new_boot.clone());
        let down_for_ms = found.last_utc_ms.map(|last| u64::try_from(now.wall.utc_ms - last).unwrap_or(0));
        self.note(EventKind::Started {
            boot_id: self.ledger.boot_id().to_owned(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.site.config_hash.clone(),
            down_for_ms,
        })
        .await;
        let new_hash = self.site.config_hash.clone();
        if let Some(old_hash) = found.config_hash.clone().filter(|old| *old != new_hash) {
            let (by, asked) = (asker.word().to_owned(), asker.decision(now));
            let last = self.store.last_book(old_hash.clone()).await;
            self.note(EventKind::ConfigChanged { old_hash, new_hash, by, asked }).await;
            self.say_differences(last.as_ref()).await;
        } else if let Some(decision) = asker.decision(now) {
            // Secrets and profiles are no part of the hash, and what a person decided is in the journal all the same.
            let (user, detail) = (decision.by, decision.reason);
            self.note(EventKind::Operator { user, action: "config_reloaded".into(), detail }).await;
        }
        if let Asker::Fallback { wanted_by, error } = asker {
            let (text_zh, text_en) = parts::fallback(wanted_by, error);
            self.note(EventKind::Notice { code: "config_fallback".into(), text_zh, text_en }).await;
        }
        // Not before: a turn of the engine says what a start brings about, and whoever reads the journal must know by then that it is one.
        if self.annunciator.is_none() {
            // one that was taken out of the configuration cannot come back
            self.system(SystemCondition::AnnunciatorFailed, false).await;
        }
        if let Some(what) = &found.salvaged {
            self.note(EventKind::Notice {
                code: "records_salvaged".into(),
                text_zh: format!("记录文件损坏，已另存并抢救：{what}"),
                text_en: format!("A damaged records file was set aside: {what}"),
            })
            .await;
        }
        if !found.unread_hazards.is_empty() {
            let (text_zh, text_en) = parts::unread_hazards(&found.unread_hazards);
            self.note(EventKind::Notice { code: "hazards_unreadable".into(), text_zh, text_en }).await;
        }
        let damaged = found.salvaged.is_some() || !found.unread_hazards.is_empty();
        self.system(SystemCondition::RecordsSalvaged, damaged).await;
        self.announce_last_end(found.unclean_end.as_ref()).await;
        // No part of this run has stalled yet.
        self.system(SystemCondition::PartStalled, false).await;
    }

    /// The end before it may still stand, and an acknowledgement of that one does not cover this one: it is another occurrence.
    async fn announce_last_end(&mut self, end: Option<&UncleanEnd>) {
        self.system(SystemCondition::UncleanEnd, false).await;
        let Some(end) = end else { return self.store.end_mark().clear() };
        let (text_zh, text_en) = parts::unclean_end(end);
        self.note(EventKind::Notice { code: "unclean_end".into(), text_zh, text_en }).await;
        self.store.end_mark().clear(); // not before it is in the journal
        self.unclean_until = Some(self.clock.now().mono.plus(UNCLEAN_END_SAID));
        self.system(SystemCondition::UncleanEnd, true).await;
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
                self.nearness.look(&samples);
                let scan = Input::Scan { device, answered, samples: &samples };
                self.engine.handle(scan, self.clock.now(), events);
            }
            BusMessage::State { subject, code, detail } => {
                let kind = EventKind::DeviceState { device: subject, code: code.into(), detail };
                self.engine.note(kind, self.clock.now(), events);
            }
        }
    }

    async fn request(&mut self, request: CoreRequest) {
        match request {
            CoreRequest::Command { command, actor, idempotency_key, reply } => {
                let answer = self.command(&command, &actor, idempotency_key).await;
                let _ = reply.send(answer);
            }
            CoreRequest::Note { kind, reply } => {
                if let Some(record) = self.note(*kind).await {
                    let _ = reply.send(record);
                }
            }
            CoreRequest::Receipt(receipt) => self.receipt(receipt).await,
            CoreRequest::Outbox(figures) => self.uplink_figures(figures).await,
            CoreRequest::Influx(figures) => {
                self.system(SystemCondition::InfluxRefused, figures.refused).await;
                self.influx = figures;
            }
            CoreRequest::Transitions(figures) => self.transitions = figures,
            CoreRequest::Annunciator(view) => {
                self.dirty |= self.annunciator.as_ref().is_none_or(|known| !known.looks_as(&view));
                self.annunciator = Some(*view);
            }
            CoreRequest::Delivery(states) => {
                self.dirty |= self.delivery != states;
                self.delivery = states;
            }
            CoreRequest::System { condition, active } => self.system(condition, active).await,
            CoreRequest::Change { new, reply } => {
                self.change(*new).await;
                let _ = reply.send(());
            }
        }
    }

    async fn input(&mut self, input: Input<'_>) {
        let mut events = Vec::new();
        self.engine.handle(input, self.clock.now(), &mut events);
        self.keep(events).await;
    }

    async fn system(&mut self, condition: SystemCondition, active: bool) {
        self.input(Input::System { condition, active }).await;
    }

    pub(super) async fn note(&mut self, kind: EventKind) -> Option<Arc<Record>> {
        let mut events = Vec::new();
        self.engine.note(kind, self.clock.now(), &mut events);
        self.keep(events).await.pop()
    }

    /// Commits, then shows. Nothing else in here sends a record.
    async fn keep(&mut self, events: Vec<Event>) -> Vec<Arc<Record>> {
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

    async fn command(
        &mut self,
        command: &Command,
        actor: &Actor,
        key: Option<String>,
    ) -> Result<CommandOutcome, CommandError> {
        let key = key.map(|key| format!("{}:{key}", actor.user));
        if let Some(done) = key.as_ref().and_then(|key| self.answers.iter().find(|(k, _)| k == key)) {
            return Ok(done.1.clone());
        }
        let mut events = Vec::new();
        let done = self.engine.command(command, actor, self.clock.now(), &mut events);
        // also of a refused one: timers that were due before it
        let records = self.keep(events).await;
        let outcome = match done {
            Ok(()) => CommandOutcome { records },
            Err(Rejected::AlreadySo) => CommandOutcome { records: Vec::new() },
            Err(Rejected::Incomplete(fields)) => {
                let (longest, latest_utc_ms) = (self.engine.longest(command), self.engine.latest_utc_ms(command));
                return Err(CommandError::Incomplete { fields, longest, latest_utc_ms });
            }
            Err(rejected) => return Err(rejected.into()),
        };
        if let Some(key) = key {
            self.answers.push_back((key, outcome.clone()));
            if self.answers.len() > IDEMPOTENCY_MAX {
                self.answers.pop_front();
            }
        }
        Ok(outcome)
    }

    /// Journaled once per event and person; the outbox row is the outbox's.
    async fn receipt(&mut self, receipt: OfficeReceipt) {
        let state = if receipt.by.is_some() { Delivery::Confirmed } else { Delivery::Received };
        let known = self.delivery.entry(receipt.event_id.clone()).or_default();
        known.state = known.state.max(state);
        if receipt.by.is_some() {
            (known.by, known.note) = (receipt.by.clone(), receipt.note.clone());
        }
        self.dirty = true;
        let key = (receipt.event_id.clone(), receipt.by.clone());
        if !self.receipts.insert(key) {
            return;
        }
        if self.receipts.len() > RECORDS_MAX {
            self.receipts.pop_first();
        }
        self.note(EventKind::Receipt { event_id: receipt.event_id, by: receipt.by, note: receipt.note }).await;
    }

    async fn uplink_figures(&mut self, figures: OutboxFigures) {
        let now = self.clock.now().mono;
        if figures.connected {
            self.connected_at = now;
        }
        let down = now.since(self.connected_at) > UPLINK_GRACE;
        let silent = figures.oldest_age_ms > OFFICE_SILENT_MS;
        self.outbox = figures;
        self.system(SystemCondition::UplinkDown, self.uplink && down).await;
        self.system(SystemCondition::OfficeSilent, self.uplink && silent).await;
    }

    async fn every_second(&mut self) {
        self.ledger.catch_up().await;
        let late = self.ledger.is_late();
        if !late {
            self.not_durable.clear();
        }
        let now = self.clock.now();
        self.system(SystemCondition::StorageSlow, late || self.store.pulse().is_late(now.mono)).await;
        if let Some(full) = self.store.space().full() {
            self.system(SystemCondition::StorageFull, full).await;
        }
        let untrusted = self.clock_is_untrusted(now);
        self.system(SystemCondition::ClockUntrusted, untrusted).await;
        if self.unclean_until.take_if(|until| *until <= now.mono).is_some() {
            self.system(SystemCondition::UncleanEnd, false).await;
        }
        self.look_at_buses();
    }

    /// At once after a step; without a time service when it has had time to come up.
    fn clock_is_untrusted(&mut self, now: Now) -> bool {
        if now.wall.quality == TimeQuality::Synced {
            self.unsynced_since = None;
        }
        match now.wall.quality {
            TimeQuality::Synced => false,
            TimeQuality::Stepped => true,
            TimeQuality::Unsynced => now.mono.since(*self.unsynced_since.get_or_insert(now.mono)) >= UNSYNCED_GRACE,
        }
    }

    fn look_at_buses(&mut self) {
        self.bus_views = Arc::new(self.buses.iter().map(|(key, status)| bus_view(key, status)).collect());
    }

    fn picture(&self, now: Now) -> Snapshot {
        let annunciation = self.engine.annunciation(now);
        let beside = Beside { site: &self.site, delivery: &self.delivery, not_durable: &self.not_durable };
        Snapshot {
            boot_id: self.ledger.boot_id().to_owned(),
            seq: self.engine.next_seq() - 1,
            utc_ms: now.wall.utc_ms,
            clock: view::clock_word(now.wall.quality).into(),
            version: env!("CARGO_PKG_VERSION"),
            site_since_seq: self.site_since_seq,
            site: self.site.clone(),
            values: view::values(&self.engine),
            unjudged: Arc::new(view::unjudged(&self.engine)),
            alarms: Arc::new(view::alarms(&self.engine, &beside)),
            shelves: Arc::new(standing::shelves(&self.engine)),
            bypasses: Arc::new(standing::bypasses(&self.engine)),
            groups: Arc::new(standing::groups(&self.engine, &annunciation)),
            hazards: Arc::new(view::hazards(&self.engine)),
            buses: self.bus_views.clone(),
            outbox: self.outbox.clone(),
            storage: self.storage(),
            office_silent: self.outbox.oldest_age_ms > OFFICE_SILENT_MS,
            annunciation,
            annunciator: self.annunciator.clone(),
        }
    }

    fn storage(&self) -> StorageView {
        let history = self.store.history_figures();
        let dropped = [
            ("queue_full", history.dropped_queue_full),
            ("disk", history.dropped_disk),
            ("events_given_up", self.ledger.given_up),
        ];
        StorageView {
            ok: !self.ledger.is_late() && !self.store.pulse().is_late(self.clock.now().mono),
            last_commit_ms: u64::try_from(self.ledger.last_commit.as_millis()).unwrap_or(u64::MAX),
            samples_read: history.read,
            samples_stored: history.stored,
            free_bytes: self.store.space().free_bytes(),
            samples_dropped: dropped.into_iter().filter(|(_, n)| *n > 0).map(|(k, n)| (k.to_owned(), n)).collect(),
            influx_enabled: self.influx_on,
            influx_delivered: self.influx.delivered,
            influx_pending: self.influx.pending,
            influx_dead_lettered: self.influx.dead_lettered,
            influx_transitions_delivered: self.transitions.delivered,
            influx_transitions_dead_lettered: self.transitions.dead_lettered,
            influx_last_error: self.influx.last_error.clone().or_else(|| self.transitions.last_error.clone()),
        }
    }
}

fn bus_view(key: &str, status: &BusStatus) -> BusView {
    let detail = status.snapshot();
    BusView { key: key.into(), up: detail.up, detail }
}
