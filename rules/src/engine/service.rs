//! Out of service: a point is not judged while a work order is open, and somebody is reminded every day.

use super::ack::decision;
use super::shelf::is_reason;
use super::{ConditionState, Engine, Timer};
use crate::command::{Actor, Command, Refusal, Rejected};
use crate::event::{Cause, Event, EventKind};
use crate::hide::Service;
use crate::time::Now;

impl Engine {
    /// 25: what stands is over; what is latched, or would latch when it returned, waits for its reset.
    pub(super) fn out_of_service(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let Command::OutOfService { point, seen_seq, work_order, reason } = command else {
            return Err(Rejected::Incomplete(Vec::new()));
        };
        let (p, alarms) = self.alarms_of(point)?;
        if self.alarms[alarms[0]].hidden.service.is_none() {
            self.seen_point(point, &alarms, *seen_seq)?;
        }
        let mut wrong = Vec::new();
        if work_order.trim().is_empty() {
            wrong.push("work_order".to_owned());
        }
        if !is_reason(reason) {
            wrong.push("reason".to_owned());
        }
        if !wrong.is_empty() {
            return Err(Rejected::Incomplete(wrong));
        }
        if self.alarms[alarms[0]].hidden.service.is_some() {
            return Err(Rejected::AlreadySo);
        }
        self.vote_survives(p)?;
        for i in alarms {
            if (self.alarms[i].is_active() || !self.alarms[i].acked) && !self.alarms[i].latched {
                self.end_by_service(i, now, out);
            }
            self.end_one_shot(i, now, out);
            if self.alarms[i].chatter {
                let fact = self.fact(i, self.reading_of(i));
                self.emit(EventKind::ChatterEnd { fact }, now, out);
            }
            self.deadlines.set(Timer::Standing(i), None);
        }
        let work_order = work_order.trim().to_owned();
        let service = Service { work_order, by: decision(actor, reason, now), reviewed: now, begun_seq: 0 };
        self.emit(EventKind::OutOfService { point: point.clone(), service }, now, out);
        // What it suppresses and which unit it stops: nothing, while nobody may believe it.
        self.tell_groups(p.index(), now, out);
        Ok(())
    }

    /// Work on a detector takes no latch away: the reset is another person's.
    fn end_by_service(&mut self, i: usize, now: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, self.reading_of(i));
        let latched = self.alarms[i].is_active() && self.would_latch(i);
        let kind = match (latched, self.alarms[i].shadow) {
            (false, _) => EventKind::Cleared { fact },
            (true, false) => EventKind::Returned { fact, latched },
            (true, true) => EventKind::ShadowReturned { fact, latched },
        };
        self.emit(kind, now, out);
    }

    /// 25: judged again, from nothing; delays start fresh with the next sample.
    pub(super) fn return_to_service(
        &mut self,
        point: &str,
        seen_seq: u64,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let (p, alarms) = self.alarms_of(point)?;
        if self.alarms[alarms[0]].hidden.service.is_none() {
            return Err(Rejected::Refused(Refusal::NothingToEnd));
        }
        self.seen_point(point, &alarms, seen_seq)?;
        if !is_reason(reason) {
            return Err(Rejected::Incomplete(vec!["reason".to_owned()]));
        }
        self.emit(EventKind::InService { point: point.to_owned(), by: decision(actor, reason, now) }, now, out);
        for i in alarms {
            debug_assert!(self.alarms[i].condition == ConditionState::Unknown);
            self.memory[i] = super::stuck::Memory::Nothing;
            self.reveal(i, now, out);
        }
        self.tell_groups(p.index(), now, out);
        Ok(())
    }

    /// Nobody may believe what that point says.
    pub(super) fn is_out_of_service(&self, p: usize) -> bool {
        self.ways[p].rules().any(|i| self.alarms[i].hidden.service.is_some())
    }

    /// Still out of service after another day.
    pub(super) fn review(&mut self, p: usize, now: Now, out: &mut Vec<Event>) {
        let first = self.book.index().rules_of_point[p].first().map(|r| r.index());
        let Some(since) = first.and_then(|i| self.alarms[i].hidden.service.as_ref()).map(|s| s.by.at) else { return };
        self.cause = Cause::Timer;
        let day = self.book.policy().service_review.as_secs().max(1);
        let lasted = now.mono.since(since.mono) + self.before_boot(since);
        let days = u32::try_from(lasted.as_secs() / day).unwrap_or(u32::MAX);
        let point = self.book.points()[p].key.to_string();
        self.emit(EventKind::ServiceReview { point, days }, now, out);
    }
}
