//! What the office's page asks: sites, events, a person's confirmation; and what watches the office: `/readyz`, `/metrics`.

use super::desk::Desk;
use super::stream;
use crate::moment::utc_text;
use crate::store::office::{Confirmation, Confirmed, Listing, OfficeEvent};
use crate::web::{Accounts, Action, Body, Figures, Kind, Problem, Session, Wrong};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Browsers on the stream at once.
const STREAMS_MAX: usize = 64;
const LIMIT_DEFAULT: u32 = 200;
const LIMIT_MAX: u32 = 1_000;
/// Longest name and remark of a person, in characters.
const NAME_MAX: usize = 60;
const NOTE_MAX: usize = 500;

pub(super) struct OfficeState {
    pub(super) desk: Arc<Desk>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) streams: Arc<Semaphore>,
    pub(super) stop: CancellationToken,
    /// Names this run, in the ids of the stream.
    pub(super) boot_id: String,
}

pub(super) fn router(desk: Arc<Desk>, accounts: Arc<Accounts>, stop: CancellationToken) -> Router {
    let streams = Arc::new(Semaphore::new(STREAMS_MAX));
    let boot_id = crate::clock::boot_id();
    Router::new()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/v1/office/sites", get(sites))
        .route("/api/v1/office/events", get(events))
        .route("/api/v1/office/events/{event_id}/confirm", post(confirm))
        .route("/api/v1/stream", get(stream::events))
        .route("/api/v1/office/stream", get(stream::changes))
        .with_state(Arc::new(OfficeState { desk, accounts, streams, stop, boot_id }))
}

/// Ready when the database answers; the broker may come later, sites keep what they have until then.
async fn ready(State(state): State<Arc<OfficeState>>) -> Result<&'static str, Problem> {
    if state.desk.answers().await { Ok("ready\n") } else { Err(Problem::retry(Kind::Busy, 1)) }
}

async fn metrics(State(state): State<Arc<OfficeState>>) -> Result<Response, Problem> {
    let mut figures = Figures::default();
    figures.gauge("web_streams", "Browsers on the stream", STREAMS_MAX - state.streams.available_permits());
    state.desk.measure(&mut figures);
    figures.answer()
}

async fn sites(State(state): State<Arc<OfficeState>>) -> Json<Vec<Value>> {
    Json(state.desk.rows())
}

#[derive(Deserialize)]
struct Wanted {
    site: Option<String>,
    after: Option<u64>,
    limit: Option<u32>,
    #[serde(default)]
    unconfirmed: bool,
}

async fn events(
    State(state): State<Arc<OfficeState>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Value>>, Problem> {
    let listing = Listing {
        site: wanted.site,
        after: wanted.after,
        unconfirmed: wanted.unconfirmed,
        limit: wanted.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX),
    };
    let found = state.desk.events(listing).await.ok_or(Problem::retry(Kind::Busy, 5))?;
    Ok(Json(found.iter().map(view).collect()))
}

/// An event with what the office knows of it.
pub(super) fn view(event: &OfficeEvent) -> Value {
    json!({
        "n": event.n, "event_id": event.event_id, "site": event.site, "payload": event.payload, "copies": event.copies,
        "wants_person": event.wants_person, "received_at": utc_text(event.received_ms), "by": event.by, "note": event.note,
        "by_user": event.by_user, "confirmed_at": event.confirmed_ms.map(utc_text),
    })
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    by: String,
    #[serde(default)]
    note: String,
}

async fn confirm(
    State(state): State<Arc<OfficeState>>,
    session: Session,
    Path(event_id): Path<String>,
    Body(said): Body<Said>,
) -> Result<Json<Value>, Problem> {
    let actor = session.acting(Action::ConfirmEvent)?;
    let (by, note) = (said.by.trim().to_owned(), said.note.trim().to_owned());
    let mut wrong = Vec::new();
    if by.is_empty() || by.chars().count() > NAME_MAX {
        wrong.push(Wrong::text("by", &by, 1, NAME_MAX));
    }
    if note.chars().count() > NOTE_MAX {
        wrong.push(Wrong::text("note", &note, 0, NOTE_MAX));
    }
    if !wrong.is_empty() {
        return Err(Problem::unacceptable(&wrong));
    }
    let said = Confirmation { by: by.clone(), note, user: actor.user };
    match state.desk.confirm(event_id.clone(), said).await {
        Some(Confirmed::Now) => Ok(Json(json!({ "already_so": false }))),
        Some(Confirmed::Already(first)) if first == by => Ok(Json(json!({ "already_so": true }))),
        Some(Confirmed::Already(first)) => Err(Problem::with_detail(Kind::Changed, first)),
        Some(Confirmed::Unknown) => Err(Problem::with_detail(Kind::NotFound, event_id)),
        None => Err(Problem::retry(Kind::Busy, 5)),
    }
}
