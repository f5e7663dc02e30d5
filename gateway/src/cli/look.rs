//! What a person looks at before they act: the alarm, the point with all its alarms, the unit with its mode, or the hidden danger.
//!
//! Shows it and asks; where there is no terminal to ask at, says which number to give. Owns that number: whatever calls later is not
//! covered by it.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::asked::{Trouble, with_query};
use super::operate::{Action, path};
use super::operate_hazard::Deed;
use super::person::{Person, with_roles};
use super::{Exit, alarm_row, effect, look_hazard, no_such, nothing, screen};
use rules::RuleBook;
use serde_json::Value;
use std::io::{self, BufRead, IsTerminal, Write};

/// Alarms of a unit that are listed: they and the question fit a terminal of 24 lines.
const UNIT_ALARMS_MAX: usize = 8;

/// What an action must have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sees<'a> {
    Nothing,
    Alarm(&'a str),
    /// An alarm that calls, to be acknowledged.
    Call(&'a str),
    Point(&'a str),
    Unit(&'a str),
    Group(&'a str),
    Hazard(&'a str, Deed),
}

/// What there is to see.
pub(super) enum Shown {
    /// The lines, and the number that vouches for them.
    Stands(String, u64),
    /// It is as the action would have it: nothing is left to do, in words.
    AlreadySo(String),
}

/// What came of looking.
pub(super) enum Looked {
    /// Agreed to; the number that was seen.
    Agreed(u64),
    AlreadySo(String),
}

/// Shows it as it is and what the action does, and asks; gives the number that was seen.
pub(super) async fn look(person: &Person, what: Sees<'_>, action: &Action) -> Result<Looked, Trouble> {
    let (line, seq) = match shown(person, what, action).await? {
        Shown::Stands(line, seq) => (line, seq),
        Shown::AlreadySo(text) => return Ok(Looked::AlreadySo(text)),
    };
    if !io::stdin().is_terminal() {
        let text = format!(
            "{line}\n没有终端：核对后加 --seen-seq {seq} · no terminal: look at it, then give --seen-seq {seq}"
        );
        return Err(Trouble { text, exit: Exit::Usage });
    }
    println!("{line}");
    if agreed().unwrap_or(false) {
        return Ok(Looked::Agreed(seq));
    }
    Err(Trouble { text: "没有执行 · nothing was done".into(), exit: Exit::Usage })
}

async fn shown(person: &Person, what: Sees<'_>, action: &Action) -> Result<Shown, Trouble> {
    if let Sees::Hazard(hazard, deed) = what {
        return look_hazard::shown(person, hazard, &deed).await;
    }
    // First, so that what comes while the rest is read is not taken for seen.
    let seq = person.get("/api/v1/status").await?["seq"].as_u64().unwrap_or_default();
    let alarms = person.get("/api/v1/alarms").await?;
    let (row, behind) = match what {
        Sees::Alarm(alarm) | Sees::Call(alarm) => alarm_now(person, alarm, &alarms).await?,
        _ => (Value::Null, None),
    };
    if let Sees::Call(alarm) = what {
        must_be(|book| no_such::alarm(book, alarm), person)?;
        if row.is_null() {
            return Err(Trouble { text: nothing::to_acknowledge(person, alarm).await?, exit: Exit::Refused });
        }
        if let Some(said) = nothing::is_acknowledged(&row) {
            return Ok(Shown::AlreadySo(said));
        }
    }
    let (mut lines, seq) = standing(person, what, seq, &alarms).await?;
    if let Some(asked) = action.asked_by() {
        lines.push_str(&format!("\n{}", requester(person, asked).await?));
    }
    lines.extend(action.effect(&row, behind).map(|words| format!("\n{}", effect::line(&words))));
    Ok(Shown::Stands(lines, seq))
}

/// Its row, or null; and whether its condition is true behind its shelf, where it has one.
async fn alarm_now(person: &Person, alarm: &str, alarms: &Value) -> Result<(Value, Option<bool>), Trouble> {
    let shelves = person.get("/api/v1/shelves").await?;
    let behind = screen::rows(&shelves).find(|s| s["alarm"] == alarm).and_then(|s| s["active"].as_bool());
    Ok((screen::rows(alarms).find(|a| a["id"] == alarm).cloned().unwrap_or_default(), behind))
}

/// Who asks for a bypass, as the record will have it; a gateway that does not tell says it with its refusal or its record.
async fn requester(person: &Person, asked: &str) -> Result<String, Trouble> {
    let told = match person.get(&with_query("/api/v1/requester", [("name", asked.to_owned())].iter())).await {
        Err(trouble) if !trouble.text.ends_with("(404)") => {
            return Err(with_roles(&path(&["points", "-", "bypass"]), trouble));
        }
        told => told.unwrap_or_default(),
    };
    let name = told["recorded_as"].as_str().unwrap_or(asked);
    Ok(match told["account"].as_bool() {
        Some(true) => format!("  申请人 requested by: {name}（账号 account）"),
        Some(false) => format!(
            "  申请人 requested by: {name}（不是本网关的账号，按所填记录 · not an account here, recorded as it was typed）"
        ),
        None => format!("  申请人 requested by: {name}"),
    })
}

async fn standing(person: &Person, what: Sees<'_>, seq: u64, alarms: &Value) -> Result<(String, u64), Trouble> {
    let lines = |of: &str, name: &str| -> Vec<String> {
        alarms.as_array().into_iter().flatten().filter(|a| a[of] == name).map(alarm_row::alarm).collect()
    };
    match what {
        Sees::Nothing | Sees::Hazard(..) => Ok((String::new(), seq)),
        Sees::Alarm(alarm) | Sees::Call(alarm) => {
            let row = alarms.as_array().into_iter().flatten().find(|a| a["id"] == alarm);
            if row.is_none() {
                must_be(|book| no_such::alarm(book, alarm), person)?;
            }
            // hidden and quiet: it is in the list of shelves only, and nothing can have changed about it that calls
            let absent = || (format!("{alarm}: 不在报警列表中 · not in the list of alarms"), seq);
            Ok(row.map_or_else(absent, |row| (alarm_row::alarm(row), row["seq"].as_u64().unwrap_or_default())))
        }
        Sees::Point(point) => {
            must_be(|book| no_such::point(book, point), person)?;
            let hidden = person.get("/api/v1/bypasses").await?;
            let hidden = hidden.as_array().into_iter().flatten().filter(|b| b["point"] == point).map(screen::bypass);
            let all: Vec<String> = lines("point", point).into_iter().chain(hidden).collect();
            let quiet = || format!("{point}: 没有报警，没有旁路和停用 · no alarm, not bypassed, in service");
            Ok((if all.is_empty() { quiet() } else { all.join("\n") }, seq))
        }
        Sees::Group(group) => {
            let groups = person.get("/api/v1/groups").await?;
            let known: Vec<&str> = screen::rows(&groups["first_out"]).filter_map(|g| g["key"].as_str()).collect();
            no_such::group(&known, group).map_or(Ok(()), |text| Err(Trouble { text, exit: Exit::Usage }))?;
            let row = screen::rows(&groups["first_out"]).find(|g| g["key"] == group);
            Ok((row.map(screen::first_out).unwrap_or_default(), seq))
        }
        Sees::Unit(unit) => {
            let groups = person.get("/api/v1/groups").await?;
            let known: Vec<&str> = screen::rows(&groups["units"]).filter_map(|u| u["key"].as_str()).collect();
            no_such::unit(&known, unit).map_or(Ok(()), |text| Err(Trouble { text, exit: Exit::Usage }))?;
            let row = groups["units"].as_array().into_iter().flatten().find(|u| u["key"] == unit);
            let mode = row.and_then(|u| u["mode"].as_str()).unwrap_or("?");
            Ok((of_unit(unit, mode, alarms), seq))
        }
    }
}

/// By the rules of the file; a file with defects says nothing.
fn must_be(none: impl Fn(&RuleBook) -> Option<String>, person: &Person) -> Result<(), Trouble> {
    let said = person.book().and_then(|book| none(&book));
    said.map_or(Ok(()), |text| Err(Trouble { text, exit: Exit::Usage }))
}

/// The number that was seen stands for all alarms of the unit: how many there are, and the newest of them.
fn of_unit(unit: &str, mode: &str, alarms: &Value) -> String {
    let mut standing: Vec<&Value> = screen::rows(alarms).filter(|a| a["plant_unit"] == unit).collect();
    standing.sort_by_key(|a| std::cmp::Reverse(a["raised_utc_ms"].as_i64()));
    let unacked = standing.iter().filter(|a| !matches!(a["state"].as_str(), Some("acked" | "latched_acked"))).count();
    let count = standing.len();
    let mut lines = vec![
        format!("{unit}: 运行方式 mode {}", mode_word(mode)),
        format!("现有报警 standing alarms {count} · 未确认 unacknowledged {unacked}"),
    ];
    lines.extend(standing.iter().take(UNIT_ALARMS_MAX).map(|a| format!("  {}", alarm_row::alarm(a))));
    if let Some(more @ 1..) = count.checked_sub(UNIT_ALARMS_MAX) {
        lines.push(format!("  … 另有 {more} 条较早的，见 status · {more} earlier ones, see `status`"));
    }
    lines.join("\n")
}

/// In both languages; an unknown word is shown as it is.
pub(super) fn mode_word(mode: &str) -> String {
    let zh = match mode {
        "running" => "运行",
        "stopped" => "停车",
        "maintenance" => "检修",
        other => return other.to_owned(),
    };
    format!("{zh} {mode}")
}

fn agreed() -> io::Result<bool> {
    let mut out = io::stderr();
    write!(out, "执行吗？ go on? [y/N] ")?;
    out.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "是"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_unit_shows_the_alarms_that_its_number_vouches_for_the_newest_first() {
        let alarm = |n: u64, unit: &str, state: &str| json!({ "id": format!("GT-{n}:H"), "plant_unit": unit, "state": state, "priority": 2, "raised_utc_ms": n, "seq": n });
        let mut all: Vec<Value> = (1..=9).map(|n| alarm(n, "scrubber", "unacked")).collect();
        all.extend([alarm(10, "scrubber", "acked"), alarm(99, "other", "unacked")]);
        let shown = of_unit("scrubber", "running", &Value::Array(all));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "scrubber: 运行方式 mode 运行 running");
        assert_eq!(lines[1], "现有报警 standing alarms 10 · 未确认 unacknowledged 9");
        assert!(lines[2].starts_with("  GT-10:H") && lines[9].starts_with("  GT-3:H"), "{shown}");
        assert!(lines[10].contains("另有 2 条较早的") && !shown.contains("GT-99"), "{shown}");
        assert!(of_unit("idle", "stopped", &Value::Null).ends_with("alarms 0 · 未确认 unacknowledged 0"));
    }
}
