//! `user …` as an administrator meets it: before the gateway ever ran, and beside a running one.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use support::{Gateway, Site, hazard_gateway};

const SECRET: &str = "红杉木在雨后的山坡上生长";

#[test]
fn people_are_added_listed_and_shut_out_before_the_gateway_ever_ran() {
    let site = Site::minimal();
    let user = |rest: &[&str], input: &str| hazard_gateway(&site, &[&["user"], rest].concat(), input);
    let too_early = user(&["add", "zhang", "--role", "operator"], SECRET);
    assert_eq!((too_early.code, too_early.err.contains("--role admin")), (2, true), "{}", too_early.err);
    assert_eq!(user(&["add", "admin1", "--role", "admin"], SECRET).code, 0);
    let added = user(&["add", "zhang", "--role", "operator,safety", "--name", "张工"], SECRET);
    assert_eq!(added.code, 0, "{}", added.err);
    let list: Value = serde_json::from_str(&user(&["list", "--json"], "").out).unwrap();
    assert_eq!(
        list[1],
        json!({ "user": "zhang", "display_name": "张工", "roles": ["operator", "safety"], "disabled": false })
    );
    let mode = std::fs::metadata(site.data().join("records.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    assert_eq!(user(&["disable", "admin1"], "").code, 0);
    let shut_out = user(&["disable", "zhang"], "");
    assert!(shut_out.err.contains("没有可登录的管理员"), "{}", shut_out.err);
    let shown = user(&["list"], "").out;
    assert!(shown.contains("已停用") && shown.contains("管理员"), "{shown}");
}

#[test]
fn what_cannot_be_done_is_said_with_its_remedy() {
    let site = Site::minimal();
    let user = |rest: &[&str], input: &str| hazard_gateway(&site, &[&["user"], rest].concat(), input);
    assert_eq!(user(&["add", "anna", "--role", "viewer,admin"], SECRET).code, 0);
    let secret = site.folder().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let secret = secret.to_str().unwrap();
    for (arguments, input, words) in [
        (&["add", "anna", "--role", "viewer"][..], SECRET, "user password"),
        (&["add", "ben", "--role", "boss"], SECRET, "viewer operator"),
        (&["add", "b", "--role", "viewer"], SECRET, "2–32"),
        (&["add", "ben", "--role", "viewer"], "short", "12–128"),
        (&["add", "ben", "--role", "viewer"], "password1234", "太容易猜"),
        (&["add", "ben", "--role", "viewer"], "", "--password-file"),
        (&["add", "ben", "--role", "viewer", "--password-file", secret], "", "chmod 600"),
        (&["add", "ben", "--role", "viewer", "--password-file", "/nowhere"], "", "/nowhere"),
        (&["password", "ben"], SECRET, "user list"),
        (&["disable", "ben"], "", "user list"),
    ] {
        let answer = user(arguments, input);
        assert_eq!(answer.code, 2, "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains(words), "{arguments:?}: {}", answer.err);
    }
    std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let added = user(&["add", "ben", "--role", "viewer", "--password-file", secret], "");
    assert_eq!(added.code, 0, "{}", added.err);
}

#[test]
fn a_running_gateway_takes_up_what_the_command_line_changes() {
    let site = Site::minimal();
    let gateway = Gateway::run(&site);
    let user = |rest: &[&str], input: &str| hazard_gateway(&site, &[&["user"], rest].concat(), input);
    assert_eq!(gateway.get("/api/v1/session", None)["setup_needed"], true);
    assert_eq!(user(&["add", "zhang", "--role", "operator,admin"], SECRET).code, 0);
    let (session, cookie) = gateway.sign_in("zhang", SECRET);
    assert_eq!(session["roles"], json!(["operator", "admin"]));
    gateway
        .until("/api/v1/session", Some(&cookie), |answer| answer["setup_needed"] == false && answer["user"] == "zhang");
    let mut page = gateway.stream(&cookie);
    assert!(page.by_ref().any(|line| line.contains("event: snapshot")), "the page is open");
    assert_eq!(user(&["disable", "zhang"], "").code, 0);
    // heartbeats come each second: the open page is closed within two of them, the third would be of before
    let beats = page.filter(|line| line.contains("event: heartbeat")).count();
    assert!(beats <= 3, "{beats} heartbeats to a disabled person");
    gateway.until("/api/v1/session", Some(&cookie), |answer| answer["user"].is_null());

    assert_eq!(user(&["enable", "zhang"], "").code, 0);
    let (_, cookie) = gateway.sign_in("zhang", SECRET);
    assert_eq!(user(&["password", "zhang"], "another quiet mountain lake").code, 0);
    gateway.until("/api/v1/session", Some(&cookie), |answer| answer["user"].is_null());
    let (_, cookie) = gateway.sign_in("zhang", "another quiet mountain lake");

    // the journal says so, by whom and what
    gateway.until("/api/v1/events?limit=500", Some(&cookie), |answer| {
        let text = answer.to_string();
        text.contains("command line")
            && ["user_added", "user_disabled", "user_enabled", "password_set"].iter().all(|word| text.contains(word))
    });
}

#[test]
fn a_second_gateway_on_the_same_data_is_refused_and_the_first_goes_on() {
    let site = Site::minimal();
    let gateway = Gateway::run(&site);
    let second = hazard_gateway(&site, &["run"], "");
    assert_eq!(second.code, 4, "{}", second.err);
    assert!(second.err.contains("正被进程") && second.err.contains("data_dir"), "{}", second.err);
    assert_eq!(gateway.get("/api/v1/session", None)["setup_needed"], true);
}

#[test]
fn a_file_of_the_other_station_is_told_its_command() {
    let site = Site::of("[office]\nname = '镇应急办'\nname_en = 'Office'\n");
    let refused = hazard_gateway(&site, &["run"], "");
    assert!(refused.code == 2 && refused.err.contains("hazard-gateway office"), "{refused:?}");
    let refused = hazard_gateway(&Site::minimal(), &["office"], "");
    assert!(refused.code == 2 && refused.err.contains("hazard-gateway run"), "{refused:?}");
}
