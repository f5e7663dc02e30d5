//! Registers to readings: the value, and every reason there is to doubt it.
//!
//! Owns [`decode`]. A value that cannot be one (NaN, infinite, subnormal, a sentinel, outside `valid`) is bad, never 0.

use crate::plan::Span;
use crate::profile::{Condition, Field, Kind, WordOrder};
use rules::{Doubt, Fault, Finite, Now, Reading};

/// What came back for the requests of one device.
#[derive(Debug, Default)]
pub(crate) struct Image {
    blocks: Vec<(Span, Result<Vec<u16>, Fault>, Now)>,
}

impl Image {
    pub(crate) fn put(&mut self, block: Span, words: Result<Vec<u16>, Fault>, at: Now) {
        self.blocks.push((block, words, at));
    }
    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
    }
    fn words(&self, span: Span) -> Result<&[u16], Fault> {
        let (block, words, _) = self.blocks.iter().find(|(b, ..)| b.holds(span)).ok_or(Fault::NeverRead)?;
        let from = usize::from(span.address - block.address);
        let words = words.as_ref().map_err(|f| *f)?;
        words.get(from..from + usize::from(span.count)).ok_or(Fault::Protocol)
    }
    /// When the block that holds `span` arrived.
    pub(crate) fn arrived(&self, span: Span) -> Option<Now> {
        self.blocks.iter().find(|(b, ..)| b.holds(span)).map(|(.., at)| *at)
    }
}

/// The reading of one field.
pub(crate) fn decode(field: &Field, image: &Image) -> Reading {
    match value_of(field, image) {
        Ok((value, None)) => Reading::Good(value),
        Ok((value, Some(doubt))) => Reading::Uncertain(value, doubt),
        Err(fault) => Reading::Bad(fault),
    }
}

fn value_of(field: &Field, image: &Image) -> Result<(Finite, Option<Doubt>), Fault> {
    let words = image.words(field.span)?;
    let mut condition = Condition::Ok;
    for status in &field.statuses {
        condition = condition.max(status.condition(image.words(status.span)?[0]));
    }
    let stated = doubt_of(condition)?;
    let raw = number(field, words)?;
    let value = raw * field.scale + field.offset;
    if field.valid.is_some_and(|(lo, hi)| value < lo || value > hi) {
        return Err(Fault::NotANumber);
    }
    let (cut, clamped) = outside(field.clamp, value);
    let (_, ranged) = outside(field.range, value);
    let value = Finite::new(cut).ok_or(Fault::NotANumber)?;
    Ok((value, stated.or(clamped).or(ranged)))
}

fn doubt_of(condition: Condition) -> Result<Option<Doubt>, Fault> {
    match condition {
        Condition::Ok => Ok(None),
        Condition::UnderRange => Ok(Some(Doubt::UnderRange)),
        Condition::OverRange => Ok(Some(Doubt::OverRange)),
        Condition::Maintenance => Ok(Some(Doubt::Maintenance)),
        Condition::Simulated => Ok(Some(Doubt::Simulated)),
        Condition::Inhibited => Err(Fault::Inhibited),
        Condition::WarmUp => Err(Fault::WarmUp),
        Condition::Fault => Err(Fault::Sensor),
    }
}

/// `value` cut to the bounds, and the doubt that it had to be.
fn outside(bounds: Option<(f64, f64)>, value: f64) -> (f64, Option<Doubt>) {
    match bounds {
        Some((lo, _)) if value < lo => (lo, Some(Doubt::UnderRange)),
        Some((_, hi)) if value > hi => (hi, Some(Doubt::OverRange)),
        _ => (value, None),
    }
}

fn number(field: &Field, words: &[u16]) -> Result<f64, Fault> {
    let first = words[0];
    let whole = if words.len() == 2 { join(field.order, first, words[1]) } else { u32::from(first) };
    if field.sentinels.contains(&whole) {
        return Err(Fault::NotANumber);
    }
    Ok(match field.kind {
        Kind::U16 => f64::from(first),
        Kind::I16 => f64::from(first.cast_signed()),
        Kind::U32 => f64::from(whole),
        Kind::I32 => f64::from(whole.cast_signed()),
        Kind::F32 => {
            let v = f32::from_bits(whole);
            // A subnormal is what words in the wrong order look like; no instrument measures 1e-40. Not every
            // swapped float is one; the rest is for `valid` and for the person who commissions the device.
            if !v.is_finite() || v.is_subnormal() {
                return Err(Fault::NotANumber);
            }
            f64::from(v)
        }
        Kind::Bit => f64::from(u8::from(first != 0)),
        Kind::RegisterBit => f64::from(first >> field.bit & 1),
    })
}

fn join(order: WordOrder, first: u16, second: u16) -> u32 {
    let ([a, b], [c, d]) = (first.to_be_bytes(), second.to_be_bytes());
    u32::from_be_bytes(match order {
        WordOrder::Abcd => [a, b, c, d],
        WordOrder::Cdab => [c, d, a, b],
        WordOrder::Badc => [b, a, d, c],
        WordOrder::Dcba => [d, c, b, a],
    })
}

#[cfg(test)]
mod tests;
