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

/// Something to come near to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Edge {
    /// Alarms lie above it, or below.
    Limit {
        limit: f64,
        above: bool,
    },
    /// Of the rule with this number; the rate downwards is negative.
    Rate {
        rule: usize,
        limit: f64,
    },
    Deviation {
        rule: usize,
        limit: f64,
    },
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
        watched.iter_mut().flatten().for_each(|watched| watched.edges.clear());
        for (number, rule) in book.rules().iter().enumerate() {
            let point = book.point_id(&rule.point);
            let watched = point.and_then(|point| watched.get_mut(point.index())).and_then(Option::as_mut);
            watched.into_iter().for_each(|watched| watched.edges.extend(edges(number, rule)));
        }
        let without = watched.iter_mut().flatten().filter(|watched| watched.edges.is_empty());
        without.for_each(|watched| watched.becomes(false, readable));
    }

    /// Looks at new readings, which the engine has taken. One without a value changes no wish.
    pub(super) fn look(&mut self, samples: &[Sample], engine: &Engine) {
        let Self { watched, readable } = self;
        if watched.is_empty() {
            return;
        }
        for sample in samples {
            let watched = watched.get_mut(sample.point.index()).and_then(Option::as_mut);
            if let (Some(watched), Some(value)) = (watched, sample.reading.value()) {
                watched.look(value, |rule| engine.judged(rule, value), readable);
            }
        }
    }
}

impl Watched {
    /// `judged` is the slope or the difference that a rule holds against its limit; where there is none, the wish stays as it is.
    fn look(&mut self, value: f64, judged: impl Fn(usize) -> Option<f64>, readable: &mut [Readable]) {
        let mut is_near = false;
        for edge in &self.edges {
            is_near |= self.nears(*edge, value, &judged).unwrap_or(self.is_near);
        }
        self.becomes(is_near, readable);
    }

    fn nears(&self, edge: Edge, value: f64, judged: &impl Fn(usize) -> Option<f64>) -> Option<bool> {
        let margin = self.range * LIMIT.at(self.is_near);
        match edge {
            Edge::Limit { limit, above: true } => Some(value >= limit - margin),
            Edge::Limit { limit, above: false } => Some(value <= limit + margin),
            Edge::Rate { rule, limit } => {
                judged(rule).map(|slope| slope * limit.signum() >= limit.abs() * RATE.at(self.is_near))
            }
            Edge::Deviation { rule, limit } => judged(rule).map(|off| off.abs() >= limit * DEVIATION.at(self.is_near)),
        }
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
fn edges(number: usize, rule: &Rule) -> impl Iterator<Item = Edge> {
    let of_modes = rule.by_mode.iter().filter_map(|(_, change)| match change {
        ModeRule::Limit(limit) => Some(rule.condition.with_limit(*limit)),
        ModeRule::Suppressed => None,
    });
    of_modes.chain([rule.condition.clone()]).filter_map(move |condition| edge(number, &condition))
}

fn edge(rule: usize, condition: &Condition) -> Option<Edge> {
    match condition {
        Condition::HighHigh { limit, .. } | Condition::High { limit, .. } => {
            Some(Edge::Limit { limit: *limit, above: true })
        }
        Condition::Low { limit, .. } | Condition::LowLow { limit, .. } => {
            Some(Edge::Limit { limit: *limit, above: false })
        }
        Condition::Rising { limit_per_min, .. } => Some(Edge::Rate { rule, limit: *limit_per_min }),
        Condition::Falling { limit_per_min, .. } => Some(Edge::Rate { rule, limit: -limit_per_min }),
        Condition::Deviation { limit, .. } => Some(Edge::Deviation { rule, limit: *limit }),
        Condition::SensorFault | Condition::Frozen { .. } | Condition::Stuck { .. } | Condition::Discrete { .. } => {
            None
        }
    }
}

#[cfg(test)]
mod tests;
