//! Exchanges and incidents for outsiders: hexadecimal frames, and wall time made of the moments that are kept.

use super::frames::Kept;
use super::incident::Incident;
use super::{Dropped, Verdict};
use serde::Serialize;
use tokio::time::Instant;

/// One exchange for outsiders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExchangeView {
    /// Counted from 1 over the life of the bus' status.
    pub number: u64,
    pub utc_ms: i64,
    /// `null`: heard while nothing was asked.
    pub unit: Option<u8>,
    /// Hexadecimal, as it went out.
    pub request: String,
    /// Hexadecimal, all that came in until the exchange was over, noise included.
    pub received: String,
    /// Bytes beyond what is kept; left out where there are none.
    #[serde(skip_serializing_if = "is_nothing")]
    pub more_bytes: usize,
    /// From the request to the first and to the last byte that came in.
    pub first_byte_us: Option<u64>,
    pub last_byte_us: Option<u64>,
    pub verdict: Verdict,
    /// Left out where nothing was.
    #[serde(skip_serializing_if = "is_nothing")]
    pub dropped: Dropped,
}

fn is_nothing<T: Default + PartialEq>(what: &T) -> bool {
    *what == T::default()
}

/// What is kept around one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentView {
    /// Counted from 1 over the life of the bus' status.
    pub number: u64,
    pub utc_ms: i64,
    pub cause: String,
    /// Journal entries it belongs to, such as the raise of the alarm.
    pub event_ids: Vec<String>,
    /// All that comes after it has come.
    pub complete: bool,
    pub exchanges: Vec<ExchangeView>,
}

impl Incident {
    pub(super) fn view(&self, now: (Instant, i64)) -> IncidentView {
        IncidentView {
            number: self.number,
            utc_ms: utc_ms(self.at, now),
            cause: self.cause.clone(),
            event_ids: self.events.clone(),
            complete: self.complete,
            exchanges: self.frames().iter().map(|kept| kept.view(now)).collect(),
        }
    }
}

impl Kept<'_> {
    pub(super) fn view(&self, now: (Instant, i64)) -> ExchangeView {
        let (exchange, asked) = (self.exchange, self.exchange.asked.into());
        let heard_us = exchange.heard_us();
        ExchangeView {
            number: exchange.number,
            utc_ms: utc_ms(exchange.begun, now),
            unit: exchange.unit,
            request: hex(self.bytes.clone().take(asked)),
            received: hex(self.bytes.clone().skip(asked)),
            more_bytes: exchange.more() as usize,
            first_byte_us: heard_us.map(|(first, _)| first.into()),
            last_byte_us: heard_us.map(|(_, last)| last.into()),
            verdict: exchange.verdict,
            dropped: exchange.dropped(),
        }
    }
}

fn utc_ms(at: Instant, (now, now_utc_ms): (Instant, i64)) -> i64 {
    now_utc_ms - i64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(0)
}

/// `01 03 00 6B`.
fn hex<'b>(bytes: impl ExactSizeIterator<Item = &'b u8>) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{byte:02X}"));
    }
    text
}
