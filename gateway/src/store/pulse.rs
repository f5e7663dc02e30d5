//! The store's pulse: a small durable write every ten seconds, so that a disk that stalls or refuses is known before the next alarm
//! needs it, and so that a start knows how long nobody watched.
//!
//! ```text
//!   Resting ──10 s──► Asked ──written──► Resting           late: refused, or asked for more than LATE_AFTER
//!                       └────refused───► Resting (refused)   stuck: asked and no answer; the watchdog counts these seconds
//! ```
//!
//! Owns when it was asked and what came of it. Leaves the alarm to `core` and the watchdog to `notify`.

use super::{Store, commit};
use rules::{Clock, Mono, Now};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// About 35 MB of journal a day on flash; half of the watchdog's own bound.
const EVERY: Duration = Duration::from_secs(10);
/// Nothing waits for a pulse, so it has more time than an alarm's commit (500 ms): flash that cleans up for a second or two is no fault.
const LATE_AFTER: Duration = Duration::from_secs(5);

/// Longer than any shelf or bypass may be.
const BEHIND_FOR: Duration = Duration::from_secs(24 * 3600);

/// What is known of the records file from its last pulse.
#[derive(Debug)]
pub struct Pulse {
    /// Nanoseconds of [`Mono`] at which a write was asked for that has not come back; 0 when none is.
    asked_at: AtomicU64,
    /// Writes that came back, good or bad.
    answers: AtomicU64,
    refused: AtomicBool,
    /// Nanoseconds of [`Mono`] since which the wall clock has been behind its mark; the greatest while it is not.
    behind_since: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            asked_at: AtomicU64::default(),
            answers: AtomicU64::default(),
            refused: AtomicBool::default(),
            behind_since: AtomicU64::new(u64::MAX),
        }
    }
}

impl Pulse {
    /// The disk has refused the last pulse or keeps one waiting.
    #[must_use]
    pub fn is_late(&self, now: Mono) -> bool {
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        self.refused.load(Ordering::Relaxed) || (asked_at != 0 && now.since(Mono(asked_at)) > LATE_AFTER)
    }

    /// Evidence for the watchdog: a number that grows, or none while nothing is asked. A disk that refuses is an answer, not a
    /// standstill: people are told, and starting again would not mend it.
    #[must_use]
    pub fn progress(&self) -> Option<u64> {
        (self.asked_at.load(Ordering::Relaxed) != 0).then(|| self.answers.load(Ordering::Relaxed))
    }

    /// The wall clock has run behind the latest time ever seen for so long that nothing is hidden from before.
    fn has_long_been_behind(&self, now: Now) -> bool {
        let since = self.behind_since.load(Ordering::Relaxed);
        since != u64::MAX && now.mono.since(Mono(since)) >= BEHIND_FOR
    }

    async fn beat(&self, store: &Store, clock: &dyn Clock) {
        let now = clock.now();
        self.asked_at.store(now.mono.0.max(1), Ordering::Relaxed);
        let lower = self.has_long_been_behind(now);
        let written = store.write(move |tx| commit::mark_alive(tx, now.wall.utc_ms, lower)).await;
        if let Err(error) = &written {
            tracing::error!(%error, "the records file does not take a write");
        }
        self.refused.store(written.is_err(), Ordering::Relaxed);
        if let Ok(mark) = written {
            let behind = mark > now.wall.utc_ms;
            let since = if behind { self.behind_since.load(Ordering::Relaxed).min(now.mono.0) } else { u64::MAX };
            self.behind_since.store(since, Ordering::Relaxed);
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.asked_at.store(0, Ordering::Relaxed);
        store.look_for_room().await;
    }
}

/// Keeps the pulse until `stop`; a write under way is not waited for then.
pub async fn keep_pulse(store: Store, clock: std::sync::Arc<dyn Clock>, stop: CancellationToken) {
    let turns = async {
        loop {
            store.pulse().beat(&store, &*clock).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    stop.run_until_cancelled(turns).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Workers;
    use crate::store::tests::options as store_options;
    use rusqlite::Connection;

    fn options() -> crate::store::OpenOptions {
        store_options("boot-a", Workers::Threads)
    }

    #[tokio::test]
    async fn a_held_records_file_is_late_and_stuck_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), options()).unwrap();
        let clock = options().clock;
        let pulse = store.pulse();
        pulse.beat(&store, &*clock).await;
        assert!(!pulse.is_late(clock.now().mono) && pulse.progress().is_none());

        let other = Connection::open(store.records_path()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut beat = Box::pin(pulse.beat(&store, &*clock));
        assert!(futures_util::poll!(&mut beat).is_pending());
        let asked = Mono(pulse.asked_at.load(Ordering::Relaxed));
        assert!(!pulse.is_late(asked.plus(LATE_AFTER)), "a hiccup is no fault");
        assert!(pulse.is_late(asked.plus(LATE_AFTER + Duration::from_secs(1))));
        assert_eq!((pulse.progress(), pulse.progress()), (Some(1), Some(1)), "the same number: a standstill");
        other.execute_batch("ROLLBACK").unwrap();
        beat.await;
        assert!(!pulse.is_late(clock.now().mono) && pulse.progress().is_none());
    }

    #[tokio::test]
    async fn a_refused_pulse_is_late_at_once_and_no_standstill() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), options()).unwrap();
        let clock = options().clock;
        store.write(|tx| tx.execute_batch("DROP TABLE meta")).await.unwrap();
        store.pulse().beat(&store, &*clock).await;
        assert!(store.pulse().is_late(clock.now().mono) && store.pulse().progress().is_none());
    }

    #[tokio::test]
    async fn the_latest_time_ever_seen_stays_the_mark_until_the_clock_has_been_behind_it_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), options()).unwrap();
        let mark = async |utc_ms: i64, lower: bool| {
            store.write(move |tx| commit::mark_alive(tx, utc_ms, lower)).await.unwrap()
        };
        assert_eq!(mark(9_000, false).await, 9_000);
        assert_eq!(mark(5_000, false).await, 9_000, "set back");
        let at = |hours: u64, utc_ms| rules::Now {
            mono: Mono(1 + hours * 3_600_000_000_000),
            wall: rules::Wall { utc_ms, ..rules::Wall::default() },
        };
        let pulse = Pulse::default();
        assert!(!pulse.has_long_been_behind(at(100, 5_000)), "it has not been behind yet");
        pulse.behind_since.store(at(1, 0).mono.0, Ordering::Relaxed);
        assert!(!pulse.has_long_been_behind(at(24, 5_000)) && pulse.has_long_been_behind(at(25, 5_000)));
        assert_eq!(mark(6_000, true).await, 6_000);
    }

    #[tokio::test]
    async fn a_start_knows_when_somebody_last_watched() {
        let folder = tempfile::tempdir().unwrap();
        let clock = options().clock;
        let (store, found) = Store::open(folder.path(), options()).unwrap();
        assert_eq!(found.last_utc_ms, None);
        let before = clock.now().wall.utc_ms;
        store.pulse().beat(&store, &*clock).await;
        drop(store);
        let (_store, found) = Store::open(folder.path(), options()).unwrap();
        assert!(found.last_utc_ms.is_some_and(|at| at >= before));
        assert_eq!(found.restored.wall_mark_utc_ms, found.last_utc_ms);
    }
}
