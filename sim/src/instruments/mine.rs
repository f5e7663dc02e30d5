//! 示范铁矿: fan house and pump house on a socket, everything underground on a serial line.

use super::Unit;
use super::words::{Levels, broken_head, head, scaled, signed};
use crate::link::Link;
use crate::plant::Plant;
use crate::scenario::Scenario;

const CARBON_MONOXIDE: Levels = [24.0, 50.0];
const NITROGEN_DIOXIDE: Levels = [2.5, 5.0];
/// What an input of a station sends that nothing is connected to.
const NOT_WIRED: u16 = 0xFFFF;
/// The head does not alarm by itself.
const NONE: Levels = [f64::INFINITY; 2];

pub(super) fn unit(link: Link, slave: u8, plant: &Plant) -> Option<Unit> {
    if link == Link::RtuC2 && plant.is_running(Scenario::BusDead) {
        return None;
    }
    let read = |key, scale, levels| Unit::holding(0, head(plant, key, scale, levels));
    Some(match (link, slave) {
        (Link::TcpC1, 1) => station(plant.is_on("KS-C01"), scaled(plant, "DP-C01", 1.0), NOT_WIRED),
        (Link::TcpC1, 2) => station(false, NOT_WIRED, scaled(plant, "LT-C01", 1000.0)),
        (Link::RtuC2, 71) => read("CO-C01", 1.0, CARBON_MONOXIDE),
        (Link::RtuC2, 72) => read("CO-C02", 1.0, CARBON_MONOXIDE),
        (Link::RtuC2, 73) if plant.is_running(Scenario::DetectorFault) => Unit::holding(0, broken_head()),
        (Link::RtuC2, 73) => read("CO-C03", 1.0, CARBON_MONOXIDE),
        (Link::RtuC2, 74) => read("CO-C04", 1.0, CARBON_MONOXIDE),
        (Link::RtuC2, 75) => read("NO2-C01", 10.0, NITROGEN_DIOXIDE),
        (Link::RtuC2, 76) => read("O2-C01", 10.0, NONE),
        (Link::RtuC2, 77) => read("VS-C01", 100.0, NONE),
        (Link::RtuC2, 78) => Unit::holding(0, vec![signed(plant, "TT-C01", 10.0), 0, 0]),
        _ => return None,
    })
}

/// Both houses have the same station: a running contact as a discrete input, a pressure and a level.
fn station(running: bool, pressure: u16, level: u16) -> Unit {
    Unit { registers: vec![pressure, level], inputs: vec![running], ..Unit::default() }
}
