//! Hidden dangers (隐患): records that a failed measure opens as a *candidate* and that only people confirm, reject and close.
//!
//! ```text
//!   measure failed ──► Candidate ──confirm──► Registered ─► (later stages: assess, plan, rectify, accept, close)
//!                          └──reject(reason)─► Rejected (误报)
//! ```

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

/// Where a record stands. What a stage requires is in its variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    /// 待确认: proposed by the gateway.
    Candidate,
    /// 已登记: a person confirmed it.
    Registered {
        /// Who confirmed.
        confirmed: Decision,
    },
    /// 误报: a person rejected it, with a reason.
    Rejected {
        /// Who rejected.
        rejected: Decision,
    },
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
    /// Cause: the alarm key that opened it.
    pub cause: String,
    /// Opened at.
    pub opened: Now,
    /// Alarm occurrences attached (`alarm#n`), oldest first; limited to the newest 64.
    pub occurrences: Vec<String>,
    /// Stage.
    pub stage: Stage,
}
