//! Areas of which the register says nothing: the page shows them without a colour (未评估), and `check` says so before the township asks.
//!
//! Owns that warning. Leaves the level of an area to `parts`, references to `build`.

use super::diagnostic::Finding;
use super::file::SiteFile;

/// One warning for each area without a risk; none for a site that has registered none yet, which the summary says in one number.
pub(super) fn check(file: &SiteFile, findings: &mut Vec<Finding>) {
    // An entry that was wrong may be the area's only one: it is mended first.
    let is_register_wrong = findings.iter().any(|f| f.fatal && f.path.starts_with("risk["));
    if file.risk.is_empty() || is_register_wrong {
        return;
    }
    let bare = file.area.iter().filter(|area| !file.risk.iter().any(|risk| risk.area == area.key));
    findings.extend(bare.map(|area| {
        Finding::fatal(
            format!("area[{}]", area.key),
            (
                format!("区域 {} 没有登记风险，页面和四色图上显示“未评估”，不着色", area.key),
                format!(
                    "no risk is registered for area {}: the page and the four-colour plan show it as not assessed, without a colour",
                    area.key
                ),
            ),
            (
                format!("评估后添加 [[risk]]，其中 area = \"{}\"，低风险也要写 level = \"low\"", area.key),
                format!(
                    "assess it and add a [[risk]] with area = \"{}\", also a low one with level = \"low\"",
                    area.key
                ),
            ),
        )
        .warning()
    }));
}

#[cfg(test)]
mod tests {
    use crate::config::{Diagnostic, Site, site_from_text};

    /// The smallest example with a second area, and a risk of the first where `risk` is.
    fn read(risk: bool) -> (Site, Vec<Diagnostic>) {
        let minimal = include_str!("../../examples/minimal-site.toml");
        let mut text = format!("{minimal}\n[[area]]\nkey = \"A2\"\nname = \"泵房\"\nname_en = \"Pump house\"\n");
        text.push_str("polygon = [[150, 70], [270, 70], [270, 120]]\n");
        if risk {
            text.push_str(
                "[[risk]]\nkey = \"RA-01\"\nname = \"泄漏\"\nname_en = \"Leak\"\narea = \"A1\"\nlevel = \"low\"\naccident_type = \"中毒\"\n\
                 leader_role = \"厂长\"\nleader_role_en = \"Plant manager\"\n\
                 [[measure]]\nkey = \"RA-01.M1\"\nrisk = \"RA-01\"\ntext = \"巡检\"\ntext_en = \"Inspection\"\n\
                 responsible_role = \"班长\"\nresponsible_role_en = \"Shift leader\"\n",
            );
        }
        let read = site_from_text("site.toml", &text, |_| {});
        (read.value.unwrap(), read.diagnostics)
    }

    fn levels(site: &Site) -> Vec<&str> {
        site.view.areas.iter().map(|area| area.level.as_str()).collect()
    }

    #[test]
    fn an_area_that_nobody_has_assessed_has_no_level_and_check_says_where() {
        let (site, said) = read(true);
        assert_eq!(levels(&site), ["low", "not_assessed"]);
        let paths: Vec<_> = said.iter().map(|d| (d.path.as_str(), d.fatal)).collect();
        assert_eq!(paths, [("area[A2]", false)], "{said:?}");
    }

    #[test]
    fn a_site_that_has_registered_no_risk_yet_is_not_assessed_anywhere_and_check_says_it_by_number_only() {
        let (site, said) = read(false);
        assert_eq!(levels(&site), ["not_assessed", "not_assessed"]);
        assert_eq!(said, []);
    }
}
