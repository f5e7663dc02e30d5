//! How often a sign-in may be tried: per account and door, and per address. Nobody is ever locked out for good.

use rules::Mono;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// Wrong tries of one account from one source that cost nothing.
const FREE_FAILURES: u32 = 5;
const LONGEST_DELAY_S: u64 = 60;
const WINDOW: Duration = Duration::from_secs(60);
pub(super) const TRIES_PER_WINDOW: usize = 20;
/// Entries kept; the oldest goes first, so that a flood of names cannot fill the memory.
const ENTRIES_MAX: usize = 4096;

/// Where somebody knocks: what is tried there is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    Address(IpAddr),
    /// A process on this machine that may read the station's own files. Strangers behind a proxy, or another program on this machine,
    /// cannot use up its tries; wrong passwords wait here as everywhere.
    LocalToken,
}

/// Why a try is not taken now, and for how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Too many sign-ins from this address, whoever made them.
    Address(u64),
    /// Too many wrong passwords for this account.
    Account(u64),
}

impl From<IpAddr> for Door {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    free_from: Mono,
}

/// The memory of wrong tries.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: BTreeMap<(Door, String), Failures>,
    tries: BTreeMap<IpAddr, VecDeque<Mono>>,
}

impl Throttle {
    /// Counts a try.
    pub(super) fn admit(&mut self, door: Door, user: &str, now: Mono) -> Result<(), Wait> {
        if let Some(entry) = self.failures.get(&(door, user.to_owned()))
            && entry.free_from > now
        {
            return Err(Wait::Account(seconds_up(entry.free_from.since(now))));
        }
        let Door::Address(source) = door else { return Ok(()) };
        self.tries.retain(|_, tries| tries.back().is_some_and(|last| now.since(*last) < WINDOW));
        if self.tries.len() >= ENTRIES_MAX {
            self.tries.pop_first();
        }
        let tries = self.tries.entry(source).or_default();
        while tries.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            tries.pop_front();
        }
        if tries.len() >= TRIES_PER_WINDOW {
            let oldest = tries.front().copied().unwrap_or(now);
            return Err(Wait::Address(seconds_up(WINDOW.saturating_sub(now.since(oldest)))));
        }
        tries.push_back(now);
        Ok(())
    }

    /// A wrong try: from the fifth on the next one waits 1, 2, 4 … 60 s.
    pub(super) fn failed(&mut self, door: Door, user: &str, now: Mono) {
        if self.failures.len() >= ENTRIES_MAX
            && let Some(oldest) =
                self.failures.iter().min_by_key(|(_, entry)| entry.free_from).map(|(key, _)| key.clone())
        {
            self.failures.remove(&oldest);
        }
        let entry = self.failures.entry((door, user.to_owned())).or_default();
        entry.count = entry.count.saturating_add(1);
        let over = entry.count.saturating_sub(FREE_FAILURES);
        let delay_s = if entry.count < FREE_FAILURES { 0 } else { (1u64 << over.min(6)).min(LONGEST_DELAY_S) };
        entry.free_from = now.plus(Duration::from_secs(delay_s));
    }

    pub(super) fn succeeded(&mut self, door: Door, user: &str) {
        self.failures.remove(&(door, user.to_owned()));
    }
}

fn seconds_up(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(LONGEST_DELAY_S).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Door = Door::Address(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000_000)
    }

    #[test]
    fn delays_double_up_to_a_minute_and_end_with_a_success() {
        let mut throttle = Throttle::default();
        (0..4).for_each(|_| throttle.failed(SOURCE, "anna", at(0)));
        assert_eq!(throttle.admit(SOURCE, "anna", at(0)), Ok(()));
        let mut delays = Vec::new();
        for _ in 0..8 {
            throttle.failed(SOURCE, "anna", at(0));
            delays.push(throttle.admit(SOURCE, "anna", at(0)).unwrap_err());
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60].map(Wait::Account));
        assert_eq!(
            throttle.admit(Door::Address("10.0.0.9".parse().unwrap()), "anna", at(0)),
            Ok(()),
            "another source is not held"
        );
        throttle.succeeded(SOURCE, "anna");
        assert_eq!(throttle.admit(SOURCE, "anna", at(0)), Ok(()));
    }

    #[test]
    fn the_twenty_first_try_within_a_minute_waits() {
        let mut throttle = Throttle::default();
        for n in 0..20 {
            assert_eq!(throttle.admit(SOURCE, &format!("user{n}"), at(n)), Ok(()));
        }
        assert_eq!(throttle.admit(SOURCE, "anna", at(20)), Err(Wait::Address(40)));
        assert_eq!(
            throttle.admit(Door::LocalToken, "anna", at(20)),
            Ok(()),
            "who may read the files has a door of their own"
        );
        (0..5).for_each(|_| throttle.failed(Door::LocalToken, "anna", at(20)));
        assert_eq!(
            throttle.admit(Door::LocalToken, "anna", at(20)),
            Err(Wait::Account(1)),
            "guessing is slow there too"
        );
        assert_eq!(throttle.admit(SOURCE, "anna", at(61)), Ok(()));
    }
}
