//! `scan`: which unit ids answer on a bus.
//!
//! One small read per id. An exception is an answer too: somebody is there.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::link::{Bar, LinkArgs, block_on, open, until_ctrl_c};
use devices::commission::{Session, Silence};
use devices::plan::Span;
use serde::Serialize;
use std::time::Duration;

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// 站号范围 · unit ids, such as 1-32 or 1,5,10-20.
    #[arg(long, value_name = "IDS", default_value = "1-247", value_parser = units)]
    units: Units,
    /// 以 JSON 输出 · the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Units(Vec<u8>);

fn units(text: &str) -> Result<Units, String> {
    let wrong = || format!("“{text}”不是站号 · is not a list of unit ids such as 1-32,40 (0 to 255)");
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |t: &str| t.trim().parse::<u8>().map_err(|_| wrong());
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(wrong());
        }
        all.extend(first..=last);
    }
    all.sort_unstable();
    all.dedup();
    Ok(Units(all))
}

#[derive(Debug, Serialize)]
struct Report {
    link: String,
    /// False when a person stopped the scan.
    complete: bool,
    asked: usize,
    units: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    unit: u8,
    /// `data`, `exception` or `damaged`.
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<u8>,
    /// Contents of holding register 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    word: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<f64>,
}

/// So many ids in a row on which the link breaks are a link that is down.
const LOST_IN_A_ROW: u32 = 3;

/// The command.
pub(super) fn main(args: &ScanArgs) -> Exit {
    block_on(run(args))
}

async fn run(args: &ScanArgs) -> Result<Exit, Exit> {
    let (transport, name) = args.link.transport()?;
    let mut session = open(&transport, &name).await?;
    let mut report = Report { link: name, complete: false, asked: 0, units: Vec::new() };
    let ids = &args.units.0;
    if !args.json {
        println!(
            "扫描 {}：{} 个站号，每个最多等 {} ms · scanning {} unit ids, at most {} ms each",
            report.link,
            ids.len(),
            args.link.wait().as_millis(),
            ids.len(),
            args.link.wait().as_millis()
        );
    }
    let mut bar = Bar::new(ids.len(), args.json);
    let ended = until_ctrl_c(look(&mut session, ids, args.link.wait(), &mut report, &mut bar)).await;
    bar.clear();
    report.complete = matches!(ended, Some(Ok(())));
    say(&report, args.json);
    if let Some(Err(why)) = ended {
        eprintln!("链路中断，已停止：{why} · the link failed again and again, stopped: {why}");
        return Err(Exit::Io);
    }
    Ok(if report.units.is_empty() && report.complete { Exit::Found } else { Exit::Ok })
}

async fn look(
    session: &mut Session,
    ids: &[u8],
    wait: Duration,
    report: &mut Report,
    bar: &mut Bar,
) -> Result<(), Silence> {
    let mut lost_in_a_row = 0;
    for unit in ids {
        bar.at(report.asked, &format!("站号 unit {unit}，已找到 found {}", report.units.len()));
        match ask(session, *unit, wait).await {
            Ok(found) => {
                report.units.extend(found);
                lost_in_a_row = 0;
            }
            // a converter that closes the link on an id it does not like says nothing of the next one
            Err(_) if lost_in_a_row + 1 < LOST_IN_A_ROW => lost_in_a_row += 1,
            Err(lost) => return Err(lost),
        }
        report.asked += 1;
    }
    Ok(())
}

async fn ask(session: &mut Session, unit: u8, wait: Duration) -> Result<Option<Found>, Silence> {
    let found = |answer, exception, word, ms| Some(Found { unit, answer, exception, word, ms });
    Ok(match session.ask(unit, Span { function: 3, address: 0, count: 1 }, wait).await {
        Ok((words, took)) => found("data", None, words.first().copied(), Some(took.as_secs_f64() * 1000.0)),
        // the converter answers for a unit that is not there
        Err(Silence::Exception(0x0A | 0x0B) | Silence::Timeout) => None,
        Err(Silence::Exception(code)) => found("exception", Some(code), None, None),
        Err(Silence::Damaged) => found("damaged", None, None, None),
        Err(lost @ Silence::Link(_)) => return Err(lost),
    })
}

fn say(report: &Report, json: bool) {
    if json {
        println!("{}", serde_json::to_string_pretty(report).expect("numbers and texts only"));
        return;
    }
    for unit in &report.units {
        let what = match (unit.word, unit.exception) {
            (Some(word), _) => format!("{:6.1} ms  寄存器 0 = 0x{word:04X} · register 0", unit.ms.unwrap_or(0.0)),
            (_, Some(code)) => format!("在线，拒绝读寄存器 0（异常 {code}）· is there, refuses register 0 (exception {code})"),
            _ => "应答损坏：两台仪表同一站号，或波特率、校验位不符 · damaged answer: two instruments with this id, or wrong baud rate or parity"
                .to_owned(),
        };
        println!("  站号 unit {:3}  {what}", unit.unit);
    }
    let same = report.units.len() > 8 && report.units.len() == report.asked;
    if same {
        println!("每个站号都应答：这台 TCP 仪表不看站号 · every id answers: this TCP instrument ignores the unit id");
    }
    let (found, asked) = (report.units.len(), report.asked);
    if report.complete {
        println!("完成：{asked} 个站号中有 {found} 个应答 · done: {found} of {asked} unit ids answer");
    } else {
        println!("已停止：查了 {asked} 个，有 {found} 个应答 · stopped: {asked} asked, {found} answer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_unit_ids_are_read_and_nonsense_is_refused() {
        assert_eq!(units("1-3,2,10"), Ok(Units(vec![1, 2, 3, 10])));
        assert_eq!(units("0-255").unwrap().0.len(), 256);
        for wrong in ["", "3-1", "256", "a", "1-", "1--2"] {
            assert!(units(wrong).is_err(), "{wrong}");
        }
    }
}
