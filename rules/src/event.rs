//! Facts that happened. What the store keeps, the page shows and the outbox sends.
//!
//! An event is complete: [`crate::Engine::apply`] over all events gives the live state. The engine numbers events; the hash chain
//! and durability are added by the gateway's store.

use crate::hazard::{Decision, Hazard};
use crate::reading::Reading;
use crate::time::Now;
use serde::{Deserialize, Serialize};

/// One fact with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Number in the site's journal, from 1, without gaps; minted by the engine.
    pub seq: u64,
    /// When it was decided.
    pub at: Now,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What an alarm event carries besides its transition: complete enough to be read without the configuration of its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmFact {
    /// Alarm key `<point or device>:<condition>`, such as `GT-102:HH`; one live instance per key.
    pub alarm: String,
    /// Number of this raising of it, from 1, never reused for the key.
    pub occurrence: u64,
    /// Point key; empty for a device or system alarm.
    pub point: String,
    /// Condition word: `HH H L LL SENSOR_FAULT COMMS_LOSS DISCRETE SYSTEM`.
    pub condition: String,
    /// 1 (most urgent) … 4.
    pub priority: u8,
    /// Reading that caused it, where one did.
    pub reading: Option<Reading>,
    /// Limit in force.
    pub limit: Option<f64>,
    /// Engineering unit.
    pub unit: String,
    /// Worst risk the point's measures belong to.
    pub risk: Option<String>,
    /// Drill: never counted as real.
    #[serde(default)]
    pub drill: bool,
}

/// Every kind of fact. Serialised names are those of the interface (`alarm.raised`, …).
///
/// The fields lie flat beside those of the stored record (`event_id`, `boot_id`, `seq`, `at`, …): a name in here must not be one of those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum EventKind {
    /// The condition became true; the on-delay runs. Journal only.
    #[serde(rename = "alarm.pending_on")]
    PendingOn { fact: AlarmFact },
    /// It became false before the on-delay was over. Journal only.
    #[serde(rename = "alarm.pending_cancelled")]
    PendingCancelled { fact: AlarmFact },
    /// Active and unacknowledged: annunciate.
    #[serde(rename = "alarm.raised")]
    Raised {
        fact: AlarmFact,
        /// True when raised without a fresh good sample (data lost while pending).
        assumed: bool,
        /// How much later than due, in ms.
        late_by_ms: u64,
    },
    /// Value not evaluable while active: held, never cleared.
    #[serde(rename = "alarm.held")]
    Held { fact: AlarmFact },
    /// Evaluable again while still active.
    #[serde(rename = "alarm.released")]
    Released { fact: AlarmFact },
    /// Past limit and deadband; the off-delay runs. Journal only.
    #[serde(rename = "alarm.pending_off")]
    PendingOff { fact: AlarmFact },
    /// Went back before the off-delay was over. Journal only.
    #[serde(rename = "alarm.return_cancelled")]
    ReturnCancelled { fact: AlarmFact },
    /// Returned to normal; unacknowledged ones stay in the list.
    #[serde(rename = "alarm.returned")]
    Returned { fact: AlarmFact },
    /// A person acknowledged what they had on the screen.
    #[serde(rename = "alarm.acked")]
    Acked { fact: AlarmFact, by: Decision },
    /// Normal and acknowledged: the occurrence is over.
    #[serde(rename = "alarm.cleared")]
    Cleared { fact: AlarmFact },
    /// A measure failed and a candidate was opened.
    #[serde(rename = "hazard.opened")]
    HazardOpened { hazard: Hazard },
    /// A further occurrence was attached to an open record.
    #[serde(rename = "hazard.occurrence")]
    HazardOccurrence { hazard: String, occurrence: String },
    /// A person moved the record.
    #[serde(rename = "hazard.stage")]
    HazardStage { hazard: Hazard },
    /// The daemon started; alarms standing before are restored, not raised again.
    #[serde(rename = "system.started")]
    Started {
        #[serde(rename = "started_boot_id")]
        boot_id: String,
        version: String,
        config_hash: String,
        down_for_ms: Option<u64>,
    },
    /// A clean stop.
    #[serde(rename = "system.stopped")]
    Stopped {
        #[serde(rename = "stopped_boot_id")]
        boot_id: String,
    },
    /// A new configuration took effect.
    #[serde(rename = "system.config_changed")]
    ConfigChanged { old_hash: String, new_hash: String, by: String },
    /// Something of the gateway itself: `code` is stable, such as `records_salvaged`, `task_panicked`, `clock_stepped`.
    #[serde(rename = "system.notice")]
    Notice { code: String, text_zh: String, text_en: String },
    /// A link or unit changed state: `code` such as `link_down`, `link_up`, `unit_dead`, `unit_back`.
    #[serde(rename = "device.state")]
    DeviceState { device: String, code: String, detail: String },
    /// The office's receipt of an event arrived (first machine receipt, then a person's).
    #[serde(rename = "delivery.receipt")]
    Receipt {
        #[serde(rename = "receipt_for")]
        event_id: String,
        by: Option<String>,
        note: Option<String>,
    },
    /// A person did something that changed no alarm: sign-in, user change, drill, failed sign-in.
    #[serde(rename = "operator.action")]
    Operator { user: String, action: String, detail: String },
}

impl EventKind {
    /// The interface's name, such as `alarm.raised`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PendingOn { .. } => "alarm.pending_on",
            Self::PendingCancelled { .. } => "alarm.pending_cancelled",
            Self::Raised { .. } => "alarm.raised",
            Self::Held { .. } => "alarm.held",
            Self::Released { .. } => "alarm.released",
            Self::PendingOff { .. } => "alarm.pending_off",
            Self::ReturnCancelled { .. } => "alarm.return_cancelled",
            Self::Returned { .. } => "alarm.returned",
            Self::Acked { .. } => "alarm.acked",
            Self::Cleared { .. } => "alarm.cleared",
            Self::HazardOpened { .. } => "hazard.opened",
            Self::HazardOccurrence { .. } => "hazard.occurrence",
            Self::HazardStage { .. } => "hazard.stage",
            Self::Started { .. } => "system.started",
            Self::Stopped { .. } => "system.stopped",
            Self::ConfigChanged { .. } => "system.config_changed",
            Self::Notice { .. } => "system.notice",
            Self::DeviceState { .. } => "device.state",
            Self::Receipt { .. } => "delivery.receipt",
            Self::Operator { .. } => "operator.action",
        }
    }

    /// The alarm part, where the event is an alarm's.
    #[must_use]
    pub fn fact(&self) -> Option<&AlarmFact> {
        match self {
            Self::PendingOn { fact }
            | Self::PendingCancelled { fact }
            | Self::Raised { fact, .. }
            | Self::Held { fact }
            | Self::Released { fact }
            | Self::PendingOff { fact }
            | Self::ReturnCancelled { fact }
            | Self::Returned { fact }
            | Self::Acked { fact, .. }
            | Self::Cleared { fact } => Some(fact),
            _ => None,
        }
    }

    /// False for the journal's own entries, which are stored but neither sent to the office nor annunciated.
    #[must_use]
    pub fn goes_to_office(&self) -> bool {
        !matches!(
            self,
            Self::PendingOn { .. }
                | Self::PendingCancelled { .. }
                | Self::PendingOff { .. }
                | Self::ReturnCancelled { .. }
                | Self::Receipt { .. }
                | Self::Operator { .. }
        )
    }
}
