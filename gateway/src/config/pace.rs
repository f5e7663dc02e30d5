//! Whether the instruments can be read as often as the file wants: numbers of seconds that cannot be meant, and deadlines that
//! cannot hold.
//!
//! Owns the lower bound of a scan. Leaves planning requests to `devices::plan`.

use super::diagnostic::Finding;
use super::file::{DeviceTable, KindWord, LinkTable, ParityWord, PointTable, SiteFile};
use super::parts::{kind, period};
use super::profile_files::Profiles;
use devices::plan::{Bounds, Cost, Span, plan};
use devices::profile::Profile;
use rules::book::presets;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const PERIOD_MS: std::ops::RangeInclusive<u32> = 50..=3_600_000;
/// An on-delay beyond this is milliseconds written as seconds, or an alarm nobody waits for.
const DELAY_DOUBTFUL_S: f64 = 600.0;
/// The same of priorities 1 and 2, where the delay is not written but follows from the period: the longest preset is a minute.
const URGENT_DELAY_DOUBTFUL_S: f64 = 60.0;

/// Checks periods, delays and the load of every serial link.
pub(super) fn check(file: &SiteFile, profiles: &Profiles, findings: &mut Vec<Finding>) {
    file.point.iter().for_each(|point| numbers(point, findings));
    for link in &file.link {
        let mut load = 0.0;
        for device in file.device.iter().filter(|d| d.link == link.key) {
            let Some(profile) = profiles.get(&device.profile) else { continue };
            let mut periods: BTreeMap<u32, Vec<&PointTable>> = BTreeMap::new();
            for point in file.point.iter().filter(|p| p.device == device.key && PERIOD_MS.contains(&p.period_ms)) {
                periods.entry(point.period_ms).or_default().push(point);
            }
            for (period_ms, points) in periods {
                let scan = scan(link, profile, &points);
                let period = Duration::from_millis(u64::from(period_ms));
                load += scan.wire.as_secs_f64() / period.as_secs_f64();
                if scan.least > period {
                    findings.push(too_fast(device, points[0], &scan));
                }
            }
        }
        if load > 1.0 {
            findings.push(overloaded(link, load));
        }
    }
}

fn numbers(p: &PointTable, findings: &mut Vec<Finding>) {
    if !PERIOD_MS.contains(&p.period_ms) {
        let (low, high) = (PERIOD_MS.start(), PERIOD_MS.end());
        findings.push(Finding::fatal(
            format!("point[{}].period_ms", p.key),
            (
                format!("轮询周期 {} 毫秒不可用", p.period_ms),
                format!("a poll period of {} ms cannot be used", p.period_ms),
            ),
            (
                format!("单位是毫秒，{low} 到 {high}；每秒一次写 1000"),
                format!("it is in milliseconds, {low} to {high}; once a second is 1000"),
            ),
        ));
    }
    if p.kind != KindWord::State && p.range.is_none() {
        findings.push(Finding::fatal(
            format!("point[{}]", p.key),
            (format!("{} 没有量程", p.key), format!("{} has no measuring range", p.key)),
            ("按仪表铭牌写 range = [下限, 上限]".into(), "write range = [low, high] as on the instrument".into()),
        ));
    }
    slow_presets(p, findings);
    let limits = p.limits.iter().filter_map(|(word, t)| Some((format!("limits.{word:?}"), t.delay_s?)));
    let others = [
        ("state_alarm".to_owned(), p.state_alarm.as_ref().map(|t| t.delay_s)),
        ("sensor_fault".to_owned(), p.sensor_fault.as_ref().and_then(|t| t.delay_s)),
    ];
    let others = others.into_iter().filter_map(|(table, delay_s)| Some((table, delay_s?)));
    for (table, delay_s) in limits.chain(others).filter(|(_, s)| *s > DELAY_DOUBTFUL_S) {
        let finding = Finding::fatal(
            format!("point[{}].{table}.delay_s", p.key),
            (
                format!("报警要等 {delay_s} 秒（{:.0} 分钟）", delay_s / 60.0),
                format!("the alarm waits {delay_s} s ({:.0} min)", delay_s / 60.0),
            ),
            (
                format!("单位是秒；若指毫秒，写 delay_s = {}", delay_s / 1000.0),
                format!("it is in seconds; if milliseconds are meant, write delay_s = {}", delay_s / 1000.0),
            ),
        );
        findings.push(finding.warning());
    }
}

/// A preset that has become two polls may be long, and nobody has written it.
fn slow_presets(p: &PointTable, findings: &mut Vec<Finding>) {
    let range = p.range.unwrap_or_default();
    let limits = p.limits.iter().filter(|(_, t)| t.delay_s.is_none()).map(|(word, t)| {
        let preset = presets::start(kind(p.kind), &p.unit, range, t.limit).on_delay;
        (format!("limits.{word:?}"), t.priority, preset)
    });
    let has_fault = p.kind != KindWord::State && !p.limits.is_empty() && p.sensor_fault.is_none();
    let fault = has_fault.then(|| ("limits".to_owned(), 3, presets::SENSOR_FAULT_ON));
    for (table, priority, preset) in limits.chain(fault) {
        let delay = presets::at_pace(preset, period(p));
        let doubtful_s = if priority <= 2 { URGENT_DELAY_DOUBTFUL_S } else { DELAY_DOUBTFUL_S };
        if delay > preset && delay.as_secs_f64() > doubtful_s {
            let (wait, poll) = (delay.as_secs_f64() / 60.0, period(p).as_secs_f64());
            let finding = Finding::fatal(
                format!("point[{}].{table}", p.key),
                (
                    format!("每 {poll} 秒才读一次，报警要等两次读数（{wait:.0} 分钟）"),
                    format!("it is read every {poll} s only: the alarm waits for two polls ({wait:.0} min)"),
                ),
                (
                    "缩短 period_ms 或写 fast_period_ms；确可等待时写明 delay_s，不等待写 delay_s = 0".into(),
                    "read it more often (period_ms, fast_period_ms); or write delay_s, 0 for none".into(),
                ),
            );
            findings.push(finding.warning());
        }
    }
}

/// The least a scan of one device takes.
struct Scan {
    requests: usize,
    gap: Duration,
    /// On the wire; zero where the network is faster than matters.
    wire: Duration,
    least: Duration,
}

fn scan(link: &LinkTable, profile: &Profile, points: &[&PointTable]) -> Scan {
    let spans: Vec<Span> = points.iter().filter_map(|p| profile.field(&p.field)).flat_map(|f| f.spans()).collect();
    let cost = super::links::transport(link, Path::new("")).map(|t| Cost::on(&t, profile.limits.turnaround, None));
    let requests = cost.map_or_else(Vec::new, |cost| plan(&spans, Bounds::of(profile.limits), &cost, |_| false));
    let wire: Duration = requests.iter().map(|span| on_wire(link, *span) + profile.limits.turnaround).sum();
    let gap = profile.limits.min_gap;
    let gaps = gap * u32::try_from(requests.len()).unwrap_or(u32::MAX);
    Scan { requests: requests.len(), gap, wire, least: wire.max(gaps) }
}

/// Request of 8 bytes, answer of 5 and the data, a silence of 3.5 characters after each.
fn on_wire(link: &LinkTable, span: Span) -> Duration {
    if link.serial.is_none() || link.baud == 0 {
        return Duration::ZERO;
    }
    let data = if span.function <= 2 { f64::from(span.count) / 8.0 } else { f64::from(span.count) * 2.0 };
    let parity = u8::from(!matches!(link.parity, ParityWord::None));
    let bits = 1.0 + f64::from(link.data_bits) + f64::from(parity) + f64::from(link.stop_bits);
    Duration::from_secs_f64((8.0 + 5.0 + data + 7.0) * bits / f64::from(link.baud))
}

fn too_fast(device: &DeviceTable, fastest: &PointTable, scan: &Scan) -> Finding {
    let (n, gap, least) = (scan.requests, scan.gap.as_millis(), scan.least.as_millis());
    Finding::fatal(
        format!("point[{}].period_ms", fastest.key),
        (
            format!("{} 一轮要读 {n} 次，每次间隔至少 {gap} ms：{} ms 读不完", device.key, fastest.period_ms),
            format!(
                "a scan of {} is {n} request(s), {gap} ms apart: {} ms are too short",
                device.key, fastest.period_ms
            ),
        ),
        (format!("写 period_ms = {least} 或更长"), format!("write period_ms = {least} or longer")),
    )
}

fn overloaded(link: &LinkTable, load: f64) -> Finding {
    let percent = load * 100.0;
    Finding::fatal(
        format!("link[{}]", link.key),
        (
            format!("串口 {} 需要占用 {percent:.0}%，读不过来", link.key),
            format!("the serial link {} would be busy {percent:.0} % of the time", link.key),
        ),
        (
            "提高波特率、加长轮询周期，或把仪表分到两条总线".into(),
            "raise the baud rate, lengthen the periods, or put the instruments on two links".into(),
        ),
    )
}
