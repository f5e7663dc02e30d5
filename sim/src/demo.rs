//! The demo site, running: the plant, its three links and the task that lets time pass.
//!
//! Owns the task graph. Everything ends with the token.

use crate::fault::{Faults, Framing, Rule, serve_faulty_tcp};
use crate::instruments::{Instruments, Link, Tap, service};
use crate::plant::Plant;
use crate::serve::{serve_rtu_pty, serve_tcp};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(200);
/// A free port of this machine.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Where the instruments are to be reached, and what their links suffer.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    pub tcp_a1: SocketAddr,
    pub tcp_a2: SocketAddr,
    /// A lasting name for the pseudo-terminal of link rtu-a3, made as a symbolic link.
    pub rtu_link: Option<PathBuf>,
    /// Settles the noise of the plant and every draw of the faults.
    pub seed: u64,
    /// Rules for one link, or for all where none is named.
    pub faults: Vec<(Option<Link>, Rule)>,
    /// Hears every answer of the instruments, before any fault.
    pub tap: Option<Tap>,
}

impl DemoPlan {
    /// Free ports and clean wires.
    #[must_use]
    pub const fn anywhere(seed: u64) -> Self {
        Self { tcp_a1: ANY, tcp_a2: ANY, rtu_link: None, seed, faults: Vec::new(), tap: None }
    }

    fn faults(&self, link: Link) -> Option<Faults> {
        let mine = |(about, _): &&(Option<Link>, Rule)| about.is_none_or(|about| about == link);
        let rules: Vec<Rule> = self.faults.iter().filter(mine).map(|(_, rule)| *rule).collect();
        // Links with the same rules take different courses.
        (!rules.is_empty()).then(|| Faults::new(self.seed.wrapping_mul(31) + link as u64, rules))
    }
}

/// Where the instruments of the demo site are reached, and the plant behind them.
#[derive(Clone, Debug)]
pub struct DemoSite {
    pub tcp_a1: SocketAddr,
    pub tcp_a2: SocketAddr,
    pub rtu_a3: PathBuf,
    pub plant: Arc<Mutex<Plant>>,
    /// The links that have faults.
    pub faults: Vec<(Link, Faults)>,
}

/// Starts the demo site on free ports of this machine.
pub async fn start_demo(seed: u64, stop: CancellationToken) -> io::Result<DemoSite> {
    start_demo_at(DemoPlan::anywhere(seed), stop).await
}

/// Starts the demo site as planned.
pub async fn start_demo_at(plan: DemoPlan, stop: CancellationToken) -> io::Result<DemoSite> {
    let plant = Arc::new(Mutex::new(Plant::demo(plan.seed)));
    let faults: Vec<(Link, Faults)> =
        Link::ALL.into_iter().filter_map(|link| Some((link, plan.faults(link)?))).collect();
    let on = |link| faults.iter().find(|(l, _)| *l == link).map(|(_, faults)| faults.clone());
    let instruments = |link| service(link, Arc::clone(&plant)).tapped(plan.tap.clone());
    let rtu_a3 = serve_rtu_pty(instruments(Link::RtuA3), on(Link::RtuA3), stop.clone()).await?;
    let site = DemoSite {
        tcp_a1: tcp(plan.tcp_a1, instruments(Link::TcpA1), on(Link::TcpA1), &stop).await?,
        tcp_a2: tcp(plan.tcp_a2, instruments(Link::TcpA2), on(Link::TcpA2), &stop).await?,
        rtu_a3: plan.rtu_link.as_deref().map_or(Ok(rtu_a3.clone()), |name| link(&rtu_a3, name))?,
        plant: Arc::clone(&plant),
        faults,
    };
    tokio::spawn(stop.run_until_cancelled_owned(drive(plant)));
    Ok(site)
}

async fn tcp(
    address: SocketAddr,
    instruments: Instruments,
    faults: Option<Faults>,
    stop: &CancellationToken,
) -> io::Result<SocketAddr> {
    match faults {
        None => serve_tcp(address, instruments, stop.clone()).await,
        Some(faults) => {
            let behind = serve_tcp(ANY, instruments, stop.clone()).await?;
            serve_faulty_tcp(address, behind, Framing::Tcp, faults, stop.clone()).await
        }
    }
}

/// Makes `name` stand for `terminal`; replaces only what is a symbolic link itself.
fn link(terminal: &Path, name: &Path) -> io::Result<PathBuf> {
    if name.is_symlink() {
        std::fs::remove_file(name)?;
    }
    std::os::unix::fs::symlink(terminal, name)?;
    Ok(name.to_owned())
}

async fn drive(plant: Arc<Mutex<Plant>>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        plant.lock().unwrap_or_else(PoisonError::into_inner).advance(TICK);
    }
}
