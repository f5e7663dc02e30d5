//! A person registers a hidden danger and moves it on. The stages and what they need are [`crate::hazard::step`]'s; this adds what only the
//! engine knows: whether the person saw the record as it stands, and whether the alarm behind it is normal.

use super::ack::decision;
use super::{ConditionState, Engine};
use crate::book::Subject;
use crate::command::{Actor, Command, Refusal, Rejected};
use crate::event::{Event, EventKind};
use crate::hazard::step::{Given, Step, is_name, is_text, kept, need};
use crate::hazard::{Found, Hazard, Stage};
use crate::time::Now;

/// Open records beyond which nobody registers another by hand; what alarms open is limited by the measures.
pub(super) const OPEN_MAX: usize = 1000;

impl Engine {
    /// A person found it: registered at once, nobody has to confirm it.
    pub(super) fn register(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let Command::RegisterHazard { measure, place, description } = command else {
            return Err(Rejected::Incomplete(Vec::new()));
        };
        let known = self.book.measures().iter().find(|m| *m.key == *measure.trim());
        need(&[("measure", known.is_some()), ("place", is_name(place)), ("description", is_text(description))])?;
        if self.hazards.len() >= OPEN_MAX {
            return Err(Rejected::Refused(Refusal::TooManyOpen));
        }
        let known = known.expect("it was needed above");
        let hazard = Hazard {
            id: format!("HD-{}", self.next_hazard),
            measure: known.key.clone(),
            risk: known.risk.clone(),
            cause: String::new(),
            opened: now,
            occurrences: Vec::new(),
            stage: Stage::Registered { confirmed: decision(actor, "", now) },
            found: Some(Found { place: kept(place), description: kept(description) }),
            repeat_of: None,
            moved_seq: 0,
            overdue: false,
        };
        self.emit(EventKind::HazardOpened { hazard }, now, out);
        Ok(())
    }

    /// A step of the life of an open record, by a person who saw it as it stands.
    pub(super) fn move_hazard(
        &mut self,
        id: &str,
        seen_seq: u64,
        step: &Step,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let hazard = self.open_record(id)?;
        self.seen_record(hazard, Some(seen_seq))?;
        let given = Given { by: decision(actor, "", now), now, normal: self.is_proven_normal(&hazard.cause) };
        let stage = hazard.stage.after(step, &given)?;
        // Another date calls anew when it is over.
        let overdue = hazard.overdue && hazard.stage.due() == stage.due();
        let hazard = Hazard { stage, overdue, moved_seq: 0, ..hazard.clone() };
        self.emit(EventKind::HazardStage { hazard }, now, out);
        // What is sent back may be overdue already.
        self.hazards_overdue(now, out);
        self.follow_overdue(now, out);
        Ok(())
    }

    /// The date after which an assignment needs a reason, where this command has one.
    #[must_use]
    pub fn latest_utc_ms(&self, command: &Command) -> Option<i64> {
        match command {
            Command::MoveHazard { hazard, step: Step::Assign { .. }, .. } => {
                self.open_record(hazard).ok()?.stage.latest_utc_ms()
            }
            _ => None,
        }
    }

    /// The alarm behind a record is judged now and found normal: not active, latched, hidden or unknown. A rule that was taken out while
    /// its point is still there proves nothing; where there is nothing to judge (a person found it, or the point is gone too) this holds.
    #[must_use]
    pub fn is_proven_normal(&self, cause: &str) -> bool {
        let Some(i) = self.alarm_index(cause) else { return !self.watches(cause) };
        let a = &self.alarms[i];
        a.condition == ConditionState::Normal && !a.latched && !a.is_hidden() && self.is_judged_now(i)
    }

    /// The point, device or vote of an alarm is in the book.
    fn watches(&self, alarm: &str) -> bool {
        let key = alarm.rsplit_once(':').map_or(alarm, |(key, _)| key);
        let vote = || self.book.votes().iter().any(|v| v.key == key);
        self.book.point_id(key).is_some() || self.book.device_id(key).is_some() || vote()
    }

    /// After a start a stored state says nothing of the present.
    pub(super) fn is_judged_now(&self, i: usize) -> bool {
        let x = self.book.index();
        let read = |alarm: usize| x.point_of_alarm(alarm).is_none_or(|p| self.readings[p.index()].0.proves_normal());
        match x.subject(i) {
            Subject::Rule(_) => read(i) && self.says_something(i),
            Subject::Device(d) => self.answered[d.index()].is_some(),
            Subject::Vote(k) | Subject::VoteInvalid(k) => x.groups.members_of_vote[k].iter().all(|m| read(*m)),
            Subject::System(_) => true,
        }
    }
}
