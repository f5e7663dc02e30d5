//! More alarms than a person can follow: counted, told, and nothing suppressed because of it.

use super::{Engine, Timer};
use crate::event::{Cause, Event, EventKind};
use crate::time::{Mono, Now};
use std::collections::VecDeque;

/// Annunciations remembered; far above any limit, so that the window cannot grow without end.
const REMEMBERED_MAX: usize = 4096;

/// A flood that is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Flood {
    pub since: Now,
    /// Annunciations that belong to it.
    pub count: u32,
    /// Most within one window.
    pub peak: u32,
    /// The alarm it began with.
    pub first: String,
}

/// Annunciations of the window.
#[derive(Debug, Default)]
pub(super) struct FloodWatch {
    times: VecDeque<(Mono, String)>,
    on: Option<Flood>,
}

impl FloodWatch {
    pub(super) fn begin(&mut self, since: Now, count: u32, first: &str) {
        self.on = Some(Flood { since, count, peak: count, first: first.to_owned() });
    }
    pub(super) fn end(&mut self) {
        self.on = None;
    }
    /// One more annunciation, which is in the window already.
    fn count_one(&mut self) {
        let within = whole(self.times.len());
        if let Some(flood) = &mut self.on {
            flood.count = flood.count.saturating_add(1);
            flood.peak = flood.peak.max(within);
        }
    }
    /// In the order of their times, in which they leave: a sample may be older than what a timer did before it, and labels of an earlier
    /// boot go back where its wall clock was set back.
    fn note(&mut self, at: Mono, alarm: &str) {
        let behind = self.times.iter().rev().take_while(|(t, _)| *t > at).count();
        self.times.insert(self.times.len() - behind, (at, alarm.to_owned()));
    }
    fn forget(&mut self, until: Mono) {
        while self.times.len() > REMEMBERED_MAX || self.times.front().is_some_and(|(t, _)| *t <= until) {
            self.times.pop_front();
        }
    }
}

fn whole(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Engine {
    /// The flood that is on, if any.
    #[must_use]
    pub fn flood(&self) -> Option<&Flood> {
        self.flood.on.as_ref()
    }

    /// Forgets what has left the window; nothing has before the machine has been up for as long.
    fn forget_before(&mut self, now: Mono) {
        let window = u64::try_from(self.book.policy().flood_window.as_nanos()).unwrap_or(u64::MAX);
        if let Some(start) = now.0.checked_sub(window) {
            self.flood.forget(Mono(start));
        }
    }

    /// Every event passes here; few call for a person.
    pub(super) fn count_annunciation(&mut self, event: &Event) {
        if matches!(&event.kind, EventKind::Escalated { fact, .. } if fact.priority <= 2) {
            self.silenced = None; // 15: it sounds again
        }
        if !event.kind.annunciates() {
            return;
        }
        let Some(fact) = event.kind.fact() else { return };
        if fact.priority <= 2 {
            self.silenced = None;
        }
        self.forget_before(event.at.mono);
        self.flood.note(event.at.mono, &fact.alarm);
        self.flood.count_one();
        self.arm_flood();
    }

    /// Due when the window holds fewer than ends a flood.
    pub(super) fn arm_flood(&mut self) {
        let times = &self.flood.times;
        let leaving = times.len().checked_sub(self.book.policy().flood_end).and_then(|k| times.get(k));
        let due = leaving.map_or(Mono(0), |(t, _)| t.plus(self.book.policy().flood_window));
        self.deadlines.set(Timer::Flood, self.flood.on.is_some().then_some(due));
    }

    /// After each turn: has it begun?
    pub(super) fn look_for_flood(&mut self, now: Now, out: &mut Vec<Event>) {
        let within = self.flood.times.len();
        if self.flood.on.is_some() || within <= self.book.policy().flood_start {
            return;
        }
        let first = self.flood.times.front().map_or_else(String::new, |(_, key)| key.clone());
        self.emit(EventKind::FloodStarted { count: whole(within), first }, now, out);
        self.arm_flood();
    }

    /// The window has emptied.
    pub(super) fn flood_over(&mut self, now: Now, out: &mut Vec<Event>) {
        self.forget_before(now.mono);
        if self.flood.times.len() >= self.book.policy().flood_end {
            return self.arm_flood();
        }
        let Some(flood) = self.flood.on.clone() else { return };
        self.cause = Cause::Timer;
        let duration_ms = super::transitions::ms(now.mono.since(flood.since.mono));
        let ended = EventKind::FloodEnded { count: flood.count, duration_ms, peak: flood.peak, first: flood.first };
        self.emit(ended, now, out);
    }

    /// After a start: the window from the journal, and whether a flood was on. `then` gives a time of before on this clock, if it
    /// can; events of an earlier boot among them are told by their labels, so that after a step of the wall clock the peak is that since the step.
    pub(super) fn rebuild_flood(&mut self, recent: &[Event], then: impl Fn(Now) -> Option<Now>, now: Now) {
        let window_ms = i64::try_from(self.book.policy().flood_window.as_millis()).unwrap_or(i64::MAX);
        let inside = |at: Now| now.wall.utc_ms.saturating_sub(at.wall.utc_ms) <= window_ms.saturating_mul(2);
        for event in recent {
            let then = |at: Now| then(at).filter(|t| t.mono <= now.mono && inside(at));
            match &event.kind {
                EventKind::FloodStarted { count, first } => {
                    self.flood.begin(then(event.at).unwrap_or(now), *count, first);
                }
                EventKind::FloodEnded { .. } => self.flood.end(),
                kind if kind.annunciates() => {
                    if let Some((fact, at)) = kind.fact().zip(then(event.at)) {
                        self.forget_before(at.mono);
                        self.flood.note(at.mono, &fact.alarm);
                    }
                    self.flood.count_one();
                }
                _ => {}
            }
        }
        self.forget_before(now.mono);
        self.arm_flood();
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::{Rig, at, good, parts};
    use crate::{DeviceId, Input, PointId, Restored, Sample, SystemCondition};

    #[test]
    fn an_annunciation_told_late_leaves_the_window_in_its_own_order() {
        let mut p = parts();
        p.rules[0].on_delay = std::time::Duration::ZERO;
        (p.policy.flood_start, p.policy.flood_end) = (2, 3);
        let mut r = Rig::new(p, Restored::default(), 0.0);
        let system = |condition| Input::System { condition, active: true };
        r.engine.handle(system(SystemCondition::StorageFull), at(10.0), &mut r.events);
        let late = Sample { point: PointId::mint(0), reading: good(30.0), at: at(9.5) };
        let scan = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &[late] };
        r.engine.handle(scan, at(10.0), &mut r.events);
        r.engine.handle(system(SystemCondition::StorageSlow), at(11.0), &mut r.events);
        // The fourth is the silence of the device; until then the window holds as many as do not end a flood.
        r.until(700.0);
        let told: Vec<_> = r.events.iter().filter(|e| e.kind.name().starts_with("flood.")).collect();
        let times: Vec<_> = told.iter().map(|e| (e.kind.name(), e.at.mono)).collect();
        assert_eq!(times, [("flood.started", at(11.0).mono), ("flood.ended", at(610.0).mono)]);
    }
}
