//! The whole of it in one thread: plant, wires, real buses, real core with its store, real outbox and InfluxDB writer, and a
//! made-up broker, office, database and operator.

use crate::course::Course;
use crate::database::{Database, Stored};
use crate::office::{Broker, Noted};
use crate::plan::Plan;
use crate::plant::{self, Due, PlantWire};
use devices::run_bus_with;
use devices::status::BusStatus;
use gateway::config::{Site, site_from_text};
use gateway::core::{CoreHandle, CoreParts, Derived, Nearness, start};
use gateway::influx::line::{Encoder, SeriesSample};
use gateway::influx::writer::{self, Encode as _, Figures};
use gateway::record::Record;
use gateway::store::{HistoryCursor, HistoryFigures, OpenOptions, Store, Workers, verify};
use rules::{Actor, Clock, Command, Mono, Now, Wall};
use sim::{FaultCounts, Faults, Link, Plant, Prng, SiteName};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const SITE_FILE: &str = include_str!("../../examples/demo-site.toml");
/// 2026-03-01T23:30Z: the hour passes midnight, and with it from one day file to the next.
const WALL_AT_START_MS: i64 = 1_772_407_800_000;
/// After the hour the outbox and the writer may take this long to be done.
const DRAIN_MAX: Duration = Duration::from_secs(900);

/// Virtual time as the product's clock.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Now {
        let elapsed = self.0.elapsed();
        let utc_ms = WALL_AT_START_MS + i64::try_from(elapsed.as_millis()).unwrap();
        // A machine does not boot at its first instant.
        let mono = Mono(u64::try_from(elapsed.as_nanos()).unwrap() + 1_000_000_000);
        Now { mono, wall: Wall::synced(utc_ms) }
    }
}

/// What is left of a run.
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    /// The journal as stored.
    pub(crate) journal: Vec<String>,
    pub(crate) records: Vec<Record>,
    pub(crate) chain: Result<u64, gateway::store::ChainFault>,
    pub(crate) dues: Vec<Due>,
    pub(crate) noted: Noted,
    /// Events without a receipt when the hour and its drain were over, before the stop.
    pub(crate) without_receipt: Vec<String>,
    pub(crate) active_at_end: Vec<String>,
    pub(crate) history: HistoryFigures,
    pub(crate) stored_lines: BTreeSet<String>,
    /// Samples with a value, and those whose value the plant never had.
    pub(crate) compared: u64,
    pub(crate) never_true: Vec<String>,
    pub(crate) database: Stored,
    pub(crate) delivered: Figures,
    pub(crate) wires: Vec<(Link, FaultCounts)>,
    pub(crate) acknowledged: u64,
}

impl Outcome {
    /// Virtual time of a record since the beginning.
    pub(crate) fn at(&self, record: &Record) -> Duration {
        Duration::from_nanos(record.event.at.mono.0 - 1_000_000_000)
    }
}

/// Runs the hour of a seed.
pub(crate) fn run(seed: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(hour(Plan::of(seed), folder.path()))
}

async fn hour(plan: Plan, folder: &Path) -> Outcome {
    let begun = Instant::now();
    let clock: Arc<dyn Clock> = Arc::new(Virtual(begun));
    let site = site_from_text("demo-site.toml", SITE_FILE, |_| {}).value.expect("the demo site is valid");
    let (store, found) = Store::open(folder, options(&site, clock.clone())).unwrap();
    let plant = Arc::new(Mutex::new(Plant::of(SiteName::Chemical, plan.seed)));
    let wires: Vec<(Link, Faults)> = Link::of(SiteName::Chemical)
        .iter()
        .map(|&link| (link, Faults::new(plan.seed.wrapping_mul(31) + link as u64, Vec::new())))
        .collect();

    let [stop, core_stop, outbox_stop] = [(); 3].map(|()| CancellationToken::new());
    let (scan_sender, scans) = mpsc::channel(256);
    let statuses: Vec<(String, Arc<BusStatus>)> =
        site.buses.iter().map(|b| (b.key.clone(), Arc::new(BusStatus::new(b)))).collect();
    let parts = CoreParts {
        book: site.book.clone(),
        site: site.view.clone(),
        store: store.clone(),
        found,
        clock: clock.clone(),
        boot_id: format!("seed-{}", plan.seed),
        asker: gateway::reload::Asker::Start,
        buses: statuses.clone(),
        uplink: true,
        influx: true,
        annunciator: None,
        scans,
        progress: Arc::default(),
        nearness: Nearness::of(&site.book, &site.buses, &site.derived),
        derived: Derived::of(&site.book, site.derived.clone()),
    };
    let (core, core_task) = start(parts, core_stop.clone());
    let (mut buses, mut tasks) = (JoinSet::new(), JoinSet::new());
    for (spec, (key, status)) in site.buses.iter().cloned().zip(&statuses) {
        let (link, faults) = wires.iter().find(|(link, _)| link.name() == key).cloned().unwrap();
        let wire = PlantWire { link, plant: plant.clone(), faults };
        buses.spawn(run_bus_with(wire, spec, clock.clone(), scan_sender.clone(), status.clone(), stop.clone()));
    }
    drop(scan_sender);

    let broker = Broker::new(&plan, begun);
    let (dial, mqtt) = (Arc::new(broker.clone()), site.mqtt.clone().unwrap());
    tasks.spawn(gateway::mqtt::run_outbox_over(
        dial,
        mqtt,
        site.view.clone(),
        store.clone(),
        core.clone(),
        clock.clone(),
        outbox_stop.clone(),
    ));
    let (database, delivered) = (Arc::new(Database::new(&plan, begun)), Arc::new(Mutex::new(Figures::default())));
    tasks.spawn(pump(site.clone(), store.clone(), database.clone(), core.clone(), delivered.clone(), stop.clone()));
    let acknowledged = Arc::new(Mutex::new(0));
    tasks.spawn(operator(plan.seed, core.clone(), acknowledged.clone(), stop.clone()));

    let (dues, course) = plant::run(plan.clone(), plant, wires.clone(), site.book.clone()).await;
    let without_receipt = drained(&store, begun).await;
    let active_at_end = active(&core);
    // The order of run.rs.
    stop.cancel();
    while buses.join_next().await.is_some() {}
    core_stop.cancel();
    core_task.await.unwrap();
    outbox_stop.cancel();
    while tasks.join_next().await.is_some() {}
    send_the_rest(&store, &database, &site, &delivered).await;

    let Archive { stored_lines, compared, never_true } = archive(&store, &site, &course).await;
    let (journal, chain) = journal(&store).await;
    let records = journal.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    Outcome {
        journal,
        records,
        chain,
        dues,
        noted: std::mem::take(&mut broker.noted.lock().unwrap()),
        without_receipt,
        active_at_end,
        history: store.history_figures(),
        stored_lines,
        compared,
        never_true,
        database: std::mem::take(&mut database.stored.lock().unwrap()),
        delivered: delivered.lock().unwrap().clone(),
        wires: wires.iter().map(|(link, faults)| (*link, faults.counts())).collect(),
        acknowledged: *acknowledged.lock().unwrap(),
        plan,
    }
}

fn options(site: &Site, clock: Arc<dyn Clock>) -> OpenOptions {
    OpenOptions {
        points: site.book.points().iter().map(|p| p.key.clone()).collect(),
        commit_interval: site.history.commit_interval,
        max_bytes: site.history.max_bytes,
        now_label: "20260301T233000Z".into(),
        kernel_boot_id: "simulated".into(),
        clock,
        workers: Workers::Inline,
    }
}

async fn pump(
    site: Site,
    store: Store,
    database: Arc<Database>,
    core: CoreHandle,
    delivered: Arc<Mutex<Figures>>,
    stop: CancellationToken,
) {
    let encoder = Encoder::new(&site.view);
    let report = |figures: &Figures| {
        core.influx_figures(figures.clone());
        *delivered.lock().unwrap() = figures.clone();
    };
    writer::pump(&store, &*database, &encoder, report, &stop).await;
}

/// A person who acknowledges what stands first, every now and then.
async fn operator(seed: u64, core: CoreHandle, acknowledged: Arc<Mutex<u64>>, stop: CancellationToken) {
    let mut draw = Prng::new(seed ^ 0x0A_C1C);
    loop {
        let pause = Duration::from_millis(10_000 + draw.next_u64() % 40_000);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let snapshot = core.snapshot();
        let Some(alarm) = snapshot.alarms.iter().find(|a| !["acked", "latched_acked"].contains(&a.state.as_str()))
        else {
            continue;
        };
        let command =
            Command::Acknowledge { alarm: alarm.id.clone(), seen_seq: alarm.seq, comment: "已确认".into() };
        let actor = Actor { user: "operator".into(), role: "operator".into(), terminal: String::new() };
        if core.command(command, actor, None).await.is_ok() {
            *acknowledged.lock().unwrap() += 1;
        }
    }
}

/// Waits until every event has its receipt; names those that have none.
async fn drained(store: &Store, begun: Instant) -> Vec<String> {
    let until = begun + crate::plan::HOUR + DRAIN_MAX;
    loop {
        let waiting = store
            .read(|conn| {
                let mut query = conn.prepare("SELECT event_id FROM outbox WHERE state < 3 ORDER BY delivery_seq")?;
                query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
            })
            .await
            .unwrap();
        if waiting.is_empty() || Instant::now() > until {
            return waiting;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn active(core: &CoreHandle) -> Vec<String> {
    let snapshot = core.snapshot();
    let over = ["returned_unacked", "latched_unacked", "latched_acked"];
    snapshot.alarms.iter().filter(|a| !over.contains(&a.state.as_str())).map(|a| a.id.clone()).collect()
}

/// Brings the last block to the database, as the next start would.
async fn send_the_rest(store: &Store, database: &Database, site: &Site, delivered: &Mutex<Figures>) {
    let (last, encoder) = (CancellationToken::new(), Encoder::new(&site.view));
    let before = delivered.lock().unwrap().delivered;
    let mut turns = 0;
    let report = |figures: &Figures| {
        turns += 1;
        *delivered.lock().unwrap() = Figures { delivered: before + figures.delivered, ..figures.clone() };
        if turns > 100 {
            last.cancel();
        }
    };
    writer::pump(store, database, &encoder, report, &last).await;
}

/// The stored samples, read back.
#[derive(Default)]
struct Archive {
    /// As the database must have them.
    stored_lines: BTreeSet<String>,
    compared: u64,
    never_true: Vec<String>,
}

async fn archive(store: &Store, site: &Site, course: &Course) -> Archive {
    let (encoder, mut cursor, mut found) = (Encoder::new(&site.view), HistoryCursor::default(), Archive::default());
    while let Some(batch) = store.samples_after(cursor, 600).await {
        for s in batch.samples {
            let at = Duration::from_millis(u64::try_from(s.utc_ms - WALL_AT_START_MS).unwrap());
            let point = s.point.expect("the configuration did not change");
            let key = &site.book.points()[point as usize].key;
            // After the hour the plant stands still.
            if let Some(value) = s.value.filter(|_| at < crate::plan::HOUR) {
                found.compared += 1;
                if !course.had(key, at, value) {
                    found.never_true.push(format!("{key} = {value} at {at:?}"));
                }
            }
            let mut line = String::new();
            encoder.line(&SeriesSample { point, utc_ms: s.utc_ms, value: s.value, quality: s.quality }, &mut line);
            found.stored_lines.insert(line.trim_end().to_owned());
        }
        cursor = batch.next;
    }
    found
}

async fn journal(store: &Store) -> (Vec<String>, Result<u64, gateway::store::ChainFault>) {
    let read = store.read(|conn| {
        let mut query = conn.prepare("SELECT json FROM event ORDER BY seq")?;
        let texts = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        Ok((texts, verify(conn)?))
    });
    read.await.unwrap()
}
