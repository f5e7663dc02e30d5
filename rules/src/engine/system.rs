//! Conditions of the gateway itself, and the alarms they are. Owns their words and priorities.

use super::Engine;
use crate::event::{Cause, Event};
use crate::time::Now;
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
    /// The annunciator was not driven as commanded, or its self-test failed. Priority 2.
    AnnunciatorFailed,
    /// A task of the daemon ended by a panic and was restarted. Priority 2.
    TaskRestarted,
    /// The run before this one did not end in order: a power cut, a kill, the watchdog. Priority 3: it is over when it is said,
    /// what stood stands again, and the event of the start says for how long nobody watched.
    UncleanEnd,
    /// A part of the daemon makes no progress and the watchdog is not fed. Priority 2: alarms may be late.
    PartStalled,
    /// A bypass ends within ten minutes. Priority 3: whoever works there prolongs the permit or leaves. The engine finds it out by
    /// itself.
    BypassExpiring,
    /// The step of a hidden danger is overdue. Priority 3: whoever answers for it does it, or has the date moved with a reason. The engine
    /// finds it out by itself.
    HazardOverdue,
}

impl SystemCondition {
    /// All of them, in the order of their alarms.
    pub const ALL: [Self; 13] = [
        Self::StorageSlow,
        Self::StorageFull,
        Self::ClockUntrusted,
        Self::UplinkDown,
        Self::OfficeSilent,
        Self::InfluxRefused,
        Self::RecordsSalvaged,
        Self::AnnunciatorFailed,
        Self::TaskRestarted,
        Self::UncleanEnd,
        Self::PartStalled,
        Self::BypassExpiring,
        Self::HazardOverdue,
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
            Self::AnnunciatorFailed => "annunciator_failed",
            Self::TaskRestarted => "task_restarted",
            Self::UncleanEnd => "unclean_end",
            Self::PartStalled => "part_stalled",
            Self::BypassExpiring => "bypass_expiring",
            Self::HazardOverdue => "hazard_overdue",
        }
    }
    /// 1 … 4.
    #[must_use]
    pub fn priority(self) -> u8 {
        match self {
            Self::ClockUntrusted
            | Self::UplinkDown
            | Self::InfluxRefused
            | Self::UncleanEnd
            | Self::BypassExpiring
            | Self::HazardOverdue => 3,
            _ => 2,
        }
    }
    /// True for what nobody tells the engine: it follows from its own state.
    #[must_use]
    pub fn is_the_engines(self) -> bool {
        matches!(self, Self::BypassExpiring | Self::HazardOverdue)
    }
}

impl Engine {
    /// A condition of the gateway itself came or went.
    pub(super) fn system(&mut self, condition: SystemCondition, active: bool, now: Now, out: &mut Vec<Event>) {
        if condition.is_the_engines() {
            return;
        }
        // What was due before left its own.
        self.cause = if condition == SystemCondition::ClockUntrusted { Cause::Clock } else { Cause::Sample };
        self.follow(self.system_alarm(condition), active, now, out);
        self.settle(now, out);
        self.cause = Cause::Sample;
    }

    /// 23: one alarm for all bypasses that end soon, and one for all steps that are overdue; each of them calls once. A further one calls
    /// again, so that the acknowledgement of the first does not cover it.
    pub(super) fn call_for(&mut self, condition: SystemCondition, now: Now, out: &mut Vec<Event>) {
        let i = self.system_alarm(condition);
        let stood = self.alarms[i].is_active();
        self.follow(i, true, now, out);
        if stood && !self.alarms[i].is_hidden() {
            self.realarm(i, now.mono, now, out);
        }
    }

    /// Position of the alarm of a condition.
    pub(super) fn system_alarm(&self, condition: SystemCondition) -> usize {
        let k = SystemCondition::ALL.iter().position(|c| *c == condition).expect("ALL has every condition");
        self.book.index().system_base() + k
    }
}
