//! `cargo bench -p rules`: rule evaluations a second with 20,000 points and 40,000 rules, and what the engine keeps for them.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench measures and prints"
)]

use rules::book::{BookParts, Condition, Device, Point, PointKind, Rule};
use rules::{DeviceId, Engine, Finite, Input, Mono, Now, Reading, Restored, RuleBook, Sample, Wall};
use std::time::{Duration, Instant};

const DEVICES: usize = 200;
const POINTS: usize = 20_000;
const TURNS: u64 = 60;

fn parts() -> BookParts {
    let device = |d| Device {
        key: format!("d{d}"),
        name: String::new(),
        area: "A".into(),
        comms_timeout: Duration::from_secs(5),
        priority: 3,
    };
    let point = |p: usize| Point {
        key: format!("P-{p:05}"),
        name: "压力".into(),
        name_en: "pressure".into(),
        area: "A".into(),
        device: format!("d{}", p / (POINTS / DEVICES)),
        kind: PointKind::Pressure,
        unit: "kPa".into(),
        range: (0.0, 100.0),
        decimals: 1,
        period: Duration::from_secs(1),
        max_age: Duration::from_secs(3),
        position: None,
    };
    let rule = |p: usize, condition| Rule {
        point: format!("P-{p:05}"),
        condition,
        priority: 3,
        on_delay: Duration::from_secs(2),
        off_delay: Duration::from_secs(5),
        ..Rule::default()
    };
    // The sensor fault is the second rule of a point; it is added by the book.
    let rules = (0..POINTS).map(|p| rule(p, Condition::High { limit: 80.0, deadband: 2.0 }));
    BookParts {
        devices: (0..DEVICES).map(device).collect(),
        points: (0..POINTS).map(point).collect(),
        rules: rules.collect(),
        ..BookParts::default()
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn at(turn: u64, device: usize) -> Now {
    let ns = turn * 1_000_000_000 + device as u64 * 1_000_000;
    Now { mono: Mono(ns), wall: Wall::default() }
}

fn main() {
    let book = RuleBook::build(parts()).unwrap().0;
    let devices: Vec<DeviceId> = (0..DEVICES).map(|d| book.device_id(&format!("d{d}")).unwrap()).collect();
    let ids: Vec<_> = book.points().iter().map(|p| book.point_id(&p.key).unwrap()).collect();
    let rules = book.rules().len();
    let before = resident_kib();
    let mut engine = Engine::new(book, Restored::default(), at(0, 0));
    let per = POINTS / DEVICES;
    let mut events = Vec::new();
    let mut samples = Vec::with_capacity(per);
    let mut turn = |engine: &mut Engine, n: u64, events: &mut Vec<_>| {
        for (d, device) in devices.iter().enumerate() {
            let now = at(n, d);
            samples.clear();
            for (k, id) in ids[d * per..(d + 1) * per].iter().enumerate() {
                let v = 40.0 + ((n * 7 + k as u64 * 13) % 30) as f64;
                samples.push(Sample { point: *id, reading: Reading::Good(Finite::new(v).unwrap()), at: now });
            }
            engine.handle(Input::Scan { device: *device, answered: true, samples: &samples }, now, events);
        }
    };
    for n in 1..=5 {
        turn(&mut engine, n, &mut events);
    }
    let begin = Instant::now();
    for n in 6..6 + TURNS {
        turn(&mut engine, n, &mut events);
    }
    let took = begin.elapsed();
    let evaluations = rules as f64 * TURNS as f64;
    println!("{rules} rules on {POINTS} points, {TURNS} turns in {took:?}");
    println!("{:.2} million evaluations/s", evaluations / took.as_secs_f64() / 1e6);
    println!("engine state {:.1} MB", (resident_kib() - before) as f64 / 1024.0);
    println!("{} events", events.len());
}
