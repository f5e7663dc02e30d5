//! A standing alarm as `status` and `operate` show it: alone on a line, or as a row of the list.
//!
//! Pure: JSON in, lines out.

use super::screen::{dash, moment, rows, text};
use super::table::named as table;
use serde_json::Value;

/// Rows of the list of standing alarms; the page has all of them.
const ALARMS_MAX: usize = 10;
/// Where no point says how many decimals.
const DECIMALS_MAX: f64 = 1e6;

pub(super) fn alarm_table(s: &Value, alarms: &Value) -> Vec<String> {
    let mut standing: Vec<&Value> = rows(alarms).collect();
    standing.sort_by_key(|alarm| (alarm["suppressed"] == true, alarm["priority"].as_u64().unwrap_or(u64::MAX)));
    let mut lines = vec![format!(
        "报警 alarms {} · 未确认 unacknowledged {} · 隐患 hidden dangers {}",
        standing.len(),
        text(s, "unacked"),
        text(s, "hazards")
    )];
    let row = |alarm: &&Value| {
        let value = measured(alarm, "value");
        vec![
            text(alarm, "priority"),
            text(alarm, "id"),
            state_word(alarm),
            value,
            moment(&alarm["raised_utc_ms"]),
            format!("{}{}", text(alarm, "name"), called(alarm)),
        ]
    };
    if !standing.is_empty() {
        let names = ["级 P", "报警 alarm", "状态 state", "值 value", "自 since", "名称 name"];
        lines.extend(table(&names, &standing.iter().take(ALARMS_MAX).map(row).collect::<Vec<_>>()));
    }
    if let Some(more @ 1..) = standing.len().checked_sub(ALARMS_MAX) {
        lines.push(format!("  … 另有 {more} 条 · {more} more"));
    }
    lines
}

/// One standing alarm on a line, with the number by which it was seen.
pub(super) fn alarm(alarm: &Value) -> String {
    let value = measured(alarm, "value");
    let limit = number(alarm, "limit").unwrap_or_else(dash);
    format!(
        "{} P{} {} · {} · {value}（限 limit {limit}） · {}{} · 编号 seq {}",
        text(alarm, "id"),
        text(alarm, "priority"),
        state_word(alarm),
        moment(&alarm["raised_utc_ms"]),
        text(alarm, "name"),
        called(alarm),
        text(alarm, "seq")
    )
}

/// The level it has escalated to and the posts to be called, the first one first; nothing where nobody is to be called.
fn called(alarm: &Value) -> String {
    let posts: Vec<&str> = rows(&alarm["call"]).filter_map(|post| post["post"].as_str()).collect();
    if posts.is_empty() {
        return String::new();
    }
    format!(" · L{} 请致电 call {}", text(alarm, "escalated"), posts.join("、"))
}

/// In both languages, in the words of the page (ISA-18.2, IEC 62682); an unknown one is shown as it is. With the mark of the page where nobody can judge it now.
fn state_word(alarm: &Value) -> String {
    let state = plain_state(alarm);
    if alarm["held"] == true { format!("? {state} 保持 held") } else { state }
}

fn plain_state(alarm: &Value) -> String {
    let words = match alarm["state"].as_str() {
        Some("unacked") => "未确认 unacknowledged",
        Some("acked") => "已确认 acknowledged",
        Some("returned_unacked") => "已恢复，未确认 returned, unacknowledged",
        Some("latched_unacked") => "已恢复并锁存，未确认 returned, latched, unacknowledged",
        Some("latched_acked") => "锁存，待复位 latched, waits for reset",
        Some("shelved") => "搁置 shelved",
        Some("suppressed") => "设计抑制 suppressed by design",
        Some("bypassed") => "旁路 bypassed",
        Some("out_of_service") => "停用 out of service",
        _ => return text(alarm, "state"),
    };
    words.to_owned()
}

/// With the decimals of its point and the unit, a state in words.
fn measured(alarm: &Value, key: &str) -> String {
    let unit = alarm["unit"].as_str().unwrap_or_default();
    number(alarm, key).map_or_else(dash, |shown| format!("{shown} {unit}").trim_end().to_owned())
}

fn number(alarm: &Value, key: &str) -> Option<String> {
    let value = alarm[key].as_f64()?;
    Some(match (alarm["point_kind"].as_str(), alarm["decimals"].as_u64().and_then(|n| usize::try_from(n).ok())) {
        (Some("state"), _) if value > 0.0 => "是 yes".to_owned(),
        (Some("state"), _) => "否 no".to_owned(),
        (_, Some(decimals)) => format!("{value:.decimals$}"),
        (_, None) => ((value * DECIMALS_MAX).round() / DECIMALS_MAX).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_calls_most_stands_first_and_what_is_hidden_last_whatever_the_order_of_the_answer() {
        let alarm = |id: &str, priority: u64, suppressed: bool| json!({ "id": id, "priority": priority, "suppressed": suppressed });
        let third: Vec<Value> = (1..=9).map(|n| alarm(&format!("PT-{n}:H"), 3, false)).collect();
        let first = [alarm("GT-8:HH", 1, true), alarm("GT-7:H", 2, false), alarm("GT-9:HH", 1, false)];
        let shown = alarm_table(&json!({}), &Value::Array(third.into_iter().chain(first).collect()));
        let at = |id: &str| shown.iter().position(|line| line.contains(id));
        assert!(at("GT-9:HH") < at("GT-7:H") && at("GT-7:H") < at("PT-1:H"), "{shown:?}");
        assert_eq!(
            (at("PT-8:H").is_some(), at("PT-9:H"), at("GT-8:HH")),
            (true, None, None),
            "ten rows, hidden ones last"
        );
        assert!(shown.last().is_some_and(|line| line.contains("2 more")), "{shown:?}");
    }

    #[test]
    fn a_value_has_the_decimals_of_its_point_and_a_state_is_a_word() {
        let gauge = json!({ "value": 1.799_999_952_316_284_2, "limit": 1.6, "unit": "MPa", "point_kind": "pressure", "decimals": 2 });
        assert!(alarm(&gauge).contains(" · 1.80 MPa（限 limit 1.60）"), "{}", alarm(&gauge));
        let fan = json!({ "value": 0.0, "unit": "", "point_kind": "state", "decimals": 0 });
        assert!(alarm(&fan).contains(" · 否 no（限 limit –）"), "{}", alarm(&fan));
        assert_eq!(measured(&json!({ "value": 0.1f32, "unit": "%" }), "value"), "0.1 %", "of no point");
        assert_eq!(measured(&json!({ "value": null }), "value"), "–");
    }

    #[test]
    fn an_escalated_alarm_says_whom_to_call_in_the_order_of_calling() {
        let post = |post: &str| json!({ "post": post, "post_en": "Post" });
        let waits =
            json!({ "id": "GT-1:H", "escalated": 2, "call": [post("值班长"), post("安全总监")], "name": "氨气" });
        let said = "氨气 · L2 请致电 call 值班长、安全总监";
        assert!(alarm(&waits).contains(said), "{}", alarm(&waits));
        assert!(alarm_table(&json!({}), &json!([waits])).iter().any(|line| line.contains(said)));
        let nobody = json!({ "id": "GT-1:H", "escalated": 2, "call": [], "name": "氨气" });
        assert!(!alarm(&nobody).contains("请致电"), "{}", alarm(&nobody));
    }

    #[test]
    fn every_state_is_in_words_and_never_the_name_that_programs_use() {
        for state in [
            "unacked",
            "acked",
            "returned_unacked",
            "latched_unacked",
            "latched_acked",
            "shelved",
            "suppressed",
            "bypassed",
            "out_of_service",
        ] {
            let shown = plain_state(&json!({ "state": state }));
            assert!(!shown.contains('_') && !shown.contains("acked"), "{shown}");
            assert!(!shown.is_ascii() && shown.contains(' '), "in both languages: {shown}");
        }
        assert_eq!(plain_state(&json!({ "state": "of_a_newer_station" })), "of_a_newer_station");
    }

    #[test]
    fn an_alarm_that_nobody_can_judge_now_has_the_mark_of_the_page() {
        let held = json!({ "id": "GT-1:H", "state": "unacked", "held": true });
        assert!(alarm(&held).contains(" ? 未确认 unacknowledged 保持 held · "), "{}", alarm(&held));
        assert!(!alarm(&json!({ "id": "GT-1:H", "state": "unacked", "held": false })).contains('?'));
    }
}
