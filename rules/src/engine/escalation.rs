//! Nobody came: escalation of what is not acknowledged, re-alarm of what was acknowledged long ago.

use super::transitions::ms;
use super::{Engine, Timer};
use crate::book::Call;
use crate::event::{Cause, Event, EventKind};
use crate::time::{Mono, Now};

impl Engine {
    /// 15: the next level. Overdue levels follow one another at once.
    pub(super) fn escalate(&mut self, i: usize, due: Mono, now: Now, out: &mut Vec<Event>) {
        self.cause = Cause::Timer;
        let level = self.alarms[i].escalated + 1;
        let fact = self.fact(i, self.reading_of(i));
        let call = self.book.called(level, fact.priority, &fact.area).map(|c| c.post.clone()).collect();
        self.emit(EventKind::Escalated { fact, level, late_by_ms: ms(now.mono.since(due)), call }, now, out);
    }

    /// Whom to call now for an alarm that has escalated and still waits for somebody: the posts of the level reached, by the rules in force.
    pub fn called(&self, alarm: usize) -> impl Iterator<Item = &Call> {
        let state = &self.alarms[alarm];
        let is_over = state.acked || state.is_hidden() || self.superseded(alarm);
        let level = if is_over { 0 } else { state.escalated };
        let area = state.fact.as_ref().map_or("", |fact| fact.area.as_str());
        self.book.called(level, self.priority_of(alarm), area)
    }

    /// 14: acknowledged, still active, and time has passed.
    pub(super) fn realarm(&mut self, i: usize, due: Mono, now: Now, out: &mut Vec<Event>) {
        self.cause = Cause::Timer;
        let count = self.alarms[i].realarms + 1;
        let fact = self.fact(i, self.reading_of(i));
        self.emit(EventKind::Realarm { fact, count, late_by_ms: ms(now.mono.since(due)) }, now, out);
    }

    /// After a start.
    pub(super) fn arm_calls(&mut self, now: Now) {
        for i in 0..self.alarms.len() {
            self.rearm_person(i, now);
            let shelf = self.alarms[i].hidden.shelf.as_ref().map(|s| s.until);
            self.deadlines.set_expiry(Timer::Shelf(i), shelf);
            if self.alarms[i].inhibit.is_some() {
                self.arm_inhibit(i);
            }
        }
    }
}
