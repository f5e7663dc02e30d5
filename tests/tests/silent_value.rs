//! A device that goes on answering while one of its values never comes: the other values stay good, and the control room learns which
//! one is missing. Nobody else would tell, for the device is not silent.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use e2e::instrument;
use e2e::station::Station;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The register that is never answered lies far from the other, so that no request can hold both.
const MUTE: u16 = 3000;
const PROFILE: &str = "title_zh = '两段'\ntitle_en = 'two blocks'\n[field.near]\nfunction = 3\naddress = 7\ntype = 'u16'\n\
                       [field.mute]\nfunction = 3\naddress = 3000\ntype = 'u16'\n";
/// Three misses, probes after 2 and 4 s, five polls of patience, four seconds of delay; the rest for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

fn site(port: u16) -> String {
    let mut text = format!(
        "[site]\nkey = 'east'\nname = '东厂'\nname_en = 'East'\n[[area]]\nkey = 'A1'\nname = '罐区'\nname_en = 'Tanks'\n\
         [[link]]\nkey = 'line'\ntcp = '127.0.0.1:{port}'\n\
         [[device]]\nkey = 'D1'\nname = '仪表'\nname_en = 'meter'\nlink = 'line'\nunit = 1\nprofile = 'two'\narea = 'A1'\n"
    );
    for field in ["near", "mute"] {
        text += &format!(
            "[[point]]\nkey = 'V-{field}'\nname = '量'\nname_en = 'value'\ndevice = 'D1'\nfield = '{field}'\nkind = 'other'\nrange = [0, 20000]\n"
        );
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_alone_never_comes_is_an_alarm_and_the_others_stay_good() {
    let dir = tempfile::tempdir().unwrap();
    let port = instrument::serve(Arc::new(|at| if at.contains(&MUTE) { None } else { Some(at.collect()) }));
    std::fs::create_dir_all(dir.path().join("profiles")).unwrap();
    std::fs::write(dir.path().join("profiles/two.toml"), PROFILE).unwrap();
    let station = Station::own(dir.path(), &site(port));
    let viewer = station.sign_in_as("viewer-a", "viewer").await;

    let fault = |alarms: &Value| alarms.as_array()?.iter().find(|a| a["id"] == "V-mute:SENSOR_FAULT").cloned();
    viewer.until("/api/v1/alarms", TOLD_WITHIN, fault).await;

    let alarms = viewer.get("/api/v1/alarms").await;
    let active: Vec<&str> = alarms.as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap()).collect();
    assert_eq!(active, ["V-mute:SENSOR_FAULT"], "one cause, one alarm");
    let points = viewer.get("/api/v1/points").await;
    let value = |key: &str| points.as_array().unwrap().iter().find(|p| p["key"] == key).unwrap()["value"].clone();
    assert_eq!((value("V-near"), value("V-mute")), (7.0.into(), Value::Null));
}
