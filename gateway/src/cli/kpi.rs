//! `kpi`: the figures of the alarm system over a time, each beside the standard's target.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::past::{failed, open, span};
use super::table::pad;
use crate::clock::SystemClock;
use crate::kpi::{self, DAY_MS, Figure, Report};
use crate::store::Span;
use rules::Clock;
use std::path::PathBuf;

const WEEK_MS: i64 = 7 * 86_400_000;

/// Arguments of `kpi`.
#[derive(Debug, clap::Args)]
pub(super) struct KpiArgs {
    /// Site file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 起 · a day, an RFC 3339 time or milliseconds; a week before the end when not given.
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// 止 · the end; now when not given.
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// As JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Prints the figures; 0 also when a target is missed: it is a report, not a check.
pub(super) fn main(args: &KpiArgs) -> Exit {
    match run(args) {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

fn run(args: &KpiArgs) -> Result<(), Exit> {
    let past = open(&args.config)?;
    let now = SystemClock::default().now().wall.utc_ms;
    let mut asked = span(args.from.as_deref(), args.to.as_deref(), Span { from_ms: i64::MIN, to_ms: now })?;
    if args.from.is_none() {
        asked.from_ms = asked.to_ms - WEEK_MS;
    }
    // what has not been yet is not recorded
    asked.to_ms = asked.to_ms.min(now.max(asked.from_ms + 1));
    let report = kpi::of_folder(&past, asked).map_err(|error| failed(&error, past.dir()))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|_| Exit::Internal)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Report) {
    println!("报警绩效 alarm performance · {} – {}", report.from, report.to);
    println!("{}", recorded(report.recorded_ms));
    println!("报警 {} 条（演练不计）· {} alarms, drills not counted\n", report.alarms, report.alarms);
    for figure in &report.figures {
        println!("  {}", line(figure));
    }
    if !report.top.is_empty() {
        println!("\n最频繁 most frequent");
        for (n, top) in report.top.iter().enumerate() {
            println!("  {:>2}  {} {:>6}  {:>5.1} %", n + 1, pad(&top.alarm, 28), top.count, 100.0 * top.share);
        }
    }
    if !report.chattering.is_empty() {
        let list: Vec<&str> = report.chattering.iter().map(|c| c.alarm.as_str()).collect();
        println!("\n抖动报警 chattering: {}", list.join("、"));
    }
    for s in &report.standing {
        let end = if s.stands { "仍在报警 still active" } else { "已恢复 returned" };
        println!("\n滞留 standing: {}，自 since {}，{:.1} h，{end}", s.alarm, s.since, s.hours);
    }
    for f in &report.floods {
        println!(
            "\n泛滥 flood: {} – {}，{} 条 alarms，峰值 peak {}，首发 first {}",
            f.from, f.to, f.alarms, f.peak, f.first
        );
    }
}

/// What the rates rest on.
fn recorded(ms: i64) -> String {
    let hours = ms as f64 / 3_600_000.0;
    let short = match ms < DAY_MS {
        true if ms == 0 => "：这段时间没有运行，没有可报的 · it did not run in this time: nothing to tell",
        true => "：不足一天，不给出每日数 · too short for a daily figure",
        false => "",
    };
    format!("有记录 recorded {hours:.1} h{short}")
}

fn line(f: &Figure) -> String {
    let mark = match f.met {
        Some(true) => "✓",
        Some(false) => "✗",
        None => " ",
    };
    let value = f.value.map_or_else(|| "–".to_owned(), |v| format!("{} {}", short(v), f.unit).trim_end().to_owned());
    let target = if f.target.is_empty() { String::new() } else { format!("目标 target {}", f.target) };
    let name = format!("{} {}", f.name, f.name_en);
    format!("{mark} {} {} {target}", pad(&name, 44), pad(&value, 14)).trim_end().to_owned()
}

fn short(v: f64) -> String {
    if v == v.trunc() { format!("{v:.0}") } else { format!("{v:.2}") }
}
