//! What every instrument really read, all the hour long, and whether a stored sample was ever true.
//!
//! Knows each instrument's resolution; a value older than a late answer can be is not excused.

use sim::Plant;
use std::time::Duration;

pub(crate) const TICK: Duration = Duration::from_millis(100);
/// The latest answer that a link may take for its own question's: a repeat after two time-outs.
const OLDEST: Duration = Duration::from_secs(2);

/// True values by point and tick.
#[derive(Debug)]
pub(crate) struct Course {
    points: Vec<(String, Vec<f64>)>,
}

impl Course {
    /// Of those of `keys` that the plant has.
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a str>, plant: &Plant) -> Self {
        let has = |key: &&str| plant.value(key).is_some();
        Self { points: keys.filter(has).map(|key| (key.to_owned(), Vec::new())).collect() }
    }

    pub(crate) fn note(&mut self, plant: &Plant) {
        for (key, values) in &mut self.points {
            values.extend(plant.value(key));
        }
    }

    /// Whether the point read `value` shortly before `at`; a point that the course does not have is taken at its word.
    pub(crate) fn had(&self, point: &str, at: Duration, value: f64) -> bool {
        let Some((_, values)) = self.points.iter().find(|(key, _)| key == point) else { return true };
        let tick = |time: Duration| usize::try_from(time.as_millis() / TICK.as_millis()).unwrap();
        let to = (tick(at) + 2).min(values.len());
        let from = tick(at.saturating_sub(OLDEST)).min(to);
        values[from..to].iter().any(|real| (real - value).abs() <= resolution(point))
    }
}

/// Half the last digit of what goes over the wire, and a little for the arithmetic.
fn resolution(point: &str) -> f64 {
    let digit = match point {
        "WD-001" | "UPS-001B" => 1.0,
        "PS-601" => 0.001,
        _ if point.starts_with("GT-3") || point.starts_with("PT-2") => 0.01,
        _ if ["GT-1", "GD-", "TT-2", "WS-"].iter().any(|start| point.starts_with(start)) => 0.1,
        // Single precision.
        _ => 0.00001,
    };
    digit * 0.501
}
