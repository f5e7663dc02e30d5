//! More alarms than a person can follow: counted, told, and nothing suppressed because of it.

use super::restore::Passage;
use super::{Engine, Timer};
use crate::event::{Cause, Event, EventKind};
use crate::time::{Mono, Now};
use std::collections::VecDeque;
use std::time::Duration;

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

/// A moment on the clock of this boot in nanoseconds; negative before it.
type Moment = i64;

/// Annunciations of the window.
#[derive(Debug, Default)]
pub(super) struct FloodWatch {
    times: VecDeque<(Moment, String)>,
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
    fn note(&mut self, at: Moment, alarm: &str) {
        let behind = self.times.iter().rev().take_while(|(t, _)| *t > at).count();
        self.times.insert(self.times.len() - behind, (at, alarm.to_owned()));
    }
    fn forget(&mut self, until: Moment) {
        while self.times.len() > REMEMBERED_MAX || self.times.front().is_some_and(|(t, _)| *t <= until) {
            self.times.pop_front();
        }
    }
}

fn moment(at: Mono) -> Moment {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn ns(d: Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
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

    /// Forgets what has left the window.
    fn forget_before(&mut self, now: Moment) {
        self.flood.forget(now.saturating_sub(ns(self.book.policy().flood_window)));
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
        self.forget_before(moment(event.at.mono));
        self.flood.note(moment(event.at.mono), &fact.alarm);
        self.flood.count_one();
        self.arm_flood();
    }

    /// Due when the window holds fewer than ends a flood.
    pub(super) fn arm_flood(&mut self) {
        let times = &self.flood.times;
        let leaving = times.len().checked_sub(self.book.policy().flood_end).and_then(|k| times.get(k));
        let window = ns(self.book.policy().flood_window);
        let due = leaving.and_then(|(t, _)| u64::try_from(t.saturating_add(window)).ok()).map_or(Mono(0), Mono);
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
        self.forget_before(moment(now.mono));
        if self.flood.times.len() >= self.book.policy().flood_end {
            return self.arm_flood();
        }
        let Some(flood) = self.flood.on.clone() else { return };
        self.cause = Cause::Timer;
        let lasted = now.mono.since(flood.since.mono) + self.before_boot(flood.since);
        let duration_ms = super::transitions::ms(lasted);
        let ended = EventKind::FloodEnded { count: flood.count, duration_ms, peak: flood.peak, first: flood.first };
        self.emit(ended, now, out);
    }

    /// After a start: the window from the journal, and whether a flood was on. Events from `boot_seq` on are of this boot of the machine.
    /// What cannot be dated is not in the window.
    pub(super) fn rebuild_flood(&mut self, recent: &[Event], boot_seq: u64, passage: Passage) {
        let now = passage.now;
        for event in recent {
            let at = dated(event, boot_seq, passage);
            match &event.kind {
                EventKind::FloodStarted { count, first } => {
                    let mono = at.map_or(now.mono, |at| Mono(u64::try_from(at).unwrap_or(0)));
                    self.flood.begin(Now { mono, wall: event.at.wall }, *count, first);
                }
                EventKind::FloodEnded { .. } => self.flood.end(),
                kind if kind.annunciates() => {
                    if let Some((fact, at)) = kind.fact().zip(at) {
                        self.forget_before(at);
                        self.flood.note(at, &fact.alarm);
                    }
                    self.flood.count_one();
                }
                _ => {}
            }
        }
        self.forget_before(moment(now.mono));
        self.arm_flood();
    }
}

/// When an event of the journal was: one of this boot by the monotonic clock, one before it by its label.
fn dated(event: &Event, boot_seq: u64, passage: Passage) -> Option<Moment> {
    if event.seq >= boot_seq {
        return Some(moment(event.at.mono));
    }
    let ago_ms = passage.boot_wall_ms?.saturating_sub(event.at.wall.utc_ms);
    Some(ago_ms.saturating_mul(-1_000_000)).filter(|at| *at <= moment(passage.now.mono))
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
        let late = Sample { point: PointId::mint(0), reading: good(30.0), raw: crate::Raw::NONE, at: at(9.5) };
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
