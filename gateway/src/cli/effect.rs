//! What an action of `operate` does, in words, before a person agrees to it: what it stops, what it ends, and what it leaves as it is.
//!
//! Pure: the action and the alarm as it stands in, zh-CN and English out. What hidden dangers' steps do is `operate_hazard`'s.

use super::operate::Action;
use serde_json::Value;

/// zh-CN and English.
pub(super) type Words = (String, String);

fn words(zh: &str, en: &str) -> Option<Words> {
    Some((zh.to_owned(), en.to_owned()))
}

/// The line under what is shown.
pub(super) fn line((zh, en): &Words) -> String {
    format!("  这一步 this step: {zh} · {en}")
}

impl Action {
    /// Who asks for it, where that is another person.
    pub(super) fn asked_by(&self) -> Option<&str> {
        match self {
            Self::Bypass { requested_by, .. } => Some(requested_by),
            _ => None,
        }
    }

    /// `row` is the standing alarm, or null; `behind` whether the condition is true behind its shelf, where it has one.
    pub(super) fn effect(&self, row: &Value, behind: Option<bool>) -> Option<Words> {
        match self {
            Self::Ack { .. } => acknowledges(row),
            Self::Shelve { minutes, one_shot, .. } => Some(shelves(*minutes, *one_shot)),
            Self::Unshelve { .. } => unshelves(row, behind),
            Self::Reset { .. } => words(
                "只在报警已确认且当前读数证实恢复正常时清除锁存，报警随之关闭；否则拒绝，什么也不改变",
                "clears the latch only where the alarm is acknowledged and proved normal by what is read now, and the alarm is over; else it is \
                 refused and nothing changes",
            ),
            Self::Bypass { minutes, .. } => Some(bypasses(*minutes)),
            Self::EndBypass { .. } => words(
                "该测点的报警立即恢复作用；此刻仍成立的立即报警",
                "the point's alarms are in effect again at once; what is true now calls at once",
            ),
            Self::OutOfService { .. } => words(
                "该测点不再判断（不评估）：不会再有报警，现有的报警关闭（要锁存的锁存，仍待复位），表决不计它；没有期限，须由人恢复使用",
                "the point is not evaluated any more: it raises nothing, its alarms are over (what latches stays latched until reset), no vote counts \
                 it; without an end until somebody returns it to service",
            ),
            Self::InService { .. } => words(
                "重新判断，延时从头算起；此刻仍越限的，延时到后报警",
                "it is judged anew and delays begin afresh; what is beyond a limit now calls when its delay is over",
            ),
            Self::ResetFirstOut { .. } => words(
                "只忘掉该组的首出次序，不改变任何报警；成员未全部正常并确认时拒绝",
                "forgets the first-out order of the group only and changes no alarm; refused unless all members are normal and acknowledged",
            ),
            Self::Mode { mode, .. } => Some(sets_mode(mode)),
            Self::Silence | Self::TestAnnunciator { .. } | Self::Hazard(_) => None,
        }
    }
}

fn acknowledges(row: &Value) -> Option<Words> {
    match row["state"].as_str() {
        Some("shelved" | "suppressed" | "bypassed" | "out_of_service") => {
            words("报警已被隐藏，现在的确认会被拒绝", "the alarm is hidden: an acknowledgement is refused now")
        }
        Some("returned_unacked") => words(
            "以你的名义确认；报警已恢复，随之关闭并离开列表",
            "acknowledges it in your name; it has returned, so it is over and leaves the list",
        ),
        Some("latched_unacked") => words(
            "以你的名义确认，声音和升级停止；锁存的报警留在列表中，直到有人复位",
            "acknowledges it in your name, sound and escalation stop; a latched alarm stays in the list until somebody resets it",
        ),
        _ => words(
            "以你的名义确认，声音和升级停止；报警留在列表中，直到恢复正常",
            "acknowledges it in your name, sound and escalation stop; it stays in the list until it is normal",
        ),
    }
}

fn shelves(minutes: u64, one_shot: bool) -> Words {
    let (once, once_en) =
        if one_shot { ("，恢复正常即提前结束", ", sooner when it returns to normal") } else { ("", "") };
    (
        format!("{minutes} 分钟内不发声、不升级{once}；仍判断、记录并上报。到时仍成立或锁存的重新报警"),
        format!(
            "no sound and no escalation for {minutes} minutes{once_en}; it is judged, recorded and reported all the same. What is still active or \
             latched then calls again"
        ),
    )
}

/// Who ends a shelf acknowledges what stands behind it.
fn unshelves(row: &Value, behind: Option<bool>) -> Option<Words> {
    if behind == Some(true) || row["latched"] == true {
        return words(
            "结束搁置。注意：报警仍成立或已锁存，解除搁置即以你的名义确认它（ISA-18.2 §11.7.3），不会再发声；若不应确认，请等搁置到期",
            "ends the shelf. Note: the alarm is still active or latched, and ending the shelf acknowledges it in your name (ISA-18.2 §11.7.3): it \
             makes no sound any more. Where it should not be acknowledged, wait for the end of the shelf",
        );
    }
    match behind {
        Some(false) => words(
            "结束搁置；背后的条件现在未成立，以后成立时照常报警。确认之前若又成立，解除搁置即以你的名义确认它（ISA-18.2 §11.7.3）",
            "ends the shelf; the condition behind it is not true now and calls as ever when it is. Should it come true before you agree, this \
             acknowledges it in your name (ISA-18.2 §11.7.3)",
        ),
        _ => words("没有搁置：会被拒绝，什么也不改变", "it is not shelved: this is refused and changes nothing"),
    }
}

fn bypasses(minutes: u64) -> Words {
    (
        format!(
            "以你的名义批准：该测点的全部报警 {minutes} 分钟内不发声、不升级，表决不计它；仍判断、记录并上报。到期前 10 分钟提醒，到期仍成立的立即报警"
        ),
        format!(
            "approves in your name: no alarm of the point sounds or escalates for {minutes} minutes, no vote counts it; all are judged, recorded and \
             reported. Ten minutes before its end it is announced; what is true at its end calls at once"
        ),
    )
}

fn sets_mode(mode: &str) -> Words {
    let zh = super::look::mode_word(mode);
    match mode {
        "running" => (
            format!("装置转为{zh}：按运行方式放宽或抑制的报警恢复原限值，此刻成立的立即报警"),
            "the unit runs: limits that its mode had loosened or suppressed are in force again, and what is true now calls".to_owned(),
        ),
        _ => (
            format!("装置转为{zh}：它的报警限随之改变，配置中为此方式抑制的报警不再发声，直到方式改变；仍判断、记录"),
            format!(
                "the unit is {mode}: its limits follow, and what the configuration suppresses in this mode makes no sound until the mode changes; it is \
                 judged and recorded"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(action: &Action, row: &Value, behind: Option<bool>) -> String {
        action.effect(row, behind).map(|words| line(&words)).unwrap_or_default()
    }

    #[test]
    fn unshelving_what_is_active_says_that_it_acknowledges_and_what_is_not_says_so() {
        let unshelve = Action::Unshelve { alarm: "GT-101:H".into(), reason: String::new() };
        for (row, behind) in [(json!({ "state": "shelved" }), Some(true)), (json!({ "latched": true }), Some(false))] {
            let said = said(&unshelve, &row, behind);
            assert!(said.contains("即以你的名义确认它") && said.contains("acknowledges it in your name"), "{said}");
            assert!(said.contains("ISA-18.2 §11.7.3"), "{said}");
        }
        assert!(said(&unshelve, &Value::Null, Some(false)).contains("not true now"));
        assert!(said(&unshelve, &Value::Null, None).contains("is not shelved"));
    }

    #[test]
    fn what_asks_first_says_what_it_does_in_both_languages() {
        let (alarm, point, reason) = ("GT-101:H".to_owned(), "GT-101".to_owned(), "动火作业".to_owned());
        let reset = Action::Reset { alarm: alarm.clone(), reason: reason.clone() };
        let shelve = Action::Shelve { alarm: alarm.clone(), minutes: 30, one_shot: true, reason: reason.clone() };
        let out = Action::OutOfService { point: point.clone(), work_order: "WO-1".into(), reason: reason.clone() };
        let mode = Action::Mode { unit: "pump".into(), mode: "maintenance".into(), reason: reason.clone() };
        let back = Action::InService { point: point.clone(), reason: reason.clone() };
        let end = Action::EndBypass { point, reason };
        for (action, zh, en) in [
            (reset, "当前读数证实恢复正常", "proved normal"),
            (shelve, "30 分钟内不发声", "sooner when it returns"),
            (out, "不评估", "not evaluated"),
            (mode, "检修 maintenance", "limits follow"),
            (back, "重新判断", "judged anew"),
            (end, "恢复作用", "in effect again"),
        ] {
            let said = said(&action, &Value::Null, None);
            assert!(said.contains(zh) && said.contains(en), "{said}");
        }
        let ack = Action::Ack { alarm, comment: String::new() };
        assert!(said(&ack, &json!({ "state": "returned_unacked" }), None).contains("leaves the list"));
        assert!(said(&ack, &json!({ "state": "unacked" }), None).contains("in your name"));
        assert!(said(&ack, &json!({ "state": "suppressed" }), None).contains("refused now"));
    }
}
