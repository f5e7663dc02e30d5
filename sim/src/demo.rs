//! The demo site, running: the plant, its three links and the task that lets time pass.
//!
//! Owns the task graph. Everything ends with the token.

use crate::instruments::{Link, service};
use crate::plant::Plant;
use crate::serve::{serve_rtu_pty, serve_tcp};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(200);

/// Where the instruments of the demo site are reached, and the plant behind them.
#[derive(Clone, Debug)]
pub struct DemoSite {
    pub tcp_a1: SocketAddr,
    pub tcp_a2: SocketAddr,
    pub rtu_a3: PathBuf,
    pub plant: Arc<Mutex<Plant>>,
}

/// Starts the demo site on free ports of this machine.
pub async fn start_demo(seed: u64, stop: CancellationToken) -> io::Result<DemoSite> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    start_demo_at(any, any, seed, stop).await
}

/// Starts the demo site on given addresses.
pub async fn start_demo_at(
    tcp_a1: SocketAddr,
    tcp_a2: SocketAddr,
    seed: u64,
    stop: CancellationToken,
) -> io::Result<DemoSite> {
    let plant = Arc::new(Mutex::new(Plant::demo(seed)));
    let on = |link| service(link, Arc::clone(&plant));
    let site = DemoSite {
        tcp_a1: serve_tcp(tcp_a1, on(Link::TcpA1), stop.clone()).await?,
        tcp_a2: serve_tcp(tcp_a2, on(Link::TcpA2), stop.clone()).await?,
        rtu_a3: serve_rtu_pty(on(Link::RtuA3), stop.clone()).await?,
        plant: Arc::clone(&plant),
    };
    tokio::spawn(stop.run_until_cancelled_owned(drive(plant)));
    Ok(site)
}

async fn drive(plant: Arc<Mutex<Plant>>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        plant.lock().unwrap_or_else(PoisonError::into_inner).advance(TICK);
    }
}
