//! The flight recorder: the last exchanges of a bus as raw frames with times and verdicts, and copies frozen around incidents.
//!
//! ```text
//!   … ok ok timeout ok │ incident │ ok ok ok …        ring of 256, or of the last 20 s; an incident keeps of it what its units have,
//!                                                      64 of all before it and 32 after it, or what comes within two minutes
//! ```
//!
//! Owns what may be kept of one exchange: at most [`KEPT_BYTES`] of what came in, however much chatter there was. With the bounds of
//! the ring and of the incidents a bus of small frames holds some 30 KiB, and none more than 400. Written by the line guard, read by
//! views. Times are kept as moments of the process' own clock and become wall time only when somebody looks. Leaves memory to `frames`, how far back to
//! `ring`, what proves an incident to `incident`, `marks` and `seldom`, how they look to `views`, and a copy that outlives the process to whoever
//! waits for [`Recorder::incident_news`].

mod frames;
mod incident;
mod marks;
mod ring;
mod seldom;
#[cfg(test)]
mod tests;
mod views;

pub use views::{ExchangeView, IncidentView};

use incident::Incident;
use ring::Ring;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Exchanges kept for each bus, however old they are.
pub const EXCHANGES_MIN: usize = 256;
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

/// Whom an incident is about: of it the whole ring is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    Unit(u8),
    /// The link itself, or nobody knows whom.
    Bus,
}

impl Concerns {
    /// What was heard while nothing was asked may be a late answer of anybody.
    fn include(self, unit: Option<u8>) -> bool {
        match self {
            Self::Bus => true,
            Self::Unit(own) => unit.is_none_or(|unit| unit == own),
        }
    }
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
        let unasked = ring.frames.last().is_some_and(|e| e.asked == 0);
        if !ring.open && !unasked {
            ring.push(None, &[]);
            ring.open = false;
        }
        ring.frames.hear(bytes);
    }

    /// The exchange under way is over.
    pub(crate) fn end(&self, verdict: Verdict, dropped: Dropped) {
        let ring = &mut *self.lock();
        if let Some(exchange) = ring.frames.last_mut().filter(|_| std::mem::take(&mut ring.open)) {
            exchange.end(verdict, dropped);
        }
        if ring.settle_incident(false) {
            self.news.notify_one();
        }
    }

    /// Keeps what is around this moment; `event` is the journal entry it belongs to. While one incident still gathers what comes
    /// after it, others only add their cause, their entry and the exchanges of those they concern.
    pub fn incident(&self, cause: &str, event: Option<&str>, concerned: &[Concerns]) {
        if self.lock().incident(cause, event, concerned) {
            self.news.notify_one();
        }
    }

    /// The condition of an alarm began so long ago: the last exchanges of its units until then are kept until [`Recorder::unmark`], for
    /// incidents of those units.
    pub fn mark(&self, alarm: &str, units: &[u8], ago: Duration) {
        let now = Instant::now();
        let ring = &mut *self.lock();
        ring.marks.set(alarm, units, now.checked_sub(ago).unwrap_or(now), &ring.frames);
    }

    /// It is over, or an incident has it.
    pub fn unmark(&self, alarm: &str) {
        self.lock().marks.clear(alarm);
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
        // Nobody waits for the lock while many frames become text.
        let frames = self.lock().frames.clone();
        frames.iter().map(|kept| kept.view(now)).collect()
    }

    /// The incidents kept, oldest first.
    #[must_use]
    pub fn incidents(&self, now_utc_ms: i64) -> Vec<IncidentView> {
        self.incidents_after(0, now_utc_ms)
    }

    /// One of them belongs to that entry of the journal.
    #[must_use]
    pub fn has_incident_of(&self, event: &str) -> bool {
        self.lock().incidents.iter().any(|incident| incident.events.iter().any(|id| id == event))
    }

    /// Those with a higher number.
    #[must_use]
    pub fn incidents_after(&self, number: u64, now_utc_ms: i64) -> Vec<IncidentView> {
        let now = (Instant::now(), now_utc_ms);
        let frozen = |ring: &mut Ring| {
            ring.settle_incident(true);
            ring.incidents.iter().filter(|i| i.number > number).cloned().collect()
        };
        let incidents: Vec<Incident> = frozen(&mut self.lock());
        incidents.iter().map(|i| i.view(now)).collect()
    }
}
