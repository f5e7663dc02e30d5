//! What a configuration delivers: keys, not ids, nothing checked. `RuleBook::build` checks it.

use super::substance::{LimitsBy, Substance};
use super::{Call, Condition, FirstOutGroup, Mode, ModeRule, PlantUnit, Policy, Suppression, Vote};
use crate::risk::{Measure, Risk, Source};
use crate::{Sharing, Text};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What kind of quantity a point is; decides defaults and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointKind {
    Gas,
    Pressure,
    Temperature,
    Level,
    Flow,
    Speed,
    Percent,
    /// 0 or 1.
    State,
    Other,
}

/// One measured quantity (测点).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Tag, such as `GT-102`: unique.
    pub key: Text,
    pub name: Text,
    pub name_en: Text,
    pub area: Text,
    /// Device key.
    pub device: Text,
    pub kind: PointKind,
    /// What a detector of toxic gas measures: its limits are then held against exposure.
    pub substance: Option<Substance>,
    /// What they are held against.
    #[serde(default)]
    pub limits_by: LimitsBy,
    /// Computed from others, each with an alarm for its own silence.
    pub computed: bool,
    /// Engineering unit as shown.
    pub unit: Text,
    /// Measuring range.
    pub range: (f64, f64),
    /// Decimals shown.
    pub decimals: u8,
    /// Poll period.
    pub period: Duration,
    /// Poll period while the value is near one of its limits or beyond it, where that is a shorter one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fast_period: Option<Duration>,
    /// Older than this is `Bad(Stale)`; default three periods.
    pub max_age: Duration,
    /// Position on the plan, metres.
    pub position: Option<(f64, f64)>,
}

impl Point {
    /// A range that anything can be held against; one that is none has been told by itself.
    pub(super) fn has_range(&self) -> bool {
        self.range.0.is_finite() && self.range.1.is_finite() && self.range.0 < self.range.1
    }

    /// How often a value is read for which `condition` is true: beyond a limit of its own it is read fast.
    pub(super) fn period_beyond(&self, condition: &Condition) -> Duration {
        self.fast_period.filter(|_| condition.band().is_some()).map_or(self.period, |fast| fast.min(self.period))
    }
}

/// An instrument as the rules see it: something whose silence is an alarm of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    pub key: String,
    pub name: String,
    pub area: String,
    /// No valid answer for this long raises COMMS_LOSS; default max(5 s, 5 polls).
    pub comms_timeout: Duration,
    /// Priority of COMMS_LOSS.
    pub priority: u8,
}

/// One alarm rule of one point. The alarm's key is `<point>:<condition word>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Point key.
    pub point: Text,
    pub condition: Condition,
    /// 1 … 4.
    pub priority: u8,
    pub on_delay: Duration,
    pub off_delay: Duration,
    /// Stays in the list after its return until a shift leader resets it.
    pub latching: bool,
    /// What differs in a mode of the point's unit.
    pub by_mode: Vec<(Mode, ModeRule)>,
    /// Why it comes, zh-CN. Required for priorities 1 and 2, as are consequence and action.
    pub cause: Text,
    /// What happens if nobody acts, zh-CN.
    pub consequence: Text,
    /// What the operator does: zh-CN, en.
    pub action: Text,
    pub action_en: Text,
}

/// What a configuration delivers. Also the form in which a book that was in force is kept; parts that an earlier version did not have
/// are their defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookParts {
    /// Of the configuration it was read from: goes into every alarm event. May be empty.
    pub revision: String,
    pub devices: Vec<Device>,
    pub points: Vec<Point>,
    pub rules: Vec<Rule>,
    pub votes: Vec<Vote>,
    pub suppressions: Vec<Suppression>,
    pub first_out: Vec<FirstOutGroup>,
    pub plant_units: Vec<PlantUnit>,
    /// Keys of the areas of the plan; empty: areas are not checked.
    pub areas: Vec<String>,
    pub policy: Policy,
    /// Whom to call for what nobody acknowledges, in that order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    pub sources: Vec<Source>,
    pub risks: Vec<Risk>,
    pub measures: Vec<Measure>,
}

impl BookParts {
    /// Equal texts become one, and no list keeps room for more: a site stays for months as it was read.
    pub(super) fn share_texts(&mut self) {
        let mut sharing = Sharing::default();
        for p in &mut self.points {
            for text in [&mut p.key, &mut p.name, &mut p.name_en, &mut p.area, &mut p.device, &mut p.unit] {
                sharing.share(text);
            }
        }
        for r in &mut self.rules {
            for text in [&mut r.point, &mut r.cause, &mut r.consequence, &mut r.action, &mut r.action_en] {
                sharing.share(text);
            }
        }
        self.points.shrink_to_fit();
        self.rules.shrink_to_fit();
    }
}
