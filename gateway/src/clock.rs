//! The only place that reads time.
//!
//! Owns the two system clocks and what is known about the wall clock. Everybody else takes a [`rules::Clock`] or a [`rules::Now`].

use rules::{Clock, Mono, Now, TimeQuality, Wall};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// A jump of the wall clock against the monotonic one beyond this is a step; NTP slews far less.
const STEP_MS: i64 = 2_000;
/// Before this (2020-01-01) the clock has never been set: no RTC, or its battery is empty.
const PLAUSIBLE_UTC_MS: i64 = 1_577_836_800_000;

/// `CLOCK_BOOTTIME` and `CLOCK_REALTIME`.
#[derive(Debug)]
pub struct SystemClock {
    /// Wall minus monotonic when first read, in ms.
    offset_ms: AtomicI64,
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
        let clock =
            Self { offset_ms: AtomicI64::new(0), disciplined: AtomicBool::new(false), look_again_s: AtomicU64::new(0) };
        let (mono, utc_ms) = read();
        clock.offset_ms.store(utc_ms - mono_ms(mono), Ordering::Relaxed);
        clock
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let (mono, utc_ms) = read();
        let drift = (utc_ms - mono_ms(mono)) - self.offset_ms.load(Ordering::Relaxed);
        let quality = if drift.abs() > STEP_MS {
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

/// What a time daemon leaves behind: systemd-timesyncd's stamp or chrony's drift file in use. Without either nothing is known.
fn is_disciplined() -> bool {
    Path::new("/run/systemd/timesync/synchronized").exists() || Path::new("/run/chrony/chronyd.pid").exists()
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
