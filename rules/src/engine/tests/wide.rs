//! A site with every kind of condition and every tie between alarms, drawn at random: what holds for all series must hold here.
//!
//! Dice make the book, so that a failure shrinks to the plainest site that shows it; every book they can make passes the checker.

mod causes;
mod order;
mod properties;
mod restart;
mod stage;
mod witness;

use super::*;
use crate::book::{
    FirstOutGroup, Mode, ModeRule, PlantUnit, Policy, Reference, Suppression, Suppressor, UnknownVote, Vote,
};

/// Numbers that decide, one after another; when they have run out, the first choice is taken.
struct Dice<'a>(std::slice::Iter<'a, u8>);

/// How many a book takes at most.
pub(super) const DICE: usize = 160;

impl Dice<'_> {
    fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[usize::from(self.0.next().copied().unwrap_or(0)) % list.len()].clone()
    }
    fn seconds(&mut self, list: &[u64]) -> Duration {
        Duration::from_secs(self.one_of(list))
    }
    /// Three times out of four.
    fn mostly(&mut self) -> bool {
        self.one_of(&[true, true, true, false])
    }
    fn some_of(&mut self, keys: &[String]) -> Vec<String> {
        keys.iter().filter(|_| self.mostly()).cloned().collect()
    }
}

/// What may look across from one device to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ties {
    /// Votes, suppressions, deviations, units and groups tie points of several devices.
    Across,
    /// Only points of one device are tied; there are no floods, which are of the whole site.
    Within,
}

/// Key, device, kind, unit of the plant, computed.
type Tag = (&'static str, &'static str, PointKind, Option<&'static str>, bool);

const TAGS: [Tag; 9] = [
    ("AT-1", "d1", PointKind::Gas, Some("U-1"), false),
    ("AT-2", "d1", PointKind::Gas, None, false),
    ("AT-3", "d1", PointKind::Gas, None, false),
    ("PT-1", "d2", PointKind::Pressure, Some("U-2"), false),
    ("PT-2", "d2", PointKind::Pressure, Some("U-2"), false),
    ("HB-2", "d2", PointKind::Other, None, false),
    ("XS-2", "d2", PointKind::State, None, false),
    ("LT-3", "d3", PointKind::Level, None, false),
    ("CP-3", "d3", PointKind::Other, None, true),
];

/// The conditions a point may have, outer limits first.
fn conditions(tag: Tag, ties: Ties, dice: &mut Dice<'_>) -> Vec<Condition> {
    let deadband = dice.one_of(&[2.0, 0.0, 5.0]);
    let window = dice.seconds(&[10, 20, 30]);
    let high = |limit| Condition::High { limit, deadband };
    let high_high = |limit| Condition::HighHigh { limit, deadband };
    let (low, low_low) = (Condition::Low { limit: 20.0, deadband }, Condition::LowLow { limit: 10.0, deadband });
    let rising = Condition::Rising { limit_per_min: dice.one_of(&[30.0, 120.0]), window };
    let falling = Condition::Falling { limit_per_min: dice.one_of(&[30.0, 120.0]), window };
    let stuck = Condition::Stuck { epsilon: 0.5, window };
    let other = match ties {
        Ties::Across => dice.one_of(&["LT-3", "AT-2", "PT-1"]),
        Ties::Within => "PT-1",
    };
    let twin = Condition::Deviation { reference: Reference::Point(other.into()), limit: 15.0, deadband };
    let setpoint = Condition::Deviation { reference: Reference::Setpoint(40.0), limit: 15.0, deadband };
    match tag.0 {
        "PT-1" => vec![high_high(80.0), high(60.0), low_low, low, rising, falling],
        "PT-2" => vec![high_high(80.0), high(60.0), twin, stuck],
        "HB-2" => vec![Condition::Frozen { period: dice.seconds(&[2, 4]) }],
        "XS-2" => vec![Condition::Discrete { alarm_state: dice.one_of(&[true, false]) }],
        "LT-3" => vec![low_low, low, setpoint, stuck, Condition::SensorFault],
        "CP-3" => vec![high(60.0), rising],
        _ => vec![high_high(dice.one_of(&[50.0, 40.0])), high(dice.one_of(&[25.0, 20.0])), rising],
    }
}

fn by_mode(tag: Tag, condition: &Condition, dice: &mut Dice<'_>) -> Vec<(Mode, ModeRule)> {
    let lower = match condition {
        Condition::High { limit, .. } => ModeRule::Limit(limit - 8.0),
        _ => ModeRule::Suppressed,
    };
    let some = vec![(Mode::Stopped, lower), (Mode::Maintenance, ModeRule::Suppressed)];
    if tag.3.is_some() && dice.mostly() { some } else { Vec::new() }
}

fn rules_of(tag: Tag, ties: Ties, dice: &mut Dice<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for condition in conditions(tag, ties, dice) {
        if dice.mostly() {
            let by_mode = by_mode(tag, &condition, dice);
            let outer = matches!(condition, Condition::HighHigh { .. } | Condition::LowLow { .. });
            let priority = if outer { dice.one_of(&[2, 1]) } else { dice.one_of(&[2, 3, 4]) };
            let drawn = Rule {
                on_delay: dice.seconds(&[3, 0, 2, 5]),
                off_delay: dice.seconds(&[10, 0, 4]),
                latching: !dice.mostly(),
                by_mode,
                ..rule(tag.0, condition, priority)
            };
            rules.push(drawn);
        }
    }
    rules
}

fn vote(key: &str, members: Vec<String>, dice: &mut Dice<'_>) -> Vote {
    Vote {
        needed: dice.one_of(&[2, 1]),
        members,
        unknown: dice.one_of(&[UnknownVote::Degrade, UnknownVote::VoteAlarm, UnknownVote::VoteNormal]),
        bypassed_max: dice.one_of(&[1, 2]),
        second_approver: Some("olga".into()),
        ..check_tests::vote(key, &[], 0)
    }
}

fn suppression(key: &str, when: Suppressor, alarms: Vec<String>, dice: &mut Dice<'_>) -> Suppression {
    let (name, name_en) = (String::new(), String::new());
    let (release_delay, max) = (dice.seconds(&[2, 0]), dice.seconds(&[300, 30]));
    Suppression { key: key.into(), name, name_en, when, alarms, release_delay, max }
}

/// One alarm of each of the points.
fn members(parts: &BookParts, points: &[&str]) -> Vec<String> {
    let first = |p: &&str| parts.rules.iter().find(|r| *r.point == **p).map(|r| format!("{p}:{}", r.condition.word()));
    points.iter().filter_map(first).collect()
}

fn groups(p: &mut BookParts, ties: Ties, dice: &mut Dice<'_>) {
    let across = ties == Ties::Across;
    let of_device = |d: &'static str| TAGS.iter().filter(move |t| across || t.1 == d).map(|t| t.0);
    let keys = |p: &BookParts, d: &'static str| -> Vec<String> {
        let tags: Vec<&str> = of_device(d).collect();
        let of = p.rules.iter().filter(|r| tags.contains(&&*r.point));
        of.map(|r| format!("{}:{}", r.point, r.condition.word())).collect()
    };
    for (key, points) in [("V-1", vec!["AT-1", "AT-2", "AT-3"]), ("V-2", vec!["PT-1", "PT-2", "HB-2"])] {
        let members = members(p, &points);
        if members.len() >= 2 {
            p.votes.push(vote(key, members, dice));
        }
    }
    let by_state = Suppressor::State { point: "XS-2".into(), is: dice.one_of(&[true, false]) };
    let targets = dice.some_of(&keys(p, "d2"));
    p.suppressions.push(suppression("S-1", by_state, targets, dice));
    // By an alarm, of which nothing else is suppressed: no loop.
    let named = keys(p, "d2");
    if let Some((by, rest)) = named.split_first() {
        let targets = dice.some_of(rest);
        p.suppressions.push(suppression("S-2", Suppressor::Alarm(by.clone()), targets, dice));
    }
    let all = keys(p, "d1");
    if all.len() >= 2 {
        let (name, name_en) = (String::new(), String::new());
        p.first_out.push(FirstOutGroup { key: "F-1".into(), name, name_en, alarms: all });
    }
    for (key, signal) in [("U-1", None), ("U-2", Some("XS-2".to_owned()))] {
        let points = TAGS.iter().filter(|t| t.3 == Some(key)).map(|t| t.0.to_owned()).collect();
        let (name, name_en) = (String::new(), String::new());
        p.plant_units.push(PlantUnit { key: key.into(), name, name_en, running_point: signal, points });
    }
}

/// The book that the dice say.
pub(super) fn drawn(dice: &[u8], ties: Ties) -> BookParts {
    let mut dice = Dice(dice.iter());
    let mut p = parts();
    let device = |key: &str, timeout| Device { key: key.into(), comms_timeout: timeout, ..p.devices[0].clone() };
    let devices = ["d1", "d2", "d3"].map(|key| device(key, dice.seconds(&[5, 8])));
    let point = |tag: Tag| Point { kind: tag.2, computed: tag.4, ..super::point(tag.0, tag.1) };
    let points = TAGS.map(point);
    (p.devices, p.points) = (devices.into(), points.into());
    p.rules = TAGS.iter().flat_map(|tag| rules_of(*tag, ties, &mut dice)).collect();
    groups(&mut p, ties, &mut dice);
    p.policy = Policy {
        realarm: [300, 300, 600, 600].map(|s| Some(Duration::from_secs(s))),
        inhibit_max: dice.seconds(&[60, 20]),
        chatter_window: dice.seconds(&[60, 0]),
        flood_start: if ties == Ties::Across { dice.one_of(&[10, 5]) } else { usize::MAX },
        service_review: Duration::from_secs(3600),
        ..Policy::default()
    };
    p.measures[0].evidence = Evidence::Watched { points: vec!["AT-1".into(), "PT-1".into(), "LT-3".into()] };
    p
}
