//! What ties alarms together: votes, suppression by design, first-out groups, units of the plant with their modes.
//!
//! Owns their description; leaves checking to `check` and behaviour to the engine.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a member that cannot be judged counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownVote {
    /// As a vote for the alarm; usual for gas 1ooN.
    VoteAlarm,
    /// It drops out: 2oo3 → 1oo2 → 1oo1.
    Degrade,
    /// As a vote against; configured with a second approver only.
    VoteNormal,
}

/// A vote MooN over alarms; its own alarms are `<key>:VOTE` and `<key>:VOTE_INVALID`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    pub key: String,
    pub name: String,
    pub name_en: String,
    pub area: String,
    /// Alarm keys, such as `GT-101:HH`; one per point.
    pub members: Vec<String>,
    /// M.
    pub needed: u8,
    pub unknown: UnknownVote,
    /// Members that may be bypassed at a time.
    pub bypassed_max: u8,
    pub priority: u8,
    /// Who besides the configurator approved [`UnknownVote::VoteNormal`].
    pub second_approver: Option<String>,
    pub cause: String,
    pub consequence: String,
    pub action: String,
    pub action_en: String,
}

/// What makes a suppression active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressor {
    /// A state point has this value, with good quality.
    State { point: String, is: bool },
    /// An alarm's condition is active and not held.
    Alarm(String),
}

/// Suppression by design: while the suppressor is true, its alarms are judged in the shadow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    pub key: String,
    pub name: String,
    pub name_en: String,
    pub when: Suppressor,
    /// Alarm keys.
    pub alarms: Vec<String>,
    /// The suppressor must be false for this long.
    pub release_delay: Duration,
    /// It never hides for longer than this at a stretch.
    pub max: Duration,
}

/// Alarms of which the first one is told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstOutGroup {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Alarm keys.
    pub alarms: Vec<String>,
}

/// How a unit of the plant is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Running,
    Stopped,
    Maintenance,
}

impl Mode {
    /// The word in events and configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Maintenance => "maintenance",
        }
    }
}

/// A unit of the plant (装置) whose mode decides which thresholds hold for its points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlantUnit {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// A state point that says running (true) or stopped (false); without it people set the mode.
    pub running_point: Option<String>,
    /// Point keys.
    pub points: Vec<String>,
}

/// What differs in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeRule {
    /// Another limit.
    Limit(f64),
    /// Hidden by design.
    Suppressed,
}
