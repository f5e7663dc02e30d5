//! A burst of 1,000 alarms: how long until the last is in the journal, and until the last is at the broker (issue 5: 1 s).
//! `cargo bench -p gateway --bench burst` prints a Markdown table; it takes some ten seconds.
//!
//! The real core, store and outbox in this process, with threads and fsync of their own; a real broker and a subscriber beside them.
//! Twice: ten instruments of a hundred points, and a thousand instruments of one point, whose scans are a thousand turns.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench measures time and prints")]

mod broker;

use devices::{BusMessage, Scan};
use gateway::config::{MqttSettings, Site, site_from_text};
use gateway::core::{CoreHandle, CoreParts, Derived, Nearness, start};
use gateway::store::{OpenOptions, Store, Workers};
use rules::{Clock, EventKind, Finite, Reading, Sample};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const POINTS: usize = 1_000;
/// The figure.
const LIMIT_S: f64 = 1.0;
/// Something is broken when it takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let port = broker::start();
    println!("| burst | figure | measured, s | target | |\n|---|---|---|---|---|");
    for devices in [10, 1_000] {
        runtime.block_on(measure(devices, port));
    }
}

/// One site, one burst.
async fn measure(devices: usize, port: u16) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = format!("burst-{devices}");
    let site = site(&key, devices, folder.path());
    let stop = CancellationToken::new();
    let (core, scans, store) = start_core(&site, &stop);
    let mut arrived = broker::subscribe(port, &key).await;
    let mqtt = MqttSettings {
        host: "127.0.0.1".into(),
        port,
        client_id: key.clone(),
        username: None,
        password: None,
        keep_alive: Duration::from_secs(30),
    };
    let clock: Arc<dyn Clock> = Arc::new(gateway::clock::SystemClock::default());
    let outbox = gateway::mqtt::run_outbox(mqtt, site.view.clone(), store, core.clone(), clock.clone(), stop.clone());
    let outbox = tokio::spawn(outbox);
    scan_all(&site, &clock, &scans, 10.0).await;
    // the start itself is an event: once it is there the way is open
    tokio::time::timeout(PATIENCE, arrived.recv()).await.expect("the broker passes on what the site sends");

    let mut records = core.records();
    let begun = Instant::now();
    let journal = tokio::spawn(async move {
        let mut raised = 0;
        while raised < POINTS {
            let record = records.recv().await.expect("the bench keeps pace with the core");
            raised += usize::from(matches!(record.event.kind, EventKind::Raised { .. }));
        }
        begun.elapsed()
    });
    scan_all(&site, &clock, &scans, 60.0).await;
    let mut sent = 0;
    while sent < POINTS {
        let kind = tokio::time::timeout(PATIENCE, arrived.recv()).await.expect("the burst arrives").expect("a kind");
        sent += usize::from(kind == "alarm.raised");
    }
    let sent = begun.elapsed();
    let journaled = journal.await.expect("the count of the journal");
    row(devices, "last of 1,000 alarms durable in the journal", journaled);
    row(devices, "last of 1,000 alarms at the broker", sent);
    stop.cancel();
    let _ = outbox.await;
}

fn row(devices: usize, figure: &str, took: Duration) {
    let verdict = if took.as_secs_f64() <= LIMIT_S { "ok" } else { "short" };
    println!("| {devices} × {} | {figure} | {:.3} | ≤ {LIMIT_S} | {verdict} |", POINTS / devices, took.as_secs_f64());
}

fn start_core(site: &Site, stop: &CancellationToken) -> (CoreHandle, mpsc::Sender<BusMessage>, Store) {
    let clock: Arc<dyn Clock> = Arc::new(gateway::clock::SystemClock::default());
    let options = OpenOptions {
        points: site.book.points().iter().map(|p| p.key.clone()).collect(),
        commit_interval: Duration::from_secs(1),
        max_bytes: 1 << 30,
        now_label: "now".into(),
        kernel_boot_id: "bench".into(),
        clock: clock.clone(),
        workers: Workers::Threads,
    };
    let (store, found) = Store::open(&site.data_dir, options).expect("a fresh folder");
    let (scans, inbox) = mpsc::channel(256);
    let parts = CoreParts {
        book: site.book.clone(),
        site: site.view.clone(),
        store: store.clone(),
        found,
        clock,
        boot_id: "bench".into(),
        asker: gateway::reload::Asker::Start,
        buses: Vec::new(),
        nearness: Nearness::default(),
        derived: Derived::default(),
        uplink: true,
        influx: false,
        annunciator: None,
        scans: inbox,
        progress: Arc::default(),
    };
    let (core, _) = start(parts, stop.clone());
    (core, scans, store)
}

/// Every instrument answers with this value, as fast as the core takes it.
async fn scan_all(site: &Site, clock: &Arc<dyn Clock>, scans: &mpsc::Sender<BusMessage>, value: f64) {
    let reading = Reading::Good(Finite::new(value).expect("finite"));
    for device in site.book.devices() {
        let id = site.book.device_id(&device.key).expect("its own");
        let of_device = site.book.points().iter().filter(|p| p.device == device.key);
        let at = clock.now();
        let samples = of_device
            .map(|p| Sample { point: site.book.point_id(&p.key).expect("its own"), reading, raw: rules::Raw::NONE, at })
            .collect();
        scans
            .send(BusMessage::Scan(Scan { device: id, answered: true, samples, ends_cycle: true, at }))
            .await
            .expect("the core runs");
    }
}

fn site(key: &str, devices: usize, folder: &Path) -> Site {
    let mut text = format!(
        "[site]\nkey = '{key}'\nname = '基准'\nname_en = 'Bench'\ndata_dir = '{}'\n[[area]]\nkey = 'A'\nname = '区'\nname_en = 'Area'\n",
        folder.display()
    );
    // units 1 … 200 of a link
    for link in 0..devices.div_ceil(200) {
        let _ = write!(text, "[[link]]\nkey = 'l{link}'\ntcp = '127.0.0.1:{}'\n", 9 + link);
    }
    for d in 0..devices {
        let (link, unit) = (d / 200, d % 200 + 1);
        let _ = write!(
            text,
            "[[device]]\nkey = 'd{d}'\nlink = 'l{link}'\nunit = {unit}\nprofile = 'gas-module-b'\narea = 'A'\n"
        );
        for p in 0..POINTS / devices {
            let _ = write!(
                text,
                "[[point]]\nkey = 'p{d}-{p}'\nname = '测点'\nname_en = 'Point'\ndevice = 'd{d}'\nfield = 'concentration'\n\
                 kind = 'gas'\nunit = 'ppm'\nrange = [0, 100]\n[point.limits.H]\nlimit = 50\ndeadband = 1\npriority = 3\n\
                 action = '看'\naction_en = 'look'\n"
            );
        }
    }
    let checked = site_from_text("bench.toml", &text, |_| {});
    checked.value.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}
