//! File structs become the rule book's parts and the page's fixed picture.
//!
//! Owns defaults that need more than one field (areas, sensor-fault rules, time-outs). Leaves cross-checks to `RuleBook`.

use super::alarm_parts;
use super::calls;
use super::diagnostic::Finding;
use super::fast;
use super::file::{KindWord, LevelWord, MeasureTable, PointTable, RiskTable, SiteFile, SourceTable};
use super::substances::SubstanceWord;
use crate::snapshot::{AreaView, Names};
use crate::text::titled;
use rules::book::{BookParts, Condition, Device, LimitsBy, Point, PointKind, Rule, presets};
use rules::risk::{Evidence, Measure, Risk, RiskLevel, Source};
use rules::{RuleBook, Text};
use std::collections::BTreeMap;
use std::time::Duration;

const FAULT_ACTION_ZH: &str = "到现场核对仪表，用便携仪替代监测，通知仪表工检修";
const FAULT_ACTION_EN: &str =
    "Check the instrument on site, watch the place with a portable detector, call the instrument technician";

/// Everything the rule book needs, and findings about numbers that cannot be converted.
pub(super) fn book_parts(file: &SiteFile, revision: &str, findings: &mut Vec<Finding>) -> BookParts {
    let mut seconds = Seconds { findings };
    let mut parts = BookParts {
        revision: revision.to_owned(),
        devices: devices(file, &mut seconds),
        points: file.point.iter().map(|p| point(p, file, &mut seconds)).collect(),
        rules: file.point.iter().flat_map(|p| point_rules(p, &mut seconds)).collect(),
        sources: file.source.iter().map(source).collect(),
        risks: file.risk.iter().map(risk).collect(),
        measures: file.measure.iter().map(measure).collect(),
        calls: calls::posts(file),
        ..BookParts::default()
    };
    alarm_parts::groups(file, &mut seconds, &mut parts);
    parts
}

/// Converts seconds and reports those that are none.
pub(super) struct Seconds<'a> {
    pub(super) findings: &'a mut Vec<Finding>,
}

impl Seconds<'_> {
    pub(super) fn duration(&mut self, path: impl FnOnce() -> String, seconds: f64) -> Duration {
        match Duration::try_from_secs_f64(seconds) {
            Ok(d) if seconds <= 86_400.0 => d,
            _ => {
                self.findings.push(Finding::fatal(
                    path(),
                    (format!("{seconds} 秒不可用"), format!("{seconds} s cannot be used here")),
                    ("写 0 到 86400 之间的秒数".into(), "write a number of seconds from 0 to 86400".into()),
                ));
                Duration::ZERO
            }
        }
    }
}

fn devices(file: &SiteFile, seconds: &mut Seconds<'_>) -> Vec<Device> {
    let mut slowest: BTreeMap<&str, u32> = BTreeMap::new();
    for p in &file.point {
        let period = slowest.entry(&p.device).or_default();
        *period = (*period).max(p.period_ms);
    }
    let device = |d: &super::file::DeviceTable| {
        let polls = Duration::from_millis(u64::from(slowest.get(d.key.as_str()).copied().unwrap_or(1000)) * 5);
        let comms_timeout = match d.comms_timeout_s {
            Some(s) => seconds.duration(|| format!("device[{}].comms_timeout_s", d.key), s),
            None => polls.max(Duration::from_secs(5)),
        };
        Device {
            key: d.key.clone(),
            name: d.name.clone().unwrap_or_else(|| d.key.clone()),
            area: d.area.clone(),
            comms_timeout,
            priority: d.priority,
        }
    };
    file.device.iter().map(device).collect()
}

fn point(p: &PointTable, file: &SiteFile, seconds: &mut Seconds<'_>) -> Point {
    let period = period(p);
    let max_age = match p.max_age_s {
        Some(s) => seconds.duration(|| format!("point[{}].max_age_s", p.key), s),
        None => period * 3,
    };
    Point {
        key: (&p.key).into(),
        name: (&p.name).into(),
        name_en: (&p.name_en).into(),
        area: area_of(p, file).into(),
        device: (&p.device).into(),
        kind: kind(p.kind),
        substance: p.substance.and_then(SubstanceWord::substance),
        computed: p.expression.is_some(),
        limits_by: match &p.limits_by_idlh {
            Some(why) if !why.trim().is_empty() => LimitsBy::Idlh,
            // without a reason it is as if nobody had said it: the tighter limit holds
            _ => LimitsBy::Oel,
        },
        unit: (&p.unit).into(),
        // a measured value without its range has been reported; its limits are not to be called outside of it as well
        range: p.range.unwrap_or(if p.kind == KindWord::State { (0.0, 1.0) } else { (-1e12, 1e12) }),
        decimals: if p.kind == KindWord::State { 0 } else { p.decimals },
        period,
        fast_period: fast::period(p),
        max_age,
        position: p.position,
    }
}

/// The point's own area, else its device's.
pub(super) fn area_of(p: &PointTable, file: &SiteFile) -> String {
    p.area
        .clone()
        .or_else(|| file.device.iter().find(|d| d.key == p.device).map(|d| d.area.clone()))
        // an unknown device has been reported; that its area is unknown too is no second defect
        .unwrap_or_else(|| "?".to_owned())
}

fn point_rules(p: &PointTable, seconds: &mut Seconds<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = p.limits.iter().map(|(word, t)| alarm_parts::limit_rule(p, *word, t, seconds)).collect();
    rules.extend(p.state_alarm.as_ref().map(|s| alarm_parts::state_rule(p, s, seconds)));
    rules.extend(alarm_parts::other_rules(p, seconds));
    // a state that is judged gets its own with the rule book
    if (p.kind != KindWord::State && !rules.is_empty()) || p.sensor_fault.is_some() {
        rules.push(sensor_fault(p, seconds));
    }
    rules
}

pub(super) fn period(p: &PointTable) -> Duration {
    Duration::from_millis(u64::from(p.period_ms))
}

fn sensor_fault(p: &PointTable, seconds: &mut Seconds<'_>) -> Rule {
    let (priority, delay_s, zh, en) = match &p.sensor_fault {
        Some(f) => (f.priority, f.delay_s, f.action.as_str(), f.action_en.as_str()),
        None => (3, None, "", ""),
    };
    let preset = presets::at_pace(presets::SENSOR_FAULT_ON, period(p));
    let or = |text: &str, default: &str| -> Text { if text.is_empty() { default.into() } else { text.into() } };
    Rule {
        point: (&p.key).into(),
        condition: Condition::SensorFault,
        priority,
        on_delay: delay_s.map_or(preset, |s| seconds.duration(|| format!("point[{}].sensor_fault.delay_s", p.key), s)),
        off_delay: Duration::from_secs(2),
        action: or(zh, FAULT_ACTION_ZH),
        action_en: or(en, FAULT_ACTION_EN),
        cause: "探头损坏、断线、失电或信号超出允许范围".into(),
        consequence: "该处失去监测，超限不能被发现".into(),
        ..Rule::default()
    }
}

pub(super) fn kind(word: KindWord) -> PointKind {
    match word {
        KindWord::Gas => PointKind::Gas,
        KindWord::Pressure => PointKind::Pressure,
        KindWord::Temperature => PointKind::Temperature,
        KindWord::Level => PointKind::Level,
        KindWord::Flow => PointKind::Flow,
        KindWord::Speed => PointKind::Speed,
        KindWord::Percent => PointKind::Percent,
        KindWord::State => PointKind::State,
        KindWord::Other => PointKind::Other,
    }
}

fn source(s: &SourceTable) -> Source {
    Source {
        key: s.key.clone(),
        name: s.name.clone(),
        name_en: s.name_en.clone(),
        s: s.s,
        r: s.r,
        grade: s.grade,
        responsible_roles: s.responsible_roles.clone(),
        responsible_roles_en: s.responsible_roles_en.clone().unwrap_or_default(),
    }
}

fn risk(r: &RiskTable) -> Risk {
    Risk {
        key: r.key.clone(),
        name: r.name.clone(),
        name_en: r.name_en.clone(),
        area: r.area.clone(),
        level: match r.level {
            LevelWord::Major => RiskLevel::Major,
            LevelWord::Considerable => RiskLevel::Considerable,
            LevelWord::General => RiskLevel::General,
            LevelWord::Low => RiskLevel::Low,
        },
        accident_type: r.accident_type.clone(),
        leader_role: r.leader_role.clone(),
        leader_role_en: r.leader_role_en.clone().unwrap_or_default(),
        source: r.source.clone(),
    }
}

fn measure(m: &MeasureTable) -> Measure {
    Measure {
        key: m.key.clone(),
        risk: m.risk.clone(),
        text: m.text.clone(),
        text_en: m.text_en.clone(),
        responsible_role: m.responsible_role.clone(),
        responsible_role_en: m.responsible_role_en.clone().unwrap_or_default(),
        evidence: match &m.watched {
            Some(points) => Evidence::Watched { points: points.clone() },
            None => Evidence::Inspected,
        },
    }
}

/// Names of instruments, votes, suppressions, first-out groups and units.
pub(super) fn names(file: &SiteFile, book: &RuleBook) -> Names {
    let mut all = BTreeMap::new();
    let mut put = |key: &str, zh: &str, en: &str| {
        all.insert(key.to_owned(), (titled(key, zh), titled(key, en)));
    };
    for d in &file.device {
        put(&d.key, d.name.as_ref().unwrap_or(&d.key), d.name_en.as_ref().unwrap_or(&d.key));
    }
    book.votes().iter().for_each(|v| put(&v.key, &v.name, &v.name_en));
    book.suppressions().iter().for_each(|s| put(&s.key, &s.name, &s.name_en));
    book.first_out_groups().iter().for_each(|g| put(&g.key, &g.name, &g.name_en));
    book.plant_units().iter().for_each(|u| put(&u.key, &u.name, &u.name_en));
    Names(all)
}

/// The areas, each as bad as its worst risk; one without a risk is not low, it is not assessed.
pub(super) fn area_views(file: &SiteFile, risks: &[Risk]) -> Vec<AreaView> {
    let level = |key: &str| match risks.iter().filter(|r| r.area == key).map(|r| r.level).min() {
        Some(RiskLevel::Major) => "major",
        Some(RiskLevel::Considerable) => "considerable",
        Some(RiskLevel::General) => "general",
        Some(RiskLevel::Low) => "low",
        None => "not_assessed",
    };
    let view = |a: &super::file::AreaTable| AreaView {
        key: a.key.clone(),
        name: a.name.clone(),
        name_en: a.name_en.clone(),
        polygon: a.polygon.clone(),
        level: level(&a.key).to_owned(),
    };
    file.area.iter().map(view).collect()
}
