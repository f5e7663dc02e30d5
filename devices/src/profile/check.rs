//! From the text of a profile to a checked [`Profile`].

use super::address::{self, Written};
use super::field::{Bits, Factor, Field, Heartbeat, Sentinel, Signal, Status, UnitCode};
use super::layout::{Kind, WordOrder};
use super::raw::{RawField, RawHeartbeat, RawLimits, RawProfile, RawSentinel, RawSignal, RawStatus};
use super::{Limits, Profile};
use crate::plan::Span;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// NAMUR NE 43: a current outside is a fault when it has lasted so long.
const SIGNAL_HOLD_S: f64 = 4.0;

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

/// A defect before it knows its profile and place.
type Flaw = (String, &'static str);

fn flaw<T>(problem: impl Into<String>, remedy: &'static str) -> Result<T, Flaw> {
    Err((problem.into(), remedy))
}

pub(super) fn build(name: &str, text: &str) -> Result<Profile, ProfileError> {
    let raw: RawProfile = toml::from_str(text)
        .map_err(|e| ProfileError::Syntax { profile: name.into(), message: e.to_string().trim_end().into() })?;
    let at = |place: String| {
        move |(problem, remedy): Flaw| ProfileError::Value { profile: name.into(), place, problem, remedy }
    };
    let limits = limits(&raw.limits).map_err(at("limits".into()))?;
    if raw.address_base > 1 {
        let flaw = (format!("address_base = {}", raw.address_base), "use 0 or 1");
        return Err(at("address_base".into())(flaw));
    }
    if raw.field.is_empty() {
        return Err(at("field".into())(("there is none".into(), "add at least one [field.<name>] table")));
    }
    let parts = Parts::build(&raw).map_err(|(place, flaw)| at(place)(flaw))?;
    let mut fields = BTreeMap::new();
    for (key, f) in &raw.field {
        let built = parts.field(f, raw.word_order, limits).map_err(at(format!("field.{key}")))?;
        fields.insert(key.clone(), Arc::new(built));
    }
    let RawProfile { title_zh, title_en, basis, basis_zh, checked, .. } = raw;
    if checked && basis.is_empty() {
        let flaw = ("checked = true without basis".into(), "say in basis with what it was compared");
        return Err(at("checked".into())(flaw));
    }
    Ok(Profile { name: name.into(), title_zh, title_en, basis, basis_zh, checked, limits, fields })
}

fn limits(raw: &RawLimits) -> Result<Limits, Flaw> {
    if !(1..=125).contains(&raw.max_registers) {
        return flaw(format!("max_registers = {}", raw.max_registers), "use 1 to 125");
    }
    if !(1..=2000).contains(&raw.max_bits) {
        return flaw(format!("max_bits = {}", raw.max_bits), "use 1 to 2000");
    }
    if raw.min_gap_ms > 10_000 || raw.turnaround_ms > 1_000 {
        return flaw("a pause is too long", "min_gap_ms at most 10000, turnaround_ms at most 1000");
    }
    if !(20..=raw.timeout_ceiling_ms).contains(&raw.timeout_floor_ms) || raw.timeout_ceiling_ms > 30_000 {
        return flaw("timeout_floor_ms or timeout_ceiling_ms", "give 20 to 30000 with the floor not above the ceiling");
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

/// The tables that fields refer to by name.
struct Parts {
    base: u16,
    statuses: BTreeMap<String, Status>,
    factors: BTreeMap<String, Factor>,
    units: BTreeMap<String, UnitCode>,
    heartbeats: BTreeMap<String, Heartbeat>,
}

impl Parts {
    fn build(raw: &RawProfile) -> Result<Self, (String, Flaw)> {
        let base = raw.address_base;
        let one = |function, written: &Written| span(function, written, base, 1);
        Ok(Self {
            base,
            statuses: each("status", &raw.status, |s| status(s, base))?,
            factors: each("factor", &raw.factor, |f| {
                if f.values.values().any(|v| !v.is_finite() || *v == 0.0) {
                    return flaw("a factor", "give finite factors other than 0");
                }
                Ok(Factor {
                    span: one(f.function, &f.address)?,
                    of: bits(f.of_bits)?,
                    values: keys(&f.values, u16::MAX)?,
                })
            })?,
            units: each("unit", &raw.unit, |u| {
                Ok(UnitCode {
                    span: one(u.function, &u.address)?,
                    of: bits(u.of_bits)?,
                    values: keys(&u.values, u16::MAX)?,
                })
            })?,
            heartbeats: each("heartbeat", &raw.heartbeat, |h| heartbeat(h, base))?,
        })
    }

    fn field(&self, raw: &RawField, order: WordOrder, limits: Limits) -> Result<Field, Flaw> {
        let count = width(raw)?;
        let span = span(raw.function, &raw.address, self.base, count)?;
        if (raw.kind == Kind::Bit) != span.is_bits() {
            return flaw("type does not fit the function", "use type \"bit\" with functions 1 and 2 and only there");
        }
        if !span.is_bits() && count > limits.max_registers {
            return flaw("wider than limits.max_registers", "raise max_registers or use a narrower type");
        }
        let (scale, offset) = (raw.scale.unwrap_or(1.0), raw.offset.unwrap_or(0.0));
        if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
            return flaw("scale or offset", "give finite numbers, scale not 0");
        }
        for bounds in [raw.valid, raw.range, raw.clamp].into_iter().flatten() {
            ordered(bounds)?;
        }
        if raw.unit_from.is_some() && raw.unit.is_empty() {
            return flaw("unit_from without unit", "say in unit what the value is to be told in");
        }
        let statuses = named("status", &raw.status, &self.statuses)?;
        let field = Field {
            span,
            kind: raw.kind,
            order: order_of(raw, order)?,
            bits: field_bits(raw)?,
            low_divisor: f64::from(low_divisor(raw)?),
            scale,
            offset,
            sentinels: sentinels(raw)?,
            signal: raw.signal.as_ref().map(|s| signal(s, raw)).transpose()?,
            factors: named("factor", &raw.factor, &self.factors)?,
            unit: raw.unit.clone(),
            unit_code: named("unit", raw.unit_from.as_slice(), &self.units)?.pop(),
            valid: raw.valid,
            range: raw.range,
            clamp: raw.clamp,
            statuses,
            heartbeat: named("heartbeat", raw.heartbeat.as_slice(), &self.heartbeats)?.pop(),
        };
        Ok(field)
    }
}

fn each<R, T>(
    table: &str,
    raws: &BTreeMap<String, R>,
    build: impl Fn(&R) -> Result<T, Flaw>,
) -> Result<BTreeMap<String, T>, (String, Flaw)> {
    let one = |(key, raw): (&String, &R)| match build(raw) {
        Ok(built) => Ok((key.clone(), built)),
        Err(flaw) => Err((format!("{table}.{key}"), flaw)),
    };
    raws.iter().map(one).collect()
}

fn named<T: Clone>(table: &str, names: &[String], all: &BTreeMap<String, T>) -> Result<Vec<T>, Flaw> {
    let remedy = match table {
        "status" => "add its [status.<name>] table",
        "factor" => "add its [factor.<name>] table",
        "unit" => "add its [unit.<name>] table",
        _ => "add its [heartbeat.<name>] table",
    };
    let find = |name: &String| all.get(name).cloned().ok_or((format!("{table} \"{name}\" does not exist"), remedy));
    names.iter().map(find).collect()
}

fn span(function: Option<u8>, written: &Written, base: u16, count: u16) -> Result<Span, Flaw> {
    let Some(place) = address::place(written, base) else {
        return flaw(
            format!("address {written:?}"),
            "write a number, \"0x6001\", \"6001H\" or the reference \"40001\" (text, counted from 1)",
        );
    };
    let function = match (function, place.function) {
        (Some(f), Some(of_reference)) if f != of_reference => {
            return flaw(
                format!("function = {f}, but the reference is of function {of_reference}"),
                "leave function out or mend the first digit of the reference",
            );
        }
        (given, of_reference) => given.or(of_reference).unwrap_or(3),
    };
    if !(1..=4).contains(&function) {
        return flaw(format!("function = {function}"), "use 1 coils, 2 inputs, 3 holding or 4 input registers");
    }
    if u32::from(place.address) + u32::from(count) > 0x1_0000 {
        return flaw(format!("address = {} runs past 65535", place.address), "choose a lower address");
    }
    Ok(Span { function, address: place.address, count })
}

fn width(raw: &RawField) -> Result<u16, Flaw> {
    match (raw.kind, raw.length) {
        (Kind::Text, Some(length @ 1..=60)) => Ok(length),
        (Kind::Text, _) | (_, Some(_)) => flaw("length", "give length = 1 to 60 registers with type \"text\" only"),
        (kind, None) => Ok(kind.width()),
    }
}

/// A byte order of the whole profile is about values of several registers; a field's own also swaps a single one.
fn order_of(raw: &RawField, order: WordOrder) -> Result<WordOrder, Flaw> {
    let by_profile = if raw.kind.width() > 1 { order } else { WordOrder::Abcd };
    let order = raw.word_order.unwrap_or(by_profile);
    if order.is_of_64_bits_only() && raw.kind.width() != 4 {
        return flaw(format!("word_order = {}", order.word()), "use it with 64-bit types only");
    }
    Ok(order)
}

fn field_bits(raw: &RawField) -> Result<Bits, Flaw> {
    match (raw.kind, raw.bit, raw.bits) {
        (Kind::RegisterBit, Some(bit @ 0..=15), None) => Ok(Bits(bit, bit)),
        (Kind::RegisterBits, None, Some(both)) => bits(Some(both)),
        (Kind::RegisterBit | Kind::RegisterBits, ..) | (_, Some(_), _) | (_, _, Some(_)) => flaw(
            "bit or bits is missing, needless or above 15",
            "give bit = 0 to 15 with type \"u16-bit\" only, bits = [first, last] with \"u16-bits\" only",
        ),
        _ => Ok(Bits::ALL),
    }
}

fn bits(raw: Option<(u8, u8)>) -> Result<Bits, Flaw> {
    match raw {
        None => Ok(Bits::ALL),
        Some((first, last @ 0..=15)) if first <= last => Ok(Bits(first, last)),
        Some((first, last)) => flaw(format!("bits [{first}, {last}]"), "give [first, last] within 0 to 15"),
    }
}

fn low_divisor(raw: &RawField) -> Result<u16, Flaw> {
    match (raw.kind, raw.low_divisor) {
        (Kind::WholeAndDecimals, Some(d @ (10 | 100))) => Ok(d),
        (Kind::WholeAndDecimals, _) | (_, Some(_)) => {
            flaw("low_divisor", "give low_divisor = 10 (tenths) or 100 (hundredths) with type \"u8.u8\" only")
        }
        (_, None) => Ok(1),
    }
}

fn sentinels(raw: &RawField) -> Result<Vec<Sentinel>, Flaw> {
    let bits = 16 * u32::from(raw.kind.width());
    let one = |sentinel: &RawSentinel| match *sentinel {
        RawSentinel::Whole(whole) => match u64::try_from(whole) {
            Ok(word) if bits < 64 && word >> bits != 0 => {
                flaw(format!("sentinel {word:#X} has more than {bits} bits"), "write it as wide as the type")
            }
            Ok(word) => Ok(Sentinel::Raw(word)),
            #[allow(clippy::cast_precision_loss, reason = "sentinels are small numbers such as -9999")]
            Err(_) => Ok(Sentinel::Number(whole as f64)),
        },
        RawSentinel::Real(number) => Ok(Sentinel::Number(number)),
    };
    raw.sentinels.iter().map(one).collect()
}

fn signal(raw: &RawSignal, field: &RawField) -> Result<Signal, Flaw> {
    let milliamp = raw.milliamp.unwrap_or((0.0, 20.0));
    ordered(milliamp)?;
    if let Some((low, high)) = raw.raw {
        ordered((low, high))?;
        if field.scale.is_some() || field.offset.is_some() {
            return flaw("signal.raw beside scale or offset", "give the register's span in signal.raw alone");
        }
    }
    if raw.raw.is_some() && milliamp.0 > 3.6 && field.status.is_empty() {
        return flaw(
            "a card that begins at 4 mA cannot show a broken wire",
            "set the card to 0–20 mA, or give its status register in status",
        );
    }
    let span = raw.span.unwrap_or(super::field::IN_MILLIAMPS);
    if !is_span(span) {
        return flaw("signal.span", "give the values at 4 and at 20 mA");
    }
    let hold = raw.hold_s.unwrap_or(SIGNAL_HOLD_S);
    if !(0.0..=60.0).contains(&hold) {
        return flaw("signal.hold_s", "give 0 to 60 seconds");
    }
    let mut states = Vec::new();
    for state in &raw.states {
        ordered(state.milliamp)?;
        states.push((state.milliamp, state.is));
    }
    Ok(Signal { raw: raw.raw, milliamp, span, states, hold: Duration::from_secs_f64(hold) })
}

/// True for two different numbers, in either order.
pub(super) fn is_span((at_4, at_20): (f64, f64)) -> bool {
    at_4.is_finite() && at_20.is_finite() && (at_20 - at_4).abs() > 0.0
}

fn ordered((lo, hi): (f64, f64)) -> Result<(), Flaw> {
    if lo.is_finite() && hi.is_finite() && lo < hi {
        return Ok(());
    }
    flaw(format!("bounds [{lo}, {hi}]"), "give [low, high] with low < high")
}

fn status(raw: &RawStatus, base: u16) -> Result<Status, Flaw> {
    if raw.values.is_empty() == raw.bits.is_empty() {
        return flaw("needs values or bits", "give either values = { 0 = \"ok\" } or bits = { 5 = \"fault\" }");
    }
    let unlisted = if raw.values.is_empty() { super::Condition::Ok } else { super::Condition::Fault };
    Ok(Status {
        span: span(raw.function, &raw.address, base, 1)?,
        of: bits(raw.of_bits)?,
        values: keys(&raw.values, u16::MAX)?,
        other: raw.other.unwrap_or(unlisted),
        bits: keys(&raw.bits, 15u8)?,
    })
}

fn heartbeat(raw: &RawHeartbeat, base: u16) -> Result<Heartbeat, Flaw> {
    if !(1.0..=3600.0).contains(&raw.within_s) {
        return flaw("within_s", "give 1 to 3600 seconds, several times the beat");
    }
    Ok(Heartbeat {
        span: span(raw.function, &raw.address, base, 1)?,
        of: bits(raw.bit.map(|bit| (bit, bit)))?,
        within: Duration::from_secs_f64(raw.within_s),
    })
}

fn keys<K, V: Clone>(raw: &BTreeMap<String, V>, most: K) -> Result<BTreeMap<K, V>, Flaw>
where
    K: FromStr + Ord + Copy,
{
    let mut out = BTreeMap::new();
    for (key, value) in raw {
        let number = key.parse::<K>().ok().filter(|n| *n <= most);
        let number = number.ok_or((format!("\"{key}\" is not in range"), "values 0 to 65535, bits 0 to 15"))?;
        out.insert(number, value.clone());
    }
    Ok(out)
}
