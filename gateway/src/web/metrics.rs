//! `/metrics`, `/readyz`: figures of the newest picture as OpenMetrics text, made anew for each question. [`Figures`] serves both stations.

use super::SiteState;
use super::api::unacked;
use super::problem::{Kind, Problem};
use crate::snapshot::Snapshot;
use crate::store::{INCIDENT_DROPS, IncidentFigures};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new().route("/metrics", get(metrics)).route("/readyz", get(ready)).with_state(state)
}

/// Ready when the store answers and the first scan is done.
async fn ready(State(state): State<Arc<SiteState>>) -> Result<&'static str, Problem> {
    let store = state.archive.records(Some(u64::MAX >> 1), 1).await.is_ok();
    let scanned = state.first_scan.load(Ordering::Relaxed);
    if store && scanned { Ok("ready\n") } else { Err(Problem::retry(Kind::Busy, 1)) }
}

async fn metrics(State(state): State<Arc<SiteState>>) -> Result<Response, Problem> {
    let streams = super::STREAMS_MAX - state.streams.available_permits();
    let mut figures = Figures::default();
    figures.gauge("web_streams", "Browsers on the stream", streams);
    figures.of_snapshot(&state.core.snapshot());
    super::bus_metrics::register(&mut figures.0, &state.buses);
    let (written, not_written) = state.accounts.refusals.counts();
    figures.counter("refusals_journaled", "Refused changes of people that are in the journal", written);
    figures.counter(
        "refusals_not_journaled",
        "Refused changes beyond what the journal takes of one person",
        not_written,
    );
    figures.of_incidents(&state.archive.incidents().1);
    figures.answer()
}

type Labels = [(&'static str, String); 1];

/// The figures of one answer.
pub struct Figures(Registry);

impl Default for Figures {
    fn default() -> Self {
        Self(Registry::with_prefix("hazard"))
    }
}

impl Figures {
    /// A figure that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl TryInto<i64>) {
        self.0.register(name, help, ConstGauge::new(value.try_into().unwrap_or(i64::MAX)));
    }

    /// As OpenMetrics text.
    /// # Errors
    /// [`Kind::Internal`].
    pub fn answer(&self) -> Result<Response, Problem> {
        let mut text = String::new();
        encode(&mut text, &self.0).map_err(|error| Problem::internal(&error))?;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
    }

    /// A figure that only grows.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.0.register(name, help, ConstCounter::new(value));
    }

    fn of_snapshot(&mut self, s: &Snapshot) {
        self.gauge("seq", "Last journal number", s.seq);
        self.gauge("picture_utc_seconds", "When the newest picture was made", s.utc_ms / 1000);
        self.gauge("clock_synced", "1 when the clock is disciplined", u8::from(s.clock == "synced"));
        if let Some(ms) = s.clock_max_error_ms {
            self.gauge("clock_max_error_ms", "How far the clock can be wrong at most", ms);
        }
        self.gauge("alarms_standing", "Standing alarms", s.alarms.len());
        self.gauge("alarms_unacknowledged", "Alarms nobody has acknowledged", unacked(s));
        self.gauge("hidden_dangers", "Hidden-danger records shown", s.hazards.len());
        let with = |quality: u8| s.values.iter().filter(|value| value.reading.quality_code() == quality).count();
        self.gauge("points_good", "Points with a good value", with(0));
        self.gauge("points_uncertain", "Points with a doubtful value", with(1));
        self.gauge("points_bad", "Points without a usable value", with(2));
        self.of_outbox(s);
        self.of_storage(s);
        self.of_annunciator(s);
    }

    fn of_outbox(&mut self, s: &Snapshot) {
        self.gauge("outbox_connected", "1 when the broker is connected", u8::from(s.outbox.connected));
        self.gauge("outbox_depth", "Events without the office's receipt", s.outbox.depth);
        self.gauge("outbox_oldest_age_ms", "Age of the oldest of them", s.outbox.oldest_age_ms);
        self.counter("outbox_sent", "Events sent", s.outbox.sent);
        self.counter("outbox_broker_acknowledged", "Events the broker took", s.outbox.broker_acknowledged);
        self.counter("outbox_received", "Events the office received", s.outbox.received);
        self.counter("outbox_dead_lettered", "Events whose record cannot be read", s.outbox.dead_lettered);
        self.counter("outbox_messages_ignored", "Messages that mean nothing here", s.outbox.messages_ignored);
        self.counter("outbox_messages_refused", "Messages turned away by rate", s.outbox.messages_refused);
        self.counter("outbox_receipts_unknown", "Receipts for events never sent", s.outbox.receipts_unknown);
        self.counter("outbox_resend_requests", "Times the office asked for events again", s.outbox.resend_requests);
        self.counter("outbox_store_turns", "Questions of the outbox to the store", s.outbox.store_turns);
        self.gauge("office_silent", "1 when events lack a receipt after five minutes", u8::from(s.office_silent));
    }

    fn of_annunciator(&mut self, s: &Snapshot) {
        let Some(a) = &s.annunciator else { return };
        self.gauge("annunciator_ok", "1 when the annunciator can be relied on", u8::from(a.fault.is_none()));
        self.gauge("annunciator_sounding", "1 while it sounds for an alarm", u8::from(a.state == "sounding"));
        self.counter("annunciator_writes", "Coils written and confirmed", a.writes);
        self.counter("annunciator_failures", "Turns of the annunciator that ended with a fault", a.failures);
        self.counter("annunciator_connects", "Times the link to the relay module was opened", a.connects);
        self.counter("annunciator_tests_passed", "Self-tests that passed", a.tests_passed);
        self.counter("annunciator_tests_failed", "Self-tests that failed", a.tests_failed);
        if let Some(test) = &a.last_test {
            self.gauge("annunciator_last_test_ok", "1 when the last self-test passed", u8::from(test.passed));
            self.gauge("annunciator_last_test_utc_seconds", "When it ended", test.ended_utc_ms / 1000);
        }
    }

    fn of_incidents(&mut self, i: &IncidentFigures) {
        self.gauge("incidents_kept", "Incidents whose raw frames are on the disk", i.kept);
        self.gauge("incidents_bytes", "Room they take", i.bytes);
        self.counter("incidents_written", "Incidents written since the start", i.written);
        self.counter("incidents_set_aside", "Files of incidents that could not be read at the start", i.set_aside);
        let dropped = Family::<Labels, Counter>::default();
        for reason in INCIDENT_DROPS {
            dropped.get_or_create(&[("reason", reason.into())]).inc_by(i.dropped.get(reason).copied().unwrap_or(0));
        }
        self.0.register("incidents_dropped", "Incidents that are not on the disk, or no longer", dropped);
    }

    fn of_storage(&mut self, s: &Snapshot) {
        self.gauge("storage_ok", "1 when the disk confirms commits", u8::from(s.storage.ok));
        self.gauge("storage_last_commit_ms", "Duration of the last commit", s.storage.last_commit_ms);
        if let Some(free) = s.storage.free_bytes {
            self.gauge("storage_free_bytes", "Room left on the data folder's disk", free);
        }
        self.counter("samples_read", "Samples read from instruments", s.storage.samples_read);
        self.counter("samples_stored", "Samples stored", s.storage.samples_stored);
        let dropped = Family::<Labels, Counter>::default();
        for (reason, count) in &s.storage.samples_dropped {
            dropped.get_or_create(&[("reason", reason.clone())]).inc_by(*count);
        }
        self.0.register("samples_dropped", "Samples dropped", dropped);
        self.counter("influx_delivered", "Points InfluxDB took", s.storage.influx_delivered);
        self.gauge("influx_pending", "Samples of the batch that is on its way to InfluxDB", s.storage.influx_pending);
        self.counter("influx_dead_lettered", "Lines InfluxDB refused", s.storage.influx_dead_lettered);
        let delivered = s.storage.influx_transitions_delivered;
        self.counter("influx_transitions_delivered", "Alarm transitions InfluxDB took", delivered);
        let refused = s.storage.influx_transitions_dead_lettered;
        self.counter("influx_transitions_dead_lettered", "Alarm transitions InfluxDB refused", refused);
    }
}
