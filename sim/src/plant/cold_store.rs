//! 示范冷库: an ammonia compressor with its condenser, in a machine room with an emergency ventilator.
//!
//! Owns the refrigeration side and the air of the room. The room is shut: no wind, ventilation alone clears it.

use super::mishaps::Mishaps;
use super::noise::Tag;
use super::room::Room;
use super::vapour::ammonia_mpa_gauge;
use super::weather::Weather;
use crate::scenario::Scenario;

pub(super) const TAGS: &[Tag] = &[("GT-B01", 0.3), ("GT-B02", 0.3), ("GT-B03", 0.3), ("PT-B01", 0.01)];

/// The shaft seal beside GT-B02 tears like the gasket of the tank farm, and is shut off in the same way.
const TEARS_PPM_S: f64 = 2.0;
const JET_PPM: f64 = 68.0;
const SHUT_AFTER_S: f64 = 140.0;
const EMPTIES_S: f64 = 12.0;
/// The jet mixes into the room; with the emergency ventilator the room settles below the first limit.
const MIXES_PER_S: f64 = 0.02;
const DRAUGHT_PER_S: f64 = 0.01;
const VENTILATOR_PER_S: f64 = 0.05;
/// The ventilator starts with the first limit of the nearest detector and stops when the air is clean.
const STARTS_PPM: f64 = 25.0;
const STOPS_PPM: f64 = 3.0;
/// The condenser works so much above the air with its fan, and settles so much above it without.
const APPROACH_C: f64 = 10.0;
const APPROACH_WITHOUT_FAN_C: f64 = 28.0;
const APPROACH_FOLLOWS_S: f64 = 60.0;
const BACKGROUND_PPM: f64 = 1.5;

#[derive(Clone, Debug)]
pub(super) struct ColdStore {
    weather: Weather,
    seal_ppm: f64,
    room: Room,
    ventilator: bool,
    approach_c: f64,
}

impl ColdStore {
    pub(super) const fn new() -> Self {
        let room = Room::with(0.0);
        Self { weather: Weather::new(), seal_ppm: 0.0, room, ventilator: false, approach_c: APPROACH_C }
    }

    pub(super) fn weather(&mut self) -> &mut Weather {
        &mut self.weather
    }

    pub(super) fn step(&mut self, dt_s: f64, mishaps: &Mishaps) {
        let torn = mishaps.within(Scenario::Nh3Leak, SHUT_AFTER_S);
        self.seal_ppm = if torn {
            (self.seal_ppm + TEARS_PPM_S * dt_s).min(JET_PPM)
        } else {
            self.seal_ppm * (1.0 - dt_s / EMPTIES_S)
        };
        let nearest_ppm = self.seal_ppm + self.room.concentration;
        self.ventilator = nearest_ppm > if self.ventilator { STOPS_PPM } else { STARTS_PPM };
        let ventilator_per_s = if self.ventilator { VENTILATOR_PER_S } else { 0.0 };
        self.room.step(dt_s, self.seal_ppm * MIXES_PER_S, DRAUGHT_PER_S + ventilator_per_s);
        let settles_c = if mishaps.running(Scenario::FanStop) { APPROACH_WITHOUT_FAN_C } else { APPROACH_C };
        self.approach_c += (settles_c - self.approach_c) / APPROACH_FOLLOWS_S * dt_s;
    }

    /// The true value behind a tag.
    pub(super) fn truth(&self, tag: &str) -> f64 {
        match tag {
            "GT-B01" => BACKGROUND_PPM + self.room.concentration,
            "GT-B02" => BACKGROUND_PPM + self.seal_ppm + self.room.concentration,
            "GT-B03" => BACKGROUND_PPM + self.room.concentration * 0.8,
            // The liquid in the condenser boils at the temperature it is cooled to.
            "PT-B01" => ammonia_mpa_gauge(self.weather.ambient_c() + self.approach_c),
            _ => 0.0,
        }
    }
}
