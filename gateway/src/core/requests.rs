//! What others ask of the core or tell it: commands of people, receipts of the office, figures of the sinks.
//!
//! Owns what is answered to a command that comes again, and when the way to the office is an alarm. Leaves what a command may do to the
//! engine, and what is durable to [`super::ledger`].

use super::task::{Core, RECORDS_MAX};
use super::{CommandError, CommandOutcome, CoreRequest};
use crate::delivery::{Delivery, OfficeReceipt, OutboxFigures};
use rules::{Actor, Command, EventKind, Rejected, SystemCondition};
use std::time::Duration;

/// Answers to repeated commands kept, oldest first out.
const IDEMPOTENCY_MAX: usize = 1000;
/// A broker connection that comes back within this is no alarm.
const UPLINK_GRACE: Duration = Duration::from_secs(30);
/// An event older than this without a receipt is told to the control room.
pub(super) const OFFICE_SILENT_MS: u64 = 300_000;

impl Core {
    pub(super) async fn request(&mut self, request: CoreRequest) {
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
}
