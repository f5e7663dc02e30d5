//! Details that other parts write into an event in English: why a link is down, which unit, which roles. For the Chinese sentence.
//!
//! What nobody knows here stays as it is: an address, a name, an error of a driver.

use super::COMMAND_LINE;
use crate::web::routes::Role;

/// Why a link is down, by a part of what its bus or the system says.
const LINK: [(&str, &str); 17] = [
    ("closed by the other end or unplugged", "对端断开或线路拔出"),
    ("answers to old requests again and again", "一再收到过期应答"),
    ("the task of the bus failed", "总线任务异常"),
    ("certificate has expired", "仪表的证书已过期：更换证书，或校正本机时钟"),
    ("certificate is not valid yet", "仪表的证书尚未生效：校正本机时钟"),
    ("certificate is signed by nobody in ca_file", "仪表的证书不是 ca_file 中的机构签发：把签发机构的证书加入 ca_file"),
    ("certificate has another name", "仪表证书上的名称不符：把 server_name 改为证书上的名称"),
    ("certificate is not valid", "仪表的证书无效"),
    ("onnection refused", "连接被拒绝"),
    ("onnection reset", "连接被对端复位"),
    ("deadline has elapsed", "连接超时"),
    ("timed out", "连接超时"),
    ("No route to host", "无法到达该地址"),
    ("etwork is unreachable", "网络不可达"),
    ("No such file or directory", "没有该设备文件"),
    ("ermission denied", "无权限"),
    ("resource busy", "设备被占用"),
];

/// `tcp-1 unit 12` → `tcp-1 站号 12`; `Connection refused (os error 111)` → `连接被拒绝`.
pub(crate) fn of_device(detail: &str) -> String {
    let known = LINK.iter().find(|(part, _)| detail.contains(part));
    known.map_or_else(|| detail.replace(" unit ", " 站号 "), |(_, zh)| (*zh).to_owned())
}

/// The few English words that the routes and the command line write about what a person did.
pub(super) fn of_person(action: &str, detail: &str) -> String {
    let (first, rest) = match detail.strip_prefix("first administrator, ") {
        Some(rest) => ("首个管理员，", rest),
        None => ("", detail),
    };
    let rest =
        rest.replace("; uid ", "；系统用户号 ").replace(" defects; ", " 处缺陷；").replace(" defect; ", " 处缺陷；");
    let rest = if matches!(action, "user_added" | "user_changed") { with_roles(&rest) } else { rest };
    match rest.strip_prefix("from ") {
        Some(source) => format!("{first}来自 {source}"),
        None => format!("{first}{rest}"),
    }
}

/// `wang operator+shift；…` → `wang（值班员、班长）；…`; a person may be called as a role is.
fn with_roles(detail: &str) -> String {
    let (what, more) = detail.split_at(detail.find('；').unwrap_or(detail.len()));
    match what.rsplit_once(' ') {
        Some((name, words)) => format!("{name}（{}）{more}", roles(words)),
        None => detail.to_owned(),
    }
}

/// `operator+shift` → `值班员、班长`.
pub(super) fn roles(words: &str) -> String {
    Role::names_zh(words)
}

/// The name that a person has, or the command line, which has nobody signed in.
pub(super) fn user(name: &str) -> &str {
    if name == COMMAND_LINE { "命令行" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bus_says_in_english_is_said_in_chinese() {
        assert_eq!(of_device("closed by the other end or unplugged"), "对端断开或线路拔出");
        assert_eq!(of_device("Connection refused (os error 111)"), "连接被拒绝");
        let name = "the instrument's certificate has another name: set server_name to one that is in it (plc-1)";
        assert_eq!(of_device(name), "仪表证书上的名称不符：把 server_name 改为证书上的名称");
        assert_eq!(of_device("tcp-1 unit 12"), "tcp-1 站号 12");
        assert_eq!(
            of_device("the driver of /dev/ttyS1 has no RS-485 mode"),
            "the driver of /dev/ttyS1 has no RS-485 mode"
        );
    }

    #[test]
    fn roles_have_one_name_everywhere_and_a_person_called_as_a_role_keeps_the_name() {
        assert_eq!(
            of_person("user_added", "admin admin+shift; uid 0, 2026"),
            "admin（管理员、班长）；系统用户号 0, 2026"
        );
        assert_eq!(of_person("user_disabled", "admin"), "admin");
        let page =
            include_str!("../../hmi/src/i18n/zh.ts").to_owned() + include_str!("../../hmi/src/i18n/zh_hiding.ts");
        let (help, document) = (include_str!("../cli/user.rs"), include_str!("../../../docs/operate.md"));
        for known in Role::ALL {
            let line = format!("'role.{}': '{}'", known.word(), known.name_zh());
            assert!(page.contains(&line), "the page has no {line}");
            let pair = format!("{} {}", known.word(), known.name_zh());
            assert!(help.contains(&pair) && document.contains(&format!("| {pair} |")), "{pair}");
        }
    }
}
