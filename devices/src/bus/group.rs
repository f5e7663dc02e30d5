//! The points of a unit that share a period: their requests, and the cycle in progress.
//!
//! ```text
//!   due ─► request 1 ─► points that need no other are ready ─► request 2 ─► points ready with both … ─► complete: next due
//! ```
//! Pure state. Owns due time, order of requests, which request completes which points. What is known of one request is with [`super::block`]. A point is ready once a cycle, from
//! what was read in that cycle alone. Leaves which requests there are to [`requests`], the unit's life to [`super::unit`].

mod bound;
mod requests;

use super::block::Block;
use super::freshness::margin;
use crate::PointBinding;
use crate::decode::{Image, Memory};
use crate::plan::cuts::Cuts;
use crate::plan::{Bounds, Cost, Span, distinct};
use crate::profile::{Field, Profile};
use bound::Bound;
use rules::{Fault, Now, PointId, Raw, Reading, Sample};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// One period's requests of one unit.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) period: Duration,
    pub(super) due: Instant,
    /// Of its points the shortest time that a reading counts as fresh.
    max_age: Duration,
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
        let mut max_age = Duration::MAX;
        let points: Vec<Bound> = points.inspect(|p| max_age = max_age.min(p.max_age)).map(bind).collect();
        let spans: Vec<Span> = points.iter().filter_map(|p| p.field.as_deref()).flat_map(Field::spans).collect();
        let mut group = Self {
            period,
            due,
            max_age,
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

    /// What is left of its freshness beside a period.
    pub(super) fn margin(&self) -> Duration {
        margin(self.max_age, self.period)
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
