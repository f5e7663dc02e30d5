//! What a bus will do, before anything goes live: its requests, and its own scheduler run in virtual time.
//!
//! Owns [`forecast`]. The units and the rule who is next are those of the live bus; only the wire is replaced by its cost model.

use super::choice::{Turn, choose};
use super::freshness::always_spare;
use super::probes::{Probes, ROOM_AFTER, SHARE, SHORT_SHARE, apart};
use super::shapes::Shapes;
use super::unit::{Change, LAST_PROBE, MISSES_TO_DIE, Unit};
use crate::line::AskError;
use crate::plan::{Bounds, Cost, Span, wire_bytes};
use crate::{BusSpec, DeviceSpec, PointBinding};
use rules::{Mono, Now, PointId, Wall};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Periods of the slowest point that are played through, within the bounds below.
const PERIODS: u32 = 3;
const SHORTEST: Duration = Duration::from_secs(20);
/// Two rounds of probes at their longest pause.
const LONGEST: Duration = Duration::from_secs(130);

/// One request of a bus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestForecast {
    pub device: String,
    pub unit: u8,
    #[serde(flatten)]
    pub span: Span,
    /// Asked for beyond that, so that no late answer to another request fits this one.
    pub more: u16,
    #[serde(rename = "period_ms", serialize_with = "as_ms")]
    pub period: Duration,
    /// Holds a value that an alarm rule judges.
    pub critical: bool,
    /// Of request and answer.
    pub bytes: u32,
    /// Characters and silence.
    #[serde(rename = "wire_ms", serialize_with = "as_ms")]
    pub wire: Duration,
    /// With the unit's turnaround.
    #[serde(rename = "total_ms", serialize_with = "as_ms")]
    pub total: Duration,
}

/// How a bus does with some of its units dead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outlook {
    pub dead: usize,
    /// Units that answer; with none nobody is read, and no deadline is left to judge.
    pub living: usize,
    /// Time of all requests of the living, once each.
    #[serde(rename = "round_ms", serialize_with = "as_ms")]
    pub round: Duration,
    /// Longest time from a due cycle to its last answer.
    #[serde(rename = "cycle_ms", serialize_with = "as_ms")]
    pub cycle: Duration,
    /// Share of the time that the bus is taken, probes included.
    pub utilisation: f64,
    /// Share of the time that probes of the dead take: at most a twentieth while any unit lives, what they need where none does.
    pub probes: f64,
    /// Share of the time that the requests of the living ask for; above 1 the bus cannot do it.
    pub demand: f64,
    /// Cycles that were due and skipped.
    pub skipped: usize,
    /// Longest time after its return until a dead unit is probed: all have their turn within their share of the bus. Nothing when none is dead.
    #[serde(rename = "back_ms", serialize_with = "as_ms")]
    pub back: Duration,
    /// The same where it now takes longer to answer than a short probe waits, in a gap of the living perhaps: until it is asked with the link's
    /// whole time-out.
    #[serde(rename = "back_slower_ms", serialize_with = "as_ms")]
    pub back_slower: Duration,
    /// As long as a dead unit is surely waited for, where its link's time-out is longer: more would make readings of the living stale. One that
    /// needs longer may never be found while they live.
    #[serde(rename = "waits_at_most_ms", serialize_with = "as_optional_ms")]
    pub waits_at_most: Option<Duration>,
    /// Points whose freshness cannot hold.
    pub late: Vec<LatePoint>,
}

/// A value that becomes older than it may.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatePoint {
    pub point: String,
    pub device: String,
    #[serde(rename = "period_ms", serialize_with = "as_ms")]
    pub period: Duration,
    #[serde(rename = "max_age_ms", serialize_with = "as_ms")]
    pub max_age: Duration,
    /// Longest time between two values.
    #[serde(rename = "interval_ms", serialize_with = "as_ms")]
    pub interval: Duration,
}

/// A bus before it goes live.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BusForecast {
    pub bus: String,
    pub requests: Vec<RequestForecast>,
    pub healthy: Outlook,
    /// With as many units dead as asked for (at most all there are), those that ask least of the bus.
    pub with_dead: Option<Outlook>,
    /// Healthy, with every fast period in force; `None` where no judged point has one.
    pub all_fast: Option<Outlook>,
    /// Share of the time that those ask for who have no fast period: what no longer one gives back.
    pub steady: f64,
    /// The round trip that is reckoned with, not measured; `None` where bytes take most of the time.
    #[serde(rename = "assumed_round_trip_ms", serialize_with = "as_optional_ms")]
    pub assumed_round_trip: Option<Duration>,
}

/// Plays the bus through, healthy and with `dead` units silent. `max_age` is how old a point's value may become.
#[must_use]
pub fn forecast(spec: &BusSpec, dead: usize, max_age: &dyn Fn(PointId) -> Duration) -> BusForecast {
    let now = Instant::now();
    let unit = |d: &DeviceSpec| Unit::new(d.clone(), &spec.transport, spec.timeout, now);
    let units: Vec<Unit> = spec.devices.iter().map(unit).collect();
    let requests = units.iter().flat_map(|u| requests(spec, u, now)).collect();
    let dead = dead.min(units.iter().filter(|u| u.is_askable()).count());
    let with_dead = (dead > 0).then(|| Play::new(spec, now, dead).run(max_age));
    let all_fast = all_fast(spec).map(|fast| Play::new(&fast, now, 0).run(max_age));
    BusForecast {
        bus: spec.key.clone(),
        requests,
        healthy: Play::new(spec, now, 0).run(max_age),
        with_dead,
        all_fast,
        steady: steady(spec, now),
        assumed_round_trip: Cost::assumed_round_trip(&spec.transport),
    }
}

/// The fast period of a point that may near its limit.
fn fast(p: &PointBinding) -> Option<Duration> {
    p.fast.as_ref().filter(|_| p.critical).map(|f| f.period).filter(|f| *f < p.period)
}

fn steady(spec: &BusSpec, now: Instant) -> f64 {
    let slow = |d: &DeviceSpec| d.points.iter().filter(|p| fast(p).is_none()).cloned().collect();
    let units = spec.devices.iter().map(|d| DeviceSpec { points: slow(d), ..d.clone() });
    units.map(|d| load(&Unit::new(d, &spec.transport, spec.timeout, now))).sum()
}

/// The bus while every value that may near a limit does.
fn all_fast(spec: &BusSpec) -> Option<BusSpec> {
    let hurried = |p: &PointBinding| PointBinding { period: fast(p).unwrap_or(p.period), fast: None, ..p.clone() };
    let device = |d: &DeviceSpec| DeviceSpec { points: d.points.iter().map(hurried).collect(), ..d.clone() };
    let has_any = spec.devices.iter().flat_map(|d| d.points.iter()).any(|p| fast(p).is_some());
    has_any.then(|| BusSpec { devices: spec.devices.iter().map(device).collect(), ..spec.clone() })
}

fn requests(bus: &BusSpec, unit: &Unit, now: Instant) -> Vec<RequestForecast> {
    let mut shapes = Shapes::new(&bus.transport, Bounds::of(unit.spec.profile.limits));
    let one = |(period, span, critical, cost): (Duration, Span, bool, Cost)| {
        let asked = shapes.ask(span, now);
        RequestForecast {
            device: unit.spec.key.clone(),
            unit: unit.spec.unit,
            span,
            more: asked.count - span.count,
            period,
            critical,
            bytes: wire_bytes(&bus.transport, asked),
            wire: cost.wire(asked),
            total: cost.of(asked),
        }
    };
    unit.requests().map(one).collect()
}

fn as_ms<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1e6).round() / 1e3)
}

fn as_optional_ms<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => as_ms(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// A bus in virtual time.
struct Play<'a> {
    spec: &'a BusSpec,
    units: Vec<Unit>,
    silent: Vec<bool>,
    begun: Instant,
    now: Instant,
    probes: Probes,
    /// Taken by the living, and by probes of the dead.
    busy: Duration,
    probing: Duration,
    skipped: usize,
    cycle: Duration,
    /// Last arrival and longest interval of each point.
    arrivals: BTreeMap<PointId, (Mono, Duration)>,
}

impl<'a> Play<'a> {
    fn new(spec: &'a BusSpec, now: Instant, dead: usize) -> Self {
        let unit = |d: &DeviceSpec| Unit::new(d.clone(), &spec.transport, spec.timeout, now);
        let mut play = Self {
            spec,
            units: spec.devices.iter().map(unit).collect(),
            silent: vec![false; spec.devices.len()],
            begun: now,
            now,
            probes: Probes::new(now),
            busy: Duration::ZERO,
            probing: Duration::ZERO,
            skipped: 0,
            cycle: Duration::ZERO,
            arrivals: BTreeMap::new(),
        };
        let mut by_load: Vec<usize> = (0..play.units.len()).filter(|index| play.units[*index].is_askable()).collect();
        by_load.sort_by(|a, b| load(&play.units[*a]).total_cmp(&load(&play.units[*b])));
        for index in by_load.into_iter().take(dead) {
            play.silent[index] = true;
            play.kill(index);
        }
        play
    }

    fn kill(&mut self, index: usize) {
        let (now, label) = (self.now, self.label());
        let unit = &mut self.units[index];
        for _ in 0..MISSES_TO_DIE {
            // Three misses need three cycles at most.
            unit.hurry(now);
            if unit.request(now, label, None).is_some() {
                unit.note(Err(AskError::Timeout), Duration::ZERO, now, label, Duration::ZERO);
            }
            while unit.take_ready(now, label).is_some() {}
        }
    }

    fn label(&self) -> Now {
        let nanos = u64::try_from((self.now - self.begun).as_nanos()).unwrap_or(u64::MAX);
        Now { mono: Mono(nanos), wall: Wall::default() }
    }

    fn run(mut self, max_age: &dyn Fn(PointId) -> Duration) -> Outlook {
        let slowest =
            self.spec.devices.iter().flat_map(|d| d.points.iter()).map(|p| p.period).max().unwrap_or_default();
        let until = self.begun + (slowest * PERIODS).clamp(SHORTEST, LONGEST);
        while self.now < until {
            let label = self.label();
            for unit in &mut self.units {
                while unit.unasked(self.now, label, None).is_some() {}
            }
            match choose(&self.units, self.now, &self.probes) {
                Turn::Wait(wake) => self.now = wake.min(until),
                Turn::Ask(index, longest) => self.ask(index, longest),
            }
        }
        self.outlook(max_age)
    }

    fn ask(&mut self, index: usize, longest: Option<Duration>) {
        let label = self.label();
        let unit = &mut self.units[index];
        let (span, limit) =
            unit.request(self.now, label, longest).expect("a cycle ends as soon as nothing is left to ask");
        let due = unit.next_due().unwrap_or(self.now);
        let took = if self.silent[index] { limit } else { unit.cost_of(span) };
        let share = if unit.dead.is_some() { &mut self.probing } else { &mut self.busy };
        *share += took;
        self.now += took;
        if unit.dead.is_some() {
            self.probes.over(&self.units, index, took, self.now);
        }
        let label = self.label();
        let unit = &mut self.units[index];
        let answer = if self.silent[index] { Err(AskError::Timeout) } else { Ok(vec![0; usize::from(span.count)]) };
        let change = unit.note(answer, took, self.now, label, Duration::ZERO);
        debug_assert_ne!(change, Change::Back, "a silent unit never answers");
        while (unit.dead.is_none() || change == Change::Died)
            && let Some(part) = unit.take_ready(self.now, label)
        {
            self.skipped += part.skipped;
            self.cycle = self.cycle.max(self.now - due);
            for sample in part.samples {
                let (last, longest) = self.arrivals.entry(sample.point).or_insert((sample.at.mono, Duration::ZERO));
                *longest = sample.at.mono.since(*last).max(*longest);
                *last = sample.at.mono;
            }
        }
    }

    /// Longest time between two values of a point.
    fn interval(&self, binding: &PointBinding) -> Duration {
        let played = self.now - self.begun;
        match self.arrivals.get(&binding.point) {
            Some((_, longest)) if !longest.is_zero() => *longest,
            // Too slow to come twice while we looked.
            Some(_) if binding.period * 2 > played => binding.period + self.cycle,
            _ => played,
        }
    }

    /// The dead, and those that live; who has nothing to ask is neither.
    fn parted(&self) -> (Vec<&Unit>, Vec<&Unit>) {
        let (dead, living): (Vec<_>, Vec<_>) =
            self.units.iter().zip(&self.silent).filter(|(u, _)| u.is_askable()).partition(|(_, silent)| **silent);
        (dead.into_iter().map(|(u, _)| u).collect(), living.into_iter().map(|(u, _)| u).collect())
    }

    /// The longest pause, or a turn of each where that is longer; and what came just before: another one's turn and a long probe. On a full
    /// bus each waits for its turn as well as for room.
    fn back(&self) -> Duration {
        let (dead, living) = self.parted();
        if living.is_empty() {
            return alone(&dead);
        }
        let full = living.iter().map(|u| load(u)).sum::<f64>() > 1.0;
        let wait = if full { ROOM_AFTER } else { Duration::ZERO };
        let turns = dead.iter().map(|u| (u.longest_wire() + u.probe_waits().short) * SHORT_SHARE + wait);
        let Some(another) = turns.clone().max() else { return Duration::ZERO };
        let before = if dead.len() > 1 { another + longest_probe(&dead) } else { Duration::ZERO };
        turns.sum::<Duration>().max(LAST_PROBE) + ROOM_AFTER + before
    }

    /// A long probe of each, and from one to the next what its share of the bus and the intervals of the living ask for. Nothing where the
    /// short ones wait as long.
    fn back_slower(&self) -> Duration {
        let (dead, living) = self.parted();
        let waits_longer = dead.iter().map(|u| u.probe_waits()).any(|waits| waits.long > waits.short);
        if !waits_longer && !cuts(&dead, &living) {
            return Duration::ZERO;
        }
        if living.is_empty() {
            return alone(&dead) * 2;
        }
        let long = longest_probe(&dead).min(always_spare(living.iter().copied()).unwrap_or(Duration::MAX));
        let short: Duration = dead.iter().map(|u| u.longest_wire() + u.probe_waits().short).sum();
        let short = (short.as_secs_f64() / LAST_PROBE.as_secs_f64()).min(1.0 / f64::from(SHORT_SHARE));
        let share = long.div_f64(1.0 / f64::from(SHARE) - short);
        let apart = if fits(&living, long) { Duration::ZERO } else { apart(living.into_iter(), long) };
        let every = share.max(apart).max(LAST_PROBE + ROOM_AFTER);
        (every + LAST_PROBE + ROOM_AFTER) * u32::try_from(dead.len()).unwrap_or(u32::MAX)
    }

    /// What the readings of the living bear at any time, where that is less than the whole time-out of a dead one.
    fn waits_at_most(&self) -> Option<Duration> {
        let (dead, living) = self.parted();
        let bears = always_spare(living.into_iter())?;
        let shorter = |u: &&Unit| bears.saturating_sub(u.longest_wire());
        dead.iter().filter(|u| shorter(u) < u.probe_waits().long).map(shorter).min()
    }

    /// With the rest that the last probe still owes: while others live none runs before that is over, and where the play ends is chance.
    fn probes(&self) -> f64 {
        let lives = !self.parted().1.is_empty();
        let until = if lives { self.probes.rest_until().max(self.now) } else { self.now };
        self.probing.as_secs_f64() / (until - self.begun).as_secs_f64()
    }

    fn outlook(&self, max_age: &dyn Fn(PointId) -> Duration) -> Outlook {
        let (_, living) = self.parted();
        let living = || living.iter().copied();
        let mut late = Vec::new();
        for unit in living().filter(|u| u.is_askable()) {
            for binding in unit.spec.points.iter().filter(|p| unit.spec.profile.field(&p.field).is_some()) {
                let interval = self.interval(binding);
                let max_age = max_age(binding.point);
                if interval > max_age {
                    let (point, device) = (binding.key.to_string(), unit.spec.key.clone());
                    late.push(LatePoint { point, device, period: binding.period, max_age, interval });
                }
            }
        }
        let probes = self.probes();
        Outlook {
            living: living().count(),
            probes,
            dead: self.silent.iter().filter(|s| **s).count(),
            round: living().flat_map(Unit::requests).map(|(_, span, _, cost)| cost.of(span)).sum(),
            cycle: self.cycle,
            utilisation: self.busy.as_secs_f64() / (self.now - self.begun).as_secs_f64() + probes,
            demand: living().map(load).sum(),
            skipped: self.skipped,
            back: self.back(),
            back_slower: self.back_slower(),
            waits_at_most: self.waits_at_most(),
            late,
        }
    }
}

/// Longest time between two probes of a unit where nobody is kept waiting: the longest pause, and all the others before it.
fn alone(dead: &[&Unit]) -> Duration {
    let probes: Duration = dead.iter().map(|u| u.longest_wire() + u.probe_waits().long).sum();
    if dead.is_empty() { Duration::ZERO } else { LAST_PROBE + probes }
}

/// The living leave gaps in which a short probe is cut. One that is asked for more than it can do has none at all.
fn cuts(dead: &[&Unit], living: &[&Unit]) -> bool {
    let short = dead.iter().filter(|u| u.probe_waits().least < u.probe_waits().short);
    let short = short.map(|u| u.longest_wire() + u.probe_waits().short).max();
    short.is_some_and(|short| !fits(living, short)) && living.iter().map(|u| load(u)).sum::<f64>() < 1.0
}

/// Even where the due times of the living, which nobody can foresee, lie as far from each other as they can: what they leave between two
/// cycles on the average, and so once in a while whatever they are.
fn fits(living: &[&Unit], wait: Duration) -> bool {
    let cycles_per_second: f64 = living.iter().flat_map(|u| u.periods()).map(|period| 1.0 / period.as_secs_f64()).sum();
    let idle = 1.0 - living.iter().map(|u| load(u)).sum::<f64>();
    idle >= wait.as_secs_f64() * cycles_per_second
}

/// With its request.
fn longest_probe(dead: &[&Unit]) -> Duration {
    dead.iter().map(|u| u.longest_wire() + u.probe_waits().long).max().unwrap_or_default()
}

/// Share of the bus that a unit asks for.
fn load(unit: &Unit) -> f64 {
    unit.load()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tests::{ONE, TWO, rtu, spec, tcp};

    fn late(outlook: &Outlook) -> Vec<&str> {
        outlook.late.iter().map(|l| l.point.as_str()).collect()
    }

    #[test]
    fn a_bus_with_room_holds_every_deadline_and_says_what_it_sends() {
        let spec = spec(rtu(), &[1, 2, 3, 4], TWO);
        let told = forecast(&spec, 1, &|_| Duration::from_secs(3));
        assert_eq!(told.requests.len(), 8);
        let first = &told.requests[0];
        assert_eq!((first.bytes, first.unit, first.more), (15, 1, 0));
        assert_eq!((told.requests[1].bytes, told.requests[1].more), (17, 1), "it would look like the first");
        assert!(first.wire > Duration::from_millis(19) && first.total < Duration::from_millis(40), "{first:?}");
        assert_eq!(late(&told.healthy), Vec::<&str>::new());
        assert!((0.25..0.4).contains(&told.healthy.utilisation), "{:?}", told.healthy);
        let dead = told.with_dead.unwrap();
        assert_eq!((dead.dead, late(&dead)), (1, vec![]));
        assert_eq!((told.healthy.back, dead.back), (Duration::ZERO, Duration::from_secs(63)));
        assert!(dead.cycle < told.healthy.cycle + Duration::from_millis(600));
    }

    #[test]
    fn probes_take_a_twentieth_while_any_unit_lives_and_more_only_where_none_does() {
        for (all, dead) in [(2_u8, 1), (4, 1), (4, 3), (20, 10), (20, 19)] {
            let units: Vec<u8> = (1..=all).collect();
            let told = forecast(&spec(rtu(), &units, ONE), dead, &|_| Duration::from_secs(30)).with_dead.unwrap();
            assert!(told.probes > 0.0 && told.probes <= 0.05 + 1e-9, "{dead} of {all}: {told:?}");
            assert_eq!(told.living, usize::from(all) - dead);
        }
        let none = forecast(&spec(rtu(), &[1, 2, 3, 4], ONE), 4, &|_| Duration::from_secs(30)).with_dead.unwrap();
        assert!(none.living == 0 && none.probes > 0.05 && none.utilisation - none.probes < 1e-9, "{none:?}");
    }

    #[test]
    fn where_nobody_lives_a_unit_is_back_after_the_longest_pause_and_the_probes_of_all() {
        let told = forecast(&spec(tcp(), &[1, 2, 3, 4], ONE), 4, &|_| Duration::from_secs(30)).with_dead.unwrap();
        let probes = Duration::from_millis(4 * 400);
        assert!(told.back >= LAST_PROBE + probes && told.back < LAST_PROBE + probes * 2, "{told:?}");
        assert_eq!(told.back_slower, told.back * 2, "a short one and a long one");
    }

    #[test]
    fn a_device_that_has_nothing_to_ask_is_neither_dead_nor_alive() {
        let mut spec = spec(tcp(), &[1, 2], ONE);
        spec.devices[1].points = [].into();
        let told = forecast(&spec, 1, &|_| Duration::from_secs(30));
        assert_eq!(told.healthy.living, 1);
        let dead = told.with_dead.unwrap();
        assert_eq!((dead.dead, dead.living), (1, 0), "{dead:?}");
        assert_eq!(forecast(&spec, 2, &|_| Duration::from_secs(30)).with_dead, Some(dead));
    }

    /// All are due together in the play; nobody knows whether they are on the bus.
    #[test]
    fn a_long_probe_has_room_only_where_it_fits_however_the_due_times_lie() {
        let units: Vec<u8> = (1..=11).collect();
        for (period_s, least_s, most_s) in [(1, 213, 214), (60, 126, 127)] {
            let mut spec = spec(tcp(), &units, ONE);
            for device in &mut spec.devices {
                std::sync::Arc::make_mut(&mut device.points)[0].period = Duration::from_secs(period_s);
            }
            let told = forecast(&spec, 1, &|_| Duration::from_secs(300)).with_dead.unwrap();
            let slower = Duration::from_secs(least_s)..Duration::from_secs(most_s);
            assert!(slower.contains(&told.back_slower), "{period_s} s: {told:?}");
        }
    }

    #[test]
    fn a_deadline_that_cannot_hold_is_named() {
        let mut spec = spec(rtu(), &[1, 2, 3, 4], ONE);
        std::sync::Arc::make_mut(&mut spec.devices[2].points)[0].period = Duration::from_millis(60);
        let told = forecast(&spec, 0, &|point| Duration::from_millis(if point.index() == 2 { 70 } else { 3_000 }));
        assert_eq!(late(&told.healthy), ["u3-a"], "{:?}", told.healthy);
    }

    #[test]
    fn a_bus_without_time_skips_and_names_whom_it_starves() {
        let units: Vec<u8> = (1..=40).collect();
        let told = forecast(&spec(rtu(), &units, TWO), 0, &|_| Duration::from_secs(2));
        assert!(told.healthy.utilisation > 0.99 && told.healthy.skipped > 0);
        assert_eq!(told.healthy.late.len(), 80, "80 requests of 39 ms take 3.1 s");
        let many = forecast(&spec(rtu(), &units, TWO), 30, &|_| Duration::from_secs(2)).with_dead.unwrap();
        assert!(many.back > Duration::from_secs(240), "30 probes of 0.4 s at a twentieth of the bus: {:?}", many.back);
    }

    #[test]
    fn a_bus_that_is_idle_now_is_told_as_it_is_when_every_value_nears_its_limit() {
        let units: Vec<u8> = (1..=20).collect();
        let mut spec = spec(rtu(), &units, ONE);
        assert_eq!(forecast(&spec, 0, &|_| Duration::from_secs(30)).all_fast, None);
        let wish = crate::Wanted::default();
        for device in &mut spec.devices {
            let point = &mut std::sync::Arc::make_mut(&mut device.points)[0];
            let fast = crate::Fast { period: Duration::from_millis(500), wanted: wish.clone() };
            (point.period, point.critical, point.fast) = (Duration::from_secs(10), true, Some(Box::new(fast)));
        }
        let told = forecast(&spec, 0, &|_| Duration::from_secs(2));
        let fast = told.all_fast.unwrap();
        assert!(told.healthy.demand < 0.1 && told.healthy.skipped == 0, "{:?}", told.healthy);
        assert!((1.4..1.8).contains(&fast.demand) && fast.utilisation > 0.99 && fast.skipped > 0, "{fast:?}");
        assert!(fast.late.is_empty(), "skipped cycles alone break no deadline: {:?}", fast.late);
        assert!(!wish.get(), "a forecast wishes nothing of the live bus");
        let tight = forecast(&spec, 0, &|_| Duration::from_millis(600)).all_fast.unwrap();
        assert_eq!((tight.late.len(), tight.late[0].period), (20, Duration::from_millis(500)));
        for device in &mut spec.devices {
            std::sync::Arc::make_mut(&mut device.points)[0].critical = false;
        }
        assert_eq!(forecast(&spec, 0, &|_| Duration::from_secs(30)).all_fast, None, "no limit to come near to");
    }
}
