//! The lines of `input.txt`.

use rules::book::Mode;
use rules::{Command, Doubt, Fault, Finite, Reading, ShelfKind, SystemCondition};
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Read(String, Reading),
    Silent,
    /// The book of `next.toml` is in force.
    Config,
    System(SystemCondition, bool),
    Wall(i64),
    /// User, command, how many events behind the newest their screen is.
    Command(String, Command, u64),
    /// `config`: with the book of `next.toml`.
    Start {
        other_boot: bool,
        unsynced: bool,
        config: bool,
    },
    End,
}

fn ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// Deeds in order of time; within an instant readings come first.
pub(crate) fn parse(name: &str, input: &str, period: Duration) -> Vec<(u64, Deed)> {
    let mut deeds = Vec::new();
    for line in input.lines().map(|l| l.split('#').next().unwrap().trim()).filter(|l| !l.is_empty()) {
        let (when, what) = line.split_once(' ').unwrap_or_else(|| panic!("{name}: {line}"));
        let (from, to) = when.split_once("..").unwrap_or((when, when));
        let at = |text: &str| ns(text.parse().unwrap_or_else(|_| panic!("{name}: {line}")));
        let (mut t, end) = (at(from), at(to));
        let step = u64::try_from(period.as_nanos()).unwrap();
        while t <= end {
            for part in what.split(',') {
                let words: Vec<&str> = part.split_whitespace().collect();
                deeds.push((t, deed(name, &words)));
            }
            t += step;
        }
    }
    deeds.sort_by_key(|(t, d)| (*t, !matches!(d, Deed::Start { .. }), matches!(d, Deed::Command(..) | Deed::End)));
    deeds
}

fn deed(name: &str, words: &[&str]) -> Deed {
    let number = |k: usize| -> u64 { words.get(k).and_then(|w| w.parse().ok()).unwrap_or(0) };
    let text = |k: usize| (*words.get(k).unwrap_or(&"")).to_owned();
    let back = words.iter().position(|w| *w == "behind").map_or(0, |k| number(k + 1));
    let user = words.iter().position(|w| *w == "by").map_or("olga".to_owned(), |k| text(k + 1));
    let reason = "标定试验原因".to_owned();
    let given = if words.contains(&"noreason") { String::new() } else { reason.clone() };
    let command = match words[0] {
        "silent" => return Deed::Silent,
        "end" => return Deed::End,
        "config" => return Deed::Config,
        "system" => {
            let known = SystemCondition::ALL.into_iter().find(|c| c.code() == words[1]);
            return Deed::System(known.unwrap_or_else(|| panic!("{name}: {words:?}")), words[2] == "on");
        }
        "silence" => Command::Silence { seen_seq: Some(0) },
        "wall" => return Deed::Wall(words[1].parse::<i64>().unwrap() * 1000),
        "start" => {
            let said = |word: &str| words.contains(&word);
            return Deed::Start { other_boot: said("other_boot"), unsynced: said("unsynced"), config: said("config") };
        }
        "ack" => Command::Acknowledge { alarm: text(1), seen_seq: 0, comment: String::new() },
        "shelve" => Command::Shelve {
            alarm: text(1),
            seen_seq: 0,
            kind: if words.contains(&"one_shot") { ShelfKind::OneShot } else { ShelfKind::Timed },
            duration_s: number(2),
            reason: given,
        },
        "unshelve" => Command::Unshelve { alarm: text(1), seen_seq: 0, reason: String::new() },
        "reset" => Command::ResetLatch { alarm: text(1), seen_seq: 0, reason },
        "bypass" => Command::Bypass {
            point: text(1),
            seen_seq: 0,
            permit: words.iter().find(|w| w.starts_with("PTW")).map_or("PTW-7", |w| w).to_owned(),
            reason,
            requested_by: "ivan".into(),
            no_account: false,
            duration_s: number(2),
            compensation: "便携仪每十分钟巡检".into(),
        },
        "end_bypass" => Command::EndBypass { point: text(1), seen_seq: 0, reason: given },
        "oos" => Command::OutOfService { point: text(1), seen_seq: 0, work_order: "WO-1".into(), reason },
        "in_service" => Command::ReturnToService { point: text(1), seen_seq: 0, reason: given },
        "first_out_reset" => Command::ResetFirstOut { group: text(1), seen_seq: Some(0), reason: String::new() },
        "mode" => Command::SetMode { unit: text(1), seen_seq: 0, mode: mode(words[2]), reason },
        _ => return Deed::Read(text(0), reading(name, &words[1..])),
    };
    Deed::Command(user, command, back)
}

fn mode(word: &str) -> Mode {
    match word {
        "stopped" => Mode::Stopped,
        "maintenance" => Mode::Maintenance,
        _ => Mode::Running,
    }
}

fn reading(name: &str, words: &[&str]) -> Reading {
    match words {
        ["bad", fault] => Reading::Bad(match *fault {
            "sensor" => Fault::Sensor,
            "warm_up" => Fault::WarmUp,
            "inhibited" => Fault::Inhibited,
            "timeout" => Fault::Timeout,
            "unreachable" => Fault::Exception(0x0B),
            other => panic!("{name}: fault {other}"),
        }),
        [doubt @ ("uncertain" | "unconfirmed" | "simulated"), v] => {
            let doubt = match *doubt {
                "unconfirmed" => Doubt::Unconfirmed,
                "simulated" => Doubt::Simulated,
                _ => Doubt::OverRange,
            };
            Reading::Uncertain(Finite::new(v.parse().unwrap()).unwrap(), doubt)
        }
        [v] => super::good(v.parse().unwrap_or_else(|_| panic!("{name}: value {v}"))),
        other => panic!("{name}: {other:?}"),
    }
}
