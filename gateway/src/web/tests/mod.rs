//! The whole router against a core, an archive and a clock of its own. The bench is here, the facts are in the files beside.

mod answers;
mod calls;
mod doors;
mod hazards;
mod stream;

use super::archive::{Found, Stopped};
use super::*;
use crate::core::{CommandError, CommandOutcome, CoreRequest};
use crate::mqtt::fixture;
use crate::record::Record;
use crate::reload::{Asker, Wish};
use crate::snapshot::fixture::{gas, points};
use crate::snapshot::{AlarmView, SiteView, Snapshot, ValueView};
use crate::store::{IncidentFigures, IncidentFiles, KeptIncident};
use axum::body::Body as HttpBody;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use futures_util::future::BoxFuture;
use rules::{Event, EventKind, Finite, Mono, Now, Reading, Rejected, Wall};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
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
        Now { mono: Mono(ms * 1_000_000), wall: Wall::synced(utc_ms) }
    }
}

#[derive(Default)]
struct FakeArchive(Mutex<Vec<Record>>, Mutex<Option<Arc<IncidentFiles>>>);

impl Archive for FakeArchive {
    fn records(&self, after: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, Problem>> {
        let all = self.0.lock().unwrap().clone();
        let found = all.into_iter().filter(|r| r.event.seq > after.unwrap_or(0)).take(limit as usize).collect();
        Box::pin(async move { Ok(found) })
    }
    fn events(&self, filter: EventFilter) -> BoxFuture<'_, Result<Found<Record>, Problem>> {
        let all = self.0.lock().unwrap().clone();
        let records = all.into_iter().filter(|r| filter.kinds.contains(&r.event.kind.name())).collect();
        // A point of this name has a journal that is too long to be looked through.
        let stopped = filter.point.is_some_and(|point| point == "LONG-1");
        let stopped = stopped.then_some(Stopped { from_seq: 501, to_seq: 900, go_on_after: 100 });
        Box::pin(async move { Ok(Found { records, stopped }) })
    }
    fn closed_hazards(&self, _: u32) -> BoxFuture<'_, Result<Vec<rules::hazard::Hazard>, Problem>> {
        Box::pin(async move { Ok(Vec::new()) })
    }
    fn history(&self, _: &str, from: i64, _: i64, _: u32) -> BoxFuture<'_, Result<Vec<Bucket>, Problem>> {
        Box::pin(async move { Ok(vec![Bucket { t_ms: from, min: None, max: None, last: None, quality: 2 }]) })
    }
    fn incidents(&self) -> (Vec<KeptIncident>, IncidentFigures) {
        let files = self.1.lock().unwrap();
        files.as_ref().map(|files| (files.list(), files.figures())).unwrap_or_default()
    }
    fn incidents_of(&self, bus: &str) -> BoxFuture<'_, Result<Vec<Value>, Problem>> {
        let read = self.1.lock().unwrap().as_ref().map(|files| files.read(bus));
        Box::pin(async move { Ok(read.unwrap_or_default()) })
    }
    fn kpi(&self, span: crate::store::Span) -> BoxFuture<'_, Result<crate::kpi::Report, Problem>> {
        let events: Vec<_> = self.0.lock().unwrap().iter().map(|r| r.event.clone()).collect();
        Box::pin(async move { Ok(crate::kpi::report(&events, span)) })
    }
}

struct Bench {
    router: Router,
    accounts: Arc<Accounts>,
    clock: Arc<HandClock>,
    archive: Arc<FakeArchive>,
    first_scan: FirstScan,
    snapshots: watch::Sender<Arc<Snapshot>>,
    records: broadcast::Sender<Arc<Record>>,
    notes: Arc<Mutex<Vec<EventKind>>>,
    /// A request for another configuration that the station works on and never answers.
    held: mpsc::Receiver<()>,
    stop: CancellationToken,
}

/// Answers notes with a record and commands by the alarm's name.
async fn play_core(mut requests: mpsc::Receiver<CoreRequest>, notes: Arc<Mutex<Vec<EventKind>>>) {
    while let Some(request) = requests.recv().await {
        match request {
            CoreRequest::Note { kind, reply } => {
                notes.lock().unwrap().push((*kind).clone());
                let _ = reply.send(Arc::new(record(1, *kind)));
            }
            CoreRequest::Command { command: rules::Command::Acknowledge { alarm, .. }, reply, .. } => {
                let _ = reply.send(match alarm.as_str() {
                    "gone" => Err(CommandError::Rejected(Rejected::NotFound(alarm))),
                    "changed" => Err(CommandError::Rejected(Rejected::Changed(alarm))),
                    "again" => Err(CommandError::Rejected(Rejected::AlreadySo)),
                    _ => Ok(CommandOutcome { records: vec![Arc::new(record(2, notice()))] }),
                });
            }
            CoreRequest::Command { command: rules::Command::TestAnnunciator { .. }, reply, .. } => {
                let _ = reply.send(Ok(CommandOutcome { records: vec![Arc::new(record(3, notice()))] }));
            }
            CoreRequest::Command { command: rules::Command::MoveHazard { hazard, seen_seq, step }, reply, .. } => {
                let _ = reply.send(moved(hazard, seen_seq, step));
            }
            CoreRequest::Command { command: command @ rules::Command::RegisterHazard { .. }, reply, .. } => {
                let _ = reply.send(Ok(echo(&command)));
            }
            CoreRequest::Command { command: command @ rules::Command::ConfirmHazard { .. }, reply, .. } => {
                let _ = reply.send(Ok(echo(&command)));
            }
            CoreRequest::Command { command: rules::Command::RejectHazard { hazard, .. }, reply, .. }
                if hazard == "changed" =>
            {
                let _ = reply.send(Err(CommandError::Rejected(Rejected::Changed(hazard))));
            }
            CoreRequest::Command { reply, .. } => {
                let _ = reply.send(Err(incomplete(&["reason"])));
            }
            CoreRequest::Receipt(_)
            | CoreRequest::Outbox(_)
            | CoreRequest::Influx(_)
            | CoreRequest::Transitions(_)
            | CoreRequest::Annunciator(_)
            | CoreRequest::Delivery(_)
            | CoreRequest::System { .. }
            | CoreRequest::Change { .. } => {}
        }
    }
}

fn incomplete(fields: &[&str]) -> CommandError {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    CommandError::Incomplete { fields, longest: None, latest_utc_ms: None }
}

/// By the record's name; what is carried out is said back.
fn moved(hazard: String, seen_seq: u64, step: rules::hazard::step::Step) -> Result<CommandOutcome, CommandError> {
    let refused = |why| Err(CommandError::Rejected(why));
    match hazard.as_str() {
        "lacks" => Err(incomplete(&["plan", "report", "due_at"])),
        "changed" => refused(Rejected::Changed(hazard)),
        "active" => refused(Rejected::Refused(rules::Refusal::ConditionNotNormal)),
        "own" => refused(Rejected::Forbidden(rules::Refusal::InspectorIsRectifier)),
        _ => Ok(echo(&rules::Command::MoveHazard { hazard, seen_seq, step })),
    }
}

fn echo(command: &rules::Command) -> CommandOutcome {
    let text_en = serde_json::to_string(command).unwrap();
    let kind = EventKind::Notice { code: "test".into(), text_zh: "试".into(), text_en };
    CommandOutcome { records: vec![Arc::new(record(4, kind))] }
}

/// Answers for the station's loop by the reason: `defects`, `wiring`, `never`; of one that is never answered it tells that it has it.
async fn play_station(mut wishes: mpsc::Receiver<Wish>, told: mpsc::Sender<()>) {
    let mut held = Vec::new();
    while let Some(mut wish) = wishes.recv().await {
        let Asker::Person { reason, .. } = wish.asker.clone() else { continue };
        match reason.as_str() {
            "defects" => {
                let checked = crate::config::site_from_text("site.toml", "[sit]", |_| {});
                wish.answer(crate::reload::Answer::Defects(checked.diagnostics));
            }
            "wiring" => wish.answer(crate::reload::Answer::Restarting),
            "never" => {
                held.push(wish);
                let _ = told.try_send(());
            }
            _ => wish.answer(crate::reload::Answer::InForce),
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
        site: site.clone(),
        values: [value, 7.0].map(|v| ValueView { reading: Reading::Good(Finite::new(v).unwrap()), utc_ms: 1 }).to_vec(),
        ..fixture::picture(alarms)
    })
}

fn alarm() -> AlarmView {
    let (id, point, event_id) = ("GT-101:HH".into(), "GT-101".into(), "site-6".into());
    AlarmView { id, point, event_id, ..fixture::alarm(6) }
}

fn site() -> Arc<SiteView> {
    let point = |key: &str| gas(key, ("氯", "chlorine"), "ppm", 5.0);
    Arc::new(SiteView {
        site: "site".into(),
        name: "示范".into(),
        name_en: "demo".into(),
        config_hash: "hash".into(),
        points: points([point("GT-101"), point("GT-102")]),
        risks: Vec::new(),
        ..fixture::site()
    })
}

async fn bench(demo_operator: bool) -> Bench {
    bench_in(demo_operator, None).await
}

/// With a folder for the token of the local operator.
async fn bench_in(demo_operator: bool, folder: Option<&Path>) -> Bench {
    let listen = "127.0.0.1:8080".parse().unwrap();
    bench_with(WebSettings { listen, behind_tls: false, demo_operator }, folder).await
}

/// A stage with one scenario of ten seconds that does not go on.
#[derive(Default)]
struct Stage(std::sync::atomic::AtomicBool);

impl DemoStage for Stage {
    fn scenarios(&self) -> Vec<DemoScenario> {
        let ends_in_s = self.0.load(Ordering::Relaxed).then_some(10);
        vec![DemoScenario { name: "leak".into(), text_zh: "泄漏".into(), text_en: "leak".into(), ends_in_s }]
    }

    fn start(&self, name: &str) -> bool {
        let known = name == "leak";
        self.0.fetch_or(known, Ordering::Relaxed);
        known
    }

    fn stop_all(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

async fn bench_with(settings: WebSettings, folder: Option<&Path>) -> Bench {
    let clock = Arc::new(HandClock::default());
    let (requests, inbox) = mpsc::channel(8);
    let (snapshots, latest) = watch::channel(picture(5, 1.0, Vec::new(), &site()));
    let (records, _) = broadcast::channel(4);
    let notes = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(play_core(inbox, notes.clone()));
    let core = CoreHandle { requests, snapshots: latest, records: records.clone(), looked: Arc::default() };
    let db = Arc::new(OwnDb::new(rusqlite::Connection::open_in_memory().unwrap()).unwrap());
    let accounts = open_accounts(db, clock.clone(), &settings, folder).await;
    let demo: Option<Arc<dyn DemoStage>> = Some(Arc::new(Stage::default()));
    let archive = Arc::new(FakeArchive::default());
    let (desk, wishes) = crate::reload::desk();
    let (told, held) = mpsc::channel(8);
    tokio::spawn(play_station(wishes, told));
    let first_scan = FirstScan::default();
    let parts = SiteParts {
        core,
        archive: archive.clone(),
        buses: answers::buses(),
        first_scan: first_scan.clone(),
        clock: clock.clone(),
        settings,
        demo,
        desk: Some(desk),
    };
    let stop = CancellationToken::new();
    let router = site_router(parts, accounts.clone(), stop.clone());
    Bench { router, accounts, clock, archive, first_scan, snapshots, records, notes, held, stop }
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

    /// As a program of this machine sees them.
    async fn metrics(&self) -> String {
        text_of(self.send_from("127.0.0.1:9", "GET", "/metrics", &[], None).await).await
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

async fn text_of(answer: Response<HttpBody>) -> String {
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.into()).unwrap()
}

async fn json_of(answer: Response<HttpBody>) -> Value {
    serde_json::from_str(&text_of(answer).await).unwrap()
}

impl Accounts {
    /// Spares the slow hash.
    async fn sign_in_for_test(&self, user: &str, role: Role) -> Browser {
        let new = self.begin_for_test(user, role).await;
        Browser { cookie: format!("hazard_session={}", new.token), csrf: new.session.csrf }
    }
}
