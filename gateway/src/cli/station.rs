//! A station until SIGTERM, and what SIGHUP or a person on the page means to it: read → check → switch, or nothing.
//!
//! ```text
//!   SIGHUP, Wish ─► check ─┬ defects ──────► said with file and line; the running one goes on
//!                          ├ other rules ──► the running one takes them over: no stop, no scan missed
//!                          └ other wiring ─► running one stops cleanly ─► new one starts ── cannot ──► the old one starts again
//! ```
//! A switch of the wiring is a clean stop and a start within the process, so it takes the well-trodden way of both: the journal shows
//! the stop and the start with the new configuration's hash, alarms are taken up from the store. Owns signals and that order. Leaves the
//! store alone, and what is a matter of rules only to the station.

use super::check;
use crate::config::{Checked, Diagnostic};
use crate::notify;
use crate::reload::{Answer, Asker, Taken, Wish};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// What a station is made of: how its file is checked, how it runs and what it takes over without a stop.
pub(super) struct Station<T, R, L, E> {
    pub(super) path: PathBuf,
    pub(super) check: fn(&Path) -> Checked<T>,
    /// Runs until the token is cancelled, as somebody wanted it; tells when it is up, and by what it is reached then.
    pub(super) run: R,
    /// Settings in force, settings that are wanted and by whom: what the running station made of them.
    pub(super) take_over: L,
    /// Whether it ended so because its settings cannot be used here: an address or a folder.
    pub(super) cannot_start: fn(&E) -> bool,
    /// People's requests for another configuration.
    pub(super) wishes: mpsc::Receiver<Wish>,
}

/// What concerns a station from outside.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    wishes: mpsc::Receiver<Wish>,
}

enum Asked {
    End,
    Reload(Wish),
}

/// Why a station stopped without a fault.
enum Stopped<T> {
    Ended,
    /// For other settings, which take over as somebody wanted it; the first are those in force at the stop.
    For(T, T, Asker),
}

impl Signals {
    fn listen(wishes: mpsc::Receiver<Wish>) -> std::io::Result<Self> {
        let term = signal(SignalKind::terminate())?;
        Ok(Self { term, int: signal(SignalKind::interrupt())?, hup: signal(SignalKind::hangup())?, wishes })
    }

    async fn end(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::End,
            _ = self.int.recv() => Asked::End,
            _ = self.hup.recv() => Asked::Reload(Wish::of_signal()),
            Some(wish) = self.wishes.recv() => Asked::Reload(wish),
        }
    }
}

impl<T, R, L, E> Station<T, R, L, E>
where
    T: Clone + Send + 'static,
    E: Display,
{
    /// Runs `first` and whatever a reload puts in its place. `U` is what a station is reached by.
    pub(super) async fn until_stopped<U>(mut self, first: T) -> Result<(), E>
    where
        R: AsyncFn(T, Asker, CancellationToken, oneshot::Sender<U>) -> Result<(), E>,
        L: AsyncFn(&U, &T, &T, &Asker) -> Taken,
    {
        let wishes = std::mem::replace(&mut self.wishes, mpsc::channel(1).1);
        let Ok(mut signals) = Signals::listen(wishes) else {
            tracing::error!("signals cannot be received; end the process with SIGKILL");
            return (self.run)(first, Asker::Start, CancellationToken::new(), oneshot::channel().0).await;
        };
        let (mut settings, mut asker, mut before, mut wanted_by) = (first, Asker::Start, None::<T>, String::new());
        loop {
            match self.until_switched(settings.clone(), asker, &mut signals).await {
                Ok(Stopped::Ended) => {
                    tracing::info!(path = %self.path.display(), "stopped in order, as asked");
                    return Ok(());
                }
                Ok(Stopped::For(old, next, by)) => {
                    by.word().clone_into(&mut wanted_by);
                    (before, settings, asker) = (Some(old), next, by);
                }
                Err(error) => {
                    // only what a reload has just put in place has something to go back to
                    let old = before.take().filter(|_| (self.cannot_start)(&error));
                    let Some(old) = old else { return Err(error) };
                    tracing::error!(%error, "the new configuration cannot run; the old one is started again");
                    (settings, asker) =
                        (old, Asker::Fallback { wanted_by: wanted_by.clone(), error: error.to_string() });
                }
            }
        }
    }

    /// Until the end or until a good configuration with another wiring takes over.
    async fn until_switched<U>(&self, mut settings: T, asker: Asker, signals: &mut Signals) -> Result<Stopped<T>, E>
    where
        R: AsyncFn(T, Asker, CancellationToken, oneshot::Sender<U>) -> Result<(), E>,
        L: AsyncFn(&U, &T, &T, &Asker) -> Taken,
    {
        let stop = CancellationToken::new();
        let (up, mut told) = oneshot::channel();
        let running = (self.run)(settings.clone(), asker, stop.clone(), up);
        tokio::pin!(running);
        let (mut reached, mut untold) = (None, true);
        let next = loop {
            tokio::select! {
                ended = &mut running => return ended.map(|()| Stopped::Ended),
                by = &mut told, if untold => (reached, untold) = (by.ok(), false),
                asked = signals.next() => match asked {
                    Asked::End => break None,
                    Asked::Reload(mut wish) => {
                        // the station goes on while its file is read, and who wants its end does not wait for that
                        let checked = tokio::select! {
                            ended = &mut running => return ended.map(|()| Stopped::Ended),
                            () = signals.end() => break None,
                            checked = self.checked() => checked,
                        };
                        let next = match checked {
                            Ok(next) => next,
                            Err(defects) => {
                                wish.answer(Answer::Defects(defects));
                                continue;
                            }
                        };
                        // it may have come up meanwhile
                        reached = reached.or_else(|| told.try_recv().ok());
                        let taken = tokio::select! {
                            ended = &mut running => return ended.map(|()| Stopped::Ended),
                            taken = self.taken_over(reached.as_ref(), &settings, &next, &wish.asker) => taken,
                        };
                        match taken {
                            Taken::InForce => {
                                wish.answer(Answer::InForce);
                                settings = next;
                            }
                            Taken::Unchanged => wish.answer(Answer::Unchanged),
                            Taken::No => {
                                // said before the page goes with the rest
                                wish.answer(Answer::Restarting);
                                break Some((next, wish.asker));
                            }
                        }
                    }
                },
            }
        };
        if next.is_some() {
            notify::reloading();
        } else {
            notify::stopping();
        }
        stop.cancel();
        running.await?;
        Ok(next.map_or(Stopped::Ended, |(next, asker)| Stopped::For(settings, next, asker)))
    }

    /// A station that is not up yet is started anew.
    async fn taken_over<U>(&self, reached: Option<&U>, settings: &T, next: &T, asker: &Asker) -> Taken
    where
        L: AsyncFn(&U, &T, &T, &Asker) -> Taken,
    {
        let (path, by) = (self.path.display(), asker.word());
        let taken = match reached {
            Some(reached) => (self.take_over)(reached, settings, next, asker).await,
            None => Taken::No,
        };
        match taken {
            Taken::InForce => {
                tracing::warn!(%path, by, "the configuration is good; its rules are in force now, without a stop");
            }
            Taken::Unchanged => tracing::warn!(%path, by, "the configuration is what runs already; nothing was done"),
            Taken::No => {
                tracing::warn!(%path, by, "the configuration is good and takes over now, with a stop and a start");
            }
        }
        taken
    }

    /// The file as it is now, or its defects; every one is said.
    async fn checked(&self) -> Result<T, Vec<Diagnostic>> {
        let (check, path) = (self.check, self.path.clone());
        let Ok(checked) = tokio::task::spawn_blocking(move || check(&path)).await else { return Err(Vec::new()) };
        check::report_to_log(&checked.diagnostics, &checked.files);
        if checked.value.is_none() {
            let defects = checked.diagnostics.iter().filter(|d| d.fatal).count();
            let path = self.path.display();
            tracing::error!(%path, defects, "the configuration has defects; the running one is kept");
        }
        checked.value.ok_or(checked.diagnostics)
    }
}
