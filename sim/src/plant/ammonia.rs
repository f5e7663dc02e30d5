//! A pressure tank of liquid ammonia: what flows in and out sets its level, the weather and what boils off its temperature, and
//! that its pressure.

use super::vapour::ammonia_mpa_gauge;

/// 50 m³ at 0.6 t/m³.
const FULL_KG: f64 = 30_000.0;
const KG_PER_PERCENT: f64 = FULL_KG / 100.0;
/// A shaded, painted tank follows the air within hours.
const FOLLOWS_AIR_S: f64 = 4.0 * 3600.0;
const LATENT_KJ_KG: f64 = 1_180.0;
const HEAT_KJ_KG_K: f64 = 4.7;
/// What production takes, steadily.
const DRAWN_KG_S: f64 = 0.4;
/// What the make-up pump brings while it runs.
const MADE_UP_KG_S: f64 = 1.6;
/// The make-up pump keeps the level this near to where it began.
const BAND_PERCENT: f64 = 1.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct AmmoniaTank {
    pub(super) level_percent: f64,
    pub(super) liquid_c: f64,
    wanted_percent: f64,
    making_up: bool,
}

impl AmmoniaTank {
    pub(super) const fn at(level_percent: f64, liquid_c: f64) -> Self {
        Self { level_percent, liquid_c, wanted_percent: level_percent, making_up: false }
    }

    /// `lost_kg_s` escapes as gas and cools what stays.
    pub(super) fn step(&mut self, dt_s: f64, ambient_c: f64, lost_kg_s: f64) {
        self.making_up = if self.making_up {
            self.level_percent < self.wanted_percent + BAND_PERCENT
        } else {
            self.level_percent < self.wanted_percent - BAND_PERCENT
        };
        let inflow_kg_s = if self.making_up { MADE_UP_KG_S } else { 0.0 };
        let content_kg = self.level_percent * KG_PER_PERCENT;
        self.liquid_c += (ambient_c - self.liquid_c) / FOLLOWS_AIR_S * dt_s;
        self.liquid_c -= lost_kg_s * LATENT_KJ_KG / (content_kg * HEAT_KJ_KG_K) * dt_s;
        self.level_percent += (inflow_kg_s - DRAWN_KG_S - lost_kg_s) / KG_PER_PERCENT * dt_s;
    }

    pub(super) fn pressure_mpa(&self) -> f64 {
        ammonia_mpa_gauge(self.liquid_c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_empties_it_and_the_make_up_pump_fills_it_again() {
        let mut tank = AmmoniaTank::at(62.0, 21.5);
        let (mut lowest, mut highest) = (62.0, 62.0);
        for _ in 0..36_000 {
            tank.step(0.1, 21.5, 0.0);
            (lowest, highest) = (f64::min(lowest, tank.level_percent), f64::max(highest, tank.level_percent));
        }
        assert!((60.9..61.1).contains(&lowest) && (62.9..63.1).contains(&highest), "{lowest} {highest}");
    }

    #[test]
    fn what_escapes_cools_the_liquid_and_the_pressure_follows() {
        let (mut leaking, mut tight) = (AmmoniaTank::at(55.0, 21.2), AmmoniaTank::at(55.0, 21.2));
        for _ in 0..1_400 {
            leaking.step(0.1, 21.5, 0.5);
            tight.step(0.1, 21.5, 0.0);
        }
        assert!(leaking.level_percent < tight.level_percent && leaking.liquid_c < tight.liquid_c - 0.5);
        assert!(leaking.pressure_mpa() < tight.pressure_mpa() - 0.01);
    }
}
