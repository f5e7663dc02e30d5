//! `hazard-sim`: the instruments of a simulated site by themselves, to point a gateway or mbpoll at.

use clap::Parser;
use sim::{DemoPlan, Link, Place, Rule, Scenario, SiteName};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::PoisonError;
use tokio_util::sync::CancellationToken;

/// 模拟站点的仪表 Instruments of a simulated site.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// 站点：chemical、cold-store、mine Site; its configuration is gateway/examples/{demo,cold-store,mine}-site.toml
    #[arg(long, value_name = "NAME", default_value_t)]
    site: SiteName,
    /// TCP 链路的地址,可多次,如 Address of a TCP link, may be repeated, such as: tcp-a1=127.0.0.1:1502. Default: as in the example configuration
    #[arg(long, value_name = "LINK=ADDR", value_parser = tcp_link)]
    tcp: Vec<(Link, SocketAddr)>,
    /// 串口链路的固定名称（指向伪终端的符号链接） Lasting name of the serial link, a symbolic link to its pseudo-terminal
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

fn tcp_link(text: &str) -> Result<(Link, SocketAddr), String> {
    let (link, address) = text.split_once('=').ok_or("LINK=ADDR")?;
    let link: Link = link.parse().map_err(|e: sim::UnknownLink| e.to_string())?;
    Ok((link, address.parse().map_err(|e: std::net::AddrParseError| e.to_string())?))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let Arguments { site, tcp, rtu_link, scenario, fault: faults, seed } = Arguments::parse();
    let stop = CancellationToken::new();
    let all = Link::of(site).iter().copied().chain(Link::annunciator_of(site));
    let examples = all.filter_map(|link| Some((link, link.example_address()?)));
    // the first that names a link counts
    let listen = tcp.into_iter().chain(examples).collect();
    let plan = DemoPlan { site, listen, rtu_link: rtu_link.clone(), seed, faults, tap: None };
    let demo = sim::start_demo(plan, stop.clone()).await?;
    for scenario in scenario {
        if !demo.plant.lock().unwrap_or_else(PoisonError::into_inner).start(scenario) {
            return Err(io::Error::other(format!("站点 {site} 没有场景 no such scenario at this site: {scenario}")));
        }
    }
    print_places(&demo);
    stopped().await?;
    stop.cancel();
    print_faults(&demo);
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
    let relay = site.annunciator.iter().map(|(link, place, _)| (link, place));
    for (link, place) in site.links.iter().map(|(link, place)| (link, place)).chain(relay) {
        match place {
            Place::Tcp(address) => println!("{} {address}", link.name()),
            Place::Serial(path) => println!("{} {}", link.name(), path.display()),
        }
    }
}

#[allow(clippy::print_stdout, reason = "the counters are the output of this program")]
fn print_faults(site: &sim::DemoSite) {
    for (link, faults) in &site.faults {
        println!("{} {:?}", link.name(), faults.counts());
    }
}
