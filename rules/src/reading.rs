//! A value never travels without its quality.
//!
//! Owns [`Reading`] and the reasons for doubt and failure. Leaves to `devices` how a register becomes one.

use crate::book::PointId;
use crate::time::Now;
use serde::{Deserialize, Serialize};

/// A finite number: NaN and the infinities cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Finite(f64);

impl Finite {
    /// `None` for NaN and the infinities.
    #[must_use]
    pub fn new(v: f64) -> Option<Self> {
        v.is_finite().then_some(Self(v))
    }
    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let v = f64::deserialize(d)?;
        Self::new(v).ok_or_else(|| serde::de::Error::custom("a reading's value must be finite"))
    }
}

/// Why a value is usable but not to be trusted fully (OPC UA "Uncertain").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Beyond the instrument's range but inside what its signal can still carry (NE 43 grey zone).
    OverRange,
    /// Below the instrument's range, as above.
    UnderRange,
    /// The instrument says maintenance is due (NE 107 M or S).
    Maintenance,
    /// Simulation or test value.
    Simulated,
    /// The first one after a time-out on a line whose frames carry no number: it may raise an alarm, but never clears one by itself.
    Unconfirmed,
}

/// Why there is no usable value (OPC UA "Bad").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Not read since start.
    NeverRead,
    /// The unit did not answer in time.
    Timeout,
    /// The port or socket is gone.
    Disconnected,
    /// The answer was damaged, short, long or foreign.
    Protocol,
    /// The device refused: Modbus exception code.
    Exception(u8),
    /// The configuration does not fit the device (exceptions 1, 2, 3).
    Configuration,
    /// Older than the point's `max_age`.
    Stale,
    /// The instrument reports a failure (NE 107 F) or the signal lies outside NE 43.
    Sensor,
    /// Warming up (NE 107 C).
    WarmUp,
    /// Inhibited, calibrating or in function check (NE 107 C).
    Inhibited,
    /// NaN, infinite, a sentinel, or outside what the type can mean.
    NotANumber,
    /// It answers, but its heartbeat stands still: what it says may be old.
    Frozen,
}

impl Fault {
    /// True when the fault is the link's or unit's, not the sensor's: then the device raises one alarm for all its points.
    #[must_use]
    pub fn is_communication(self) -> bool {
        matches!(self, Self::NeverRead | Self::Timeout | Self::Disconnected | Self::Protocol | Self::Stale)
    }
}

/// A measured or derived value with its quality. There is no value without one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Usable.
    Good(Finite),
    /// Usable, still evaluated against limits, with a doubt attached.
    Uncertain(Finite, Doubt),
    /// Not usable: holds alarms, never clears one.
    Bad(Fault),
}

impl Reading {
    /// The value where one may be compared with a limit.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Good(v) | Self::Uncertain(v, _) => Some(v.get()),
            Self::Bad(_) => None,
        }
    }
    /// True when it says that something is normal: a value of a test, and the first one after a time-out, may raise an alarm but prove no
    /// normal state.
    #[must_use]
    pub fn proves_normal(self) -> bool {
        match self {
            Self::Good(_) | Self::Uncertain(_, Doubt::OverRange | Doubt::UnderRange | Doubt::Maintenance) => true,
            Self::Uncertain(_, Doubt::Simulated | Doubt::Unconfirmed) | Self::Bad(_) => false,
        }
    }
    /// True when a second reading must agree before anything is cleared by it.
    #[must_use]
    pub fn is_unconfirmed(self) -> bool {
        matches!(self, Self::Uncertain(_, Doubt::Unconfirmed))
    }
    /// The letter of NAMUR NE 107: failure, check of function, out of specification, maintenance. None for a good value, and where
    /// the line or the poll failed rather than the instrument.
    #[must_use]
    pub fn ne107(self) -> Option<char> {
        match self {
            Self::Good(_) => None,
            Self::Uncertain(_, Doubt::Maintenance) => Some('M'),
            Self::Uncertain(_, Doubt::Simulated) => Some('C'),
            Self::Uncertain(_, Doubt::OverRange | Doubt::UnderRange | Doubt::Unconfirmed) => Some('S'),
            Self::Bad(Fault::WarmUp | Fault::Inhibited) => Some('C'),
            Self::Bad(f) if f.is_communication() => None,
            Self::Bad(_) => Some('F'),
        }
    }
    /// 0 good, 1 uncertain, 2 bad: the code used in InfluxDB and in the page's frames.
    #[must_use]
    pub fn quality_code(self) -> u8 {
        match self {
            Self::Good(_) => 0,
            Self::Uncertain(..) => 1,
            Self::Bad(_) => 2,
        }
    }
}

/// What the instrument sent, before anything was made of it: one to four registers in the order of their addresses, or a bit as 0 or 1.
/// Empty where nothing was read, and for a computed point. Told as hexadecimal words, `41C8 0000`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Raw {
    words: [u16; Self::WORDS_MAX],
    count: u8,
}

impl Raw {
    /// No number of Modbus takes more registers.
    const WORDS_MAX: usize = 4;
    /// Nothing was read.
    pub const NONE: Self = Self { words: [0; Self::WORDS_MAX], count: 0 };

    /// Of registers as they were read; empty for more than four, which is no number.
    #[must_use]
    pub fn of(registers: &[u16]) -> Self {
        let mut raw = Self::NONE;
        if let (Some(words), Ok(count)) = (raw.words.get_mut(..registers.len()), u8::try_from(registers.len())) {
            words.copy_from_slice(registers);
            raw.count = count;
        }
        raw
    }
    /// The registers.
    #[must_use]
    pub fn words(&self) -> &[u16] {
        &self.words[..usize::from(self.count)]
    }
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, word) in self.words().iter().enumerate() {
            write!(f, "{}{word:04X}", if n == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Raw {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Result<Vec<u16>, _> = text.split_whitespace().map(|w| u16::from_str_radix(w, 16)).collect();
        words.map(|w| Self::of(&w))
    }
}

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(d)?;
        text.parse().map_err(|_| serde::de::Error::custom("registers are words of four hexadecimal digits"))
    }
}

/// One reading of one point at the time it was acquired.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Which point.
    pub point: PointId,
    /// Value and quality.
    pub reading: Reading,
    /// What it was made of.
    pub raw: Raw,
    /// When the answer arrived.
    pub at: Now,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_told_in_words_and_read_back() {
        for words in [&[][..], &[7], &[0x41C8, 0], &[1, 2, 3, 0xFFFF]] {
            let raw = Raw::of(words);
            assert_eq!(raw.words(), words);
            assert_eq!(serde_json::from_value::<Raw>(serde_json::to_value(raw).unwrap()).unwrap(), raw);
        }
        assert_eq!(Raw::of(&[0x41C8, 0]).to_string(), "41C8 0000");
        assert_eq!(Raw::of(&[0; 5]), Raw::NONE, "no number takes five");
        assert!(serde_json::from_str::<Raw>("\"41G8\"").is_err());
    }
}
