//! Whether the instruments can be read as often as the file wants: numbers of seconds that cannot be meant, and deadlines that
//! cannot hold.
//!
//! Owns the lower bound of a scan. Leaves planning requests to `devices::plan`.

use super::diagnostic::Finding;
use super::file::{DeviceTable, KindWord, LinkTable, ParityWord, PointTable, SiteFile};
use super::parts::{kind, period};
use super::profile_files::Profiles;
use super::{fast, links};
use crate::text::counted;
use devices::plan::{Bounds, Cost, Span, plan};
use devices::profile::Profile;
use rules::book::presets;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

pub(super) const PERIOD_MS: std::ops::RangeInclusive<u32> = 50..=3_600_000;
/// An on-delay beyond this is milliseconds written as seconds, or an alarm nobody waits for.
const DELAY_DOUBTFUL_S: f64 = 600.0;
/// The same of priorities 1 and 2, where the delay is not written but follows from the period: the longest preset is a minute.
const URGENT_DELAY_DOUBTFUL_S: f64 = 60.0;

/// Checks periods, delays and the load of every serial link.
pub(super) fn check(file: &SiteFile, profiles: &Profiles, findings: &mut Vec<Finding>) {
    file.point.iter().for_each(|point| numbers(point, findings));
    // what follows from a speed that cannot be is no second defect
    for link in file.link.iter().filter(|l| l.serial.is_none() || links::is_baud(l.baud)) {
        let (load, mut slow) = load(link, file, profiles, &|p| p.period_ms);
        let (load_fast, slow_when_fast) = load_when_fast(link, file, profiles);
        if load > 1.0 {
            findings.push(overloaded(link, load));
        } else if load_fast > 1.0 {
            // 0 is no period: what is left is what the points without a fast one take
            let (steady, _) = self::load(link, file, profiles, &|p| if is_hurried(p) { 0 } else { p.period_ms });
            findings.push(overloaded_when_fast(link, (load, steady), load_fast));
        }
        if slow.is_empty() {
            slow = slow_when_fast;
        }
        findings.extend(slow);
    }
}

/// Share of the time that the link is taken at least when its points are asked as often as `period_ms` says, and the devices that
/// cannot be asked so often.
fn load(
    link: &LinkTable,
    file: &SiteFile,
    profiles: &Profiles,
    period_ms: &dyn Fn(&PointTable) -> u32,
) -> (f64, Vec<Finding>) {
    let (mut load, mut slow) = (0.0, Vec::new());
    for device in file.device.iter().filter(|d| d.link == link.key) {
        let Some(profile) = profiles.get(&device.profile) else { continue };
        let mut periods: BTreeMap<u32, Vec<&PointTable>> = BTreeMap::new();
        for point in file.point.iter().filter(|p| p.device == device.key && PERIOD_MS.contains(&period_ms(p))) {
            periods.entry(period_ms(point)).or_default().push(point);
        }
        for (period_ms, points) in periods {
            let scan = scan(link, profile, &points);
            let period = Duration::from_millis(u64::from(period_ms));
            load += scan.wire.as_secs_f64() / period.as_secs_f64();
            if scan.least > period {
                // whose fast period it is brings the requests: the others were in time without it
                let fast = points.iter().find(|p| p.period_ms != period_ms);
                slow.push(too_fast(device, fast.unwrap_or(&points[0]), period_ms, &scan));
            }
        }
    }
    (load, slow)
}

/// As [`load`], while every value nears its limit; the same where no point has a fast period.
fn load_when_fast(link: &LinkTable, file: &SiteFile, profiles: &Profiles) -> (f64, Vec<Finding>) {
    let devices: BTreeSet<&str> = file.device.iter().filter(|d| d.link == link.key).map(|d| d.key.as_str()).collect();
    if file.point.iter().any(|p| is_hurried(p) && devices.contains(p.device.as_str())) {
        return load(link, file, profiles, &fast_ms);
    }
    (0.0, Vec::new())
}

fn is_hurried(p: &PointTable) -> bool {
    fast::period(p).is_some()
}

/// The period near a limit.
fn fast_ms(p: &PointTable) -> u32 {
    p.fast_period_ms.filter(|_| is_hurried(p)).unwrap_or(p.period_ms)
}

fn numbers(p: &PointTable, findings: &mut Vec<Finding>) {
    let periods = [("period_ms", Some(p.period_ms)), ("fast_period_ms", p.fast_period_ms)];
    let unusable = periods.iter().filter_map(|(key, ms)| Some((key, (*ms)?))).filter(|(_, ms)| !PERIOD_MS.contains(ms));
    for (key, period_ms) in unusable {
        let (low, high) = (PERIOD_MS.start(), PERIOD_MS.end());
        findings.push(Finding::fatal(
            format!("point[{}].{key}", p.key),
            (format!("轮询周期 {period_ms} 毫秒不可用"), format!("a poll period of {period_ms} ms cannot be used")),
            (
                format!("单位是毫秒，{low} 到 {high}；每秒一次写 1000"),
                format!("it is in milliseconds, {low} to {high}; once a second is 1000"),
            ),
        ));
    }
    if p.kind != KindWord::State && p.range.is_none() {
        findings.push(Finding::fatal(
            format!("point[{}].range", p.key),
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

/// A preset that is two slow polls may be long, and nobody has written it.
fn slow_presets(p: &PointTable, findings: &mut Vec<Finding>) {
    let range = p.range.unwrap_or_default();
    let limits = p.limits.iter().filter(|(_, t)| t.delay_s.is_none()).map(|(word, t)| {
        let preset = presets::start(kind(p.kind), &p.unit, range, t.limit).on_delay;
        (format!("limits.{word:?}"), t.priority, preset, fast::period(p))
    });
    let has_fault = p.kind != KindWord::State && !p.limits.is_empty() && p.sensor_fault.is_none();
    // a sensor that fails nears no limit
    let fault = has_fault.then(|| ("limits".to_owned(), 3, presets::SENSOR_FAULT_ON, None));
    for (table, priority, preset, fast) in limits.chain(fault) {
        let delay = presets::at_pace(preset, period(p));
        let doubtful_s = if priority <= 2 { URGENT_DELAY_DOUBTFUL_S } else { DELAY_DOUBTFUL_S };
        if delay > preset && delay.as_secs_f64() > doubtful_s {
            let path = format!("point[{}].{table}", p.key);
            findings.push(match fast {
                Some(fast) => seen_late(path, p, presets::at_pace(preset, fast)),
                None if table == "limits" => waits_for_polls(path, p, delay, FAULT_REMEDY),
                None => waits_for_polls(path, p, delay, LIMIT_REMEDY),
            });
        }
    }
}

const LIMIT_REMEDY: (&str, &str) = (
    "缩短 period_ms 或写 fast_period_ms；确可等待时写明 delay_s，不等待写 delay_s = 0",
    "read it more often (period_ms, fast_period_ms); or write delay_s, 0 for none",
);
const FAULT_REMEDY: (&str, &str) = (
    "缩短 period_ms（失效的值不会按 fast_period_ms 加快）；确可等待时写 sensor_fault 及其 delay_s",
    "shorten period_ms (a value that is none is not read by fast_period_ms); or write sensor_fault with its delay_s",
);

fn waits_for_polls(path: String, p: &PointTable, delay: Duration, remedy: (&str, &str)) -> Finding {
    let (wait, poll) = (delay.as_secs_f64() / 60.0, period(p).as_secs_f64());
    let finding = Finding::fatal(
        path,
        (
            format!("每 {poll} 秒才读一次，报警要等两次读数（{wait:.0} 分钟）"),
            format!("it is read every {poll} s only: the alarm waits for two polls ({wait:.0} min)"),
        ),
        (remedy.0.into(), remedy.1.into()),
    );
    finding.warning()
}

/// Near the limit it is read fast, and so is what has jumped over it, but only once a slow poll has seen the jump.
fn seen_late(path: String, p: &PointTable, delay: Duration) -> Finding {
    let (wait, poll) = (delay.as_secs_f64(), period(p).as_secs_f64());
    let finding = Finding::fatal(
        path,
        (
            format!("离限值远时每 {poll} 秒才读一次：突变最迟 {poll} 秒后才读到，再等 {wait} 秒报警"),
            format!(
                "far from its limits it is read every {poll} s only: a jump is first seen after {poll} s at worst, then waits {wait} s"
            ),
        ),
        (
            "缩短 period_ms；确可等待时写明 delay_s，不等待写 delay_s = 0".into(),
            "shorten period_ms; where it may come so late write delay_s, 0 for none".into(),
        ),
    );
    finding.warning()
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

fn too_fast(device: &DeviceTable, fastest: &PointTable, period_ms: u32, scan: &Scan) -> Finding {
    let (n, gap, least) = (scan.requests, scan.gap.as_millis(), scan.least.as_millis());
    let key = if period_ms == fastest.period_ms { "period_ms" } else { "fast_period_ms" };
    Finding::fatal(
        format!("point[{}].{key}", fastest.key),
        (
            format!("{} 一轮要读 {n} 次，每次间隔至少 {gap} ms：{period_ms} ms 读不完", device.key),
            format!(
                "a scan of {} is {}, {gap} ms apart: {period_ms} ms are too short",
                device.key,
                counted(n, "request")
            ),
        ),
        (format!("写 {key} = {least} 或更长"), format!("write {key} = {least} or longer")),
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

/// It would be found out in the hour when every value rises.
fn overloaded_when_fast(link: &LinkTable, (load, steady): (f64, f64), load_fast: f64) -> Finding {
    let (percent, percent_fast) = (load * 100.0, load_fast * 100.0);
    let times = ((load_fast - steady) / (1.0 - steady).max(0.01) * 10.0).ceil() / 10.0;
    Finding::fatal(
        format!("link[{}]", link.key),
        (
            format!(
                "串口 {} 平时占用 {percent:.0}%，全部 fast_period_ms 生效时需要 {percent_fast:.0}%，读不过来",
                link.key
            ),
            format!(
                "the serial link {} is busy {percent:.0} % of the time, and with every fast_period_ms in force {percent_fast:.0} %",
                link.key
            ),
        ),
        (
            format!("把 fast_period_ms 加长到 {times} 倍或更长、提高波特率，或把仪表分到两条总线"),
            format!(
                "make fast_period_ms {times} times as long or longer, raise the baud rate, or put the instruments on two links"
            ),
        ),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use crate::config::{Checked, Diagnostic, Site, site_from_text};

    /// 24 gas heads on a line at 9600 baud; the profile wants half a second between two requests to one head.
    pub(in crate::config) fn line(of_every_point: &str) -> Checked<Site> {
        let head = "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
             [[link]]\nkey = \"rtu\"\nserial = \"/dev/serial/by-id/adapter\"\n";
        let one = |n: u8| {
            format!(
                "[[device]]\nkey = \"D-{n}\"\nlink = \"rtu\"\nunit = {n}\nprofile = \"gas-module-b\"\narea = \"A1\"\n\
                 [[point]]\nkey = \"GT-{n}\"\nname = \"氨\"\nname_en = \"Ammonia\"\ndevice = \"D-{n}\"\nfield = \"concentration\"\n\
                 kind = \"gas\"\nsubstance = \"NH3\"\nunit = \"ppm\"\nrange = [0, 100]\n{of_every_point}\n"
            )
        };
        let all: String = (1..=24).map(one).collect();
        site_from_text("site.toml", &format!("{head}{all}"), |_| ())
    }

    pub(in crate::config) const LIMIT: &str = "limits.H = { limit = 20, priority = 3 }";

    fn said(of_every_point: &str) -> Vec<Diagnostic> {
        line(of_every_point).diagnostics
    }

    #[test]
    fn a_line_that_is_idle_now_and_too_slow_when_every_value_nears_its_limit_is_refused() {
        let found = said(&format!("period_ms = 10000\nfast_period_ms = 500\n{LIMIT}"));
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert!(one.fatal && one.path == "link[rtu]", "{one:?}");
        assert!(one.message_en.contains("busy 9 %") && one.message_en.contains("in force 170 %"), "{}", one.message_en);
        assert!(one.remedy_en.contains("1.8 times as long") && one.remedy_zh.contains("1.8 倍"), "{}", one.remedy_en);
        assert_eq!(
            said(&format!("period_ms = 10000\nfast_period_ms = 900\n{LIMIT}")),
            [],
            "1.8 times as long is enough"
        );
        let idle = said("period_ms = 10000\nfast_period_ms = 500");
        assert!(idle.iter().all(|d| !d.fatal), "without a limit nothing becomes fast: {idle:?}");
    }

    #[test]
    fn a_fast_period_that_cannot_be_is_refused_by_its_own_key() {
        for (fast_ms, remedy) in [(1, "50 to 3600000"), (200, "fast_period_ms = 500")] {
            let found = said(&format!("period_ms = 60000\nfast_period_ms = {fast_ms}\n{LIMIT}"));
            let of_key: Vec<_> = found.iter().filter(|d| d.path.ends_with(".fast_period_ms")).collect();
            assert_eq!(of_key.len(), 24);
            assert!(of_key.iter().all(|d| d.fatal && d.remedy_en.contains(remedy)), "{found:?}");
        }
    }

    /// What is said of two values that take a request each, half a second apart.
    fn said_of_two(first: &str, second: &str) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("profiles")).unwrap();
        let field =
            |key: &str, address: u16| format!("[field.{key}]\nfunction = 3\naddress = {address}\ntype = 'u16'\n");
        let profile = "title_zh = '二'\ntitle_en = 'two'\n[limits]\nmin_gap_ms = 500\nmax_registers = 16\n";
        let profile = format!("{profile}{}{}", field("a", 0), field("b", 100));
        std::fs::write(folder.path().join("profiles/two.toml"), profile).unwrap();
        let point = |n: u8, field: &str, more: &str| {
            format!(
                "[[point]]\nkey = \"P-{n}\"\nname = \"压力\"\nname_en = \"Pressure\"\ndevice = \"D\"\nfield = \"{field}\"\n\
                 kind = \"pressure\"\nrange = [0, 100]\n{more}\n"
            )
        };
        let head = "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
             [[link]]\nkey = \"l\"\ntcp = \"192.0.2.1:502\"\n[[device]]\nkey = \"D\"\nlink = \"l\"\nunit = 1\nprofile = \"two\"\narea = \"A1\"\n";
        let file = folder.path().join("site.toml");
        std::fs::write(&file, format!("{head}{}{}", point(1, "a", first), point(2, "b", second))).unwrap();
        let found = crate::config::check_site(&file).diagnostics;
        found.into_iter().filter(|d| d.fatal).map(|d| (d.path, d.remedy_en)).collect()
    }

    #[test]
    fn the_point_whose_fast_period_brings_the_second_request_is_named_by_that_key() {
        let fast = "period_ms = 60000\nfast_period_ms = 600\nlimits.H = { limit = 80, priority = 3, delay_s = 200 }";
        let own = ("point[P-2].fast_period_ms".to_owned(), "write fast_period_ms = 1000 or longer".to_owned());
        assert_eq!(said_of_two("period_ms = 600", fast), [own]);
        let slow = ("point[P-1].period_ms".to_owned(), "write period_ms = 1000 or longer".to_owned());
        assert_eq!(said_of_two("period_ms = 600", "period_ms = 600"), [slow]);
    }
}
