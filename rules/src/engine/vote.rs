//! Votes MooN over alarms of several points: each member also alarms for itself.
//!
//! A member votes by its condition. It is unknown only once its sensor fault or its device's silence is raised; until then its
//! last vote holds. A member that is active on an assumption still votes for the alarm.

use super::{ConditionState, Engine};
use crate::book::{PointId, UnknownVote};
use crate::command::{Refusal, Rejected};
use crate::event::{Cause, Event};
use crate::time::Now;

/// What one member says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ballot {
    For,
    Against,
    Unknown,
    /// Bypassed or out of service.
    Absent,
}

/// The count of one vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Votes for the alarm, as they count under the policy.
    pub votes: u8,
    /// Votes needed now, after degradation.
    pub needed: u8,
    /// Members that can vote.
    pub healthy: u8,
    pub members: u8,
}

fn small(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

impl Engine {
    /// True while the member's instrument and its line work.
    fn is_healthy(&self, member: usize) -> bool {
        let x = self.book.index();
        let Some(p) = x.point_of_alarm(member).map(PointId::index) else { return true };
        let fault = x.fault_of_point[p].is_some_and(|r| self.alarms[r.index()].is_active());
        !fault && !self.alarms[x.comms_alarm(x.device_of_point[p].index())].is_active()
    }

    fn ballot(&self, member: usize) -> Ballot {
        let a = &self.alarms[member];
        match () {
            () if a.hidden.bypass.is_some() || a.hidden.service.is_some() => Ballot::Absent,
            () if a.is_active() => Ballot::For,
            () if !self.is_healthy(member) => Ballot::Unknown,
            () => Ballot::Against,
        }
    }

    /// How vote `k` stands.
    #[must_use]
    pub fn count(&self, k: usize) -> Count {
        let (vote, members) = (&self.book.votes()[k], &self.book.index().groups.members_of_vote[k]);
        let is = |wanted: Ballot| members.iter().filter(|m| self.ballot(**m) == wanted).count();
        let (votes, unknown, absent) = (is(Ballot::For), is(Ballot::Unknown), is(Ballot::Absent));
        let present = members.iter().filter(|m| self.ballot(**m) != Ballot::Absent);
        let healthy = present.filter(|m| self.is_healthy(**m)).count();
        let needed = usize::from(vote.needed);
        let left = members.len() - absent;
        let (votes, needed) = match vote.unknown {
            UnknownVote::VoteAlarm => (votes + unknown, needed.min(left)),
            UnknownVote::Degrade => (votes, needed.saturating_sub(unknown + absent)),
            UnknownVote::VoteNormal => (votes, needed.min(left)),
        };
        Count {
            votes: small(votes),
            needed: small(needed.max(1)),
            healthy: small(healthy),
            members: small(members.len()),
        }
    }

    /// 2.6: after something changed that vote `k` looks at.
    pub(super) fn judge_vote(&mut self, k: usize, now: Now, out: &mut Vec<Event>) {
        let count = self.count(k);
        let alarm = self.book.index().vote_base() + 2 * k;
        self.cause = Cause::Rule;
        let (raised, blind) = (count.votes >= count.needed, count.healthy == 0);
        let known = self.is_known(k, now);
        // Without a voter the last vote stands and its own alarm says so.
        if raised || known && !blind {
            self.follow(alarm, raised, now, out);
        }
        if blind || known {
            self.follow(alarm + 1, blind, now, out);
        }
    }

    /// After a start nothing need happen to the members of a vote that stands for another reason, such as its own quiet time: each vote is
    /// judged once by itself.
    pub(super) fn judge_heard_votes(&mut self, now: Now, out: &mut Vec<Event>) {
        for k in self.votes_waiting.clone() {
            if self.is_known(k, now) {
                self.judge_vote(k, now, out);
            }
        }
    }

    /// All its members have been heard since the start; until then the last vote is held.
    fn is_known(&mut self, k: usize, now: Now) -> bool {
        if self.book.index().groups.members_of_vote[k].iter().all(|m| self.is_heard(*m, now)) {
            self.votes_waiting.retain(|waiting| *waiting != k);
        }
        !self.votes_waiting.contains(&k)
    }

    /// It has been read, or has had the time; of one that was never judged a reading without a value says nothing.
    fn is_heard(&self, member: usize, now: Now) -> bool {
        let x = self.book.index();
        let Some(p) = x.point_of_alarm(member).map(PointId::index) else { return true };
        let judged = self.alarms[member].condition != ConditionState::Unknown;
        let read = self.newest[p].is_some() && (judged || self.readings[p].0.value().is_some());
        let begun = Now { mono: self.watched_since[x.device_of_point[p].index()], ..now };
        read || self.ballot(member) == Ballot::Absent || self.first_sample_due(p, begun) <= now.mono
    }

    /// A bypass of this point must leave each of its votes enough healthy voters.
    pub(super) fn vote_survives(&self, point: PointId) -> Result<(), Rejected> {
        let x = self.book.index();
        for (k, vote) in self.book.votes().iter().enumerate() {
            let members = &x.groups.members_of_vote[k];
            let of_point = |m: &usize| x.point_of_alarm(*m) == Some(point);
            if !members.iter().any(of_point) {
                continue;
            }
            let absent = members.iter().filter(|m| self.ballot(**m) == Ballot::Absent).count();
            if absent >= usize::from(vote.bypassed_max) {
                return Err(Rejected::Refused(Refusal::TooManyBypassed));
            }
            let rest = members.iter().filter(|m| !of_point(m) && self.ballot(**m) != Ballot::Absent);
            let healthy = rest.filter(|m| self.is_healthy(**m) && self.can_judge(**m)).count();
            if healthy < usize::from(vote.needed) {
                return Err(Rejected::Refused(Refusal::VoteWouldBeBlind));
            }
        }
        Ok(())
    }

    /// Its newest reading carries a value: an inhibited head is no voter to rely on.
    fn can_judge(&self, member: usize) -> bool {
        let p = self.book.index().point_of_alarm(member);
        p.is_none_or(|p| self.readings[p.index()].0.value().is_some())
    }
}
