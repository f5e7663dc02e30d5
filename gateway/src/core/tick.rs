//! The engine's next deadline as one timer that lives as long as the core: most turns change no deadline, and a timer that is made and
//! dropped with each of them costs more than the turn of a sample that settles nothing.
//!
//! Owns when the timer is set anew. Leaves what is due then to the engine. The two clocks differ while a machine sleeps; what that leaves
//! late is done with the second's turn, as every input does what is due before it.

use rules::Mono;
use std::pin::Pin;
use tokio::time::{Instant, Sleep, sleep_until};

pub(super) struct Tick {
    timer: Pin<Box<Sleep>>,
    /// What the timer is set to; none when nothing is due.
    set_to: Option<Mono>,
}

impl Tick {
    pub(super) fn new() -> Self {
        Self { timer: Box::pin(sleep_until(Instant::now())), set_to: None }
    }

    /// Sets the timer if the deadline is another one; only then `now` is asked.
    pub(super) fn follow(&mut self, deadline: Option<Mono>, now: impl FnOnce() -> Mono) {
        if self.set_to == deadline {
            return;
        }
        self.set_to = deadline;
        if let Some(at) = deadline {
            self.timer.as_mut().reset(Instant::now() + at.since(now()));
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.set_to.is_some()
    }

    /// Ends at the deadline; the next [`Tick::follow`] sets the timer whatever the deadline is.
    pub(super) async fn comes(&mut self) {
        self.timer.as_mut().await;
        self.set_to = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_timer_is_set_for_another_deadline_only_and_comes_then() {
        let (begun, mut tick, asked) = (Instant::now(), Tick::new(), Cell::new(0));
        let now = || {
            asked.set(asked.get() + 1);
            Mono(u64::try_from(begun.elapsed().as_nanos()).unwrap())
        };
        let at = |ms: u64| Some(Mono(ms * 1_000_000));
        assert!(!tick.is_set());
        for turn_ms in 0..40 {
            tick.follow(at(50), now);
            tokio::select! {
                biased;
                () = tick.comes(), if tick.is_set() => panic!("early at {turn_ms} ms"),
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
        assert_eq!(asked.get(), 1, "forty turns, one deadline");
        tick.follow(at(45), now);
        tick.comes().await;
        assert_eq!((begun.elapsed().as_millis(), asked.get()), (45, 2), "what is due sooner is heeded");
        tick.follow(at(45), now);
        tick.comes().await; // what is over is due at once
        tick.follow(at(60), now);
        tick.comes().await;
        assert_eq!((begun.elapsed().as_millis(), asked.get()), (60, 4));
        tick.follow(None, now);
        assert!(!tick.is_set() && asked.get() == 4);
    }
}
