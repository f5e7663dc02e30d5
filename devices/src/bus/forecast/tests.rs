//! What is told of small buses, healthy, full, and with some of their units dead.

use super::*;
use crate::bus::tests::{ONE, TWO, rtu, spec, tcp};
use crate::bus::unit::LAST_PROBE;

fn late(outlook: &Outlook) -> Vec<&str> {
    outlook.late.iter().map(|l| l.point.as_str()).collect()
}

#[test]
fn a_bus_with_room_holds_every_deadline_and_says_what_it_sends() {
    let spec = spec(rtu(), &[1, 2, 3, 4], TWO);
    let told = forecast(&spec, 1, &|_| Duration::from_secs(3));
    assert_eq!(told.requests.len(), 8);
    let first = &told.requests[0];
    assert_eq!((first.bytes, first.unit, first.more), (15, 1, 0));
    assert_eq!((told.requests[1].bytes, told.requests[1].more), (17, 1), "it would look like the first");
    assert!(first.wire > Duration::from_millis(19) && first.total < Duration::from_millis(40), "{first:?}");
    assert_eq!(late(&told.healthy), Vec::<&str>::new());
    assert!((0.25..0.4).contains(&told.healthy.utilisation), "{:?}", told.healthy);
    let dead = told.with_dead.unwrap();
    assert_eq!((dead.dead, late(&dead)), (1, vec![]));
    assert_eq!((told.healthy.back, dead.back), (Duration::ZERO, Duration::from_secs(63)));
    assert!(dead.cycle < told.healthy.cycle + Duration::from_millis(600));
}

#[test]
fn probes_take_a_twentieth_while_any_unit_lives_and_more_only_where_none_does() {
    for (all, dead) in [(2_u8, 1), (4, 1), (4, 3), (20, 10), (20, 19)] {
        let units: Vec<u8> = (1..=all).collect();
        let told = forecast(&spec(rtu(), &units, ONE), dead, &|_| Duration::from_secs(30)).with_dead.unwrap();
        assert!(told.probes > 0.0 && told.probes <= 0.05 + 1e-9, "{dead} of {all}: {told:?}");
        assert_eq!(told.living, usize::from(all) - dead);
    }
    let none = forecast(&spec(rtu(), &[1, 2, 3, 4], ONE), 4, &|_| Duration::from_secs(30)).with_dead.unwrap();
    assert!(none.living == 0 && none.probes > 0.05 && none.utilisation - none.probes < 1e-9, "{none:?}");
}

#[test]
fn where_nobody_lives_a_unit_is_back_after_the_longest_pause_and_the_probes_of_all() {
    let told = forecast(&spec(tcp(), &[1, 2, 3, 4], ONE), 4, &|_| Duration::from_secs(30)).with_dead.unwrap();
    let probes = Duration::from_millis(4 * 400);
    assert!(told.back >= LAST_PROBE + probes && told.back < LAST_PROBE + probes * 2, "{told:?}");
    assert_eq!(told.back_slower, told.back * 2, "a short one and a long one");
}

#[test]
fn a_device_that_has_nothing_to_ask_is_neither_dead_nor_alive() {
    let mut spec = spec(tcp(), &[1, 2], ONE);
    spec.devices[1].points = [].into();
    let told = forecast(&spec, 1, &|_| Duration::from_secs(30));
    assert_eq!(told.healthy.living, 1);
    let dead = told.with_dead.unwrap();
    assert_eq!((dead.dead, dead.living), (1, 0), "{dead:?}");
    assert_eq!(forecast(&spec, 2, &|_| Duration::from_secs(30)).with_dead, Some(dead));
}

/// All are due together in the play; nobody knows whether they are on the bus.
#[test]
fn a_long_probe_has_room_only_where_it_fits_however_the_due_times_lie() {
    let units: Vec<u8> = (1..=11).collect();
    for (period_s, least_s, most_s) in [(1, 213, 214), (60, 126, 127)] {
        let mut spec = spec(tcp(), &units, ONE);
        for device in &mut spec.devices {
            std::sync::Arc::make_mut(&mut device.points)[0].period = Duration::from_secs(period_s);
        }
        let told = forecast(&spec, 1, &|_| Duration::from_secs(300)).with_dead.unwrap();
        let slower = Duration::from_secs(least_s)..Duration::from_secs(most_s);
        assert!(slower.contains(&told.back_slower), "{period_s} s: {told:?}");
    }
}

#[test]
fn a_deadline_that_cannot_hold_is_named() {
    let mut spec = spec(rtu(), &[1, 2, 3, 4], ONE);
    std::sync::Arc::make_mut(&mut spec.devices[2].points)[0].period = Duration::from_millis(60);
    let told = forecast(&spec, 0, &|point| Duration::from_millis(if point.index() == 2 { 70 } else { 3_000 }));
    assert_eq!(late(&told.healthy), ["u3-a"], "{:?}", told.healthy);
}

#[test]
fn a_bus_without_time_skips_and_names_whom_it_starves() {
    let units: Vec<u8> = (1..=40).collect();
    let told = forecast(&spec(rtu(), &units, TWO), 0, &|_| Duration::from_secs(2));
    assert!(told.healthy.utilisation > 0.99 && told.healthy.skipped > 0);
    assert_eq!(told.healthy.late.len(), 80, "80 requests of 39 ms take 3.1 s");
    let many = forecast(&spec(rtu(), &units, TWO), 30, &|_| Duration::from_secs(2)).with_dead.unwrap();
    assert!(many.back > Duration::from_secs(240), "30 probes of 0.4 s at a twentieth of the bus: {:?}", many.back);
}

#[test]
fn a_bus_that_is_idle_now_is_told_as_it_is_when_every_value_nears_its_limit() {
    let units: Vec<u8> = (1..=20).collect();
    let mut spec = spec(rtu(), &units, ONE);
    assert_eq!(forecast(&spec, 0, &|_| Duration::from_secs(30)).all_fast, None);
    let wish = crate::Wanted::default();
    for device in &mut spec.devices {
        let point = &mut std::sync::Arc::make_mut(&mut device.points)[0];
        let fast = crate::Fast { period: Duration::from_millis(500), wanted: wish.clone() };
        (point.period, point.critical, point.fast) = (Duration::from_secs(10), true, Some(Box::new(fast)));
    }
    let told = forecast(&spec, 0, &|_| Duration::from_secs(2));
    let fast = told.all_fast.unwrap();
    assert!(told.healthy.demand < 0.1 && told.healthy.skipped == 0, "{:?}", told.healthy);
    assert!((1.4..1.8).contains(&fast.demand) && fast.utilisation > 0.99 && fast.skipped > 0, "{fast:?}");
    assert!(fast.late.is_empty(), "skipped cycles alone break no deadline: {:?}", fast.late);
    assert!(!wish.get(), "a forecast wishes nothing of the live bus");
    let tight = forecast(&spec, 0, &|_| Duration::from_millis(600)).all_fast.unwrap();
    assert_eq!((tight.late.len(), tight.late[0].period), (20, Duration::from_millis(500)));
    for device in &mut spec.devices {
        std::sync::Arc::make_mut(&mut device.points)[0].critical = false;
    }
    assert_eq!(forecast(&spec, 0, &|_| Duration::from_secs(30)).all_fast, None, "no limit to come near to");
}
