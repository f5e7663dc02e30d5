//! The whole gateway as it runs, beside the bare poller: processor time, memory, requests.

use crate::peers::{Seen, serve_influx, serve_tcp};
use crate::plant::{Place, Plant};
use crate::{bare, table};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// Start-up, first connections and first files are no part of the figures.
const WARM_UP: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(20);

/// Ends the process when the measurement does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary is built"))
    }

    /// Processor time of its threads since their start, to the nanosecond.
    fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("it runs");
        let of = |task: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        };
        Duration::from_nanos(tasks.filter_map(of).sum())
    }

    /// Resident memory in MB.
    fn rss(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = text.lines().find(|l| l.starts_with("VmRSS:")).expect("a line of its own");
        let kb: f64 = line.split_whitespace().nth(1).and_then(|w| w.parse().ok()).expect("a number");
        kb / 1000.0
    }
}

/// Runs the gateway, then the bare poller, on one plant over TCP; `share` and `rss_mb` are the targets of the larger plants.
pub(crate) async fn measure(plant: Plant, ratio: Option<f64>, share: Option<f64>, rss_mb: Option<f64>) {
    let seen = Seen::default();
    let mut places = Vec::new();
    for link in 0..plant.links {
        places.push(Place::Tcp(serve_tcp(link, seen.clone(), |_| false).await));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = plant.write(folder.path(), &places, Some(serve_influx().await));
    let gateway =
        Running::start(Command::new(env!("CARGO_BIN_EXE_hazard-gateway")).arg("run").arg("--config").arg(&file));
    sleep(WARM_UP).await;
    let (cpu, requests) = (gateway.cpu(), seen.total());
    sleep(WINDOW).await;
    let (ours, requests, rss) = (gateway.cpu() - cpu, seen.total() - requests, gateway.rss());
    drop(gateway);

    let bare = start_bare(&file, folder.path());
    sleep(Duration::from_secs(2)).await;
    let cpu = bare.cpu();
    sleep(WINDOW).await;
    let theirs = bare.cpu() - cpu;

    let name = plant.name;
    let cycles = WINDOW.as_secs_f64() * 1000.0 / f64::from(plant.period_ms);
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let (per_cycle, optimum, points) =
        (requests as f64 / cycles, plant.optimum() as f64, plant.total() as f64 * cycles / 1000.0);
    table::row(
        name,
        "requests per cycle ÷ optimum",
        per_cycle / optimum,
        Some(1.005),
        &format!("{per_cycle:.1} / {optimum}"),
    );
    let ms = |cpu: Duration| cpu.as_secs_f64() * 1000.0 / points;
    let note = format!("{:.2} / {:.2} ms", ms(ours), ms(theirs));
    table::row(name, "CPU per 1,000 points ÷ bare poller", ms(ours) / ms(theirs), ratio, &note);
    let one_core = ours.as_secs_f64() / WINDOW.as_secs_f64();
    table::row(name, "share of one core", one_core, share, &format!("{:.1} %", one_core * 100.0));
    table::row(name, "resident memory, MB", rss, rss_mb, "");
}

fn start_bare(file: &Path, folder: &Path) -> Running {
    let site = gateway::config::check_site(file).value.expect("the plant is right");
    let script = folder.join("script");
    std::fs::write(&script, bare::script(&site.buses)).expect("the folder is ours");
    let this = std::env::current_exe().expect("this binary");
    Running::start(Command::new(this).arg("--bare").arg(&script))
}
