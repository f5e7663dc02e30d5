//! The self-test: each sounder on for a moment, heard, off again, not heard any more.
//!
//! ```text
//!              nothing else sounds, not silenced,
//!              the module answers                    confirmed, pulse over            confirmed off
//!   Idle ─ask─► Asked(tone) ────────────────► On(tone) ──────────────────────► Off(tone) ───────────────► the next tone … passed
//!                 ▲  ▲                          │ │ └─ an alarm sounds this very tone, confirmed ─► the next tone … passed by the alarm
//!                 │  └ silenced, another tone ──┘ └─ not confirmed within pulse + CONFIRM ─► failed
//!                 └─── silenced, an alarm sounds ───────────────── Off(tone)
//! ```
//! It only ever adds sound: while an alarm sounds the alarm's tone stays, and a silence that a person ordered is waited for. A sounder is proved by
//! its own sound only: another one that is heard says nothing of it.

use super::health::CONFIRM;
use super::{AnnunciatorFault, Confirmed, Scheme};
use crate::time::Mono;
use serde::{Deserialize, Serialize};

/// A sounder, by the most urgent priority it sounds for: 1 … 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tone(u8);

impl Tone {
    pub const P1: Self = Self(1);
    pub const P2: Self = Self(2);
    pub const P3: Self = Self(3);

    /// 1 … 3.
    #[must_use]
    pub fn priority(self) -> u8 {
        self.0
    }
}

/// How a self-test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReport {
    pub fault: Option<AnnunciatorFault>,
    /// A real alarm sounded meanwhile, and that its sounder was heard counts.
    pub by_alarm: bool,
    /// Who asked; none for the daily one.
    pub asked_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Asked,
    On { since: Mono, heard: bool },
    Off { since: Mono },
}

/// Of one annunciator.
#[derive(Clone, Debug, Default)]
pub(super) struct SelfTest {
    step: Option<Step>,
    /// The sounder it has come to; those before it are proved.
    tone: usize,
    /// A real alarm has proved one of them.
    by_alarm: bool,
    asked_by: Option<String>,
    /// Why the present step is not confirmed.
    fault: Option<AnnunciatorFault>,
}

impl SelfTest {
    /// Asks for one. One that is under way answers this request too; a person's name counts before the schedule.
    pub(super) fn ask(&mut self, by: Option<String>) {
        self.step.get_or_insert(Step::Asked);
        self.asked_by = by.or(self.asked_by.take());
    }

    pub(super) fn is_running(&self) -> bool {
        self.step.is_some()
    }

    /// True while it sounds or listens, false while it waits.
    pub(super) fn is_at_work(&self) -> bool {
        !matches!(self.step, None | Some(Step::Asked))
    }

    /// The tone it wants to sound, given what the alarms want. `answering`: the last turn came through, so that a test can show something.
    pub(super) fn tone(
        &mut self,
        real: Option<Tone>,
        silenced: bool,
        answering: bool,
        scheme: &Scheme,
        now: Mono,
    ) -> Option<Tone> {
        let own = scheme.tones.get(self.tone).copied();
        let other_sounds = real.is_some() && real != own;
        self.step = match self.step? {
            _ if silenced || other_sounds => Some(Step::Asked),
            Step::Off { .. } if real.is_some() => Some(Step::Asked),
            Step::Asked if answering => {
                self.fault = None;
                Some(Step::On { since: now, heard: false })
            }
            as_it_is => Some(as_it_is),
        };
        own.filter(|_| matches!(self.step, Some(Step::On { .. })))
    }

    /// A turn is over, for what [`SelfTest::tone`] was given; gives the report when the test is.
    pub(super) fn observe(
        &mut self,
        real: Option<Tone>,
        outcome: Result<Confirmed, AnnunciatorFault>,
        scheme: &Scheme,
        now: Mono,
    ) -> Option<TestReport> {
        match self.step? {
            Step::Asked => None,
            Step::On { since, heard } => {
                let heard = heard | self.confirms(outcome, true);
                let over = now.since(since) >= scheme.pulse;
                match () {
                    () if heard && real.is_some() => {
                        self.by_alarm = true;
                        return self.proved(scheme);
                    }
                    () if heard && over => self.step = Some(Step::Off { since: now }),
                    () if now.since(since) >= scheme.pulse + CONFIRM => return self.end(self.fault),
                    () => self.step = Some(Step::On { since, heard }),
                }
                None
            }
            Step::Off { since } => {
                if self.confirms(outcome, false) {
                    return self.proved(scheme);
                }
                (now.since(since) >= CONFIRM).then(|| self.end(self.fault))?
            }
        }
    }

    /// Written, read back, and heard as it should be.
    fn confirms(&mut self, outcome: Result<Confirmed, AnnunciatorFault>, on: bool) -> bool {
        let contradiction = if on { AnnunciatorFault::FeedbackMissing } else { AnnunciatorFault::FeedbackStuck };
        self.fault = match outcome {
            Ok(Confirmed { feedback }) => feedback.filter(|heard| *heard != on).map(|_| contradiction),
            Err(fault) => Some(fault),
        };
        self.fault.is_none()
    }

    /// This sounder is: the next one, or the end.
    fn proved(&mut self, scheme: &Scheme) -> Option<TestReport> {
        self.tone += 1;
        if self.tone >= scheme.tones.len() {
            return self.end(None);
        }
        self.step = Some(Step::Asked);
        None
    }

    fn end(&mut self, fault: Option<AnnunciatorFault>) -> Option<TestReport> {
        let done = std::mem::take(self);
        Some(TestReport { fault, by_alarm: done.by_alarm, asked_by: done.asked_by })
    }
}
