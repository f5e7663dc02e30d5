//! `hazard-sim`: the instruments of the demo site by themselves, to point a gateway or mbpoll at.

use clap::Parser;
use sim::Scenario;
use std::io;
use std::net::SocketAddr;
use std::sync::PoisonError;
use tokio_util::sync::CancellationToken;

/// 演示站点的模拟仪表 Simulated instruments of the demo site.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// 链路 tcp-a1 的地址 Address of link tcp-a1
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1502")]
    tcp_a1: SocketAddr,
    /// 链路 tcp-a2 的地址 Address of link tcp-a2
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1503")]
    tcp_a2: SocketAddr,
    /// 启动时开始的场景,可多次 Scenario to begin with, may be repeated
    #[arg(long, value_name = "NAME")]
    scenario: Vec<Scenario>,
    /// 噪声种子 Seed of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let arguments = Arguments::parse();
    let stop = CancellationToken::new();
    let site = sim::start_demo_at(arguments.tcp_a1, arguments.tcp_a2, arguments.seed, stop.clone()).await?;
    for scenario in arguments.scenario {
        site.plant.lock().unwrap_or_else(PoisonError::into_inner).start(scenario);
    }
    print_places(&site);
    tokio::signal::ctrl_c().await?;
    stop.cancel();
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the addresses are the output of this program")]
fn print_places(site: &sim::DemoSite) {
    println!("tcp-a1 {}", site.tcp_a1);
    println!("tcp-a2 {}", site.tcp_a2);
    println!("rtu-a3 {}", site.rtu_a3.display());
}
