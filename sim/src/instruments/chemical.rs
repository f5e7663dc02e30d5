//! 示范化工: tank cards and gas detectors on two sockets, chlorine detectors on a serial line.

use super::Unit;
use super::words::{Levels, broken_gas_module, float_words, gas_module, head, scaled, signed};
use crate::link::Link;
use crate::plant::Plant;
use crate::scenario::Scenario;

const AMMONIA_LEL: Levels = [20.0, 40.0];
const METHANOL_LEL: Levels = [25.0, 50.0];
/// First register of a module of pattern B.
const MODULE: u16 = 0x6000;

pub(super) fn unit(link: Link, slave: u8, plant: &Plant) -> Option<Unit> {
    if link == Link::TcpA2 && plant.is_running(Scenario::BusDead) {
        return None;
    }
    let ammonia = |key| Unit::holding(MODULE, gas_module(plant, key, 10.0, 100.0));
    let chlorine = |key| Unit::holding(MODULE, gas_module(plant, key, 100.0, 3.0));
    let combustible = |key, levels| Unit::holding(0, head(plant, key, 10.0, levels));
    Some(match (link, slave) {
        (Link::TcpA1, 1) => Unit::holding(0, ammonia_tanks(plant)),
        (Link::TcpA1, 2) => utilities(plant),
        (Link::TcpA1, 11) => ammonia("GT-101"),
        (Link::TcpA1, 12) => ammonia("GT-102"),
        (Link::TcpA1, 13) => ammonia("GT-103"),
        (Link::TcpA1, 14) => ammonia("GT-104"),
        (Link::TcpA1, 15) => combustible("GD-101", AMMONIA_LEL),
        (Link::TcpA2, 21) => Unit::holding(0, methanol_tanks(plant)),
        (Link::TcpA2, 31) => combustible("GD-201", METHANOL_LEL),
        (Link::TcpA2, 32) => combustible("GD-202", METHANOL_LEL),
        (Link::TcpA2, 33) => combustible("GD-203", METHANOL_LEL),
        (Link::TcpA2, 34) => combustible("GD-204", METHANOL_LEL),
        (Link::RtuA3, 41) => chlorine("GT-301"),
        (Link::RtuA3, 42) => chlorine("GT-302"),
        (Link::RtuA3, 43) if plant.is_running(Scenario::DetectorFault) => Unit::holding(MODULE, broken_gas_module()),
        (Link::RtuA3, 43) => chlorine("GT-303"),
        _ => return None,
    })
}

/// Six floats, high word first.
fn ammonia_tanks(plant: &Plant) -> Vec<u16> {
    ["PT-101A", "PT-101B", "TT-101A", "TT-101B", "LT-101A", "LT-101B"]
        .into_iter()
        .flat_map(|key| float_words(plant, key))
        .collect()
}

/// Two floats with the low word first, then scaled integers. A card that was swapped in sends the high word first.
fn methanol_tanks(plant: &Plant) -> Vec<u16> {
    let swapped = plant.is_running(Scenario::WordOrder);
    let mut words = Vec::with_capacity(8);
    for key in ["LT-201A", "LT-201B"] {
        let [high, low] = float_words(plant, key);
        words.extend(if swapped { [high, low] } else { [low, high] });
    }
    words.extend([signed(plant, "TT-201A", 10.0), signed(plant, "TT-201B", 10.0)]);
    words.extend([signed(plant, "PT-201A", 100.0), signed(plant, "PT-201B", 100.0)]);
    words
}

fn utilities(plant: &Plant) -> Unit {
    let registers = vec![
        scaled(plant, "WS-001", 10.0),
        scaled(plant, "WD-001", 1.0),
        scaled(plant, "UPS-001B", 1.0),
        scaled(plant, "PS-601", 1000.0),
    ];
    Unit { registers, coils: vec![plant.is_on("ZS-301"), plant.is_on("UPS-001")], ..Unit::default() }
}
