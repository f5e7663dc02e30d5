//! Pumps stored samples to InfluxDB from a durable cursor.
//!
//! ```text
//!   read after cursor ──► write ──204──► advance cursor ──► read …
//!                           │ 400/422: halve until the bad line is alone ──► dead letter, the rest goes on
//!                           │ 401/403/404: hold everything, alarm, again after 60 s
//!                           │ 413: halve the batch
//!                           └ 429, 5xx, transport: back-off 1 → 60 s with jitter, no limit of attempts
//! ```
//!
//! Owns the order and the policy. Leaves encoding to `line`, the samples and the cursor to a [`Source`], HTTP to a [`Sink`].

use super::line::{Encoder, SeriesSample};
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// First and longest pause after a failure that may pass by itself. The server's Retry-After is not visible through the client, so the
/// longest is conservative.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_LONGEST: Duration = Duration::from_secs(60);
/// Wrong credentials do not mend themselves within seconds.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// Nothing new: one group commit later there is.
const IDLE_PAUSE: Duration = Duration::from_millis(500);

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
    fn write(&self, body: String) -> impl Future<Output = Answer> + Send;
}

/// Where samples come from, and what must survive a restart.
pub trait Source: Send {
    /// Position in the history; opaque here.
    type Cursor: Clone + Send;
    /// Samples after `cursor`, oldest first, with the position after them; empty when there is nothing new.
    fn after(&self, cursor: &Self::Cursor) -> impl Future<Output = Option<(Vec<SeriesSample>, Self::Cursor)>> + Send;
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
pub async fn pump<S: Source, K: Sink>(
    source: &S,
    sink: &K,
    encoder: &Encoder,
    mut report: impl FnMut(&Figures),
    stop: &CancellationToken,
) {
    let mut figures = Figures::default();
    let mut cursor = source.load().await;
    while !stop.is_cancelled() {
        match source.after(&cursor).await {
            Some((samples, next)) if !samples.is_empty() => {
                let lines = encode(encoder, &samples, &mut figures);
                figures.pending = lines.len() as u64;
                report(&figures);
                if !deliver(source, sink, lines, &mut figures, &mut report, stop).await {
                    return;
                }
                figures.pending = 0;
                cursor = next;
                source.save(&cursor).await;
                report(&figures);
            }
            _ => {
                report(&figures);
                pause(IDLE_PAUSE, stop).await;
            }
        }
    }
}

fn encode(encoder: &Encoder, samples: &[SeriesSample], figures: &mut Figures) -> Vec<String> {
    let lines: Vec<String> = samples.iter().filter_map(|s| encoder.line(s)).collect();
    figures.unknown_points += (samples.len() - lines.len()) as u64;
    lines
}

/// Delivers all lines or sets single ones aside; false when stopped before the end (the cursor then stays, and sending again is harmless).
async fn deliver<S: Source, K: Sink>(
    source: &S,
    sink: &K,
    lines: Vec<String>,
    figures: &mut Figures,
    report: &mut impl FnMut(&Figures),
    stop: &CancellationToken,
) -> bool {
    let mut backoff = BACKOFF_FIRST;
    // Parts still to be sent, the next one last.
    let mut parts = vec![lines];
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        let answer = tokio::select! {
            biased;
            answer = sink.write(part.join("\n")) => answer,
            () = stop.cancelled() => return false,
        };
        figures.refused = matches!(answer, Answer::Refused(_));
        match answer {
            Answer::Stored => {
                figures.delivered += part.len() as u64;
                figures.last_error = None;
                backoff = BACKOFF_FIRST;
            }
            Answer::BadData(reason) if part.len() == 1 => {
                source.set_aside(part.into_iter().next().unwrap_or_default(), reason.clone()).await;
                figures.dead_lettered += 1;
                figures.last_error = Some(reason);
            }
            Answer::TooLarge if part.len() == 1 => {
                source.set_aside(part.into_iter().next().unwrap_or_default(), "too large".into()).await;
                figures.dead_lettered += 1;
            }
            Answer::BadData(_) | Answer::TooLarge => halve(part, &mut parts),
            Answer::Refused(reason) => {
                figures.last_error = Some(reason);
                parts.push(part);
                report(figures);
                pause(REFUSED_PAUSE, stop).await;
            }
            Answer::TryLater(reason) => {
                figures.last_error = Some(reason);
                parts.push(part);
                report(figures);
                pause(jittered(backoff, parts.last().and_then(|part| part.first())), stop).await;
                backoff = (backoff * 2).min(BACKOFF_LONGEST);
            }
        }
        if stop.is_cancelled() && !parts.is_empty() {
            return false;
        }
    }
    true
}

fn halve(mut part: Vec<String>, parts: &mut Vec<Vec<String>>) {
    let second = part.split_off(part.len() / 2);
    parts.push(second);
    parts.push(part);
}

async fn pause(length: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = stop.cancelled() => {}
    }
}

/// Between half and the whole of `length`, by the line that is to be sent: many gateways do not come back in the same second, and one
/// run can be repeated.
fn jittered(length: Duration, line: Option<&String>) -> Duration {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (line, length).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() & 0xFF).unwrap_or(0);
    length / 2 + (length / 2) * share / 255
}

#[cfg(test)]
mod tests {
    use super::*;
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
        async fn write(&self, body: String) -> Answer {
            self.requests.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = self.script.lock().unwrap().pop() {
                return answer;
            }
            if body.contains("poison") {
                return Answer::BadData("unable to parse".into());
            }
            self.stored.lock().unwrap().extend(body.lines().map(str::to_owned));
            Answer::Stored
        }
    }

    #[derive(Default)]
    struct Aside(Mutex<Vec<String>>);

    impl Source for Aside {
        type Cursor = usize;
        async fn after(&self, _: &usize) -> Option<(Vec<SeriesSample>, usize)> {
            None
        }
        async fn load(&self) -> usize {
            0
        }
        async fn save(&self, _: &usize) -> bool {
            true
        }
        async fn set_aside(&self, line: String, _: String) -> bool {
            self.0.lock().unwrap().push(line);
            true
        }
    }

    async fn run(database: &Database, aside: &Aside, lines: Vec<String>) -> Figures {
        let mut figures = Figures::default();
        let stop = CancellationToken::new();
        assert!(deliver(aside, database, lines, &mut figures, &mut |_| {}, &stop).await);
        figures
    }

    #[tokio::test]
    async fn one_bad_line_of_500_is_set_aside_and_499_arrive_in_order() {
        let (database, aside) = (Database::default(), Aside::default());
        let lines: Vec<String> =
            (0..500).map(|i| if i == 321 { "poison".into() } else { format!("line {i}") }).collect();
        let figures = run(&database, &aside, lines.clone()).await;
        assert_eq!((figures.delivered, figures.dead_lettered), (499, 1));
        assert_eq!(*aside.0.lock().unwrap(), ["poison"]);
        let expected: Vec<String> = lines.into_iter().filter(|l| l != "poison").collect();
        assert_eq!(*database.stored.lock().unwrap(), expected);
        assert!(database.requests.load(Ordering::Relaxed) <= 20, "halving needs about 2·log2(500) requests");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_by_itself_is_tried_again_without_an_end() {
        let (database, aside) = (Database::default(), Aside::default());
        *database.script.lock().unwrap() = (0..30).map(|_| Answer::TryLater("503".into())).collect();
        let figures = run(&database, &aside, vec!["a".into(), "b".into()]).await;
        assert_eq!((figures.delivered, figures.last_error), (2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn refused_credentials_hold_everything_and_say_so() {
        let (database, aside) = (Database::default(), Aside::default());
        database.script.lock().unwrap().push(Answer::Refused("unauthorized access".into()));
        let mut seen = Vec::new();
        let mut figures = Figures::default();
        let stop = CancellationToken::new();
        let mut report = |f: &Figures| seen.push(f.refused);
        assert!(deliver(&aside, &database, vec!["a".into()], &mut figures, &mut report, &stop).await);
        assert_eq!(seen, [true], "the alarm is reported while waiting");
        assert_eq!((figures.delivered, figures.refused), (1, false));
    }

    #[tokio::test]
    async fn a_batch_too_large_is_halved() {
        let (database, aside) = (Database::default(), Aside::default());
        *database.script.lock().unwrap() = vec![Answer::TooLarge, Answer::TooLarge];
        let figures = run(&database, &aside, (0..8).map(|i| format!("{i}")).collect()).await;
        assert_eq!(figures.delivered, 8);
        assert_eq!(database.stored.lock().unwrap().len(), 8);
    }
}
