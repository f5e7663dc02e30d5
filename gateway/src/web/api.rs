//! What is read: the newest picture, the journal and the history, as JSON.

use super::SiteState;
use super::archive::Found;
use super::event_filter::{EventFilter, MOMENT};
use super::fields::Wrong;
use super::moments::{add, with_moments};
use super::problem::{Kind, Problem};
use crate::annunciator::AnnunciatorView;
use crate::delivery::OutboxFigures;
use crate::moment::utc_text;
use crate::record::Record;
use crate::snapshot::{
    AlarmView, BusView, BypassView, PointView, ShelfView, SiteView, Snapshot, StorageView, SuppressedView,
    UnderSilenceView, UnitView, ValueView,
};
use crate::store::IncidentFigures;
use axum::extract::{Path, Query, State};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Columns of a curve: at most, and when not said.
const WIDTH_MAX: u32 = 4000;
const WIDTH_USUAL: u32 = 600;
const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

type SharedState = State<Arc<SiteState>>;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/points", get(points))
        .route("/api/v1/points/{id}", get(point))
        .route("/api/v1/points/{id}/history", get(history))
        .route("/api/v1/alarms", get(alarms))
        .route("/api/v1/risks", get(|State(s): SharedState| async move { Json(s.core.snapshot().site.risks.clone()) }))
        .route("/api/v1/measures", get(measures))
        .route("/api/v1/sources", get(sources))
        .route("/api/v1/shelves", get(|State(s): SharedState| async move { to_json(&s.core.snapshot().shelves) }))
        .route("/api/v1/bypasses", get(|State(s): SharedState| async move { to_json(&s.core.snapshot().bypasses) }))
        .route("/api/v1/groups", get(|State(s): SharedState| async move { to_json(&s.core.snapshot().groups) }))
        .route("/api/v1/events", get(events))
        .route("/api/v1/kpi", get(kpi))
        .with_state(state)
}

pub(super) fn unacked(snapshot: &Snapshot) -> usize {
    snapshot
        .alarms
        .iter()
        .filter(|alarm| !alarm.suppressed && !matches!(alarm.state.as_str(), "acked" | "latched_acked"))
        .count()
}

/// One screen of figures.
#[derive(JsonSchema, Serialize)]
pub(super) struct StatusView<'a> {
    site: &'a str,
    name: &'a str,
    name_en: &'a str,
    demo: bool,
    boot_id: &'a str,
    seq: u64,
    version: &'a str,
    config_hash: &'a str,
    utc_ms: i64,
    /// When the picture was made that the figures are of.
    as_of_utc_ms: i64,
    /// `synced`, `unsynced`, `stepped`.
    clock: &'a str,
    /// How far the wall clock can be wrong at most, in ms; none where nobody knows.
    clock_max_error_ms: Option<u16>,
    ready: bool,
    alarms: usize,
    unacked: usize,
    hazards: usize,
    buses: &'a Vec<BusView>,
    outbox: &'a OutboxFigures,
    storage: &'a StorageView,
    office_silent: bool,
    hidden: HiddenView<'a>,
    /// Raw frames kept around incidents.
    incidents: IncidentFigures,
    /// None where none is configured.
    annunciator: &'a Option<AnnunciatorView>,
}

/// What nobody is called for now, and until when; units with their modes, and the sound.
#[derive(JsonSchema, Serialize)]
struct HiddenView<'a> {
    shelves: &'a Vec<ShelfView>,
    bypasses: &'a Vec<BypassView>,
    suppressed: &'a Vec<SuppressedView>,
    under_silence: &'a Vec<UnderSilenceView>,
    units: &'a Vec<UnitView>,
    silenced_until_utc_ms: Option<i64>,
    silenced_by: Option<&'a str>,
}

impl<'a> HiddenView<'a> {
    fn of(s: &'a Snapshot) -> Self {
        let groups = &s.groups;
        Self {
            shelves: &s.shelves,
            bypasses: &s.bypasses,
            suppressed: &groups.suppressed,
            under_silence: &groups.under_silence,
            units: &groups.units,
            silenced_until_utc_ms: groups.silenced_until_utc_ms,
            silenced_by: groups.silenced_by.as_deref(),
        }
    }
}

async fn status(State(state): SharedState) -> Result<Json<Value>, Problem> {
    let s = state.core.snapshot();
    to_json(&StatusView {
        site: &s.site.site,
        name: &s.site.name,
        name_en: &s.site.name_en,
        demo: s.site.demo,
        boot_id: &s.boot_id,
        seq: s.seq,
        version: s.version,
        config_hash: &s.site.config_hash,
        utc_ms: state.clock.now().wall.utc_ms,
        as_of_utc_ms: s.utc_ms,
        clock: &s.clock,
        clock_max_error_ms: s.clock_max_error_ms,
        ready: state.first_scan.load(Ordering::Relaxed),
        alarms: s.alarms.len(),
        unacked: unacked(&s),
        hazards: s.hazards.len(),
        buses: &s.buses,
        outbox: &s.outbox,
        storage: &s.storage,
        office_silent: s.office_silent,
        hidden: HiddenView::of(&s),
        incidents: state.archive.incidents().1,
        annunciator: &s.annunciator,
    })
}

/// A point's fixed and moving part together.
#[derive(JsonSchema, Serialize)]
pub(super) struct PointNow {
    #[serde(flatten)]
    point: PointView,
    value: Option<f64>,
    quality: u8,
    utc_ms: i64,
    fault: Option<std::borrow::Cow<'static, str>>,
    /// Its conditions that say nothing now although it has a value: too few samples for a slope, no value to differ from.
    unjudged: Vec<&'static str>,
}

fn point_now(s: &Snapshot, n: usize, point: PointView) -> PointNow {
    let value = *s.values.get(n).unwrap_or(&ValueView::NEVER_READ);
    // points and rules have one order
    let from = s.unjudged.partition_point(|(p, _)| *p < n);
    PointNow {
        point,
        value: value.reading.value(),
        quality: value.reading.quality_code(),
        utc_ms: value.utc_ms,
        fault: value.word(),
        unjudged: s.unjudged[from..].iter().take_while(|(p, _)| *p == n).map(|(_, condition)| *condition).collect(),
    }
}

/// With the times as text beside the integers.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<Json<Value>, Problem> {
    with_moments(value).map(Json).map_err(|error| Problem::internal(&error))
}

/// A standing alarm, and where the raw frames around its raise are kept.
#[derive(JsonSchema, Serialize)]
pub(super) struct AlarmRow<'a> {
    #[serde(flatten)]
    alarm: &'a AlarmView,
    incident: Option<IncidentOf<'a>>,
}

/// A file of `/api/v1/devices/{bus}/incidents`.
#[derive(JsonSchema, Serialize)]
struct IncidentOf<'a> {
    number: u64,
    bus: &'a str,
}

async fn alarms(State(state): SharedState) -> Result<Json<Value>, Problem> {
    let (snapshot, (kept, _)) = (state.core.snapshot(), state.archive.incidents());
    let around = |event: &str| kept.iter().rev().find(|one| one.event_ids.iter().any(|id| id == event));
    let incident =
        |alarm: &AlarmView| around(&alarm.event_id).map(|one| IncidentOf { number: one.number, bus: &one.bus });
    let rows: Vec<_> = snapshot.alarms.iter().map(|alarm| AlarmRow { alarm, incident: incident(alarm) }).collect();
    to_json(&rows)
}

async fn points(State(state): SharedState) -> Result<Json<Value>, Problem> {
    let s = state.core.snapshot();
    let list: Vec<_> = s.site.points.iter().enumerate().map(|(n, point)| point_now(&s, n, point)).collect();
    to_json(&list)
}

async fn point(State(state): SharedState, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let s = state.core.snapshot();
    let n = s.site.points.number(&id);
    let found = n.and_then(|n| Some(point_now(&s, n, s.site.points.get(n)?)));
    to_json(&found.ok_or(Problem::with_detail(Kind::NotFound, id))?)
}

async fn measures(State(state): SharedState) -> Json<Value> {
    Json(json!(state.core.snapshot().site.measures))
}

async fn sources(State(state): SharedState) -> Json<Value> {
    Json(json!(state.core.snapshot().site.sources))
}

#[derive(Deserialize)]
struct Span {
    from: Option<String>,
    to: Option<String>,
    width: Option<u32>,
}

/// Milliseconds since 1970 or RFC 3339.
pub(super) fn moment(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond()))
}

/// `from` and `to` in ms; the last hour when not said.
fn span_ms(span: &Span, now_ms: i64) -> Result<(i64, i64), Problem> {
    let read = |name: &str, text: &Option<String>, usual: i64| match text {
        None => Ok(usual),
        Some(text) => {
            moment(text).ok_or_else(|| Problem::unacceptable(&[Wrong::new(name, Some(&text.as_str().into()), MOMENT)]))
        }
    };
    let to = read("to", &span.to, now_ms)?;
    let from = read("from", &span.from, to.saturating_sub(HOUR_MS))?;
    if from < to {
        return Ok((from, to));
    }
    let wrong = |name: &str, ms: i64, zh: &str, en: &str| Wrong::new(name, Some(&utc_text(ms).into()), (zh, en));
    let (from, to) = (wrong("from", from, "早于 to", "before to"), wrong("to", to, "晚于 from", "after from"));
    Err(Problem::unacceptable(&[from, to]))
}

async fn history(
    State(state): SharedState,
    Path(id): Path<String>,
    Query(span): Query<Span>,
) -> Result<Json<Value>, Problem> {
    if state.core.snapshot().site.points.number(&id).is_none() {
        return Err(Problem::with_detail(Kind::NotFound, id));
    }
    let (from, to) = span_ms(&span, state.clock.now().wall.utc_ms)?;
    let width = span.width.unwrap_or(WIDTH_USUAL).clamp(1, WIDTH_MAX);
    let buckets = state.archive.history(&id, from, to, width).await?;
    let mut columns = Columns { from: utc_text(from), to: utc_text(to), ..Columns::default() };
    for bucket in buckets {
        columns.t.push(bucket.t_ms);
        columns.min.push(bucket.min);
        columns.max.push(bucket.max);
        columns.last.push(bucket.last);
        columns.quality.push(bucket.quality);
    }
    to_json(&columns)
}

/// A curve column by column; a gap stays a gap.
#[derive(Default, JsonSchema, Serialize)]
pub(super) struct Columns {
    /// RFC 3339 UTC, as asked.
    from: String,
    to: String,
    /// Milliseconds since 1970.
    t: Vec<i64>,
    min: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    last: Vec<Option<f64>>,
    quality: Vec<u8>,
}

/// Figures of EEMUA 191 and ISA-18.2; the last week when not said.
async fn kpi(State(state): SharedState, Query(mut ask): Query<Span>) -> Result<Json<Value>, Problem> {
    let now = state.clock.now().wall.utc_ms;
    let to = ask.to.as_deref().and_then(moment).unwrap_or(now);
    ask.from.get_or_insert_with(|| to.saturating_sub(WEEK_MS).to_string());
    let (from_ms, to_ms) = span_ms(&ask, now)?;
    to_json(&state.archive.kpi(crate::store::Span { from_ms, to_ms }).await?)
}

/// Oldest first; without `after_seq` the newest ones. A filter that could not look through all says in headers how far it was.
async fn events(State(state): SharedState, Query(pairs): Query<Vec<(String, String)>>) -> Result<Response, Problem> {
    let filter = EventFilter::of_query(&pairs)?;
    let found = match filter.narrows() {
        true => state.archive.events(filter).await?,
        false => Found { records: state.archive.records(filter.after_seq, filter.limit).await?, stopped: None },
    };
    let site = state.core.snapshot().site.clone();
    let list: Vec<Value> = found.records.iter().map(|record| record_view(record, &site)).collect();
    let list = Json(Value::Array(list));
    Ok(match found.stopped {
        Some(stopped) => (AppendHeaders(stopped.headers()), list).into_response(),
        None => list.into_response(),
    })
}

/// A record with its texts, and its times as text.
pub(super) fn record_view(record: &Record, site: &SiteView) -> Value {
    let (zh, en) = crate::text::event_text(&record.event, site);
    let mut view = serde_json::to_value(record).unwrap_or_default();
    if let Some(fields) = view.as_object_mut() {
        fields.insert("text_zh".into(), zh.into());
        fields.insert("text_en".into(), en.into());
    }
    add(&mut view);
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_may_be_in_milliseconds_or_rfc_3339_and_must_go_forward() {
        let span = |from: &str, to: &str| Span { from: Some(from.into()), to: Some(to.into()), width: None };
        assert_eq!(span_ms(&span("1000", "1970-01-01T00:00:02Z"), 0).unwrap(), (1000, 2000));
        assert!(span_ms(&span("2000", "1000"), 0).is_err() && span_ms(&span("x", "1000"), 0).is_err());
        let open = Span { from: None, to: None, width: None };
        assert_eq!(span_ms(&open, HOUR_MS).unwrap(), (0, HOUR_MS));
    }
}
