//! `kpi`: the figures of the alarm system over a time, each beside the standard's target.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::past::{failed, open, span};
use super::screen::dash;
use super::table::{self, numbers, words};
use crate::clock::SystemClock;
use crate::kpi::{self, AlarmShare, DAY_MS, Figure, FloodSpan, Report, Standing};
use crate::moment::site_text_of;
use crate::store::Span;
use crate::text::counted;
use rules::Clock;
use std::path::PathBuf;

const WEEK_MS: i64 = 7 * 86_400_000;

/// Arguments of `kpi`.
#[derive(Debug, clap::Args)]
pub(super) struct KpiArgs {
    /// 站点配置文件 · site file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 起：日期（北京时间）、RFC 3339 时刻或毫秒 · a day of the site (+08:00), an RFC 3339 time or milliseconds; a week before the end when not given.
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// 止 · the end; now when not given.
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// 以 JSON 输出 · as JSON on stdout.
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
    println!("报警绩效 alarm performance · {} – {}", site_text_of(&report.from), site_text_of(&report.to));
    println!("{}", recorded(report.recorded_ms));
    println!("报警 {} 条（演练不计）· {}, drills not counted\n", report.alarms, counted(report.alarms, "alarm"));
    set_in(&figures(&report.figures));
    titled("最频繁", "most frequent", &most_frequent(&report.top));
    titled("抖动报警", "chattering", &most_frequent(&report.chattering));
    titled("滞留", "standing for more than 24 h", &standing(&report.standing));
    titled("泛滥", "floods", &floods(&report.floods));
}

fn titled(zh: &str, en: &str, lines: &[String]) {
    if !lines.is_empty() {
        println!("\n{zh} {en}");
        set_in(lines);
    }
}

fn set_in(lines: &[String]) {
    lines.iter().for_each(|line| println!("  {line}"));
}

fn standing(list: &[Standing]) -> Vec<String> {
    let heads = [words("报警", "alarm"), words("自", "since"), numbers("时长", "for"), words("现状", "now")];
    let row = |s: &Standing| {
        let now = if s.stands { "仍在报警 still active" } else { "已恢复 returned" };
        [s.alarm.clone(), site_text_of(&s.since), format!("{:.1} h", s.hours), now.to_owned()]
    };
    table::lines(&heads, &list.iter().map(row).collect::<Vec<_>>())
}

fn floods(list: &[FloodSpan]) -> Vec<String> {
    let heads = [
        words("自", "from"),
        words("至", "to"),
        numbers("报警", "alarms"),
        numbers("10 分钟峰值", "peak /10 min"),
        words("首发", "first"),
    ];
    let row = |f: &FloodSpan| {
        [site_text_of(&f.from), site_text_of(&f.to), f.alarms.to_string(), f.peak.to_string(), f.first.clone()]
    };
    table::lines(&heads, &list.iter().map(row).collect::<Vec<_>>())
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

/// Each beside its target; `✓` where that is met, `✗` where it is missed.
fn figures(all: &[Figure]) -> Vec<String> {
    let heads = [
        words("", ""),
        words("指标", "figure"),
        words("", ""),
        numbers("值", "value"),
        words("单位", "unit"),
        words("目标", "target"),
    ];
    let row = |f: &Figure| {
        let mark = match f.met {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "",
        };
        let value = f.value.map_or_else(dash, short);
        let unit = if f.value.is_some() { f.unit } else { "" };
        [mark, f.name, f.name_en, &value, unit, f.target].map(str::to_owned)
    };
    table::lines(&heads, &all.iter().map(row).collect::<Vec<_>>())
}

/// Alarms by how often they came, as `kpi`, `replay` and `check --dry-run` list them.
pub(super) fn most_frequent(list: &[AlarmShare]) -> Vec<String> {
    let heads = [numbers("", ""), words("报警", "alarm"), numbers("次数", "times"), numbers("占比", "share")];
    let row = |(n, a): (usize, &AlarmShare)| {
        [(n + 1).to_string(), a.alarm.clone(), a.count.to_string(), format!("{:.1} %", 100.0 * a.share)]
    };
    table::lines(&heads, &list.iter().enumerate().map(row).collect::<Vec<_>>())
}

fn short(v: f64) -> String {
    if v == v.trunc() { format!("{v:.0}") } else { format!("{v:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::columns;

    #[test]
    fn targets_stand_in_one_column_whatever_the_names_of_the_figures() {
        let report = kpi::report([], crate::store::Span { from_ms: 0, to_ms: 10 * DAY_MS });
        let lines = figures(&report.figures);
        assert_eq!(lines.len(), report.figures.len() + 2);
        let begins = |line: &String, of: &str| line.find(of).map(|at| columns(&line[..at]));
        let target = begins(&lines[0], "目标");
        assert_eq!(target, begins(&lines[1], "target"));
        for (line, figure) in lines[2..].iter().zip(&report.figures) {
            assert!(figure.target.is_empty() || line.ends_with(figure.target), "{line}");
            let at = columns(line.strip_suffix(figure.target).unwrap());
            assert!(figure.target.is_empty() || Some(at) == target, "{}", lines.join("\n"));
            assert!(columns(line) <= 100, "{} columns: {line}", columns(line));
        }
    }

    #[test]
    fn an_alarm_with_a_long_name_moves_no_number_beside_it() {
        let share = |alarm: &str| AlarmShare { alarm: alarm.into(), count: 3, share: 0.5 };
        let lines = most_frequent(&[share("一号罐区东北角可燃气体探测器-GT-101:HH"), share("PT-1:H")]);
        assert_eq!(columns(&lines[2]), columns(&lines[3]), "{lines:?}");
        assert!(most_frequent(&[]).is_empty());
    }
}
