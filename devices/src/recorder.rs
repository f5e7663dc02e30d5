//! The flight recorder: the last exchanges of a bus as raw frames with times and verdicts, and copies frozen around incidents.
//!
//! ```text
//!   … ok ok timeout ok │ incident │ ok ok ok …        ring of 256; an incident keeps 64 before it and 32 after it,
//!                                                      or what comes within two minutes
//! ```
//!
//! Owns the ring and its bounds: an exchange keeps at most [`KEPT_BYTES`] of what came in, however much chatter there was, so a bus
//! never holds more than about 200 KiB. Written by the line guard, read by views. Times are kept as moments of the process'
//! own clock and become wall time only when somebody looks. Leaves a copy that outlives the process to whoever waits for
//! [`Recorder::incident_news`].

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Exchanges kept for each bus.
pub const EXCHANGES_MAX: usize = 256;
/// Bytes kept of what came in during one exchange: the longest frame of either framing and some noise.
pub const KEPT_BYTES: usize = 300;
const INCIDENTS_MAX: usize = 4;
const BEFORE: usize = 64;
const AFTER: u64 = 32;
/// An incident gathers no longer, however little comes: a dead unit alone on its link is probed six times in it, a lost link says nothing.
const GATHERS_AT_MOST: Duration = Duration::from_secs(120);
/// Journal entries that name one incident: a flood of alarms belongs to it as a whole.
const EVENTS_MAX: usize = 16;
/// The same for the words of its cause.
const CAUSE_BYTES: usize = 500;

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

#[derive(Clone, Debug)]
struct Exchange {
    number: u64,
    begun: Instant,
    /// What went out, then what came in.
    bytes: Vec<u8>,
    asked: u16,
    unit: Option<u8>,
    verdict: Verdict,
    more: usize,
    /// Microseconds from the request to the first and to the last byte that came in.
    heard_us: Option<(u32, u32)>,
    /// Most exchanges throw nothing away.
    dropped: Option<Box<Dropped>>,
}

#[derive(Debug)]
struct Incident {
    number: u64,
    at: Instant,
    cause: String,
    events: Vec<String>,
    until: u64,
    /// All that belongs to it has come.
    complete: bool,
    exchanges: Vec<Exchange>,
}

#[derive(Debug, Default)]
struct Ring {
    exchanges: VecDeque<Exchange>,
    written: u64,
    /// The newest exchange still takes bytes.
    open: bool,
    incidents: VecDeque<Incident>,
    incidents_begun: u64,
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
        let view = |i: &Incident| IncidentView {
            number: i.number,
            utc_ms: utc_ms(i.at, now),
            cause: i.cause.clone(),
            event_ids: i.events.clone(),
            complete: i.complete,
            exchanges: i.exchanges.iter().map(|e| e.view(now)).collect(),
        };
        ring.incidents.iter().filter(|i| i.number > number).map(view).collect()
    }
}

impl Ring {
    fn push(&mut self, unit: Option<u8>, request: &[u8]) {
        if self.exchanges.len() == EXCHANGES_MAX {
            self.exchanges.pop_front();
        }
        self.written += 1;
        self.open = true;
        self.exchanges.push_back(Exchange {
            number: self.written,
            begun: Instant::now(),
            bytes: request.to_vec(),
            asked: u16::try_from(request.len()).expect("a request is at most 260 bytes"),
            unit,
            verdict: Verdict::None,
            more: 0,
            heard_us: None,
            dropped: None,
        });
    }

    /// False when it said nothing new.
    fn incident(&mut self, cause: &str, event: Option<&str>) -> bool {
        let gathers = |i: &Incident| !i.complete && self.written < i.until && !i.is_late();
        if let Some(gathering) = self.incidents.back_mut().filter(|i| gathers(i)) {
            return gathering.add(cause, event);
        }
        self.settle_incident(false);
        if self.incidents.len() == INCIDENTS_MAX {
            self.incidents.pop_front();
        }
        self.incidents_begun += 1;
        self.incidents.push_back(Incident {
            number: self.incidents_begun,
            at: Instant::now(),
            cause: cause.to_owned(),
            events: event.map(str::to_owned).into_iter().collect(),
            until: self.written + AFTER,
            complete: false,
            exchanges: self.exchanges.iter().rev().take(BEFORE).rev().cloned().collect(),
        });
        true
    }

    /// When the newest incident is complete at the latest; `None` when it is, or when the end of the exchange under way makes it so.
    fn gathers_until(&self) -> Option<Instant> {
        let incident = self.incidents.back().filter(|i| !i.complete)?;
        (!(self.open && incident.is_late())).then(|| incident.at + GATHERS_AT_MOST)
    }

    /// Adds to the newest incident what has come after it; `early` does not wait for all of it. True when it is complete now.
    fn settle_incident(&mut self, early: bool) -> bool {
        let Some(incident) = self.incidents.back_mut().filter(|i| !i.complete) else { return false };
        let all = self.written >= incident.until || incident.is_late();
        if !early && !all {
            return false;
        }
        // The last exchange of all may still be under way while somebody looks.
        incident.complete = all && !early;
        // The last one of before may have been under way when it was copied.
        if let Some(last) = incident.exchanges.pop() {
            let fresh = self.exchanges.iter().filter(|e| e.number >= last.number && e.number <= incident.until);
            let before = incident.exchanges.len();
            incident.exchanges.extend(fresh.cloned());
            if incident.exchanges.len() == before {
                incident.exchanges.push(last);
            }
        } else {
            incident.exchanges.extend(self.exchanges.iter().filter(|e| e.number <= incident.until).cloned());
        }
        incident.complete
    }
}

impl Incident {
    /// It has gathered for as long as it may.
    fn is_late(&self) -> bool {
        self.at.elapsed() >= GATHERS_AT_MOST
    }

    fn add(&mut self, cause: &str, event: Option<&str>) -> bool {
        let another =
            self.cause.len() + cause.len() < CAUSE_BYTES && !self.cause.split(", ").any(|known| known == cause);
        if another {
            self.cause = format!("{}, {cause}", self.cause);
        }
        let event = event.filter(|_| self.events.len() < EVENTS_MAX);
        self.events.extend(event.map(str::to_owned));
        another || event.is_some()
    }
}

impl Exchange {
    fn hear(&mut self, bytes: &[u8]) {
        let us = u32::try_from(self.begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.heard_us = Some((self.heard_us.map_or(us, |(first, _)| first), us));
        let room = KEPT_BYTES.saturating_sub(self.bytes.len() - usize::from(self.asked)).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        self.more += bytes.len() - room;
    }

    fn view(&self, now: (Instant, i64)) -> ExchangeView {
        let (request, received) = self.bytes.split_at(self.asked.into());
        ExchangeView {
            number: self.number,
            utc_ms: utc_ms(self.begun, now),
            unit: self.unit,
            request: hex(request),
            received: hex(received),
            more_bytes: self.more,
            first_byte_us: self.heard_us.map(|(first, _)| first.into()),
            last_byte_us: self.heard_us.map(|(_, last)| last.into()),
            verdict: self.verdict,
            dropped: self.dropped.as_deref().copied().unwrap_or_default(),
        }
    }
}

fn utc_ms(at: Instant, (now, now_utc_ms): (Instant, i64)) -> i64 {
    now_utc_ms - i64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(0)
}

/// `01 03 00 6B`.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{byte:02X}"));
    }
    text
}

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
    /// Bytes beyond what is kept.
    pub more_bytes: usize,
    /// From the request to the first and to the last byte that came in.
    pub first_byte_us: Option<u64>,
    pub last_byte_us: Option<u64>,
    pub verdict: Verdict,
    pub dropped: Dropped,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(recorder: &Recorder, answer: &[u8]) {
        recorder.begin(1, &[1, 3, 0, 0, 0, 1]);
        recorder.heard(answer);
        recorder.end(Verdict::Ok, Dropped::default());
    }

    #[tokio::test]
    async fn the_last_256_exchanges_are_kept_and_chatter_does_not_grow_them() {
        let recorder = Recorder::default();
        for _ in 0..1_000 {
            exchange(&recorder, &[0xA5; 10_000]);
        }
        let kept = recorder.exchanges(0);
        assert_eq!((kept.len(), kept[0].number), (EXCHANGES_MAX, 745));
        assert!(kept.iter().all(|e| e.received.len() == KEPT_BYTES * 3 - 1 && e.more_bytes == 10_000 - KEPT_BYTES));
    }

    #[tokio::test]
    async fn unasked_bytes_are_one_entry_until_the_next_request() {
        let recorder = Recorder::default();
        exchange(&recorder, &[1]);
        for _ in 0..10_000 {
            recorder.heard(&[2; 12]);
        }
        exchange(&recorder, &[3]);
        let kept = recorder.exchanges(0);
        assert_eq!(kept.iter().map(|e| e.unit).collect::<Vec<_>>(), [Some(1), None, Some(1)]);
        assert_eq!(kept[1].more_bytes, 120_000 - KEPT_BYTES);
    }

    #[tokio::test]
    async fn an_incident_keeps_what_was_before_and_what_came_after() {
        let recorder = Recorder::default();
        for n in 0..100 {
            exchange(&recorder, &[n]);
        }
        recorder.incident("unit_dead u1", None);
        exchange(&recorder, &[101]);
        recorder.incident("alarm GT-1:HH", Some("site-7"));
        assert!(!recorder.incidents(0)[0].complete);
        for _ in 0..1_000 {
            exchange(&recorder, &[9]);
        }
        let [incident] = &recorder.incidents(5_000)[..] else { panic!("one incident, two causes") };
        assert_eq!(incident.cause, "unit_dead u1, alarm GT-1:HH");
        assert_eq!((&incident.event_ids[..], incident.complete), (&["site-7".to_owned()][..], true));
        let numbers: Vec<u64> = incident.exchanges.iter().map(|e| e.number).collect();
        assert_eq!(numbers, (37..=132).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn incidents_are_bounded_and_the_newest_stay() {
        let recorder = Recorder::default();
        for n in 0..20 {
            recorder.incident(&format!("number {n}"), None);
            for _ in 0..40 {
                exchange(&recorder, &[9]);
            }
        }
        let kept = recorder.incidents(0);
        assert_eq!(kept.len(), INCIDENTS_MAX);
        assert_eq!((&*kept[3].cause, kept[3].number), ("number 19", 20));
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_incidents_hears_of_their_beginning_and_of_their_end_and_of_nothing_else() {
        let recorder = Recorder::default();
        let heard =
            async || tokio::time::timeout(std::time::Duration::from_secs(1), recorder.incident_news()).await.is_ok();
        exchange(&recorder, &[9]);
        assert!(!heard().await, "an exchange is no news");
        recorder.incident("alarm GT-1:HH", None);
        assert!(heard().await && !heard().await);
        (0..31).for_each(|_| exchange(&recorder, &[9]));
        assert!(!heard().await, "it still gathers");
        (0..200).for_each(|_| exchange(&recorder, &[9]));
        assert!(heard().await && !heard().await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_incident_on_a_link_that_falls_silent_is_complete_after_two_minutes_and_gathers_no_more() {
        let recorder = Recorder::default();
        exchange(&recorder, &[1]);
        recorder.incident("unit_dead u1", None);
        exchange(&recorder, &[2]);
        recorder.incident_news().await;
        let begun = Instant::now();
        recorder.incident_news().await;
        assert_eq!(begun.elapsed(), GATHERS_AT_MOST);
        let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
        assert_eq!((incident.complete, incident.exchanges.len()), (true, 2));
        exchange(&recorder, &[3]);
        recorder.incident("link_down", None);
        let [old, new] = &recorder.incidents(0)[..] else { panic!("another incident begins anew") };
        assert_eq!((&*old.cause, old.exchanges.len(), &*new.cause), ("unit_dead u1", 2, "link_down"));
        assert!(old.complete && !new.complete);
    }

    #[tokio::test(start_paused = true)]
    async fn after_two_minutes_another_incident_begins_also_where_nobody_has_looked_meanwhile() {
        let recorder = Recorder::default();
        recorder.incident("unit_dead u1", None);
        tokio::time::advance(GATHERS_AT_MOST).await;
        recorder.incident("link_down", None);
        assert_eq!(recorder.incidents(0).len(), 2);
    }

    #[tokio::test]
    async fn a_flood_of_alarms_belongs_to_one_incident_up_to_a_bound() {
        let recorder = Recorder::default();
        (0..200).for_each(|n| recorder.incident(&format!("alarm GT-{n}:HH"), Some("site-7")));
        let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
        assert_eq!(incident.event_ids.len(), EVENTS_MAX);
        assert!(incident.cause.len() < CAUSE_BYTES + 2, "{}", incident.cause.len());
    }
}
