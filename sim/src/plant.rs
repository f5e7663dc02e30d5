//! The demo plant: what every instrument would read, as a function of time passed and the scenarios running.
//!
//! Owns readings, their noise and the spread of gas. Has no clock: time passes when [`Plant::advance`] says so, in whole
//! steps, so that a course depends on the seed and the time passed and not on how it was sliced. Knows no Modbus.

use crate::prng::Prng;
use crate::scenario::Scenario;
use std::collections::BTreeMap;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(100);
const STEP_S: f64 = 0.1;
/// What a scenario had raised falls back with this time constant.
const RELAX_S: f64 = 5.0;
/// Where ammonia escapes: a valve beside GT-102 (metres east, north).
const LEAK_AT: (f64, f64) = (115.0, 155.0);
const LEAK_PEAK_PPM: f64 = 70.0;
const CLOUD_SPEED_M_S: f64 = 2.0;

/// One reading: its normal value, how far noise moves it, and where a gas detector stands.
struct Channel {
    key: &'static str,
    normal: f64,
    noise: f64,
    at: Option<(f64, f64)>,
}

const fn plain(key: &'static str, normal: f64, noise: f64) -> Channel {
    Channel { key, normal, noise, at: None }
}

const fn gas(key: &'static str, normal: f64, noise: f64, x: f64, y: f64) -> Channel {
    Channel { key, normal, noise, at: Some((x, y)) }
}

const CHANNELS: &[Channel] = &[
    plain("PT-101A", 0.86, 0.01),
    plain("PT-101B", 0.84, 0.01),
    plain("TT-101A", 21.5, 0.3),
    plain("TT-101B", 21.2, 0.3),
    plain("LT-101A", 62.0, 0.3),
    plain("LT-101B", 55.0, 0.3),
    gas("GT-101", 1.8, 0.3, 45.0, 155.0),
    gas("GT-102", 2.0, 0.3, 115.0, 155.0),
    gas("GT-103", 1.6, 0.3, 45.0, 215.0),
    gas("GT-104", 1.9, 0.3, 115.0, 215.0),
    gas("GD-101", 0.8, 0.2, 80.0, 165.0),
    plain("LT-201A", 9.8, 0.02),
    plain("LT-201B", 6.4, 0.02),
    plain("TT-201A", 24.0, 0.3),
    plain("TT-201B", 23.6, 0.3),
    plain("PT-201A", 0.80, 0.03),
    plain("PT-201B", 0.78, 0.03),
    gas("GD-201", 1.2, 0.3, 155.0, 145.0),
    gas("GD-202", 1.0, 0.3, 265.0, 225.0),
    gas("GD-203", 1.6, 0.4, 210.0, 95.0),
    gas("GD-204", 1.4, 0.4, 265.0, 75.0),
    gas("GT-301", 0.05, 0.01, 305.0, 175.0),
    gas("GT-302", 0.04, 0.01, 345.0, 215.0),
    gas("GT-303", 0.06, 0.01, 325.0, 195.0),
    plain("WS-001", 3.2, 0.8),
    plain("WD-001", 135.0, 12.0),
    plain("UPS-001B", 98.0, 0.4),
    plain("PS-601", 0.82, 0.01),
];

/// The simulated plant.
#[derive(Clone, Debug)]
pub struct Plant {
    prng: Prng,
    noise: Vec<f64>,
    raised: Vec<f64>,
    running: Vec<(Scenario, f64)>,
    forced: BTreeMap<&'static str, f64>,
    left_over: Duration,
}

impl Plant {
    /// The demo site in normal running.
    #[must_use]
    pub fn demo(seed: u64) -> Self {
        let (noise, raised) = (vec![0.0; CHANNELS.len()], vec![0.0; CHANNELS.len()]);
        Self {
            prng: Prng::new(seed),
            noise,
            raised,
            running: Vec::new(),
            forced: BTreeMap::new(),
            left_over: Duration::ZERO,
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.left_over += by;
        while self.left_over >= STEP {
            self.left_over -= STEP;
            self.step();
        }
    }

    /// Starts a scenario; one already running begins again.
    pub fn start(&mut self, scenario: Scenario) {
        self.running.retain(|(other, _)| *other != scenario);
        self.running.push((scenario, 0.0));
    }

    /// Holds a tag at `value`, or lets it go again; false when the plant has no such tag.
    pub fn force(&mut self, key: &str, value: Option<f64>) -> bool {
        let Some(channel) = CHANNELS.iter().find(|channel| channel.key == key) else { return false };
        match value {
            Some(value) => self.forced.insert(channel.key, value),
            None => self.forced.remove(channel.key),
        };
        true
    }

    /// Ends every scenario; what they raised falls back within seconds.
    pub fn stop_all(&mut self) {
        self.running.clear();
    }

    /// The scenarios running, in the order they were started.
    #[must_use]
    pub fn running(&self) -> Vec<Scenario> {
        self.running.iter().map(|(scenario, _)| *scenario).collect()
    }

    /// Whether `scenario` runs.
    #[must_use]
    pub fn is_running(&self, scenario: Scenario) -> bool {
        self.running.iter().any(|(other, _)| *other == scenario)
    }

    /// The true value at a tag such as `GT-102`; `None` when the plant has no such tag.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        if let Some(forced) = self.forced.get(key) {
            return Some(*forced);
        }
        let index = CHANNELS.iter().position(|channel| channel.key == key)?;
        Some(CHANNELS[index].normal + self.noise[index] + self.raised[index])
    }

    /// Whether the scrubber fan of the chlorine store turns.
    #[must_use]
    pub fn scrubber_fan(&self) -> bool {
        !self.is_running(Scenario::FanStop)
    }

    fn step(&mut self) {
        for (_, elapsed_s) in &mut self.running {
            *elapsed_s += STEP_S;
        }
        self.running.retain(|(scenario, elapsed_s)| *elapsed_s < scenario.lasts().as_secs_f64());
        for (index, channel) in CHANNELS.iter().enumerate() {
            // Noise wanders and is drawn back to zero; it never leaves ±channel.noise.
            let wander = self.noise[index] * 0.95 + self.prng.signed() * channel.noise * 0.15;
            self.noise[index] = wander.clamp(-channel.noise, channel.noise);
            let target: f64 = self.running.iter().map(|(scenario, t_s)| effect(*scenario, *t_s, channel)).sum();
            let above = self.raised[index] - target;
            self.raised[index] = if above > 0.0 { target + above * (1.0 - STEP_S / RELAX_S) } else { target };
        }
    }
}

/// How much `scenario`, running for `t_s` seconds, raises `channel`.
fn effect(scenario: Scenario, t_s: f64, channel: &Channel) -> f64 {
    match scenario {
        Scenario::Nh3Leak => leak_at(t_s, channel),
        Scenario::MethanolOverfill if channel.key == "LT-201A" => overfill_m(t_s),
        Scenario::FanStop => match channel.key {
            "GT-301" => (t_s * 0.012).min(0.36),
            "GT-302" => (t_s * 0.010).min(0.34),
            "GT-303" => (t_s * 0.014).min(0.38),
            _ => 0.0,
        },
        Scenario::MethanolOverfill | Scenario::DetectorFault | Scenario::BusDead => 0.0,
    }
}

/// Ammonia reaching a detector: later and thinner with the distance from the leak.
fn leak_at(t_s: f64, channel: &Channel) -> f64 {
    let (Some((x, y)), true) = (channel.at, channel.key.starts_with("GT-1") || channel.key == "GD-101") else {
        return 0.0;
    };
    let distance_m = (x - LEAK_AT.0).hypot(y - LEAK_AT.1);
    let share = 1.0 / (1.0 + (distance_m / 35.0).powi(2));
    let ppm = leak_ppm(t_s - distance_m / CLOUD_SPEED_M_S) * share;
    // The combustible head hardly sees ammonia of this strength.
    if channel.key == "GD-101" { ppm * 0.05 } else { ppm }
}

/// Strength at the leak: up by 2 ppm each second, a plateau, gone within three minutes.
fn leak_ppm(t_s: f64) -> f64 {
    let peak = LEAK_PEAK_PPM - 2.0;
    if t_s < 140.0 { (2.0 * t_s).clamp(0.0, peak) } else { peak * (-(t_s - 140.0) / 12.0).exp() }
}

/// Methanol above the normal level: in by 22 mm each second, held, drained.
fn overfill_m(t_s: f64) -> f64 {
    let full = 1.3;
    if t_s < 140.0 { (0.022 * t_s).min(full) } else { (full - 0.03 * (t_s - 140.0)).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_until(plant: &mut Plant, key: &str, limit: f64) -> u32 {
        (0..600u32)
            .find(|_| {
                plant.advance(Duration::from_secs(1));
                plant.value(key).unwrap() >= limit
            })
            .unwrap()
            + 1
    }

    #[test]
    fn the_same_seed_and_time_give_the_same_plant_however_time_is_sliced() {
        let (mut one, mut other) = (Plant::demo(3), Plant::demo(3));
        one.advance(Duration::from_secs(30));
        (0..1000).for_each(|_| other.advance(Duration::from_millis(30)));
        for channel in CHANNELS {
            assert_eq!(one.value(channel.key), other.value(channel.key), "{}", channel.key);
        }
    }

    #[test]
    fn an_ammonia_leak_crosses_both_limits_in_time_and_recovers() {
        let mut plant = Plant::demo(1);
        plant.start(Scenario::Nh3Leak);
        let high = seconds_until(&mut plant, "GT-102", 25.0);
        let high_high = high + seconds_until(&mut plant, "GT-102", 50.0);
        assert!((10..=14).contains(&high) && (22..=27).contains(&high_high), "{high} {high_high}");
        plant.advance(Duration::from_secs(60));
        assert!((66.0..73.0).contains(&plant.value("GT-102").unwrap()));
        assert!((10.0..25.0).contains(&plant.value("GT-104").unwrap()));
        plant.advance(Duration::from_secs(120));
        assert!(plant.value("GT-102").unwrap() < 5.0 && plant.running().is_empty());
    }

    #[test]
    fn an_overfill_passes_both_limits_within_a_minute() {
        let mut plant = Plant::demo(1);
        plant.start(Scenario::MethanolOverfill);
        assert!(seconds_until(&mut plant, "LT-201A", 10.2) + seconds_until(&mut plant, "LT-201A", 10.8) <= 60);
    }

    #[test]
    fn a_stopped_fan_lets_chlorine_pass_the_first_limit_only() {
        let mut plant = Plant::demo(1);
        plant.start(Scenario::FanStop);
        plant.advance(Duration::from_secs(60));
        assert!(!plant.scrubber_fan());
        for key in ["GT-301", "GT-302", "GT-303"] {
            assert!((0.33..0.60).contains(&plant.value(key).unwrap()), "{key}");
        }
    }

    #[test]
    fn starting_again_restarts_and_stopping_lets_all_fall_back() {
        let mut plant = Plant::demo(1);
        plant.start(Scenario::Nh3Leak);
        plant.advance(Duration::from_secs(100));
        plant.start(Scenario::Nh3Leak);
        assert_eq!(plant.running(), [Scenario::Nh3Leak]);
        plant.stop_all();
        plant.advance(Duration::from_secs(60));
        assert!(plant.value("GT-102").unwrap() < 3.0);
    }

    #[test]
    fn a_forced_tag_stays_where_it_is_held_until_let_go() {
        let mut plant = Plant::demo(1);
        assert!(plant.force("GT-102", Some(60.0)) && !plant.force("GT-999", Some(1.0)));
        plant.advance(Duration::from_secs(5));
        assert_eq!(plant.value("GT-102"), Some(60.0));
        plant.force("GT-102", None);
        assert!(plant.value("GT-102").unwrap() < 3.0);
    }

    #[test]
    fn an_hour_of_normal_running_stays_near_normal() {
        let mut plant = Plant::demo(9);
        for _ in 0..3600 {
            plant.advance(Duration::from_secs(1));
            let far = |c: &Channel| (plant.value(c.key).unwrap() - c.normal).abs() > c.noise + 1e-9;
            assert!(!CHANNELS.iter().any(far));
        }
    }
}
