//! An alarm that somebody wants to acknowledge and that does not call: which state it is in instead.
//!
//! Asks the station for the alarm's last entry. Leaves the decision to the station: it refuses the same without a look.

use super::asked::{Trouble, with_query};
use super::person::Person;
use super::screen::{event, moment, rows, text};
use serde_json::Value;

/// In words, with the alarm's last entry in the journal.
pub(super) async fn to_acknowledge(person: &Person, alarm: &str) -> Result<String, Trouble> {
    let asked = [("alarm", alarm.to_owned()), ("limit", "1".to_owned())];
    let events = person.get(&with_query("/api/v1/events", asked.iter())).await?;
    Ok(said(alarm, rows(&events).last()))
}

fn said(alarm: &str, last: Option<&Value>) -> String {
    let head = format!("{alarm}: 没有需要确认的");
    let Some(last) = last else {
        return format!(
            "{head}：不在报警列表中，运行日志里也没有它的报警 · nothing to acknowledge: it does not stand, and the journal has no alarm of it"
        );
    };
    let (zh, en) = state(last);
    format!("{head}：{zh} · nothing to acknowledge: {en}\n{}", event(last))
}

/// By its last entry.
fn state(last: &Value) -> (&'static str, &'static str) {
    match last["kind"].as_str() {
        Some("alarm.cleared") => {
            ("报警已关闭，不在列表中，最近一条是", "it is over and not in the list, its last entry is")
        }
        Some("alarm.pending_on") => {
            ("延时未到，尚未报警，最近一条是", "its delay runs and it has not called yet, its last entry is")
        }
        Some("alarm.shelved") => {
            ("已搁置，背后没有报警，最近一条是", "it is shelved with nothing behind it, its last entry is")
        }
        Some("alarm.suppressed") => (
            "按设计抑制，背后没有报警，最近一条是",
            "it is suppressed by design with nothing behind it, its last entry is",
        ),
        _ => ("不在报警列表中，最近一条是", "it does not stand, its last entry is"),
    }
}

/// Of a standing alarm that somebody has acknowledged before.
pub(super) fn is_acknowledged(row: &Value) -> Option<String> {
    let acked = matches!(row["state"].as_str(), Some("acked" | "latched_acked"));
    acked.then(|| {
        let (by, at) = (row["acked_by"].as_str().unwrap_or("–"), moment(&row["acked_utc_ms"]));
        format!(
            "{}: 已由 {by} 于 {at} 确认，已是如此，没有改变 · acknowledged by {by} at {at}: it is so already, nothing was changed",
            text(row, "id")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_in_the_list_is_told_with_its_state_and_never_as_already_so() {
        let never = said("GT-101:H", None);
        assert!(never.contains("没有需要确认的") && never.contains("the journal has no alarm of it"), "{never}");
        let over = json!({ "seq": 215, "kind": "alarm.cleared", "text_zh": "报警关闭", "text_en": "alarm over" });
        let over = said("GT-101:H", Some(&over));
        assert!(over.contains("报警已关闭") && over.contains("it is over") && over.contains("215"), "{over}");
        assert!(!never.contains("已是如此") && !over.contains("已是如此"));
    }

    #[test]
    fn what_is_acknowledged_is_already_so_with_who_and_when() {
        let row = json!({ "id": "GT-101:H", "state": "acked", "acked_by": "zhang", "acked_utc_ms": 0 });
        let said = is_acknowledged(&row).unwrap();
        assert!(
            said.contains("已由 zhang 于 1970-01-01T08:00:00.000+08:00 确认") && said.contains("已是如此"),
            "{said}"
        );
        assert_eq!(is_acknowledged(&json!({ "state": "unacked" })), None);
    }
}
