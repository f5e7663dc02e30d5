//! Steps of hidden dangers that are not done in time: computed from the due time, never a stage of its own.
//!
//! A due time is a date that people agreed on, so both clocks are asked and the first to reach it counts, as with what hides an alarm: a
//! stepped clock calls too early rather than not at all. Each due time calls once; one alarm stands for all of them.

use super::{Engine, SystemCondition, Timer};
use crate::event::{Cause, Event, EventKind};
use crate::hazard::Hazard;
use crate::hide::Expiry;
use crate::time::Now;

/// The due time of a record that nobody was called for yet.
fn uncalled(hazard: &Hazard) -> Option<Expiry> {
    hazard.stage.due().filter(|_| !hazard.overdue)
}

impl Engine {
    /// One timer for all records: the earliest on either clock.
    pub(super) fn arm_overdue(&mut self) {
        let dues = || self.hazards.iter().filter_map(uncalled);
        let end = dues().map(|due| due.mono).min().zip(dues().map(|due| due.wall_utc_ms).min());
        let end = end.map(|(mono, wall_utc_ms)| Expiry { mono, wall_utc_ms });
        self.deadlines.set_expiry(Timer::Overdue, end);
    }

    /// Some are over.
    pub(super) fn hazards_overdue(&mut self, now: Now, out: &mut Vec<Event>) {
        let over =
            self.hazards.iter().filter_map(|h| Some((h.id.clone(), uncalled(h).filter(|due| due.is_over(now))?)));
        let over: Vec<(String, Expiry)> = over.collect();
        for (hazard, due) in over {
            self.cause = Cause::Timer;
            self.emit(EventKind::HazardOverdue { hazard, due }, now, out);
            self.call_for(SystemCondition::HazardOverdue, now, out);
        }
        self.arm_overdue();
    }

    pub(super) fn note_overdue(&mut self, id: &str) {
        if let Some(hazard) = self.hazards.iter_mut().find(|h| h.id == id) {
            hazard.overdue = true;
        }
        self.arm_overdue();
    }

    /// Over with the last of them: done, or its date moved. At a start also on again, where its row was lost.
    pub(super) fn follow_overdue(&mut self, now: Now, out: &mut Vec<Event>) {
        let i = self.system_alarm(SystemCondition::HazardOverdue);
        let any = !self.overdue_hazards().is_empty();
        if self.alarms[i].is_active() != any {
            self.follow(i, any, now, out);
        }
    }

    /// Records whose step is overdue, in the order of their opening.
    pub(super) fn overdue_hazards(&self) -> Vec<&str> {
        self.hazards.iter().filter(|h| h.overdue).map(|h| h.id.as_str()).collect()
    }
}
