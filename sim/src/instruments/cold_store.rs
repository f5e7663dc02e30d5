//! 示范冷库: the compressor's pressure transmitter on a socket, the room's detectors on a serial line.

use super::Unit;
use super::words::{Levels, broken_head, float_words, head};
use crate::link::Link;
use crate::plant::Plant;
use crate::scenario::Scenario;

const AMMONIA: Levels = [25.0, 50.0];

pub(super) fn unit(link: Link, slave: u8, plant: &Plant) -> Option<Unit> {
    if link == Link::RtuB1 && plant.is_running(Scenario::BusDead) {
        return None;
    }
    let ammonia = |key| Unit::holding(0, head(plant, key, 10.0, AMMONIA));
    Some(match (link, slave) {
        (Link::TcpB1, 1) => Unit::holding(0, float_words(plant, "PT-B01").to_vec()),
        (Link::RtuB1, 51) => ammonia("GT-B01"),
        (Link::RtuB1, 52) => ammonia("GT-B02"),
        (Link::RtuB1, 53) if plant.is_running(Scenario::DetectorFault) => Unit::holding(0, broken_head()),
        (Link::RtuB1, 53) => ammonia("GT-B03"),
        _ => return None,
    })
}
