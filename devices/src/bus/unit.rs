//! One unit on a link: its groups of requests, and whether it is alive.
//!
//! ```text
//!   alive ──miss──► asked again at once ──miss──► cycle bad ──3rd miss──► dead ──probe answered──► alive, everything due
//!                                                                          └─ probes: 2 s, 4 s … 60 s apart
//! ```
//! Pure state: time comes in as an argument, messages go out through the desk. After a miss the same request comes first: a late
//! answer can then only be its own.

use super::group::{Group, Part};
use super::patience::Patience;
use super::shapes::{Belief, Refused, Shapes};
use crate::line::AskError;
use crate::plan::cuts::Cuts;
use crate::plan::{Bounds, Cost, Span, distinct};
use crate::{DeviceSpec, Transport};
use rules::{Fault, Now, Sample};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Misses in a row after which a unit is dead.
pub(super) const MISSES_TO_DIE: u32 = 3;
const FIRST_PROBE: Duration = Duration::from_secs(2);
pub(super) const LAST_PROBE: Duration = Duration::from_secs(60);
/// Longest wait for a unit that is dead, but for long probes.
const PROBE_LIMIT: Duration = Duration::from_millis(300);
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// A line repeats a frame at once or within this time; the second question to one of two that look alike waits for it.
const REPEATED_WITHIN: Duration = Duration::from_millis(60);
/// After a lost answer, requests that look alike are watched so long.
const WATCHED: Duration = Duration::from_secs(30);
/// A turnaround that differs from the plan's by less does not change the plan.
const SAME_TURNAROUND: Duration = Duration::from_millis(2);
const SHORTEST_PERIOD: Duration = Duration::from_millis(10);
/// As long as a device may be silent before it is an alarm, at the least …
const HEARD_LATELY_LEAST: Duration = Duration::from_secs(5);
/// … and no longer than this, so that one that answers nothing any more is soon silent.
const HEARD_LATELY_MOST: Duration = Duration::from_secs(60);

/// What an outcome changed that others want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Died,
    Back,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) at: Instant,
    pub(super) pause: Duration,
    /// As long as the unit was waited for when it lived; a wait that is shorter would not find it.
    least: Duration,
    /// The last one waited for the whole time-out.
    pub(super) is_long: bool,
    /// When one did last.
    pub(super) long_at: Option<Instant>,
}

impl Probe {
    /// A short one comes first.
    fn first(at: Instant, least: Duration) -> Self {
        Self { at, pause: FIRST_PROBE, least, is_long: true, long_at: None }
    }
}

/// How long probes of a unit wait for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeWaits {
    /// Shorter is of no use.
    pub(super) least: Duration,
    pub(super) short: Duration,
    /// The whole time-out: it may have become slower.
    pub(super) long: Duration,
}

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
        let groups = self.groups.iter().enumerate().filter(|(_, g)| g.is_askable());
        let most_urgent = || groups.clone().filter(|(_, g)| g.due <= now).min_by_key(|(_, g)| g.urgency(now));
        let earliest = || groups.clone().min_by_key(|(_, g)| g.due);
        self.asked = self.repeat.or_else(|| most_urgent().or_else(earliest).map(|(i, _)| i))?;
        let group = &mut self.groups[self.asked];
        let whole = if self.dead.is_some() { group.probe(now) } else { group.request(now, label) }?;
        // A request that was never answered may hold a register that the device says nothing about.
        let part = group.part_of_unproven().filter(|_| self.dead.is_some() && self.misses.is_multiple_of(2));
        self.asks_part = part.is_some();
        let need = part.unwrap_or(whole);
        let span = self.shapes.ask(need, now);
        let wait = longest.unwrap_or_else(|| self.patience.limit());
        self.note_probe(wait, now);
        Some((span, self.groups[self.asked].cost().wire(span) + wait))
    }

    fn note_probe(&mut self, wait: Duration, now: Instant) {
        let short = self.probe_waits().short;
        if let Some(probe) = &mut self.dead {
            probe.is_long = wait > short;
            probe.long_at = if probe.is_long { Some(now) } else { probe.long_at };
        }
    }

    /// A short probe and a long one by turns, as far as the bus has time for long ones.
    pub(super) fn wants_long_probe(&self) -> bool {
        let waits = self.probe_waits();
        waits.long > waits.short && self.dead.is_some_and(|probe| !probe.is_long)
    }

    pub(super) fn probe_waits(&self) -> ProbeWaits {
        let long = self.patience.limit();
        let short = long.min(PROBE_LIMIT);
        ProbeWaits { least: self.dead.map_or(short, |probe| probe.least.min(short)), short, long }
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

    pub(super) fn note(
        &mut self,
        outcome: Result<Vec<u16>, AskError>,
        took: Duration,
        now: Instant,
        label: Now,
        quarantine: Duration,
    ) -> Change {
        self.rest(now);
        let answer = match outcome {
            Ok(words) => Ok(words),
            Err(AskError::Exception(code @ (0x0A | 0x0B))) => {
                return self.miss(Fault::Exception(code), now, label, quarantine);
            }
            Err(AskError::Exception(code)) => Err(code),
            Err(AskError::Timeout) => return self.miss(Fault::Timeout, now, label, quarantine),
            Err(_) => return self.miss(Fault::Protocol, now, label, quarantine),
        };
        let change = self.revive(took, now, quarantine);
        // A group not yet due was asked only because it had not answered before: what came is for nobody.
        // What was asked only to see whether it lives is no value either.
        if self.groups[self.asked].due <= now && !self.asks_part {
            self.groups[self.asked].heard();
            self.answered(answer, now, label);
        }
        change
    }

    /// It answered. Where an earlier answer is still owed, requests of the same shape wait until it cannot come any more.
    fn revive(&mut self, took: Duration, now: Instant, quarantine: Duration) -> Change {
        let back = self.dead.take().is_some();
        self.heard_at = Some(now);
        if !self.asks_part {
            self.groups[self.asked].block_heard();
        }
        if back {
            let fault = self.fault;
            self.groups.iter_mut().for_each(|g| g.put_on_probation(fault, now));
        } else {
            (0..self.misses).for_each(|_| self.patience.missed());
        }
        if let Some(need) = self.groups[self.asked].block() {
            let span = self.shapes.ask(need, now);
            self.patience.answered(took.saturating_sub(self.groups[self.asked].cost().wire(span)));
        }
        self.misses = 0;
        self.repeat = None;
        if std::mem::take(&mut self.owed) && !self.shapes.are_numbered() {
            self.groups[self.asked].doubt();
            self.owed_until = now + quarantine;
            if self.shapes.has_twins() {
                self.not_before = self.not_before.max(self.owed_until);
            }
        }
        if back {
            self.hurry(now);
            return Change::Back;
        }
        Change::None
    }

    /// Everything is due.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.groups.iter_mut().for_each(|g| g.due = g.due.min(now));
    }

    fn answered(&mut self, answer: Result<Vec<u16>, u8>, now: Instant, label: Now) {
        if matches!(answer, Err(5 | 6)) && self.groups[self.asked].busy() {
            self.not_before = self.not_before.max(now + BUSY_PAUSE);
            return;
        }
        let Some(answer) = self.believed(answer, now) else { return };
        let group = &mut self.groups[self.asked];
        match answer {
            Ok(words) => group.read(words, label, &mut self.cuts),
            Err(code @ 1..=3) => group.refused(code != 1, now, label, &mut self.cuts),
            Err(other) => group.pass(Err(Fault::Exception(other)), label),
        }
    }

    /// The answer as far as it was needed; `None` when the request is to be asked again, shorter or for certainty.
    fn believed(&mut self, answer: Result<Vec<u16>, u8>, now: Instant) -> Option<Result<Vec<u16>, u8>> {
        let Some(need) = self.groups[self.asked].block() else { return Some(answer) };
        let mut words = match answer {
            Ok(words) => words,
            // Busy is no word on what was asked.
            Err(code @ (5 | 6)) => return Some(Err(code)),
            Err(code) => match self.shapes.refused(need, code, now) {
                Refused::Needed => return Some(Err(code)),
                // A line that is quiet until nothing owed can come tells a late refusal from the request's own.
                Refused::Perhaps | Refused::Longer => {
                    self.repeat = Some(self.asked);
                    self.not_before = self.not_before.max(self.owed_until).max(now + REPEATED_WITHIN);
                    return None;
                }
            },
        };
        words.truncate(usize::from(need.count));
        match self.shapes.believe(need, &words, now < self.owed_until + WATCHED) {
            Belief::Yes => {}
            Belief::Doubtful => self.groups[self.asked].doubt(),
            Belief::Again => {
                self.repeat = Some(self.asked);
                self.not_before = self.not_before.max(now + REPEATED_WITHIN);
                return None;
            }
        }
        Some(Ok(words))
    }

    fn miss(&mut self, fault: Fault, now: Instant, label: Now, quarantine: Duration) -> Change {
        self.misses += 1;
        self.shapes.forget_first();
        if matches!(fault, Fault::Timeout | Fault::Protocol)
            && !self.asks_part
            && let Some(need) = self.groups[self.asked].block()
        {
            let misses = self.misses.max(self.groups[self.asked].block_misses() + 1);
            self.shapes.silent(need, misses, now);
        }
        self.owed = true;
        if self.dead.is_none() && self.groups[self.asked].missed(fault, now, label, &mut self.cuts) {
            self.misses -= 1; // the unit answers everything else
            self.repeat = None;
            if !self.shapes.are_numbered() && self.shapes.has_twins() {
                // its answer may still come, and must not be taken for another one's
                self.owed_until = now + quarantine;
                self.not_before = self.not_before.max(self.owed_until);
            }
            return Change::None;
        }
        self.fault = fault;
        self.repeat = Some(self.asked);
        if let Some(probe) = &mut self.dead {
            probe.pause = (probe.pause * 2).min(LAST_PROBE);
            probe.at = now + probe.pause;
            self.probe_another();
            return Change::None;
        }
        if self.misses == 1 {
            return Change::None;
        }
        for group in self.groups.iter_mut().filter(|g| g.due <= now) {
            group.fail(fault, label);
        }
        if self.misses < MISSES_TO_DIE {
            return Change::None;
        }
        let least = self.patience.least();
        self.patience.forget();
        self.dead = Some(Probe::first(now + FIRST_PROBE, least));
        Change::Died
    }

    /// The next probe asks something else: a device that never answers one request may answer another.
    fn probe_another(&mut self) {
        self.groups[self.asked].probe_another();
        let next = (1..=self.groups.len()).map(|n| (self.asked + n) % self.groups.len());
        self.repeat = next.into_iter().find(|n| self.groups[*n].is_askable());
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

    /// What a request of the present group takes on the bus.
    pub(super) fn cost_of(&self, block: Span) -> Duration {
        self.groups[self.asked].cost().of(block)
    }

    /// False when there is nothing to ask for.
    pub(super) fn is_askable(&self) -> bool {
        self.groups.iter().any(Group::is_askable)
    }

    /// A run of the bus before this one has told that it is dead: so it is, until it answers.
    pub(super) fn stays_dead(&mut self, why: Fault, now: Instant) {
        self.dead = Some(Probe::first(now, self.patience.least()));
        (self.fault, self.misses) = (why, MISSES_TO_DIE);
    }

    /// Why it is dead.
    pub(super) fn why_dead(&self) -> Option<Fault> {
        self.dead.map(|_| self.fault)
    }

    /// The link was lost: what was asked is void. A dead unit is probed as soon as the link is back. A cycle under way is closed by
    /// [`Self::unasked`]: what it told stays told.
    pub(super) fn link_lost(&mut self, now: Instant) {
        self.dead = self.dead.map(|probe| Probe { at: now, pause: FIRST_PROBE, ..probe });
        self.repeat = None;
        self.shapes.forget_first();
    }
}

/// What the core wishes for now, of the points that have a fast period.
fn wishes(spec: &DeviceSpec) -> impl Iterator<Item = bool> + '_ {
    spec.points.iter().filter_map(|p| p.fast.as_ref()).map(|f| f.wanted.get())
}
