//! What holds for every mixture of readings, commands, clock steps and restarts.

use super::*;
use crate::book::{FirstOutGroup, Mode, ModeRule, PlantUnit, Suppression, Suppressor};
use crate::engine::Flood;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum Move {
    Scan(Vec<(usize, Reading)>),
    Wait(u32),
    Person(usize, u8),
    Step(i64),
    Restart,
    /// With another book.
    RestartWith(usize),
    Config(usize),
}

pub(super) fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        5 => prop::sample::select(vec![0.0, 1.0, 10.0, 24.0, 25.0, 30.0, 60.0]).prop_map(good),
        1 => prop::sample::select(vec![Fault::Sensor, Fault::Inhibited, Fault::Timeout]).prop_map(Reading::Bad),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        12 => prop::collection::vec((0..3_usize, reading()), 1..4).prop_map(Move::Scan),
        2 => (1..4000_u32).prop_map(Move::Wait),
        6 => (0..12_usize, 0..10_u8).prop_map(|(a, c)| Move::Person(a, c)),
        1 => prop::sample::select(vec![-3_600_000_i64, 900_000, 86_400_000]).prop_map(Move::Step),
        1 => Just(Move::Restart),
        1 => (0..BOOKS).prop_map(Move::Config),
    ]
}

/// Also a start with another book, of which the journal of an engine says nothing.
fn a_wild_move() -> impl Strategy<Value = Move> {
    prop_oneof![9 => a_move(), 1 => (0..BOOKS).prop_map(Move::RestartWith)]
}

/// The small site with a vote, a first-out group, a suppression by P-1 and a unit.
pub(super) fn full() -> BookParts {
    let mut p = parts();
    p.points.push(Point { key: "P-1".into(), kind: PointKind::State, ..p.points[0].clone() });
    p.rules[1].latching = true;
    p.rules[2].by_mode = vec![(Mode::Stopped, ModeRule::Limit(15.0)), (Mode::Maintenance, ModeRule::Suppressed)];
    let keys = |list: &[&str]| list.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
    p.votes.push(check_tests::vote("V-1", &["GT-101:H", "GT-102:H"], 1));
    p.suppressions.push(Suppression {
        key: "S-1".into(),
        name: String::new(),
        name_en: String::new(),
        when: Suppressor::State { point: "P-1".into(), is: true },
        alarms: keys(&["GT-101:H"]),
        release_delay: Duration::from_secs(2),
        max: Duration::from_secs(300),
    });
    p.first_out.push(FirstOutGroup {
        key: "F-1".into(),
        name: String::new(),
        name_en: String::new(),
        alarms: keys(&["GT-101:H", "GT-102:H"]),
    });
    p.plant_units.push(PlantUnit {
        key: "U-1".into(),
        name: String::new(),
        name_en: String::new(),
        running_point: None,
        points: keys(&["GT-102"]),
    });
    p
}

/// Books a site may be switched to; the first is [`full`].
const BOOKS: usize = 5;

/// Other limits, fewer rules, other groups, another unit of measurement.
fn book(n: usize) -> BookParts {
    let mut p = full();
    match n {
        1 => {
            p.rules[0].condition = Condition::High { limit: 10.0, deadband: 2.0 };
            p.rules[2].condition = Condition::High { limit: 20.0, deadband: 2.0 };
            (p.rules[0].on_delay, p.rules[0].off_delay) = (Duration::ZERO, Duration::ZERO);
            p.suppressions[0].alarms = vec!["GT-101:HH".into(), "GT-102:H".into()];
        }
        2 => {
            // GT-101:H goes, and with it the groups that name it.
            p.rules.remove(0);
            (p.votes, p.suppressions, p.first_out) = (Vec::new(), Vec::new(), Vec::new());
        }
        3 => {
            p.points[1].unit = "ppm".into();
            p.rules[2].by_mode.clear();
            p.policy.shelf_max = [None, Some(Duration::from_secs(300)), Some(Duration::from_secs(300)), None];
            p.policy.bypass_max = Duration::from_secs(900);
            p.suppressions[0].max = Duration::from_secs(60);
        }
        4 => {
            // GT-102 goes with its unit; GT-101 hangs on another device.
            p.points.remove(1);
            p.rules.remove(2);
            (p.votes, p.first_out, p.plant_units) = (Vec::new(), Vec::new(), Vec::new());
            p.measures[0].evidence = Evidence::Watched { points: vec!["GT-101".into()] };
            p.devices.push(Device { key: "d2".into(), ..p.devices[0].clone() });
            p.points[0].device = "d2".into();
        }
        _ => {}
    }
    p
}

fn built(n: usize) -> RuleBook {
    RuleBook::build(book(n)).unwrap().0
}

/// The journal over again: each event applied, each book adopted where its hash comes up.
fn replayed(events: &[Event]) -> Engine {
    let mut engine = Engine::new(built(0), Restored::default(), at(0.0));
    for e in events {
        engine.apply(&serde_json::from_str(&serde_json::to_string(e).unwrap()).unwrap());
        if let EventKind::ConfigChanged { new_hash, .. } = &e.kind {
            engine.adopt(built(new_hash.parse().unwrap()), e.at);
        }
    }
    engine
}

/// A rig whose wall clock can be stepped, and whose machine can be booted.
pub(super) struct Stage {
    pub(super) rig: Rig,
    t: f64,
    /// When the machine was booted, in seconds of `t`.
    booted: f64,
    boot: BootSince,
    wall_ms: i64,
    book: usize,
}

impl Stage {
    fn new() -> Self {
        Self::of(full())
    }
    pub(super) fn of(parts: BookParts) -> Self {
        Self {
            rig: Rig::new(parts, Restored::default(), 0.0),
            t: 0.0,
            booted: 0.0,
            boot: BootSince { seq: 1, at: at(0.0), wall_mark_utc_ms: None },
            wall_ms: 1_767_225_600_000,
            book: 0,
        }
    }
    pub(super) fn step_wall(&mut self, ms: i64) {
        self.wall_ms += ms;
    }
    pub(super) fn now(&self) -> Now {
        Now { wall: Wall::synced(self.wall_ms), ..at(self.t - self.booted) }
    }
    fn pass(&mut self, seconds: f64) {
        let end = self.t + seconds;
        while let Some((due, _)) = self.rig.engine.next_deadline().filter(|(due, _)| *due < at(end - self.booted).mono)
        {
            let due = (std::time::Duration::from_nanos(due.0).as_secs_f64() + self.booted).max(self.t);
            self.step_to(due);
            let now = self.now();
            self.rig.engine.handle(Input::Tick, now, &mut self.rig.events);
        }
        self.step_to(end);
    }
    fn step_to(&mut self, t: f64) {
        #[allow(clippy::cast_possible_truncation, reason = "test times")]
        let ms = ((t - self.t) * 1000.0).round() as i64;
        self.wall_ms += ms;
        self.t = t;
    }
    pub(super) fn play(&mut self, m: &Move) {
        self.pass(1.0);
        let now = self.now();
        match m {
            Move::Scan(readings) => {
                let sample = |(p, reading): &(usize, Reading)| Sample {
                    point: PointId::mint(*p),
                    reading: *reading,
                    raw: crate::Raw::NONE,
                    at: now,
                };
                let known = self.rig.engine.book().points().len();
                let samples: Vec<Sample> = readings.iter().filter(|r| r.0 < known).map(sample).collect();
                let input = Input::Scan { device: DeviceId::mint(0), answered: true, samples: &samples };
                self.rig.engine.handle(input, now, &mut self.rig.events);
            }
            Move::Wait(s) => self.pass(f64::from(*s)),
            Move::Person(a, c) => self.person(*a, *c),
            Move::Step(ms) => self.wall_ms += ms,
            Move::Restart => self.start(true),
            Move::RestartWith(n) => {
                self.book = *n;
                self.start_with(built(*n), n.is_multiple_of(2));
            }
            Move::Config(n) => self.switch(*n, now),
        }
        let now = self.now();
        self.rig.engine.handle(Input::Tick, now, &mut self.rig.events);
    }
    fn switch(&mut self, n: usize, now: Now) {
        let change = ConfigChange {
            by: "engineer".into(),
            asked: None,
            old_hash: self.book.to_string(),
            new_hash: n.to_string(),
        };
        let (begun, before) = (self.rig.events.len(), self.rig.engine.alarms().all());
        let gone = self.rig.engine.change_config(built(n), &change, now, &mut self.rig.events);
        for old in before.iter().filter(|a| !gone.contains(&a.key)) {
            let new = self.rig.alarm(&old.key);
            assert!(new.occurrence >= old.occurrence, "{old:?} {new:?}");
            let same = new.occurrence == old.occurrence;
            let calls = self.rig.events[begun..].iter().any(|e| {
                let again =
                    matches!(e.kind, EventKind::Raised { .. } | EventKind::ShelfExpired { annunciated: true, .. });
                again && e.kind.fact().is_some_and(|f| f.alarm == old.key)
            });
            // 13: what rose behind a shelf over a latch is active and unacknowledged when the shelf ends, and latches when it returns.
            assert!(!same || !old.latched || new.latched || calls, "a latch is lost: {old:?} {new:?}");
            assert!(!same || !old.acked || new.acked || calls, "an acknowledgement is lost: {old:?} {new:?}");
        }
        self.book = n;
    }
    pub(super) fn person(&mut self, a: usize, what: u8) {
        let (command, now) = (self.wish(a, what), self.now());
        drop(self.rig.engine.command(&command, &operator(), now, &mut self.rig.events));
    }
    pub(super) fn start(&mut self, same_boot: bool) {
        self.start_with(self.rig.engine.book().clone(), same_boot);
    }
    fn start_with(&mut self, book: RuleBook, same_boot: bool) {
        let stillness = self.rig.engine.stillness(self.now());
        if !same_boot {
            self.booted = self.t - 20.0;
        }
        let now = self.now();
        let boot = if same_boot { Some(self.boot) } else { None };
        if !same_boot {
            self.boot = BootSince { seq: self.rig.engine.next_seq(), at: now, wall_mark_utc_ms: None };
        }
        let stored = Restored {
            modes: self.rig.engine.unit_modes(),
            wall_mark_utc_ms: Some(self.wall_ms),
            recent: self.rig.events.clone(),
            stillness,
            boot,
            ..self.rig.stored(same_boot)
        };
        self.rig.engine = Engine::new(book, stored, now);
        let (boot_id, version, config_hash) = ("b".into(), "0".into(), "c".into());
        let start = EventKind::Started { boot_id, version, config_hash, down_for_ms: None };
        self.rig.engine.begin(vec![start], now, &mut self.rig.events);
    }
    fn wish(&self, a: usize, what: u8) -> Command {
        let alarm = self.rig.engine.alarms().key(a % self.rig.engine.alarms().len());
        let point = ["GT-101", "GT-102"][a % 2].to_owned();
        let (seen_seq, reason) = (self.rig.engine.next_seq() - 1, "随机试验原因".to_owned());
        let kind = if a.is_multiple_of(2) { ShelfKind::Timed } else { ShelfKind::OneShot };
        let mode = [Mode::Running, Mode::Stopped, Mode::Maintenance][a % 3];
        match what {
            0..=2 => Command::Acknowledge { alarm, seen_seq, comment: String::new() },
            3 => Command::Shelve { alarm, seen_seq, kind, duration_s: 600, reason },
            4 => Command::Unshelve { alarm, seen_seq, reason: String::new() },
            5 => Command::ResetLatch { alarm, seen_seq, reason },
            6 => Command::Bypass {
                point,
                seen_seq,
                permit: "PTW".into(),
                reason,
                requested_by: "ivan".into(),
                no_account: false,
                duration_s: 1800,
                compensation: "便携仪巡检".into(),
            },
            7 => Command::EndBypass { point, seen_seq, reason },
            8 if a.is_multiple_of(2) => Command::OutOfService { point, seen_seq, work_order: "WO".into(), reason },
            8 => Command::ReturnToService { point, seen_seq, reason },
            _ => Command::SetMode { unit: "U-1".into(), seen_seq, mode, reason },
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn replay_equals_live_with_every_command_and_clock_step(moves in prop::collection::vec(a_move(), 1..80)) {
        let mut stage = Stage::new();
        moves.iter().for_each(|m| stage.play(m));
        let replayed = replayed(&stage.rig.events);
        prop_assert_eq!(settled(&replayed), settled(&stage.rig.engine));
        prop_assert_eq!(replayed.modes(), stage.rig.engine.modes());
        // A start cannot place what came before a step of the clock: of a flood it then knows the peak from there on only.
        let stepped = moves.iter().any(|m| matches!(m, Move::Step(_)));
        let told = |flood: Option<&Flood>| flood.map(|f| Flood { peak: if stepped { 0 } else { f.peak }, ..f.clone() });
        prop_assert_eq!(told(replayed.flood()), told(stage.rig.engine.flood()));
    }

    #[test]
    fn nothing_is_hidden_past_its_end_on_either_clock(moves in prop::collection::vec(a_wild_move(), 1..80)) {
        let mut stage = Stage::new();
        for m in &moves {
            stage.play(m);
            let now = stage.now();
            for a in &stage.rig.engine.alarms().all() {
                let h = &a.hidden;
                prop_assert!(h.shelf.as_ref().is_none_or(|s| !s.until.is_over(now)), "{a:?} at {now:?}");
                prop_assert!(h.bypass.as_ref().is_none_or(|b| !b.until.is_over(now)), "{a:?} at {now:?}");
                prop_assert!(h.suppressed.iter().all(|s| !s.until.is_over(now)), "{a:?} at {now:?}");
            }
            prop_assert!(stage.rig.engine.hides_as_it_may(), "not what the book hides, at {now:?}");
        }
    }

    #[test]
    fn every_raised_occurrence_is_closed_or_stands(moves in prop::collection::vec(a_wild_move(), 1..80)) {
        let mut stage = Stage::new();
        moves.iter().for_each(|m| stage.play(m));
        let open = open_occurrences(&stage.rig.events);
        for a in &stage.rig.engine.alarms().all() {
            prop_assert_eq!(open.get(&a.key).is_some_and(|o| !o.is_empty()), a.stands(), "{:?}", a);
        }
    }

    #[test]
    fn an_active_alarm_that_nothing_hides_was_annunciated(moves in prop::collection::vec(a_wild_move(), 1..80)) {
        let mut stage = Stage::new();
        for m in &moves {
            stage.play(m);
            for a in &stage.rig.engine.alarms().all() {
                let quiet = a.condition == ConditionState::Active && !a.is_hidden() && a.shadow;
                prop_assert!(!quiet, "{a:?}");
            }
        }
    }
}

/// The mark of a killed process may lag behind: the wall clock then goes back over the boot, and tells an end that is further away.
#[test]
fn a_reboot_with_a_clock_set_back_prolongs_no_suppression() {
    let mut stage = Stage::new();
    for _ in 0..100 {
        stage.play(&Move::Scan(vec![(2, good(1.0)), (0, good(10.0))]));
    }
    stage.step_wall(-3_600_000);
    stage.start(false);
    let now = stage.now();
    let hidden = &stage.rig.alarm("GT-101:H").hidden.suppressed;
    let left = hidden.first().map(|s| s.until.mono.since(now.mono));
    assert_eq!(left, Some(Duration::from_secs(300)), "as long as it was granted for: {hidden:?}");
}
