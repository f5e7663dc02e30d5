//! Another book, while the site runs or at a start: what hides alarms is what the book in force allows and means.
//!
//! A shelf or bypass that is forbidden or longer than it may be ends; what a suppression or a mode hides is exactly what it names now.
//! Leaves beginning and ending by a suppressor or a signal to [`super::suppress`] and [`super::modes`].

use super::Engine;
use super::transitions::ms;
use crate::book::{Mode, slot};
use crate::event::{Cause, Event};
use crate::hide::{EndCause, MODE_RULE};
use crate::time::Now;
use std::time::Duration;

impl Engine {
    /// Nothing hides an alarm that may not, and what the book hides is hidden.
    pub(super) fn hides_as_it_may(&self) -> bool {
        let alarms = (0..self.alarms.len()).all(|i| {
            let named = self.alarms[i].hidden.suppressed.iter().all(|s| self.is_suppressed_by(i, &s.rule));
            named && self.shelf_is_allowed(i) && self.is_hidden_by_mode(i) == self.mode_hides(i)
        });
        let suppressions = (0..self.book.suppressions().len()).all(|k| self.names_what_it_hides(k));
        let bypasses = (0..self.book.points().len()).all(|p| self.bypass_is_allowed(p));
        alarms && suppressions && bypasses && (0..self.modes.len()).all(|k| self.fitting_mode(k) == self.modes[k])
    }

    /// Ends and begins what differs. A suppressor that has not been read since a start is not asked.
    pub(super) fn align_hiding(&mut self, now: Now, out: &mut Vec<Event>) {
        self.end_what_is_not_allowed(now, out);
        self.cause = Cause::Config;
        self.follow_expiring(now, out);
        for k in 0..self.modes.len() {
            let fitting = self.fitting_mode(k);
            if self.modes[k] != fitting {
                self.cause = Cause::Config;
                self.change_mode(k, fitting, None, now, out);
            }
        }
        self.lift_what_is_not_meant(now, out);
        for i in 0..self.book.rules().len() {
            self.cause = Cause::Config;
            self.judge_mode(i, EndCause::Released, now, out);
        }
        for k in 0..self.book.suppressions().len() {
            self.cause = Cause::Config;
            self.align_suppression(k, now, out);
        }
    }

    fn shelf_is_allowed(&self, i: usize) -> bool {
        let max = self.book.policy().shelf_max[slot(self.priority_of(i))];
        self.alarms[i].hidden.shelf.as_ref().is_none_or(|s| max.is_some_and(|max| s.granted() <= max))
    }

    fn bypass_is_allowed(&self, p: usize) -> bool {
        let first = self.book.index().rules_of_point[p].first().map(|r| r.index());
        let bypass = first.and_then(|i| self.alarms[i].hidden.bypass.as_ref());
        bypass.is_none_or(|b| b.granted() <= self.book.policy().bypass_max)
    }

    fn end_what_is_not_allowed(&mut self, now: Now, out: &mut Vec<Event>) {
        for i in 0..self.alarms.len() {
            if !self.shelf_is_allowed(i) {
                self.shelf_over(i, EndCause::Config, now, out);
            }
        }
        for p in 0..self.book.points().len() {
            if !self.bypass_is_allowed(p) {
                self.bypass_over(p, EndCause::Config, None, now, out);
            }
        }
    }

    /// The mode of a unit whose signal came or went: one that was measured holds no longer than there is a signal.
    fn fitting_mode(&self, k: usize) -> Mode {
        let signal = self.book.plant_units()[k].running_point.as_ref().and_then(|key| self.book.point_id(key));
        match (self.modes[k], signal) {
            (Mode::Maintenance, _) => Mode::Maintenance,
            (mode, Some(p)) if self.newest[p.index()].is_none() => mode,
            (_, Some(p)) => self.mode_by(p.index(), self.modes[k]),
            (_, None) if self.modes_measured[k] => Mode::Running,
            (mode, None) => mode,
        }
    }

    fn is_hidden_by_mode(&self, i: usize) -> bool {
        self.alarms[i].hidden.suppressed.iter().any(|s| s.rule == MODE_RULE)
    }

    fn lift_what_is_not_meant(&mut self, now: Now, out: &mut Vec<Event>) {
        for i in 0..self.alarms.len() {
            let rules: Vec<String> = self.alarms[i].hidden.suppressed.iter().map(|s| s.rule.clone()).collect();
            for rule in rules.iter().filter(|rule| !self.is_suppressed_by(i, rule)).collect::<Vec<_>>() {
                self.cause = Cause::Config;
                self.lift(i, rule, EndCause::Config, now, out);
            }
        }
    }

    /// How much longer the suppression hides than it may.
    fn too_long(&self, k: usize) -> Duration {
        let max = self.book.suppressions()[k].max;
        let granted = |s: &crate::hide::Suppressed| Duration::from_millis(s.granted_ms);
        self.suppressed(k).map_or(Duration::ZERO, |s| granted(s).saturating_sub(max))
    }

    fn names_what_it_hides(&self, k: usize) -> bool {
        let rule = &self.book.suppressions()[k].key;
        let hidden = |i: &usize| self.alarms[*i].hidden.suppressed.iter().any(|s| s.rule == *rule);
        let on = self.suppressing[k].is_on();
        !on || self.too_long(k).is_zero() && self.book.index().groups.alarms_of_suppression[k].iter().all(hidden)
    }

    /// A suppression that is on hides what it names now, and for no longer than it may now.
    fn align_suppression(&mut self, k: usize, now: Now, out: &mut Vec<Event>) {
        if self.names_what_it_hides(k) {
            return;
        }
        let cut = self.too_long(k);
        let shortened = |s: &crate::hide::Suppressed| (s.until.earlier(cut), s.granted_ms.saturating_sub(ms(cut)));
        let Some((until, granted_ms)) = self.suppressed(k).map(shortened) else {
            return self.end_suppression(k, EndCause::Config, now, out);
        };
        if until.is_over(now) {
            return self.end_suppression(k, EndCause::Expired, now, out);
        }
        let rule = self.book.suppressions()[k].key.clone();
        for n in 0..self.book.index().groups.alarms_of_suppression[k].len() {
            let i = self.book.index().groups.alarms_of_suppression[k][n];
            if self.alarms[i].hidden.suppressed.iter().all(|s| s.rule != rule || s.until != until) {
                self.hide_by_design(i, &rule, until, granted_ms, now, out);
            }
        }
        self.limit_suppression(k, until);
    }
}
