//! One annunciator, turn after turn: what its outputs shall be, and what is to be told when they were driven.
//!
//! Owns the order: outputs, then what came of them, then what is news. Knows no coil and no wire.

use super::health::Health;
use super::schedule::Daily;
use super::self_test::{SelfTest, TestReport};
use super::{Alive, Annunciation, AnnunciatorFault, Confirmed, Outputs, Scheme};
use crate::time::{Mono, Now};
use std::time::Duration;

/// A module that restarted, or that somebody else has switched, is right again after this; well inside the watchdog of any module.
const REFRESH: Duration = Duration::from_secs(1);
/// While something is to be proved.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// The wire that proves the gateway alive is turned over when so much has passed: turns come a little later than their second.
const TOGGLE: Duration = Duration::from_millis(900);

/// What a turn has brought to light.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// It failed or came back with this turn: why, or none.
    pub failed: Option<Option<AnnunciatorFault>>,
    pub test: Option<TestReport>,
}

/// The annunciator as it stands.
#[derive(Clone, Debug)]
pub struct Control {
    scheme: Scheme,
    health: Health,
    test: SelfTest,
    daily: Daily,
    /// The wire that proves it alive, and since when it has been so.
    alive: (bool, Mono),
    /// Its alarm stands, as far as this has told.
    told: bool,
}

impl Control {
    /// At a start. `owed` when its alarm stands from before: then only a self-test shows that it is well.
    #[must_use]
    pub fn new(scheme: Scheme, owed: bool, now: Now) -> Self {
        let daily = Daily::new(scheme.test_at, now);
        let mut test = SelfTest::default();
        if owed {
            test.ask(None);
        }
        Self { scheme, health: Health::default(), test, daily, alive: (true, now.mono), told: owed }
    }

    /// Somebody wants to hear it.
    pub fn ask_for_test(&mut self, by: String, now: Now) {
        self.daily.tested(now);
        self.test.ask(Some(by));
    }

    /// How the outputs shall be now.
    pub fn outputs(&mut self, heard: &Annunciation, now: Now) -> Outputs {
        if self.daily.is_due(now) {
            self.test.ask(None);
        }
        let (real, silenced) = (heard.tone(&self.scheme, now), heard.is_silenced(now));
        let tested = self.test.tone(real, silenced, self.health.is_answering(), &self.scheme, now.mono);
        Outputs { sounder: tested.or(real), beacon: heard.beacon(&self.scheme), alive: self.keep_alive(now.mono) }
    }

    fn keep_alive(&mut self, now: Mono) -> bool {
        let (on, since) = self.alive;
        if self.scheme.alive == Alive::Toggle && now.since(since) >= TOGGLE {
            self.alive = (!on, now);
        }
        self.alive.0
    }

    /// What came of driving `driven` for `heard`.
    pub fn observe(
        &mut self,
        heard: &Annunciation,
        driven: Outputs,
        outcome: Result<Confirmed, AnnunciatorFault>,
        now: Now,
    ) -> News {
        self.health.observe(driven.sounder, outcome, now.mono);
        let test = self.test.observe(heard.tone(&self.scheme, now), outcome, &self.scheme, now.mono);
        match &test {
            // that the module does not answer is said without a test, and the sounder is still to be proved
            Some(report) if report.fault.is_some_and(AnnunciatorFault::is_of_wire) => self.test.ask(None),
            Some(report) => self.health.tested(report.fault),
            None => {}
        }
        // a proof that is owed comes first: until then nobody says that it is well
        let failed = self.health.failed();
        let changed = failed.is_some() != self.told && (failed.is_some() || !self.test.is_running());
        self.told = if changed { failed.is_some() } else { self.told };
        News { failed: changed.then_some(failed), test }
    }

    /// Why it cannot be relied on now.
    #[must_use]
    pub fn failed(&self) -> Option<AnnunciatorFault> {
        self.health.failed()
    }

    /// A self-test sounds or listens.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.test.is_at_work()
    }

    /// Longest wait until the next turn.
    #[must_use]
    pub fn pause(&self) -> Duration {
        if self.test.is_at_work() || self.health.is_unsettled() { LOOK_AGAIN } else { REFRESH }
    }
}
