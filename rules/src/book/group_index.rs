//! Which votes, suppressions, first-out groups and units an alarm or point belongs to, by position.

use super::{BookParts, Index, MeasureId, Suppressor};
use std::collections::HashMap;

/// Lists that most sites leave short.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupIndex {
    pub(crate) members_of_vote: Vec<Vec<usize>>,
    /// Measures that watch any of its members, each once.
    pub(crate) measures_of_vote: Vec<Vec<MeasureId>>,
    /// Votes to count again when this alarm changes: of its members, their sensor faults and their devices' silence.
    pub(crate) votes_of_alarm: Vec<Vec<usize>>,
    pub(crate) members_of_group: Vec<Vec<usize>>,
    pub(crate) group_of_alarm: Vec<Option<usize>>,
    pub(crate) alarms_of_suppression: Vec<Vec<usize>>,
    pub(crate) suppressions_of_point: Vec<Vec<usize>>,
    pub(crate) suppressions_of_alarm: Vec<Vec<usize>>,
    pub(crate) unit_of_point: Vec<Option<usize>>,
    /// Units whose running signal is this point.
    pub(crate) units_run_by_point: Vec<Vec<usize>>,
}

impl GroupIndex {
    pub(super) fn of(parts: &BookParts, x: &Index) -> Self {
        let keys: HashMap<String, usize> = super::alarm_keys(parts).enumerate().map(|(i, k)| (k, i)).collect();
        let positions = |list: &[String]| list.iter().filter_map(|k| keys.get(k).copied()).collect::<Vec<_>>();
        let mut g = Self {
            measures_of_vote: Vec::new(),
            members_of_vote: parts.votes.iter().map(|v| positions(&v.members)).collect(),
            votes_of_alarm: vec![Vec::new(); x.alarms()],
            members_of_group: parts.first_out.iter().map(|f| positions(&f.alarms)).collect(),
            group_of_alarm: vec![None; x.alarms()],
            alarms_of_suppression: parts.suppressions.iter().map(|s| positions(&s.alarms)).collect(),
            suppressions_of_point: vec![Vec::new(); parts.points.len()],
            suppressions_of_alarm: vec![Vec::new(); x.alarms()],
            unit_of_point: vec![None; parts.points.len()],
            units_run_by_point: vec![Vec::new(); parts.points.len()],
        };
        g.link_votes(x);
        g.measures_of_vote = g.members_of_vote.iter().map(|members| measures(members, x)).collect();
        for (k, members) in g.members_of_group.iter().enumerate() {
            for m in members {
                g.group_of_alarm[*m] = Some(k);
            }
        }
        for (k, s) in parts.suppressions.iter().enumerate() {
            match &s.when {
                Suppressor::State { point, .. } => g.suppressions_of_point[x.points[point].index()].push(k),
                Suppressor::Alarm(key) => g.suppressions_of_alarm[keys[key]].push(k),
            }
        }
        g.link_units(parts, x);
        g
    }

    fn link_votes(&mut self, x: &Index) {
        for (k, members) in self.members_of_vote.iter().enumerate() {
            let mut watch = |alarm: usize| {
                let list = &mut self.votes_of_alarm[alarm];
                if list.last() != Some(&k) {
                    list.push(k);
                }
            };
            for m in members {
                watch(*m);
                let Some(p) = x.point_of_alarm(*m) else { continue };
                if let Some(fault) = x.fault_of_point[p.index()] {
                    watch(fault.index());
                }
                watch(x.comms_alarm(x.device_of_point[p.index()].index()));
            }
        }
    }

    fn link_units(&mut self, parts: &BookParts, x: &Index) {
        for (k, u) in parts.plant_units.iter().enumerate() {
            for p in &u.points {
                self.unit_of_point[x.points[p].index()] = Some(k);
            }
            if let Some(p) = &u.running_point {
                self.units_run_by_point[x.points[p].index()].push(k);
            }
        }
    }
}

fn measures(members: &[usize], x: &Index) -> Vec<MeasureId> {
    let points = members.iter().filter_map(|m| x.point_of_alarm(*m));
    let mut all: Vec<MeasureId> = points.flat_map(|p| x.measures_of_point[p.index()].iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
