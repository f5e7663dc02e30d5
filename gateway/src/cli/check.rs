//! `check` and `schema`.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::dry_run::{self, History};
use super::{Exit, plan};
use crate::config::{self, Checked, Diagnostic, OwnProfile, Site, SourceFile, diagnostic};
use crate::text::counted;
use rules::book::presets;
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// 站点或镇街值守站配置文件 · site or office file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 试算 · run the last seven days of history through these rules and say how many alarms they would have made.
    #[arg(long)]
    dry_run: bool,
    /// 历史数据目录 · where the history lies; the file's own `data_dir` when not given.
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    /// 缺陷以 JSON 输出 · defects as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// All defects on stderr (or JSON on stdout), the summary on stdout; 2 when one is fatal.
pub(super) fn main(args: &CheckArgs) -> Exit {
    if config::is_office(&args.config) {
        let Checked { value, diagnostics, files } = config::check_office(&args.config);
        return say(args, value.is_some(), &diagnostics, &files, "", None);
    }
    let Checked { value, mut diagnostics, files } = config::check_site(&args.config);
    let Some(site) = value else { return say(args, false, &diagnostics, &files, "", None) };
    let history = History::of(&site, args.history.as_deref());
    diagnostics.extend(history.noise_warnings(&site, &files));
    // One dead instrument is foreseen, and a warning; the verdict is of all that live.
    let forecasts = plan::all(&site, 1);
    diagnostics.extend(config::load_warnings(&forecasts, &files));
    let dry = match args.dry_run.then(|| history.dry_run(&site)).transpose() {
        Ok(dry) => dry,
        Err(exit) => return exit,
    };
    let what = format!("{}\n{}", content(&site, &plan::verdict(&forecasts, false)), history.said());
    say(args, true, &diagnostics, &files, &what, dry.as_ref())
}

fn say(
    args: &CheckArgs,
    ok: bool,
    diagnostics: &[Diagnostic],
    files: &[SourceFile],
    what: &str,
    dry: Option<&dry_run::DryRun>,
) -> Exit {
    if args.json {
        let found = match dry {
            Some(dry) => serde_json::to_string_pretty(&json!({ "diagnostics": diagnostics, "dry_run": dry })),
            None => serde_json::to_string_pretty(diagnostics),
        };
        match found {
            Ok(text) => println!("{text}"),
            Err(_) => return Exit::Internal,
        }
    } else {
        report(diagnostics, files);
        println!("{}{what}", diagnostic::summary(diagnostics));
        if let Some(dry) = dry {
            dry.print();
        }
    }
    if ok { Exit::Ok } else { Exit::Usage }
}

fn content(site: &Site, plan: &str) -> String {
    let devices: usize = site.buses.iter().map(|b| b.devices.len()).sum();
    format!(
        "\n{}：{} 条链路，{devices} 台仪表，{} 个测点，{} 条报警，{} 项风险 · {}, {}, {}, {}, {}\n{plan}",
        site.view.name,
        site.buses.len(),
        site.book.points().len(),
        site.book.rules().len(),
        site.book.risks().len(),
        counted(site.buses.len(), "link"),
        counted(devices, "device"),
        counted(site.book.points().len(), "point"),
        counted(site.book.rules().len(), "alarm rule"),
        counted(site.book.risks().len(), "risk"),
    ) + &spread(site)
        + &latching(site)
        + &basis(site)
        + &own_profiles(site)
}

/// Profiles of the site's own, and how far bytes prove them. Shipped ones are proved by the tests of this program.
fn own_profiles(site: &Site) -> String {
    let one = |p: &OwnProfile| {
        let (name, untried) = (&p.name, p.untried.join(", "));
        match p.vectors {
            None => format!(
                "\n自备型号 {name}：没有向量，读数未经验证；写 profiles/vectors/{name}.toml · your own profile {name}: no vectors, \
                 nothing proves what it reads: write profiles/vectors/{name}.toml"
            ),
            Some(n) if untried.is_empty() => {
                format!("\n自备型号 {name}：{n} 组向量全部相符 · your own profile {name}: {n} of {n} vectors agree")
            }
            Some(n) => format!(
                "\n自备型号 {name}：{n} 组向量全部相符，没有向量的量：{untried} · your own profile {name}: {n} of {n} vectors agree, \
                 fields without one: {untried}"
            ),
        }
    };
    site.own_profiles.iter().map(one).collect()
}

/// How the priorities lie, with the numbers; whether that deserves a warning is the rule book's to say.
fn spread(site: &Site) -> String {
    let rules = site.book.rules();
    if rules.is_empty() {
        return String::new();
    }
    let percent =
        |of: fn(u8) -> bool| 100.0 * rules.iter().filter(|r| of(r.priority)).count() as f64 / rules.len() as f64;
    let shares = format!("{:.0} / {:.0} / {:.0} %", percent(|p| p == 1), percent(|p| p == 2), percent(|p| p > 2));
    format!(
        "\n优先级 1 / 2 / 3–4：{shares}，目标约 5 / 15 / 80 % · priorities 1 / 2 / 3–4: {shares}, aim about 5 / 15 / 80 %"
    )
}

/// What stays in the list until somebody resets it, also where no line of the file says so.
fn latching(site: &Site) -> String {
    let by_default = |r: &&rules::book::Rule| {
        site.book.point_id(&r.point).is_some_and(|p| presets::latches(site.book.points()[p.index()].kind, &r.condition))
    };
    let latching = || site.book.rules().iter().filter(|r| r.latching);
    let (all, gas) = (latching().count(), latching().filter(by_default).count());
    if all == 0 {
        return String::new();
    }
    format!(
        "\n锁存报警 {all} 条，恢复后须由班长复位，其中气体高高限 {gas} 条（默认；不锁存则写 latching = false） · alarms that latch until a shift \
         leader resets them: {all}, HH of a gas among them: {gas} (the default; `latching = false` if not)"
    )
}

/// Gas limits were held against a standard: which, and whether its text was.
fn basis(site: &Site) -> String {
    let unit = |r: &rules::book::Rule| site.book.point_id(&r.point).map(|p| &site.book.points()[p.index()].unit);
    let held = site.book.rules().iter().find_map(|r| presets::gas_limit(unit(r)?, &r.condition));
    held.map_or_else(String::new, |limit| {
        let (zh, en) = limit.basis.said();
        format!("\n气体报警限依据 {zh} · gas limits held against {en}")
    })
}

/// Prints diagnostics for people, coloured on a terminal.
pub(super) fn report(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    let stderr = io::stderr();
    let colour = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut out = stderr.lock();
    let _ = diagnostic::print(diagnostics, files, colour, &mut out);
    let _ = out.flush();
}

/// The same on the way into a log, as where a station starts or reloads: nothing about people is in it.
pub(super) fn report_to_log(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    report(diagnostics, &config::without_people(files));
}

/// The JSON Schema of a file.
pub(super) fn schema(office: bool) -> Exit {
    let schema = if office {
        schemars::schema_for!(config::file::OfficeFile)
    } else {
        schemars::schema_for!(config::file::SiteFile)
    };
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => {
            println!("{text}");
            Exit::Ok
        }
        Err(_) => Exit::Internal,
    }
}
