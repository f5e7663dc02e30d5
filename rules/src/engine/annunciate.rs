//! Calling for a person: raising, raising in the shadow of what hides the alarm, and raising when the hiding ends.

use super::transitions::{Onset, ms};
use super::{ConditionState, Engine};
use crate::event::{Event, EventKind};
use crate::time::Now;
use std::time::Duration;

/// So many raises within the chatter window are chattering.
pub(super) const CHATTER_RAISES: usize = 3;

impl Engine {
    /// 3, 5, 13: active, a new occurrence; annunciated unless hidden (20, 22).
    pub(super) fn raise(&mut self, i: usize, onset: Onset, at: Now, out: &mut Vec<Event>) {
        let mut fact = self.fact(i, onset.reading);
        fact.occurrence += 1;
        fact.gap_credited_ms = self.credited_ms.remove(&i).unwrap_or(0).min(fact.on_delay_ms);
        if self.alarms[i].is_hidden() {
            return self.emit(EventKind::ShadowRaised { fact, assumed: onset.assumed }, at, out);
        }
        fact.silent = self.superseded(i);
        fact.first_out = self.rank(i, at);
        self.emit(EventKind::Raised { fact, assumed: onset.assumed, late_by_ms: ms(onset.late) }, at, out);
        self.look_for_chatter(i, at, out);
        self.measure_failed(i, at, out);
    }

    /// 21, 24: hiding ended while active: the same occurrence, annunciated now, without a new delay.
    pub(super) fn raise_again(&mut self, i: usize, at: Now, out: &mut Vec<Event>) {
        let last = self.alarms[i].fact.as_ref().and_then(|f| f.reading);
        let mut fact = self.fact(i, self.reading_of(i).or(last));
        fact.silent = self.superseded(i);
        fact.first_out = self.rank(i, at);
        let assumed = self.alarms[i].assumed;
        self.emit(EventKind::Raised { fact, assumed, late_by_ms: 0 }, at, out);
        self.look_for_chatter(i, at, out);
        self.measure_failed(i, at, out);
    }

    /// Something that hid alarm `i` is gone. A returning one waits: it is annunciated if it becomes active again.
    pub(super) fn reveal(&mut self, i: usize, at: Now, out: &mut Vec<Event>) {
        if self.alarms[i].is_hidden() {
            return;
        }
        if self.alarms[i].condition == ConditionState::Active {
            self.raise_again(i, at, out);
        } else if self.alarms[i].is_unseen_latch() {
            self.call_for_latch(i, at, out);
        }
    }

    /// 18: it latched behind a shelf that ended while something else hid it, too.
    fn call_for_latch(&mut self, i: usize, at: Now, out: &mut Vec<Event>) {
        let mut fact = self.fact(i, self.reading_of(i));
        fact.silent = self.superseded(i);
        self.emit(EventKind::Realarm { fact, count: 0, late_by_ms: 0 }, at, out);
        self.measure_failed(i, at, out);
    }

    /// 26: three raises within the window.
    fn look_for_chatter(&mut self, i: usize, at: Now, out: &mut Vec<Event>) {
        let a = &self.alarms[i];
        let window: Duration = self.book.policy().chatter_window;
        let close = a.raises.len() >= CHATTER_RAISES && self.due_after(a.raises[0], window) >= at.mono;
        if close && !a.chatter {
            let fact = self.fact(i, self.reading_of(i));
            self.emit(EventKind::ChatterStart { fact }, at, out);
        }
    }

    /// An H whose HH (or L whose LL) is active and not hidden: it is shown under that one and does not sound.
    #[must_use]
    pub fn superseded(&self, alarm: usize) -> bool {
        let outer = self.book.index().superseder.get(alarm).copied().flatten();
        outer.is_some_and(|r| {
            let outer = &self.alarms[r.index()];
            outer.is_active() && !outer.is_hidden()
        })
    }
}
