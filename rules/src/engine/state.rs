//! What goes into the engine and what is kept of every alarm. Owns no decision.

use crate::book::DeviceId;
use crate::event::AlarmFact;
use crate::hazard::Hazard;
use crate::reading::Sample;
use crate::time::{Mono, Now};
use serde::{Deserialize, Serialize};

/// A condition of the gateway itself that is an alarm: key `system:<code>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemCondition {
    /// A commit failed or took longer than 500 ms. Priority 2.
    StorageSlow,
    /// Disk below its reserve. Priority 2.
    StorageFull,
    /// Wall clock unsynchronised or stepped. Priority 3.
    ClockUntrusted,
    /// No broker connection, or the oldest unsent event is older than 60 s. Priority 3.
    UplinkDown,
    /// An event has no receipt of the office after 5 min. Priority 2.
    OfficeSilent,
    /// InfluxDB refuses our credentials, bucket or organisation. Priority 3.
    InfluxRefused,
    /// Damaged records were set aside at start. Priority 2.
    RecordsSalvaged,
    /// A task of the daemon ended by a panic and was restarted. Priority 2.
    TaskRestarted,
}

impl SystemCondition {
    /// All of them, in the order of their alarms.
    pub const ALL: [Self; 8] = [
        Self::StorageSlow,
        Self::StorageFull,
        Self::ClockUntrusted,
        Self::UplinkDown,
        Self::OfficeSilent,
        Self::InfluxRefused,
        Self::RecordsSalvaged,
        Self::TaskRestarted,
    ];
    /// The part of the alarm key behind `system:`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::StorageSlow => "storage_slow",
            Self::StorageFull => "storage_full",
            Self::ClockUntrusted => "clock_untrusted",
            Self::UplinkDown => "uplink_down",
            Self::OfficeSilent => "office_silent",
            Self::InfluxRefused => "influx_refused",
            Self::RecordsSalvaged => "records_salvaged",
            Self::TaskRestarted => "task_restarted",
        }
    }
    /// 1 … 4.
    #[must_use]
    pub fn priority(self) -> u8 {
        match self {
            Self::ClockUntrusted | Self::UplinkDown | Self::InfluxRefused => 3,
            _ => 2,
        }
    }
}

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

/// Live state of one alarm; also the row that is persisted with every event that changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmState {
    /// `GT-102:HH`, `<device>:COMMS_LOSS`, `system:<code>`.
    pub key: String,
    pub condition: ConditionState,
    pub acked: bool,
    /// Not evaluable now.
    pub held: bool,
    /// Suppressed by design: COMMS_LOSS of its device stands.
    pub suppressed: bool,
    /// Raised without a fresh good sample.
    pub assumed: bool,
    /// Current or last raising; 0 before the first.
    pub occurrence: u64,
    /// Number of the event that annunciated it last: what an acknowledgement must have seen.
    pub annunciated_seq: u64,
    pub raised: Option<Now>,
    pub returned: Option<Now>,
    pub acked_by: Option<String>,
    /// Facts of the last transition, for the list.
    pub fact: Option<AlarmFact>,
    /// Time of the last event that rested on an evaluable reading; tells how far an on-delay had come before a reboot.
    #[serde(default)]
    pub last_evaluable: Option<Mono>,
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
            occurrence: 0,
            annunciated_seq: 0,
            raised: None,
            returned: None,
            acked_by: None,
            fact: None,
            last_evaluable: None,
        }
    }
    /// The condition is true, counting a running off-delay.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.condition, ConditionState::Active | ConditionState::PendingOff(_))
    }

    /// Active (pending-off counts) or waiting for acknowledgement: stands in the list.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.is_active() || !self.acked
    }
}

/// What the store kept from before.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Number of the next event; 1 on a fresh store.
    pub next_seq: u64,
    /// Number of the next hidden-danger record; 1 on a fresh store.
    pub next_hazard: u64,
    pub alarms: Vec<AlarmState>,
    /// All records that are not rejected.
    pub hazards: Vec<Hazard>,
    /// True when the machine has not rebooted since: monotonic times are then comparable.
    pub same_boot: bool,
}
