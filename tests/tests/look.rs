//! `status` and `events` beside a running `run` gateway, as somebody on its machine: no password, the configuration is enough.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use e2e::http::{Client, get_blocking};
use e2e::peer::{Program, free_port, gateway_program, wait_until};
use e2e::plant::Simulated;
use e2e::station::Station;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn asked(words: &[&str]) -> Output {
    Command::new(gateway_program()).args(words).output().unwrap()
}

fn shown(words: &[&str]) -> String {
    let output = asked(words);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words:?}: {out}{err}");
    out.into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_read_the_data_folder_sees_a_running_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let plant = Simulated::start(31).await;
    let mut site = Station::site(dir.path(), &plant.field(), free_port(), None);
    let ready = format!("{}/readyz", site.base);
    wait_until(SOON, || get_blocking(&ready).ok()).expect("ready");
    let config = site.config.display().to_string();

    let screen = shown(&["status", "--config", &config]);
    for part in
        ["tcp-a1", "tcp-a2", "rtu-a3", "DET-101", "通 up", "MQTT", "未连接 not connected", "InfluxDB", "报警 alarms"]
    {
        assert!(screen.contains(part), "{part} is not in\n{screen}");
    }
    let events = shown(&["events", "--config", &config]);
    let started = events.lines().find(|line| line.contains("system.started")).unwrap();
    let time = started.split_whitespace().nth(1).unwrap();
    assert!(time.len() == "2026-11-26T04:00:00.000+08:00".len() && time.ends_with("+08:00"), "{started}");
    let json: serde_json::Value = serde_json::from_str(&shown(&["status", "--json", "--config", &config])).unwrap();
    assert_eq!(json["site"], "demo-chemical");

    let without = asked(&["status", "--url", &site.base]);
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(without.status.code() == Some(5) && said.contains("401") && said.contains("--config"), "{said}");

    let token = dir.path().join("site-data/local-token");
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read_to_string(&token).unwrap();
    the_token_only_looks(&site.base, before.trim()).await;
    it_watches_until_ctrl_c(dir.path(), &config);
    site.program.kill();
    site.restart();
    assert_ne!(std::fs::read_to_string(&token).unwrap(), before, "another token at each start");
    shown(&["status", "--config", &config]);
}

/// It acknowledges nothing, and a proxy's client is not on this machine.
async fn the_token_only_looks(base: &str, token: &str) {
    let http = reqwest::Client::new();
    let status =
        async |request: reqwest::RequestBuilder| request.bearer_auth(token).send().await.unwrap().status().as_u16();
    let url = format!("{base}/api/v1/status");
    assert_eq!(status(http.get(&url)).await, 200);
    assert_eq!(status(http.get(&url).header("X-Forwarded-For", "192.0.2.1")).await, 401);
    let ack = http.post(format!("{base}/api/v1/alarms/GT-102:H/ack")).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(status(ack.json(&serde_json::json!({ "seen_seq": 1 }))).await, 401);
    assert_eq!(Client::anonymous(base).status("GET", "/api/v1/status", None).await, 401);
}

fn it_watches_until_ctrl_c(dir: &Path, config: &str) {
    let mut watch = Command::new(gateway_program());
    let mut watch = Program::start("watch", dir, watch.args(["status", "--watch", "--config", config]));
    let log = dir.join("watch.log");
    let screens = || std::fs::read_to_string(&log).unwrap_or_default().matches("总线 bus").count();
    // heads of the tables of buses and devices: two a screen
    wait_until(SOON, || (screens() >= 4).then_some(())).expect("a second screen");
    watch.signal("INT");
    assert_eq!(watch.ended(SOON), Some(0), "Ctrl-C is a clean end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_shows_its_sites_to_its_own_machine() {
    let dir = tempfile::tempdir().unwrap();
    let office = Station::office(dir.path(), free_port());
    let config = office.config.display().to_string();
    assert!(shown(&["status", "--config", &config]).contains("站点 sites 0"));
    assert_eq!(shown(&["events", "--config", &config]), "");
}
