//! The air outside: temperature over the day, and a wind that wanders about its usual strength and direction.
//!
//! Owns the weather. What it carries is in `cloud`, what it warms in the tanks.

use crate::prng::Prng;
use std::f64::consts::TAU;

const USUAL_C: f64 = 21.5;
/// Half of the difference between the warmest and the coldest hour.
const DAY_SWING_C: f64 = 4.0;
const DAY_S: f64 = 86_400.0;
/// A light breeze, from the south-east: over the tank farm it blows away from the control room.
const USUAL_WIND_M_S: f64 = 3.2;
const USUAL_WIND_FROM_DEGREES: f64 = 135.0;
/// It never leaves these bounds, so that a demo looks the same on every day.
const GUST_M_S: f64 = 0.8;
const SWING_DEGREES: f64 = 12.0;
/// Share of a gust that is left after one second: gusts last about a minute.
const GUST_KEPT: f64 = 0.98;
const GUST_DRAWN: f64 = 0.45;

/// The weather now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    elapsed_s: f64,
    gust: f64,
    swing: f64,
}

impl Weather {
    pub(super) const fn new() -> Self {
        Self { elapsed_s: 0.0, gust: 0.0, swing: 0.0 }
    }

    pub(super) fn step(&mut self, dt_s: f64, prng: &mut Prng) {
        self.elapsed_s += dt_s;
        let wander = |x: f64, draw: f64| (x * GUST_KEPT.powf(dt_s) + draw * GUST_DRAWN * dt_s).clamp(-1.0, 1.0);
        self.gust = wander(self.gust, prng.signed());
        self.swing = wander(self.swing, prng.signed());
    }

    pub(super) fn ambient_c(&self) -> f64 {
        USUAL_C + DAY_SWING_C * (TAU * self.elapsed_s / DAY_S).sin()
    }

    pub(super) fn wind_m_s(&self) -> f64 {
        USUAL_WIND_M_S + GUST_M_S * self.gust
    }

    /// Where it comes from, clockwise from north.
    pub(super) fn wind_from_degrees(&self) -> f64 {
        USUAL_WIND_FROM_DEGREES + SWING_DEGREES * self.swing
    }

    pub(super) fn wind(&self) -> Wind {
        Wind::from(self.wind_m_s(), self.wind_from_degrees())
    }
}

/// How far the air moves in a second, metres east and north.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wind {
    pub(super) east_m_s: f64,
    pub(super) north_m_s: f64,
}

impl Wind {
    pub(super) fn from(speed_m_s: f64, from_degrees: f64) -> Self {
        let from = from_degrees.to_radians();
        Self { east_m_s: -speed_m_s * from.sin(), north_m_s: -speed_m_s * from.cos() }
    }

    pub(super) fn speed_m_s(self) -> f64 {
        self.east_m_s.hypot(self.north_m_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wind_from_the_south_east_blows_to_the_north_west() {
        let wind = Wind::from(2.0, 135.0);
        assert!(wind.east_m_s < -1.4 && wind.north_m_s > 1.4);
        assert!((wind.speed_m_s() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_wind_wanders_within_its_bounds_and_does_not_stand_still() {
        let (mut weather, mut prng) = (Weather::new(), Prng::new(4));
        let mut seen = Vec::new();
        for _ in 0..36_000 {
            weather.step(0.1, &mut prng);
            assert!(
                (2.3..=4.1).contains(&weather.wind_m_s()) && (122.0..=148.0).contains(&weather.wind_from_degrees())
            );
            seen.push(weather.wind_from_degrees());
        }
        let spread = seen.iter().fold(0.0, |m: f64, d| m.max((d - 135.0).abs()));
        assert!(spread > 3.0, "{spread}");
    }
}
