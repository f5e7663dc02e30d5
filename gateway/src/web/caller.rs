//! Who asks for a change, at which station and under which key: what every handler of a command begins with, and how a command is carried out.
//!
//! Leaves what is asked to the handlers, who may to the table of routes, whether it fits to the engine.

use super::SiteState;
use super::accounts::Session;
use super::fields::{self, Most};
use super::problem::{self, Kind, Problem};
use super::routes::Action;
use crate::core::{CommandError, CommandOutcome};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use rules::Command;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest `Idempotency-Key`.
const KEY_MAX: usize = 128;

pub(super) type Answer = Result<Json<Value>, Problem>;

/// A signed-in person at a site.
pub(super) struct Caller {
    pub(super) state: Arc<SiteState>,
    pub(super) session: Session,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<SiteState>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<SiteState>) -> Result<Self, Problem> {
        let session = Session::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), session, headers: parts.headers.clone() })
    }
}

impl Caller {
    /// The key as the core sees it: bound to the user and the command, so that nobody meets another's outcome.
    pub(super) fn key(&self, command: &impl Serialize) -> Result<Option<String>, Problem> {
        let Some(key) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
        let key = key.ok_or_else(|| Problem::with_detail(Kind::Malformed, "Idempotency-Key"))?;
        let body = serde_json::to_string(command).map_err(|error| Problem::internal(&error))?;
        Ok(Some(super::token::hash(&format!("{}\n{key}\n{body}", self.session.user))))
    }

    pub(super) async fn carry_out(&self, action: Action, command: Command) -> Answer {
        let actor = self.session.acting(action)?;
        let key = self.key(&command)?;
        let sent = serde_json::to_value(&command).unwrap_or_default();
        match self.state.core.command(command, actor, key).await {
            Ok(outcome) => Ok(Json(self.done(&outcome))),
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

    fn done(&self, outcome: &CommandOutcome) -> Value {
        let site = self.state.core.snapshot().site.clone();
        let records: Vec<Value> = outcome.records.iter().map(|record| super::api::record_view(record, &site)).collect();
        json!({ "already_so": records.is_empty(), "records": records })
    }
}
