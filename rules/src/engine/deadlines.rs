//! When something is due. Timers are numbered, one range per kind, and stand in a [`Heap`].
//!
//! Whatever ends a hiding has a second slot on the wall clock: the first clock to reach it counts. Those are few, and kept in
//! maps.

use super::Engine;
use super::heap::Heap;
use crate::hide::Expiry;
use crate::time::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What becomes due. Equal times fire in this order: silence of a device first, because it suppresses sensor faults; then
/// suppressions, then alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A device has been silent for its time-out.
    Comms(usize),
    /// A suppression has been released long enough.
    Release(usize),
    /// A suppression has hidden long enough.
    SuppressionMax(usize),
    /// An on-delay or off-delay is over.
    Delay(usize),
    /// A point's reading is too old.
    Stale(usize),
    /// A device has called itself inhibited for too long: by point.
    Inhibit(usize),
    /// A shelf ends.
    Shelf(usize),
    /// A bypass is about to end: by point.
    BypassWarning(usize),
    /// A bypass ends: by point.
    Bypass(usize),
    /// Something is still out of service: by point.
    Review(usize),
    /// A high or low alarm has stood so long that its measure failed.
    Standing(usize),
    /// An alarm was not acknowledged in time.
    Escalation(usize),
    /// An acknowledged alarm is still active.
    Realarm(usize),
    /// The flood may be over.
    Flood,
    /// The step of a hidden danger is overdue.
    Overdue,
}

impl Timer {
    /// Why, for the log.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Comms(_) => "a device is silent",
            Self::Release(_) | Self::SuppressionMax(_) => "a suppression ends",
            Self::Delay(_) => "an alarm delay is over",
            Self::Stale(_) => "a reading becomes stale",
            Self::Inhibit(_) => "a device is inhibited for too long",
            Self::Shelf(_) => "a shelf ends",
            Self::BypassWarning(_) => "a bypass is about to end",
            Self::Bypass(_) => "a bypass ends",
            Self::Review(_) => "a point is still out of service",
            Self::Standing(_) => "an alarm stands",
            Self::Escalation(_) => "an alarm is not acknowledged",
            Self::Realarm(_) => "an acknowledged alarm is still active",
            Self::Flood => "a flood may be over",
            Self::Overdue => "a hidden danger is overdue",
        }
    }
}

/// Kinds of timers.
const KINDS: usize = 15;

impl Timer {
    /// Its kind in the order above, and which one of that kind.
    fn parts(self) -> (usize, usize) {
        match self {
            Self::Comms(n) => (0, n),
            Self::Release(n) => (1, n),
            Self::SuppressionMax(n) => (2, n),
            Self::Delay(n) => (3, n),
            Self::Stale(n) => (4, n),
            Self::Inhibit(n) => (5, n),
            Self::Shelf(n) => (6, n),
            Self::BypassWarning(n) => (7, n),
            Self::Bypass(n) => (8, n),
            Self::Review(n) => (9, n),
            Self::Standing(n) => (10, n),
            Self::Escalation(n) => (11, n),
            Self::Realarm(n) => (12, n),
            Self::Flood => (13, 0),
            Self::Overdue => (14, 0),
        }
    }

    fn of_parts(kind: usize, n: usize) -> Self {
        match kind {
            0 => Self::Comms(n),
            1 => Self::Release(n),
            2 => Self::SuppressionMax(n),
            3 => Self::Delay(n),
            4 => Self::Stale(n),
            5 => Self::Inhibit(n),
            6 => Self::Shelf(n),
            7 => Self::BypassWarning(n),
            8 => Self::Bypass(n),
            9 => Self::Review(n),
            10 => Self::Standing(n),
            11 => Self::Escalation(n),
            12 => Self::Realarm(n),
            13 => Self::Flood,
            _ => Self::Overdue,
        }
    }
}

/// How many there are of what timers belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) devices: usize,
    pub(super) points: usize,
    pub(super) alarms: usize,
    pub(super) suppressions: usize,
}

/// All timers.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    order: Heap,
    /// The first number of each kind.
    base: [usize; KINDS],
    walls: BTreeSet<(i64, Timer)>,
    wall_armed: BTreeMap<Timer, i64>,
}

impl Deadlines {
    pub(super) fn new(of: Counts) -> Self {
        let Counts { devices, points, alarms, suppressions } = of;
        let sizes = [
            devices,
            suppressions,
            suppressions,
            alarms,
            points,
            points,
            alarms,
            points,
            points,
            points,
            alarms,
            alarms,
            alarms,
            1,
            1,
        ];
        let mut base = [0; KINDS];
        let mut all = 0;
        for (base, size) in base.iter_mut().zip(sizes) {
            *base = all;
            all += size;
        }
        Self { order: Heap::new(all), base, ..Self::default() }
    }

    fn number(&self, timer: Timer) -> u32 {
        let (kind, n) = timer.parts();
        u32::try_from(self.base[kind] + n).expect("no site has 4 billion timers")
    }

    fn timer(&self, number: u32) -> Timer {
        let number = number as usize;
        // A kind of which there is none shares its base with the next one.
        let kind = self.base.partition_point(|base| *base <= number) - 1;
        Timer::of_parts(kind, number - self.base[kind])
    }

    /// Arms the timer for `due`, or disarms it.
    pub(super) fn set(&mut self, timer: Timer, due: Option<Mono>) {
        let number = self.number(timer);
        match due {
            Some(due) => self.order.set(number, due),
            None => self.order.remove(number),
        }
    }

    /// Arms it unless it is armed for an earlier time; whoever is woken early looks again. Cheap on the way of every sample.
    pub(super) fn set_lazily(&mut self, timer: Timer, due: Mono) {
        let number = self.number(timer);
        if self.order.due(number).is_none_or(|old| old > due) {
            self.order.set(number, due);
        }
    }

    /// Arms or disarms an end on both clocks.
    pub(super) fn set_expiry(&mut self, timer: Timer, end: Option<Expiry>) {
        self.set(timer, end.map(|e| e.mono));
        if let Some(old) = self.wall_armed.remove(&timer) {
            self.walls.remove(&(old, timer));
        }
        if let Some(end) = end {
            self.walls.insert((end.wall_utc_ms, timer));
            self.wall_armed.insert(timer, end.wall_utc_ms);
        }
    }

    /// When it is due, if it is armed.
    pub(super) fn due(&self, timer: Timer) -> Option<Mono> {
        self.order.due(self.number(timer))
    }

    /// The earliest.
    pub(super) fn next(&self) -> Option<(Mono, Timer)> {
        self.order.first().map(|(due, number)| (due, self.timer(number)))
    }

    /// Takes the earliest timer due at or before `until`, or whose end the wall clock has reached.
    pub(super) fn take(&mut self, until: Mono, now: Now) -> Option<(Mono, Timer)> {
        if let Some((due, number)) = self.order.first().filter(|(due, _)| *due <= until) {
            let timer = self.timer(number);
            self.set_expiry(timer, None);
            return Some((due, timer));
        }
        let (_, timer) = self.walls.first().copied().filter(|(wall, _)| *wall <= now.wall.utc_ms)?;
        self.set_expiry(timer, None);
        Some((until, timer))
    }
}

impl Engine {
    /// `d` after `at`. A time before the boot stands as the boot itself; its label tells how much of `d` was over by then.
    pub(super) fn due_after(&self, at: Now, d: Duration) -> Mono {
        at.mono.plus(d.saturating_sub(self.before_boot(at)))
    }

    /// How long before the boot it was, by its label.
    pub(super) fn before_boot(&self, at: Now) -> Duration {
        let before_ms = match self.boot_wall_ms {
            Some(boot) if at.mono == Mono(0) => u64::try_from(boot.saturating_sub(at.wall.utc_ms)).unwrap_or(0),
            _ => 0,
        };
        Duration::from_millis(before_ms)
    }

    /// When it wants to be called next, as [`Engine::next_deadline`]; timers that are armed lazily and would wake before `until` for
    /// nothing are first set to when they are really due, which is what ticks in between would do. Saves the ticks of who plays recorded
    /// samples; a daemon sleeps through them anyway.
    pub fn truly_due(&mut self, until: Mono) -> Option<Mono> {
        // What ends on the wall clock, or a start has still to judge, is looked at with every tick. A due time of days is not worth that: it is looked at with every scan.
        let owes = self.owes_words() || !self.votes_waiting.is_empty();
        let exact = owes || self.deadlines.walls.iter().any(|(_, timer)| *timer != Timer::Overdue);
        while let Some((due, number)) = self.deadlines.order.first() {
            if exact || due >= until {
                return Some(due);
            }
            let Some(truly) = self.lazily_due(number).filter(|truly| *truly > due) else { return Some(due) };
            self.deadlines.order.set(number, truly);
        }
        None
    }

    /// Puts off those armed lazily that `until` has reached and that are not due at `now`; true when there were any. In place, because every
    /// point has its turn here once in the time for which its readings count as fresh.
    pub(super) fn put_off(&mut self, until: Mono, now: Mono) -> bool {
        let mut any = false;
        while let Some((_, number)) = self.deadlines.order.first().filter(|(due, _)| *due <= until) {
            let Some(truly) = self.lazily_due(number).filter(|truly| *truly > now) else { break };
            self.deadlines.order.set(number, truly);
            any = true;
        }
        any
    }

    /// When a timer that is armed lazily is really due; none of any other.
    fn lazily_due(&self, number: u32) -> Option<Mono> {
        match self.deadlines.timer(number) {
            Timer::Comms(d) => Some(self.silence_due(d)),
            Timer::Stale(p) => self.would_be_stale(p).then(|| self.stale_due(p)),
            _ => None,
        }
    }

    /// When the on-delay of a pending alarm is over.
    pub(super) fn pending_due(&self, i: usize, t0: Mono) -> Mono {
        let delay = self.on_delay(i);
        match self.alarms[i].pending.filter(|since| since.mono == t0) {
            Some(since) => self.due_after(since, delay),
            None => t0.plus(delay),
        }
    }
}
