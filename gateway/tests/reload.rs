//! SIGHUP and `reload` from outside: a broken file changes nothing, other rules are taken over at once, another wiring in the same process.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use rustix::process::Signal;
use serde_json::json;
use std::net::TcpListener;
use support::{Ended, Gateway, Site, hazard_gateway};

const SECRET: &str = "红杉木在雨后的山坡上生长";

fn rewrite(site: &Site, from: &str, to: &str) {
    let text = std::fs::read_to_string(site.file()).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(site.file(), text.replace(from, to)).unwrap();
}

/// A site with one viewer, running, and that viewer's cookie.
fn running() -> (Site, Gateway, String) {
    let site = Site::minimal();
    assert_eq!(hazard_gateway(&site, &["user", "add", "vera", "--role", "viewer,admin"], SECRET).code, 0);
    for (name, role) in [("erik", "engineer"), ("olga", "operator")] {
        assert_eq!(hazard_gateway(&site, &["user", "add", name, "--role", role], SECRET).code, 0);
    }
    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    (site, gateway, cookie)
}

#[test]
fn a_broken_file_is_named_with_its_line_and_the_gateway_goes_on() {
    let (site, mut gateway, cookie) = running();
    let good = std::fs::read_to_string(site.file()).unwrap();
    let line = 1 + good.lines().position(|line| line.starts_with("profile")).unwrap();
    let seq = |gateway: &Gateway| gateway.get("/api/v1/status", Some(&cookie))["boot_id"].clone();
    let boot = seq(&gateway);
    for (from, to, words) in [
        ("profile = \"gas-module-b\"", "profile = \"gas-modul-b\"", format!("site.toml:{line}:")),
        ("[[area]]", "[[area", "TOML 语法错误".to_owned()),
        ("unit = 11", "unit = 1111", "站号 1111 不可用".to_owned()),
        ("[site]", "", "site".to_owned()),
    ] {
        std::fs::write(site.file(), &good).unwrap();
        rewrite(&site, from, to);
        gateway.signal(Signal::HUP);
        gateway.log_line(&words);
        gateway.log_line("the running one is kept");
        assert_eq!(seq(&gateway), boot, "not even restarted");
    }
    std::fs::remove_file(site.file()).unwrap();
    gateway.signal(Signal::HUP);
    gateway.log_line("the running one is kept");
    assert_eq!(seq(&gateway), boot);
    assert_eq!(gateway.exit_code(), None);
    gateway.terminate();
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn other_rules_are_in_force_without_a_stop() {
    let (site, mut gateway, cookie) = running();
    let before = gateway.get("/api/v1/status", Some(&cookie));
    rewrite(&site, "limit = 25", "limit = 28");
    rewrite(&site, "我的站点", "新名字");
    gateway.signal(Signal::HUP);
    gateway.log_line("in force now, without a stop");
    let after = gateway.get("/api/v1/status", Some(&cookie));
    assert_eq!(after["boot_id"], before["boot_id"], "the same run at the same address");
    assert_ne!(after["config_hash"], before["config_hash"]);
    assert!(after.to_string().contains("新名字"), "{after}");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie)).to_string();
    assert!(!events.contains("system.stopped"), "{events}");
    for said in ["system.config_changed", "\"by\":\"SIGHUP\"", "限值 25 → 28 ppm"] {
        assert!(events.contains(said), "{said} in {events}");
    }
    let points = gateway.get("/api/v1/points", Some(&cookie)).to_string();
    assert!(points.contains("[\"H\",28.0]"), "{points}");
    gateway.terminate();
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn an_unchanged_file_is_no_entry_of_the_journal() {
    let (site, mut gateway, cookie) = running();
    gateway.signal(Signal::HUP);
    gateway.log_line("nothing was done");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie)).to_string();
    assert!(!events.contains("system.config_changed"), "{events}");
    drop(site);
    gateway.terminate();
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn another_wiring_takes_over_in_the_same_process_and_people_stay_signed_in() {
    let (site, mut gateway, cookie) = running();
    rewrite(&site, "unit = 11", "unit = 12");
    rewrite(&site, "我的站点", "新名字");
    gateway.signal(Signal::HUP);
    gateway.log_line("takes over now");
    gateway.now_at_new_address();
    let status = gateway.get("/api/v1/status", Some(&cookie));
    assert!(status.to_string().contains("新名字"), "{status}");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie)).to_string();
    assert!(events.contains("system.stopped") && events.contains("system.config_changed"), "{events}");
    // the journal has the stop, the start and one unbroken chain
    gateway.terminate();
    assert_eq!(gateway.wait(), Some(0));
    let verified = hazard_gateway(&site, &["audit", "verify"], "");
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn a_good_file_that_cannot_run_gives_way_to_the_old_one() {
    let (site, mut gateway, cookie) = running();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    rewrite(&site, "127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    gateway.signal(Signal::HUP);
    gateway.log_line("the old one is started again");
    gateway.now_at_new_address();
    assert_eq!(gateway.get("/api/v1/session", Some(&cookie))["user"], "vera");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie)).to_string();
    assert!(events.contains("config_fallback") && events.contains("SIGHUP 要求的新配置无法运行"), "{events}");
    // mended, the same file is taken at the next signal
    drop(taken);
    gateway.signal(Signal::HUP);
    gateway.log_line("takes over now");
    gateway.now_at_new_address();
    assert_eq!(gateway.exit_code(), None);
}

/// As `name`, with the running gateway's address: the file says port 0.
fn reload(site: &Site, gateway: &Gateway, name: &str, secret: &str) -> Ended {
    let reason = "按评审单 12 放宽高限";
    hazard_gateway(site, &["reload", "--by", name, "--reason", reason, "--url", &gateway.url()], secret)
}

#[test]
fn who_put_other_rules_in_force_and_why_is_in_the_journal() {
    let (site, gateway, cookie) = running();
    let before = gateway.get("/api/v1/status", Some(&cookie))["config_hash"].clone();
    rewrite(&site, "limit = 25", "limit = 28");
    for (name, secret) in [("erik", "wrong password"), ("nobody", SECRET), ("olga", SECRET)] {
        let refused = reload(&site, &gateway, name, secret);
        assert_eq!(refused.code, 5, "{refused:?}");
        assert_eq!(gateway.get("/api/v1/status", Some(&cookie))["config_hash"], before, "{name}");
    }
    let done = reload(&site, &gateway, "erik", SECRET);
    assert!(done.code == 0 && done.out.contains("新规则已生效"), "{done:?}");
    let status = gateway.get("/api/v1/status", Some(&cookie));
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie));
    let changed = events.as_array().unwrap().iter().find(|e| e["kind"] == "system.config_changed").unwrap();
    assert_eq!((&changed["new_hash"], &changed["old_hash"]), (&status["config_hash"], &before));
    let asked = &changed["asked"];
    assert_eq!((&changed["by"], &asked["by"], &asked["role"]), (&json!("erik"), &json!("erik"), &json!("engineer")));
    assert_eq!(asked["reason"], "按评审单 12 放宽高限");
    assert_eq!(changed["text_zh"], "新配置已生效，由 erik 换用：按评审单 12 放宽高限");
}

#[test]
fn a_broken_file_is_shown_to_who_asked_and_nothing_changes() {
    let (site, gateway, cookie) = running();
    rewrite(&site, "profile = \"gas-module-b\"", "profile = \"gas-modul-b\"");
    let refused = reload(&site, &gateway, "erik", SECRET);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("config") && refused.err.contains("site.toml:"), "{refused:?}");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie)).to_string();
    assert!(events.contains("config_refused") && !events.contains("config_changed"), "{events}");
}

#[test]
fn another_wiring_is_answered_before_the_stop_and_the_next_start_knows_who_asked() {
    let (site, mut gateway, cookie) = running();
    rewrite(&site, "unit = 11", "unit = 12");
    let done = reload(&site, &gateway, "erik", SECRET);
    assert!(done.code == 0 && done.out.contains("以新配置启动"), "{done:?}");
    gateway.now_at_new_address();
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie));
    let changed = events.as_array().unwrap().iter().find(|e| e["kind"] == "system.config_changed").unwrap();
    assert_eq!((&changed["by"], &changed["asked"]["reason"]), (&json!("erik"), &json!("按评审单 12 放宽高限")));
}
