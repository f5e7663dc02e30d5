//! What the four-colour plan cannot draw: the page lists it below the plan, and `check` says so before somebody looks for it.

use super::diagnostic::Finding;
use super::file::SiteFile;

/// Corners of the smallest outline.
const OUTLINE_LEAST: usize = 3;

/// One warning for each area without an outline; none for a site where no area has one, for it has no plan at all.
pub(super) fn check(file: &SiteFile, findings: &mut Vec<Finding>) {
    let drawn = |corners: usize| corners >= OUTLINE_LEAST;
    if !file.area.iter().any(|area| drawn(area.polygon.len())) {
        return;
    }
    let bare = file.area.iter().filter(|area| !drawn(area.polygon.len()));
    findings.extend(bare.map(|area| {
        Finding::fatal(
            format!("area[{}]", area.key),
            (
                format!("区域 {} 没有轮廓，四色图上画不出，只列在图下", area.key),
                format!("area {} has no outline: it is listed below the plan, not drawn", area.key),
            ),
            (
                "写 polygon = [[东, 北], …]，至少三个角，单位米，以厂区西南角为原点".into(),
                "write polygon = [[east, north], …], three corners or more, in metres from the south-west corner"
                    .into(),
            ),
        )
        .warning()
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(areas: &[&[(f64, f64)]]) -> usize {
        let mut file = SiteFile::default();
        for (n, polygon) in areas.iter().enumerate() {
            file.area.push(crate::config::file::AreaTable {
                key: format!("A{n}"),
                name: String::new(),
                name_en: String::new(),
                polygon: polygon.to_vec(),
            });
        }
        let mut findings = Vec::new();
        check(&file, &mut findings);
        findings.len()
    }

    #[test]
    fn an_area_that_the_plan_cannot_draw_is_said_unless_there_is_no_plan() {
        let square: &[(f64, f64)] = &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)];
        assert_eq!(said(&[square, &[], &[(0.0, 0.0)]]), 2);
        assert_eq!(said(&[square]), 0);
        assert_eq!(said(&[&[]]), 0);
    }
}
