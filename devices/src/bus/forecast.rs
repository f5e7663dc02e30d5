//! What a bus will do, before anything goes live: its requests, and its own scheduler run in virtual time.
//!
//! Owns [`forecast`] and what it tells. Leaves the run to `play`, and when the dead are found to `found`.

mod found;
mod play;
#[cfg(test)]
mod tests;

use super::shapes::Shapes;
use super::unit::Unit;
use crate::plan::{Bounds, Cost, Span, wire_bytes};
use crate::{BusSpec, DeviceSpec, PointBinding};
use play::Play;
use rules::PointId;
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

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
    let units = units(spec, now);
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

fn units(spec: &BusSpec, now: Instant) -> Vec<Unit> {
    spec.devices.iter().map(|d| Unit::new(d.clone(), &spec.transport, spec.timeout, now)).collect()
}

/// Share of the bus that a unit asks for.
fn load(unit: &Unit) -> f64 {
    unit.load()
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
