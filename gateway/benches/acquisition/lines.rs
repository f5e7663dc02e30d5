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

/// Runs the bus of a plant until the end of the bench; gives its scans.
fn start(plant: &Plant, place: Place, folder: &std::path::Path) -> mpsc::Receiver<BusMessage> {
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
    let slave = SerialSlave::start(baud, Duration::from_millis(10), |_| false);
    let folder = tempfile::tempdir().expect("a folder");
    let mut scans = start(&plant, Place::Serial { path: slave.path.clone(), baud }, folder.path());
    tokio::spawn(async move { while scans.recv().await.is_some() {} });
    sleep(Duration::from_secs(25)).await;
    let exchanges = slave.exchanges.lock().expect("nobody panics with it").clone();
    // The first cycles are those of the start.
    let cycles: Vec<_> = exchanges.chunk_by(|a, b| b.begun - a.ended < Duration::from_millis(100)).skip(3).collect();
    let mut ratios: Vec<f64> = Vec::new();
    for cycle in cycles.iter().filter(|c| c.len() == plant.units) {
        let took = cycle[plant.units - 1].ended - cycle[0].begun;
        let wire: Duration = cycle.iter().map(|e| e.wire).sum::<Duration>() + silence(baud) * 7;
        ratios.push(took.as_secs_f64() / wire.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
    table::row(name, "cycle ÷ wire time, median", median, Some(most), &format!("{} cycles", ratios.len()));
}

/// Intervals between answered values of the living, of one point by device, and how far they are from the period.
struct Intervals {
    p99: Duration,
    worst_unit_error_p99: Duration,
}

async fn intervals(mut scans: mpsc::Receiver<BusMessage>, period: Duration, window: Duration) -> Intervals {
    let begun = Instant::now();
    // Of each device the point that came first; the others come with it or with a later request of the same cycle.
    let mut points = BTreeMap::new();
    let mut last = BTreeMap::new();
    let mut seen: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    // Within the first seconds the silent units are found dead.
    let warm = Duration::from_secs(15);
    while begun.elapsed() < warm + window {
        let Ok(Some(message)) = tokio::time::timeout(Duration::from_secs(5), scans.recv()).await else { break };
        let BusMessage::Scan(scan) = message else { continue };
        let Some(first) = scan.samples.first() else { continue };
        let point = *points.entry(scan.device.index()).or_insert(first.point);
        let whole = scan.answered && scan.samples.iter().any(|s| s.point == point);
        if whole && begun.elapsed() > warm {
            let before = last.insert(scan.device.index(), scan.at.mono);
            let interval = before.map(|b| scan.at.mono.since(b));
            seen.entry(scan.device.index()).or_default().extend(interval);
        }
    }
    let p99 = |mut all: Vec<Duration>| {
        all.sort();
        all.get(all.len() * 99 / 100).copied().unwrap_or_default()
    };
    let errors = seen.values().map(|v| p99(v.iter().map(|i| i.abs_diff(period)).collect()));
    let worst_unit_error_p99 = errors.max().unwrap_or_default();
    Intervals { p99: p99(seen.into_values().flatten().collect()), worst_unit_error_p99 }
}

/// 32 units on one socket and on one serial line; none, one and eight of them silent.
pub(crate) async fn isolation() {
    let silent: [fn(u8) -> bool; 3] = [|_| false, |unit| unit == 7, |unit| unit % 4 == 0];
    let tcp = Plant { name: "32 × 40, TCP", links: 1, units: 32, points: 40, holes: 4, period_ms: 1_000, seed: 2 };
    let rtu = Plant { name: "32 × 2, RTU 9600", links: 1, units: 32, points: 2, holes: 0, period_ms: 2_000, seed: 2 };
    let window = Duration::from_secs(60);
    let mut runs = Vec::new();
    let mut kept = Vec::new();
    for silent in silent {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::Tcp(serve_tcp(0, Seen::default(), silent).await);
        runs.push(tokio::spawn(intervals(start(&tcp, place, folder.path()), Duration::from_secs(1), window)));
        let slave = SerialSlave::start(9600, Duration::from_millis(10), silent);
        let place = Place::Serial { path: slave.path.clone(), baud: 9600 };
        let serial = tempfile::tempdir().expect("a folder");
        runs.push(tokio::spawn(intervals(start(&rtu, place, serial.path()), Duration::from_secs(2), window)));
        kept.push((folder, serial, slave));
    }
    let mut all = Vec::new();
    for run in runs {
        all.push(run.await.expect("no panic"));
    }
    let error = all[0].worst_unit_error_p99.as_secs_f64() * 1000.0;
    table::row(tcp.name, "period error p99 of the worst unit, ms", error, Some(4.0), "");
    for (offset, name) in [(0, tcp.name), (1, rtu.name)] {
        let healthy = all[offset].p99.as_secs_f64();
        for (n, dead, most) in [(1, 1, 1.15), (2, 8, 1.5)] {
            let with = all[offset + 2 * n].p99.as_secs_f64();
            let figure = format!("p99 interval with {dead} of 32 silent ÷ healthy");
            table::row(name, &figure, with / healthy, Some(most), &format!("{with:.3} / {healthy:.3} s"));
        }
    }
}
