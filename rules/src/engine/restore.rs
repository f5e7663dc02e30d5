//! A start: what stood before stands again, without a second raise.
//!
//! On-delays keep their progress and the gap is credited when the first good sample is still true; off-delays begin anew;
//! an acknowledgement, an occurrence number and an open record survive. What hides an alarm survives only if its end can be
//! proved: on the same boot, or by a synchronised wall clock that is not behind the latest time ever recorded.

use super::comms::START_GRACE;
use super::deadlines::{Counts, Deadlines};
use super::hot::{Hot, Way};
use super::turn::NEVER_READ;
use super::{AlarmState, Alarms, ConditionState, Engine, Restored, SystemCondition, Timer, UnitMode};
use crate::book::{Mode, RuleBook};
use crate::event::{AlarmFact, Cause, Event, EventKind};
use crate::hazard::Hazard;
use crate::hide::{EndCause, Expiry};
use crate::reading::Raw;
use crate::time::{Mono, Now, TimeQuality};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// What the first turn says.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    /// Alarms whose key the book no longer has: those that stand, are hidden, or say that a suppression has used up its time.
    orphans: Vec<AlarmState>,
    /// Alarms whose hiding cannot be proved any more.
    unproven: bool,
    /// A bypass that was about to end is not there any more.
    bypass_gone: bool,
    /// The alarm of overdue records stands without one, or the other way round: one of the two was lost.
    overdue_differs: bool,
    /// The silence of a device stands that the book asks no more.
    unasked: bool,
    /// What is hidden is not what the book hides: it is another one than before.
    hides_otherwise: bool,
}

impl Unsaid {
    pub(super) fn orphans(&self) -> &[AlarmState] {
        &self.orphans
    }
}

/// How times of before relate to the present clocks.
#[derive(Clone, Copy)]
pub(super) struct Passage {
    pub(super) now: Now,
    pub(super) same_boot: bool,
    /// The wall clock may be believed.
    pub(super) wall: bool,
    /// The wall time of this boot, by which times before it are told; none where nothing proves it.
    pub(super) boot_wall_ms: Option<i64>,
}

impl Passage {
    fn of(restored: &Restored, now: Now) -> Self {
        let behind = restored.wall_mark_utc_ms.is_some_and(|mark| now.wall.utc_ms < mark);
        let synced = now.wall.quality == TimeQuality::Synced;
        let same_boot = restored.boot.is_some();
        let wall = !behind && (same_boot || synced);
        let up_ms = i64::try_from(now.mono.0 / 1_000_000).unwrap_or(i64::MAX);
        let boot_wall_ms = match &restored.boot {
            Some(boot) => boot.boot_wall_ms(),
            None => wall.then(|| now.wall.utc_ms.saturating_sub(up_ms)),
        };
        Self { now, same_boot, wall, boot_wall_ms }
    }

    /// A time of before on the present monotonic clock; none if nothing proves how long ago it was.
    fn then(self, was: Now) -> Option<Now> {
        if self.same_boot {
            return Some(was);
        }
        let ago_ms = u64::try_from(self.now.wall.utc_ms.saturating_sub(was.wall.utc_ms)).ok().filter(|_| self.wall)?;
        let ago = ago_ms.saturating_mul(1_000_000);
        Some(Now { mono: Mono(self.now.mono.0.saturating_sub(ago)), wall: was.wall })
    }

    /// How long ago a label was, where the wall clock may be believed.
    pub(super) fn ago(self, utc_ms: i64) -> Option<Duration> {
        let dated = self.wall && self.now.wall.quality == TimeQuality::Synced;
        let ago_ms = u64::try_from(self.now.wall.utc_ms.saturating_sub(utc_ms)).ok().filter(|_| dated)?;
        Some(Duration::from_millis(ago_ms))
    }

    /// The same for an end that lies ahead: never longer than it was from the beginning, whatever the wall clock did meanwhile.
    fn end(self, end: Expiry, begun: Option<Now>) -> Expiry {
        if self.same_boot {
            return end;
        }
        let until = |from: Now| {
            let ms = end.wall_utc_ms.saturating_sub(from.wall.utc_ms);
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        };
        let (left, whole) = (until(self.now), begun.map(until));
        match whole {
            Some(whole) if whole < left => Expiry::after(self.now, whole),
            _ => Expiry { mono: self.now.mono.plus(left), ..end },
        }
    }
}

/// A restored engine.
pub(super) fn engine(book: RuleBook, restored: Restored, now: Now) -> Engine {
    let mut engine = blank(book, now);
    let passage = Passage::of(&restored, now);
    for hazard in restored.hazards {
        engine.restore_hazard(hazard, passage);
    }
    engine.next_seq = restored.next_seq.max(1);
    engine.next_hazard = restored.next_hazard.max(1);
    engine.unsaid.unproven = !passage.wall;
    engine.boot_wall_ms = passage.boot_wall_ms;
    for UnitMode { unit, mode, measured } in &restored.modes {
        engine.set_mode(unit, *mode);
        // A screen from before the start may be older than the mode.
        engine.note_mode(unit, engine.next_seq - 1, *measured);
    }
    for alarm in restored.alarms {
        engine.restore_alarm(alarm, passage);
    }
    engine.restore_stillness(&restored.stillness, passage);
    engine.hide_whole_points();
    let expiring = engine.system_alarm(SystemCondition::BypassExpiring);
    engine.unsaid.bypass_gone = engine.alarms[expiring].is_active() && engine.expiring_points().is_empty();
    let overdue = engine.system_alarm(SystemCondition::HazardOverdue);
    engine.unsaid.overdue_differs = engine.alarms[overdue].is_active() == engine.overdue_hazards().is_empty();
    engine.drop_what_a_start_ends();
    engine.arm_overdue();
    engine.arm_all(now);
    engine.unsaid.unasked = engine.has_unasked_silence();
    engine.unsaid.hides_otherwise = !engine.hides_as_it_may();
    let boot_seq = restored.boot.map_or(u64::MAX, |boot| boot.seq);
    engine.rebuild_flood(&restored.recent, boot_seq, passage);
    engine
}

/// An engine that has seen nothing.
pub(super) fn blank(book: RuleBook, now: Now) -> Engine {
    let (points, devices) = (book.points().len(), book.devices().len());
    let alarms = Alarms::fresh(book.clone());
    let counts = Counts { devices, points, alarms: alarms.len(), suppressions: book.suppressions().len() };
    Engine {
        hot: book.rules().iter().map(|r| Hot::of(&r.condition)).collect(),
        ways: (0..points).map(|p| Way::of(&book, p)).collect(),
        memory: vec![super::stuck::Memory::Nothing; book.rules().len()],
        trends: vec![None; points],
        by_mode: HashMap::new(),
        modes: vec![Mode::default(); book.plant_units().len()],
        modes_seq: vec![0; book.plant_units().len()],
        modes_measured: vec![false; book.plant_units().len()],
        suppressing: vec![super::suppress::Suppressing::default(); book.suppressions().len()],
        flood: super::flood::FloodWatch::default(),
        silenced: None,
        deadlines: Deadlines::new(counts),
        alarms,
        readings: vec![(NEVER_READ, now); points],
        raws: vec![Raw::NONE; points],
        newest: vec![None; points],
        said: vec![None; points],
        answered: vec![None; devices],
        answering_since: vec![None; devices],
        watched_since: vec![now.mono; devices],
        hazards: Vec::new(),
        closed: Vec::new(),
        boot_wall_ms: None,
        unsaid: Unsaid::default(),
        votes_waiting: (0..book.votes().len()).collect(),
        touched: Vec::new(),
        revealed: Vec::new(),
        scratch: Vec::new(),
        fresh: Vec::new(),
        credited_ms: BTreeMap::new(),
        cause: Cause::Restart,
        next_seq: 1,
        next_hazard: 1,
        book,
    }
}

impl Engine {
    /// A due time goes on; where the clocks of before cannot be related to these it is not longer than it was. Its date is people's
    /// agreement: no clock of this start changes it.
    fn restore_hazard(&mut self, mut hazard: Hazard, passage: Passage) {
        if let Some((due, since)) = hazard.stage.due_mut() {
            due.mono = passage.end(*due, Some(since)).mono;
        }
        self.replace_hazard(&hazard);
    }

    fn restore_alarm(&mut self, mut alarm: AlarmState, passage: Passage) {
        let Some(i) = self.alarm_index(&alarm.key) else {
            if alarm.stands() || !alarm.hidden.is_empty() || !alarm.spent.is_empty() {
                self.unsaid.orphans.push(alarm);
            }
            return;
        };
        let now = passage.now;
        let watched = watched_of_delay(&alarm);
        if !passage.same_boot {
            move_to_this_boot(&mut alarm, passage);
        }
        if let ConditionState::PendingOn(began) = alarm.condition {
            let before = alarm.pending.map_or(Duration::ZERO, |was| self.before_boot(was));
            let unwatched = (now.mono.since(began) + before).saturating_sub(watched);
            self.credited_ms.insert(i, super::transitions::ms(unwatched));
        }
        alarm.suppressed = false;
        // a rank among other alarms says nothing here; a row of an older version does not say among which
        let elsewhere = alarm.first_out_group.as_deref().is_some_and(|was| self.group_key(i) != Some(was));
        if elsewhere || self.group_key(i).is_none() {
            (alarm.first_out, alarm.first_out_group) = (None, None);
        }
        if alarm.first_out.is_some() {
            alarm.first_out_group = self.group_key(i).map(Box::from);
        }
        let since = alarm.raised.unwrap_or(now);
        self.alarms[i] = alarm;
        self.follow_state(i);
        if i < self.memory.len() {
            self.restore_anchor(i);
        }
        if let Some(hot) = self.hot.get_mut(i) {
            hot.beyond = self.alarms[i].is_active();
        }
        // What nobody was called for is no failed measure yet.
        if self.alarms[i].is_active() && !self.alarms[i].shadow {
            self.watch_standing(i, since);
        }
    }

    /// Bypass and service are of the point: a rule that the book did not have before shares them.
    fn hide_whole_points(&mut self) {
        for way in self.ways.clone() {
            let bypass = way.rules().find_map(|i| self.alarms[i].hidden.bypass.clone());
            let service = way.rules().find_map(|i| self.alarms[i].hidden.service.clone());
            if bypass.is_none() && service.is_none() {
                continue;
            }
            for i in way.rules() {
                self.alarms[i].hidden.bypass.clone_from(&bypass);
                self.alarms[i].hidden.service.clone_from(&service);
                self.follow_state(i);
            }
        }
    }

    /// When a point without a sample is looked at.
    pub(super) fn first_sample_due(&self, p: usize, now: Now) -> Mono {
        now.mono.plus(self.book.points()[p].max_age.max(START_GRACE))
    }

    /// Silence is judged after the grace; a pending alarm waits for its first sample, but not for ever.
    fn arm_all(&mut self, now: Now) {
        for d in 0..self.book.devices().len() {
            self.arm_silence(d);
            self.suppress(d, now);
        }
        self.revealed.clear();
        for p in 0..self.book.points().len() {
            self.deadlines.set(Timer::Stale(p), Some(self.first_sample_due(p, now)));
            self.arm_point(p);
        }
        for i in 0..self.book.rules().len() {
            if let ConditionState::PendingOn(t0) = self.alarms[i].condition {
                let point = self.book.index().point_of_rule[i].index();
                let wait = now.mono.plus(self.book.points()[point].max_age);
                self.deadlines.set(Timer::Delay(i), Some(self.pending_due(i, t0).max(wait)));
            }
        }
        self.restore_suppressions(now.mono.plus(START_GRACE));
        self.arm_calls(now);
        self.touched = (0..self.alarms.len()).filter(|i| self.alarms[*i].stands()).collect();
    }

    /// A start has not said yet what it owes.
    pub(super) fn owes_words(&self) -> bool {
        !self.unsaid.orphans.is_empty()
            || self.unsaid.unproven
            || self.unsaid.unasked
            || self.unsaid.bypass_gone
            || self.unsaid.overdue_differs
            || self.unsaid.hides_otherwise
    }

    /// Before the first turn: what nobody can prove is no longer hidden; alarms the book no longer has are over.
    pub(super) fn finish_start(&mut self, now: Now, out: &mut Vec<Event>) {
        if !self.owes_words() {
            return;
        }
        self.cause = Cause::Restart;
        let Unsaid { orphans, unproven, unasked, bypass_gone, overdue_differs, hides_otherwise } =
            std::mem::take(&mut self.unsaid);
        self.close_orphans(&orphans, now, out);
        if unproven {
            self.end_unproven(now, out);
        }
        if unasked {
            self.close_unasked(now, out);
        }
        if hides_otherwise {
            self.align_hiding(now, out);
        }
        if bypass_gone {
            self.follow_expiring(now, out);
        }
        if overdue_differs {
            self.follow_overdue(now, out);
        }
        self.cause = Cause::Restart;
    }

    /// As a reload closes them: what hides them has ended, and what stands is over.
    fn close_orphans(&mut self, orphans: &[AlarmState], now: Now, out: &mut Vec<Event>) {
        let mut bypassed = BTreeSet::new();
        for orphan in orphans {
            let fact = orphan_fact(orphan);
            if orphan.hidden.bypass.is_some() && self.book.point_id(&fact.point).is_none() {
                bypassed.insert(fact.point.clone());
            }
            if orphan.hidden.shelf.is_some() {
                let (fact, why) = (fact.clone(), EndCause::Config);
                self.emit(EventKind::ShelfExpired { fact, annunciated: false, why }, now, out);
            }
            if orphan.stands() {
                self.emit(EventKind::Cleared { fact }, now, out);
            }
        }
        for point in bypassed {
            self.emit(EventKind::BypassEnded { point, why: EndCause::Config, by: None }, now, out);
        }
    }

    fn end_unproven(&mut self, now: Now, out: &mut Vec<Event>) {
        for p in 0..self.book.points().len() {
            self.bypass_over(p, EndCause::Unproven, None, now, out);
        }
        for i in 0..self.alarms.len() {
            self.shelf_over(i, EndCause::Unproven, now, out);
        }
        for k in 0..self.book.suppressions().len() {
            self.end_suppression(k, EndCause::Unproven, now, out);
        }
        self.end_modes(now, out);
    }
}

/// How far an on-delay had come by what the journal proves.
fn watched_of_delay(alarm: &AlarmState) -> Duration {
    match (alarm.condition, alarm.last_evaluable) {
        (ConditionState::PendingOn(t0), Some(newest)) => newest.since(t0),
        _ => Duration::ZERO,
    }
}

/// Times of another boot say nothing here by themselves.
fn move_to_this_boot(alarm: &mut AlarmState, passage: Passage) {
    let now = passage.now;
    if matches!(alarm.condition, ConditionState::PendingOn(_)) {
        // How far the delay had come for certain; a wall clock that may be believed credits the gap as well.
        let done = watched_of_delay(alarm);
        let certain = Mono(now.mono.0.saturating_sub(u64::try_from(done.as_nanos()).unwrap_or(u64::MAX)));
        let began = alarm.pending.and_then(|was| passage.then(was)).map_or(certain, |began| began.mono.min(certain));
        alarm.condition = ConditionState::PendingOn(began);
        alarm.pending = Some(Now { mono: began, wall: alarm.pending.unwrap_or(now).wall });
    }
    alarm.last_evaluable = None;
    if let Some(rank) = &mut alarm.first_out {
        rank.at = alarm.raised.and_then(|raised| rank_of_before(rank.at, raised, passage)).unwrap_or(Mono(0));
    }
    alarm.raises = alarm.raises.iter().filter_map(|r| passage.then(*r)).collect();
    if !passage.wall {
        // What they count from begins anew.
        alarm.paused_for = Duration::ZERO;
    }
    for time in [&mut alarm.raised, &mut alarm.annunciated, &mut alarm.acked_at, &mut alarm.paused] {
        if let Some(was) = *time {
            *time = Some(passage.then(was).unwrap_or(Now { mono: now.mono, wall: was.wall }));
        }
    }
    if let Some(shelf) = &mut alarm.hidden.shelf {
        shelf.until = passage.end(shelf.until, Some(shelf.by.at));
    }
    if let Some(bypass) = &mut alarm.hidden.bypass {
        bypass.until = passage.end(bypass.until, Some(bypass.by.at));
    }
    if let Some(service) = &mut alarm.hidden.service {
        for time in [&mut service.reviewed, &mut service.by.at] {
            *time = passage.then(*time).unwrap_or(Now { mono: now.mono, wall: time.wall });
        }
    }
    for s in alarm.hidden.suppressed.iter_mut().filter(|s| s.until != Expiry::NEVER) {
        let end = passage.end(s.until, None);
        // never longer than it was from the beginning, whatever the wall clock did meanwhile
        let granted = Duration::from_millis(s.granted_ms);
        let longest = if granted.is_zero() { end.mono } else { now.mono.plus(granted) };
        s.until = Expiry { mono: end.mono.min(longest), ..end };
    }
    if let Some(inhibit) = &mut alarm.inhibit {
        inhibit.until = if passage.wall {
            passage.end(inhibit.until, Some(inhibit.since))
        } else {
            Expiry::after(now, Duration::ZERO)
        };
    }
}

/// When a rank was taken: as long before or after the newest raise as it was then, which has a label.
fn rank_of_before(at: Mono, raised: Now, passage: Passage) -> Option<Mono> {
    let then = passage.then(raised)?.mono;
    Some(if at > raised.mono {
        then.plus(at.since(raised.mono))
    } else {
        Mono(then.0.saturating_sub(raised.mono.0 - at.0))
    })
}

fn orphan_fact(orphan: &AlarmState) -> AlarmFact {
    if let Some(fact) = &orphan.fact {
        return AlarmFact { cause: Cause::Config, ..(**fact).clone() };
    }
    let (point, condition) = orphan.key.rsplit_once(':').unwrap_or((&orphan.key, ""));
    AlarmFact {
        alarm: orphan.key.clone(),
        occurrence: orphan.occurrence,
        point: point.to_owned(),
        condition: condition.to_owned(),
        priority: 3,
        cause: Cause::Config,
        ..AlarmFact::default()
    }
}
