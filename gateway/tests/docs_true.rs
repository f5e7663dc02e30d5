//! The guide's examples are run as they stand.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::os::unix::fs::PermissionsExt;
use support::{Site, binary, ended, hazard_gateway};

const GUIDE: &str = include_str!("../../docs/configure.md");

/// The text of the first block that opens with these words.
fn block(opening: &str) -> &'static str {
    let (_, from) = GUIDE.split_once(&format!("```{opening}\n")).unwrap();
    from.split_once("```").unwrap().0
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
