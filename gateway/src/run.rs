//! The site's task graph on one screen.
//!
//! ```text
//!   store → core → buses, annunciator → outbox, influx, web → READY          stop: buses → core (drains, last commit) → the rest
//! ```
//! A bus that panics is an event and is started again; any other task that ends early ends the process, and systemd restarts it.
//! Buses and core have one thread, what serves others (page, outbox, InfluxDB) another: neither waits for the other's work, and an
//! exchange with an instrument wakes no second thread.

use crate::annunciator::{AnnunciatorView, run_annunciator};
use crate::clock::{boot_id, file_label, kernel_boot_id};
use crate::config::{AnnunciatorSettings, InfluxSettings, MqttSettings, Site, WebSettings};
use crate::core::{CoreHandle, CoreParts};
use crate::kept_bus::keep_bus;
use crate::notify::Evidence;
use crate::reload::{Asker, Desk};
use crate::snapshot::{SiteView, ValueView};
use crate::store::{Claim, OpenOptions, Store, StoreError, Workers, keep_pulse, outbox, stillness};
use crate::web::{Buses, DemoStage, FirstScan, WebContext};
use crate::{core, incidents, influx, mqtt, notify, stalls, text, web};
use devices::status::BusStatus;
use devices::{BusMessage, BusSpec};
use futures_util::FutureExt;
use rules::{Clock, EventKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// A quarter of a second of 1,000 devices; a full queue makes the bus wait.
const SCANS_MAX: usize = 256;
/// READY waits so long for the first scan; a dead instrument must not hold up the start.
const FIRST_SCAN_LIMIT: Duration = Duration::from_secs(10);
/// A core that does not take the last word is perhaps what ended.
const LAST_NOTE_LIMIT: Duration = Duration::from_secs(1);
/// A clean end takes at most this and the next one, inside systemd's TimeoutStopSec.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// The log of records.db is brought into its file within this, or stays beside it.
const SETTLE_LIMIT: Duration = Duration::from_millis(1500);

/// Why the gateway does not run, by exit code.
#[derive(Debug, Error)]
pub enum RunError {
    /// 3.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// 4: the page's address.
    #[error(
        "无法监听 {0}：{1}；可能已有一个网关在运行，停止它或修改 web.listen · cannot listen on {0}: {1}; another gateway may be \
         running: stop it, or change web.listen"
    )]
    Listen(SocketAddr, std::io::Error),
    /// 70: a task ended that must not.
    #[error("the {0} ended by itself")]
    Ended(&'static str),
}

/// A site that has scanned once.
#[derive(Debug)]
pub struct Ready {
    /// Of the page.
    pub address: SocketAddr,
    pub core: CoreHandle,
}

/// What a site is given beside its settings.
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    /// What serves others runs there.
    pub outward: Handle,
    pub demo: Option<Arc<dyn DemoStage>>,
    /// Where the page asks for another configuration; none where there is no file to read again.
    pub desk: Option<Desk>,
}

/// Runs a site until `stop`, as `asker` wanted it: polling, judging and storing on the caller's runtime, what serves others on
/// [`Surroundings::outward`]. `ready` is told once the first scan is done.
/// # Errors
/// [`RunError`] names the exit code.
pub async fn run_site(
    site: Site,
    asker: Asker,
    around: Surroundings,
    stop: CancellationToken,
    ready: oneshot::Sender<Ready>,
) -> Result<(), RunError> {
    let Surroundings { clock, outward, demo, desk } = around;
    // The address first: where it is taken nothing was made and nobody's folder was touched. A socket belongs to the runtime
    // that opened it.
    let opened = outward.spawn(listen(site.web.listen)).await;
    let opened = opened.map_err(|_| RunError::Ended("page's runtime"))?;
    let (listener, address) = opened.map_err(|error| has_begun(&site.data_dir).map_or(error, RunError::Store))?;
    let (store, mut found) = Store::open(&site.data_dir, store_options(&site, &clock))?;
    found.restored.stillness = stillness(&site.data_dir, &site.book);
    let statuses: Vec<_> = site.buses.iter().map(|b| (b.key.clone(), Arc::new(BusStatus::new(b)))).collect();
    let (scan_sender, scans) = mpsc::channel(SCANS_MAX);
    let progress = Arc::new(AtomicU64::new(0));
    let inputs = incidents::Inputs::of(&site.book, &site.derived);
    let parts = CoreParts {
        nearness: core::Nearness::of(&site.book, &site.buses, &site.derived),
        derived: core::Derived::of(&site.book, site.derived),
        book: site.book,
        site: site.view.clone(),
        store: store.clone(),
        found,
        clock: clock.clone(),
        boot_id: boot_id(),
        asker,
        buses: statuses.clone(),
        uplink: site.mqtt.is_some(),
        influx: site.influx.is_some(),
        annunciator: site.annunciator.as_ref().map(AnnunciatorView::starting),
        scans,
        progress: progress.clone(),
    };
    let stops = Stops { all: stop, core: CancellationToken::new(), outbox: CancellationToken::new() };
    let (core, core_task) = core::start(parts, stops.core.clone());
    let data_dir = site.data_dir;
    let (statuses, first_scan) = (statuses.into(), FirstScan::default());
    let station = Station { view: site.view, data_dir, store, core, clock, statuses, first_scan, stops, outward };
    let buses = station.start_buses(site.buses, &scan_sender);
    drop(scan_sender);
    let mut tasks = JoinSet::new();
    let sounder = station.start_annunciator(&mut tasks, site.annunciator);
    station.start_outbox(&mut tasks, site.mqtt);
    station.start_influx(&mut tasks, site.influx);
    station.start_web(&mut tasks, listener, site.web, demo, desk);
    station.start_watchers(&mut tasks, progress, sounder, inputs);
    station.start_readiness(&mut tasks, address, ready);
    station.run_to_the_end(buses, core_task, tasks).await
}

fn store_options(site: &Site, clock: &Arc<dyn Clock>) -> OpenOptions {
    OpenOptions {
        points: site.book.points().iter().map(|p| p.key.clone()).collect(),
        commit_interval: site.history.commit_interval,
        max_bytes: site.history.max_bytes,
        now_label: file_label(clock.now()),
        kernel_boot_id: kernel_boot_id(),
        clock: clock.clone(),
        workers: Workers::Threads,
    }
}

/// Where the same gateway runs already its page has the address: whoever starts it twice is told the process.
fn has_begun(folder: &Path) -> Option<StoreError> {
    Claim::of_another(folder).map(|process| StoreError::InUse(folder.into(), process))
}

async fn listen(at: SocketAddr) -> Result<(TcpListener, SocketAddr), RunError> {
    let listener = TcpListener::bind(at).await.map_err(|e| RunError::Listen(at, e))?;
    let address = listener.local_addr().map_err(|e| RunError::Listen(at, e))?;
    Ok((listener, address))
}

/// The three steps of a stop, in this order: what feeds and serves, the core, the outbox.
struct Stops {
    all: CancellationToken,
    /// After the buses: the core drains what they have sent.
    core: CancellationToken,
    /// After the core: what it decided last still goes out.
    outbox: CancellationToken,
}

/// Tasks that run as long as the site; each gives its name when it ends.
type Tasks = JoinSet<&'static str>;

/// What the tasks of a site share.
struct Station {
    view: Arc<SiteView>,
    data_dir: PathBuf,
    store: Store,
    core: CoreHandle,
    clock: Arc<dyn Clock>,
    statuses: Buses,
    first_scan: FirstScan,
    stops: Stops,
    outward: Handle,
}

impl Station {
    fn start_buses(&self, buses: Vec<BusSpec>, scans: &mpsc::Sender<BusMessage>) -> JoinSet<()> {
        let (mut tasks, down) = (JoinSet::new(), Arc::new(AtomicU32::new(0)));
        for (spec, (_, status)) in buses.into_iter().zip(&*self.statuses) {
            let (clock, core, stop) = (self.clock.clone(), self.core.clone(), self.stops.all.clone());
            tasks.spawn(keep_bus(spec, clock, scans.clone(), status.clone(), core, down.clone(), stop));
        }
        tasks
    }

    /// Beside the buses, on a link of its own; gives the evidence that it still moves.
    fn start_annunciator(&self, tasks: &mut Tasks, settings: Option<AnnunciatorSettings>) -> Option<Evidence> {
        let (settings, progress) = (settings?, Arc::new(AtomicU64::new(0)));
        let (core, clock, stop) = (self.core.clone(), self.clock.clone(), self.stops.all.clone());
        tasks.spawn(run_annunciator(settings, core, clock, progress.clone(), stop).map(|()| "annunciator"));
        Some(Evidence::turns("annunciator", progress))
    }

    fn start_outbox(&self, tasks: &mut Tasks, settings: Option<MqttSettings>) {
        let Some(settings) = settings else { return };
        let (view, store, core) = (self.view.clone(), self.store.clone(), self.core.clone());
        let (clock, stop) = (self.clock.clone(), self.stops.outbox.clone());
        let outbox = mqtt::run_outbox(settings, view, store, core, clock, stop).map(|()| "MQTT outbox");
        tasks.spawn_on(outbox, &self.outward);
        let (store, core, stop) = (self.store.clone(), self.core.clone(), self.stops.all.clone());
        tasks.spawn_on(watch_delivery(store, core, stop).map(|()| "delivery watch"), &self.outward);
    }

    fn start_influx(&self, tasks: &mut Tasks, settings: Option<InfluxSettings>) {
        let Some(settings) = settings else { return };
        let (view, store, core) = (self.view.clone(), self.store.clone(), self.core.clone());
        let writer = influx::run_writer(settings, view, store, core, self.stops.all.clone());
        tasks.spawn_on(writer.map(|()| "InfluxDB writer"), &self.outward);
    }

    fn start_web(
        &self,
        tasks: &mut Tasks,
        listener: TcpListener,
        settings: WebSettings,
        demo: Option<Arc<dyn DemoStage>>,
        desk: Option<Desk>,
    ) {
        let (core, store, buses) = (self.core.clone(), self.store.clone(), self.statuses.clone());
        let (clock, first_scan, data_dir) = (self.clock.clone(), self.first_scan.clone(), self.data_dir.clone());
        let context = WebContext { core, store, buses, first_scan, clock, settings, demo, desk, data_dir };
        let stop = self.stops.all.clone();
        let server = async move {
            if let Err(error) = web::serve_site(listener, context, stop).await {
                tracing::error!(%error, "web server");
            }
            "web server"
        };
        tasks.spawn_on(server, &self.outward);
    }

    fn start_watchers(
        &self,
        tasks: &mut Tasks,
        progress: Arc<AtomicU64>,
        sounder: Option<Evidence>,
        inputs: incidents::Inputs,
    ) {
        let freezer = incidents::Freezer::of(inputs, self.core.snapshots(), self.clock.clone(), self.statuses.clone());
        tasks.spawn(freezer.run(self.core.records(), self.stops.all.clone()));
        let (store, clock, stop) = (self.store.clone(), self.clock.clone(), self.stops.all.clone());
        let kept =
            incidents::keep(store.clone(), self.core.clone(), clock.clone(), self.statuses.clone(), stop.clone());
        tasks.spawn_on(kept.map(|()| "incident keeper"), &self.outward);
        tasks.spawn(keep_pulse(store, clock, stop).map(|()| "store's pulse"));
        let buses = self.statuses.iter().map(|(key, status)| Evidence::bus(key, status.clone()));
        let parts = std::iter::once(Evidence::turns("core", progress))
            .chain(buses)
            .chain(Evidence::store(&self.store))
            .chain(sounder);
        let (parts, mark, stop) = (parts.collect(), self.store.end_mark(), self.stops.all.clone());
        let (to_core, stalled) = stalls::queue();
        tasks.spawn(stalls::follow(stalled, self.core.clone(), stop.clone()).map(|()| "stall watch"));
        let watchdog = move || {
            stalls::watch(parts, &mark, &to_core, stop);
            "watchdog"
        };
        tasks.spawn_blocking_on(watchdog, &self.outward);
    }

    /// READY after the first scan.
    fn start_readiness(&self, tasks: &mut Tasks, address: SocketAddr, ready: oneshot::Sender<Ready>) {
        let (core, done, stop) = (self.core.clone(), self.first_scan.clone(), self.stops.all.clone());
        tasks.spawn(async move {
            first_scan(&core, &stop).await;
            done.store(true, Ordering::Relaxed);
            notify::ready();
            let _ = ready.send(Ready { address, core });
            tracing::info!(%address, "ready");
            stop.cancelled().await;
            "readiness"
        });
    }

    /// Waits for the stop, or for a task that ends and must not, and drains in order.
    async fn run_to_the_end(
        self,
        mut buses: JoinSet<()>,
        mut core_task: JoinHandle<()>,
        mut tasks: Tasks,
    ) -> Result<(), RunError> {
        let stops = self.stops;
        let ended = tokio::select! {
            () = stops.all.cancelled() => None,
            _ = &mut core_task => Some("core"),
            Some(task) = tasks.join_next() => Some(task.unwrap_or("a task that panicked")),
        };
        // at a stop all tasks end: one of them being first is no fault
        let by_itself = ended.filter(|_| !stops.all.is_cancelled());
        if let Some(task) = by_itself {
            self.store.end_mark().set_ended(task);
            let (text_zh, text_en) = text::parts::ended(task);
            let note = self.core.note(EventKind::Notice { code: "part_ended".into(), text_zh, text_en });
            let _ = tokio::time::timeout(LAST_NOTE_LIMIT, note).await;
        }
        stops.all.cancel();
        let drain = async {
            while buses.join_next().await.is_some() {}
            stops.core.cancel();
            if ended != Some("core") {
                let _ = core_task.await;
            }
            stops.outbox.cancel();
            while tasks.join_next().await.is_some() {}
        };
        if tokio::time::timeout(STOP_LIMIT, drain).await.is_err() {
            tracing::warn!("stopping took too long; what was committed is safe");
        }
        if tokio::time::timeout(SETTLE_LIMIT, self.store.settle()).await.is_err() {
            tracing::warn!("the disk is slow: the newest records stay in records.db-wal");
        }
        by_itself.map_or(Ok(()), |task| Err(RunError::Ended(task)))
    }
}

/// Every point has been tried once, or the limit is over.
async fn first_scan(core: &CoreHandle, stop: &CancellationToken) {
    let mut pictures = core.snapshots();
    let tried = async {
        loop {
            pictures.mark_unchanged();
            let done = core.snapshot().values.iter().all(|v| v.reading != ValueView::NEVER_READ.reading);
            if done || pictures.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(FIRST_SCAN_LIMIT, tried) => {}
        () = stop.cancelled() => {}
    }
}

/// How far the events of standing alarms have come, read from the outbox twice a second.
async fn watch_delivery(store: Store, core: CoreHandle, stop: CancellationToken) {
    let mut turn = tokio::time::interval(Duration::from_millis(500));
    let pictures = core.snapshots();
    let mut said_none = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turn.tick() => {}
        }
        let ids: Vec<String> = pictures.borrow().alarms.iter().map(|a| a.event_id.clone()).collect();
        // Without an alarm there is nothing to ask the disk for, and once is enough to say so.
        if ids.is_empty() && said_none {
            continue;
        }
        said_none = ids.is_empty();
        if let Ok(states) = store.read(move |conn| outbox::states(conn, &ids)).await {
            core.delivery(states).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::config;
    use crate::store::UncleanEnd;
    use tokio::runtime::{Builder, Runtime};

    const SITE: &str = include_str!("../examples/minimal-site.toml");

    fn site(folder: &Path) -> Site {
        let mut site = config::site_from_text("minimal-site.toml", SITE, |_| {}).value.unwrap();
        site.data_dir = folder.to_owned();
        site.web.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        site.buses.clear();
        site
    }

    fn outward() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    /// Runs a site until `end` has come over the runtime of what serves others.
    async fn run(folder: &Path, end: impl FnOnce(Runtime, &CancellationToken)) -> Result<(), RunError> {
        let (outward, stop) = (outward(), CancellationToken::new());
        let around = Surroundings {
            clock: Arc::new(SystemClock::default()),
            outward: outward.handle().clone(),
            demo: None,
            desk: None,
        };
        let (ready, up) = oneshot::channel();
        let running = run_site(site(folder), Asker::Start, around, stop.clone(), ready);
        let ending = async {
            let ready = up.await.unwrap();
            end(outward, &stop);
            ready
        };
        futures_util::future::join(running, ending).await.0
    }

    fn found(folder: &Path) -> crate::store::Found {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        Store::open(folder, store_options(&site(folder), &clock)).unwrap().1
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_told_and_named_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let ended = run(folder.path(), |outward, _| outward.shutdown_background()).await.unwrap_err();
        assert!(matches!(ended, RunError::Ended(_)), "{ended}");
        let end = found(folder.path()).unclean_end.unwrap();
        assert!(end.ended.is_some() && end.stalled.is_empty(), "{end:?}");
        let conn = rusqlite::Connection::open(folder.path().join("records.db")).unwrap();
        let told = "SELECT COUNT(*) FROM event WHERE json LIKE '%part_ended%'";
        assert_eq!(conn.query_row(told, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[tokio::test]
    async fn a_stop_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        stopped_run(folder.path()).await;
        assert_eq!(found(folder.path()).unclean_end, None::<UncleanEnd>);
    }

    async fn stopped_run(folder: &Path) {
        let stop_at_once = |outward: Runtime, stop: &CancellationToken| {
            stop.cancel();
            outward.shutdown_background();
        };
        run(folder, stop_at_once).await.unwrap();
    }

    #[tokio::test]
    async fn after_a_stop_the_records_file_alone_holds_everything() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        stopped_run(folder.path()).await;
        let log = std::fs::metadata(folder.path().join("records.db-wal")).map_or(0, |log| log.len());
        assert_eq!(log, 0, "bytes of records that a copy of records.db alone lacks");
        let alone = copy.path().join("records.db");
        std::fs::copy(folder.path().join("records.db"), &alone).unwrap();
        let conn = rusqlite::Connection::open(alone).unwrap();
        let last = "SELECT kind FROM event ORDER BY seq DESC LIMIT 1";
        assert_eq!(conn.query_row(last, [], |row| row.get::<_, String>(0)).unwrap(), "system.stopped");
    }
}
