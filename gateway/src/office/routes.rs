//! What the office's page asks: sites, events, a person's confirmation, and a stream that says when to ask again.

use super::desk::Desk;
use crate::mqtt::payload::utc_text;
use crate::store::office::{Confirmation, Confirmed, Listing, OfficeEvent};
use crate::web::{Accounts, Action, Body, Kind, Problem, Session};
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Browsers on the stream at once.
const STREAMS_MAX: usize = 64;
/// A burst of events is one frame; the page fetches after it.
const FRAME_PAUSE: Duration = Duration::from_millis(250);
/// A stream with nothing to say shows that it lives, and looks whether its session still does.
const BEAT: Duration = Duration::from_secs(5);
const LIMIT_DEFAULT: u32 = 200;
const LIMIT_MAX: u32 = 1_000;
/// Longest name and remark of a person, in characters.
const NAME_MAX: usize = 60;
const NOTE_MAX: usize = 500;

struct OfficeState {
    desk: Arc<Desk>,
    accounts: Arc<Accounts>,
    streams: Arc<Semaphore>,
    stop: CancellationToken,
}

pub(super) fn router(desk: Arc<Desk>, accounts: Arc<Accounts>, stop: CancellationToken) -> Router {
    let streams = Arc::new(Semaphore::new(STREAMS_MAX));
    Router::new()
        .route("/api/v1/office/sites", get(sites))
        .route("/api/v1/office/events", get(events))
        .route("/api/v1/office/events/{event_id}/confirm", post(confirm))
        .route("/api/v1/office/stream", get(stream))
        .with_state(Arc::new(OfficeState { desk, accounts, streams, stop }))
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

fn view(event: &OfficeEvent) -> Value {
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
        wrong.push("by".to_owned());
    }
    if note.chars().count() > NOTE_MAX {
        wrong.push("note".to_owned());
    }
    if !wrong.is_empty() {
        return Err(Problem::incomplete(wrong));
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

async fn stream(State(state): State<Arc<OfficeState>>, session: Session) -> Result<Response, Problem> {
    let place = state.streams.clone().try_acquire_owned().map_err(|_| Problem::retry(Kind::Busy, 10))?;
    let client = Client { changes: state.desk.changes(), state, session, first: true, _place: place };
    let frames = futures_util::stream::unfold(client, |mut client| async move {
        let frame = client.next().await?;
        Some((Ok::<_, Infallible>(frame), client))
    });
    let mut response = Sse::new(frames).keep_alive(KeepAlive::new().interval(BEAT)).into_response();
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Client {
    state: Arc<OfficeState>,
    session: Session,
    changes: watch::Receiver<u64>,
    first: bool,
    _place: OwnedSemaphorePermit,
}

impl Client {
    /// The next frame; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.first) {
            return Some(Event::default().event("changed").data("{}"));
        }
        loop {
            if !self.state.accounts.still_good(&self.session) {
                return None;
            }
            tokio::select! {
                () = self.state.stop.cancelled() => return None,
                changed = self.changes.changed() => {
                    changed.ok()?;
                    tokio::time::sleep(FRAME_PAUSE).await;
                    self.changes.mark_unchanged();
                    return Some(Event::default().event("changed").data("{}"));
                }
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }
}
