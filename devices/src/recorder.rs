//! The flight recorder: the last exchanges of a bus as raw frames with times and verdicts, and copies frozen around incidents.
//!
//! ```text
//!   … ok ok timeout ok │ incident │ ok ok ok …        ring of 256; an incident keeps 64 before it and 32 after it,
//!                                                      or what comes within two minutes
//! ```
//!
//! Owns the ring and its bounds: an exchange keeps at most [`KEPT_BYTES`] of what came in, however much chatter there was, so a bus
//! never holds more than about 200 KiB. Written by the line guard, read by views. Times are kept as moments of the process'
//! own clock and become wall time only when somebody looks. Leaves the ring and its incidents to `ring`, how they look to `views`, and a copy
//! that outlives the process to whoever waits for [`Recorder::incident_news`].

mod ring;
#[cfg(test)]
mod tests;
mod views;

pub use views::{ExchangeView, IncidentView};

use ring::Ring;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Exchanges kept for each bus.
pub const EXCHANGES_MAX: usize = 256;
/// Bytes kept of what came in during one exchange: the longest frame of either framing and some noise.
pub const KEPT_BYTES: usize = 300;

/// What came of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Under way, or heard while nothing was asked.
    None,
    Ok,
    /// The device refused: exception code.
    Exception(u8),
    Timeout,
    /// Something like the answer came, but damaged or of something else.
    Damaged,
    /// The answer has the wrong length.
    Short,
    /// The answer may end with an older one: asked once more.
    Doubtful,
    /// Answers to old requests were in the way: asked again over a fresh connection.
    Renewed,
    /// The link ended.
    Gone,
}

/// What the guard threw away during one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    pub crc: u64,
    pub foreign: u64,
    pub stale: u64,
    pub echo: u64,
    /// Bytes.
    pub noise: u64,
}

/// Recorder of one bus.
#[derive(Debug, Default)]
pub struct Recorder {
    ring: Mutex<Ring>,
    news: Notify,
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request goes out.
    pub(crate) fn begin(&self, unit: u8, request: &[u8]) {
        self.lock().push(Some(unit), request);
    }

    /// Bytes came in: for the exchange under way, or for nobody.
    pub(crate) fn heard(&self, bytes: &[u8]) {
        let ring = &mut *self.lock();
        // What comes in while nothing is asked makes one entry until the next request.
        let unasked = ring.exchanges.back().is_some_and(|e| e.asked == 0);
        if !ring.open && !unasked {
            ring.push(None, &[]);
            ring.open = false;
        }
        if let Some(exchange) = ring.exchanges.back_mut() {
            exchange.hear(bytes);
        }
    }

    /// The exchange under way is over.
    pub(crate) fn end(&self, verdict: Verdict, dropped: Dropped) {
        let ring = &mut *self.lock();
        if let Some(exchange) = ring.exchanges.back_mut().filter(|_| std::mem::take(&mut ring.open)) {
            exchange.verdict = verdict;
            exchange.dropped = (dropped != Dropped::default()).then(|| Box::new(dropped));
            exchange.bytes.shrink_to_fit();
        }
        if ring.settle_incident(false) {
            self.news.notify_one();
        }
    }

    /// Keeps what is around this moment; `event` is the journal entry it belongs to. While one incident still gathers what comes
    /// after it, others only add their cause and their entry.
    pub fn incident(&self, cause: &str, event: Option<&str>) {
        if self.lock().incident(cause, event) {
            self.news.notify_one();
        }
    }

    /// Waits until an incident has begun, has become complete or belongs to one more event. For one waiter; news of before it waited
    /// are not lost.
    pub async fn incident_news(&self) {
        let Some(until) = self.lock().gathers_until() else { return self.news.notified().await };
        tokio::select! {
            () = self.news.notified() => {}
            () = sleep_until(until) => {
                self.lock().settle_incident(false);
            }
        }
    }

    /// The last exchanges, oldest first; `now_utc_ms` is the wall time of this moment.
    #[must_use]
    pub fn exchanges(&self, now_utc_ms: i64) -> Vec<ExchangeView> {
        let now = (Instant::now(), now_utc_ms);
        self.lock().exchanges.iter().map(|e| e.view(now)).collect()
    }

    /// The incidents kept, oldest first.
    #[must_use]
    pub fn incidents(&self, now_utc_ms: i64) -> Vec<IncidentView> {
        self.incidents_after(0, now_utc_ms)
    }

    /// Those with a higher number.
    #[must_use]
    pub fn incidents_after(&self, number: u64, now_utc_ms: i64) -> Vec<IncidentView> {
        let now = (Instant::now(), now_utc_ms);
        let ring = &mut *self.lock();
        ring.settle_incident(true);
        ring.incidents.iter().filter(|i| i.number > number).map(|i| i.view(now)).collect()
    }
}
