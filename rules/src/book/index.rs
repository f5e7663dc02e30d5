//! What hangs on what, computed once: which rules, measures and risks a point has, which points a device has.
//!
//! Maps are looked up, never iterated, so their order cannot reach an event.

use super::group_index::GroupIndex;
use super::links::Links;
use super::{
    BookParts, Condition, DeviceId, MeasureId, Point, PointId, PointKind, Reference, RiskId, Rule, RuleId, presets,
};
use crate::Text;
use crate::engine::SystemCondition;
use crate::risk::Evidence;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

const SENSOR_FAULT_OFF: Duration = Duration::from_secs(10);
/// Cause, consequence, action, and the action in English.
const SENSOR_FAULT_TEXTS: [&str; 4] = [
    "探头损坏、断线、失电或信号超出 NE 43 范围",
    "该处失去监测，泄漏或超限不能被发现",
    "现场核实该处情况，检查探头、接线与电源，必要时用便携仪表替代",
    "Verify on site, check sensor, wiring and supply; use a portable instrument meanwhile",
];

/// Cross-references by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// In order of their keys.
    points: Vec<PointId>,
    pub(crate) devices: HashMap<String, DeviceId>,
    pub(crate) rules_of_point: Links<RuleId>,
    pub(crate) point_of_rule: Vec<PointId>,
    pub(crate) points_of_device: Links<PointId>,
    /// Some point of the device is read, and not only computed.
    pub(crate) is_asked: Vec<bool>,
    pub(crate) device_of_point: Vec<DeviceId>,
    pub(crate) measures_of_point: Links<MeasureId>,
    pub(crate) measures_of_device: Links<MeasureId>,
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
    pub(crate) referring_to_point: Links<RuleId>,
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
    /// The point of a tag.
    pub(crate) fn point(&self, key: &str, parts: &BookParts) -> Option<PointId> {
        let place = self.points.binary_search_by(|id| (*parts.points[id.index()].key).cmp(key));
        place.ok().map(|place| self.points[place])
    }
    /// Of a tag in parts that were checked.
    pub(super) fn known(&self, key: &str, parts: &BookParts) -> PointId {
        self.point(key, parts).expect("the check refuses tags of no point")
    }
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
        self.point_of_rule.len() + self.devices.len()
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

/// Rules of one point stand together, the outer limit before the inner one.
pub(super) fn sort_rules(parts: &mut BookParts) {
    let place: HashMap<&str, usize> = parts.points.iter().enumerate().map(|(i, p)| (&*p.key, i)).collect();
    parts.rules.sort_by_key(|r| (place.get(&*r.point).copied(), r.condition.rank()));
}

/// Adds the default sensor-fault rules at the end of the rules, in the order of the points.
pub(super) fn add_sensor_faults(parts: &mut BookParts) {
    let given: HashSet<&str> =
        parts.rules.iter().filter(|r| r.condition == Condition::SensorFault).map(|r| &*r.point).collect();
    let judged: HashSet<&str> = parts.rules.iter().map(|r| &*r.point).collect();
    let gravest: HashSet<&str> = parts.rules.iter().filter(|r| r.priority == 1).map(|r| &*r.point).collect();
    let is_grave = |p: &Point| p.kind == PointKind::Gas || p.kind == PointKind::State && gravest.contains(&*p.key);
    let [cause, consequence, action, action_en] = SENSOR_FAULT_TEXTS.map(Text::from);
    let missing: Vec<Rule> = parts
        .points
        .iter()
        // a state that nothing judges holds back no alarm when it fails
        .filter(|p| (p.kind != PointKind::State || judged.contains(&*p.key)) && !given.contains(&*p.key))
        .map(|p| Rule {
            point: p.key.clone(),
            condition: Condition::SensorFault,
            priority: if is_grave(p) { 2 } else { 3 },
            on_delay: presets::at_pace(presets::SENSOR_FAULT_ON, p.period),
            off_delay: SENSOR_FAULT_OFF,
            latching: false,
            by_mode: Vec::new(),
            cause: cause.clone(),
            consequence: consequence.clone(),
            action: action.clone(),
            action_en: action_en.clone(),
        })
        .collect();
    parts.rules.extend(missing);
}

impl Index {
    /// Of parts that were checked.
    pub(super) fn of(parts: &BookParts) -> Self {
        let mut x = Self {
            devices: parts.devices.iter().enumerate().map(|(i, d)| (d.key.clone(), DeviceId::mint(i))).collect(),
            points: (0..parts.points.len()).map(PointId::mint).collect(),
            votes: parts.votes.len(),
            ..Self::default()
        };
        x.points.sort_unstable_by(|a, b| parts.points[a.index()].key.cmp(&parts.points[b.index()].key));
        x.device_of_point = parts.points.iter().map(|p| x.devices[p.device.as_str()]).collect();
        let placed: Vec<_> = x.device_of_point.iter().enumerate().map(|(i, d)| (d.index(), PointId::mint(i))).collect();
        x.is_asked = vec![false; parts.devices.len()];
        for (device, point) in &placed {
            x.is_asked[*device] |= !parts.points[point.index()].computed;
        }
        x.points_of_device = Links::of(placed, parts.devices.len());
        x.link_rules(parts);
        x.link_measures(parts);
        x.link_references(parts);
        x.groups = GroupIndex::of(parts, &x);
        x
    }

    fn link_references(&mut self, parts: &BookParts) {
        let mut referring = Vec::new();
        for (i, r) in parts.rules.iter().enumerate() {
            let reference = match &r.condition {
                Condition::Deviation { reference: Reference::Point(key), .. } => Some(self.known(key, parts)),
                _ => None,
            };
            if let Some(p) = reference {
                referring.push((p.index(), RuleId::mint(i)));
            }
            self.reference_of_rule.push(reference);
        }
        self.referring_to_point = Links::of(referring, parts.points.len());
    }

    fn link_rules(&mut self, parts: &BookParts) {
        self.point_of_rule = parts.rules.iter().map(|r| self.known(&r.point, parts)).collect();
        let placed = self.point_of_rule.iter().enumerate().map(|(i, p)| (p.index(), RuleId::mint(i))).collect();
        self.rules_of_point = Links::of(placed, parts.points.len());
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
        let (mut of_points, mut of_devices) = (Vec::new(), Vec::new());
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
                let p = self.known(key, parts).index();
                let d = self.device_of_point[p].index();
                of_points.push((p, id));
                of_devices.push((d, id));
                self.risk_of_point[p] = worse(self.risk_of_point[p], risk);
                self.risk_of_device[d] = worse(self.risk_of_device[d], risk);
            }
        }
        self.measures_of_point = Links::unique(of_points, parts.points.len());
        self.measures_of_device = Links::unique(of_devices, parts.devices.len());
    }
}
