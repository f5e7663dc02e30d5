//! `scan`: which unit ids answer on a bus.
//!
//! One small read per id, and a second one by another function where the first stays silent: some instruments answer only to what
//! they have. An exception is an answer too: somebody is there.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::link::{Address, Bar, LinkArgs, address, block_on, open, until_ctrl_c};
use crate::text::counted;
use devices::commission::{Instrument, Session, Silence};
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
    /// 功能码：1 线圈、2 离散输入、3 保持寄存器、4 输入寄存器；不写则先问 3，无应答再问 4 · function; by default 3, then 4 where nothing answers.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    function: Option<u8>,
    /// 地址 · from 0: 17, 0x6001, 6001H; or the reference 40018, 30001.
    #[arg(long, value_parser = address, default_value = "0")]
    address: Address,
    /// 以 JSON 输出 · the result as JSON.
    #[arg(long)]
    json: bool,
}

impl ScanArgs {
    /// What every id is asked, one after the other until it answers.
    fn questions(&self) -> Vec<Span> {
        let functions = self.function.or(self.address.0).map_or_else(|| vec![3, 4], |function| vec![function]);
        functions.into_iter().map(|function| Span { function, address: self.address.1, count: 1 }).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Units(Vec<u8>);

fn units(text: &str) -> Result<Units, String> {
    let wrong = || {
        format!(
            "“{text}”不是站号：写 0 到 255 的站号，如 1-32,40 · is not a list of unit ids such as 1-32,40 (0 to 255)"
        )
    };
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
    /// Of the one register or bit that was asked for.
    address: u16,
    units: Vec<Found>,
    /// Answers that came after their time, or from another id than was asked.
    late_answers: u64,
}

#[derive(Debug, Serialize)]
struct Found {
    unit: u8,
    /// The one it answered to.
    function: u8,
    /// `data`, `exception` or `damaged`.
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<u8>,
    /// Contents of the register; of a bit 0 or 1.
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
    args.address.fits(args.function)?;
    let (transport, name) = args.link.transport()?;
    let mut session = open(&transport, &name).await?;
    let (ids, wait, questions) = (&args.units.0, args.link.wait(), args.questions());
    let mut report =
        Report { link: name, complete: false, asked: 0, address: args.address.1, units: Vec::new(), late_answers: 0 };
    if !args.json {
        announce(&report.link, ids.len(), &questions, wait);
    }
    let mut bar = Bar::new(ids.len(), args.json);
    let ended = until_ctrl_c(look(&mut session, (ids, &questions), wait, &mut report, &mut bar)).await;
    bar.clear();
    report.complete = matches!(ended, Some(Ok(())));
    report.late_answers = session.late_answers();
    say(&report, wait, args.json);
    if let Some(Err(why)) = ended {
        eprintln!("链路中断，已停止：{why} · the link failed again and again, stopped: {why}");
        return Err(Exit::Io);
    }
    Ok(if report.units.is_empty() && report.complete { Exit::Found } else { Exit::Ok })
}

fn announce(link: &str, ids: usize, questions: &[Span], wait: Duration) {
    let functions: Vec<String> = questions.iter().map(|span| format!("{:02}", span.function)).collect();
    let (ms, address) = (wait.as_millis(), questions.first().map_or(0, |span| span.address));
    println!(
        "扫描 {link}：{ids} 个站号，功能 {0}，地址 {address}，每问最多等 {ms} ms · scanning {2} by function {1}, address {address}, at \
         most {ms} ms a question",
        functions.join("、"),
        functions.join(", then "),
        counted(ids, "unit id")
    );
}

async fn look(
    session: &mut Session,
    (ids, questions): (&[u8], &[Span]),
    wait: Duration,
    report: &mut Report,
    bar: &mut Bar,
) -> Result<(), Silence> {
    let mut lost_in_a_row = 0;
    for unit in ids {
        bar.at(report.asked, &format!("站号 unit {unit}，已找到 found {}", report.units.len()));
        match ask(session, *unit, questions, wait).await {
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
    // the last ids may be late as well
    if report.units.last().map(|found| found.unit) != ids.last().copied() {
        session.listen(wait).await;
    }
    session.hear_out().await;
    Ok(())
}

/// Asks one id until it answers.
async fn ask(session: &mut Session, unit: u8, questions: &[Span], wait: Duration) -> Result<Option<Found>, Silence> {
    for span in questions {
        let found = |answer, exception, word, ms| Found { unit, function: span.function, answer, exception, word, ms };
        return Ok(Some(match session.ask(&Instrument::unknown(unit), *span, wait).await {
            Ok((words, took)) => found("data", None, words.first().copied(), Some(took.as_secs_f64() * 1000.0)),
            // a gateway's word for a silent target: some are silent to what they do not have
            Err(Silence::Timeout | Silence::Ambiguous | Silence::Exception(0x0B)) => continue,
            // there is no way to it: the gateway answers for a unit that is not there
            Err(Silence::Exception(0x0A)) => return Ok(None),
            Err(Silence::Exception(code)) => found("exception", Some(code), None, None),
            Err(Silence::Damaged) => found("damaged", None, None, None),
            Err(lost @ Silence::Link(_)) => return Err(lost),
        }));
    }
    Ok(None)
}

fn say(report: &Report, wait: Duration, json: bool) {
    if json {
        println!("{}", serde_json::to_string_pretty(report).expect("numbers and texts only"));
        return;
    }
    for unit in &report.units {
        println!("  站号 unit {:3}  {}", unit.unit, said(unit, report.address));
    }
    let same = report.units.len() > 8 && report.units.len() == report.asked;
    if same {
        println!("每个站号都应答：这台 TCP 仪表不看站号 · every id answers: this TCP instrument ignores the unit id");
    }
    let (found, asked, late) = (report.units.len(), report.asked, report.late_answers);
    if late > 0 {
        let longer = wait.as_millis() * 2;
        println!(
            "{late} 个应答迟到或来自别的站号，未算在内：用 --timeout-ms {longer} 再扫一次，并确认线上没有别的主站 · {}, or of \
             another id than was asked, not counted: scan again with --timeout-ms {longer}, with no other master on the line",
            counted(late, "late answer")
        );
    }
    if report.complete {
        println!("完成：{asked} 个站号中有 {found} 个应答 · done: {found} of {} answered", counted(asked, "unit id"));
    } else {
        println!("已停止：查了 {asked} 个，有 {found} 个应答 · stopped: {asked} asked, {found} answered");
    }
}

/// What one id answered, and by which function.
fn said(unit: &Found, address: u16) -> String {
    let function = format!("{:02}", unit.function);
    let bit = unit.function <= 2;
    match (unit.word, unit.exception) {
        (Some(word), _) if bit => {
            format!(
                "{:6.1} ms  功能 {function} 位 {address} = {word} · function {function}, bit {address}",
                unit.ms.unwrap_or(0.0)
            )
        }
        (Some(word), _) => format!(
            "{:6.1} ms  功能 {function} 寄存器 {address} = 0x{word:04X} · function {function}, register {address}",
            unit.ms.unwrap_or(0.0)
        ),
        (_, Some(code)) => format!(
            "在线，拒绝功能 {function} 地址 {address}（异常 {code}）· is there, refuses function {function}, address {address} (exception {code})"
        ),
        _ => format!(
            "对功能 {function} 的应答损坏：两台仪表同一站号，或波特率、校验位不符 · damaged answer to function {function}: two instruments with this \
             id, or wrong baud rate or parity"
        ),
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
