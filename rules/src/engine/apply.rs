//! The only place where an event changes state; live and replay both come through here.

use super::comms::COMMS_OFF_DELAY;
use super::hazards::{OCCURRENCES_MAX, number};
use super::{ConditionState, Engine, Timer};
use crate::book::Condition;
use crate::event::{AlarmFact, Event, EventKind};
use crate::hazard::{Hazard, Stage};
use crate::time::Now;

impl Engine {
    /// Replays one event: afterwards the state is what it was when `handle` emitted it.
    pub fn apply(&mut self, event: &Event) {
        self.next_seq = self.next_seq.max(event.seq + 1);
        match &event.kind {
            EventKind::HazardOpened { hazard } => {
                self.next_hazard = self.next_hazard.max(number(&hazard.id).unwrap_or(0) + 1);
                self.replace(hazard);
            }
            EventKind::HazardStage { hazard } => self.replace(hazard),
            EventKind::HazardOccurrence { hazard, occurrence } => self.attach(hazard, occurrence),
            EventKind::Started { .. } => self.drop_off_delays(),
            kind => {
                if let Some(fact) = kind.fact()
                    && let Some(i) = self.alarm_index(&fact.alarm)
                {
                    self.apply_alarm(i, fact, event);
                }
            }
        }
    }

    fn apply_alarm(&mut self, i: usize, fact: &AlarmFact, event: &Event) {
        let a = &mut self.alarms[i];
        match &event.kind {
            EventKind::PendingOn { .. } => a.condition = ConditionState::PendingOn(event.at.mono),
            EventKind::PendingCancelled { .. } => a.condition = ConditionState::Normal,
            EventKind::Raised { assumed, .. } => {
                a.condition = ConditionState::Active;
                (a.acked, a.held, a.assumed) = (false, *assumed, *assumed);
                (a.occurrence, a.annunciated_seq) = (fact.occurrence, event.seq);
                (a.raised, a.returned, a.acked_by) = (Some(event.at), None, None);
            }
            EventKind::Held { .. } => {
                a.condition = ConditionState::Active;
                (a.held, a.assumed) = (true, true);
            }
            EventKind::Released { .. } => (a.held, a.assumed) = (false, false),
            EventKind::PendingOff { .. } => a.condition = ConditionState::PendingOff(event.at.mono),
            EventKind::ReturnCancelled { .. } => a.condition = ConditionState::Active,
            EventKind::Returned { .. } => {
                a.condition = ConditionState::Normal;
                (a.held, a.assumed, a.returned) = (false, false, Some(event.at));
            }
            EventKind::Acked { by, .. } => (a.acked, a.acked_by) = (true, Some(by.by.clone())),
            EventKind::Cleared { .. } => a.acked = true,
            _ => {}
        }
        if fact.reading.is_some_and(|r| r.value().is_some()) && !matches!(event.kind, EventKind::Acked { .. }) {
            a.last_evaluable = Some(event.at.mono);
        }
        a.fact = Some(fact.clone());
        self.rearm(i, event);
    }

    /// Timers follow from the state that an event led to.
    fn rearm(&mut self, i: usize, event: &Event) {
        if matches!(event.kind, EventKind::Acked { .. } | EventKind::Cleared { .. }) {
            return;
        }
        let due = match self.alarms[i].condition {
            ConditionState::PendingOn(t0) => self.book.rules().get(i).map(|r| t0.plus(r.on_delay)),
            ConditionState::PendingOff(t0) => {
                Some(t0.plus(self.book.rules().get(i).map_or(COMMS_OFF_DELAY, |r| r.off_delay)))
            }
            _ => None,
        };
        self.deadlines.set(Timer::Delay(i), due);
        match event.kind {
            EventKind::Raised { .. } => self.watch_standing(i, event.at),
            EventKind::Returned { .. } => self.deadlines.set(Timer::Standing(i), None),
            _ => {}
        }
        if let Some(device) = i.checked_sub(self.book.rules().len())
            && device < self.book.devices().len()
        {
            self.suppress(device, event.at);
        }
    }

    /// Sensor faults of a device's points are hidden exactly while its COMMS_LOSS is active.
    pub(super) fn suppress(&mut self, device: usize, at: Now) {
        let active = self.alarms[self.book.rules().len() + device].is_active();
        let x = self.book.index();
        for r in x.points_of_device[device].iter().flat_map(|p| &x.rules_of_point[p.index()]) {
            let (i, rule) = (r.index(), &self.book.rules()[r.index()]);
            if rule.condition != Condition::SensorFault || self.alarms[i].suppressed == active {
                continue;
            }
            self.alarms[i].suppressed = active;
            if let ConditionState::PendingOn(t0) = self.alarms[i].condition {
                let due = (!active).then(|| t0.plus(rule.on_delay).max(at.mono));
                self.deadlines.set(Timer::Delay(i), due);
            }
        }
    }

    /// After a start off-delays begin anew with the first good sample.
    pub(super) fn drop_off_delays(&mut self) {
        for (i, a) in self.alarms.iter_mut().enumerate() {
            if matches!(a.condition, ConditionState::PendingOff(_)) {
                a.condition = ConditionState::Active;
                self.deadlines.set(Timer::Delay(i), None);
            }
        }
    }

    fn replace(&mut self, hazard: &Hazard) {
        let at = self.hazards.iter().position(|h| h.id == hazard.id);
        match (at, &hazard.stage) {
            (Some(k), Stage::Rejected { .. }) => drop(self.hazards.remove(k)),
            (Some(k), _) => self.hazards[k] = hazard.clone(),
            (None, Stage::Rejected { .. }) => {}
            (None, _) => self.hazards.push(hazard.clone()),
        }
    }

    fn attach(&mut self, id: &str, occurrence: &str) {
        if let Some(h) = self.hazards.iter_mut().find(|h| h.id == id) {
            h.occurrences.push(occurrence.to_owned());
            let over = h.occurrences.len().saturating_sub(OCCURRENCES_MAX);
            h.occurrences.drain(..over);
        }
    }
}
