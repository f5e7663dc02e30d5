//! The whole router against a core and an archive of its own.

use super::*;
use crate::core::{CommandError, CommandOutcome, CoreRequest};
use crate::delivery::{Delivery, OutboxFigures};
use crate::record::Record;
use crate::snapshot::{AlarmView, PointView, SiteView, Snapshot, StorageView, ValueView};
use crate::web::routes::{Access, ROUTES, Station, allows};
use axum::body::Body as HttpBody;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use futures_util::future::BoxFuture;
use rules::{Event, EventKind, Mono, Now, Rejected, TimeQuality, Wall};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tower::ServiceExt;

const SECRET: &str = "correct horse battery";

/// A clock that is put forward by hand.
#[derive(Default)]
struct HandClock(Mutex<u64>);

impl HandClock {
    fn forward(&self, by: Duration) {
        *self.0.lock().unwrap() += u64::try_from(by.as_millis()).unwrap();
    }
}

impl Clock for HandClock {
    fn now(&self) -> Now {
        let ms = *self.0.lock().unwrap() + 1_000_000_000;
        let utc_ms = i64::try_from(ms).unwrap();
        Now { mono: Mono(ms * 1_000_000), wall: Wall { utc_ms, quality: TimeQuality::Synced } }
    }
}

#[derive(Default)]
struct FakeArchive(Mutex<Vec<Record>>);

impl Archive for FakeArchive {
    fn records(&self, after: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, Problem>> {
        let all = self.0.lock().unwrap().clone();
        let found = all.into_iter().filter(|r| r.event.seq > after.unwrap_or(0)).take(limit as usize).collect();
        Box::pin(async move { Ok(found) })
    }
    fn history(&self, _: &str, from: i64, _: i64, _: u32) -> BoxFuture<'_, Result<Vec<Bucket>, Problem>> {
        Box::pin(async move { Ok(vec![Bucket { t_ms: from, min: None, max: None, last: None, quality: 2 }]) })
    }
}

struct Bench {
    router: Router,
    accounts: Arc<Accounts>,
    clock: Arc<HandClock>,
    archive: Arc<FakeArchive>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    records: broadcast::Sender<Arc<Record>>,
    notes: Arc<Mutex<Vec<EventKind>>>,
    stop: CancellationToken,
}

/// Answers notes with a record and commands by the alarm's name.
async fn play_core(mut requests: mpsc::Receiver<CoreRequest>, notes: Arc<Mutex<Vec<EventKind>>>) {
    while let Some(request) = requests.recv().await {
        match request {
            CoreRequest::Note { kind, reply } => {
                notes.lock().unwrap().push(kind.clone());
                let _ = reply.send(Arc::new(record(1, kind)));
            }
            CoreRequest::Command { command: rules::Command::Acknowledge { alarm, .. }, reply, .. } => {
                let _ = reply.send(match alarm.as_str() {
                    "gone" => Err(CommandError::Rejected(Rejected::NotFound(alarm))),
                    "changed" => Err(CommandError::Rejected(Rejected::Changed(alarm))),
                    "again" => Err(CommandError::Rejected(Rejected::AlreadySo)),
                    _ => Ok(CommandOutcome { records: vec![Arc::new(record(2, notice()))] }),
                });
            }
            CoreRequest::Command { reply, .. } => {
                let _ = reply.send(Err(CommandError::Rejected(Rejected::Incomplete(vec!["reason".into()]))));
            }
            CoreRequest::Receipt(_) | CoreRequest::Outbox(_) | CoreRequest::Influx(_) => {}
        }
    }
}

fn notice() -> EventKind {
    EventKind::Notice { code: "test".into(), text_zh: "试".into(), text_en: "test".into() }
}

fn record(seq: u64, kind: EventKind) -> Record {
    Record {
        event_id: format!("site-{seq}"),
        boot_id: "boot".into(),
        delivery_seq: None,
        durable: true,
        prev_hash: String::new(),
        hash: String::new(),
        event: Event { seq, at: Now::default(), kind },
    }
}

fn picture(seq: u64, value: f64, alarms: Vec<AlarmView>, site: &Arc<SiteView>) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        boot_id: "boot".into(),
        seq,
        utc_ms: 0,
        clock: "synced".into(),
        version: "0",
        site: site.clone(),
        values: vec![ValueView(Some(value), 0, 1, None), ValueView(Some(7.0), 0, 1, None)],
        alarms: Arc::new(alarms),
        hazards: Arc::default(),
        buses: Vec::new(),
        outbox: OutboxFigures::default(),
        storage: StorageView::default(),
        office_silent: false,
    })
}

fn alarm() -> AlarmView {
    AlarmView {
        id: "GT-101:HH".into(),
        point: "GT-101".into(),
        name: String::new(),
        name_en: String::new(),
        area: String::new(),
        condition: "HH".into(),
        priority: 1,
        state: "unacked".into(),
        held: false,
        suppressed: false,
        assumed: false,
        occurrence: 1,
        seq: 6,
        event_id: "site-6".into(),
        raised_utc_ms: 0,
        returned_utc_ms: None,
        acked_by: None,
        value: None,
        limit: None,
        unit: String::new(),
        risk: None,
        hazard: None,
        action: String::new(),
        action_en: String::new(),
        delivery: Delivery::Stored,
        drill: false,
        durable: true,
        text_zh: String::new(),
        text_en: String::new(),
    }
}

fn site() -> Arc<SiteView> {
    let point = |key: &str| PointView {
        key: key.into(),
        name: "氯".into(),
        name_en: "chlorine".into(),
        area: "a".into(),
        device: "d".into(),
        kind: "gas".into(),
        unit: "ppm".into(),
        range: (0.0, 10.0),
        decimals: 1,
        period_ms: 1000,
        position: None,
        limits: vec![("HH".into(), 5.0)],
    };
    Arc::new(SiteView {
        site: "site".into(),
        name: "示范".into(),
        name_en: "demo".into(),
        config_hash: "hash".into(),
        points: vec![point("GT-101"), point("GT-102")],
        risks: Vec::new(),
        measures: Vec::new(),
        sources: Vec::new(),
        areas: Vec::new(),
        plan: (1.0, 1.0),
        demo: false,
    })
}

async fn bench(demo_operator: bool) -> Bench {
    let clock = Arc::new(HandClock::default());
    let (requests, inbox) = mpsc::channel(8);
    let (snapshots, latest) = watch::channel(picture(5, 1.0, Vec::new(), &site()));
    let (records, _) = broadcast::channel(4);
    let notes = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(play_core(inbox, notes.clone()));
    let core = CoreHandle { requests, snapshots: latest, records: records.clone() };
    let settings = WebSettings { listen: "127.0.0.1:8080".parse().unwrap(), demo_operator };
    let db = Arc::new(OwnDb::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap());
    let accounts = open_accounts(db, clock.clone(), &settings).await;
    let (start, _inbox) = mpsc::channel(1);
    let scenarios = [DemoScenario { name: "leak".into(), text_zh: "泄漏".into(), text_en: "leak".into() }];
    let demo = Some(DemoControl { scenarios: scenarios.into(), start });
    let archive = Arc::new(FakeArchive::default());
    let parts = SiteParts { core, archive: archive.clone(), clock: clock.clone(), settings, demo };
    let stop = CancellationToken::new();
    let router = site_router(parts, accounts.clone(), stop.clone());
    Bench { router, accounts, clock, archive, snapshots, records, notes, stop }
}

/// A signed-in browser.
#[derive(Clone, Default)]
struct Browser {
    cookie: String,
    csrf: String,
}

impl Bench {
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response<HttpBody> {
        self.send_from("192.0.2.7:5000", method, path, headers, body).await
    }

    async fn send_from(
        &self,
        peer: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response<HttpBody> {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(value) => {
                request = request.header("content-type", "application/json");
                HttpBody::from(value.to_string())
            }
            None => HttpBody::empty(),
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(Peer(peer.parse().unwrap())));
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// As our own page would.
    async fn own(&self, browser: &Browser, method: &str, path: &str, body: Option<Value>) -> Response<HttpBody> {
        let headers =
            [("cookie", &*browser.cookie), ("x-csrf-token", &*browser.csrf), ("sec-fetch-site", "same-origin")];
        self.send(method, path, &headers, body).await
    }

    async fn sign_in(&self, user: &str) -> Browser {
        let body = json!({ "user": user, "password": SECRET });
        let answer = self.own(&Browser::default(), "POST", "/api/v1/session", Some(body)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        browser_of(answer).await
    }

    async fn set_up(&self, code: &str) -> Response<HttpBody> {
        let body = json!({ "code": code, "user": "root", "password": SECRET });
        self.own(&Browser::default(), "POST", "/api/v1/setup", Some(body)).await
    }
}

async fn browser_of(answer: Response<HttpBody>) -> Browser {
    let line = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(line.contains("HttpOnly; SameSite=Strict"), "{line}");
    let body = json_of(answer).await;
    Browser { cookie: line.split(';').next().unwrap().to_owned(), csrf: body["csrf"].as_str().unwrap().to_owned() }
}

async fn json_of(answer: Response<HttpBody>) -> Value {
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

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
    for role in Role::ALL {
        bench.accounts.add_user(&format!("user-{}", role.word()), &[role], SECRET.into()).await.unwrap();
    }
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

impl Accounts {
    /// Spares the slow hash.
    async fn sign_in_for_test(&self, user: &str, role: Role) -> Browser {
        let new = self.begin_for_test(user, role).await;
        Browser { cookie: format!("hazard_session={}", new.token), csrf: new.session.csrf }
    }
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
    assert_eq!(json_of(gap).await, json!({ "t": [0], "min": [null], "max": [null], "last": [null], "quality": [2] }));
}

#[tokio::test]
async fn figures_are_for_this_machine_or_a_session() {
    let bench = bench(false).await;
    assert_eq!(bench.send("GET", "/metrics", &[], None).await.status(), StatusCode::UNAUTHORIZED);
    let answer = bench.send_from("127.0.0.1:9", "GET", "/metrics", &[], None).await;
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.contains("\nhazard_points_good 2\n") && text.ends_with("# EOF\n"), "{text}");
    assert_eq!(bench.send("GET", "/readyz", &[], None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_open_stream_over_a_socket_does_not_hold_up_the_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = bench(true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, accounts, stop) = (bench.router.clone(), bench.accounts.clone(), bench.stop.clone());
    let serving = tokio::spawn(async move { serve(listener, router, &accounts, stop).await });
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let ask = "GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n\r\n";
    socket.write_all(ask.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("event: snapshot") {
        let mut part = [0; 4096];
        let read = socket.read(&mut part).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&part[..read]).expect("a stream is never compressed"));
    }
    bench.stop.cancel();
    tokio::time::timeout(Duration::from_secs(3), serving).await.unwrap().unwrap().unwrap();
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
    let sven = bench.accounts.sign_in_for_test("sven", Role::Safety).await;
    let answer = bench.own(&sven, "POST", "/api/v1/hazards/HD-1/reject", Some(json!({ "reason": "" }))).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json_of(answer).await["fields"], json!(["reason"]));
}

/// Frames of an open stream as (name, id, data).
struct Frames(axum::body::BodyDataStream, String);

impl Frames {
    async fn of(bench: &Bench, browser: &Browser, last_id: Option<&str>) -> Self {
        let mut headers = vec![("cookie", &*browser.cookie)];
        headers.extend(last_id.map(|id| ("last-event-id", id)));
        let answer = bench.send("GET", "/api/v1/stream", &headers, None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self(answer.into_body().into_data_stream(), String::new())
    }

    async fn next(&mut self) -> Option<(String, String, Value)> {
        use tokio_stream::StreamExt;
        loop {
            if let Some((frame, rest)) = self.1.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())) {
                self.1 = rest;
                let field = |name: &str| {
                    frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                return Some((field("event:"), field("id:"), serde_json::from_str(&field("data:")).unwrap()));
            }
            let more = self.0.next().await?.unwrap();
            self.1.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// The next frame of this name; heartbeats and others in between are passed over.
    async fn named(&mut self, name: &str) -> (String, Value) {
        loop {
            let (found, id, data) = self.next().await.expect("the stream goes on");
            if found == name {
                return (id, data);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_stream_begins_with_a_snapshot_and_goes_on_with_differences() {
    let bench = bench(false).await;
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let mut frames = Frames::of(&bench, &viewer, None).await;
    let (name, id, first) = frames.next().await.unwrap();
    assert_eq!((&*name, &*id), ("snapshot", "boot:5"));
    assert_eq!(first["values"][0][0], 1.0);
    let site = bench.snapshots.borrow().site.clone();
    bench.snapshots.send_replace(picture(6, 2.5, vec![alarm()], &site));
    let (_, values) = frames.named("values").await;
    assert_eq!(values["v"], json!([[0, 2.5, 0, 1, null]]), "only what changed");
    assert_eq!(frames.named("alarms").await.1[0]["id"], "GT-101:HH");
    bench.records.send(Arc::new(record(6, notice()))).unwrap();
    let (id, shown) = frames.named("record").await;
    assert_eq!((&*id, &shown["seq"]), ("boot:6", &json!(6)));
    assert_eq!(frames.named("heartbeat").await.1["unacked"], 1);
    bench.stop.cancel();
    while frames.next().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn a_returning_client_gets_what_it_missed_and_a_stranger_to_this_boot_a_snapshot() {
    let bench = bench(false).await;
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    *bench.archive.0.lock().unwrap() = (1..=5).map(|seq| record(seq, notice())).collect();
    let mut frames = Frames::of(&bench, &viewer, Some("boot:3")).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (name, id, _) = frames.next().await.unwrap();
        seen.push(format!("{name} {id}"));
    }
    assert_eq!(seen, ["record boot:4", "record boot:5", "values boot:5", "alarms boot:5", "hazards boot:5"]);
    let mut other = Frames::of(&bench, &viewer, Some("another:3")).await;
    assert_eq!(other.next().await.unwrap().0, "snapshot");
}

#[tokio::test(start_paused = true)]
async fn a_lagging_client_is_told_to_begin_again_and_an_ended_session_ends_its_stream() {
    let bench = bench(false).await;
    bench.accounts.add_user("vera", &[Role::Viewer], SECRET.into()).await.unwrap();
    let viewer = bench.accounts.sign_in_for_test("vera", Role::Viewer).await;
    let mut frames = Frames::of(&bench, &viewer, None).await;
    frames.named("snapshot").await;
    for seq in 6..20 {
        bench.records.send(Arc::new(record(seq, notice()))).unwrap();
    }
    assert_eq!(frames.named("resync").await.1["missed"], 10);
    frames.named("snapshot").await;
    bench.own(&viewer, "DELETE", "/api/v1/session", None).await;
    while frames.next().await.is_some() {}
}
