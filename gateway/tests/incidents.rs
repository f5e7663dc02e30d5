//! What the flight recorder kept around an incident, from outside: it outlives a kill, and what nobody can read hinders no start.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use support::{Gateway, Site, hazard_gateway};

const SECRET: &str = "红杉木在雨后的山坡上生长";

fn saved(list: &Value) -> Option<Value> {
    list["incidents"].as_array()?.iter().find(|one| one["saved"] == true).cloned()
}

/// An alarm around whose raise frames are kept.
fn with_frames(alarms: &Value) -> Option<Value> {
    alarms.as_array()?.iter().find(|one| one["incident"]["number"].is_u64()).cloned()
}

#[test]
fn an_incident_outlives_a_kill_and_an_unreadable_file_is_set_aside_with_a_notice() {
    let site = Site::minimal();
    for (name, role) in [("ada", "admin"), ("vera", "viewer")] {
        assert_eq!(hazard_gateway(&site, &["user", "add", name, "--role", role], SECRET).code, 0);
    }
    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    let first = saved(&gateway.until("/api/v1/incidents", Some(&cookie), |list| saved(list).is_some())).unwrap();
    drop(gateway);
    std::fs::write(site.data().join("incidents/00000077.json"), "{\"number\": 77,").unwrap();

    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("vera", SECRET);
    let again = gateway.until("/api/v1/incidents", Some(&cookie), |list| saved(list).is_some());
    let again = again["incidents"].as_array().unwrap().iter().find(|one| one["number"] == first["number"]).unwrap();
    assert_eq!(again["cause"], first["cause"]);
    assert!(!again["event_ids"].as_array().unwrap().is_empty(), "{again}");
    let file = format!("/api/v1/devices/{}/incidents", first["bus"].as_str().unwrap());
    let file = gateway.get(&file, Some(&cookie));
    assert_eq!(file["incidents"][0]["number"], first["number"], "{file}");
    let alarms = gateway.until("/api/v1/alarms", Some(&cookie), |alarms| with_frames(alarms).is_some());
    let row = with_frames(&alarms).unwrap();
    let file = format!(
        "/api/v1/devices/{}/incidents?event_id={}",
        row["incident"]["bus"].as_str().unwrap(),
        row["event_id"].as_str().unwrap()
    );
    let file = gateway.get(&file, Some(&cookie));
    assert_eq!(file["incidents"][0]["number"], row["incident"]["number"], "an alarm leads to its frames: {file}");
    let events = gateway.get("/api/v1/events?after_seq=0&limit=500", Some(&cookie));
    let said = events.as_array().unwrap().iter().find(|e| e["code"] == "incidents_set_aside").expect("a notice");
    assert!(said["text_zh"].as_str().unwrap().contains("00000077.json"), "{said}");
}

/// A transmitter card whose every float is the same; it answers whoever connects, for as long as the test runs.
fn card(value: f32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let of_one = move |mut wire: TcpStream| {
        let mut asked = [0; 12];
        while wire.read_exact(&mut asked).is_ok() {
            let bytes = asked[11] * 2;
            let head = [asked[0], asked[1], 0, 0, 0, bytes + 3, asked[6], asked[7], bytes];
            let floats = value.to_be_bytes().repeat(usize::from(bytes / 4));
            if wire.write_all(&[&head[..], &floats].concat()).is_err() {
                return;
            }
        }
    };
    std::thread::spawn(move || {
        for wire in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || of_one(wire));
        }
    });
    address
}

fn with_level(n: u8, address: SocketAddr, rules: &str) -> String {
    format!(
        "[[link]]\nkey = \"bus-{n}\"\ntcp = \"{address}\"\n[[device]]\nkey = \"TANK-{n}\"\nlink = \"bus-{n}\"\nunit = {n}\n\
         profile = \"tank-f32\"\narea = \"A1\"\n[[point]]\nkey = \"LT-{n}\"\nname = \"液位\"\nname_en = \"level\"\n\
         device = \"TANK-{n}\"\nfield = \"level_a\"\nkind = \"level\"\nunit = \"%\"\nrange = [0, 100]\n{rules}"
    )
}

/// Three levels on three links, of which two are 80 % and one is 20 %.
fn levels() -> Site {
    let words = "priority = 3\ncause = \"a\"\nconsequence = \"b\"\naction = \"c\"\naction_en = \"d\"\n";
    let limit = format!("[point.limits.H]\nlimit = 60\ndeadband = 2\ndelay_s = 2\n{words}");
    let deviation = format!("[point.deviation]\nfrom_point = \"LT-1\"\nlimit = 5\ndeadband = 1\n{words}");
    let rules = [limit.clone(), limit.clone(), limit + &deviation];
    let values = [80.0, 80.0, 20.0];
    let parts: Vec<String> =
        (1..=3).map(|n| with_level(n, card(values[usize::from(n) - 1]), &rules[usize::from(n) - 1])).collect();
    Site::of(&format!(
        "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"site\"\ndata_dir = \"data\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
         [[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"area\"\n{}[[vote]]\nkey = \"V\"\nname = \"三取二\"\nname_en = \"2oo3\"\n\
         area = \"A1\"\nmembers = [\"LT-1:H\", \"LT-2:H\", \"LT-3:H\"]\nneeded = 2\n{words}",
        parts.concat()
    ))
}

/// Link, unit and value of the answers with a float in the file of an alarm's incidents.
fn answers(gateway: &Gateway, cookie: &str, alarm: &str) -> BTreeSet<(String, u64, String)> {
    let path = "/api/v1/alarms";
    let row = |alarms: &Value| alarms.as_array()?.iter().find(|one| one["id"] == alarm).cloned();
    let kept = |alarms: &Value| row(alarms).filter(|one| one["incident"]["number"].is_u64());
    let row = kept(&gateway.until(path, Some(cookie), |alarms| kept(alarms).is_some())).unwrap();
    let (bus, entry) = (row["incident"]["bus"].as_str().unwrap(), row["event_id"].as_str().unwrap());
    let file = gateway.get(&format!("/api/v1/devices/{bus}/incidents?event_id={entry}"), Some(cookie));
    let mut found = BTreeSet::new();
    for one in file["incidents"].as_array().unwrap() {
        let bus = one["bus"].as_str().unwrap();
        for exchange in one["exchanges"].as_array().unwrap() {
            let (unit, received) = (exchange["unit"].as_u64(), exchange["received"].as_str().unwrap());
            if let (Some(unit), Some(float)) = (unit, received.get(27..38)) {
                found.insert((bus.to_owned(), unit, float.to_owned()));
            }
        }
    }
    found
}

#[test]
fn the_file_of_a_vote_and_of_a_deviation_has_the_frames_of_all_inputs_on_whatever_link() {
    let site = levels();
    assert_eq!(hazard_gateway(&site, &["user", "add", "ada", "--role", "admin"], SECRET).code, 0);
    let gateway = Gateway::run(&site);
    let (_, cookie) = gateway.sign_in("ada", SECRET);
    let [one, two, three] = [(1, "42 A0 00 00"), (2, "42 A0 00 00"), (3, "41 A0 00 00")]
        .map(|(unit, float)| (format!("bus-{unit}"), unit, float.to_owned()));
    assert_eq!(answers(&gateway, &cookie, "LT-1:H"), [one.clone()].into());
    assert_eq!(answers(&gateway, &cookie, "LT-3:DEV"), [one.clone(), three.clone()].into());
    assert_eq!(answers(&gateway, &cookie, "V:VOTE"), [one, two, three].into());
}
