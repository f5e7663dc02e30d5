//! The scenarios that run now and for how long each has.

use crate::scenario::Scenario;
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub(super) struct Mishaps(Vec<(Scenario, f64)>);

impl Mishaps {
    /// One that runs already begins again.
    pub(super) fn start(&mut self, scenario: Scenario) {
        self.0.retain(|(other, _)| *other != scenario);
        self.0.push((scenario, 0.0));
    }

    pub(super) fn stop_all(&mut self) {
        self.0.clear();
    }

    pub(super) fn step(&mut self, dt_s: f64) {
        self.0.iter_mut().for_each(|(_, elapsed_s)| *elapsed_s += dt_s);
        self.0.retain(|(scenario, elapsed_s)| *elapsed_s < scenario.lasts().as_secs_f64());
    }

    pub(super) fn all(&self) -> Vec<Scenario> {
        self.0.iter().map(|(scenario, _)| *scenario).collect()
    }

    pub(super) fn running(&self, scenario: Scenario) -> bool {
        self.0.iter().any(|(other, _)| *other == scenario)
    }

    /// Until it ends by itself.
    pub(super) fn left(&self, scenario: Scenario) -> Option<Duration> {
        let (_, elapsed_s) = self.0.iter().find(|(other, _)| *other == scenario)?;
        Some(scenario.lasts().saturating_sub(Duration::from_secs_f64(*elapsed_s)))
    }

    /// Whether it runs and began less than `seconds` ago.
    pub(super) fn within(&self, scenario: Scenario, seconds: f64) -> bool {
        self.0.iter().any(|(other, elapsed_s)| *other == scenario && *elapsed_s < seconds)
    }
}
