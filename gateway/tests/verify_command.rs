//! `store verify` and `audit verify` against files somebody has been at.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use rusqlite::Connection;
use serde_json::Value;
use support::{Ended, Gateway, Site, hazard_gateway, with_history};

fn verify(site: &Site, which: &str) -> (Ended, Value) {
    let ended = hazard_gateway(site, &[which, "verify", "--json"], "");
    let report = serde_json::from_str(&ended.out).unwrap_or_default();
    (ended, report)
}

/// A site whose gateway has run and stopped, with its number of events.
fn site_with_data() -> (Site, u64) {
    let site = Site::minimal();
    let mut gateway = Gateway::run(&site);
    gateway.terminate();
    assert_eq!(gateway.wait(), Some(0));
    with_history(&site);
    let (ended, report) = verify(&site, "store");
    assert_eq!((ended.code, &report["ok"]), (0, &Value::Bool(true)), "{ended:?}");
    assert_eq!(report["history"][0]["samples"], 300);
    let journal = &report["journal"];
    assert!(journal["outbox"].is_null() && journal["waiting"].is_null(), "no office is configured: {report}");
    let events = report["chain"]["records"].as_u64().unwrap();
    assert!(events >= 2, "a start and a stop at least: {report}");
    (site, events)
}

fn tamper(site: &Site, sql: &str) {
    Connection::open(site.data().join("records.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_changed_a_removed_and_a_swapped_event_are_named() {
    for (sql, place) in [
        ("UPDATE event SET json = replace(json, '\"seq\":2', '\"seq\":2,\"x\":1') WHERE seq = 2", None),
        ("UPDATE event SET json = replace(json, 'boot_id\":\"', 'boot_id\":\"f') WHERE seq = 1", Some("event 1")),
        ("DELETE FROM event WHERE seq = 1", Some("event 2")),
        ("UPDATE event SET json = '{' WHERE seq = 2", Some("event 2")),
        ("UPDATE event SET hash = prev_hash WHERE seq = 2", Some("event 2")),
    ] {
        let (site, _) = site_with_data();
        tamper(&site, sql);
        let (ended, report) = verify(&site, "audit");
        // what the record does not have is not in the hash either, and means nothing
        assert_eq!(ended.code, i32::from(place.is_some()), "{sql}: {ended:?}");
        assert_eq!(report["faults"][0]["place"].as_str(), place, "{sql}: {report}");
    }
}

#[test]
fn a_cut_end_shows_against_the_head_that_the_office_has() {
    let (site, events) = site_with_data();
    let head = verify(&site, "audit").1["chain"]["head"].as_str().unwrap().to_owned();
    assert_eq!(hazard_gateway(&site, &["audit", "verify", "--head", &head], "").code, 0);
    tamper(&site, &format!("DELETE FROM event WHERE seq = {events}"));
    assert_eq!(hazard_gateway(&site, &["audit", "verify"], "").code, 0, "the chain itself cannot know");
    let cut = hazard_gateway(&site, &["audit", "verify", "--head", &head], "");
    assert!(cut.code == 1 && cut.out.contains(&head), "{cut:?}");
}

#[test]
fn a_damaged_block_and_a_damaged_file_are_named() {
    let (site, _) = site_with_data();
    let day = std::fs::read_dir(site.data().join("history")).unwrap().flatten().map(|e| e.path());
    let day = day.into_iter().find(|p| p.extension().is_some_and(|x| x == "db")).unwrap();
    let conn = Connection::open(&day).unwrap();
    conn.execute("UPDATE block SET body = zeroblob(length(body)) WHERE id = 1", []).unwrap();
    drop(conn);
    let (ended, report) = verify(&site, "store");
    assert_eq!((ended.code, report["faults"][0]["place"].as_str()), (1, Some("block 1")), "{report}");
    let text = hazard_gateway(&site, &["store", "verify"], "");
    assert!(text.out.contains("block 1") && text.out.contains("1 处有问题"), "{}", text.out);

    std::fs::write(&day, vec![7; 8192]).unwrap();
    let (ended, report) = verify(&site, "store");
    assert_eq!(ended.code, 1, "{report}");
    assert!(report["faults"].to_string().contains("not a database"), "{report}");
    std::fs::write(site.data().join("records.db"), vec![7; 8192]).unwrap();
    let ended = verify(&site, "store").0;
    assert!(ended.code == 1 && ended.out.contains("not a database"), "{ended:?}");
}

#[test]
fn a_running_gateway_does_not_disturb_the_look_nor_the_look_the_gateway() {
    let site = Site::minimal();
    let mut gateway = Gateway::run(&site);
    assert_eq!(hazard_gateway(&site, &["store", "verify"], "").code, 0);
    assert_eq!(gateway.exit_code(), None);
}

#[test]
fn no_data_and_newer_data_are_not_taken_for_damage() {
    let site = Site::minimal();
    let nothing = hazard_gateway(&site, &["store", "verify"], "");
    assert!(nothing.code == 4 && nothing.err.contains("data_dir"), "{nothing:?}");
    assert!(!site.data().exists(), "a look makes no files");
    assert_eq!(hazard_gateway(&site, &["user", "list"], "").code, 0);
    tamper(&site, "PRAGMA user_version = 99");
    for command in [["store", "verify"], ["audit", "verify"], ["user", "list"]] {
        assert_eq!(hazard_gateway(&site, &command, "").code, 3, "{command:?}");
    }
}

#[test]
fn an_office_has_people_and_a_file_to_verify_but_no_chain() {
    let office = Site::of(
        "[office]\nname = \"镇办\"\nname_en = \"Office\"\ndata_dir = \"data\"\n[mqtt]\nhost = \"127.0.0.1\"\n",
    );
    let added =
        hazard_gateway(&office, &["user", "add", "duty", "--role", "operator,admin"], "红杉木在雨后的山坡上生长");
    assert_eq!(added.code, 0, "{added:?}");
    let (ended, report) = verify(&office, "store");
    assert_eq!((ended.code, &report["received"]["users"]), (0, &Value::from(1)), "{ended:?}");
    let audit = hazard_gateway(&office, &["audit", "verify"], "");
    assert!(audit.code == 2 && audit.err.contains("没有自己的哈希链"), "{audit:?}");
    std::fs::write(office.data().join("office.db"), vec![7; 8192]).unwrap();
    assert_eq!(verify(&office, "store").0.code, 1);
}
