//! Derived points at work: with the end of a cycle that brought an input, what follows from it is computed and joins that scan. Not
//! earlier: the other inputs of the device are still those of the cycle before.
//!
//! Owns the latest reading of every input. A derived value is as old as its newest input; an input older than its `max_age` makes
//! it stale. Leaves the language to `devices::derive`.

use devices::derive::Expression;
use rules::{DeviceId, Fault, Mono, PointId, Reading, RuleBook, Sample};
use std::time::Duration;

struct Rule {
    point: PointId,
    expression: Expression,
    inputs: Vec<PointId>,
}

/// All derived points, each after those it needs.
#[derive(Default)]
pub struct Derived {
    rules: Vec<Rule>,
    /// By index of the point; only inputs are kept.
    latest: Vec<Option<Sample>>,
    max_age: Vec<Duration>,
    is_input: Vec<bool>,
    /// Inputs that have come and were not computed with yet.
    fresh: Vec<bool>,
    device: Vec<DeviceId>,
    /// When each derived value was computed for last; none is told twice for one time.
    told: Vec<Option<Mono>>,
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
            Rule { point, expression, inputs }
        };
        let rules: Vec<Rule> = expressions.into_iter().map(rule).collect();
        let device =
            |p: &rules::book::Point| book.device_id(&p.device).expect("the configuration has checked every name");
        let mut is_input = vec![false; book.points().len()];
        rules.iter().flat_map(|r| &r.inputs).for_each(|p| is_input[p.index()] = true);
        Self {
            told: vec![None; rules.len()],
            rules,
            latest: vec![None; book.points().len()],
            max_age: book.points().iter().map(|p| p.max_age).collect(),
            fresh: vec![false; is_input.len()],
            is_input,
            device: book.points().iter().map(device).collect(),
        }
    }

    /// Other ages at which the same inputs are stale.
    pub(super) fn follow_ages(&mut self, book: &RuleBook) {
        if !self.rules.is_empty() {
            self.max_age = book.points().iter().map(|p| p.max_age).collect();
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
        if !ends_cycle {
            return;
        }
        let mut came: Vec<bool> =
            self.fresh.iter().zip(&self.device).map(|(fresh, d)| *fresh && *d == device).collect();
        for index in 0..self.rules.len() {
            let Some(sample) = self.computed(index, &came) else { continue };
            self.keep(sample);
            came[sample.point.index()] = true;
            samples.push(sample);
        }
        self.fresh.iter_mut().zip(came).for_each(|(fresh, came)| *fresh &= !came);
    }

    fn computed(&mut self, index: usize, came: &[bool]) -> Option<Sample> {
        let rule = &self.rules[index];
        let newest = rule.inputs.iter().filter(|p| came[p.index()]).filter_map(|p| self.latest[p.index()]);
        let at =
            newest.map(|s| s.at).max_by_key(|at| at.mono).filter(|at| self.told[index].is_none_or(|t| at.mono > t))?;
        let readings: Vec<Reading> = rule.inputs.iter().map(|p| self.reading(*p, at)).collect();
        let sample = Sample { point: rule.point, reading: rule.expression.evaluate(&readings), at };
        self.told[index] = Some(at.mono);
        Some(sample)
    }

    fn keep(&mut self, sample: Sample) {
        let index = sample.point.index();
        if self.is_input.get(index).copied().unwrap_or(false) {
            self.latest[index] = Some(sample);
            self.fresh[index] = true;
        }
    }

    fn reading(&self, point: PointId, now: rules::Now) -> Reading {
        let index = point.index();
        match self.latest[index] {
            None => Reading::Bad(Fault::NeverRead),
            Some(sample) if now.mono.since(sample.at.mono) > self.max_age[index] => Reading::Bad(Fault::Stale),
            Some(sample) => sample.reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site_from_text;
    use rules::{Finite, Mono, Now, Wall};

    const SITE: &str = r#"
        [site]
        key = "s"
        name = "站"
        name_en = "site"
        [[area]]
        key = "A1"
        name = "区"
        name_en = "area"
        [[link]]
        key = "bus"
        tcp = "10.0.0.1:502"
        [[device]]
        key = "D1"
        link = "bus"
        unit = 1
        profile = "tank-f32"
        area = "A1"
        [[strapping]]
        key = "tank"
        rows = [[0.0, 0.0], [50.0, 20.0], [100.0, 50.0]]
        [[point]]
        key = "LT-1"
        name = "液位"
        name_en = "level"
        device = "D1"
        field = "level_a"
        kind = "level"
        range = [0, 100]
        [[point]]
        key = "LT-2"
        name = "液位"
        name_en = "level"
        device = "D1"
        field = "level_b"
        kind = "level"
        range = [0, 100]
        [[point]]
        key = "Q-1"
        name = "实时存量比"
        name_en = "live q/Q"
        expression = "{V-1} * 0.6 / critical(ammonia)"
        kind = "other"
        range = [0, 10]
        [[point]]
        key = "V-1"
        name = "容积"
        name_en = "volume"
        expression = "table(tank, {LT-1}) + table(tank, {LT-2})"
        kind = "other"
        unit = "m3"
        range = [0, 100]
    "#;

    fn sample(point: PointId, value: f64, seconds: u64) -> Sample {
        let at = Now { mono: Mono(seconds * 1_000_000_000), wall: Wall::default() };
        Sample { point, reading: Reading::Good(Finite::new(value).unwrap()), at }
    }

    #[test]
    fn what_follows_from_a_scan_joins_it_in_the_order_of_need() {
        let checked = site_from_text("t", SITE, |_| {});
        assert!(checked.value.is_some(), "{:?}", checked.diagnostics);
        let site = checked.value.unwrap();
        let id = |key: &str| site.book.point_id(key).unwrap();
        let mut derived = Derived::of(&site.book, site.derived.clone());
        let d1 = site.book.device_id("D1").unwrap();
        let mut first = vec![sample(id("LT-1"), 50.0, 1)];
        derived.follow(d1, &mut first, true);
        assert_eq!(first.len(), 3);
        assert!(first[1..].iter().all(|s| s.reading == Reading::Bad(Fault::NeverRead)), "{first:?}");

        let mut second = vec![sample(id("LT-2"), 75.0, 2)];
        derived.follow(d1, &mut second, true);
        let value = |key: &str| second.iter().find(|s| s.point == id(key)).unwrap().reading.value().unwrap();
        assert!((value("V-1") - 55.0).abs() < 1e-9 && (value("Q-1") - 3.3).abs() < 1e-9);
        assert_eq!(second[1].at.mono, Mono(2_000_000_000));

        // LT-1 was last read at 1 s, and may be three periods old
        let mut late = vec![sample(id("LT-2"), 75.0, 9)];
        derived.follow(d1, &mut late, true);
        assert!(late[1..].iter().all(|s| s.reading == Reading::Bad(Fault::Stale)), "{late:?}");
    }

    #[test]
    fn a_cycle_told_in_parts_is_computed_once_at_its_end_with_nothing_of_the_cycle_before() {
        let site = site_from_text("t", SITE, |_| {}).value.unwrap();
        let (d1, id) = (site.book.device_id("D1").unwrap(), |key: &str| site.book.point_id(key).unwrap());
        let mut derived = Derived::of(&site.book, site.derived.clone());
        let mut told = Vec::new();
        for (second, level) in [(1, 0.0), (2, 50.0)] {
            // Both were read with one request at the same time; a status read later holds back the second.
            for (point, ends_cycle) in [("LT-1", false), ("LT-2", true)] {
                let mut part = vec![sample(id(point), level, second)];
                derived.follow(d1, &mut part, ends_cycle);
                told.extend(part.iter().filter(|s| s.point == id("V-1")).map(|s| s.reading.value().unwrap()));
            }
        }
        assert_eq!(told, [0.0, 40.0]);
    }

    #[test]
    fn a_scan_without_inputs_gets_nothing() {
        let site = site_from_text("t", SITE, |_| {}).value.unwrap();
        let mut derived = Derived::of(&site.book, site.derived.clone());
        let mut none = Vec::new();
        derived.follow(site.book.device_id("D1").unwrap(), &mut none, true);
        assert!(none.is_empty());
    }

    #[test]
    fn check_names_every_defect_of_an_expression_once_and_with_its_place() {
        for (from, to, told) in [
            ("{V-1} * 0.6", "{V-9} * 0.6", "there is no point `V-9`"),
            ("{V-1} * 0.6", "{Q-1} * 0.6", "need each other: Q-1"),
            ("{V-1} * 0.6 / critical(ammonia)", "{V-1} > 3", "does not give this kind"),
            ("{V-1} * 0.6 / critical(ammonia)", "1 + 2", "uses no point"),
            ("[50.0, 20.0]", "[0.0, 20.0]", "must rise from row to row"),
            ("table(tank, {LT-1})", "table(pond, {LT-1})", "no strapping table `pond`"),
            ("field = \"level_a\"", "", "the key `field` is missing"),
            ("expression = \"{V-1}", "device = \"D1\"\nexpression = \"{V-1}", "either read or computed"),
        ] {
            let checked = site_from_text("t", &SITE.replace(from, to), |_| {});
            let found: Vec<&str> = checked.diagnostics.iter().map(|d| d.message_en.as_str()).collect();
            assert!(checked.value.is_none() && found.iter().any(|m| m.contains(told)), "{to}: {found:?}");
            let others = found.iter().filter(|m| !m.contains(told)).count();
            assert!(others == 0 || told.contains("must rise"), "{to}: {found:?}");
        }
    }
}
