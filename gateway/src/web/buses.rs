//! The instrument side for people who look after it: counters, raw exchanges, what was kept around incidents.
//!
//! Owns the JSON of `/api/v1/devices…`. The figures are those of `devices`, read at the moment of the question.

use super::api::to_json;
use super::problem::{Kind, Problem};
use super::{SiteParts, SiteState};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use devices::status::{BusStatus, TURNAROUND_EDGES_MS};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new()
        .route("/api/v1/devices", get(devices))
        .route("/api/v1/devices/{bus}/exchanges", get(exchanges))
        .route("/api/v1/devices/{bus}/incidents", get(incidents))
        .route("/api/v1/incidents", get(all_incidents))
        .with_state(state)
}

async fn devices(State(state): State<Arc<SiteState>>) -> Json<Value> {
    let view = |(key, status): &(String, Arc<BusStatus>)| {
        let report = status.report();
        json!({ "key": key, "up": report.up, "state": report.state, "detail": report })
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

#[derive(Deserialize)]
struct OfEvent {
    event_id: Option<String>,
}

/// Everything an engineer sends to the maker of an instrument: what was kept around incidents, and the counters. A bus that an earlier
/// configuration had is answered as long as something of it is kept. Of one entry of the journal it is what all buses have kept: a vote
/// or a deviation may be about instruments of several.
async fn incidents(
    State(state): State<Arc<SiteState>>,
    Path(key): Path<String>,
    Query(ask): Query<OfEvent>,
) -> Result<Response, Problem> {
    let now_utc_ms = state.clock.now().wall.utc_ms;
    let mut list = of_bus(&state, &key, now_utc_ms).await?;
    let status =
        if list.iter().any(|one| one["saved"] == true) { bus(&state, &key).ok() } else { Some(bus(&state, &key)?) };
    if let Some(id) = ask.event_id {
        for other in others_with(&state, &key, &id) {
            list.extend(of_bus(&state, &other, now_utc_ms).await?);
        }
        list.retain(|one| one["event_ids"].as_array().is_some_and(|ids| ids.iter().any(|known| *known == *id)));
    }
    let file = json!({
        "site": state.core.snapshot().site.site,
        "bus": key,
        "version": env!("CARGO_PKG_VERSION"),
        "utc_ms": now_utc_ms,
        "turnaround_edges_ms": TURNAROUND_EDGES_MS,
        "counters": status.map(BusStatus::report),
        "incidents": list,
    });
    // A key is letters, digits, dot, dash and underscore: nothing to escape.
    let disposition = format!("attachment; filename=\"{key}-incidents.json\"");
    Ok(([(header::CONTENT_DISPOSITION, disposition)], to_json(&file)?).into_response())
}

/// What is on the disk, and then what is not.
async fn of_bus(state: &SiteParts, key: &str, now_utc_ms: i64) -> Result<Vec<Value>, Problem> {
    let kept = state.archive.incidents_of(key).await?;
    let mut list: Vec<Value> = kept.into_iter().map(|one| saved(one, true)).collect();
    list.extend(bus(state, key).into_iter().flat_map(|status| only_in_memory(state, key, status, now_utc_ms)));
    Ok(list)
}

/// Other buses that have kept something around that entry.
fn others_with(state: &SiteParts, key: &str, event_id: &str) -> BTreeSet<String> {
    let has = |ids: &[String]| ids.iter().any(|id| id == event_id);
    let (kept, _) = state.archive.incidents();
    let on_disk = kept.into_iter().filter(|one| has(&one.event_ids)).map(|one| one.bus);
    let in_memory = state.buses.iter().filter(|(_, status)| status.recorder().has_incident_of(event_id));
    on_disk.chain(in_memory.map(|(bus, _)| bus.clone())).filter(|bus| bus != key).collect()
}

fn saved(mut incident: Value, saved: bool) -> Value {
    incident["saved"] = saved.into();
    incident
}

/// Those that are not on the disk: a moment old, one too many of this bus, or the disk refused. Their number is not a file's.
fn only_in_memory(state: &SiteParts, key: &str, status: &BusStatus, now_utc_ms: i64) -> Vec<Value> {
    let (kept, _) = state.archive.incidents();
    let is_kept = |number| kept.iter().any(|one| one.bus == key && one.recorder_number == Some(number));
    let here = status.recorder().incidents(now_utc_ms).into_iter().filter(|one| !is_kept(one.number));
    here.map(|one| {
        let mut one = saved(serde_json::to_value(one).unwrap_or_default(), false);
        (one["bus"], one["number"]) = (key.into(), Value::Null);
        one
    })
    .collect()
}

/// Of all buses, newest first, without frames.
async fn all_incidents(State(state): State<Arc<SiteState>>) -> Result<Json<Value>, Problem> {
    let now_utc_ms = state.clock.now().wall.utc_ms;
    let (kept, figures) = state.archive.incidents();
    let mut list: Vec<Value> = Vec::new();
    for one in kept {
        list.push(saved(serde_json::to_value(one).map_err(|error| Problem::internal(&error))?, true));
    }
    list.extend(state.buses.iter().flat_map(|(key, status)| only_in_memory(&state, key, status, now_utc_ms)));
    for one in &mut list {
        one.as_object_mut().and_then(|fields| fields.remove("exchanges"));
    }
    list.sort_by_key(|one| std::cmp::Reverse(one["utc_ms"].as_i64()));
    to_json(&json!({ "incidents": list, "figures": figures }))
}
