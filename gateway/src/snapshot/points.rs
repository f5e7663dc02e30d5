//! The fixed parts of all points, read out of the rule book when somebody looks. Owns no copy: of 20,000 points it would be 4 MB.

use rules::book::{Point, PointKind};
use rules::{RuleBook, Text};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// The points of a site, in the order of the rule book.
#[derive(Clone, Debug)]
pub struct Points {
    book: RuleBook,
    /// The unit of the plant that a point belongs to, by numbers; empty for a site without units.
    units: Arc<[Option<usize>]>,
}

impl Points {
    /// Of a checked site.
    #[must_use]
    pub fn of(book: RuleBook) -> Self {
        let units = book.plant_units();
        let mut of_point = vec![None; if units.is_empty() { 0 } else { book.points().len() }];
        for (k, unit) in units.iter().enumerate() {
            unit.points.iter().filter_map(|key| book.point_id(key)).for_each(|p| of_point[p.index()] = Some(k));
        }
        Self { book, units: of_point.into() }
    }
    /// The rules they are read out of.
    #[must_use]
    pub fn book(&self) -> &RuleBook {
        &self.book
    }
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.book.points().len()
    }
    /// A site without points has instruments at most.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.book.points().is_empty()
    }
    /// The point of that number.
    #[must_use]
    pub fn get(&self, n: usize) -> Option<PointView> {
        self.book.points().get(n).map(|point| self.view(n, point))
    }
    /// The point of that tag.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<PointView> {
        self.number(key).and_then(|n| self.get(n))
    }
    /// Its number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<usize> {
        self.book.point_id(key).map(rules::PointId::index)
    }
    /// The unit of the plant whose mode may hide what this point calls.
    #[must_use]
    pub fn plant_unit(&self, key: &str) -> Option<&str> {
        let k = self.units.get(self.number(key)?).copied().flatten()?;
        self.book.plant_units().get(k).map(|unit| unit.key.as_str())
    }
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = PointView> {
        self.book.points().iter().enumerate().map(|(n, point)| self.view(n, point))
    }

    fn view(&self, n: usize, p: &Point) -> PointView {
        let limit = |r: &rules::book::Rule| Some((r.condition.word(), r.condition.limit()?));
        PointView {
            key: p.key.clone(),
            name: p.name.clone(),
            name_en: p.name_en.clone(),
            area: p.area.clone(),
            device: p.device.clone(),
            kind: kind_word(p.kind),
            unit: p.unit.clone(),
            range: p.range,
            decimals: p.decimals,
            period_ms: u64::try_from(p.period.as_millis()).unwrap_or(u64::MAX),
            position: p.position,
            limits: self.book.rules_of(n).filter_map(limit).collect(),
        }
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A point's fixed part.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PointView {
    #[schemars(with = "String")]
    pub key: Text,
    #[schemars(with = "String")]
    pub name: Text,
    #[schemars(with = "String")]
    pub name_en: Text,
    #[schemars(with = "String")]
    pub area: Text,
    #[schemars(with = "String")]
    pub device: Text,
    /// `gas`, `pressure`, …
    pub kind: &'static str,
    #[schemars(with = "String")]
    pub unit: Text,
    pub range: (f64, f64),
    pub decimals: u8,
    pub period_ms: u64,
    pub position: Option<(f64, f64)>,
    /// Limits that exist: `[("HH", 50.0), ("H", 25.0)]`.
    pub limits: Vec<(&'static str, f64)>,
}

fn kind_word(kind: PointKind) -> &'static str {
    match kind {
        PointKind::Gas => "gas",
        PointKind::Pressure => "pressure",
        PointKind::Temperature => "temperature",
        PointKind::Level => "level",
        PointKind::Flow => "flow",
        PointKind::Speed => "speed",
        PointKind::Percent => "percent",
        PointKind::State => "state",
        PointKind::Other => "other",
    }
}

/// Points for the tests of those who show them.
#[cfg(test)]
pub(crate) mod fixture {
    use super::Points;
    use rules::book::{BookParts, Condition, Device, LimitsBy, Point, PointKind, Rule};
    use rules::{RuleBook, Text};
    use std::time::Duration;

    /// A gas point of an instrument `d` in the area `a`, with an HH.
    pub(crate) fn gas(key: &str, names: (&str, &str), unit: &str, hh: f64) -> (Point, Rule) {
        let point = Point {
            key: key.into(),
            name: names.0.into(),
            name_en: names.1.into(),
            area: "a".into(),
            device: "d".into(),
            kind: PointKind::Gas,
            substance: None,
            limits_by: LimitsBy::default(),
            computed: false,
            unit: unit.into(),
            range: (0.0, hh * 2.0),
            decimals: 1,
            period: Duration::from_secs(1),
            fast_period: None,
            max_age: Duration::from_secs(3),
            position: None,
        };
        let condition = Condition::HighHigh { limit: hh, deadband: 0.1 };
        (point, Rule { point: key.into(), condition, priority: 3, ..Rule::default() })
    }

    pub(crate) fn points(of: impl IntoIterator<Item = (Point, Rule)>) -> Points {
        let (points, rules): (Vec<Point>, Vec<Rule>) = of.into_iter().unzip();
        let mut keys: Vec<Text> = points.iter().map(|p| p.device.clone()).collect();
        keys.sort();
        keys.dedup();
        let device = |key: Text| Device {
            key: key.to_string(),
            name: key.to_string(),
            area: "a".into(),
            comms_timeout: Duration::from_secs(5),
            priority: 3,
        };
        let devices = keys.into_iter().map(device).collect();
        let parts = BookParts { devices, points, rules, ..BookParts::default() };
        Points::of(RuleBook::build(parts).unwrap_or_else(|defects| panic!("{defects:?}")).0)
    }
}
