//! The register: sources, risks, measures.

use super::report::Report;
use crate::book::BookParts;
use crate::risk::Evidence;
use std::collections::HashSet;

pub(super) fn register(r: &mut Report, parts: &BookParts, points: &HashSet<&str>) {
    let sources = r.keys("sources", parts.sources.iter().map(|s| s.key.as_str()));
    let risks = r.keys("risks", parts.risks.iter().map(|x| x.key.as_str()));
    r.keys("measures", parts.measures.iter().map(|m| m.key.as_str()));
    for s in &parts.sources {
        if !(1..=4).contains(&s.grade) || !s.s.is_finite() || !s.r.is_finite() {
            r.error(
                format!("sources[{}].grade", s.key),
                "重大危险源等级不在一至四级，或 S、R 不是有限数",
                "the grade is not 1 … 4, or S or R is not finite",
                ("按 GB 18218 计算", "compute it after GB 18218"),
            );
        }
    }
    for x in &parts.risks {
        r.area(format!("risks[{}].area", x.key), &x.area, &parts.areas);
        if let Some(source) = &x.source {
            r.known(format!("risks[{}].source", x.key), ("重大危险源", "source"), source, &sources);
        }
    }
    for m in &parts.measures {
        r.known(format!("measures[{}].risk", m.key), ("风险", "risk"), &m.risk, &risks);
        let Evidence::Watched { points: watched } = &m.evidence else { continue };
        if watched.is_empty() {
            r.error(
                format!("measures[{}].points", m.key),
                "自动监控的措施没有对应测点",
                "a watched measure watches no point",
                ("列出测点，或改为人工排查", "list its points, or make it inspected"),
            );
        }
        for key in watched {
            r.known(format!("measures[{}].points", m.key), ("测点", "point"), key, points);
        }
    }
}
