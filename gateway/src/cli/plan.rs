//! `plan`: every request on every bus before anything goes live, and which freshness deadlines cannot hold.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::table::{self, Column, numbers, words};
use super::{Exit, given};
use crate::config::Site;
use devices::{BusForecast, BusSpec, Outlook, Parity, RequestForecast, Transport, forecast};
use std::path::PathBuf;
use std::time::Duration;

const REMEDY_ZH: &str = "可加长周期或有效期、提高波特率，或把仪表分到两条总线";
const REMEDY_EN: &str = "lengthen period or max_age, raise the baud rate, or put the instruments on two links";

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

/// Deadlines that cannot hold.
pub(super) fn late(buses: &[BusForecast], with_dead: bool) -> usize {
    let dead = |b: &BusForecast| b.with_dead.as_ref().filter(|_| with_dead).map_or(0, |o| o.late.len());
    let fast = |b: &BusForecast| b.all_fast.as_ref().map_or(0, |o| o.late.len());
    buses.iter().map(|b| b.healthy.late.len() + fast(b) + dead(b)).sum()
}

/// The healthy bus that is asked for most of those that skip cycles.
fn full(buses: &[BusForecast]) -> Option<&BusForecast> {
    let skip = buses.iter().filter(|b| b.healthy.skipped > 0);
    skip.max_by(|a, b| a.healthy.demand.total_cmp(&b.healthy.demand))
}

/// What is asked of a bus that skips cycles, for the verdict.
fn full_words(bus: &BusForecast) -> (String, String) {
    let (key, percent, skipped) = (&bus.bus, bus.healthy.demand * 100.0, bus.healthy.skipped);
    (
        format!("；总线 {key} 需要占用 {percent:.0}%，采不完，跳过了 {skipped} 个轮次；{REMEDY_ZH}"),
        format!("; bus {key} is asked for {percent:.0} % of its time and skips cycles ({skipped}); {REMEDY_EN}"),
    )
}

/// One line that says whether all deadlines hold and no cycle is skipped, and names the first that does not.
pub(super) fn verdict(buses: &[BusForecast], with_dead: bool) -> String {
    let requests: usize = buses.iter().map(|b| b.requests.len()).sum();
    let busiest = buses.iter().map(|b| b.healthy.utilisation).fold(0.0, f64::max) * 100.0;
    let (fast, fast_en) = when_fast(buses);
    let full = full(buses).map(full_words);
    let (over, over_en) = full.clone().unwrap_or_default();
    let head = format!("采集计划：{requests} 个请求，最忙的总线占用 {busiest:.0}%{fast}{over}");
    let head_en = format!("{requests} requests, the busiest bus {busiest:.0} % taken{fast_en}{over_en}");
    let dead = |b| Option::as_ref(b).filter(|_| with_dead);
    let outlooks = buses.iter().flat_map(|b| std::iter::once(&b.healthy).chain(&b.all_fast).chain(dead(&b.with_dead)));
    match outlooks.flat_map(|o| &o.late).next() {
        None => match gone(buses, with_dead) {
            (zh, en) if !zh.is_empty() => format!("{head}；{zh} · {head_en}; {en}"),
            _ if full.is_some() => format!("{head} · {head_en}"),
            _ if with_dead => format!(
                "{head}，在线仪表的数据有效期全部可守（失联仪表没有数据） · {head_en}, every freshness deadline of the instruments that answer holds \
                 (the dead ones have no data)"
            ),
            _ => format!("{head}，全部数据有效期可守 · {head_en}, every freshness deadline holds"),
        },
        Some(first) => {
            let (n, point) = (late(buses, with_dead), &first.point);
            let (interval, max_age) = (time(first.interval), time(first.max_age));
            format!(
                "{head}；{n} 个数据有效期守不住，例如 {point}：最长 {interval} 才来一个值，有效期只有 {max_age}；{REMEDY_ZH} · \
                 {head_en}; {n} freshness deadline(s) cannot hold, such as {point}: a value every {interval} at worst, \
                 max_age {max_age}; {REMEDY_EN}"
            )
        }
    }
}

/// Buses on which nobody is left to answer: there no deadline holds, and none is judged.
fn gone(buses: &[BusForecast], with_dead: bool) -> (String, String) {
    let outlook = |b: &'_ BusForecast| b.with_dead.as_ref().is_some_and(|o| o.living == 0);
    let gone: Vec<&str> = buses.iter().filter(|b| with_dead && outlook(b)).map(|b| b.bus.as_str()).collect();
    if gone.is_empty() {
        return Default::default();
    }
    let (rest, rest_en) = match gone.len() == buses.len() {
        true => ("", ""),
        false => ("；其余总线上在线仪表的全部可守", "; on the others those of the instruments that answer hold"),
    };
    (
        format!("总线 {} 上的仪表全部失联，没有数据，有效期一个也守不住{rest}", gone.join("、")),
        format!(
            "on {} every instrument is dead: there are no data and no freshness deadline holds{rest_en}",
            gone.join(", ")
        ),
    )
}

/// How much of the busiest bus is asked for when every fast period is in force; nothing where there is none.
fn when_fast(buses: &[BusForecast]) -> (String, String) {
    let demand = buses.iter().filter_map(|b| b.all_fast.as_ref()).map(|o| o.demand * 100.0).reduce(f64::max);
    demand.map_or_else(Default::default, |percent| {
        (format!("（全部快速周期生效时 {percent:.0}%）"), format!(" ({percent:.0} % with every fast period in force)"))
    })
}

fn print_bus(spec: &BusSpec, bus: &BusForecast, asked_dead: Option<usize>) {
    println!("\n总线 bus {} · {}", bus.bus, how(&spec.transport));
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
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_shipped_examples_hold_every_deadline_with_one_instrument_dead() {
        for name in ["demo-site.toml", "minimal-site.toml"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
            let site = crate::config::check_site(&path).value.expect("the examples are right");
            let buses = all(&site, 1);
            assert_eq!(late(&buses, true), 0, "{name}: {}", verdict(&buses, true));
            assert!(buses.iter().all(|b| !b.requests.is_empty()), "{name}");
        }
    }

    #[test]
    fn more_dead_than_there_are_is_said_and_all_of_them_are_judged() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal-site.toml");
        let site = crate::config::check_site(&path).value.expect("the example is right");
        let buses = all(&site, 99);
        for (spec, bus) in site.buses.iter().zip(&buses) {
            let outlook = bus.with_dead.as_ref().expect("one is there");
            assert_eq!(outlook.dead, spec.devices.len());
            assert!(!outlook.back.is_zero() && outlook.late.is_empty(), "{outlook:?}");
        }
        let said = verdict(&buses, true);
        assert!(said.contains("全部失联") && said.contains("no freshness deadline holds"), "{said}");
        assert!(!said.contains("every freshness deadline"), "{said}");
        assert!(verdict(&buses, false).ends_with("every freshness deadline holds"), "healthy, as ever");
        assert_eq!(dead_words(2, Some(99)), "2 台失联 2 dead（只有 2 台 · only 2 on this bus）");
        assert_eq!(dead_words(2, Some(2)), "2 台失联 2 dead");
    }

    #[test]
    fn a_bus_that_skips_cycles_is_named_with_its_demand_and_is_no_plan_that_holds() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal-site.toml");
        let site = crate::config::check_site(&path).value.expect("the example is right");
        let mut buses = all(&site, 1);
        assert!(full(&buses).is_none());
        (buses[0].healthy.demand, buses[0].healthy.skipped) = (1.24, 112);
        for with_dead in [false, true] {
            let said = verdict(&buses, with_dead);
            assert!(said.contains("需要占用 124%") && said.contains("asked for 124 % of its time"), "{said}");
            assert!(
                said.contains(REMEDY_ZH) && said.contains(REMEDY_EN) && !said.contains("every freshness"),
                "{said}"
            );
        }
        assert!(full(&buses).is_some(), "exit code 1");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(time(Duration::from_micros(19_270)), "19.3 ms");
        assert_eq!(time(Duration::from_millis(1_250)), "1.25 s");
    }
}
