//! From the values of a device to requests. Pure.
//!
//! Owns [`Span`], what bounds a request ([`Bounds`]), what one costs on a bus ([`Cost`]), the cheapest set of requests
//! ([`plan`]) and the order in which a unit is asked them ([`arrange`]). What a device refuses is remembered in [`cuts`]; when a
//! request is sent is left to the bus.

mod cost;
pub(crate) mod cuts;
mod optimal;
mod order;
#[cfg(test)]
mod tests;

pub use cost::{Cost, wire_bytes};
pub use optimal::{distinct, plan};
pub use order::arrange;

use crate::profile::Limits;

/// Where a value lies: registers for functions 3 and 4, bits for 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Span {
    pub function: u8,
    pub address: u16,
    pub count: u16,
}

impl Span {
    pub(crate) fn end(self) -> u32 {
        u32::from(self.address) + u32::from(self.count)
    }
    /// True when `other` lies wholly inside.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.function == other.function && self.address <= other.address && other.end() <= self.end()
    }
    /// All that an RTU answer tells of its request besides the unit: function, and bytes of data.
    #[must_use]
    pub fn shape(self) -> (u8, u16) {
        (self.function, if self.is_bits() { self.count.div_ceil(8) } else { self.count * 2 })
    }
    /// True for coils and discrete inputs.
    #[must_use]
    pub fn is_bits(self) -> bool {
        self.function <= 2
    }
}

/// What bounds a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At most 125 by the standard.
    pub max_registers: u16,
    /// At most 2,000 by the standard.
    pub max_bits: u16,
    /// The device answers a read of coils only when it begins at address 0.
    pub coils_from_zero: bool,
}

impl Bounds {
    /// Of a device.
    #[must_use]
    pub fn of(limits: Limits) -> Self {
        let Limits { max_registers, max_bits, coils_from_zero, .. } = limits;
        Self { max_registers, max_bits, coils_from_zero }
    }
    pub(crate) fn most(self, function: u8) -> u16 {
        if function <= 2 { self.max_bits.min(2000) } else { self.max_registers.min(125) }
    }
    /// Where a request for a value at `address` begins.
    fn start(self, function: u8, address: u16) -> u16 {
        if self.coils_from_zero && function == 1 { 0 } else { address }
    }
}
