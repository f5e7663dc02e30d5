//! What an event says to a person: zh-CN first, English beside it, readable without a manual.
//!
//! Owns the sentences of events (page, MQTT, export). Leaves wording of configuration defects to `config` and of the page's
//! own labels to the page.

mod alarm;
mod annunciator;
pub mod changes;
mod counted;
mod details;
mod hazards;
mod operations;
mod own;
pub mod parts;
mod refusal;
#[cfg(test)]
mod tests;

pub use annunciator::annunciator_fault_words;
pub(crate) use counted::counted;
pub(crate) use details::of_device;
pub(crate) use hazards::date;
pub use own::{Own, own_alarm};
pub(crate) use refusal::of_code as refusal_words;

use crate::snapshot::SiteView;
use rules::{Doubt, Event, EventKind, Fault};

/// Who did what the command line left a note of: it has no person signed in.
pub(crate) const COMMAND_LINE: &str = "command line";

/// The sentence of one event: `(zh-CN, English)`.
#[must_use]
pub fn event_text(event: &Event, site: &SiteView) -> (String, String) {
    if let Some(fact) = event.kind.fact() {
        return alarm::sentence(&event.kind, fact, site);
    }
    if let Some(said) = operations::sentence(&event.kind, site).or_else(|| annunciator::sentence(&event.kind)) {
        return said;
    }
    match &event.kind {
        EventKind::HazardOpened { hazard } => hazards::opened(hazard, site),
        EventKind::HazardStage { hazard } => hazards::moved(hazard, site),
        EventKind::HazardOverdue { hazard, due } => hazards::overdue(hazard, *due),
        EventKind::HazardOccurrence { hazard, occurrence } => {
            let alarm = occurrence.split('#').next().unwrap_or_default();
            let (zh, en) = alarm::title(alarm, site);
            (format!("隐患 {hazard} 未销号，{zh}再次发生"), format!("Hidden danger {hazard} is still open: {en} again"))
        }
        EventKind::Receipt { event_id, by, note } => receipt_text(event_id, by.as_deref(), note.as_deref()),
        EventKind::DeviceState { device, code, detail } => device_text(device, code, detail, site),
        EventKind::Operator { user, action, detail } => {
            let (zh, en) = action_words(action);
            let refused = if action == "refused" { refusal::sentence(detail, site) } else { None };
            let (detail_zh, detail_en) =
                refused.unwrap_or_else(|| (details::of_person(action, detail), detail.clone()));
            let between = match (zh.ends_with('：'), detail_zh.starts_with("来自 ")) {
                (true, _) => "",
                (false, true) => "，",
                (false, false) => " ",
            };
            (
                format!("{}：{zh}{between}{detail_zh}", details::user(user)).trim_end().into(),
                format!("{user}: {en} {detail_en}").trim_end().into(),
            )
        }
        EventKind::Notice { text_zh, text_en, .. } => (text_zh.clone(), text_en.clone()),
        kind => system_text(kind),
    }
}

/// The alarm of a key in words: `GT-102 东侧氨气 高限报警`.
#[must_use]
pub fn alarm_title(key: &str, site: &SiteView) -> (String, String) {
    alarm::title(key, site)
}

/// What people do that changes no alarm; an unknown action is shown as it is, never hidden.
fn action_words(action: &str) -> (&str, &str) {
    match action {
        "sign_in" => ("登录", "signed in"),
        "sign_in_failed" => ("登录失败", "sign-in failed"),
        "sign_out" => ("退出", "signed out"),
        "refused" => ("操作被拒绝：", "was refused:"),
        "setup" => ("首次设置：", "first setup"),
        "password_changed" => ("修改了本人密码", "changed the own password"),
        "password_set" => ("重设了密码", "set a password"),
        "user_added" => ("新增用户", "added user"),
        "user_changed" => ("修改用户", "changed user"),
        "user_disabled" => ("停用用户", "disabled user"),
        "user_enabled" => ("启用用户", "enabled user"),
        "config_refused" => (
            "要求换用的新配置有缺陷，未生效：",
            "asked for a new configuration, which has defects and is not in force:",
        ),
        "config_reloaded" => (
            "要求重新读取配置，规则未变（密码或型号文件可能已换）：",
            "had the configuration read again; its rules are the same, secrets or profiles may not be:",
        ),
        "scenario_started" => ("启动演示场景", "started scenario"),
        "scenarios_stopped" => ("停止全部演示场景", "stopped all scenarios"),
        other => (other, other),
    }
}

fn system_text(kind: &EventKind) -> (String, String) {
    match kind {
        EventKind::Started { version, down_for_ms, .. } => {
            let (zh, en) = match down_for_ms {
                Some(ms) => {
                    let (zh, en) = length(*ms);
                    (format!("，停机 {zh}"), format!(", down for {en}"))
                }
                None => (String::new(), String::new()),
            };
            (format!("网关启动，版本 {version}{zh}"), format!("Gateway started, version {version}{en}"))
        }
        EventKind::Stopped { .. } => ("网关正常停止".into(), "Gateway stopped cleanly".into()),
        EventKind::ConfigChanged { by, .. } if by == "start" => (
            "启动时发现配置与上次运行不同，新配置已生效".into(),
            "The configuration differs from that of the last run and is in force".into(),
        ),
        EventKind::ConfigChanged { asked: Some(asked), .. } => (
            format!("新配置已生效，由 {} 换用：{}", asked.by, asked.reason),
            format!("A new configuration is in force, put there by {}: {}", asked.by, asked.reason),
        ),
        EventKind::ConfigChanged { by, .. } => (
            format!("新配置已生效（由 {by} 触发，操作人未知）"),
            format!("A new configuration is in force (asked for by {by}; by whom is not known)"),
        ),
        other => (other.name().into(), other.name().into()),
    }
}

fn device_text(device: &str, code: &str, detail: &str, site: &SiteView) -> (String, String) {
    let (zh, en) = match code {
        "link_down" => ("通信链路中断", "link down"),
        // also the first connection of a run: nothing was broken before
        "link_up" => ("通信链路已接通", "link connected"),
        "unit_dead" => ("设备无应答", "does not answer"),
        "unit_back" => ("设备恢复应答", "answers again"),
        other => (other, other),
    };
    let name = site.names.of(device);
    if detail.is_empty() {
        return (format!("{} {zh}", name.0), format!("{} {en}", name.1));
    }
    (format!("{} {zh}（{}）", name.0, details::of_device(detail)), format!("{} {en} ({detail})", name.1))
}

fn receipt_text(event_id: &str, by: Option<&str>, note: Option<&str>) -> (String, String) {
    let note = note.filter(|n| !n.is_empty());
    match by {
        Some(by) => (
            format!("镇应急办 {by} 已确认事件 {event_id}{}", note.map_or(String::new(), |n| format!("：{n}"))),
            format!(
                "Office duty officer {by} confirmed event {event_id}{}",
                note.map_or(String::new(), |n| format!(": {n}"))
            ),
        ),
        None => (format!("镇应急办已收到事件 {event_id}"), format!("The office received event {event_id}")),
    }
}

/// Key and name; the key once, also where the name says it already.
pub(crate) fn titled(key: &str, name: &str) -> String {
    let says_it = name.split(|c: char| c.is_whitespace() || "（）(),，、".contains(c)).any(|word| word == key);
    if says_it { name.to_owned() } else { format!("{key} {name}") }
}

/// The word of a doubt for people.
#[must_use]
pub fn doubt_words(doubt: Doubt) -> (&'static str, &'static str) {
    match doubt {
        Doubt::OverRange => ("超量程", "over range"),
        Doubt::UnderRange => ("低于量程", "under range"),
        Doubt::Maintenance => ("仪表要求维护", "the instrument asks for maintenance"),
        Doubt::Simulated => ("模拟值", "simulated"),
        Doubt::Unconfirmed => ("待第二次读数确认", "to be confirmed by a second reading"),
    }
}

/// The word of a fault for people.
#[must_use]
pub fn fault_words(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::NeverRead => ("尚未读到", "not read yet"),
        Fault::Timeout => ("应答超时", "no answer in time"),
        Fault::Disconnected => ("连接断开", "disconnected"),
        Fault::Protocol => ("应答损坏", "damaged answer"),
        Fault::Exception(_) => ("设备拒绝", "device refused"),
        Fault::Configuration => ("配置与设备不符", "configuration does not fit the device"),
        Fault::Stale => ("数据过期", "stale"),
        Fault::Sensor => ("传感器故障", "sensor failure"),
        Fault::WarmUp => ("预热中", "warming up"),
        Fault::Inhibited => ("抑制或标定中", "inhibited or calibrating"),
        Fault::NotANumber => ("无效数值", "not a number"),
        Fault::Frozen => ("仪表心跳停止，数值不再更新", "the instrument's heartbeat stands still"),
    }
}

/// A length of time as people say it: `45 秒`, `12 分`, `3 小时 20 分`.
fn length(ms: u64) -> (String, String) {
    let (seconds, minutes, hours) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    let mut parts = vec![(hours, "小时", "h"), (minutes, "分", "min")];
    if hours == 0 {
        parts.push((seconds, "秒", "s"));
    }
    let mut said = parts.into_iter().filter(|(n, ..)| *n > 0).collect::<Vec<_>>();
    if said.is_empty() {
        said.push((0, "秒", "s"));
    }
    let join = |words: Vec<String>| words.join(" ");
    (
        join(said.iter().map(|(n, zh, _)| format!("{n} {zh}")).collect()),
        join(said.iter().map(|(n, _, en)| format!("{n} {en}")).collect()),
    )
}

fn risk_names(key: Option<&str>, site: &SiteView) -> (String, String) {
    match key.and_then(|key| site.risks.iter().find(|r| r.key == key)) {
        Some(r) => (format!("；关联风险：{} {}", r.key, r.name), format!("; risk: {} {}", r.key, r.name_en)),
        None => (String::new(), String::new()),
    }
}
