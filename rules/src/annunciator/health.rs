//! Whether the annunciator can be relied on: what one turn after another has shown becomes a failure that lasts, or its end.
//!
//! ```text
//!   turn failed ──for CONFIRM──► failed ──a whole turn confirmed──► well
//!   feedback not as commanded ──for CONFIRM──► failed ──feedback as commanded, in the same state of the sounder──► well
//!   self-test failed ──► failed ──self-test passed──► well
//! ```
//! A sounder that kept silent when it was on is not well because it is silent when it is off: only a sound proves it.

use super::{AnnunciatorFault, Confirmed};
use crate::time::Mono;
use std::time::Duration;

/// A lost frame, a module that restarts or a contact that follows slowly is no failure; a person learns of a real one within this.
pub(super) const CONFIRM: Duration = Duration::from_secs(3);

/// Of one annunciator.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// What every turn has failed with since then.
    failing: Option<(AnnunciatorFault, Mono)>,
    wire: Option<AnnunciatorFault>,
    /// The feedback has contradicted since then.
    contradicting: Option<(AnnunciatorFault, Mono)>,
    feedback: Option<AnnunciatorFault>,
    test: Option<AnnunciatorFault>,
}

impl Health {
    /// A turn is over; `sounding` is how the sounder was commanded.
    pub(super) fn observe(&mut self, sounding: bool, outcome: Result<Confirmed, AnnunciatorFault>, now: Mono) {
        match outcome {
            Err(fault) => {
                let since = self.failing.map_or(now, |(_, since)| since);
                self.failing = Some((fault, since));
                self.contradicting = None; // nobody saw it
                if now.since(since) >= CONFIRM {
                    self.wire = Some(fault);
                }
            }
            Ok(Confirmed { feedback }) => {
                (self.failing, self.wire) = (None, None);
                if let Some(heard) = feedback {
                    self.compare(sounding, heard, now);
                }
            }
        }
    }

    fn compare(&mut self, sounding: bool, heard: bool, now: Mono) {
        let fault = if sounding { AnnunciatorFault::FeedbackMissing } else { AnnunciatorFault::FeedbackStuck };
        if sounding == heard {
            self.contradicting = None;
            if self.feedback == Some(fault) {
                self.feedback = None;
            }
            return;
        }
        let since = self.contradicting.filter(|(f, _)| *f == fault).map_or(now, |(_, since)| since);
        self.contradicting = Some((fault, since));
        if now.since(since) >= CONFIRM {
            self.feedback = Some(fault);
        }
    }

    /// A self-test is over. What its turns have shown of the feedback was observed with them.
    pub(super) fn tested(&mut self, fault: Option<AnnunciatorFault>) {
        self.test = fault;
    }

    /// Why it cannot be relied on now.
    pub(super) fn failed(&self) -> Option<AnnunciatorFault> {
        self.wire.or(self.feedback).or(self.test)
    }

    /// Something is not as it should be, confirmed or not: look again soon.
    pub(super) fn is_unsettled(&self) -> bool {
        self.failing.is_some() || self.contradicting.is_some()
    }
}
