//! Thresholds by the mode of a unit of the plant: running, stopped, maintenance.
//!
//! A change of mode is a change of numbers: the newest reading is judged again with the new ones (28). What a mode hides has no end of
//! its own.

use super::ack::decision;
use super::shelf::is_reason;
use super::{Engine, UnitMode};
use crate::book::{Condition, Mode, ModeRule};
use crate::command::{Actor, Command, Refusal, Rejected};
use crate::event::{Cause, Event, EventKind};
use crate::hide::{EndCause, Expiry, MODE_RULE};
use crate::time::Now;

impl Engine {
    /// Modes of the units, as a store keeps them.
    #[must_use]
    pub fn unit_modes(&self) -> Vec<UnitMode> {
        let units = self.book.plant_units().iter().zip(&self.modes).zip(&self.modes_measured);
        units.map(|((u, mode), measured)| UnitMode { unit: u.key.clone(), mode: *mode, measured: *measured }).collect()
    }

    /// Modes of the units, in the book's order.
    #[must_use]
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// The running signal of units was read, or is silent. Maintenance is a person's word, and stays until a person ends it.
    pub(super) fn measured_mode(&mut self, p: usize, at: Now, out: &mut Vec<Event>) {
        for n in 0..self.book.index().groups.units_run_by_point[p].len() {
            let k = self.book.index().groups.units_run_by_point[p][n];
            let new = self.mode_by(p, self.modes[k]);
            if self.modes[k] != new && self.modes[k] != Mode::Maintenance {
                self.cause = Cause::Config;
                self.change_mode(k, new, None, at, out);
            }
        }
    }

    /// 21: a signal that nobody can believe hides nothing; the unit counts as running. The first value after a time-out stops nothing.
    pub(super) fn mode_by(&self, p: usize, present: Mode) -> Mode {
        let reading = self.readings[p].0;
        match reading.value().filter(|_| !self.is_out_of_service(p)) {
            Some(v) if v < 0.5 && reading.proves_normal() => Mode::Stopped,
            Some(v) if v < 0.5 && reading.is_unconfirmed() && present == Mode::Stopped => Mode::Stopped,
            _ => Mode::Running,
        }
    }

    /// Nobody can prove how long the machine was away: a unit whose mode hides an alarm counts as running until its signal or a person
    /// says otherwise. A mode that has tighter limits only stays: they hide nothing.
    pub(super) fn end_modes(&mut self, now: Now, out: &mut Vec<Event>) {
        for k in 0..self.modes.len() {
            if self.modes[k] != Mode::Running && self.mode_hides_any(k) {
                self.cause = Cause::Restart;
                self.change_mode(k, Mode::Running, None, now, out);
            }
        }
    }

    /// A person sets the mode of a unit without a running signal; of one that has only maintenance and its end, after which the
    /// signal says what it is.
    pub(super) fn command_mode(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let Command::SetMode { unit, seen_seq, mode, reason } = command else {
            return Err(Rejected::Incomplete(Vec::new()));
        };
        let k = self.book.plant_units().iter().position(|u| u.key == *unit);
        let k = k.ok_or_else(|| Rejected::NotFound(unit.clone()))?;
        if !is_reason(reason) {
            return Err(Rejected::Incomplete(vec!["reason".to_owned()]));
        }
        let signal = self.book.plant_units()[k].running_point.as_ref().and_then(|key| self.book.point_id(key));
        let mode = match (signal, *mode) {
            (None, mode) | (Some(_), mode @ Mode::Maintenance) => mode,
            (Some(p), _) if self.modes[k] == Mode::Maintenance => self.mode_by(p.index(), self.modes[k]),
            (Some(_), _) => return Err(Rejected::Refused(Refusal::ModeIsMeasured)),
        };
        if self.modes[k] == mode {
            return Err(Rejected::AlreadySo);
        }
        self.seen_unit(k, mode, *seen_seq)?;
        self.change_mode(k, mode, Some(decision(actor, reason, now)), now, out);
        Ok(())
    }

    /// What the person saw of a unit is what stands: its mode, and the alarms that another mode may hide. A unit that runs hides none.
    fn seen_unit(&self, k: usize, new: Mode, seen_seq: u64) -> Result<(), Rejected> {
        let unit = &self.book.plant_units()[k].key;
        if seen_seq < self.modes_seq[k] {
            return Err(Rejected::Changed(unit.clone()));
        }
        if new == Mode::Running {
            return Ok(());
        }
        let alarms: Vec<usize> = (0..self.book.points().len())
            .filter(|p| self.book.index().groups.unit_of_point(*p) == Some(k))
            .flat_map(|p| self.ways[p].rules())
            .collect();
        self.seen_point(unit, &alarms, seen_seq)
    }

    /// Live and replay: since when the mode is what it is, and by whom.
    pub(super) fn note_mode(&mut self, unit: &str, seq: u64, measured: bool) {
        if let Some(k) = self.book.plant_units().iter().position(|u| u.key == unit) {
            let by_signal = self.book.plant_units()[k].running_point.is_some() && self.modes[k] != Mode::Maintenance;
            (self.modes_seq[k], self.modes_measured[k]) = (seq, measured || by_signal);
        }
    }

    pub(super) fn change_mode(
        &mut self,
        k: usize,
        new: Mode,
        by: Option<crate::hazard::Decision>,
        now: Now,
        out: &mut Vec<Event>,
    ) {
        let (plant_unit, old) = (self.book.plant_units()[k].key.clone(), self.modes[k]);
        self.emit(EventKind::ModeChanged { plant_unit, old, new, by }, now, out);
        let unproven = self.cause == Cause::Restart;
        self.cause = if unproven { Cause::Restart } else { Cause::Config };
        let why = if unproven { EndCause::Unproven } else { EndCause::Released };
        for p in 0..self.book.points().len() {
            if self.book.index().groups.unit_of_point(p) != Some(k) {
                continue;
            }
            for n in 0..self.book.index().rules_of_point[p].len() {
                let i = self.book.index().rules_of_point[p][n].index();
                self.judge_mode(i, why, now, out);
                self.judge_again(i, now, out);
            }
        }
    }

    /// `why`: how it ends where it ends.
    pub(super) fn judge_mode(&mut self, i: usize, why: EndCause, now: Now, out: &mut Vec<Event>) {
        let hides = self.mode_hides(i);
        let hidden = self.alarms[i].hidden.suppressed.iter().any(|s| s.rule == MODE_RULE);
        match (hidden, hides) {
            (false, true) => {
                let mut fact = self.fact(i, self.reading_of(i));
                self.mode_of(i).unwrap_or_default().word().clone_into(&mut fact.detail);
                let (rule, until) = (MODE_RULE.to_owned(), Expiry::NEVER);
                self.emit(EventKind::Suppressed { fact, rule, until, granted_ms: 0 }, now, out);
            }
            (true, false) => self.lift(i, MODE_RULE, why, now, out),
            _ => {}
        }
    }

    /// The mode of the unit that the alarm's point belongs to.
    fn mode_of(&self, i: usize) -> Option<Mode> {
        let x = self.book.index();
        let unit = x.point_of_alarm(i).and_then(|p| x.groups.unit_of_point(p.index()));
        unit.map(|k| self.modes[k])
    }

    /// The present mode of its unit hides that alarm.
    pub(super) fn mode_hides(&self, i: usize) -> bool {
        let Some(rule) = self.book.rules().get(i).filter(|r| !r.by_mode.is_empty()) else { return false };
        let mode = self.mode_of(i);
        rule.by_mode.iter().any(|(m, r)| Some(*m) == mode && *r == ModeRule::Suppressed)
    }

    /// The present mode of unit `k` hides something, by its word or by a looser limit.
    fn mode_hides_any(&self, k: usize) -> bool {
        let points = (0..self.book.points().len()).filter(|p| self.book.index().groups.unit_of_point(*p) == Some(k));
        points.flat_map(|p| self.ways[p].rules()).any(|i| self.mode_hides(i) || self.is_looser(i))
    }

    /// The limit in force is further away than the one of the rule itself.
    fn is_looser(&self, i: usize) -> bool {
        let (own, now) = (&self.book.rules()[i].condition, self.condition_of(i));
        let low = matches!(own, Condition::Low { .. } | Condition::LowLow { .. });
        own.limit().zip(now.limit()).is_some_and(|(own, now)| if low { now < own } else { now > own })
    }

    /// 28: the newest reading with the numbers that hold now.
    pub(super) fn judge_again(&mut self, i: usize, now: Now, out: &mut Vec<Event>) {
        let Some(p) = self.book.index().point_of_alarm(i).map(crate::book::PointId::index) else { return };
        let judged = self.hot[i].judged();
        if self.newest[p].is_some() {
            self.step(i, self.readings[p].0, now, out);
            self.hot[i].set_judged(judged);
        }
    }

    /// Live and replay: the numbers of a mode.
    pub(super) fn set_mode(&mut self, unit: &str, mode: Mode) {
        let Some(k) = self.book.plant_units().iter().position(|u| u.key == unit) else { return };
        self.modes[k] = mode;
        for i in 0..self.book.rules().len() {
            let (rule, p) = (&self.book.rules()[i], self.book.index().point_of_rule[i].index());
            if rule.by_mode.is_empty() || self.book.index().groups.unit_of_point(p) != Some(k) {
                continue;
            }
            let limit = rule.by_mode.iter().find_map(|(m, r)| match r {
                ModeRule::Limit(limit) if *m == mode => Some(*limit),
                _ => None,
            });
            match limit {
                Some(limit) => drop(self.by_mode.insert(i, rule.condition.with_limit(limit))),
                None => drop(self.by_mode.remove(&i)),
            }
            self.follow_numbers(i);
        }
    }
}
