//! The scheduler alone in virtual time: units, periods, turnarounds, critical points and silences as they are drawn or chosen, the wire is its
//! cost model. What decides (`choose`, `Unit`, `Group`) is the live bus' own; nothing here awaits.
//!
//! Owns the player; what must hold of any bus is in `random`, stories of one bus in `found`.

mod found;
pub(super) mod random;

use super::*;
use crate::bus::choice::{Turn, choose};
use crate::bus::probes::Probes;
use crate::bus::unit::{Change, Unit};
use crate::line::AskError;
use crate::plan::Span;
use rules::PointId;
use std::ops::Range;

const MINUTE: Duration = Duration::from_secs(60);

/// Four values of which no two fit one request.
pub(super) fn four() -> String {
    profile_of(
        "max_registers = 16",
        &[("a", 3, 0, "u16"), ("b", 3, 100, "u16"), ("c", 4, 200, "u16"), ("d", 4, 300, "u32")],
    )
}

#[derive(Clone, Debug)]
struct Drawn {
    /// By unit: period and whether it is critical, of each point.
    units: Vec<Vec<(u64, bool)>>,
    turnaround_ms: Vec<u64>,
    /// Units that are silent, and from when to when, in milliseconds.
    silent: (Range<usize>, Range<u64>),
    timeout_ms: u64,
}

/// One request as it was sent, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) unit: usize,
    span: Span,
    pub(super) at: Duration,
    pub(super) took: Duration,
    /// The unit was dead.
    pub(super) probe: bool,
}

/// One value as it was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) at: Duration,
    /// When the register was read.
    pub(super) read: Duration,
    pub(super) good: bool,
}

pub(super) struct Played {
    pub(super) sent: Vec<Sent>,
    pub(super) values: BTreeMap<PointId, Vec<Value>>,
    /// Time of one request of each kind, all together, and the share of the time that the bus is asked for.
    round: Duration,
    load: f64,
}

pub(super) struct Player {
    units: Vec<Unit>,
    begun: Instant,
    now: Instant,
    probes: Probes,
    pub(super) played: Played,
}

impl Player {
    pub(super) fn new(spec: &BusSpec) -> Self {
        let now = Instant::now();
        let units: Vec<Unit> =
            spec.devices.iter().map(|d| Unit::new(d.clone(), &spec.transport, spec.timeout, now)).collect();
        Self {
            units,
            begun: now,
            now,
            probes: Probes::new(now),
            played: Played { sent: Vec::new(), values: BTreeMap::new(), round: Duration::ZERO, load: 0.0 },
        }
    }

    fn since(&self) -> Duration {
        self.now - self.begun
    }

    fn label(&self) -> Now {
        Now { mono: Mono(u64::try_from(self.since().as_nanos()).unwrap()), wall: Wall::default() }
    }

    fn tell(&mut self, samples: Vec<rules::Sample>) {
        let at = self.since();
        for sample in samples {
            let good = sample.reading.value().is_some();
            let read = Duration::from_nanos(sample.at.mono.0);
            self.played.values.entry(sample.point).or_default().push(Value { at, read, good });
        }
    }

    fn unasked(&mut self) {
        let label = self.label();
        for index in 0..self.units.len() {
            while let Some(samples) = self.units[index].unasked(self.now, label, None) {
                self.tell(samples);
            }
        }
    }

    fn ask(
        &mut self,
        (index, longest): (usize, Option<Duration>),
        answer: impl FnOnce(usize, Span, Duration) -> Option<Duration>,
    ) {
        let (label, at) = (self.label(), self.since());
        let unit = &mut self.units[index];
        let probe = unit.dead.is_some();
        let (span, limit) =
            unit.request(self.now, label, longest).expect("a turn is given to a unit that has something to ask");
        let answered = answer(index, span, at).filter(|turnaround| *turnaround <= limit);
        let (took, answers) = (answered.unwrap_or(limit), answered.is_some());
        self.now += took;
        if probe {
            self.probes.over(&self.units, index, took, self.now);
        }
        self.played.sent.push(Sent { unit: index, span, at, took, probe });
        let label = self.label();
        let outcome = if answers { Ok(vec![0; usize::from(span.count)]) } else { Err(AskError::Timeout) };
        let unit = &mut self.units[index];
        let change = unit.note(outcome, took, self.now, label, Duration::ZERO);
        if unit.dead.is_none() || change == Change::Died {
            while let Some(part) = self.units[index].take_ready(self.now, label) {
                self.tell(part.samples);
            }
        }
    }

    /// `answer` says how long a unit takes to answer a request; never, when none.
    pub(super) fn play(&mut self, long: Duration, mut answer: impl FnMut(usize, Span, Duration) -> Option<Duration>) {
        let mut steps = 0_u64;
        while self.since() < long {
            steps += 1;
            assert!(steps < 500_000, "livelock at {:?}", self.since());
            self.unasked();
            match choose(&self.units, self.now, &self.probes) {
                Turn::Wait(wake) => {
                    assert!(wake > self.now, "a bus that waits for the past turns without end");
                    self.now = wake;
                }
                Turn::Ask(index, longest) => self.ask((index, longest), &mut answer),
            }
        }
    }
}

fn bus_of(drawn: &Drawn) -> BusSpec {
    let numbers: Vec<u8> = (1..).take(drawn.units.len()).collect();
    let mut spec = spec(tcp(), &numbers, &four());
    spec.timeout = Duration::from_millis(drawn.timeout_ms);
    for (device, points) in spec.devices.iter_mut().zip(&drawn.units) {
        for (point, (period, critical)) in Arc::make_mut(&mut device.points).iter_mut().zip(points) {
            (point.period, point.critical) = (Duration::from_millis(*period), *critical);
            point.max_age = point.period * 3;
        }
    }
    spec
}

/// Plays the bus that was drawn for `long`.
fn play(drawn: &Drawn, long: Duration) -> Played {
    let turnaround = |unit: usize| Duration::from_millis(drawn.turnaround_ms[unit]);
    let mut player = Player::new(&bus_of(drawn));
    for (index, unit) in player.units.iter().enumerate() {
        for (period, ..) in unit.requests() {
            player.played.round += turnaround(index);
            player.played.load += turnaround(index).as_secs_f64() / period.as_secs_f64();
        }
    }
    let answer = |unit: usize, _: Span, at: Duration| {
        let at = u64::try_from(at.as_millis()).unwrap();
        let silent = drawn.silent.0.contains(&unit) && drawn.silent.1.contains(&at);
        (!silent).then(|| turnaround(unit))
    };
    player.play(long, answer);
    player.played
}
