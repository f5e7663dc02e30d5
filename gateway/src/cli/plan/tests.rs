//! Facts of `plan` and its verdict.

use super::*;
use std::path::Path;

#[test]
fn the_shipped_examples_hold_every_deadline_with_one_instrument_dead() {
    for name in ["demo-site.toml", "minimal-site.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        let site = crate::config::check_site(&path).value.expect("the examples are right");
        let buses = all(&site, 1);
        assert_eq!(late(&buses, true), 0, "{name}: {}", verdict(&buses, true));
        assert!(buses.iter().all(|b| !b.requests.is_empty()), "{name}");
    }
}

#[test]
fn more_dead_than_there_are_is_said_and_all_of_them_are_judged() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal-site.toml");
    let site = crate::config::check_site(&path).value.expect("the example is right");
    let buses = all(&site, 99);
    for (spec, bus) in site.buses.iter().zip(&buses) {
        let outlook = bus.with_dead.as_ref().expect("one is there");
        assert_eq!(outlook.dead, spec.devices.len());
        assert!(!outlook.back.is_zero() && outlook.late.is_empty(), "{outlook:?}");
    }
    let said = verdict(&buses, true);
    assert!(said.contains("全部失联") && said.contains("no freshness deadline holds"), "{said}");
    assert!(!said.contains("every freshness deadline"), "{said}");
    assert!(verdict(&buses, false).ends_with("every freshness deadline holds"), "healthy, as ever");
    assert_eq!(dead_words(2, Some(99)), "2 台失联 2 dead（只有 2 台 · only 2 on this bus）");
    assert_eq!(dead_words(2, Some(2)), "2 台失联 2 dead");
}

#[test]
fn a_bus_that_skips_cycles_is_named_with_its_demand_and_is_no_plan_that_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal-site.toml");
    let site = crate::config::check_site(&path).value.expect("the example is right");
    let mut buses = all(&site, 1);
    assert!(full(&buses).is_none());
    (buses[0].healthy.demand, buses[0].healthy.skipped) = (1.24, 112);
    for with_dead in [false, true] {
        let said = verdict(&buses, with_dead);
        assert!(said.contains("需要占用 124%") && said.contains("asked for 124 % of its time"), "{said}");
        assert!(said.contains(REMEDY_ZH) && said.contains(REMEDY_EN) && !said.contains("every freshness"), "{said}");
    }
    assert!(full(&buses).is_some(), "exit code 1");
}

#[test]
fn a_site_that_asks_for_nothing_is_told_that_nothing_is_read_and_never_that_its_deadlines_hold() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal-site.toml");
    let site = crate::config::check_site(&path).value.expect("the example is right");
    let mut idle = all(&site, 1);
    idle.iter_mut().for_each(|bus| bus.requests.clear());
    for (buses, with_dead) in [(&idle[..], false), (&idle[..], true), (&[], false)] {
        let said = verdict(buses, with_dead);
        assert!(said.contains("什么也不读") && said.contains("nothing is read"), "{said}");
        assert!(!said.contains("可守") && !said.contains("holds"), "{said}");
    }
}

#[test]
fn times_are_short() {
    assert_eq!(time(Duration::from_micros(19_270)), "19.3 ms");
    assert_eq!(time(Duration::from_millis(1_250)), "1.25 s");
}
