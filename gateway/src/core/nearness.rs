//! Which values near a limit, and are to be read more often.
//!
//! Owns the wish for a point's `fast_period_ms`; the bus follows it. Decides no alarm: a wish too many costs a few bytes on the bus.

use devices::{BusSpec, Wanted};
use rules::book::{Condition, ModeRule, Rule};
use rules::{RuleBook, Sample};

/// Of the measuring range: a value that close to a limit, or beyond it, is read fast …
const NEAR: f64 = 0.05;
/// … until it is that far away again.
const FAR: f64 = 0.10;

struct Watched {
    wanted: Wanted,
    /// Limit, and whether alarms lie above it.
    limits: Vec<(f64, bool)>,
    range: f64,
}

/// The points that have a fast period, by index.
#[derive(Default)]
pub struct Nearness(Vec<Option<Watched>>);

impl Nearness {
    /// Of all points that have a fast period and a limit.
    #[must_use]
    pub fn of(book: &RuleBook, buses: &[BusSpec]) -> Self {
        let mut points: Vec<Option<Watched>> = Vec::new();
        for binding in buses.iter().flat_map(|b| &b.devices).flat_map(|d| d.points.iter()) {
            let (Some(fast), index) = (&binding.fast, binding.point.index()) else { continue };
            let point = &book.points()[index];
            let limits = limits(book, &point.key);
            let watched = Watched { wanted: fast.wanted.clone(), limits, range: point.range.1 - point.range.0 };
            points.resize_with(points.len().max(index + 1), || None);
            points[index] = Some(watched);
        }
        Self(points)
    }

    /// Other limits for the same points.
    pub(super) fn follow(&mut self, book: &RuleBook) {
        for (watched, point) in self.0.iter_mut().zip(book.points()) {
            if let Some(watched) = watched {
                watched.limits = limits(book, &point.key);
            }
        }
    }

    /// Looks at new readings. One without a value changes no wish.
    pub(super) fn look(&self, samples: &[Sample]) {
        if self.0.is_empty() {
            return;
        }
        for sample in samples {
            let watched = self.0.get(sample.point.index()).and_then(Option::as_ref);
            if let (Some(watched), Some(value)) = (watched, sample.reading.value()) {
                watched.look(value);
            }
        }
    }
}

impl Watched {
    fn look(&self, value: f64) {
        let margin = self.range * if self.wanted.get() { FAR } else { NEAR };
        let near =
            |&(limit, above): &(f64, bool)| if above { value >= limit - margin } else { value <= limit + margin };
        self.wanted.set(self.limits.iter().any(near));
    }
}

/// Of every mode: which one holds is not asked, and a wish for the limit of another is one too many.
fn limits(book: &RuleBook, point: &str) -> Vec<(f64, bool)> {
    let of_modes = |r: &Rule| -> Vec<Condition> {
        let limit = |change: &ModeRule| match change {
            ModeRule::Limit(limit) => Some(r.condition.with_limit(*limit)),
            ModeRule::Suppressed => None,
        };
        r.by_mode.iter().filter_map(|(_, change)| limit(change)).collect()
    };
    let all = |r: &Rule| [of_modes(r), vec![r.condition.clone()]].concat();
    book.rules().iter().filter(|r| r.point == point).flat_map(all).filter_map(|c| limit(&c)).collect()
}

fn limit(condition: &Condition) -> Option<(f64, bool)> {
    match condition {
        Condition::HighHigh { limit, .. } | Condition::High { limit, .. } => Some((*limit, true)),
        Condition::Low { limit, .. } | Condition::LowLow { limit, .. } => Some((*limit, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_near_a_limit_is_wanted_fast_until_it_is_far_again() {
        let wanted = Wanted::default();
        let watched = Watched { wanted: wanted.clone(), limits: vec![(25.0, true), (2.0, false)], range: 100.0 };
        for (value, fast) in [(10.0, false), (19.9, false), (20.0, true), (16.0, true), (14.9, false), (30.0, true)] {
            watched.look(value);
            assert_eq!(wanted.get(), fast, "{value}");
        }
        watched.look(13.0);
        watched.look(6.0);
        assert!(wanted.get());
    }

    #[test]
    fn the_limits_of_a_mode_are_neared_as_well() {
        let text = "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
             [[link]]\nkey = \"l\"\ntcp = \"192.0.2.1:502\"\n\
             [[device]]\nkey = \"CARD\"\nlink = \"l\"\nunit = 1\nprofile = \"adam-4117\"\narea = \"A1\"\n\
             [[point]]\nkey = \"PT-1\"\nname = \"压力\"\nname_en = \"Pressure\"\ndevice = \"CARD\"\nfield = \"channel_0\"\n\
             kind = \"pressure\"\nunit = \"kPa\"\nrange = [0, 100]\nsignal_span = [0, 100]\nfast_period_ms = 500\n\
             limits.H = { limit = 80, priority = 3, modes = { stopped = 20, maintenance = \"suppressed\" } }\n\
             [[unit]]\nkey = \"U\"\nname = \"装置\"\nname_en = \"Unit\"\npoints = [\"PT-1\"]\n";
        let checked = crate::config::site_from_text("site.toml", text, |_| ());
        let site = checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        let nearness = Nearness::of(&site.book, &site.buses);
        let watched = nearness.0[0].as_ref().unwrap();
        for (value, fast) in [(5.0, false), (16.0, true), (5.0, false), (90.0, true)] {
            watched.look(value);
            assert_eq!(watched.wanted.get(), fast, "{value}");
        }
    }
}
