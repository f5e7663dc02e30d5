//! Registers to readings: the value, and every reason there is to doubt it.
//!
//! Owns [`decode`] and what a field must remember from one reading to the next. A value that cannot be one (NaN, infinite,
//! subnormal, a sentinel, outside `valid`) is bad, never 0. Leaves a current's meaning to [`signal`].

mod number;
mod scale;
mod signal;

use crate::plan::Span;
use crate::profile::{Condition, Field, Heartbeat};
use rules::{Doubt, Fault, Finite, Mono, Now, Reading};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub(crate) use number::{number, text};

/// What came back for the requests of one device.
#[derive(Debug, Default)]
pub(crate) struct Image {
    blocks: Vec<Block>,
    /// The block that was found last: fields are decoded in the order of their addresses.
    last: AtomicUsize,
}

type Block = (Span, Result<Vec<u16>, Fault>, Now);

impl Image {
    pub(crate) fn put(&mut self, block: Span, words: Result<Vec<u16>, Fault>, at: Now) {
        self.blocks.push((block, words, at));
    }
    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
    }
    pub(crate) fn words(&self, span: Span) -> Result<&[u16], Fault> {
        let (block, words, _) = self.find(span).ok_or(Fault::NeverRead)?;
        let from = usize::from(span.address - block.address);
        let words = words.as_ref().map_err(|f| *f)?;
        words.get(from..from + usize::from(span.count)).ok_or(Fault::Protocol)
    }
    fn word(&self, span: Span) -> Result<u16, Fault> {
        self.words(span)?.first().copied().ok_or(Fault::Protocol)
    }
    /// When the block that holds `span` arrived.
    pub(crate) fn arrived(&self, span: Span) -> Option<Now> {
        self.find(span).map(|(.., at)| *at)
    }
    fn find(&self, span: Span) -> Option<&Block> {
        let holds = |(block, ..): &&Block| block.holds(span);
        let read = |block: &&Block| holds(block) && block.1.is_ok();
        self.blocks.get(self.last.load(Relaxed)).filter(read).or_else(|| {
            // coils asked for from 0 lie in more than one
            let first = || self.blocks.iter().position(|block| holds(&block));
            let index = self.blocks.iter().position(|block| read(&block)).or_else(first)?;
            self.last.store(index, Relaxed);
            self.blocks.get(index)
        })
    }
}

/// What a field remembers from one reading to the next; most have nothing to remember, and take no room for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Option<Box<Remembered>>);

impl Memory {
    /// Of an instrument in operation: what a vector shows was in order before.
    pub(crate) fn in_operation() -> Self {
        Self(Some(Box::new(Remembered { was_inside: true, ..Remembered::default() })))
    }
    /// Nothing to remember.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    fn last_beat(&self) -> Option<(u16, Mono, Mono)> {
        self.0.as_ref()?.beat
    }
    fn now(&mut self) -> &mut Remembered {
        self.0.get_or_insert_default()
    }
    /// It was not read.
    pub(crate) fn missed(&mut self) {
        if let Some(remembered) = &mut self.0 {
            remembered.missed = true;
        }
    }
    /// The current is where it may be.
    fn is_inside(&mut self) {
        let remembered = self.now();
        (remembered.out_since, remembered.was_inside) = (None, true);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Remembered {
    /// The heartbeat as it last was, since when, and when that was read.
    beat: Option<(u16, Mono, Mono)>,
    /// Something was not read since the heartbeat was.
    missed: bool,
    /// Since when the current has been outside NE 43.
    out_since: Option<Mono>,
    /// It was where it may be, once since the start.
    was_inside: bool,
}

/// The reading of one field.
pub(crate) fn decode(field: &Field, image: &Image, memory: &mut Memory) -> Reading {
    match value_of(field, image, memory) {
        Ok((value, None)) => Reading::Good(value),
        Ok((value, Some(doubt))) => Reading::Uncertain(value, doubt),
        Err(fault) => Reading::Bad(fault),
    }
}

fn value_of(field: &Field, image: &Image, memory: &mut Memory) -> Result<(Finite, Option<Doubt>), Fault> {
    let words = image.words(field.span).inspect_err(|_| memory.missed())?;
    let at = image.arrived(field.span).unwrap_or_default().mono;
    let beating = heartbeat(field.heartbeat.as_ref(), image, memory);
    let mut condition = Condition::Ok;
    for status in &field.statuses {
        condition = condition.max(status.condition(image.word(status.span)?));
    }
    let stated = doubt_of(condition)?;
    beating?;
    let raw = scale::linear(number(field, words)?, field.scale, field.offset);
    let (raw, carried) = match &field.signal {
        Some(signal) => signal::judge(signal, raw, at, memory)?,
        None => (raw, None),
    };
    let value = told_in_unit(field, image, raw)?;
    if field.valid.is_some_and(|(lo, hi)| value < lo || value > hi) {
        return Err(Fault::NotANumber);
    }
    let (cut, clamped) = outside(field.clamp, value);
    let (_, ranged) = outside(field.range, value);
    let value = Finite::new(cut).ok_or(Fault::NotANumber)?;
    Ok((value, stated.or(carried).or(clamped).or(ranged)))
}

/// A code without meaning, or a unit that ours cannot be made from, is a wrong configuration and not a measurement.
fn told_in_unit(field: &Field, image: &Image, mut value: f64) -> Result<f64, Fault> {
    for factor in &field.factors {
        value = scale::times(value, factor.factor(image.word(factor.span)?).ok_or(Fault::Configuration)?);
    }
    if let Some(code) = &field.unit_code {
        value = scale::times(value, code.into_unit(image.word(code.span)?, &field.unit).ok_or(Fault::Configuration)?);
    }
    Ok(value)
}

/// An error when the beat has not changed for longer than it may.
fn heartbeat(heartbeat: Option<&Heartbeat>, image: &Image, memory: &mut Memory) -> Result<(), Fault> {
    let Some(beat) = heartbeat else { return Ok(()) };
    let word = beat.of.of(image.word(beat.span)?);
    let at = image.arrived(beat.span).unwrap_or_default().mono;
    let was_missed = std::mem::take(&mut memory.now().missed);
    let since = match memory.last_beat() {
        // Away for as long as it may stand still: nobody saw whether it did.
        Some((last, since, read)) if last == word && !(was_missed && at.since(read) > beat.within) => since,
        _ => at,
    };
    memory.now().beat = Some((word, since, at));
    if at.since(since) > beat.within { Err(Fault::Frozen) } else { Ok(()) }
}

fn doubt_of(condition: Condition) -> Result<Option<Doubt>, Fault> {
    match condition {
        Condition::Ok => Ok(None),
        Condition::UnderRange => Ok(Some(Doubt::UnderRange)),
        Condition::OverRange => Ok(Some(Doubt::OverRange)),
        Condition::Maintenance => Ok(Some(Doubt::Maintenance)),
        Condition::Simulated => Ok(Some(Doubt::Simulated)),
        Condition::Inhibited | Condition::Calibration => Err(Fault::Inhibited),
        Condition::WarmUp => Err(Fault::WarmUp),
        Condition::Fault => Err(Fault::Sensor),
        Condition::Misconfigured => Err(Fault::Configuration),
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

#[cfg(test)]
mod facts;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
