//! What a person changes: acknowledging, and scenarios of the simulated site; how any command is carried out.

use super::accounts::Session;
use super::body::Body;
use super::fields::{self, Most, REMARK_MAX, Wrong};
use super::problem::{self, Kind, Problem};
use super::routes::Action;
use super::{DemoStage, SiteState};
use crate::core::{CommandError, CommandOutcome};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use rules::{Command, EventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest `Idempotency-Key`.
const KEY_MAX: usize = 128;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    let mut routes = Router::new().route("/api/v1/alarms/{id}/ack", post(acknowledge));
    if state.demo.is_some() {
        routes = routes.route("/api/v1/demo/scenarios", get(scenarios).post(start).delete(stop));
    }
    routes
        .with_state(state.clone())
        .merge(super::operations::router(state.clone()))
        .merge(super::hazards::router(state))
}

#[derive(Deserialize)]
struct Ack {
    seen_seq: u64,
    #[serde(default)]
    comment: String,
}

pub(super) type Answer = Result<Json<Value>, Problem>;

async fn acknowledge(
    State(state): State<Arc<SiteState>>,
    session: Session,
    Path(alarm): Path<String>,
    headers: HeaderMap,
    Body(ack): Body<Ack>,
) -> Answer {
    let command = Command::Acknowledge { alarm, seen_seq: ack.seen_seq, comment: remark("comment", ack.comment)? };
    carry_out(&state, &session, Action::Acknowledge, command, &headers).await
}

pub(super) fn remark(field: &str, text: String) -> Result<String, Problem> {
    if text.chars().count() > REMARK_MAX {
        return Err(Problem::unacceptable(&[Wrong::text(field, &text, 0, REMARK_MAX)]));
    }
    Ok(text)
}

/// The key as the core sees it: bound to the user and the command, so that nobody meets another's outcome.
pub(super) fn idempotency_key(
    headers: &HeaderMap,
    user: &str,
    command: &impl Serialize,
) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
    let key = key.ok_or_else(|| Problem::with_detail(Kind::Malformed, "Idempotency-Key"))?;
    let body = serde_json::to_string(command).map_err(|error| Problem::internal(&error))?;
    Ok(Some(super::token::hash(&format!("{user}\n{key}\n{body}"))))
}

pub(super) async fn carry_out(
    state: &SiteState,
    session: &Session,
    action: Action,
    command: Command,
    headers: &HeaderMap,
) -> Answer {
    let actor = session.acting(action)?;
    let key = idempotency_key(headers, &session.user, &command)?;
    let sent = serde_json::to_value(&command).unwrap_or_default();
    match state.core.command(command, actor, key).await {
        Ok(outcome) => Ok(Json(done(state, &outcome))),
        Err(CommandError::Incomplete { fields, longest, latest_utc_ms }) => {
            Err(Problem::unacceptable(&fields::of_command(&fields, &sent, &Most { longest, latest_utc_ms })))
        }
        Err(CommandError::Stopping) => Err(Problem::retry(Kind::Busy, 10)),
        Err(CommandError::Rejected(rejected)) => match problem::of_rejected(&rejected) {
            Some(problem) => Err(problem),
            None => Ok(Json(json!({ "already_so": true, "records": [] }))),
        },
    }
}

fn done(state: &SiteState, outcome: &CommandOutcome) -> Value {
    let site = state.core.snapshot().site.clone();
    let records: Vec<Value> = outcome.records.iter().map(|record| super::api::record_view(record, &site)).collect();
    json!({ "already_so": records.is_empty(), "records": records })
}

#[derive(Deserialize)]
struct Start {
    name: String,
}

fn stage(state: &SiteState) -> Result<&dyn DemoStage, Problem> {
    state.demo.as_deref().ok_or(Problem::new(Kind::NoSuchRoute))
}

async fn scenarios(State(state): State<Arc<SiteState>>) -> Answer {
    Ok(Json(json!(stage(&state)?.scenarios())))
}

async fn start(
    State(state): State<Arc<SiteState>>,
    session: Session,
    Body(wanted): Body<Start>,
) -> Result<StatusCode, Problem> {
    if !stage(&state)?.start(&wanted.name) {
        return Err(Problem::with_detail(Kind::NotFound, wanted.name));
    }
    note(&state, session, "scenario_started", wanted.name).await;
    Ok(StatusCode::ACCEPTED)
}

async fn stop(State(state): State<Arc<SiteState>>, session: Session) -> Result<StatusCode, Problem> {
    stage(&state)?.stop_all();
    note(&state, session, "scenarios_stopped", String::new()).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn note(state: &SiteState, session: Session, action: &str, detail: String) {
    let kind = EventKind::Operator { user: session.user, action: action.to_owned(), detail };
    let _ = state.core.note(kind).await;
}
