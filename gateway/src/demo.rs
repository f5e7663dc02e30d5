//! `demo`: a simulated plant, its site, a broker and the township office in one process, on loopback, in a folder that goes with it.
//!
//! Owns ports, the temporary folder and what is printed. Everything else is what `run` and `office` run.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use crate::cli::Exit;
use crate::cli::serve::{office_exit, run_exit};
use crate::clock::SystemClock;
use crate::config::{self, MqttSettings, Office, Site, WebSettings};
use crate::office::{self, OfficeError};
use crate::run::{RunError, run_site};
use crate::store::Claim;
use crate::web::{DemoControl, DemoScenario};
use rules::Clock;
use sim::{DemoSite, Scenario};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const SITE_PORT: u16 = 8080;
const OFFICE_PORT: u16 = 8081;
const BROKER_PORT: u16 = 1883;
/// Ports tried, ten apart, before the demo gives up.
const PORT_TRIES: u16 = 50;
/// The same plant each time: what README says happens.
const SEED: u64 = 20_260_501;

/// The demo site's file, as an engineer would have written it.
const SITE_FILE: &str = include_str!("../examples/demo-site.toml");

/// What the command line chose.
#[derive(Debug)]
pub struct Choice {
    pub scenario: Option<Scenario>,
    /// Kept after the end; otherwise a temporary folder is used and removed.
    pub data: Option<PathBuf>,
}

/// A folder that is removed at the end unless the person named it.
struct Folder {
    path: PathBuf,
    temporary: bool,
    /// Shows later demos that this one still runs.
    _claim: Claim,
}

/// Begins the name of a demo's temporary folder.
const FOLDER: &str = "hazard-gateway-demo-";

impl Folder {
    fn new(named: Option<PathBuf>) -> std::io::Result<Self> {
        let temporary = named.is_none();
        let path = named.unwrap_or_else(|| std::env::temp_dir().join(format!("{FOLDER}{}", crate::clock::boot_id())));
        let claim = Claim::take(&path).map_err(std::io::Error::other)?;
        if temporary {
            sweep(&std::env::temp_dir());
        }
        Ok(Self { path, temporary, _claim: claim })
    }
}

/// Removes what demos that were killed have left behind: a running one holds its claim.
fn sweep(temporary: &Path) {
    let Ok(entries) = std::fs::read_dir(temporary) else { return };
    let ours = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(FOLDER));
    for folder in entries.flatten().filter(|e| ours(&e.file_name())).map(|e| e.path()) {
        if Claim::is_free(&folder) {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs until `stop`.
pub async fn run(choice: Choice, stop: CancellationToken) -> Exit {
    let folder = match Folder::new(choice.data) {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("数据目录 · data folder: {error}");
            return Exit::Io;
        }
    };
    let Some(ports) = Ports::free() else {
        eprintln!("8080、8081、1883 起的端口都被占用 · all ports from 8080, 8081 and 1883 on are taken");
        return Exit::Io;
    };
    broker(ports.broker);
    let plant = match sim::start_demo(SEED, stop.clone()).await {
        Ok(plant) => plant,
        Err(error) => {
            eprintln!("模拟仪表 · simulated instruments: {error}");
            return Exit::Io;
        }
    };
    let Some(site) = site(&plant, &folder.path, &ports) else { return Exit::Internal };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let (control, starts) = control();
    let (office_ready, office_told) = oneshot::channel();
    let office = office::run(township(&folder.path, &ports), clock.clone(), stop.clone(), Some(office_ready));
    let office = tokio::spawn(office);
    let (site_ready, site_told) = oneshot::channel();
    let site = tokio::spawn(run_site(site, clock, Some(control), stop.clone(), site_ready));
    // an end before both are ready is told by the task itself
    if let (Ok(office_at), Ok(site_at)) = (office_told.await, site_told.await) {
        greet(site_at, office_at, choice.scenario);
        if let Some(scenario) = choice.scenario {
            start(&plant, scenario);
        }
        follow(&plant, starts, &stop).await;
    }
    stop.cancel();
    ended(site.await.ok(), office.await.ok())
}

/// The site's end counts first.
fn ended(site: Option<Result<(), RunError>>, office: Option<Result<(), OfficeError>>) -> Exit {
    match (site, office) {
        (Some(Err(error)), _) => run_exit(&error),
        (_, Some(Err(error))) => office_exit(&error),
        (Some(Ok(())), Some(Ok(()))) => Exit::Ok,
        _ => Exit::Internal,
    }
}

fn mqtt(client: &str, port: u16) -> MqttSettings {
    MqttSettings {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
        client_id: client.into(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(10),
    }
}

fn township(data: &Path, ports: &Ports) -> Office {
    Office {
        data_dir: data.join("office"),
        name: "示范镇应急办".into(),
        name_en: "Demo township emergency office".into(),
        web: page(ports.office),
        mqtt: mqtt("office", ports.broker),
    }
}

fn page(port: u16) -> WebSettings {
    WebSettings { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), behind_tls: false, demo_operator: true }
}

fn start(plant: &DemoSite, scenario: Scenario) {
    plant.plant.lock().unwrap_or_else(PoisonError::into_inner).start(scenario);
}

async fn follow(plant: &DemoSite, mut starts: mpsc::Receiver<String>, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(name) = starts.recv() => match name.parse::<Scenario>() {
                Ok(scenario) => start(plant, scenario),
                Err(_) => tracing::warn!(name, "unknown scenario"),
            },
        }
    }
}

fn control() -> (DemoControl, mpsc::Receiver<String>) {
    let (start, starts) = mpsc::channel(8);
    let scenarios = Scenario::ALL.iter().map(|s| DemoScenario {
        name: s.name().into(),
        text_zh: s.title_zh().into(),
        text_en: s.title_en().into(),
    });
    (DemoControl { scenarios: scenarios.collect(), start }, starts)
}

fn site(plant: &DemoSite, data: &Path, ports: &Ports) -> Option<Site> {
    let edit = |table: &mut toml::Table| {
        for link in table.get_mut("link").and_then(toml::Value::as_array_mut).into_iter().flatten() {
            let Some(link) = link.as_table_mut() else { continue };
            match link.get("key").and_then(toml::Value::as_str) {
                Some("tcp-a1") => link.insert("tcp".into(), plant.tcp_a1.to_string().into()),
                Some("tcp-a2") => link.insert("tcp".into(), plant.tcp_a2.to_string().into()),
                _ => link.insert("serial".into(), plant.rtu_a3.display().to_string().into()),
            };
        }
    };
    let checked = config::site_from_text("demo-site.toml", SITE_FILE, edit);
    let Some(mut site) = checked.value else {
        eprintln!("demo-site.toml: {:?}", checked.diagnostics);
        return None;
    };
    site.data_dir = data.join("site");
    site.web = page(ports.site);
    site.mqtt = Some(mqtt("demo-chemical", ports.broker));
    site.influx = None;
    let mut view = (*site.view).clone();
    view.demo = true;
    site.view = Arc::new(view);
    Some(site)
}

/// Ports of the three servers.
struct Ports {
    site: u16,
    office: u16,
    broker: u16,
}

impl Ports {
    /// The first free port of each row; a taken one is said.
    fn free() -> Option<Self> {
        let free = |first: u16| {
            let found = (0..PORT_TRIES)
                .map(|n| first + 10 * n)
                .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
            if let Some(port) = found.filter(|port| *port != first) {
                println!("端口 {first} 被占用，改用 {port} · port {first} is taken, using {port}");
            }
            found
        };
        Some(Self { site: free(SITE_PORT)?, office: free(OFFICE_PORT)?, broker: free(BROKER_PORT)? })
    }
}

/// rumqttd on a thread of its own; it ends with the process.
fn broker(port: u16) {
    let connections = rumqttd::ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: 1 << 20,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    let server = rumqttd::ServerSettings {
        name: "demo".into(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    let settings = rumqttd::Config {
        id: 0,
        router: rumqttd::RouterConfig {
            max_connections: 16,
            max_outgoing_packet_count: 200,
            max_segment_size: 1 << 20,
            max_segment_count: 10,
            ..rumqttd::RouterConfig::default()
        },
        v4: Some(HashMap::from([("demo".to_owned(), server)])),
        ..rumqttd::Config::default()
    };
    let thread = std::thread::Builder::new().name("demo-broker".into()).spawn(move || {
        if let Err(error) = rumqttd::Broker::new(settings).start() {
            tracing::error!(?error, "embedded broker");
        }
    });
    if let Err(error) = thread {
        tracing::error!(%error, "embedded broker");
    }
}

fn greet(site: SocketAddr, office: SocketAddr, scenario: Option<Scenario>) {
    println!(
        "\n控制室页面 control room:      http://{site}\n\
         镇应急办页面 township office: http://{office}\n\n\
         演示值班员已自动登录（仅限本机）· the demo operator is signed in by itself, on this machine only"
    );
    match scenario {
        Some(s) => println!("场景 {} 已开始 · scenario {} has begun: {}", s.title_zh(), s.name(), s.title_en()),
        None => println!(
            "在“演示”页启动场景，或重新运行 demo --scenario nh3-leak · start a scenario on the page “Demo”, or run demo --scenario nh3-leak"
        ),
    }
    println!("氨泄漏：约半分钟内 GT-102 越过 25、50 ppm，RA-01 下出现待确认隐患，应急办页面收到事件并可确认。");
    println!(
        "ammonia leak: within half a minute GT-102 crosses 25 and 50 ppm, a candidate opens on RA-01, the office receives the events."
    );
    println!("Ctrl-C 结束 · Ctrl-C ends it");
}
