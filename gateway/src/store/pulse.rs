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
use rules::{Clock, Mono};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// About 35 MB of journal a day on flash; half of the watchdog's own bound.
const EVERY: Duration = Duration::from_secs(10);
/// Nothing waits for a pulse, so it has more time than an alarm's commit (500 ms): flash that cleans up for a second or two is no fault.
const LATE_AFTER: Duration = Duration::from_secs(5);

/// What is known of the records file from its last pulse.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Nanoseconds of [`Mono`] at which a write was asked for that has not come back; 0 when none is.
    asked_at: AtomicU64,
    /// Writes that came back, good or bad.
    answers: AtomicU64,
    refused: AtomicBool,
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

    async fn beat(&self, store: &Store, clock: &dyn Clock) {
        let now = clock.now();
        self.asked_at.store(now.mono.0.max(1), Ordering::Relaxed);
        let written = store.write(move |tx| commit::mark_alive(tx, now.wall.utc_ms)).await;
        if let Err(error) = &written {
            tracing::error!(%error, "the records file does not take a write");
        }
        self.refused.store(written.is_err(), Ordering::Relaxed);
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
