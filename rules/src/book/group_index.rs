//! Which votes, suppressions, first-out groups and units an alarm or point belongs to, by position.

use super::alarm_keys;
use super::links::Links;
use super::{BookParts, Index, MeasureId, Suppressor};

/// Lists that most sites leave short.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupIndex {
    pub(crate) members_of_vote: Vec<Vec<usize>>,
    /// Measures that watch any of its members, each once.
    pub(crate) measures_of_vote: Vec<Vec<MeasureId>>,
    /// Votes to count again when this alarm changes: of its members, their sensor faults and their devices' silence.
    pub(crate) votes_of_alarm: Links<usize>,
    pub(crate) members_of_group: Vec<Vec<usize>>,
    /// One at most.
    group_of_alarm: Links<usize>,
    pub(crate) alarms_of_suppression: Vec<Vec<usize>>,
    pub(crate) suppressions_of_point: Links<usize>,
    pub(crate) suppressions_of_alarm: Links<usize>,
    /// One at most.
    unit_of_point: Links<usize>,
    /// Units whose running signal is this point.
    pub(crate) units_run_by_point: Links<usize>,
}

impl GroupIndex {
    pub(super) fn of(parts: &BookParts, x: &Index) -> Self {
        let place = |key: &String| alarm_keys::position(parts, x, key);
        let positions = |list: &[String]| list.iter().filter_map(place).collect::<Vec<_>>();
        let mut g = Self {
            members_of_vote: parts.votes.iter().map(|v| positions(&v.members)).collect(),
            members_of_group: parts.first_out.iter().map(|f| positions(&f.alarms)).collect(),
            alarms_of_suppression: parts.suppressions.iter().map(|s| positions(&s.alarms)).collect(),
            ..Self::default()
        };
        g.link_votes(x);
        g.measures_of_vote = g.members_of_vote.iter().map(|members| measures(members, x)).collect();
        let ranked =
            g.members_of_group.iter().enumerate().flat_map(|(k, members)| members.iter().map(move |m| (*m, k)));
        g.group_of_alarm = Links::of(ranked.collect(), x.alarms());
        let (mut by_point, mut by_alarm) = (Vec::new(), Vec::new());
        for (k, s) in parts.suppressions.iter().enumerate() {
            match &s.when {
                Suppressor::State { point, .. } => by_point.push((x.known(point, parts).index(), k)),
                Suppressor::Alarm(key) => by_alarm.extend(place(key).map(|alarm| (alarm, k))),
            }
        }
        g.suppressions_of_point = Links::of(by_point, parts.points.len());
        g.suppressions_of_alarm = Links::of(by_alarm, x.alarms());
        g.link_units(parts, x);
        g
    }

    /// The first-out group of an alarm: of several the last one named.
    pub(crate) fn group_of_alarm(&self, alarm: usize) -> Option<usize> {
        self.group_of_alarm[alarm].last().copied()
    }
    /// The unit of the plant that a point belongs to.
    pub(crate) fn unit_of_point(&self, point: usize) -> Option<usize> {
        self.unit_of_point[point].last().copied()
    }

    fn link_votes(&mut self, x: &Index) {
        let mut watched = Vec::new();
        for (k, members) in self.members_of_vote.iter().enumerate() {
            let mut watch = |alarm: usize| watched.push((alarm, k));
            for m in members {
                watch(*m);
                let Some(p) = x.point_of_alarm(*m) else { continue };
                if let Some(fault) = x.fault_of_point[p.index()] {
                    watch(fault.index());
                }
                watch(x.comms_alarm(x.device_of_point[p.index()].index()));
            }
        }
        self.votes_of_alarm = Links::unique(watched, x.alarms());
    }

    fn link_units(&mut self, parts: &BookParts, x: &Index) {
        let (mut of_points, mut run_by) = (Vec::new(), Vec::new());
        for (k, u) in parts.plant_units.iter().enumerate() {
            of_points.extend(u.points.iter().map(|p| (x.known(p, parts).index(), k)));
            run_by.extend(u.running_point.iter().map(|p| (x.known(p, parts).index(), k)));
        }
        self.unit_of_point = Links::of(of_points, parts.points.len());
        self.units_run_by_point = Links::of(run_by, parts.points.len());
    }
}

fn measures(members: &[usize], x: &Index) -> Vec<MeasureId> {
    let points = members.iter().filter_map(|m| x.point_of_alarm(*m));
    let mut all: Vec<MeasureId> = points.flat_map(|p| x.measures_of_point[p.index()].iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
