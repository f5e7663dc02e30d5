//! Properties of the scheduler over random buses in virtual time: units, periods, turnarounds, critical points and silences are drawn, the
//! wire is its cost model. What decides (`choose`, `Unit`, `Group`) is the live bus' own; nothing here awaits.

use super::*;
use crate::bus::choice::{Turn, choose};
use crate::bus::probes::{Probes, ROOM_AFTER, SHORT_SHARE};
use crate::bus::unit::{Change, Unit};
use crate::line::AskError;
use crate::plan::Span;
use proptest::prelude::*;
use rules::PointId;
use std::ops::Range;

/// Four values of which no two fit one request.
pub(super) const FOUR: &str = "
title_zh = '四'
title_en = 'four'
[limits]
max_registers = 16
[field.a]
function = 3
address = 0
type = 'u16'
[field.b]
function = 3
address = 100
type = 'u16'
[field.c]
function = 4
address = 200
type = 'u16'
[field.d]
function = 4
address = 300
type = 'u32'
";
const PERIODS_MS: [u64; 6] = [200, 500, 1_000, 1_000, 2_000, 10_000];
/// How full a bus may be that keeps what is promised of one with room.
pub(super) const ROOM: f64 = 0.5;

#[derive(Clone, Debug)]
struct Drawn {
    /// By unit: period and whether it is critical, of each point.
    units: Vec<Vec<(u64, bool)>>,
    turnaround_ms: Vec<u64>,
    /// Units that are silent, and from when to when, in milliseconds.
    silent: (Range<usize>, Range<u64>),
    timeout_ms: u64,
}

fn drawn(units: Range<usize>) -> impl Strategy<Value = Drawn> {
    let points = prop::collection::vec((prop::sample::select(&PERIODS_MS[..]), prop::bool::weighted(0.2)), 4);
    let units = prop::collection::vec((points, 1..20_u64), units);
    (units, 0..8_usize, 3_000..30_000_u64, 1_000..200_000_u64).prop_map(|(units, unit, from, long)| {
        let (units, turnaround_ms): (Vec<_>, Vec<_>) = units.into_iter().unzip();
        let unit = unit % units.len();
        Drawn { units, turnaround_ms, silent: (unit..unit + 1, from..from + long), timeout_ms: 400 }
    })
}

/// All but the first unit never answer.
fn mostly_dead(mut bus: Drawn) -> Drawn {
    bus.silent = (1..bus.units.len(), 0..u64::MAX);
    bus
}

fn healthy(mut bus: Drawn) -> Drawn {
    bus.silent.0 = 0..0;
    bus
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
}

fn bus_of(drawn: &Drawn) -> BusSpec {
    let numbers: Vec<u8> = (1..).take(drawn.units.len()).collect();
    let mut spec = spec(tcp(), &numbers, FOUR);
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

impl Player {
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

/// Units that are read once a second or more rarely, some of them silent for ever, on a link that waits for seconds.
fn patient(mut bus: Drawn, (dead, timeout_ms): (usize, u64)) -> Drawn {
    bus.units.iter_mut().flatten().for_each(|(period_ms, _)| *period_ms = (*period_ms).max(1_000));
    (bus.silent, bus.timeout_ms) = ((0..dead, 0..u64::MAX), timeout_ms);
    bus
}

/// Longest time from one value of a point to the next.
fn longest(values: &[Value]) -> Duration {
    values.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap_or_default()
}

fn period_of(drawn: &Drawn, unit: usize, point: usize) -> Duration {
    Duration::from_millis(drawn.units[unit][point].0)
}

const MINUTE: Duration = Duration::from_secs(60);
/// A wait is a millisecond at least; so often can one stand between a due time and its request.
const GRAIN: Duration = Duration::from_millis(20);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the order, work that is there is done at once: no cycle ends later than the longest busy time of the bus, which is the
    /// time of one request of each kind ÷ (1 − load).
    #[test]
    fn a_healthy_bus_with_room_ends_every_cycle_within_its_busy_time(bus in drawn(1..6).prop_map(healthy)) {
        let played = play(&bus, MINUTE);
        prop_assume!(played.load <= ROOM);
        let busy = played.round.div_f64(1.0 - played.load) + GRAIN;
        for (n, values) in played.values.values().enumerate() {
            let period = period_of(&bus, n / 4, n % 4);
            prop_assert!(values.iter().all(|v| v.good), "nothing was silent");
            prop_assert!(longest(values) <= period + busy, "{:?} between values of {n}, {period:?} + {busy:?}", longest(values));
            let cycles = usize::try_from(MINUTE.as_millis() / period.as_millis()).unwrap();
            prop_assert!(values.len() >= cycles - 1 && values.len() <= cycles + 1, "{} values of {n}, {cycles} cycles", values.len());
        }
    }

    /// A late cycle is skipped, not queued: however full the bus and whoever held it up, no request is sent twice within one of its periods.
    #[test]
    fn no_request_is_sent_twice_in_a_period(mut bus in drawn(2..12)) {
        bus.turnaround_ms.iter_mut().for_each(|t| *t *= 3);
        let played = play(&bus, MINUTE);
        let mut last: BTreeMap<(usize, u8, u16), u128> = BTreeMap::new();
        for sent in played.sent.iter().filter(|s| !bus.silent.0.contains(&s.unit)) {
            let point = match (sent.span.function, sent.span.address) { (3, 0) => 0, (3, _) => 1, (_, 200) => 2, _ => 3 };
            let nth = sent.at.as_millis() / period_of(&bus, sent.unit, point).as_millis();
            let before = last.insert((sent.unit, sent.span.function, sent.span.address), nth);
            prop_assert!(before.is_none_or(|before| before < nth), "{sent:?} again in period {nth}");
        }
    }

    /// A unit that falls silent is bad within three of its cycles and a second, on a bus with room; within 65 s of its return its values
    /// are good again, wherever its probes stand.
    #[test]
    fn silence_is_soon_bad_and_its_end_soon_seen(bus in drawn(1..8)) {
        let (silent, when) = bus.silent.clone();
        let (from, to) = (Duration::from_millis(when.start), Duration::from_millis(when.end));
        let played = play(&bus, to + Duration::from_secs(80));
        prop_assume!(played.load <= ROOM && played.round <= Duration::from_millis(250));
        for (n, values) in played.values.values().enumerate() {
            if !silent.contains(&(n / 4)) {
                prop_assert!(values.iter().all(|v| v.good), "the others are good");
                continue;
            }
            let period = period_of(&bus, n / 4, n % 4);
            let bad = from + period * 3 + Duration::from_secs(1);
            if to >= bad {
                let told = values.iter().find(|v| !v.good);
                prop_assert!(told.is_some_and(|v| v.at > from && v.at <= bad), "{n}: silent at {from:?}, {told:?}");
            }
            let back = to + Duration::from_secs(65).max(period + Duration::from_secs(1));
            let good = values.iter().find(|v| v.good && v.at >= to);
            prop_assert!(good.is_some_and(|v| v.at <= back), "{n}: answers from {to:?} on, {good:?}");
        }
    }

    /// However many are dead, their probes take a twentieth of the bus and one probe more.
    #[test]
    fn probes_take_a_twentieth_of_a_bus_on_which_others_live(bus in drawn(8..32).prop_map(mostly_dead)) {
        let played = play(&bus, 2 * MINUTE);
        let probes = || played.sent.iter().filter(|s| s.probe);
        prop_assert!(probes().count() > 4, "they are probed");
        prop_assert!(probes().all(|s| s.unit > 0), "the first one lives");
        let (first, took) = (probes().map(|s| s.at).min(), probes().map(|s| s.took));
        let taken: Duration = took.clone().sum();
        let most = (2 * MINUTE - first.unwrap_or_default()) / 20 + took.max().unwrap_or_default();
        prop_assert!(taken <= most, "{taken:?} for probes, at most {most:?}");
    }

    /// However many are dead, one that lives waits for one probe at most, once they are known to be.
    #[test]
    fn the_living_wait_for_one_probe_at_most(bus in drawn(2..12).prop_map(mostly_dead)) {
        let played = play(&bus, 3 * MINUTE);
        prop_assume!(played.load <= ROOM);
        let busy = played.round.div_f64(1.0 - played.load) + GRAIN;
        let probe = played.sent.iter().filter(|s| s.probe).map(|s| s.took).max().unwrap_or_default();
        for (n, values) in played.values.values().enumerate().take(4) {
            let settled: Vec<Value> = values.iter().copied().filter(|v| v.at > MINUTE).collect();
            let (period, most) = (period_of(&bus, 0, n), busy + probe);
            prop_assert!(longest(&settled) <= period + most, "{:?} between values of {n}, {period:?} + {most:?}", longest(&settled));
        }
    }

    /// However many are dead, each is probed in its turn: within its longest pause, or as soon as a twentieth of the bus has room for all.
    #[test]
    fn every_dead_unit_is_probed_in_its_turn(bus in drawn(8..40).prop_map(mostly_dead)) {
        let played = play(&bus, 8 * MINUTE);
        let longest = played.sent.iter().filter(|s| s.probe).map(|s| s.took).max().unwrap_or_default();
        let dead = u32::try_from(bus.units.len() - 1).unwrap();
        let turn = longest * SHORT_SHARE; // another one's may come just before, or two
        let most = MINUTE.max(turn * dead) + ROOM_AFTER + turn * (dead - 1).min(2) + played.round + GRAIN;
        for unit in 1..bus.units.len() {
            let probes = played.sent.iter().filter(|s| s.unit == unit).map(|s| s.at);
            let times: Vec<Duration> = probes.chain([8 * MINUTE]).collect();
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
            prop_assert!(gap <= most, "unit {unit} of {dead} dead: {gap:?} without a probe, at most {most:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// However long the link's time-out: what lives waits for a dead unit in less than one of a hundred intervals, but for short probes.
    #[test]
    fn the_living_keep_their_intervals_whatever_the_time_out(
        bus in drawn(9..24).prop_flat_map(|bus| (Just(bus), (1..9_usize, 500..4_000_u64))).prop_map(|(bus, dead)| patient(bus, dead)),
    ) {
        let played = play(&bus, 10 * MINUTE);
        prop_assume!(played.load <= ROOM);
        let busy = played.round.div_f64(1.0 - played.load) + GRAIN;
        let living = played.values.values().enumerate().filter(|(n, _)| !bus.silent.0.contains(&(n / 4)));
        for (n, values) in living {
            let settled: Vec<Value> = values.iter().copied().filter(|v| v.at > 2 * MINUTE).collect();
            let mut intervals: Vec<Duration> = settled.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
            intervals.sort();
            let (p99, period) = (intervals[intervals.len() * 99 / 100], period_of(&bus, n / 4, n % 4));
            prop_assert!(p99 <= period.mul_f64(1.15) + busy.min(Duration::from_millis(350)), "{n}: {p99:?} between values, {period:?}");
        }
    }
}

/// Every unit is read each second, so that there is never room for two seconds, and always for four tenths.
#[test]
fn a_dead_unit_is_asked_with_the_whole_time_out_as_often_as_the_plan_says() {
    for (dead, timeout_ms) in [(1, 2_000), (3, 2_000), (1, 400)] {
        let units = vec![vec![(1_000, false); 4]; 6];
        let bus = Drawn { turnaround_ms: vec![20; 6], units, silent: (0..dead, 0..u64::MAX), timeout_ms };
        let mut spec = bus_of(&bus);
        let points = spec.devices.iter_mut().flat_map(|d| Arc::make_mut(&mut d.points).iter_mut());
        points.for_each(|p| p.max_age = MINUTE);
        let plan = crate::forecast(&spec, dead, &|_| MINUTE).with_dead.unwrap();
        let long = 2 * plan.back_slower;
        let mut player = Player::new(&spec);
        player.play(long, |unit, _, _| (unit >= dead).then_some(Duration::from_millis(20)));
        let played = player.played;
        for unit in 0..dead {
            let probes = played.sent.iter().filter(|s| s.unit == unit && s.took >= Duration::from_millis(timeout_ms));
            let times: Vec<Duration> = [Duration::ZERO].into_iter().chain(probes.map(|s| s.at)).chain([long]).collect();
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
            assert!(gap <= plan.back_slower, "{unit} of {dead}: {gap:?}, {:?} by the plan", plan.back_slower);
            assert!(gap * 4 >= plan.back_slower, "the plan is no wild guess: {gap:?} {:?}", plan.back_slower);
        }
    }
}

/// Every answer takes 20 ms and all want one each second: nine units of four requests leave 280 ms, fourteen nothing at all.
/// The plan says how long it takes where gaps cut the probes.
#[test]
fn a_unit_that_now_needs_nearly_the_whole_of_a_short_time_out_is_found_on_a_busy_bus() {
    let slow_from = Duration::from_secs(30);
    for (others, was_there) in [(9, true), (9, false), (14, true), (14, false)] {
        let units = vec![vec![(1_000, false); 4]; others + 1];
        let bus = Drawn { turnaround_ms: vec![20; others + 1], units, silent: (0..0, 0..0), timeout_ms: 300 };
        let plan = crate::forecast(&bus_of(&bus), 1, &|_| MINUTE).with_dead.unwrap();
        let back = if others == 9 { plan.back_slower } else { Duration::from_secs(65) };
        let mut player = Player::new(&bus_of(&bus));
        // off until it is slow, or there and quick; away for five minutes in between, so that its probes are far apart
        let away = slow_from..slow_from + 5 * MINUTE;
        player.play(away.end + back, |unit, _, at| match unit {
            0 if at < away.start && was_there => Some(Duration::from_millis(20)),
            0 if at < away.end => None,
            0 => Some(Duration::from_millis(250)),
            _ => Some(Duration::from_millis(20)),
        });
        let values = player.played.values.values().take(4).flatten();
        let back = values.filter(|v| v.good && v.at > away.end).map(|v| v.at).min();
        assert!(back.is_some(), "{others} others, there before: {was_there}");
    }
}

/// It answers but one of its two requests, and no longer as fast as a short probe waits: long probes are not for the other one alone.
#[test]
fn a_unit_that_became_slower_and_answers_one_request_of_two_is_found_whichever_that_is() {
    for (all, answered) in [(1, 0), (1, 100), (14, 0), (14, 100)] {
        let units = vec![vec![(1_000, false); 2]; all];
        let bus = Drawn { turnaround_ms: vec![20; all], units, silent: (0..0, 0..0), timeout_ms: 1_000 };
        let mut spec = bus_of(&bus);
        for device in &mut spec.devices {
            device.points = device.points.iter().take(2).cloned().collect();
        }
        let mut player = Player::new(&spec);
        player.play(20 * MINUTE, |unit, span, at| match unit {
            0 if at > MINUTE => (span.address == answered).then_some(Duration::from_millis(800)),
            _ => Some(Duration::from_millis(20)),
        });
        let values = player.played.values.values().take(2).flatten();
        let back = values.filter(|v| v.good && v.at > 2 * MINUTE).count();
        assert!(back > 0, "{all} units, it answers {answered}");
    }
}
