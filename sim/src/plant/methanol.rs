//! The two methanol tanks: a transfer pump fills the first from the second, a drain lets it back, a nitrogen blanket breathes.
//!
//! ```text
//!   road tankers ──► tank 2 ──pump──► tank 1 ──► production        the pump starts and stops by the level of tank 1;
//!                      ▲                │                          when it does not stop, a float trips it below the roof,
//!                      └──── drain ─────┘                          the drain opens, and its interlock closes it again
//! ```

/// Tank 1 as it is normally: the pump starts below and stops above.
const PUMP_STARTS_M: f64 = 9.75;
const PUMP_STOPS_M: f64 = 9.85;
/// The float switch below the roof.
const TRIP_M: f64 = 11.1;
/// Above this with the pump stopped somebody opens the drain; its interlock closes it at the normal level.
const DRAIN_OPENS_M: f64 = 9.95;
const DRAIN_CLOSES_M: f64 = 9.80;
/// Some thirty times a real pump of 200 m³/h on a tank of 83 m²: the demo passes both limits within a minute, not within an hour.
const PUMP_M_S: f64 = 0.022;
const DRAIN_M_S: f64 = 0.030;
/// What production takes of tank 1 and the road tankers bring to tank 2.
const DRAWN_M_S: f64 = 0.000_2;
const FOLLOWS_AIR_S: f64 = 12.0 * 3600.0;
/// The liquid lies under a roof in the sun.
const WARMER_THAN_AIR_C: f64 = 2.3;
/// The blanket regulator's set point, how quickly it acts, and what a metre of level would press together without it.
const BLANKET_KPA: f64 = 0.80;
const REGULATOR_S: f64 = 2.0;
const PRESSED_KPA_M: f64 = 8.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct MethanolTank {
    pub(super) level_m: f64,
    pub(super) liquid_c: f64,
    pub(super) blanket_kpa: f64,
}

impl MethanolTank {
    const fn at(level_m: f64, liquid_c: f64) -> Self {
        Self { level_m, liquid_c, blanket_kpa: BLANKET_KPA }
    }

    fn step(&mut self, dt_s: f64, rise_m_s: f64, ambient_c: f64) {
        self.level_m += rise_m_s * dt_s;
        self.liquid_c += (ambient_c + WARMER_THAN_AIR_C - self.liquid_c) / FOLLOWS_AIR_S * dt_s;
        self.blanket_kpa += (PRESSED_KPA_M * rise_m_s - (self.blanket_kpa - BLANKET_KPA) / REGULATOR_S) * dt_s;
    }
}

/// Both tanks and what joins them.
#[derive(Clone, Copy, Debug)]
pub(super) struct MethanolFarm {
    pub(super) tanks: [MethanolTank; 2],
    pumping: bool,
    draining: bool,
}

impl MethanolFarm {
    pub(super) const fn new() -> Self {
        let tanks = [MethanolTank::at(9.8, 24.0), MethanolTank::at(6.4, 23.6)];
        Self { tanks, pumping: false, draining: false }
    }

    /// `pump_stuck_on`: neither the level nor the operator stops the pump, only the float.
    pub(super) fn step(&mut self, dt_s: f64, ambient_c: f64, pump_stuck_on: bool) {
        let level_m = self.tanks[0].level_m;
        self.pumping = match (pump_stuck_on, self.pumping) {
            (true, _) => level_m < TRIP_M,
            (false, true) => level_m < PUMP_STOPS_M,
            (false, false) => level_m < PUMP_STARTS_M,
        };
        let drain_wanted = level_m > if self.draining { DRAIN_CLOSES_M } else { DRAIN_OPENS_M };
        self.draining = !pump_stuck_on && drain_wanted;
        let moved_m_s = if self.pumping { PUMP_M_S } else { 0.0 } - if self.draining { DRAIN_M_S } else { 0.0 };
        self.tanks[0].step(dt_s, moved_m_s - DRAWN_M_S, ambient_c);
        self.tanks[1].step(dt_s, DRAWN_M_S - moved_m_s, ambient_c);
    }

    /// Tank 1 breathes out through its vent while it is filled.
    pub(super) const fn vents(&self) -> bool {
        self.pumping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(farm: &mut MethanolFarm, seconds: u32, stuck: bool) {
        (0..seconds * 10).for_each(|_| farm.step(0.1, 21.5, stuck));
    }

    #[test]
    fn a_pump_that_does_not_stop_is_tripped_by_the_float_and_the_drain_ends_at_the_normal_level() {
        let mut farm = MethanolFarm::new();
        run(&mut farm, 100, true);
        assert!((11.0..11.15).contains(&farm.tanks[0].level_m), "{farm:?}");
        assert!((5.0..5.2).contains(&farm.tanks[1].level_m), "what the one gains the other loses: {farm:?}");
        run(&mut farm, 60, false);
        assert!((9.7..9.82).contains(&farm.tanks[0].level_m) && !farm.draining, "{farm:?}");
    }

    #[test]
    fn filling_presses_the_blanket_and_the_regulator_brings_it_back() {
        let mut farm = MethanolFarm::new();
        run(&mut farm, 30, true);
        let (filled, emptied) = (farm.tanks[0].blanket_kpa, farm.tanks[1].blanket_kpa);
        assert!((1.0..1.5).contains(&filled) && (0.2..0.6).contains(&emptied), "{filled} {emptied}");
        run(&mut farm, 400, false);
        assert!((farm.tanks[0].blanket_kpa - BLANKET_KPA).abs() < 0.05);
    }

    #[test]
    fn in_normal_running_the_pump_holds_the_level_and_nothing_is_lost() {
        let mut farm = MethanolFarm::new();
        for _ in 0..3_600 {
            run(&mut farm, 1, false);
            assert!((9.74..9.86).contains(&farm.tanks[0].level_m), "{farm:?}");
        }
        assert!((farm.tanks[0].level_m + farm.tanks[1].level_m - 16.2).abs() < 1e-6);
    }
}
