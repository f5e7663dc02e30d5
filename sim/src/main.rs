//! `hazard-sim`: the instruments of the demo site by themselves, to point a gateway or mbpoll at.

use clap::Parser;
use sim::{DemoPlan, Link, Rule, Scenario};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// 链路 rtu-a3 的固定名称（指向伪终端的符号链接） Lasting name of link rtu-a3, a symbolic link to its pseudo-terminal
    #[arg(long, value_name = "PATH")]
    rtu_link: Option<PathBuf>,
    /// 启动时开始的场景,可多次 Scenario to begin with, may be repeated
    #[arg(long, value_name = "NAME")]
    scenario: Vec<Scenario>,
    /// 线路故障,可多次,如 Fault on the wire, may be repeated, such as: late=20%:700ms rtu-a3/corrupt=1/50 tcp-a1/drop=@100-200
    #[arg(long, value_name = "[LINK/]KIND=WHEN[:TIME]", value_parser = link_rule)]
    fault: Vec<(Option<Link>, Rule)>,
    /// 噪声与故障的种子 Seed of noise and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn link_rule(text: &str) -> Result<(Option<Link>, Rule), String> {
    // The WHEN of a rule may hold a slash as well, but only behind its equals sign.
    let (link, rule) = match text.split_once('/') {
        Some((link, rule)) if !link.contains('=') => (Some(link), rule),
        _ => (None, text),
    };
    let link = link.map(str::parse).transpose().map_err(|e: sim::UnknownLink| e.to_string())?;
    Ok((link, rule.parse().map_err(|e: sim::BadRule| e.to_string())?))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let Arguments { tcp_a1, tcp_a2, rtu_link, scenario, fault: faults, seed } = Arguments::parse();
    let stop = CancellationToken::new();
    let plan = DemoPlan { tcp_a1, tcp_a2, rtu_link: rtu_link.clone(), seed, faults, tap: None };
    let site = sim::start_demo_at(plan, stop.clone()).await?;
    for scenario in scenario {
        site.plant.lock().unwrap_or_else(PoisonError::into_inner).start(scenario);
    }
    print_places(&site);
    stopped().await?;
    stop.cancel();
    print_faults(&site);
    rtu_link.map_or(Ok(()), std::fs::remove_file)
}

/// SIGINT or SIGTERM.
async fn stopped() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[allow(clippy::print_stdout, reason = "the addresses are the output of this program")]
fn print_places(site: &sim::DemoSite) {
    println!("tcp-a1 {}", site.tcp_a1);
    println!("tcp-a2 {}", site.tcp_a2);
    println!("rtu-a3 {}", site.rtu_a3.display());
}

#[allow(clippy::print_stdout, reason = "the counters are the output of this program")]
fn print_faults(site: &sim::DemoSite) {
    for (link, faults) in &site.faults {
        println!("{} {:?}", link.name(), faults.counts());
    }
}
