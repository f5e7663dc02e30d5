//! Counters of a bus that others may read at any time.
//!
//! Owns [`BusStatus`] (atomics, written by the bus and its line guard), [`BusSnapshot`], the lean copy taken every second, and
//! [`BusReport`], the full one made when somebody asks.

use crate::BusSpec;
use crate::recorder::{Concerns, Dropped, Recorder, Verdict};
use rules::Fault;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Relaxed);
    }
    pub(crate) fn one(&self) {
        self.add(1);
    }
    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! counters {
    ($(#[$m:meta])* $live:ident, $copy:ident { $($(#[$f:meta])* $name:ident),* $(,)? }) => {
        $(#[$m])*
        #[derive(Debug, Default)]
        pub struct $live { $($(#[$f])* pub $name: Counter),* }
        /// A copy at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct $copy { $($(#[$f])* pub $name: u64),* }
        impl $live {
            fn copy(&self) -> $copy { $copy { $($name: self.$name.get()),* } }
        }
    };
}

counters!(
    /// What the link has seen.
    LinkCounters, LinkCounts {
        bytes_sent,
        bytes_received,
        /// Complete and plausible, but the check sum is wrong.
        crc,
        /// Frames of other units or functions.
        foreign,
        /// Answers to a request that is over.
        stale,
        /// Our own request heard again.
        echo,
        /// Answers of the wrong length.
        short,
        /// Answers whose end may be another frame: asked for once more.
        doubtful,
        /// Bytes that belong to no frame.
        noise,
        /// Times the link was opened again, for whatever reason.
        reconnects,
        /// Those of them that old answers were the reason for; nothing was lost but the time of connecting.
        renewals,
        connect_failures,
        /// Exchanges that ended with an answer.
        ok,
        /// Exchanges that ended with a Modbus exception.
        exceptions,
        /// Exchanges that ended without an answer in time.
        timeouts,
        /// Microseconds during which a request was on the wire or awaited: its rate is the bus' utilisation.
        busy_us,
    }
);
counters!(
    /// What one unit has done.
    UnitCounters, UnitCounts {
        ok,
        timeouts,
        /// Answers that were damaged or wrong.
        protocol,
        exceptions,
        /// Repeats after busy.
        busy,
        /// Cycles that were due but skipped because the bus was late.
        skipped,
    }
);

/// Upper edges of the turnaround histogram in milliseconds; one more bucket is without an edge.
pub const TURNAROUND_EDGES_MS: [u64; 12] = [1, 2, 5, 10, 20, 35, 50, 100, 200, 500, 1_000, 2_000];
/// Exception codes of the standard are counted apart, any other one as 0.
const EXCEPTION_CODES: usize = 12;

/// Times from a request to its whole answer.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [Counter; TURNAROUND_EDGES_MS.len() + 1],
    sum_us: Counter,
}

impl Histogram {
    fn add(&self, took: std::time::Duration) {
        let us = usize::try_from(took.as_micros()).unwrap_or(usize::MAX);
        let bucket = TURNAROUND_EDGES_MS.iter().position(|edge| us as u64 <= edge * 1_000);
        self.buckets[bucket.unwrap_or(TURNAROUND_EDGES_MS.len())].one();
        self.sum_us.add(us);
    }
    fn copy(&self) -> Turnaround {
        Turnaround { counts: self.buckets.each_ref().map(Counter::get), sum_us: self.sum_us.get() }
    }
}

/// A turnaround histogram at one moment; `counts` belong to [`TURNAROUND_EDGES_MS`] and the rest, not cumulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Turnaround {
    pub counts: [u64; TURNAROUND_EDGES_MS.len() + 1],
    pub sum_us: u64,
}

/// How busy the line was in the last full window.
#[derive(Debug)]
struct Window {
    begun: Instant,
    busy_us: u64,
    percent: f64,
}

const WINDOW: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug)]
struct UnitStatus {
    device: String,
    unit: u8,
    profile: String,
    /// Why it is dead; none while it is not known to be.
    dead: Mutex<Option<Fault>>,
    ever_answered: AtomicBool,
    last_exception: AtomicU64,
    turnaround_us: AtomicU64,
    counters: UnitCounters,
    turnaround: Histogram,
    exceptions: [Counter; EXCEPTION_CODES],
}

impl UnitStatus {
    fn why_dead(&self) -> Option<Fault> {
        *self.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Live state of one bus.
#[derive(Debug)]
pub struct BusStatus {
    key: String,
    up: AtomicBool,
    /// The task of the bus has ended and is not started again yet.
    waits_for_start: AtomicBool,
    turns: Counter,
    link: LinkCounters,
    units: Vec<UnitStatus>,
    window: Mutex<Window>,
    recorder: Recorder,
}

impl BusStatus {
    /// All zero, link down.
    #[must_use]
    pub fn new(spec: &BusSpec) -> Self {
        let unit = |d: &crate::DeviceSpec| UnitStatus {
            device: d.key.clone(),
            unit: d.unit,
            profile: d.profile.name.clone(),
            dead: Mutex::new(None),
            ever_answered: AtomicBool::new(false),
            last_exception: AtomicU64::new(0),
            turnaround_us: AtomicU64::new(0),
            counters: UnitCounters::default(),
            turnaround: Histogram::default(),
            exceptions: Default::default(),
        };
        Self {
            key: spec.key.clone(),
            up: AtomicBool::new(false),
            waits_for_start: AtomicBool::new(false),
            turns: Counter::default(),
            link: LinkCounters::default(),
            units: spec.devices.iter().map(unit).collect(),
            window: Mutex::new(Window { begun: Instant::now(), busy_us: 0, percent: 0.0 }),
            recorder: Recorder::default(),
        }
    }
    /// The last exchanges as raw frames.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }
    /// The unit of a device that is on this bus.
    #[must_use]
    pub fn unit_of(&self, device: &str) -> Option<u8> {
        self.units.iter().find(|u| u.device == device).map(|u| u.unit)
    }
    /// As [`BusStatus::snapshot`], with what is too much for every second.
    #[must_use]
    pub fn report(&self) -> BusReport {
        let codes = |u: &UnitStatus| {
            let seen = u.exceptions.iter().map(Counter::get).enumerate().filter(|(_, n)| *n > 0);
            seen.map(|(code, n)| (u8::try_from(code).unwrap_or(0), n)).collect()
        };
        let BusSnapshot { key, up, state, progress, utilisation_percent, link, units } = self.snapshot();
        let units = units.into_iter().zip(&self.units).map(|(unit, live)| UnitReport {
            unit,
            exceptions_by_code: codes(live),
            turnaround: live.turnaround.copy(),
        });
        BusReport { key, up, state, progress, utilisation_percent, link, units: units.collect() }
    }

    /// Grows with every turn of the bus' task, whatever the wire does.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.turns.get()
    }
    /// True from the end of the bus' task to its next start: nothing of it can move meanwhile, and nothing hangs.
    #[must_use]
    pub fn waits_for_start(&self) -> bool {
        self.waits_for_start.load(Relaxed)
    }
    /// The link is open.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Relaxed)
    }
    /// Counters of the link.
    #[must_use]
    pub fn link(&self) -> &LinkCounters {
        &self.link
    }
    /// A copy of everything.
    #[must_use]
    pub fn snapshot(&self) -> BusSnapshot {
        let up = self.is_up();
        let unit = |u: &UnitStatus| UnitSnapshot {
            device: u.device.clone(),
            unit: u.unit,
            profile: u.profile.clone(),
            state: match (up, u.why_dead().is_some(), u.ever_answered.load(Relaxed)) {
                // what answered before the link went says nothing of now
                (false, ..) => "link_down",
                (true, true, _) => "dead",
                (true, false, true) => "alive",
                (true, false, false) => "unknown",
            },
            last_exception: u8::try_from(u.last_exception.load(Relaxed)).ok().filter(|c| *c != 0),
            turnaround_us: u.turnaround_us.load(Relaxed),
            counters: u.counters.copy(),
        };
        let units: Vec<UnitSnapshot> = self.units.iter().map(unit).collect();
        BusSnapshot {
            key: self.key.clone(),
            up,
            state: link_state(up, &units),
            progress: self.progress(),
            utilisation_percent: self.utilisation(),
            link: self.link.copy(),
            units,
        }
    }

    /// An exchange is over: what the line guard saw of it.
    pub(crate) fn exchange_over(&self, unit: u8, verdict: Verdict, dropped: Dropped, took: std::time::Duration) {
        self.recorder.end(verdict, dropped);
        self.link.busy_us.add(usize::try_from(took.as_micros()).unwrap_or(0));
        let known = self.units.iter().find(|u| u.unit == unit);
        match verdict {
            Verdict::Ok => self.link.ok.one(),
            Verdict::Exception(_) => self.link.exceptions.one(),
            Verdict::Timeout => self.link.timeouts.one(),
            Verdict::None
            | Verdict::Damaged
            | Verdict::Short
            | Verdict::Doubtful
            | Verdict::Renewed
            | Verdict::Gone => {}
        }
        if let Some(unit) = known.filter(|_| matches!(verdict, Verdict::Ok | Verdict::Exception(_))) {
            unit.turnaround.add(took);
        }
        if let (Some(unit), Verdict::Exception(code)) = (known, verdict) {
            let code = usize::from(code);
            unit.exceptions[if code < EXCEPTION_CODES { code } else { 0 }].one();
        }
    }
    /// Percent of the last full window during which the line was in use.
    fn utilisation(&self) -> f64 {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (age, busy_us) = (window.begun.elapsed(), self.link.busy_us.get());
        if age >= WINDOW {
            let used = std::time::Duration::from_micros(busy_us.saturating_sub(window.busy_us));
            let percent = (used.as_secs_f64() / age.as_secs_f64() * 100.0).min(100.0);
            *window = Window { begun: Instant::now(), busy_us, percent: (percent * 10.0).round() / 10.0 };
        }
        window.percent
    }
    pub(crate) fn turn(&self) {
        self.turns.one();
    }
    /// The bus begins anew, with its link down. Units that were told dead are so until they answer: their end is told as well.
    pub fn begin(&self) {
        self.set_up(false);
        self.waits_for_start.store(false, Relaxed);
    }
    /// The task of the bus is over, perhaps in the middle of an exchange: nobody holds the link. True when it was open.
    pub fn end(&self) -> bool {
        self.waits_for_start.store(true, Relaxed);
        self.up.swap(false, Relaxed)
    }
    pub(crate) fn set_up(&self, up: bool) {
        self.up.store(up, Relaxed);
    }
    pub(crate) fn unit(&self, index: usize) -> Option<&UnitCounters> {
        self.units.get(index).map(|u| &u.counters)
    }
    /// Why a unit is dead, by this run of the bus or the one before it.
    pub(crate) fn why_dead(&self, index: usize) -> Option<Fault> {
        self.units.get(index).and_then(UnitStatus::why_dead)
    }
    pub(crate) fn set_dead(&self, index: usize, why: Option<Fault>) {
        if let Some(u) = self.units.get(index) {
            *u.dead.lock().unwrap_or_else(PoisonError::into_inner) = why;
            if why.is_some() {
                self.recorder.incident(&format!("unit_dead {}", u.device), None, &[Concerns::Unit(u.unit)]);
            }
        }
    }
    pub(crate) fn answered(&self, index: usize, turnaround: std::time::Duration) {
        if let Some(u) = self.units.get(index) {
            u.ever_answered.store(true, Relaxed);
            u.turnaround_us.store(u64::try_from(turnaround.as_micros()).unwrap_or(u64::MAX), Relaxed);
        }
    }
    pub(crate) fn exception(&self, index: usize, code: u8) {
        if let Some(u) = self.units.get(index) {
            u.counters.exceptions.one();
            u.last_exception.store(u64::from(code), Relaxed);
        }
    }
}

/// An open port or connection says nothing of whoever is behind it. A unit that was not asked yet is no silent one, and the first answer ends it.
fn link_state(up: bool, units: &[UnitSnapshot]) -> &'static str {
    let any = |state| units.iter().any(|u| u.state == state);
    match up {
        false => "down",
        true if any("dead") && !any("alive") => "silent",
        true => "up",
    }
}

/// One unit at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct UnitSnapshot {
    /// Device key.
    pub device: String,
    pub unit: u8,
    pub profile: String,
    /// `unknown`, `alive` or `dead`; `link_down` while the link is.
    pub state: &'static str,
    pub last_exception: Option<u8>,
    /// Time from request to answer, last seen.
    pub turnaround_us: u64,
    pub counters: UnitCounts,
}

/// A bus at one moment, with the lean copy of each unit; [`BusReport`] has the full one.
#[derive(Clone, Debug, Serialize)]
pub struct BusSnapshot<U = UnitSnapshot> {
    pub key: String,
    /// The link is open, whether anybody answers or not.
    pub up: bool,
    /// `up`; `silent` while the link is open and no unit answers; `down`.
    pub state: &'static str,
    pub progress: u64,
    /// Of the last ten seconds.
    pub utilisation_percent: f64,
    pub link: LinkCounts,
    pub units: Vec<U>,
}

/// One unit with its histogram.
#[derive(Clone, Debug, Serialize)]
pub struct UnitReport {
    #[serde(flatten)]
    pub unit: UnitSnapshot,
    /// Only codes that were seen; 0 stands for codes outside the standard.
    pub exceptions_by_code: BTreeMap<u8, u64>,
    pub turnaround: Turnaround,
}

/// A bus with all figures there are.
pub type BusReport = BusSnapshot<UnitReport>;
