//! A profile as written: the names of its keys and their defaults. Nothing is checked here but the shape.

use super::address::Written;
use super::field::Condition;
use super::layout::{Kind, WordOrder};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A profile as written, for [`super::Profile::from_raw`]; only its shape is known to be right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawProfile {
    pub(super) title_zh: String,
    pub(super) title_en: String,
    #[serde(default)]
    pub(super) basis: String,
    #[serde(default)]
    pub(super) basis_zh: String,
    #[serde(default)]
    pub(super) checked: bool,
    #[serde(default)]
    pub(super) word_order: WordOrder,
    /// Number of the first register in the maker's table.
    #[serde(default)]
    pub(super) address_base: u16,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) field: BTreeMap<String, RawField>,
    #[serde(default)]
    pub(super) status: BTreeMap<String, RawStatus>,
    #[serde(default)]
    pub(super) factor: BTreeMap<String, RawFactor>,
    #[serde(default)]
    pub(super) unit: BTreeMap<String, RawUnit>,
    #[serde(default)]
    pub(super) heartbeat: BTreeMap<String, RawHeartbeat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub(super) max_registers: u16,
    pub(super) max_bits: u16,
    pub(super) coils_from_zero: bool,
    pub(super) min_gap_ms: u64,
    pub(super) turnaround_ms: u64,
    pub(super) timeout_floor_ms: u64,
    pub(super) timeout_ceiling_ms: u64,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            max_registers: 125,
            max_bits: 2000,
            coils_from_zero: false,
            min_gap_ms: 0,
            turnaround_ms: 0,
            timeout_floor_ms: 200,
            timeout_ceiling_ms: 30_000,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    pub(super) function: Option<u8>,
    pub(super) address: Written,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) word_order: Option<WordOrder>,
    pub(super) bit: Option<u8>,
    pub(super) bits: Option<(u8, u8)>,
    /// Registers of a text.
    pub(super) length: Option<u16>,
    pub(super) low_divisor: Option<u16>,
    pub(super) scale: Option<f64>,
    pub(super) offset: Option<f64>,
    #[serde(default)]
    pub(super) sentinels: Vec<RawSentinel>,
    pub(super) signal: Option<RawSignal>,
    #[serde(default)]
    pub(super) factor: Vec<String>,
    #[serde(default)]
    pub(super) unit: String,
    pub(super) unit_from: Option<String>,
    pub(super) valid: Option<(f64, f64)>,
    pub(super) range: Option<(f64, f64)>,
    pub(super) clamp: Option<(f64, f64)>,
    #[serde(default)]
    pub(super) status: Vec<String>,
    pub(super) heartbeat: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum RawSentinel {
    Whole(i64),
    Real(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignal {
    pub(super) raw: Option<(f64, f64)>,
    pub(super) milliamp: Option<(f64, f64)>,
    pub(super) span: Option<(f64, f64)>,
    #[serde(default)]
    pub(super) states: Vec<RawCurrent>,
    pub(super) hold_s: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCurrent {
    pub(super) milliamp: (f64, f64),
    pub(super) is: Condition,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStatus {
    pub(super) function: Option<u8>,
    pub(super) address: Written,
    pub(super) of_bits: Option<(u8, u8)>,
    #[serde(default)]
    pub(super) values: BTreeMap<String, Condition>,
    pub(super) other: Option<Condition>,
    #[serde(default)]
    pub(super) bits: BTreeMap<String, Condition>,
    pub(super) when: Option<RawWhen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhen {
    pub(super) bits: (u8, u8),
    pub(super) is: u16,
    pub(super) otherwise: Condition,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFactor {
    pub(super) function: Option<u8>,
    pub(super) address: Written,
    pub(super) of_bits: Option<(u8, u8)>,
    #[serde(default)]
    pub(super) values: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUnit {
    pub(super) function: Option<u8>,
    pub(super) address: Written,
    pub(super) of_bits: Option<(u8, u8)>,
    pub(super) values: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHeartbeat {
    pub(super) function: Option<u8>,
    pub(super) address: Written,
    pub(super) bit: Option<u8>,
    pub(super) within_s: f64,
}
