//! The rule book: everything the engine needs to know about a site, with every cross-reference checked.
//!
//! Ids are small indices minted only here; they cannot name anything that is not configured. [`BookParts`] is what a
//! configuration delivers, [`RuleBook::build`] checks all of it and reports **all** defects at once.

mod check;
#[cfg(test)]
mod check_tests;
mod index;

use crate::risk::{Measure, Risk, Source};
pub(crate) use index::Index;
use serde::Serialize;
use std::time::Duration;

macro_rules! id {
    ($(#[$m:meta])* $name:ident) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(u32);
        impl $name {
            /// Position in the rule book's list, and in every array kept beside it.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
            #[allow(dead_code, reason = "minted only inside this crate")]
            pub(crate) fn mint(i: usize) -> Self {
                Self(u32::try_from(i).expect("the rule book refuses more than 4 billion entries"))
            }
        }
    };
}
id!(
    /// A point of the rule book.
    PointId
);
id!(
    /// An alarm rule.
    RuleId
);
id!(
    /// A device.
    DeviceId
);
id!(
    /// A registered risk.
    RiskId
);
id!(
    /// A control measure.
    MeasureId
);
id!(
    /// A major hazard source.
    SourceId
);

/// What kind of quantity a point is; decides defaults and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Tag, such as `GT-102`: unique.
    pub key: String,
    pub name: String,
    pub name_en: String,
    pub area: String,
    /// Device key.
    pub device: String,
    pub kind: PointKind,
    /// Engineering unit as shown.
    pub unit: String,
    /// Measuring range.
    pub range: (f64, f64),
    /// Decimals shown.
    pub decimals: u8,
    /// Poll period.
    pub period: Duration,
    /// Older than this is `Bad(Stale)`; default three periods.
    pub max_age: Duration,
    /// Position on the plan, metres.
    pub position: Option<(f64, f64)>,
}

/// An instrument as the rules see it: something whose silence is an alarm of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Device {
    pub key: String,
    pub name: String,
    pub area: String,
    /// No valid answer for this long raises COMMS_LOSS; default max(5 s, 5 polls).
    pub comms_timeout: Duration,
    /// Priority of COMMS_LOSS.
    pub priority: u8,
}

/// What raises and clears an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "condition")]
pub enum Condition {
    /// v ≥ limit raises; v < limit − deadband clears.
    HighHigh {
        limit: f64,
        deadband: f64,
    },
    High {
        limit: f64,
        deadband: f64,
    },
    /// v ≤ limit raises; v > limit + deadband clears.
    Low {
        limit: f64,
        deadband: f64,
    },
    LowLow {
        limit: f64,
        deadband: f64,
    },
    /// Quality bad (not communication) for the on-delay (default 4 s, NE 43).
    SensorFault,
    /// The state equals `alarm_state`.
    Discrete {
        alarm_state: bool,
    },
}

impl Condition {
    /// The word in alarm keys and events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HighHigh { .. } => "HH",
            Self::High { .. } => "H",
            Self::Low { .. } => "L",
            Self::LowLow { .. } => "LL",
            Self::SensorFault => "SENSOR_FAULT",
            Self::Discrete { .. } => "DISCRETE",
        }
    }
    /// The limit, where there is one.
    #[must_use]
    pub fn limit(self) -> Option<f64> {
        match self {
            Self::HighHigh { limit, .. }
            | Self::High { limit, .. }
            | Self::Low { limit, .. }
            | Self::LowLow { limit, .. } => Some(limit),
            Self::SensorFault | Self::Discrete { .. } => None,
        }
    }
}

/// One alarm rule of one point. The alarm's key is `<point>:<condition word>`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// Point key.
    pub point: String,
    pub condition: Condition,
    /// 1 … 4.
    pub priority: u8,
    pub on_delay: Duration,
    pub off_delay: Duration,
    /// What the operator does: zh-CN, en. Required for priorities 1 and 2.
    pub action: String,
    pub action_en: String,
}

/// What a configuration delivers: keys, not ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BookParts {
    pub devices: Vec<Device>,
    pub points: Vec<Point>,
    pub rules: Vec<Rule>,
    pub sources: Vec<Source>,
    pub risks: Vec<Risk>,
    pub measures: Vec<Measure>,
}

/// One thing wrong, with its place in the parts (`rules[3].limit`), what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Path such as `points[GT-102].rules.HH.limit`: list, key, field.
    pub path: String,
    pub message_zh: String,
    pub message_en: String,
    pub remedy_zh: String,
    pub remedy_en: String,
    /// False for a warning.
    pub fatal: bool,
}

/// A checked site. Built by [`RuleBook::build`] only.
#[derive(Clone, Debug)]
pub struct RuleBook {
    parts: BookParts,
    index: Index,
}

impl RuleBook {
    /// Checks everything and reports all defects at once; warnings come back beside a built book. A sensor-fault rule
    /// (4 s, NE 43) is added for every point that is not a state and has none.
    /// # Errors
    /// All defects (fatal ones and warnings), in the order of the parts.
    pub fn build(mut parts: BookParts) -> Result<(Self, Vec<Defect>), Vec<Defect>> {
        let defects = check::check(&parts);
        if defects.iter().any(|d| d.fatal) {
            return Err(defects);
        }
        index::add_sensor_faults(&mut parts);
        let index = Index::of(&parts);
        Ok((Self { parts, index }, defects))
    }
    /// Points in order of [`PointId::index`].
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.parts.points
    }
    /// Devices in order of [`DeviceId::index`].
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.parts.devices
    }
    /// Rules in order of [`RuleId::index`].
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.parts.rules
    }
    #[must_use]
    pub fn risks(&self) -> &[Risk] {
        &self.parts.risks
    }
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.parts.measures
    }
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.parts.sources
    }
    #[must_use]
    pub fn point_id(&self, key: &str) -> Option<PointId> {
        self.index.points.get(key).copied()
    }
    #[must_use]
    pub fn device_id(&self, key: &str) -> Option<DeviceId> {
        self.index.devices.get(key).copied()
    }
    /// What hangs on what.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}
