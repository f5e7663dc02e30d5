//! Risks, measures and what they name: the part of the file that an inspector reads.
//!
//! Owns references from and to the register, with the nearest key as remedy, and that nothing in it is left to nobody. Leaves numbers
//! to `rules::RuleBook`.

use super::diagnostic::Finding;
use super::file::{LevelWord, RiskTable, SiteFile, SourceTable};
use super::nearest::did_you_mean;
use std::collections::BTreeSet;

/// Checks the register and the points' devices; `broken` are keys of entries already reported.
pub(super) fn check(file: &SiteFile, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let mut names = Names { broken, findings };
    let devices: Vec<&str> = file.device.iter().map(|d| d.key.as_str()).collect();
    let points: Vec<&str> = file.point.iter().map(|p| p.key.as_str()).collect();
    let sources: Vec<&str> = file.source.iter().map(|s| s.key.as_str()).collect();
    let risks: Vec<&str> = file.risk.iter().map(|r| r.key.as_str()).collect();
    for p in &file.point {
        names.known(format!("point[{}].device", p.key), ("设备", "device"), &p.device, &devices);
    }
    for r in &file.risk {
        if let Some(source) = &r.source {
            names.known(format!("risk[{}].source", r.key), ("重大危险源", "source"), source, &sources);
        }
        names.somebody(format!("risk[{}].leader_role", r.key), &r.leader_role);
    }
    for m in &file.measure {
        names.known(format!("measure[{}].risk", m.key), ("风险", "risk"), &m.risk, &risks);
        names.somebody(format!("measure[{}].responsible_role", m.key), &m.responsible_role);
        for (i, point) in m.watched.iter().flatten().enumerate() {
            names.known(format!("measure[{}].watched[#{i}]", m.key), ("测点", "point"), point, &points);
        }
    }
    for risk in file.risk.iter().filter(|r| !file.measure.iter().any(|m| m.risk == r.key)) {
        findings.push(without_measures(risk));
    }
    findings.extend(file.source.iter().filter_map(grade));
}

struct Names<'a> {
    broken: &'a BTreeSet<String>,
    findings: &'a mut Vec<Finding>,
}

impl Names<'_> {
    fn known(&mut self, path: String, what: (&str, &str), key: &str, keys: &[&str]) {
        if !keys.contains(&key) && !self.broken.contains(key) {
            let message = (format!("没有名为 {key} 的{}", what.0), format!("there is no {} `{key}`", what.1));
            self.findings.push(Finding::fatal(path, message, did_you_mean(key, keys)));
        }
    }

    fn somebody(&mut self, path: String, role: &str) {
        if role.trim().is_empty() {
            self.findings.push(Finding::fatal(
                path,
                ("没有写明责任岗位".into(), "nobody is responsible".into()),
                (
                    "写岗位，例如 \"车间主任\"，不写人名".into(),
                    "name a post such as \"车间主任\", never a person".into(),
                ),
            ));
        }
    }
}

/// A risk without measures is a risk nobody controls; for the two upper levels that is not a matter of taste.
fn without_measures(risk: &RiskTable) -> Finding {
    let finding = Finding::fatal(
        format!("risk[{}]", risk.key),
        (format!("风险 {} 没有任何管控措施", risk.key), format!("the risk {} has no measure", risk.key)),
        (
            format!("添加 [[measure]]，其中 risk = \"{}\"", risk.key),
            format!("add a [[measure]] with risk = \"{}\"", risk.key),
        ),
    );
    if matches!(risk.level, LevelWord::Major | LevelWord::Considerable) { finding } else { finding.warning() }
}

/// GB 18218: R ≥ 100 is grade 1, ≥ 50 grade 2, ≥ 10 grade 3, below that grade 4.
fn grade(source: &SourceTable) -> Option<Finding> {
    let due = match source.r {
        r if r >= 100.0 => 1,
        r if r >= 50.0 => 2,
        r if r >= 10.0 => 3,
        _ => 4,
    };
    ((1..=4).contains(&source.grade) && source.grade != due).then(|| {
        Finding::fatal(
            format!("source[{}].grade", source.key),
            (
                format!("R = {} 应为 {due} 级，写成了 {} 级", source.r, source.grade),
                format!("R = {} makes grade {due}, not {}", source.r, source.grade),
            ),
            (
                format!("按 GB 18218 核对 R，或写 grade = {due}"),
                format!("check R after GB 18218, or write grade = {due}"),
            ),
        )
        .warning()
    })
}
