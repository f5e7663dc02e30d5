//! `/api/v1/stream` of the office: every received event, resumable; and `/api/v1/office/stream`, which only says when to ask again.
//!
//! ```text
//!   connect ── no or unknown Last-Event-ID ──► snapshot (the sites)
//!          └── same boot ────────────────────► event … event: what arrived since
//!   then:   event for each arrival, oldest first, and `changed` when anything did (a site, a confirmation)
//! ```
//! The id is `boot:n`; `n` is the order of arrival, as in `/api/v1/office/events?after=n`. The database is read when the connection takes
//! the next frame, a page at a time, so a slow client costs neither memory nor an event.

use super::desk::Desk;
use super::routes::{OfficeState, view};
use crate::store::office::Listing;
use crate::web::{Kind, Problem, Session};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// A burst of events is one frame of `changed`; the page fetches after it.
const FRAME_PAUSE: Duration = Duration::from_millis(250);
/// A stream with nothing to say shows that it lives, and looks whether its session still does.
const BEAT: Duration = Duration::from_secs(5);
/// Events read at once: 64 KiB each at worst, a few hundred bytes as a rule.
const PAGE: u32 = 50;

/// Answers with every event; 503 when all places are taken.
pub(super) async fn events(
    State(state): State<Arc<OfficeState>>,
    session: Session,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut client = Client::connect(state, session)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    client.begin(last).await?;
    Ok(client.answer())
}

/// Answers with `changed` frames.
pub(super) async fn changes(State(state): State<Arc<OfficeState>>, session: Session) -> Result<Response, Problem> {
    let mut client = Client::connect(state, session)?;
    client.push("changed", &json!({}));
    Ok(client.answer())
}

struct Client {
    state: Arc<OfficeState>,
    session: Session,
    changes: watch::Receiver<u64>,
    /// Last arrival the client has seen; none when it only wants to know of changes.
    seen: Option<u64>,
    /// There may be more in the database than was read.
    behind: bool,
    ready: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Client {
    fn connect(state: Arc<OfficeState>, session: Session) -> Result<Self, Problem> {
        let place = state.streams.clone().try_acquire_owned().map_err(|_| Problem::retry(Kind::Busy, 10))?;
        let changes = state.desk.changes();
        Ok(Self { state, session, changes, seen: None, behind: false, ready: VecDeque::new(), _place: place })
    }

    /// Goes on where the client stopped, or shows it the sites.
    async fn begin(&mut self, last: Option<&str>) -> Result<(), Problem> {
        let newest = self.state.desk.newest().await.ok_or(Problem::retry(Kind::Busy, 5))?;
        match last.and_then(|id| resume_point(id, &self.state.boot_id, newest)) {
            Some(after) => {
                self.seen = Some(after);
                self.behind = true;
            }
            None => {
                self.seen = Some(newest);
                let sites = self.state.desk.rows();
                self.push("snapshot", &json!({ "n": newest, "sites": sites }));
            }
        }
        Ok(())
    }

    fn answer(self) -> Response {
        let frames = futures_util::stream::unfold(self, |mut client| async move {
            let frame = client.next().await?;
            Some((Ok::<_, Infallible>(frame), client))
        });
        let mut response = Sse::new(frames).keep_alive(KeepAlive::new().interval(BEAT)).into_response();
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }

    fn push(&mut self, name: &str, data: &Value) {
        let event = Event::default().event(name).data(data.to_string());
        self.ready.push_back(match self.seen {
            Some(n) => event.id(format!("{}:{n}", self.state.boot_id)),
            None => event,
        });
    }

    /// The next frame; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if !self.state.accounts.still_good(&self.session) {
                return None;
            }
            if std::mem::take(&mut self.behind) {
                self.read().await?;
                continue;
            }
            tokio::select! {
                () = self.state.stop.cancelled() => return None,
                changed = self.changes.changed() => {
                    changed.ok()?;
                    tokio::time::sleep(FRAME_PAUSE).await;
                    self.changes.mark_unchanged();
                    self.behind = self.seen.is_some();
                    self.push("changed", &json!({}));
                }
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }

    /// The next page of arrivals. Without the database the stream ends, and the client comes back with what it has seen.
    async fn read(&mut self) -> Option<()> {
        let found = page(&self.state.desk, self.seen).await?;
        self.behind = found.len() == PAGE as usize;
        for (n, event) in found {
            self.seen = Some(n);
            self.push("event", &event);
        }
        Some(())
    }
}

async fn page(desk: &Desk, after: Option<u64>) -> Option<Vec<(u64, Value)>> {
    let listing = Listing { after, limit: PAGE, ..Listing::default() };
    Some(desk.events(listing).await?.iter().map(|event| (event.n, view(event))).collect())
}

/// The arrival after which a returning client goes on; `None` when it must see everything again.
fn resume_point(id: &str, boot_id: &str, newest: u64) -> Option<u64> {
    let (boot, n) = id.rsplit_once(':')?;
    let n: u64 = n.parse().ok()?;
    (boot == boot_id && n <= newest).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_of_this_run_is_gone_on_from() {
        assert_eq!(resume_point("b:3", "b", 5), Some(3));
        assert_eq!(resume_point("b:5", "b", 5), Some(5));
        assert!(resume_point("b:6", "b", 5).is_none() && resume_point("c:3", "b", 5).is_none());
        assert!(resume_point("b", "b", 5).is_none() && resume_point("b:x", "b", 5).is_none());
    }
}
