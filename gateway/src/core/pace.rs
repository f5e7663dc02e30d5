//! When the core draws: four times a second while somebody looks, once a second while nobody does. A timer that has nothing to do is half
//! of what an idle gateway costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

/// Values reach the page at most four times a second …
const SEEN_EVERY: Duration = Duration::from_millis(250);
/// … and a picture that nobody looks at is drawn once a second, with what else is due then.
const UNSEEN_EVERY: Duration = Duration::from_secs(1);

/// Whether anybody took a picture, told by whoever does.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    since_drawn: AtomicBool,
    begins: Notify,
}

impl Looked {
    pub(crate) fn note(&self) {
        if !self.since_drawn.swap(true, Ordering::Relaxed) {
            self.begins.notify_one();
        }
    }
}

/// What is due.
pub(super) struct Due {
    /// What is done once a second.
    pub(super) second: bool,
    /// Somebody has looked since the last time.
    pub(super) seen: bool,
}

pub(super) struct Pace {
    second_at: Instant,
    /// Of the next picture for somebody who looks.
    seen_at: Instant,
    seen: bool,
}

impl Pace {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { second_at: now + UNSEEN_EVERY, seen_at: now, seen: true }
    }

    fn next(&self) -> Instant {
        if self.seen { self.second_at.min(self.seen_at) } else { self.second_at }
    }

    /// The timer of the next turn.
    pub(super) fn timer(&self) -> Sleep {
        sleep_until(self.next())
    }

    /// Ends with the next turn. Who begins to look does not wait for a whole second.
    pub(super) async fn turn(&mut self, looked: &Looked, mut timer: std::pin::Pin<&mut Sleep>) -> Due {
        loop {
            tokio::select! {
                biased;
                () = timer.as_mut() => break,
                () = looked.begins.notified(), if !self.seen => {
                    self.seen = true;
                    timer.as_mut().reset(self.next());
                }
            }
        }
        let now = Instant::now();
        let second = now >= self.second_at;
        if second {
            self.second_at = now + UNSEEN_EVERY;
        }
        self.seen_at = now + SEEN_EVERY;
        self.seen = looked.since_drawn.swap(false, Ordering::Relaxed);
        timer.reset(self.next());
        Due { second, seen: self.seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_draws_once_a_second_until_somebody_looks_and_then_four_times() {
        let (looked, begun) = (Looked::default(), Instant::now());
        let mut pace = Pace::begin(); // the first picture at once
        let timer = pace.timer();
        tokio::pin!(timer);
        let mut drawn = Vec::new();
        for turn in 0..8 {
            let looker = async {
                if turn == 2 {
                    tokio::time::sleep(Duration::from_millis(400)).await;
                    looked.note();
                } else if turn == 3 {
                    looked.note();
                }
            };
            let (due, ()) = tokio::join!(pace.turn(&looked, timer.as_mut()), looker);
            drawn.push((begun.elapsed().as_millis(), due.second, due.seen));
        }
        assert_eq!(drawn[..3], [(0, false, false), (1_000, true, false), (1_400, false, true)]);
        assert_eq!(drawn[3..6], [(1_650, false, true), (1_900, false, false), (2_000, true, false)]);
        assert_eq!(drawn[6].0, 3_000);
    }
}
