//! One line that says whether a plan holds: what is read, what is late, which bus is full, and on which nobody is left.
//!
//! Pure: forecasts in, words out. Leaves the forecast to `devices` and the tables to [`super`].

use super::time;
use crate::text::counted;
use devices::BusForecast;

pub(super) const REMEDY_ZH: &str = "可加长周期或有效期、提高波特率，或把仪表分到两条总线";
pub(super) const REMEDY_EN: &str =
    "lengthen period or max_age, raise the baud rate, or put the instruments on two links";

/// Of a site whose links ask for nothing: no deadline is kept, and none is broken.
const NOTHING_READ: &str = "采集计划：没有请求，什么也不读：没有读取仪表的测点，加上 [[device]] 和 [[point]] · no requests: nothing is read, no point reads an \
     instrument; add a [[device]] and a [[point]]";

/// Deadlines that cannot hold.
pub(super) fn late(buses: &[BusForecast], with_dead: bool) -> usize {
    let dead = |b: &BusForecast| b.with_dead.as_ref().filter(|_| with_dead).map_or(0, |o| o.late.len());
    let fast = |b: &BusForecast| b.all_fast.as_ref().map_or(0, |o| o.late.len());
    buses.iter().map(|b| b.healthy.late.len() + fast(b) + dead(b)).sum()
}

/// The healthy bus that is asked for most of those that skip cycles.
pub(super) fn full(buses: &[BusForecast]) -> Option<&BusForecast> {
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
pub(in crate::cli) fn verdict(buses: &[BusForecast], with_dead: bool) -> String {
    let requests: usize = buses.iter().map(|b| b.requests.len()).sum();
    if requests == 0 {
        return NOTHING_READ.to_owned();
    }
    let busiest = buses.iter().map(|b| b.healthy.utilisation).fold(0.0, f64::max) * 100.0;
    let (fast, fast_en) = when_fast(buses);
    let full = full(buses).map(full_words);
    let (over, over_en) = full.clone().unwrap_or_default();
    let head = format!("采集计划：{requests} 个请求，最忙的总线占用 {busiest:.0}%{fast}{over}");
    let head_en = format!("{}, the busiest bus {busiest:.0} % taken{fast_en}{over_en}", counted(requests, "request"));
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
                 {head_en}; {} cannot hold, such as {point}: a value every {interval} at worst, \
                 max_age {max_age}; {REMEDY_EN}",
                counted(n, "freshness deadline")
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
