//! A bus in virtual time: the units and the rule who is next are those of the live bus, only the wire is replaced by its cost model.

use super::found::Parted;
use super::{LatePoint, Outlook, load, units};
use crate::bus::choice::{Turn, choose};
use crate::bus::probes::Probes;
use crate::bus::unit::{Change, MISSES_TO_DIE, Unit};
use crate::line::AskError;
use crate::{BusSpec, PointBinding};
use rules::{Mono, Now, PointId, Wall};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Periods of the slowest point that are played through, within the bounds below.
const PERIODS: u32 = 3;
const SHORTEST: Duration = Duration::from_secs(20);
/// Two rounds of probes at their longest pause.
const LONGEST: Duration = Duration::from_secs(130);

pub(super) struct Play<'a> {
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
    pub(super) fn new(spec: &'a BusSpec, now: Instant, dead: usize) -> Self {
        let mut play = Self {
            spec,
            units: units(spec, now),
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

    pub(super) fn run(mut self, max_age: &dyn Fn(PointId) -> Duration) -> Outlook {
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

    /// Who has nothing to ask is neither dead nor alive.
    fn parted(&self) -> Parted<'_> {
        let (dead, living): (Vec<_>, Vec<_>) =
            self.units.iter().zip(&self.silent).filter(|(u, _)| u.is_askable()).partition(|(_, silent)| **silent);
        Parted {
            dead: dead.into_iter().map(|(u, _)| u).collect(),
            living: living.into_iter().map(|(u, _)| u).collect(),
        }
    }

    /// With the rest that the last probe still owes: while others live none runs before that is over, and where the play ends is chance.
    fn probes(&self) -> f64 {
        let lives = !self.parted().living.is_empty();
        let until = if lives { self.probes.rest_until().max(self.now) } else { self.now };
        self.probing.as_secs_f64() / (until - self.begun).as_secs_f64()
    }

    fn outlook(&self, max_age: &dyn Fn(PointId) -> Duration) -> Outlook {
        let parted = self.parted();
        let living = || parted.living.iter().copied();
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
            back: parted.back(),
            back_slower: parted.back_slower(),
            waits_at_most: parted.waits_at_most(),
            late,
        }
    }
}
