//! The scripted mishaps: names, titles, where each can happen, how long it lasts.
//!
//! Owns the list. A scenario belongs to one site or several: the same name is the same kind of mishap in another place, and
//! its title says which. What it does to the plant is in `plant`, to the wire in `instruments`.

use crate::site::SiteName;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One scripted mishap. It runs to its end by itself, or until all are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    /// Ammonia escapes: the nearest detector rises by about 2 ppm each second, those in the wind later and less.
    Nh3Leak,
    /// The transfer pump does not stop: LT-201A climbs past both upper limits.
    MethanolOverfill,
    /// A detector loses its sensor.
    DetectorFault,
    /// No unit of one link answers.
    BusDead,
    /// The scrubber fan of the chlorine store stops; chlorine creeps up.
    ScrubberStop,
    /// A transmitter was swapped: its floats come with the words the other way round.
    WordOrder,
    /// The fan stops that the site lives by.
    FanStop,
    /// Fumes of a blast in the stope.
    BlastFumes,
    /// The sump pump does not start; the water rises.
    PumpFail,
    /// Nothing reaches the township office. Touches no instrument: who shows the uplink cuts it while this runs.
    UplinkCut,
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("没有此场景 no such scenario: {0}；可用 allowed: {all}", all = Scenario::ALL.map(Scenario::name).join(", "))]
pub struct UnknownScenario(pub String);

use SiteName::{Chemical, ColdStore, Mine};

impl Scenario {
    pub const ALL: [Self; 10] = [
        Self::Nh3Leak,
        Self::MethanolOverfill,
        Self::DetectorFault,
        Self::BusDead,
        Self::ScrubberStop,
        Self::WordOrder,
        Self::FanStop,
        Self::BlastFumes,
        Self::PumpFail,
        Self::UplinkCut,
    ];

    /// The name used on command lines and in requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nh3Leak => "nh3-leak",
            Self::MethanolOverfill => "methanol-overfill",
            Self::DetectorFault => "detector-fault",
            Self::BusDead => "bus-dead",
            Self::ScrubberStop => "scrubber-stop",
            Self::WordOrder => "word-order",
            Self::FanStop => "fan-stop",
            Self::BlastFumes => "blast-fumes",
            Self::PumpFail => "pump-fail",
            Self::UplinkCut => "uplink-cut",
        }
    }

    /// Where it can happen; the first is meant when nobody names a site. `fan-stop` is the main fan of the mine, as the word
    /// is used underground; the chemical site has no such fan, and its scrubber has a scenario with its own name.
    #[must_use]
    pub const fn sites(self) -> &'static [SiteName] {
        match self {
            Self::Nh3Leak => &[Chemical, ColdStore],
            Self::DetectorFault | Self::BusDead | Self::UplinkCut => &[Chemical, ColdStore, Mine],
            Self::MethanolOverfill | Self::ScrubberStop | Self::WordOrder => &[Chemical],
            Self::FanStop => &[Mine, ColdStore],
            Self::BlastFumes | Self::PumpFail => &[Mine],
        }
    }

    /// What can happen at a site, in the order of the list.
    pub fn of(site: SiteName) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |scenario| scenario.sites().contains(&site))
    }

    /// What it is called at a site.
    #[must_use]
    pub const fn title_zh(self, site: SiteName) -> &'static str {
        match (self, site) {
            (Self::Nh3Leak, ColdStore) => "制冷机房氨气泄漏",
            (Self::Nh3Leak, _) => "液氨罐区氨气泄漏",
            (Self::MethanolOverfill, _) => "甲醇1号罐冒顶",
            (Self::DetectorFault, Chemical) => "氯气探测器 GT-303 传感器失效",
            (Self::DetectorFault, ColdStore) => "氨气探测器 GT-B03 传感器失效",
            (Self::DetectorFault, Mine) => "一氧化碳传感器 CO-C03 失效",
            (Self::BusDead, Chemical) => "甲醇罐区链路中断",
            (Self::BusDead, ColdStore) => "机房探测器链路中断",
            (Self::BusDead, Mine) => "井下链路中断",
            (Self::ScrubberStop, _) => "液氯库洗消风机停转",
            (Self::WordOrder, _) => "更换变送器后字序错误（甲醇罐）",
            (Self::FanStop, ColdStore) => "冷凝器风机停转，排气压力升高",
            (Self::FanStop, _) => "井下主扇停风，一氧化碳缓慢上升",
            (Self::BlastFumes, _) => "采场爆破后炮烟",
            (Self::PumpFail, _) => "井下水泵不启动，水仓水位上升",
            (Self::UplinkCut, _) => "上行中断两分钟，恢复后补传",
        }
    }

    /// What it is called at a site, in English.
    #[must_use]
    pub const fn title_en(self, site: SiteName) -> &'static str {
        match (self, site) {
            (Self::Nh3Leak, ColdStore) => "Ammonia leak in the compressor room",
            (Self::Nh3Leak, _) => "Ammonia leak in the tank farm",
            (Self::MethanolOverfill, _) => "Methanol Tank 1 overfilled",
            (Self::DetectorFault, Chemical) => "Sensor of chlorine detector GT-303 lost",
            (Self::DetectorFault, ColdStore) => "Sensor of ammonia detector GT-B03 lost",
            (Self::DetectorFault, Mine) => "Sensor of carbon monoxide head CO-C03 lost",
            (Self::BusDead, Chemical) => "Link of the methanol tank farm dead",
            (Self::BusDead, ColdStore) => "Link of the compressor room's detectors dead",
            (Self::BusDead, Mine) => "Underground link dead",
            (Self::ScrubberStop, _) => "Scrubber fan of the chlorine store stopped",
            (Self::WordOrder, _) => "Wrong word order after a swap of the methanol transmitter",
            (Self::FanStop, ColdStore) => "Condenser fan stopped, discharge pressure rises",
            (Self::FanStop, _) => "Main fan stopped underground, carbon monoxide creeps up",
            (Self::BlastFumes, _) => "Fumes after a blast in the stope",
            (Self::PumpFail, _) => "Sump pump does not start, the water rises",
            (Self::UplinkCut, _) => "Uplink cut for two minutes, then catch-up",
        }
    }

    /// How long it lasts when nobody stops it.
    #[must_use]
    pub const fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::BlastFumes | Self::WordOrder => 90,
            // Real cuts last hours; two minutes show the alarm of the missing uplink and the catch-up.
            Self::UplinkCut => 120,
            Self::DetectorFault | Self::BusDead | Self::ScrubberStop => 180,
            Self::Nh3Leak | Self::MethanolOverfill | Self::PumpFail => 200,
            // Carbon monoxide needs its time: both limits at the nearer heads, the first at the farther ones.
            Self::FanStop => 240,
        })
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

    #[test]
    fn every_site_has_its_own_and_no_two_titles_of_a_site_are_alike() {
        for site in SiteName::ALL {
            let mut titles: Vec<_> = Scenario::of(site).map(|s| s.title_en(site)).collect();
            assert!(titles.len() >= 4, "{site}");
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), Scenario::of(site).count(), "{site}");
        }
        assert_eq!(Scenario::FanStop.sites().first(), Some(&Mine));
    }
}
