//! A unit that falls silent and returns: how soon its values are bad, and how soon they are good again. Buses alone, in this process.

use crate::lines::{TURNAROUND, start};
use crate::peers::{Seen, SerialSlave, serve_tcp};
use crate::plant::{Place, Plant};
use crate::table;
use devices::BusMessage;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Every unit has answered for some cycles.
const WARM_UP: Duration = Duration::from_secs(12);
/// Two pauses between probes are at their longest by then (2, 4 … 60 s). Each of the buses returns so much later than the one before, so
/// that their returns meet the pause at its beginning, in its middle and towards its end.
const SILENT: Duration = Duration::from_secs(130);
const APART: Duration = Duration::from_secs(17);
const BUSES: usize = 4;
/// After the return.
const BACK_MOST_S: f64 = 65.0;
/// Beside three cycles.
const BAD_AFTER: Duration = Duration::from_secs(1);
/// A bus that tells nothing for so long is at its end.
const NO_NEWS: Duration = Duration::from_secs(10);

/// Whether unit 7 of each bus is silent now: those on sockets first, then those on lines.
static SILENT_NOW: [AtomicBool; 2 * BUSES] = [const { AtomicBool::new(false) }; 2 * BUSES];

fn is_silent<const BUS: usize>(unit: u8) -> bool {
    unit == 7 && SILENT_NOW[BUS].load(Ordering::Relaxed)
}

/// One for each bus: a unit's silence is a plain function.
const KEEP_SILENT: [fn(u8) -> bool; 2 * BUSES] = [
    is_silent::<0>,
    is_silent::<1>,
    is_silent::<2>,
    is_silent::<3>,
    is_silent::<4>,
    is_silent::<5>,
    is_silent::<6>,
    is_silent::<7>,
];

/// From the silence to the first bad value of every point of the unit, and from the return to the first good value of every point.
#[derive(Clone, Copy, Debug)]
struct Told {
    bad_s: f64,
    back_s: f64,
}

/// Until every point of unit 7 has told a value that is `good`, or not.
async fn until_all(scans: &mut mpsc::Receiver<BusMessage>, good: bool, points: usize) -> Option<Duration> {
    let begun = Instant::now();
    let mut seen = std::collections::BTreeSet::new();
    while let Ok(Some(message)) = timeout(NO_NEWS, scans.recv()).await {
        let BusMessage::Scan(scan) = message else { continue };
        // what was under way when it fell silent or returned is of the time before
        if scan.device.index() == 6 {
            seen.extend(scan.samples.iter().filter(|s| s.reading.value().is_some() == good).map(|s| s.point));
        }
        if seen.len() == points {
            return Some(begun.elapsed());
        }
        if begun.elapsed() > Duration::from_secs(120) {
            return None;
        }
    }
    None
}

/// Takes what is told and looks at none of it.
async fn pass(scans: &mut mpsc::Receiver<BusMessage>, time: Duration) {
    let end = Instant::now() + time;
    while timeout(end.saturating_duration_since(Instant::now()), scans.recv()).await.is_ok_and(|m| m.is_some()) {}
}

async fn one(mut scans: mpsc::Receiver<BusMessage>, bus: usize, points: usize) -> Told {
    let seconds = |time: Option<Duration>| time.map_or(f64::NAN, |t| t.as_secs_f64());
    pass(&mut scans, WARM_UP).await;
    SILENT_NOW[bus].store(true, Ordering::Relaxed);
    let bad_s = seconds(until_all(&mut scans, false, points).await);
    pass(&mut scans, SILENT + APART * u32::try_from(bus % BUSES).expect("few")).await;
    SILENT_NOW[bus].store(false, Ordering::Relaxed);
    Told { bad_s, back_s: seconds(until_all(&mut scans, true, points).await) }
}

/// The worst of `BUSES` sockets and of as many serial lines with 32 units, of which one falls silent.
pub(crate) async fn bad_and_back(tcp: Plant, rtu: Plant) {
    let (mut runs, mut kept) = (Vec::new(), Vec::new());
    for (bus, keeps_silent) in KEEP_SILENT.into_iter().enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let (plant, place, slave) = if bus < BUSES {
            (tcp, Place::Tcp(serve_tcp(0, Seen::default(), keeps_silent).await), None)
        } else {
            let slave = SerialSlave::start(9_600, TURNAROUND, keeps_silent);
            (rtu, Place::Serial { path: slave.path.clone(), baud: 9_600 }, Some(slave))
        };
        runs.push(tokio::spawn(one(start(&plant, place, folder.path()), bus, plant.points)));
        kept.push((folder, slave));
        // no two of them in step
        sleep(Duration::from_millis(270)).await;
    }
    let mut told = Vec::new();
    for run in runs {
        told.push(run.await.expect("no panic"));
    }
    for (plant, told) in [(tcp, &told[..BUSES]), (rtu, &told[BUSES..])] {
        // one that was never told is NaN, and so is the worst of all then
        let worst =
            |of: fn(&Told) -> f64| told.iter().map(of).fold(0.0, |a: f64, b| if b > a || b.is_nan() { b } else { a });
        let most = (plant.period() * 3 + BAD_AFTER).as_secs_f64();
        let note = format!("worst of {BUSES}; every point");
        table::row(plant.name, "1 of 32 falls silent: bad after, s", worst(|t| t.bad_s), Some(most), &note);
        let all: Vec<String> = told.iter().map(|t| format!("{:.1}", t.back_s)).collect();
        let note = format!("worst of {}", all.join(", "));
        table::row(plant.name, "back after its return, s", worst(|t| t.back_s), Some(BACK_MOST_S), &note);
    }
}
