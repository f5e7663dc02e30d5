//! The hand on the clocks of a wide site: everything that goes in is written down beside what came out of it.

use super::super::*;
use super::{DICE, Ties, drawn};
use crate::book::Mode;
use crate::command::ShelfKind;
use crate::hazard::Level;
use crate::hazard::step::Step;
use proptest::prelude::*;
use std::ops::Range;

/// One sample: which of the device's points, what it says, how many ms ago.
pub(super) type Told = (usize, Reading, u64);

#[derive(Clone, Debug)]
pub(super) enum Move {
    Scan(usize, Vec<Told>),
    /// All points of a device, so many seconds long, from a value on and so much more each second.
    Run(usize, u8, f64, f64),
    Silence(usize),
    Wait(u32),
    Person(usize, u8),
    System(usize, bool),
    Step(i64),
    Start(bool),
    Config(bool),
}

pub(super) fn reading() -> impl Strategy<Value = Reading> {
    let values = vec![0.0, 1.0, 5.0, 12.1, 22.9, 25.0, 30.0, 40.0, 50.0, 61.0, 90.0];
    let doubts = vec![Doubt::OverRange, Doubt::Maintenance, Doubt::Unconfirmed];
    prop_oneof![
        6 => prop::sample::select(values).prop_map(good),
        1 => prop::sample::select(doubts).prop_map(|d| Reading::Uncertain(Finite::new(60.0).unwrap(), d)),
        2 => bad(),
    ]
}

pub(super) fn bad() -> impl Strategy<Value = Reading> {
    let faults = vec![
        Fault::Sensor,
        Fault::Inhibited,
        Fault::WarmUp,
        Fault::Timeout,
        Fault::Disconnected,
        Fault::NotANumber,
        Fault::Frozen,
        Fault::Exception(4),
        Fault::Exception(0x0B),
    ];
    prop::sample::select(faults).prop_map(Reading::Bad)
}

pub(super) fn told() -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec((0..9_usize, reading(), prop::sample::select(vec![0, 0, 0, 0, 400, 3000])), 1..7)
}

fn a_move() -> impl Strategy<Value = Move> {
    let slope = prop::sample::select(vec![0.0, 0.0, 1.0, 4.0, -3.0]);
    prop_oneof![
        8 => (0..3_usize, told()).prop_map(|(d, told)| Move::Scan(d, told)),
        4 => (0..3_usize, 3..30_u8, prop::sample::select(vec![0.0, 10.0, 22.0, 45.0, 70.0]), slope)
            .prop_map(|(d, n, v, s)| Move::Run(d, n, v, s)),
        1 => (0..3_usize).prop_map(Move::Silence),
        2 => prop::sample::select(vec![1, 3, 6, 11, 61, 610, 4000]).prop_map(Move::Wait),
        7 => (0..64_usize, 0..20_u8).prop_map(|(a, c)| Move::Person(a, c)),
        1 => (0..13_usize, any::<bool>()).prop_map(|(k, on)| Move::System(k, on)),
        1 => prop::sample::select(vec![-3_600_000_i64, 900_000, 86_400_000]).prop_map(Move::Step),
        1 => any::<bool>().prop_map(Move::Start),
        1 => any::<bool>().prop_map(Move::Config),
    ]
}

/// Two books of one site, and what happens there.
pub(super) type Story = ([Vec<u8>; 2], Vec<Move>);

pub(super) fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), DICE)
}

pub(super) fn story(longest: usize) -> impl Strategy<Value = Story> {
    ([dice(), dice()], prop::collection::vec(a_move(), 1..longest))
}

/// What went in.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Scan { device: usize, answered: bool, samples: Vec<Sample> },
    System(SystemCondition, bool),
    Tick,
    Command(Box<Command>),
    Start,
    Config(usize),
}

/// One call of the engine and the events that came out of it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) given: Given,
    pub(super) now: Now,
    /// Since the beginning of the story; the monotonic clock counts from the last boot.
    pub(super) booted_ns: u64,
    pub(super) same_boot: bool,
    pub(super) events: Range<usize>,
}

pub(super) struct Stage {
    pub(super) engine: Engine,
    pub(super) events: Vec<Event>,
    pub(super) calls: Vec<Call>,
    pub(super) books: [RuleBook; 2],
    pub(super) in_force: usize,
    /// Only timers that are truly due are called for.
    pub(super) truly: bool,
    /// How long the machine is down when it reboots; the start comes 20 s after the boot.
    pub(super) down_ns: u64,
    t_ns: u64,
    booted_ns: u64,
    boot: BootSince,
    rows: Rows,
    wall_ms: i64,
    /// The latest that the wall clock has shown: the store keeps it, and it only grows.
    mark_ms: i64,
}

const SECOND: u64 = 1_000_000_000;
/// The first start comes some time after the boot: what stands at 0 was before it.
pub(super) const STARTED_NS: u64 = 100 * SECOND;

impl Stage {
    pub(super) fn of(dice: &[Vec<u8>; 2], ties: Ties) -> Self {
        Self::with([0, 1].map(|n| drawn(&dice[n], ties)))
    }

    pub(super) fn with(books: [BookParts; 2]) -> Self {
        let books = books.map(|parts| RuleBook::build(parts).unwrap().0);
        let wall_ms = 1_767_225_600_000;
        let start = Now { mono: Mono(STARTED_NS), wall: Wall::synced(wall_ms) };
        let engine = Engine::new(books[0].clone(), Restored::default(), start);
        let (events, calls) = (Vec::new(), Vec::new());
        let (t_ns, mark_ms) = (STARTED_NS, i64::MIN);
        let boot = BootSince { seq: 1, at: start, wall_mark_utc_ms: None };
        Self {
            engine,
            events,
            calls,
            books,
            in_force: 0,
            truly: false,
            down_ns: 20 * SECOND,
            t_ns,
            booted_ns: 0,
            boot,
            rows: Rows::default(),
            wall_ms,
            mark_ms,
        }
    }

    pub(super) fn played(story: &Story) -> Self {
        let mut stage = Self::of(&story.0, Ties::Across);
        story.1.iter().for_each(|m| stage.play(m));
        stage
    }

    pub(super) fn now(&self) -> Now {
        let wall = Wall::synced(self.wall_ms);
        Now { mono: Mono(self.t_ns - self.booted_ns), wall }
    }

    fn step_to(&mut self, t_ns: u64) {
        self.wall_ms += i64::try_from(t_ns / 1_000_000).unwrap() - i64::try_from(self.t_ns / 1_000_000).unwrap();
        self.t_ns = t_ns;
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.pass_ms(seconds * 1000);
    }

    pub(super) fn pass_ms(&mut self, ms: u64) {
        let end = self.t_ns + ms * 1_000_000;
        let until = Mono(end - self.booted_ns);
        for ticks in 0.. {
            assert!(ticks < 1_000_000, "it wants to be woken again and again at {:?}", self.now());
            let due = if self.truly { self.engine.truly_due(until) } else { self.engine.next_deadline().map(|d| d.0) };
            let Some(due) = due.filter(|due| *due < until) else { break };
            self.step_to((due.0 + self.booted_ns).max(self.t_ns));
            self.give(Given::Tick);
        }
        self.step_to(end);
    }

    pub(super) fn give(&mut self, given: Given) {
        let (now, begun, mut same_boot) = (self.now(), self.events.len(), true);
        self.mark_ms = self.mark_ms.max(self.wall_ms);
        let out = &mut self.events;
        match &given {
            Given::Scan { device, answered, samples } => {
                let input = Input::Scan { device: DeviceId::mint(*device), answered: *answered, samples };
                self.engine.handle(input, now, out);
            }
            Given::System(condition, active) => {
                self.engine.handle(Input::System { condition: *condition, active: *active }, now, out);
            }
            Given::Tick => self.engine.handle(Input::Tick, now, out),
            Given::Command(command) => drop(self.engine.command(command, &operator(), now, out)),
            Given::Start => same_boot = now.mono.0 != 20 * SECOND || self.booted_ns + 20 * SECOND != self.t_ns,
            Given::Config(n) => {
                let (by, old_hash) = ("engineer".to_owned(), self.in_force.to_string());
                let change = ConfigChange { by, asked: None, old_hash, new_hash: n.to_string() };
                self.engine.change_config(self.books[*n].clone(), &change, now, out);
                self.in_force = *n;
            }
        }
        if matches!(given, Given::Start) {
            let (boot_id, version, config_hash) = ("b".into(), "0".into(), "c".into());
            let start = EventKind::Started { boot_id, version, config_hash, down_for_ms: None };
            self.engine.begin(vec![start], now, &mut self.events);
        }
        self.rows.keep(&self.engine, &self.events[begun..]);
        let (booted_ns, events) = (self.booted_ns, begun..self.events.len());
        self.calls.push(Call { given, now, booted_ns, same_boot, events });
    }

    pub(super) fn play(&mut self, m: &Move) {
        self.pass(1);
        match m {
            Move::Scan(device, told) => self.scan(*device, told),
            Move::Run(device, seconds, from, slope) => {
                for n in 0..*seconds {
                    let value = (from + slope * f64::from(n)).clamp(0.0, 100.0);
                    self.scan(*device, &(0..9).map(|k| (k, good(value), 0)).collect::<Vec<_>>());
                    self.pass(1);
                }
            }
            Move::Silence(device) => self.give(Given::Scan { device: *device, answered: false, samples: Vec::new() }),
            Move::Wait(seconds) => self.pass(u64::from(*seconds)),
            Move::Person(a, what) => self.person(*a, *what),
            Move::System(k, active) => self.give(Given::System(SystemCondition::ALL[*k], *active)),
            Move::Step(ms) => self.wall_ms += ms,
            Move::Start(same_boot) => self.start(*same_boot),
            Move::Config(n) => self.give(Given::Config(usize::from(*n))),
        }
        self.give(Given::Tick);
    }

    /// What a device tells of its points.
    pub(super) fn samples(&self, device: usize, told: &[Told]) -> Vec<Sample> {
        let key = &self.engine.book().devices()[device].key;
        let points: Vec<usize> = (0..self.engine.book().points().len())
            .filter(|p| *self.engine.book().points()[*p].device == **key)
            .collect();
        let now = self.now();
        let sample = |(slot, reading, ago_ms): &Told| {
            let ago_ms = (*ago_ms).min(now.mono.0 / 1_000_000);
            let mono = Mono(now.mono.0 - ago_ms * 1_000_000);
            let utc_ms = now.wall.utc_ms - i64::try_from(ago_ms).unwrap();
            let at = Now { mono, wall: Wall { utc_ms, ..now.wall } };
            Sample { point: PointId::mint(points[slot % points.len()]), reading: *reading, raw: crate::Raw::NONE, at }
        };
        told.iter().map(sample).collect()
    }

    pub(super) fn scan(&mut self, device: usize, told: &[Told]) {
        let samples = self.samples(device, told);
        self.give(Given::Scan { device, answered: true, samples });
    }

    pub(super) fn start(&mut self, same_boot: bool) {
        let stillness = self.engine.stillness(self.now());
        if !same_boot {
            self.step_to(self.t_ns + self.down_ns);
            self.booted_ns = self.t_ns - 20 * SECOND;
        }
        let boot = same_boot.then_some(self.boot);
        if !same_boot {
            self.boot = BootSince { seq: self.engine.next_seq(), at: self.now(), wall_mark_utc_ms: Some(self.mark_ms) };
        }
        let book = self.engine.book().clone();
        let stored = Restored {
            next_seq: self.engine.next_seq(),
            next_hazard: self.engine.next_hazard,
            alarms: self.rows.alarms(),
            hazards: self.rows.hazards(),
            boot,
            wall_mark_utc_ms: Some(self.mark_ms),
            modes: self.rows.modes(),
            recent: self.events.clone(),
            stillness,
        };
        self.engine = Engine::new(book, stored, self.now());
        self.give(Given::Start);
    }

    pub(super) fn person(&mut self, a: usize, what: u8) {
        let command = self.wish(a, what);
        self.give(Given::Command(Box::new(command)));
    }

    fn wish(&self, a: usize, what: u8) -> Command {
        let alarms = self.engine.alarms();
        let standing: Vec<usize> = (0..alarms.len()).filter(|i| alarms[*i].stands()).collect();
        let any = a % alarms.len();
        let alarm =
            alarms.key(if !a.is_multiple_of(3) && !standing.is_empty() { standing[a % standing.len()] } else { any });
        let points = self.engine.book().points();
        let point = points[a % points.len()].key.to_string();
        let (seen_seq, reason) = (self.engine.next_seq() - 1, "随机试验原因".to_owned());
        let kind = if a.is_multiple_of(2) { ShelfKind::Timed } else { ShelfKind::OneShot };
        let mode = [Mode::Running, Mode::Stopped, Mode::Maintenance][a % 3];
        match what {
            0..=3 => Command::Acknowledge { alarm, seen_seq, comment: String::new() },
            4 | 5 => Command::Shelve { alarm, seen_seq, kind, duration_s: 600, reason },
            6 => Command::Unshelve { alarm, seen_seq, reason: String::new() },
            7 => Command::ResetLatch { alarm, seen_seq, reason },
            8 => {
                let (permit, requested_by, compensation) = ("PTW".into(), "ivan".into(), "便携仪巡检".into());
                let duration_s = if a.is_multiple_of(2) { 1800 } else { 300 };
                let no_account = false;
                Command::Bypass { point, seen_seq, permit, reason, requested_by, no_account, duration_s, compensation }
            }
            9 => Command::EndBypass { point, seen_seq, reason },
            10 => Command::OutOfService { point, seen_seq, work_order: "WO".into(), reason },
            11 => Command::ReturnToService { point, seen_seq, reason },
            12 | 13 => Command::SetMode { unit: ["U-1", "U-2"][a % 2].into(), seen_seq, mode, reason },
            14 => Command::ResetFirstOut { group: "F-1".into(), seen_seq: None, reason: String::new() },
            15 if a.is_multiple_of(2) => Command::Silence { seen_seq: a.is_multiple_of(4).then_some(seen_seq) },
            15 => Command::TestAnnunciator { reason },
            _ => self.wish_of_a_record(a, what),
        }
    }

    fn wish_of_a_record(&self, a: usize, what: u8) -> Command {
        let hazards = self.engine.hazards();
        let (seen_seq, reason) = (self.engine.next_seq() - 1, "随机试验原因".to_owned());
        let (measure, place, description) = ("RA-01.M1".into(), "泵房".into(), "阀门渗漏".into());
        let Some(hazard) = (!hazards.is_empty()).then(|| hazards[a % hazards.len()].id.clone()) else {
            return Command::RegisterHazard { measure, place, description };
        };
        let due_at = self.wall_ms + 120_000;
        let step = match a % 3 {
            0 => Step::Assess { level: Level::General, criteria: "判定标准".into(), cause: "密封老化".into() },
            1 => {
                let (responsible, interim_control) = ("ivan".into(), "现场监护".into());
                Step::Assign { responsible, due_at, interim_control, reason }
            }
            _ => Step::Rectify { evidence: "照片记录".into() },
        };
        let seen = a.is_multiple_of(2).then_some(seen_seq);
        match what {
            16 => Command::ConfirmHazard { hazard, seen_seq: seen, reason: "现场核实".into() },
            17 if a.is_multiple_of(3) => {
                Command::RejectHazard { hazard, seen_seq: seen, reason: "标定气体试验".into() }
            }
            _ => Command::MoveHazard { hazard, seen_seq, step },
        }
    }
}
