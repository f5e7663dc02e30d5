//! Whether the annunciator can be relied on: what one turn after another has shown becomes a failure that lasts, or its end.
//!
//! ```text
//!   turn failed ──for CONFIRM──► failed ──every turn confirmed for STEADY──► well
//!   feedback not as commanded ──for CONFIRM──► failed ──feedback as commanded, of the same sounder, or of silence──► well
//!   self-test failed ──► failed ──self-test passed──► well
//! ```
//! A sounder that kept silent when it was on is not well because it is silent when it is off, or because another one is heard: only its own sound
//! proves it.

use super::{AnnunciatorFault, Confirmed, Tone};
use crate::time::Mono;
use std::collections::BTreeSet;
use std::time::Duration;

/// A lost frame, a module that restarts or a contact that follows slowly is no failure; a person learns of a real one within this.
pub(super) const CONFIRM: Duration = Duration::from_secs(3);

/// A module that answers now and then would raise its alarm anew every few seconds, and each raise breaks a silence.
const STEADY: Duration = Duration::from_secs(30);

/// Of one annunciator.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// What every turn has failed with since then.
    failing: Option<(AnnunciatorFault, Mono)>,
    /// Every turn has been confirmed since then.
    steady: Option<Mono>,
    wire: Option<AnnunciatorFault>,
    /// The feedback has contradicted this command since then; none is silence.
    contradicting: Option<(Option<Tone>, Mono)>,
    /// Sounders that were not heard.
    silent: BTreeSet<Tone>,
    /// Silence was not kept.
    stuck: bool,
    test: Option<AnnunciatorFault>,
}

impl Health {
    /// A turn is over; `driven` is the sounder that was commanded.
    pub(super) fn observe(&mut self, driven: Option<Tone>, outcome: Result<Confirmed, AnnunciatorFault>, now: Mono) {
        match outcome {
            Err(fault) => {
                let since = self.failing.map_or(now, |(_, since)| since);
                (self.failing, self.steady) = (Some((fault, since)), None);
                self.contradicting = None; // nobody saw it
                if now.since(since) >= CONFIRM {
                    self.wire = Some(fault);
                }
            }
            Ok(Confirmed { feedback }) => {
                self.failing = None;
                let steady = *self.steady.get_or_insert(now);
                self.wire = self.wire.filter(|_| now.since(steady) < STEADY);
                if let Some(heard) = feedback {
                    self.compare(driven, heard, now);
                }
            }
        }
    }

    fn compare(&mut self, driven: Option<Tone>, heard: bool, now: Mono) {
        let kept = driven.is_some() == heard;
        if kept {
            self.contradicting = None;
        } else {
            let since = self.contradicting.filter(|(d, _)| *d == driven).map_or(now, |(_, since)| since);
            self.contradicting = Some((driven, since));
            if now.since(since) < CONFIRM {
                return;
            }
        }
        match driven {
            None => self.stuck = !kept,
            Some(tone) if kept => drop(self.silent.remove(&tone)),
            Some(tone) => drop(self.silent.insert(tone)),
        }
    }

    /// The last turn came through.
    pub(super) fn is_answering(&self) -> bool {
        self.failing.is_none()
    }

    /// A self-test is over. What its turns have shown of the feedback was observed with them.
    pub(super) fn tested(&mut self, fault: Option<AnnunciatorFault>) {
        self.test = fault;
    }

    /// Why it cannot be relied on now.
    pub(super) fn failed(&self) -> Option<AnnunciatorFault> {
        let silent = (!self.silent.is_empty()).then_some(AnnunciatorFault::FeedbackMissing);
        let stuck = self.stuck.then_some(AnnunciatorFault::FeedbackStuck);
        self.wire.or(silent).or(stuck).or(self.test)
    }

    /// Something is not as it should be, confirmed or not: look again soon.
    pub(super) fn is_unsettled(&self) -> bool {
        self.failing.is_some() || self.contradicting.is_some()
    }
}
