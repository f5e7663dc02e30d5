//! The requests of a group: planned, cut where the device refuses or stays silent, joined again, and in which order they are asked.

use super::Group;
use crate::bus::block::{Block, FIRST_MUTE};
use crate::bus::unit::MISSES_TO_DIE;
use crate::plan::cuts::Cuts;
use crate::plan::{Cost, Span, arrange, plan};
use crate::profile::Field;
use rules::{Fault, Now};
use tokio::time::Instant;

impl Group {
    /// The requests that alone are silent.
    pub(in crate::bus) fn silent(&self) -> impl Iterator<Item = Span> + '_ {
        self.blocks.iter().filter(|b| b.is_silent()).map(|b| b.span)
    }

    /// The cheapest requests for the present cuts and cost, alarm-critical ones first, equal shapes apart.
    /// `cuts_tried`: a request that tries whether a silence is over is on probation from then on.
    pub(in crate::bus) fn replan(&mut self, cost: Cost, cuts: &Cuts, cuts_tried: Instant) {
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
    pub(in crate::bus) fn follows(&self, cuts: &Cuts) -> bool {
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

    /// The first value of the present request, where that was never read as it is and holds others as well.
    pub(in crate::bus) fn part_of_unproven(&self) -> Option<Span> {
        let block = self.blocks.get(self.cursor).filter(|b| b.is_unproven())?;
        let inside = self.inside(block.span);
        inside.first().copied().filter(|_| inside.len() > 1)
    }

    /// Another request comes first; only between two cycles.
    pub(super) fn begin_with(&mut self, first: usize) {
        if first > 0 {
            self.blocks.rotate_left(first);
            self.is_ordered = false;
        }
    }

    /// Exception 1, 2 or 3: smaller requests at once where that may help, else a configuration fault of this request alone,
    /// asked again in the next cycle and, refused once more, ever more rarely.
    pub(in crate::bus) fn refused(&mut self, may_split: bool, now: Instant, label: Now, cuts: &mut Cuts) {
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
    pub(in crate::bus) fn missed(&mut self, fault: Fault, now: Instant, label: Now, cuts: &mut Cuts) -> bool {
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
    pub(in crate::bus) fn block_misses(&self) -> u32 {
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
    pub(in crate::bus) fn put_on_probation(&mut self, fault: Fault, now: Instant) {
        for block in self.blocks.iter_mut().filter(|b| b.misses >= MISSES_TO_DIE) {
            block.put_on_probation(fault, now);
        }
    }

    /// The request that a probe is to ask comes first; the next one where the device refuses it.
    pub(in crate::bus) fn probe_with(&mut self, span: Span, now: Instant) -> Option<Span> {
        let first = self.blocks.iter().position(|b| b.span == span).unwrap_or(0);
        self.begin_with(first);
        self.probe(now)
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

    pub(super) fn inside(&self, block: Span) -> Vec<Span> {
        self.values.iter().copied().filter(|v| block.holds(*v)).collect()
    }
}
