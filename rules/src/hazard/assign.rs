//! 派发 and 改派: who answers for the work, until when; and who therefore does not accept it.

use super::step::{Given, Step, elsewhere, fits, is_name, is_reason, is_text, kept, missing, need, newest};
use super::{Assignment, Level, Rectified, Settled, Stage, Work};
use crate::command::Rejected;
use crate::hide::Expiry;
use crate::people::same_name;

impl Stage {
    pub(super) fn assign(&self, step: &Step, given: &Given) -> Result<Self, Rejected> {
        let Step::Assign { responsible, due_at, interim_control, reason } = step else { return elsewhere() };
        let (confirmed, settled) = match self {
            Self::Rectifying { work } => return work.assigned_anew(step, given),
            Self::Assessed { confirmed, level: Level::General, assessed } => {
                (confirmed.clone(), Settled::General { assessed: assessed.clone() })
            }
            Self::Reported { confirmed, assessed, plan, report } => {
                let (assessed, plan, report) = (assessed.clone(), Box::new(plan.clone()), Box::new(report.clone()));
                (confirmed.clone(), Settled::Major { assessed, plan, report })
            }
            Self::Assessed { level: Level::Major, .. } => {
                return Err(Rejected::Incomplete(vec!["plan".to_owned(), "report".to_owned()]));
            }
            Self::Planned { .. } => return Err(missing("report")),
            _ => return elsewhere(),
        };
        let in_plan = |due: &Expiry| self.latest_utc_ms().is_none_or(|latest| due.wall_utc_ms <= latest);
        let due = given.due(*due_at).filter(|due| is_reason(reason) || in_plan(due));
        let assignment = assignment(responsible, due, interim_control, reason, given)?;
        Ok(Self::Rectifying {
            work: Work { confirmed, settled, assignment, earlier: Vec::new(), sent_back: Vec::new() },
        })
    }

    /// The latest date that an assignment may have without a reason: that of the plan of a major danger.
    #[must_use]
    pub fn latest_utc_ms(&self) -> Option<i64> {
        match self {
            Self::Reported { plan, .. } => Some(plan.due.wall_utc_ms),
            _ => None,
        }
    }
}

impl Work {
    /// Another person, another date, another control: what is not given stays, also a date that is over.
    fn assigned_anew(&self, step: &Step, given: &Given) -> Result<Stage, Rejected> {
        let Step::Assign { responsible, due_at, interim_control, reason } = step else { return elsewhere() };
        let or = |new: &str, old: &str| if new.trim().is_empty() { old.to_owned() } else { new.to_owned() };
        let (responsible, control) =
            (or(responsible, &self.assignment.responsible), or(interim_control, &self.assignment.interim_control));
        let due = if *due_at == 0 { Some(self.assignment.due) } else { given.due(*due_at) };
        let assignment = assignment(&responsible, due, &control, reason, given);
        match (is_reason(reason), assignment) {
            (true, Ok(assignment)) => {
                let mut work = self.clone();
                work.earlier.push(std::mem::replace(&mut work.assignment, assignment));
                newest(&mut work.earlier);
                Ok(Stage::Rectifying { work })
            }
            (true, Err(missing)) => Err(missing),
            (false, Ok(_)) => Err(missing("reason")),
            (false, Err(Rejected::Incomplete(mut fields))) => {
                fields.retain(|field| field != "reason");
                fields.push("reason".to_owned());
                Err(Rejected::Incomplete(fields))
            }
            (false, Err(other)) => Err(other),
        }
    }

    /// The person did it or answers for it, now or before.
    #[must_use]
    pub fn is_of(&self, rectified: &Rectified, person: &str) -> bool {
        let earlier = self.sent_back.iter().map(|back| &back.rectified);
        self.is_answered_by(person) || earlier.chain([rectified]).any(|done| same_name(&done.by.by, person))
    }

    /// Somebody of that name answers for it or did before.
    #[must_use]
    pub fn is_answered_by(&self, name: &str) -> bool {
        self.earlier.iter().chain([&self.assignment]).any(|one| same_name(&one.responsible, name))
    }
}

fn assignment(
    responsible: &str,
    due: Option<Expiry>,
    interim_control: &str,
    reason: &str,
    given: &Given,
) -> Result<Assignment, Rejected> {
    need(&[
        ("responsible", is_name(responsible)),
        ("due_at", due.is_some()),
        ("interim_control", is_text(interim_control)),
        ("reason", fits(reason)),
    ])?;
    let due = due.expect("it was needed above");
    let by = given.because(reason);
    Ok(Assignment { responsible: kept(responsible), due, interim_control: kept(interim_control), by })
}
