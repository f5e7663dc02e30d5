//! What a store keeps with an event, in its transaction: the rows that it changed, as they stand after the turn.
//!
//! A start and a change of the rules keep everything anew. The one has moved the times of another boot to the clock of this one, and the
//! next start takes what it finds for times of this boot; the other may bring back a rule of before, which must not find its old row.

use super::{AlarmState, Engine, UnitMode};
use crate::event::{Event, EventKind};
use crate::hazard::Hazard;

/// Rows of one event.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// What nothing has happened to needs no row.
    pub alarms: Vec<AlarmState>,
    /// These are all there are.
    pub all: bool,
    /// Keys of alarms that the book no longer has.
    pub gone: Vec<String>,
    /// One that is over is as its last event has it.
    pub hazards: Vec<Hazard>,
    /// Units of the plant whose mode changed; with `all`, of every unit there is.
    pub modes: Vec<UnitMode>,
}

impl Engine {
    /// What the store keeps with `event`.
    #[must_use]
    pub fn kept(&self, event: &Event) -> Kept {
        let row = |i: usize| self.alarms.row(i).cloned();
        let all = matches!(event.kind, EventKind::Started { .. } | EventKind::ConfigChanged { .. });
        // Closed by the first turn of a start, unless it ends before.
        let closed = |a: &&AlarmState| a.stands() || a.hidden.shelf.is_some();
        let orphans = self.unsaid.orphans().iter().filter(|_| all).filter(closed).cloned();
        let gone = event.kind.fact().filter(|f| self.alarm_index(&f.alarm).is_none());
        let modes = match &event.kind {
            EventKind::ModeChanged { plant_unit, .. } => {
                self.unit_modes().into_iter().filter(|m| m.unit == *plant_unit).collect()
            }
            _ if all => self.unit_modes(),
            _ => Vec::new(),
        };
        Kept {
            alarms: self.rows_of(&event.kind).into_iter().filter_map(row).chain(orphans).collect(),
            all,
            gone: gone.map(|f| f.alarm.clone()).into_iter().collect(),
            hazards: self.hazards_of(event),
            modes,
        }
    }

    fn hazards_of(&self, event: &Event) -> Vec<Hazard> {
        let open = |id: &str| self.hazards.iter().find(|h| h.id == id).cloned();
        match &event.kind {
            EventKind::Started { .. } => self.hazards.clone(),
            EventKind::HazardOpened { hazard } | EventKind::HazardStage { hazard } => {
                let over = || Hazard { moved_seq: event.seq, ..hazard.clone() };
                vec![open(&hazard.id).unwrap_or_else(over)]
            }
            EventKind::HazardOccurrence { hazard, .. } | EventKind::HazardOverdue { hazard, .. } => {
                open(hazard).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}
