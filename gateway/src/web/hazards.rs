//! Hidden dangers, from the registration to the closing: each handler turns one body into one [`Command`]. Who may is in the table of
//! routes, what a step needs is the rules' to say.

use super::SiteState;
use super::api::{moment, to_json};
use super::body::Body;
use super::caller::{Answer, Caller};
use super::commands::remark;
use super::event_filter::MOMENT;
use super::fields::Wrong;
use super::problem::{Kind, Problem, of_rejected};
use super::requester::recorded;
use super::routes::Action;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use rules::hazard::Level;
use rules::hazard::step::Step;
use rules::{Command, Refusal, Rejected};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Closed and rejected records that are listed: the newest.
const LISTED_MAX: u32 = 500;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new()
        .route("/api/v1/hazards", get(list).post(register))
        .route("/api/v1/hazards/{id}/confirm", post(confirm))
        .route("/api/v1/hazards/{id}/reject", post(reject))
        .route("/api/v1/hazards/{id}/assess", post(moves::<Assess>))
        .route("/api/v1/hazards/{id}/plan", post(moves::<Plan>))
        .route("/api/v1/hazards/{id}/report", post(moves::<Report>))
        .route("/api/v1/hazards/{id}/assign", post(assign))
        .route("/api/v1/hazards/{id}/rectify", post(moves::<Rectify>))
        .route("/api/v1/hazards/{id}/accept", post(accept))
        .route("/api/v1/hazards/{id}/close", post(moves::<Close>))
        .with_state(state)
}

#[derive(Default, Deserialize)]
struct Which {
    #[serde(default)]
    closed: bool,
}

/// Open ones as the picture has them; with `closed=true` those that are over, the newest first.
async fn list(State(state): State<Arc<SiteState>>, Query(which): Query<Which>) -> Answer {
    if which.closed {
        return to_json(&state.archive.closed_hazards(LISTED_MAX).await?);
    }
    to_json(&state.core.snapshot().hazards)
}

/// Of a candidate. Who gives no number decides whatever it has become.
#[derive(Deserialize)]
struct Decide {
    seen_seq: Option<u64>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Register {
    #[serde(default)]
    measure: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Assess {
    seen_seq: u64,
    level: Level,
    #[serde(default)]
    criteria: String,
    #[serde(default)]
    cause: String,
}

#[derive(Deserialize)]
struct Plan {
    seen_seq: u64,
    #[serde(default)]
    responsibility: String,
    #[serde(default)]
    measures: String,
    #[serde(default)]
    funds: String,
    #[serde(default)]
    due_at: String,
    #[serde(default)]
    emergency: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Report {
    seen_seq: u64,
    #[serde(default)]
    to: String,
    #[serde(default)]
    receipt: String,
    #[serde(default)]
    supervision: String,
}

#[derive(Deserialize)]
struct Assign {
    seen_seq: u64,
    #[serde(default)]
    responsible: String,
    #[serde(default)]
    due_at: String,
    #[serde(default)]
    interim_control: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Rectify {
    seen_seq: u64,
    #[serde(default)]
    evidence: String,
}

#[derive(Deserialize)]
struct Accept {
    seen_seq: u64,
    /// False sends it back.
    passed: bool,
    #[serde(default)]
    opinion: String,
    #[serde(default)]
    review_report: String,
}

#[derive(Deserialize)]
struct Close {
    seen_seq: u64,
    #[serde(default)]
    reason: String,
}

/// A body that is a step as it stands.
trait Moves: DeserializeOwned + Send {
    const ACTION: Action = Action::DecideHazard;
    fn step(self) -> Result<(u64, Step), Problem>;
}

impl Moves for Assess {
    fn step(self) -> Result<(u64, Step), Problem> {
        Ok((self.seen_seq, Step::Assess { level: self.level, criteria: self.criteria, cause: self.cause }))
    }
}

impl Moves for Plan {
    fn step(self) -> Result<(u64, Step), Problem> {
        let step = Step::Plan {
            responsibility: self.responsibility,
            measures: self.measures,
            funds: self.funds,
            due_at: due(&self.due_at)?,
            emergency: self.emergency,
            reason: self.reason,
        };
        Ok((self.seen_seq, step))
    }
}

impl Moves for Report {
    fn step(self) -> Result<(u64, Step), Problem> {
        Ok((self.seen_seq, Step::Report { to: self.to, receipt: self.receipt, supervision: self.supervision }))
    }
}

impl Moves for Rectify {
    const ACTION: Action = Action::WorkOnHazard;
    fn step(self) -> Result<(u64, Step), Problem> {
        Ok((self.seen_seq, Step::Rectify { evidence: self.evidence }))
    }
}

impl Moves for Close {
    fn step(self) -> Result<(u64, Step), Problem> {
        Ok((self.seen_seq, Step::Close { reason: self.reason }))
    }
}

async fn moves<B: Moves>(caller: Caller, Path(hazard): Path<String>, Body(body): Body<B>) -> Answer {
    let (seen_seq, step) = body.step()?;
    caller.carry_out(B::ACTION, Command::MoveHazard { hazard, seen_seq, step }).await
}

async fn confirm(caller: Caller, Path(hazard): Path<String>, Body(b): Body<Decide>) -> Answer {
    let command = Command::ConfirmHazard { hazard, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::DecideHazard, command).await
}

async fn reject(caller: Caller, Path(hazard): Path<String>, Body(b): Body<Decide>) -> Answer {
    let command = Command::RejectHazard { hazard, seen_seq: b.seen_seq, reason: remark("reason", b.reason)? };
    caller.carry_out(Action::DecideHazard, command).await
}

async fn register(caller: Caller, Body(b): Body<Register>) -> Answer {
    let command = Command::RegisterHazard { measure: b.measure, place: b.place, description: b.description };
    caller.carry_out(Action::WorkOnHazard, command).await
}

async fn assign(caller: Caller, Path(hazard): Path<String>, Body(b): Body<Assign>) -> Answer {
    let step = Step::Assign {
        responsible: recorded(&caller.state.accounts, b.responsible).await?,
        due_at: due(&b.due_at)?,
        interim_control: b.interim_control,
        reason: b.reason,
    };
    let command = Command::MoveHazard { hazard, seen_seq: b.seen_seq, step };
    caller.carry_out(Action::DecideHazard, command).await
}

async fn accept(caller: Caller, Path(hazard): Path<String>, Body(b): Body<Accept>) -> Answer {
    if b.passed && answers_for(&caller.state, &hazard, &caller.session.display_name) {
        let own = Rejected::Forbidden(Refusal::InspectorIsRectifier);
        return Err(of_rejected(&own).unwrap_or(Problem::new(Kind::Forbidden)));
    }
    let step = match b.passed {
        true => Step::Accept { opinion: b.opinion, review_report: b.review_report },
        false => Step::SendBack { opinion: b.opinion },
    };
    let command = Command::MoveHazard { hazard, seen_seq: b.seen_seq, step };
    caller.carry_out(Action::AcceptHazard, command).await
}

/// Responsible by what people call them, where that is no single account's: the rules know user names only.
fn answers_for(state: &SiteState, hazard: &str, name: &str) -> bool {
    let snapshot = state.core.snapshot();
    let record = snapshot.hazards.iter().find(|view| view.hazard.id == hazard);
    let work = record.and_then(|view| view.hazard.stage.work());
    work.is_some_and(|work| work.is_answered_by(name))
}

/// 0 where nothing was given: the rules name it with all that is missing.
fn due(text: &str) -> Result<i64, Problem> {
    match text.trim() {
        "" => Ok(0),
        text => moment(text).ok_or_else(|| Problem::unacceptable(&[Wrong::new("due_at", Some(&text.into()), MOMENT)])),
    }
}
