//! The points of a unit that share a period: their requests, and the cycle in progress.
//!
//! ```text
//!   due ─► request 1 ─► points that need no other are ready ─► request 2 ─► points ready with both … ─► complete: next due
//! ```
//! Pure state. Owns due time, order of requests, which request completes which points. What is known of one request is with [`super::block`]. A point is ready once a cycle, from
//! what was read in that cycle alone. Leaves the unit's life to [`super::unit`].

use super::block::{Block, FIRST_MUTE};
use super::unit::MISSES_TO_DIE;
use crate::PointBinding;
use crate::decode::{Image, Memory, decode};
use crate::plan::cuts::Cuts;
use crate::plan::{Bounds, Cost, Span, arrange, distinct, plan};
use crate::profile::{Field, Profile};
use rules::{Doubt, Fault, Now, PointId, Raw, Reading, Sample};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A point and where it lies; no field when its profile has none of that name.
#[derive(Debug)]
struct Bound {
    point: PointId,
    field: Option<Arc<Field>>,
    critical: bool,
    memory: Memory,
}

impl Bound {
    fn sample(&mut self, image: &Image, unconfirmed: bool, label: Now) -> Sample {
        let Some(field) = self.field.as_deref() else {
            return Sample {
                point: self.point,
                reading: Reading::Bad(Fault::Configuration),
                raw: Raw::NONE,
                at: label,
            };
        };
        let at = image.arrived(field.span).unwrap_or(label);
        let reading = match decode(field, image, &mut self.memory) {
            Reading::Good(v) if unconfirmed => Reading::Uncertain(v, Doubt::Unconfirmed),
            other => other,
        };
        let raw = image.words(field.span).map_or(Raw::NONE, Raw::of);
        Sample { point: self.point, reading, raw, at }
    }
}

/// One period's requests of one unit.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) period: Duration,
    pub(super) due: Instant,
    points: Vec<Bound>,
    /// Indices of `points` in the order in which the requests complete them; as long as `is_ordered`.
    order: Vec<u32>,
    is_ordered: bool,
    /// Decoded, and not yet told.
    ready: Vec<Sample>,
    values: Vec<Span>,
    bounds: Bounds,
    cost: Cost,
    /// Of the cuts that it was planned with.
    trial: u32,
    blocks: Vec<Block>,
    cursor: usize,
    image: Image,
    answered: bool,
    /// The unit itself did not answer in this cycle, not one request alone.
    failed: bool,
    /// A request of this cycle was repeated on a line whose frames carry no number: what is read waits to be confirmed.
    unconfirmed: bool,
}

/// The part of a cycle that is ready to be told.
pub(super) struct Part {
    /// Something of the cycle was answered.
    pub(super) answered: bool,
    /// The unit itself did not answer.
    pub(super) failed: bool,
    pub(super) samples: Vec<Sample>,
    /// The cycle is over with it.
    pub(super) is_last: bool,
    /// Cycles that were due meanwhile and are not made up for.
    pub(super) skipped: usize,
}

impl Group {
    pub(super) fn new<'a>(
        period: Duration,
        points: impl Iterator<Item = &'a PointBinding>,
        profile: &Profile,
        cost: Cost,
        cuts: &Cuts,
        due: Instant,
    ) -> Self {
        let bind = |p: &PointBinding| Bound {
            point: p.point,
            field: profile.field(&p.field).cloned(),
            critical: p.critical,
            memory: Memory::default(),
        };
        let points: Vec<Bound> = points.map(bind).collect();
        let spans: Vec<Span> = points.iter().filter_map(|p| p.field.as_deref()).flat_map(Field::spans).collect();
        let mut group = Self {
            period,
            due,
            points,
            order: Vec::new(),
            is_ordered: false,
            ready: Vec::new(),
            values: distinct(&spans),
            bounds: Bounds::of(profile.limits),
            cost,
            trial: 0,
            blocks: Vec::new(),
            cursor: 0,
            image: Image::default(),
            answered: false,
            failed: false,
            unconfirmed: false,
        };
        group.replan(cost, cuts, due);
        group
    }

    /// Takes over what `before` knew of the same points and requests, when the points of a unit are grouped anew. A request within one that
    /// is silent is silent too, until it has its turn.
    pub(super) fn follow(&mut self, before: &[Self]) {
        let memories = before.iter().flat_map(|g| &g.points).filter(|p| !p.memory.is_empty());
        let memories: BTreeMap<PointId, &Memory> = memories.map(|p| (p.point, &p.memory)).collect();
        for point in &mut self.points {
            point.memory = memories.get(&point.point).map_or_else(Memory::default, |m| (*m).clone());
        }
        for block in &mut self.blocks {
            let mut known = before.iter().flat_map(|g| &g.blocks);
            if let Some(same) = known.clone().find(|old| old.span == block.span) {
                block.follow(same);
            } else if let Some(silent) = known.find(|old| old.is_silent() && old.span.holds(block.span)) {
                block.follow_silence(silent);
            }
        }
    }

    /// The requests that alone are silent.
    pub(super) fn silent(&self) -> impl Iterator<Item = Span> + '_ {
        self.blocks.iter().filter(|b| b.is_silent()).map(|b| b.span)
    }

    /// False when there is nothing to ask for.
    pub(super) fn is_askable(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// True between two cycles. A cycle whose first request is to be confirmed has begun.
    pub(super) fn is_idle(&self) -> bool {
        self.cursor == 0 && !self.unconfirmed
    }

    /// The present request.
    pub(super) fn block(&self) -> Option<Span> {
        self.blocks.get(self.cursor).map(|b| b.span)
    }

    pub(super) fn cost(&self) -> &Cost {
        &self.cost
    }

    /// Its requests, and whether they are alarm-critical.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (Span, bool)> + '_ {
        self.blocks.iter().map(|b| (b.span, b.critical))
    }

    /// Alarm-critical requests, and cycles that are a whole period late, go before the others; then the earliest deadline.
    pub(super) fn urgency(&self, now: Instant) -> (bool, Instant) {
        let critical = self.blocks.get(self.cursor).is_some_and(|b| b.critical);
        let deadline = self.due + self.period;
        (!(critical || deadline <= now), deadline)
    }

    /// The cheapest requests for the present cuts and cost, alarm-critical ones first, equal shapes apart.
    /// `cuts_tried`: a request that tries whether a silence is over is on probation from then on.
    pub(super) fn replan(&mut self, cost: Cost, cuts: &Cuts, cuts_tried: Instant) {
        (self.cost, self.trial) = (cost, cuts.trial());
        let blocks = plan(&self.values, self.bounds, &cost, |v| cuts.stands_before(v));
        let mut blocks = self.ordered(&blocks);
        for block in &mut blocks {
            // What is known of a request that stays as it is stays known.
            if let Some(old) = self.blocks.iter().find(|old| old.span == block.span) {
                *block = *old;
            } else if cuts.tries_silence(&self.inside(block.span)) {
                block.put_on_probation(Fault::Timeout, cuts_tried);
            }
        }
        self.blocks = blocks;
        self.is_ordered = false;
    }

    /// Planned since a cut was last tried or given up.
    pub(super) fn follows(&self, cuts: &Cuts) -> bool {
        self.trial == cuts.trial()
    }

    fn ordered(&self, spans: &[Span]) -> Vec<Block> {
        let (first, then): (Vec<Span>, Vec<Span>) = spans.iter().partition(|s| self.is_critical(**s));
        let block = |critical| move |span| Block::new(span, critical);
        let first = arrange(&first).into_iter().map(block(true));
        first.chain(arrange(&then).into_iter().map(block(false))).collect()
    }

    fn is_critical(&self, block: Span) -> bool {
        let critical = self.points.iter().filter(|p| p.critical).filter_map(|p| p.field.as_deref());
        critical.flat_map(Field::spans).any(|s| block.holds(s))
    }

    /// The next request of the cycle; passes over what the device refuses. `None` when the cycle is complete.
    pub(super) fn request(&mut self, now: Instant, label: Now) -> Option<Span> {
        if self.due > now {
            return self.probe(now);
        }
        let all_muted = self.cursor == 0 && self.blocks.iter().all(|b| b.is_muted(now));
        while let Some(block) = self.blocks.get(self.cursor) {
            // A unit that refuses everything is asked one thing all the same: silence must show.
            if !block.is_muted(now) || (all_muted && self.cursor == 0) {
                return Some(block.span);
            }
            let why = block.why;
            self.pass(Err(why), label);
        }
        None
    }

    /// A request that belongs to no cycle: its answer tells that the unit lives, and is no value.
    pub(super) fn probe(&mut self, now: Instant) -> Option<Span> {
        let first = self.blocks.iter().position(|b| !b.is_muted(now)).unwrap_or(0);
        self.begin_with(first);
        self.block()
    }

    /// The first value of the present request, where that was never read as it is and holds others as well.
    pub(super) fn part_of_unproven(&self) -> Option<Span> {
        let block = self.blocks.get(self.cursor).filter(|b| b.is_unproven())?;
        let inside = self.inside(block.span);
        inside.first().copied().filter(|_| inside.len() > 1)
    }

    /// Another request comes first; only between two cycles.
    fn begin_with(&mut self, first: usize) {
        if first > 0 {
            self.blocks.rotate_left(first);
            self.is_ordered = false;
        }
    }

    pub(super) fn read(&mut self, words: Vec<u16>, label: Now, cuts: &mut Cuts) {
        let block = &mut self.blocks[self.cursor];
        if block.read() {
            cuts.read(&self.inside(self.blocks[self.cursor].span));
        }
        self.pass(Ok(words), label);
    }

    /// The present request goes without a value.
    pub(super) fn pass(&mut self, words: Result<Vec<u16>, Fault>, label: Now) {
        self.answered |= words.is_ok();
        self.image.put(self.blocks[self.cursor].span, words, label);
        let from = self.told();
        self.cursor += 1;
        let Self { points, order, image, unconfirmed, .. } = self;
        let upto = self.blocks[self.cursor - 1].complete as usize;
        let complete = order[from..upto].iter().map(|index| points[*index as usize].sample(image, *unconfirmed, label));
        self.ready.extend(complete);
    }

    /// How many of the points, in their order, are complete with what was read or passed in this cycle.
    fn told(&mut self) -> usize {
        self.order_points();
        self.cursor.checked_sub(1).map_or(0, |last| self.blocks[last].complete as usize)
    }

    /// Which request completes which points; when the requests have changed. Those before the cursor never change within a cycle.
    fn order_points(&mut self) {
        if std::mem::replace(&mut self.is_ordered, true) {
            return;
        }
        // Of coils that are asked for from 0 on a longer request holds the shorter ones, and may be refused where they are not.
        let holder = |span: Span| {
            let holding = self.blocks.iter().enumerate().filter(|(_, b)| b.span.holds(span));
            holding.min_by_key(|(_, b)| b.span.count).map(|(index, _)| index)
        };
        let last = |p: &Bound| p.field.iter().flat_map(|f| f.spans()).filter_map(holder).max().unwrap_or(0);
        let mut order: Vec<(usize, u32)> = self.points.iter().map(last).zip(0..).collect();
        order.sort_unstable();
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let complete = order.partition_point(|(last, _)| *last <= index);
            block.complete = u32::try_from(complete).expect("there are no more than the points");
        }
        self.order = order.into_iter().map(|(_, point)| point).collect();
    }

    /// Exception 1, 2 or 3: smaller requests at once where that may help, else a configuration fault of this request alone,
    /// asked again in the next cycle and, refused once more, ever more rarely.
    pub(super) fn refused(&mut self, may_split: bool, now: Instant, label: Now, cuts: &mut Cuts) {
        self.answered = true;
        if may_split && self.split(now, cuts) {
            return;
        }
        let block = &mut self.blocks[self.cursor];
        block.refused(now);
        self.pass(Err(Fault::Configuration), label);
    }

    /// The present request was not answered. True when it alone stays silent, as others of the unit have shown: its parts are tried, or it
    /// goes without a value and is asked ever more rarely.
    pub(super) fn missed(&mut self, fault: Fault, now: Instant, label: Now, cuts: &mut Cuts) -> bool {
        let Some(block) = self.blocks.get_mut(self.cursor) else { return false };
        let alone = block.is_silent();
        let may_split = block.missed(fault);
        if alone && !(may_split && self.split_silent(now, cuts)) {
            self.blocks[self.cursor].mute(fault, now);
            self.pass(Err(fault), label);
        }
        alone
    }

    /// Misses in a row of the present request.
    pub(super) fn block_misses(&self) -> u32 {
        self.blocks.get(self.cursor).map_or(0, |b| b.misses)
    }

    /// Some devices say nothing where others refuse a hole. Each part is asked once, one after the other with the pause of a silent request
    /// between; at once where a trial to join them has failed, since all but one were read before.
    fn split_silent(&mut self, now: Instant, cuts: &mut Cuts) -> bool {
        let own = self.own_values(self.blocks[self.cursor].span);
        let tried = cuts.tries_silence(&own);
        if !cuts.silent(&own, now) {
            return false;
        }
        let parts = self.splice(&own, cuts);
        for (nth, block) in (1..).zip(&mut self.blocks[self.cursor..self.cursor + parts]) {
            block.put_on_probation(Fault::Timeout, if tried { now } else { now + FIRST_MUTE * nth });
        }
        true
    }

    /// Another request of the unit was answered. Those that were silent may be the reason that it seemed dead, or it was away as a whole:
    /// each is asked once, and only one that stays silent is muted.
    pub(super) fn put_on_probation(&mut self, fault: Fault, now: Instant) {
        for block in self.blocks.iter_mut().filter(|b| b.misses >= MISSES_TO_DIE) {
            block.put_on_probation(fault, now);
        }
    }

    /// A probe was not answered: the next one asks another request, so that one silent block does not speak for all.
    pub(super) fn probe_another(&mut self) {
        self.begin_with(usize::from(self.blocks.len() > 1));
    }

    fn split(&mut self, now: Instant, cuts: &mut Cuts) -> bool {
        let own = self.own_values(self.blocks[self.cursor].span);
        if !cuts.refused(&own, now) {
            return false;
        }
        self.splice(&own, cuts);
        true
    }

    /// The present request becomes as many as the cuts ask for.
    fn splice(&mut self, values: &[Span], cuts: &Cuts) -> usize {
        let parts = plan(values, self.bounds, &self.cost, |v| cuts.stands_before(v));
        let parts = self.ordered(&parts);
        let count = parts.len();
        self.blocks.splice(self.cursor..=self.cursor, parts);
        self.is_ordered = false;
        count
    }

    /// What the request is for: coils asked for from 0 on that a shorter request holds lie in it only on the way.
    fn own_values(&self, block: Span) -> Vec<Span> {
        let shorter = |b: &&Block| b.span != block && block.holds(b.span);
        let mut own = self.inside(block);
        own.retain(|v| !self.blocks.iter().filter(shorter).any(|b| b.span.holds(*v)));
        own
    }

    fn inside(&self, block: Span) -> Vec<Span> {
        self.values.iter().copied().filter(|v| block.holds(*v)).collect()
    }

    /// No answer: what is left of the cycle is bad. What failed comes first in the next one.
    pub(super) fn fail(&mut self, fault: Fault, label: Now) {
        self.failed = true;
        let failed = self.cursor;
        while self.cursor < self.blocks.len() {
            self.pass(Err(fault), label);
        }
        if failed < self.blocks.len() {
            self.begin_with(failed);
        }
    }

    pub(super) fn heard(&mut self) {
        self.answered = true;
    }

    /// The device is too busy for the present request. True while it may be asked for it again in this cycle.
    pub(super) fn busy(&mut self) -> bool {
        let Some(block) = self.blocks.get_mut(self.cursor) else { return false };
        block.is_repeated()
    }

    /// The present request was answered, with whatever.
    pub(super) fn block_heard(&mut self) {
        if let Some(block) = self.blocks.get_mut(self.cursor) {
            block.heard();
        }
    }

    /// What is decoded from now on in this cycle are the first values after a time-out; those that were ready before are as they were.
    pub(super) fn doubt(&mut self) {
        self.unconfirmed = true;
    }

    /// The points that are ready; with the last of them the cycle ends, and the next one starts at its next due time. As long as nothing was
    /// answered they wait: whether the unit answers at all is told with them.
    pub(super) fn take_ready(&mut self, now: Instant, label: Now) -> Option<Part> {
        let is_last = self.is_askable() && self.request(now, label).is_none();
        if !is_last && (self.ready.is_empty() || !self.answered) {
            return None;
        }
        let (answered, failed, samples) = (self.answered, self.failed, std::mem::take(&mut self.ready));
        let skipped = if is_last { self.advance(now) } else { 0 };
        Some(Part { answered, failed, samples, is_last, skipped })
    }

    /// Ends the cycle. Moves the due time past `now`; returns how many cycles were skipped.
    fn advance(&mut self, now: Instant) -> usize {
        self.cursor = 0;
        self.answered = false;
        self.failed = false;
        self.unconfirmed = false;
        self.blocks.iter_mut().for_each(|b| b.busy = 0);
        self.image.clear();
        let late = now.saturating_duration_since(self.due).as_nanos() / self.period.as_nanos();
        let skipped = u32::try_from(late).unwrap_or(u32::MAX);
        self.due += self.period * skipped + self.period;
        skipped as usize
    }

    /// Ends the cycle without asking: what it has not told yet is bad.
    pub(super) fn close(&mut self, fault: Fault, now: Instant, label: Now) -> Vec<Sample> {
        let (told, reading) = (self.told(), Reading::Bad(fault));
        let mut samples = std::mem::take(&mut self.ready);
        for index in &self.order[told..] {
            let bound = &mut self.points[*index as usize];
            bound.memory.missed();
            samples.push(Sample { point: bound.point, reading, raw: Raw::NONE, at: label });
        }
        self.advance(now);
        samples
    }
}
