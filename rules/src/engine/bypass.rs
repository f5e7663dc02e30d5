//! Bypass: a point's alarms out of effect under a permit, with two people, a substitute and an end.

use super::Engine;
use super::ack::decision;
use super::shelf::is_reason;
use crate::book::PointId;
use crate::command::{Actor, Command, Refusal, Rejected};
use crate::event::{Cause, Event, EventKind};
use crate::hide::{Bypass, EndCause, Expiry};
use crate::time::Now;
use std::time::Duration;

impl Engine {
    /// The alarms of a point; none for a point without.
    pub(super) fn alarms_of(&self, point: &str) -> Result<(PointId, Vec<usize>), Rejected> {
        let p = self.book.point_id(point).ok_or_else(|| Rejected::NotFound(point.to_owned()))?;
        let list: Vec<usize> = self.book.index().rules_of_point[p.index()].iter().map(|r| r.index()).collect();
        if list.is_empty() { Err(Rejected::NotFound(point.to_owned())) } else { Ok((p, list)) }
    }

    /// 22: permit, reason, substitute, end; who asked is not who approves; no vote goes blind.
    pub(super) fn bypass(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let Command::Bypass { point, permit, reason, requested_by, duration_s, compensation } = command else {
            return Err(Rejected::Incomplete(Vec::new()));
        };
        let (p, alarms) = self.alarms_of(point)?;
        let duration = Duration::from_secs(*duration_s);
        let checks = [
            ("permit", !permit.trim().is_empty()),
            ("reason", is_reason(reason)),
            ("requested_by", !requested_by.trim().is_empty()),
            ("duration_s", !duration.is_zero() && duration <= self.book.policy().bypass_max),
            ("compensation", is_reason(compensation)),
        ];
        let wrong: Vec<String> = checks.iter().filter(|(_, ok)| !ok).map(|(name, _)| (*name).to_owned()).collect();
        if !wrong.is_empty() {
            return Err(Rejected::Incomplete(wrong));
        }
        if requested_by.trim().eq_ignore_ascii_case(actor.user.trim()) {
            return Err(Rejected::Forbidden(Refusal::SamePerson));
        }
        let hidden = &self.alarms[alarms[0]].hidden;
        if hidden.service.is_some() {
            return Err(Rejected::Refused(Refusal::OutOfService));
        }
        match &hidden.bypass {
            Some(now_in_force) if now_in_force.permit == permit.trim() => return Err(Rejected::AlreadySo),
            // another permit is not in force because one is: that one ends first
            Some(_) => return Err(Rejected::Refused(Refusal::Hidden)),
            None => {}
        }
        self.vote_survives(p)?;
        let bypass = Bypass {
            permit: permit.trim().to_owned(),
            requested_by: requested_by.trim().to_owned(),
            compensation: compensation.trim().to_owned(),
            until: Expiry::after(now, duration),
            warned: duration <= self.book.policy().bypass_warning,
            by: decision(actor, reason, now),
        };
        self.emit(EventKind::Bypassed { point: point.clone(), bypass }, now, out);
        Ok(())
    }

    /// 24, by a person.
    pub(super) fn end_bypass(
        &mut self,
        point: &str,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let (p, alarms) = self.alarms_of(point)?;
        if self.alarms[alarms[0]].hidden.bypass.is_none() {
            return Err(Rejected::Refused(Refusal::NothingToEnd));
        }
        self.bypass_over(p.index(), EndCause::User, Some(decision(actor, reason, now)), now, out);
        Ok(())
    }

    /// 24: what is active calls for a person now, without a new delay.
    pub(super) fn bypass_over(
        &mut self,
        p: usize,
        why: EndCause,
        by: Option<crate::hazard::Decision>,
        now: Now,
        out: &mut Vec<Event>,
    ) {
        let alarms: Vec<usize> = self.book.index().rules_of_point[p].iter().map(|r| r.index()).collect();
        if !alarms.iter().any(|i| self.alarms[*i].hidden.bypass.is_some()) {
            return;
        }
        self.cause = match why {
            EndCause::User => Cause::User,
            EndCause::Unproven => Cause::Restart,
            EndCause::Config => Cause::Config,
            _ => Cause::Timer,
        };
        let point = self.book.points()[p].key.to_string();
        self.emit(EventKind::BypassEnded { point, why, by }, now, out);
        for i in alarms {
            self.reveal(i, now, out);
        }
    }

    /// 23: once, ten minutes before.
    pub(super) fn bypass_expiring(&mut self, p: usize, now: Now, out: &mut Vec<Event>) {
        let first = self.book.index().rules_of_point[p].first().map(|r| r.index());
        let Some(until) = first.and_then(|i| self.alarms[i].hidden.bypass.as_ref()).map(|b| b.until) else { return };
        self.cause = Cause::Timer;
        let point = self.book.points()[p].key.to_string();
        self.emit(EventKind::BypassExpiring { point, until }, now, out);
    }
}
