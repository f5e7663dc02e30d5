//! Facts that happened. What the store keeps, the page shows and the outbox sends.
//!
//! An event is complete: [`crate::Engine::apply`] over all events gives the live state. The engine numbers events; the hash chain
//! and durability are added by the gateway's store.

mod names;

use crate::annunciator::{AnnunciatorFault, Sound};
use crate::book::Mode;
use crate::hazard::{Decision, Hazard};
use crate::hide::{Bypass, EndCause, Expiry, Inhibit, Service, Shelf, is_zero};
use crate::reading::{Raw, Reading};
use crate::time::{Mono, Now};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

/// What made it happen. There is no event without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A reading, or the lack of an answer.
    #[default]
    Sample,
    /// A delay or time-out was over.
    Timer,
    /// A person.
    User,
    /// A rule of the book: suppression, vote, another alarm.
    Rule,
    /// Another configuration or mode.
    Config,
    /// The start of the gateway.
    Restart,
    /// The wall clock.
    Clock,
}

/// Place in the order in which the alarms of a group came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstOut {
    /// 1 came first.
    pub rank: u16,
    /// Polling cannot tell it from another of the same rank: about the same time (约同时).
    pub tie: bool,
    /// When it was raised.
    pub at: Mono,
}

/// The state of an alarm before and after an event, in words: the condition, then what else holds of
/// `unacked held assumed latched shadow quiet chatter shelved suppressed bypassed out_of_service`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    pub before: String,
    pub after: String,
}

/// What an alarm event carries besides its transition: complete enough to be read without the configuration of its time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmFact {
    /// Alarm key `<point or device>:<condition>`, such as `GT-102:HH`; one live instance per key.
    pub alarm: String,
    /// Number of this raising of it, from 1, never reused for the key.
    pub occurrence: u64,
    /// Point key; empty for a device or system alarm.
    pub point: String,
    /// Condition word: `HH H L LL ROC+ ROC- DEV SENSOR_FAULT DEVICE_FROZEN STUCK DISCRETE COMMS_LOSS SYSTEM VOTE VOTE_INVALID`.
    pub condition: String,
    /// 1 (most urgent) … 4.
    pub priority: u8,
    /// Reading that caused it, where one did.
    pub reading: Option<Reading>,
    /// The registers of that reading, as the instrument sent them. Not kept with the alarm's own state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Raw>,
    /// Limit in force.
    pub limit: Option<f64>,
    /// What was held against the limit where that is not the value itself: units per minute of a rate, the point less its reference of a
    /// deviation. None where the reading says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<f64>,
    /// Deadband in force, where the condition has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadband: Option<f64>,
    /// Delays in force, in ms.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub on_delay_ms: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub off_delay_ms: u64,
    /// NAMUR NE 107 letter of the reading, where it is not in order: `F C S M`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ne107: Option<char>,
    /// Engineering unit.
    pub unit: String,
    /// Device key; empty for a vote or system alarm.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// Area key of the plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// Major hazard source of that risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Worst risk the point's measures belong to.
    pub risk: Option<String>,
    /// Drill: never counted as real.
    #[serde(default)]
    pub drill: bool,
    /// What made it happen.
    #[serde(default)]
    pub cause: Cause,
    /// A low alarm (3 or 4) within a flood: the office shows it together with the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flood: bool,
    /// It makes no sound of its own: superseded by the outer limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// Rank in its first-out group, from the raise on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_out: Option<FirstOut>,
    /// What else belongs to it, such as the votes `2/3` or the key of the suppression.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Revision of the rules in force.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub config_rev: String,
    /// Part of the on-delay that nobody watched: a start credited the time the gateway was down.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gap_credited_ms: u64,
    /// Of `STUCK`: how long the value had stood still when it became pending, so that another window can still be held against it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stood_ms: u64,
    /// Sound that the event calls for, by itself and at that moment; none where the alarm is hidden, superseded, silenced or has none. Not
    /// kept with the alarm's own state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// What the event did to the alarm; not kept with the alarm's own state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<Box<StateChange>>,
}

impl AlarmFact {
    pub(crate) fn stood(&self) -> Duration {
        Duration::from_millis(self.stood_ms)
    }
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
    Held {
        fact: AlarmFact,
        /// The last value was beyond the limit: the worst is assumed until a good value says otherwise.
        #[serde(default = "yes")]
        assumed: bool,
    },
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
    Returned {
        fact: AlarmFact,
        /// It stays until a shift leader resets it.
        #[serde(default)]
        latched: bool,
    },
    /// Became active while hidden: judged and recorded, not annunciated.
    #[serde(rename = "alarm.shadow_raised")]
    ShadowRaised { fact: AlarmFact, assumed: bool },
    /// Returned without ever having been annunciated.
    #[serde(rename = "alarm.shadow_returned")]
    ShadowReturned {
        fact: AlarmFact,
        /// It came and went behind a shelf: a shift leader resets it as any other.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        latched: bool,
    },
    /// Acknowledged long ago and still active: unacknowledged again, for the n-th time.
    #[serde(rename = "alarm.realarm")]
    Realarm { fact: AlarmFact, count: u32, late_by_ms: u64 },
    /// Not acknowledged in time: level 1, 2, 3.
    #[serde(rename = "alarm.escalated")]
    Escalated {
        fact: AlarmFact,
        level: u8,
        late_by_ms: u64,
        /// Posts to be called by telephone, in that order; never a number or a person's name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        call: Vec<String>,
    },
    /// A shift leader ended the latch.
    #[serde(rename = "alarm.reset")]
    Reset { fact: AlarmFact, by: Decision },
    /// Hidden for a while by a person.
    #[serde(rename = "alarm.shelved")]
    Shelved { fact: AlarmFact, shelf: Shelf },
    /// A person ended the shelf; what is active is acknowledged by them.
    #[serde(rename = "alarm.unshelved")]
    Unshelved { fact: AlarmFact, by: Decision },
    /// The shelf's time is over; what is active or latched is annunciated now.
    #[serde(rename = "alarm.shelf_expired")]
    ShelfExpired { fact: AlarmFact, annunciated: bool, why: EndCause },
    /// A one-shot shelf ended with the return.
    #[serde(rename = "alarm.shelf_ended")]
    ShelfEnded { fact: AlarmFact },
    /// Hidden by design. Journal only.
    #[serde(rename = "alarm.suppressed")]
    Suppressed {
        fact: AlarmFact,
        rule: String,
        until: Expiry,
        /// For how long it hides in all, where that is not from this event on: another rule book shortened it, or names the alarm since.
        #[serde(default, skip_serializing_if = "is_zero")]
        granted_ms: u64,
    },
    /// No longer hidden by that rule. Journal only.
    #[serde(rename = "alarm.unsuppressed")]
    Unsuppressed { fact: AlarmFact, rule: String, why: EndCause },
    /// What had suppressed for as long as it may is no longer there: it hides again when it comes back. Journal only.
    #[serde(rename = "suppression.released")]
    SuppressionReleased { rule: String },
    /// Raised three times within a minute: it stays active until it is quiet.
    #[serde(rename = "alarm.chatter_start")]
    ChatterStart { fact: AlarmFact },
    /// Quiet again.
    #[serde(rename = "alarm.chatter_end")]
    ChatterEnd { fact: AlarmFact },
    /// The device of the point says that it is inhibited, warming up or in calibration.
    #[serde(rename = "device.inhibited")]
    Inhibited { fact: AlarmFact, inhibit: Inhibit },
    /// It measures again, or its time is over and it counts as a fault.
    #[serde(rename = "device.inhibit_ended")]
    InhibitEnded { fact: AlarmFact, overdue: bool },
    /// A point's alarms are out of effect under a permit.
    #[serde(rename = "point.bypassed")]
    Bypassed {
        #[serde(rename = "bypassed_point")]
        point: String,
        bypass: Bypass,
    },
    /// Ten minutes before the end of a bypass, once.
    #[serde(rename = "point.bypass_expiring")]
    BypassExpiring {
        #[serde(rename = "bypassed_point")]
        point: String,
        until: Expiry,
    },
    /// The point's alarms are in effect again.
    #[serde(rename = "point.bypass_ended")]
    BypassEnded {
        #[serde(rename = "bypassed_point")]
        point: String,
        why: EndCause,
        by: Option<Decision>,
    },
    /// Not judged any more, under a work order.
    #[serde(rename = "point.out_of_service")]
    OutOfService {
        #[serde(rename = "service_point")]
        point: String,
        service: Service,
    },
    /// A day has passed: is it still out of service?
    #[serde(rename = "point.service_review")]
    ServiceReview {
        #[serde(rename = "service_point")]
        point: String,
        days: u32,
    },
    /// Judged again, from nothing.
    #[serde(rename = "point.in_service")]
    InService {
        #[serde(rename = "service_point")]
        point: String,
        by: Decision,
    },
    /// The ranks of a first-out group were forgotten.
    #[serde(rename = "group.first_out_reset")]
    FirstOutReset { group: String, by: Decision },
    /// More alarms than a person can follow.
    #[serde(rename = "flood.started")]
    FloodStarted { count: u32, first: String },
    /// It is over: how many, for how long, the most within the window.
    #[serde(rename = "flood.ended")]
    FloodEnded { count: u32, duration_ms: u64, peak: u32, first: String },
    /// A unit of the plant runs otherwise.
    #[serde(rename = "unit.mode_changed")]
    ModeChanged { plant_unit: String, old: Mode, new: Mode, by: Option<Decision> },
    /// The sound was stopped for a while.
    #[serde(rename = "sound.silenced")]
    Silenced { until: Expiry, by: Decision },
    /// A person wants to hear the annunciator.
    #[serde(rename = "annunciator.test_requested")]
    AnnunciatorTestRequested { by: Decision },
    /// A self-test of the annunciator is over.
    #[serde(rename = "annunciator.tested")]
    AnnunciatorTested {
        /// None when it passed.
        fault: Option<AnnunciatorFault>,
        /// A real alarm sounded meanwhile and was heard.
        by_alarm: bool,
        /// Who asked; none for the daily one.
        asked_by: Option<String>,
    },
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
    /// Its step was not done in time, once for each due time.
    #[serde(rename = "hazard.overdue")]
    HazardOverdue { hazard: String, due: Expiry },
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
    ConfigChanged {
        old_hash: String,
        new_hash: String,
        /// A user name, or what stands for one: `SIGHUP`, `start`.
        by: String,
        /// The person's decision, where a person asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Decision>,
    },
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

/// Events of earlier versions always assumed the worst.
fn yes() -> bool {
    true
}
