//! What may bring about the rest: what people do, what hides and calls, what is of the whole site.

use super::super::super::*;
use super::super::witness::{Heard, Row, START_GRACE, When, Witness};
use crate::book::{Suppressor, slot};
use crate::event::AlarmFact;
use crate::hide::EndCause;

const STANDING: Duration = Duration::from_secs(600);

impl Witness {
    /// Annunciation, hiding and what people do: alike for all alarms.
    pub(super) fn of_people(&self, kind: &EventKind, fact: &AlarmFact, row: &Row, at: When) -> bool {
        let (alarm, point) = (&fact.alarm, &fact.point);
        let policy = self.book.policy();
        let returned = |k: &EventKind| matches!(k, EventKind::Returned { .. } | EventKind::ShadowReturned { .. });
        match kind {
            EventKind::Acked { .. } => {
                row.unacked
                    && self.asked(
                        |c| matches!(c, Command::Acknowledge { alarm: a, .. } if a == alarm || is_outer(a, alarm)),
                    )
            }
            EventKind::Cleared { .. } => {
                let over =
                    |k: &EventKind| returned(k) || matches!(k, EventKind::Acked { .. } | EventKind::Reset { .. });
                self.about(alarm, over)
                    || self.asked(|c| matches!(c, Command::OutOfService { point: p, .. } if p == point))
            }
            EventKind::Realarm { .. } => {
                let since = row.acked.zip(policy.realarm[slot(fact.priority)]);
                let further =
                    |k: &EventKind| matches!(k, EventKind::BypassExpiring { .. } | EventKind::HazardOverdue { .. });
                since.is_some_and(|(at, d)| row.active && !row.unacked && at.is(d, self.now))
                    || point.is_empty() && self.before(further)
                    || row.latched && row.unacked && self.is_revealed(alarm, point)
            }
            EventKind::Escalated { level, .. } => {
                let step = policy.escalation[slot(fact.priority)].get(usize::from(row.level));
                let due = row.annunciated.zip(step).is_some_and(|(at, d)| at.is(*d, self.now));
                row.unacked && *level == row.level + 1 && due
            }
            EventKind::Reset { .. } => {
                !row.unacked && self.asked(|c| matches!(c, Command::ResetLatch { alarm: a, .. } if a == alarm))
            }
            EventKind::Shelved { .. } => self.asked(|c| matches!(c, Command::Shelve { alarm: a, .. } if a == alarm)),
            EventKind::Unshelved { .. } => {
                row.shelf.is_some() && self.asked(|c| matches!(c, Command::Unshelve { alarm: a, .. } if a == alarm))
            }
            EventKind::ShelfExpired { why, .. } => row.shelf.is_some_and(|end| self.ends(*why, end)),
            EventKind::ShelfEnded { .. } => {
                let over = self.about(alarm, returned) || self.goes_out_of_service(point);
                row.shelf.is_some() && row.one_shot && over
            }
            EventKind::Suppressed { rule, .. } => self.may_suppress(rule, point, at),
            EventKind::Unsuppressed { rule, why, .. } => {
                row.suppressed.get(rule).is_some_and(|end| self.may_lift(rule, point, *why, *end, at))
            }
            EventKind::ChatterStart { .. } => {
                let close =
                    row.raises.iter().filter(|r| !r.is(policy.chatter_window + Duration::from_nanos(1), at)).count();
                close >= 3 && self.about(alarm, |k| matches!(k, EventKind::Raised { .. }))
            }
            EventKind::ChatterEnd { .. } => {
                row.chatters && (self.about(alarm, returned) || self.goes_out_of_service(point))
            }
            _ => false,
        }
    }

    fn goes_out_of_service(&self, point: &str) -> bool {
        self.asked(|c| matches!(c, Command::OutOfService { point: p, .. } if p == point))
    }

    fn comes_into_service(&self, point: &str) -> bool {
        self.asked(|c| matches!(c, Command::ReturnToService { point: p, .. } if p == point))
    }

    /// Something that hid it has just ended.
    fn is_revealed(&self, alarm: &str, point: &str) -> bool {
        let of_point = |k: &EventKind| matches!(k, EventKind::BypassEnded { point: p, .. } | EventKind::InService { point: p, .. } if p == point);
        self.about(alarm, |k| matches!(k, EventKind::Unsuppressed { .. })) || self.before(of_point)
    }

    /// Point of an alarm, where it is one's.
    fn point_of(alarm: &str) -> &str {
        alarm.split_once(':').map_or("", |(point, _)| point)
    }

    fn ends(&self, why: EndCause, end: When) -> bool {
        match why {
            EndCause::Expired => end.ended(self.now),
            EndCause::Unproven => self.is_unproven(),
            EndCause::Config => self.configures(),
            EndCause::User | EndCause::Returned | EndCause::Released | EndCause::BadQuality => false,
        }
    }

    fn suppressor(&self, rule: &str) -> Option<&Suppressor> {
        self.book.suppressions().iter().find(|s| s.key == rule).map(|s| &s.when)
    }

    fn may_suppress(&self, rule: &str, point: &str, at: When) -> bool {
        match self.suppressor(rule) {
            _ if self.configures() => true,
            None => rule == "mode" && self.renumbered(point),
            Some(Suppressor::State { point, is }) => {
                self.told(point, at, |r| r.value().is_some_and(|v| (v >= 0.5) == *is)) || self.comes_into_service(point)
            }
            Some(Suppressor::Alarm(key)) => {
                let told = self.about(key, |_| true) || self.starts();
                self.row(key).active && (told || self.told(Self::point_of(key), at, |r| !r.is_unconfirmed()))
            }
        }
    }

    fn may_lift(&self, rule: &str, point: &str, why: EndCause, end: When, at: When) -> bool {
        let delay = self.book.suppressions().iter().find(|s| s.key == rule).map(|s| s.release_delay);
        // After a start a suppressor is waited for as long as a silent device.
        let never_heard = self.started.is(START_GRACE, self.now);
        match (why, self.suppressor(rule)) {
            (EndCause::Released, _) if self.configures() => true,
            (EndCause::Released, None) => rule == "mode" && self.renumbered(point),
            (EndCause::Released, Some(Suppressor::State { point, is })) => {
                let Heard { newest, same_since, .. } = self.heard(point);
                let says_no = newest.is_some_and(|(_, r)| r.value().is_some_and(|v| (v >= 0.5) != *is));
                let unsure = newest.is_some_and(|(_, r)| r.is_unconfirmed());
                unsure
                    || says_no && same_since.zip(delay).is_some_and(|(since, d)| since.is(d, at))
                    || newest.is_none() && never_heard
            }
            (EndCause::Released, Some(Suppressor::Alarm(key))) => {
                let row = self.row(key);
                let over = row.ended.zip(delay).is_some_and(|(since, d)| since.is(d, at));
                let unheard = never_heard && self.heard(Self::point_of(key)).newest.is_none();
                // A first value after a time-out takes back no release that runs.
                let unsure = self.heard(Self::point_of(key)).newest.is_some_and(|(_, r)| r.is_unconfirmed());
                !row.active && (over || row.ended.is_none() || never_heard) || unheard || unsure
            }
            (EndCause::BadQuality, Some(Suppressor::State { point, .. })) => {
                let silent = self.told(point, at, |r| r.value().is_none()) || self.is_stale(point);
                silent || self.configures() || self.goes_out_of_service(point)
            }
            (EndCause::BadQuality, Some(Suppressor::Alarm(key))) => {
                let point = Self::point_of(key);
                let doubtful = self.told(point, at, |r| !r.proves_normal()) || self.is_stale(point);
                let told = self.about(key, |_| true) || doubtful;
                let served =
                    self.goes_out_of_service(Self::point_of(key)) || self.comes_into_service(Self::point_of(key));
                told || self.starts() || self.configures() || served
            }
            (why, _) => self.ends(why, end),
        }
    }

    /// Its time was used up, and what suppresses is not there.
    fn may_release(&self, rule: &str, at: When) -> bool {
        let gone = match self.suppressor(rule) {
            Some(Suppressor::State { point, is }) => {
                let says_no = |r: Reading| r.value().is_some_and(|v| (v >= 0.5) != *is);
                self.told(point, at, says_no)
                    || self.configures() && self.heard(point).newest.is_some_and(|n| says_no(n.1))
            }
            Some(Suppressor::Alarm(key)) => !self.row(key).active,
            None => false,
        };
        self.used_up.contains(rule) && gone
    }

    pub(super) fn of_site(&self, kind: &EventKind, at: When) -> bool {
        let point_is = |c: &Command, key: &str| match c {
            Command::Bypass { point, .. }
            | Command::EndBypass { point, .. }
            | Command::OutOfService { point, .. }
            | Command::ReturnToService { point, .. } => point == key,
            _ => false,
        };
        let policy = self.book.policy();
        match kind {
            EventKind::Bypassed { point, .. } => {
                self.asked(|c| matches!(c, Command::Bypass { .. }) && point_is(c, point))
            }
            EventKind::OutOfService { point, .. } => {
                self.asked(|c| matches!(c, Command::OutOfService { .. }) && point_is(c, point))
            }
            EventKind::InService { point, .. } => {
                self.asked(|c| matches!(c, Command::ReturnToService { .. }) && point_is(c, point))
            }
            EventKind::BypassExpiring { point, .. } => self.heard(point).bypass.is_some_and(|end| {
                let early = When { ns: end.ns - i128::try_from(policy.bypass_warning.as_nanos()).unwrap(), ..end };
                early.is(Duration::ZERO, self.now)
            }),
            EventKind::BypassEnded { point, why: EndCause::User, .. } => {
                self.asked(|c| matches!(c, Command::EndBypass { .. }) && point_is(c, point))
            }
            EventKind::BypassEnded { point, why, .. } => {
                self.heard(point).bypass.is_some_and(|end| self.ends(*why, end))
            }
            EventKind::ServiceReview { point, .. } => {
                self.heard(point).reviewed.is_some_and(|since| since.is(policy.service_review, self.now))
            }
            EventKind::SuppressionReleased { rule } => self.may_release(rule, at),
            EventKind::FirstOutReset { group, .. } => {
                self.asked(|c| matches!(c, Command::ResetFirstOut { group: g, .. } if g == group))
            }
            EventKind::Silenced { .. } => self.asked(|c| matches!(c, Command::Silence { .. })),
            EventKind::AnnunciatorTestRequested { .. } => self.asked(|c| matches!(c, Command::TestAnnunciator { .. })),
            EventKind::ModeChanged { plant_unit, by: Some(_), .. } => {
                self.asked(|c| matches!(c, Command::SetMode { unit, .. } if unit == plant_unit))
            }
            EventKind::ModeChanged { new: Mode::Running, by: None, .. } if self.is_unproven() => true,
            EventKind::ModeChanged { plant_unit, by: None, .. } => {
                let signal = self
                    .book
                    .plant_units()
                    .iter()
                    .find(|u| u.key == *plant_unit)
                    .and_then(|u| u.running_point.as_ref());
                let served = |s: &str| self.goes_out_of_service(s) || self.comes_into_service(s);
                self.configures() || signal.is_some_and(|s| self.told(s, at, |_| true) || self.is_stale(s) || served(s))
            }
            EventKind::FloodStarted { count, .. } => {
                // A start counts by the labels of the journal.
                let called = self.before(EventKind::annunciates) || self.configures();
                let known = called && self.called >= *count as usize;
                *count as usize > policy.flood_start && (known || self.starts())
            }
            EventKind::FloodEnded { .. } => {
                let within = self.annunciations.iter().filter(|a| !a.is(policy.flood_window, self.now)).count();
                within < policy.flood_end || self.starts()
            }
            EventKind::Started { .. } => self.starts(),
            EventKind::ConfigChanged { .. } => self.configures(),
            _ => self.of_record(kind),
        }
    }

    fn of_record(&self, kind: &EventKind) -> bool {
        let failed = |alarm: &str| {
            let row = self.row(alarm);
            let stood = row.active && row.raised.is_some_and(|since| since.is(STANDING, self.now));
            stood
                || self.about(alarm, |k| {
                    matches!(
                        k,
                        EventKind::Raised { .. }
                            | EventKind::ShelfExpired { annunciated: true, .. }
                            | EventKind::Realarm { count: 0, .. }
                            | EventKind::Unshelved { .. }
                    )
                })
        };
        match kind {
            EventKind::HazardOpened { hazard } if hazard.cause.is_empty() => {
                self.asked(|c| matches!(c, Command::RegisterHazard { .. }))
            }
            EventKind::HazardOpened { hazard } => failed(&hazard.cause),
            EventKind::HazardOccurrence { occurrence, .. } => failed(occurrence.rsplit_once('#').unwrap().0),
            EventKind::HazardStage { hazard } => self.asked(|c| match c {
                Command::ConfirmHazard { hazard: id, .. }
                | Command::RejectHazard { hazard: id, .. }
                | Command::MoveHazard { hazard: id, .. } => *id == hazard.id,
                _ => false,
            }),
            EventKind::HazardOverdue { hazard, due } => {
                self.dues.get(hazard) == Some(&due.wall_utc_ms) && due.is_over(self.call.now)
            }
            _ => false,
        }
    }
}

/// HH over H, LL over L of one point.
fn is_outer(outer: &str, inner: &str) -> bool {
    let split = |key: &str| key.rsplit_once(':').map(|(p, w)| (p.to_owned(), w.to_owned()));
    split(outer).zip(split(inner)).is_some_and(|((p, o), (q, i))| p == q && o == format!("{i}{i}"))
}
