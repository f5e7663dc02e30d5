//! What hangs on what, computed once: which rules, measures and risks a point has, which points a device has.
//!
//! Maps are looked up, never iterated, so their order cannot reach an event.

use super::group_index::GroupIndex;
use super::{BookParts, Condition, DeviceId, MeasureId, PointId, PointKind, Reference, RiskId, Rule, RuleId};
use crate::engine::SystemCondition;
use crate::risk::Evidence;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// NE 43: a failure signal must persist this long before it is called a fault.
const SENSOR_FAULT_ON: Duration = Duration::from_secs(4);
const SENSOR_FAULT_OFF: Duration = Duration::from_secs(10);

/// Cross-references by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) points: HashMap<String, PointId>,
    pub(crate) devices: HashMap<String, DeviceId>,
    pub(crate) rules_of_point: Vec<Vec<RuleId>>,
    pub(crate) point_of_rule: Vec<PointId>,
    pub(crate) points_of_device: Vec<Vec<PointId>>,
    pub(crate) device_of_point: Vec<DeviceId>,
    pub(crate) measures_of_point: Vec<Vec<MeasureId>>,
    pub(crate) measures_of_device: Vec<Vec<MeasureId>>,
    pub(crate) risk_of_point: Vec<Option<RiskId>>,
    pub(crate) risk_of_device: Vec<Option<RiskId>>,
    pub(crate) risk_of_measure: Vec<RiskId>,
    /// HH of an H, LL of an L.
    pub(crate) superseder: Vec<Option<RuleId>>,
    /// H of an HH, L of an LL.
    pub(crate) superseded: Vec<Option<RuleId>>,
    /// The sensor fault of a point.
    pub(crate) fault_of_point: Vec<Option<RuleId>>,
    /// Where a deviation looks for its reference.
    pub(crate) reference_of_rule: Vec<Option<PointId>>,
    /// Deviations that refer to a point.
    pub(crate) referring_to_point: Vec<Vec<RuleId>>,
    pub(crate) groups: GroupIndex,
    votes: usize,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Rule(RuleId),
    /// COMMS_LOSS.
    Device(DeviceId),
    /// Position in `SystemCondition::ALL`.
    System(usize),
    Vote(usize),
    VoteInvalid(usize),
}

impl Index {
    /// Alarms go: rules, devices, system conditions, votes (each with its own invalid alarm behind it).
    pub(crate) fn subject(&self, alarm: usize) -> Subject {
        let vote = alarm.wrapping_sub(self.vote_base());
        match alarm {
            i if i < self.point_of_rule.len() => Subject::Rule(RuleId::mint(i)),
            i if i < self.system_base() => Subject::Device(DeviceId::mint(i - self.point_of_rule.len())),
            i if i < self.vote_base() => Subject::System(i - self.system_base()),
            _ if vote.is_multiple_of(2) => Subject::Vote(vote / 2),
            _ => Subject::VoteInvalid(vote / 2),
        }
    }
    pub(crate) fn comms_alarm(&self, device: usize) -> usize {
        self.point_of_rule.len() + device
    }
    pub(crate) fn system_base(&self) -> usize {
        self.point_of_rule.len() + self.points_of_device.len()
    }
    pub(crate) fn vote_base(&self) -> usize {
        self.system_base() + SystemCondition::ALL.len()
    }
    pub(crate) fn alarms(&self) -> usize {
        self.vote_base() + 2 * self.votes
    }
    /// The point an alarm is about, where it is about one.
    pub(crate) fn point_of_alarm(&self, alarm: usize) -> Option<PointId> {
        self.point_of_rule.get(alarm).copied()
    }
}

/// Keys of all alarms in their order.
pub(crate) fn alarm_keys(parts: &BookParts) -> impl Iterator<Item = String> + '_ {
    let rules = parts.rules.iter().map(|r| format!("{}:{}", r.point, r.condition.word()));
    let devices = parts.devices.iter().map(|d| format!("{}:COMMS_LOSS", d.key));
    let system = SystemCondition::ALL.iter().map(|c| format!("system:{}", c.code()));
    let votes = parts.votes.iter().flat_map(|v| [format!("{}:VOTE", v.key), format!("{}:VOTE_INVALID", v.key)]);
    rules.chain(devices).chain(system).chain(votes)
}

/// Rules of one point stand together, the outer limit before the inner one.
pub(super) fn sort_rules(parts: &mut BookParts) {
    let place: HashMap<&str, usize> = parts.points.iter().enumerate().map(|(i, p)| (p.key.as_str(), i)).collect();
    parts.rules.sort_by_key(|r| (place.get(r.point.as_str()).copied(), r.condition.rank()));
}

/// Adds the default sensor-fault rules at the end of the rules, in the order of the points.
pub(super) fn add_sensor_faults(parts: &mut BookParts) {
    let given: HashSet<&str> =
        parts.rules.iter().filter(|r| r.condition == Condition::SensorFault).map(|r| r.point.as_str()).collect();
    let missing: Vec<Rule> = parts
        .points
        .iter()
        .filter(|p| p.kind != PointKind::State && !given.contains(p.key.as_str()))
        .map(|p| Rule {
            point: p.key.clone(),
            condition: Condition::SensorFault,
            priority: if p.kind == PointKind::Gas { 2 } else { 3 },
            on_delay: SENSOR_FAULT_ON,
            off_delay: SENSOR_FAULT_OFF,
            latching: false,
            by_mode: Vec::new(),
            cause: "探头损坏、断线、失电或信号超出 NE 43 范围".to_owned(),
            consequence: "该处失去监测，泄漏或超限不能被发现".to_owned(),
            action: "现场核实该处情况，检查探头、接线与电源，必要时用便携仪表替代".to_owned(),
            action_en: "Verify on site, check sensor, wiring and supply; use a portable instrument meanwhile"
                .to_owned(),
        })
        .collect();
    parts.rules.extend(missing);
}

impl Index {
    /// Of parts that were checked.
    pub(super) fn of(parts: &BookParts) -> Self {
        let mut x = Self {
            devices: parts.devices.iter().enumerate().map(|(i, d)| (d.key.clone(), DeviceId::mint(i))).collect(),
            points: parts.points.iter().enumerate().map(|(i, p)| (p.key.clone(), PointId::mint(i))).collect(),
            points_of_device: vec![Vec::new(); parts.devices.len()],
            votes: parts.votes.len(),
            ..Self::default()
        };
        for (i, p) in parts.points.iter().enumerate() {
            let device = x.devices[&p.device];
            x.device_of_point.push(device);
            x.points_of_device[device.index()].push(PointId::mint(i));
        }
        x.link_rules(parts);
        x.link_measures(parts);
        x.link_references(parts);
        x.groups = GroupIndex::of(parts, &x);
        x
    }

    fn link_references(&mut self, parts: &BookParts) {
        self.referring_to_point = vec![Vec::new(); parts.points.len()];
        for (i, r) in parts.rules.iter().enumerate() {
            let reference = match &r.condition {
                Condition::Deviation { reference: Reference::Point(key), .. } => Some(self.points[key]),
                _ => None,
            };
            if let Some(p) = reference {
                self.referring_to_point[p.index()].push(RuleId::mint(i));
            }
            self.reference_of_rule.push(reference);
        }
    }

    fn link_rules(&mut self, parts: &BookParts) {
        self.rules_of_point = vec![Vec::new(); parts.points.len()];
        for (i, r) in parts.rules.iter().enumerate() {
            let point = self.points[&r.point];
            self.point_of_rule.push(point);
            self.rules_of_point[point.index()].push(RuleId::mint(i));
        }
        for (i, r) in parts.rules.iter().enumerate() {
            let above = match r.condition {
                Condition::High { .. } => "HH",
                Condition::Low { .. } => "LL",
                _ => "",
            };
            let others = &self.rules_of_point[self.point_of_rule[i].index()];
            self.superseder.push(others.iter().copied().find(|o| parts.rules[o.index()].condition.word() == above));
        }
        self.superseded = vec![None; parts.rules.len()];
        self.fault_of_point = vec![None; parts.points.len()];
        for (i, r) in parts.rules.iter().enumerate() {
            if let Some(outer) = self.superseder[i] {
                self.superseded[outer.index()] = Some(RuleId::mint(i));
            }
            if r.condition == Condition::SensorFault {
                self.fault_of_point[self.point_of_rule[i].index()] = Some(RuleId::mint(i));
            }
        }
    }

    fn link_measures(&mut self, parts: &BookParts) {
        let risks: HashMap<&str, RiskId> =
            parts.risks.iter().enumerate().map(|(i, r)| (r.key.as_str(), RiskId::mint(i))).collect();
        self.measures_of_point = vec![Vec::new(); parts.points.len()];
        self.measures_of_device = vec![Vec::new(); parts.devices.len()];
        self.risk_of_point = vec![None; parts.points.len()];
        self.risk_of_device = vec![None; parts.devices.len()];
        let worse = |old: Option<RiskId>, new: RiskId| match old {
            Some(o) if parts.risks[o.index()].level <= parts.risks[new.index()].level => Some(o),
            _ => Some(new),
        };
        for (i, m) in parts.measures.iter().enumerate() {
            let (id, risk) = (MeasureId::mint(i), risks[m.risk.as_str()]);
            self.risk_of_measure.push(risk);
            let Evidence::Watched { points } = &m.evidence else { continue };
            for key in points {
                let p = self.points[key].index();
                let d = self.device_of_point[p].index();
                for list in [&mut self.measures_of_point[p], &mut self.measures_of_device[d]] {
                    if list.last() != Some(&id) {
                        list.push(id);
                    }
                }
                self.risk_of_point[p] = worse(self.risk_of_point[p], risk);
                self.risk_of_device[d] = worse(self.risk_of_device[d], risk);
            }
        }
    }
}
