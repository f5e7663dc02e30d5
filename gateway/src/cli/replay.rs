//! `replay`: recorded samples through the rules in force, and through changed ones.
//!
//! Owns words, progress and the exit code. Leaves playing and judging to [`crate::replay`].
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::bar::Bar;
use super::given::site;
use super::kpi::most_frequent;
use super::past::{failed, open, span};
use super::table::{self, numbers, pad, words};
use crate::config::{self, Site};
use crate::kpi::Report;
use crate::moment::{site_text, utc_text};
use crate::replay::{Ask, Change, Difference, Noise, Outcome, Rules, What, Why, run};
use crate::store::Span;
use crate::text::counted;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Lines of a list at most; the rest is counted.
const SHOWN_MAX: usize = 20;

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// 站点配置文件：数据目录和现行规则 · site file: its data folder and the rules in force.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 另一份配置 · another site file: what its rules would have made of the same samples.
    #[arg(long, value_name = "OTHER-FILE")]
    with: Option<PathBuf>,
    /// 起：日期（北京时间）、RFC 3339 时刻或毫秒 · a day of the site (+08:00), an RFC 3339 time or milliseconds; the first recorded sample when not given.
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// 止 · the end; the last recorded sample when not given.
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// 以 JSON 输出 · as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// 0 when the recorded events came out again, 1 when one differs without a reason; with `--with` always 0: it is a look ahead.
pub(super) fn main(args: &ReplayArgs) -> Exit {
    try_main(args).unwrap_or_else(|exit| exit)
}

fn try_main(args: &ReplayArgs) -> Result<Exit, Exit> {
    let past = open(&args.config)?;
    let site = site(&args.config)?;
    let other = args.with.as_deref().map(site_of_other).transpose()?;
    let Some(recorded) = past.samples_span() else {
        eprintln!(
            "{} 中没有历史数据，无从回放；网关运行过才有 · no history in it: nothing to replay before the gateway has run",
            past.dir().display()
        );
        return Err(Exit::Io);
    };
    // an end that was not given is in no wrong order with a beginning beyond all samples
    let ever = Span { from_ms: i64::MIN, to_ms: i64::MAX };
    let mut span = span(args.from.as_deref(), args.to.as_deref(), ever)?;
    if span.to_ms < recorded.from_ms || span.from_ms > recorded.to_ms {
        eprintln!(
            "这段时间没有历史数据；现有 {} – {} · no history in that time; there is {} – {}",
            site_text(recorded.from_ms),
            site_text(recorded.to_ms),
            site_text(recorded.from_ms),
            site_text(recorded.to_ms)
        );
        return Err(Exit::Usage);
    }
    span.from_ms = if args.from.is_some() { span.from_ms } else { recorded.from_ms };
    span.to_ms = if args.to.is_some() { span.to_ms } else { recorded.to_ms };
    let ask = Ask {
        book: &site.book,
        config_hash: &site.view.config_hash,
        rules: Rules::OfEachTime,
        other: other.as_ref().map(|o| &o.book),
        span,
    };
    let mut bar = Bar::new("正在回放 replaying");
    let outcome = run(&past, &ask, &mut |share| bar.show(share)).map_err(|error| failed(&error, past.dir()))?;
    bar.done();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&outcome, span)).map_err(|_| Exit::Internal)?);
    } else {
        print(&outcome, span);
    }
    let unexplained = outcome.comparison.differences.iter().any(|d| d.why == Why::Unexplained);
    Ok(if unexplained && args.with.is_none() { Exit::Found } else { Exit::Ok })
}

fn site_of_other(path: &Path) -> Result<Site, Exit> {
    if config::is_office(path) {
        eprintln!("--with 要用站点的配置文件 · --with wants the file of a site");
        return Err(Exit::Usage);
    }
    site(path)
}

fn as_json(outcome: &Outcome, span: Span) -> serde_json::Value {
    let refused = |list: &[crate::replay::Refused]| -> Vec<serde_json::Value> {
        let entry = |r: &crate::replay::Refused| json!({ "at": utc_text(r.at.wall.utc_ms), "command": r.command, "reason": r.reason });
        list.iter().map(entry).collect()
    };
    json!({
        "from": utc_text(span.from_ms),
        "to": utc_text(span.to_ms),
        "samples": outcome.samples,
        "gaps": outcome.gaps,
        "damaged_blocks": outcome.damaged_blocks,
        "revisions": revisions(outcome),
        "books_dropped": outcome.books_dropped,
        "comparison": outcome.comparison,
        "refused": refused(&outcome.refused),
        "present": outcome.present,
        "other": outcome.other.as_ref().map(|o| json!({
            "report": o.report, "changes": o.changes, "refused": refused(&o.refused) })),
        "noise": outcome.noise,
        "banded_points": outcome.banded,
    })
}

fn revisions(outcome: &Outcome) -> Vec<serde_json::Value> {
    let revision = |r: &crate::replay::Revision| json!({ "seq": r.seq, "from": utc_text(r.from_ms), "config_hash": r.config_hash, "on_file": r.on_file });
    outcome.revisions.iter().map(revision).collect()
}

/// Each time is judged with its own rules; those that are not on file are named.
fn print_revisions(outcome: &Outcome) {
    let mut hashes: Vec<&str> = outcome.revisions.iter().map(|r| r.config_hash.as_str()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    if hashes.len() > 1 {
        println!(
            "期间先后有 {0} 份配置，各用当时的规则回放 · {0} configurations were in force, each time is played with its own rules",
            hashes.len()
        );
    }
    for r in outcome.revisions.iter().filter(|r| !r.on_file) {
        println!(
            "! {}  配置 {:.12} 的规则没有存档，沿用在它之前的规则 · the rules of that configuration are not on file, those before it are used on",
            site_text(r.from_ms),
            r.config_hash
        );
    }
}

fn print(outcome: &Outcome, span: Span) {
    println!("回放 replay · {} – {}", site_text(span.from_ms), site_text(span.to_ms));
    println!(
        "{} 个采样 samples，缺失 gaps {}，损坏的数据块 damaged blocks {}\n",
        outcome.samples, outcome.gaps, outcome.damaged_blocks
    );
    print_revisions(outcome);
    print_comparison(outcome);
    if let Some(other) = &outcome.other {
        print_changes(outcome, other);
    }
    print_hints(outcome);
}

fn print_comparison(outcome: &Outcome) {
    let c = &outcome.comparison;
    if c.differences.is_empty() {
        println!(
            "✓ 记录的 {} 个事件全部重现，时间最多相差 {} ms\n  {} recorded, all came out again, at most {} ms apart",
            c.recorded,
            c.apart_max_ms,
            counted(c.recorded, "event"),
            c.apart_max_ms
        );
        return;
    }
    println!(
        "! 记录的 {} 个事件中重现 {} 个，{} 处不同\n  {} of {} came out again, {} found",
        c.recorded,
        c.matched,
        c.differences.len(),
        c.matched,
        counted(c.recorded, "recorded event"),
        counted(c.differences.len(), "difference")
    );
    c.differences.iter().take(SHOWN_MAX).for_each(|d| println!("    {}", difference(d)));
    rest(c.differences.len());
}

fn rest(n: usize) {
    if n > SHOWN_MAX {
        println!("    … 另有 {} 处 · and {} more (--json)", n - SHOWN_MAX, n - SHOWN_MAX);
    }
}

fn difference(d: &Difference) -> String {
    let what = match d.what {
        What::Missing => "未重现 missing".to_owned(),
        What::Extra => "多出 extra".to_owned(),
        What::Moved => format!("时间不同 moved {}", seconds(d.moved_ms.unwrap_or(0))),
        What::Changed => format!("内容不同 says something else（{}）", d.fields.join("、")),
    };
    let why = match d.why {
        Why::OtherRules => {
            "当时生效的是另一份配置，其规则没有存档 · another configuration was in force, its rules are not on file"
        }
        Why::Gap => "这段时间采样缺失 · samples are missing there",
        Why::ClockStep => "时钟被调整过 · the clock was stepped",
        Why::NoReasons => "旧版本没有记录坏值的原因 · an earlier version did not record why a value was bad",
        Why::Follows => "由同一报警前面的不同引起 · follows from an earlier difference",
        Why::Unexplained => "原因不明，请连同数据报告 · unexplained: please report it with the data",
    };
    format!("{}  {}  {}  {what}：{why}", site_text(d.at_ms), pad(d.kind, 22), pad(&d.subject, 24))
}

fn seconds(ms: i64) -> String {
    format!("{:+.1} s", ms as f64 / 1000.0)
}

fn print_changes(outcome: &Outcome, other: &crate::replay::Other) {
    let c = &other.changes;
    println!(
        "\n改后的规则 with the other rules：多出 come {}，消失 go {}，时间变动 moved {}，不变 same {}",
        c.come.len(),
        c.go.len(),
        c.moved.len(),
        c.same
    );
    list("多出 come", &c.come);
    list("消失 go", &c.go);
    list("变动 moved", &c.moved);
    println!("\n  每日报警 alarms a day");
    let mut days: Vec<&str> = outcome.present.days.iter().chain(&other.report.days).map(|d| d.day.as_str()).collect();
    days.sort_unstable();
    days.dedup();
    let of = |r: &Report, day: &str| r.days.iter().find(|d| d.day == day).map_or(0, |d| d.alarms);
    let heads = [words("日", "day"), numbers("现在", "now"), numbers("改后", "then")];
    let row =
        |day: &&str| [(*day).to_owned(), of(&outcome.present, day).to_string(), of(&other.report, day).to_string()];
    let rows: Vec<_> = days.iter().map(row).collect();
    table::lines(&heads, &rows).iter().for_each(|line| println!("    {line}"));
    let names = |r: &Report| r.chattering.iter().map(|c| c.alarm.clone()).collect::<Vec<_>>();
    print_sides("抖动报警 chattering", &names(&outcome.present), &names(&other.report));
    let names = |r: &Report| r.standing.iter().map(|s| s.alarm.clone()).collect::<Vec<_>>();
    print_sides("滞留 standing", &names(&outcome.present), &names(&other.report));
    if !other.refused.is_empty() {
        println!(
            "  {} 个操作在改后的规则下不成立，已略过 · commands that did not fit there were passed over",
            other.refused.len()
        );
    }
}

fn print_sides(what: &str, now: &[String], then: &[String]) {
    let say = |list: &[String]| if list.is_empty() { "–".to_owned() } else { list.join("、") };
    println!("  {what}：现在 now {}；改后 then {}", say(now), say(then));
}

fn list(title: &str, changes: &[Change]) {
    for c in changes.iter().take(SHOWN_MAX) {
        let moved = c.moved_ms.map(seconds).unwrap_or_default();
        println!("    {title}  {}  {} {moved}", site_text(c.at_ms), c.alarm);
    }
    rest(changes.len());
}

fn print_hints(outcome: &Outcome) {
    let r = &outcome.present;
    println!("\n整定建议 tuning");
    println!("  报警 alarms {}{}", r.alarms, if r.top.is_empty() { "" } else { "；最频繁 most frequent:" });
    most_frequent(&r.top).iter().for_each(|line| println!("    {line}"));
    for c in &r.chattering {
        println!("  抖动报警 {}：加大回差或延时 · chattering: a wider deadband or a longer delay", c.alarm);
    }
    for s in &r.standing {
        println!(
            "  滞留 {} {:.1} h：处理原因或停用 · standing: remove the cause or take it out of service",
            s.alarm, s.hours
        );
    }
    for n in outcome.noise.iter().filter(|n| n.too_small) {
        println!(
            "  {} 回差 {} {u} 小于噪声 3σ，建议 {} {u} · deadband below the noise, {} proposed",
            n.point,
            n.deadband,
            n.proposed,
            n.proposed,
            u = n.unit
        );
    }
    println!("  {}", compared(&outcome.noise, outcome.banded));
}

/// Only what was done: a point without enough samples or quiet time proves nothing about its deadband.
fn compared(noise: &[Noise], banded: usize) -> String {
    let (known, pass) = (noise.len(), noise.iter().filter(|n| !n.too_small).count());
    let unknown = banded.saturating_sub(known);
    let (rest_zh, rest_en) = match unknown {
        0 => (String::new(), String::new()),
        n => (
            format!("；{n} 个没有足够的采样或平静时段，未核对"),
            format!("; {n} had not enough samples or no quiet time: not compared"),
        ),
    };
    format!(
        "有回差的测点 {banded} 个，核对了 {known} 个，其中 {pass} 个的回差大于噪声{rest_zh} · of {} with a deadband, compared: \
         {known}, of these above the noise: {pass}{rest_en}",
        counted(banded, "point")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_too_short_to_compare_says_that_nothing_was_compared() {
        let said = compared(&[], 3);
        assert!(
            said.contains("核对了 0 个") && said.contains("3 个没有足够的采样") && said.contains("3 had not enough"),
            "{said}"
        );
        let one = |too_small: bool| Noise {
            point: "GT-1".into(),
            unit: "ppm".into(),
            sigma: 1.0,
            windows: 9,
            deadband: 4.0,
            proposed: 3.0,
            too_small,
        };
        let said = compared(&[one(false), one(true)], 2);
        assert!(said.contains("核对了 2 个，其中 1 个的回差大于噪声") && !said.contains("not compared"), "{said}");
    }
}
