//! Derived points at work: with the end of a cycle that brought an input, what follows from it is computed and joins that scan. Not
//! earlier: the other inputs of the device are still those of the cycle before.
//!
//! Owns the latest reading of every input, and which inputs of a device have come: a cycle costs by what it brought, not by the size of
//! the site. A derived value is as old as its newest input; an input older than its `max_age` makes it stale. Leaves the language to
//! `devices::derive`.

use devices::derive::Expression;
use rules::{DeviceId, Fault, Mono, Now, PointId, Reading, RuleBook, Sample};
use std::collections::BTreeSet;
use std::time::Duration;

struct Rule {
    point: PointId,
    expression: Expression,
    inputs: Vec<PointId>,
    /// When its value was computed for last; none is told twice for one time.
    told: Option<Mono>,
}

/// A point that others are computed from.
struct Input {
    device: DeviceId,
    max_age: Duration,
    latest: Option<Sample>,
    /// Has come and was not computed with yet.
    is_fresh: bool,
    /// Is of the cycle that is being computed with.
    came: bool,
    /// Positions of the rules that need it.
    rules: Vec<usize>,
}

/// All derived points, each after those it needs.
#[derive(Default)]
pub struct Derived {
    rules: Vec<Rule>,
    /// By index of the point.
    inputs: Vec<Option<Box<Input>>>,
    /// By index of the device: its inputs that are fresh.
    fresh: Vec<Vec<PointId>>,
}

impl Derived {
    /// From checked expressions in the order in which they must be computed.
    #[must_use]
    pub fn of(book: &RuleBook, expressions: Vec<(PointId, Expression)>) -> Self {
        if expressions.is_empty() {
            return Self::default();
        }
        let id = |key: &String| book.point_id(key).expect("the configuration has checked every name");
        let rule = |(point, expression): (PointId, Expression)| {
            let inputs = expression.inputs().iter().map(id).collect();
            Rule { point, expression, inputs, told: None }
        };
        let rules: Vec<Rule> = expressions.into_iter().map(rule).collect();
        let mut inputs: Vec<Option<Box<Input>>> = book.points().iter().map(|_| None).collect();
        for (position, rule) in rules.iter().enumerate() {
            for point in &rule.inputs {
                let input = inputs[point.index()].get_or_insert_with(|| Box::new(Input::of(book, *point)));
                input.rules.push(position);
            }
        }
        Self { rules, inputs, fresh: vec![Vec::new(); book.devices().len()] }
    }

    /// Other ages at which the same inputs are stale.
    pub(super) fn follow_ages(&mut self, book: &RuleBook) {
        for (input, point) in self.inputs.iter_mut().zip(book.points()) {
            if let Some(input) = input {
                input.max_age = point.max_age;
            }
        }
    }

    /// Adds to a scan of `device` what follows from its cycle, with the last part of it.
    pub(super) fn follow(&mut self, device: DeviceId, samples: &mut Vec<Sample>, ends_cycle: bool) {
        if self.rules.is_empty() {
            return;
        }
        for sample in samples.iter() {
            self.keep(*sample);
        }
        if ends_cycle {
            self.compute(device, samples);
        }
    }

    fn keep(&mut self, sample: Sample) {
        let Some(Some(input)) = self.inputs.get_mut(sample.point.index()) else { return };
        input.latest = Some(sample);
        if !std::mem::replace(&mut input.is_fresh, true) {
            self.fresh[input.device.index()].push(sample.point);
        }
    }

    /// The first rule that is due needs nothing of those behind it, so none is computed twice.
    fn compute(&mut self, device: DeviceId, samples: &mut Vec<Sample>) {
        let mut came = std::mem::take(&mut self.fresh[device.index()]);
        let mut due = BTreeSet::new();
        came.iter().for_each(|point| self.comes(*point, &mut due));
        while let Some(position) = due.pop_first() {
            let Some(sample) = self.computed(position) else { continue };
            samples.push(sample);
            if let Some(input) = &mut self.inputs[sample.point.index()] {
                input.latest = Some(sample);
                came.push(sample.point);
                self.comes(sample.point, &mut due);
            }
        }
        for point in came.drain(..) {
            self.inputs[point.index()].iter_mut().for_each(|input| input.came = false);
        }
        self.fresh[device.index()] = came; // empty, with its room
    }

    fn comes(&mut self, point: PointId, due: &mut BTreeSet<usize>) {
        let Some(input) = &mut self.inputs[point.index()] else { return };
        (input.is_fresh, input.came) = (false, true);
        due.extend(&input.rules);
    }

    fn computed(&mut self, position: usize) -> Option<Sample> {
        let rule = &self.rules[position];
        let came = rule.inputs.iter().filter_map(|p| self.inputs[p.index()].as_ref()).filter(|input| input.came);
        let newest = came.filter_map(|input| input.latest).map(|s| s.at).max_by_key(|at| at.mono);
        let at = newest.filter(|at| rule.told.is_none_or(|told| at.mono > told))?;
        let readings: Vec<Reading> = rule.inputs.iter().map(|p| self.reading(*p, at)).collect();
        let sample =
            Sample { point: rule.point, reading: rule.expression.evaluate(&readings), raw: rules::Raw::NONE, at };
        self.rules[position].told = Some(at.mono);
        Some(sample)
    }

    fn reading(&self, point: PointId, now: Now) -> Reading {
        self.inputs[point.index()].as_ref().map_or(Reading::Bad(Fault::NeverRead), |input| input.reading(now))
    }
}

impl Input {
    fn of(book: &RuleBook, id: PointId) -> Self {
        let point = &book.points()[id.index()];
        let device = book.device_id(&point.device).expect("the configuration has checked every name");
        Self { device, max_age: point.max_age, latest: None, is_fresh: false, came: false, rules: Vec::new() }
    }

    fn reading(&self, now: Now) -> Reading {
        match self.latest {
            None => Reading::Bad(Fault::NeverRead),
            Some(sample) if now.mono.since(sample.at.mono) > self.max_age => Reading::Bad(Fault::Stale),
            Some(sample) => sample.reading,
        }
    }
}

#[cfg(test)]
mod tests;
