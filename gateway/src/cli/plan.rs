//! `plan`: every request on every bus before anything goes live, and which freshness deadlines cannot hold.
#![allow(clippy::print_stdout, reason = "the output of a command")]

mod verdict;

use super::table::{self, Column, numbers, words};
use super::{Exit, given};
use crate::config::Site;
use devices::{BusForecast, BusSpec, Outlook, Parity, RequestForecast, Transport, forecast};
use std::path::PathBuf;
use std::time::Duration;
pub(super) use verdict::verdict;
use verdict::{REMEDY_EN, REMEDY_ZH, full, late};

const HEADS: [Column; 10] = [
    words("仪表", "device"),
    numbers("站号", "unit"),
    words("功能", "function"),
    numbers("地址", "address"),
    numbers("数量", "count"),
    numbers("字节", "bytes"),
    numbers("线上", "on the wire"),
    numbers("合计", "in all"),
    numbers("周期", "period"),
    words("报警", "alarm"),
];

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// 站点配置文件 · site file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 每条总线失联的仪表数 · dead devices on every bus; their deadlines are judged too.
    #[arg(long, value_name = "K")]
    dead: Option<usize>,
    /// 以 JSON 输出 · as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Prints the plan; 1 when a deadline cannot hold or a bus skips cycles, 2 when the configuration is wrong.
pub(super) fn main(args: &PlanArgs) -> Exit {
    let site = match given::site(&args.config) {
        Ok(site) => site,
        Err(exit) => return exit,
    };
    // One dead instrument is shown in any case; only those asked for are judged.
    let buses = all(&site, args.dead.unwrap_or(1));
    if args.json {
        match serde_json::to_string_pretty(&buses) {
            Ok(text) => println!("{text}"),
            Err(_) => return Exit::Internal,
        }
    } else {
        println!("{}：采集计划 · acquisition plan", site.view.name);
        for (spec, bus) in site.buses.iter().zip(&buses) {
            print_bus(spec, bus, args.dead);
        }
        println!("\n{}", verdict(&buses, args.dead.is_some()));
    }
    let holds = late(&buses, args.dead.is_some()) == 0 && full(&buses).is_none();
    if holds { Exit::Ok } else { Exit::Found }
}

/// The forecast of every bus.
pub(super) fn all(site: &Site, dead: usize) -> Vec<BusForecast> {
    let max_age = |point: rules::PointId| site.book.points()[point.index()].max_age;
    site.buses.iter().map(|spec| forecast(spec, dead, &max_age)).collect()
}

fn print_bus(spec: &BusSpec, bus: &BusForecast, asked_dead: Option<usize>) {
    println!("\n总线 bus {} · {}", bus.bus, how(&spec.transport));
    if bus.requests.is_empty() {
        println!("  没有请求：这条链路上什么也不读 · no requests: nothing is read on this link");
        return;
    }
    let rows: Vec<_> = bus.requests.iter().map(cells).collect();
    for line in table::lines(&HEADS, &rows) {
        println!("  {line}");
    }
    if bus.requests.iter().any(|r| r.more > 0) {
        println!("  +n：多读 n 个，使各请求的应答长度不同 · n more, so that no late answer fits another request");
    }
    print_outlook("全部在线 healthy", &bus.healthy, true);
    if let Some(outlook) = &bus.all_fast {
        print_outlook("全部快速周期生效 all fast periods in force", outlook, true);
    }
    if let Some(outlook) = &bus.with_dead {
        print_outlook(&dead_words(outlook.dead, asked_dead), outlook, asked_dead.is_some());
    }
}

/// How many are dead, and that it is fewer than asked for where the bus has no more.
fn dead_words(dead: usize, asked: Option<usize>) -> String {
    let cut = match asked {
        Some(asked) if asked > dead => format!("（只有 {dead} 台 · only {dead} on this bus）"),
        _ => String::new(),
    };
    format!("{dead} 台失联 {dead} dead{cut}")
}

fn cells(r: &RequestForecast) -> [String; 10] {
    [
        r.device.clone(),
        r.unit.to_string(),
        format!("{:02}", r.span.function),
        r.span.address.to_string(),
        if r.more == 0 { r.span.count.to_string() } else { format!("{}+{}", r.span.count, r.more) },
        r.bytes.to_string(),
        time(r.wire),
        time(r.total),
        time(r.period),
        if r.critical { "●".into() } else { String::new() },
    ]
}

fn print_outlook(name: &str, outlook: &Outlook, judged: bool) {
    println!(
        "  {name}：一轮 round {}，最长用时 longest cycle {}，总线占用 utilisation {:.1}%，跳过 skipped {}",
        time(outlook.round),
        time(outlook.cycle),
        outlook.utilisation * 100.0,
        outlook.skipped
    );
    // What a probe makes late is not the bus that is full.
    if outlook.skipped > 0 && (outlook.dead == 0 || outlook.demand > 1.0) {
        println!(
            "    ! 总线排满（需要 {0:.0}%），周期守不住，迟到的轮次被跳过；{REMEDY_ZH} · the bus is full ({0:.0} % asked for): late cycles are skipped; {REMEDY_EN}",
            outlook.demand * 100.0
        );
    }
    if outlook.dead > 0 {
        let limit = match outlook.living {
            0 => "无一在线，不受 5% 限制 · nobody lives, so not held to 5 %",
            _ => "有仪表在线时不超过 5% · at most 5 % while any instrument lives",
        };
        println!("    其中探询失联仪表 of which probes of the dead {:.1}%（{limit}）", outlook.probes * 100.0);
    }
    if !outlook.back.is_zero() {
        println!("    {}", back_words(outlook));
    }
    if let Some(most) = outlook.waits_at_most.map(time) {
        println!(
            "    应答慢于 {most} 的失联仪表，在其余仪表在线时可能一直采不到：再等下去，它们的数据会过期 · a dead one that has become slower than {most} may never be found while the others live: a longer wait would make their readings stale"
        );
    }
    for late in &outlook.late {
        let mark = if judged { "✗" } else { "!" };
        println!(
            "    {mark} {}（{}）：周期 period {}，有效期 max_age {}，最长间隔 longest interval {}",
            late.point,
            late.device,
            time(late.period),
            time(late.max_age),
            time(late.interval)
        );
    }
}

/// When a dead instrument is read again; one that has become slower is found later where that would cost the others their intervals.
fn back_words(outlook: &Outlook) -> String {
    let back = time(outlook.back);
    let words = format!("恢复后最迟 {back} 重新采到 · read again {back} after its return at the latest");
    if outlook.back_slower <= outlook.back {
        return words;
    }
    let slower = time(outlook.back_slower);
    let when = format!("{slower} where it has become slower than 300 ms or the gap on the bus");
    format!("{words}；应答变慢（超过 300 ms 或总线空隙）的最迟 {slower} · {when}")
}

fn how(transport: &Transport) -> String {
    match transport {
        Transport::Tcp { address } => format!("Modbus TCP {address}"),
        Transport::TcpTls { address, .. } => format!("Modbus TCP/TLS {address}"),
        Transport::RtuOverTcp { address } => format!("RTU over TCP {address}（按 9600 估算 reckoned at 9600 baud）"),
        Transport::Rtu { path, baud, data_bits, parity, stop_bits, .. } => {
            let parity = match parity {
                Parity::None => 'N',
                Parity::Even => 'E',
                Parity::Odd => 'O',
            };
            format!("RTU {path} {baud} {data_bits}{parity}{stop_bits}")
        }
    }
}

fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    match time.as_millis() {
        0..100 => format!("{ms:.1} ms"),
        100..1_000 => format!("{ms:.0} ms"),
        _ => format!("{} s", (ms / 10.0).round() / 100.0),
    }
}

#[cfg(test)]
mod tests;
