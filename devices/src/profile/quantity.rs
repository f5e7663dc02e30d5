//! One field of a profile as written becomes a checked [`Field`].
//!
//! Owns what a field may say and that each key is judged by itself. Leaves the tables it names to [`super::check`].

use super::Limits;
use super::address::{self, Written};
use super::check::{Parts, named};
use super::field::{Bits, Field, Sentinel, Signal};
use super::flaw::{Flaws, Wrong, unusable, wrong};
use super::layout::{Kind, WordOrder};
use super::raw::{RawField, RawSentinel, RawSignal};
use crate::plan::Span;
use std::time::Duration;

/// NAMUR NE 43: a current outside is a fault when it has lasted so long.
const SIGNAL_HOLD_S: f64 = 4.0;

/// With the byte order and the limits of the whole profile.
pub(super) fn field(
    key: &str,
    raw: &RawField,
    parts: &Parts,
    (order, limits): (WordOrder, Limits),
    flaws: &mut Flaws,
) -> Option<Field> {
    let table = &format!("field.{key}");
    let span = flaws.keep(table, place_of(raw, parts.base, limits));
    let numbers = flaws.keep(table, numbers(raw));
    for (name, bounds) in [("valid", raw.valid), ("range", raw.range), ("clamp", raw.clamp)] {
        bounds.and_then(|bounds| flaws.keep(table, ordered(name, bounds)));
    }
    if raw.unit_from.is_some() && raw.unit.is_empty() {
        let remedy = ("在 unit 里写明以什么单位报出", "say in unit what the value is to be told in");
        let _: Option<()> =
            flaws.keep(table, wrong("unit_from", ("有 unit_from 却没有 unit", "unit_from without unit"), remedy));
    }
    let order = flaws.keep(table, order_of(raw, order));
    let bits = flaws.keep(table, field_bits(raw));
    let low_divisor = flaws.keep(table, low_divisor(raw));
    let sentinels = flaws.keep(table, sentinels(raw));
    let signal = flaws.keep(table, raw.signal.as_ref().map(|s| signal(s, raw)).transpose());
    let factors = flaws.keep(table, named("factor", &raw.factor, &parts.factors));
    let unit_code = flaws.keep(table, named("unit", raw.unit_from.as_slice(), &parts.units));
    let statuses = flaws.keep(table, named("status", &raw.status, &parts.statuses));
    let heartbeat = flaws.keep(table, named("heartbeat", raw.heartbeat.as_slice(), &parts.heartbeats));
    let (scale, offset) = numbers?;
    Some(Field {
        span: span?,
        kind: raw.kind,
        order: order?,
        bits: bits?,
        low_divisor: f64::from(low_divisor?),
        scale,
        offset,
        sentinels: sentinels?,
        signal: signal?,
        factors: factors?,
        unit: raw.unit.clone(),
        unit_code: unit_code?.pop(),
        valid: raw.valid,
        range: raw.range,
        clamp: raw.clamp,
        statuses: statuses?,
        heartbeat: heartbeat?.pop(),
    })
}

fn place_of(raw: &RawField, base: u16, limits: Limits) -> Result<Span, Wrong> {
    let count = width(raw)?;
    let span = span(raw.function, &raw.address, base, count)?;
    if (raw.kind == Kind::Bit) != span.is_bits() {
        return wrong(
            "type",
            ("类型与功能码不合", "type does not fit the function"),
            ("功能码 1、2 用 type = \"bit\"，也只有它们用", "use type \"bit\" with functions 1 and 2 and only there"),
        );
    }
    if !span.is_bits() && count > limits.max_registers {
        return wrong(
            "type",
            ("比 limits.max_registers 宽", "wider than limits.max_registers"),
            ("加大 max_registers，或用较窄的类型", "raise max_registers or use a narrower type"),
        );
    }
    Ok(span)
}

pub(super) fn span(function: Option<u8>, written: &Written, base: u16, count: u16) -> Result<Span, Wrong> {
    let Some(place) = address::place(written, base) else { return Err(no_address(written)) };
    let function = match (function, place.function) {
        (Some(f), Some(of_reference)) if f != of_reference => {
            return wrong(
                "function",
                (
                    format!("function = {f}，而 address 的记法属于功能码 {of_reference}"),
                    format!("function = {f}, but the reference is of function {of_reference}"),
                ),
                (
                    "去掉 function，或改正 address 的首位数字",
                    "leave function out or mend the first digit of the reference",
                ),
            );
        }
        (given, of_reference) => given.or(of_reference).unwrap_or(3),
    };
    if !(1..=4).contains(&function) {
        let said = format!("function = {function}");
        let remedy = (
            "写 1 线圈、2 离散输入、3 保持寄存器或 4 输入寄存器",
            "use 1 coils, 2 inputs, 3 holding or 4 input registers",
        );
        return unusable("function", &said, remedy);
    }
    if u32::from(place.address) + u32::from(count) > 0x1_0000 {
        let address = place.address;
        let said = (format!("address = {address} 起的值超过 65535"), format!("address = {address} runs past 65535"));
        return wrong("address", said, ("改用较低的地址", "choose a lower address"));
    }
    Ok(Span { function, address: place.address, count })
}

fn no_address(written: &Written) -> Wrong {
    let said = (format!("address = {written} 不是地址"), format!("address = {written} is no address"));
    let remedy = (
        "写数字、\"0x6001\"、\"6001H\"，或 4xxxx 记法（加引号，从 1 数起）如 \"40001\"",
        "write a number, \"0x6001\", \"6001H\" or the reference \"40001\" (text, counted from 1)",
    );
    Wrong::new("address", said, remedy)
}

fn width(raw: &RawField) -> Result<u16, Wrong> {
    match (raw.kind, raw.length) {
        (Kind::Text, Some(length @ 1..=60)) => Ok(length),
        (Kind::Text, _) | (_, Some(_)) => wrong(
            if raw.length.is_some() { "length" } else { "type" },
            ("length 缺少、多余或超限", "length is missing, needless or too long"),
            (
                "length = 1 到 60 个寄存器，只与 type = \"text\" 同用",
                "give length = 1 to 60 registers with type \"text\" only",
            ),
        ),
        (kind, None) => Ok(kind.width()),
    }
}

/// Scale and offset.
fn numbers(raw: &RawField) -> Result<(f64, f64), Wrong> {
    let (scale, offset) = (raw.scale.unwrap_or(1.0), raw.offset.unwrap_or(0.0));
    let key = if !scale.is_finite() || scale == 0.0 { "scale" } else { "offset" };
    if key == "offset" && offset.is_finite() {
        return Ok((scale, offset));
    }
    let said = format!("{key} = {}", if key == "scale" { scale } else { offset });
    unusable(key, &said, ("写有限数，scale 不为 0", "give finite numbers, scale not 0"))
}

/// A byte order of the whole profile is about values of several registers; a field's own also swaps a single one.
fn order_of(raw: &RawField, order: WordOrder) -> Result<WordOrder, Wrong> {
    let by_profile = if raw.kind.width() > 1 { order } else { WordOrder::Abcd };
    let order = raw.word_order.unwrap_or(by_profile);
    if order.is_of_64_bits_only() && raw.kind.width() != 4 {
        let said = format!("word_order = {}", order.word());
        let key = if raw.word_order.is_some() { "word_order" } else { "type" };
        return unusable(key, &said, ("只用于 64 位类型", "use it with 64-bit types only"));
    }
    Ok(order)
}

fn field_bits(raw: &RawField) -> Result<Bits, Wrong> {
    let key = match (raw.bit, raw.bits) {
        (Some(_), _) => "bit",
        (None, Some(_)) => "bits",
        (None, None) => "type",
    };
    match (raw.kind, raw.bit, raw.bits) {
        (Kind::RegisterBit, Some(bit @ 0..=15), None) => Ok(Bits(bit, bit)),
        (Kind::RegisterBits, None, Some(both)) => bits("bits", Some(both)),
        (Kind::RegisterBit | Kind::RegisterBits, ..) | (_, Some(_), _) | (_, _, Some(_)) => wrong(
            key,
            ("bit 或 bits 缺少、多余或大于 15", "bit or bits is missing, needless or above 15"),
            (
                "bit = 0 到 15 只与 type = \"u16-bit\" 同用，bits = [首位, 末位] 只与 \"u16-bits\" 同用",
                "give bit = 0 to 15 with type \"u16-bit\" only, bits = [first, last] with \"u16-bits\" only",
            ),
        ),
        _ => Ok(Bits::ALL),
    }
}

pub(super) fn bits(key: &'static str, raw: Option<(u8, u8)>) -> Result<Bits, Wrong> {
    match raw {
        None => Ok(Bits::ALL),
        Some((first, last @ 0..=15)) if first <= last => Ok(Bits(first, last)),
        Some((first, last)) => {
            let said = format!("{key} [{first}, {last}]");
            let remedy = ("写 0 到 15 以内的 [首位, 末位]", "give [first, last] within 0 to 15");
            unusable(key, &said, remedy)
        }
    }
}

fn low_divisor(raw: &RawField) -> Result<u16, Wrong> {
    match (raw.kind, raw.low_divisor) {
        (Kind::WholeAndDecimals, Some(d @ (10 | 100))) => Ok(d),
        (Kind::WholeAndDecimals, written) | (_, written @ Some(_)) => wrong(
            if written.is_some() { "low_divisor" } else { "type" },
            ("low_divisor 缺少、多余或不是 10、100", "low_divisor is missing, needless or neither 10 nor 100"),
            (
                "low_divisor = 10（十分位）或 100（百分位），只与 type = \"u8.u8\" 同用",
                "give low_divisor = 10 (tenths) or 100 (hundredths) with type \"u8.u8\" only",
            ),
        ),
        (_, None) => Ok(1),
    }
}

fn sentinels(raw: &RawField) -> Result<Vec<Sentinel>, Wrong> {
    let all: Result<Vec<_>, _> = raw.sentinels.iter().map(|s| sentinel(raw, s)).collect();
    Ok(all?.concat())
}

/// What is written may mean: TOML does not tell 0x7FC00000 from 2143289344. Of a float both are meant, for neither as bits nor as a
/// number is it what the other measures; below the bits of the smallest normal float, which are no value anyhow, only the number.
fn sentinel(raw: &RawField, written: &RawSentinel) -> Result<Vec<Sentinel>, Wrong> {
    let kind = raw.kind;
    let whole = match *written {
        RawSentinel::Whole(whole) => whole,
        RawSentinel::Real(number) => return Ok(vec![Sentinel::Number(nearest(kind, number))]),
    };
    #[allow(
        clippy::cast_precision_loss,
        reason = "of a double all below 2^52 are exact, and no one writes the larger ones"
    )]
    let number = Sentinel::Number(nearest(kind, whole as f64));
    if whole < bits_from(raw) {
        return Ok(vec![number]);
    }
    let bits = 16 * u32::from(kind.width());
    let word = u64::try_from(whole).expect("no kind counts negative numbers as bits");
    if bits < 64 && word >> bits != 0 {
        let said = (format!("{word:#X} 超过 {bits} 位"), format!("sentinel {word:#X} has more than {bits} bits"));
        return wrong("sentinels", said, ("写成与类型一样宽", "write it as wide as the type"));
    }
    let mut meant = vec![Sentinel::Raw(word)];
    meant.extend(kind.is_float().then_some(number));
    Ok(meant)
}

/// A whole number from here on may be the bits of the registers: what lies below can be a value, of digits or of a part of a register.
fn bits_from(raw: &RawField) -> i64 {
    match raw.kind {
        Kind::F32 => i64::from(f32::MIN_POSITIVE.to_bits()),
        Kind::F64 => f64::MIN_POSITIVE.to_bits().cast_signed(),
        Kind::Bcd16 => 10_000,
        Kind::Bcd32 => 100_000_000,
        Kind::HighByte | Kind::LowByte | Kind::WholeAndDecimals => 0x100,
        Kind::RegisterBits => raw.bits.map_or(0, |(first, last)| 1 << (1 + last.saturating_sub(first).min(15))),
        _ => 0,
    }
}

/// As an instrument of this kind would tell `number`: -999.9 of an f32 is -999.900024….
fn nearest(kind: Kind, number: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, reason = "the same rounding as the instrument's")]
    let single = number as f32;
    if kind == Kind::F32 { f64::from(single) } else { number }
}

fn signal(raw: &RawSignal, field: &RawField) -> Result<Signal, Wrong> {
    let milliamp = raw.milliamp.unwrap_or((0.0, 20.0));
    ordered("signal.milliamp", milliamp)?;
    if let Some((low, high)) = raw.raw {
        ordered("signal.raw", (low, high))?;
        if field.scale.is_some() || field.offset.is_some() {
            let said = ("signal.raw 与 scale、offset 不能同用", "signal.raw beside scale or offset");
            let remedy = ("寄存器的量程只写在 signal.raw 里", "give the register's span in signal.raw alone");
            return wrong("signal.raw", said, remedy);
        }
    }
    if raw.raw.is_some() && milliamp.0 > 3.6 && field.status.is_empty() {
        return wrong(
            "signal.milliamp",
            ("从 4 mA 起的卡看不出断线", "a card that begins at 4 mA cannot show a broken wire"),
            (
                "把卡设为 0–20 mA，或在 status 里给出它的状态寄存器",
                "set the card to 0–20 mA, or give its status register in status",
            ),
        );
    }
    let span = raw.span.unwrap_or(super::field::IN_MILLIAMPS);
    if !is_span(span) {
        let said = format!("signal.span [{}, {}]", span.0, span.1);
        let remedy = ("写 4 mA 与 20 mA 时的值", "give the values at 4 and at 20 mA");
        return unusable("signal.span", &said, remedy);
    }
    let hold = raw.hold_s.unwrap_or(SIGNAL_HOLD_S);
    if !(0.0..=60.0).contains(&hold) {
        let said = format!("signal.hold_s = {hold}");
        return unusable("signal.hold_s", &said, ("写 0 到 60 秒", "give 0 to 60 seconds"));
    }
    let mut states = Vec::new();
    for state in &raw.states {
        ordered("signal.states", state.milliamp)?;
        states.push((state.milliamp, state.is));
    }
    Ok(Signal { raw: raw.raw, milliamp, span, states, hold: Duration::from_secs_f64(hold) })
}

/// True for two different numbers, in either order.
pub(super) fn is_span((at_4, at_20): (f64, f64)) -> bool {
    at_4.is_finite() && at_20.is_finite() && (at_20 - at_4).abs() > 0.0
}

fn ordered(key: &'static str, (lo, hi): (f64, f64)) -> Result<(), Wrong> {
    if lo.is_finite() && hi.is_finite() && lo < hi {
        return Ok(());
    }
    let said = format!("{key} [{lo}, {hi}]");
    unusable(key, &said, ("写 [低, 高]，低小于高", "give [low, high] with low < high"))
}
