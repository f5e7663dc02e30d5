//! What expressions look up: strapping tables of vessels, and critical quantities of substances.

use serde::Deserialize;
use std::sync::LazyLock;

/// Level to volume, or anything else that is measured point by point: straight lines between, nothing beyond the ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Table(Vec<(f64, f64)>);

/// Why a table was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Fewer than two or more than 2,000 rows.
    Size,
    /// A number that is none.
    NotFinite,
    /// The first column must rise from row to row.
    NotRising,
    /// The second column must not fall.
    Falling,
}

impl Table {
    /// Checks rows of (level, volume).
    /// # Errors
    /// What is wrong with them.
    pub fn new(rows: Vec<(f64, f64)>) -> Result<Self, TableError> {
        if !(2..=2000).contains(&rows.len()) {
            return Err(TableError::Size);
        }
        if rows.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
            return Err(TableError::NotFinite);
        }
        if rows.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(TableError::NotRising);
        }
        if rows.windows(2).any(|pair| pair[0].1 > pair[1].1) {
            return Err(TableError::Falling);
        }
        Ok(Self(rows))
    }

    /// The volume at a level; `None` outside of the table, where nobody has measured.
    #[must_use]
    pub fn at(&self, level: f64) -> Option<f64> {
        let above = self.0.partition_point(|(x, _)| *x < level);
        let (x1, y1) = *self.0.get(above)?;
        if above == 0 {
            return (level >= x1).then_some(y1);
        }
        let (x0, y0) = self.0[above - 1];
        Some(y0 + (level - x0) / (x1 - x0) * (y1 - y0))
    }
}

/// A substance with its critical quantity, as data with its basis.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substance {
    pub key: String,
    pub zh: String,
    pub en: String,
    pub cas: String,
    /// Critical quantity Q, tonnes.
    pub critical_t: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    #[allow(dead_code, reason = "stands in the file for the person who checks it")]
    basis: String,
    #[allow(dead_code, reason = "as above")]
    version: String,
    #[allow(dead_code, reason = "as above")]
    checked: bool,
    substance: Vec<Substance>,
}

static SUBSTANCES: LazyLock<Vec<Substance>> = LazyLock::new(|| {
    let text = include_str!("../../presets/critical-quantities.toml");
    toml::from_str::<Preset>(text).expect("a test reads the embedded preset").substance
});

/// A substance by its key.
#[must_use]
pub fn substance(key: &str) -> Option<&'static Substance> {
    SUBSTANCES.iter().find(|s| s.key == key)
}

/// All keys, for messages.
#[must_use]
pub fn substance_keys() -> String {
    SUBSTANCES.iter().map(|s| s.key.as_str()).collect::<Vec<_>>().join(" ")
}
