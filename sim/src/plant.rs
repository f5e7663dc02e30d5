//! A simulated site: what every instrument would read, as a function of time passed and the scenarios running.
//!
//! ```text
//!   weather ─┐
//!            ├─► chemical │ cold_store │ mine ──truth──► + noise of the instrument ──► reading, unless a test holds the tag
//!   mishaps ─┘      made of tanks, clouds, rooms
//! ```
//!
//! Owns time and which tag is held. Has no clock: time passes when [`Plant::advance`] says so, in whole steps, so that a
//! course depends on the seed and the time passed and not on how it was sliced. Knows no Modbus.

mod ammonia;
mod chemical;
mod cloud;
mod cold_store;
mod methanol;
mod mine;
mod mishaps;
mod noise;
mod room;
#[cfg(test)]
mod tests;
mod vapour;
mod weather;

use crate::prng::Prng;
use crate::scenario::Scenario;
use crate::site::SiteName;
use chemical::Chemical;
use cold_store::ColdStore;
use mine::Mine;
use mishaps::Mishaps;
use noise::{Noise, Tag};
use std::collections::BTreeMap;
use std::time::Duration;

/// Short beside the quickest thing here, a jet of 2 ppm each second.
const STEP: Duration = Duration::from_millis(100);
const STEP_S: f64 = 0.1;

#[derive(Clone, Debug)]
enum Process {
    Chemical(Box<Chemical>),
    ColdStore(ColdStore),
    Mine(Mine),
}

impl Process {
    fn of(site: SiteName) -> Self {
        match site {
            SiteName::Chemical => Self::Chemical(Box::new(Chemical::new())),
            SiteName::ColdStore => Self::ColdStore(ColdStore::new()),
            SiteName::Mine => Self::Mine(Mine::new()),
        }
    }

    fn step(&mut self, mishaps: &Mishaps, prng: &mut Prng) {
        match self {
            Self::Chemical(site) => {
                site.weather().step(STEP_S, prng);
                site.step(STEP_S, mishaps);
            }
            Self::ColdStore(site) => {
                site.weather().step(STEP_S, prng);
                site.step(STEP_S, mishaps);
            }
            Self::Mine(site) => site.step(STEP_S, mishaps),
        }
    }

    fn truth(&self, tag: &str) -> f64 {
        match self {
            Self::Chemical(site) => site.truth(tag),
            Self::ColdStore(site) => site.truth(tag),
            Self::Mine(site) => site.truth(tag),
        }
    }
}

const fn tags(site: SiteName) -> &'static [Tag] {
    match site {
        SiteName::Chemical => chemical::TAGS,
        SiteName::ColdStore => cold_store::TAGS,
        SiteName::Mine => mine::TAGS,
    }
}

/// The simulated plant of one site.
#[derive(Clone, Debug)]
pub struct Plant {
    site: SiteName,
    prng: Prng,
    process: Process,
    noise: Noise,
    mishaps: Mishaps,
    forced: BTreeMap<&'static str, f64>,
    left_over: Duration,
}

impl Plant {
    /// A site in normal running.
    #[must_use]
    pub fn of(site: SiteName, seed: u64) -> Self {
        Self {
            site,
            prng: Prng::new(seed),
            process: Process::of(site),
            noise: Noise::of(tags(site)),
            mishaps: Mishaps::default(),
            forced: BTreeMap::new(),
            left_over: Duration::ZERO,
        }
    }

    /// Which site it is.
    #[must_use]
    pub const fn site(&self) -> SiteName {
        self.site
    }

    /// Every tag of the site.
    pub fn tags(&self) -> impl Iterator<Item = &'static str> {
        tags(self.site).iter().map(|(key, _)| *key)
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.left_over += by;
        while self.left_over >= STEP {
            self.left_over -= STEP;
            self.mishaps.step(STEP_S);
            self.process.step(&self.mishaps, &mut self.prng);
            self.noise.step(&mut self.prng);
        }
    }

    /// Starts a scenario; one already running begins again. False when it cannot happen at this site.
    pub fn start(&mut self, scenario: Scenario) -> bool {
        let here = scenario.sites().contains(&self.site);
        if here {
            self.mishaps.start(scenario);
        }
        here
    }

    /// Holds a tag at `value`, or lets it go again; false when the plant has no such tag.
    pub fn force(&mut self, key: &str, value: Option<f64>) -> bool {
        let Some((key, _)) = self.noise.at(key) else { return false };
        match value {
            Some(value) => self.forced.insert(key, value),
            None => self.forced.remove(key),
        };
        true
    }

    /// Ends every scenario; the plant finds back by itself within a minute.
    pub fn stop_all(&mut self) {
        self.mishaps.stop_all();
    }

    /// The scenarios running, in the order they were started.
    #[must_use]
    pub fn running(&self) -> Vec<Scenario> {
        self.mishaps.all()
    }

    /// How long `scenario` still runs; `None` when it does not.
    #[must_use]
    pub fn ends_in(&self, scenario: Scenario) -> Option<Duration> {
        self.mishaps.left(scenario)
    }

    /// Whether `scenario` runs.
    #[must_use]
    pub fn is_running(&self, scenario: Scenario) -> bool {
        self.mishaps.running(scenario)
    }

    /// What the instrument of a tag such as `GT-102` reads, states as 0 and 1; `None` when the plant has no such tag.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        let (key, noise) = self.noise.at(key)?;
        Some(self.forced.get(key).copied().unwrap_or_else(|| self.process.truth(key) + noise))
    }

    /// Whether a state tag is on.
    #[must_use]
    pub fn is_on(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| value >= 0.5)
    }
}
