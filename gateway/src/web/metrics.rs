//! `/metrics`, `/readyz`: figures of the newest picture as OpenMetrics text, made anew for each question.

use super::SiteState;
use super::api::{first_scan_done, unacked};
use super::problem::{Kind, Problem};
use crate::snapshot::Snapshot;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::fmt::Write;
use std::sync::Arc;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new().route("/metrics", get(metrics)).route("/readyz", get(ready)).with_state(state)
}

/// Ready when the store answers and the first scan is done.
async fn ready(State(state): State<Arc<SiteState>>) -> Result<&'static str, Problem> {
    let store = state.archive.records(Some(u64::MAX >> 1), 1).await.is_ok();
    if store && first_scan_done(&state.core.snapshot()) { Ok("ready\n") } else { Err(Problem::retry(Kind::Busy, 1)) }
}

async fn metrics(State(state): State<Arc<SiteState>>) -> Response {
    let streams = super::STREAMS_MAX - state.streams.available_permits();
    let mut text = text_of(&state.core.snapshot());
    line(&mut text, "web_streams", "Browsers on the stream.", streams);
    text.push_str("# EOF\n");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn line(text: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "# TYPE hazard_{name} gauge\n# HELP hazard_{name} {help}\nhazard_{name} {value}");
}

fn counter(text: &mut String, name: &str, help: &str, value: u64) {
    let _ = writeln!(text, "# TYPE hazard_{name} counter\n# HELP hazard_{name} {help}\nhazard_{name}_total {value}");
}

/// A label's value with what the format reserves escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn text_of(s: &Snapshot) -> String {
    let mut text = String::with_capacity(8192);
    line(&mut text, "seq", "Last journal number.", s.seq);
    line(&mut text, "picture_utc_seconds", "When the newest picture was made.", s.utc_ms / 1000);
    line(&mut text, "clock_synced", "1 when the clock is disciplined.", u8::from(s.clock == "synced"));
    line(&mut text, "alarms_standing", "Standing alarms.", s.alarms.len());
    line(&mut text, "alarms_unacknowledged", "Alarms nobody has acknowledged.", unacked(s));
    line(&mut text, "hidden_dangers", "Hidden-danger records shown.", s.hazards.len());
    let with = |quality: u8| s.values.iter().filter(|value| value.1 == quality).count();
    line(&mut text, "points_good", "Points with a good value.", with(0));
    line(&mut text, "points_uncertain", "Points with a doubtful value.", with(1));
    line(&mut text, "points_bad", "Points without a usable value.", with(2));
    outbox(&mut text, s);
    storage(&mut text, s);
    text.push_str("# TYPE hazard_bus_up gauge\n# HELP hazard_bus_up 1 when the link is up.\n");
    for bus in &s.buses {
        let _ = writeln!(text, "hazard_bus_up{{bus=\"{}\"}} {}", label(&bus.key), u8::from(bus.up));
    }
    text
}

fn outbox(text: &mut String, s: &Snapshot) {
    line(text, "outbox_connected", "1 when the broker is connected.", u8::from(s.outbox.connected));
    line(text, "outbox_depth", "Events without the office's receipt.", s.outbox.depth);
    line(text, "outbox_oldest_age_ms", "Age of the oldest of them.", s.outbox.oldest_age_ms);
    counter(text, "outbox_sent", "Events sent.", s.outbox.sent);
    counter(text, "outbox_broker_acknowledged", "Events the broker took.", s.outbox.broker_acknowledged);
    counter(text, "outbox_received", "Events the office received.", s.outbox.received);
    line(text, "office_silent", "1 when events lack a receipt after five minutes.", u8::from(s.office_silent));
}

fn storage(text: &mut String, s: &Snapshot) {
    line(text, "storage_ok", "1 when the disk confirms commits.", u8::from(s.storage.ok));
    line(text, "storage_last_commit_ms", "Duration of the last commit.", s.storage.last_commit_ms);
    counter(text, "samples_read", "Samples read from instruments.", s.storage.samples_read);
    counter(text, "samples_stored", "Samples stored.", s.storage.samples_stored);
    text.push_str("# TYPE hazard_samples_dropped counter\n# HELP hazard_samples_dropped Samples dropped.\n");
    for (reason, count) in &s.storage.samples_dropped {
        let _ = writeln!(text, "hazard_samples_dropped_total{{reason=\"{}\"}} {count}", label(reason));
    }
    counter(text, "influx_delivered", "Points InfluxDB took.", s.storage.influx_delivered);
    line(text, "influx_pending", "Points waiting for InfluxDB.", s.storage.influx_pending);
    counter(text, "influx_dead_lettered", "Lines InfluxDB refused.", s.storage.influx_dead_lettered);
}
