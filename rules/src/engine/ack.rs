//! Acknowledgement and reset: they cover only what the person had on the screen.

use super::shelf::is_reason;
use super::{ConditionState, Engine};
use crate::command::{Actor, Refusal, Rejected};
use crate::event::{Event, EventKind};
use crate::hazard::Decision;
use crate::reading::Reading;
use crate::time::Now;

/// Who decided what, for the record.
pub(super) fn decision(actor: &Actor, reason: &str, at: Now) -> Decision {
    let Actor { user, role, terminal } = actor.clone();
    Decision { by: user, role, at, reason: reason.trim().to_owned(), terminal }
}

impl Engine {
    /// The alarm of that key, if what the person saw is what stands: a number not given out yet cannot have been seen.
    pub(super) fn seen(&self, alarm: &str, seen_seq: u64) -> Result<usize, Rejected> {
        let i = self.alarm_index(alarm).ok_or_else(|| Rejected::NotFound(alarm.to_owned()))?;
        let newest = self.called_seq(alarm).unwrap_or(0);
        if seen_seq < newest || seen_seq >= self.next_seq {
            return Err(Rejected::Changed(alarm.to_owned()));
        }
        Ok(i)
    }

    /// The number of the event with which that alarm called last: the least that an acknowledgement of it has seen.
    #[must_use]
    pub fn called_seq(&self, alarm: &str) -> Option<u64> {
        self.alarm_index(alarm).map(|i| self.alarms[i].annunciated_seq.max(self.alarms[i].shadow_seq))
    }

    /// What the person saw of a point is what stands: none of its alarms has called since, and nothing hides it since.
    pub(super) fn seen_point(&self, point: &str, alarms: &[usize], seen_seq: u64) -> Result<(), Rejected> {
        let newest = alarms.iter().map(|i| {
            let (a, hidden) = (&self.alarms[*i], &self.alarms[*i].hidden);
            let bypass = hidden.bypass.as_ref().map_or(0, |b| b.begun_seq);
            let service = hidden.service.as_ref().map_or(0, |s| s.begun_seq);
            a.annunciated_seq.max(a.shadow_seq).max(bypass).max(service)
        });
        if seen_seq < newest.max().unwrap_or(0) || seen_seq >= self.next_seq {
            return Err(Rejected::Changed(point.to_owned()));
        }
        Ok(())
    }

    /// 11: acknowledged; an alarm that had returned is over. With an HH goes the H in the same row (27).
    pub(super) fn acknowledge(
        &mut self,
        alarm: &str,
        seen_seq: u64,
        comment: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let i = self.alarm_index(alarm).ok_or_else(|| Rejected::NotFound(alarm.to_owned()))?;
        if self.alarms[i].acked {
            return Err(self.acked_before(i, seen_seq));
        }
        self.seen(alarm, seen_seq)?;
        if self.alarms[i].is_hidden() {
            return Err(Rejected::Refused(Refusal::Hidden));
        }
        let inner = self.book.index().superseded.get(i).copied().flatten().map(|r| r.index());
        let inner = inner.filter(|h| self.superseded(*h) && self.is_seen_within(*h, i, seen_seq));
        self.acked(i, decision(actor, comment, now), now, out);
        if let Some(h) = inner.filter(|h| !self.alarms[*h].acked && !self.alarms[*h].is_hidden()) {
            self.acked(h, decision(actor, comment, now), now, out);
        }
        Ok(())
    }

    /// What stands acknowledged, or was seen while it stood and is acknowledged and over since, is as it was asked for. What rose behind
    /// what still hides it nobody was called for, and nobody has acknowledged it. Of anything else there is nothing to acknowledge.
    fn acked_before(&self, i: usize, seen_seq: u64) -> Rejected {
        let a = &self.alarms[i];
        // before it rose there: of a latch that stood acknowledged
        let acked_then = a.acked_by.is_some() && (a.annunciated_seq..a.shadow_seq).contains(&seen_seq);
        if a.shadow && a.is_hidden() && !acked_then {
            return Rejected::Refused(Refusal::Hidden);
        }
        let over_since = a.acked_by.is_some() && (a.annunciated_seq..a.cleared_seq).contains(&seen_seq);
        if a.stands() || over_since { Rejected::AlreadySo } else { Rejected::Refused(Refusal::NothingToAcknowledge) }
    }

    /// The inner alarm was in the row of the outer one. One sample raises both, the outer first: no screen shows one without the other.
    fn is_seen_within(&self, inner: usize, outer: usize, seen_seq: u64) -> bool {
        let (inner, outer) = (&self.alarms[inner], &self.alarms[outer]);
        inner.annunciated_seq <= seen_seq || inner.annunciated == outer.annunciated
    }

    /// What the point says now; of an alarm that is not about one, what it was raised with.
    #[must_use]
    pub fn newest_reading(&self, i: usize) -> Option<Reading> {
        let told = || self.alarms[i].fact.as_ref().and_then(|f| f.reading);
        self.reading_of(i).filter(|now| *now != super::turn::NEVER_READ).or_else(told)
    }

    fn acked(&mut self, i: usize, by: Decision, now: Now, out: &mut Vec<Event>) {
        let fact = self.fact(i, self.newest_reading(i));
        self.emit(EventKind::Acked { fact: fact.clone(), by }, now, out);
        if !self.alarms[i].is_active() && !self.alarms[i].latched {
            self.emit(EventKind::Cleared { fact }, now, out);
        }
    }

    /// 12: the latch of an alarm that is acknowledged, and normal by what is read now.
    pub(super) fn reset_latch(
        &mut self,
        alarm: &str,
        seen_seq: u64,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let i = self.seen(alarm, seen_seq)?;
        let a = &self.alarms[i];
        match () {
            () if a.hidden.service.is_some() => return Err(Rejected::Refused(Refusal::OutOfService)),
            () if a.is_active() || a.latched && a.condition != ConditionState::Normal => {
                return Err(Rejected::Refused(Refusal::StillActive));
            }
            () if !a.latched => return Err(Rejected::Refused(Refusal::NothingToEnd)),
            () if !a.acked => return Err(Rejected::Refused(Refusal::NotAcknowledged)),
            () if !self.is_judged_now(i) => return Err(Rejected::Refused(Refusal::ConditionNotNormal)),
            () if !is_reason(reason) => return Err(Rejected::Incomplete(vec!["reason".to_owned()])),
            () => {}
        }
        let fact = self.fact(i, self.newest_reading(i));
        self.emit(EventKind::Reset { fact: fact.clone(), by: decision(actor, reason, now) }, now, out);
        self.emit(EventKind::Cleared { fact }, now, out);
        Ok(())
    }
}
