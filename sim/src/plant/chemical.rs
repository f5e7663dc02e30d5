//! 示范化工: ammonia tanks with a valve that can leak, methanol tanks that can be overfilled, a chlorine store with a scrubber.
//!
//! Owns what the parts do to one another and which tag shows what.

use super::ammonia::AmmoniaTank;
use super::cloud::{Cloud, Place};
use super::methanol::MethanolFarm;
use super::mishaps::Mishaps;
use super::noise::Tag;
use super::room::Room;
use super::weather::Weather;
use crate::scenario::Scenario;

pub(super) const TAGS: &[Tag] = &[
    ("PT-101A", 0.01),
    ("PT-101B", 0.01),
    ("TT-101A", 0.3),
    ("TT-101B", 0.3),
    ("LT-101A", 0.3),
    ("LT-101B", 0.3),
    ("GT-101", 0.3),
    ("GT-102", 0.3),
    ("GT-103", 0.3),
    ("GT-104", 0.3),
    ("GD-101", 0.2),
    ("LT-201A", 0.02),
    ("LT-201B", 0.02),
    ("TT-201A", 0.3),
    ("TT-201B", 0.3),
    ("PT-201A", 0.03),
    ("PT-201B", 0.03),
    ("GD-201", 0.3),
    ("GD-202", 0.3),
    ("GD-203", 0.4),
    ("GD-204", 0.4),
    ("GT-301", 0.01),
    ("GT-302", 0.01),
    ("GT-303", 0.01),
    ("ZS-301", 0.0),
    ("WS-001", 0.1),
    ("WD-001", 1.0),
    ("UPS-001", 0.0),
    ("UPS-001B", 0.4),
    ("PS-601", 0.01),
];

/// The valve of Tank 2 beside GT-102.
const VALVE: Place = (115.0, 155.0);
/// The vent of methanol Tank 1.
const VENT: Place = (180.0, 190.0);
/// A gasket that tears: the jet grows steadily to its full strength …
const TEARS_PPM_S: f64 = 2.0;
const JET_PPM: f64 = 68.0;
/// … until somebody shuts the valve before it, and the pipe empties.
const SHUT_AFTER_S: f64 = 140.0;
const EMPTIES_S: f64 = 12.0;
/// Loss of the torn gasket at full strength.
const JET_KG_S: f64 = 0.5;
/// 100 %LEL of ammonia is 15 %VOL, 150,000 ppm.
const PPM_PER_PERCENT_LEL: f64 = 1_500.0;
/// The pump is stopped and the drain opened after this time.
const PUMP_STOPPED_AFTER_S: f64 = 140.0;
/// Methanol vapour at the vent of a tank that is being filled.
const VENT_PERCENT_LEL: f64 = 12.0;
/// A valve in the chlorine store always seeps a little; the scrubber takes it, and without it the doors only some. All three are
/// quickened: a demo shows in a minute what takes a real store half an hour.
const SEEP_PPM_S: f64 = 0.0125;
const DRAUGHT_PER_S: f64 = 0.025;
const SCRUBBER_PER_S: f64 = 0.225;

#[derive(Clone, Debug)]
pub(super) struct Chemical {
    weather: Weather,
    ammonia: [AmmoniaTank; 2],
    leak: Cloud,
    methanol: MethanolFarm,
    vent: Cloud,
    store: Room,
    scrubber: bool,
}

impl Chemical {
    pub(super) fn new() -> Self {
        Self {
            weather: Weather::new(),
            ammonia: [AmmoniaTank::at(62.0, 21.5), AmmoniaTank::at(55.0, 21.2)],
            leak: Cloud::at(VALVE),
            methanol: MethanolFarm::new(),
            vent: Cloud::at(VENT),
            store: Room::with(SEEP_PPM_S / (DRAUGHT_PER_S + SCRUBBER_PER_S)),
            scrubber: true,
        }
    }

    pub(super) fn weather(&mut self) -> &mut Weather {
        &mut self.weather
    }

    pub(super) fn step(&mut self, dt_s: f64, mishaps: &Mishaps) {
        let (ambient_c, wind) = (self.weather.ambient_c(), self.weather.wind());
        let torn = mishaps.within(Scenario::Nh3Leak, SHUT_AFTER_S);
        self.leak.strength = if torn {
            (self.leak.strength + TEARS_PPM_S * dt_s).min(JET_PPM)
        } else {
            self.leak.strength * (1.0 - dt_s / EMPTIES_S)
        };
        self.leak.step(dt_s, wind);
        let lost_kg_s = self.leak.strength / JET_PPM * JET_KG_S;
        self.ammonia[0].step(dt_s, ambient_c, 0.0);
        self.ammonia[1].step(dt_s, ambient_c, lost_kg_s);
        self.methanol.step(dt_s, ambient_c, mishaps.within(Scenario::MethanolOverfill, PUMP_STOPPED_AFTER_S));
        self.vent.strength = if self.methanol.vents() { VENT_PERCENT_LEL } else { 0.0 };
        self.vent.step(dt_s, wind);
        self.scrubber = !mishaps.running(Scenario::ScrubberStop);
        let scrubbed_per_s = if self.scrubber { SCRUBBER_PER_S } else { 0.0 };
        self.store.step(dt_s, SEEP_PPM_S, DRAUGHT_PER_S + scrubbed_per_s);
    }

    /// The true value behind a tag; 0 for what never changes here.
    pub(super) fn truth(&self, tag: &str) -> f64 {
        let [ammonia_a, ammonia_b] = &self.ammonia;
        let [methanol_a, methanol_b] = &self.methanol.tanks;
        let ammonia = |background: f64, at: Place| background + self.leak.concentration(at);
        let vapour = |background: f64, at: Place| background + self.vent.concentration(at);
        match tag {
            "PT-101A" => ammonia_a.pressure_mpa(),
            "PT-101B" => ammonia_b.pressure_mpa(),
            "TT-101A" => ammonia_a.liquid_c,
            "TT-101B" => ammonia_b.liquid_c,
            "LT-101A" => ammonia_a.level_percent,
            "LT-101B" => ammonia_b.level_percent,
            "GT-101" => ammonia(1.8, (45.0, 155.0)),
            "GT-102" => ammonia(2.0, (115.0, 155.0)),
            "GT-103" => ammonia(1.6, (45.0, 215.0)),
            "GT-104" => ammonia(1.9, (115.0, 215.0)),
            "GD-101" => 0.8 + self.leak.concentration((80.0, 165.0)) / PPM_PER_PERCENT_LEL,
            "LT-201A" => methanol_a.level_m,
            "LT-201B" => methanol_b.level_m,
            "TT-201A" => methanol_a.liquid_c,
            "TT-201B" => methanol_b.liquid_c,
            "PT-201A" => methanol_a.blanket_kpa,
            "PT-201B" => methanol_b.blanket_kpa,
            "GD-201" => vapour(1.2, (155.0, 145.0)),
            "GD-202" => vapour(1.0, (265.0, 225.0)),
            "GD-203" => vapour(1.6, (210.0, 95.0)),
            "GD-204" => vapour(1.4, (265.0, 75.0)),
            // Near the door, far from it, over the cylinders.
            "GT-301" => self.store.concentration,
            "GT-302" => self.store.concentration * 0.9,
            "GT-303" => self.store.concentration * 1.1,
            "ZS-301" => f64::from(u8::from(self.scrubber)),
            "WS-001" => self.weather.wind_m_s(),
            "WD-001" => self.weather.wind_from_degrees(),
            "UPS-001B" => 98.0,
            "PS-601" => 0.82,
            _ => 0.0,
        }
    }
}
