//! Alarm tables as people write them: the four limits, states, faults, conditions over time, votes, suppression, first-out groups, units.
//!
//! Owns names and defaults; leaves meaning to [`super::alarm_parts`] and the rule book.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a unit of the plant is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeWord {
    Running,
    Stopped,
    Maintenance,
}

/// What differs in a mode: another limit, or `"suppressed"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ModeValue {
    Limit(f64),
    Word(SuppressedWord),
}

/// The only word beside a number.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedWord {
    Suppressed,
}

/// By mode of the point's unit.
pub(super) type Modes = BTreeMap<ModeWord, ModeValue>;

/// The four limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum LimitWord {
    HH,
    H,
    L,
    LL,
}

/// One limit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitTable {
    pub limit: f64,
    /// Default by kind of measurement, as are the delays.
    pub deadband: Option<f64>,
    /// On-delay in seconds; by kind of measurement, and at least two polls where there is one (fast ones with `fast_period_ms`).
    pub delay_s: Option<f64>,
    /// Off-delay in seconds.
    pub off_delay_s: Option<f64>,
    /// Stays in the list after its return until a shift leader resets it; left out: HH of a gas does, no other.
    pub latching: Option<bool>,
    /// Another limit, or `"suppressed"`, in a mode of the point's `[[unit]]`.
    #[serde(default)]
    pub modes: Modes,
    /// 1–4.
    pub priority: u8,
    /// Why it comes, in Chinese; required for priorities 1 and 2, as are consequence and action.
    #[serde(default)]
    pub cause: String,
    /// What follows if nobody acts.
    #[serde(default)]
    pub consequence: String,
    /// What the operator does.
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `state_alarm`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateAlarmTable {
    /// The state that is the alarm.
    pub when: bool,
    #[serde(default)]
    pub delay_s: f64,
    #[serde(default)]
    pub off_delay_s: f64,
    pub priority: u8,
    #[serde(default)]
    pub latching: bool,
    #[serde(default)]
    pub modes: Modes,
    #[serde(default)]
    pub cause: String,
    #[serde(default)]
    pub consequence: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `sensor_fault`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorFaultTable {
    pub priority: u8,
    /// Default: 4 s, or two polls where those take longer.
    pub delay_s: Option<f64>,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `rising`, `falling`: rate of change.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateTable {
    /// Units per minute.
    pub limit_per_min: f64,
    /// The slope is taken over this many seconds.
    pub window_s: f64,
    #[serde(default)]
    pub delay_s: f64,
    #[serde(default)]
    pub off_delay_s: f64,
    pub priority: u8,
    #[serde(default)]
    pub cause: String,
    #[serde(default)]
    pub consequence: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `deviation`: from a setpoint or from another point; exactly one of the two.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviationTable {
    pub setpoint: Option<f64>,
    /// Another point's key, such as a twin sensor.
    pub from_point: Option<String>,
    pub limit: f64,
    #[serde(default)]
    pub deadband: f64,
    #[serde(default)]
    pub delay_s: f64,
    #[serde(default)]
    pub off_delay_s: f64,
    pub priority: u8,
    #[serde(default)]
    pub cause: String,
    #[serde(default)]
    pub consequence: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `stuck`: the value does not move.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StuckTable {
    /// Smallest move that counts.
    pub epsilon: f64,
    /// Default by kind: pressure 600 s, others 3600 s.
    pub window_s: Option<f64>,
    #[serde(default = "default_low")]
    pub priority: u8,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `frozen`: a heartbeat bit or counter that must move.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrozenTable {
    /// The device moves it this often.
    pub period_s: f64,
    #[serde(default = "default_low")]
    pub priority: u8,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// What a member that cannot be judged counts as.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWord {
    VoteAlarm,
    Degrade,
    VoteNormal,
}

/// `[[vote]]`: M of N alarms.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    pub area: String,
    /// Alarm keys, such as `GT-101:HH`; one of a point.
    pub members: Vec<String>,
    /// M.
    pub needed: u8,
    /// Default: `vote_alarm` for 1ooN, `degrade` otherwise.
    pub unknown: Option<UnknownWord>,
    #[serde(default = "default_bypassed")]
    pub bypassed_max: u8,
    pub priority: u8,
    /// Who besides the configurator approved `vote_normal`.
    pub second_approver: Option<String>,
    #[serde(default)]
    pub cause: String,
    #[serde(default)]
    pub consequence: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub action_en: String,
}

/// `[[suppression]]`: a known state of the plant explains some alarms; exactly one of `point`, `alarm`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// A state point …
    pub point: Option<String>,
    /// … with this value.
    #[serde(default)]
    pub is: bool,
    /// Or an alarm that is active.
    pub alarm: Option<String>,
    /// Alarm keys.
    pub alarms: Vec<String>,
    #[serde(default)]
    pub release_delay_s: f64,
    /// It never hides for longer.
    #[serde(default = "default_suppression_max_s")]
    pub max_s: f64,
}

/// `[[first_out]]`: alarms of which the first is told apart.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstOutTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Alarm keys.
    pub alarms: Vec<String>,
}

/// `[[unit]]`: a unit of the plant whose mode decides which limits hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// State point: true is running. Without it people set the mode.
    pub running_point: Option<String>,
    pub points: Vec<String>,
}

fn default_low() -> u8 {
    3
}
fn default_bypassed() -> u8 {
    1
}
fn default_suppression_max_s() -> f64 {
    3600.0
}
