//! What goes into the engine and what is kept of every alarm. Owns no decision.

use super::{Stillness, SystemCondition};
use crate::book::{DeviceId, Mode};
use crate::event::{AlarmFact, Event, FirstOut};
use crate::hazard::Hazard;
use crate::hide::{Hidden, Inhibit};
use crate::reading::Sample;
use crate::time::{Mono, Now, TimeQuality};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What goes in.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// One device was asked once. `answered` is false when nothing valid came back; `samples` may be non-empty all the same
    /// (bad readings of its points).
    Scan { device: DeviceId, answered: bool, samples: &'a [Sample] },
    /// A condition of the gateway itself came or went; repeating the same value does nothing.
    System { condition: SystemCondition, active: bool },
    /// Time passed; due timers fire.
    Tick,
}

/// The condition part of an alarm's state (alarms.md 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "since")]
pub enum ConditionState {
    Unknown,
    Normal,
    PendingOn(Mono),
    Active,
    PendingOff(Mono),
}

/// Live state of one alarm; also the row that is persisted with every event that changed it. Rows of earlier versions load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmState {
    /// `GT-102:HH`, `<device>:COMMS_LOSS`, `system:<code>`, `<vote>:VOTE`.
    pub key: String,
    pub condition: ConditionState,
    pub acked: bool,
    /// Not evaluable now.
    pub held: bool,
    /// Suppressed by design: COMMS_LOSS of its device stands.
    pub suppressed: bool,
    /// Active without a good value that says so: the worst is assumed.
    pub assumed: bool,
    /// Returned, and kept until a shift leader resets it.
    #[serde(default)]
    pub latched: bool,
    /// This occurrence came while hidden and was never annunciated.
    #[serde(default)]
    pub shadow: bool,
    /// Hiding ended while it was returning: it is annunciated if it becomes active again.
    #[serde(default)]
    pub owed: bool,
    /// Returned behind a one-shot shelf that ended with it: what is still unacknowledged waits in the list without a sound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Too many raises: stays active until quiet.
    #[serde(default)]
    pub chatter: bool,
    /// Escalation level reached, 0 … 3.
    #[serde(default)]
    pub escalated: u8,
    /// How often it came back unacknowledged in this occurrence.
    #[serde(default)]
    pub realarms: u32,
    /// Current or last raising; 0 before the first.
    pub occurrence: u64,
    /// Number of the event that annunciated it last: what an acknowledgement must have seen.
    pub annunciated_seq: u64,
    /// Number of the event that raised it behind what hides it; 0 if none did. Who ends the hiding must have seen it.
    #[serde(default, skip_serializing_if = "crate::hide::is_zero")]
    pub shadow_seq: u64,
    /// Number of the event that ended it last: what was seen from then on shows nothing to acknowledge. 0 in rows of an older version.
    #[serde(default, skip_serializing_if = "crate::hide::is_zero")]
    pub cleared_seq: u64,
    /// When its on-delay began; the label credits the gap after a reboot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Now>,
    pub raised: Option<Now>,
    pub returned: Option<Now>,
    /// When it was annunciated last: escalation counts from here.
    #[serde(default)]
    pub annunciated: Option<Now>,
    #[serde(default)]
    pub acked_at: Option<Now>,
    /// Since when nobody is called for it, because it is hidden or superseded: the timers of escalation and re-alarm stand still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Now>,
    /// For how long they stood still before that, since the call or the acknowledgement that they count from.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub paused_for: Duration,
    pub acked_by: Option<String>,
    /// The newest raises, at most three, for the chatter detector.
    #[serde(default)]
    pub raises: Vec<Now>,
    /// Rank in its group, until the group is reset.
    #[serde(default)]
    pub first_out: Option<FirstOut>,
    /// Key of that group; none in rows of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_out_group: Option<Box<str>>,
    /// What people and rules hide it with.
    #[serde(default)]
    pub hidden: Hidden,
    /// Suppressions that have hidden it for as long as they may: each must be released before it hides again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<String>,
    /// Measures whose failure by this occurrence a person has called a false alarm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<String>,
    /// The device says it is inhibited (kept with the sensor fault of the point).
    #[serde(default)]
    pub inhibit: Option<Box<Inhibit>>,
    /// Facts of the last transition, for the list.
    pub fact: Option<Box<AlarmFact>>,
    /// Time of the last event that rested on an evaluable reading; tells how far an on-delay had come before a reboot.
    #[serde(default)]
    pub last_evaluable: Option<Mono>,
}

/// What the list shows: the first that fits (alarms.md 2.2). `held` adds a question mark to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    OutOfService,
    Bypassed,
    Suppressed,
    Shelved,
    Unacked,
    Acked,
    LatchedUnacked,
    LatchedAcked,
    ReturnedUnacked,
    /// Never judged: not the same as normal.
    Unknown,
    Normal,
}

impl Shown {
    /// The interface's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OutOfService => "out_of_service",
            Self::Bypassed => "bypassed",
            Self::Suppressed => "suppressed",
            Self::Shelved => "shelved",
            Self::Unacked => "unacked",
            Self::Acked => "acked",
            Self::LatchedUnacked => "latched_unacked",
            Self::LatchedAcked => "latched_acked",
            Self::ReturnedUnacked => "returned_unacked",
            Self::Unknown => "unknown",
            Self::Normal => "normal",
        }
    }
}

impl AlarmState {
    /// Never evaluated, never raised.
    pub(super) fn fresh(key: String) -> Self {
        Self {
            key,
            condition: ConditionState::Unknown,
            acked: true,
            held: false,
            suppressed: false,
            assumed: false,
            latched: false,
            shadow: false,
            owed: false,
            quiet: false,
            chatter: false,
            escalated: 0,
            realarms: 0,
            occurrence: 0,
            annunciated_seq: 0,
            shadow_seq: 0,
            cleared_seq: 0,
            pending: None,
            raised: None,
            returned: None,
            annunciated: None,
            acked_at: None,
            paused: None,
            paused_for: Duration::ZERO,
            acked_by: None,
            raises: Vec::new(),
            first_out: None,
            first_out_group: None,
            hidden: Hidden::default(),
            spent: Vec::new(),
            rejected: Vec::new(),
            inhibit: None,
            fact: None,
            last_evaluable: None,
        }
    }

    /// The condition is true, counting a running off-delay.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.condition, ConditionState::Active | ConditionState::PendingOff(_))
    }

    /// Since when its on-delay runs.
    pub(super) fn pending_since(&self) -> Option<Mono> {
        match self.condition {
            ConditionState::PendingOn(since) => Some(since),
            _ => None,
        }
    }

    /// Active (pending-off counts), latched or waiting for acknowledgement: stands in the list.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.is_active() || !self.acked || self.latched
    }

    /// Came, went and latched while it was hidden; nobody was called for it yet.
    pub(super) fn is_unseen_latch(&self) -> bool {
        let unseen = self.latched && !self.acked && self.shadow_seq > self.annunciated_seq;
        unseen && !self.is_active() && !self.quiet
    }

    /// Judged and recorded, not annunciated.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.suppressed || !self.hidden.is_empty()
    }

    /// Calls for a person: unacknowledged, not hidden, and not returned behind a one-shot shelf.
    #[must_use]
    pub fn calls(&self) -> bool {
        !self.acked && !self.is_hidden() && !self.quiet
    }

    /// The whole state in words, see [`crate::event::StateChange`].
    pub(super) fn words(&self) -> String {
        let mut words = match self.condition {
            ConditionState::Unknown => "unknown",
            ConditionState::Normal => "normal",
            ConditionState::PendingOn(_) => "pending_on",
            ConditionState::Active => "active",
            ConditionState::PendingOff(_) => "pending_off",
        }
        .to_owned();
        let also = [
            (!self.acked, " unacked"),
            (self.held, " held"),
            (self.assumed, " assumed"),
            (self.latched, " latched"),
            (self.shadow, " shadow"),
            (self.quiet, " quiet"),
            (self.chatter, " chatter"),
            (self.hidden.shelf.is_some(), " shelved"),
            (self.suppressed || !self.hidden.suppressed.is_empty(), " suppressed"),
            (self.hidden.bypass.is_some(), " bypassed"),
            (self.hidden.service.is_some(), " out_of_service"),
        ];
        also.iter().filter(|(holds, _)| *holds).for_each(|(_, word)| words.push_str(word));
        words
    }

    /// What the list shows.
    #[must_use]
    pub fn shown(&self) -> Shown {
        match () {
            () if self.hidden.service.is_some() => Shown::OutOfService,
            () if self.hidden.bypass.is_some() => Shown::Bypassed,
            () if self.suppressed || !self.hidden.suppressed.is_empty() => Shown::Suppressed,
            () if self.hidden.shelf.is_some() => Shown::Shelved,
            () if self.is_active() && self.acked => Shown::Acked,
            () if self.is_active() => Shown::Unacked,
            () if self.latched && self.acked => Shown::LatchedAcked,
            () if self.latched => Shown::LatchedUnacked,
            () if !self.acked => Shown::ReturnedUnacked,
            () if self.condition == ConditionState::Unknown => Shown::Unknown,
            () => Shown::Normal,
        }
    }
}

/// This boot of the machine, where the journal has events of it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootSince {
    /// The first event of it; those before have the monotonic clock of another boot.
    pub seq: u64,
    pub at: Now,
    /// The latest wall time ever seen before it.
    pub wall_mark_utc_ms: Option<i64>,
}

impl BootSince {
    /// The wall time of the boot itself, if the wall clock was to be believed when it began: what labels of before are told from. Later
    /// steps of the clock change nothing of it.
    pub(super) fn boot_wall_ms(&self) -> Option<i64> {
        let Now { mono, wall } = self.at;
        let believed =
            wall.quality == TimeQuality::Synced && self.wall_mark_utc_ms.is_none_or(|mark| mark <= wall.utc_ms);
        let up_ms = i64::try_from(mono.0 / 1_000_000).unwrap_or(i64::MAX);
        believed.then(|| wall.utc_ms.saturating_sub(up_ms))
    }
}

/// The mode of a unit of the plant, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitMode {
    pub unit: String,
    pub mode: Mode,
    /// By its running signal, not by a person: it holds as long as there is one.
    #[serde(default)]
    pub measured: bool,
}

/// What the store kept from before.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Number of the next event; 1 on a fresh store.
    pub next_seq: u64,
    /// Number of the next hidden-danger record; 1 on a fresh store.
    pub next_hazard: u64,
    pub alarms: Vec<AlarmState>,
    /// Records that are not rejected, in the order in which they were moved: all open ones, and closed ones to link a repeat with.
    pub hazards: Vec<Hazard>,
    /// Set when the machine has not rebooted since the last event: monotonic times are then comparable.
    pub boot: Option<BootSince>,
    /// The latest wall time ever seen: a clock behind it proves nothing.
    pub wall_mark_utc_ms: Option<i64>,
    /// Modes of units of the plant.
    pub modes: Vec<UnitMode>,
    /// Newest annunciations, oldest first, from the beginning of the flood that is on: the flood and its window are rebuilt from them.
    pub recent: Vec<Event>,
    /// How long values had stood still by what the history says.
    pub stillness: Stillness,
}
