//! What an event says to a person: zh-CN first, English beside it, readable without a manual.
//!
//! Owns the sentences of events (page, MQTT, export). Leaves wording of configuration defects to `config` and of the page's
//! own labels to the page.

mod operations;

use crate::snapshot::{PointView, SiteView};
use rules::hazard::{Hazard, Stage};
use rules::{AlarmFact, Doubt, Event, EventKind, Fault, Reading};

/// The sentence of one event: `(zh-CN, English)`.
#[must_use]
pub fn event_text(event: &Event, site: &SiteView) -> (String, String) {
    if let Some(fact) = event.kind.fact() {
        return alarm_text(&event.kind, fact, site);
    }
    if let Some(said) = operations::sentence(&event.kind, site) {
        return said;
    }
    match &event.kind {
        EventKind::HazardOpened { hazard } => {
            hazard_text(hazard, site, "发现隐患，待确认", "Hidden danger found, to be confirmed")
        }
        EventKind::HazardStage { hazard } => stage_text(hazard, site),
        EventKind::HazardOccurrence { hazard, occurrence } => (
            format!("隐患 {hazard} 再次发生（报警 {occurrence}）"),
            format!("Hidden danger {hazard} occurred again (alarm {occurrence})"),
        ),
        EventKind::Receipt { event_id, by, note } => receipt_text(event_id, by.as_deref(), note.as_deref()),
        EventKind::DeviceState { device, code, detail } => device_text(device, code, detail),
        EventKind::Operator { user, action, detail } => {
            let (zh, en) = action_words(action);
            (
                format!("{user}：{zh} {}", detail_zh(detail)).trim_end().into(),
                format!("{user}: {en} {detail}").trim_end().into(),
            )
        }
        EventKind::Notice { text_zh, text_en, .. } => (text_zh.clone(), text_en.clone()),
        kind => system_text(kind),
    }
}

/// What people do that changes no alarm; an unknown action is shown as it is, never hidden.
fn action_words(action: &str) -> (&str, &str) {
    match action {
        "sign_in" => ("登录", "signed in"),
        "sign_in_failed" => ("登录失败", "sign-in failed"),
        "sign_out" => ("退出", "signed out"),
        "setup" => ("首次设置", "first setup"),
        "password_changed" => ("修改了本人密码", "changed the own password"),
        "password_set" => ("重设了密码", "set a password"),
        "user_added" => ("新增用户", "added user"),
        "user_changed" => ("修改用户", "changed user"),
        "user_disabled" => ("停用用户", "disabled user"),
        "user_enabled" => ("启用用户", "enabled user"),
        "scenario_started" => ("启动演示场景", "started scenario"),
        other => (other, other),
    }
}

/// The few English words that the sign-in routes write into a detail; addresses and names stay as they are.
fn detail_zh(detail: &str) -> String {
    let (first, rest) = match detail.strip_prefix("first administrator, ") {
        Some(rest) => ("首个管理员，", rest),
        None => ("", detail),
    };
    match rest.strip_prefix("from ") {
        Some(source) => format!("{first}来自 {source}"),
        None => format!("{first}{rest}"),
    }
}

fn system_text(kind: &EventKind) -> (String, String) {
    match kind {
        EventKind::Started { version, down_for_ms, .. } => {
            let (zh, en) = match down_for_ms {
                Some(ms) => (format!("，停机 {} 秒", ms / 1000), format!(", down for {} s", ms / 1000)),
                None => (String::new(), String::new()),
            };
            (format!("网关启动，版本 {version}{zh}"), format!("Gateway started, version {version}{en}"))
        }
        EventKind::Stopped { .. } => ("网关正常停止".into(), "Gateway stopped cleanly".into()),
        EventKind::ConfigChanged { by, .. } => {
            (format!("配置已更改（{by}）"), format!("Configuration changed by {by}"))
        }
        other => (other.name().into(), other.name().into()),
    }
}

fn device_text(device: &str, code: &str, detail: &str) -> (String, String) {
    let (zh, en) = match code {
        "link_down" => ("通信链路中断", "link down"),
        "link_up" => ("通信链路恢复", "link up"),
        "unit_dead" => ("设备无应答", "does not answer"),
        "unit_back" => ("设备恢复应答", "answers again"),
        other => (other, other),
    };
    let tail = |open: &str, close: &str| {
        if detail.is_empty() { String::new() } else { format!("{open}{detail}{close}") }
    };
    (format!("{device} {zh}{}", tail("（", "）")), format!("{device} {en}{}", tail(" (", ")")))
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

fn hazard_text(hazard: &Hazard, site: &SiteView, zh: &str, en: &str) -> (String, String) {
    let measure = site.measures.iter().find(|m| m.key == hazard.measure);
    let (text_zh, text_en) =
        measure.map_or((hazard.measure.as_str(), hazard.measure.as_str()), |m| (&m.text, &m.text_en));
    let (risk_zh, risk_en) = risk_names(Some(&hazard.risk), site);
    (
        format!("{zh}：{}，管控措施失效“{text_zh}”，起因 {}{risk_zh}", hazard.id, hazard.cause),
        format!("{en}: {}, control measure failed \"{text_en}\", cause {}{risk_en}", hazard.id, hazard.cause),
    )
}

fn stage_text(hazard: &Hazard, site: &SiteView) -> (String, String) {
    match &hazard.stage {
        Stage::Candidate => hazard_text(hazard, site, "隐患待确认", "Hidden danger to be confirmed"),
        Stage::Registered { confirmed } => (
            format!("隐患 {} 已登记，确认人 {}：{}", hazard.id, confirmed.by, confirmed.reason),
            format!("Hidden danger {} registered, confirmed by {}: {}", hazard.id, confirmed.by, confirmed.reason),
        ),
        Stage::Rejected { rejected } => (
            format!("隐患 {} 判定为误报，{}：{}", hazard.id, rejected.by, rejected.reason),
            format!("Hidden danger {} rejected as a false alarm by {}: {}", hazard.id, rejected.by, rejected.reason),
        ),
    }
}

fn alarm_text(kind: &EventKind, fact: &AlarmFact, site: &SiteView) -> (String, String) {
    let point = site.points.iter().find(|p| p.key == fact.point);
    let (name_zh, name_en) = subject(fact, point);
    let (cond_zh, cond_en) = condition_words(&fact.condition);
    let (value_zh, value_en) = value_words(fact, point);
    let (risk_zh, risk_en) = risk_names(fact.risk.as_deref(), site);
    let plain = || {
        let (zh, en) = transition(kind);
        (zh.to_owned(), en.to_owned())
    };
    let (what_zh, what_en) = operations::transition(kind).unwrap_or_else(plain);
    let (rank_zh, rank_en) = first_out_words(kind, fact);
    let (drill_zh, drill_en) = if fact.drill { ("【演练】", "[DRILL] ") } else { ("", "") };
    (
        format!("{drill_zh}{name_zh} {cond_zh}{what_zh}{value_zh}{rank_zh}{risk_zh}"),
        format!("{drill_en}{name_en}: {cond_en} {what_en}{value_en}{rank_en}{risk_en}"),
    )
}

/// Which one came first, where the group tells it. 约同时: polling cannot prove the order.
fn first_out_words(kind: &EventKind, fact: &AlarmFact) -> (String, String) {
    let Some(rank) = fact.first_out.filter(|_| matches!(kind, EventKind::Raised { .. })) else {
        return (String::new(), String::new());
    };
    let (zh, en) = if rank.tie { ("（约同时）", " (about the same time)") } else { ("", "") };
    (format!("；首出顺序第 {}{zh}", rank.rank), format!("; first-out rank {}{en}", rank.rank))
}

fn subject(fact: &AlarmFact, point: Option<&PointView>) -> (String, String) {
    match point {
        Some(p) => (titled(&p.key, &p.name), titled(&p.key, &p.name_en)),
        None => {
            let key = fact.alarm.rsplit_once(':').map_or(fact.alarm.as_str(), |(subject, _)| subject);
            if key == "system" {
                let code = fact.alarm.rsplit_once(':').map_or("", |(_, code)| code);
                let (zh, en) = system_words(code);
                return (format!("网关 {zh}"), format!("Gateway {en}"));
            }
            (format!("设备 {key}"), format!("Device {key}"))
        }
    }
}

/// Key and name; the key once, also where the name says it already.
fn titled(key: &str, name: &str) -> String {
    let says_it = name.split(|c: char| c.is_whitespace() || "（）(),，、".contains(c)).any(|word| word == key);
    if says_it { name.to_owned() } else { format!("{key} {name}") }
}

fn system_words(code: &str) -> (&str, &str) {
    match code {
        "storage_slow" => ("存储变慢或失败", "storage slow or failing"),
        "storage_full" => ("磁盘空间不足", "disk nearly full"),
        "clock_untrusted" => ("时钟不可信", "clock not trusted"),
        "uplink_down" => ("上报链路中断", "uplink down"),
        "office_silent" => ("监管端未确认收到", "not confirmed by the office"),
        "influx_refused" => ("InfluxDB 拒绝写入", "InfluxDB refuses writes"),
        "records_salvaged" => ("记录损坏已抢救", "damaged records salvaged"),
        "task_restarted" => ("内部任务异常重启", "a task was restarted"),
        other => (other, other),
    }
}

fn condition_words(word: &str) -> (&str, &str) {
    match word {
        "HH" => ("高高限报警", "high-high alarm"),
        "H" => ("高限报警", "high alarm"),
        "L" => ("低限报警", "low alarm"),
        "LL" => ("低低限报警", "low-low alarm"),
        "SENSOR_FAULT" => ("仪表故障", "instrument fault"),
        "COMMS_LOSS" => ("通信中断", "communication lost"),
        "ROC+" => ("上升过快报警", "rising too fast"),
        "ROC-" => ("下降过快报警", "falling too fast"),
        "DEV" => ("偏差报警", "deviation alarm"),
        "DEVICE_FROZEN" => ("装置停止刷新", "device frozen"),
        "STUCK" => ("读数卡滞", "reading stuck"),
        "VOTE" => ("表决报警", "vote alarm"),
        "VOTE_INVALID" => ("表决失效（无有效成员）", "vote without a valid member"),
        "DISCRETE" => ("状态报警", "state alarm"),
        "SYSTEM" => ("系统报警", "system alarm"),
        other => (other, other),
    }
}

fn transition(kind: &EventKind) -> (&'static str, &'static str) {
    match kind {
        EventKind::Raised { assumed: true, .. } => {
            ("发生（数据中断，按最坏情况判定）", "raised (data lost, worst case assumed)")
        }
        EventKind::Raised { .. } => ("发生", "raised"),
        EventKind::Held { .. } => ("保持（当前无有效数据）", "held (no valid data)"),
        EventKind::Released { .. } => ("数据恢复，仍处于报警", "data valid again, still in alarm"),
        EventKind::Returned { .. } => ("恢复正常", "returned to normal"),
        EventKind::Acked { .. } => ("已被确认", "acknowledged"),
        EventKind::Cleared { .. } => ("结束", "cleared"),
        EventKind::PendingOn { .. } => ("条件出现，延时中", "condition seen, delay running"),
        EventKind::PendingCancelled { .. } => ("条件消失，未报警", "condition gone before the delay"),
        EventKind::PendingOff { .. } => ("恢复中，延时确认", "returning, delay running"),
        EventKind::ReturnCancelled { .. } => ("恢复未成立", "return cancelled"),
        _ => ("", ""),
    }
}

fn value_words(fact: &AlarmFact, point: Option<&PointView>) -> (String, String) {
    let decimals = usize::from(point.map_or(1, |p| p.decimals));
    let (mut zh, mut en) = match fact.reading {
        Some(Reading::Good(v)) => {
            let shown = with_unit(v.get(), decimals, &fact.unit);
            (format!("：当前 {shown}"), format!(": now {shown}"))
        }
        Some(Reading::Uncertain(v, _)) => {
            let shown = with_unit(v.get(), decimals, &fact.unit);
            (format!("：当前 {shown}（可疑）"), format!(": now {shown} (uncertain)"))
        }
        Some(Reading::Bad(fault)) => {
            let (zh, en) = fault_words(fault);
            (format!("：{zh}"), format!(": {en}"))
        }
        None => (String::new(), String::new()),
    };
    if let Some(limit) = fact.limit {
        let shown = with_unit(limit, decimals, &fact.unit);
        zh.push_str(&format!("，限值 {shown}"));
        en.push_str(&format!(", limit {shown}"));
    }
    (zh, en)
}

fn with_unit(value: f64, decimals: usize, unit: &str) -> String {
    let shown = format!("{value:.decimals$}");
    if unit.is_empty() { shown } else { format!("{shown} {unit}") }
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

fn risk_names(key: Option<&str>, site: &SiteView) -> (String, String) {
    match key.and_then(|key| site.risks.iter().find(|r| r.key == key)) {
        Some(r) => (format!("；关联风险：{} {}", r.key, r.name), format!("; risk: {} {}", r.key, r.name_en)),
        None => (String::new(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::titled;

    #[test]
    fn a_name_that_says_the_key_says_it_once() {
        assert_eq!(titled("GT-102", "GT-102 氨气浓度"), "GT-102 氨气浓度");
        assert_eq!(titled("GT-102", "氨气浓度（GT-102）"), "氨气浓度（GT-102）");
        assert_eq!(titled("GT-102", "东侧氨气"), "GT-102 东侧氨气");
    }

    #[test]
    fn the_key_of_another_point_is_not_this_one() {
        assert_eq!(titled("GT-10", "GT-102 氨气浓度"), "GT-10 GT-102 氨气浓度");
    }
}
