//! Shelving: a person hides one alarm for a while, with a reason and an end.

use super::Engine;
use super::ack::decision;
use crate::book::slot;
use crate::command::{Actor, Command, Refusal, Rejected, ShelfKind};
use crate::event::{Cause, Event, EventKind};
use crate::hide::{EndCause, Expiry, Shelf};
use crate::time::Now;
use std::time::Duration;

/// Shortest acceptable reason.
pub(super) const REASON_MIN: usize = 4;

/// What is asked for.
pub(super) struct Wish<'a> {
    pub(super) alarm: &'a str,
    pub(super) seen_seq: u64,
    pub(super) kind: ShelfKind,
    pub(super) duration: Duration,
    pub(super) reason: &'a str,
}

/// True when a reason says anything.
pub(super) fn is_reason(text: &str) -> bool {
    text.trim().chars().count() >= REASON_MIN
}

impl Engine {
    /// The longest time a person may ask for with this command, where it has one.
    #[must_use]
    pub fn longest(&self, command: &Command) -> Option<Duration> {
        match command {
            Command::Shelve { alarm, .. } => {
                self.book.policy().shelf_max[slot(self.priority_of(self.alarm_index(alarm)?))]
            }
            Command::Bypass { .. } => Some(self.book.policy().bypass_max),
            _ => None,
        }
    }

    /// 16: hidden, the sound off, escalation and re-alarm paused.
    pub(super) fn shelve(
        &mut self,
        wish: &Wish<'_>,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let i = self.seen(wish.alarm, wish.seen_seq)?;
        let max = self.book.policy().shelf_max[slot(self.priority_of(i))];
        let Some(max) = max else { return Err(Rejected::Forbidden(Refusal::PriorityOne)) };
        let mut wrong = Vec::new();
        if wish.duration.is_zero() || wish.duration > max {
            wrong.push("duration_s".to_owned());
        }
        if !is_reason(wish.reason) {
            wrong.push("reason".to_owned());
        }
        if !wrong.is_empty() {
            return Err(Rejected::Incomplete(wrong));
        }
        if self.alarms[i].hidden.service.is_some() {
            return Err(Rejected::Refused(Refusal::OutOfService));
        }
        if let Some(shelf) = &self.alarms[i].hidden.shelf {
            let same =
                shelf.kind == wish.kind && shelf.granted() == wish.duration && shelf.by.reason == wish.reason.trim();
            return Err(if same { Rejected::AlreadySo } else { Rejected::Refused(Refusal::Hidden) });
        }
        let until = Expiry::after(now, wish.duration);
        let shelf = Shelf { kind: wish.kind, until, by: decision(actor, wish.reason, now) };
        let fact = self.fact(i, self.reading_of(i));
        self.emit(EventKind::Shelved { fact, shelf }, now, out);
        Ok(())
    }

    /// 17: ended by a person, who thereby acknowledges what is active.
    pub(super) fn unshelve(
        &mut self,
        alarm: &str,
        seen_seq: u64,
        reason: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let i = self.seen(alarm, seen_seq)?;
        if self.alarms[i].hidden.shelf.is_none() {
            return Err(Rejected::Refused(Refusal::NothingToEnd));
        }
        let fact = self.fact(i, self.reading_of(i));
        self.emit(EventKind::Unshelved { fact, by: decision(actor, reason, now) }, now, out);
        if self.alarms[i].is_active() && !self.alarms[i].is_hidden() {
            self.measure_failed(i, now, out);
        }
        Ok(())
    }

    /// 18: its time is over; what is active or latched calls for a person now.
    pub(super) fn shelf_over(&mut self, i: usize, why: EndCause, now: Now, out: &mut Vec<Event>) {
        if self.alarms[i].hidden.shelf.is_none() {
            return;
        }
        let a = &self.alarms[i];
        let elsewhere = a.suppressed || a.hidden.bypass.is_some() || !a.hidden.suppressed.is_empty();
        let annunciated = (a.is_active() || a.latched) && !elsewhere && a.hidden.service.is_none();
        self.cause = match why {
            EndCause::Expired => Cause::Timer,
            EndCause::Config => Cause::Config,
            _ => Cause::Restart,
        };
        let mut fact = self.fact(i, self.reading_of(i));
        fact.silent = self.superseded(i);
        fact.first_out = self.rank(i, now).filter(|_| annunciated);
        self.emit(EventKind::ShelfExpired { fact, annunciated, why }, now, out);
        if annunciated {
            self.measure_failed(i, now, out);
        }
    }

    /// 19: a one-shot shelf ends with the return, in silence.
    pub(super) fn end_one_shot(&mut self, i: usize, now: Now, out: &mut Vec<Event>) {
        if self.alarms[i].hidden.shelf.as_ref().is_some_and(|s| s.kind == ShelfKind::OneShot) {
            let fact = self.fact(i, self.reading_of(i));
            self.emit(EventKind::ShelfEnded { fact }, now, out);
        }
    }
}
