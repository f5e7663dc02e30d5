//! Acknowledgement: it covers only what the person had on the screen.

use super::Engine;
use crate::command::{Actor, Rejected};
use crate::event::{Event, EventKind};
use crate::hazard::Decision;
use crate::time::Now;

/// Who decided what, for the record.
pub(super) fn decision(actor: &Actor, reason: &str, at: Now) -> Decision {
    Decision { by: actor.user.clone(), role: actor.role.clone(), at, reason: reason.trim().to_owned() }
}

impl Engine {
    /// 11: acknowledged; an alarm that had returned is over.
    pub(super) fn acknowledge(
        &mut self,
        alarm: &str,
        seen_seq: u64,
        comment: &str,
        actor: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let i = self.alarm_index(alarm).ok_or_else(|| Rejected::NotFound(alarm.to_owned()))?;
        let state = &self.alarms[i];
        if state.acked {
            return Err(Rejected::AlreadySo);
        }
        // A number not given out yet cannot have been seen.
        if seen_seq < state.annunciated_seq || seen_seq >= self.next_seq {
            return Err(Rejected::Changed(alarm.to_owned()));
        }
        let mut fact = self.fact(i, None);
        fact.reading = state.fact.as_ref().and_then(|f| f.reading);
        self.emit(EventKind::Acked { fact: fact.clone(), by: decision(actor, comment, now) }, now, out);
        if !self.alarms[i].is_active() {
            self.emit(EventKind::Cleared { fact }, now, out);
        }
        Ok(())
    }
}
