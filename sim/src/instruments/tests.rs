use super::*;
use crate::scenario::Scenario;

fn plant(site: SiteName) -> Plant {
    Plant::of(site, 1)
}

fn words(link: Link, slave: u8, address: u16, count: u16, plant: &Plant) -> Option<Vec<u16>> {
    match answer(link, slave, &Request::ReadHoldingRegisters(address, count), plant).unwrap() {
        Some(Response::ReadHoldingRegisters(words)) => Some(words),
        _ => None,
    }
}

#[test]
fn a_gas_module_shows_its_concentration_and_its_run_state() {
    let chemical = plant(SiteName::Chemical);
    assert_eq!(words(Link::TcpA1, 12, 0x6000, 7, &chemical), Some(vec![0x8000, 20, 0, 0, 0, 0, 1]));
}

#[test]
fn a_lost_sensor_shows_in_the_status_of_either_pattern() {
    for (site, link, unit, address, expected) in [
        (SiteName::Chemical, Link::RtuA3, 43, 0x6000, vec![0x8020, 0, 0, 0, 0, 0, 2]),
        (SiteName::ColdStore, Link::RtuB1, 53, 0, vec![0, 2, 0]),
        (SiteName::Mine, Link::RtuC2, 73, 0, vec![0, 2, 0]),
    ] {
        let mut plant = plant(site);
        plant.start(Scenario::DetectorFault);
        let count = u16::try_from(expected.len()).unwrap();
        assert_eq!(words(link, unit, address, count, &plant), Some(expected), "{site}");
    }
}

#[test]
fn strangers_and_dead_links_are_silent_and_unknown_addresses_are_refused() {
    let mut chemical = plant(SiteName::Chemical);
    assert_eq!(words(Link::TcpA1, 99, 0, 1, &chemical), None);
    let beyond = Request::ReadHoldingRegisters(0, 9);
    assert_eq!(answer(Link::TcpA2, 21, &beyond, &chemical), Err(ExceptionCode::IllegalDataAddress));
    chemical.start(Scenario::BusDead);
    assert_eq!(words(Link::TcpA2, 21, 0, 8, &chemical), None);
}

#[test]
fn methanol_levels_come_with_the_low_word_first_and_from_a_swapped_card_with_the_high_one() {
    let [high, low] = [0x411C, 0xCCCD]; // 9.8
    let mut chemical = plant(SiteName::Chemical);
    assert_eq!(words(Link::TcpA2, 21, 0, 2, &chemical), Some(vec![low, high]));
    chemical.start(Scenario::WordOrder);
    assert_eq!(words(Link::TcpA2, 21, 0, 2, &chemical), Some(vec![high, low]));
}

#[test]
fn the_mine_fan_is_a_discrete_input_and_only_there() {
    let mut mine = plant(SiteName::Mine);
    let contact = |plant: &Plant| answer(Link::TcpC1, 1, &Request::ReadDiscreteInputs(0, 1), plant);
    assert_eq!(contact(&mine), Ok(Some(Response::ReadDiscreteInputs(vec![true]))));
    mine.start(Scenario::FanStop);
    mine.advance(std::time::Duration::from_secs(1));
    assert_eq!(contact(&mine), Ok(Some(Response::ReadDiscreteInputs(vec![false]))));
    assert_eq!(words(Link::TcpC1, 1, 1, 1, &mine), Some(vec![0xFFFF]), "the sump is elsewhere");
    let head = answer(Link::RtuC2, 71, &Request::ReadDiscreteInputs(0, 1), &mine);
    assert_eq!(head, Err(ExceptionCode::IllegalFunction));
}

#[test]
fn what_wanders_below_nothing_shows_nothing_and_only_a_signed_register_goes_below() {
    let mut mine = plant(SiteName::Mine);
    mine.force("DP-C01", Some(-3.0));
    mine.force("TT-C01", Some(-3.0));
    assert_eq!(words(Link::TcpC1, 1, 0, 1, &mine), Some(vec![0]));
    assert_eq!(words(Link::RtuC2, 78, 0, 1, &mine), Some(vec![0xFFE2]), "-30 tenths");
}

#[test]
fn every_link_of_a_site_answers_and_no_other_does() {
    for site in SiteName::ALL {
        let plant = plant(site);
        let speaks = |link: &Link| (1..=99).any(|unit| super::unit(*link, unit, &plant).is_some());
        for other in SiteName::ALL {
            assert!(Link::of(other).iter().all(|link| speaks(link) == (other == site)), "{site} {other}");
        }
    }
}
