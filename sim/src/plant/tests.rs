use super::*;

/// Said with every failure.
const SEED: u64 = 1;

fn plant(site: SiteName) -> Plant {
    Plant::of(site, SEED)
}

fn value(plant: &Plant, key: &str) -> f64 {
    plant.value(key).unwrap_or_else(|| panic!("no tag {key}"))
}

fn wait(plant: &mut Plant, seconds: u64) {
    plant.advance(Duration::from_secs(seconds));
}

/// Whole seconds until a tag is at or beyond a limit; downwards with `below`.
fn seconds_until(plant: &mut Plant, key: &str, passed: impl Fn(f64) -> bool) -> u32 {
    let second = (1..=600u32).find(|_| {
        wait(plant, 1);
        passed(value(plant, key))
    });
    second.unwrap_or_else(|| panic!("seed {SEED}: {key} never passed, it is at {}", value(plant, key)))
}

#[test]
fn the_same_seed_and_time_give_the_same_plant_however_time_is_sliced() {
    for site in SiteName::ALL {
        let (mut one, mut other) = (Plant::of(site, 3), Plant::of(site, 3));
        for scenario in Scenario::of(site) {
            assert!(one.start(scenario) && other.start(scenario));
        }
        wait(&mut one, 30);
        (0..1000).for_each(|_| other.advance(Duration::from_millis(30)));
        for key in one.tags() {
            assert_eq!(one.value(key), other.value(key), "{key}");
        }
    }
}

#[test]
fn an_ammonia_leak_crosses_both_limits_in_time_and_recovers() {
    let mut plant = plant(SiteName::Chemical);
    plant.start(Scenario::Nh3Leak);
    let high = seconds_until(&mut plant, "GT-102", |v| v >= 25.0);
    let high_high = high + seconds_until(&mut plant, "GT-102", |v| v >= 50.0);
    assert!((10..=14).contains(&high) && (22..=27).contains(&high_high), "seed {SEED}: {high} {high_high}");
    wait(&mut plant, 60);
    assert!((66.0..73.0).contains(&value(&plant, "GT-102")));
    wait(&mut plant, 120);
    assert!(value(&plant, "GT-102") < 5.0 && plant.running().is_empty());
}

#[test]
fn the_south_east_wind_carries_the_ammonia_to_the_far_corner_and_not_across_the_wind() {
    for seed in 1..6 {
        let mut plant = Plant::of(SiteName::Chemical, seed);
        plant.start(Scenario::Nh3Leak);
        wait(&mut plant, 20);
        assert!(value(&plant, "GT-103") < 3.0, "seed {seed}: ninety metres take the wind half a minute");
        let mut most = 0.0_f64;
        for _ in 0..110 {
            wait(&mut plant, 1);
            most = most.max(value(&plant, "GT-103"));
            for across in ["GT-101", "GT-104"] {
                assert!(value(&plant, across) < 5.0, "seed {seed}: {across} {}", value(&plant, across));
            }
        }
        assert!((8.0..24.0).contains(&most), "seed {seed}: GT-103 {most}");
    }
}

#[test]
fn an_overfill_passes_both_limits_within_a_minute_and_is_drained_again() {
    let mut plant = plant(SiteName::Chemical);
    plant.start(Scenario::MethanolOverfill);
    let high = seconds_until(&mut plant, "LT-201A", |v| v >= 10.2);
    let high_high = high + seconds_until(&mut plant, "LT-201A", |v| v >= 10.8);
    assert!(high_high <= 60, "seed {SEED}: {high} {high_high}");
    wait(&mut plant, 140);
    assert!((9.7..9.9).contains(&value(&plant, "LT-201A")) && (6.3..6.5).contains(&value(&plant, "LT-201B")));
}

#[test]
fn a_stopped_scrubber_lets_chlorine_pass_the_first_limit_only() {
    let mut plant = plant(SiteName::Chemical);
    plant.start(Scenario::ScrubberStop);
    wait(&mut plant, 60);
    assert!(!plant.is_on("ZS-301"));
    for _ in 0..115 {
        wait(&mut plant, 1);
        for key in ["GT-301", "GT-302", "GT-303"] {
            assert!((0.33..0.60).contains(&value(&plant, key)), "seed {SEED}: {key} {}", value(&plant, key));
        }
    }
    wait(&mut plant, 40);
    assert!(plant.is_on("ZS-301") && value(&plant, "GT-303") < 0.1);
}

#[test]
fn a_leak_in_the_compressor_room_starts_its_ventilator_and_the_others_stay_below_the_limit() {
    let mut plant = plant(SiteName::ColdStore);
    plant.start(Scenario::Nh3Leak);
    let high_high = seconds_until(&mut plant, "GT-B02", |v| v >= 50.0);
    assert!((15..=27).contains(&high_high), "seed {SEED}: {high_high}");
    for _ in 0..110 {
        wait(&mut plant, 1);
        assert!(value(&plant, "GT-B01") < 25.0 && value(&plant, "GT-B03") < 25.0, "seed {SEED}");
    }
    assert!(value(&plant, "GT-B01") > 15.0);
    wait(&mut plant, 180);
    assert!(value(&plant, "GT-B02") < 5.0, "seed {SEED}: {}", value(&plant, "GT-B02"));
}

#[test]
fn without_its_fan_the_condenser_warms_and_the_discharge_pressure_follows_the_vapour_curve() {
    let mut plant = plant(SiteName::ColdStore);
    assert!((0.9..1.3).contains(&value(&plant, "PT-B01")));
    plant.start(Scenario::FanStop);
    let high = seconds_until(&mut plant, "PT-B01", |v| v >= 1.50);
    let high_high = high + seconds_until(&mut plant, "PT-B01", |v| v >= 1.65);
    assert!(high > 20 && high_high < 150, "seed {SEED}: {high} {high_high}");
    wait(&mut plant, 400);
    assert!(value(&plant, "PT-B01") < 1.3);
}

#[test]
fn with_the_main_fan_stopped_the_air_stands_and_the_gases_creep_up() {
    let mut plant = plant(SiteName::Mine);
    let oxygen = value(&plant, "O2-C01");
    plant.start(Scenario::FanStop);
    let first = seconds_until(&mut plant, "CO-C03", |v| v >= 24.0);
    assert!((30..=90).contains(&first), "seed {SEED}: {first}");
    assert!(!plant.is_on("KS-C01") && value(&plant, "DP-C01") < 100.0 && value(&plant, "VS-C01") < 0.15);
    let second = first + seconds_until(&mut plant, "CO-C03", |v| v >= 50.0);
    assert!(second > 100, "it creeps: {second}");
    wait(&mut plant, u64::from(235 - second));
    for key in ["CO-C01", "CO-C02", "CO-C03", "CO-C04"] {
        assert!(value(&plant, key) > 24.0, "seed {SEED}: {key} {}", value(&plant, key));
    }
    assert!((2.5..5.0).contains(&value(&plant, "NO2-C01")));
    let fallen = oxygen - value(&plant, "O2-C01");
    assert!((0.2..0.9).contains(&fallen), "seed {SEED}: {fallen}");
    wait(&mut plant, 120);
    assert!(plant.is_on("KS-C01") && value(&plant, "CO-C03") < 15.0 && value(&plant, "VS-C01") > 2.0);
}

#[test]
fn blasting_fumes_are_blown_out_within_minutes() {
    let mut plant = plant(SiteName::Mine);
    plant.start(Scenario::BlastFumes);
    assert!(seconds_until(&mut plant, "CO-C02", |v| v >= 50.0) < 40);
    wait(&mut plant, 120);
    assert!(value(&plant, "CO-C02") < 15.0 && value(&plant, "CO-C01") < 10.0);
}

#[test]
fn the_sump_rises_while_its_pump_fails_and_is_emptied_again() {
    let mut plant = plant(SiteName::Mine);
    wait(&mut plant, 300);
    plant.start(Scenario::PumpFail);
    assert!(seconds_until(&mut plant, "LT-C01", |v| v >= 3.5) < 180);
    wait(&mut plant, 260);
    assert!((1.1..2.4).contains(&value(&plant, "LT-C01")));
}

#[test]
fn a_scenario_of_another_site_does_not_start() {
    let mut plant = plant(SiteName::Chemical);
    assert!(!plant.start(Scenario::FanStop) && plant.running().is_empty());
}

#[test]
fn starting_again_restarts_and_stopping_lets_all_fall_back() {
    let mut plant = plant(SiteName::Chemical);
    plant.start(Scenario::Nh3Leak);
    wait(&mut plant, 100);
    plant.start(Scenario::Nh3Leak);
    assert_eq!(plant.running(), [Scenario::Nh3Leak]);
    plant.stop_all();
    wait(&mut plant, 60);
    assert!(value(&plant, "GT-102") < 3.0);
}

#[test]
fn a_forced_tag_stays_where_it_is_held_until_let_go() {
    let mut plant = plant(SiteName::Chemical);
    assert!(plant.force("GT-102", Some(60.0)) && !plant.force("GT-999", Some(1.0)));
    wait(&mut plant, 5);
    assert_eq!(plant.value("GT-102"), Some(60.0));
    plant.force("GT-102", None);
    assert!(value(&plant, "GT-102") < 3.0);
}

/// Bounds inside all limits of the examples.
fn calm(key: &str) -> (f64, f64) {
    match key {
        "PT-101A" | "PT-101B" => (0.7, 1.0),
        "TT-101A" | "TT-101B" | "TT-201A" | "TT-201B" => (20.0, 26.0),
        "LT-101A" => (60.0, 64.0),
        "LT-101B" => (53.0, 57.0),
        "LT-201A" => (9.7, 9.9),
        "LT-201B" => (6.3, 6.5),
        "PT-201A" | "PT-201B" => (0.3, 1.3),
        "WS-001" => (2.0, 4.5),
        "WD-001" => (120.0, 150.0),
        "UPS-001B" => (97.0, 99.0),
        "PS-601" => (0.8, 0.85),
        "ZS-301" | "KS-C01" => (1.0, 1.0),
        "UPS-001" => (0.0, 0.0),
        "PT-B01" => (0.9, 1.4),
        "O2-C01" => (20.5, 21.2),
        "VS-C01" => (2.2, 2.6),
        "TT-C01" => (23.0, 25.0),
        "DP-C01" => (1850.0, 1950.0),
        "LT-C01" => (1.1, 2.3),
        _ if key.starts_with("CO-") => (2.0, 10.0),
        _ if key.starts_with("GT-3") => (0.02, 0.1),
        _ => (0.0, 4.0),
    }
}

#[test]
fn an_hour_of_normal_running_stays_near_normal() {
    for site in SiteName::ALL {
        let mut plant = Plant::of(site, 9);
        for second in 0..3600 {
            wait(&mut plant, 1);
            for key in plant.tags() {
                let (low, high) = calm(key);
                let value = value(&plant, key);
                assert!((low..=high).contains(&value), "seed 9, {second} s: {key} is {value}");
            }
        }
    }
}
