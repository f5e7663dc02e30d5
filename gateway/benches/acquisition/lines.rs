//! Buses alone, in this process: cycle against wire time on paced lines, and who pays for silent units.

use crate::peers::{Seen, SerialSlave, serve_tcp};
use crate::plant::{Place, Plant};
use crate::table;
use devices::status::BusStatus;
use devices::{BusMessage, run_bus};
use gateway::clock::SystemClock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Silences of 3.5 characters are fixed above 19,200 baud.
fn silence(baud: u32) -> Duration {
    if baud > 19_200 { Duration::from_micros(1_750) } else { Duration::from_nanos(35_000_000_000 / u64::from(baud)) }
}

/// From a request to its answer, of every slave on a line.
pub(crate) const TURNAROUND: Duration = Duration::from_millis(10);

/// Runs the bus of a plant until the end of the bench; gives its scans.
pub(crate) fn start(plant: &Plant, place: Place, folder: &std::path::Path) -> mpsc::Receiver<BusMessage> {
    let file = plant.write(folder, &[place], None);
    let mut site = gateway::config::check_site(&file).value.expect("the plant is right");
    let spec = site.buses.remove(0);
    let status = Arc::new(BusStatus::new(&spec));
    let (out, scans) = mpsc::channel(1024);
    tokio::spawn(run_bus(spec, Arc::new(SystemClock::default()), out, status, CancellationToken::new()));
    scans
}

/// Eight units with ten registers each: the time from the first request of a cycle to its last answer, against what the
/// characters, the silences between and the slaves' turnaround take.
pub(crate) async fn cycle(baud: u32, most: f64) {
    let name = if baud == 9600 { "RTU 9600" } else { "RTU 115200" };
    let plant = Plant { name, links: 1, units: 8, points: 10, holes: 0, period_ms: 1_000, seed: 1 };
    let slave = SerialSlave::start(baud, TURNAROUND, |_| false);
    let folder = tempfile::tempdir().expect("a folder");
    let mut scans = start(&plant, Place::Serial { path: slave.path.clone(), baud }, folder.path());
    tokio::spawn(async move { while scans.recv().await.is_some() {} });
    sleep(Duration::from_secs(25)).await;
    let exchanges = slave.exchanges.lock().expect("nobody panics with it").clone();
    // The first cycles are those of the start.
    let cycles: Vec<_> = exchanges.chunk_by(|a, b| b.begun - a.ended < Duration::from_millis(100)).skip(3).collect();
    let all = cycles.len();
    let mut ratios: Vec<f64> = Vec::new();
    for cycle in cycles.iter().filter(|c| c.len() == plant.units) {
        let took = cycle[plant.units - 1].ended - cycle[0].begun;
        let wire: Duration = cycle.iter().map(|e| e.wire).sum::<Duration>() + silence(baud) * 7;
        ratios.push(took.as_secs_f64() / wire.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
    table::row(name, "cycle ÷ wire time, median", median, Some(most), &format!("{} cycles", ratios.len()));
    // a cycle that lacks an answer is in no ratio, so that lines on which most fail would look fast
    let whole = share(ratios.len(), all);
    table::at_least(
        name,
        "cycles with every answer ÷ all",
        whole,
        COMPLETE_LEAST,
        &format!("{} / {all}", ratios.len()),
    );
}

/// The last cycle may be cut off by the end of the measurement.
const COMPLETE_LEAST: f64 = 0.9;
/// Answered scans of the worst living unit ÷ its periods: a window may begin and end within a period.
const LIVED_LEAST: f64 = 0.95;

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn share(part: usize, all: usize) -> f64 {
    if all == 0 { f64::NAN } else { part as f64 / all as f64 }
}

/// Intervals between answered values of the living, of one point by device, and how far they are from the period. Nothing measured is NaN.
struct Intervals {
    p99_s: f64,
    worst_unit_error_p99_s: f64,
    /// Units that answered at all.
    living: usize,
    /// Answered scans of the living unit that has the fewest.
    fewest: usize,
}

/// Within the first seconds the silent units are found dead.
const WARM_UP: Duration = Duration::from_secs(15);
const WINDOW: Duration = Duration::from_secs(60);

async fn intervals(mut scans: mpsc::Receiver<BusMessage>, period: Duration) -> Intervals {
    let begun = Instant::now();
    // Of each device the point that came first; the others come with it or with a later request of the same cycle.
    let mut points = BTreeMap::new();
    let mut answered: BTreeMap<usize, Vec<rules::Mono>> = BTreeMap::new();
    while begun.elapsed() < WARM_UP + WINDOW {
        let Ok(Some(message)) = tokio::time::timeout(Duration::from_secs(5), scans.recv()).await else { break };
        let BusMessage::Scan(scan) = message else { continue };
        let Some(first) = scan.samples.first() else { continue };
        let point = *points.entry(scan.device.index()).or_insert(first.point);
        let whole = scan.answered && scan.samples.iter().any(|s| s.point == point);
        if whole && begun.elapsed() > WARM_UP {
            answered.entry(scan.device.index()).or_default().push(scan.at.mono);
        }
    }
    let between = |at: &Vec<rules::Mono>| at.windows(2).map(|pair| pair[1].since(pair[0])).collect::<Vec<_>>();
    let errors = answered.values().map(|at| p99(between(at).iter().map(|i| i.abs_diff(period)).collect()));
    Intervals {
        worst_unit_error_p99_s: errors.fold(f64::NAN, f64::max),
        p99_s: p99(answered.values().flat_map(between).collect()),
        living: answered.len(),
        fewest: answered.values().map(Vec::len).min().unwrap_or(0),
    }
}

fn p99(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all.get(all.len() * 99 / 100).map_or(f64::NAN, Duration::as_secs_f64)
}

/// A ratio of intervals is worth nothing where the living did not live: as many of them as do not keep silent, each in every
/// period.
fn lived(plant: &Plant, silent: usize, run: &Intervals) {
    let expected = plant.units - silent;
    let periods = usize::try_from(WINDOW.as_millis() / plant.period().as_millis()).expect("a minute");
    let measured = if run.living == expected { share(run.fewest, periods) } else { 0.0 };
    let figure = format!("answered scans of the worst living unit ÷ periods, {silent} of {} silent", plant.units);
    let note = format!("{} of {expected} units; {} / {periods}", run.living, run.fewest);
    table::at_least(plant.name, &figure, measured, LIVED_LEAST, &note);
}

/// 32 units on one socket …
pub(crate) const SOCKET: Plant =
    Plant { name: "32 × 40, TCP", links: 1, units: 32, points: 40, holes: 4, period_ms: 1_000, seed: 2 };
/// … and on one serial line.
pub(crate) const LINE: Plant =
    Plant { name: "32 × 2, RTU 9600", links: 1, units: 32, points: 2, holes: 0, period_ms: 2_000, seed: 2 };

/// Which units never answer.
type KeepsSilent = fn(u8) -> bool;

/// 32 units on one socket and on one serial line; none, one and eight of them silent.
pub(crate) async fn isolation() {
    let silent: [(usize, KeepsSilent); 3] = [(0, |_| false), (1, |unit| unit == 7), (8, |unit| unit % 4 == 0)];
    let (tcp, rtu) = (SOCKET, LINE);
    let mut runs = Vec::new();
    let mut kept = Vec::new();
    for (_, silent) in silent {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::Tcp(serve_tcp(0, Seen::default(), silent).await);
        runs.push(tokio::spawn(intervals(start(&tcp, place, folder.path()), tcp.period())));
        let slave = SerialSlave::start(9600, TURNAROUND, silent);
        let place = Place::Serial { path: slave.path.clone(), baud: 9600 };
        let serial = tempfile::tempdir().expect("a folder");
        runs.push(tokio::spawn(intervals(start(&rtu, place, serial.path()), rtu.period())));
        kept.push((folder, serial, slave));
    }
    let mut all = Vec::new();
    for run in runs {
        all.push(run.await.expect("no panic"));
    }
    let error_ms = all[0].worst_unit_error_p99_s * 1000.0;
    table::row(tcp.name, "period error p99 of the worst unit, ms", error_ms, Some(4.0), "");
    for (offset, plant) in [(0, tcp), (1, rtu)] {
        for (n, (dead, _)) in silent.into_iter().enumerate() {
            lived(&plant, dead, &all[offset + 2 * n]);
        }
        let healthy = all[offset].p99_s;
        for (n, dead, most) in [(1, 1, 1.15), (2, 8, 1.5)] {
            let with = all[offset + 2 * n].p99_s;
            let figure = format!("p99 interval with {dead} of 32 silent ÷ healthy");
            table::row(plant.name, &figure, with / healthy, Some(most), &format!("{with:.3} / {healthy:.3} s"));
        }
    }
}
