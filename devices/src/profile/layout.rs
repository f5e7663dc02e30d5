//! How the bytes of a value lie in registers: types and byte orders.

use serde::Deserialize;

/// How the bytes of a value are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    /// The high byte of a register.
    #[serde(rename = "u8-high")]
    HighByte,
    /// The low byte of a register.
    #[serde(rename = "u8-low")]
    LowByte,
    /// Whole number in the high byte, decimals in the low byte.
    #[serde(rename = "u8.u8")]
    WholeAndDecimals,
    /// Four decimal digits in a register, one per nibble.
    Bcd16,
    /// Eight decimal digits in two registers.
    Bcd32,
    /// A coil or discrete input.
    Bit,
    /// One bit of a register.
    #[serde(rename = "u16-bit")]
    RegisterBit,
    /// Some adjacent bits of a register, as a number.
    #[serde(rename = "u16-bits")]
    RegisterBits,
    /// Characters, two per register; for the person who commissions, never a point.
    Text,
}

impl Kind {
    /// Registers (or bits, for [`Kind::Bit`]) the value takes; of a text the least.
    #[must_use]
    pub fn width(self) -> u16 {
        match self {
            Self::U64 | Self::I64 | Self::F64 => 4,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd32 => 2,
            Self::U16
            | Self::I16
            | Self::HighByte
            | Self::LowByte
            | Self::WholeAndDecimals
            | Self::Bcd16
            | Self::Bit
            | Self::RegisterBit
            | Self::RegisterBits
            | Self::Text => 1,
        }
    }
    /// True for the floating kinds.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

/// Order of the bytes of a value; `A` is the highest. The four-letter orders also tell how 64 bits lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WordOrder {
    /// High word first.
    #[default]
    #[serde(alias = "AB", alias = "ABCDEFGH")]
    Abcd,
    /// Low word first.
    #[serde(alias = "GHEFCDAB")]
    Cdab,
    /// High word first, the bytes of each word swapped.
    #[serde(alias = "BA", alias = "BADCFEHG")]
    Badc,
    /// Low word first, the bytes of each word swapped.
    #[serde(alias = "HGFEDCBA")]
    Dcba,
    /// 64 bits only: high half first, each half with its low word first.
    Cdabghef,
    /// 64 bits only: low half first, each half with its high word first.
    Efghabcd,
}

impl WordOrder {
    /// The orders a 32-bit value can have.
    pub const OF_32: [Self; 4] = [Self::Abcd, Self::Cdab, Self::Badc, Self::Dcba];
    /// The orders of 64 bits that occur.
    pub const OF_64: [Self; 6] = [Self::Abcd, Self::Cdab, Self::Badc, Self::Dcba, Self::Cdabghef, Self::Efghabcd];

    /// From its name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::OF_64.into_iter().find(|order| order.word() == word)
    }
    /// As written in a profile.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Abcd => "ABCD",
            Self::Cdab => "CDAB",
            Self::Badc => "BADC",
            Self::Dcba => "DCBA",
            Self::Cdabghef => "CDABGHEF",
            Self::Efghabcd => "EFGHABCD",
        }
    }
    /// True for the orders that only 64 bits can have.
    #[must_use]
    pub fn is_of_64_bits_only(self) -> bool {
        matches!(self, Self::Cdabghef | Self::Efghabcd)
    }
    /// The value's bits, highest first, from registers as they came.
    #[must_use]
    pub fn join(self, words: &[u16]) -> u64 {
        let count = words.len();
        let place = |i: usize| match self {
            Self::Abcd | Self::Badc => i,
            Self::Cdab | Self::Dcba => count - 1 - i,
            Self::Cdabghef => i ^ 1,
            Self::Efghabcd => (i + count / 2) % count,
        };
        (0..count).fold(0, |bits, i| bits << 16 | u64::from(self.swapped(words.get(place(i)).copied().unwrap_or(0))))
    }
    /// One register with its bytes in order.
    #[must_use]
    pub fn swapped(self, word: u16) -> u16 {
        if matches!(self, Self::Badc | Self::Dcba) { word.swap_bytes() } else { word }
    }
}
