//! Layers from outside: the file, `conf.d/*.toml` beside it in order of name, variables. And from which of them a defect came.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::Value;
use support::{Ended, Gateway, Site, binary, ended};

fn conf_d(site: &Site, name: &str, text: &str) {
    let folder = site.folder().join("conf.d");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

fn check(site: &Site, variables: &[(&str, &str)], json: bool) -> Ended {
    let mut command = binary();
    command.arg("check").arg("--config").arg(site.file()).envs(variables.iter().copied());
    if json {
        command.arg("--json");
    }
    ended(command, "")
}

/// File name, line and path of every defect.
fn defects(site: &Site, variables: &[(&str, &str)]) -> Vec<(String, u64, String)> {
    let checked = check(site, variables, true);
    let list: Vec<Value> = serde_json::from_str(&checked.out).unwrap();
    let place = |d: &Value| {
        let file = d["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (file, d["line"].as_u64().unwrap(), d["path"].as_str().unwrap().to_owned())
    };
    list.iter().map(place).collect()
}

#[test]
fn a_defect_is_shown_in_the_layer_it_came_from() {
    let site = Site::minimal();
    assert_eq!(defects(&site, &[]), []);
    conf_d(&site, "10-web.toml", "# first\n[web]\nlisten = \"0.0.0.0:80\"\n");
    let web = "web.listen".to_owned();
    assert_eq!(defects(&site, &[]), [("10-web.toml".to_owned(), 3, web.clone())]);
    // the next file mends it, the one after breaks it again, a variable mends it, another breaks it
    conf_d(&site, "20-web.toml", "[web]\nlisten = \"127.0.0.1:81\"\n");
    assert_eq!(defects(&site, &[]), []);
    conf_d(&site, "30-web.toml", "web.listen = \"0.0.0.0:82\"\n");
    assert_eq!(defects(&site, &[]), [("30-web.toml".to_owned(), 1, web.clone())]);
    assert_eq!(defects(&site, &[("HAZARD_GATEWAY__WEB__LISTEN", "127.0.0.1:83")]), []);
    let broken = [("HAZARD_GATEWAY__WEB__LISTEN", "0.0.0.0:84")];
    assert_eq!(defects(&site, &broken), [("环境变量 environment".to_owned(), 1, web)]);
    let shown = check(&site, &broken, false);
    assert!(shown.err.contains("HAZARD_GATEWAY__WEB__LISTEN") && shown.err.contains("0.0.0.0:84"), "{}", shown.err);
    assert_eq!(shown.code, 2);
}

#[test]
fn names_that_are_not_toml_are_no_layer_and_a_syntax_error_names_its_file() {
    let site = Site::minimal();
    conf_d(&site, "notes.txt", "[[[");
    conf_d(&site, "10.toml.bak", "[[[");
    assert_eq!(defects(&site, &[]), []);
    conf_d(&site, "10-half.toml", "[web]\nlisten =\n");
    assert_eq!(defects(&site, &[]), [("10-half.toml".to_owned(), 2, String::new())]);
}

#[test]
fn lists_of_a_later_file_are_added_and_a_key_used_in_two_files_is_a_defect_of_the_second() {
    let site = Site::minimal();
    let point = "[[point]]\nkey = \"GT-102\"\nname = \"x\"\nname_en = \"x\"\ndevice = \"DET-101\"\nfield = \"concentration\"\n\
        kind = \"gas\"\nrange = [0, 100]\n";
    conf_d(&site, "10-more.toml", point);
    let both = check(&site, &[], false);
    assert!(both.code == 0 && both.out.contains("2 个测点"), "{both:?}");
    conf_d(&site, "20-again.toml", &format!("{point}limits.H = {{ limit = 500, priority = 3 }}\n"));
    assert_eq!(
        defects(&site, &[]),
        [
            ("20-again.toml".to_owned(), 2, "point[GT-102~2].key".to_owned()),
            ("20-again.toml".to_owned(), 9, "point[GT-102~2].limits.H.limit".to_owned()),
        ]
    );
}

#[test]
fn variables_keep_their_kind_and_a_wrong_one_is_refused() {
    let site = Site::minimal();
    let good = [
        ("HAZARD_GATEWAY__HISTORY__MAX_GB", "4"),
        ("HAZARD_GATEWAY__SITE__NAME", "东厂 # 2"),
        ("HAZARD_GATEWAY__SITE__PLAN", "[300, 200]"),
        ("HAZARD_GATEWAY__WEB__ALLOW_PLAIN_HTTP", "true"),
        ("HAZARD_GATEWAYS_OTHER", "x"),
    ];
    let checked = check(&site, &good, false);
    assert!(checked.code == 0 && checked.out.contains("东厂 # 2"), "{checked:?}");
    for (name, value, path) in [
        ("HAZARD_GATEWAY__HISTORY__MAX_GB", "4.5", "history.max_gb"),
        ("HAZARD_GATEWAY__HISTORY__MAX_GB", "four", "history.max_gb"),
        ("HAZARD_GATEWAY__HISTORY__MAX_GIB", "4", "history.max_gib"),
        ("HAZARD_GATEWAY__SIT__KEY", "x", "sit"),
        ("HAZARD_GATEWAY__SITE__KEY", "5", "site.key"),
    ] {
        let found = defects(&site, &[(name, value)]);
        assert_eq!(found, [("环境变量 environment".to_owned(), 1, path.to_owned())], "{name}={value}");
    }
}

#[test]
fn the_running_gateway_sees_the_same_layers_as_check() {
    let site = Site::minimal();
    conf_d(&site, "10-name.toml", "[site]\nname = \"西厂\"\n");
    let mut command = binary();
    command.arg("run").arg("--config").arg(site.file()).env("HAZARD_GATEWAY__SITE__DATA_DIR", "elsewhere");
    let _gateway = Gateway::start(&mut command);
    assert!(site.folder().join("elsewhere/records.db").exists());
    assert!(!site.data().exists());
}

#[test]
fn what_no_file_has_is_missing_in_the_one_that_was_given() {
    let site = Site::minimal();
    let text = std::fs::read_to_string(site.file()).unwrap();
    let (before, rest) = text.split_once("[[call]]").unwrap();
    let (_, after) = rest.split_once("[[link]]").unwrap();
    std::fs::write(site.file(), format!("{before}[[link]]{after}")).unwrap();
    conf_d(&site, "tags.toml", "# generated\n[history]\nmax_gb = 4\n");
    let nobody = [("site.toml".to_owned(), 1, "call".to_owned())];
    assert_eq!(defects(&site, &[]), nobody);
    assert_eq!(defects(&site, &[("HAZARD_GATEWAY__HISTORY__MAX_GB", "8")]), nobody);
}
