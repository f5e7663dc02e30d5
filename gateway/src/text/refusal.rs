//! What somebody wanted to do and might not, in words: the journal keeps the request and the code of the reason, as they came.
//!
//! ```text
//!   POST alarms/GT-101:HH/shelve: refused: priority_one (as operator), from 127.0.0.1
//!        └ what ┘ └ which ┘ └ what ┘  └ why ──────────┘ └ role and place, as they are
//! ```

use super::{alarm, details};
use crate::snapshot::SiteView;

/// `None` for a detail of another shape, which is shown as it is.
pub(super) fn sentence(detail: &str, site: &SiteView) -> Option<(String, String)> {
    let (asked, rest) = detail.split_once(": ")?;
    let (why, place) = rest.split_once(" (as ")?;
    let (_, path) = asked.split_once(' ')?;
    let (roles, place) = place.split_once(')')?;
    let ((zh, en), (why_zh, why_en)) = (wanted(path, site)?, reason(why));
    let from_zh = place
        .replace(", from ", "，来自 ")
        .replace("; ", "；")
        .replace(" more before were not written", " 次此前的未记录");
    Some((
        format!("{zh}：{why_zh}（角色 {}）{from_zh}", details::roles(roles)),
        format!("{en}: {why_en} (as {roles}){place}"),
    ))
}

/// The requests of people, by the words of their address; the second is whose.
fn wanted(path: &str, site: &SiteView) -> Option<(String, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let (group, id, deed) = match parts[..] {
        [group] => (group, "", ""),
        [group, id] => (group, id, ""),
        [group, id, deed] => (group, id, deed),
        ["office", _, id, deed] => ("office", id, deed),
        [group, id, deed, "end"] => (group, id, if deed == "bypass" { "end-bypass" } else { "in-service" }),
        _ => return None,
    };
    let (zh, en) = match (group, deed) {
        ("alarms", "ack") => ("确认报警", "acknowledge"),
        ("alarms", "shelve") => ("搁置报警", "shelve"),
        ("alarms", "unshelve") => ("解除搁置", "unshelve"),
        ("alarms", "reset") => ("复位锁存", "reset the latch of"),
        ("points", "bypass") => ("旁路", "bypass"),
        ("points", "end-bypass") => ("结束旁路", "end the bypass of"),
        ("points", "out-of-service") => ("停用", "take out of service"),
        ("points", "in-service") => ("恢复使用", "return to service"),
        ("first-out", _) => ("复位首出组", "reset the first-out group"),
        ("units", "mode") => ("改变运行方式", "set the mode of"),
        ("silence", _) => ("消音", "silence the sound"),
        ("annunciator", _) => ("测试声光报警", "test the annunciator"),
        ("hazards", "confirm") => ("确认隐患", "confirm the hidden danger"),
        ("hazards", "reject") => ("排除隐患", "reject the hidden danger"),
        ("hazards", "assess") => ("评估隐患", "assess the hidden danger"),
        ("hazards", "plan") => ("制定隐患治理方案", "plan the treatment of the hidden danger"),
        ("hazards", "report") => ("报告重大隐患", "report the hidden danger"),
        ("hazards", "assign") => ("派发隐患整改", "assign the hidden danger"),
        ("hazards", "rectify") => ("提交隐患整改结果", "say the hidden danger is rectified"),
        ("hazards", "accept") => ("验收隐患", "accept the work on the hidden danger"),
        ("hazards", "close") => ("隐患销号", "close the hidden danger"),
        ("hazards", "") => ("登记隐患", "register a hidden danger"),
        ("config", _) => ("换用新配置", "reload the configuration"),
        ("users", _) => ("管理用户", "manage the user"),
        ("office", _) => ("确认收到", "confirm the receipt of"),
        ("demo", _) => ("控制演示场景", "control the demo scenarios"),
        _ => return None,
    };
    // What a browser writes for the two signs of a key that an address does not have.
    let id = id.replace("%3A", ":").replace("%2B", "+");
    let whose = match group {
        "alarms" => alarm::title(&id, site),
        "annunciator" | "config" | "demo" => (String::new(), String::new()),
        _ => (id.clone(), id),
    };
    Some((format!("{zh} {}", whose.0).trim_end().into(), format!("{en} {}", whose.1).trim_end().into()))
}

fn reason(why: &str) -> (String, String) {
    let (kind, code) = why.split_once(": ").unwrap_or((why, ""));
    let (zh, en) = match (of_code(code), kind) {
        (Some(words), _) => words,
        (None, "forbidden") => ("该角色无此权限", "not allowed for this role"),
        (None, "cross-site") => ("请求不是由本页面发出", "request not made by this page"),
        (None, "changed") => ("所见内容已变化", "changed since it was shown"),
        (None, "refused") => ("当前状态下不能执行", "not possible in the present state"),
        _ => return (why.to_owned(), why.to_owned()),
    };
    (zh.to_owned(), en.to_owned())
}

/// A refusal of the engine in words, by its code.
pub(crate) fn of_code(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "hidden" => ("报警已隐藏，先解除隐藏", "the alarm is hidden; end that first"),
        "out_of_service" => ("测点已停用", "the point is out of service"),
        "still_active" => ("报警仍成立", "the alarm is still active"),
        "not_acknowledged" => ("尚未确认", "not acknowledged yet"),
        "nothing_to_end" => ("没有可结束的", "there is nothing to end"),
        "nothing_to_acknowledge" => {
            ("报警不在列表中，没有需要确认的", "the alarm does not stand: there is nothing to acknowledge")
        }
        "vote_would_be_blind" => ("表决组的有效成员将不足", "the vote would have too few healthy members"),
        "too_many_bypassed" => ("表决组旁路数已到上限", "as many members of the vote are bypassed as may be"),
        "group_not_normal" => ("组内成员未全部正常并确认", "members of the group are not all normal and acknowledged"),
        "mode_is_measured" => ("装置状态由运行信号决定", "the mode comes from the running signal"),
        "priority_one" => ("紧急报警（1 级）不允许搁置", "an alarm of priority 1 is never shelved"),
        "same_person" => ("申请人与批准人是同一人", "requester and approver are the same person"),
        "inspector_is_rectifier" => ("验收人是整改人或责任人", "who did the work or answers for it does not accept it"),
        "other_stage" => ("隐患不在这一阶段", "the record is at another stage"),
        "condition_not_normal" => ("报警未证实恢复正常", "the alarm is not known to be normal"),
        "too_many_open" => ("未销号的隐患过多", "too many records are open"),
        // of the station around the engine
        "no_configuration_file" => (
            "演示站点不从配置文件运行，没有可重新加载的",
            "a demo does not run from a configuration file: there is none to load again",
        ),
        "reload_under_way" => (
            "另一次重新加载正在进行，或网关正在停止：稍后再试",
            "another reload is under way, or the gateway is stopping: try again in a moment",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::site;
    use crate::web::routes::ROUTES;

    #[test]
    fn what_was_wanted_by_whom_and_why_not_is_said_in_words() {
        let (zh, en) =
            sentence("POST alarms/GT-102%3AHH/shelve: forbidden: priority_one (as operator), from 127.0.0.1", &site())
                .unwrap();
        let (title, title_en) = alarm::title("GT-102:HH", &site());
        assert_eq!(zh, format!("搁置报警 {title}：紧急报警（1 级）不允许搁置（角色 值班员），来自 127.0.0.1"));
        assert_eq!(
            en,
            format!("shelve {title_en}: an alarm of priority 1 is never shelved (as operator), from 127.0.0.1")
        );
        let (zh, en) = sentence(
            "POST points/GT-101/bypass/end: changed: GT-101 (as safety); 3 more before were not written, from ::1",
            &site(),
        )
        .unwrap();
        assert_eq!(zh, "结束旁路 GT-101：所见内容已变化（角色 安全员）；3 次此前的未记录，来自 ::1");
        assert_eq!(
            en,
            "end the bypass of GT-101: changed since it was shown (as safety); 3 more before were not written, from ::1"
        );
        assert_eq!(sentence("POST something/else: forbidden (as operator)", &site()), None);
    }

    #[test]
    fn every_refusal_of_the_engine_has_words() {
        let codes = include_str!("../../../rules/src/command.rs").split_once("pub fn code(self)").unwrap().1;
        let codes: Vec<&str> =
            codes.lines().filter_map(|l| l.trim().strip_prefix("Self::")?.split('"').nth(1)).collect();
        assert!(codes.contains(&"priority_one") && codes.len() >= 15, "{codes:?}");
        for code in codes {
            assert!(of_code(code).is_some(), "{code}");
        }
    }

    /// A new refusal or a new request must have its words here, too.
    #[test]
    fn every_change_of_the_routes_has_words() {
        for route in ROUTES.iter().filter(|route| route.method != "GET") {
            let path = route
                .path
                .trim_start_matches("/api/v1/")
                .replace("{id}", "X")
                .replace("{name}", "X")
                .replace("{event_id}", "X");
            let own = ["session", "setup", "password"].contains(&path.as_str());
            assert!(own || wanted(&path, &site()).is_some(), "{path}");
        }
    }
}
