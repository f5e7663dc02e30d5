//! One turn: suppressor state, then samples of one instant together, then what is due. The order of samples inside an
//! instant does not matter, because all of them are taken in before any is judged.

use super::deadlines::Timer;
use super::{ConditionState, Engine, Input};
use crate::book::PointId;
use crate::event::{Cause, Event, EventKind, StateChange};
use crate::hide::EndCause;
use crate::reading::{Doubt, Fault, Raw, Reading, Sample};
use crate::time::{Mono, Now};
use std::time::Duration;

/// Votes and suppressions that look at one another settle within so many rounds; the checker refuses loops.
const ROUNDS_MAX: usize = 16;
/// What a point reads before its first sample.
pub(super) const NEVER_READ: Reading = Reading::Bad(Fault::NeverRead);

impl Engine {
    pub(super) fn turn(&mut self, input: Input<'_>, now: Now, out: &mut Vec<Event>) {
        self.finish_start(now, out);
        match input {
            Input::Scan { device, answered, samples } => self.scan(device.index(), answered, samples, now, out),
            Input::System { condition, active } => {
                self.fire(Mono(now.mono.0.saturating_sub(1)), now, out);
                self.system(condition, active, now, out);
            }
            Input::Tick => {
                self.fire(now.mono, now, out);
                // After a start something may be owed although nothing is due.
                self.settle(now, out);
            }
        }
    }

    fn scan(&mut self, device: usize, answered: bool, samples: &[Sample], now: Now, out: &mut Vec<Event>) {
        let ordered = samples.is_sorted_by(|a, b| (a.at.mono, a.point) < (b.at.mono, b.point));
        // Nearly always they come so, each point once.
        if ordered && samples.last().is_none_or(|s| s.at.mono <= now.mono) {
            return self.scan_in_order(device, answered, samples, now, out);
        }
        let mut sorted = std::mem::take(&mut self.scratch);
        sorted.clear();
        sorted.extend(samples.iter().map(|s| Sample { at: if s.at.mono > now.mono { now } else { s.at }, ..*s }));
        sorted.sort_by_key(order);
        self.scan_in_order(device, answered, &sorted, now, out);
        self.scratch = sorted;
    }

    fn scan_in_order(&mut self, device: usize, answered: bool, sorted: &[Sample], now: Now, out: &mut Vec<Event>) {
        let (first, last) = (sorted.first().map_or(now, |s| s.at), sorted.last().map_or(now, |s| s.at));
        // Missed ticks: what was due before this scan happened before it.
        self.fire(Mono(first.mono.0.saturating_sub(1)), now, out);
        self.cause = Cause::Sample;
        if sorted.is_empty() {
            self.heard(device, answered, now, out);
        }
        // By each moment, so that it does not matter in how many parts a cycle is told: a replay does not know them.
        for instant in sorted.chunk_by(|a, b| a.at.mono == b.at.mono) {
            self.cause = Cause::Sample;
            self.heard(device, answered, instant[0].at, out);
            self.instant(instant, out);
        }
        self.settle(last, out);
        self.fire(last.mono, now, out);
    }

    /// Samples of one moment: first all of them are known, then they are judged.
    fn instant(&mut self, samples: &[Sample], out: &mut Vec<Event>) {
        if let [only] = samples {
            if self.take_in(only) {
                self.know(only, out);
                self.judge_fresh(only, out);
            }
        } else {
            self.instant_of_many(samples, out);
        }
        if !self.touched.is_empty() || !self.revealed.is_empty() {
            let at = samples.last().map_or(Now::default(), |s| s.at);
            self.settle(at, out);
        }
    }

    fn instant_of_many(&mut self, samples: &[Sample], out: &mut Vec<Event>) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.clear();
        fresh.extend(samples.iter().filter(|s| self.take_in(s)));
        fresh.iter().for_each(|s| self.know(s, out));
        fresh.iter().for_each(|s| self.judge_fresh(s, out));
        self.fresh = fresh;
    }

    fn know(&mut self, s: &Sample, out: &mut Vec<Event>) {
        if self.ways[s.point.index()].groups {
            self.cause = Cause::Sample;
            self.tell_groups(s.point.index(), s.at, out);
        }
    }

    fn judge_fresh(&mut self, s: &Sample, out: &mut Vec<Event>) {
        self.cause = Cause::Sample;
        self.watch_inhibit(s.point, s.reading, s.at, out);
        if self.ways[s.point.index()].rises {
            match s.reading.value() {
                Some(_) => self.note_trend(s.point.index(), s.reading, s.at.mono),
                None => self.lost_while_rising(s.point.index(), s.reading, s.at, out),
            }
        }
        self.judge(s.point, s.reading, s.at, out);
    }

    /// False for a sample that is not newer than the last: it goes to history only.
    fn take_in(&mut self, s: &Sample) -> bool {
        let p = s.point.index();
        let Some(newest) = self.newest.get_mut(p) else { return false };
        if newest.is_some_and(|n| s.at.mono <= n) {
            return false;
        }
        *newest = Some(s.at.mono);
        self.readings[p] = (s.reading, s.at);
        self.raws[p] = s.raw;
        if !is_silent(s.reading) {
            self.said[p] = Some(s.at.mono);
            self.deadlines.set_lazily(Timer::Stale(p), self.stale_due(p));
        }
        true
    }

    /// Suppressors and running signals come before the alarms they explain.
    pub(super) fn tell_groups(&mut self, p: usize, at: Now, out: &mut Vec<Event>) {
        if !self.book.index().groups.units_run_by_point[p].is_empty() {
            self.measured_mode(p, at, out);
        }
        for n in 0..self.book.index().groups.suppressions_of_point[p].len() {
            let k = self.book.index().groups.suppressions_of_point[p][n];
            self.judge_suppression(k, at, out);
        }
    }

    fn judge(&mut self, point: PointId, reading: Reading, at: Now, out: &mut Vec<Event>) {
        let p = point.index();
        let way = self.ways[p];
        for i in way.rules() {
            debug_assert!(self.is_followed(i), "{:?} {:?}", self.hot[i], self.alarms[i]);
            if !self.hot[i].settles(reading, at.mono) {
                self.step(i, reading, at, out);
            }
        }
        if way.suppresses {
            // The value may be confirmed or taken back without any change of the alarm.
            self.touched.extend(way.rules());
        }
        if !way.referred {
            return;
        }
        for k in 0..self.book.index().referring_to_point[p].len() {
            let i = self.book.index().referring_to_point[p][k].index();
            let own = self.book.index().point_of_rule[i].index();
            self.step(i, self.readings[own].0, at, out);
        }
    }

    pub(super) fn stale_due(&self, p: usize) -> Mono {
        self.newest[p].unwrap_or_default().plus(self.book.points()[p].max_age).plus(Duration::from_nanos(1))
    }

    /// It has a reading that can become old.
    pub(super) fn would_be_stale(&self, p: usize) -> bool {
        self.newest[p].is_some() && !is_silent(self.readings[p].0)
    }

    /// The reading keeps its time; a point never read stays so, but what stands on it is held.
    fn stale(&mut self, p: usize, now: Now, out: &mut Vec<Event>) {
        if is_silent(self.readings[p].0) && self.newest[p].is_some() {
            return self.silent_while_rising(p, now, out);
        }
        let due = self.stale_due(p);
        if self.newest[p].is_some() && due > now.mono {
            return self.deadlines.set_lazily(Timer::Stale(p), due);
        }
        if self.readings[p].0 != NEVER_READ {
            self.readings[p].0 = Reading::Bad(Fault::Stale);
            self.raws[p] = Raw::NONE;
        }
        self.cause = Cause::Timer;
        let reading = self.readings[p].0;
        self.tell_groups(p, now, out);
        self.assume_risen(p, reading, now, out);
        self.judge(PointId::mint(p), reading, now, out);
    }

    /// What is due, each with what follows from it.
    pub(super) fn fire(&mut self, until: Mono, now: Now, out: &mut Vec<Event>) {
        loop {
            if self.put_off(until, now.mono) {
                self.settle(now, out);
            }
            let Some((due, timer)) = self.deadlines.take(until, now) else { return };
            self.cause = Cause::Timer;
            match timer {
                Timer::Comms(d) => self.silent(d, now, out),
                Timer::Release(k) => self.end_suppression(k, EndCause::Released, now, out),
                Timer::SuppressionMax(k) => self.end_suppression(k, EndCause::Expired, now, out),
                Timer::Delay(i) => self.delay_over(i, due, now, out),
                Timer::Stale(p) => self.stale(p, now, out),
                Timer::Inhibit(p) => self.inhibit_overdue(p, now, out),
                Timer::Shelf(i) => self.shelf_over(i, EndCause::Expired, now, out),
                Timer::BypassWarning(p) => self.bypass_expiring(p, now, out),
                Timer::Bypass(p) => self.bypass_over(p, EndCause::Expired, None, now, out),
                Timer::Review(p) => self.review(p, now, out),
                Timer::Standing(i) => self.standing(i, now, out),
                Timer::Escalation(i) => self.escalate(i, due, now, out),
                Timer::Realarm(i) => self.realarm(i, due, now, out),
                Timer::Flood => self.flood_over(now, out),
                Timer::Overdue => self.hazards_overdue(now, out),
            }
            self.settle(now, out);
        }
    }

    /// Votes, suppressions by alarm and hidden alarms that came free, until nothing changes any more.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Event>) {
        for _ in 0..ROUNDS_MAX {
            if self.touched.is_empty() && self.revealed.is_empty() {
                self.judge_heard_votes(now, out);
                if self.touched.is_empty() {
                    break;
                }
            }
            let revealed = std::mem::take(&mut self.revealed);
            for i in revealed {
                self.cause = Cause::Rule;
                self.reveal(i, now, out);
            }
            let mut touched = std::mem::take(&mut self.touched);
            touched.sort_unstable();
            touched.dedup();
            for i in touched {
                self.settle_groups(i, now, out);
            }
        }
        self.touched.clear();
        self.look_for_flood(now, out);
    }

    fn settle_groups(&mut self, i: usize, now: Now, out: &mut Vec<Event>) {
        let a = &self.alarms[i];
        if a.condition == ConditionState::Active && (a.shadow || a.owed) && !a.is_hidden() {
            // 21: it was returning when its hiding ended, and is active again, by a value, by the lack of one, or by a start.
            self.raise_again(i, now, out);
        }
        for n in 0..self.book.index().groups.suppressions_of_alarm[i].len() {
            let k = self.book.index().groups.suppressions_of_alarm[i][n];
            self.judge_suppression(k, now, out);
        }
        for n in 0..self.book.index().groups.votes_of_alarm[i].len() {
            let k = self.book.index().groups.votes_of_alarm[i][n];
            self.judge_vote(k, now, out);
        }
    }

    /// The one way an event comes about: numbered, applied, appended.
    pub(super) fn emit(&mut self, kind: EventKind, at: Now, out: &mut Vec<Event>) {
        let mut event = Event { seq: self.next_seq, at, kind };
        let about = event.kind.fact().and_then(|f| self.alarm_index(&f.alarm));
        let before = about.map(|i| self.alarms[i].words());
        self.take_up(&event);
        let calls = event.kind.annunciates() || matches!(event.kind, EventKind::Escalated { .. });
        let sound = about.filter(|_| calls).and_then(|i| self.sound_of(i, at));
        if let (Some(i), Some(before), Some(fact)) = (about, before, event.kind.fact_mut()) {
            fact.sound = sound;
            fact.states = Some(Box::new(StateChange { before, after: self.alarms[i].words() }));
        }
        out.push(event);
    }
}

/// Bad because nobody answered: the point's silence is not news.
fn is_silent(reading: Reading) -> bool {
    matches!(reading, Reading::Bad(f) if f.is_communication())
}

/// A total order of samples, so that their order inside one instant does not matter.
fn order(s: &Sample) -> (Mono, PointId, u8, u64, Option<Doubt>, Option<Fault>, Raw) {
    let (doubt, fault) = match s.reading {
        Reading::Good(_) => (None, None),
        Reading::Uncertain(_, d) => (Some(d), None),
        Reading::Bad(f) => (None, Some(f)),
    };
    (s.at.mono, s.point, s.reading.quality_code(), s.reading.value().map_or(0, f64::to_bits), doubt, fault, s.raw)
}
