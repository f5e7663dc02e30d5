//! A person's request. It ends as an event or as [`Rejected`]; there is no third way to change state by hand.

use crate::book::Mode;
use crate::hazard::step::Step;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User name.
    pub user: String,
    /// Role in which they act.
    pub role: String,
    /// Where they sit: the address that asked.
    #[serde(default)]
    pub terminal: String,
}

/// How a shelf ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfKind {
    /// Only by its time or by a person.
    Timed,
    /// Also when the alarm returns to normal.
    OneShot,
}

/// What is asked. `seen_seq` is the journal number of what was on the screen: of an alarm, or of the picture in which a person saw a
/// point or unit with all its alarms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Acknowledge what was on the screen: refused as [`Rejected::Changed`] when the alarm was annunciated after `seen_seq`.
    Acknowledge { alarm: String, seen_seq: u64, comment: String },
    /// Hide an alarm for a while; a reason of at least 4 characters, never priority 1.
    Shelve { alarm: String, seen_seq: u64, kind: ShelfKind, duration_s: u64, reason: String },
    /// End a shelf: what is active counts as acknowledged by this person. A reason where one was given.
    Unshelve { alarm: String, seen_seq: u64, reason: String },
    /// End a latched alarm that is normal and acknowledged.
    ResetLatch { alarm: String, seen_seq: u64, reason: String },
    /// Take a point's alarms out of effect under a permit. Who approves gives the command; who asked is named.
    Bypass {
        point: String,
        seen_seq: u64,
        permit: String,
        reason: String,
        requested_by: String,
        /// Who asked has no account here, by the word of whoever knows the accounts: the record says so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        no_account: bool,
        duration_s: u64,
        /// What watches the place meanwhile.
        compensation: String,
    },
    /// End a bypass before its time; a reason of at least 4 characters.
    EndBypass { point: String, seen_seq: u64, reason: String },
    /// Take a point out of service under a work order: it is not judged.
    OutOfService { point: String, seen_seq: u64, work_order: String, reason: String },
    /// Back into service: judged anew; a reason of at least 4 characters.
    ReturnToService { point: String, seen_seq: u64, reason: String },
    /// Forget the ranks of a first-out group whose members are all normal and acknowledged. Refused as [`Rejected::Changed`] when one of
    /// them called after `seen_seq`, where one is given; a reason likewise.
    ResetFirstOut {
        group: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_seq: Option<u64>,
        reason: String,
    },
    /// Set the mode of a unit that has no running signal.
    SetMode { unit: String, seen_seq: u64, mode: Mode, reason: String },
    /// Stop the sound for a while; a new alarm of priority 1 or 2 brings it back.
    /// Refused as [`Rejected::Changed`] when one of those called after `seen_seq`, where one is given.
    Silence {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_seq: Option<u64>,
    },
    /// Hear the annunciator for a moment; a reason of at least 4 characters.
    TestAnnunciator { reason: String },
    /// Confirm a hidden-danger candidate: refused as [`Rejected::Changed`] when its alarm called again after `seen_seq`, where one is given.
    ConfirmHazard {
        hazard: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_seq: Option<u64>,
        reason: String,
    },
    /// Reject a hidden-danger candidate as a false alarm, likewise; a reason of at least 4 characters.
    RejectHazard {
        hazard: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_seq: Option<u64>,
        reason: String,
    },
    /// Register a hidden danger that a person found: which measure fails, where and what.
    RegisterHazard { measure: String, place: String, description: String },
    /// Move a record on: refused as [`Rejected::Changed`] when it was moved after `seen_seq`.
    MoveHazard {
        hazard: String,
        seen_seq: u64,
        #[serde(flatten)]
        step: Step,
    },
}

impl Command {
    /// The number of what was seen, where the command says one.
    pub fn seen_seq_mut(&mut self) -> Option<&mut u64> {
        match self {
            Self::Acknowledge { seen_seq, .. }
            | Self::Shelve { seen_seq, .. }
            | Self::Unshelve { seen_seq, .. }
            | Self::ResetLatch { seen_seq, .. }
            | Self::Bypass { seen_seq, .. }
            | Self::EndBypass { seen_seq, .. }
            | Self::OutOfService { seen_seq, .. }
            | Self::ReturnToService { seen_seq, .. }
            | Self::SetMode { seen_seq, .. }
            | Self::MoveHazard { seen_seq, .. } => Some(seen_seq),
            Self::ConfirmHazard { seen_seq, .. }
            | Self::RejectHazard { seen_seq, .. }
            | Self::ResetFirstOut { seen_seq, .. }
            | Self::Silence { seen_seq } => seen_seq.as_mut(),
            Self::TestAnnunciator { .. } | Self::RegisterHazard { .. } => None,
        }
    }
}

/// Why a request does not fit the present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It is hidden: end the hiding first.
    Hidden,
    /// It is out of service.
    OutOfService,
    /// It is still active.
    StillActive,
    /// It is not acknowledged yet.
    NotAcknowledged,
    /// It is not latched, shelved, bypassed or out of service: nothing to end.
    NothingToEnd,
    /// It does not stand: never raised, or over before what was seen.
    NothingToAcknowledge,
    /// A vote would be left with too few healthy voters.
    VoteWouldBeBlind,
    /// As many members of the vote are bypassed as may be.
    TooManyBypassed,
    /// Members of the group are not normal and acknowledged.
    GroupNotNormal,
    /// The unit's mode comes from its running signal.
    ModeIsMeasured,
    /// An alarm of priority 1 is never shelved.
    PriorityOne,
    /// Who asks for a bypass does not approve it.
    SamePerson,
    /// Who did the work, or answers for it, does not accept it.
    InspectorIsRectifier,
    /// The record is at another stage.
    OtherStage,
    /// The alarm behind the record is not known to be normal: active, latched, hidden or not judged.
    ConditionNotNormal,
    /// As many records are open as are kept.
    TooManyOpen,
}

impl Refusal {
    /// Stable word for scripts.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::OutOfService => "out_of_service",
            Self::StillActive => "still_active",
            Self::NotAcknowledged => "not_acknowledged",
            Self::NothingToEnd => "nothing_to_end",
            Self::NothingToAcknowledge => "nothing_to_acknowledge",
            Self::VoteWouldBeBlind => "vote_would_be_blind",
            Self::TooManyBypassed => "too_many_bypassed",
            Self::GroupNotNormal => "group_not_normal",
            Self::ModeIsMeasured => "mode_is_measured",
            Self::PriorityOne => "priority_one",
            Self::SamePerson => "same_person",
            Self::InspectorIsRectifier => "inspector_is_rectifier",
            Self::OtherStage => "other_stage",
            Self::ConditionNotNormal => "condition_not_normal",
            Self::TooManyOpen => "too_many_open",
        }
    }
}

/// Why nothing happened. Named by what the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Nothing of that name is known: 404.
    #[error("nothing is known by the name {0}")]
    NotFound(String),
    /// What the person saw has changed: 409, show again.
    #[error("changed since shown: {0}")]
    Changed(String),
    /// It does not fit the present state: 409.
    #[error("not possible now: {}", .0.code())]
    Refused(Refusal),
    /// Nobody in this position may: 403.
    #[error("not allowed: {}", .0.code())]
    Forbidden(Refusal),
    /// Something is missing: 422, the missing fields are named.
    #[error("missing or not acceptable: {}", .0.join(", "))]
    Incomplete(Vec<String>),
    /// Already so: 200, no event.
    #[error("already so")]
    AlreadySo,
}
