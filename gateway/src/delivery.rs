//! How far an event has come on its way to the office. A broker's PUBACK is not a receipt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Delivery state of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    #[default]
    Stored,
    Sent,
    BrokerAcknowledged,
    Received,
    Confirmed,
}

/// How far, and who at the office took note of it with which words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub state: Delivery,
    pub by: Option<String>,
    pub note: Option<String>,
}

/// A receipt as it comes from the office (`hazard/v1/{site}/receipt`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficeReceipt {
    pub event_id: String,
    /// RFC 3339 UTC.
    pub received_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Figures of the outbox for the page, `/metrics` and the heartbeat.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct OutboxFigures {
    /// A broker is configured; without one nothing leaves the site.
    #[serde(default)]
    pub configured: bool,
    pub connected: bool,
    /// Events without the office's receipt.
    pub depth: u64,
    /// Age of the oldest of them.
    pub oldest_age_ms: u64,
    pub sent: u64,
    pub broker_acknowledged: u64,
    pub received: u64,
    /// Events whose stored text cannot be read: kept in `dead_letter`, the office gets their number.
    #[serde(default)]
    pub dead_lettered: u64,
    /// Messages on `receipt` or `request` that mean nothing here.
    #[serde(default)]
    pub messages_ignored: u64,
    /// Messages turned away because more came than a second or the queue has room for.
    #[serde(default)]
    pub messages_refused: u64,
    /// Receipts for events this site never sent.
    #[serde(default)]
    pub receipts_unknown: u64,
    /// Times the office asked for a range again.
    #[serde(default)]
    pub resend_requests: u64,
    /// Transactions and readings of the outbox in the store.
    #[serde(default)]
    pub store_turns: u64,
    pub last_error: Option<String>,
}
