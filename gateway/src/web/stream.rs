//! `/api/v1/stream`: one stream of server-sent events per browser.
//!
//! ```text
//!   connect ── no or unknown Last-Event-ID ──► snapshot
//!          └── same boot, not too old ───────► record … record, values, alarms, hazards
//!   then:   record at once · values, alarms, hazards, … at most 4/s and only when changed, then the number of the picture ·
//!           heartbeat each second
//!   lagging behind the records: resync, then snapshot; nothing is lost silently
//! ```
//! Values are compared with what was last sent when the connection takes the next frame, so a slow client gets fewer and newer
//! ones. The id is `boot:seq` of the last record the client has seen.

use super::SiteState;
use super::accounts::Session;
use super::api::{record_view, unacked};
use super::problem::{Kind, Problem};
use crate::record::Record;
use crate::snapshot::{Snapshot, ValueView};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Four frames of values per second are as much as an eye follows.
const VALUES_EVERY: Duration = Duration::from_millis(250);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// Records replayed at most; beyond that a snapshot is shorter.
const REPLAY_MAX: u32 = 500;

/// Answers with the stream; 503 when all places are taken.
pub(super) async fn serve(
    State(state): State<Arc<SiteState>>,
    session: Session,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = state.streams.clone().try_acquire_owned().map_err(|_| Problem::retry(Kind::Busy, 10))?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let client = Client::connect(state.clone(), session, place, last).await;
    let frames = futures_util::stream::unfold(client, |mut client| async move {
        let frame = client.next().await?;
        Some((Ok::<_, Infallible>(frame), client))
    });
    let mut response = Sse::new(frames).into_response();
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Client {
    state: Arc<SiteState>,
    session: Session,
    records: broadcast::Receiver<Arc<Record>>,
    /// What the client has on its screen.
    shown: Arc<Snapshot>,
    /// Last record it has seen.
    seq: u64,
    ready: VecDeque<Event>,
    values: Interval,
    heartbeat: Interval,
    _place: OwnedSemaphorePermit,
}

fn every(period: Duration) -> Interval {
    let mut every = interval(period);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every
}

impl Client {
    async fn connect(state: Arc<SiteState>, session: Session, place: OwnedSemaphorePermit, last: Option<&str>) -> Self {
        // subscribed before the picture is taken: what falls in between comes twice rather than never
        let records = state.core.records();
        let shown = state.core.snapshot();
        let resumed = match last.and_then(|id| resume_point(id, &shown)) {
            Some(after) => state.archive.records(Some(after), REPLAY_MAX).await.ok().map(|missed| (after, missed)),
            None => None,
        };
        let mut client = Self {
            seq: shown.seq,
            state,
            session,
            records,
            shown,
            ready: VecDeque::new(),
            values: every(VALUES_EVERY),
            heartbeat: every(HEARTBEAT_EVERY),
            _place: place,
        };
        match resumed {
            Some((after, missed)) => client.replay(after, &missed),
            None => client.show_all(),
        }
        client
    }

    /// The missed records, then what stands now.
    fn replay(&mut self, after: u64, missed: &[Record]) {
        self.seq = after;
        for record in missed {
            self.show_record(record);
        }
        let everything: Vec<_> = self.shown.values.iter().enumerate().map(|(n, value)| frame_of(n, value)).collect();
        self.push("values", &json!({ "seq": self.shown.seq, "v": everything }));
        self.push("alarms", &self.shown.alarms.clone());
        self.push("hazards", &self.shown.hazards.clone());
        self.push_operations();
        self.push("unjudged", &self.shown.unjudged.clone());
        self.push_number();
    }

    /// Everything up to this number of the journal is on the screen now: what a command has seen. Records come sooner than the rows that
    /// they change, so theirs says less.
    fn push_number(&mut self) {
        self.push("picture", &json!({ "seq": self.shown.seq }));
    }

    /// Shelves, bypasses and groups: few, so that they go whole.
    fn push_operations(&mut self) {
        let s = self.shown.clone();
        self.push("operations", &json!({ "shelves": *s.shelves, "bypasses": *s.bypasses, "groups": *s.groups }));
    }

    fn show_all(&mut self) {
        self.shown = self.state.core.snapshot();
        self.seq = self.shown.seq;
        self.push("snapshot", &self.shown.clone());
    }

    fn push<T: Serialize>(&mut self, name: &str, data: &T) {
        let id = format!("{}:{}", self.shown.boot_id, self.seq);
        match Event::default().event(name).id(id).json_data(data) {
            Ok(event) => self.ready.push_back(event),
            Err(error) => tracing::error!(%error, name, "frame of the stream"),
        }
    }

    fn show_record(&mut self, record: &Record) {
        if record.event.seq > self.seq {
            self.seq = record.event.seq;
            self.push("record", &record_view(record, &self.shown.site));
        }
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
            tokio::select! {
                biased;
                () = self.state.stop.cancelled() => return None,
                record = self.records.recv() => match record {
                    Ok(record) => self.show_record(&record),
                    Err(RecvError::Lagged(missed)) => self.resync(missed),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.heartbeat.tick() => self.beat(),
                _ = self.values.tick() => self.show_changes(),
            }
        }
    }

    fn resync(&mut self, missed: u64) {
        self.records = self.records.resubscribe();
        self.push("resync", &json!({ "missed": missed }));
        self.show_all();
    }

    /// What differs between the screen and the newest picture.
    fn show_changes(&mut self) {
        let now = self.state.core.snapshot();
        if Arc::ptr_eq(&now, &self.shown) {
            return;
        }
        if !Arc::ptr_eq(&now.site, &self.shown.site) || now.values.len() != self.shown.values.len() {
            return self.show_all(); // another configuration
        }
        let before = std::mem::replace(&mut self.shown, now.clone());
        let changed: Vec<_> = now
            .values
            .iter()
            .zip(&before.values)
            .enumerate()
            .filter(|(_, (new, old))| new != old)
            .map(|(n, (new, _))| frame_of(n, new))
            .collect();
        if !changed.is_empty() {
            self.push("values", &json!({ "seq": now.seq, "v": changed }));
        }
        if !Arc::ptr_eq(&now.alarms, &before.alarms) && now.alarms != before.alarms {
            self.push("alarms", &now.alarms);
        }
        if !Arc::ptr_eq(&now.hazards, &before.hazards) && now.hazards != before.hazards {
            self.push("hazards", &now.hazards);
        }
        if now.shelves != before.shelves || now.bypasses != before.bypasses || now.groups != before.groups {
            self.push_operations();
        }
        if !Arc::ptr_eq(&now.unjudged, &before.unjudged) && now.unjudged != before.unjudged {
            self.push("unjudged", &now.unjudged);
        }
        if now.seq != before.seq {
            self.push_number();
        }
    }

    /// The page compares `unacked` with its own list, so the list goes first.
    fn beat(&mut self) {
        self.show_changes();
        let s = self.shown.clone();
        let beat = json!({
            "utc_ms": self.state.clock.now().wall.utc_ms, "as_of_utc_ms": s.utc_ms, "seq": self.seq, "unacked": unacked(&s),
            "boot_id": s.boot_id, "version": s.version, "clock": s.clock, "outbox": s.outbox, "storage": s.storage,
            "buses": s.buses, "office_silent": s.office_silent, "annunciator": s.annunciator,
        });
        self.push("heartbeat", &beat);
    }
}

fn frame_of(index: usize, value: &ValueView) -> serde_json::Value {
    json!([index, value.reading.value(), value.reading.quality_code(), value.utc_ms, value.word()])
}

/// The record after which a returning client goes on; `None` when it must see everything again.
fn resume_point(id: &str, now: &Snapshot) -> Option<u64> {
    let (boot, seq) = id.rsplit_once(':')?;
    let seq: u64 = seq.parse().ok()?;
    let fits =
        boot == now.boot_id && (now.site_since_seq..=now.seq).contains(&seq) && now.seq - seq < u64::from(REPLAY_MAX);
    fits.then_some(seq)
}
