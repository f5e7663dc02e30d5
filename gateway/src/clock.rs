//! The only place that reads time.
//!
//! Owns the two system clocks and what is known about the wall clock. Everybody else takes a [`rules::Clock`] or a [`rules::Now`].

use rules::{Clock, Mono, Now, TimeQuality, Wall};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// A jump of the wall clock against the monotonic one beyond this is a step; NTP slews far less.
const STEP_MS: i64 = 2_000;
/// A step is said for so long; then the clock is what a time service makes of it. A machine without a battery has one at each start.
const STEP_SAID_S: u64 = 600;
/// Before this (2020-01-01) the clock has never been set: no RTC, or its battery is empty.
const PLAUSIBLE_UTC_MS: i64 = 1_577_836_800_000;

/// `CLOCK_BOOTTIME` and `CLOCK_REALTIME`.
#[derive(Debug)]
pub struct SystemClock {
    /// Wall minus monotonic since the last step, in ms.
    offset_ms: AtomicI64,
    /// Monotonic second of the last step, plus one; 0 without any.
    stepped_s: AtomicU64,
    /// Whether a time daemon was seen, and when (monotonic seconds) to look again.
    disciplined: AtomicBool,
    look_again_s: AtomicU64,
}

impl SystemClock {
    /// Looks for a time daemon every ten seconds, not on every call: this is asked for each scan.
    fn disciplined(&self, mono: Mono) -> bool {
        let now_s = mono.0 / 1_000_000_000;
        if now_s >= self.look_again_s.load(Ordering::Relaxed) {
            self.look_again_s.store(now_s + 10, Ordering::Relaxed);
            self.disciplined.store(is_disciplined(), Ordering::Relaxed);
        }
        self.disciplined.load(Ordering::Relaxed)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::since(read())
    }
}

impl SystemClock {
    fn since((mono, utc_ms): (Mono, i64)) -> Self {
        Self {
            offset_ms: AtomicI64::new(utc_ms - mono_ms(mono)),
            stepped_s: AtomicU64::new(0),
            disciplined: AtomicBool::new(false),
            look_again_s: AtomicU64::new(0),
        }
    }

    /// Whether the wall clock was set within the last ten minutes.
    fn has_stepped(&self, mono: Mono, utc_ms: i64) -> bool {
        let offset_ms = utc_ms - mono_ms(mono);
        let now_s = mono.0 / 1_000_000_000 + 1;
        if (offset_ms - self.offset_ms.load(Ordering::Relaxed)).abs() > STEP_MS {
            self.offset_ms.store(offset_ms, Ordering::Relaxed);
            self.stepped_s.store(now_s, Ordering::Relaxed);
        }
        let stepped_s = self.stepped_s.load(Ordering::Relaxed);
        stepped_s != 0 && now_s.saturating_sub(stepped_s) < STEP_SAID_S
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let (mono, utc_ms) = read();
        let quality = if self.has_stepped(mono, utc_ms) {
            TimeQuality::Stepped
        } else if utc_ms < PLAUSIBLE_UTC_MS || !self.disciplined(mono) {
            TimeQuality::Unsynced
        } else {
            TimeQuality::Synced
        };
        Now { mono, wall: Wall { utc_ms, quality } }
    }
}

fn read() -> (Mono, i64) {
    let boot = clock_gettime(ClockId::Boottime);
    let wall = clock_gettime(ClockId::Realtime);
    let mono = boot.tv_sec.unsigned_abs() * 1_000_000_000 + boot.tv_nsec.unsigned_abs();
    (Mono(mono), wall.tv_sec * 1000 + wall.tv_nsec / 1_000_000)
}

fn mono_ms(mono: Mono) -> i64 {
    i64::try_from(mono.0 / 1_000_000).unwrap_or(i64::MAX)
}

/// What a time daemon leaves behind: the stamp of systemd-timesyncd, or that chrony, ntpd or OpenNTPD runs. Without any nothing is known.
const TIME_DAEMONS: [&str; 5] = [
    "/run/systemd/timesync/synchronized",
    "/run/chrony/chronyd.pid",
    "/run/ntpd.pid",
    "/run/ntpsec/ntpd.pid",
    "/run/openntpd.pid",
];

fn is_disciplined() -> bool {
    TIME_DAEMONS.iter().any(|sign| Path::new(sign).exists())
}

/// The kernel's boot id; empty where there is none, which never equals a stored one of another boot.
#[must_use]
pub fn kernel_boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Names this run of the daemon: 64 random bits in hex.
#[must_use]
pub fn boot_id() -> String {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = read().0.0.to_le_bytes();
    }
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `20261124T021500Z`, for names of files that are set aside.
#[must_use]
pub fn file_label(now: Now) -> String {
    let time = jiff::Timestamp::from_millisecond(now.wall.utc_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_said_for_ten_minutes_and_another_one_again() {
        let at = |s: u64, ahead_ms: i64| {
            (Mono(s * 1_000_000_000), 1_700_000_000_000 + i64::try_from(s).unwrap() * 1000 + ahead_ms)
        };
        let clock = SystemClock::since(at(100, 0));
        let stepped = |s, ahead_ms| {
            let (mono, utc_ms) = at(s, ahead_ms);
            clock.has_stepped(mono, utc_ms)
        };
        assert!(!stepped(101, 1_900), "slewed");
        assert!(stepped(102, 3_600_000) && stepped(701, 3_600_000));
        assert!(!stepped(702, 3_600_000), "over, and what it was set to is believed");
        assert!(stepped(703, 0) && stepped(1302, 500), "set back");
        assert!(!stepped(1303, 500));
    }
}
