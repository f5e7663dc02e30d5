//! What hangs on what, computed once: which rules, measures and risks a point has, which points a device has.
//!
//! Maps are looked up, never iterated, so their order cannot reach an event.

use super::{BookParts, Condition, DeviceId, MeasureId, PointId, PointKind, RiskId, Rule, RuleId};
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
            ..Self::default()
        };
        for (i, p) in parts.points.iter().enumerate() {
            let device = x.devices[&p.device];
            x.device_of_point.push(device);
            x.points_of_device[device.index()].push(PointId::mint(i));
        }
        x.link_rules(parts);
        x.link_measures(parts);
        x
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
