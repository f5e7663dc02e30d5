//! `replay` and `kpi` over a data folder that a real core has written under virtual time.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use devices::{BusMessage, Scan};
use gateway::config::{Site as Checked, load_site};
use gateway::core::{CoreParts, Nearness, NewRules, start};
use gateway::reload::Asker;
use gateway::store::{OpenOptions, Store, Workers};
use rules::{Actor, Clock, Command, Fault, Finite, Mono, Now, Reading, Sample, Wall};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use support::{Site, hazard_gateway};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// 2026-03-01T23:50Z: the quarter of an hour passes midnight.
const WALL_AT_START_MS: i64 = 1_772_409_000_000;

struct Virtual(Instant, u64);

impl Clock for Virtual {
    fn now(&self) -> Now {
        let elapsed = self.0.elapsed();
        let utc_ms =
            WALL_AT_START_MS + i64::try_from(self.1 * 1000).unwrap() + i64::try_from(elapsed.as_millis()).unwrap();
        let mono = Mono(u64::try_from(elapsed.as_nanos()).unwrap() + (self.1 + 1) * 1_000_000_000);
        Now { mono, wall: Wall::synced(utc_ms) }
    }
}

/// What the instrument says in a second; none: it does not answer.
type Signal = fn(u64) -> Option<f64>;

/// One run of the gateway's core from a second of the story to another, with a clean stop.
fn run(site: &Checked, from_s: u64, to_s: u64, signal: Signal) {
    play(site, from_s, to_s, signal, End::InOrder, None);
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    InOrder,
    Killed,
}

/// `change`: from that second on another configuration, without a stop.
fn play(site: &Checked, from_s: u64, to_s: u64, signal: Signal, end: End, change: Option<(u64, &Checked)>) {
    play_all(site, from_s, to_s, &[("DET-101", "GT-101", signal)], end, change);
}

/// What the points of several devices say, each device scanned once a second.
fn play_all(
    site: &Checked,
    from_s: u64,
    to_s: u64,
    signals: &[(&str, &str, Signal)],
    end: End,
    change: Option<(u64, &Checked)>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(Virtual(Instant::now(), from_s));
        let options = OpenOptions {
            points: site.book.points().iter().map(|p| p.key.clone()).collect(),
            commit_interval: Duration::from_secs(1),
            max_bytes: 1 << 30,
            now_label: "now".into(),
            kernel_boot_id: "one".into(),
            clock: clock.clone(),
            workers: Workers::Inline,
        };
        let (store, found) = Store::open(&site.data_dir, options).unwrap();
        let (scans, inbox) = tokio::sync::mpsc::channel(256);
        let stop = CancellationToken::new();
        let parts = CoreParts {
            book: site.book.clone(),
            site: site.view.clone(),
            store,
            found,
            clock: clock.clone(),
            boot_id: format!("run-{from_s}"),
            asker: Asker::Start,
            buses: Vec::new(),
            uplink: false,
            influx: false,
            annunciator: None,
            scans: inbox,
            progress: Arc::default(),
            nearness: Nearness::of(&site.book, &site.buses, &site.derived),
            derived: gateway::core::Derived::of(&site.book, site.derived.clone()),
        };
        let (core, task) = start(parts, stop.clone());
        let li = Actor { user: "li".into(), role: "operator".into(), terminal: String::new() };
        let mut turn = tokio::time::interval(Duration::from_secs(1));
        turn.tick().await;
        for second in from_s..to_s {
            turn.tick().await;
            for (n, (device, point, signal)) in signals.iter().enumerate() {
                if n > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let (at, answer) = (clock.now(), signal(second));
                let (device, point) = (site.book.device_id(device).unwrap(), site.book.point_id(point).unwrap());
                let good = |v| Reading::Good(Finite::new(v).unwrap());
                let reading = answer.map_or(Reading::Bad(Fault::Timeout), good);
                let samples = vec![Sample { point, reading, raw: rules::Raw::NONE, at }];
                let scan = Scan { device, answered: answer.is_some(), samples, ends_cycle: true, at };
                scans.send(BusMessage::Scan(scan)).await.unwrap();
            }
            if let Some((_, next)) = change.filter(|(at, _)| *at == second) {
                let new = NewRules::of(next, Asker::Signal);
                assert!(core.change(new).await);
            }
            if second % 60 == 45 {
                for alarm in core.snapshot().alarms.iter().filter(|a| a.state.contains("unacked")) {
                    let alarm = Command::Acknowledge {
                        alarm: alarm.id.clone(),
                        seen_seq: core.snapshot().seq,
                        comment: "去现场".into(),
                    };
                    let _ = core.command(alarm, li.clone(), None).await;
                }
            }
        }
        if end == End::Killed {
            return task.abort();
        }
        stop.cancel();
        drop(scans);
        task.await.unwrap();
    });
}

/// A leak, a value that trembles at its limit, a silent instrument, an alarm across a restart, a spike.
fn story(second: u64) -> Option<f64> {
    let tremble = ((second * 7919) % 11) as f64 / 10.0 - 0.5;
    match second {
        40..70 => Some(26.0),
        70..95 => Some(55.0),
        120..150 if second.is_multiple_of(6) => Some(22.0),
        120..150 => Some(25.5),
        200..240 => None,
        290..340 => Some(30.0),
        400..402 => Some(40.0),
        _ => Some(10.0 + tremble),
    }
}

/// A site whose gateway ran for a quarter of an hour, with one restart.
fn recorded() -> Site {
    let site = Site::minimal();
    let (checked, _) = load_site(&site.file()).unwrap();
    run(&checked, 0, 300, story);
    run(&checked, 312, 900, story);
    site
}

fn json(site: &Site, arguments: &[&str]) -> (i32, Value) {
    let ended = hazard_gateway(site, arguments, "");
    let value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    (ended.code, value)
}

fn other(site: &Site, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(site.file()).unwrap();
    assert!(text.contains(from));
    let file = site.folder().join(format!("{}.toml", to.replace([' ', '='], "")));
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    file.display().to_string()
}

#[test]
fn what_the_journal_says_comes_out_of_the_samples_again() {
    let site = recorded();
    let (code, found) = json(&site, &["replay", "--json"]);
    let c = &found["comparison"];
    assert_eq!(c["differences"], Value::Array(Vec::new()), "{c:#}");
    assert!(c["recorded"].as_u64().unwrap() >= 25, "{c:#}");
    assert_eq!((code, &c["matched"], &found["refused"]), (0, &c["recorded"], &Value::Array(Vec::new())));
    assert_eq!(found["samples"], 888);
    // A part of it, beginning in the middle of the leak.
    let (code, part) =
        json(&site, &["replay", "--json", "--from", "2026-03-01T23:51:20Z", "--to", "2026-03-02T00:00:30Z"]);
    assert_eq!((code, &part["comparison"]["differences"]), (0, &Value::Array(Vec::new())), "{:#}", part["comparison"]);
    assert!(part["comparison"]["recorded"].as_u64() < c["recorded"].as_u64());
}

const SECOND_DEVICE: &str = r#"
[[device]]
key = "DET-102"
link = "bus-a"
unit = 12
profile = "gas-module-b"
area = "A1"

[[point]]
key = "GT-102"
name = "氨气浓度二"
name_en = "Ammonia 2"
device = "DET-102"
field = "concentration"
kind = "other"
range = [0, 100]

[[point]]
key = "SUM"
name = "两台之和"
name_en = "both together"
expression = "{GT-101} + {GT-102}"
kind = "other"
range = [0, 200]
"#;

#[test]
fn a_value_computed_from_two_devices_lets_neither_look_alive_in_a_replay() {
    let site = Site::minimal();
    let text = std::fs::read_to_string(site.file()).unwrap();
    std::fs::write(site.file(), text + SECOND_DEVICE).unwrap();
    let (checked, _) = load_site(&site.file()).unwrap();
    let one: Signal = |second| Some(10.0).filter(|_| !(60..120).contains(&second));
    let two: Signal = |second| Some(20.0).filter(|_| !(100..150).contains(&second));
    play_all(&checked, 0, 300, &[("DET-101", "GT-101", one), ("DET-102", "GT-102", two)], End::InOrder, None);
    let conn = rusqlite::Connection::open(site.data().join("records.db")).unwrap();
    let lost = "SELECT kind || ' ' || json_extract(json, '$.fact.device') FROM event \
                WHERE json LIKE '%COMMS_LOSS%' AND kind IN ('alarm.raised', 'alarm.returned') ORDER BY seq";
    let mut query = conn.prepare(lost).unwrap();
    let story: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let live = ["raised DET-101", "raised DET-102", "returned DET-101", "returned DET-102"];
    assert_eq!(story, live.map(|line| format!("alarm.{line}")));
    let (code, found) = json(&site, &["replay", "--json"]);
    assert_eq!((code, &found["comparison"]["differences"]), (0, &Value::Array(Vec::new())), "{found:#}");
}

#[test]
fn an_end_without_a_stop_is_an_alarm_for_ten_minutes_and_comes_out_of_a_replay_too() {
    let site = Site::minimal();
    let (checked, _) = load_site(&site.file()).unwrap();
    play(&checked, 0, 30, story, End::Killed, None);
    play(&checked, 37, 700, |_| Some(10.0), End::InOrder, None);
    let conn = rusqlite::Connection::open(site.data().join("records.db")).unwrap();
    let own = "SELECT kind || ' ' || ((json_extract(json, '$.at.wall.utc_ms') - ?1) / 1000) FROM event \
               WHERE json_extract(json, '$.fact.alarm') = 'system:unclean_end' ORDER BY seq";
    let mut query = conn.prepare(own).unwrap();
    let story: Vec<String> =
        query.query_map([WALL_AT_START_MS], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
    let acked = ["alarm.raised 37", "alarm.acked 46", "alarm.returned 637", "alarm.cleared 637"];
    assert_eq!(story, acked);
    let (code, found) = json(&site, &["replay", "--json"]);
    assert_eq!((code, &found["comparison"]["differences"]), (0, &Value::Array(Vec::new())), "{found:#}");
}

/// Twenty minutes with two live changes, a restart between them and an edit while it was down: the limit is 25, 24, 26, 28.
fn recorded_over_changes() -> Site {
    let site = Site::minimal();
    let of = |limit: &str| {
        let file = other(&site, "limit = 25", &format!("limit = {limit}"));
        load_site(std::path::Path::new(&file)).unwrap().0
    };
    let (first, lower, higher, last) = (load_site(&site.file()).unwrap().0, of("24"), of("26"), of("28"));
    // at 24.5 it is an alarm of the second configuration only, at 27 one of all but the last
    let story: Signal = |second| match second {
        20..80 | 100..170 => Some(24.5),
        200..260 | 400..450 => Some(27.0),
        1200..1230 => Some(28.2),
        _ => Some(10.0 + ((second * 7919) % 11) as f64 / 10.0),
    };
    play(&first, 0, 130, story, End::InOrder, Some((50, &lower)));
    play(&lower, 135, 300, story, End::InOrder, Some((230, &higher)));
    play(&last, 320, 1300, story, End::InOrder, None);
    std::fs::copy(site.folder().join("limit28.toml"), site.file()).unwrap();
    site
}

#[test]
fn each_time_is_played_with_the_rules_that_were_in_force() {
    let site = recorded_over_changes();
    let whole = |found: &Value| {
        let c = &found["comparison"];
        assert_eq!(c["differences"], Value::Array(Vec::new()), "{c:#}");
        assert_eq!(c["matched"], c["recorded"]);
        c["recorded"].as_u64().unwrap()
    };
    let (code, found) = json(&site, &["replay", "--json"]);
    let raised = |found: &Value| found["present"]["alarms"].as_u64().unwrap();
    assert!(whole(&found) >= 10);
    assert_eq!((code, raised(&found)), (0, 4), "{:#}", found["present"]["top"]);
    let on_file = found["revisions"].as_array().unwrap().iter().filter(|r| r["on_file"] == true).count();
    assert_eq!((on_file, &found["books_dropped"]), (6, &Value::from(0)), "{:#}", found["revisions"]);
    // from in between, so that the state at its beginning rests on a change before it
    let (code, part) = json(&site, &["replay", "--json", "--from", "2026-03-02T00:08:00Z"]);
    assert!(code == 0 && whole(&part) < whole(&found));
    assert_eq!(part["revisions"].as_array().unwrap().len(), 1, "{:#}", part["revisions"]);
    let text = hazard_gateway(&site, &["replay"], "");
    assert!(text.out.contains("4 份配置") && text.out.contains("全部重现"), "{text:?}");

    // beside another file it is the rules in hand that would change
    let (code, beside) =
        json(&site, &["replay", "--json", "--with", site.folder().join("limit24.toml").to_str().unwrap()]);
    assert_eq!((code, raised(&beside), whole(&beside)), (0, 1, whole(&found)));
    assert_eq!(beside["other"]["changes"]["come"].as_array().unwrap().len(), 4, "{:#}", beside["other"]);
    let (_, dry) = json(&site, &["check", "--json", "--dry-run"]);
    assert_eq!(dry["dry_run"]["would"]["alarms"], 1, "a look ahead takes the file's rules throughout");
}

#[test]
fn rules_that_are_not_on_file_are_named_and_explain_what_differs() {
    let site = recorded_over_changes();
    let conn = rusqlite::Connection::open(site.data().join("records.db")).unwrap();
    let second =
        "DELETE FROM rule_book WHERE from_seq = (SELECT from_seq FROM rule_book ORDER BY from_seq LIMIT 1 OFFSET 1)";
    assert_eq!(conn.execute(second, []).unwrap(), 1);
    drop(conn);
    let (code, found) = json(&site, &["replay", "--json"]);
    let differences = found["comparison"]["differences"].as_array().unwrap();
    assert!(!differences.is_empty() && differences.iter().all(|d| d["why"] != "unexplained"), "{differences:#?}");
    assert!(differences.iter().any(|d| d["why"] == "other_rules"), "{differences:#?}");
    let text = hazard_gateway(&site, &["replay"], "");
    assert!(code == 0 && text.out.contains("没有存档"), "{text:?}");
}

#[test]
fn another_limit_makes_alarms_go_come_and_move() {
    let site = recorded();
    let higher = other(&site, "limit = 25", "limit = 28");
    let (code, found) = json(&site, &["replay", "--json", "--with", &higher]);
    let changes = &found["other"]["changes"];
    let count = |list: &str| changes[list].as_array().unwrap().len();
    assert_eq!((code, count("come")), (0, 0), "{changes:#}");
    assert!(count("go") >= 1, "what trembled at 25.5 goes: {changes:#}");
    assert!(changes["moved"].as_array().unwrap().iter().any(|c| c["moved_ms"] == 30_000), "{changes:#}");
    let lower = other(&site, "limit = 25", "limit = 10.2");
    let (_, found) = json(&site, &["replay", "--json", "--with", &lower]);
    assert!(!found["other"]["changes"]["moved"].as_array().unwrap().is_empty(), "it would come earlier: {found:#}");
    let text = hazard_gateway(&site, &["replay", "--with", &higher], "");
    assert!(text.out.contains("全部重现") && text.out.contains("消失 go") && text.err.contains("正在回放"), "{text:?}");
}

#[test]
fn missing_samples_explain_a_difference_and_a_removed_event_does_not() {
    let site = recorded();
    let day = site.data().join("history/20260301.db");
    let conn = rusqlite::Connection::open(&day).unwrap();
    let gone = conn.execute("DELETE FROM block WHERE from_ms BETWEEN ?1 + 30000 AND ?1 + 100000", [WALL_AT_START_MS]);
    assert!(gone.unwrap() > 10);
    drop(conn);
    let (code, found) = json(&site, &["replay", "--json"]);
    let differences = found["comparison"]["differences"].as_array().unwrap();
    assert!(!differences.is_empty() && differences.iter().all(|d| d["why"] != "unexplained"), "{differences:#?}");
    assert_eq!(code, 0);

    let site = recorded();
    let conn = rusqlite::Connection::open(site.data().join("records.db")).unwrap();
    let first = "SELECT MIN(seq) FROM event WHERE kind = 'alarm.raised'";
    assert_eq!(conn.execute(&format!("DELETE FROM event WHERE seq = ({first})"), []).unwrap(), 1);
    drop(conn);
    let (code, found) = json(&site, &["replay", "--json"]);
    assert_eq!((code, found["comparison"]["differences"][0]["what"].as_str()), (1, Some("extra")));
    let text = hazard_gateway(&site, &["replay"], "");
    assert!(text.code == 1 && text.out.contains("原因不明"), "{text:?}");
}

#[test]
fn samples_whose_records_are_gone_begin_with_no_silence() {
    let site = recorded();
    let conn = rusqlite::Connection::open(site.data().join("records.db")).unwrap();
    conn.execute("DELETE FROM event", []).unwrap();
    drop(conn);
    let (_, found) = json(&site, &["replay", "--json"]);
    let differences = found["comparison"]["differences"].as_array().unwrap();
    // Nobody watched before the first sample; after it the device is silent for 40 s once, and for 12 s between its two runs.
    let told = |subject: &str| -> Vec<(i64, &str)> {
        let of = differences.iter().filter(|d| d["subject"] == subject);
        of.map(|d| ((d["at_ms"].as_i64().unwrap() - WALL_AT_START_MS) / 1000, d["kind"].as_str().unwrap())).collect()
    };
    assert_eq!(told("GT-101:H").first(), Some(&(41, "alarm.raised")));
    assert_eq!(told("DET-101:COMMS_LOSS").first(), Some(&(205, "alarm.raised")));
}

#[test]
fn a_deadband_below_the_noise_is_named_with_a_better_one() {
    let site = recorded();
    let (_, found) = json(&site, &["replay", "--json"]);
    let noise = &found["noise"][0];
    assert!((0.28..0.36).contains(&noise["sigma"].as_f64().unwrap()), "{noise}");
    assert_eq!((&noise["point"], &noise["too_small"]), (&Value::from("GT-101"), &Value::Bool(false)));
}

#[test]
fn check_says_how_many_alarms_a_file_would_have_made_and_where_a_deadband_is_below_the_noise() {
    let site = recorded();
    let plain = hazard_gateway(&site, &["check"], "");
    assert!(
        plain.code == 0 && plain.out.contains("噪声：2026-03-02T07:5") && plain.out.contains("2 of 2 deadbands"),
        "{plain:?}"
    );
    let (code, found) = json(&site, &["check", "--json", "--dry-run"]);
    let count = |found: &Value| found["dry_run"]["would"]["alarms"].as_u64().unwrap();
    assert_eq!((code, count(&found)), (0, found["dry_run"]["recorded_alarms"].as_u64().unwrap()), "{found:#}");
    let text = std::fs::read_to_string(site.file()).unwrap();
    std::fs::write(site.file(), text.replacen("limit = 25", "limit = 28", 1)).unwrap();
    let (_, changed) = json(&site, &["check", "--json", "--dry-run"]);
    assert!(count(&changed) < count(&found), "{changed:#}");
    let said = hazard_gateway(&site, &["check", "--dry-run"], "");
    assert!(said.out.contains("用这份配置会有") && said.err.contains("正在试算"), "{said:?}");

    std::fs::write(site.file(), text.replacen("deadband = 2", "deadband = 0.1", 1)).unwrap();
    let narrow = hazard_gateway(&site, &["check"], "");
    assert!(narrow.code == 0 && narrow.err.contains("小于噪声 3σ") && narrow.err.contains("limits"), "{narrow:?}");
}

#[test]
fn a_dry_run_without_history_says_what_to_name() {
    let site = Site::minimal();
    let ended = hazard_gateway(&site, &["check", "--dry-run"], "");
    assert!(ended.code == 4 && ended.err.contains("--history"), "{ended:?}");
    let other = recorded();
    let data = other.data();
    let named = hazard_gateway(&site, &["check", "--dry-run", "--history", data.to_str().unwrap()], "");
    assert!(named.code == 0 && named.out.contains("试算 dry run"), "{named:?}");
}

#[test]
fn the_figures_of_the_alarm_system_are_those_of_the_journal() {
    let site = recorded();
    let (code, report) = json(&site, &["kpi", "--json", "--from", "2026-03-01", "--to", "2026-03-02"]);
    let conn = rusqlite::Connection::open(site.data().join("records.db")).unwrap();
    let raised = "SELECT COUNT(*) FROM event WHERE kind IN ('alarm.raised', 'alarm.realarm') AND json NOT LIKE '%\"silent\":true%'";
    let raised: u64 = conn.query_row(raised, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs();
    assert_eq!((code, report["alarms"].as_u64()), (0, Some(raised)), "{report:#}");
    assert_eq!(report["days"].as_array().unwrap().len(), 1, "all of it before midnight: {report:#}");
    let text = hazard_gateway(&site, &["kpi", "--from", "2026-03-01", "--to", "2026-03-02"], "");
    assert!(text.code == 0 && text.out.contains("平均报警率") && text.out.contains("EEMUA 191"), "{text:?}");
}

#[test]
fn wrong_times_and_no_data_are_said_with_what_to_do() {
    let site = Site::minimal();
    let nothing = hazard_gateway(&site, &["replay"], "");
    assert!(nothing.code == 4 && nothing.err.contains("data_dir"), "{nothing:?}");
    assert_eq!(hazard_gateway(&site, &["kpi"], "").code, 4);
    let site = recorded();
    for wrong in [["--from", "gestern"], ["--from", "2027-01-01"], ["--with", "/nowhere.toml"]] {
        let ended = hazard_gateway(&site, &["replay", wrong[0], wrong[1]], "");
        assert!(ended.code == 2 && !ended.err.is_empty(), "{wrong:?} {ended:?}");
    }
}
