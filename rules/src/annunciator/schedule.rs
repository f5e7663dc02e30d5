//! When the daily self-test is due.
//!
//! The one decision that looks at the time of day, because people expect the sound then. The monotonic clock bounds it: a test comes within
//! [`TEST_AT_LATEST`] whatever the wall clock does, and a stepping clock makes no series of them.

use crate::time::{Mono, Now};
use std::time::Duration;

/// A clock that stands still or was set back must not put off the test for longer than an hour.
pub const TEST_AT_LATEST: Duration = Duration::from_secs(25 * 3600);
/// Between a test of any origin and the daily one.
const TEST_SPACING: Duration = Duration::from_secs(3600);
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// China has one time zone and no summer time; the page shows the same.
const SITE_OFFSET_MS: i64 = 8 * 60 * MINUTE_MS;

/// A time of day at the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteTime {
    minute: u16,
}

impl SiteTime {
    /// Of `HH:MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok())?;
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        (hours < 24 && minutes < 60).then_some(Self { minute: hours * 60 + minutes })
    }

    /// Grows by one when this time of day has come.
    fn day(self, now: Now) -> i64 {
        (now.wall.utc_ms + SITE_OFFSET_MS - i64::from(self.minute) * MINUTE_MS).div_euclid(DAY_MS)
    }
}

impl std::fmt::Display for SiteTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

/// The daily test.
#[derive(Clone, Debug)]
pub(super) struct Daily {
    at: SiteTime,
    /// The last day that was looked at.
    day: i64,
    /// The last test, or the start.
    last: Mono,
    /// A test was done since the start.
    tested: bool,
}

impl Daily {
    pub(super) fn new(at: SiteTime, now: Now) -> Self {
        Self { at, day: at.day(now), last: now.mono, tested: false }
    }

    /// True once when a test is due.
    pub(super) fn is_due(&mut self, now: Now) -> bool {
        let day = self.at.day(now);
        let since = now.mono.since(self.last);
        let spaced = !self.tested || since >= TEST_SPACING;
        let due = (day > self.day && spaced) || since >= TEST_AT_LATEST;
        self.day = day;
        if due {
            self.tested(now);
        }
        due
    }

    /// A test of any origin began.
    pub(super) fn tested(&mut self, now: Now) {
        (self.last, self.tested) = (now.mono, true);
    }
}
