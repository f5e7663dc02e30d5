//! What a person changes: acknowledging, and scenarios of the simulated site; all routes of commands in one.

use super::accounts::Session;
use super::body::Body;
use super::caller::{Answer, Caller};
use super::fields::{REMARK_MAX, Wrong};
use super::problem::{Kind, Problem};
use super::routes::Action;
use super::{DemoStage, SiteState};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rules::{Command, EventKind};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

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

async fn acknowledge(caller: Caller, Path(alarm): Path<String>, Body(ack): Body<Ack>) -> Answer {
    let command = Command::Acknowledge { alarm, seen_seq: ack.seen_seq, comment: remark("comment", ack.comment)? };
    caller.carry_out(Action::Acknowledge, command).await
}

pub(super) fn remark(field: &str, text: String) -> Result<String, Problem> {
    if text.chars().count() > REMARK_MAX {
        return Err(Problem::unacceptable(&[Wrong::text(field, &text, 0, REMARK_MAX)]));
    }
    Ok(text)
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
