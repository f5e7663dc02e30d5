//! A small site and a hand on its clock, for the facts in the modules below.

mod calls;
mod config;
mod hazard_dates;
mod hazard_life;
mod hidden_dangers;
mod operations;
mod properties;
mod restart_anywhere;
mod restarts;
mod scenarios;
mod silence;
mod sound;
mod states;
mod wide;

use super::*;
use crate::book::{BookParts, Condition, Device, DeviceId, Point, PointId, PointKind, Rule, check_tests};
use crate::command::ShelfKind;
use crate::reading::{Doubt, Fault, Finite};
use crate::risk::{Evidence, Measure, Risk, RiskLevel};
use crate::time::Wall;
use proptest::prelude::ProptestConfig;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) fn at(seconds: f64) -> Now {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive test times")]
    let ns = (seconds * 1e9).round() as u64;
    Now { mono: Mono(ns), wall: Wall::default() }
}

/// Occurrences that were raised and not closed since, by alarm.
pub(super) fn open_occurrences(events: &[Event]) -> BTreeMap<String, BTreeSet<u64>> {
    let mut open: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for e in events {
        let Some(fact) = e.kind.fact() else { continue };
        match &e.kind {
            EventKind::Raised { .. } | EventKind::ShadowRaised { .. } => {
                open.entry(fact.alarm.clone()).or_default().insert(fact.occurrence);
            }
            // What was owed before it came in the shadow is owed after it.
            EventKind::ShadowReturned { latched: false, .. } => {
                open.entry(fact.alarm.clone()).or_default().remove(&fact.occurrence);
            }
            EventKind::Cleared { .. } => drop(open.remove(&fact.alarm)),
            _ => {}
        }
    }
    open
}

/// So many random stories, fewer where the environment asks for fewer (`PROPTEST_CASES`).
pub(super) fn cases(most: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: most.min(asked.cases), max_shrink_time: 20_000, ..asked }
}

/// Never evaluated and evaluated to false differ in the readings only, never in an event.
pub(super) fn settled(engine: &Engine) -> Vec<AlarmState> {
    let settle = |a: &AlarmState| match a.condition {
        ConditionState::Unknown => AlarmState { condition: ConditionState::Normal, ..a.clone() },
        _ => a.clone(),
    };
    engine.alarms().all().iter().map(settle).collect()
}

pub(super) fn good(v: f64) -> Reading {
    Reading::Good(Finite::new(v).unwrap())
}

fn point(key: &str, device: &str) -> Point {
    Point { name: "可燃气体".into(), name_en: "gas".into(), device: device.into(), ..check_tests::point(key) }
}

pub(super) fn rule(point: &str, condition: Condition, priority: u8) -> Rule {
    Rule {
        point: point.into(),
        condition,
        priority,
        on_delay: Duration::from_secs(3),
        off_delay: Duration::from_secs(10),
        action: "现场核实".into(),
        action_en: "verify".into(),
        cause: "泄漏".into(),
        consequence: "火灾爆炸".into(),
        ..Rule::default()
    }
}

/// GT-101 (H 25, HH 50) and GT-102 (H 25) on device d1, both watched by RA-01.M1.
pub(super) fn parts() -> BookParts {
    let high = Condition::High { limit: 25.0, deadband: 2.0 };
    BookParts {
        devices: vec![Device {
            key: "d1".into(),
            name: "控制器".into(),
            area: "A".into(),
            comms_timeout: Duration::from_secs(5),
            priority: 2,
        }],
        points: vec![point("GT-101", "d1"), point("GT-102", "d1")],
        rules: vec![
            rule("GT-101", high.clone(), 2),
            rule("GT-101", Condition::HighHigh { limit: 50.0, deadband: 2.0 }, 1),
            rule("GT-102", high, 2),
        ],
        sources: vec![],
        risks: vec![Risk {
            key: "RA-01".into(),
            name: "泄漏".into(),
            name_en: "leak".into(),
            area: "A".into(),
            level: RiskLevel::Major,
            accident_type: "explosion".into(),
            leader_role: "leader".into(),
            leader_role_en: String::new(),
            source: None,
        }],
        measures: vec![Measure {
            key: "RA-01.M1".into(),
            risk: "RA-01".into(),
            text: "气体检测".into(),
            text_en: "gas detection".into(),
            responsible_role: "instrument".into(),
            responsible_role_en: String::new(),
            evidence: Evidence::Watched { points: vec!["GT-101".into(), "GT-102".into()] },
        }],
        ..BookParts::default()
    }
}

/// An engine driven as the core drives it: ticks at deadlines, one scan a second.
pub(super) struct Rig {
    pub engine: Engine,
    pub events: Vec<Event>,
}

impl Rig {
    pub(super) fn new(parts: BookParts, restored: Restored, now: f64) -> Self {
        Self { engine: Engine::new(RuleBook::build(parts).unwrap().0, restored, at(now)), events: Vec::new() }
    }
    pub(super) fn plain() -> Self {
        Self::new(parts(), Restored::default(), 0.0)
    }
    /// Ticks at every deadline before `t`.
    pub(super) fn until(&mut self, t: f64) {
        while let Some((due, _)) = self.engine.next_deadline().filter(|(due, _)| *due < at(t).mono) {
            self.engine.handle(Input::Tick, Now { mono: due, wall: Wall::default() }, &mut self.events);
        }
    }
    pub(super) fn scan(&mut self, t: f64, readings: &[(usize, Reading)]) {
        self.until(t);
        let samples: Vec<Sample> = readings
            .iter()
            .map(|(p, reading)| Sample {
                point: PointId::mint(*p),
                reading: *reading,
                raw: crate::Raw::NONE,
                at: at(t),
            })
            .collect();
        let input = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &samples };
        self.engine.handle(input, at(t), &mut self.events);
    }
    pub(super) fn silence(&mut self, t: f64) {
        self.until(t);
        let input = Input::Scan { device: DeviceId::mint(0), answered: false, samples: &[] };
        self.engine.handle(input, at(t), &mut self.events);
    }
    /// GT-101 reads `v` each whole second of `from ..= to`, GT-102 stays normal.
    pub(super) fn hold(&mut self, from: u32, to: u32, v: f64) {
        for t in from..=to {
            self.scan(f64::from(t), &[(0, good(v)), (1, good(10.0))]);
        }
    }
    pub(super) fn ack(&mut self, t: f64, alarm: &str) -> Result<(), Rejected> {
        self.until(t);
        let seen_seq = self.engine.next_seq() - 1;
        let ack = Command::Acknowledge { alarm: alarm.into(), seen_seq, comment: String::new() };
        self.engine.command(&ack, &operator(), at(t), &mut self.events)
    }
    /// As the request comes: nothing ticks before it.
    pub(super) fn shelve(&mut self, t: f64, alarm: &str, duration_s: u64) -> Result<(), Rejected> {
        let seen_seq = self.engine.next_seq() - 1;
        let (alarm, reason, kind) = (alarm.to_owned(), "正在检修阀门".to_owned(), ShelfKind::Timed);
        let shelve = Command::Shelve { alarm, seen_seq, kind, duration_s, reason };
        self.engine.command(&shelve, &operator(), at(t), &mut self.events)
    }
    pub(super) fn alarm(&self, key: &str) -> &AlarmState {
        &self.engine.alarms()[self.engine.alarm_index(key).unwrap()]
    }
    /// What happened to the alarms so far: `raised GT-101:H @5`.
    pub(super) fn story(&self) -> Vec<String> {
        let line = |e: &Event| {
            let fact = e.kind.fact()?;
            let seconds = std::time::Duration::from_nanos(e.at.mono.0).as_secs_f64();
            Some(format!("{} {} @{seconds}", e.kind.name().trim_start_matches("alarm."), fact.alarm))
        };
        self.events.iter().filter_map(line).collect()
    }
    pub(super) fn count(&self, name: &str) -> usize {
        self.events.iter().filter(|e| e.kind.name() == name).count()
    }
    /// What a store would have kept.
    pub(super) fn stored(&self, same_boot: bool) -> Restored {
        Restored {
            next_seq: self.engine.next_seq(),
            next_hazard: self.engine.next_hazard,
            alarms: self.engine.alarms().all(),
            hazards: [self.engine.closed_hazards(), self.engine.hazards()].concat(),
            boot: same_boot.then(|| BootSince { seq: 1, at: at(0.0), wall_mark_utc_ms: None }),
            wall_mark_utc_ms: None,
            modes: Vec::new(),
            recent: Vec::new(),
            stillness: Stillness::default(),
        }
    }
}

/// What a store would have kept, event by event.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    alarms: std::collections::BTreeMap<String, AlarmState>,
    /// In the order in which they were moved.
    hazards: Vec<Hazard>,
    modes: std::collections::BTreeMap<String, UnitMode>,
}

impl Rows {
    pub(super) fn keep(&mut self, engine: &Engine, events: &[Event]) {
        for kept in events.iter().map(|e| engine.kept(e)) {
            if kept.all {
                self.alarms.clear();
                self.modes.clear();
            }
            self.modes.extend(kept.modes.into_iter().map(|m| (m.unit.clone(), m)));
            kept.gone.iter().for_each(|key| drop(self.alarms.remove(key)));
            self.alarms.extend(kept.alarms.into_iter().map(|row| (row.key.clone(), row)));
            self.hazards.retain(|h| kept.hazards.iter().all(|k| k.id != h.id));
            self.hazards.extend(kept.hazards);
        }
    }
    pub(super) fn modes(&self) -> Vec<UnitMode> {
        self.modes.values().cloned().collect()
    }
    pub(super) fn alarms(&self) -> Vec<AlarmState> {
        self.alarms.values().cloned().collect()
    }
    /// The open ones in the order of their numbers.
    pub(super) fn hazards(&self) -> Vec<Hazard> {
        let closed = |h: &&Hazard| matches!(h.stage, crate::hazard::Stage::Closed { .. });
        let mut open: Vec<Hazard> = self.hazards.iter().filter(|h| h.stage.is_open()).cloned().collect();
        open.sort_by_key(|h| h.id.trim_start_matches("HD-").parse::<u64>().ok());
        self.hazards.iter().filter(closed).cloned().chain(open).collect()
    }
}

pub(super) fn operator() -> Actor {
    Actor { user: "operator".into(), role: "operator".into(), terminal: String::new() }
}
