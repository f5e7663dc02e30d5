//! What an event says besides its transition: numbers and names of the alarm, as they hold now.

use super::{Engine, SystemCondition};
use crate::book::{RiskId, Subject};
use crate::event::AlarmFact;
use crate::reading::Reading;

impl Engine {
    /// 1 … 4.
    pub(super) fn priority_of(&self, i: usize) -> u8 {
        match self.book.index().subject(i) {
            Subject::Rule(r) => self.book.rules()[r.index()].priority,
            Subject::Device(d) => self.book.devices()[d.index()].priority,
            Subject::System(k) => SystemCondition::ALL[k].priority(),
            Subject::Vote(k) | Subject::VoteInvalid(k) => self.book.votes()[k].priority,
        }
    }

    /// The newest reading of the point an alarm is about.
    pub(super) fn reading_of(&self, i: usize) -> Option<Reading> {
        self.book.index().point_of_alarm(i).map(|p| self.readings[p.index()].0)
    }

    /// Numbers and state of alarm `i` for an event about it.
    pub(super) fn fact(&self, i: usize, reading: Option<Reading>) -> AlarmFact {
        let x = self.book.index();
        let risk_key = |r: Option<RiskId>| r.map(|r| self.book.risks()[r.index()].key.clone());
        let mut fact = AlarmFact {
            alarm: self.alarms[i].key.clone(),
            occurrence: self.alarms[i].occurrence,
            priority: self.priority_of(i),
            reading,
            cause: self.cause,
            ..AlarmFact::default()
        };
        match x.subject(i) {
            Subject::Rule(r) => {
                let (rule, point) = (&self.book.rules()[r.index()], x.point_of_rule[i].index());
                fact.point.clone_from(&rule.point);
                rule.condition.word().clone_into(&mut fact.condition);
                fact.limit = self.condition_of(i).limit();
                fact.unit.clone_from(&self.book.points()[point].unit);
                fact.risk = risk_key(x.risk_of_point[point]);
            }
            Subject::Device(d) => {
                "COMMS_LOSS".clone_into(&mut fact.condition);
                fact.risk = risk_key(x.risk_of_device[d.index()]);
            }
            Subject::System(_) => "SYSTEM".clone_into(&mut fact.condition),
            Subject::Vote(k) => {
                let count = self.count(k);
                "VOTE".clone_into(&mut fact.condition);
                fact.detail = format!("{}/{}", count.votes, count.needed);
                fact.risk = risk_key(self.risk_of_vote(k));
            }
            Subject::VoteInvalid(k) => {
                "VOTE_INVALID".clone_into(&mut fact.condition);
                fact.risk = risk_key(self.risk_of_vote(k));
            }
        }
        fact
    }

    /// The worst risk of its members.
    fn risk_of_vote(&self, k: usize) -> Option<RiskId> {
        let x = self.book.index();
        let points = x.groups.members_of_vote[k].iter().filter_map(|m| x.point_of_alarm(*m));
        points.filter_map(|p| x.risk_of_point[p.index()]).min_by_key(|r| self.book.risks()[r.index()].level)
    }
}
