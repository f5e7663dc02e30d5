//! The whole gateway as it runs, beside the bare poller: processor time, memory, requests, pace, and that nothing was lost.

use crate::bare::{self, Poller};
use crate::least;
use crate::peers::{Database, Seen, serve_tcp};
use crate::plant::{Place, Plant};
use crate::running::{self, Folder, Running};
use crate::table;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::time::sleep;

/// Start-up, first connections and first files are no part of the figures.
const WARM_UP: Duration = Duration::from_secs(12);
/// A multiple of what the gateway does at longer intervals than a second.
const WINDOW: Duration = Duration::from_secs(30);
/// A window may begin and end within a cycle.
const REQUESTS_MOST: f64 = 1.005;
/// Of the worst unit of the second plant.
const PERIOD_ERROR_MS: f64 = 4.0;
/// One batch of the InfluxDB writer and one commit.
const DATABASE_BEHIND_S: f64 = 12.0;

/// What a plant is held against.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Targets {
    /// Processor time of the gateway ÷ that of the bare poller.
    pub(crate) ratio: Option<f64>,
    /// Of one core.
    pub(crate) share: Option<f64>,
    pub(crate) resident_mb: Option<f64>,
    pub(crate) period_error: bool,
}

/// Runs the gateway, then the bare poller, on one plant over TCP.
pub(crate) async fn measure(plant: Plant, targets: Targets) {
    let (seen, database) = (Seen::default(), Database::default());
    let mut places = Vec::new();
    for link in 0..plant.links {
        places.push(Place::Tcp(serve_tcp(link, seen.clone(), |_| false).await));
    }
    let folder = Folder::new(plant.name);
    let file = plant.write(folder.path(), &places, Some(database.serve().await));
    let gateway = Running::start(&running::gateway(&file));
    sleep(WARM_UP).await;
    seen.forget();
    let ours = gateway.cpu_over(WINDOW).await;
    let (requests, errors) = (seen.total(), seen.period_errors(plant.requests_of_a_unit(), plant.period()));
    let (memory, threads) = (gateway.memory(), gateway.threads());
    gateway.end().await;
    let (asked, stored) = (seen.samples_asked(&plant), stored(&folder.path().join("data")));

    let sink = Database::default();
    let address = sink.serve().await.to_string();
    std::fs::write(folder.path().join(least::DATABASE), address).expect("the folder is ours");
    let bare_over = |poller| bare_over(&file, folder.path(), &plant, poller);
    let (theirs, of_library, least) =
        (bare_over(Poller::Sockets).await, bare_over(Poller::Library).await, bare_over(Poller::Least).await);
    assert!(sink.lines() > 0, "the least of a gateway sent nothing");

    let cycles = WINDOW.as_secs_f64() / plant.period().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let (per_cycle, optimum, points) =
        (requests as f64 / cycles, plant.optimum() as f64, plant.total() as f64 * cycles / 1000.0);
    let row = |figure: &str, measured, most, note: &str| table::row(plant.name, figure, measured, most, note);
    let note = format!("{per_cycle:.1} / {optimum}");
    row("requests per cycle ÷ optimum", per_cycle / optimum, Some(REQUESTS_MOST), &note);
    let ms = |cpu: Duration| cpu.as_secs_f64() * 1000.0 / points;
    let note = format!("{:.2} / {:.2} ms", ms(ours), ms(theirs));
    row("CPU per 1,000 points ÷ bare poller", ms(ours) / ms(theirs), targets.ratio, &note);
    let note = format!("{:.2} / {:.2} ms", ms(ours), ms(of_library));
    row("the same ÷ a bare poller on tokio-modbus' client", ms(ours) / ms(of_library), None, &note);
    let note =
        format!("{:.2} / {:.2} ms; that is {:.1} times the bare poller", ms(ours), ms(least), ms(least) / ms(theirs));
    row("the same ÷ the least that also packs, commits and sends", ms(ours) / ms(least), None, &note);
    let one_core = ours.as_secs_f64() / WINDOW.as_secs_f64();
    row("share of one core", one_core, targets.share, &format!("{:.1} %", one_core * 100.0));
    let note = format!("at most {:.1}; {threads} threads", memory.highest_mb);
    row("resident memory, MB", memory.resident_mb, targets.resident_mb, &note);
    let most = targets.period_error.then_some(PERIOD_ERROR_MS);
    row("period error p99 of the worst unit, ms", errors.worst_unit_p99_ms, most, "as the instruments see it");
    kept(plant, asked, stored, database.lines());
}

/// What reached the disk and the database: figures of a gateway that loses samples are worth nothing.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn kept(plant: Plant, asked: u64, stored: u64, delivered: u64) {
    let note = format!("{stored} / {asked}");
    table::at_least(plant.name, "samples stored ÷ asked for", stored as f64 / asked as f64, 1.0, &note);
    let a_second = plant.total() as f64 / plant.period().as_secs_f64();
    let note = format!("{delivered} lines; the rest is sent after the next start");
    let behind = stored.saturating_sub(delivered) as f64 / a_second;
    table::row(plant.name, "database behind the store when ended, s", behind, Some(DATABASE_BEHIND_S), &note);
}

/// Samples in the history of a gateway that has ended.
fn stored(data: &Path) -> u64 {
    let (days, faults) = gateway::store::samples(data, |_| {});
    assert!(faults.is_empty(), "{faults:?}");
    days.iter().map(|day| day.samples).sum()
}

/// Processor time of a bare poller on the same plant.
async fn bare_over(file: &Path, folder: &Path, plant: &Plant, poller: Poller) -> Duration {
    let running = start_bare(file, folder, plant, poller);
    sleep(Duration::from_secs(2)).await;
    running.cpu_over(WINDOW).await
}

fn start_bare(file: &Path, folder: &Path, plant: &Plant, poller: Poller) -> Running {
    let site = gateway::config::check_site(file).value.expect("the plant is right");
    let script = folder.join("script");
    std::fs::write(&script, bare::script(&site.buses, &plant.addresses())).expect("the folder is ours");
    let this = std::env::current_exe().expect("this binary");
    Running::start(Command::new(this).arg(poller.flag()).arg(&script))
}
