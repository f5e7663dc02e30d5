//! The self-test: each sounder on for a moment, heard, off again, not heard any more.
//!
//! ```text
//!              nothing sounds, not silenced            confirmed, pulse over            confirmed off
//!   Idle ─ask─► Asked ────────────────────► On(tone) ──────────────────────► Off(tone) ───────────────► On(next) … passed
//!                 │  ▲                        │ │ └─ an alarm sounds, confirmed ─► passed by the alarm
//!                 │  └────── silenced ────────┘ └─ not confirmed within pulse + CONFIRM ─► failed
//!                 └─ an alarm sounds: its own sound is what is looked at
//! ```
//! It only ever adds sound: while an alarm sounds the alarm's tone stays, and a silence that a person ordered is waited for.

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
    /// A real alarm sounded meanwhile, and that it was heard counts.
    pub by_alarm: bool,
    /// Who asked; none for the daily one.
    pub asked_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Asked,
    On { tone: usize, since: Mono, heard: bool },
    Off { tone: usize, since: Mono },
}

/// Of one annunciator.
#[derive(Clone, Debug, Default)]
pub(super) struct SelfTest {
    step: Option<Step>,
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

    /// True while it sounds or listens, false while it waits for the end of a silence.
    pub(super) fn is_at_work(&self) -> bool {
        !matches!(self.step, None | Some(Step::Asked))
    }

    /// The tone that shall sound, given what the alarms want.
    pub(super) fn tone(&mut self, real: Option<Tone>, silenced: bool, scheme: &Scheme, now: Mono) -> Option<Tone> {
        let begin = Step::On { tone: 0, since: now, heard: false };
        self.step = match self.step? {
            _ if silenced => Some(Step::Asked),
            Step::Asked => {
                self.fault = None;
                Some(begin)
            }
            under_way => Some(under_way),
        };
        match self.step {
            Some(Step::On { tone, .. }) => real.or(scheme.tones.get(tone).copied()),
            _ => real,
        }
    }

    /// A turn is over; gives the report when the test is.
    pub(super) fn observe(
        &mut self,
        real: Option<Tone>,
        outcome: Result<Confirmed, AnnunciatorFault>,
        scheme: &Scheme,
        now: Mono,
    ) -> Option<TestReport> {
        match self.step? {
            Step::Asked => None,
            Step::On { tone, since, heard } => {
                let heard = heard | self.confirms(outcome, true);
                let over = now.since(since) >= scheme.pulse;
                match () {
                    () if heard && real.is_some() => return self.end(None, true),
                    () if heard && over => self.step = Some(Step::Off { tone, since: now }),
                    () if now.since(since) >= scheme.pulse + CONFIRM => return self.end(self.fault, false),
                    () => self.step = Some(Step::On { tone, since, heard }),
                }
                None
            }
            Step::Off { .. } if real.is_some() => self.end(None, true),
            Step::Off { tone, since } => {
                match () {
                    () if !self.confirms(outcome, false) => {
                        return (now.since(since) >= CONFIRM).then(|| self.end(self.fault, false))?;
                    }
                    () if tone + 1 < scheme.tones.len() => {
                        self.step = Some(Step::On { tone: tone + 1, since: now, heard: false });
                    }
                    () => return self.end(None, false),
                }
                None
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

    fn end(&mut self, fault: Option<AnnunciatorFault>, by_alarm: bool) -> Option<TestReport> {
        let asked_by = self.asked_by.take();
        *self = Self::default();
        Some(TestReport { fault, by_alarm, asked_by })
    }
}
