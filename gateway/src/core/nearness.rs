//! Which values near an alarm, and are to be read more often.
//!
//! ```text
//!   limit      5 % of the measuring range away, or beyond it   … until 10 % away
//!   rate       half of the speed that raises                   … until 40 % of it
//!   deviation  80 % of the difference that raises              … until 60 % of it
//! ```
//! Owns the wishes for `fast_period_ms`: of a point that is read its own, of a computed one those of all it is computed from. The bus follows
//! them. What slope or difference there is says the engine. Decides no alarm: a wish too many costs a few bytes on the bus.

use devices::derive::Expression;
use devices::{BusSpec, Wanted};
use rules::book::{Condition, ModeRule, Rule};
use rules::{Engine, PointId, RuleBook, Sample};
use std::collections::{BTreeMap, BTreeSet};

/// Where a wish begins, and where it ends.
struct Hysteresis {
    begins: f64,
    ends: f64,
}

/// Distance from the limit, as a part of the measuring range.
const LIMIT: Hysteresis = Hysteresis { begins: 0.05, ends: 0.10 };
/// Parts of what raises the alarm.
const RATE: Hysteresis = Hysteresis { begins: 0.5, ends: 0.4 };
const DEVIATION: Hysteresis = Hysteresis { begins: 0.8, ends: 0.6 };

impl Hysteresis {
    fn at(&self, is_near: bool) -> f64 {
        if is_near { self.ends } else { self.begins }
    }
}

/// What lies there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Border {
    /// Alarms lie above it.
    Above(f64),
    Below(f64),
    /// Downwards it is negative.
    Rate(f64),
    Deviation(f64),
}

/// Something to come near to.
struct Edge {
    /// Of the rule with this number.
    rule: usize,
    border: Border,
    /// When it could be told last.
    is_near: bool,
}

/// A point for which others, or it itself, can be read fast.
struct Watched {
    edges: Vec<Edge>,
    range: f64,
    is_near: bool,
    /// Positions of what is read fast for it.
    read: Vec<usize>,
}

/// A point that can be read fast, and for how many it is to be.
struct Readable {
    wanted: Wanted,
    wishes: u32,
}

/// The points that make something fast, by index.
#[derive(Default)]
pub struct Nearness {
    watched: Vec<Option<Box<Watched>>>,
    readable: Vec<Readable>,
}

impl Nearness {
    /// Of all points that have a fast period, and those computed from one; `derived` in the order in which they are computed.
    #[must_use]
    pub fn of(book: &RuleBook, buses: &[BusSpec], derived: &[(PointId, Expression)]) -> Self {
        let mut readable = Vec::new();
        let mut read_for: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for binding in buses.iter().flat_map(|b| &b.devices).flat_map(|d| d.points.iter()) {
            let Some(fast) = &binding.fast else { continue };
            read_for.insert(binding.point.index(), [readable.len()].into());
            readable.push(Readable { wanted: fast.wanted.clone(), wishes: 0 });
        }
        for (point, expression) in derived.iter().filter(|_| !readable.is_empty()) {
            let inputs = expression.inputs().iter().filter_map(|key| book.point_id(key));
            let read: BTreeSet<usize> =
                inputs.filter_map(|input| read_for.get(&input.index())).flatten().copied().collect();
            if !read.is_empty() {
                read_for.insert(point.index(), read);
            }
        }
        let mut watched: Vec<Option<Box<Watched>>> = Vec::new();
        watched.resize_with(read_for.last_key_value().map_or(0, |(last, _)| last + 1), || None);
        for (index, read) in read_for {
            let (low, high) = book.points()[index].range;
            let read = read.into_iter().collect();
            watched[index] = Some(Box::new(Watched { edges: Vec::new(), range: high - low, is_near: false, read }));
        }
        let mut nearness = Self { watched, readable };
        nearness.follow(book);
        nearness
    }

    /// Other rules for the same points.
    pub(super) fn follow(&mut self, book: &RuleBook) {
        let Self { watched, readable } = self;
        let mut before: Vec<Vec<Edge>> = Vec::new();
        before.resize_with(watched.len(), Vec::new);
        for (place, watched) in watched.iter_mut().enumerate() {
            before[place] = watched.as_mut().map_or(Vec::new(), |watched| std::mem::take(&mut watched.edges));
        }
        for (number, rule) in book.rules().iter().enumerate() {
            let Some(place) = book.point_id(&rule.point).map(PointId::index) else { continue };
            let Some(watched) = watched.get_mut(place).and_then(Option::as_mut) else { continue };
            // numbers of rules are others, what lies there may be the same
            let was_near = |border| before[place].iter().any(|edge| edge.is_near && edge.border == border);
            let new = borders(rule).map(|border| Edge { rule: number, border, is_near: was_near(border) });
            watched.edges.extend(new);
        }
        let without = watched.iter_mut().flatten().filter(|watched| watched.edges.is_empty());
        without.for_each(|watched| watched.becomes(false, readable));
    }

    /// Looks at new readings, which the engine has taken.
    pub(super) fn look(&mut self, samples: &[Sample], engine: &Engine) {
        let Self { watched, readable } = self;
        if watched.is_empty() {
            return;
        }
        for sample in samples {
            if let Some(watched) = watched.get_mut(sample.point.index()).and_then(Option::as_mut) {
                watched.look(sample.reading.value(), engine, readable);
            }
        }
    }
}

impl Edge {
    /// None where nobody can tell: without a value, a slope or a reference. No alarm comes from a point that is out of service.
    fn nears(&self, value: Option<f64>, range: f64, engine: &Engine) -> Option<bool> {
        if engine.alarms()[self.rule].hidden.service.is_some() {
            return Some(false);
        }
        let value = value?;
        let margin = range * LIMIT.at(self.is_near);
        match self.border {
            Border::Above(limit) => Some(value >= limit - margin),
            Border::Below(limit) => Some(value <= limit + margin),
            Border::Rate(limit) => {
                let slope = engine.judged(self.rule, value)?;
                Some(slope * limit.signum() >= limit.abs() * RATE.at(self.is_near))
            }
            Border::Deviation(limit) => {
                Some(engine.judged(self.rule, value)?.abs() >= limit * DEVIATION.at(self.is_near))
            }
        }
    }
}

impl Watched {
    /// An edge of which nobody can tell stays as near as it was; what others are near to says nothing of it.
    fn look(&mut self, value: Option<f64>, engine: &Engine, readable: &mut [Readable]) {
        for edge in &mut self.edges {
            edge.is_near = edge.nears(value, self.range, engine).unwrap_or(edge.is_near);
        }
        self.becomes(self.edges.iter().any(|edge| edge.is_near), readable);
    }

    fn becomes(&mut self, is_near: bool, readable: &mut [Readable]) {
        if std::mem::replace(&mut self.is_near, is_near) == is_near {
            return;
        }
        for position in &self.read {
            let Readable { wanted, wishes } = &mut readable[*position];
            *wishes = if is_near { *wishes + 1 } else { *wishes - 1 };
            wanted.set(*wishes > 0);
        }
    }
}

/// Of every mode: which one holds is not asked, and a wish for the limit of another is one too many.
fn borders(rule: &Rule) -> impl Iterator<Item = Border> {
    let of_modes = rule.by_mode.iter().filter_map(|(_, change)| match change {
        ModeRule::Limit(limit) => Some(rule.condition.with_limit(*limit)),
        ModeRule::Suppressed => None,
    });
    of_modes.chain([rule.condition.clone()]).filter_map(|condition| border(&condition))
}

fn border(condition: &Condition) -> Option<Border> {
    match condition {
        Condition::HighHigh { limit, .. } | Condition::High { limit, .. } => Some(Border::Above(*limit)),
        Condition::Low { limit, .. } | Condition::LowLow { limit, .. } => Some(Border::Below(*limit)),
        Condition::Rising { limit_per_min, .. } => Some(Border::Rate(*limit_per_min)),
        Condition::Falling { limit_per_min, .. } => Some(Border::Rate(-limit_per_min)),
        Condition::Deviation { limit, .. } => Some(Border::Deviation(*limit)),
        Condition::SensorFault | Condition::Frozen { .. } | Condition::Stuck { .. } | Condition::Discrete { .. } => {
            None
        }
    }
}

#[cfg(test)]
mod tests;
