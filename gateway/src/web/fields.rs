//! Fields of a request that are not acceptable: by the name under which they were sent, with what was sent and what is allowed.
//!
//! Owns the words for what is allowed. Leaves the checking to the forms and to the engine.

use rules::hazard::step::{NAME_MAX, TEXT_MAX};
use rules::people::NAME_MIN;
use serde_json::{Value, json};
use std::time::Duration;

/// Of what was sent, so much is said back.
const SENT_CHARS: usize = 80;
/// Never said back.
const SECRET: [&str; 4] = ["password", "old", "new", "code"];
/// Longest remark, and shortest reason (the engine's).
pub(super) const REMARK_MAX: usize = 2000;
pub(super) const REASON_MIN: usize = 4;

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    field: String,
    /// None where nothing was sent.
    sent: Option<Value>,
    zh: String,
    en: String,
    max: Option<u64>,
}

impl Wrong {
    /// `allowed` in zh-CN and English.
    #[must_use]
    pub fn new(field: &str, sent: Option<&Value>, allowed: (impl Into<String>, impl Into<String>)) -> Self {
        let sent = sent.filter(|_| !SECRET.contains(&field)).map(shortened);
        Self { field: field.to_owned(), sent, zh: allowed.0.into(), en: allowed.1.into(), max: None }
    }

    /// A text outside `min` to `max` characters.
    #[must_use]
    pub fn text(field: &str, sent: &str, min: usize, max: usize) -> Self {
        Self::new(field, Some(&sent.into()), characters(min, max))
    }

    pub(super) fn field(&self) -> &str {
        &self.field
    }

    pub(super) fn as_json(&self) -> Value {
        json!({ "field": self.field, "sent": self.sent, "allowed": self.zh, "allowed_en": self.en, "max": self.max })
    }

    fn sentence(&self) -> (String, String) {
        let (got_zh, got_en) = match &self.sent {
            Some(sent) => (format!("收到 {sent}，"), format!("got {sent}, ")),
            None if SECRET.contains(&self.field.as_str()) => (String::new(), String::new()),
            None => ("未给出，".to_owned(), "not given, ".to_owned()),
        };
        (format!("{}：{got_zh}应为{}", self.field, self.zh), format!("{}: {got_en}allowed is {}", self.field, self.en))
    }
}

/// One sentence of all, zh-CN first.
pub(super) fn sentence(all: &[Wrong]) -> String {
    let (zh, en): (Vec<_>, Vec<_>) = all.iter().map(Wrong::sentence).unzip();
    format!("{} · {}", zh.join("；"), en.join("; "))
}

/// How far a command may go.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Most {
    /// As a duration.
    pub(super) longest: Option<Duration>,
    /// As a date, without a reason.
    pub(super) latest_utc_ms: Option<i64>,
}

/// What the engine did not accept of a command.
pub(super) fn of_command(fields: &[String], command: &Value, most: &Most) -> Vec<Wrong> {
    let max = most.longest.map(|longest| longest.as_secs());
    let of = |field: &String| {
        let sent = command.get(field).filter(|sent| !sent.is_null());
        let time = sent.filter(|_| field == "due_at").map(|ms| ms.as_i64().map_or(Value::Null, moment));
        let sent = time.as_ref().or(sent).filter(|sent| !sent.is_null());
        let max = max.filter(|_| field == "duration_s");
        let allowed = match (field.as_str(), most.latest_utc_ms) {
            ("due_at", Some(latest_utc_ms)) => within_the_plan(latest_utc_ms),
            _ => of_field(field, max),
        };
        Wrong { max, ..Wrong::new(field, sent, allowed) }
    };
    fields.iter().map(of).collect()
}

fn within_the_plan(latest_utc_ms: i64) -> (String, String) {
    let (zh, en) = crate::text::date(latest_utc_ms);
    (
        format!("将来的时间，且不晚于治理方案的时限 {zh}，更晚须说明理由"),
        format!("a time ahead, not after that of the plan, {en}; a later one needs a reason"),
    )
}

fn of_field(field: &str, max: Option<u64>) -> (String, String) {
    match (field, max) {
        ("duration_s", Some(max)) => {
            (format!("1 至 {max} 秒（{} 分钟）", max / 60), format!("1 to {max} seconds ({} minutes)", max / 60))
        }
        ("duration_s", None) => ("至少 1 秒".into(), "at least 1 second".into()),
        ("reason" | "compensation", _) => characters(REASON_MIN, REMARK_MAX),
        ("requested_by", _) => (
            format!("申请人的姓名或账号，至少 {NAME_MIN} 个字，不得是批准人"),
            format!("the name or account of who asks, at least {NAME_MIN} characters, never the approver's"),
        ),
        ("due_at", _) => (
            "将来三年以内的时间，如 2026-12-01T16:00:00+08:00".into(),
            "a time within the next three years, such as 2026-12-01T16:00:00+08:00".into(),
        ),
        ("plan", _) => ("先定的治理方案（五落实）".into(), "a plan with its five settled items first".into()),
        ("report", _) => ("先向监管部门的报告".into(), "a report to the supervising department first".into()),
        ("acceptance", _) => ("先通过的验收".into(), "an acceptance first".into()),
        ("measure", _) => ("风险清单中的管控措施编号".into(), "the key of a control measure of the register".into()),
        ("place" | "responsible" | "to" | "receipt" | "supervision", _) => characters(1, NAME_MAX),
        (
            "description" | "criteria" | "cause" | "responsibility" | "measures" | "funds" | "emergency"
            | "interim_control" | "evidence" | "opinion" | "review_report",
            _,
        ) => characters(1, TEXT_MAX),
        _ => characters(1, REMARK_MAX),
    }
}

fn characters(min: usize, max: usize) -> (String, String) {
    match min {
        0 => (format!("至多 {max} 个字"), format!("at most {max} characters")),
        min => (format!(" {min} 至 {max} 个字"), format!("{min} to {max} characters")),
    }
}

/// 0 is what stands for nothing given.
fn moment(ms: i64) -> Value {
    if ms == 0 { Value::Null } else { crate::moment::utc_text(ms).into() }
}

fn shortened(sent: &Value) -> Value {
    match sent {
        Value::String(text) if text.chars().count() > SENT_CHARS => {
            let (begin, all): (String, _) = (text.chars().take(SENT_CHARS).collect(), text.chars().count());
            format!("{begin}… ({all})").into()
        }
        Value::Array(_) | Value::Object(_) if sent.to_string().len() > SENT_CHARS => {
            shortened(&sent.to_string().into())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_with_what_was_sent_and_what_is_allowed() {
        let command = json!({ "duration_s": 90_000, "reason": "x" });
        let fields = ["duration_s".to_owned(), "reason".to_owned(), "permit".to_owned()];
        let most = Most { longest: Some(Duration::from_secs(28_800)), ..Most::default() };
        let wrong = of_command(&fields, &command, &most);
        let said = sentence(&wrong);
        assert!(said.starts_with("duration_s：收到 90000，应为1 至 28800 秒（480 分钟）；reason：收到 \"x\"，应为 4 至 2000 个字；permit：未给出，"), "{said}");
        assert!(said.contains("duration_s: got 90000, allowed is 1 to 28800 seconds (480 minutes)"), "{said}");
        assert_eq!((&wrong[0].as_json()["max"], &wrong[1].as_json()["max"]), (&json!(28_800), &Value::Null));
    }

    #[test]
    fn a_date_beyond_the_plan_is_told_the_plans() {
        let most = Most { latest_utc_ms: Some(1_796_140_800_000), ..Most::default() };
        let said = sentence(&of_command(&["due_at".to_owned()], &json!({ "due_at": 1_796_227_200_000_i64 }), &most));
        assert!(said.contains("不晚于治理方案的时限 2026-12-02 00:00（北京时间），更晚须说明理由"), "{said}");
        assert!(said.contains("not after that of the plan, 2026-12-02 00:00 +08:00"), "{said}");
    }

    #[test]
    fn a_secret_is_not_said_back_and_a_novel_is_cut() {
        let wrong = Wrong::text("password", "hunter2", 12, 128);
        assert!(!sentence(std::slice::from_ref(&wrong)).contains("hunter2") && wrong.as_json()["sent"].is_null());
        let long = Wrong::text("reason", &"长".repeat(5_000), 4, 2000);
        assert!(long.as_json()["sent"].as_str().unwrap().ends_with("… (5000)"));
        assert!(sentence(&[long]).len() < 1_000);
    }
}
