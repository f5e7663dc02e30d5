//! The book of a case: the common set-up of the specification, changed by `book.toml`.

use rules::BookParts;
use rules::book::{
    Call, Condition, Device, FirstOutGroup, Mode, ModeRule, PlantUnit, Point, PointKind, Reference, Rule, Suppression,
    Suppressor, UnknownVote, Vote,
};
use std::collections::BTreeSet;
use std::time::Duration;
use toml::{Table, Value};

fn seconds(t: &Table, key: &str, default: f64) -> Duration {
    Duration::from_secs_f64(number(t, key, default))
}
fn number(t: &Table, key: &str, default: f64) -> f64 {
    match t.get(key) {
        Some(Value::Float(f)) => *f,
        Some(Value::Integer(i)) => *i as f64,
        _ => default,
    }
}
fn text(t: &Table, key: &str) -> String {
    t.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
fn flag(t: &Table, key: &str) -> bool {
    t.get(key).and_then(Value::as_bool).unwrap_or(false)
}
fn list(t: &Table, key: &str) -> Vec<String> {
    let of = |v: &Value| v.as_str().map(str::to_owned);
    t.get(key).and_then(Value::as_array).map(|a| a.iter().filter_map(of).collect()).unwrap_or_default()
}
fn tables<'a>(t: &'a Table, key: &str) -> Vec<&'a Table> {
    t.get(key).and_then(Value::as_array).map(|a| a.iter().filter_map(Value::as_table).collect()).unwrap_or_default()
}

/// `sound = true`: the case also tells what is to be heard.
pub(crate) fn tells_sound(book: &str) -> bool {
    book.parse().is_ok_and(|t: Table| flag(&t, "sound"))
}

pub(crate) fn parts(name: &str, book: &str, _input: &str) -> BookParts {
    let t: Table = book.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut rules: Vec<Rule> = tables(&t, "rule").into_iter().map(rule).collect();
    if rules.is_empty() {
        let latch = flag(&t, "latch_hh");
        for (word, limit, priority) in [("HH", 50.0, 1), ("H", 25.0, 2)] {
            let mut r = Table::new();
            r.insert("condition".into(), word.into());
            r.insert("limit".into(), limit.into());
            r.insert("priority".into(), priority.into());
            for key in ["on", "off", "deadband"] {
                if let Some(v) = t.get(key) {
                    r.insert(key.into(), v.clone());
                }
            }
            r.insert("latch".into(), (latch && word == "HH").into());
            rules.push(rule(&r));
        }
    }
    let states = list(&t, "states");
    let mut tags: BTreeSet<String> = rules.iter().map(|r| r.point.to_string()).collect();
    tags.extend(states.iter().cloned());
    tags.extend(list(&t, "points"));
    let period = seconds(&t, "poll_s", 1.0);
    let point = |key: &String| Point {
        key: key.into(),
        name: "测点".into(),
        name_en: "point".into(),
        area: if list(&t, "in_b").contains(key) { "B".into() } else { "A".into() },
        device: "d1".into(),
        kind: match flag(&t, "gas") {
            _ if states.contains(key) => PointKind::State,
            true => PointKind::Gas,
            false => PointKind::Other,
        },
        unit: "%LEL".into(),
        range: (0.0, 100.0),
        decimals: 1,
        period,
        fast_period: None,
        max_age: seconds(&t, "stale_s", 3.0),
        position: None,
        substance: None,
        limits_by: rules::book::LimitsBy::default(),
        computed: list(&t, "computed").contains(key),
    };
    let mut parts = BookParts {
        devices: vec![Device {
            key: "d1".into(),
            name: "控制器".into(),
            area: "A".into(),
            comms_timeout: seconds(&t, "comms_timeout_s", 5.0),
            priority: 2,
        }],
        points: tags.iter().map(point).collect(),
        rules,
        ..BookParts::default()
    };
    groups(&t, &mut parts);
    parts
}

fn rule(t: &Table) -> Rule {
    let (limit, deadband) = (number(t, "limit", 25.0), number(t, "deadband", 2.0));
    let window = seconds(t, "window", 60.0);
    let condition = match text(t, "condition").as_str() {
        "HH" => Condition::HighHigh { limit, deadband },
        "L" => Condition::Low { limit, deadband },
        "LL" => Condition::LowLow { limit, deadband },
        "ROC+" => Condition::Rising { limit_per_min: limit, window },
        "ROC-" => Condition::Falling { limit_per_min: limit, window },
        "DEV" => {
            let from = text(t, "from");
            let reference =
                if from.is_empty() { Reference::Setpoint(number(t, "setpoint", 0.0)) } else { Reference::Point(from) };
            Condition::Deviation { reference, limit, deadband }
        }
        "STUCK" => Condition::Stuck { epsilon: number(t, "epsilon", 0.1), window },
        "DEVICE_FROZEN" => Condition::Frozen { period: seconds(t, "period", 2.0) },
        "DISCRETE" => Condition::Discrete { alarm_state: true },
        "SENSOR_FAULT" => Condition::SensorFault,
        _ => Condition::High { limit, deadband },
    };
    let point = text(t, "point");
    Rule {
        point: if point.is_empty() { "GT-101".into() } else { point.into() },
        condition,
        priority: number(t, "priority", 2.0) as u8,
        on_delay: seconds(t, "on", 3.0),
        off_delay: seconds(t, "off", 10.0),
        latching: flag(t, "latch"),
        by_mode: [("stopped", Mode::Stopped), ("maintenance", Mode::Maintenance)]
            .into_iter()
            .filter_map(|(word, mode)| t.get(word).map(|v| (mode, mode_rule(v))))
            .collect(),
        cause: "泄漏".into(),
        consequence: "爆炸".into(),
        action: "现场核实".into(),
        action_en: "verify".into(),
    }
}

fn mode_rule(v: &Value) -> ModeRule {
    match v {
        Value::Float(f) => ModeRule::Limit(*f),
        Value::Integer(i) => ModeRule::Limit(*i as f64),
        _ => ModeRule::Suppressed,
    }
}

fn call(t: &Table) -> Call {
    let priorities = t.get("priorities").and_then(Value::as_array).into_iter().flatten();
    Call {
        level: number(t, "level", 1.0) as u8,
        priorities: priorities.filter_map(Value::as_integer).map(|p| p as u8).collect(),
        areas: list(t, "areas"),
        post: text(t, "post"),
        post_en: String::new(),
    }
}

fn groups(t: &Table, parts: &mut BookParts) {
    parts.calls = tables(t, "call").into_iter().map(call).collect();
    parts.votes = tables(t, "vote").into_iter().map(vote).collect();
    parts.first_out = tables(t, "first_out")
        .into_iter()
        .map(|g| FirstOutGroup {
            key: text(g, "key"),
            name: String::new(),
            name_en: String::new(),
            alarms: list(g, "alarms"),
        })
        .collect();
    parts.plant_units = tables(t, "unit")
        .into_iter()
        .map(|u| PlantUnit {
            key: text(u, "key"),
            name: String::new(),
            name_en: String::new(),
            running_point: u.get("running_point").and_then(Value::as_str).map(str::to_owned),
            points: list(u, "points"),
        })
        .collect();
    parts.suppressions = tables(t, "suppression")
        .into_iter()
        .map(|s| Suppression {
            key: text(s, "key"),
            name: String::new(),
            name_en: String::new(),
            when: match text(s, "alarm").as_str() {
                "" => Suppressor::State { point: text(s, "point"), is: flag(s, "is") },
                key => Suppressor::Alarm(key.to_owned()),
            },
            alarms: list(s, "alarms"),
            release_delay: seconds(s, "release", 0.0),
            max: seconds(s, "max", 3600.0),
        })
        .collect();
}

fn vote(v: &Table) -> Vote {
    Vote {
        key: text(v, "key"),
        name: String::new(),
        name_en: String::new(),
        area: "A".into(),
        members: list(v, "members"),
        needed: number(v, "needed", 2.0) as u8,
        unknown: match text(v, "unknown").as_str() {
            "vote_alarm" => UnknownVote::VoteAlarm,
            "vote_normal" => UnknownVote::VoteNormal,
            _ => UnknownVote::Degrade,
        },
        bypassed_max: 1,
        priority: 1,
        second_approver: Some("second".into()),
        cause: "泄漏".into(),
        consequence: "爆炸".into(),
        action: "撤离".into(),
        action_en: "leave".into(),
    }
}
