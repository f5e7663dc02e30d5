//! What an event says besides its transition: numbers and names of the alarm, as they hold now.

use super::transitions::ms;
use super::{Engine, SystemCondition};
use crate::book::{RiskId, Subject};
use crate::event::AlarmFact;
use crate::reading::{Raw, Reading};

/// What is more urgent always stands by itself, also in a flood (alarms.md 2.8).
const FLOODS_FROM: u8 = 3;

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

    /// What `reading` was made of, where it is the newest of the alarm's point.
    fn raw_of(&self, i: usize, reading: Option<Reading>) -> Option<Raw> {
        let p = self.book.index().point_of_alarm(i)?.index();
        let raw = self.raws[p];
        (reading == Some(self.readings[p].0) && raw != Raw::NONE).then_some(raw)
    }

    /// Numbers and state of alarm `i` for an event about it.
    pub(super) fn fact(&self, i: usize, reading: Option<Reading>) -> AlarmFact {
        let x = self.book.index();
        let mut fact = AlarmFact {
            alarm: self.alarms.key(i),
            occurrence: self.alarms[i].occurrence,
            priority: self.priority_of(i),
            reading,
            raw: self.raw_of(i, reading),
            ne107: reading.and_then(Reading::ne107),
            on_delay_ms: ms(self.on_delay(i)),
            off_delay_ms: ms(self.off_delay(i)),
            stood_ms: ms(self.stood(i)),
            cause: self.cause,
            config_rev: self.book.parts().revision.clone(),
            flood: self.flood().is_some() && self.priority_of(i) >= FLOODS_FROM,
            ..AlarmFact::default()
        };
        match x.subject(i) {
            Subject::Rule(r) => self.fact_of_rule(r.index(), &mut fact),
            Subject::Device(d) => {
                "COMMS_LOSS".clone_into(&mut fact.condition);
                self.fact_of_place(d.index(), x.risk_of_device[d.index()], &mut fact);
            }
            Subject::System(k) => {
                "SYSTEM".clone_into(&mut fact.condition);
                match SystemCondition::ALL[k] {
                    SystemCondition::BypassExpiring => fact.detail = self.expiring_points().join(" "),
                    SystemCondition::HazardOverdue => fact.detail = self.overdue_hazards().join(" "),
                    _ => {}
                }
            }
            Subject::Vote(k) => {
                let count = self.count(k);
                "VOTE".clone_into(&mut fact.condition);
                fact.detail = format!("{}/{}", count.votes, count.needed);
                self.fact_of_vote(k, &mut fact);
            }
            Subject::VoteInvalid(k) => {
                "VOTE_INVALID".clone_into(&mut fact.condition);
                self.fact_of_vote(k, &mut fact);
            }
        }
        fact
    }

    fn fact_of_rule(&self, i: usize, fact: &mut AlarmFact) {
        let x = self.book.index();
        let (rule, p) = (&self.book.rules()[i], x.point_of_rule[i].index());
        let (point, condition) = (&self.book.points()[p], self.condition_of(i));
        fact.point = rule.point.to_string();
        condition.word().clone_into(&mut fact.condition);
        (fact.limit, fact.deadband) = (condition.limit(), condition.deadband());
        fact.judged = fact.reading.and_then(Reading::value).and_then(|v| self.judged(i, v));
        fact.unit = point.unit.to_string();
        self.fact_of_place(x.device_of_point[p].index(), x.risk_of_point[p], fact);
        fact.area = point.area.to_string();
    }

    fn fact_of_place(&self, device: usize, risk: Option<RiskId>, fact: &mut AlarmFact) {
        let device = &self.book.devices()[device];
        fact.device.clone_from(&device.key);
        fact.area.clone_from(&device.area);
        self.fact_of_risk(risk, fact);
    }

    fn fact_of_vote(&self, k: usize, fact: &mut AlarmFact) {
        fact.area.clone_from(&self.book.votes()[k].area);
        self.fact_of_risk(self.risk_of_vote(k), fact);
    }

    fn fact_of_risk(&self, risk: Option<RiskId>, fact: &mut AlarmFact) {
        let risk = risk.map(|r| &self.book.risks()[r.index()]);
        fact.risk = risk.map(|r| r.key.clone());
        fact.source = risk.and_then(|r| r.source.clone());
    }

    /// The worst risk of its members.
    fn risk_of_vote(&self, k: usize) -> Option<RiskId> {
        let x = self.book.index();
        let points = x.groups.members_of_vote[k].iter().filter_map(|m| x.point_of_alarm(*m));
        points.filter_map(|p| x.risk_of_point[p.index()]).min_by_key(|r| self.book.risks()[r.index()].level)
    }
}
