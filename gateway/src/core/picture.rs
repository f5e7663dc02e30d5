//! The picture that everybody outside sees, put together from the engine, the ledger and what buses and sinks have told.
//!
//! Leaves each part of it to [`super::view`] and [`super::standing`], and when it is drawn to [`super::pace`].

use super::requests::OFFICE_SILENT_MS;
use super::standing;
use super::task::Core;
use super::view::{self, Beside};
use crate::snapshot::{BusView, Snapshot, StorageView};
use devices::status::BusStatus;
use rules::Now;
use std::sync::Arc;

impl Core {
    pub(super) fn look_at_buses(&mut self) {
        self.bus_views = Arc::new(self.buses.iter().map(|(key, status)| bus_view(key, status)).collect());
    }

    pub(super) fn picture(&self, now: Now) -> Snapshot {
        let annunciation = self.engine.annunciation(now);
        let beside = Beside { site: &self.site, delivery: &self.delivery, not_durable: &self.not_durable };
        Snapshot {
            boot_id: self.ledger.boot_id().to_owned(),
            seq: self.engine.next_seq() - 1,
            utc_ms: now.wall.utc_ms,
            clock: view::clock_word(now.wall.quality).into(),
            clock_max_error_ms: now.wall.max_error_ms,
            version: env!("CARGO_PKG_VERSION"),
            site_since_seq: self.site_since_seq,
            site: self.site.clone(),
            values: view::values(&self.engine),
            unjudged: Arc::new(view::unjudged(&self.engine)),
            alarms: Arc::new(view::alarms(&self.engine, &beside)),
            shelves: Arc::new(standing::shelves(&self.engine)),
            bypasses: Arc::new(standing::bypasses(&self.engine)),
            groups: Arc::new(standing::groups(&self.engine, &annunciation, now)),
            hazards: Arc::new(view::hazards(&self.engine)),
            buses: self.bus_views.clone(),
            outbox: self.outbox.clone(),
            storage: self.storage(),
            office_silent: self.outbox.oldest_age_ms > OFFICE_SILENT_MS,
            annunciation,
            annunciator: self.annunciator.clone(),
        }
    }

    fn storage(&self) -> StorageView {
        let history = self.store.history_figures();
        let dropped = [
            ("queue_full", history.dropped_queue_full),
            ("disk", history.dropped_disk),
            ("events_given_up", self.ledger.given_up),
        ];
        StorageView {
            ok: !self.ledger.is_late() && !self.store.pulse().is_late(self.clock.now().mono),
            last_commit_ms: u64::try_from(self.ledger.last_commit.as_millis()).unwrap_or(u64::MAX),
            samples_read: history.read,
            samples_stored: history.stored,
            free_bytes: self.store.space().free_bytes(),
            samples_dropped: dropped.into_iter().filter(|(_, n)| *n > 0).map(|(k, n)| (k.to_owned(), n)).collect(),
            influx_enabled: self.influx_on,
            influx_delivered: self.influx.delivered,
            influx_pending: self.influx.pending,
            influx_dead_lettered: self.influx.dead_lettered,
            influx_transitions_delivered: self.transitions.delivered,
            influx_transitions_dead_lettered: self.transitions.dead_lettered,
            influx_last_error: self.influx.last_error.clone().or_else(|| self.transitions.last_error.clone()),
        }
    }
}

fn bus_view(key: &str, status: &BusStatus) -> BusView {
    let detail = status.snapshot();
    BusView { key: key.into(), up: detail.up, state: detail.state, detail }
}
