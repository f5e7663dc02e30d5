//! Bypass: a point's alarms out of effect under a permit, with two people, a substitute and an end.

use super::ack::decision;
use super::shelf::is_reason;
use super::{Engine, SystemCondition};
use crate::book::PointId;
use crate::command::{Actor, Command, Refusal, Rejected};
use crate::event::{Cause, Event, EventKind};
use crate::hide::{Bypass, EndCause, Expiry};
use crate::people::same_name;
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
        let Command::Bypass { point, seen_seq, permit, reason, requested_by, no_account, duration_s, compensation } =
            command
        else {
            return Err(Rejected::Incomplete(Vec::new()));
        };
        let (p, alarms) = self.alarms_of(point)?;
        let hidden = &self.alarms[alarms[0]].hidden;
        if hidden.bypass.as_ref().is_none_or(|b| b.permit != permit.trim()) {
            self.seen_point(point, &alarms, *seen_seq)?;
        }
        let duration = Duration::from_secs(*duration_s);
        let checks = [
            ("permit", !permit.trim().is_empty()),
            ("reason", is_reason(reason)),
            // What can be a name is asked where people fill it in: one that is in the journal is played again as it stands there.
            ("requested_by", !requested_by.trim().is_empty()),
            ("duration_s", !duration.is_zero() && duration <= self.book.policy().bypass_max),
            ("compensation", is_reason(compensation)),
        ];
        let wrong: Vec<String> = checks.iter().filter(|(_, ok)| !ok).map(|(name, _)| (*name).to_owned()).collect();
        if !wrong.is_empty() {
            return Err(Rejected::Incomplete(wrong));
        }
        if same_name(requested_by, &actor.user) {
            return Err(Rejected::Forbidden(Refusal::SamePerson));
        }
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
            no_account: *no_account,
            compensation: compensation.trim().to_owned(),
            until: Expiry::after(now, duration),
            warned: duration <= self.book.policy().bypass_warning,
            expiring: false,
            begun_seq: 0,
            by: decision(actor, reason, now),
        };
        self.emit(EventKind::Bypassed { point: point.clone(), bypass }, now, out);
        Ok(())
    }

    /// 24, by a person.
    pub(super) fn end_bypass(
        &mut self,
        point: &str,
        seen_seq: u64,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let (p, alarms) = self.alarms_of(point)?;
        if self.alarms[alarms[0]].hidden.bypass.is_none() {
            return Err(Rejected::Refused(Refusal::NothingToEnd));
        }
        self.seen_point(point, &alarms, seen_seq)?;
        if !is_reason(reason) {
            return Err(Rejected::Incomplete(vec!["reason".to_owned()]));
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
        self.follow_expiring(now, out);
    }

    /// 23: once, ten minutes before.
    pub(super) fn bypass_expiring(&mut self, p: usize, now: Now, out: &mut Vec<Event>) {
        let first = self.book.index().rules_of_point[p].first().map(|r| r.index());
        let Some(until) = first.and_then(|i| self.alarms[i].hidden.bypass.as_ref()).map(|b| b.until) else { return };
        self.cause = Cause::Timer;
        let point = self.book.points()[p].key.to_string();
        self.emit(EventKind::BypassExpiring { point, until }, now, out);
        self.call_for(SystemCondition::BypassExpiring, now, out);
    }

    /// Over with the last of them, however it ended.
    pub(super) fn follow_expiring(&mut self, now: Now, out: &mut Vec<Event>) {
        let i = self.system_alarm(SystemCondition::BypassExpiring);
        if self.alarms[i].is_active() && self.expiring_points().is_empty() {
            self.follow(i, false, now, out);
        }
    }

    /// Points whose bypass is in its last minutes, in the book's order.
    pub(super) fn expiring_points(&self) -> Vec<&str> {
        let expiring = self.alarms.eventful().filter(|(_, a)| a.hidden.bypass.as_ref().is_some_and(|b| b.expiring));
        let mut points: Vec<usize> =
            expiring.filter_map(|(i, _)| self.book.index().point_of_alarm(i)).map(PointId::index).collect();
        points.sort_unstable();
        points.dedup();
        points.into_iter().map(|p| &*self.book.points()[p].key).collect()
    }
}
