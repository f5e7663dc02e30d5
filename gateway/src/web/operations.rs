//! What an operator does to alarms and points besides acknowledging: shelf, reset, bypass, service, mode, silence, test of the annunciator.
//!
//! Each handler turns one body into one [`Command`]; who may is in the table of routes, whether it fits is the engine's to say.

use super::SiteState;
use super::accounts::Session;
use super::body::Body;
use super::commands::{Answer, carry_out, remark};
use super::problem::{Kind, Problem};
use super::requester::{self, Requester, requester};
use super::routes::Action;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use rules::book::Mode;
use rules::{Command, ShelfKind};
use serde::Deserialize;
use std::sync::Arc;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new()
        .route("/api/v1/alarms/{id}/shelve", post(shelve))
        .route("/api/v1/alarms/{id}/unshelve", post(unshelve))
        .route("/api/v1/alarms/{id}/reset", post(reset))
        .route("/api/v1/points/{id}/bypass", post(bypass))
        .route("/api/v1/requester", get(who_asks))
        .route("/api/v1/points/{id}/bypass/end", post(end_bypass))
        .route("/api/v1/points/{id}/out-of-service", post(out_of_service))
        .route("/api/v1/points/{id}/out-of-service/end", post(in_service))
        .route("/api/v1/first-out/{id}/reset", post(reset_first_out))
        .route("/api/v1/units/{id}/mode", post(mode))
        .route("/api/v1/silence", post(silence))
        .route("/api/v1/annunciator/test", post(test_annunciator))
        .with_state(state)
}

type Site = State<Arc<SiteState>>;

#[derive(Deserialize)]
struct Shelve {
    seen_seq: u64,
    #[serde(default = "timed")]
    kind: ShelfKind,
    #[serde(default)]
    duration_s: u64,
    #[serde(default)]
    reason: String,
}

fn timed() -> ShelfKind {
    ShelfKind::Timed
}

#[derive(Deserialize)]
struct Seen {
    seen_seq: u64,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Bypass {
    seen_seq: u64,
    #[serde(default)]
    permit: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    requested_by: String,
    #[serde(default)]
    duration_s: u64,
    #[serde(default)]
    compensation: String,
}

#[derive(Deserialize)]
struct Asked {
    name: String,
}

#[derive(Deserialize)]
struct OutOfService {
    seen_seq: u64,
    #[serde(default)]
    work_order: String,
    #[serde(default)]
    reason: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
}

/// A group whose order was on the screen; left out, nothing is compared.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Order {
    seen_seq: Option<u64>,
    reason: String,
}

/// Left out, nothing is compared.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Heard {
    seen_seq: Option<u64>,
}

#[derive(Deserialize)]
struct SetMode {
    seen_seq: u64,
    mode: Mode,
    #[serde(default)]
    reason: String,
}

async fn shelve(
    State(state): Site,
    session: Session,
    Path(alarm): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Shelve>,
) -> Answer {
    let reason = remark("reason", b.reason)?;
    let command = Command::Shelve { alarm, seen_seq: b.seen_seq, kind: b.kind, duration_s: b.duration_s, reason };
    carry_out(&state, &session, Action::Shelve, command, &headers).await
}

async fn unshelve(
    State(state): Site,
    session: Session,
    Path(alarm): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Seen>,
) -> Answer {
    let command = Command::Unshelve { alarm, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::Shelve, command, &headers).await
}

async fn reset(
    State(state): Site,
    session: Session,
    Path(alarm): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Seen>,
) -> Answer {
    let command = Command::ResetLatch { alarm, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::Reset, command, &headers).await
}

async fn bypass(
    State(state): Site,
    session: Session,
    Path(point): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Bypass>,
) -> Answer {
    let asked = remark("requested_by", b.requested_by)?;
    let asked = requester(&state.accounts, &session, asked).await?;
    let command = Command::Bypass {
        point,
        seen_seq: b.seen_seq,
        permit: remark("permit", b.permit)?,
        reason: remark("reason", b.reason)?,
        requested_by: asked.recorded_as,
        no_account: !asked.account,
        duration_s: b.duration_s,
        compensation: remark("compensation", b.compensation)?,
    };
    carry_out(&state, &session, Action::Bypass, command, &headers).await
}

/// Who would be recorded, before a person approves: whoever does may not list the accounts.
async fn who_asks(
    State(state): Site,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Json<Requester>, Problem> {
    let name = remark("name", asked.name)?;
    requester::name(&name)?;
    requester(&state.accounts, &session, name).await.map(Json)
}

async fn end_bypass(
    State(state): Site,
    session: Session,
    Path(point): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Seen>,
) -> Answer {
    let command = Command::EndBypass { point, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::Bypass, command, &headers).await
}

async fn out_of_service(
    State(state): Site,
    session: Session,
    Path(point): Path<String>,
    headers: HeaderMap,
    Body(b): Body<OutOfService>,
) -> Answer {
    let (work_order, reason) = (remark("work_order", b.work_order)?, remark("reason", b.reason)?);
    let command = Command::OutOfService { point, seen_seq: b.seen_seq, work_order, reason };
    carry_out(&state, &session, Action::Service, command, &headers).await
}

async fn in_service(
    State(state): Site,
    session: Session,
    Path(point): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Seen>,
) -> Answer {
    let command = Command::ReturnToService { point, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::Service, command, &headers).await
}

async fn reset_first_out(
    State(state): Site,
    session: Session,
    Path(group): Path<String>,
    headers: HeaderMap,
    Body(b): Body<Order>,
) -> Answer {
    let command = Command::ResetFirstOut { group, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::Reset, command, &headers).await
}

async fn mode(
    State(state): Site,
    session: Session,
    Path(unit): Path<String>,
    headers: HeaderMap,
    Body(b): Body<SetMode>,
) -> Answer {
    let command = Command::SetMode { unit, seen_seq: b.seen_seq, mode: b.mode, reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::Shelve, command, &headers).await
}

async fn silence(State(state): Site, session: Session, headers: HeaderMap, Body(b): Body<Heard>) -> Answer {
    carry_out(&state, &session, Action::Shelve, Command::Silence { seen_seq: b.seen_seq }, &headers).await
}

async fn test_annunciator(State(state): Site, session: Session, headers: HeaderMap, Body(b): Body<Reason>) -> Answer {
    if state.core.snapshot().annunciator.is_none() {
        return Err(Problem::with_detail(Kind::NotFound, "annunciator"));
    }
    let command = Command::TestAnnunciator { reason: remark("reason", b.reason)? };
    carry_out(&state, &session, Action::TestAnnunciator, command, &headers).await
}
