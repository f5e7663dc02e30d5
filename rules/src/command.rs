//! A person's request. It ends as an event or as [`Rejected`]; there is no third way to change state by hand.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User name.
    pub user: String,
    /// Role in which they act.
    pub role: String,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Acknowledge what was on the screen: refused as [`Rejected::Changed`] when the alarm was annunciated after `seen_seq`.
    Acknowledge { alarm: String, seen_seq: u64, comment: String },
    /// Confirm a hidden-danger candidate.
    ConfirmHazard { hazard: String, reason: String },
    /// Reject a hidden-danger candidate as a false alarm; a reason of at least 4 characters.
    RejectHazard { hazard: String, reason: String },
}

/// Why nothing happened. Named by what the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Nothing of that name is known: 404.
    #[error("nothing is known by the name {0}")]
    NotFound(String),
    /// What the person saw has changed: 409, show again.
    #[error("changed since shown: {0}")]
    Changed(String),
    /// Something is missing: 422, the missing fields are named.
    #[error("missing or not acceptable: {}", .0.join(", "))]
    Incomplete(Vec<String>),
    /// Already so: 200, no event.
    #[error("already so")]
    AlreadySo,
}
