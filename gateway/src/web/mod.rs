//! The web page and the HTTP interface of a station.
//!
//! Owns routes, sessions, roles, the stream and the page's files. Reads the core's picture and the store; changes anything only by
//! asking the core. [`shell()`] is what both stations share, the site's routes are in here, the office's beside its room.
//!
//! No route is reachable without a row in [`routes::ROUTES`]; every answer carries the security headers; nothing here reads a clock.

mod account_db;
pub mod accounts;
mod api;
pub mod archive;
mod assets;
mod auth;
mod body;
mod bus_metrics;
mod buses;
mod caller;
mod calls;
mod commands;
mod config;
mod event_filter;
mod fields;
mod hazards;
pub mod local;
mod metrics;
mod moments;
pub mod openapi;
mod operations;
mod password;
mod people;
pub mod problem;
mod refusals;
mod requester;
pub mod routes;
mod schemas;
mod server;
mod shell;
mod sign_in;
mod stream;
#[cfg(test)]
mod tests;
mod throttle;
mod token;

pub use account_db::{AccountDb, CommitMark, DbJob, OwnDb};
pub use accounts::{Accounts, Refused, Session, roles_of};
pub use archive::{Archive, Bucket};
pub use body::Body;
pub(crate) use calls::CallRow;
pub use event_filter::EventFilter;
pub(crate) use event_filter::kinds as event_kinds;
pub use fields::Wrong;
pub use metrics::Figures;
pub use password::Weak;
pub use people::UserChange;
pub use problem::{Kind, Problem};
pub use refusals::Refusals;
pub use routes::{Action, Role};
pub use server::Peer;
pub use shell::{Journal, PageKind, ShellContext, shell};
pub use throttle::{Door, Wait};
pub use token::new_key;

use crate::config::WebSettings;
use crate::core::CoreHandle;
use crate::reload::Desk;
use axum::Router;
use axum::routing::get;
use devices::status::BusStatus;
use rules::Clock;
use schemars::JsonSchema;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Browsers on the stream at once.
const STREAMS_MAX: usize = 64;

/// A scenario of the simulated site.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct DemoScenario {
    pub name: String,
    pub text_zh: String,
    pub text_en: String,
    /// Seconds until it ends by itself; null when it does not run.
    pub ends_in_s: Option<u64>,
}

/// How the page plays scenarios; only `demo` has one.
pub trait DemoStage: Send + Sync {
    /// Those of the site, in the order they are shown.
    fn scenarios(&self) -> Vec<DemoScenario>;
    /// Starts one, or begins it again; false when the site has none of that name.
    fn start(&self, name: &str) -> bool;
    /// Ends all of them.
    fn stop_all(&self);
}

/// Live figures of the buses by key.
pub type Buses = Arc<[(String, Arc<BusStatus>)]>;

/// Set once the first scan is done: the same moment for `/readyz` and for systemd.
pub type FirstScan = Arc<AtomicBool>;

/// What the site's routes need.
#[derive(Clone)]
pub struct SiteParts {
    pub core: CoreHandle,
    pub archive: Arc<dyn Archive>,
    pub buses: Buses,
    pub first_scan: FirstScan,
    pub clock: Arc<dyn Clock>,
    pub settings: WebSettings,
    pub demo: Option<Arc<dyn DemoStage>>,
    pub desk: Option<Desk>,
}

/// What the site's server needs; `S` is the site's store.
#[derive(Clone)]
pub struct WebContext<S> {
    pub core: CoreHandle,
    pub store: S,
    pub buses: Buses,
    pub first_scan: FirstScan,
    pub clock: Arc<dyn Clock>,
    pub settings: WebSettings,
    pub demo: Option<Arc<dyn DemoStage>>,
    /// Where another configuration is asked for.
    pub desk: Option<Desk>,
    /// Where the token of the local operator is left.
    pub data_dir: PathBuf,
}

/// Serves the site's page until `stop`, then drains for a few seconds at most.
/// # Errors
/// Those of the listener.
pub async fn serve_site<S: Archive + AccountDb + Clone + 'static>(
    listener: TcpListener,
    context: WebContext<S>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let WebContext { core, store, buses, first_scan, clock, settings, demo, desk, data_dir } = context;
    // what people are told to open: a configured port of 0 is any free one
    let settings = WebSettings { listen: listener.local_addr()?, ..settings };
    let accounts = open_accounts(Arc::new(store.clone()), clock.clone(), &settings, Some(&data_dir)).await;
    let parts = SiteParts { core, archive: Arc::new(store), buses, first_scan, clock, settings, demo, desk };
    let journal = Journal::Core(parts.core.clone());
    let router = site_router(parts, accounts.clone(), stop.clone());
    serve_journaled(listener, router, &accounts, &journal, stop).await
}

/// Serves a station's router (see [`shell()`]) until `stop`, then drains for a few seconds at most.
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    accounts: &Accounts,
    stop: CancellationToken,
) -> std::io::Result<()> {
    serve_journaled(listener, router, accounts, &Journal::Log, stop).await
}

/// As [`serve`]; what the command line changes is written to `journal`.
async fn serve_journaled(
    listener: TcpListener,
    router: Router,
    accounts: &Accounts,
    journal: &Journal,
    stop: CancellationToken,
) -> std::io::Result<()> {
    tokio::select! {
        served = server::serve(listener, router, stop) => served,
        () = auth::keep_accounts(accounts, journal) => Ok(()),
    }
}

/// Opens users and sessions, and lets the local operator in who may read `data_dir`; with no user yet the one-time setup code is
/// written to the console.
pub async fn open_accounts(
    db: Arc<dyn AccountDb>,
    clock: Arc<dyn Clock>,
    settings: &WebSettings,
    data_dir: Option<&Path>,
) -> Arc<Accounts> {
    let demo = settings.demo_operator && settings.listen.ip().is_loopback();
    let mut accounts = Accounts::open(db, clock, demo).await;
    accounts.local = data_dir.and_then(leave_token);
    if let Some(code) = accounts.setup_code() {
        let at = settings.listen;
        eprintln!("{}", first_person(at, &code));
    }
    Arc::new(accounts)
}

/// What the first start says on the console: the code, and the ways on when it is too old.
fn first_person(at: SocketAddr, code: &str) -> String {
    format!(
        "首次启动：30 分钟内在 http://{at}/ 用一次性设置码 {code} 创建第一个管理员\n\
         过期后：重新启动本程序会给出新的一次性设置码，或在本机运行 {FIRST_PERSON}\n\
         first start: within 30 minutes create the first administrator at http://{at}/ with the one-time code {code}\n\
         after that: another start prints a new one-time code, or run on this machine {FIRST_PERSON}"
    )
}

/// The way that needs no code.
const FIRST_PERSON: &str = "hazard-gateway user add NAME --role admin --config FILE";

/// A full disk costs the command line its look, never the start.
fn leave_token(folder: &Path) -> Option<local::LocalToken> {
    let left = local::LocalToken::leave_in(folder);
    left.inspect_err(|error| tracing::warn!(%error, "no token for `status` and `events` on this machine")).ok()
}

/// The site's routes in their shell.
pub fn site_router(parts: SiteParts, accounts: Arc<Accounts>, stop: CancellationToken) -> Router {
    let context = ShellContext {
        kind: PageKind::Site,
        accounts: accounts.clone(),
        settings: parts.settings.clone(),
        journal: Journal::Core(parts.core.clone()),
        clock: parts.clock.clone(),
    };
    let streams = Arc::new(Semaphore::new(STREAMS_MAX));
    let state = Arc::new(SiteState { parts, accounts, streams, stop });
    let stream = Router::new().route("/api/v1/stream", get(stream::serve)).with_state(state.clone());
    let routes = api::router(state.clone())
        .merge(commands::router(state.clone()))
        .merge(config::router(state.clone()))
        .merge(buses::router(state.clone()))
        .merge(calls::router(state.clone()))
        .merge(metrics::router(state));
    shell(routes.merge(stream), context)
}

/// What the site's handlers share.
struct SiteState {
    parts: SiteParts,
    accounts: Arc<Accounts>,
    streams: Arc<Semaphore>,
    stop: CancellationToken,
}

impl std::ops::Deref for SiteState {
    type Target = SiteParts;

    fn deref(&self) -> &SiteParts {
        &self.parts
    }
}
