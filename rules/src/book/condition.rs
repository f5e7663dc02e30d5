//! What raises and clears an alarm of a point (alarms.md 2.1). Owns the numbers of a condition; leaves judging to the engine.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a deviation is measured against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A fixed number.
    Setpoint(f64),
    /// Another point's key, such as a twin sensor.
    Point(String),
}

/// One condition. Raising is inclusive; the deadband lies on the side of the normal value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "condition")]
pub enum Condition {
    /// v ≥ limit raises; v < limit − deadband clears.
    HighHigh { limit: f64, deadband: f64 },
    /// As above.
    High { limit: f64, deadband: f64 },
    /// v ≤ limit raises; v > limit + deadband clears.
    Low { limit: f64, deadband: f64 },
    /// As above.
    LowLow { limit: f64, deadband: f64 },
    /// Least-squares slope over `window`, in units per minute, at or above the limit; clears below 0.8 of it.
    Rising { limit_per_min: f64, window: Duration },
    /// The same downwards.
    Falling { limit_per_min: f64, window: Duration },
    /// |v − reference| ≥ limit raises; < limit − deadband clears.
    Deviation { reference: Reference, limit: f64, deadband: f64 },
    /// Quality bad (neither communication nor function check) for the on-delay (default 4 s, NE 43).
    #[default]
    SensorFault,
    /// A heartbeat bit or counter unchanged for five of its periods.
    Frozen { period: Duration },
    /// The value stays within `epsilon` for the whole window. Never for points that are legitimately constant.
    Stuck { epsilon: f64, window: Duration },
    /// The state equals `alarm_state`.
    Discrete { alarm_state: bool },
}

impl Condition {
    /// The word in alarm keys and events.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::HighHigh { .. } => "HH",
            Self::High { .. } => "H",
            Self::Low { .. } => "L",
            Self::LowLow { .. } => "LL",
            Self::Rising { .. } => "ROC+",
            Self::Falling { .. } => "ROC-",
            Self::Deviation { .. } => "DEV",
            Self::SensorFault => "SENSOR_FAULT",
            Self::Frozen { .. } => "DEVICE_FROZEN",
            Self::Stuck { .. } => "STUCK",
            Self::Discrete { .. } => "DISCRETE",
        }
    }

    /// The limit, where there is one.
    #[must_use]
    pub fn limit(&self) -> Option<f64> {
        match self {
            Self::HighHigh { limit, .. }
            | Self::High { limit, .. }
            | Self::Low { limit, .. }
            | Self::LowLow { limit, .. }
            | Self::Deviation { limit, .. } => Some(*limit),
            Self::Rising { limit_per_min, .. } | Self::Falling { limit_per_min, .. } => Some(*limit_per_min),
            Self::SensorFault | Self::Frozen { .. } | Self::Stuck { .. } | Self::Discrete { .. } => None,
        }
    }

    /// The deadband, where there is one.
    #[must_use]
    pub fn deadband(&self) -> Option<f64> {
        match self {
            Self::HighHigh { deadband, .. }
            | Self::High { deadband, .. }
            | Self::Low { deadband, .. }
            | Self::LowLow { deadband, .. }
            | Self::Deviation { deadband, .. } => Some(*deadband),
            _ => None,
        }
    }

    /// Limit and deadband of the four limits.
    #[must_use]
    pub fn band(&self) -> Option<(f64, f64)> {
        match self {
            Self::HighHigh { limit, deadband }
            | Self::High { limit, deadband }
            | Self::Low { limit, deadband }
            | Self::LowLow { limit, deadband } => Some((*limit, *deadband)),
            _ => None,
        }
    }

    /// The same condition with another limit; unchanged where there is none.
    #[must_use]
    pub fn with_limit(&self, new: f64) -> Self {
        let mut changed = self.clone();
        match &mut changed {
            Self::HighHigh { limit, .. }
            | Self::High { limit, .. }
            | Self::Low { limit, .. }
            | Self::LowLow { limit, .. }
            | Self::Deviation { limit, .. } => *limit = new,
            Self::Rising { limit_per_min, .. } | Self::Falling { limit_per_min, .. } => *limit_per_min = new,
            Self::SensorFault | Self::Frozen { .. } | Self::Stuck { .. } | Self::Discrete { .. } => {}
        }
        changed
    }

    /// What one of the two remembers of the past holds for the other: the limit of a rate is no part of its samples, and how long a value
    /// has stood still is measured whatever the window.
    pub(crate) fn remembers_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rising { window, .. }, Self::Rising { window: other, .. })
            | (Self::Falling { window, .. }, Self::Falling { window: other, .. }) => window == other,
            (Self::Stuck { .. }, Self::Stuck { .. }) => true,
            _ => self == other,
        }
    }

    /// HH before H, LL before L: at one instant the outer limit is judged first, so that only it sounds.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::HighHigh { .. } | Self::LowLow { .. } => 0,
            Self::High { .. } | Self::Low { .. } => 1,
            _ => 2,
        }
    }
}
