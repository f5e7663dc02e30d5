//! What `status` shows of alarms and points that nobody is called for now, of alarms that are held because nothing can be judged, of units
//! that do not run and of a sound that is off.
//!
//! Pure: the field `hidden` of a station's status and its standing alarms in, lines out. What is hidden is never called normal, and a station that does not say is
//! not taken for one that hides nothing.

use super::screen::{dash, moment, rows, text};
use super::table::named as table;
use serde_json::Value;

/// Rows that are listed; the page 旁路与搁置 has all of them.
const ROWS_MAX: usize = 30;

/// All of it, with a head that counts.
pub(super) fn hidden(of: &Value, alarms: &Value) -> Vec<String> {
    if !of.is_object() {
        return vec!["隐藏与保持 hidden or held – （网关未说明 the station does not say）".to_owned()];
    }
    let listed: Vec<Vec<String>> = rows(alarms)
        .filter(|alarm| alarm["held"] == true)
        .map(held)
        .chain(rows(&of["shelves"]).map(shelf))
        .chain(rows(&of["bypasses"]).map(bypass))
        .chain(of["silenced_until_utc_ms"].as_i64().map(|_| silence(of)))
        .chain(rows(&of["units"]).filter(|unit| unit["mode"] != "running").map(unit))
        .chain(rows(&of["under_silence"]).map(under_silence))
        .chain(rows(&of["suppressed"]).map(suppressed))
        .collect();
    if listed.is_empty() {
        return vec![
            "隐藏与保持 hidden or held 0 · 无保持、搁置、旁路、停用、抑制，装置均在运行，未消音 \
             none held, no shelf, bypass, out of service or suppression, all units running, sound on"
                .to_owned(),
        ];
    }
    let mut lines = vec![format!("隐藏与保持 hidden or held {}", listed.len())];
    let more = listed.len().saturating_sub(ROWS_MAX);
    let names = ["方式 how", "对象 what", "至 until", "依据 paper", "谁 who", "原因 reason", "背后 behind it"];
    lines.extend(table(&names, &listed[..listed.len() - more]));
    if more > 0 {
        lines.push(format!("  … 另有 {more} 项 · {more} more"));
    }
    lines
}

/// It ends with the next reading that says anything; why there is none, the list of devices tells.
fn held(a: &Value) -> Vec<String> {
    let how = "? 保持 held".to_owned();
    let reason = "当前无有效数据 no valid data".to_owned();
    let behind = "不能判断 CANNOT BE JUDGED".to_owned();
    vec![how, text(a, "id"), "数据恢复 valid data".to_owned(), dash(), dash(), reason, behind]
}

fn shelf(s: &Value) -> Vec<String> {
    let once = if s["kind"] == "one_shot" { "（一次 once）" } else { "" };
    let (by, reason) = (text(s, "by"), text(s, "reason"));
    vec![format!("搁置 shelved{once}"), text(s, "alarm"), moment(&s["until_utc_ms"]), dash(), by, reason, behind(s)]
}

fn bypass(b: &Value) -> Vec<String> {
    let (how, paper) = match b["kind"].as_str() {
        Some("bypass") => ("旁路 bypassed", format!("作业票 permit {}", text(b, "paper"))),
        Some("out_of_service") => ("停用 out of service", format!("工单 work order {}", text(b, "paper"))),
        Some("inhibited") => ("设备自禁 inhibited by the instrument", dash()),
        _ => ("隐藏 hidden", text(b, "paper")),
    };
    let until = b["until_utc_ms"].as_i64().map_or_else(|| "无期限 no end".to_owned(), |_| moment(&b["until_utc_ms"]));
    let asked = b["requested_by"].as_str().filter(|who| !who.is_empty());
    let stranger = if b["no_account"] == true { "（无账号 not an account）" } else { "" };
    let who = asked.map_or_else(|| said(b, "by"), |asked| format!("{} ← {asked}{stranger}", text(b, "by")));
    let watch = b["compensation"].as_str().filter(|what| !what.is_empty());
    let reason = watch.map_or_else(|| said(b, "reason"), |what| format!("{}；{what}", text(b, "reason")));
    vec![how.to_owned(), text(b, "point"), until, paper, who, reason, behind(b)]
}

fn suppressed(s: &Value) -> Vec<String> {
    let mode = || "随装置状态 while the mode lasts".to_owned();
    let until = s["until_utc_ms"].as_i64().map_or_else(mode, |_| moment(&s["until_utc_ms"]));
    let rule = if s["rule"] == "mode" { "装置状态 unit's mode".to_owned() } else { text(s, "rule") };
    let how = "设计抑制 suppressed by design".to_owned();
    vec![how, text(s, "alarm"), until, rule, dash(), dash(), behind(s)]
}

/// One row an instrument: one alarm stands for one cause.
fn under_silence(s: &Value) -> Vec<String> {
    let alarms: Vec<&str> = rows(&s["alarms"]).filter_map(Value::as_str).collect();
    let what = match alarms[..] {
        [] => dash(),
        [one] => one.to_owned(),
        [first, ..] => format!("{first} … 共 {0} 条 {0} in all", alarms.len()),
    };
    let how = "设计抑制 suppressed by design".to_owned();
    let reason = "仪表通信中断 instrument silent".to_owned();
    vec![how, what, "仪表恢复应答 it answers again".to_owned(), text(s, "cause"), dash(), reason, dash()]
}

fn unit(u: &Value) -> Vec<String> {
    let how = match u["mode"].as_str() {
        Some("stopped") => "停车 stopped",
        Some("maintenance") => "检修 maintenance",
        _ => "状态未知 mode unknown",
    };
    let paper = if u["measured"] == true { "运行信号 running signal".to_owned() } else { dash() };
    vec![how.to_owned(), format!("装置 unit {}", text(u, "key")), dash(), paper, dash(), text(u, "name"), dash()]
}

fn silence(of: &Value) -> Vec<String> {
    let until = moment(&of["silenced_until_utc_ms"]);
    let again = "新的 1、2 级报警恢复发声 a new P1 or P2 sounds".to_owned();
    vec!["消音 silenced".to_owned(), "声音 sound".to_owned(), until, dash(), said(of, "silenced_by"), again, dash()]
}

fn behind(of: &Value) -> String {
    match of["active"].as_bool() {
        Some(true) => "报警条件成立 ALARM CONDITION TRUE".to_owned(),
        Some(false) => "条件未成立 condition not true".to_owned(),
        None => dash(),
    }
}

/// As [`text`]; what is empty is nobody's.
fn said(of: &Value, key: &str) -> String {
    of[key].as_str().filter(|said| !said.is_empty()).map_or_else(dash, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_hidden_or_held_has_its_end_its_paper_and_what_is_behind_it() {
        let alarms = json!([{ "id": "LT-1:HH", "held": true }, { "id": "LT-2:HH", "held": false }]);
        let status = json!({
            "shelves": [{ "alarm": "GT-102:H", "kind": "one_shot", "by": "zhang", "reason": "标定", "until_utc_ms": 1_000, "active": true }],
            "bypasses": [
                { "point": "GT-101", "kind": "bypass", "paper": "DH-12", "by": "sun", "requested_by": "wang", "no_account": true, "reason": "动火", "compensation": "专人检测",
                  "until_utc_ms": 2_000, "active": false },
                { "point": "PT-1", "kind": "out_of_service", "paper": "WO-88", "by": "chen", "requested_by": "", "reason": "送检", "until_utc_ms": null, "active": false },
                { "point": "GT-9", "kind": "inhibited", "paper": "", "by": "", "requested_by": "", "reason": "", "until_utc_ms": 4_000, "active": false },
            ],
            "suppressed": [{ "alarm": "PT-2:L", "rule": "mode", "until_utc_ms": null, "active": true }],
            "units": [{ "key": "pump", "name": "泵", "mode": "maintenance", "measured": false }, { "key": "fan", "name": "风机", "mode": "running" }],
            "under_silence": [
                { "cause": "DET-7:COMMS_LOSS", "alarms": ["GT-7:SENSOR_FAULT"] },
                { "cause": "DET-8:COMMS_LOSS", "alarms": ["GT-8:SENSOR_FAULT", "GT-88:SENSOR_FAULT"] },
            ],
            "silenced_until_utc_ms": 3_000, "silenced_by": "olga",
        });
        let shown = hidden(&status, &alarms).join("\n");
        for part in [
            "hidden or held 10",
            "? 保持 held",
            "LT-1:HH",
            "CANNOT BE JUDGED",
            "搁置 shelved（一次 once）",
            "1970-01-01T08:00:01.000+08:00",
            "ALARM CONDITION TRUE",
            "作业票 permit DH-12",
            "sun ← wang（无账号 not an account）",
            "DET-7:COMMS_LOSS",
            "GT-7:SENSOR_FAULT  ",
            "GT-8:SENSOR_FAULT … 共 2 条 2 in all",
            "olga",
            "动火；专人检测",
            "停用 out of service",
            "无期限 no end",
            "工单 work order WO-88",
            "设备自禁 inhibited",
            "随装置状态 while the mode lasts",
            "检修 maintenance",
            "装置 unit pump",
            "消音 silenced",
            "1970-01-01T08:00:03.000+08:00",
        ] {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
        assert!(
            !shown.contains("LT-2") && !shown.contains("风机") && !shown.contains("正常") && !shown.contains("normal"),
            "{shown}"
        );
    }

    #[test]
    fn a_station_that_does_not_say_is_not_one_that_hides_nothing() {
        assert!(hidden(&Value::Null, &Value::Null)[0].contains("does not say"));
        let none = hidden(
            &json!({ "shelves": [], "bypasses": [], "suppressed": [], "units": [], "silenced_until_utc_ms": null }),
            &Value::Null,
        );
        assert!(none.len() == 1 && none[0].contains("hidden or held 0"), "{none:?}");
        let alarm = |n: usize| json!({ "alarm": format!("A-{n}:H"), "active": false });
        let many: Vec<Value> = (0..ROWS_MAX + 3).map(alarm).collect();
        assert!(hidden(&json!({ "suppressed": many }), &Value::Null).last().unwrap().contains("3 more"));
    }
}
