//! The instrument side for people who look after it: counters, raw exchanges, what was kept around incidents.
//!
//! Owns the JSON of `/api/v1/devices…`. The figures are those of `devices`, read at the moment of the question.

use super::api::to_json;
use super::problem::{Kind, Problem};
use super::{SiteParts, SiteState};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use devices::status::{BusStatus, TURNAROUND_EDGES_MS};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new()
        .route("/api/v1/devices", get(devices))
        .route("/api/v1/devices/{bus}/exchanges", get(exchanges))
        .route("/api/v1/devices/{bus}/incidents", get(incidents))
        .with_state(state)
}

async fn devices(State(state): State<Arc<SiteState>>) -> Json<Value> {
    let view = |(key, status): &(String, Arc<BusStatus>)| {
        let report = status.report();
        json!({ "key": key, "up": report.up, "detail": report })
    };
    Json(Value::Array(state.buses.iter().map(view).collect()))
}

fn bus<'a>(state: &'a SiteParts, key: &str) -> Result<&'a BusStatus, Problem> {
    let found = state.buses.iter().find(|(bus, _)| bus == key);
    found.map(|(_, status)| &**status).ok_or_else(|| Problem::with_detail(Kind::NotFound, key))
}

async fn exchanges(State(state): State<Arc<SiteState>>, Path(key): Path<String>) -> Result<Json<Value>, Problem> {
    let status = bus(&state, &key)?;
    to_json(&json!({ "bus": key, "exchanges": status.recorder().exchanges(state.clock.now().wall.utc_ms) }))
}

/// Everything an engineer sends to the maker of an instrument: what was kept around incidents, and the counters.
async fn incidents(State(state): State<Arc<SiteState>>, Path(key): Path<String>) -> Result<Response, Problem> {
    let status = bus(&state, &key)?;
    let now_utc_ms = state.clock.now().wall.utc_ms;
    let file = json!({
        "site": state.core.snapshot().site.site,
        "bus": key,
        "version": env!("CARGO_PKG_VERSION"),
        "utc_ms": now_utc_ms,
        "turnaround_edges_ms": TURNAROUND_EDGES_MS,
        "counters": status.report(),
        "incidents": status.recorder().incidents(now_utc_ms),
    });
    // A key is letters, digits, dot, dash and underscore: nothing to escape.
    let disposition = format!("attachment; filename=\"{key}-incidents.json\"");
    Ok(([(header::CONTENT_DISPOSITION, disposition)], to_json(&file)?).into_response())
}
