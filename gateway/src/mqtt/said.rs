//! What the site says of itself: `status` and `state` (retained), `heartbeat`. The payloads, and which of them is still unsaid.
//!
//! All numbers called `seq` on MQTT are the office's count (`delivery_seq`); the journal's own number stands beside it.

use super::settings::Settings;
use crate::delivery::OutboxFigures;
use crate::hex::hex;
use crate::moment::utc_text;
use crate::snapshot::{AlarmView, Snapshot};
use crate::store::outbox::Standing;
use serde_json::{Value, json};
use tokio::time::Instant;

/// A broker may refuse a larger packet by closing the connection, and a state that is refused would come again with the next one.
const STATE_BYTES_MAX: usize = 256 * 1024;

/// What is still to be said on this connection. A publish that the client had no room for stays marked.
#[derive(Debug)]
pub(super) struct Unsaid {
    pub(super) status: bool,
    pub(super) state: bool,
    pub(super) heartbeat_at: Instant,
    /// The state as last said, without its stamp.
    shown: Option<Value>,
}

impl Unsaid {
    pub(super) fn all() -> Self {
        Self { status: true, state: true, heartbeat_at: Instant::now(), shown: None }
    }

    /// Marks the state when it is another one than was said.
    pub(super) fn compare(&mut self, snapshot: &Snapshot) {
        self.state |= self.shown.as_ref() != Some(&standing_alarms(snapshot));
    }

    pub(super) fn state_said(&mut self, snapshot: &Snapshot) {
        self.state = false;
        self.shown = Some(standing_alarms(snapshot));
    }
}

pub(super) fn topic(shared: &Settings, name: &str) -> String {
    format!("hazard/v1/{}/{name}", shared.site.site)
}

pub(super) fn status(shared: &Settings, online: bool) -> String {
    json!({ "online": online, "boot_id": shared.core.snapshot().boot_id }).to_string()
}

/// All standing alarms and open hidden dangers. Too many for one packet: the first ones, and it says so.
pub(super) fn state(snapshot: &Snapshot, standing: &Standing) -> String {
    let mut state = standing_alarms(snapshot);
    state["as_of_seq"] = standing.delivery_seq.into();
    state["as_of_journal_seq"] = snapshot.seq.into();
    state["time"] = utc_text(snapshot.utc_ms).into();
    state["alarms_total"] = snapshot.alarms.len().into();
    state["hazards_total"] = snapshot.hazards.len().into();
    let mut text = state.to_string();
    while text.len() > STATE_BYTES_MAX {
        state["truncated"] = true.into();
        for list in ["hazards", "alarms"] {
            if let Some(entries) = state[list].as_array_mut() {
                entries.truncate(entries.len() / 2);
            }
        }
        text = state.to_string();
    }
    text
}

/// Without the stamp it is equal as long as nothing changed. How far an event has come is left out: the office knows it better,
/// and every receipt would be a new state.
fn standing_alarms(snapshot: &Snapshot) -> Value {
    let alarms = snapshot.alarms.iter().map(|alarm| {
        let mut alarm = json!(alarm);
        if let Some(fields) = alarm.as_object_mut() {
            fields.remove("delivery");
        }
        alarm
    });
    json!({
        "name": snapshot.site.name, "name_en": snapshot.site.name_en,
        "alarms": alarms.collect::<Vec<_>>(), "hazards": *snapshot.hazards, "digest": digest(&snapshot.alarms),
        "shelves": *snapshot.shelves, "bypasses": *snapshot.bypasses,
    })
}

pub(super) fn heartbeat(snapshot: &Snapshot, standing: &Standing, figures: &OutboxFigures) -> String {
    let beat = json!({
        "boot_id": snapshot.boot_id, "seq": standing.delivery_seq, "journal_seq": standing.chain_seq,
        "chain_head": standing.chain_head, "time": utc_text(snapshot.utc_ms), "clock": snapshot.clock,
        "outbox_depth": figures.depth, "outbox_age_ms": figures.oldest_age_ms,
        "digest": digest(&snapshot.alarms), "config_hash": snapshot.site.config_hash,
    });
    beat.to_string()
}

/// SHA-256 over key, occurrence and state of every standing alarm.
fn digest(alarms: &[AlarmView]) -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    for alarm in alarms {
        hash.update(format!("{}#{}={}\n", alarm.id, alarm.occurrence, alarm.state));
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::fixture;
    use crate::store::GENESIS;

    fn standing() -> Standing {
        Standing { depth: 0, oldest: None, delivery_seq: 7, chain_seq: 9, chain_head: GENESIS.into() }
    }

    #[test]
    fn a_state_too_large_for_a_packet_is_cut_and_says_so() {
        let snapshot = fixture::picture((0..5_000).map(fixture::alarm).collect());
        let text = state(&snapshot, &standing());
        assert!(text.len() <= STATE_BYTES_MAX);
        let state: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&state["truncated"], &state["alarms_total"], &state["as_of_seq"]),
            (&true.into(), &5_000.into(), &7.into())
        );
        assert_eq!(state["digest"], digest(&snapshot.alarms));
        assert_eq!(state["alarms"][0]["id"], "GT-0:HH", "the first in the operators' order stay");
    }

    #[test]
    fn a_receipt_is_no_new_state_and_an_acknowledgement_is() {
        let mut unsaid = Unsaid::all();
        let mut alarm = fixture::alarm(1);
        unsaid.state_said(&fixture::picture(vec![alarm.clone()]));
        alarm.delivery = crate::delivery::Delivery::Received;
        unsaid.compare(&fixture::picture(vec![alarm.clone()]));
        assert!(!unsaid.state);
        alarm.state = "acked".into();
        unsaid.compare(&fixture::picture(vec![alarm]));
        assert!(unsaid.state);
    }
}
