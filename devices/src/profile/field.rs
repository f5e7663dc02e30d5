//! One quantity of an instrument: where it lies, how it becomes a number, and everything that may cast doubt on it.

use super::layout::{Kind, WordOrder};
use crate::plan::Span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

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
    Calibration,
    WarmUp,
    Fault,
    /// Set to another range or mode than this profile reads: not even the instrument's other words mean what is written here.
    Misconfigured,
}

/// Where one value lies and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub span: Span,
    pub kind: Kind,
    pub order: WordOrder,
    /// First and last bit, for [`Kind::RegisterBit`] and [`Kind::RegisterBits`].
    pub bits: Bits,
    /// What the low byte of [`Kind::WholeAndDecimals`] counts: 10 for tenths, 100 for hundredths.
    pub low_divisor: f64,
    pub scale: f64,
    pub offset: f64,
    /// Contents that mean "no value".
    pub sentinels: Vec<Sentinel>,
    /// The value arrives as a current.
    pub signal: Option<Signal>,
    /// Registers that say where the decimal point is.
    pub factors: Vec<Factor>,
    /// Unit of the value; empty when the profile does not say.
    pub unit: String,
    /// Register that says in which unit the instrument counts.
    pub unit_code: Option<UnitCode>,
    /// Outside this the value is impossible.
    pub valid: Option<(f64, f64)>,
    /// Outside this the value is doubtful, but still a value.
    pub range: Option<(f64, f64)>,
    /// A value beyond is cut to this, with a doubt.
    pub clamp: Option<(f64, f64)>,
    pub statuses: Vec<Status>,
    /// Something that must move as long as the instrument works.
    pub heartbeat: Option<Heartbeat>,
}

impl Field {
    /// Everything that must be read for this field.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        std::iter::once(self.span)
            .chain(self.statuses.iter().map(|s| s.span))
            .chain(self.factors.iter().map(|f| f.span))
            .chain(self.unit_code.iter().map(|u| u.span))
            .chain(self.heartbeat.iter().map(|h| h.span))
    }
}

/// First and last bit, 0–15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits(pub u8, pub u8);

impl Bits {
    /// The whole register.
    pub const ALL: Self = Self(0, 15);
    /// These bits of `word`, as a number.
    #[must_use]
    pub fn of(self, word: u16) -> u16 {
        let width = self.1.saturating_sub(self.0) + 1;
        let mask = if width >= 16 { u16::MAX } else { (1 << width) - 1 };
        word.checked_shr(u32::from(self.0)).unwrap_or(0) & mask
    }
}

/// Contents that mean "no value".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sentinel {
    /// The bits as they stand in the registers.
    Raw(u64),
    /// The number as the registers tell it, before scale, offset and factors: of a float the one nearest to what is written, and
    /// equal to nothing else.
    Number(f64),
}

/// A status register beside a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub span: Span,
    /// The bits that hold the code of `values`.
    pub of: Bits,
    pub values: BTreeMap<u16, Condition>,
    /// For a value not listed.
    pub other: Condition,
    /// Bit number to the condition that holds while it is set.
    pub bits: BTreeMap<u8, Condition>,
    /// Bits of the same register that say whether all this holds.
    pub when: Option<When>,
}

/// A register that has another meaning unless some of its bits are as they must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    pub of: Bits,
    pub is: u16,
    /// What holds where they are not.
    pub otherwise: Condition,
}

impl Status {
    /// The worst that the register says.
    #[must_use]
    pub fn condition(&self, word: u16) -> Condition {
        if let Some(when) = self.when.filter(|when| when.of.of(word) != when.is) {
            return when.otherwise;
        }
        let by_value = self.values.get(&self.of.of(word)).copied().unwrap_or(self.other);
        let by_bits = self.bits.iter().filter(|(bit, _)| word >> **bit & 1 == 1).map(|(_, c)| *c);
        by_bits.fold(by_value, Condition::max)
    }
}

/// The span of a signal whose value is its own current.
pub(super) const IN_MILLIAMPS: (f64, f64) = (4.0, 20.0);

/// A 4–20 mA signal behind a register, judged by NAMUR NE 43.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Register contents at the ends of `milliamp`; `None` when the register itself tells milliamperes.
    pub raw: Option<(f64, f64)>,
    pub milliamp: (f64, f64),
    /// Engineering value at 4 and at 20 mA.
    pub span: (f64, f64),
    /// Currents with a meaning of their own, such as 2 mA for maintenance.
    pub states: Vec<((f64, f64), Condition)>,
    /// A current outside NE 43 is a fault when it has lasted so long.
    pub hold: Duration,
}

impl Signal {
    /// The current that register contents tell.
    #[must_use]
    pub fn milliamp(&self, register: f64) -> f64 {
        let Some((raw_low, raw_high)) = self.raw else { return register };
        let (low, high) = self.milliamp;
        low + (register - raw_low) / (raw_high - raw_low) * (high - low)
    }
    /// True while nobody has said what 4 and 20 mA mean: the value is then the current itself.
    #[must_use]
    pub fn is_its_own_current(&self) -> bool {
        self.span == IN_MILLIAMPS
    }
}

/// A register that says by what the number is to be multiplied.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    pub span: Span,
    pub of: Bits,
    /// Code to factor; empty: the code is the number of decimals.
    pub values: BTreeMap<u16, f64>,
}

impl Factor {
    /// `None` for a code without meaning.
    #[must_use]
    pub fn factor(&self, word: u16) -> Option<f64> {
        let code = self.of.of(word);
        if !self.values.is_empty() {
            return self.values.get(&code).copied();
        }
        (code <= 6).then(|| 10f64.powi(-i32::from(code)))
    }
}

/// A register that says in which unit the instrument counts.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitCode {
    pub span: Span,
    pub of: Bits,
    pub values: BTreeMap<u16, String>,
}

impl UnitCode {
    /// What turns the instrument's number into `unit`; `None` when nothing exact does.
    #[must_use]
    pub fn into_unit(&self, word: u16, unit: &str) -> Option<f64> {
        let given = self.values.get(&self.of.of(word))?;
        if given == unit {
            return Some(1.0);
        }
        factor_between(given, unit)
    }
}

/// What turns a number of `from` into one of `to`; `None` when nothing exact does.
#[must_use]
pub fn factor_between(from: &str, to: &str) -> Option<f64> {
    let ((family, from), (same, to)) = (measure(from)?, measure(to)?);
    (family == same).then_some(from / to)
}

/// Family and size of a unit; only exact ones.
fn measure(unit: &str) -> Option<(&'static str, f64)> {
    Some(match unit {
        "ppb" => ("share", 1e-3),
        "ppm" => ("share", 1.0),
        "%VOL" => ("share", 1e4),
        "ug/m3" | "µg/m³" => ("mass", 1e-3),
        "mg/m3" | "mg/m³" => ("mass", 1.0),
        "g/m3" | "g/m³" => ("mass", 1e3),
        "Pa" => ("pressure", 1.0),
        "kPa" => ("pressure", 1e3),
        "MPa" => ("pressure", 1e6),
        "mbar" => ("pressure", 1e2),
        "bar" => ("pressure", 1e5),
        "mm" => ("length", 1e-3),
        "cm" => ("length", 1e-2),
        "m" => ("length", 1.0),
        _ => return None,
    })
}

/// A bit or counter that must change as long as the instrument works.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    pub span: Span,
    pub of: Bits,
    pub within: Duration,
}
