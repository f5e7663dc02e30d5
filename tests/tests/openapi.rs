//! The interface as it describes itself against what a running demo really answers, site and office.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use e2e::http::Client;
use e2e::peer::{Program, gateway_program, wait_until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const START: Duration = Duration::from_secs(30);
/// The gas needs 27 s to the second limit; with it come an alarm, a candidate and what the office receives.
const LEAK: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_of_a_demo_is_what_the_description_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(gateway_program());
    let _demo =
        Program::start("demo", dir.path(), command.args(["demo", "--scenario", "nh3-leak"]).env("TMPDIR", dir.path()));
    let (site, office) = addresses(&dir.path().join("demo.log"));
    let (operator, officer) = (Client::demo(&site).await, Client::demo(&office).await);
    operator.until("/api/v1/hazards", LEAK, |list| list.get(0).map(|_| ())).await;
    officer.until("/api/v1/office/events", LEAK, |list| list.get(0).map(|_| ())).await;
    let alarm = operator.get("/api/v1/alarms").await[0].clone();
    for (client, ids) in
        [(&operator, json!({ "/api/v1/points": "GT-102", "/api/v1/devices": "tcp-a1" })), (&officer, json!({}))]
    {
        let api = client.get("/api/v1/openapi.json").await;
        let asked = all_reads(client, &api, &ids).await;
        assert!(asked >= 5, "{asked} routes of {}", client.base());
    }
    let api = operator.get("/api/v1/openapi.json").await;
    let path = format!("/api/v1/alarms/{}/ack", alarm["id"].as_str().unwrap());
    let done = operator.request("POST", &path, Some(json!({ "seen_seq": alarm["seq"] }))).await;
    assert_eq!(done.status(), 200);
    fits(&api, "/api/v1/alarms/{id}/ack", "post", "200", &done.json().await.unwrap());
    let problem = operator.request("POST", &path, Some(json!({}))).await;
    assert_eq!(problem.status(), 422);
    let problem: Value = problem.json().await.unwrap();
    assert_eq!(problem["fields"], json!(["seen_seq"]));
    fits(&api, "/api/v1/alarms/{id}/ack", "post", "default", &problem);
}

/// Every GET that the description names and this person may; how many there were.
async fn all_reads(client: &Client, api: &Value, ids: &Value) -> usize {
    let mut asked = 0;
    for (path, operations) in api["paths"].as_object().unwrap() {
        let Some(content) = operations["get"]["responses"]["200"]["content"].as_object() else { continue };
        let known = ids.as_object().unwrap().iter().find(|(prefix, _)| path.starts_with(prefix.as_str()));
        let url = known.map_or(path.clone(), |(_, id)| {
            let id = id.as_str().unwrap();
            path.replace("{id}", id).replace("{bus}", id)
        });
        // one never ends, one is an administrator's, one of whoever approves a bypass
        if ["/stream", "/users", "/requester"].iter().any(|end| path.ends_with(end)) {
            continue;
        }
        assert!(!url.contains('{'), "an example for {path}");
        let answer = client.request("GET", &url, None).await;
        assert_eq!(answer.status(), 200, "{url}");
        if content.contains_key("application/json") {
            fits(api, path, "get", "200", &answer.json().await.unwrap());
        }
        asked += 1;
    }
    asked
}

fn fits(api: &Value, path: &str, method: &str, status: &str, answer: &Value) {
    let media = if status == "default" { "application/problem+json" } else { "application/json" };
    let step = |text: &str| text.replace('~', "~0").replace('/', "~1").replace('{', "%7B").replace('}', "%7D");
    let mut schema = api.clone();
    schema["$ref"] =
        format!("#/paths/{}/{method}/responses/{status}/content/{}/schema", step(path), step(media)).into();
    let validator = jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let wrong: Vec<String> =
        validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).take(5).collect();
    assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}");
    let somewhere = json!([{ "nonsense": true }, 7]);
    assert!(!validator.is_valid(&somewhere), "{method} {path} would take anything");
}

fn addresses(log: &Path) -> (String, String) {
    let printed = |text: &str, label: &str| {
        let rest = text.split_once(label)?.1;
        rest.split_whitespace().next().map(str::to_owned)
    };
    wait_until(START, || {
        let text = std::fs::read_to_string(log).ok()?;
        Some((printed(&text, "control room:")?, printed(&text, "township office:")?))
    })
    .unwrap_or_else(|| panic!("{}", std::fs::read_to_string(log).unwrap_or_default()))
}
