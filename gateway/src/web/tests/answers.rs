//! What is answered: headers, problems, figures.

use super::*;
use devices::recorder::Concerns;

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_every_error_is_a_problem() {
    let bench = bench(false).await;
    let big = [("content-length", "9999999")];
    for (method, path, headers, status) in [
        ("GET", "/", &[][..], 200),
        ("GET", "/healthz", &[], 200),
        ("GET", "/nowhere", &[], 404),
        ("GET", "/api/v1/nowhere", &[], 404),
        ("GET", "/api/v1/status", &[], 401),
        ("PUT", "/api/v1/status", &[], 405),
        ("TRACE", "/", &[], 405),
        ("POST", "/api/v1/session", &big, 413),
    ] {
        let answer = bench.send(method, path, headers, None).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer", "{path}");
        if status >= 400 {
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{method} {path}");
            assert_eq!(json_of(answer).await["status"], status);
        }
    }
}

#[tokio::test]
async fn what_a_library_refuses_is_a_problem_too() {
    let bench = bench(false).await;
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let long = json!({ "user": "x".repeat(2 << 20), "password": "" });
    for (method, path, body, status) in [
        ("GET", "/api/v1/points/GT-101/history?width=x", None, 400),
        ("GET", "/api/v1/points/GT-101/history?from=x", None, 422),
        ("GET", "/api/v1/points/%ff", None, 400),
        ("POST", "/api/v1/session", Some(long), 413),
    ] {
        let answer = bench.own(&vera, method, path, body).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    let gap = bench.own(&vera, "GET", "/api/v1/points/GT-101/history?from=0&to=9", None).await;
    assert_eq!(
        json_of(gap).await,
        json!({ "from": "1970-01-01T00:00:00.000Z", "to": "1970-01-01T00:00:00.009Z", "t": [0], "min": [null], "max": [null], "last": [null], "quality": [2] })
    );
}

#[tokio::test]
async fn figures_are_for_this_machine_or_a_session() {
    let bench = bench(false).await;
    assert_eq!(bench.send("GET", "/metrics", &[], None).await.status(), StatusCode::UNAUTHORIZED);
    let text = bench.metrics().await;
    assert!(text.contains("\nhazard_points_good 2\n") && text.ends_with("# EOF\n"), "{text}");
    assert_eq!(bench.send("GET", "/readyz", &[], None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    bench.first_scan.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(bench.send("GET", "/readyz", &[], None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn refusals_of_the_core_have_their_statuses() {
    let bench = bench(false).await;
    let olga = bench.accounts.sign_in_for_test("olga", Role::Operator).await;
    for (alarm, want) in [("gone", 404), ("changed", 409), ("again", 200), ("GT-101:HH", 200)] {
        let path = format!("/api/v1/alarms/{alarm}/ack");
        let answer = bench.own(&olga, "POST", &path, Some(json!({ "seen_seq": 1 }))).await;
        assert_eq!(answer.status().as_u16(), want, "{alarm}");
    }
    let bad = bench.own(&olga, "POST", "/api/v1/alarms/a/ack", Some(json!({}))).await;
    assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let bad = json_of(bad).await;
    assert_eq!(bad["fields"], json!(["seen_seq"]));
    assert!(bad["detail"].as_str().unwrap().contains("未给出") && !bad.to_string().contains("line"), "{bad}");
    let sven = bench.accounts.sign_in_for_test("sven", Role::Safety).await;
    let answer = bench.own(&sven, "POST", "/api/v1/hazards/HD-1/reject", Some(json!({ "reason": "" }))).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem = json_of(answer).await;
    assert_eq!(problem["fields"], json!(["reason"]));
    assert_eq!(
        (&problem["errors"][0]["sent"], &problem["errors"][0]["allowed_en"]),
        (&json!(""), &json!("4 to 2000 characters"))
    );
}

#[tokio::test]
async fn people_are_told_which_words_and_lengths_are_allowed() {
    let bench = bench(false).await;
    let ada = bench.accounts.sign_in_for_test("ada", Role::Admin).await;
    let add = async |user: &str, roles: Value, password: &str| {
        let body = json!({ "user": user, "roles": roles, "password": password });
        json_of(bench.own(&ada, "POST", "/api/v1/users", Some(body)).await).await["detail"].as_str().unwrap().to_owned()
    };
    let role = add("li", json!(["boss"]), SECRET).await;
    assert!(role.contains("roles: got [\"boss\"], allowed is viewer, operator"), "{role}");
    let name = add("a b", json!(["viewer"]), SECRET).await;
    assert!(name.contains("user: got \"a b\", allowed is 2 to 32 letters, digits"), "{name}");
    let short = add("li", json!(["viewer"]), "hunter2").await;
    assert!(short.contains("12 to 128 characters") && !short.contains("hunter2"), "{short}");
}

#[tokio::test]
async fn the_journal_is_asked_by_type_and_an_unknown_word_is_an_error() {
    let bench = bench(false).await;
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let started = EventKind::Stopped { boot_id: "b".into() };
    bench.archive.0.lock().unwrap().extend([record(1, notice()), record(2, started), record(3, notice())]);
    let ask =
        async |query: &str| json_of(bench.own(&vera, "GET", &format!("/api/v1/events?{query}"), None).await).await;
    assert_eq!(ask("limit=2").await.as_array().unwrap().len(), 2);
    let found = ask("type=system.stopped&type=alarm").await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["seq"]), (1, &json!(2)));
    let wrong = ask("type=stop").await;
    assert!(
        wrong["status"] == 422 && wrong["errors"][0]["allowed_en"].as_str().unwrap().contains("system.stopped"),
        "{wrong}"
    );
}

#[tokio::test]
async fn a_filter_that_could_not_look_through_all_says_how_far_it_was_and_how_to_go_on() {
    let bench = bench(false).await;
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let said = async |query: &str| {
        let answer = bench.own(&vera, "GET", &format!("/api/v1/events?{query}"), None).await;
        archive::Stopped::of_headers(|name| answer.headers().get(name)?.to_str().ok())
    };
    let stopped = said("point=LONG-1").await.unwrap();
    assert_eq!((stopped.from_seq, stopped.to_seq, stopped.go_on_after), (501, 900, 100));
    assert_eq!(said("point=GT-101").await, None, "where all was looked through nothing is said");
}

/// One serial bus with one unit and one exchange in its recorder.
pub(super) fn buses() -> Buses {
    let spec = devices::BusSpec {
        key: "gas-bus".into(),
        transport: devices::Transport::Tcp { address: "nowhere:502".into() },
        devices: Vec::new(),
        timeout: std::time::Duration::from_millis(500),
    };
    let status = Arc::new(devices::status::BusStatus::new(&spec));
    status.recorder().incident("alarm GT-101:HH", Some("site-6"), &[Concerns::Bus]);
    vec![("gas-bus".to_owned(), status)].into()
}

#[tokio::test]
async fn counters_exchanges_and_incidents_of_a_bus_are_for_everybody_who_is_signed_in() {
    let bench = bench(false).await;
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let list = json_of(bench.own(&vera, "GET", "/api/v1/devices", None).await).await;
    assert_eq!(list[0]["detail"]["link"]["crc"], 0, "{list}");
    let exchanges = json_of(bench.own(&vera, "GET", "/api/v1/devices/gas-bus/exchanges", None).await).await;
    assert_eq!(exchanges, json!({ "bus": "gas-bus", "exchanges": [] }));
    let file = bench.own(&vera, "GET", "/api/v1/devices/gas-bus/incidents", None).await;
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"gas-bus-incidents.json\"");
    assert_eq!(json_of(file).await["incidents"][0]["cause"], "alarm GT-101:HH");
    assert_eq!(bench.own(&vera, "GET", "/api/v1/devices/none/exchanges", None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(bench.send("GET", "/api/v1/devices/gas-bus/exchanges", &[], None).await.status(), 401);
}

#[tokio::test]
async fn what_was_kept_around_an_incident_is_found_again_with_the_event_it_belongs_to() {
    let (bench, folder) = (bench(false).await, tempfile::tempdir().unwrap());
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let look = async |path: &str| json_of(bench.own(&vera, "GET", path, None).await).await;
    let list = look("/api/v1/incidents").await;
    let [only] = &list["incidents"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!((&only["saved"], &only["number"], &only["bus"]), (&json!(false), &Value::Null, &json!("gas-bus")));
    let files = IncidentFiles::for_test(folder.path());
    let view = devices::recorder::Recorder::default();
    view.incident("alarm GT-101:HH", Some("site-6"), &[Concerns::Bus]);
    let [view] = &view.incidents(0)[..] else { panic!() };
    files.keep("gas-bus", view, None).unwrap();
    files.keep("old-bus", view, None).unwrap();
    files.dropped("rate", 3);
    *bench.archive.1.lock().unwrap() = Some(Arc::new(files));
    let list = look("/api/v1/incidents").await;
    assert_eq!(list["incidents"].as_array().unwrap().len(), 2, "what is on the disk is not named twice: {list}");
    assert_eq!(list["incidents"][0]["saved"], true);
    assert_eq!(look("/api/v1/status").await["incidents"]["dropped"]["rate"], 3);
    let of = async |path: &str| look(path).await["incidents"].as_array().unwrap().len();
    assert_eq!(of("/api/v1/devices/gas-bus/incidents").await, 1);
    let of_entry = look("/api/v1/devices/gas-bus/incidents?event_id=site-6").await;
    let buses: Vec<&Value> = of_entry["incidents"].as_array().unwrap().iter().map(|one| &one["bus"]).collect();
    assert_eq!(buses, ["gas-bus", "old-bus"], "of one entry it is what all links have kept, its own first");
    assert_eq!(of("/api/v1/devices/gas-bus/incidents?event_id=site-7").await, 0);
    assert_eq!(
        look("/api/v1/devices/old-bus/incidents").await["counters"],
        Value::Null,
        "a bus of an earlier configuration"
    );
    let text = text_of(bench.own(&vera, "GET", "/metrics", None).await).await;
    assert!(text.contains("hazard_incidents_kept 2\n"), "{text}");
    assert!(text.contains("hazard_incidents_dropped_total{reason=\"rate\"} 3\n"), "{text}");
}

#[tokio::test]
async fn figures_of_buses_are_openmetrics() {
    let bench = bench(false).await;
    let text = bench.metrics().await;
    for line in [
        "hazard_bus_up{bus=\"gas-bus\"} 0",
        "hazard_bus_crc_errors_total{bus=\"gas-bus\"} 0",
        "# TYPE hazard_bus_turnaround_seconds histogram",
        "hazard_bus_turnaround_seconds_bucket{le=\"0.001\",bus=\"gas-bus\"} 0",
        "hazard_bus_turnaround_seconds_bucket{le=\"+Inf\",bus=\"gas-bus\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

/// One that sounds and whose last self-test failed.
fn annunciator() -> crate::annunciator::AnnunciatorView {
    crate::annunciator::AnnunciatorView {
        link: "relay-a".into(),
        state: "sounding",
        beacon: true,
        fault: Some("differs"),
        fault_zh: Some("线圈回读与写入不符"),
        fault_en: Some("a coil reads back otherwise than it was written"),
        sounds_to: 2,
        self_test_at: "10:00".into(),
        last_test: None,
        tests_passed: 3,
        tests_failed: 1,
        writes: 120,
        failures: 7,
        connects: 2,
    }
}

#[tokio::test]
async fn the_annunciator_is_tested_by_who_may_where_there_is_one_and_its_figures_are_shown() {
    let bench = bench(false).await;
    let (path, body) = ("/api/v1/annunciator/test", || Some(json!({ "reason": "交接班试音" })));
    let olga = bench.accounts.sign_in_for_test("olga", Role::Operator).await;
    let vera = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    assert_eq!(bench.own(&olga, "POST", path, body()).await.status(), StatusCode::NOT_FOUND, "none is configured");
    bench.snapshots.send_modify(|s| Arc::make_mut(s).annunciator = Some(annunciator()));
    assert_eq!(bench.own(&olga, "POST", path, body()).await.status(), StatusCode::OK);
    assert_eq!(bench.own(&vera, "POST", path, body()).await.status(), StatusCode::FORBIDDEN);
    let status = json_of(bench.own(&vera, "GET", "/api/v1/status", None).await).await;
    assert_eq!(
        (&status["annunciator"]["state"], &status["annunciator"]["fault"]),
        (&json!("sounding"), &json!("differs"))
    );
    let text = bench.metrics().await;
    for line in [
        "annunciator_ok 0",
        "annunciator_writes_total 120",
        "annunciator_failures_total 7",
        "annunciator_tests_failed_total 1",
    ] {
        assert!(text.contains(&format!("hazard_{line}")), "{line} is not in\n{text}");
    }
}
