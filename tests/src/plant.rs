//! The simulated plant inside the test's process, with a record of every answer its instruments gave: the oracle of the tests.
//!
//! Owns the instruments' end of the wire and the record. Leaves the comparison to `oracle`.

use crate::clock::utc_ms;
use crate::registers::REGISTERS;
use crate::station::Field;
use sim::{DemoPlan, DemoSite, Plant, Prng, Relay, Scenario, SiteName, Tap};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// One value that left an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Given {
    pub utc_ms: i64,
    pub value: f64,
}

type Record = BTreeMap<&'static str, Vec<Given>>;

/// The running plant; its instruments end with it.
#[derive(Debug)]
pub struct Simulated {
    site: DemoSite,
    given: Arc<Mutex<Record>>,
    _stop: DropGuard,
}

impl Simulated {
    /// Starts it on free ports and a new pseudo-terminal. The seed is in every failure by the test's own message.
    pub async fn start(seed: u64) -> Self {
        let stop = CancellationToken::new();
        let given = Arc::new(Mutex::new(Record::new()));
        let record = Arc::clone(&given);
        let tap = Tap::new(move |served| {
            let utc_ms = utc_ms();
            let mut record = record.lock().unwrap();
            for register in &REGISTERS {
                if let Some(value) = register.value_in(&served) {
                    record.entry(register.point).or_default().push(Given { utc_ms, value });
                }
            }
        });
        let plan = DemoPlan { tap: Some(tap), ..DemoPlan::anywhere(SiteName::Chemical, seed) };
        let site = sim::start_demo(plan, stop.clone()).await.unwrap();
        Self { site, given, _stop: stop.drop_guard() }
    }

    /// Addresses for the configuration file.
    #[must_use]
    pub fn field(&self) -> Field {
        let place = |link| self.site.place(link).unwrap().1;
        Field {
            tcp_a1: place("tcp-a1"),
            tcp_a2: place("tcp-a2"),
            rtu_a3: place("rtu-a3").into(),
            relay_a: place("relay-a"),
        }
    }

    /// The plant, to start scenarios or hold tags.
    pub fn plant(&self) -> MutexGuard<'_, Plant> {
        self.site.plant.lock().unwrap()
    }

    /// The relay module of its annunciator.
    #[must_use]
    pub fn relay(&self) -> &Relay {
        &self.site.annunciator.as_ref().unwrap().2
    }

    /// Starts a scenario.
    pub fn begin(&self, scenario: Scenario) {
        assert!(self.plant().start(scenario), "{scenario} is of another site");
    }

    /// Holds a tag at a value.
    pub fn hold(&self, point: &str, value: f64) {
        assert!(self.plant().force(point, Some(value)), "no such tag: {point}");
    }

    /// Every value of `point` that was sent, oldest first.
    #[must_use]
    pub fn given(&self, point: &str) -> Vec<Given> {
        self.given.lock().unwrap().get(point).cloned().unwrap_or_default()
    }
}

/// Gas detectors of the demo site that alarm without a delay.
const DETECTORS: [&str; 8] = ["GT-101", "GT-102", "GT-103", "GT-104", "GD-101", "GD-201", "GD-203", "GD-204"];

/// Gas comes and goes without an end: at each turn one detector is held below, between or above its limits.
pub async fn churn(plant: Arc<Simulated>, seed: u64, every: Duration) {
    let mut prng = Prng::new(seed);
    let mut turn = tokio::time::interval(every);
    loop {
        turn.tick().await;
        let mut pick = |of: usize| usize::try_from(prng.next_u64() % of as u64).unwrap();
        let (detector, value) = (DETECTORS[pick(DETECTORS.len())], [3.0, 35.0, 70.0][pick(3)]);
        plant.hold(detector, value);
    }
}
