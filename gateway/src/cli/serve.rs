//! What every command that stays needs: the runtime and logging; `run`, `office` and `demo`.

use super::station::Station;
use super::{Exit, check};
use crate::clock::SystemClock;
use crate::config::{self, Checked, Site};
use crate::core::NewRules;
use crate::office::{self, OfficeError};
use crate::reload::{self, Asker, Taken};
use crate::run::{Ready, RunError, Surroundings, run_site};
use crate::store::StoreError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
#[cfg(feature = "demo")]
use tokio_util::sync::CancellationToken;

/// Work off the runtime (SQLite reads, password hashing): more threads would only wait for the same disk, and the unit allows 64 tasks.
const BLOCKING_THREADS: usize = 16;

/// With the limits of a stop in `run` ten seconds in all.
const LAST_JOBS_LIMIT: Duration = Duration::from_millis(250);

/// A runtime, or why there is none.
pub(crate) fn runtime() -> Result<Runtime, Exit> {
    built(&mut Builder::new_multi_thread())
}

/// Polling, judging and storing: on the calling thread alone, because with two every answer of an instrument would wake both.
fn field() -> Result<Runtime, Exit> {
    built(&mut Builder::new_current_thread())
}

/// What serves people and databases has a thread of its own, so that the largest page delays no scan.
fn outward() -> Result<Runtime, Exit> {
    built(Builder::new_multi_thread().worker_threads(1).thread_name("outward"))
}

fn built(builder: &mut Builder) -> Result<Runtime, Exit> {
    builder.enable_all().max_blocking_threads(BLOCKING_THREADS).build().map_err(|error| {
        eprintln!("无法启动运行时 · no runtime: {error}");
        Exit::Io
    })
}

/// Logs go to stderr; `RUST_LOG` chooses. journald adds the time.
fn log_to_stderr(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}

/// The site gateway until SIGTERM or SIGINT; SIGHUP reloads.
pub(super) fn run(path: &Path) -> Exit {
    log_to_stderr("info");
    if config::is_office(path) {
        eprintln!(
            "{0} 是镇办的配置，请用 hazard-gateway office --config {0} · this is an office's file: use `hazard-gateway office`",
            path.display()
        );
        return Exit::Usage;
    }
    let Some(site) = loaded(config::check_site(path)) else { return Exit::Usage };
    let (runtime, outward) = match (field(), outward()) {
        (Ok(runtime), Ok(outward)) => (runtime, outward),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let clock = Arc::new(SystemClock::default());
    let cannot_start = |error: &RunError| matches!(error, RunError::Store(_) | RunError::Listen(..));
    let (desk, wishes) = reload::desk();
    let around = || Surroundings {
        clock: clock.clone(),
        outward: outward.handle().clone(),
        demo: None,
        desk: Some(desk.clone()),
    };
    let run = |site, asker, stop, up| run_site(site, asker, around(), stop, up);
    let (path, check) = (path.to_owned(), config::check_site as fn(&Path) -> Checked<Site>);
    let station = Station { path, check, run, take_over: new_rules, cannot_start, wishes };
    let result = runtime.block_on(station.until_stopped(site));
    end(runtime);
    end(outward);
    result.map_or_else(|error| run_exit(&error), |()| Exit::Ok)
}

/// What still waits for a stalled disk after the limits of a stop is left to itself: a runtime that is dropped would wait for it for ever.
fn end(runtime: Runtime) {
    runtime.shutdown_timeout(LAST_JOBS_LIMIT);
}

/// With the same wiring the core takes the rules over.
async fn new_rules(site: &Ready, now: &Site, next: &Site, asker: &Asker) -> Taken {
    if !next.has_wiring_of(now) {
        return Taken::No;
    }
    if next.view.config_hash == now.view.config_hash {
        return Taken::Unchanged;
    }
    let (next, asker) = (next.clone(), asker.clone());
    let new = tokio::task::spawn_blocking(move || NewRules::of(&next, asker)).await;
    let is_in_force = match new {
        Ok(new) => site.core.change(new).await,
        Err(_) => false,
    };
    if is_in_force { Taken::InForce } else { Taken::No }
}

/// The township station until SIGTERM or SIGINT; SIGHUP reloads.
pub(super) fn office(path: &Path) -> Exit {
    log_to_stderr("info");
    if config::is_site(path) {
        eprintln!(
            "{0} 是站点的配置，请用 hazard-gateway run --config {0} · this is a site's file: use `hazard-gateway run`",
            path.display()
        );
        return Exit::Usage;
    }
    let Some(settings) = loaded(config::check_office(path)) else { return Exit::Usage };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let clock = Arc::new(SystemClock::default());
    let cannot_start = |error: &OfficeError| matches!(error, OfficeError::Store(_) | OfficeError::Listen(..));
    let run = |settings, _: Asker, stop, _: oneshot::Sender<()>| office::run(settings, clock.clone(), stop, None);
    let take_over = async |_: &(), _: &_, _: &_, _: &Asker| Taken::No;
    // an office has no rules: its configuration is asked for by SIGHUP only
    let wishes = reload::desk().1;
    let station = Station { path: path.to_owned(), check: config::check_office, run, take_over, cannot_start, wishes };
    let result = runtime.block_on(station.until_stopped(settings));
    end(runtime);
    result.map_or_else(|error| office_exit(&error), |()| Exit::Ok)
}

/// Prints what `check` would; nothing is opened before the configuration is whole.
fn loaded<T>(checked: Checked<T>) -> Option<T> {
    check::report_to_log(&checked.diagnostics, &checked.files);
    checked.value
}

/// The demo ends with SIGTERM and SIGINT.
#[cfg(feature = "demo")]
async fn stop_at_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be received; end the process with SIGKILL");
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    stop.cancel();
}

pub(crate) fn run_exit(error: &RunError) -> Exit {
    eprintln!("{error}");
    match error {
        RunError::Store(StoreError::NewerVersion(..)) => Exit::NewerStore,
        RunError::Store(_) | RunError::Listen(..) => Exit::Io,
        RunError::Ended(_) => Exit::Internal,
    }
}

pub(crate) fn office_exit(error: &OfficeError) -> Exit {
    eprintln!("{error}");
    match error {
        OfficeError::Store(StoreError::NewerVersion(..)) => Exit::NewerStore,
        OfficeError::Store(_) | OfficeError::Listen(..) => Exit::Io,
        OfficeError::Ended(_) => Exit::Internal,
    }
}

/// The demo until SIGTERM or Ctrl-C.
#[cfg(feature = "demo")]
pub(super) fn demo(choice: crate::demo::Choice) -> Exit {
    log_to_stderr("error,rumqttd=off");
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let exit = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_at_signal(stop.clone()));
        crate::demo::run(choice, stop).await
    });
    end(runtime);
    exit
}
