//! What an answer, or none, means for a unit: alive, missed, dead, back; and whether the answer is believed.

use super::probe::{FIRST_PROBE, LAST_PROBE, Probe};
use super::{MISSES_TO_DIE, Unit};
use crate::bus::shapes::{Belief, Refused};
use crate::line::AskError;
use rules::{Fault, Now};
use std::time::Duration;
use tokio::time::Instant;

const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// A line repeats a frame at once or within this time; the second question to one of two that look alike waits for it.
const REPEATED_WITHIN: Duration = Duration::from_millis(60);
/// After a lost answer, requests that look alike are watched so long.
const WATCHED: Duration = Duration::from_secs(30);

/// What an outcome changed that others want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bus) enum Change {
    None,
    Died,
    Back,
}

impl Unit {
    pub(in crate::bus) fn note(
        &mut self,
        outcome: Result<Vec<u16>, AskError>,
        took: Duration,
        now: Instant,
        label: Now,
        quarantine: Duration,
    ) -> Change {
        self.rest(now);
        let answer = match outcome {
            Ok(words) => Ok(words),
            Err(AskError::Exception(code @ (0x0A | 0x0B))) => {
                return self.miss(Fault::Exception(code), now, label, quarantine);
            }
            Err(AskError::Exception(code)) => Err(code),
            Err(AskError::Timeout) => return self.miss(Fault::Timeout, now, label, quarantine),
            Err(_) => return self.miss(Fault::Protocol, now, label, quarantine),
        };
        let change = self.revive(took, now, quarantine);
        // A group not yet due was asked only because it had not answered before: what came is for nobody.
        // What was asked only to see whether it lives is no value either.
        if self.groups[self.asked].due <= now && !self.asks_part {
            self.groups[self.asked].heard();
            self.answered(answer, now, label);
        }
        change
    }

    /// It answered. Where an earlier answer is still owed, requests of the same shape wait until it cannot come any more.
    fn revive(&mut self, took: Duration, now: Instant, quarantine: Duration) -> Change {
        let back = self.dead.take().is_some();
        self.heard_at = Some(now);
        if !self.asks_part {
            self.groups[self.asked].block_heard();
        }
        if back {
            let fault = self.fault;
            self.groups.iter_mut().for_each(|g| g.put_on_probation(fault, now));
        } else {
            (0..self.misses).for_each(|_| self.patience.missed());
        }
        if let Some(need) = self.groups[self.asked].block() {
            let span = self.shapes.ask(need, now);
            self.patience.answered(took.saturating_sub(self.groups[self.asked].cost().wire(span)));
        }
        self.misses = 0;
        self.repeat = None;
        if std::mem::take(&mut self.owed) && !self.shapes.are_numbered() {
            self.groups[self.asked].doubt();
            self.owed_until = now + quarantine;
            if self.shapes.has_twins() {
                self.not_before = self.not_before.max(self.owed_until);
            }
        }
        if back {
            self.hurry(now);
            return Change::Back;
        }
        Change::None
    }

    fn answered(&mut self, answer: Result<Vec<u16>, u8>, now: Instant, label: Now) {
        if matches!(answer, Err(5 | 6)) && self.groups[self.asked].busy() {
            self.not_before = self.not_before.max(now + BUSY_PAUSE);
            return;
        }
        let Some(answer) = self.believed(answer, now) else { return };
        let group = &mut self.groups[self.asked];
        match answer {
            Ok(words) => group.read(words, now, label, &mut self.cuts),
            Err(code @ 1..=3) => group.refused(code != 1, now, label, &mut self.cuts),
            Err(other) => group.pass(Err(Fault::Exception(other)), label),
        }
    }

    /// The answer as far as it was needed; `None` when the request is to be asked again, shorter or for certainty.
    fn believed(&mut self, answer: Result<Vec<u16>, u8>, now: Instant) -> Option<Result<Vec<u16>, u8>> {
        let Some(need) = self.groups[self.asked].block() else { return Some(answer) };
        let mut words = match answer {
            Ok(words) => words,
            // Busy is no word on what was asked.
            Err(code @ (5 | 6)) => return Some(Err(code)),
            Err(code) => match self.shapes.refused(need, code, now) {
                Refused::Needed => return Some(Err(code)),
                // A line that is quiet until nothing owed can come tells a late refusal from the request's own.
                Refused::Perhaps | Refused::Longer => {
                    self.repeat = Some(self.asked);
                    self.not_before = self.not_before.max(self.owed_until).max(now + REPEATED_WITHIN);
                    return None;
                }
            },
        };
        words.truncate(usize::from(need.count));
        match self.shapes.believe(need, &words, now < self.owed_until + WATCHED) {
            Belief::Yes => {}
            Belief::Doubtful => self.groups[self.asked].doubt(),
            Belief::Again => {
                self.repeat = Some(self.asked);
                self.not_before = self.not_before.max(now + REPEATED_WITHIN);
                return None;
            }
        }
        Some(Ok(words))
    }

    fn miss(&mut self, fault: Fault, now: Instant, label: Now, quarantine: Duration) -> Change {
        self.misses += 1;
        self.shapes.forget_first();
        if matches!(fault, Fault::Timeout | Fault::Protocol)
            && !self.asks_part
            && let Some(need) = self.groups[self.asked].block()
        {
            let misses = self.misses.max(self.groups[self.asked].block_misses() + 1);
            self.shapes.silent(need, misses, now);
        }
        self.owed = true;
        if self.dead.is_none() && self.groups[self.asked].missed(fault, now, label, &mut self.cuts) {
            self.misses -= 1; // the unit answers everything else
            self.repeat = None;
            if !self.shapes.are_numbered() && self.shapes.has_twins() {
                // its answer may still come, and must not be taken for another one's
                self.owed_until = now + quarantine;
                self.not_before = self.not_before.max(self.owed_until);
            }
            return Change::None;
        }
        self.fault = fault;
        self.repeat = Some(self.asked);
        if let Some(probe) = &mut self.dead {
            probe.pause = (probe.pause * 2).min(LAST_PROBE);
            probe.at = now + probe.pause;
            return Change::None;
        }
        if self.misses == 1 {
            return Change::None;
        }
        for group in self.groups.iter_mut().filter(|g| g.due <= now) {
            group.fail(fault, label);
        }
        if self.misses < MISSES_TO_DIE {
            return Change::None;
        }
        let first = Probe::first(now + FIRST_PROBE, &self.patience, now);
        self.patience.forget();
        self.dead = Some(first.beginning_with(self.missed_turn()));
        Change::Died
    }
}
