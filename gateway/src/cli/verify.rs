//! `store verify` and `audit verify`: whether the files say what was written.
//!
//! Owns the words and the exit code. Leaves the looking to [`crate::store`].
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::{Exit, given};
use crate::config::{self, DataFolder, Station};
use crate::store::{
    Chain, Fault, Journal, RECORDS_FILE, Received, Samples, StoreError, audit, databases, office, received, samples,
};
use crate::text::counted;
use serde::Serialize;
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// Broken places printed at most; the rest is counted.
const SHOWN_MAX: usize = 20;

/// `store …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum StoreCommand {
    /// 逐条核对记录库、哈希链和历史数据 · records, hash chain and every block of the history
    #[command(after_help = "例 example:  hazard-gateway store verify --config site.toml")]
    Verify(Place),
}

/// `audit …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// 核对哈希链：有无改动、删除、插入、截断 · the hash chain: nothing changed, removed, added or cut
    #[command(after_help = "例 example:  hazard-gateway audit verify --config site.toml")]
    Verify {
        #[command(flatten)]
        place: Place,
        /// 镇办收到过的链头 · a chain head that the office received: shows whether the end was cut off.
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
}

/// Whose files, and how it is said.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// 站点或镇办的配置文件 · site or office file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 以 JSON 输出 · the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What was found; `ok` is the exit code.
#[derive(Debug, Default, Serialize)]
struct Report {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<Journal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<Received>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Samples>>,
    /// Damaged files of earlier that a start has put aside.
    set_aside: Vec<String>,
    faults: Vec<Fault>,
}

/// Everything.
pub(super) fn store(command: StoreCommand) -> Exit {
    let StoreCommand::Verify(place) = command;
    run(&place, |folder, report| {
        progress("记录库 · records");
        if folder.station == Station::Office {
            let (received, faults) = received(&folder.dir)?;
            report.received = Some(received);
            report.faults.extend(faults);
            report.set_aside = set_aside(folder);
            return Ok(());
        }
        let (journal, faults) = databases(&folder.dir, folder.tells_office)?;
        report.journal = Some(journal);
        report.faults.extend(faults);
        chain(folder, None, report)?;
        let (days, faults) = samples(&folder.dir, |day| progress(&day.day));
        report.history = Some(days);
        report.faults.extend(faults);
        report.set_aside = set_aside(folder);
        Ok(())
    })
}

/// The chain only.
pub(super) fn audit_trail(command: AuditCommand) -> Exit {
    let AuditCommand::Verify { place, head } = command;
    if config::is_office(&place.config) {
        eprintln!("镇办没有自己的哈希链；请在站点上核对 · an office has no chain of its own; verify at the site");
        return Exit::Usage;
    }
    if let Some(head) = head.as_deref().filter(|head| !is_hash(head)) {
        eprintln!(
            "“{head}”不是链头：链头是 64 位十六进制小写数字，见镇办页面或心跳 chain_head · \"{head}\" is no chain head: that is 64 \
             lower-case hexadecimal digits, as in a heartbeat's chain_head"
        );
        return Exit::Usage;
    }
    run(&place, |folder, report| chain(folder, head.as_deref(), report))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn chain(folder: &DataFolder, head: Option<&str>, report: &mut Report) -> Result<(), StoreError> {
    progress("哈希链 · hash chain");
    let (chain, faults) = audit(&folder.dir, head)?;
    report.chain = Some(chain);
    report.faults.extend(faults);
    Ok(())
}

fn run(place: &Place, look: impl FnOnce(&DataFolder, &mut Report) -> Result<(), StoreError>) -> Exit {
    let folder = match given::data_folder(&place.config) {
        Ok(folder) => folder,
        Err(exit) => return exit,
    };
    if let Some(exit) = nothing_to_look_at(&folder) {
        return exit;
    }
    let mut report = Report::default();
    if let Err(error) = look(&folder, &mut report) {
        if error.is_damage() {
            report.faults.push(Fault { file: folder.dir.clone(), place: String::new(), reason: error.to_string() });
            return say(place, report);
        }
        eprintln!("无法打开 {} 中的数据 · the data cannot be opened: {error}", folder.dir.display());
        return if matches!(error, StoreError::NewerVersion(..)) { Exit::NewerStore } else { Exit::Io };
    }
    say(place, report)
}

fn say(place: &Place, mut report: Report) -> Exit {
    report.ok = report.faults.is_empty();
    if place.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("counts and texts only"));
    } else {
        print(&report);
    }
    if report.ok { Exit::Ok } else { Exit::Found }
}

fn nothing_to_look_at(folder: &DataFolder) -> Option<Exit> {
    let dir = folder.dir.display();
    let file = match folder.station {
        Station::Site => RECORDS_FILE,
        Station::Office => office::FILE,
    };
    if !folder.dir.join(file).exists() {
        eprintln!(
            "{dir} 中没有 {file}：网关还没有运行过，或 data_dir 写错了\n\
             there is no {file} in {dir}: the gateway has never run, or data_dir is wrong"
        );
        return Some(Exit::Io);
    }
    None
}

/// A large history takes minutes: say where we are, to a person only.
fn progress(what: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K正在核对 verifying {what} … ");
    }
}

fn set_aside(folder: &DataFolder) -> Vec<String> {
    let names = |dir: PathBuf| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.contains(".corrupt-"))
    };
    let folders = [folder.dir.clone(), folder.dir.join("history"), folder.dir.join("incidents")];
    let mut found: Vec<String> = folders.into_iter().flat_map(names).collect();
    found.sort();
    found
}

fn print(report: &Report) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    if let Some(j) = &report.journal {
        let (events, hazards, users) = (j.events, j.hazards, j.users);
        let (zh, en) = match (j.outbox, j.waiting) {
            (Some(all), Some(waiting)) => (
                format!("发件箱 {all}（未收到回执 {waiting}）"),
                format!("{all} in the outbox ({waiting} without receipt)"),
            ),
            _ => ("未配置镇办".to_owned(), "no office configured".to_owned()),
        };
        println!(
            "记录库 records   {events} 条事件，{zh}，隐患 {hazards}，人员 {users} · {}, {en}",
            counted(events, "event")
        );
    }
    if let Some(r) = &report.received {
        println!(
            "镇办 office      {} 条事件，来自 {} 个站点，待确认 {}，人员 {} · {} of {}, {} unconfirmed",
            r.events,
            r.sites,
            r.unconfirmed,
            r.users,
            counted(r.events, "event"),
            counted(r.sites, "site"),
            r.unconfirmed
        );
    }
    if let Some(c) = report.chain.as_ref().filter(|c| !c.head.is_empty()) {
        println!("哈希链 chain     {} 条完好，末条 {}，链头 head {}", c.records, c.last_seq, c.head);
    }
    if let Some(days) = &report.history {
        let sum = |of: fn(&Samples) -> u64| days.iter().map(of).sum::<u64>();
        let (blocks, samples, broken) = (sum(|d| d.blocks), sum(|d| d.samples), sum(|d| d.broken_blocks));
        println!(
            "历史 history    {} 天，{blocks} 块，{samples} 个样本，坏块 {broken} · {}, {}, {}, {broken} broken",
            days.len(),
            counted(days.len(), "day"),
            counted(blocks, "block"),
            counted(samples, "sample")
        );
    }
    for name in &report.set_aside {
        println!("以前隔离的损坏文件 set aside earlier: {name}");
    }
    for fault in report.faults.iter().take(SHOWN_MAX) {
        let colon = if fault.place.is_empty() { "" } else { ": " };
        println!("有问题 WRONG  {}{colon}{}: {}", fault.file.display(), fault.place, fault.reason);
    }
    match report.faults.len() {
        0 => println!("全部完好 · all is well"),
        n => println!(
            "{n} 处有问题：保留这些文件的副本，不要改动；换盘后从备份恢复 · {}: keep a copy of these files as they are, \
             replace the disk, restore from a backup",
            counted(n, "broken place")
        ),
    }
}
