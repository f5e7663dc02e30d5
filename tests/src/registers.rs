//! What a sent register means, read a third time from the manuals: so the oracle shares no code with either side.
//!
//! Owns the map link, unit, function, address → point and value.

use sim::{Link, Served};

/// How a point lies in its unit.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// One register, value × scale.
    Word(f64),
    /// Two registers, single precision, high word first.
    Float,
    /// The same, low word first.
    FloatSwapped,
    Coil,
}

/// One point of the demo site.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    pub point: &'static str,
    link: Link,
    unit: u8,
    address: u16,
    form: Form,
}

const fn at(point: &'static str, link: Link, unit: u8, address: u16, form: Form) -> Register {
    Register { point, link, unit, address, form }
}

use Form::{Coil, Float, FloatSwapped, Word};
use Link::{RtuA3, TcpA1, TcpA2};

/// Every point of the demo site that is read.
pub const REGISTERS: [Register; 30] = [
    at("PT-101A", TcpA1, 1, 0, Float),
    at("PT-101B", TcpA1, 1, 2, Float),
    at("TT-101A", TcpA1, 1, 4, Float),
    at("TT-101B", TcpA1, 1, 6, Float),
    at("LT-101A", TcpA1, 1, 8, Float),
    at("LT-101B", TcpA1, 1, 10, Float),
    at("WS-001", TcpA1, 2, 0, Word(10.0)),
    at("WD-001", TcpA1, 2, 1, Word(1.0)),
    at("UPS-001B", TcpA1, 2, 2, Word(1.0)),
    at("PS-601", TcpA1, 2, 3, Word(1000.0)),
    at("ZS-301", TcpA1, 2, 0, Coil),
    at("UPS-001", TcpA1, 2, 1, Coil),
    at("GT-101", TcpA1, 11, 0x6001, Word(10.0)),
    at("GT-102", TcpA1, 12, 0x6001, Word(10.0)),
    at("GT-103", TcpA1, 13, 0x6001, Word(10.0)),
    at("GT-104", TcpA1, 14, 0x6001, Word(10.0)),
    at("GD-101", TcpA1, 15, 0, Word(10.0)),
    at("LT-201A", TcpA2, 21, 0, FloatSwapped),
    at("LT-201B", TcpA2, 21, 2, FloatSwapped),
    at("TT-201A", TcpA2, 21, 4, Word(10.0)),
    at("TT-201B", TcpA2, 21, 5, Word(10.0)),
    at("PT-201A", TcpA2, 21, 6, Word(100.0)),
    at("PT-201B", TcpA2, 21, 7, Word(100.0)),
    at("GD-201", TcpA2, 31, 0, Word(10.0)),
    at("GD-202", TcpA2, 32, 0, Word(10.0)),
    at("GD-203", TcpA2, 33, 0, Word(10.0)),
    at("GD-204", TcpA2, 34, 0, Word(10.0)),
    at("GT-301", RtuA3, 41, 0x6001, Word(100.0)),
    at("GT-302", RtuA3, 42, 0x6001, Word(100.0)),
    at("GT-303", RtuA3, 43, 0x6001, Word(100.0)),
];

/// With the one that is computed: whether the scrubber is at rest.
pub const POINTS: usize = REGISTERS.len() + 1;

impl Register {
    /// The point's value in an answer; nothing when it is not in it.
    #[must_use]
    pub fn value_in(&self, served: &Served) -> Option<f64> {
        let function = if matches!(self.form, Coil) { 1 } else { 3 };
        if (served.link, served.unit, served.function) != (self.link, self.unit, function) {
            return None;
        }
        let from = usize::from(self.address.checked_sub(served.address)?);
        let word = |n: usize| served.words.get(from + n).copied();
        match self.form {
            Word(scale) => Some(f64::from(i16::from_ne_bytes(word(0)?.to_ne_bytes())) / scale),
            Float => Some(float(word(0)?, word(1)?)),
            FloatSwapped => Some(float(word(1)?, word(0)?)),
            Coil => word(0).map(f64::from),
        }
    }

    /// Half a step of the register: two readings nearer than this are the same reading.
    #[must_use]
    pub fn half_step(&self, value: f64) -> f64 {
        match self.form {
            Word(scale) => 0.5 / scale,
            Float | FloatSwapped => value.abs().max(1.0) * f64::from(f32::EPSILON),
            Coil => 0.5,
        }
    }
}

fn float(high: u16, low: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_is_found_inside_a_longer_answer() {
        let served =
            Served { link: TcpA1, unit: 12, function: 3, address: 0x6000, words: vec![0x8000, 255, 0, 0, 0, 0, 1] };
        let found: Vec<_> = REGISTERS.iter().filter_map(|r| Some((r.point, r.value_in(&served)?))).collect();
        assert_eq!(found, [("GT-102", 25.5)]);
    }
}
