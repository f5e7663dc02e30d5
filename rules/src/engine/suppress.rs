//! Suppression by design: while a known plant state explains some alarms, they are judged in the shadow.
//!
//! A suppressor that cannot be trusted suppresses nothing, and none does so for longer than its rule allows.

use super::{ConditionState, Engine, Timer};
use crate::book::{Condition, Suppressor};
use crate::event::{Cause, Event, EventKind};
use crate::hide::{EndCause, Expiry, Suppressed};
use crate::time::Now;

/// How one suppression stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Suppressing {
    on: bool,
    /// Its time was used up; it must be false once before it hides again, which the journal has, so that a start knows it.
    spent: bool,
}

impl Suppressing {
    pub(super) fn is_on(self) -> bool {
        self.on
    }
}

/// What the suppressor says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Yes,
    /// The first value after a time-out, none yet since a start, or an alarm that is returning: begins nothing, and ends nothing.
    Perhaps,
    No,
    /// Not to be trusted.
    Nothing,
}

impl Engine {
    fn suppressor(&self, k: usize) -> Says {
        match &self.book.suppressions()[k].when {
            Suppressor::State { point, is } => {
                let p = self.book.point_id(point).map(crate::book::PointId::index);
                let reading = p.filter(|p| !self.is_out_of_service(*p)).map(|p| self.readings[p].0);
                match reading.and_then(|r| Some((r, r.value()?))) {
                    Some((_, v)) if (v >= 0.5) != *is => Says::No,
                    Some((r, _)) if r.proves_normal() => Says::Yes,
                    Some((r, _)) if r.is_unconfirmed() => Says::Perhaps,
                    _ => Says::Nothing,
                }
            }
            Suppressor::Alarm(key) => {
                let on = self.suppressing[k].on;
                self.alarm_index(key).map_or(Says::No, |i| self.suppressor_alarm(i, on))
            }
        }
    }

    /// An alarm hides others by what its point says; that a sensor has failed is said by no value.
    fn suppressor_alarm(&self, i: usize, on: bool) -> Says {
        let a = &self.alarms[i];
        let fails = self.book.rules().get(i).is_some_and(|r| r.condition == Condition::SensorFault);
        let point = self.book.index().point_of_alarm(i).map(crate::book::PointId::index);
        match (point, self.reading_of(i)) {
            _ if a.held || a.hidden.service.is_some() => Says::Nothing,
            _ if !a.is_active() => Says::No,
            _ if !on && matches!(a.condition, ConditionState::PendingOff(_)) => Says::Perhaps,
            // not read since a start
            (Some(p), _) if self.newest[p].is_none() => Says::Perhaps,
            (Some(_), Some(r)) if r.is_unconfirmed() => Says::Perhaps,
            // of a failed sensor the lack of a value is the evidence
            (Some(_), Some(r)) if r.proves_normal() || fails && r.value().is_none() => Says::Yes,
            (Some(_), Some(_)) => Says::Nothing,
            _ => Says::Yes,
        }
    }

    /// 20, 21: what the suppressor says now.
    pub(super) fn judge_suppression(&mut self, k: usize, now: Now, out: &mut Vec<Event>) {
        let delay = self.book.suppressions()[k].release_delay;
        match (self.suppressor(k), self.suppressing[k].on) {
            (Says::Yes, false) if !self.suppressing[k].spent => self.begin_suppression(k, now, out),
            (Says::Yes, _) => self.deadlines.set(Timer::Release(k), None),
            (Says::Perhaps, _) => {}
            (Says::No, true) if delay.is_zero() => self.end_suppression(k, EndCause::Released, now, out),
            (Says::No, true) => self.deadlines.set_lazily(Timer::Release(k), now.mono.plus(delay)),
            (Says::Nothing, true) => self.end_suppression(k, EndCause::BadQuality, now, out),
            (Says::No, false) if self.suppressing[k].spent => {
                let rule = self.book.suppressions()[k].key.clone();
                self.emit(EventKind::SuppressionReleased { rule }, now, out);
            }
            (Says::No | Says::Nothing, false) => {}
        }
    }

    /// Live and replay: what used up its time may hide again.
    pub(super) fn note_release(&mut self, rule: &str) {
        let Some(k) = self.book.suppressions().iter().position(|s| s.key == rule) else { return };
        self.suppressing[k].spent = false;
        for i in &self.book.index().groups.alarms_of_suppression[k] {
            self.alarms[*i].spent.retain(|spent| spent != rule);
        }
    }

    fn begin_suppression(&mut self, k: usize, now: Now, out: &mut Vec<Event>) {
        let rule = self.book.suppressions()[k].key.clone();
        let until = Expiry::after(now, self.book.suppressions()[k].max);
        self.suppressing[k] = Suppressing { on: true, spent: false };
        self.limit_suppression(k, until);
        self.cause = Cause::Rule;
        for n in 0..self.book.index().groups.alarms_of_suppression[k].len() {
            let i = self.book.index().groups.alarms_of_suppression[k][n];
            self.hide_by_design(i, &rule, until, 0, now, out);
        }
    }

    pub(super) fn end_suppression(&mut self, k: usize, why: EndCause, now: Now, out: &mut Vec<Event>) {
        if !self.suppressing[k].on {
            return;
        }
        self.suppressing[k] = Suppressing { on: false, spent: why == EndCause::Expired };
        self.deadlines.set(Timer::Release(k), None);
        self.deadlines.set_expiry(Timer::SuppressionMax(k), None);
        self.cause = Cause::Rule;
        let rule = self.book.suppressions()[k].key.clone();
        for n in 0..self.book.index().groups.alarms_of_suppression[k].len() {
            let i = self.book.index().groups.alarms_of_suppression[k][n];
            self.lift(i, &rule, why, now, out);
        }
    }

    /// One alarm is no longer hidden by that rule.
    pub(super) fn lift(&mut self, i: usize, rule: &str, why: EndCause, now: Now, out: &mut Vec<Event>) {
        if !self.alarms[i].hidden.suppressed.iter().any(|s| s.rule == rule) {
            return;
        }
        let mut fact = self.fact(i, self.reading_of(i));
        rule.clone_into(&mut fact.detail);
        self.emit(EventKind::Unsuppressed { fact, rule: rule.to_owned(), why }, now, out);
        self.reveal(i, now, out);
    }

    /// Until when suppression `k` hides what it hides.
    pub(super) fn suppressed_until(&self, k: usize) -> Option<Expiry> {
        self.suppressed(k).map(|s| s.until)
    }

    /// How suppression `k` hides what it hides.
    pub(super) fn suppressed(&self, k: usize) -> Option<&Suppressed> {
        let rule = &self.book.suppressions()[k].key;
        let targets = self.book.index().groups.alarms_of_suppression[k].iter();
        let by_it = targets.flat_map(|i| &self.alarms[*i].hidden.suppressed).filter(|s| s.rule == *rule);
        // in rows of an older version, one that the book named later was granted what was left
        by_it.max_by_key(|s| s.granted_ms)
    }

    /// Suppression `k` ends then at the latest.
    pub(super) fn limit_suppression(&mut self, k: usize, until: Expiry) {
        self.deadlines.set_expiry(Timer::SuppressionMax(k), Some(until));
    }

    /// True while the rule of that key, or the mode of its unit, hides alarm `i`.
    pub(super) fn is_suppressed_by(&self, i: usize, rule: &str) -> bool {
        let g = &self.book.index().groups;
        if rule == crate::hide::MODE_RULE {
            return self.mode_hides(i);
        }
        let on = |k: usize| self.suppressing[k].on && g.alarms_of_suppression[k].contains(&i);
        self.book.suppressions().iter().position(|s| s.key == rule).is_some_and(on)
    }

    /// `granted_ms`: in all; 0 where it begins now.
    pub(super) fn hide_by_design(
        &mut self,
        i: usize,
        rule: &str,
        until: Expiry,
        granted_ms: u64,
        now: Now,
        out: &mut Vec<Event>,
    ) {
        let mut fact = self.fact(i, self.reading_of(i));
        rule.clone_into(&mut fact.detail);
        self.emit(EventKind::Suppressed { fact, rule: rule.to_owned(), until, granted_ms }, now, out);
    }

    /// Which suppressions have used up their time is told by the marks in the rows of alarms, and by `elsewhere`, marks of alarms that the
    /// book no longer has. From now on they are in the rows of what each of them hides in this book, and in no other.
    pub(super) fn spend_as_marked(&mut self, elsewhere: Vec<String>) {
        let of = |(i, a): (usize, &super::AlarmState)| (!a.spent.is_empty()).then(|| (i, a.spent.clone()));
        let rows: Vec<(usize, Vec<String>)> = self.alarms.eventful().filter_map(of).collect();
        let mut marks = elsewhere;
        for (i, marked) in rows {
            self.alarms[i].spent.clear();
            marks.extend(marked);
        }
        for (k, suppression) in self.book.suppressions().iter().enumerate() {
            self.suppressing[k].spent = marks.contains(&suppression.key);
            let hides = self.book.index().groups.alarms_of_suppression[k].iter();
            for i in hides.filter(|_| self.suppressing[k].spent) {
                self.alarms[*i].spent.push(suppression.key.clone());
            }
        }
    }

    /// After a start: what was hidden stays so until its suppressor is heard, at most for the grace. What has used up its time may have had
    /// other alarms before the start.
    pub(super) fn restore_suppressions(&mut self, grace_over: crate::time::Mono) {
        for k in 0..self.book.suppressions().len() {
            if let Some(until) = self.suppressed_until(k) {
                self.suppressing[k].on = true;
                self.limit_suppression(k, until);
                self.deadlines.set(Timer::Release(k), Some(grace_over));
            }
        }
        self.spend_as_marked(self.unsaid.orphans().iter().flat_map(|a| a.spent.iter().cloned()).collect());
    }
}
