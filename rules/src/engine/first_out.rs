//! Which alarm of a group came first. Polling cannot prove an order inside one poll, so close ones share a rank and say so.

use super::Engine;
use super::ack::decision;
use crate::command::{Actor, Refusal, Rejected};
use crate::event::{Event, EventKind, FirstOut};
use crate::time::Now;
use std::time::Duration;

impl Engine {
    /// The rank of alarm `i` if it is raised now; one it already has stays until the group is reset.
    pub(super) fn rank(&self, i: usize, at: Now) -> Option<FirstOut> {
        let g = &self.book.index().groups;
        let group = g.group_of_alarm(i)?;
        if let Some(old) = self.alarms[i].first_out {
            return Some(old);
        }
        let ranked = || g.members_of_group[group].iter().filter_map(|m| self.alarms[*m].first_out.map(|f| (*m, f)));
        let last = ranked().map(|(_, f)| f.rank).max();
        // The first of the last rank decides, so that a chain of close ones does not become one long tie.
        let head = ranked().filter(|(_, f)| Some(f.rank) == last).min_by_key(|(_, f)| f.at);
        if let Some((m, f)) = head
            && at.mono.since(f.at) < self.slowest_poll(i, m)
        {
            return Some(FirstOut { rank: f.rank, tie: true, at: at.mono });
        }
        let rank = u16::try_from(ranked().count() + 1).unwrap_or(u16::MAX);
        Some(FirstOut { rank, tie: false, at: at.mono })
    }

    fn slowest_poll(&self, a: usize, b: usize) -> Duration {
        let period = |i| self.book.index().point_of_alarm(i).map(|p| self.book.points()[p.index()].period);
        period(a).max(period(b)).unwrap_or(Duration::from_secs(1))
    }

    pub(super) fn note_rank(&mut self, i: usize, rank: FirstOut) {
        self.alarms[i].first_out = Some(rank);
        self.alarms[i].first_out_group = self.group_key(i).map(Box::from);
        let Some(group) = self.book.index().groups.group_of_alarm(i).filter(|_| rank.tie) else { return };
        for k in 0..self.book.index().groups.members_of_group[group].len() {
            let m = self.book.index().groups.members_of_group[group][k];
            if let Some(f) = self.alarms[m].first_out.as_mut().filter(|f| f.rank == rank.rank) {
                f.tie = true;
            }
        }
    }

    pub(super) fn group_members(&self, group: &str) -> Vec<usize> {
        let at = self.book.first_out_groups().iter().position(|g| g.key == group);
        at.map_or_else(Vec::new, |k| self.book.index().groups.members_of_group[k].clone())
    }

    pub(super) fn forget_ranks(&mut self, group: &str) {
        for m in self.group_members(group) {
            self.forget_rank(m);
        }
    }

    pub(super) fn forget_rank(&mut self, i: usize) {
        (self.alarms[i].first_out, self.alarms[i].first_out_group) = (None, None);
    }

    /// Key of the group that alarm `i` is in now.
    pub(super) fn group_key(&self, i: usize) -> Option<&str> {
        let group = self.book.index().groups.group_of_alarm(i)?;
        Some(&self.book.first_out_groups()[group].key)
    }

    /// A person forgets the ranks that they saw; the group is armed again.
    pub(super) fn reset_first_out(
        &mut self,
        group: &str,
        seen_seq: Option<u64>,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        if !self.book.first_out_groups().iter().any(|g| g.key == group) {
            return Err(Rejected::NotFound(group.to_owned()));
        }
        let members = self.group_members(group);
        if members.iter().any(|m| self.alarms[*m].stands()) {
            return Err(Rejected::Refused(Refusal::GroupNotNormal));
        }
        if members.iter().all(|m| self.alarms[*m].first_out.is_none()) {
            return Err(Rejected::AlreadySo);
        }
        let called = members.iter().map(|m| self.alarms[*m].annunciated_seq).max().unwrap_or(0);
        if seen_seq.is_some_and(|seen| seen < called || seen >= self.next_seq) {
            return Err(Rejected::Changed(group.to_owned()));
        }
        self.emit(EventKind::FirstOutReset { group: group.to_owned(), by: decision(actor, reason, now) }, now, out);
        Ok(())
    }
}
