//! 示范铁矿: the main fan drives the air, the air carries the gases of men, machines and rock away, a pump holds the water down.
//!
//! ```text
//!   main fan ──► pressure DP-C01, air flow ──► air speed VS-C01
//!                        └──► ventilation of the stopes ──► CO, NO₂, O₂, temperature
//! ```
//!
//! Owns the ventilation and the sump. Everything underground is quickened: a demo shows in minutes what takes a mine an hour.

use super::mishaps::Mishaps;
use super::noise::Tag;
use super::room::Room;
use crate::scenario::Scenario;

pub(super) const TAGS: &[Tag] = &[
    ("CO-C01", 0.8),
    ("CO-C02", 0.8),
    ("CO-C03", 0.8),
    ("CO-C04", 0.8),
    ("NO2-C01", 0.1),
    ("O2-C01", 0.05),
    ("VS-C01", 0.03),
    ("TT-C01", 0.2),
    ("KS-C01", 0.0),
    ("DP-C01", 25.0),
    ("LT-C01", 0.01),
];

/// A large rotor runs down and up slowly.
const FAN_FOLLOWS_S: f64 = 6.0;
const FAN_PA: f64 = 1_900.0;
const AIR_SPEED_M_S: f64 = 2.4;
/// What the warm air in the shaft draws by itself: 0.1 m/s, below the lowest limit.
const NATURAL_DRAUGHT: f64 = 0.04;
/// Changes of air of a stope each second with the fan at full speed.
const VENTILATION_PER_S: f64 = 0.05;
/// What the four heads read in full air: shaft station, two stopes, return.
const CO_PPM: [f64; 4] = [4.0, 6.0, 8.0, 5.0];
const NO2_PPM: f64 = 0.4;
const O2_PERCENT_VOL: f64 = 20.95;
const O2_USED_PERCENT_VOL: f64 = 0.05;
/// Fumes pour out for a while after the shot, into the two stopes.
const FUMES_FOR_S: f64 = 40.0;
const FUMES_CO_PPM_S: f64 = 4.0;
const FUMES_NO2_PPM_S: f64 = 0.2;
/// Rock warms, intake air cools.
const ROCK_C: f64 = 33.0;
const INTAKE_C: f64 = 20.0;
const ROCK_WARMS_PER_S: f64 = 1.0 / 1_200.0;
const AIR_COOLS_PER_S: f64 = 2.25 / 1_200.0;
/// The pump holds the sump between two levels; a weir leads what comes over it to the level below.
const INFLOW_M_S: f64 = 0.015;
const PUMPED_M_S: f64 = 0.045;
const PUMP_STARTS_M: f64 = 2.2;
const PUMP_STOPS_M: f64 = 1.2;
const WEIR_M: f64 = 3.8;

#[derive(Clone, Debug)]
pub(super) struct Mine {
    fan_on: bool,
    fan_speed: f64,
    co: [Room; 4],
    no2: Room,
    /// Oxygen below that of fresh air.
    o2_missing: Room,
    air_c: f64,
    sump_m: f64,
    pumping: bool,
}

impl Mine {
    pub(super) fn new() -> Self {
        Self {
            fan_on: true,
            fan_speed: 1.0,
            co: CO_PPM.map(Room::with),
            no2: Room::with(NO2_PPM),
            o2_missing: Room::with(O2_USED_PERCENT_VOL),
            air_c: 24.0,
            sump_m: 1.6,
            pumping: false,
        }
    }

    pub(super) fn step(&mut self, dt_s: f64, mishaps: &Mishaps) {
        self.fan_on = !mishaps.running(Scenario::FanStop);
        let wanted_speed = f64::from(u8::from(self.fan_on));
        self.fan_speed += (wanted_speed - self.fan_speed) / FAN_FOLLOWS_S * dt_s;
        self.air(dt_s, mishaps.within(Scenario::BlastFumes, FUMES_FOR_S));
        self.water(dt_s, mishaps.running(Scenario::PumpFail));
    }

    /// Share of the full flow of air.
    fn flow(&self) -> f64 {
        NATURAL_DRAUGHT + (1.0 - NATURAL_DRAUGHT) * self.fan_speed
    }

    fn air(&mut self, dt_s: f64, fumes: bool) {
        let (flow, fumes) = (self.flow(), f64::from(u8::from(fumes)));
        let ventilation_per_s = VENTILATION_PER_S * flow;
        for (n, room) in self.co.iter_mut().enumerate() {
            let blasted = if n == 1 || n == 2 { FUMES_CO_PPM_S * fumes } else { 0.0 };
            room.step(dt_s, CO_PPM[n] * VENTILATION_PER_S + blasted, ventilation_per_s);
        }
        self.no2.step(dt_s, NO2_PPM * VENTILATION_PER_S + FUMES_NO2_PPM_S * fumes, ventilation_per_s);
        self.o2_missing.step(dt_s, O2_USED_PERCENT_VOL * VENTILATION_PER_S, ventilation_per_s);
        let warmed = (ROCK_C - self.air_c) * ROCK_WARMS_PER_S;
        self.air_c += (warmed - (self.air_c - INTAKE_C) * flow * AIR_COOLS_PER_S) * dt_s;
    }

    fn water(&mut self, dt_s: f64, pump_fails: bool) {
        self.pumping = !pump_fails && self.sump_m > if self.pumping { PUMP_STOPS_M } else { PUMP_STARTS_M };
        let pumped_m_s = if self.pumping { PUMPED_M_S } else { 0.0 };
        self.sump_m = (self.sump_m + (INFLOW_M_S - pumped_m_s) * dt_s).min(WEIR_M);
    }

    /// The true value behind a tag.
    pub(super) fn truth(&self, tag: &str) -> f64 {
        match tag {
            "CO-C01" => self.co[0].concentration,
            "CO-C02" => self.co[1].concentration,
            "CO-C03" => self.co[2].concentration,
            "CO-C04" => self.co[3].concentration,
            "NO2-C01" => self.no2.concentration,
            "O2-C01" => O2_PERCENT_VOL - self.o2_missing.concentration,
            "VS-C01" => AIR_SPEED_M_S * self.flow(),
            "TT-C01" => self.air_c,
            "KS-C01" => f64::from(u8::from(self.fan_on)),
            // A fan's pressure goes with the square of its speed.
            "DP-C01" => FAN_PA * self.fan_speed * self.fan_speed,
            "LT-C01" => self.sump_m,
            _ => 0.0,
        }
    }
}
