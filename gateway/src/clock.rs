//! The only place that reads time.
//!
//! Owns the two system clocks and what is known about the wall clock. Everybody else takes a [`rules::Clock`] or a [`rules::Now`].

use rules::{Clock, Mono, Now, TimeQuality, Wall};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

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
    /// What was found of a time service, as [`Discipline::to_bits`], and when (monotonic seconds) to look again.
    discipline: AtomicU32,
    look_again_s: AtomicU64,
    asks_kernel: bool,
}

/// Whether anything sets the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Discipline {
    /// Nothing does, or it has been silent for hours.
    Absent,
    /// A time daemon runs; how good the clock is cannot be asked.
    Running,
    /// It is synchronised and wrong by so many ms at most.
    Within(u16),
}

impl Discipline {
    /// The kernel's word where it can be had: a daemon that runs behind a closed line disciplines nothing, and one in another place than
    /// [`TIME_DAEMONS`] leaves its mark there as well. Where the question may not be put a daemon that runs is believed.
    fn judge(kernel: Option<devices::ClockDiscipline>, daemon_runs: impl FnOnce() -> bool) -> Self {
        match kernel {
            Some(said) if said.synchronised => {
                Self::Within(u16::try_from(said.max_error_us.div_ceil(1000)).unwrap_or(u16::MAX))
            }
            Some(_) => Self::Absent,
            None if daemon_runs() => Self::Running,
            None => Self::Absent,
        }
    }

    fn to_bits(self) -> u32 {
        match self {
            Self::Absent => 0,
            Self::Running => 1,
            Self::Within(ms) => u32::from(ms) + 2,
        }
    }

    fn of_bits(bits: u32) -> Self {
        match bits {
            0 => Self::Absent,
            1 => Self::Running,
            more => Self::Within(u16::try_from(more - 2).unwrap_or(u16::MAX)),
        }
    }
}

impl SystemClock {
    /// Looks every ten seconds, in which the bound grows by 5 ms, and not on every call: this is asked for each scan.
    fn discipline(&self, mono: Mono) -> Discipline {
        let now_s = mono.0 / 1_000_000_000;
        if now_s >= self.look_again_s.load(Ordering::Relaxed) {
            self.look_again_s.store(now_s + 10, Ordering::Relaxed);
            let kernel = self.asks_kernel.then(|| devices::clock_discipline().ok()).flatten();
            let found = Discipline::judge(kernel, a_time_daemon_runs);
            self.discipline.store(found.to_bits(), Ordering::Relaxed);
        }
        Discipline::of_bits(self.discipline.load(Ordering::Relaxed))
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
            discipline: AtomicU32::new(Discipline::Absent.to_bits()),
            look_again_s: AtomicU64::new(0),
            asks_kernel: may_ask_the_kernel(|| std::fs::read_to_string("/proc/self/status")),
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
        let (quality, max_error_ms) = match self.discipline(mono) {
            _ if self.has_stepped(mono, utc_ms) => (TimeQuality::Stepped, None),
            Discipline::Within(ms) if utc_ms >= PLAUSIBLE_UTC_MS => (TimeQuality::Synced, Some(ms)),
            Discipline::Running if utc_ms >= PLAUSIBLE_UTC_MS => (TimeQuality::Synced, None),
            Discipline::Absent | Discipline::Running | Discipline::Within(_) => (TimeQuality::Unsynced, None),
        };
        Now { mono, wall: Wall { utc_ms, quality, max_error_ms } }
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

/// What a time daemon leaves behind: the stamp of systemd-timesyncd, or that chrony, ntpd or OpenNTPD runs.
const TIME_DAEMONS: [&str; 5] = [
    "/run/systemd/timesync/synchronized",
    "/run/chrony/chronyd.pid",
    "/run/ntpd.pid",
    "/run/ntpsec/ntpd.pid",
    "/run/openntpd.pid",
];

/// By which a unit says that its filter of system calls lets the question through.
const ALLOWED: &str = "HAZARD_CLOCK_MAY_BE_ASKED";

/// A filter may end a process for a call that it does not name, and those of units written before the question do. So it is put only where
/// nothing filters, or where the unit says that it may be.
fn may_ask_the_kernel(status: impl FnOnce() -> std::io::Result<String>) -> bool {
    std::env::var_os(ALLOWED).is_some()
        || status().is_ok_and(|text| text.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "0"])))
}

fn a_time_daemon_runs() -> bool {
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
    use devices::ClockDiscipline;

    #[test]
    fn the_kernel_is_believed_before_a_daemon_that_runs_and_its_bound_is_kept() {
        let kernel = |synchronised, max_error_us| Some(ClockDiscipline { synchronised, max_error_us });
        for (said, daemon, found) in [
            (kernel(true, 12_001), false, Discipline::Within(13)),
            (kernel(true, 0), true, Discipline::Within(0)),
            (kernel(true, u64::MAX), false, Discipline::Within(u16::MAX)),
            (kernel(false, 16_000_000), true, Discipline::Absent),
            (None, true, Discipline::Running),
            (None, false, Discipline::Absent),
        ] {
            assert_eq!(Discipline::judge(said, || daemon), found, "{said:?}, daemon {daemon}");
            assert_eq!(Discipline::of_bits(found.to_bits()), found);
        }
    }

    #[test]
    fn under_a_filter_of_system_calls_the_kernel_is_asked_only_where_the_unit_says_so() {
        let may = |status: &str| may_ask_the_kernel(|| Ok(status.to_owned()));
        assert!(std::env::var_os(ALLOWED).is_none(), "the unit's word is not set here");
        assert!(may("Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n"));
        assert!(!may("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t3\n") && !may(""));
        assert!(!may_ask_the_kernel(|| Err(std::io::ErrorKind::NotFound.into())));
    }

    #[test]
    fn a_label_says_how_far_it_can_be_wrong_while_it_is_synchronised_only() {
        let label = |found: Discipline, ahead_ms: i64| {
            let clock = SystemClock::default();
            clock.discipline.store(found.to_bits(), Ordering::Relaxed);
            clock.look_again_s.store(u64::MAX, Ordering::Relaxed);
            clock.offset_ms.fetch_add(ahead_ms, Ordering::Relaxed);
            let wall = clock.now().wall;
            (wall.quality, wall.max_error_ms)
        };
        assert_eq!(label(Discipline::Within(7), 0), (TimeQuality::Synced, Some(7)));
        assert_eq!(label(Discipline::Running, 0), (TimeQuality::Synced, None));
        assert_eq!(label(Discipline::Absent, 0), (TimeQuality::Unsynced, None));
        assert_eq!(label(Discipline::Within(7), 3_600_000), (TimeQuality::Stepped, None));
    }

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
