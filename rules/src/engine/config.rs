//! Another rule book while the site runs (28).
//!
//! ```text
//!   change_config:  what was due before ─► config_changed ─► closures of what the new book no longer has (old book)
//!                   ─► move_in: state by key, timers anew ─► hiding that is no longer allowed or meant ends
//!                   ─► newest samples judged with the new numbers ─► groups settle
//!   replay:         apply(config_changed) ─► adopt(book) ─► apply(the rest)
//! ```
//!
//! What people and alarms did stays with the alarm's key: acknowledgement, latch, shelf, bypass, service, occurrence number,
//! rank, progress of delays. Owns that move. What may be hidden
//! under the new book is for [`super::align`]. Leaves reading and checking a configuration, and the ids that others hold, to
//! the gateway.

use super::{ConditionState, Engine, Timer, restore};
use crate::book::{Point, RuleBook};
use crate::event::{AlarmFact, Cause, Event, EventKind};
use crate::hazard::Decision;
use crate::hide::EndCause;
use crate::time::{Mono, Now};

/// Who put which configuration in the place of which.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigChange {
    /// User name, or what stands for one: `SIGHUP`.
    pub by: String,
    /// The person's decision, where one asked for it.
    pub asked: Option<Decision>,
    pub old_hash: String,
    pub new_hash: String,
}

impl Engine {
    /// 28: `book` is in force from `now` on, without a restart. Emits [`EventKind::ConfigChanged`], then closes with
    /// `cause = config` what the new book no longer has, then judges the newest sample of every rule that is new or has
    /// other numbers. Alarms whose key stays keep acknowledgement, latch, shelf, bypass, service and occurrence; a shelf or
    /// bypass that the new book would not allow ends. Alarms restored by a start are settled first, as in `handle`.
    ///
    /// Returns the keys of alarms that are gone: the store forgets their rows. Every [`crate::PointId`] and [`crate::DeviceId`]
    /// of the old book is void afterwards, because it may name something else in the new one: who holds any (buses, derived
    /// points, views) must be given those of [`Engine::book`] before its next scan comes in. A device that is new has the grace
    /// of a start before its silence is an alarm.
    pub fn change_config(
        &mut self,
        book: RuleBook,
        change: &ConfigChange,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Vec<String> {
        self.finish_start(now, out);
        self.fire(Mono(now.mono.0.saturating_sub(1)), now, out);
        self.cause = Cause::Config;
        let ConfigChange { by, asked, old_hash, new_hash } = change.clone();
        self.emit(EventKind::ConfigChanged { old_hash, new_hash, by, asked }, now, out);
        let next = restore::blank(book, now);
        let gone = self.close_what_goes(&next, now, out);
        let changed = self.move_in(next, now);
        self.close_unasked(now, out);
        self.align_hiding(now, out);
        for k in 0..self.book.suppressions().len() {
            self.judge_suppression(k, now, out);
        }
        for i in changed {
            self.cause = Cause::Config;
            self.judge_again(i, now, out);
        }
        for k in 0..self.book.votes().len() {
            self.judge_vote(k, now, out);
        }
        self.touched.extend((0..self.alarms.len()).filter(|i| self.alarms[*i].stands()));
        self.settle(now, out);
        gone
    }

    /// Replay: the book that is in force from a [`EventKind::ConfigChanged`] on; called right after [`Engine::apply`] of it.
    pub fn adopt(&mut self, book: RuleBook, now: Now) {
        let _ = self.move_in(restore::blank(book, now), now);
        self.touched.clear();
        self.revealed.clear();
    }

    /// Still under the old book: what stands is over, what hides it has ended.
    fn close_what_goes(&mut self, next: &Engine, now: Now, out: &mut Vec<Event>) -> Vec<String> {
        for p in 0..self.book.points().len() {
            let point = self.book.points()[p].key.to_string();
            let bypassed = self.first_of(p).is_some_and(|i| self.alarms[i].hidden.bypass.is_some());
            if bypassed && next.book.point_id(&point).is_none() {
                self.emit(EventKind::BypassEnded { point, why: EndCause::Config, by: None }, now, out);
            }
        }
        let goes = |i: &usize| next.alarm_index(&self.alarms.key(*i)).is_none();
        let gone: Vec<usize> = (0..self.alarms.len()).filter(goes).collect();
        for i in &gone {
            let last = self.alarms[*i].fact.as_ref().and_then(|f| f.reading);
            let fact = AlarmFact { reading: self.reading_of(*i).or(last), ..self.fact(*i, None) };
            if self.alarms[*i].hidden.shelf.is_some() {
                let fact = fact.clone();
                self.emit(EventKind::ShelfExpired { fact, annunciated: false, why: EndCause::Config }, now, out);
            }
            if self.alarms[*i].stands() {
                self.emit(EventKind::Cleared { fact }, now, out);
            }
        }
        gone.into_iter().map(|i| self.alarms.key(i)).collect()
    }

    fn first_of(&self, p: usize) -> Option<usize> {
        self.book.index().rules_of_point[p].first().map(|r| r.index())
    }

    /// `next` takes the place of the engine and its state, by key. The rules that must be judged again.
    fn move_in(&mut self, next: Engine, now: Now) -> Vec<usize> {
        let mut old = std::mem::replace(self, next);
        self.hazards = std::mem::take(&mut old.hazards);
        self.closed = std::mem::take(&mut old.closed);
        self.arm_overdue();
        self.flood = std::mem::take(&mut old.flood);
        (self.next_seq, self.next_hazard, self.silenced) = (old.next_seq, old.next_hazard, old.silenced.take());
        self.boot_wall_ms = old.boot_wall_ms;
        self.move_plant(&old);
        self.move_alarms(&mut old);
        self.move_suppressions(&old);
        let changed = self.move_memory(&mut old);
        self.arm_again(&old, now);
        changed
    }

    fn move_alarms(&mut self, old: &mut Engine) {
        // First, because moving takes the states out of `old`.
        for i in 0..self.book.rules().len() {
            self.hide_as_its_point(i, old);
        }
        for i in 0..self.alarms.len() {
            let Some(j) = old.alarm_index(&self.alarms.key(i)) else { continue };
            self.alarms.take_over(i, &mut old.alarms, j);
            if let Some(credited) = old.credited_ms.remove(&j) {
                self.credited_ms.insert(i, credited);
            }
            if let (Some(hot), Some(was)) = (self.hot.get_mut(i), old.hot.get(j)) {
                hot.set_judged(was.judged());
                hot.beyond = was.beyond;
            }
            self.follow_state(i);
            if self.group_key(i) != old.group_key(j) && self.alarms[i].first_out.is_some() {
                self.forget_rank(i);
            }
        }
    }

    /// A new alarm of a point that is bypassed or out of service is so too.
    fn hide_as_its_point(&mut self, i: usize, old: &Engine) {
        let point = &self.book.rules()[i].point;
        let was = old.book.point_id(point).and_then(|p| old.first_of(p.index()));
        let hidden = was.map(|j| &old.alarms[j].hidden);
        if let Some(hidden) = hidden.filter(|h| h.bypass.is_some() || h.service.is_some()) {
            self.alarms[i].hidden.bypass.clone_from(&hidden.bypass);
            self.alarms[i].hidden.service.clone_from(&hidden.service);
            self.follow_state(i);
        }
    }

    /// Readings, answers and modes. A value in another unit or of another instrument says nothing about the new point.
    fn move_plant(&mut self, old: &Engine) {
        let comparable = |a: &Point, b: &Point| a.unit == b.unit && a.device == b.device && a.kind == b.kind;
        for p in 0..self.book.points().len() {
            let point = &self.book.points()[p];
            let Some(q) = old.book.point_id(&point.key).map(crate::PointId::index) else { continue };
            if comparable(point, &old.book.points()[q]) {
                (self.readings[p], self.newest[p], self.said[p]) = (old.readings[q], old.newest[q], old.said[q]);
                self.raws[p] = old.raws[q];
            }
        }
        for d in 0..self.book.devices().len() {
            let known = old.book.device_id(&self.book.devices()[d].key).map(crate::DeviceId::index);
            // One that nobody asked before has the grace of a new one.
            let Some(e) = known.filter(|e| old.is_asked(*e)) else { continue };
            (self.answered[d], self.watched_since[d]) = (old.answered[e], old.watched_since[e]);
            self.answering_since[d] = old.answering_since[e];
        }
        for (k, unit) in old.book.plant_units().iter().enumerate() {
            self.set_mode(&unit.key, old.modes[k]);
            self.note_mode(&unit.key, old.modes_seq[k], old.modes_measured[k]);
        }
    }

    fn move_suppressions(&mut self, old: &Engine) {
        for (k, new) in self.book.suppressions().iter().enumerate() {
            if let Some(j) = old.book.suppressions().iter().position(|s| s.key == new.key) {
                self.suppressing[k] = old.suppressing[j];
            }
        }
        // what is gone is in the old rows still
        self.spend_as_marked(old.alarms.eventful().flat_map(|(_, a)| a.spent.iter().cloned()).collect());
    }

    /// Conditions over time remember what the new numbers can be held against.
    fn move_memory(&mut self, old: &mut Engine) -> Vec<usize> {
        let mut changed = Vec::new();
        for i in 0..self.book.rules().len() {
            let Some(j) = old.alarm_index(&self.alarms.key(i)) else {
                changed.push(i);
                continue;
            };
            let (new, was) = (&self.book.rules()[i], &old.book.rules()[j]);
            let same_numbers = self.condition_of(i) == old.condition_of(j);
            // A point whose newest reading did not move in is another one.
            let same_point = self.newest[self.book.index().point_of_rule[i].index()].is_some();
            if same_point && self.condition_of(i).remembers_as(old.condition_of(j)) {
                self.memory[i] = std::mem::take(&mut old.memory[j]);
            }
            if !same_numbers || (new.on_delay, new.off_delay) != (was.on_delay, was.off_delay) {
                changed.push(i);
            }
        }
        changed
    }

    /// Timers follow from the state and the new book; those that run already and mean the same go on.
    fn arm_again(&mut self, old: &Engine, now: Now) {
        for d in 0..self.book.devices().len() {
            self.arm_silence(d);
            self.suppress(d, now);
        }
        for p in 0..self.book.points().len() {
            let due = if self.newest[p].is_some() { self.stale_due(p) } else { self.first_sample_due(p, now) };
            self.deadlines.set(Timer::Stale(p), Some(due));
            self.arm_point(p);
        }
        for i in 0..self.alarms.len() {
            self.arm_delay_again(i, old);
            self.arm_standing_again(i, old, now);
        }
        for k in 0..self.book.suppressions().len() {
            let j = old.book.suppressions().iter().position(|s| s.key == self.book.suppressions()[k].key);
            self.deadlines.set(Timer::Release(k), j.and_then(|j| old.deadlines.due(Timer::Release(j))));
            let until = self.suppressed_until(k).filter(|_| self.suppressing[k].is_on());
            self.deadlines.set_expiry(Timer::SuppressionMax(k), until);
        }
        self.arm_calls(now);
        self.divide_pauses(now);
        self.arm_flood();
    }

    /// What has stood long enough before has been told; a record that a person rejected is not opened again.
    fn arm_standing_again(&mut self, i: usize, old: &Engine, now: Now) {
        let Some(j) = old.alarm_index(&self.alarms.key(i)) else { return };
        if !old.measures_of(j).is_empty() {
            self.deadlines.set(Timer::Standing(i), old.deadlines.due(Timer::Standing(j)));
        } else if self.alarms[i].is_active() && !self.alarms[i].shadow {
            self.watch_standing(i, self.alarms[i].raised.unwrap_or(now));
        }
    }

    fn arm_delay_again(&mut self, i: usize, old: &Engine) {
        let due = match self.alarms[i].condition {
            ConditionState::PendingOn(t0) => {
                let j = old.alarm_index(&self.alarms.key(i)).unwrap_or(i);
                let same = j < old.book.rules().len() && old.on_delay(j) == self.on_delay(i);
                // A start may have armed it for later than its delay alone says.
                let running = old.deadlines.due(Timer::Delay(j)).filter(|_| same);
                running.or(Some(self.pending_due(i, t0)))
            }
            ConditionState::PendingOff(t0) => Some(t0.plus(self.off_delay(i))),
            ConditionState::Unknown | ConditionState::Normal | ConditionState::Active => None,
        };
        self.deadlines.set(Timer::Delay(i), due);
    }
}
