//! A model's register map, from TOML: which register means what, and when its value is to be doubted.
//!
//! Owns the checked [`Profile`] and the embedded ones. Leaves turning registers into readings to [`crate::decode`].

mod address;
mod check;
mod doubts;
mod field;
mod flaw;
mod layout;
mod quantity;
mod raw;
mod shipped;

pub use address::typed_address;
pub use field::{Bits, Condition, Factor, Field, Heartbeat, Sentinel, Signal, Status, UnitCode, When, factor_between};
pub use flaw::{Flaw, ProfileError};
pub use layout::{Kind, WordOrder};
pub use raw::RawProfile;
pub use shipped::{shipped, shipped_names};

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A checked profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub name: String,
    pub title_zh: String,
    pub title_en: String,
    /// Where the register map is published; empty when the profile does not say.
    pub basis: String,
    /// The same in Chinese; empty when the profile says it once only.
    pub basis_zh: String,
    /// Somebody has compared it with what the maker publishes.
    pub checked: bool,
    pub limits: Limits,
    fields: BTreeMap<String, Arc<Field>>,
}

impl Profile {
    /// Parses and checks a profile.
    /// # Errors
    /// The first thing wrong, naming the field and what would be right.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, ProfileError> {
        check::parse(name, text)
    }
    /// Checks a profile that has the right shape: everything that is wrong or doubtful, and the profile where nothing is wrong.
    #[must_use]
    pub fn from_raw(name: &str, raw: RawProfile) -> (Option<Self>, Vec<Flaw>) {
        check::build(name, raw)
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
    /// Adds a copy of `field` as a point wants it; gives its name.
    /// # Errors
    /// When there is no such field, or it cannot be read in that way.
    pub fn adapt(&mut self, field: &str, own: Own) -> Result<String, Unfit> {
        let mut copy = Field::clone(self.fields.get(field).ok_or(Unfit::NoField)?);
        let mut name = field.to_owned();
        if let Some(order) = own.order {
            if copy.span.is_bits() || (order.is_of_64_bits_only() && copy.kind.width() != 4) {
                return Err(Unfit::Order);
            }
            copy.order = order;
            name = format!("{name}@{}", order.word());
        }
        if let Some(span) = own.signal_span {
            let signal = copy.signal.as_mut().ok_or(Unfit::NoSignal)?;
            if !quantity::is_span(span) {
                return Err(Unfit::Span);
            }
            signal.span = span;
            name = format!("{name}@{}..{}", span.0, span.1);
        }
        self.fields.insert(name.clone(), Arc::new(copy));
        Ok(name)
    }
}

/// What a point says about its field in place of the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Own {
    pub order: Option<WordOrder>,
    /// Values at 4 and at 20 mA.
    pub signal_span: Option<(f64, f64)>,
}

/// Why a field cannot be read as a point wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    NoField,
    /// The byte order is of another width.
    Order,
    /// The field is no current.
    NoSignal,
    /// The values at 4 and 20 mA are the same or no numbers.
    Span,
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
