//! What comes in from the office's side, and how much of it is looked at. A message here can ask for events again, for the
//! state, or say that an event arrived; it can never change an alarm.

use crate::delivery::OfficeReceipt;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Messages looked at per second. An office that empties a backlog sends far fewer: a receipt follows an event, and events are
/// limited by the window. A flood beyond this costs no parsing; a receipt lost to it comes again with the re-sent event.
const PER_SECOND_MAX: u32 = 500;
/// Receipts that wait for the store: half a second of the above.
pub(super) const RECEIPTS_MAX: usize = 256;
/// Ranges that wait to be asked for again; the store makes few of many.
pub(super) const WISHES_MAX: usize = 64;
/// A receipt or a request is some 200 bytes.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;
const ID_CHARS_MAX: usize = 128;
const NAME_CHARS_MAX: usize = 64;
const NOTE_CHARS_MAX: usize = 1_000;

/// What a message means.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Receipt(OfficeReceipt),
    /// These numbers again, first and last.
    Resend(u64, u64),
    /// The state, fresh.
    State,
    /// Nothing here, and why.
    Nothing(&'static str),
}

/// Counts the messages of a second.
#[derive(Debug)]
pub(super) struct Gate {
    since: Instant,
    taken: u32,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), taken: 0 }
    }

    /// False when this second has had its share.
    pub(super) fn lets_in(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self::new();
        }
        self.taken = self.taken.saturating_add(1);
        self.taken <= PER_SECOND_MAX
    }
}

/// Reads a message by the last part of its topic.
pub(super) fn read(name: &str, retained: bool, payload: &[u8]) -> Meaning {
    if retained {
        return Meaning::Nothing("retained: it would come again with every connection");
    }
    if payload.len() > MESSAGE_BYTES_MAX {
        return Meaning::Nothing("too long");
    }
    match name {
        "receipt" => receipt(payload),
        "request" => request(payload),
        _ => Meaning::Nothing("topic"),
    }
}

fn receipt(payload: &[u8]) -> Meaning {
    let Ok(mut receipt) = serde_json::from_slice::<OfficeReceipt>(payload) else {
        return Meaning::Nothing("not a receipt");
    };
    let too_long = |text: &str, max: usize| text.chars().nth(max).is_some();
    if too_long(&receipt.event_id, ID_CHARS_MAX) || receipt.received_at.parse::<jiff::Timestamp>().is_err() {
        return Meaning::Nothing("a receipt without a proper id and time");
    }
    // an empty name is nobody's confirmation
    receipt.by = receipt.by.filter(|by| !by.trim().is_empty());
    if receipt.by.as_deref().is_some_and(|by| too_long(by, NAME_CHARS_MAX)) {
        return Meaning::Nothing("a name too long");
    }
    receipt.note = receipt.note.map(|note| note.chars().take(NOTE_CHARS_MAX).collect());
    Meaning::Receipt(receipt)
}

fn request(payload: &[u8]) -> Meaning {
    let Ok(request) = serde_json::from_slice::<Value>(payload) else { return Meaning::Nothing("not JSON") };
    match (request["want"].as_str(), request["from"].as_u64()) {
        (Some("state"), _) => Meaning::State,
        (Some("resend"), Some(from)) => Meaning::Resend(from, request["to"].as_u64().unwrap_or(u64::MAX)),
        (Some("resend"), None) => Meaning::Nothing("resend without a number"),
        _ => Meaning::Nothing("unknown request"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(name: &str, payload: &Value) -> Meaning {
        read(name, false, payload.to_string().as_bytes())
    }

    #[test]
    fn receipts_and_requests_are_read() {
        let receipt = json!({ "event_id": "s-1", "received_at": "2026-01-02T03:04:05.006Z", "by": " ", "note": "n" });
        let Meaning::Receipt(read) = said("receipt", &receipt) else { panic!("not read") };
        assert_eq!((read.event_id.as_str(), read.by, read.note.as_deref()), ("s-1", None, Some("n")));
        assert_eq!(said("request", &json!({ "want": "resend", "from": 7 })), Meaning::Resend(7, u64::MAX));
        assert_eq!(said("request", &json!({ "want": "resend", "from": 7, "to": 9 })), Meaning::Resend(7, 9));
        assert_eq!(said("request", &json!({ "want": "state" })), Meaning::State);
    }

    #[test]
    fn what_means_nothing_is_nothing() {
        let proper = json!({ "event_id": "s-1", "received_at": "2026-01-02T03:04:05.006Z" });
        let bad = [
            ("receipt", json!({ "event_id": "s-1" })),
            ("receipt", json!({ "event_id": "s-1", "received_at": "yesterday" })),
            ("receipt", json!({ "event_id": "s".repeat(200), "received_at": "2026-01-02T03:04:05Z" })),
            ("receipt", json!({ "event_id": "s-1", "received_at": "2026-01-02T03:04:05Z", "by": "x".repeat(65) })),
            ("receipt", json!({ "event_id": "s-1", "received_at": "2026-01-02T03:04:05Z", "note": "x".repeat(9_000) })),
            ("receipt", json!([1])),
            ("request", json!({ "want": "resend", "from": -1 })),
            ("request", json!({ "want": "clear", "alarm": "GT-101:HH" })),
            ("request", json!(3)),
            ("ack", proper.clone()),
        ];
        for (name, payload) in bad {
            assert!(matches!(said(name, &payload), Meaning::Nothing(_)), "{name} {payload}");
        }
        assert!(matches!(read("receipt", true, proper.to_string().as_bytes()), Meaning::Nothing(_)));
        assert!(matches!(read("request", false, &[0xFF, 0xFE]), Meaning::Nothing(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_let_in_by_the_second() {
        let mut gate = Gate::new();
        assert_eq!((0..10_000).filter(|_| gate.lets_in()).count(), 500);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(gate.lets_in());
    }
}
