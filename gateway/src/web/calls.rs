//! `GET /api/v1/calls`: whom to call by telephone, for those who would. The only answer that has numbers and names of people.

use super::SiteState;
use crate::calls::{Contact, Personal, tel_uri};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn router(state: Arc<SiteState>) -> Router {
    Router::new().route("/api/v1/calls", get(calls)).with_state(state)
}

/// A post to be called, in the order of calling.
#[derive(JsonSchema, Serialize)]
pub(crate) struct CallRow<'a> {
    /// Level of escalation: 1, 2, 3.
    level: u8,
    /// Of the alarms it is called for; empty: of all.
    priorities: &'a [u8],
    /// Of the alarms it is called for; empty: of all, also those of no area.
    areas: &'a [String],
    post: &'a str,
    post_en: &'a str,
    telephone: &'a str,
    /// The same for a link: `tel:05550000101;ext=12`.
    uri: Option<String>,
    /// Who holds the post, where the site says so.
    name: Option<&'a str>,
}

impl<'a> CallRow<'a> {
    pub(crate) fn of(contact: &'a Contact) -> Self {
        let Contact { call, telephone, name } = contact;
        Self {
            level: call.level,
            priorities: &call.priorities,
            areas: &call.areas,
            post: &call.post,
            post_en: &call.post_en,
            telephone: telephone.shown(),
            uri: tel_uri(telephone.shown()).ok(),
            name: name.as_ref().map(Personal::shown),
        }
    }
}

async fn calls(State(state): State<Arc<SiteState>>) -> Json<Value> {
    let site = state.core.snapshot().site.clone();
    Json(json!(site.calls.0.iter().map(CallRow::of).collect::<Vec<_>>()))
}
