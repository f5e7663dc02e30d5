//! What may bring about the events of a condition: of a point's rule, a device, the gateway itself, a vote.

use super::super::super::*;
use super::super::stage::Given;
use super::super::witness::{Row, START_GRACE, When, Witness};
use crate::book::Reference;
use crate::event::AlarmFact;

const COMMS_OFF_DELAY: Duration = Duration::from_secs(5);

impl Witness {
    pub(super) fn of_rule(&self, kind: &EventKind, fact: &AlarmFact, rule: &Rule, row: &Row, at: When) -> bool {
        let fault = matches!(rule.condition, Condition::SensorFault);
        let other = match &rule.condition {
            Condition::Deviation { reference: Reference::Point(key), .. } => key.as_str(),
            _ => &*rule.point,
        };
        let told = |fits: &dyn Fn(Reading) -> bool| self.told(&rule.point, at, fits) || self.told(other, at, fits);
        let valued = told(&|r| r.value().is_some());
        let bad = told(&|r| r.value().is_none());
        let stale = self.is_stale(&rule.point) || self.is_stale(other);
        let renumbered = self.renumbered(&rule.point);
        let fell = if fault { bad || stale || self.was_too_long_inhibited(rule) } else { valued };
        let off_delay =
            if row.chatters { rule.off_delay.max(self.book.policy().chatter_quiet) } else { rule.off_delay };
        let returned = row.pending_off.is_some_and(|since| since.is(off_delay, at));
        match kind {
            EventKind::PendingOn { .. } => renumbered || fell,
            EventKind::PendingCancelled { .. } => row.pending_on.is_some() && (renumbered || valued),
            EventKind::Released { .. } => row.active && (renumbered || valued || fell),
            EventKind::PendingOff { .. } => row.active && (renumbered || valued),
            EventKind::ReturnCancelled { .. } => row.pending_off.is_some() && (renumbered || fell || valued),
            EventKind::Held { .. } => {
                row.active && (renumbered || bad || stale || returned || self.says_nothing(rule, valued))
            }
            EventKind::Returned { .. } | EventKind::ShadowReturned { .. } => {
                // Bad quality never clears, at no moment and for no reason.
                let good = matches!(self.heard(&rule.point).newest, Some((_, r)) if r.value().is_some());
                // Work on its detector takes no latch away.
                let service = rule.latching
                    && self.asked(|c| matches!(c, Command::OutOfService { point, .. } if *point == *rule.point));
                row.active && (service || good && (renumbered || returned || valued && off_delay.is_zero()))
            }
            EventKind::Raised { assumed, .. } | EventKind::ShadowRaised { assumed, .. } => {
                if row.active && fact.occurrence == row.occurrence {
                    self.came_free(&fact.alarm, rule)
                } else {
                    renumbered || self.may_rise(rule, row, at, *assumed, fell)
                }
            }
            EventKind::Inhibited { .. } => fault && self.told(&rule.point, at, is_function_check),
            EventKind::InhibitEnded { overdue: true, .. } => {
                row.inhibit.is_some_and(|end| end.ended(self.now) || self.is_unproven())
            }
            EventKind::InhibitEnded { .. } => {
                let says = |r| !is_function_check(r) && !matches!(r, Reading::Bad(f) if f.is_communication());
                self.told(&rule.point, at, says)
            }
            _ => false,
        }
    }

    /// A valid sample that says nothing: a slope needs some on both sides of a gap, a deviation both of its points.
    fn says_nothing(&self, rule: &Rule, valued: bool) -> bool {
        let unseen = |key: &str| self.heard(key).newest.is_none_or(|(_, r)| r.value().is_none());
        valued
            && match &rule.condition {
                Condition::Rising { .. } | Condition::Falling { .. } => true,
                Condition::Deviation { reference: Reference::Point(key), .. } => unseen(key) || unseen(&rule.point),
                _ => false,
            }
    }

    /// A new occurrence: its on-delay is over, or it has none.
    fn may_rise(&self, rule: &Rule, row: &Row, at: When, assumed: bool, fell: bool) -> bool {
        let gas = self.book.point_id(&rule.point).is_some_and(|p| self.book.points()[p.index()].kind == PointKind::Gas);
        let upper = matches!(rule.condition, Condition::HighHigh { .. } | Condition::High { .. });
        let blinded = self.told(&rule.point, at, |r| r.value().is_none()) || self.is_blind(&rule.point);
        let waits = match rule.condition {
            // What is left of the window is told by what stood still before.
            Condition::Stuck { .. } | Condition::Frozen { .. } => Duration::ZERO,
            Condition::SensorFault if row.overdue => Duration::ZERO,
            _ => rule.on_delay,
        };
        let due = row.pending_on.is_some_and(|since| since.is(waits, at));
        let risen = gas && upper && assumed && blinded;
        due || waits.is_zero() && fell || risen || self.was_too_long_inhibited(rule)
    }

    /// The function check of the point has become a fault.
    fn was_too_long_inhibited(&self, rule: &Rule) -> bool {
        let alarm = format!("{}:SENSOR_FAULT", rule.point);
        self.about(&alarm, |k| matches!(k, EventKind::InhibitEnded { overdue: true, .. }))
    }

    /// The same occurrence is called for: nothing hides it any more, or it is active again after nothing hid it.
    fn came_free(&self, alarm: &str, rule: &Rule) -> bool {
        let point = &*rule.point;
        let comms = format!("{}:COMMS_LOSS", self.device_of(point));
        let again = |k: &EventKind| {
            matches!(k, EventKind::Unsuppressed { .. } | EventKind::ReturnCancelled { .. } | EventKind::Held { .. })
        };
        let gone = |k: &EventKind| {
            matches!(k, EventKind::Returned { .. } | EventKind::ShadowReturned { .. } | EventKind::Cleared { .. })
        };
        self.about(alarm, again)
            || self.before(|k| matches!(k, EventKind::BypassEnded { point: ended, .. } if ended == point))
            || self.about(&comms, gone)
            || self.starts()
            || self.configures()
    }

    pub(super) fn of_device(&self, kind: &EventKind, device: &Device, row: &Row, at: When) -> bool {
        let scanned = |wanted: bool| matches!(self.given(), Given::Scan { device: d, answered, .. } if *answered == wanted && self.book.devices()[*d].key == device.key);
        let silent_since = self.answered.get(&device.key);
        let silent = silent_since.unwrap_or(&self.started).is(device.comms_timeout, self.now)
            && self.started.is(START_GRACE, self.now);
        let off_delay =
            if row.chatters { self.book.policy().chatter_quiet.max(COMMS_OFF_DELAY) } else { COMMS_OFF_DELAY };
        match kind {
            EventKind::Raised { .. } | EventKind::ShadowRaised { .. } => !row.active && silent,
            EventKind::PendingOff { .. } => row.active && scanned(true),
            EventKind::ReturnCancelled { .. } => row.pending_off.is_some() && (scanned(false) || silent),
            EventKind::Returned { .. } | EventKind::ShadowReturned { .. } => {
                let again = |since: When| silent_since.is_some_and(|newest| newest.ns > since.ns);
                row.pending_off.is_some_and(|since| since.is(off_delay, at) && again(since))
            }
            _ => false,
        }
    }

    pub(super) fn of_system(&self, kind: &EventKind, code: &str, row: &Row, at: When) -> bool {
        let told =
            |wanted: bool| matches!(self.given(), Given::System(c, active) if c.code() == code && *active == wanted);
        let (came, went) = match code {
            "bypass_expiring" => (
                self.before(|k| matches!(k, EventKind::BypassExpiring { .. })),
                self.before(|k| matches!(k, EventKind::BypassEnded { .. })) || self.starts(),
            ),
            "hazard_overdue" => (
                self.before(|k| matches!(k, EventKind::HazardOverdue { .. })),
                self.before(|k| matches!(k, EventKind::HazardStage { .. })),
            ),
            _ => (told(true), told(false)),
        };
        self.without_a_reading(kind, row, at, came, went)
    }

    pub(super) fn of_vote(&self, kind: &EventKind, members: &[String], row: &Row, at: When) -> bool {
        let looks_at = |alarm: &str| {
            let point = alarm.rsplit_once(':').map_or(alarm, |(point, _)| point).to_owned();
            let alarms =
                [alarm.to_owned(), format!("{point}:SENSOR_FAULT"), format!("{}:COMMS_LOSS", self.device_of(&point))];
            self.before(|k| k.whole_point() == Some(&*point) || k.fact().is_some_and(|f| alarms.contains(&f.alarm)))
        };
        // After a start it is judged when its members have been heard, or have had the time: one that only told faults, from the start on.
        let in_time = |point: &str| {
            let max_age = self.book.point_id(point).map(|p| self.book.points()[p.index()].max_age);
            max_age.is_some_and(|age| self.started.is_just(age.max(START_GRACE), self.now))
        };
        let heard = |m: &String| {
            let point = m.rsplit_once(':').map_or(m.as_str(), |(point, _)| point);
            self.told.iter().any(|t| t.0 == point) || self.is_stale(point) || in_time(point)
        };
        let judged = members.iter().any(|m| looks_at(m)) || members.iter().any(heard);
        let moved = judged || self.starts() || self.configures();
        self.without_a_reading(kind, row, at, moved, moved)
    }

    /// Follows something else at once, but for chattering.
    fn without_a_reading(&self, kind: &EventKind, row: &Row, at: When, came: bool, went: bool) -> bool {
        let quiet = row.pending_off.is_some_and(|since| since.is(self.book.policy().chatter_quiet, at));
        match kind {
            EventKind::Raised { .. } | EventKind::ShadowRaised { .. } => !row.active && came,
            EventKind::PendingOff { .. } => row.active && row.chatters && went,
            EventKind::ReturnCancelled { .. } => row.pending_off.is_some() && came,
            EventKind::Held { .. } => row.pending_off.is_some() && quiet,
            EventKind::Returned { .. } | EventKind::ShadowReturned { .. } => row.active && (went || quiet),
            _ => false,
        }
    }
}

fn is_function_check(r: Reading) -> bool {
    matches!(r, Reading::Bad(Fault::WarmUp | Fault::Inhibited))
}
