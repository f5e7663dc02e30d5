//! Counters of a bus that others may read at any time.
//!
//! Owns [`BusStatus`] (atomics, written by the bus and its line guard) and [`BusSnapshot`], the copy for views.

use crate::BusSpec;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

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
        /// Bytes that belong to no frame.
        noise,
        reconnects,
        connect_failures,
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

#[derive(Debug)]
struct UnitStatus {
    device: String,
    unit: u8,
    profile: String,
    dead: AtomicBool,
    ever_answered: AtomicBool,
    last_exception: AtomicU64,
    turnaround_us: AtomicU64,
    counters: UnitCounters,
}

/// Live state of one bus.
#[derive(Debug, Default)]
pub struct BusStatus {
    key: String,
    up: AtomicBool,
    turns: Counter,
    link: LinkCounters,
    units: Vec<UnitStatus>,
}

impl BusStatus {
    /// All zero, link down.
    #[must_use]
    pub fn new(spec: &BusSpec) -> Self {
        let unit = |d: &crate::DeviceSpec| UnitStatus {
            device: d.key.clone(),
            unit: d.unit,
            profile: d.profile.name.clone(),
            dead: AtomicBool::new(false),
            ever_answered: AtomicBool::new(false),
            last_exception: AtomicU64::new(0),
            turnaround_us: AtomicU64::new(0),
            counters: UnitCounters::default(),
        };
        Self { key: spec.key.clone(), units: spec.devices.iter().map(unit).collect(), ..Self::default() }
    }
    /// Grows with every turn of the bus' task, whatever the wire does.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.turns.get()
    }
    /// Counters of the link.
    #[must_use]
    pub fn link(&self) -> &LinkCounters {
        &self.link
    }
    /// A copy of everything.
    #[must_use]
    pub fn snapshot(&self) -> BusSnapshot {
        let unit = |u: &UnitStatus| UnitSnapshot {
            device: u.device.clone(),
            unit: u.unit,
            profile: u.profile.clone(),
            state: match (u.dead.load(Relaxed), u.ever_answered.load(Relaxed)) {
                (true, _) => "dead",
                (false, true) => "alive",
                (false, false) => "unknown",
            },
            last_exception: u8::try_from(u.last_exception.load(Relaxed)).ok().filter(|c| *c != 0),
            turnaround_us: u.turnaround_us.load(Relaxed),
            counters: u.counters.copy(),
        };
        BusSnapshot {
            key: self.key.clone(),
            up: self.up.load(Relaxed),
            progress: self.progress(),
            link: self.link.copy(),
            units: self.units.iter().map(unit).collect(),
        }
    }

    pub(crate) fn turn(&self) {
        self.turns.one();
    }
    pub(crate) fn set_up(&self, up: bool) {
        self.up.store(up, Relaxed);
    }
    pub(crate) fn unit(&self, index: usize) -> Option<&UnitCounters> {
        self.units.get(index).map(|u| &u.counters)
    }
    pub(crate) fn set_dead(&self, index: usize, dead: bool) {
        if let Some(u) = self.units.get(index) {
            u.dead.store(dead, Relaxed);
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

/// One unit at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct UnitSnapshot {
    /// Device key.
    pub device: String,
    pub unit: u8,
    pub profile: String,
    /// `unknown`, `alive` or `dead`.
    pub state: &'static str,
    pub last_exception: Option<u8>,
    /// Time from request to answer, last seen.
    pub turnaround_us: u64,
    pub counters: UnitCounts,
}

/// A bus at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct BusSnapshot {
    pub key: String,
    pub up: bool,
    pub progress: u64,
    pub link: LinkCounts,
    pub units: Vec<UnitSnapshot>,
}
