//! The only place where an event changes state; live and replay both come through here.

use super::hazards::number;
use super::{ConditionState, Engine};
use crate::event::{AlarmFact, Event, EventKind};
use crate::hide::{Bypass, Service};
use crate::time::Now;

impl Engine {
    /// Replays one event: afterwards the state is what it was when `handle` emitted it.
    pub fn apply(&mut self, event: &Event) {
        self.take_up(event);
        // What follows from it is in the journal too.
        self.touched.clear();
        self.revealed.clear();
    }

    pub(super) fn take_up(&mut self, event: &Event) {
        self.next_seq = self.next_seq.max(event.seq + 1);
        match &event.kind {
            EventKind::HazardOpened { hazard } => {
                self.next_hazard = self.next_hazard.max(number(&hazard.id).unwrap_or(0) + 1);
                self.take_hazard(hazard, event.seq);
            }
            EventKind::HazardStage { hazard } => {
                self.take_hazard(hazard, event.seq);
                self.note_rejection(hazard);
            }
            EventKind::HazardOccurrence { hazard, occurrence } => self.attach(hazard, occurrence, event.seq),
            EventKind::HazardOverdue { hazard, .. } => self.note_overdue(hazard),
            EventKind::Started { .. } => self.drop_what_a_start_ends(),
            EventKind::FirstOutReset { group, .. } => self.forget_ranks(group),
            EventKind::SuppressionReleased { rule } => self.note_release(rule),
            EventKind::FloodStarted { count, first } => self.flood.begin(event.at, *count, first),
            EventKind::FloodEnded { .. } => self.flood.end(),
            EventKind::ModeChanged { plant_unit, new, by, .. } => {
                self.set_mode(plant_unit, *new);
                self.note_mode(plant_unit, event.seq, by.is_none());
            }
            EventKind::Silenced { until, by } => self.silenced = Some((*until, by.by.as_str().into())),
            kind => {
                if let Some(point) = kind.whole_point() {
                    self.apply_point(point, event);
                } else if let Some(i) = kind.fact().and_then(|f| self.alarm_index(&f.alarm)) {
                    self.apply_alarm(i, event);
                }
            }
        }
        self.count_annunciation(event);
    }

    fn apply_alarm(&mut self, i: usize, event: &Event) {
        let Some(fact) = event.kind.fact() else { return };
        self.apply_condition(i, fact, event);
        self.apply_person(i, event);
        self.apply_hiding(i, event);
        let a = &mut self.alarms[i];
        let person =
            matches!(event.kind, EventKind::Acked { .. } | EventKind::Unshelved { .. } | EventKind::Reset { .. });
        if fact.reading.is_some_and(|r| r.value().is_some()) && !person {
            a.last_evaluable = Some(event.at.mono);
        }
        a.fact = Some(Box::new(AlarmFact { states: None, sound: None, raw: None, ..fact.clone() }));
        self.rearm(i, event);
        self.touched.push(i);
    }

    fn apply_condition(&mut self, i: usize, fact: &AlarmFact, event: &Event) {
        let window = self.book.policy().chatter_window;
        // A time before the boot has no monotonic value: its label tells how long ago it was.
        let in_window = |r: &Now| self.due_after(*r, window) >= event.at.mono;
        let mut raises: Vec<Now> = match event.kind {
            EventKind::Raised { .. } => self.alarms[i].raises.iter().filter(|r| in_window(r)).copied().collect(),
            _ => Vec::new(),
        };
        let a = &mut self.alarms[i];
        match &event.kind {
            EventKind::PendingOn { .. } => {
                (a.condition, a.pending) = (ConditionState::PendingOn(event.at.mono), Some(event.at));
            }
            EventKind::PendingCancelled { .. } => a.condition = ConditionState::Normal,
            EventKind::Raised { assumed, .. } => {
                let fresh = fact.occurrence > a.occurrence;
                a.condition = ConditionState::Active;
                (a.acked, a.held, a.assumed) = (false, *assumed || (a.held && !fresh), *assumed);
                (a.latched, a.shadow, a.owed, a.quiet) = (false, false, false, false);
                (a.occurrence, a.annunciated_seq) = (fact.occurrence, event.seq);
                if fresh {
                    a.rejected.clear();
                }
                if fresh || a.raised.is_none() {
                    (a.raised, a.realarms) = (Some(event.at), 0);
                }
                (a.returned, a.acked_by, a.acked_at) = (None, None, None);
                (a.annunciated, a.escalated) = (Some(event.at), 0);
                raises.push(event.at);
                a.raises = raises.split_off(raises.len().saturating_sub(super::annunciate::CHATTER_RAISES));
            }
            EventKind::ShadowRaised { assumed, .. } => {
                // What nobody has acknowledged or reset before it stays behind it.
                if a.acked && !a.latched {
                    (a.acked_by, a.acked_at) = (None, None);
                }
                a.condition = ConditionState::Active;
                (a.held, a.assumed) = (*assumed, *assumed);
                (a.shadow, a.occurrence, a.shadow_seq) = (true, fact.occurrence, event.seq);
                a.rejected.clear();
                (a.raised, a.returned) = (Some(event.at), None);
            }
            EventKind::Held { assumed, .. } => {
                a.condition = ConditionState::Active;
                (a.held, a.assumed) = (true, *assumed);
            }
            EventKind::Released { .. } => (a.held, a.assumed) = (false, false),
            EventKind::PendingOff { .. } => a.condition = ConditionState::PendingOff(event.at.mono),
            EventKind::ReturnCancelled { .. } => a.condition = ConditionState::Active,
            EventKind::Returned { latched, .. } => {
                a.condition = ConditionState::Normal;
                (a.held, a.assumed, a.owed, a.returned) = (false, false, false, Some(event.at));
                a.latched = *latched;
            }
            EventKind::ShadowReturned { latched, .. } => {
                a.condition = ConditionState::Normal;
                (a.held, a.assumed, a.owed, a.shadow) = (false, false, false, false);
                a.returned = Some(event.at);
                a.latched |= *latched;
                // what was quiet was the occurrence before
                a.quiet &= !*latched;
                if *latched && a.acked {
                    // Nobody was called for it, and nobody has seen it.
                    (a.acked, a.acked_by, a.acked_at) = (false, None, None);
                    (a.annunciated, a.escalated) = (None, 0);
                }
            }
            EventKind::Realarm { count, .. } => {
                (a.acked, a.annunciated_seq, a.realarms) = (false, event.seq, *count);
                (a.annunciated, a.escalated, a.acked_at) = (Some(event.at), 0, None);
            }
            EventKind::Escalated { level, .. } => a.escalated = *level,
            EventKind::ChatterStart { .. } => a.chatter = true,
            EventKind::ChatterEnd { .. } => {
                a.chatter = false;
                a.raises.clear();
            }
            _ => {}
        }
        if let Some(rank) = fact.first_out.filter(|_| gives_rank(&event.kind)) {
            self.note_rank(i, rank);
        }
    }

    fn apply_person(&mut self, i: usize, event: &Event) {
        let a = &mut self.alarms[i];
        match &event.kind {
            EventKind::Acked { by, .. } => {
                (a.acked, a.acked_by, a.acked_at) = (true, Some(by.by.clone()), Some(event.at));
                a.quiet = false;
            }
            EventKind::Cleared { .. } => {
                (a.acked, a.shadow, a.owed, a.quiet) = (true, false, false, false);
                a.cleared_seq = event.seq;
                if a.is_active() {
                    // Out of service or out of the book: over without a return.
                    a.condition = ConditionState::Unknown;
                    (a.held, a.assumed) = (false, false);
                }
            }
            EventKind::Reset { .. } => a.latched = false,
            _ => {}
        }
    }

    fn apply_hiding(&mut self, i: usize, event: &Event) {
        let a = &mut self.alarms[i];
        match &event.kind {
            EventKind::Shelved { shelf, .. } => a.hidden.shelf = Some(Box::new(shelf.clone())),
            EventKind::Unshelved { by, .. } => {
                a.hidden.shelf = None;
                if a.is_active() || a.latched {
                    (a.acked, a.acked_by, a.acked_at) = (true, Some(by.by.clone()), Some(event.at));
                    (a.shadow, a.owed, a.quiet) = (false, false, false);
                }
            }
            EventKind::ShelfExpired { annunciated, .. } => {
                a.hidden.shelf = None;
                if *annunciated {
                    (a.acked, a.shadow, a.owed, a.quiet) = (false, false, false, false);
                    a.annunciated_seq = event.seq;
                    (a.annunciated, a.escalated, a.acked_at, a.acked_by) = (Some(event.at), 0, None, None);
                }
            }
            // 19: in silence; whoever has not acknowledged finds it in the list.
            EventKind::ShelfEnded { .. } => (a.hidden.shelf, a.quiet) = (None, !a.acked),
            EventKind::Suppressed { rule, until, granted_ms, .. } => {
                a.spent.retain(|spent| spent != rule);
                a.hidden.suppressed.retain(|s| s.rule != *rule);
                a.hidden.suppressed.push(crate::hide::Suppressed::new(rule, *until, *granted_ms, event.at));
            }
            EventKind::Unsuppressed { rule, why, .. } => {
                a.hidden.suppressed.retain(|s| s.rule != *rule);
                if *why == crate::hide::EndCause::Expired && !a.spent.contains(rule) {
                    a.spent.push(rule.clone());
                }
                a.owe();
            }
            EventKind::Inhibited { inhibit, .. } => a.inhibit = Some(Box::new(*inhibit)),
            EventKind::InhibitEnded { overdue: true, .. } => {
                if let Some(inhibit) = &mut a.inhibit {
                    inhibit.overdue = true;
                }
            }
            EventKind::InhibitEnded { overdue: false, .. } => a.inhibit = None,
            _ => {}
        }
    }

    fn apply_point(&mut self, point: &str, event: &Event) {
        let Some(p) = self.book.point_id(point) else { return };
        for k in 0..self.book.index().rules_of_point[p.index()].len() {
            let i = self.book.index().rules_of_point[p.index()][k].index();
            let a = &mut self.alarms[i];
            match &event.kind {
                EventKind::Bypassed { bypass, .. } => {
                    a.hidden.bypass = Some(Box::new(Bypass { begun_seq: event.seq, ..bypass.clone() }));
                }
                EventKind::BypassExpiring { .. } => {
                    if let Some(bypass) = &mut a.hidden.bypass {
                        (bypass.warned, bypass.expiring) = (true, true);
                    }
                }
                EventKind::BypassEnded { .. } => {
                    a.hidden.bypass = None;
                    a.owe();
                }
                EventKind::OutOfService { service, .. } => {
                    a.hidden.service = Some(Box::new(Service { begun_seq: event.seq, ..service.clone() }));
                    a.condition = ConditionState::Unknown;
                    (a.held, a.assumed, a.chatter, a.inhibit) = (false, false, false, None);
                }
                EventKind::ServiceReview { .. } => {
                    if let Some(service) = &mut a.hidden.service {
                        service.reviewed = event.at;
                    }
                }
                EventKind::InService { .. } => a.hidden.service = None,
                _ => {}
            }
            self.rearm(i, event);
            self.touched.push(i);
        }
        self.arm_point(p.index());
    }

    /// After a start off-delays begin anew with the first good sample, and the sound is on.
    pub(super) fn drop_what_a_start_ends(&mut self) {
        self.silenced = None;
        for i in 0..self.alarms.len() {
            if matches!(self.alarms[i].condition, ConditionState::PendingOff(_)) {
                self.alarms[i].condition = ConditionState::Active;
                self.follow_state(i);
                self.deadlines.set(super::Timer::Delay(i), None);
            }
        }
    }

    /// Alarms whose row an event changed: what the store keeps with it.
    pub(super) fn rows_of(&self, kind: &EventKind) -> Vec<usize> {
        let x = self.book.index();
        if let Some(p) = kind.whole_point().and_then(|p| self.book.point_id(p)) {
            return x.rules_of_point[p.index()].iter().map(|r| r.index()).collect();
        }
        if matches!(kind, EventKind::Started { .. } | EventKind::ConfigChanged { .. }) {
            // Neither says what it moved: times of another boot, a new rule of a hidden point, the ranks of another group.
            return (0..self.alarms.len()).collect();
        }
        if let EventKind::HazardStage { hazard } = kind {
            return self.alarm_index(&hazard.cause).into_iter().collect();
        }
        if let EventKind::FirstOutReset { group, .. } = kind {
            return self.group_members(group);
        }
        if let EventKind::SuppressionReleased { rule } = kind {
            let k = self.book.suppressions().iter().position(|s| s.key == *rule);
            return k.map_or(Vec::new(), |k| x.groups.alarms_of_suppression[k].clone());
        }
        let Some(i) = kind.fact().and_then(|f| self.alarm_index(&f.alarm)) else { return Vec::new() };
        let mut rows = vec![i];
        if gives_rank(kind)
            && let Some(group) = x.groups.group_of_alarm(i)
        {
            rows.extend(x.groups.members_of_group[group].iter().filter(|m| **m != i));
        }
        if let Some(inner) = x.superseded.get(i).copied().flatten() {
            rows.push(inner.index());
        }
        rows.extend(self.faults_under(i));
        rows
    }

    /// Sensor faults that the silence of their device hides: their pause is in no event of their own.
    fn faults_under(&self, i: usize) -> impl Iterator<Item = usize> {
        let x = self.book.index();
        let points = match x.subject(i) {
            crate::book::Subject::Device(d) => &x.points_of_device[d.index()][..],
            _ => &[],
        };
        let faults = points.iter().filter_map(|p| x.fault_of_point[p.index()]);
        faults.map(crate::book::RuleId::index).filter(|f| self.alarms[*f].stands())
    }
}

/// It calls, and has its place in the order of its group.
fn gives_rank(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Raised { .. } | EventKind::ShelfExpired { annunciated: true, .. })
}

impl super::AlarmState {
    /// 21: what is returning when the hiding ends is annunciated only if it becomes active again.
    fn owe(&mut self) {
        self.owed |= matches!(self.condition, ConditionState::PendingOff(_));
    }
}
