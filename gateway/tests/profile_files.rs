//! A profile of one's own, as `check` shows it: every mistake at its line of the profile, what is doubtful, and what its vectors prove.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::Value;
use support::{Ended, Site, hazard_gateway};

/// The minimal site with its detector described by `profiles/head.toml`, and the vectors of that where there are any.
fn site(profile: &str, vectors: Option<&str>) -> Site {
    let site = Site::minimal();
    let text = std::fs::read_to_string(site.file()).unwrap().replace("\"gas-module-b\"", "\"head\"");
    std::fs::write(site.file(), text).unwrap();
    std::fs::create_dir_all(site.folder().join("profiles/vectors")).unwrap();
    std::fs::write(site.folder().join("profiles/head.toml"), profile).unwrap();
    if let Some(vectors) = vectors {
        std::fs::write(site.folder().join("profiles/vectors/head.toml"), vectors).unwrap();
    }
    site
}

fn check(site: &Site, more: &[&str]) -> Ended {
    hazard_gateway(site, &[&["check"], more].concat(), "")
}

/// File, line, words of both languages and the remedy of each, in the order of the file.
fn defects(site: &Site) -> Vec<(String, u64, String)> {
    let checked = check(site, &["--json"]);
    let all: Vec<Value> = serde_json::from_str(&checked.out).unwrap_or_else(|_| panic!("{checked:?}"));
    let word = |d: &Value, key: &str| d[key].as_str().unwrap().to_owned();
    let one = |d: &Value| {
        let said = ["message_zh", "message_en", "remedy_zh", "remedy_en"].map(|key| word(d, key));
        assert!(said.iter().all(|text| !text.is_empty()), "{d}");
        let fatal = if d["fatal"] == true { "error" } else { "warning" };
        (word(d, "file"), d["line"].as_u64().unwrap(), format!("{fatal} {}", said.join(" | ")))
    };
    all.iter().map(one).collect()
}

/// Each of `expected` is a line of `text` and words of what is said there; nothing else is said.
fn are_said(found: &[(String, u64, String)], file: &str, text: &str, expected: &[(&str, &str)]) {
    for (line, words) in expected {
        let n = 1 + text.lines().position(|l| l == *line).unwrap_or_else(|| panic!("no line {line}")) as u64;
        let is_it = |(f, l, said): &&(String, u64, String)| f.ends_with(file) && *l == n && said.contains(words);
        assert!(found.iter().any(|one| is_it(&one)), "{line}: {words}\n{found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

const HEAD: &str = "title_zh = \"头\"\ntitle_en = \"head\"\n";

#[test]
fn every_mistake_of_a_profile_is_shown_at_its_own_line_with_its_remedy() {
    let profile = [
        HEAD,
        "adress_base = 1\n[field.concentration]\naddress = \"x1\"\ntype = \"u17\"\nscale = 0.0\nstatus = [\"state\", \"none\"]\n",
        "[status.state]\naddress = 7\n[limits]\nmax_registers = 300\nmax_bits = \"x\"\n",
    ]
    .concat();
    let site = site(&profile, None);
    let expected = [
        ("adress_base = 1", "did you mean `address_base`"),
        ("address = \"x1\"", "the reference \"40001\""),
        ("type = \"u17\"", "did you mean `u16`"),
        ("scale = 0.0", "scale not 0"),
        ("status = [\"state\", \"none\"]", "[status.none]"),
        ("[status.state]", "values = { 0 = \"ok\" }"),
        ("max_registers = 300", "use 1 to 125"),
        ("max_bits = \"x\"", "`docs/profiles.md` lists what is allowed"),
    ];
    are_said(&defects(&site), "profiles/head.toml", &profile, &expected);
    let shown = check(&site, &[]);
    assert_eq!(shown.code, 2);
    assert!(shown.err.contains("profiles/head.toml:3:") && shown.out.contains("8 error(s)"), "{shown:?}");
}

#[test]
fn a_mistake_of_grammar_is_shown_in_the_profile() {
    let profile = format!("{HEAD}[field.concentration]\naddress = \ntype = \"u16\"\n");
    let found = defects(&site(&profile, None));
    assert!(found.len() == 1 && found[0].0.ends_with("profiles/head.toml") && found[0].1 == 4, "{found:#?}");
}

#[test]
fn a_bare_reference_and_a_table_that_nobody_names_are_warnings_at_their_lines() {
    let profile = format!(
        "{HEAD}[field.concentration]\naddress = 40002\ntype = \"u16\"\nunit = \"ppm\"\n[status.state]\naddress = 1\nbits = {{ 5 = \"fault\" }}\n"
    );
    let site = site(&profile, None);
    let expected = [
        ("address = 40002", "warning address = 40002 没有引号：读的是功能码 3、地址 40002（0x9C42）"),
        ("[status.state]", "warning 没有任何量引用 [status.state]"),
    ];
    are_said(&defects(&site), "profiles/head.toml", &profile, &expected);
    let shown = check(&site, &[]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.out.contains("your own profile head: no vectors"), "{shown:?}");
}

#[test]
fn the_vectors_of_a_profile_are_run_and_one_that_differs_is_an_error_with_its_bytes() {
    let profile =
        format!("{HEAD}[field.concentration]\naddress = \"40002\"\ntype = \"u16\"\nscale = 0.1\nunit = \"ppm\"\n");
    let right = "[[vector]]\nblocks = { \"3:0\" = \"0000 00FA\" }\nexpect = { concentration = 25.0 }\n";
    let shown = check(&site(&profile, Some(right)), &[]);
    assert!(shown.code == 0 && shown.out.contains("your own profile head: 1 of 1 vectors agree"), "{shown:?}");

    let wrong =
        format!("{right}\n[[vector]]\nblocks = {{ \"3:0\" = \"0000 00FB\" }}\nexpect = {{ concentration = 2.51 }}\n");
    let site = site(&profile, Some(&wrong));
    let words = "vector[#1] differs: concentration should be 2.51, got 25.1; raw registers 3:1 = 00FB";
    are_said(&defects(&site), "profiles/vectors/head.toml", &wrong, &[("expect = { concentration = 2.51 }", words)]);
    assert_eq!(check(&site, &[]).code, 2);
}

#[test]
fn a_unit_that_is_not_the_profiles_is_told_with_its_size_and_both_ways_out() {
    let profile = format!("{HEAD}[field.concentration]\naddress = 1\ntype = \"u16\"\nunit = \"ppb\"\n");
    let site = site(&profile, None);
    let text = std::fs::read_to_string(site.file()).unwrap();
    let words = "give range and limits in ppb as well (1 ppm = 1000 ppb)";
    are_said(&defects(&site), "site.toml", &text, &[("unit = \"ppm\"", words)]);
}

#[test]
fn vectors_that_expect_nothing_are_errors_and_those_that_are_not_run_are_warnings() {
    let profile = format!("{HEAD}[field.concentration]\naddress = 1\ntype = \"u16\"\nunit = \"ppm\"\n");
    let empty = "[[vector]]\nblocks = { \"3:0\" = \"0000 00FA\" }\nexpect = {}\n";
    let site = site(&profile, Some(empty));
    let expected = [("expect = {}", "error 没有写任何期望值")];
    are_said(&defects(&site), "profiles/vectors/head.toml", empty, &expected);

    let vectors = site.folder().join("profiles/vectors");
    std::fs::write(vectors.join("head.toml"), "vector = []\n").unwrap();
    are_said(&defects(&site), "head.toml", "vector = []\n", &[("vector = []", "nothing is expected here")]);

    std::fs::rename(vectors.join("head.toml"), vectors.join("haed.toml")).unwrap();
    let found = defects(&site);
    assert!(found.len() == 1 && found[0].0.ends_with("profiles/vectors/haed.toml"), "{found:#?}");
    assert!(
        found[0].2.starts_with("warning") && found[0].2.contains("no device names the profile `haed`"),
        "{found:#?}"
    );
}

#[test]
fn the_vectors_of_a_shipped_profile_are_not_run_and_that_is_said() {
    let site = Site::minimal();
    std::fs::create_dir_all(site.folder().join("profiles/vectors")).unwrap();
    std::fs::write(site.folder().join("profiles/vectors/gas-module-b.toml"), "").unwrap();
    let found = defects(&site);
    assert!(
        found.len() == 1 && found[0].2.contains("there is no profiles/gas-module-b.toml of your own"),
        "{found:#?}"
    );
    assert_eq!(check(&site, &[]).code, 0);
}

#[test]
fn a_link_that_leads_nowhere_is_no_shipped_profile_and_a_file_called_profiles_is_no_folder() {
    let linked = Site::minimal();
    std::fs::create_dir_all(linked.folder().join("profiles")).unwrap();
    std::os::unix::fs::symlink("nowhere.toml", linked.folder().join("profiles/gas-module-b.toml")).unwrap();
    let found = defects(&linked);
    assert!(found.len() == 1 && found[0].0.ends_with("profiles/gas-module-b.toml"), "{found:#?}");
    assert!(found[0].2.starts_with("error") && found[0].2.contains("a link that leads nowhere"), "{found:#?}");

    let beside = Site::minimal();
    std::fs::write(beside.folder().join("profiles"), "").unwrap();
    assert_eq!(defects(&beside), []);
}

#[test]
fn a_misspelt_profile_of_ones_own_is_answered_with_the_file_that_is_there() {
    let site = Site::minimal();
    std::fs::create_dir_all(site.folder().join("profiles/vectors")).unwrap();
    std::fs::write(site.folder().join("profiles/acme-lt.toml"), HEAD).unwrap();
    let text = std::fs::read_to_string(site.file()).unwrap().replace("\"gas-module-b\"", "\"acme-lv\"");
    std::fs::write(site.file(), text).unwrap();
    let found = defects(&site);
    let [(_, _, said)] = found.as_slice() else { panic!("{found:#?}") };
    assert!(said.contains("没有名为 acme-lv 的仪表型号") && said.contains("是不是 acme-lt？可用：acme-lt, "), "{said}");
    assert!(said.contains("did you mean `acme-lt`?") && said.contains("gas-module-b"), "{said}");
}
