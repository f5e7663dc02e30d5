//! A station until SIGTERM, and what SIGHUP means to it: read → check → switch, or nothing.
//!
//! ```text
//!   SIGHUP ─► check ── defects ──► said with file and line; the running one goes on
//!                  └── none ─► running one stops cleanly ─► new one starts ── cannot ──► the old one starts again
//! ```
//! A switch is a clean stop and a start within the process, so it takes the well-trodden way of both: the journal shows the stop and the
//! start with the new configuration's hash, alarms are taken up from the store. Owns signals and that order. Leaves the store alone.

use super::check;
use crate::config::Checked;
use crate::notify;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a station is made of: how its file is checked and how it runs.
pub(super) struct Station<T, R, E> {
    pub(super) path: PathBuf,
    pub(super) check: fn(&Path) -> Checked<T>,
    /// Runs until the token is cancelled.
    pub(super) run: R,
    /// Whether it ended so because its settings cannot be used here: an address or a folder.
    pub(super) cannot_start: fn(&E) -> bool,
}

/// Signals that concern a station.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

enum Asked {
    End,
    Reload,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let term = signal(SignalKind::terminate())?;
        Ok(Self { term, int: signal(SignalKind::interrupt())?, hup: signal(SignalKind::hangup())? })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::End,
            _ = self.int.recv() => Asked::End,
            _ = self.hup.recv() => Asked::Reload,
        }
    }
}

impl<T, R, F, E> Station<T, R, E>
where
    T: Clone + Send + 'static,
    R: Fn(T, CancellationToken) -> F,
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    /// Runs `first` and whatever a reload puts in its place.
    pub(super) async fn until_stopped(self, first: T) -> Result<(), E> {
        let Ok(mut signals) = Signals::listen() else {
            tracing::error!("signals cannot be received; end the process with SIGKILL");
            return (self.run)(first, CancellationToken::new()).await;
        };
        let (mut settings, mut before) = (first, None::<T>);
        loop {
            match self.until_switched(settings.clone(), &mut signals).await {
                Ok(None) => return Ok(()),
                Ok(Some(next)) => before = Some(std::mem::replace(&mut settings, next)),
                Err(error) => {
                    // only what a reload has just put in place has something to go back to
                    let old = before.take().filter(|_| (self.cannot_start)(&error));
                    let Some(old) = old else { return Err(error) };
                    tracing::error!(%error, "SIGHUP: the new configuration cannot run; the old one is started again");
                    settings = old;
                }
            }
        }
    }

    /// Until the end (`None`) or until a good configuration takes over.
    async fn until_switched(&self, settings: T, signals: &mut Signals) -> Result<Option<T>, E> {
        let stop = CancellationToken::new();
        let running = (self.run)(settings, stop.clone());
        tokio::pin!(running);
        let next = loop {
            tokio::select! {
                ended = &mut running => return ended.map(|()| None),
                asked = signals.next() => match asked {
                    Asked::End => break None,
                    Asked::Reload => {
                        // the station goes on while its file is read
                        let checked = tokio::select! {
                            ended = &mut running => return ended.map(|()| None),
                            checked = self.checked() => checked,
                        };
                        if checked.is_some() {
                            break checked;
                        }
                    }
                },
            }
        };
        if next.is_some() {
            notify::reloading()
        } else {
            notify::stopping()
        }
        stop.cancel();
        running.await?;
        Ok(next)
    }

    /// The file as it is now; every defect is said.
    async fn checked(&self) -> Option<T> {
        let (check, path) = (self.check, self.path.clone());
        let checked = tokio::task::spawn_blocking(move || check(&path)).await.ok()?;
        check::report(&checked.diagnostics, &checked.files);
        let path = self.path.display();
        let defects = checked.diagnostics.iter().filter(|d| d.fatal).count();
        match &checked.value {
            Some(_) => tracing::warn!(%path, "SIGHUP: the configuration is good and takes over now"),
            None => tracing::error!(%path, defects, "SIGHUP: the configuration has defects; the running one is kept"),
        }
        checked.value
    }
}
