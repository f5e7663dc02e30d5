//! A numbered, chained event as the store keeps it and outsiders see it.
//!
//! `hash = SHA-256(prev_hash ‖ canonical JSON of the event with boot_id and time)`, both as lower-case hex; the first `prev_hash`
//! is 64 zeros.

use rules::Event;
use serde::{Deserialize, Serialize};

/// One committed event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `<site>-<seq>`: stable over resends, the office's key for duplicates.
    pub event_id: String,
    pub boot_id: String,
    /// Number among the events that go to the office, from 1, without gaps; `None` for the journal's own entries.
    /// This is the `seq` of the MQTT payload.
    pub delivery_seq: Option<u64>,
    /// False when it was shown before the disk had confirmed it (design.md invariant 2).
    pub durable: bool,
    pub prev_hash: String,
    pub hash: String,
    #[serde(flatten)]
    pub event: Event,
}
