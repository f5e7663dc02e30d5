//! So many at once, then one for every so often: for what a person or a machine could otherwise fill a disk with.
//!
//! Owns the count. The caller says when it is, and counts what is not admitted.

use rules::Mono;
use std::time::Duration;

/// `burst` at once, then one for every `every`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    burst: u32,
    every: Duration,
    taken: u32,
    since: Mono,
}

impl Pace {
    pub(crate) const fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, taken: 0, since: Mono(0) }
    }

    /// True when there is room for one now, which is taken.
    pub(crate) fn admits(&mut self, now: Mono) -> bool {
        self.give_back(now);
        if self.taken == 0 {
            self.since = now;
        }
        let admitted = self.taken < self.burst;
        self.taken += u32::from(admitted);
        admitted
    }

    /// All of it is free: nobody has asked for long.
    pub(crate) fn is_rested(&mut self, now: Mono) -> bool {
        self.give_back(now);
        self.taken == 0
    }

    fn give_back(&mut self, now: Mono) {
        let over = now.since(self.since).as_nanos() / self.every.as_nanos();
        let free = u32::try_from(over).unwrap_or(u32::MAX).min(self.taken);
        self.taken -= free;
        self.since = self.since.plus(self.every * free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000_000)
    }

    #[test]
    fn a_burst_is_admitted_and_then_one_for_every_span() {
        let mut pace = Pace::new(3, Duration::from_secs(60));
        let mut tries = |times: u32, now: u64| (0..times).filter(|_| pace.admits(at(now))).count();
        assert_eq!(tries(10, 1_000), 3);
        assert_eq!((tries(5, 1_059), tries(5, 1_060), tries(5, 1_119)), (0, 1, 0));
        assert_eq!(tries(5, 1_180), 2);
        assert_eq!(tries(10, 90_000), 3, "a rest gives back the burst and no more");
        assert!(!pace.is_rested(at(90_060)) && pace.is_rested(at(90_180)));
    }
}
