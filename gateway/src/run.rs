//! The site's task graph on one screen.
//!
//! ```text
//!   store → core → buses → outbox, influx, web → READY          stop: buses → core (drains, last commit) → the rest
//! ```
//! A bus that panics is an event and is started again; any other task that ends early ends the process, and systemd restarts it.

use crate::clock::{boot_id, file_label, kernel_boot_id};
use crate::config::Site;
use crate::core::{CoreHandle, CoreParts};
use crate::kept_bus::keep_bus;
use crate::store::{OpenOptions, Store, StoreError, Workers};
use crate::web::{DemoControl, WebContext};
use crate::{core, incidents, influx, mqtt, notify, web};
use devices::status::BusStatus;
use rules::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A quarter of a second of 1,000 devices; a full queue makes the bus wait.
const SCANS_MAX: usize = 256;
/// READY waits so long for the first scan; a dead instrument must not hold up the start.
const FIRST_SCAN_LIMIT: Duration = Duration::from_secs(10);
/// A clean end takes at most this, inside systemd's TimeoutStopSec.
const STOP_LIMIT: Duration = Duration::from_secs(8);

/// Why the gateway does not run, by exit code.
#[derive(Debug, Error)]
pub enum RunError {
    /// 3.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// 4: the page's address.
    #[error("{0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// 70: a task ended that must not.
    #[error("the {0} ended by itself")]
    Ended(&'static str),
}

/// Runs a site until `stop`. `ready` is told the page's address once the first scan is done.
/// # Errors
/// [`RunError`] names the exit code.
pub async fn run_site(
    site: Site,
    clock: Arc<dyn Clock>,
    demo: Option<DemoControl>,
    stop: CancellationToken,
    ready: oneshot::Sender<SocketAddr>,
) -> Result<(), RunError> {
    let now = clock.now();
    let options = OpenOptions {
        points: site.book.points().iter().map(|p| p.key.clone()).collect(),
        commit_interval: site.history.commit_interval,
        max_bytes: site.history.max_bytes,
        now_label: file_label(now),
        kernel_boot_id: kernel_boot_id(),
        clock: clock.clone(),
        workers: Workers::Threads,
    };
    let (store, found) = Store::open(&site.data_dir, options)?;
    let listen = site.web.listen;
    let listener = TcpListener::bind(listen).await.map_err(|e| RunError::Listen(listen, e))?;
    let address = listener.local_addr().map_err(|e| RunError::Listen(listen, e))?;

    let statuses: Vec<(String, Arc<BusStatus>)> =
        site.buses.iter().map(|b| (b.key.clone(), Arc::new(BusStatus::new(b)))).collect();
    let (scan_sender, scans) = mpsc::channel(SCANS_MAX);
    let progress = Arc::new(AtomicU64::new(0));
    let core_stop = CancellationToken::new();
    let parts = CoreParts {
        book: site.book.clone(),
        site: site.view.clone(),
        store: store.clone(),
        found,
        clock: clock.clone(),
        boot_id: boot_id(),
        buses: statuses.clone(),
        nearness: core::Nearness::of(&site.book, &site.buses),
        uplink: site.mqtt.is_some(),
        influx: site.influx.is_some(),
        scans,
        progress: progress.clone(),
    };
    let (handle, mut core_task) = core::start(parts, core_stop.clone());

    let mut buses = JoinSet::new();
    for (spec, (_, status)) in site.buses.into_iter().zip(&statuses) {
        let out = scan_sender.clone();
        buses.spawn(keep_bus(spec, clock.clone(), out, status.clone(), handle.clone(), stop.clone()));
    }
    drop(scan_sender);

    let mut tasks: JoinSet<&'static str> = JoinSet::new();
    // after the core: what it decided last still goes out
    let outbox_stop = CancellationToken::new();
    if let Some(settings) = site.mqtt {
        let (view, records, core, clock, until) =
            (site.view.clone(), store.clone(), handle.clone(), clock.clone(), outbox_stop.clone());
        tasks.spawn(async move {
            mqtt::run_outbox(settings, view, records, core, clock, until).await;
            "MQTT outbox"
        });
        let (store, core, stop) = (store.clone(), handle.clone(), stop.clone());
        tasks.spawn(async move {
            watch_delivery(store, core, stop).await;
            "delivery watch"
        });
    }
    if let Some(settings) = site.influx {
        let (view, store, core, stop) = (site.view.clone(), store.clone(), handle.clone(), stop.clone());
        tasks.spawn(async move {
            influx::run_writer(settings, view, store, core, stop).await;
            "InfluxDB writer"
        });
    }
    tasks.spawn(incidents::watch(handle.records(), site.view.clone(), statuses.clone().into(), stop.clone()));
    let context = WebContext {
        core: handle.clone(),
        store: store.clone(),
        buses: statuses.clone().into(),
        clock: clock.clone(),
        settings: site.web,
        demo,
    };
    let web_stop = stop.clone();
    tasks.spawn(async move {
        if let Err(error) = web::serve_site(listener, context, web_stop).await {
            tracing::error!(%error, "web server");
        }
        "web server"
    });
    let evidence = statuses.iter().map(|(_, s)| s.clone()).collect();
    let watchdog_stop = stop.clone();
    tasks.spawn(async move {
        notify::watchdog(progress, evidence, watchdog_stop).await;
        "watchdog"
    });

    let waiting = handle.clone();
    let ready_stop = stop.clone();
    tokio::spawn(async move {
        first_scan(&waiting, &ready_stop).await;
        notify::ready();
        tracing::info!(%address, "ready");
        let _ = ready.send(address);
    });

    let ended = tokio::select! {
        () = stop.cancelled() => None,
        _ = &mut core_task => Some("core"),
        Some(task) = tasks.join_next() => Some(task.unwrap_or("a task that panicked")),
    };
    // at a stop all tasks end: one of them being first is no fault
    let by_itself = ended.filter(|_| !stop.is_cancelled());
    stop.cancel();
    let drain = async {
        while buses.join_next().await.is_some() {}
        core_stop.cancel();
        if ended != Some("core") {
            let _ = core_task.await;
        }
        outbox_stop.cancel();
        while tasks.join_next().await.is_some() {}
    };
    if tokio::time::timeout(STOP_LIMIT, drain).await.is_err() {
        tracing::warn!("stopping took too long; what was committed is safe");
    }
    by_itself.map_or(Ok(()), |task| Err(RunError::Ended(task)))
}

/// Every point has been tried once, or the limit is over.
async fn first_scan(core: &CoreHandle, stop: &CancellationToken) {
    let mut pictures = core.snapshots();
    let tried = async {
        loop {
            let done = pictures.borrow_and_update().values.iter().all(|v| v.3.as_deref() != Some("never_read"));
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
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turn.tick() => {}
        }
        let ids: Vec<String> = core.snapshot().alarms.iter().map(|a| a.event_id.clone()).collect();
        if let Ok(states) = store.read(move |conn| mqtt::table::states(conn, &ids)).await {
            core.delivery(states).await;
        }
    }
}
