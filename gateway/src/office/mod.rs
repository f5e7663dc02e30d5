//! The township station: receives the events of many sites, stores and receipts them, notices silence and missing numbers, and
//! lets the duty officer confirm.
//!
//! ```text
//!   broker ─► link ─► desk ─► office.db ─► receipt ─► link ─► broker ─► site
//!                      ▲ └── changed ──► page (routes, stream)
//!                      └──── confirmation with name and note ◄── duty officer
//! ```
//! Owns sites as they stand, receipts and confirmations. Leaves every alarm to its site: nothing from here can change one.

mod arrived;
mod desk;
mod link;
mod message;
mod routes;
mod standing;
mod stream;
#[cfg(test)]
mod tests;

use crate::clock::file_label;
use crate::config::{Office, WebSettings};
use crate::notify;
use crate::store::{Claim, StoreError, office as tables};
use crate::web::{self, Accounts, Journal, OwnDb, PageKind, ShellContext};
use axum::Router;
use desk::Desk;
use futures_util::FutureExt;
use rules::{Clock, Now};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A clean end takes at most this, inside systemd's TimeoutStopSec.
const STOP_LIMIT: Duration = Duration::from_secs(8);

/// Why the office does not run, by exit code.
#[derive(Debug, Error)]
pub enum OfficeError {
    /// 3 or 4.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// 4: the page's address.
    #[error(
        "无法监听 {0}：{1}；可能已有一个镇办站在运行，停止它或修改 web.listen · cannot listen on {0}: {1}; another office may be \
         running: stop it, or change web.listen"
    )]
    Listen(SocketAddr, std::io::Error),
    /// 70: a part ended that must not.
    #[error("the {0} ended by itself")]
    Ended(&'static str),
}

/// Runs the office until `stop`; `ready` is told the page's address.
/// # Errors
/// [`OfficeError`] names the exit code.
pub async fn run(
    office: Office,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    ready: Option<oneshot::Sender<SocketAddr>>,
) -> Result<(), OfficeError> {
    let listen = office.web.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| match Claim::of_another(&office.data_dir) {
        Some(process) => StoreError::InUse(office.data_dir.clone(), process).into(),
        None => OfficeError::Listen(listen, error),
    })?;
    let claim = Claim::take(&office.data_dir)?;
    let db = open_database(&office, clock.now())?;
    let address = listener.local_addr().map_err(|error| OfficeError::Listen(listen, error))?;
    let web = WebSettings { listen: address, ..office.web };
    let accounts = web::open_accounts(Arc::new(db.clone()), clock.clone(), &web, Some(&office.data_dir)).await;
    let desk = Arc::new(Desk::open(db, clock.clone()).await.ok_or(StoreError::Closed)?);
    let router = page(web, clock, &desk, &accounts, &stop);
    notify::ready();
    tracing::info!(%address, "ready");
    if let Some(ready) = ready {
        let _ = ready.send(address);
    }
    let progress = Arc::new(AtomicU64::new(0));
    let mut tasks: JoinSet<&'static str> = JoinSet::new();
    tasks.spawn(serve_page(listener, router, accounts, stop.clone()));
    let (desk_of_link, link_stop) = (desk.clone(), stop.clone());
    tasks.spawn(async move {
        link::run(office.mqtt, &desk_of_link, link_stop).await;
        "broker connection"
    });
    tasks.spawn(beat(desk, progress.clone(), stop.clone()).map(|()| "desk"));
    let evidence = vec![notify::Evidence::turns("desk", progress)];
    tasks.spawn(notify::watchdog(evidence, stop.clone(), |_| ()).map(|()| "watchdog"));
    let ended = run_to_the_end(tasks, stop).await;
    drop(claim);
    ended
}

fn open_database(office: &Office, now: Now) -> Result<OwnDb, StoreError> {
    let (conn, salvaged) = tables::open(&office.data_dir, &file_label(now))?;
    if let Some(what) = salvaged {
        tracing::error!(what, "a damaged office.db was set aside; sites send again what has no receipt");
    }
    OwnDb::new(conn).map_err(StoreError::from)
}

/// The office's routes in the shell both stations share.
fn page(
    settings: WebSettings,
    clock: Arc<dyn Clock>,
    desk: &Arc<Desk>,
    accounts: &Arc<Accounts>,
    stop: &CancellationToken,
) -> Router {
    let accounts = accounts.clone();
    let routes = routes::router(desk.clone(), accounts.clone(), stop.clone());
    web::shell(routes, ShellContext { kind: PageKind::Office, accounts, settings, journal: Journal::Log, clock })
}

async fn serve_page(
    listener: TcpListener,
    router: Router,
    accounts: Arc<Accounts>,
    stop: CancellationToken,
) -> &'static str {
    if let Err(error) = web::serve(listener, router, &accounts, stop).await {
        tracing::error!(%error, "web server");
    }
    "web server"
}

/// Waits for the stop, or for a part that ends and must not, and drains.
async fn run_to_the_end(mut tasks: JoinSet<&'static str>, stop: CancellationToken) -> Result<(), OfficeError> {
    let ended = tokio::select! {
        () = stop.cancelled() => None,
        Some(task) = tasks.join_next() => Some(task.unwrap_or("a task that panicked")),
    };
    // at a stop all tasks end: one of them being first is no fault
    let by_itself = ended.filter(|_| !stop.is_cancelled());
    stop.cancel();
    let drain = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_LIMIT, drain).await.is_err() {
        tracing::warn!("stopping took too long; what was committed is safe");
    }
    by_itself.map_or(Ok(()), |task| Err(OfficeError::Ended(task)))
}

/// Evidence for the watchdog that the database answers.
async fn beat(desk: Arc<Desk>, progress: Arc<AtomicU64>, stop: CancellationToken) {
    let mut turn = tokio::time::interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turn.tick() => {}
        }
        if desk.answers().await {
            progress.fetch_add(1, Ordering::Relaxed);
        }
    }
}
