//! What can be said of an event without knowing its state: its name, its alarm, its point, who is told. Tables only.

use super::{AlarmFact, EventKind};

/// The alarm part of an event, shared or to be changed as the event is.
macro_rules! fact_of {
    ($kind:expr) => {
        match $kind {
            Self::PendingOn { fact }
            | Self::PendingCancelled { fact }
            | Self::Raised { fact, .. }
            | Self::Held { fact, .. }
            | Self::Released { fact }
            | Self::PendingOff { fact }
            | Self::ReturnCancelled { fact }
            | Self::Returned { fact, .. }
            | Self::Acked { fact, .. }
            | Self::Cleared { fact }
            | Self::ShadowRaised { fact, .. }
            | Self::ShadowReturned { fact, .. }
            | Self::Realarm { fact, .. }
            | Self::Escalated { fact, .. }
            | Self::Reset { fact, .. }
            | Self::Shelved { fact, .. }
            | Self::Unshelved { fact, .. }
            | Self::ShelfExpired { fact, .. }
            | Self::ShelfEnded { fact }
            | Self::Suppressed { fact, .. }
            | Self::Unsuppressed { fact, .. }
            | Self::ChatterStart { fact }
            | Self::ChatterEnd { fact }
            | Self::Inhibited { fact, .. }
            | Self::InhibitEnded { fact, .. } => Some(fact),
            _ => None,
        }
    };
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
            Self::ShadowRaised { .. } => "alarm.shadow_raised",
            Self::ShadowReturned { .. } => "alarm.shadow_returned",
            Self::Realarm { .. } => "alarm.realarm",
            Self::Escalated { .. } => "alarm.escalated",
            Self::Reset { .. } => "alarm.reset",
            Self::Shelved { .. } => "alarm.shelved",
            Self::Unshelved { .. } => "alarm.unshelved",
            Self::ShelfExpired { .. } => "alarm.shelf_expired",
            Self::ShelfEnded { .. } => "alarm.shelf_ended",
            Self::Suppressed { .. } => "alarm.suppressed",
            Self::Unsuppressed { .. } => "alarm.unsuppressed",
            Self::SuppressionReleased { .. } => "suppression.released",
            Self::ChatterStart { .. } => "alarm.chatter_start",
            Self::ChatterEnd { .. } => "alarm.chatter_end",
            Self::Inhibited { .. } => "device.inhibited",
            Self::InhibitEnded { .. } => "device.inhibit_ended",
            Self::Bypassed { .. } => "point.bypassed",
            Self::BypassExpiring { .. } => "point.bypass_expiring",
            Self::BypassEnded { .. } => "point.bypass_ended",
            Self::OutOfService { .. } => "point.out_of_service",
            Self::ServiceReview { .. } => "point.service_review",
            Self::InService { .. } => "point.in_service",
            Self::FirstOutReset { .. } => "group.first_out_reset",
            Self::FloodStarted { .. } => "flood.started",
            Self::FloodEnded { .. } => "flood.ended",
            Self::ModeChanged { .. } => "unit.mode_changed",
            Self::Silenced { .. } => "sound.silenced",
            Self::AnnunciatorTestRequested { .. } => "annunciator.test_requested",
            Self::AnnunciatorTested { .. } => "annunciator.tested",
            Self::HazardOpened { .. } => "hazard.opened",
            Self::HazardOccurrence { .. } => "hazard.occurrence",
            Self::HazardStage { .. } => "hazard.stage",
            Self::HazardOverdue { .. } => "hazard.overdue",
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
        fact_of!(self)
    }

    /// The same, to be completed.
    pub(crate) fn fact_mut(&mut self) -> Option<&mut AlarmFact> {
        fact_of!(self)
    }

    /// The point whose alarms all change by it (bypass, service).
    #[must_use]
    pub fn whole_point(&self) -> Option<&str> {
        match self {
            Self::Bypassed { point, .. }
            | Self::BypassExpiring { point, .. }
            | Self::BypassEnded { point, .. }
            | Self::OutOfService { point, .. }
            | Self::ServiceReview { point, .. }
            | Self::InService { point, .. } => Some(point),
            _ => None,
        }
    }

    /// True for what only the engine decides.
    pub(crate) fn is_the_engines(&self) -> bool {
        self.fact().is_some()
            || self.whole_point().is_some()
            || matches!(
                self,
                Self::HazardOpened { .. }
                    | Self::HazardOccurrence { .. }
                    | Self::HazardStage { .. }
                    | Self::HazardOverdue { .. }
                    | Self::SuppressionReleased { .. }
                    | Self::FirstOutReset { .. }
                    | Self::FloodStarted { .. }
                    | Self::FloodEnded { .. }
                    | Self::ModeChanged { .. }
                    | Self::Silenced { .. }
                    | Self::AnnunciatorTestRequested { .. }
            )
    }

    /// Calls for a person now: what counts for a flood.
    #[must_use]
    pub fn annunciates(&self) -> bool {
        match self {
            Self::Raised { fact, .. } => !fact.silent,
            Self::Realarm { .. } => true,
            Self::ShelfExpired { annunciated, .. } => *annunciated,
            _ => false,
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
                | Self::Suppressed { .. }
                | Self::Unsuppressed { .. }
                | Self::SuppressionReleased { .. }
                | Self::Silenced { .. }
                | Self::AnnunciatorTestRequested { .. }
                | Self::AnnunciatorTested { .. }
                | Self::Receipt { .. }
                | Self::Operator { .. }
        )
    }
}
