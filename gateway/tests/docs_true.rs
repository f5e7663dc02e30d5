//! The guide's examples are run as they stand.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use support::{Site, binary, ended, hazard_gateway};

const GUIDE: &str = include_str!("../../docs/configure.md");
const OPERATE: &str = include_str!("../../docs/operate.md");
const FIRST: &str = include_str!("../../docs/first-site.md");
const ALARMS: &str = include_str!("../../docs/alarms.md");

/// What the tables of docs/alarms.md refer to.
const AROUND_ALARMS: &str = r#"
[site]
key = "east-plant"
name = "东厂"
name_en = "East plant"
[[area]]
key = "A1"
name = "液氨罐区"
name_en = "Ammonia tanks"
[[link]]
key = "plc"
tcp = "192.0.2.1:502"
[[device]]
key = "reactor"
link = "plc"
unit = 1
profile = "tank-f32"
area = "A1"
[[device]]
key = "utilities"
link = "plc"
unit = 2
profile = "utility-io"
area = "A1"
[[point]]
key = "ZS-301"
name = "风机运行"
name_en = "Fan running"
device = "utilities"
field = "scrubber_fan"
kind = "state"
"#;

/// The three members of the vote.
fn detectors() -> String {
    let one = |n: u8| {
        format!(
            r#"
[[device]]
key = "gas-{n}"
link = "plc"
unit = 1{n}
profile = "gas-module-b"
area = "A1"
[[point]]
key = "GT-10{n}"
name = "氨气"
name_en = "Ammonia"
device = "gas-{n}"
field = "concentration"
kind = "gas"
substance = "NH3"
unit = "ppm"
range = [0, 100]
limits.HH = {{ limit = 50, priority = 2, cause = "泄漏", consequence = "中毒", action = "撤离", action_en = "Evacuate" }}
"#
        )
    };
    [1, 2, 3].map(one).concat()
}

/// The text of the first block that opens with these words.
fn block(opening: &str) -> &'static str {
    blocks(GUIDE, opening).next().unwrap()
}

/// The texts of all blocks of a page that open with these words.
fn blocks(page: &'static str, opening: &str) -> impl Iterator<Item = &'static str> {
    let fence = format!("```{opening}\n");
    page.split("\n```\n").filter_map(move |part| Some(part.split_once(&fence)?.1))
}

/// Names of all properties of a JSON Schema, at any depth.
fn properties(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(serde_json::Value::Object(own)) = map.get("properties") {
                found.extend(own.keys().cloned());
            }
            map.values().for_each(|value| properties(value, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_schemas_is_in_the_guide() {
    let (_, reference) = GUIDE.split_once("## Every key").unwrap();
    let mut keys = BTreeSet::new();
    for arguments in [&["schema"][..], &["schema", "--office"]] {
        let mut command = binary();
        command.args(arguments);
        let printed = ended(command, "");
        properties(&serde_json::from_str(&printed.out).unwrap(), &mut keys);
    }
    let words: BTreeSet<&str> = reference.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let missing: Vec<_> = keys.iter().filter(|key| !words.contains(key.as_str())).collect();
    assert!(keys.len() > 100 && missing.is_empty(), "not in docs/configure.md under Every key: {missing:?}");
}

#[test]
fn the_alarm_tables_of_the_guide_have_no_defects() {
    let shown = blocks(ALARMS, "toml").collect::<Vec<_>>().join("\n");
    let checked = hazard_gateway(&Site::of(&format!("{AROUND_ALARMS}{}{shown}", detectors())), &["check"], "");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{}", checked.out);
}

#[test]
fn the_annunciator_of_the_guide_has_no_defects() {
    let shown = blocks(OPERATE, "toml").collect::<String>();
    assert!(shown.contains("[annunciator]"));
    let level = "[[point]]\nkey = \"LT-900\"\nname = \"液位\"\nname_en = \"Level\"\ndevice = \"reactor\"\nfield = \"level_a\"\n\
                 kind = \"level\"\nunit = \"m\"\nrange = [0, 10]\n";
    let checked = hazard_gateway(&Site::of(&format!("{AROUND_ALARMS}{level}{shown}")), &["check"], "");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{}", checked.out);
}

#[test]
fn the_example_has_no_defects() {
    let site = Site::of(&block("toml").replace("/etc/hazard-gateway/secrets/", "secret-"));
    for name in ["secret-mqtt", "secret-influx-token"] {
        let file = site.folder().join(name);
        std::fs::write(&file, "secret\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let checked = hazard_gateway(&site, &["check"], "");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
}

#[test]
fn the_first_site_has_no_defects_with_the_row_of_the_template_as_the_guide_changes_it() {
    let file = blocks(FIRST, "toml").next().unwrap();
    let site = Site::of(file);
    let import = |arguments: &[&str]| {
        let mut command = binary();
        command.arg("import").args(arguments).current_dir(site.folder());
        ended(command, "")
    };
    let list = import(&["--template"]).out.replace("GT-101", "GT-102").replace("DET-101", "DET-102");
    std::fs::write(site.folder().join("tags.csv"), list.replace(",bus-a,11,", ",bus-a,12,")).unwrap();
    std::fs::create_dir(site.folder().join("conf.d")).unwrap();
    let written = import(&["tags.csv", "--config", "site.toml", "--out", "conf.d/tags.toml"]);
    assert_eq!((written.code, written.err.as_str()), (0, ""));
    let checked = hazard_gateway(&site, &["check"], "");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{}", checked.out);
    assert!(checked.out.contains("0 error(s), 0 warning(s)"), "{}", checked.out);
}

#[test]
fn what_check_says_is_what_the_guide_shows() {
    let site = Site::of(block("toml broken"));
    let mut command = binary();
    command.args(["check", "--config", "site.toml"]).current_dir(site.folder());
    let checked = ended(command, "");
    assert_eq!(checked.code, 2);
    let said = format!("{}{}", checked.err, checked.out);
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert_eq!(said.join("\n"), block("text").trim_end());
}

#[test]
fn every_table_of_the_guides_has_its_head_so_that_no_row_is_shown_as_text() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for file in std::fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let begins = |n: &usize| lines[*n].starts_with('|') && (*n == 0 || !lines[n - 1].starts_with('|'));
        for n in (0..lines.len()).filter(begins) {
            let below =
                lines.get(n + 1).is_some_and(|line| line.starts_with('|') && line.chars().all(|c| "|-: ".contains(c)));
            assert!(below, "{}:{}: a row without a head", file.display(), n + 1);
        }
    }
}
