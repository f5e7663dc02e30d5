//! The scripted mishaps of the demo plant: names, titles, how long each lasts.
//!
//! Owns the list. What a scenario does to the readings is in `plant`, to the wire in `instruments`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One scripted mishap. It runs to its end by itself, or until all are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    /// GT-102 rises by about 2 ppm each second, its neighbours later and less.
    Nh3Leak,
    /// LT-201A climbs past both upper limits.
    MethanolOverfill,
    /// GT-303 loses its sensor.
    DetectorFault,
    /// No unit on link tcp-a2 answers.
    BusDead,
    /// The scrubber fan stops; chlorine creeps up in the store.
    FanStop,
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("没有此场景 no such scenario: {0}")]
pub struct UnknownScenario(pub String);

impl Scenario {
    pub const ALL: [Self; 5] =
        [Self::Nh3Leak, Self::MethanolOverfill, Self::DetectorFault, Self::BusDead, Self::FanStop];

    /// The name used on command lines and in requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nh3Leak => "nh3-leak",
            Self::MethanolOverfill => "methanol-overfill",
            Self::DetectorFault => "detector-fault",
            Self::BusDead => "bus-dead",
            Self::FanStop => "fan-stop",
        }
    }

    #[must_use]
    pub const fn title_zh(self) -> &'static str {
        match self {
            Self::Nh3Leak => "液氨罐区氨气泄漏",
            Self::MethanolOverfill => "甲醇1号罐冒顶",
            Self::DetectorFault => "氯气探测器 GT-303 传感器失效",
            Self::BusDead => "甲醇罐区链路中断",
            Self::FanStop => "液氯库洗消风机停转",
        }
    }

    #[must_use]
    pub const fn title_en(self) -> &'static str {
        match self {
            Self::Nh3Leak => "Ammonia leak in the tank farm",
            Self::MethanolOverfill => "Methanol Tank 1 overfilled",
            Self::DetectorFault => "Sensor of chlorine detector GT-303 lost",
            Self::BusDead => "Link of the methanol tank farm dead",
            Self::FanStop => "Scrubber fan of the chlorine store stopped",
        }
    }

    /// How long it lasts when nobody stops it.
    #[must_use]
    pub const fn lasts(self) -> Duration {
        match self {
            Self::Nh3Leak | Self::MethanolOverfill => Duration::from_secs(200),
            Self::DetectorFault | Self::BusDead | Self::FanStop => Duration::from_secs(180),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| UnknownScenario(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_reads_back_as_its_scenario() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        assert!("nothing".parse::<Scenario>().is_err());
    }
}
