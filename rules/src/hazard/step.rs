//! What a person gives to move a record on, and the way from stage to stage.
//!
//! Pure: a stage, a step and who gives it in, the next stage or what is missing out.

use super::{Acceptance, Assessment, Decision, Level, Plan, Rectified, Report, SentBack, Stage};
use crate::command::{Refusal, Rejected};
use crate::hide::Expiry;
use crate::time::Now;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Earlier assignments, and works sent back, that a record keeps.
pub const KEPT: usize = 4;
/// Longest text of a field: what the ledger of the exchange takes (domain.md §6.2).
pub const TEXT_MAX: usize = 1000;
/// Longest name of a person or department.
pub const NAME_MAX: usize = 100;
/// Shortest acceptable reason.
const REASON_MIN: usize = 4;
/// Furthest due time: what is longer is a slip of the pen.
const DUE_MAX: Duration = Duration::from_secs(3 * 366 * 24 * 3600);

/// One step, with what it needs. Times are UTC in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// 评估.
    Assess { level: Level, criteria: String, cause: String },
    /// 方案: all five items; a reason where it takes the place of another.
    Plan { responsibility: String, measures: String, funds: String, due_at: i64, emergency: String, reason: String },
    /// 报告.
    Report { to: String, receipt: String, supervision: String },
    /// 派发. Anew while the work goes on: with a reason; what is empty, or 0, stays. After the plan's date of a major one: with a reason.
    Assign { responsible: String, due_at: i64, interim_control: String, reason: String },
    /// 整改完成.
    Rectify { evidence: String },
    /// 验收合格.
    Accept { opinion: String, review_report: String },
    /// 退回整改.
    SendBack { opinion: String },
    /// 销号.
    Close { reason: String },
}

/// Who gives the step, when, and how the alarm behind the record stands.
#[derive(Clone, Debug)]
pub struct Given {
    /// Who; its reason is filled in by the step.
    pub by: Decision,
    pub now: Now,
    /// The alarm is known to be normal: not active, not latched, not hidden, not unknown.
    pub normal: bool,
}

impl Given {
    pub(super) fn because(&self, reason: &str) -> Decision {
        Decision { reason: reason.trim().to_owned(), ..self.by.clone() }
    }

    pub(super) fn due(&self, utc_ms: i64) -> Option<Expiry> {
        let ahead = Duration::from_millis(u64::try_from(utc_ms.saturating_sub(self.now.wall.utc_ms)).ok()?);
        let fits = !ahead.is_zero() && ahead <= DUE_MAX;
        fits.then(|| Expiry { mono: self.now.mono.plus(ahead), wall_utc_ms: utc_ms })
    }
}

impl Stage {
    /// The stage after `step`.
    /// # Errors
    /// What is missing, who may not, or that the record is elsewhere.
    pub fn after(&self, step: &Step, given: &Given) -> Result<Self, Rejected> {
        match step {
            Step::Assess { level, criteria, cause } => self.assess(*level, criteria, cause, given),
            Step::Plan { .. } => self.plan(step, given),
            Step::Report { to, receipt, supervision } => self.report(to, receipt, supervision, given),
            Step::Assign { .. } => self.assign(step, given),
            Step::Rectify { evidence } => self.rectify(evidence, given),
            Step::Accept { opinion, review_report } => self.accept(opinion, review_report, given),
            Step::SendBack { opinion } => self.send_back(opinion, given),
            Step::Close { reason } => self.close(reason, given),
        }
    }

    fn assess(&self, level: Level, criteria: &str, cause: &str, given: &Given) -> Result<Self, Rejected> {
        let (Self::Registered { confirmed } | Self::Assessed { confirmed, .. }) = self else { return elsewhere() };
        need(&[("criteria", is_text(criteria)), ("cause", is_text(cause))])?;
        let assessed = Assessment { criteria: kept(criteria), cause: kept(cause), by: given.because("") };
        Ok(Self::Assessed { confirmed: confirmed.clone(), level, assessed })
    }

    fn plan(&self, step: &Step, given: &Given) -> Result<Self, Rejected> {
        let Step::Plan { responsibility, measures, funds, due_at, emergency, reason } = step else {
            return elsewhere();
        };
        let (confirmed, assessed, anew) = match self {
            Self::Assessed { confirmed, level: Level::Major, assessed } => (confirmed, assessed, false),
            Self::Planned { confirmed, assessed, .. } | Self::Reported { confirmed, assessed, .. } => {
                (confirmed, assessed, true)
            }
            _ => return elsewhere(),
        };
        let due = given.due(*due_at);
        need(&[
            ("responsibility", is_text(responsibility)),
            ("measures", is_text(measures)),
            ("funds", is_text(funds)),
            ("due_at", due.is_some()),
            ("emergency", is_text(emergency)),
            ("reason", !anew && fits(reason) || is_reason(reason)),
        ])?;
        let due = due.expect("it was needed above");
        let plan = Plan {
            responsibility: kept(responsibility),
            measures: kept(measures),
            funds: kept(funds),
            due,
            emergency: kept(emergency),
            by: given.because(reason),
        };
        Ok(Self::Planned { confirmed: confirmed.clone(), assessed: assessed.clone(), plan })
    }

    fn report(&self, to: &str, receipt: &str, supervision: &str, given: &Given) -> Result<Self, Rejected> {
        let (confirmed, assessed, plan) = match self {
            Self::Planned { confirmed, assessed, plan } | Self::Reported { confirmed, assessed, plan, .. } => {
                (confirmed.clone(), assessed.clone(), plan.clone())
            }
            Self::Assessed { level: Level::Major, .. } => return Err(missing("plan")),
            _ => return elsewhere(),
        };
        let short = |text: &str| text.trim().chars().count() <= NAME_MAX;
        need(&[("to", is_name(to)), ("receipt", short(receipt)), ("supervision", short(supervision))])?;
        let report =
            Report { to: kept(to), receipt: kept(receipt), supervision: kept(supervision), by: given.because("") };
        Ok(Self::Reported { confirmed, assessed, plan, report })
    }

    fn rectify(&self, evidence: &str, given: &Given) -> Result<Self, Rejected> {
        let Self::Rectifying { work } = self else { return elsewhere() };
        need(&[("evidence", is_text(evidence))])?;
        let rectified = Rectified { evidence: kept(evidence), by: given.because("") };
        Ok(Self::Waiting { work: work.clone(), rectified })
    }

    fn accept(&self, opinion: &str, review_report: &str, given: &Given) -> Result<Self, Rejected> {
        let Self::Waiting { work, rectified } = self else { return elsewhere() };
        let report = fits(review_report) && (work.level() == Level::General || !review_report.trim().is_empty());
        need(&[("opinion", is_text(opinion)), ("review_report", report)])?;
        if work.is_of(rectified, &given.by.by) {
            return Err(Rejected::Forbidden(Refusal::InspectorIsRectifier));
        }
        let acceptance =
            Acceptance { opinion: kept(opinion), review_report: kept(review_report), by: given.because("") };
        Ok(Self::Accepted { work: work.clone(), rectified: rectified.clone(), acceptance })
    }

    fn send_back(&self, opinion: &str, given: &Given) -> Result<Self, Rejected> {
        let (Self::Waiting { work, rectified } | Self::Accepted { work, rectified, .. }) = self else {
            return elsewhere();
        };
        need(&[("opinion", is_reason(opinion))])?;
        let mut work = work.clone();
        work.sent_back.push(SentBack { rectified: rectified.clone(), by: given.because(opinion) });
        newest(&mut work.sent_back);
        Ok(Self::Rectifying { work })
    }

    fn close(&self, reason: &str, given: &Given) -> Result<Self, Rejected> {
        let (work, rectified, acceptance) = match self {
            Self::Accepted { work, rectified, acceptance } => (work, rectified, acceptance),
            Self::Waiting { .. } => return Err(missing("acceptance")),
            _ => return elsewhere(),
        };
        need(&[("reason", is_reason(reason))])?;
        if !given.normal {
            return Err(Rejected::Refused(Refusal::ConditionNotNormal));
        }
        let (work, rectified, acceptance) = (work.clone(), rectified.clone(), acceptance.clone());
        Ok(Self::Closed { work, rectified, acceptance, closed: given.because(reason) })
    }

    /// Steps that fit now, by the interface's words, the expected one first.
    #[must_use]
    pub fn next_steps(&self) -> &'static [&'static str] {
        match self {
            Self::Candidate => &["confirm", "reject"],
            Self::Registered { .. } => &["assess"],
            Self::Assessed { level: Level::General, .. } => &["assign", "assess"],
            Self::Assessed { level: Level::Major, .. } => &["plan", "assess"],
            Self::Planned { .. } => &["report", "plan"],
            Self::Reported { .. } => &["assign", "plan", "report"],
            Self::Rectifying { .. } => &["rectify", "assign"],
            Self::Waiting { .. } => &["accept"],
            Self::Accepted { .. } => &["close", "accept"],
            Self::Rejected { .. } | Self::Closed { .. } => &[],
        }
    }

    /// What the expected step needs from a person.
    #[must_use]
    pub fn lacks(&self) -> &'static [&'static str] {
        match self {
            Self::Candidate => &["confirmation"],
            Self::Registered { .. } => &["level", "criteria", "cause"],
            Self::Assessed { level: Level::Major, .. } => {
                &["responsibility", "measures", "funds", "due_at", "emergency"]
            }
            Self::Assessed { .. } | Self::Reported { .. } => &["responsible", "due_at", "interim_control"],
            Self::Planned { .. } => &["report"],
            Self::Rectifying { .. } => &["evidence"],
            Self::Waiting { work, .. } if work.level() == Level::Major => &["inspector", "opinion", "review_report"],
            Self::Waiting { .. } => &["inspector", "opinion"],
            Self::Accepted { .. } => &["closing"],
            Self::Rejected { .. } | Self::Closed { .. } => &[],
        }
    }
}

pub(super) fn elsewhere() -> Result<Stage, Rejected> {
    Err(Rejected::Refused(Refusal::OtherStage))
}

pub(super) fn missing(what: &str) -> Rejected {
    Rejected::Incomplete(vec![what.to_owned()])
}

/// All that is missing at once.
pub(crate) fn need(fields: &[(&str, bool)]) -> Result<(), Rejected> {
    let wrong: Vec<String> = fields.iter().filter(|(_, ok)| !ok).map(|(name, _)| (*name).to_owned()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Rejected::Incomplete(wrong)) }
}

pub(super) fn fits(text: &str) -> bool {
    text.trim().chars().count() <= TEXT_MAX
}

pub(crate) fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && fits(text)
}

pub(super) fn is_reason(text: &str) -> bool {
    text.trim().chars().count() >= REASON_MIN && fits(text)
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.trim().chars().count() <= NAME_MAX
}

pub(crate) fn kept(text: &str) -> String {
    text.trim().to_owned()
}

pub(super) fn newest<T>(list: &mut Vec<T>) {
    list.drain(..list.len().saturating_sub(KEPT));
}
