//! The annunciator's task: what the core says is to be heard goes to the relay module, turn by turn, and what came of it goes back to the core.
//!
//! ```text
//!   Snapshot.annunciation ─► Control::outputs ─► RelayModule::drive ─► Control::observe ─► alarm, journal, AnnunciatorView
//!         ▲ at once on a change, else every second                          test asked for by an event ─► Control
//! ```
//! It hangs on nobody: the core is told without waiting, and what it cannot take now is said with the next turn, so that a slow disk delays no
//! sound. At an orderly stop all outputs are switched off; when the process dies the module's own watchdog does it.
//!
//! Owns pacing and telling. Leaves what sounds and what counts as a failure to `rules::annunciator`, the wire to `devices::annunciator`.

#[cfg(test)]
mod tests;
mod view;

pub use view::AnnunciatorView;

use crate::config::AnnunciatorSettings;
use crate::core::CoreHandle;
use crate::record::Record;
use crate::snapshot::Snapshot;
use crate::text::annunciator_fault_words;
use devices::Connect;
use devices::annunciator::RelayModule;
use rules::annunciator::{Annunciation, AnnunciatorFault, Confirmed, Control, News, Outputs};
use rules::{Clock, EventKind, SystemCondition};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// A turn on a link that answers takes a fraction of this; the watchdog is patient for twice as long.
const TURN_LIMIT: Duration = Duration::from_secs(5);
/// For switching everything off, inside the eight seconds of the whole stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// Between two tries to switch it off.
const OFF_AGAIN: Duration = Duration::from_millis(250);
/// What a core that is behind has not been told yet; a failure, its end and a test are three.
const UNSAID_MAX: usize = 16;
/// Key of the alarm.
const ALARM: &str = "system:annunciator_failed";

/// Runs until `stop`, then switches all outputs off.
pub async fn run_annunciator(
    settings: AnnunciatorSettings,
    core: CoreHandle,
    clock: Arc<dyn Clock>,
    progress: Arc<AtomicU64>,
    stop: CancellationToken,
) {
    let mut desk = Desk::new(RelayModule::new(settings.relay.clone()), &settings, core, clock);
    while !stop.is_cancelled() {
        progress.fetch_add(1, Ordering::Relaxed);
        let heard = desk.turn().await;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = desk.rest(heard) => {}
        }
    }
    desk.switch_off().await;
}

struct Desk<C> {
    module: RelayModule<C>,
    control: Control,
    core: CoreHandle,
    clock: Arc<dyn Clock>,
    pictures: watch::Receiver<Arc<Snapshot>>,
    records: broadcast::Receiver<Arc<Record>>,
    view: AnnunciatorView,
    /// The alarm as it shall be, until the core has taken it.
    alarm: Option<bool>,
    unsaid: VecDeque<EventKind>,
}

impl<C: Connect> Desk<C> {
    fn new(module: RelayModule<C>, settings: &AnnunciatorSettings, core: CoreHandle, clock: Arc<dyn Clock>) -> Self {
        let (pictures, records) = (core.snapshots(), core.records());
        let stands = |picture: &Snapshot| picture.alarms.iter().any(|a| a.id == ALARM && a.state != "returned_unacked");
        let owed = stands(&pictures.borrow());
        let control = Control::new(settings.scheme.clone(), owed, clock.now());
        let view = AnnunciatorView::starting(settings);
        Self { module, control, core, clock, pictures, records, view, alarm: None, unsaid: VecDeque::new() }
    }

    /// Until it is confirmed: a lost frame must not leave a siren on for as long as the gateway is stopped.
    async fn switch_off(&mut self) {
        let confirmed = async {
            while let Err(fault) = self.module.drive(Outputs::SAFE).await {
                tracing::warn!(?fault, "the annunciator is not off yet");
                sleep(OFF_AGAIN).await;
            }
        };
        if timeout(STOP_LIMIT, confirmed).await.is_err() {
            tracing::error!("the annunciator did not confirm that it is off");
        }
    }

    /// One turn; gives what it was for.
    async fn turn(&mut self) -> Annunciation {
        let heard = self.pictures.borrow_and_update().annunciation;
        let outputs = self.control.outputs(&heard, self.clock.now());
        let outcome = timeout(TURN_LIMIT, self.module.drive(outputs)).await;
        self.learn(&heard, outputs, outcome.unwrap_or(Err(AnnunciatorFault::NoAnswer)));
        heard
    }

    fn learn(&mut self, heard: &Annunciation, driven: Outputs, outcome: Result<Confirmed, AnnunciatorFault>) {
        let now = self.clock.now();
        let News { failed, test } = self.control.observe(heard, driven, outcome, now);
        if let Some(report) = test {
            self.view.tested(&report, now);
            self.say(EventKind::AnnunciatorTested {
                fault: report.fault,
                by_alarm: report.by_alarm,
                asked_by: report.asked_by,
            });
        }
        if let Some(failed) = failed {
            self.alarm = Some(failed.is_some());
            self.say(notice(failed));
        }
        self.view.follow(&self.control, heard, driven, self.module.figures());
        self.tell();
    }

    fn say(&mut self, kind: EventKind) {
        self.unsaid.truncate(UNSAID_MAX - 1);
        self.unsaid.push_back(kind);
    }

    /// As much as the core takes without waiting.
    fn tell(&mut self) {
        while let Some(kind) = self.unsaid.front() {
            if !self.core.try_note(kind.clone()) {
                return;
            }
            self.unsaid.pop_front();
        }
        if let Some(active) = self.alarm
            && self.core.try_system(SystemCondition::AnnunciatorFailed, active)
        {
            self.alarm = None;
        }
        self.core.annunciator(self.view.clone());
    }

    /// Until the next turn is due, something else is to be heard, or somebody wants a test.
    async fn rest(&mut self, heard: Annunciation) {
        let until = Instant::now() + self.control.pause();
        loop {
            tokio::select! {
                biased;
                changed = self.pictures.changed() => match changed {
                    Ok(()) if self.pictures.borrow().annunciation == heard => {}
                    Ok(()) => return,
                    Err(_) => return sleep_until(until).await, // the core is gone: the process ends
                },
                record = self.records.recv() => match record {
                    Ok(record) => if self.is_asked(&record) { return },
                    Err(RecvError::Lagged(_)) => {} // a wish that was lost is repeated by the person who hears nothing
                    Err(RecvError::Closed) => return sleep_until(until).await,
                },
                () = sleep_until(until) => return,
            }
        }
    }

    fn is_asked(&mut self, record: &Record) -> bool {
        let EventKind::AnnunciatorTestRequested { by } = &record.event.kind else { return false };
        self.control.ask_for_test(by.by.clone(), self.clock.now());
        true
    }
}

/// What failed, in the journal and for the office; the alarm beside it says what to do.
fn notice(failed: Option<AnnunciatorFault>) -> EventKind {
    match failed {
        Some(fault) => {
            let (zh, en) = annunciator_fault_words(fault);
            EventKind::Notice {
                code: "annunciator_failed".into(),
                text_zh: format!("声光报警器失效：{zh}"),
                text_en: format!("The annunciator failed: {en}"),
            }
        }
        None => EventKind::Notice {
            code: "annunciator_back".into(),
            text_zh: "声光报警器恢复正常".into(),
            text_en: "The annunciator works again".into(),
        },
    }
}
