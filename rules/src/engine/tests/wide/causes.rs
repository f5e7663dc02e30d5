//! No event without a cause: for each kind, what may bring it about, held against what went in and what the journal said before.
//!
//! ```text
//!   Call (scan, command, tick, start, …) ─► Witness ─► may(event)? ─► read(event) ─► the next one
//! ```
//! The table says what is necessary, never what is enough: where the engine may stay silent is for the cases to say.

mod conditions;
mod people;

use super::super::*;
use super::Ties;
use super::stage::{Given, Move, Stage, story};
use super::witness::{Row, START_GRACE, When, Witness};
use crate::event::{AlarmFact, Cause};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What an alarm is about.
enum About<'a> {
    Rule(&'a Rule),
    Device(&'a Device),
    System(String),
    Vote(Vec<String>),
    /// Of a book that is no longer in force.
    Gone,
}

impl Witness {
    fn given(&self) -> &Given {
        &self.call.given
    }
    fn starts(&self) -> bool {
        matches!(self.given(), Given::Start)
    }
    /// The wall clock is behind what it has shown: nobody can say how long what hides has lasted.
    fn is_unproven(&self) -> bool {
        self.starts() && !self.proved
    }
    fn configures(&self) -> bool {
        matches!(self.given(), Given::Config(_))
    }
    fn asked(&self, fits: impl Fn(&Command) -> bool) -> bool {
        matches!(self.given(), Given::Command(command) if fits(command))
    }
    fn before(&self, fits: impl Fn(&EventKind) -> bool) -> bool {
        self.said.iter().any(|e| fits(&e.kind))
    }
    /// An event of this call before it, about that alarm.
    fn about(&self, alarm: &str, fits: impl Fn(&EventKind) -> bool) -> bool {
        self.before(|kind| kind.fact().is_some_and(|f| f.alarm == alarm) && fits(kind))
    }
    /// A new sample of the point, of the time of the event.
    fn told(&self, point: &str, at: When, fits: impl Fn(Reading) -> bool) -> bool {
        self.told.iter().any(|(key, reading, when)| key == point && *when == at && fits(*reading))
    }
    /// Nothing new came of it for longer than it may be old.
    fn is_stale(&self, point: &str) -> bool {
        let max_age = self.book.point_id(point).map(|p| self.book.points()[p.index()].max_age);
        match self.heard(point).newest {
            Some((at, _)) => max_age.is_some_and(|age| at.is(age + Duration::from_nanos(1), self.now)),
            None => self.started.is(START_GRACE, self.now),
        }
    }
    /// No value came of it for longer than it may be old, whatever came instead.
    fn is_blind(&self, point: &str) -> bool {
        let max_age = self.book.point_id(point).map(|p| self.book.points()[p.index()].max_age);
        let valued = self.heard(point).valued;
        valued.zip(max_age).is_some_and(|(at, age)| at.is(age + Duration::from_nanos(1), self.now))
    }
    /// Other numbers hold: of the whole book, or of the unit of the point.
    fn renumbered(&self, point: &str) -> bool {
        let unit = self.book.plant_units().iter().find(|u| u.points.iter().any(|p| p == point));
        let mode = |kind: &EventKind| matches!(kind, EventKind::ModeChanged { plant_unit, .. } if unit.is_some_and(|u| u.key == *plant_unit));
        self.configures() || self.before(mode)
    }
    fn about_of(&self, fact: &AlarmFact) -> About<'_> {
        let (key, word) = fact.alarm.rsplit_once(':').unwrap();
        match word {
            _ if key == "system" => About::System(word.to_owned()),
            "COMMS_LOSS" => self.book.devices().iter().find(|d| d.key == key).map_or(About::Gone, About::Device),
            "VOTE" | "VOTE_INVALID" => {
                let vote = self.book.votes().iter().find(|v| v.key == key);
                vote.map_or(About::Gone, |v| About::Vote(v.members.clone()))
            }
            _ => {
                let rule = self.book.rules().iter().find(|r| *r.point == *key && r.condition.word() == word);
                rule.map_or(About::Gone, About::Rule)
            }
        }
    }
    fn device_of(&self, point: &str) -> String {
        self.book.point_id(point).map(|p| self.book.points()[p.index()].device.to_string()).unwrap_or_default()
    }

    /// Why may it be? None for what may not.
    fn may(&self, e: &Event) -> bool {
        let (at, kind) = (self.when(e.at), &e.kind);
        let in_time = at == self.now || self.told.iter().any(|t| t.2 == at) || self.is_of_a_sample(at);
        if let Some(fact) = kind.fact() {
            let row = self.row(&fact.alarm);
            return in_time
                && self.fits(fact.cause)
                && (self.of_condition(kind, fact, &row, at) || self.of_people(kind, fact, &row, at));
        }
        in_time && self.of_site(kind, at)
    }

    /// Also an answer with nothing new has its time.
    fn is_of_a_sample(&self, at: When) -> bool {
        matches!(self.given(), Given::Scan { samples, .. } if samples.iter().any(|s| self.when(s.at) == at))
    }

    /// What the event itself calls its cause.
    fn fits(&self, cause: Cause) -> bool {
        let returns = |k: &EventKind| matches!(k, EventKind::Returned { .. } | EventKind::ShadowReturned { .. });
        let returned = |k: &EventKind| returns(k) && k.fact().is_some_and(|f| f.cause == Cause::Config);
        let returned_by_config = || self.rows.values().any(|row| row.pending_off.is_some()) || self.before(returned);
        match cause {
            Cause::User => matches!(self.given(), Given::Command(_)),
            Cause::Sample => matches!(self.given(), Given::Scan { .. } | Given::System(..)),
            Cause::Clock => matches!(self.given(), Given::System(SystemCondition::ClockUntrusted, _)),
            Cause::Restart => self.starts(),
            Cause::Config => {
                self.configures() || self.before(|k| matches!(k, EventKind::ModeChanged { .. })) || returned_by_config()
            }
            Cause::Timer | Cause::Rule => true,
        }
    }

    fn of_condition(&self, kind: &EventKind, fact: &AlarmFact, row: &Row, at: When) -> bool {
        match self.about_of(fact) {
            About::Rule(rule) => self.of_rule(kind, fact, rule, row, at),
            About::Device(device) => self.of_device(kind, device, row, at),
            About::System(code) => self.of_system(kind, &code, row, at),
            About::Vote(members) => self.of_vote(kind, &members, row, at),
            About::Gone => {
                self.configures() && matches!(kind, EventKind::Cleared { .. } | EventKind::ShelfExpired { .. })
            }
        }
    }
}

/// The first event that nothing in its call explains.
fn unexplained(stage: &Stage) -> Option<String> {
    let mut witness = Witness::new(&stage.books, &stage.calls[0]);
    for call in &stage.calls {
        witness.begin(call);
        for e in &stage.events[call.events.clone()] {
            witness.hear_until(witness.when(e.at));
            if !witness.may(e) {
                let row = match &e.kind {
                    EventKind::HazardOpened { hazard } => Some(witness.row(&hazard.cause)),
                    kind => kind.fact().map(|f| witness.row(&f.alarm)),
                };
                return Some(format!(
                    "{e:#?}\nin {call:?}\nwhile {row:?}\nafter {:?}",
                    witness.said.iter().map(|e| e.kind.name()).collect::<Vec<_>>()
                ));
            }
            witness.read(e);
        }
        witness.hear_until(witness.now);
    }
    None
}

/// The same stories each time, unless the environment asks for others (`PROPTEST_RNG_SEED=7`): those of the seeds 1 to 100 hold, and what
/// another one finds is to be looked at by a person before it is called a fault, for the oracle may still have gaps.
fn known(config: ProptestConfig) -> ProptestConfig {
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    ProptestConfig { rng_seed, ..config }
}

proptest! {
    #![proptest_config(known(cases(150)))]

    #[test]
    fn no_event_of_any_kind_without_a_cause(story in story(60)) {
        let stage = Stage::played(&story);
        if let Some(why) = unexplained(&stage) {
            prop_assert!(false, "{}", why);
        }
    }
}

#[test]
fn an_event_whose_cause_is_taken_away_is_found_out() {
    let mut stage = Stage::of(&[Vec::new(), Vec::new()], Ties::Across);
    stage.play(&Move::Run(0, 20, 70.0, 0.0));
    let (alarm, seen_seq) = ("AT-1:HH".to_owned(), stage.engine.next_seq() - 1);
    stage.give(Given::Command(Box::new(Command::Acknowledge { alarm, seen_seq, comment: String::new() })));
    stage.play(&Move::System(0, true));
    stage.play(&Move::Config(true));
    stage.play(&Move::Wait(4000));
    assert_eq!(unexplained(&stage), None);
    let begins = |e: &Event| match &e.kind {
        EventKind::PendingOn { .. } | EventKind::Acked { .. } | EventKind::ConfigChanged { .. } => true,
        kind => kind.fact().is_some_and(|f| f.condition == "SYSTEM"),
    };
    let told = |n: &usize| !matches!(stage.calls[*n].given, Given::Tick);
    let eventful = |n: &usize| stage.events[stage.calls[*n].events.clone()].iter().any(begins);
    let eventful: Vec<usize> = (0..stage.calls.len()).filter(told).filter(eventful).collect();
    assert!(eventful.len() >= 4, "{eventful:?}");
    for n in eventful {
        let given = std::mem::replace(&mut stage.calls[n].given, Given::Tick);
        assert!(unexplained(&stage).is_some(), "{given:?}");
        stage.calls[n].given = given;
    }
}
