//! `POST /api/v1/config/reload`: a person puts the configuration on the disk in the place of the running one.
//!
//! Owns the request and its answers. Leaves checking and switching to the station's loop behind the [`crate::reload::Desk`].

use super::SiteState;
use super::body::Body;
use super::caller::{Answer, Caller};
use super::commands::remark;
use super::fields::{REASON_MIN, REMARK_MAX, Wrong};
use super::problem::{Kind, Problem};
use super::routes::Action;
use crate::config::Diagnostic;
use crate::reload::{self, Asker};
use axum::routing::post;
use axum::{Json, Router};
use rules::EventKind;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new().route("/api/v1/config/reload", post(reload)).with_state(state)
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

async fn reload(caller: Caller, Body(given): Body<Reason>) -> Answer {
    let actor = caller.session.acting(Action::ChangeConfig)?;
    let reason = remark("reason", given.reason)?.trim().to_owned();
    if reason.chars().count() < REASON_MIN {
        return Err(Problem::unacceptable(&[Wrong::text("reason", &reason, REASON_MIN, REMARK_MAX)]));
    }
    let key = caller.key(&("reload", &reason))?;
    // a demo has no file to read again
    let state = &caller.state;
    let desk = state.desk.as_ref().ok_or_else(|| Problem::with_detail(Kind::Refused, "no_configuration_file"))?;
    let asked = desk.ask(Asker::Person { actor, reason: reason.clone() }, key).await;
    match asked.map_err(|_| Problem::with_detail(Kind::Refused, "reload_under_way"))? {
        taken @ (reload::Answer::InForce | reload::Answer::Unchanged) => Ok(Json(json!({
            "in_force": true, "changed": matches!(taken, reload::Answer::InForce), "restart": false,
            "config_hash": state.core.snapshot().site.config_hash }))),
        reload::Answer::Restarting => {
            Ok(Json(json!({ "in_force": false, "changed": true, "restart": true, "config_hash": null })))
        }
        reload::Answer::Defects(diagnostics) => {
            let found = diagnostics.iter().filter(|d| d.fatal).count();
            let detail = format!("{found} defect{}; {reason}", if found == 1 { "" } else { "s" });
            let kind =
                EventKind::Operator { user: caller.session.user.clone(), action: "config_refused".into(), detail };
            let _ = state.core.note(kind).await;
            Err(defects(&diagnostics))
        }
    }
}

/// As `check --json` lists them; warnings stand beside what is fatal.
fn defects(diagnostics: &[Diagnostic]) -> Problem {
    let list = diagnostics.iter().filter_map(|d| serde_json::to_value(d).ok()).collect();
    Problem { defects: list, ..Problem::new(Kind::Defects) }
}
