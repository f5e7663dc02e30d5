//! Who gets in: roles by the table, forgery, sign-in, setup, sessions.

use super::*;
use crate::web::routes::{Access, ROUTES, Station, allows};

/// A path with its placeholders filled and a body its handler takes.
fn example(path: &str) -> (String, Value) {
    let path = path.replace("{id}", "GT-101").replace("{name}", "nobody");
    let body = json!({ "user": "x", "password": "x", "code": "x", "old": "x", "new": "x", "roles": ["viewer"],
                       "seen_seq": 1, "comment": "", "reason": "valve", "name": "leak" });
    (path, body)
}

#[tokio::test]
async fn every_route_answers_each_role_as_the_table_says_and_strangers_not_at_all() {
    let bench = bench(false).await;
    let rows = ROUTES.iter().filter(|row| row.station != Station::Office);
    for row in rows.filter(|row| matches!(row.access, Access::Needs(_))) {
        let Access::Needs(action) = row.access else { continue };
        let (path, body) = example(row.path);
        let body = (row.method == "POST").then_some(body);
        let stranger = bench.own(&Browser::default(), row.method, &path, body.clone()).await;
        assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED, "anonymous {} {path}", row.method);
        for role in Role::ALL {
            let browser = bench.accounts.sign_in_for_test(&format!("user-{}", role.word()), role).await;
            let answer = bench.own(&browser, row.method, &path, body.clone()).await;
            let refused = answer.status() == StatusCode::FORBIDDEN;
            assert_eq!(refused, !allows(role, action), "{role:?} {} {path}: {}", row.method, answer.status());
            let missing = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::INTERNAL_SERVER_ERROR];
            assert!(!missing.contains(&answer.status()), "{} {path}", row.method);
            if answer.status() == StatusCode::NOT_FOUND {
                let problem = json_of(answer).await;
                assert_eq!(problem["type"], "urn:hazard-gateway:problem:not-found", "{} {path}", row.method);
            }
        }
    }
}

#[tokio::test]
async fn a_configuration_is_asked_for_with_a_reason_once_for_each_key_and_one_at_a_time() {
    let mut bench = bench(false).await;
    let mut held = std::mem::replace(&mut bench.held, mpsc::channel(1).1);
    let erik = bench.accounts.sign_in_for_test("erik", Role::Engineer).await;
    let ask = async |reason: &str, key: &str| {
        let headers = [
            ("cookie", &*erik.cookie),
            ("x-csrf-token", &*erik.csrf),
            ("sec-fetch-site", "same-origin"),
            ("idempotency-key", key),
        ];
        let answer = bench.send("POST", "/api/v1/config/reload", &headers, Some(json!({ "reason": reason }))).await;
        (answer.status().as_u16(), json_of(answer).await)
    };
    let (status, problem) = ask(" x ", "a").await;
    assert_eq!((status, &problem["fields"]), (422, &json!(["reason"])));
    let (status, problem) = ask("defects", "a").await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:hazard-gateway:problem:config-defects")));
    assert_eq!((&problem["defects"][0]["file"], &problem["defects"][0]["line"]), (&json!("site.toml"), &json!(1)));
    let noted = bench.notes.lock().unwrap().iter().any(
        |kind| matches!(kind, EventKind::Operator { user, action, .. } if user == "erik" && action == "config_refused"),
    );
    assert!(noted, "that it was tried is in the journal");
    let in_force = json!({ "in_force": true, "changed": true, "restart": false, "config_hash": "hash" });
    assert_eq!(ask("按评审单放宽", "b").await, (200, in_force.clone()));
    assert_eq!(ask("wiring", "c").await.1["restart"], true);
    // the station checks for long, and who asked is gone meanwhile
    tokio::select! {
        answer = ask("never", "d") => panic!("{answer:?}"),
        told = held.recv() => told.unwrap(),
    }
    let (_, problem) = {
        let first = ask("never", "e");
        tokio::pin!(first);
        tokio::select! {
            answer = &mut first => panic!("{answer:?}"),
            told = held.recv() => told.unwrap(),
        }
        assert_eq!(ask("按评审单放宽", "b").await, (200, in_force), "the first answer again, nothing is asked twice");
        ask("按评审单放宽", "f").await
    };
    assert_eq!((&problem["status"], &problem["detail"]), (&json!(409), &json!("reload_under_way")));
}

#[tokio::test]
async fn a_change_from_elsewhere_or_without_the_token_is_refused() {
    let bench = bench(false).await;
    let browser = bench.accounts.sign_in_for_test("olga", Role::Operator).await;
    let cookie = ("cookie", &*browser.cookie);
    let csrf = ("x-csrf-token", &*browser.csrf);
    let body = json!({ "seen_seq": 1 });
    for (headers, want) in [
        (vec![cookie, csrf], 403),
        (vec![cookie, csrf, ("origin", "http://evil.example")], 403),
        (vec![cookie, csrf, ("sec-fetch-site", "cross-site")], 403),
        (vec![cookie, ("sec-fetch-site", "same-origin")], 403),
        (vec![cookie, ("x-csrf-token", "0"), ("sec-fetch-site", "same-origin")], 403),
        (vec![cookie, csrf, ("origin", "http://127.0.0.1:8080")], 200),
    ] {
        let answer = bench.send("POST", "/api/v1/alarms/GT-101:HH/ack", &headers, Some(body.clone())).await;
        assert_eq!(answer.status().as_u16(), want, "{headers:?}");
    }
    let login = json!({ "user": "olga", "password": SECRET });
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(bench.send("POST", "/api/v1/session", &foreign, Some(login)).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_setup_code_works_once_and_not_after_half_an_hour() {
    let late = bench(false).await;
    let code = late.accounts.setup_code().unwrap();
    late.clock.forward(Duration::from_secs(30 * 60));
    assert_eq!(late.set_up(&code).await.status(), StatusCode::UNAUTHORIZED);

    let bench = bench(false).await;
    let code = bench.accounts.setup_code().unwrap();
    assert_eq!(bench.set_up("AAAAA-AAAAA").await.status(), StatusCode::UNAUTHORIZED);
    let made = bench.set_up(&code).await;
    assert_eq!(made.status(), StatusCode::OK);
    let browser = browser_of(made).await;
    assert_eq!(bench.own(&browser, "GET", "/api/v1/status", None).await.status(), StatusCode::OK);
    assert_eq!(bench.set_up(&code).await.status(), StatusCode::UNAUTHORIZED);
    assert!(!bench.accounts.setup_needed());
    let again = bench.sign_in("root").await;
    assert_eq!(bench.own(&again, "GET", "/api/v1/users", None).await.status(), StatusCode::OK);
}

#[test]
fn the_first_start_says_the_code_and_both_ways_on_when_it_is_too_old() {
    let said = crate::web::first_person(([127, 0, 0, 1], 8080).into(), "ABCDE-FGHJK");
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].contains("一次性设置码 ABCDE-FGHJK ") && lines[2].ends_with("with the one-time code ABCDE-FGHJK"),
        "{said}"
    );
    for (line, again) in [(lines[1], "重新启动"), (lines[3], "another start prints a new one-time code")] {
        assert!(
            line.contains(again) && line.ends_with("hazard-gateway user add NAME --role admin --config FILE"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer_and_both_are_journaled() {
    let bench = bench(false).await;
    bench.accounts.add_user("anna", &[Role::Viewer], SECRET.into()).await.unwrap();
    let mut answers = Vec::new();
    for (user, password) in [("anna", "wrong"), ("nobody", SECRET)] {
        let body = json!({ "user": user, "password": password });
        let answer = bench.own(&Browser::default(), "POST", "/api/v1/session", Some(body)).await;
        answers.push((answer.status(), json_of(answer).await));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    bench.sign_in("anna").await;
    let notes: Vec<String> = bench
        .notes
        .lock()
        .unwrap()
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Operator { action, .. } => Some(action.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(notes, ["sign_in_failed", "sign_in_failed", "sign_in"]);
}

#[tokio::test]
async fn a_session_travels_in_a_secure_cookie_behind_tls_and_in_a_plain_one_otherwise() {
    for (listen, behind_tls, begins, secure) in [
        ("127.0.0.1:8080", false, "hazard_session=", false),
        ("0.0.0.0:8080", false, "hazard_session=", false),
        ("127.0.0.1:8080", true, "__Host-hazard_session=", true),
        ("0.0.0.0:8080", true, "__Host-hazard_session=", true),
    ] {
        let bench =
            bench_with(WebSettings { listen: listen.parse().unwrap(), behind_tls, demo_operator: false }, None).await;
        bench.accounts.add_user("anna", &[Role::Viewer], SECRET.into()).await.unwrap();
        let body = json!({ "user": "anna", "password": SECRET });
        let answer = bench.own(&Browser::default(), "POST", "/api/v1/session", Some(body)).await;
        let line = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(line.starts_with(begins) && line.contains("; Secure") == secure, "{listen} {behind_tls}: {line}");
        let browser = browser_of(answer).await;
        assert_eq!(bench.own(&browser, "GET", "/api/v1/status", None).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn people_behind_one_proxy_do_not_use_up_each_others_tries() {
    let tries = async |behind_tls: bool| {
        let listen = "127.0.0.1:8080".parse().unwrap();
        let bench = bench_with(WebSettings { listen, behind_tls, demo_operator: false }, None).await;
        let mut last = StatusCode::OK;
        for n in 0..22 {
            let from = format!("192.0.2.{}", n % 2);
            let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", from.as_str())];
            let body = json!({ "user": format!("user-{n}"), "password": "" });
            last = bench.send_from("127.0.0.1:9", "POST", "/api/v1/session", &headers, Some(body)).await.status();
        }
        last
    };
    assert_eq!(tries(true).await, StatusCode::UNAUTHORIZED, "eleven tries from each of two");
    assert_eq!(tries(false).await, StatusCode::TOO_MANY_REQUESTS, "without behind_tls all of them are the proxy");
}

#[tokio::test]
async fn a_session_ends_by_sign_out_by_idling_and_by_being_shut_out() {
    let bench = bench(false).await;
    bench.accounts.add_user("olga", &[Role::Operator], SECRET.into()).await.unwrap();
    let first = bench.sign_in("olga").await;
    assert_eq!(bench.own(&first, "DELETE", "/api/v1/session", None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.own(&first, "GET", "/api/v1/status", None).await.status(), StatusCode::UNAUTHORIZED);

    let second = bench.sign_in("olga").await;
    bench.clock.forward(Duration::from_secs(14 * 60));
    assert_eq!(bench.own(&second, "GET", "/api/v1/status", None).await.status(), StatusCode::OK);
    bench.clock.forward(Duration::from_secs(15 * 60));
    assert_eq!(bench.own(&second, "GET", "/api/v1/status", None).await.status(), StatusCode::UNAUTHORIZED);

    let third = bench.sign_in("olga").await;
    let admin = bench.accounts.sign_in_for_test("root", Role::Admin).await;
    let out = bench.own(&admin, "POST", "/api/v1/users/olga", Some(json!({ "disabled": true }))).await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.own(&third, "GET", "/api/v1/status", None).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_user_has_at_most_five_sessions_and_the_oldest_ends() {
    let bench = bench(false).await;
    let mut all = Vec::new();
    for _ in 0..6 {
        bench.clock.forward(Duration::from_secs(1));
        all.push(bench.accounts.sign_in_for_test("olga", Role::Operator).await);
    }
    let mut good = Vec::new();
    for browser in &all {
        good.push(bench.own(browser, "GET", "/api/v1/status", None).await.status() == StatusCode::OK);
    }
    assert_eq!(good, [false, true, true, true, true, true]);
}

#[tokio::test]
async fn the_demo_operator_is_given_to_this_machine_only() {
    let bench = bench(true).await;
    let local = bench.send_from("127.0.0.1:9", "GET", "/api/v1/session", &[], None).await;
    let session = json_of(local).await;
    assert_eq!((&session["demo"], &session["user"], &session["kind"]), (&json!(true), &json!("demo"), &json!("site")));
    assert_eq!(session["roles"], json!(["operator", "safety"]));
    let csrf = session["csrf"].as_str().unwrap();
    let headers = [("x-csrf-token", csrf), ("sec-fetch-site", "same-origin")];
    let ack = bench.send_from("127.0.0.1:9", "POST", "/api/v1/alarms/a/ack", &headers, Some(json!({"seen_seq": 1})));
    assert_eq!(ack.await.status(), StatusCode::OK);
    assert_eq!(bench.send("GET", "/api/v1/status", &[], None).await.status(), StatusCode::UNAUTHORIZED);
    let proxied = [("x-forwarded-for", "192.0.2.1")];
    let answer = bench.send_from("127.0.0.1:9", "GET", "/api/v1/status", &proxied, None).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn scenarios_are_started_shown_running_and_stopped_by_who_may() {
    let bench = bench(true).await;
    let session = json_of(bench.send_from("127.0.0.1:9", "GET", "/api/v1/session", &[], None).await).await;
    let headers = [("x-csrf-token", session["csrf"].as_str().unwrap()), ("sec-fetch-site", "same-origin")];
    let path = "/api/v1/demo/scenarios";
    let change = async |method: &str, body: Option<Value>| {
        bench.send_from("127.0.0.1:9", method, path, &headers, body).await.status()
    };
    let left =
        async || json_of(bench.send_from("127.0.0.1:9", "GET", path, &[], None).await).await[0]["ends_in_s"].clone();
    assert_eq!(left().await, Value::Null);
    assert_eq!(change("POST", Some(json!({"name": "flood"}))).await, StatusCode::NOT_FOUND);
    assert_eq!(change("POST", Some(json!({"name": "leak"}))).await, StatusCode::ACCEPTED);
    assert_eq!(left().await, json!(10));
    assert_eq!(change("DELETE", None).await, StatusCode::NO_CONTENT);
    assert_eq!(left().await, Value::Null);
    assert_eq!(bench.send("DELETE", path, &[], None).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_may_read_the_token_may_look_from_this_machine_and_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench_in(false, Some(folder.path())).await;
    let bearer = format!("Bearer {}", local::LocalToken::found_in(folder.path()).unwrap());
    let with = [("authorization", bearer.as_str())];
    let status = async |peer: &str, method: &str, path: &str, headers: &[(&str, &str)]| {
        let body = (method == "POST").then(|| json!({ "seen_seq": 1, "old": "x", "new": "y" }));
        bench.send_from(peer, method, path, headers, body).await.status()
    };
    assert_eq!(status("127.0.0.1:9", "GET", "/api/v1/status", &with).await, StatusCode::OK);
    assert_eq!(status("127.0.0.1:9", "GET", "/api/v1/events", &with).await, StatusCode::OK);
    assert_eq!(status("127.0.0.1:9", "GET", "/api/v1/users", &with).await, StatusCode::FORBIDDEN);
    for (peer, path, headers) in [
        ("192.0.2.7:9", "/api/v1/status", vec![with[0]]),
        ("127.0.0.1:9", "/api/v1/status", vec![with[0], ("x-forwarded-for", "127.0.0.1")]),
        ("127.0.0.1:9", "/api/v1/status", vec![("authorization", "Bearer 00")]),
    ] {
        assert_eq!(status(peer, "GET", path, &headers).await, StatusCode::UNAUTHORIZED, "{peer} {headers:?}");
    }
    let posting = [with[0], ("sec-fetch-site", "same-origin"), ("x-csrf-token", "")];
    for path in ["/api/v1/alarms/GT-101:HH/ack", "/api/v1/password"] {
        assert_eq!(status("127.0.0.1:9", "POST", path, &posting).await, StatusCode::UNAUTHORIZED, "{path}");
    }
}

/// A database that can be taken away.
struct Breakable(OwnDb, std::sync::atomic::AtomicBool);

impl AccountDb for Breakable {
    fn run(&self, job: DbJob) -> BoxFuture<'_, bool> {
        if self.1.load(std::sync::atomic::Ordering::Relaxed) { Box::pin(async { false }) } else { self.0.run(job) }
    }
}

#[tokio::test]
async fn an_open_session_outlives_the_database_and_a_restart_but_not_its_limit() {
    let own = OwnDb::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
    let db = Arc::new(Breakable(own, false.into()));
    let clock = Arc::new(HandClock::default());
    let accounts = Accounts::open(db.clone(), clock.clone(), false).await;
    accounts.add_user("olga", &[Role::Operator], SECRET.into()).await.unwrap();
    let source: std::net::IpAddr = "192.0.2.7".parse().unwrap();
    let new = accounts.sign_in("olga", SECRET.into(), source).await.unwrap();
    let again = Accounts::open(db.clone(), clock.clone(), false).await;
    assert_eq!(again.session_of(&new.token, true).unwrap().user, "olga");
    db.1.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(accounts.session_of(&new.token, true).is_some(), "the disk is full, the operator still acknowledges");
    accounts.write_behind().await;
    assert!(accounts.session_of(&new.token, true).is_some());
    db.1.store(false, std::sync::atomic::Ordering::Relaxed);
    clock.forward(Duration::from_secs(16 * 60));
    assert!(Accounts::open(db, clock, false).await.session_of(&new.token, true).is_none());
}

#[tokio::test]
async fn fifty_wrong_tries_do_not_keep_the_right_person_out_elsewhere() {
    let bench = bench(false).await;
    bench.accounts.add_user("anna", &[Role::Viewer], SECRET.into()).await.unwrap();
    let mut waits = 0;
    for _ in 0..50 {
        let refused = bench
            .accounts
            .sign_in("anna", "wrong".into(), Door::Address("198.51.100.1".parse().unwrap()))
            .await
            .unwrap_err();
        waits += usize::from(matches!(refused, accounts::Refused::Wait(_)));
    }
    assert_eq!(waits, 45, "five free tries, then a delay that the hand clock never lets pass");
    bench.sign_in("anna").await;
}

#[tokio::test]
async fn a_change_that_is_refused_is_in_the_journal_with_who_what_and_why_and_a_look_is_not() {
    let bench = bench(false).await;
    let (vera, olga) = (
        bench.accounts.sign_in_for_test("vera", Role::Viewer).await,
        bench.accounts.sign_in_for_test("olga", Role::Operator).await,
    );
    let seen = json!({ "seen_seq": 1 });
    let asked = [
        (&vera, "/api/v1/alarms/GT-101:HH/ack", Some(seen.clone()), 403),
        (&olga, "/api/v1/alarms/changed/ack", Some(seen.clone()), 409),
        (&olga, "/api/v1/alarms/gone/ack", Some(seen.clone()), 404),
        (&olga, "/api/v1/alarms/a/ack", Some(json!({})), 422),
        (&olga, "/api/v1/alarms/GT-101:HH/ack", Some(seen.clone()), 200),
    ];
    for (who, path, body, want) in asked {
        assert_eq!(bench.own(who, "POST", path, body).await.status().as_u16(), want, "{path}");
    }
    assert_eq!(bench.own(&vera, "GET", "/api/v1/users", None).await.status(), 403);
    assert_eq!(bench.own(&Browser::default(), "POST", "/api/v1/silence", Some(json!({}))).await.status(), 401);
    let refused = |kind: &EventKind| match kind {
        EventKind::Operator { user, action, detail } if action == "refused" => Some(format!("{user} {detail}")),
        _ => None,
    };
    let noted: Vec<String> = bench.notes.lock().unwrap().iter().filter_map(refused).collect();
    assert_eq!(
        noted,
        [
            "vera POST alarms/GT-101:HH/ack: forbidden (as viewer), from 192.0.2.7",
            "olga POST alarms/changed/ack: changed: changed (as operator), from 192.0.2.7"
        ]
    );
    for _ in 0..200 {
        bench.own(&vera, "POST", "/api/v1/silence", Some(json!({}))).await;
    }
    let noted = bench.notes.lock().unwrap().iter().filter_map(refused).count();
    assert_eq!(
        (noted, bench.accounts.refusals.counts()),
        (21, (21, 181)),
        "twenty of a person, and the rest is counted"
    );
}

#[tokio::test]
async fn too_many_sign_ins_say_why_and_for_how_long_and_do_not_keep_the_local_operator_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench_in(false, Some(folder.path())).await;
    let code = bench.accounts.setup_code().unwrap();
    assert_eq!(bench.set_up(&code).await.status(), StatusCode::OK);
    let token = format!("Bearer {}", local::LocalToken::found_in(folder.path()).unwrap());
    let try_once = async |peer: &str, user: &str, more: &[(&str, &str)]| {
        let headers = [&[("sec-fetch-site", "same-origin")], more].concat();
        let body = json!({ "user": user, "password": SECRET });
        bench.send_from(peer, "POST", "/api/v1/session", &headers, Some(body)).await
    };
    for n in 0..20 {
        assert_eq!(try_once("127.0.0.1:9", &format!("u{n}"), &[]).await.status(), StatusCode::UNAUTHORIZED);
    }
    let held = try_once("127.0.0.1:9", "root", &[]).await;
    assert_eq!(held.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds = held.headers()["retry-after"].to_str().unwrap().to_owned();
    let detail = json_of(held).await["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains(&format!("请 {seconds} 秒后再试")) && detail.contains("too many sign-ins from this address"),
        "{detail}"
    );
    assert_eq!(try_once("127.0.0.1:9", "root", &[("authorization", &token)]).await.status(), StatusCode::OK);
    let forwarded = [("authorization", &*token), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(try_once("127.0.0.1:9", "root", &forwarded).await.status(), 429, "not through a proxy");
    assert_eq!(try_once("127.0.0.1:9", "root", &[("authorization", "Bearer 0")]).await.status(), 429);
    for n in 0..20 {
        try_once("192.0.2.9:9", &format!("v{n}"), &[]).await;
    }
    assert_eq!(try_once("192.0.2.9:9", "root", &[("authorization", &token)]).await.status(), 429, "not from elsewhere");
}
