//! When something is due. One slot per timer, ordered by time; arming, disarming and asking for the next are O(log n).

use crate::time::Mono;
use std::collections::BTreeSet;

/// What becomes due. Equal times fire in this order: silence of a device first, because it suppresses sensor faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A device has been silent for its time-out.
    Comms(usize),
    /// An on-delay or off-delay is over.
    Delay(usize),
    /// A point's reading is too old.
    Stale(usize),
    /// A high or low alarm has stood so long that its measure failed.
    Standing(usize),
}

impl Timer {
    /// Why, for the log.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Comms(_) => "a device is silent",
            Self::Delay(_) => "an alarm delay is over",
            Self::Stale(_) => "a reading becomes stale",
            Self::Standing(_) => "an alarm stands too long",
        }
    }
}

/// All armed timers.
#[derive(Debug)]
pub(super) struct Deadlines {
    order: BTreeSet<(Mono, Timer)>,
    /// By device, alarm, point, alarm.
    armed: [Vec<Option<Mono>>; 4],
}

impl Deadlines {
    pub(super) fn new(devices: usize, alarms: usize, points: usize) -> Self {
        Self { order: BTreeSet::new(), armed: [devices, alarms, points, alarms].map(|n| vec![None; n]) }
    }

    /// Arms the timer for `due`, or disarms it.
    pub(super) fn set(&mut self, timer: Timer, due: Option<Mono>) {
        let slot = match timer {
            Timer::Comms(i) => &mut self.armed[0][i],
            Timer::Delay(i) => &mut self.armed[1][i],
            Timer::Stale(i) => &mut self.armed[2][i],
            Timer::Standing(i) => &mut self.armed[3][i],
        };
        if *slot == due {
            return;
        }
        if let Some(old) = slot.take() {
            self.order.remove(&(old, timer));
        }
        if let Some(new) = due {
            self.order.insert((new, timer));
        }
        *slot = due;
    }

    /// The earliest.
    pub(super) fn next(&self) -> Option<(Mono, Timer)> {
        self.order.first().copied()
    }

    /// Takes the earliest timer due at or before `until`.
    pub(super) fn take(&mut self, until: Mono) -> Option<(Mono, Timer)> {
        let (due, timer) = self.next().filter(|(due, _)| *due <= until)?;
        self.set(timer, None);
        Some((due, timer))
    }
}
