//! Pumps what is stored to InfluxDB from a durable cursor: samples, and beside them the transitions of alarms.
//!
//! ```text
//!   read after cursor ──► write ──204──► advance cursor ──► read …
//!                           │ 400/422: halve until the bad line is alone ──► dead letter, the rest goes on
//!                           │ 401/403/404: hold everything, alarm, again after 60 s
//!                           │ 413: halve the batch
//!                           └ 429, 5xx, transport: back-off 1 → 60 s with jitter, no limit of attempts
//! ```
//!
//! Owns the order and the policy. Leaves encoding to an [`Encode`], what is sent and the cursor to a [`Source`], HTTP to a [`Sink`].

use bytes::Bytes;
use std::future::Future;
use std::ops::Range;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// First and longest pause after a failure that may pass by itself. The server's Retry-After is not visible through the client, so the
/// longest is conservative.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_LONGEST: Duration = Duration::from_secs(60);
/// Wrong credentials do not mend themselves within seconds.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// A request, a read and a saved cursor cost as much for one second's samples as for five; a person at a dashboard does not see five.
const BATCH_EVERY: Duration = Duration::from_secs(5);
/// InfluxDB's own advice is 5,000 to 10,000 lines a request; it also bounds the text in memory, to about 0.7 MB.
const LINES_MAX: usize = 5_000;
/// Full batches between two saved cursors while catching up; a batch sent twice changes nothing.
const BATCHES_UNSAVED_MAX: u32 = 8;

/// What the database answered, by what is done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Stored.
    Stored,
    /// The data are at fault (400, 422), with the server's text.
    BadData(String),
    /// Too large (413).
    TooLarge,
    /// Our settings are at fault (401, 403, 404), with the server's text.
    Refused(String),
    /// Anything that may pass by itself.
    TryLater(String),
}

/// Where lines go.
pub trait Sink: Send {
    /// Writes newline-separated lines.
    fn write(&self, body: Bytes) -> impl Future<Output = Answer> + Send;
}

/// How one item is written.
pub trait Encode<I>: Send + Sync {
    /// Appends one line with its newline; nothing for an item that has none.
    fn line(&self, item: &I, out: &mut String);
}

/// Items in the order in which they were stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch<I, C> {
    pub items: Vec<I>,
    /// Left out: samples of points that the configuration no longer has.
    pub unknown_points: u64,
    /// The position after them.
    pub next: C,
    /// More is there already.
    pub more: bool,
}

/// What a source gives out at once.
pub type BatchOf<S> = Batch<<S as Source>::Item, <S as Source>::Cursor>;

/// Where items come from, and what must survive a restart.
pub trait Source: Send {
    /// A sample, or an event.
    type Item: Send + Sync;
    /// Position behind an item; opaque here.
    type Cursor: Clone + Send;
    /// Items after `cursor`; `None` when there is nothing new.
    fn after(&self, cursor: &Self::Cursor) -> impl Future<Output = Option<BatchOf<Self>>> + Send;
    /// The position that was saved last.
    fn load(&self) -> impl Future<Output = Self::Cursor> + Send;
    /// Saves the position durably.
    fn save(&self, cursor: &Self::Cursor) -> impl Future<Output = bool> + Send;
    /// Keeps a line that the database will never take, with its reason.
    fn set_aside(&self, line: String, reason: String) -> impl Future<Output = bool> + Send;
}

/// Counters since start. delivered + dead-lettered + unknown is what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub delivered: u64,
    pub dead_lettered: u64,
    /// Samples of points that the configuration no longer has.
    pub unknown_points: u64,
    /// Samples of the batch in hand.
    pub pending: u64,
    /// Credentials, bucket or organisation are refused.
    pub refused: bool,
    pub last_error: Option<String>,
}

/// Runs until cancelled; `report` is called after every turn.
pub async fn pump<S: Source, K: Sink, E: Encode<S::Item>>(
    source: &S,
    sink: &K,
    encoder: &E,
    mut report: impl FnMut(&Figures),
    stop: &CancellationToken,
) {
    let mut figures = Figures::default();
    let mut cursor = source.load().await;
    let mut unsaved = 0;
    while !stop.is_cancelled() {
        let Some(batch) = source.after(&cursor).await else {
            report(&figures);
            pause(BATCH_EVERY, stop).await;
            continue;
        };
        figures.unknown_points += batch.unknown_points;
        figures.pending = batch.items.len() as u64;
        report(&figures);
        let mut delivery = Delivery { source, sink, encoder, figures: &mut figures, report: &mut report, stop };
        if !delivery.run(batch.items).await {
            return;
        }
        figures.pending = 0;
        cursor = batch.next;
        unsaved += 1;
        if !batch.more || unsaved >= BATCHES_UNSAVED_MAX {
            source.save(&cursor).await;
            unsaved = 0;
        }
        report(&figures);
        if !batch.more {
            pause(BATCH_EVERY, stop).await;
        }
    }
}

/// One batch on its way.
struct Delivery<'a, S, K, E, R> {
    source: &'a S,
    sink: &'a K,
    encoder: &'a E,
    figures: &'a mut Figures,
    report: &'a mut R,
    stop: &'a CancellationToken,
}

impl<S: Source, K: Sink, E: Encode<S::Item>, R: FnMut(&Figures)> Delivery<'_, S, K, E, R> {
    /// Delivers all items or sets single ones aside; false when stopped before the end (the cursor then stays, and sending again is
    /// harmless).
    async fn run(&mut self, items: Vec<S::Item>) -> bool {
        let mut backoff = BACKOFF_FIRST;
        // Parts still to be sent, the next one last.
        let mut parts = parts_of(items.len());
        while let Some(part) = parts.pop() {
            let lines = &items[part.clone()];
            let body = text_of(lines, self.encoder);
            let answer = tokio::select! {
                biased;
                answer = self.sink.write(body.clone()) => answer,
                () = self.stop.cancelled() => return false,
            };
            self.figures.refused = matches!(answer, Answer::Refused(_));
            match answer {
                Answer::Stored => {
                    self.figures.delivered += lines.len() as u64;
                    self.figures.last_error = None;
                    backoff = BACKOFF_FIRST;
                }
                Answer::BadData(reason) if lines.len() == 1 => self.set_aside(&body, reason).await,
                Answer::TooLarge if lines.len() == 1 => self.set_aside(&body, "too large".into()).await,
                Answer::BadData(_) | Answer::TooLarge => halve(part, &mut parts),
                Answer::Refused(reason) => {
                    parts.push(part);
                    self.wait(reason, REFUSED_PAUSE).await;
                }
                Answer::TryLater(reason) => {
                    let length = jittered(backoff, &body);
                    parts.push(part);
                    self.wait(reason, length).await;
                    backoff = (backoff * 2).min(BACKOFF_LONGEST);
                }
            }
            if self.stop.is_cancelled() && !parts.is_empty() {
                return false;
            }
        }
        true
    }

    async fn set_aside(&mut self, line: &[u8], reason: String) {
        self.source.set_aside(String::from_utf8_lossy(line).into_owned(), reason.clone()).await;
        self.figures.dead_lettered += 1;
        self.figures.last_error = Some(reason);
    }

    async fn wait(&mut self, reason: String, length: Duration) {
        self.figures.last_error = Some(reason);
        (self.report)(self.figures);
        pause(length, self.stop).await;
    }
}

/// Lines of one site are of much the same length: room for all is made by the first, and not by doubling it again and again.
fn text_of<I>(items: &[I], encoder: &impl Encode<I>) -> Bytes {
    let mut text = String::new();
    for (before, item) in items.iter().enumerate() {
        encoder.line(item, &mut text);
        if before == 0 {
            text.reserve_exact(text.len() * items.len() * 9 / 8);
        }
    }
    text.truncate(text.trim_end_matches('\n').len());
    text.into()
}

/// Requests for so many items, the first one last.
fn parts_of(items: usize) -> Vec<Range<usize>> {
    (0..items).step_by(LINES_MAX).map(|from| from..(from + LINES_MAX).min(items)).rev().collect()
}

fn halve(part: Range<usize>, parts: &mut Vec<Range<usize>>) {
    let middle = part.start + part.len() / 2;
    parts.push(middle..part.end);
    parts.push(part.start..middle);
}

async fn pause(length: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = stop.cancelled() => {}
    }
}

/// Between half and the whole of `length`, by the lines that are to be sent: many gateways do not come back in the same second, and one
/// run can be repeated.
fn jittered(length: Duration, body: &[u8]) -> Duration {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (body.split(|byte| *byte == b'\n').next(), length).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() & 0xFF).unwrap_or(0);
    length / 2 + (length / 2) * share / 255
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::influx::line::{Encoder, SeriesSample};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A database that refuses lines with `poison` and otherwise follows a script of answers.
    #[derive(Default)]
    struct Database {
        script: Mutex<Vec<Answer>>,
        stored: Mutex<Vec<String>>,
        requests: AtomicUsize,
    }

    impl Sink for Database {
        async fn write(&self, body: Bytes) -> Answer {
            let body = std::str::from_utf8(&body).unwrap();
            self.requests.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = self.script.lock().unwrap().pop() {
                return answer;
            }
            if body.contains(POISON) {
                return Answer::BadData("unable to parse".into());
            }
            self.stored.lock().unwrap().extend(body.lines().map(str::to_owned));
            Answer::Stored
        }
    }

    /// The time of the line that the database refuses.
    const POISON: &str = " 321000";

    #[derive(Default)]
    struct Aside {
        lines: Mutex<Vec<String>>,
        saved: AtomicUsize,
        /// Batches that wait.
        waiting: AtomicUsize,
    }

    impl Source for Aside {
        type Item = SeriesSample;
        type Cursor = usize;
        async fn after(&self, cursor: &usize) -> Option<BatchOf<Self>> {
            let left = self.waiting.load(Ordering::Relaxed).checked_sub(cursor + 1)?;
            Some(Batch { items: samples(10), unknown_points: 1, next: cursor + 1, more: left > 0 })
        }
        async fn load(&self) -> usize {
            0
        }
        async fn save(&self, _: &usize) -> bool {
            self.saved.fetch_add(1, Ordering::Relaxed);
            true
        }
        async fn set_aside(&self, line: String, _: String) -> bool {
            self.lines.lock().unwrap().push(line);
            true
        }
    }

    fn encoder() -> Encoder {
        Encoder::new(&crate::mqtt::fixture::site())
    }

    fn samples(n: i64) -> Vec<SeriesSample> {
        (0..n).map(|i| SeriesSample { point: 0, utc_ms: 1000 + i, value: Some(1.0), quality: 0 }).collect()
    }

    async fn run_with(
        database: &Database,
        aside: &Aside,
        samples: Vec<SeriesSample>,
        report: &mut impl FnMut(&Figures),
    ) -> Figures {
        let (mut figures, stop, encoder) = (Figures::default(), CancellationToken::new(), encoder());
        let figures_in = &mut figures;
        let mut delivery =
            Delivery { source: aside, sink: database, encoder: &encoder, figures: figures_in, report, stop: &stop };
        assert!(delivery.run(samples).await);
        figures
    }

    async fn run(database: &Database, aside: &Aside, samples: Vec<SeriesSample>) -> Figures {
        run_with(database, aside, samples, &mut |_| {}).await
    }

    #[tokio::test]
    async fn one_bad_line_of_500_is_set_aside_and_499_arrive_in_order() {
        let (database, aside) = (Database::default(), Aside::default());
        let mut samples = samples(500);
        samples[321].utc_ms = 321_000;
        let figures = run(&database, &aside, samples).await;
        assert_eq!((figures.delivered, figures.dead_lettered), (499, 1));
        assert!(aside.lines.lock().unwrap()[0].ends_with("quality=0i 321000"));
        let times: Vec<i64> = database
            .stored
            .lock()
            .unwrap()
            .iter()
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(times.is_sorted() && times.len() == 499, "{times:?}");
        assert!(database.requests.load(Ordering::Relaxed) <= 20, "halving needs about 2·log2(500) requests");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_by_itself_is_tried_again_without_an_end() {
        let (database, aside) = (Database::default(), Aside::default());
        *database.script.lock().unwrap() = (0..30).map(|_| Answer::TryLater("503".into())).collect();
        let figures = run(&database, &aside, samples(2)).await;
        assert_eq!((figures.delivered, figures.last_error), (2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn refused_credentials_hold_everything_and_say_so() {
        let (database, aside) = (Database::default(), Aside::default());
        database.script.lock().unwrap().push(Answer::Refused("unauthorized access".into()));
        let mut seen = Vec::new();
        let figures = run_with(&database, &aside, samples(1), &mut |f: &Figures| seen.push(f.refused)).await;
        assert_eq!(seen, [true], "the alarm is reported while waiting");
        assert_eq!((figures.delivered, figures.refused), (1, false));
    }

    #[tokio::test]
    async fn a_batch_too_large_is_halved() {
        let (database, aside) = (Database::default(), Aside::default());
        *database.script.lock().unwrap() = vec![Answer::TooLarge, Answer::TooLarge];
        let figures = run(&database, &aside, samples(8)).await;
        assert_eq!(figures.delivered, 8);
        assert_eq!(database.stored.lock().unwrap().len(), 8);
    }

    #[tokio::test]
    async fn no_request_is_longer_than_the_database_likes() {
        let (database, aside) = (Database::default(), Aside::default());
        let figures = run(&database, &aside, samples(25_000)).await;
        assert_eq!((figures.delivered, database.requests.load(Ordering::Relaxed)), (25_000, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_gathered_is_sent_without_a_pause_and_the_position_is_saved_now_and_then() {
        let (database, aside, stop) = (Database::default(), Aside::default(), CancellationToken::new());
        aside.waiting.store(20, Ordering::Relaxed);
        let begun = tokio::time::Instant::now();
        let (mut delivered, mut unknown) = (0, 0);
        let report = |f: &Figures| {
            (delivered, unknown) = (f.delivered, f.unknown_points);
            if delivered == 200 {
                stop.cancel();
            }
        };
        pump(&aside, &database, &encoder(), report, &stop).await;
        assert_eq!((delivered, unknown, aside.saved.load(Ordering::Relaxed)), (200, 20, 3));
        assert!(begun.elapsed() < BATCH_EVERY);
    }
}
