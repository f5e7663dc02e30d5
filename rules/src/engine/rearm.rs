//! Timers follow from the state that an event led to; nothing else arms them.

use super::{ConditionState, Engine, Timer};
use crate::book::{Condition, slot};
use crate::event::{Event, EventKind};
use crate::time::Now;

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
        match event.kind {
            EventKind::Raised { .. } => self.watch_standing(i, event.at),
            EventKind::Returned { .. } | EventKind::ShadowReturned { .. } => {
                self.deadlines.set(Timer::Standing(i), None)
            }
            _ => {}
        }
        self.rearm_person(i);
        if let Some(inner) = self.book.index().superseded.get(i).copied().flatten() {
            // What the outer limit kept quiet is not called for at once when the outer one is gone.
            let a = &self.alarms[inner.index()];
            let later = a.annunciated.is_none_or(|called| called.mono < event.at.mono);
            if matches!(event.kind, EventKind::Returned { .. }) && a.is_active() && !a.acked && later {
                self.alarms[inner.index()].annunciated = Some(event.at);
            }
            self.rearm_person(inner.index());
        }
        if let crate::book::Subject::Device(d) = self.book.index().subject(i) {
            self.suppress(d.index(), event.at);
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
    pub(super) fn rearm_person(&mut self, i: usize) {
        let (escalate, realarm) = self.calls_due(i);
        self.deadlines.set(Timer::Escalation(i), escalate);
        self.deadlines.set(Timer::Realarm(i), realarm);
    }

    fn calls_due(&self, i: usize) -> (Option<crate::time::Mono>, Option<crate::time::Mono>) {
        let a = &self.alarms[i];
        if (a.acked && !a.is_active()) || a.is_hidden() || a.quiet || self.superseded(i) {
            return (None, None);
        }
        let (policy, slot) = (self.book.policy(), slot(self.priority_of(i)));
        if a.acked {
            let since = a.acked_at.filter(|_| a.is_active());
            return (None, since.zip(policy.realarm[slot]).map(|(at, d)| self.due_after(at, d)));
        }
        let step = policy.escalation[slot].get(usize::from(a.escalated));
        (a.annunciated.zip(step).map(|(at, d)| self.due_after(at, *d)), None)
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
    pub(super) fn suppress(&mut self, device: usize, _at: Now) {
        let active = self.alarms[self.book.index().comms_alarm(device)].is_active();
        for k in 0..self.book.index().points_of_device[device].len() {
            let p = self.book.index().points_of_device[device][k].index();
            let Some(rule) = self.book.index().fault_of_point[p] else { continue };
            debug_assert_eq!(self.book.rules()[rule.index()].condition, Condition::SensorFault);
            if self.alarms[rule.index()].suppressed != active {
                self.alarms[rule.index()].suppressed = active;
                self.rearm_person(rule.index());
                self.touched.push(rule.index());
                if !active {
                    self.revealed.push(rule.index());
                }
            }
        }
    }
}
