//! What the recorded history says of a configuration before it runs: its noise beside the deadbands, and how many alarms it would have made.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::bar::Bar;
use super::kpi::most_frequent;
use super::past::failed;
use crate::config::{Diagnostic, Site, SourceFile, compared, noise_warnings};
use crate::kpi::{self, DAY_MS, Report};
use crate::moment::{site_text, site_text_of, utc_text};
use crate::replay::{self, Ask, Rules};
use crate::store::{Past, Span};
use crate::text::counted;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// alarms.md 2.10: three sigma of the last day.
const NOISE_MS: i64 = 86_400_000;
/// alarms.md 2.10: the last seven days.
const DRY_RUN_MS: i64 = 7 * 86_400_000;

/// The history of a site, as far as there is one.
pub(super) struct History {
    dir: PathBuf,
    past: Option<Past>,
    /// What was looked at, in how many of the deadbands; for the last line of the summary.
    looked: std::cell::Cell<Option<(Span, Known)>>,
}

/// Deadbands that the history says something about, and all there are.
type Known = (usize, usize);

/// How many alarms the rules would have made, beside those that there were.
#[derive(Debug, Serialize)]
pub(super) struct DryRun {
    from: String,
    to: String,
    /// Recorded, without the time the gateway did not run.
    days: f64,
    samples: u64,
    /// As the journal has them.
    recorded_alarms: u64,
    /// With the rules of the file.
    would: Report,
}

impl History {
    pub(super) fn of(site: &Site, named: Option<&Path>) -> Self {
        let dir = named.unwrap_or(&site.data_dir).to_owned();
        let past = Past::open(&dir).ok();
        Self { dir, past, looked: std::cell::Cell::new(None) }
    }

    /// Deadbands below the noise. A history that cannot be read is no defect of the file.
    pub(super) fn noise_warnings(&self, site: &Site, files: &[SourceFile]) -> Vec<Diagnostic> {
        let Some(past) = &self.past else { return Vec::new() };
        match replay::noise(past, &site.book, NOISE_MS, &mut |_| {}) {
            Ok(Some((span, noise))) => {
                self.looked.set(Some((span, compared(site, &noise))));
                noise_warnings(site, &noise, files)
            }
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    /// What the noise rests on, or that there is none.
    pub(super) fn said(&self) -> String {
        match self.looked.get() {
            Some((span, known)) => looked(span, known),
            None => format!(
                "噪声：{} 中没有历史数据，未核对回差 · no history there: deadbands not compared with the noise",
                self.dir.display()
            ),
        }
    }

    /// The newest seven days, or what there is of them, through the rules of the file.
    pub(super) fn dry_run(&self, site: &Site) -> Result<DryRun, Exit> {
        let recorded = self.past.as_ref().and_then(|past| Some((past, past.samples_span()?)));
        let Some((past, recorded)) = recorded else {
            eprintln!(
                "{} 中没有历史数据，无法试算；用 --history 指定数据目录 · no history there: name the data folder with --history",
                self.dir.display()
            );
            return Err(Exit::Io);
        };
        let span = Span { from_ms: recorded.from_ms.max(recorded.to_ms - DRY_RUN_MS), to_ms: recorded.to_ms };
        let ask =
            Ask { book: &site.book, config_hash: &site.view.config_hash, rules: Rules::InHand, other: None, span };
        let mut bar = Bar::new("正在试算 dry run");
        let outcome = replay::run(past, &ask, &mut |share| bar.show(share)).map_err(|e| failed(&e, past.dir()))?;
        bar.done();
        let was = kpi::of_folder(past, span).map_err(|e| failed(&e, past.dir()))?;
        Ok(DryRun {
            from: utc_text(span.from_ms),
            to: utc_text(span.to_ms),
            days: was.recorded_ms as f64 / DAY_MS as f64,
            samples: outcome.samples,
            recorded_alarms: was.alarms,
            would: outcome.present,
        })
    }
}

/// Only what was done: a point without five quiet minutes, or read too seldom to fill them, proves nothing about its deadband.
fn looked(span: Span, (known, all): Known) -> String {
    let (from, to) = (site_text(span.from_ms), site_text(span.to_ms));
    let rest = if known == all {
        String::new()
    } else {
        "；其余测点没有足够的采样或平静时段，未核对 · the other points had not enough samples or no quiet time: not compared"
            .into()
    };
    format!(
        "噪声：{from} – {to} 的历史中，{all} 个回差核对了 {known} 个 · {known} of {} compared with the noise of that history{rest}",
        counted(all, "deadband")
    )
}

fn a_day(alarms: u64, days: f64) -> (String, String) {
    if days < 1.0 {
        return ("不足一天，不折算每日".into(), "too short for a daily figure".into());
    }
    let rate = alarms as f64 / days;
    (format!("每天 {rate:.1} 条"), format!("{rate:.1} a day"))
}

impl DryRun {
    pub(super) fn print(&self) {
        let w = &self.would;
        println!(
            "\n试算 dry run · {} – {}，{} 个采样 samples",
            site_text_of(&self.from),
            site_text_of(&self.to),
            self.samples
        );
        let (zh, en) = a_day(w.alarms, self.days);
        println!(
            "  用这份配置会有 {0} 条报警，{zh}；当时记录 {1} 条\n  {2} with this file, {en}; recorded then: {1}",
            w.alarms,
            self.recorded_alarms,
            counted(w.alarms, "alarm")
        );
        for day in &w.days {
            println!("    {}  {:>6}", day.day, day.alarms);
        }
        if !w.top.is_empty() {
            println!("  最频繁 most frequent");
        }
        most_frequent(&w.top).iter().for_each(|line| println!("    {line}"));
        for c in &w.chattering {
            println!("  抖动报警 chattering  {}", c.alarm);
        }
        for s in &w.standing {
            println!("  滞留 standing    {} {:.1} h", s.alarm, s.hours);
        }
        for f in &w.floods {
            println!("  泛滥 flood       {} – {}，{} 条 alarms", site_text_of(&f.from), site_text_of(&f.to), f.alarms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_about_noise_claims_no_more_than_was_compared() {
        let span = Span { from_ms: 0, to_ms: 86_400_000 };
        let some = looked(span, (1, 3));
        assert!(
            some.contains("3 个回差核对了 1 个 · 1 of 3 deadbands compared")
                && some.contains("没有足够的采样或平静时段，未核对")
                && some.contains("not enough samples or no quiet time: not compared"),
            "{some}"
        );
        assert!(!looked(span, (3, 3)).contains("not compared"));
    }

    #[test]
    fn less_than_a_day_gives_no_daily_figure() {
        assert_eq!(a_day(6, 0.1).1, "too short for a daily figure");
        assert_eq!(a_day(6, 2.0).1, "3.0 a day");
    }
}
