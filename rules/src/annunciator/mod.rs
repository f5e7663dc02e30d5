//! The annunciator (声光报警器): what is to be heard and seen in the control room, and whether it really was.
//!
//! ```text
//!   alarm states ─► Annunciation ─┬─► the page: which sound plays
//!                                 └─► Scheme ─► Outputs ─► relay module ─► read-back, feedback ─► Health, SelfTest ─► alarm, event
//! ```
//! [`Annunciation`] is the one definition of what sounds; the page and the relay follow the same value. Outputs are levels, never edges: whoever
//! drives them says again and again how they shall be, so that a module that restarted is right again with the next turn.
//!
//! Owns these decisions and the vocabulary of what can go wrong. Leaves coils, wires and when a turn is due to `devices` and `gateway`.

mod control;
mod health;
mod schedule;
mod self_test;
#[cfg(test)]
mod tests;

pub use control::{Control, News};
pub use schedule::{SiteTime, TEST_AT_LATEST};
pub use self_test::{TestReport, Tone};

use crate::hide::Expiry;
use crate::time::Now;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which sound; the worst alarm decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sound {
    P1,
    P2,
    P3,
    /// Instead of [`Sound::P3`] while there are more alarms than a person can follow: one steady quiet tone.
    Flood,
}

impl Sound {
    /// The sound of the most urgent priority that calls; nothing below 3 has one.
    #[must_use]
    pub fn of(most_urgent: u8, flood: bool) -> Option<Self> {
        match most_urgent {
            0 | 1 => Some(Self::P1),
            2 => Some(Self::P2),
            3 if flood => Some(Self::Flood),
            3 => Some(Self::P3),
            _ => None,
        }
    }

    /// The interface's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P2 => "p2",
            Self::P3 => "p3",
            Self::Flood => "flood",
        }
    }

    /// 1 … 3.
    #[must_use]
    pub fn priority(self) -> u8 {
        match self {
            Self::P1 => 1,
            Self::P2 => 2,
            Self::P3 | Self::Flood => 3,
        }
    }
}

/// What calls for a person's ears and eyes at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Annunciation {
    /// What sounds unless it is silenced.
    pub sound: Option<Sound>,
    /// The sound is off until then.
    pub silenced: Option<Expiry>,
    /// Most urgent priority that nobody has acknowledged.
    pub unacknowledged: Option<u8>,
    /// Most urgent priority that stands in the list and is not hidden: active, latched or unacknowledged.
    pub standing: Option<u8>,
}

/// When the beacon goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeaconUntil {
    /// Somebody has acknowledged.
    Acknowledged,
    /// Acknowledged and back to normal: whoever comes to the place sees that it is not over.
    #[default]
    Normal,
}

/// How the wire that proves the gateway alive is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alive {
    /// Written on with every turn: the module's own watchdog lets it go when nobody writes.
    #[default]
    Hold,
    /// Turned over each second, for a retriggered timer behind a module without a watchdog.
    Toggle,
}

/// What the annunciator of a site is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Least urgent priority that sounds and lights, 1 … 3.
    pub sounds_to: u8,
    pub beacon_until: BeaconUntil,
    pub alive: Alive,
    /// The different sounders there are, each by the most urgent priority it sounds for: what a self-test goes through.
    pub tones: Vec<Tone>,
    /// How long a self-test sounds each of them.
    pub pulse: Duration,
    pub test_at: SiteTime,
}

/// How the outputs shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The tone of this priority sounds.
    pub sounder: Option<Tone>,
    pub beacon: bool,
    pub alive: bool,
}

impl Outputs {
    /// After an orderly stop: no sound, no light, and the wire that proves the gateway alive is let go.
    pub const SAFE: Self = Self { sounder: None, beacon: false, alive: false };
}

impl Annunciation {
    /// The tone that shall sound for the alarms there are.
    #[must_use]
    pub fn tone(&self, scheme: &Scheme, now: Now) -> Option<Tone> {
        let heard = self.sound.filter(|s| s.priority() <= scheme.sounds_to && !self.is_silenced(now))?;
        // the sounder of the nearest more urgent priority stands in for one that has none of its own
        scheme.tones.iter().copied().filter(|t| t.priority() <= heard.priority()).max()
    }

    /// A silence ends by the clock, also when nobody has looked again meanwhile.
    #[must_use]
    pub fn is_silenced(&self, now: Now) -> bool {
        self.silenced.is_some_and(|until| !until.is_over(now))
    }

    /// True when the beacon shall be lit. Silencing does not put it out.
    #[must_use]
    pub fn beacon(&self, scheme: &Scheme) -> bool {
        let most_urgent = match scheme.beacon_until {
            BeaconUntil::Acknowledged => self.unacknowledged,
            BeaconUntil::Normal => self.standing,
        };
        most_urgent.is_some_and(|p| p <= scheme.sounds_to)
    }
}

/// What can go wrong between an output and a person's ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnunciatorFault {
    /// The link cannot be opened or was lost.
    NoLink,
    /// Nobody answers.
    NoAnswer,
    /// The module refuses a coil or input: it has no such address.
    Refused,
    /// Answers are damaged.
    Damaged,
    /// A coil reads back otherwise than it was written.
    Differs,
    /// The sounder is on and the feedback does not come.
    FeedbackMissing,
    /// The sounder is off and the feedback stays.
    FeedbackStuck,
}

impl AnnunciatorFault {
    pub const ALL: [Self; 7] = [
        Self::NoLink,
        Self::NoAnswer,
        Self::Refused,
        Self::Damaged,
        Self::Differs,
        Self::FeedbackMissing,
        Self::FeedbackStuck,
    ];
    /// The module was not reached or did not do what it was told: nothing is known of the sounder.
    #[must_use]
    pub fn is_of_wire(self) -> bool {
        !matches!(self, Self::FeedbackMissing | Self::FeedbackStuck)
    }

    /// The interface's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoLink => "no_link",
            Self::NoAnswer => "no_answer",
            Self::Refused => "refused",
            Self::Damaged => "damaged",
            Self::Differs => "differs",
            Self::FeedbackMissing => "feedback_missing",
            Self::FeedbackStuck => "feedback_stuck",
        }
    }
}

/// What one turn has shown: every coil was written and read back as written, and this is what the feedback input said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// None where no feedback is wired.
    pub feedback: Option<bool>,
}
