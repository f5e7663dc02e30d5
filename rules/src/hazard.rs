//! Hidden dangers (隐患): records that a failed measure or a person opens, and that only people move on and close.
//!
//! ```text
//!   measure failed ──► Candidate ──confirm──► Registered ──assess──► Assessed ──general────────────────► Rectifying
//!                          └──reject──► Rejected (误报)   ▲              └─major─plan─► Planned ─report─► Reported ──assign─┘  │
//!   a person found it ────────────────────────────────────┘                                                       rectify │ ▲
//!                                                        Closed ◄──close── Accepted ◄──accept── Waiting ◄─────────────────┘ │
//!                                                        (only while the     └────── sent back, with a reason ──┴───────────┘
//!                                                         alarm is normal)
//! ```
//!
//! What a stage requires is in its variant: work that nobody is responsible for, a major danger that was not reported, a closed record
//! without an inspector cannot be built. The machine opens candidates and says what is overdue; it moves nothing.
//!
//! Owns the stages and what they must hold. [`step`] has what a person gives and the way from stage to stage, `assign` who answers for the
//! work; whether an alarm is normal is the engine's to say.

mod assign;
pub mod step;

use crate::hide::{Expiry, is_zero};
use crate::time::Now;
use serde::{Deserialize, Serialize};

/// A person's decision, with who, when and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// User name.
    pub by: String,
    /// Role in which it was taken.
    pub role: String,
    /// When.
    pub at: Now,
    /// Reason or remark.
    pub reason: String,
    /// Where they sat: the address of the page or command line that asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub terminal: String,
}

/// 一般 or 重大. Only a person says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 一般事故隐患.
    General,
    /// 重大事故隐患.
    Major,
}

/// 评估: the clause of the trade's criteria, and what it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Clause of the criteria list.
    pub criteria: String,
    /// Why it came to be.
    pub cause: String,
    /// Who assessed.
    pub by: Decision,
}

/// 治理方案 with the five settled items (五落实).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// 责任.
    pub responsibility: String,
    /// 措施.
    pub measures: String,
    /// 资金.
    pub funds: String,
    /// 时限.
    pub due: Expiry,
    /// 预案.
    pub emergency: String,
    /// Who settled it.
    pub by: Decision,
}

/// 向监管部门报告.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The department.
    pub to: String,
    /// Its receipt, where it gave one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receipt: String,
    /// 挂牌督办 number, where it is supervised.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub supervision: String,
    /// Who reported.
    pub by: Decision,
}

/// What must be settled before anybody is put to work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "level")]
pub enum Settled {
    /// 一般.
    General { assessed: Assessment },
    /// 重大.
    Major { assessed: Assessment, plan: Box<Plan>, report: Box<Report> },
}

/// 派发.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who answers for the work.
    pub responsible: String,
    /// Until when.
    pub due: Expiry,
    /// What keeps people safe meanwhile.
    pub interim_control: String,
    /// Who assigned; why, where it was assigned anew or the date was moved.
    pub by: Decision,
}

/// 整改完成.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rectified {
    /// Evidence after the work: what was done, where its photograph or report is.
    pub evidence: String,
    /// Who says so.
    pub by: Decision,
}

/// 验收, by somebody who is not responsible for the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// What the inspector found.
    pub opinion: String,
    /// 复查验收报告 of a major one: its number or place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub review_report: String,
    /// The inspector.
    pub by: Decision,
}

/// Work that was not good enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentBack {
    pub rectified: Rectified,
    /// Who sent it back, and why.
    pub by: Decision,
}

/// Everything from the confirmation to the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub confirmed: Decision,
    #[serde(flatten)]
    pub settled: Settled,
    pub assignment: Assignment,
    /// Earlier assignments, oldest first; the newest [`step::KEPT`]. All of them are in the journal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Assignment>,
    /// Work that was sent back, oldest first; the newest [`step::KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent_back: Vec<SentBack>,
}

/// Where a record stands. What a stage requires is in its variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    /// 待确认: proposed by the gateway.
    Candidate,
    /// 已登记: a person confirmed or found it.
    Registered {
        /// Who confirmed.
        confirmed: Decision,
    },
    /// 误报: a person rejected it, with a reason.
    Rejected {
        /// Who rejected.
        rejected: Decision,
    },
    /// 已评估; a major one owes its plan.
    Assessed { confirmed: Decision, level: Level, assessed: Assessment },
    /// 方案 of a major one; it owes the report.
    Planned { confirmed: Decision, assessed: Assessment, plan: Plan },
    /// 已报告: a major one that can be assigned.
    Reported { confirmed: Decision, assessed: Assessment, plan: Plan, report: Report },
    /// 整改中.
    Rectifying {
        #[serde(flatten)]
        work: Work,
    },
    /// 待验收.
    Waiting {
        #[serde(flatten)]
        work: Work,
        rectified: Rectified,
    },
    /// 已验收.
    Accepted {
        #[serde(flatten)]
        work: Work,
        rectified: Rectified,
        acceptance: Acceptance,
    },
    /// 销号.
    Closed {
        #[serde(flatten)]
        work: Work,
        rectified: Rectified,
        acceptance: Acceptance,
        closed: Decision,
    },
}

impl Stage {
    /// The interface's word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Registered { .. } => "registered",
            Self::Rejected { .. } => "rejected",
            Self::Assessed { .. } => "assessed",
            Self::Planned { .. } => "planned",
            Self::Reported { .. } => "reported",
            Self::Rectifying { .. } => "rectifying",
            Self::Waiting { .. } => "waiting",
            Self::Accepted { .. } => "accepted",
            Self::Closed { .. } => "closed",
        }
    }

    /// Somebody still has to do something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Rejected { .. } | Self::Closed { .. })
    }

    /// Until when the step that is due now must be done.
    #[must_use]
    pub fn due(&self) -> Option<Expiry> {
        match self {
            Self::Planned { plan, .. } | Self::Reported { plan, .. } => Some(plan.due),
            Self::Rectifying { work } => Some(work.assignment.due),
            _ => None,
        }
    }

    /// The same, to be moved to another boot, also of work that may still be sent back; and since when it runs.
    pub(crate) fn due_mut(&mut self) -> Option<(&mut Expiry, Now)> {
        match self {
            Self::Planned { plan, .. } | Self::Reported { plan, .. } => Some((&mut plan.due, plan.by.at)),
            Self::Rectifying { work } | Self::Waiting { work, .. } | Self::Accepted { work, .. } => {
                Some((&mut work.assignment.due, work.assignment.by.at))
            }
            _ => None,
        }
    }

    /// What has been done about it from the assignment on.
    #[must_use]
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Rectifying { work }
            | Self::Waiting { work, .. }
            | Self::Accepted { work, .. }
            | Self::Closed { work, .. } => Some(work),
            _ => None,
        }
    }

    /// As assessed.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Candidate | Self::Registered { .. } | Self::Rejected { .. } => None,
            Self::Assessed { level, .. } => Some(*level),
            Self::Planned { .. } | Self::Reported { .. } => Some(Level::Major),
            other => other.work().map(Work::level),
        }
    }

    /// The work is said to be done: whatever happens now was not seen by who accepts or closes.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::Accepted { .. })
    }
}

impl Work {
    /// As assessed.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.settled {
            Settled::General { .. } => Level::General,
            Settled::Major { .. } => Level::Major,
        }
    }
}

/// What a person found by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub place: String,
    pub description: String,
}

/// One hidden-danger record. At most one is open per (measure, cause): a repeat adds an occurrence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hazard {
    /// `HD-<n>`, never reused.
    pub id: String,
    /// Measure key.
    pub measure: String,
    /// Risk key.
    pub risk: String,
    /// Cause: the alarm key that opened it; empty where a person found it.
    pub cause: String,
    /// Opened at.
    pub opened: Now,
    /// Alarm occurrences attached (`alarm#n`), oldest first; limited to the newest 64.
    pub occurrences: Vec<String>,
    /// Stage.
    pub stage: Stage,
    /// What a person found, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// The closed record of the same measure and cause: it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_of: Option<String>,
    /// Number of the event that moved it last: who moves it on has seen it. Not in the event itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moved_seq: u64,
    /// Somebody was called because its step is overdue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
}
