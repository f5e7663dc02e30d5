//! The core: the only caller of the engine, and how everybody else talks to it.
//!
//! Owns the handle and the messages; `task` is the loop, with `beginning`, `requests` and `second` for what comes in beside the scans;
//! `ledger` makes events durable before they are visible, `picture` shows the whole of it and `view` its parts, `nearness` asks the buses
//! for more where a value nears a limit, `pace` says when it is drawn, `tick` when the engine is due.

mod beginning;
mod change;
mod derived;
mod ledger;
mod nearness;
mod pace;
mod picture;
mod requests;
mod second;
mod standing;
mod task;
#[cfg(test)]
mod tests;
mod tick;
mod view;

pub use change::NewRules;
pub use derived::Derived;
pub use nearness::Nearness;
pub use task::{CoreParts, start};

use crate::annunciator::AnnunciatorView;
use crate::delivery::{Delivered, OfficeReceipt, OutboxFigures};
use crate::influx::writer::Figures as InfluxFigures;
use crate::record::Record;
use crate::snapshot::Snapshot;
use pace::Looked;
use rules::{Actor, Command, EventKind, Rejected, SystemCondition};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// What the core is asked besides the scans of the buses.
#[derive(Debug)]
pub enum CoreRequest {
    Command {
        command: Command,
        actor: Actor,
        /// The same key among the newest thousand since the start: the first outcome is returned again and nothing is done twice.
        idempotency_key: Option<String>,
        reply: oneshot::Sender<Result<CommandOutcome, CommandError>>,
    },
    /// A fact of the gateway itself, journaled; answered when committed.
    Note {
        kind: Box<EventKind>,
        reply: oneshot::Sender<Arc<Record>>,
    },
    Receipt(OfficeReceipt),
    Outbox(OutboxFigures),
    Influx(InfluxFigures),
    /// Of the alarm transitions on their way to InfluxDB.
    Transitions(InfluxFigures),
    /// How the annunciator stands.
    Annunciator(Box<AnnunciatorView>),
    /// How far the events of standing alarms have come.
    Delivery(BTreeMap<String, Delivered>),
    /// A condition of the gateway itself came or went.
    System {
        condition: SystemCondition,
        active: bool,
    },
    /// Other rules for the same points and instruments; answered when committed.
    Change {
        new: Box<NewRules>,
        reply: oneshot::Sender<()>,
    },
}

/// What a command led to: the committed records; empty when it was already so.
#[derive(Clone, Debug)]
pub struct CommandOutcome {
    pub records: Vec<Arc<Record>>,
}

/// Why a command did not happen.
#[derive(Clone, Debug, Error)]
pub enum CommandError {
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Fields are missing or out of bounds: 422. `longest` is the most that may be asked for as a duration, `latest_utc_ms` as a date
    /// without a reason.
    #[error("missing or not acceptable: {}", .fields.join(", "))]
    Incomplete { fields: Vec<String>, longest: Option<std::time::Duration>, latest_utc_ms: Option<i64> },
    /// The core is stopping: 503.
    #[error("the gateway is stopping")]
    Stopping,
}

/// How everybody else talks to the core. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CoreHandle {
    pub(crate) requests: mpsc::Sender<CoreRequest>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) records: broadcast::Sender<Arc<Record>>,
    /// Set by whoever takes a picture: while nobody does, the core draws values less often.
    pub(crate) looked: Arc<Looked>,
}

impl CoreHandle {
    /// A person's request, carried out and committed before this returns.
    /// # Errors
    /// [`CommandError`] says what the caller does next.
    pub async fn command(
        &self,
        command: Command,
        actor: Actor,
        idempotency_key: Option<String>,
    ) -> Result<CommandOutcome, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(CoreRequest::Command { command, actor, idempotency_key, reply })
            .await
            .map_err(|_| CommandError::Stopping)?;
        answer.await.map_err(|_| CommandError::Stopping)?
    }

    /// Journals a fact of the gateway itself; `None` when the core is stopping.
    pub async fn note(&self, kind: EventKind) -> Option<Arc<Record>> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(CoreRequest::Note { kind: Box::new(kind), reply }).await.ok()?;
        answer.await.ok()
    }

    /// As [`CoreHandle::note`], without waiting for room or for the disk; false when there is no room now.
    pub fn try_note(&self, kind: EventKind) -> bool {
        let (reply, _) = oneshot::channel();
        self.requests.try_send(CoreRequest::Note { kind: Box::new(kind), reply }).is_ok()
    }

    /// As [`CoreHandle::system`], without waiting; false when there is no room now.
    pub fn try_system(&self, condition: SystemCondition, active: bool) -> bool {
        self.requests.try_send(CoreRequest::System { condition, active }).is_ok()
    }

    /// Tells the core how the annunciator stands; dropped when the core is busy (the next turn follows).
    pub fn annunciator(&self, view: AnnunciatorView) {
        let _ = self.requests.try_send(CoreRequest::Annunciator(Box::new(view)));
    }

    /// A receipt of the office came in.
    pub async fn receipt(&self, receipt: OfficeReceipt) {
        let _ = self.requests.send(CoreRequest::Receipt(receipt)).await;
    }

    /// Tells the core how the outbox stands; dropped when the core is busy (the next figure follows in a second).
    pub fn outbox_figures(&self, figures: OutboxFigures) {
        let _ = self.requests.try_send(CoreRequest::Outbox(figures));
    }

    /// Tells the core how the InfluxDB writer stands; dropped when the core is busy (the next figures follow).
    pub fn influx_figures(&self, figures: InfluxFigures) {
        let _ = self.requests.try_send(CoreRequest::Influx(figures));
    }

    /// The same for the alarm transitions.
    pub fn transition_figures(&self, figures: InfluxFigures) {
        let _ = self.requests.try_send(CoreRequest::Transitions(figures));
    }

    /// Tells the core how far the events of standing alarms have come.
    pub async fn delivery(&self, states: BTreeMap<String, Delivered>) {
        let _ = self.requests.send(CoreRequest::Delivery(states)).await;
    }

    /// Tells the core of a condition of the gateway itself.
    pub async fn system(&self, condition: SystemCondition, active: bool) {
        let _ = self.requests.send(CoreRequest::System { condition, active }).await;
    }

    /// Other rules for the same points and instruments: in force, committed and shown before this returns; false when the core is
    /// stopping.
    pub async fn change(&self, new: NewRules) -> bool {
        let (reply, answer) = oneshot::channel();
        let site = new.site.clone();
        let asked = self.requests.send(CoreRequest::Change { new: Box::new(new), reply }).await;
        if asked.is_err() || answer.await.is_err() {
            return false;
        }
        let shown = |picture: &Arc<Snapshot>| Arc::ptr_eq(&picture.site, &site);
        self.snapshots().wait_for(shown).await.is_ok()
    }

    /// The newest picture.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.looked.note();
        self.snapshots.borrow().clone()
    }

    /// Every new picture.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Every committed record from now on.
    #[must_use]
    pub fn records(&self) -> broadcast::Receiver<Arc<Record>> {
        self.records.subscribe()
    }
}
