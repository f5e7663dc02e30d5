//! What a site lacks altogether: a table, every entry of a list, anything to read.
//!
//! Owns the lines to add. Leaves a word that is merely misspelt to [`super::words`].

use super::diagnostic::Finding;
use super::file::SiteFile;
use super::nearest::did_you_mean;
use std::collections::BTreeSet;

/// A table that is absent; one that is there but wrong has been reported by its shape.
pub(super) fn missing_table(missing: bool, name: &str, table: &toml::Table, findings: &mut Vec<Finding>) {
    if missing && !table.contains_key(name) {
        findings.push(Finding::fatal(
            name,
            (format!("缺少表 [{name}]"), format!("the table [{name}] is missing")),
            (format!("加上 [{name}]，见示例文件"), format!("add [{name}]; the examples show how")),
        ));
    }
}

/// What to do about `word`, which is in the list `[[list]]` not yet: a near one, or the lines to add where there is none at all.
pub(super) fn of_the_known(list: &str, word: &str, keys: &[&str]) -> (String, String) {
    let lines = match list {
        "link" => ["tcp = \"192.168.10.21:502\""].as_slice(),
        _ => ["name = \"液氨罐区\"", "name_en = \"Ammonia tanks\""].as_slice(),
    };
    if !keys.is_empty() {
        return did_you_mean(word, keys);
    }
    let (below, beside) = (lines.join("\n"), lines.join(", "));
    (
        format!("还没有配置任何 [[{list}]]，在站点文件里加上（按现场改）：\n[[{list}]]\nkey = \"{word}\"\n{below}"),
        format!(
            "there is no [[{list}]] yet: add one to the site file, with key = \"{word}\", {beside} as they are on site"
        ),
    )
}

/// Of many entries that name one absent link or area only the first shows the lines.
pub(super) fn show_lines_once(findings: &mut [Finding]) {
    let mut shown = BTreeSet::new();
    for finding in findings.iter_mut().filter(|finding| finding.remedy_zh.contains("\n[[")) {
        if !shown.insert(finding.remedy_zh.clone()) {
            finding.remedy_zh = "同前：加上前面列出的几行".into();
            finding.remedy_en = "as before: add the lines that were shown".into();
        }
    }
}

/// A site without a point that is read: it would run, and never have an alarm.
pub(super) fn nothing_read(file: &SiteFile, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let is_of_points = |finding: &Finding| finding.fatal && finding.path.starts_with("point");
    if file.point.iter().any(|p| p.expression.is_none()) || !broken.is_empty() || findings.iter().any(is_of_points) {
        return;
    }
    let message = (
        "没有读取任何测点：这个站点不会有任何测量值和报警".into(),
        "no point is read: this site has no measurement and no alarm".into(),
    );
    let remedy = (
        "加上 [[link]]、[[device]] 和 [[point]]（见示例 minimal-site.toml），或由位号表生成：hazard-gateway import --template".into(),
        "add a [[link]], a [[device]] and a [[point]], as in the example minimal-site.toml, or make them from a tag list: hazard-gateway \
         import --template"
            .into(),
    );
    findings.push(Finding::fatal("point", message, remedy).warning());
}

#[cfg(test)]
mod tests {
    use crate::config::own::CARD;
    use crate::config::{Diagnostic, site_from_text};

    const HEAD: &str = "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n";

    fn said(text: &str) -> Vec<Diagnostic> {
        site_from_text("site.toml", text, |_| ()).diagnostics
    }

    #[test]
    fn a_site_that_reads_no_point_is_a_warning_with_what_to_do() {
        let found = said(HEAD);
        let one = found.iter().find(|d| d.message_en.contains("no point is read")).unwrap();
        assert!(!one.fatal && one.file == "site.toml" && one.remedy_zh.contains("import --template"), "{one:?}");
        let of_points = |text: &str| said(text).iter().filter(|d| d.message_en.contains("no point is read")).count();
        assert_eq!(
            of_points(&format!("{HEAD}[[point]]\nname = 5\n")),
            0,
            "what is wrong with it is said, not that it is none"
        );
        assert_eq!(of_points(&format!("{HEAD}[[points]]\nkey = \"P\"\n")), 0);
        assert_eq!(of_points(CARD), 1);
    }

    #[test]
    fn where_no_link_and_no_area_is_configured_the_lines_to_add_are_shown() {
        let device =
            "[[device]]\nkey = \"CARD\"\nlink = \"gas-bus\"\nunit = 1\nprofile = \"adam-4117\"\narea = \"A1\"\n";
        let found = said(&format!("{HEAD}{device}"));
        let remedy = |path: &str| {
            let one = found.iter().find(|d| d.path == path).unwrap();
            (one.remedy_zh.clone(), one.remedy_en.clone())
        };
        let (zh, en) = remedy("device[CARD].link");
        assert!(zh.ends_with("\n[[link]]\nkey = \"gas-bus\"\ntcp = \"192.168.10.21:502\""), "{zh}");
        assert!(en.contains("[[link]]") && en.contains("key = \"gas-bus\", tcp = "), "{en}");
        let (zh, _) = remedy("device[CARD].area");
        assert!(zh.ends_with("\n[[area]]\nkey = \"A1\"\nname = \"液氨罐区\"\nname_en = \"Ammonia tanks\""), "{zh}");
        let lines: String = ["device[CARD].link", "device[CARD].area"]
            .map(|path| remedy(path).0.split_once('\n').unwrap().1.to_owned() + "\n")
            .concat();
        let mended = said(&format!("{HEAD}{device}{lines}"));
        assert!(mended.iter().all(|d| !d.fatal), "the lines are a configuration: {mended:?}");
    }

    #[test]
    fn a_hundred_instruments_on_one_absent_link_show_the_lines_once() {
        let device = |n: u8| {
            format!(
                "[[device]]\nkey = \"D{n}\"\nlink = \"gas-bus\"\nunit = {n}\nprofile = \"adam-4117\"\narea = \"A1\"\n"
            )
        };
        let devices: String = (1..=100).map(device).collect();
        let found = said(&format!("{HEAD}{devices}"));
        let with_lines: Vec<&str> =
            found.iter().filter(|d| d.remedy_zh.contains("\n[[")).map(|d| d.path.as_str()).collect();
        assert_eq!(with_lines, ["device[D1].link", "device[D1].area"]);
        assert_eq!(found.iter().filter(|d| d.remedy_zh.starts_with("同前")).count(), 198);
    }
}
