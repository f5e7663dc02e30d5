//! `cargo bench -p rules`: rule evaluations a second with 20,000 points and 40,000 rules, a burst of transitions, and what the
//! engine keeps.
//!
//! Every sample of every turn has another value than the one before, so nothing can be skipped for being the same; a plant is
//! counted only if its events say that its rules were judged. One evaluation is one rule that met one sample.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench measures and prints"
)]

use rules::book::{BookParts, Condition, Device, Point, PointKind, Reference, Rule};
use rules::{DeviceId, Engine, Event, Finite, Input, Mono, Now, PointId, Reading, Restored, RuleBook, Sample, Wall};
use std::time::{Duration, Instant};

const DEVICES: usize = 200;
const POINTS: usize = 20_000;
const PER: usize = POINTS / DEVICES;
/// One turn a second: enough for the timers of a minute to come round.
const TURNS: u64 = 120;
/// For the check that memory does not grow with time: more than an hour.
const LONG_TURNS: u64 = 4_000;

fn device(d: usize) -> Device {
    Device {
        key: format!("d{d}"),
        name: String::new(),
        area: "A".into(),
        comms_timeout: Duration::from_secs(5),
        priority: 3,
    }
}

fn point(p: usize) -> Point {
    Point {
        key: format!("P-{p:05}").into(),
        name: "压力".into(),
        name_en: "pressure".into(),
        area: "A".into(),
        device: format!("d{}", p / PER).into(),
        kind: PointKind::Pressure,
        unit: "kPa".into(),
        range: (0.0, 100.0),
        decimals: 1,
        period: Duration::from_secs(1),
        fast_period: None,
        max_age: Duration::from_secs(3),
        position: None,
        substance: None,
        limits_by: rules::book::LimitsBy::default(),
        computed: false,
    }
}

fn rule(p: usize, condition: Condition) -> Rule {
    Rule {
        point: format!("P-{p:05}").into(),
        condition,
        priority: 3,
        on_delay: Duration::from_secs(2),
        off_delay: Duration::from_secs(5),
        ..Rule::default()
    }
}

/// The sensor fault is one more rule of each point; the book adds it.
fn parts(rules: impl Iterator<Item = Rule>) -> BookParts {
    BookParts {
        devices: (0..DEVICES).map(device).collect(),
        points: (0..POINTS).map(point).collect(),
        rules: rules.collect(),
        ..BookParts::default()
    }
}

fn limits() -> BookParts {
    parts((0..POINTS).map(|p| rule(p, Condition::High { limit: 80.0, deadband: 2.0 })))
}

/// HH, H, L, LL everywhere: five rules a point.
fn ladders() -> BookParts {
    parts((0..POINTS).flat_map(|p| {
        [
            Condition::HighHigh { limit: 90.0, deadband: 2.0 },
            Condition::High { limit: 80.0, deadband: 2.0 },
            Condition::Low { limit: 20.0, deadband: 2.0 },
            Condition::LowLow { limit: 10.0, deadband: 2.0 },
        ]
        .map(|condition| rule(p, condition))
    }))
}

/// One further rule in turn: deviation, rate, stuck value.
fn over_time() -> BookParts {
    let window = Duration::from_secs(60);
    parts((0..POINTS).map(|p| {
        rule(
            p,
            match p % 3 {
                0 => Condition::Deviation { reference: Reference::Setpoint(50.0), limit: 45.0, deadband: 1.0 },
                1 => Condition::Rising { limit_per_min: 500.0, window },
                _ => Condition::Stuck { epsilon: 0.1, window },
            },
        )
    }))
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

fn at(turn: u64, device: usize) -> Now {
    let ns = turn * 1_000_000_000 + device as u64 * 1_000_000;
    Now { mono: Mono(ns), wall: Wall { utc_ms: i64::try_from(ns / 1_000_000).unwrap(), ..Wall::default() } }
}

/// What a point reads in a turn: never what it read in the turn before.
type Value = fn(turn: u64, point: usize) -> f64;

/// 40 … 69.
fn calm(turn: u64, point: usize) -> f64 {
    40.0 + ((turn * 7 + point as u64 * 13) % 30) as f64
}

/// One point in a hundred goes above 80 for ten seconds of each thirty.
fn lively(turn: u64, point: usize) -> f64 {
    let up = point.is_multiple_of(100) && (turn + point as u64 / 100) % 30 < 10;
    if up { 85.0 + (turn % 2) as f64 } else { calm(turn, point) }
}

/// One in twenty of them stands above 80 for good.
fn standing(turn: u64, point: usize) -> f64 {
    if point.is_multiple_of(20) { 85.0 + (turn % 2) as f64 } else { calm(turn, point) }
}

struct Plant {
    engine: Engine,
    devices: Vec<DeviceId>,
    points: Vec<PointId>,
    rules: usize,
    state_kib: f64,
    samples: Vec<Sample>,
}

impl Plant {
    fn new(parts: BookParts) -> Self {
        let book = RuleBook::build(parts).unwrap().0;
        let devices = (0..DEVICES).map(|d| book.device_id(&format!("d{d}")).unwrap()).collect();
        let points = book.points().iter().map(|p| book.point_id(&p.key).unwrap()).collect();
        let rules = book.rules().len();
        let before = resident_kib();
        let engine = Engine::new(book, Restored::default(), at(0, 0));
        let state_kib = resident_kib() - before;
        Self { engine, devices, points, rules, state_kib, samples: Vec::with_capacity(PER) }
    }

    fn turn(&mut self, turn: u64, value: Value, events: &mut Vec<Event>) {
        for d in 0..DEVICES {
            let now = at(turn, d);
            self.samples.clear();
            for p in d * PER..(d + 1) * PER {
                let reading = Reading::Good(Finite::new(value(turn, p)).unwrap());
                self.samples.push(Sample { point: self.points[p], reading, raw: rules::Raw::NONE, at: now });
            }
            let input = Input::Scan { device: self.devices[d], answered: true, samples: &self.samples };
            self.engine.handle(input, now, events);
        }
    }
}

fn measure(name: &str, parts: BookParts, value: Value) {
    let mut plant = Plant::new(parts);
    let mut events = Vec::new();
    (1..=5).for_each(|turn| plant.turn(turn, value, &mut events));
    events.clear();
    let begin = Instant::now();
    (6..6 + TURNS).for_each(|turn| plant.turn(turn, value, &mut events));
    let took = begin.elapsed().as_secs_f64();
    let evaluations = plant.rules as f64 * TURNS as f64;
    println!(
        "| {name} | {} | {:.2} | {:.0} | {} |",
        plant.rules,
        evaluations / took / 1e6,
        took / TURNS as f64 / POINTS as f64 * 1e9,
        events.len()
    );
}

/// First, while the process has freed nothing that could be used again unseen.
fn state() {
    let before = resident_kib();
    let mut plant = Plant::new(limits());
    let book = resident_kib() - before - plant.state_kib;
    let mut events = Vec::new();
    (1..=60).for_each(|turn| plant.turn(turn, lively, &mut events));
    drop(events);
    let after = resident_kib() - before - book;
    let mb = |kib: f64| kib / 1024.0;
    println!(
        "state: {} rules, {:.1} MB at the start, {:.1} MB after a minute of alarms; the book beside it {:.1} MB",
        plant.rules,
        mb(plant.state_kib),
        mb(after),
        mb(book)
    );
}

/// A thousand points go beyond their limit in one second: no on-delay, so that all are raised at once.
fn burst() {
    let mut parts = limits();
    parts.rules.iter_mut().for_each(|r| r.on_delay = Duration::ZERO);
    let mut plant = Plant::new(parts);
    let mut events = Vec::new();
    (1..=5).for_each(|turn| plant.turn(turn, calm, &mut events));
    events.clear();
    let begin = Instant::now();
    plant.turn(6, standing, &mut events);
    let took = begin.elapsed();
    let raised = events.iter().filter(|e| e.kind.name() == "alarm.raised").count();
    println!("burst: {raised} alarms raised in one turn of {POINTS} samples, {took:?}, {} events", events.len());
}

/// Raised, returned and raised again for more than an hour; events are handed on, as in the gateway.
fn growth() {
    let mut plant = Plant::new(limits());
    let (mut events, mut told) = (Vec::new(), 0);
    let mut marks = Vec::new();
    for turn in 1..=LONG_TURNS {
        plant.turn(turn, lively, &mut events);
        told += events.len();
        events.clear();
        if turn % (LONG_TURNS / 4) == 0 {
            marks.push(format!("{:.1}", resident_kib() / 1024.0));
        }
    }
    println!("growth: resident MB after each quarter of {LONG_TURNS} turns with {told} events: {}", marks.join(", "));
}

fn main() {
    state();
    println!("| plant | rules | million evaluations/s | ns a sample | events |");
    println!("|---|---|---|---|---|");
    measure("H and sensor fault, calm", limits(), calm);
    measure("the same, 1 % of points come and go", limits(), lively);
    measure("the same, 5 % stand for good", limits(), standing);
    measure("HH, H, L, LL and sensor fault", ladders(), calm);
    measure("deviation, rate or stuck, and sensor fault", over_time(), calm);
    burst();
    growth();
}
