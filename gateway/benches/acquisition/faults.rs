//! What a bad line and a hostile server cost the whole gateway, and what they cost the others.

use crate::peers::{Seen, chatter, serve_hostile, serve_tcp};
use crate::plant::{Place, Plant};
use crate::running::{self, Folder, Running};
use crate::table;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// Every kind of failure has been met, and the healthy link is in its pace.
const WARM_UP: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(20);
/// Of one core.
const NOISE_MOST: f64 = 0.20;
/// Of a request on a serial line: unit, function, address, count, check sum.
const REQUEST_BYTES: usize = 8;
/// What a window without a hostile server grows by as well: counters, pages of the store.
const GROWTH_MOST_MB: f64 = 1.0;

fn start(plant: &Plant, places: &[Place], folder: &Folder) -> Running {
    let file = plant.write(folder.path(), places, None);
    Running::start(&running::gateway(&file))
}

/// Nothing but noise on a serial line, without a pause.
pub(crate) async fn noise() {
    let plant =
        Plant { name: "noise, RTU 115200", links: 1, units: 8, points: 10, holes: 0, period_ms: 1_000, seed: 1 };
    let folder = Folder::new(plant.name);
    let (line, heard) = chatter(115_200);
    let gateway = start(&plant, &[Place::Serial { path: line.path.clone(), baud: 115_200 }], &folder);
    sleep(WARM_UP).await;
    let before = heard.load(Ordering::Relaxed);
    let used = gateway.cpu_over(WINDOW).await.as_secs_f64() / WINDOW.as_secs_f64();
    table::row(plant.name, "share of one core", used, Some(NOISE_MOST), &format!("{:.1} %", used * 100.0));
    // a gateway that is not on the line would take nothing at all
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let asked = ((heard.load(Ordering::Relaxed) - before) / REQUEST_BYTES) as f64;
    table::at_least(plant.name, "requests sent into the noise in 20 s", asked, 1.0, "");
}

/// One link's server sends what nobody asked for as fast as it is taken; another link is healthy.
pub(crate) async fn hostile() {
    let plant =
        Plant { name: "hostile TCP server", links: 2, units: 8, points: 40, holes: 0, period_ms: 1_000, seed: 1 };
    let (folder, seen) = (Folder::new(plant.name), Seen::default());
    let places = [Place::Tcp(serve_hostile().await), Place::Tcp(serve_tcp(1, seen.clone(), |_| false).await)];
    let gateway = start(&plant, &places, &folder);
    sleep(WARM_UP).await;
    seen.forget();
    let before = gateway.memory();
    let used = gateway.cpu_over(WINDOW).await.as_secs_f64() / WINDOW.as_secs_f64();
    let grown = gateway.memory().resident_mb - before.resident_mb;
    table::row(plant.name, "memory grown in 20 s, MB", grown, Some(GROWTH_MOST_MB), "");
    table::row(plant.name, "share of one core", used, None, &format!("{:.1} %", used * 100.0));
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let ratio = seen.total() as f64 / (WINDOW.as_secs_f64() * plant.units as f64);
    table::at_least(plant.name, "requests of the healthy link ÷ its own", ratio, 0.99, "");
    let errors = seen.period_errors(1, plant.period());
    table::row(plant.name, "period error p99 of the healthy link's worst unit, ms", errors.worst_unit_p99_ms, None, "");
}
