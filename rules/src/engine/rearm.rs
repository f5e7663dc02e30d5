//! Timers follow from the state that an event led to; nothing else arms them.

use super::{ConditionState, Engine, Timer};
use crate::book::{Condition, slot};
use crate::event::{Event, EventKind};
use crate::time::Now;
use std::time::Duration;

impl Engine {
    /// After an event about alarm `i`.
    pub(super) fn rearm(&mut self, i: usize, event: &Event) {
        self.follow_state(i);
        self.rearm_delay(i, event);
        self.deadlines.set_expiry(Timer::Shelf(i), self.alarms[i].hidden.shelf.as_ref().map(|s| s.until));
        if matches!(
            event.kind,
            EventKind::Inhibited { .. } | EventKind::InhibitEnded { .. } | EventKind::OutOfService { .. }
        ) {
            self.arm_inhibit(i);
        }
        self.rearm_standing(i, event);
        let a = &self.alarms[i];
        if a.annunciated == Some(event.at) || a.acked_at == Some(event.at) {
            // Escalation and re-alarm count from here.
            (self.alarms[i].paused, self.alarms[i].paused_for) = (None, Duration::ZERO);
        }
        self.rearm_person(i, event.at);
        if let Some(inner) = self.book.index().superseded.get(i).copied().flatten() {
            self.rearm_person(inner.index(), event.at);
        }
        if let crate::book::Subject::Device(d) = self.book.index().subject(i) {
            self.suppress(d.index(), event.at);
        }
    }

    fn rearm_standing(&mut self, i: usize, event: &Event) {
        match event.kind {
            EventKind::Raised { .. }
            | EventKind::ShelfExpired { annunciated: true, .. }
            | EventKind::Unshelved { .. } => self.watch_called(i),
            EventKind::Returned { .. } | EventKind::ShadowReturned { .. } => {
                self.deadlines.set(Timer::Standing(i), None)
            }
            _ => {}
        }
    }

    fn rearm_delay(&mut self, i: usize, event: &Event) {
        let same = matches!(
            event.kind,
            EventKind::Acked { .. }
                | EventKind::Cleared { .. }
                | EventKind::Escalated { .. }
                | EventKind::Realarm { .. }
        );
        let due = match self.alarms[i].condition {
            // A restart may have armed it for a moment later than its delay alone would say.
            ConditionState::PendingOn(_) if same || !matches!(event.kind, EventKind::PendingOn { .. }) => return,
            ConditionState::PendingOn(t0) => Some(self.pending_due(i, t0)),
            ConditionState::PendingOff(t0) => Some(t0.plus(self.off_delay(i))),
            _ => None,
        };
        self.deadlines.set(Timer::Delay(i), due);
    }

    /// 14, 15: escalation while unacknowledged, re-alarm while acknowledged and active; neither while hidden, superseded or quiet.
    pub(super) fn rearm_person(&mut self, i: usize, at: Now) {
        self.follow_pause(i, at);
        let (escalate, realarm) = self.calls_due(i);
        self.deadlines.set(Timer::Escalation(i), escalate);
        self.deadlines.set(Timer::Realarm(i), realarm);
    }

    /// 16: what nobody is called for has its timers paused; what it had used up before counts when it calls again.
    fn follow_pause(&mut self, i: usize, at: Now) {
        let a = &self.alarms[i];
        let paused = (a.is_hidden() || self.superseded(i)) && (!a.acked || a.is_active());
        match a.paused {
            None if paused => self.alarms[i].paused = Some(at),
            Some(since) if !paused => {
                let lasted = at.mono.since(since.mono) + self.before_boot(since);
                self.alarms[i].paused = None;
                self.alarms[i].paused_for += lasted;
            }
            _ => {}
        }
    }

    /// Another book begins each pause anew: what hid an alarm under the old one and what hides it now are no one pause for who replays it.
    pub(super) fn divide_pauses(&mut self, now: Now) {
        let paused: Vec<(usize, Now)> = self.alarms.eventful().filter_map(|(i, a)| Some((i, a.paused?))).collect();
        for (i, since) in paused {
            let lasted = now.mono.since(since.mono) + self.before_boot(since);
            self.alarms[i].paused = Some(now);
            self.alarms[i].paused_for += lasted;
        }
    }

    fn calls_due(&self, i: usize) -> (Option<crate::time::Mono>, Option<crate::time::Mono>) {
        let a = &self.alarms[i];
        if (a.acked && !a.is_active()) || a.is_hidden() || a.quiet || self.superseded(i) {
            return (None, None);
        }
        let (policy, slot) = (self.book.policy(), slot(self.priority_of(i)));
        if a.acked {
            let since = a.acked_at.filter(|_| a.is_active());
            return (None, since.zip(policy.realarm[slot]).map(|(at, d)| self.due_after(at, d + a.paused_for)));
        }
        let step = policy.escalation[slot].get(usize::from(a.escalated));
        (a.annunciated.zip(step).map(|(at, d)| self.due_after(at, *d + a.paused_for)), None)
    }

    /// Timers of a point's bypass and service.
    pub(super) fn arm_point(&mut self, p: usize) {
        let first = self.book.index().rules_of_point[p].first().map(|r| r.index());
        let Some(hidden) = first.map(|i| &self.alarms[i].hidden) else { return };
        let end = hidden.bypass.as_ref().map(|b| b.until);
        let warning = hidden.bypass.as_ref().filter(|b| !b.warned).map(|b| {
            let early = u64::try_from(self.book.policy().bypass_warning.as_nanos()).unwrap_or(0);
            crate::time::Mono(b.until.mono.0.saturating_sub(early))
        });
        let review = hidden.service.as_ref().map(|s| self.due_after(s.reviewed, self.book.policy().service_review));
        self.deadlines.set_expiry(Timer::Bypass(p), end);
        self.deadlines.set(Timer::BypassWarning(p), warning);
        self.deadlines.set(Timer::Review(p), review);
    }

    /// Sensor faults of a device's points are hidden exactly while its COMMS_LOSS is active.
    pub(super) fn suppress(&mut self, device: usize, at: Now) {
        let active = self.alarms[self.book.index().comms_alarm(device)].is_active();
        for k in 0..self.book.index().points_of_device[device].len() {
            let p = self.book.index().points_of_device[device][k].index();
            let Some(rule) = self.book.index().fault_of_point[p] else { continue };
            debug_assert_eq!(self.book.rules()[rule.index()].condition, Condition::SensorFault);
            if self.alarms[rule.index()].suppressed != active {
                self.alarms[rule.index()].suppressed = active;
                self.rearm_person(rule.index(), at);
                self.touched.push(rule.index());
                if !active {
                    self.revealed.push(rule.index());
                }
            }
        }
    }
}
