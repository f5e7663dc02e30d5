//! What sounds: which alarms call, for whom the page, the annunciator and the counts agree, and the silence that a person orders.

use super::Engine;
use super::ack::decision;
use super::shelf::is_reason;
use crate::annunciator::{Annunciation, Sound};
use crate::command::{Actor, Rejected};
use crate::event::{Event, EventKind};
use crate::hide::Expiry;
use crate::time::Now;

impl Engine {
    /// The sound only; a new alarm of priority 1 or 2 ends it. One that called after what the person saw has been heard by nobody.
    pub(super) fn silence(
        &mut self,
        seen_seq: Option<u64>,
        by: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        let urgent = |i: &usize| self.sounds(*i) && self.priority_of(*i) <= 2;
        let unheard = |i: &usize| seen_seq.is_some_and(|seen| self.alarms[*i].annunciated_seq > seen);
        if let Some(i) = (0..self.alarms.len()).find(|i| urgent(i) && unheard(i)) {
            return Err(Rejected::Changed(self.alarms.key(i)));
        }
        let until = Expiry::after(now, self.book.policy().silence);
        self.emit(EventKind::Silenced { until, by: decision(by, "", now) }, now, out);
        Ok(())
    }

    /// Until when the sound is off.
    #[must_use]
    pub fn silenced(&self, now: Now) -> Option<Expiry> {
        self.silenced.as_ref().map(|(until, _)| *until).filter(|until| !until.is_over(now))
    }

    /// Who turned it off; nobody where it is on.
    #[must_use]
    pub fn silenced_by(&self, now: Now) -> Option<&str> {
        self.silenced.as_ref().filter(|(until, _)| !until.is_over(now)).map(|(_, by)| &**by)
    }

    /// Whoever drives the annunciator hears of it by the event.
    pub(super) fn test_annunciator(
        &mut self,
        reason: &str,
        by: &Actor,
        now: Now,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejected> {
        if !is_reason(reason) {
            return Err(Rejected::Incomplete(vec!["reason".to_owned()]));
        }
        self.emit(EventKind::AnnunciatorTestRequested { by: decision(by, reason, now) }, now, out);
        Ok(())
    }

    /// The alarm has a sound of its own: unacknowledged, not hidden, and not under an outer limit that sounds for it.
    #[must_use]
    pub fn sounds(&self, alarm: usize) -> bool {
        self.alarms[alarm].calls() && !self.superseded(alarm)
    }

    /// The sound that alarm `i` adds to what is heard.
    pub(super) fn sound_of(&self, i: usize, now: Now) -> Option<Sound> {
        let heard = self.sounds(i) && self.silenced(now).is_none();
        Sound::of(self.urgency(i), self.flood().is_some()).filter(|_| heard)
    }

    /// How urgent an alarm is: by the rules in force, and by what it was raised with where that was more urgent.
    #[must_use]
    pub fn urgency(&self, alarm: usize) -> u8 {
        let raised = self.alarms[alarm].fact.as_ref().map(|f| f.priority);
        raised.map_or(self.priority_of(alarm), |raised| raised.min(self.priority_of(alarm)))
    }

    /// What is to be heard and seen now.
    #[must_use]
    pub fn annunciation(&self, now: Now) -> Annunciation {
        let (mut sound, mut unacknowledged, mut standing) = (None::<u8>, None::<u8>, None::<u8>);
        let most_urgent = |known: &mut Option<u8>, p: u8| *known = Some(known.map_or(p, |k| k.min(p)));
        for (i, a) in self.alarms.eventful().filter(|(_, a)| a.stands() && !a.is_hidden()) {
            let priority = self.urgency(i);
            if a.latched || !a.quiet {
                most_urgent(&mut standing, priority);
            }
            if a.calls() {
                most_urgent(&mut unacknowledged, priority);
            }
            if self.sounds(i) {
                most_urgent(&mut sound, priority);
            }
        }
        Annunciation {
            sound: sound.and_then(|p| Sound::of(p, self.flood().is_some())),
            silenced: self.silenced(now),
            unacknowledged,
            standing,
        }
    }
}
