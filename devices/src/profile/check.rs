//! From the text of a profile to a checked [`Profile`].

use super::{Condition, Field, Kind, Limits, Profile, Status, WordOrder};
use crate::plan::Span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Why a profile was refused: correct it and load it again.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProfileError {
    /// Not TOML, an unknown name or a wrong type; the text carries line and column.
    #[error("profile {profile}: {message}")]
    Syntax { profile: String, message: String },
    /// A value that cannot be right.
    #[error("profile {profile}: {place}: {problem}; {remedy}")]
    Value { profile: String, place: String, problem: String, remedy: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    title_zh: String,
    title_en: String,
    #[serde(default)]
    word_order: WordOrder,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    field: BTreeMap<String, RawField>,
    #[serde(default)]
    status: BTreeMap<String, RawStatus>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    max_registers: u16,
    max_bits: u16,
    coils_from_zero: bool,
    min_gap_ms: u64,
    turnaround_ms: u64,
    timeout_floor_ms: u64,
    timeout_ceiling_ms: u64,
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
struct RawField {
    function: u8,
    address: u16,
    #[serde(rename = "type")]
    kind: Kind,
    word_order: Option<WordOrder>,
    bit: Option<u8>,
    scale: Option<f64>,
    offset: Option<f64>,
    #[serde(default)]
    sentinels: Vec<u32>,
    valid: Option<(f64, f64)>,
    range: Option<(f64, f64)>,
    clamp: Option<(f64, f64)>,
    #[serde(default)]
    status: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStatus {
    function: u8,
    address: u16,
    #[serde(default)]
    values: BTreeMap<String, Condition>,
    other: Option<Condition>,
    #[serde(default)]
    bits: BTreeMap<String, Condition>,
}

/// A defect before it knows its profile and place.
type Flaw = (String, &'static str);

pub(super) fn build(name: &str, text: &str) -> Result<Profile, ProfileError> {
    let raw: RawProfile = toml::from_str(text)
        .map_err(|e| ProfileError::Syntax { profile: name.into(), message: e.to_string().trim_end().into() })?;
    let at = |place: String| {
        move |(problem, remedy): Flaw| ProfileError::Value { profile: name.into(), place, problem, remedy }
    };
    let limits = limits(&raw.limits).map_err(at("limits".into()))?;
    if raw.field.is_empty() {
        return Err(at("field".into())(("there is none".into(), "add at least one [field.<name>] table")));
    }
    let mut statuses = BTreeMap::new();
    for (key, s) in &raw.status {
        statuses.insert(key.as_str(), status(s).map_err(at(format!("status.{key}")))?);
    }
    let mut fields = BTreeMap::new();
    for (key, f) in &raw.field {
        let built = field(f, raw.word_order, &statuses, limits).map_err(at(format!("field.{key}")))?;
        fields.insert(key.clone(), Arc::new(built));
    }
    Ok(Profile { name: name.into(), title_zh: raw.title_zh, title_en: raw.title_en, limits, fields })
}

fn limits(raw: &RawLimits) -> Result<Limits, Flaw> {
    if !(1..=125).contains(&raw.max_registers) {
        return Err((format!("max_registers = {}", raw.max_registers), "use 1 to 125"));
    }
    if !(1..=2000).contains(&raw.max_bits) {
        return Err((format!("max_bits = {}", raw.max_bits), "use 1 to 2000"));
    }
    if raw.min_gap_ms > 10_000 || raw.turnaround_ms > 1_000 {
        return Err(("a pause is too long".into(), "min_gap_ms at most 10000, turnaround_ms at most 1000"));
    }
    if !(20..=raw.timeout_ceiling_ms).contains(&raw.timeout_floor_ms) || raw.timeout_ceiling_ms > 30_000 {
        return Err((
            "timeout_floor_ms or timeout_ceiling_ms".into(),
            "give 20 to 30000 with the floor not above the ceiling",
        ));
    }
    Ok(Limits {
        max_registers: raw.max_registers,
        max_bits: raw.max_bits,
        coils_from_zero: raw.coils_from_zero,
        min_gap: Duration::from_millis(raw.min_gap_ms),
        turnaround: Duration::from_millis(raw.turnaround_ms),
        timeout_floor: Duration::from_millis(raw.timeout_floor_ms),
        timeout_ceiling: Duration::from_millis(raw.timeout_ceiling_ms),
    })
}

fn span(function: u8, address: u16, count: u16) -> Result<Span, Flaw> {
    if !(1..=4).contains(&function) {
        return Err((format!("function = {function}"), "use 1 coils, 2 inputs, 3 holding or 4 input registers"));
    }
    if u32::from(address) + u32::from(count) > 0x1_0000 {
        return Err((format!("address = {address} runs past 65535"), "choose a lower address (0-based)"));
    }
    Ok(Span { function, address, count })
}

fn field(raw: &RawField, order: WordOrder, statuses: &BTreeMap<&str, Status>, limits: Limits) -> Result<Field, Flaw> {
    let span = span(raw.function, raw.address, raw.kind.width())?;
    if (raw.kind == Kind::Bit) != (raw.function <= 2) {
        return Err((
            "type does not fit the function".into(),
            "use type \"bit\" with functions 1 and 2 and only there",
        ));
    }
    if raw.kind.width() > limits.max_registers {
        return Err(("wider than limits.max_registers".into(), "raise max_registers to 2 or use a 16-bit type"));
    }
    if (raw.kind == Kind::RegisterBit) != raw.bit.is_some() || raw.bit.is_some_and(|b| b > 15) {
        return Err(("bit is missing, needless or above 15".into(), "give bit = 0 to 15 with type \"u16-bit\" only"));
    }
    let (scale, offset) = (raw.scale.unwrap_or(1.0), raw.offset.unwrap_or(0.0));
    if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
        return Err(("scale or offset".into(), "give finite numbers, scale not 0"));
    }
    for bounds in [raw.valid, raw.range, raw.clamp].into_iter().flatten() {
        ordered(bounds)?;
    }
    let mut found = Vec::new();
    for key in &raw.status {
        let status = statuses.get(key.as_str());
        found
            .push(status.ok_or((format!("status \"{key}\" does not exist"), "add its [status.<name>] table"))?.clone());
    }
    Ok(Field {
        span,
        kind: raw.kind,
        order: raw.word_order.unwrap_or(order),
        bit: raw.bit.unwrap_or(0),
        scale,
        offset,
        sentinels: raw.sentinels.clone(),
        valid: raw.valid,
        range: raw.range,
        clamp: raw.clamp,
        statuses: found,
    })
}

fn ordered((lo, hi): (f64, f64)) -> Result<(), Flaw> {
    if lo.is_finite() && hi.is_finite() && lo < hi {
        return Ok(());
    }
    Err((format!("bounds [{lo}, {hi}]"), "give [low, high] with low < high"))
}

fn status(raw: &RawStatus) -> Result<Status, Flaw> {
    if raw.values.is_empty() == raw.bits.is_empty() {
        return Err(("needs values or bits".into(), "give either values = { 0 = \"ok\" } or bits = { 5 = \"fault\" }"));
    }
    let unlisted = if raw.values.is_empty() { Condition::Ok } else { Condition::Fault };
    Ok(Status {
        span: span(raw.function, raw.address, 1)?,
        values: keys(&raw.values, u16::MAX)?,
        other: raw.other.unwrap_or(unlisted),
        bits: keys(&raw.bits, 15u8)?,
    })
}

fn keys<K>(raw: &BTreeMap<String, Condition>, most: K) -> Result<BTreeMap<K, Condition>, Flaw>
where
    K: std::str::FromStr + Ord + Copy,
{
    let mut out = BTreeMap::new();
    for (key, condition) in raw {
        let number = key.parse::<K>().ok().filter(|n| *n <= most);
        let number = number.ok_or((format!("\"{key}\" is not in range"), "values 0 to 65535, bits 0 to 15"))?;
        out.insert(number, *condition);
    }
    Ok(out)
}
