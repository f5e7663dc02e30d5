//! One unit on a link: its groups of requests, and whether it is alive.
//!
//! ```text
//!   alive ──miss──► asked again at once ──miss──► cycle bad ──3rd miss──► dead ──probe answered──► alive, everything due
//!                                                                          └─ probes: 2 s, 4 s … 60 s apart
//! ```
//! Pure state: time comes in as an argument, messages go out through the desk. Leaves what an outcome means to [`outcome`], its probes to
//! [`probe`]. After a miss the same request comes first: a late answer can then only be its own.

mod outcome;
mod probe;

pub(super) use outcome::Change;
pub(super) use probe::{LAST_PROBE, Probe};

use super::freshness::Pace;
use super::group::{Group, Part};
use super::patience::Patience;
use super::shapes::Shapes;
use crate::plan::cuts::Cuts;
use crate::plan::{Bounds, Cost, Span, distinct};
use crate::{DeviceSpec, Transport};
use rules::{Fault, Now, Sample};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Misses in a row after which a unit is dead.
pub(super) const MISSES_TO_DIE: u32 = 3;
/// A turnaround that differs from the plan's by less does not change the plan.
const SAME_TURNAROUND: Duration = Duration::from_millis(2);
const SHORTEST_PERIOD: Duration = Duration::from_millis(10);
/// As long as a device may be silent before it is an alarm, at the least …
const HEARD_LATELY_LEAST: Duration = Duration::from_secs(5);
/// … and no longer than this, so that one that answers nothing any more is soon silent.
const HEARD_LATELY_MOST: Duration = Duration::from_secs(60);

/// When a unit wants to be asked, and how urgent that is: the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) from: Instant,
    pub(super) urgency: (bool, Instant),
}

pub(super) struct Unit {
    pub(super) spec: DeviceSpec,
    /// Not to be asked before: gap of the profile, busy, or answers still owed.
    pub(super) not_before: Instant,
    pub(super) dead: Option<Probe>,
    groups: Vec<Group>,
    cuts: Cuts,
    transport: Transport,
    patience: Patience,
    /// The group of the present request.
    asked: usize,
    /// It is a probe for a part of that group's request.
    asks_part: bool,
    /// The group whose present request was not answered: nothing else is asked before it.
    repeat: Option<usize>,
    misses: u32,
    /// When it answered last, whatever.
    heard_at: Option<Instant>,
    fault: Fault,
    /// An answer to the present request may still be on its way.
    owed: bool,
    /// A group has nothing to ask for.
    has_unbound: bool,
    /// The wishes that are followed, of the points that have a fast period.
    wishes: Vec<bool>,
    /// Until when it may be, after the request was answered.
    owed_until: Instant,
    shapes: Shapes,
    pace: Pace,
}

impl Unit {
    pub(super) fn new(spec: DeviceSpec, transport: &Transport, link_timeout: Duration, now: Instant) -> Self {
        let mut unit = Self {
            not_before: now,
            dead: None,
            groups: Vec::new(),
            cuts: Cuts::default(),
            transport: transport.clone(),
            patience: Patience::new(&spec.profile.limits, link_timeout),
            asked: 0,
            asks_part: false,
            repeat: None,
            misses: 0,
            heard_at: None,
            fault: Fault::NeverRead,
            owed: false,
            has_unbound: false,
            wishes: Vec::new(),
            owed_until: now,
            shapes: Shapes::new(transport, Bounds::of(spec.profile.limits)),
            pace: Pace::default(),
            spec,
        };
        unit.regroup(now);
        unit
    }

    /// Groups the points by the period that holds now: the fast one where the core has asked for it. What is known of points and
    /// requests stays known, and what is silent is not joined to what answers.
    fn regroup(&mut self, now: Instant) {
        let mut periods: BTreeMap<Duration, Vec<usize>> = BTreeMap::new();
        for (i, point) in self.spec.points.iter().enumerate() {
            periods.entry(point.period_now().max(SHORTEST_PERIOD)).or_default().push(i);
        }
        self.wishes = wishes(&self.spec).collect();
        let before = std::mem::take(&mut self.groups);
        let silent: Vec<Span> = before.iter().flat_map(Group::silent).collect();
        if !silent.is_empty() {
            periods.values().for_each(|points| self.keep_apart(&silent, points, now));
        }
        let cost = self.cost();
        let due = |period| before.iter().find(|g| g.period == period).map_or(now, |g| g.due);
        let group = |(period, points): (Duration, Vec<usize>)| {
            let points = points.iter().map(|i| &self.spec.points[*i]);
            let mut group = Group::new(period, points, &self.spec.profile, cost, &self.cuts, due(period));
            group.follow(&before);
            group
        };
        self.groups = periods.into_iter().map(group).collect();
        self.has_unbound = !self.groups.iter().all(Group::is_askable);
        self.reckon_pace();
    }

    fn reckon_pace(&mut self) {
        let cost = self.cost();
        let work = self.requests().map(|(_, span, ..)| cost.of(span)).sum();
        let margin = self.groups.iter().filter(|g| g.is_askable()).map(Group::margin).min();
        self.pace = Pace { work, margin };
    }

    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    /// It is waited for longer than usual: its last request was not answered, or it is not known how long it takes.
    pub(super) fn may_be_silent(&self) -> bool {
        self.misses > 0 || !self.patience.is_known()
    }

    /// As long as it was waited for before it missed anything.
    pub(super) fn usual_wait(&self) -> Duration {
        self.patience.usual_wait()
    }

    /// In the group of these points.
    fn keep_apart(&mut self, silent: &[Span], points: &[usize], now: Instant) {
        let fields = points.iter().filter_map(|i| self.spec.profile.field(&self.spec.points[*i].field));
        let values: Vec<Span> = fields.flat_map(|f| f.spans()).collect();
        let values = distinct(&values);
        silent.iter().for_each(|span| self.cuts.keep_apart(*span, &values, now));
    }

    fn cost(&self) -> Cost {
        Cost::on(&self.transport, self.spec.profile.limits.turnaround, self.patience.usual())
    }

    /// Follows the core's wishes for fast periods, between two cycles.
    pub(super) fn follow_wishes(&mut self, now: Instant) {
        let same = self.wishes.is_empty() || wishes(&self.spec).eq(self.wishes.iter().copied());
        if !same && self.repeat.is_none() && self.groups.iter().all(Group::is_idle) {
            self.regroup(now);
        }
    }

    /// When the next request of a living unit may be sent.
    pub(super) fn wish(&self, now: Instant) -> Option<Wish> {
        let askable = self.groups.iter().filter(|g| g.is_askable());
        let due = askable.clone().map(|g| g.due).min()?;
        let ready = askable.filter(|g| g.due <= now).map(|g| g.urgency(now)).min();
        Some(Wish { from: due.max(self.not_before), urgency: ready.unwrap_or((true, due)) })
    }

    /// The next due time of anything, for those that publish without asking.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.groups.iter().map(|g| g.due).min()
    }

    /// The next request, and the longest wait for its answer, which the bus says of a probe.
    pub(super) fn request(&mut self, now: Instant, label: Now, longest: Option<Duration>) -> Option<(Span, Duration)> {
        let limit = self.patience.limit();
        let wait = longest.map_or(limit, |longest| longest.min(limit));
        self.note_probe(wait, now);
        let need = if self.dead.is_some() { self.probe_request(now) } else { self.next_request(now, label) }?;
        let span = self.shapes.ask(need, now);
        Some((span, self.groups[self.asked].cost().wire(span) + wait))
    }

    /// Of a unit that lives: what was not answered, else what is most urgent, else what is due first.
    fn next_request(&mut self, now: Instant, label: Now) -> Option<Span> {
        let groups = self.groups.iter().enumerate().filter(|(_, g)| g.is_askable());
        let most_urgent = || groups.clone().filter(|(_, g)| g.due <= now).min_by_key(|(_, g)| g.urgency(now));
        let earliest = || groups.clone().min_by_key(|(_, g)| g.due);
        self.asked = self.repeat.or_else(|| most_urgent().or_else(earliest).map(|(i, _)| i))?;
        self.asks_part = false;
        self.groups[self.asked].request(now, label)
    }

    /// What the longest of its requests and the answer take on the wire.
    pub(super) fn longest_wire(&self) -> Duration {
        self.requests().map(|(_, span, _, cost)| cost.wire(span)).max().unwrap_or_default()
    }

    /// Of its points, each once.
    pub(super) fn periods(&self) -> impl Iterator<Item = Duration> + '_ {
        self.groups.iter().filter(|g| g.is_askable()).map(|g| g.period)
    }

    /// Some instruments miss a request that follows their own answer at once.
    pub(super) fn rest(&mut self, now: Instant) {
        self.not_before = now + self.spec.profile.limits.min_gap;
    }

    /// Everything is due.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.groups.iter_mut().for_each(|g| g.due = g.due.min(now));
    }

    /// The next points that are ready, until there are none.
    pub(super) fn take_ready(&mut self, now: Instant, label: Now) -> Option<Part> {
        let due = self.groups.iter_mut().enumerate().filter(|(_, g)| g.due <= now);
        let (index, mut part) = due.filter_map(|(i, g)| Some((i, g.take_ready(now, label)?))).next()?;
        // A cycle of requests that alone stay silent says nothing of the unit, which answers the others.
        part.answered |= !part.failed && self.heard_at.is_some_and(|at| now - at <= self.lately());
        if part.is_last && self.repeat.is_none() {
            self.improve(index, now);
        }
        Some(part)
    }

    /// How long ago an answer to another request may be: what is asked most rarely has its turn, within bounds.
    fn lately(&self) -> Duration {
        let longest = self.groups.iter().map(|g| g.period).max().unwrap_or_default();
        longest.clamp(HEARD_LATELY_LEAST, HEARD_LATELY_MOST)
    }

    /// Between two cycles the plan follows what was learned: refused holes tried again, a turnaround that is not as assumed.
    fn improve(&mut self, index: usize, now: Instant) {
        let cost = self.cost();
        let (planned, usual) = (self.groups[index].cost().turnaround(), cost.turnaround());
        let differs = usual.abs_diff(planned) > SAME_TURNAROUND && (usual > planned * 2 || planned > usual * 2);
        self.cuts.try_one(now);
        if differs {
            self.groups[index].replan(cost, &self.cuts, now);
        }
        self.reckon_pace();
        // A group in the middle of its cycle follows at its end.
        for group in self.groups.iter_mut().filter(|g| g.is_idle() && !g.follows(&self.cuts)) {
            group.replan(*group.cost(), &self.cuts, now);
        }
    }

    /// Something of it is told without being asked for: it is dead, or a group has nothing to ask.
    pub(super) fn has_unasked(&self) -> bool {
        self.dead.is_some() || self.has_unbound
    }

    /// Publishes what is due and cannot be asked for, as bad for the reason that `why` gives or the unit's own.
    pub(super) fn unasked(&mut self, now: Instant, label: Now, why: Option<Fault>) -> Option<Vec<Sample>> {
        let dead = self.why_dead();
        let due = self.groups.iter_mut().filter(|g| g.due <= now);
        let unbound = |g: &Group| (!g.is_askable()).then_some(Fault::Configuration);
        let (group, fault) = due.filter_map(|g| Some((unbound(g).or(why).or(dead)?, g))).map(|(f, g)| (g, f)).next()?;
        Some(group.close(fault, now, label))
    }

    /// Every request with its period, whether it is alarm-critical, and what it costs.
    pub(super) fn requests(&self) -> impl Iterator<Item = (Duration, Span, bool, Cost)> + '_ {
        self.groups.iter().flat_map(|g| g.blocks().map(|(span, critical)| (g.period, span, critical, *g.cost())))
    }

    /// Share of the bus that it asks for.
    pub(super) fn load(&self) -> f64 {
        self.requests().map(|(period, span, _, cost)| cost.of(span).as_secs_f64() / period.as_secs_f64()).sum()
    }

    /// What a request of the present group takes on the bus.
    pub(super) fn cost_of(&self, block: Span) -> Duration {
        self.groups[self.asked].cost().of(block)
    }

    /// False when there is nothing to ask for.
    pub(super) fn is_askable(&self) -> bool {
        self.groups.iter().any(Group::is_askable)
    }
}

/// What the core wishes for now, of the points that have a fast period.
fn wishes(spec: &DeviceSpec) -> impl Iterator<Item = bool> + '_ {
    spec.points.iter().filter_map(|p| p.fast.as_ref()).map(|f| f.wanted.get())
}
