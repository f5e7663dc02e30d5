//! What an operator does to alarms and points besides acknowledging: shelf, reset, bypass, service, mode, silence, test of the annunciator.
//!
//! Each handler turns one body into one [`Command`]; who may is in the table of routes, whether it fits is the engine's to say.

use super::SiteState;
use super::body::Body;
use super::caller::{Answer, Caller};
use super::commands::remark;
use super::problem::{Kind, Problem};
use super::requester::{self, Requester, requester};
use super::routes::Action;
use axum::extract::{Path, Query};
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

async fn shelve(caller: Caller, Path(alarm): Path<String>, Body(b): Body<Shelve>) -> Answer {
    let reason = remark("reason", b.reason)?;
    let command = Command::Shelve { alarm, seen_seq: b.seen_seq, kind: b.kind, duration_s: b.duration_s, reason };
    caller.carry_out(Action::Shelve, command).await
}

async fn unshelve(caller: Caller, Path(alarm): Path<String>, Body(b): Body<Seen>) -> Answer {
    let command = Command::Unshelve { alarm, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::Shelve, command).await
}

async fn reset(caller: Caller, Path(alarm): Path<String>, Body(b): Body<Seen>) -> Answer {
    let command = Command::ResetLatch { alarm, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::Reset, command).await
}

async fn bypass(caller: Caller, Path(point): Path<String>, Body(b): Body<Bypass>) -> Answer {
    let asked = remark("requested_by", b.requested_by)?;
    let asked = requester(&caller.state.accounts, &caller.session, asked).await?;
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
    caller.carry_out(Action::Bypass, command).await
}

/// Who would be recorded, before a person approves: whoever does may not list the accounts.
async fn who_asks(caller: Caller, Query(asked): Query<Asked>) -> Result<Json<Requester>, Problem> {
    let name = remark("name", asked.name)?;
    requester::name(&name)?;
    requester(&caller.state.accounts, &caller.session, name).await.map(Json)
}

async fn end_bypass(caller: Caller, Path(point): Path<String>, Body(b): Body<Seen>) -> Answer {
    let command = Command::EndBypass { point, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::Bypass, command).await
}

async fn out_of_service(caller: Caller, Path(point): Path<String>, Body(b): Body<OutOfService>) -> Answer {
    let (work_order, reason) = (remark("work_order", b.work_order)?, remark("reason", b.reason)?);
    let command = Command::OutOfService { point, seen_seq: b.seen_seq, work_order, reason };
    caller.carry_out(Action::Service, command).await
}

async fn in_service(caller: Caller, Path(point): Path<String>, Body(b): Body<Seen>) -> Answer {
    let command = Command::ReturnToService { point, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::Service, command).await
}

async fn reset_first_out(caller: Caller, Path(group): Path<String>, Body(b): Body<Order>) -> Answer {
    let command = Command::ResetFirstOut { group, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::Reset, command).await
}

async fn mode(caller: Caller, Path(unit): Path<String>, Body(b): Body<SetMode>) -> Answer {
    let command = Command::SetMode { unit, seen_seq: b.seen_seq, mode: b.mode, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::Shelve, command).await
}

async fn silence(caller: Caller, Body(b): Body<Heard>) -> Answer {
    caller.carry_out(Action::Shelve, Command::Silence { seen_seq: b.seen_seq }).await
}

async fn test_annunciator(caller: Caller, Body(b): Body<Reason>) -> Answer {
    if caller.state.core.snapshot().annunciator.is_none() {
        return Err(Problem::with_detail(Kind::NotFound, "annunciator"));
    }
    let command = Command::TestAnnunciator { reason: remark("reason", b.reason)? };
    caller.carry_out(Action::TestAnnunciator, command).await
}
