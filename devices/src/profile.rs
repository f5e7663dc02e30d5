//! A model's register map, from TOML: which register means what, and when its value is to be doubted.
//!
//! Owns the checked [`Profile`] and the embedded ones. Leaves turning registers into readings to [`crate::decode`].

mod check;
mod shipped;

pub use check::ProfileError;
pub use shipped::{shipped, shipped_names};

#[cfg(test)]
mod tests;

use crate::plan::Span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A checked profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub name: String,
    pub title_zh: String,
    pub title_en: String,
    pub limits: Limits,
    fields: BTreeMap<String, Arc<Field>>,
}

impl Profile {
    /// Parses and checks a profile.
    /// # Errors
    /// The first thing wrong, naming the field and what would be right.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, ProfileError> {
        check::build(name, text)
    }
    /// Names of all fields a point can be bound to, in order.
    #[must_use]
    pub fn field_names(&self) -> Vec<&str> {
        self.fields.keys().map(String::as_str).collect()
    }
    /// One field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Arc<Field>> {
        self.fields.get(name)
    }
}

/// What the device can bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Registers in one read, 1 … 125.
    pub max_registers: u16,
    /// Bits in one read, 1 … 2000.
    pub max_bits: u16,
    /// Coils can only be read from address 0.
    pub coils_from_zero: bool,
    /// Least time between the end of one exchange with the unit and the next request to it.
    pub min_gap: Duration,
    /// Least silence on the line before a request to this unit (RTU).
    pub turnaround: Duration,
    /// The time-out adapts to the unit, but never below this.
    pub timeout_floor: Duration,
    /// Nor above this; never longer than the link's own.
    pub timeout_ceiling: Duration,
}

/// How the bytes of a value are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    U16,
    I16,
    U32,
    I32,
    F32,
    /// A coil or discrete input.
    Bit,
    /// One bit of a register.
    #[serde(rename = "u16-bit")]
    RegisterBit,
}

impl Kind {
    /// Registers (or bits, for [`Kind::Bit`]) the value takes.
    #[must_use]
    pub fn width(self) -> u16 {
        match self {
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U16 | Self::I16 | Self::Bit | Self::RegisterBit => 1,
        }
    }
}

/// Order of the four bytes of a 32-bit value; `A` is the highest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WordOrder {
    #[default]
    Abcd,
    Cdab,
    Badc,
    Dcba,
}

/// What a status register says about the value beside it, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Ok,
    UnderRange,
    OverRange,
    Maintenance,
    Simulated,
    Inhibited,
    WarmUp,
    Fault,
}

/// Where one value lies and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub span: Span,
    pub kind: Kind,
    pub order: WordOrder,
    /// Bit number, for [`Kind::RegisterBit`].
    pub bit: u8,
    pub scale: f64,
    pub offset: f64,
    /// Raw contents that mean "no value"; 16-bit kinds compare the register, 32-bit kinds the whole word.
    pub sentinels: Vec<u32>,
    /// Outside this the value is impossible.
    pub valid: Option<(f64, f64)>,
    /// Outside this the value is doubtful, but still a value.
    pub range: Option<(f64, f64)>,
    /// A value beyond is cut to this, with a doubt.
    pub clamp: Option<(f64, f64)>,
    pub statuses: Vec<Status>,
}

impl Field {
    /// Everything that must be read for this field.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        std::iter::once(self.span).chain(self.statuses.iter().map(|s| s.span))
    }
}

/// A status register beside a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub span: Span,
    pub values: BTreeMap<u16, Condition>,
    /// For a value not listed.
    pub other: Condition,
    /// Bit number to the condition that holds while it is set.
    pub bits: BTreeMap<u8, Condition>,
}

impl Status {
    /// The worst that the register says.
    #[must_use]
    pub fn condition(&self, word: u16) -> Condition {
        let by_value = self.values.get(&word).copied().unwrap_or(self.other);
        let by_bits = self.bits.iter().filter(|(bit, _)| word >> **bit & 1 == 1).map(|(_, c)| *c);
        by_bits.fold(by_value, Condition::max)
    }
}
