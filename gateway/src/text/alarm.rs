//! Sentences of alarms: whose, what happened to it, value, limit, order, risk.

use super::{doubt_words, fault_words, operations, risk_names, titled};
use crate::snapshot::{PointView, SiteView};
use rules::{AlarmFact, Cause, EventKind, Reading};

/// An alarm, what happened to it, its value and limit, its risk.
pub(super) fn sentence(kind: &EventKind, fact: &AlarmFact, site: &SiteView) -> (String, String) {
    let point = site.points.find(&fact.point);
    let point = point.as_ref();
    let (name_zh, name_en) = subject(&fact.alarm, point, site);
    let (cond_zh, cond_en) = match kind {
        // the instrument says so itself; that is no fault yet
        EventKind::Inhibited { .. } | EventKind::InhibitEnded { .. } => ("", ""),
        _ => condition_words(&fact.condition),
    };
    let (value_zh, value_en) = match kind {
        // over without a value: the limit alone says nothing
        EventKind::Cleared { .. } if fact.reading.is_none() => (String::new(), String::new()),
        // behind the posts to be called a second colon would say that they have the value
        EventKind::Escalated { call, .. } if !call.is_empty() => {
            let (zh, en) = value_words(fact, point);
            (zh.replacen('：', "；", 1), en.replacen(": ", "; ", 1))
        }
        _ => value_words(fact, point),
    };
    let (risk_zh, risk_en) = risk_names(fact.risk.as_deref(), site);
    let plain = || {
        let (zh, en) = transition(kind);
        (zh.to_owned(), en.to_owned())
    };
    let special = || match kind {
        EventKind::Cleared { .. } => end_words(fact),
        EventKind::ReturnCancelled { .. } => within_deadband(fact, decimals(point)),
        _ => None,
    };
    let (what_zh, what_en) = operations::transition(kind, site).or_else(special).unwrap_or_else(plain);
    let (rank_zh, rank_en) = first_out_words(kind, fact);
    let (detail_zh, detail_en) = detail_words(fact);
    let (drill_zh, drill_en) = if fact.drill { ("【演练】", "[DRILL] ") } else { ("", "") };
    (
        format!("{drill_zh}{name_zh} {cond_zh}{what_zh}{value_zh}{detail_zh}{rank_zh}{risk_zh}"),
        format!("{drill_en}{name_en}: {}{what_en}{value_en}{detail_en}{rank_en}{risk_en}", spaced(cond_en)),
    )
}

fn spaced(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!("{word} ") }
}

/// Which one came first, where the group tells it. 约同时: polling cannot prove the order.
fn first_out_words(kind: &EventKind, fact: &AlarmFact) -> (String, String) {
    let Some(rank) =
        fact.first_out.filter(|_| matches!(kind, EventKind::Raised { .. } | EventKind::ShelfExpired { .. }))
    else {
        return (String::new(), String::new());
    };
    let (zh, en) = if rank.tie { ("（约同时）", " (about the same time)") } else { ("", "") };
    (format!("；首出顺序第 {}{zh}", rank.rank), format!("; first-out rank {}{en}", rank.rank))
}

/// How many of how many asked for it; which things a condition of the gateway itself is about.
fn detail_words(fact: &AlarmFact) -> (String, String) {
    match fact.detail.split_once('/') {
        Some((votes, needed)) if fact.condition == "VOTE" => {
            let plural = if votes == "1" { "" } else { "s" };
            (format!("：{votes} 票成立，需要 {needed} 票"), format!(": {votes} vote{plural}, {needed} needed"))
        }
        // which points' bypasses are about to end
        _ if fact.condition == "SYSTEM" && !fact.detail.is_empty() => {
            (format!("：{}", fact.detail), format!(": {}", fact.detail))
        }
        _ => (String::new(), String::new()),
    }
}

/// The alarm of a key in words, for sentences about several: `GT-102 东侧氨气 高限报警`.
pub(super) fn title(alarm: &str, site: &SiteView) -> (String, String) {
    let Some((key, condition)) = alarm.rsplit_once(':') else { return (alarm.to_owned(), alarm.to_owned()) };
    let (zh, en) = subject(alarm, site.points.find(key).as_ref(), site);
    if key == "system" {
        return (zh, en);
    }
    let (cond_zh, cond_en) = condition_words(condition);
    (format!("{zh} {cond_zh}"), format!("{en} {cond_en}"))
}

/// Whose alarm it is: a point's, the gateway's own, or a named thing's (instrument, vote).
fn subject(alarm: &str, point: Option<&PointView>, site: &SiteView) -> (String, String) {
    if let Some(p) = point {
        return (titled(&p.key, &p.name), titled(&p.key, &p.name_en));
    }
    let (key, rest) = alarm.rsplit_once(':').unwrap_or((alarm, ""));
    match (key, rest) {
        ("system", code) => {
            let (zh, en) = system_words(code);
            (format!("网关 {zh}"), format!("Gateway {en}"))
        }
        (vote, "VOTE" | "VOTE_INVALID") => site.names.of(vote),
        // the one alarm of a whole instrument; any other that is neither is of a point that the configuration has no more
        (device, "COMMS_LOSS") => {
            let (zh, en) = site.names.of(device);
            (format!("仪表 {zh}"), format!("Instrument {en}"))
        }
        (point, _) => (format!("测点 {point}"), format!("Point {point}")),
    }
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
        "annunciator_failed" => ("声光报警器失效", "annunciator failed"),
        "task_restarted" => ("内部任务异常重启", "a task was restarted"),
        "unclean_end" => ("上次运行未正常停止", "unclean end of the last run"),
        "part_stalled" => ("内部任务停滞", "part without progress"),
        "bypass_expiring" => ("旁路将在 10 分钟内到期", "a bypass ends within 10 minutes"),
        "hazard_overdue" => ("隐患治理逾期", "a hidden danger is overdue"),
        other => (other, other),
    }
}

fn condition_words(word: &str) -> (&str, &str) {
    match word {
        "HH" => ("高高限报警", "high-high alarm"),
        "H" => ("高限报警", "high alarm"),
        "L" => ("低限报警", "low alarm"),
        "LL" => ("低低限报警", "low-low alarm"),
        "SENSOR_FAULT" => ("仪表故障报警", "instrument-fault alarm"),
        "COMMS_LOSS" => ("通信中断报警", "communication-loss alarm"),
        "ROC+" => ("上升过快报警", "rising-too-fast alarm"),
        "ROC-" => ("下降过快报警", "falling-too-fast alarm"),
        "DEV" => ("偏差报警", "deviation alarm"),
        "DEVICE_FROZEN" => ("仪表停止刷新报警", "frozen-instrument alarm"),
        "STUCK" => ("读数卡滞报警", "stuck-reading alarm"),
        "VOTE" => ("表决报警", "vote alarm"),
        "VOTE_INVALID" => ("表决失效（无有效成员）", "vote without a valid member"),
        "DISCRETE" => ("状态异常报警", "abnormal-state alarm"),
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
        EventKind::Cleared { .. } => ("结束（已恢复并已确认）", "over (returned and acknowledged)"),
        EventKind::PendingOn { .. } => {
            ("条件成立，延时计时中，尚未报警", "condition true, delay running, no alarm yet")
        }
        EventKind::PendingCancelled { .. } => ("延时内已恢复，不报警", "gone before the delay was over, no alarm"),
        EventKind::PendingOff { .. } => {
            ("正在恢复，延时计时中，仍按报警显示", "returning, delay running, still shown as an alarm")
        }
        EventKind::ReturnCancelled { .. } => {
            ("又达到报警条件，报警继续", "true again before the delay was over, the alarm goes on")
        }
        _ => ("", ""),
    }
}

/// The value is on the good side of its limit and not past the deadband, which alone ends an alarm. `None` where it is at the limit again.
fn within_deadband(fact: &AlarmFact, decimals: usize) -> Option<(String, String)> {
    let (limit, deadband) = (fact.limit?, fact.deadband?);
    let (held, is_low) = match fact.condition.as_str() {
        "HH" | "H" => (fact.reading?.value()?, false),
        "LL" | "L" => (fact.reading?.value()?, true),
        "DEV" => (fact.judged?.abs(), false),
        _ => return None,
    };
    let (is_back, edge) = if is_low { (held > limit, limit + deadband) } else { (held < limit, limit - deadband) };
    is_back.then(|| {
        (
            format!("未回到回差以外（{edge:.decimals$}），报警继续"),
            format!("not past the deadband ({edge:.decimals$}), the alarm goes on"),
        )
    })
}

/// Over although it had not returned or nobody had acknowledged it: by what, and what it lacked. `None` where it had both.
fn end_words(fact: &AlarmFact) -> Option<(String, String)> {
    let before = fact.states.as_ref().map(|s| &*s.before);
    let was = |word: &str| before.is_some_and(|words| words.split(' ').any(|w| w == word));
    let lacks = [
        (was("active") || was("pending_off"), "未恢复", "not returned"),
        (was("unacked"), "未确认", "not acknowledged"),
        (was("latched"), "未复位", "not reset"),
    ];
    let lacks: Vec<_> = lacks.into_iter().filter(|(holds, ..)| *holds).collect();
    let (by_zh, by_en) = match fact.cause {
        Cause::Config => ("因配置变更结束", "ended by a change of configuration"),
        // of all alarms, a start ends those only that the rules have no more
        Cause::Restart => {
            ("因配置变更结束（规则中已无此报警）", "ended by a change of configuration (not in the rules any more)")
        }
        // a person's acknowledgement and reset are events of their own before it
        Cause::User if !lacks.is_empty() => ("因停用结束", "ended by taking out of service"),
        Cause::User | Cause::Sample | Cause::Timer | Cause::Rule | Cause::Clock => return None,
    };
    let list = |words: Vec<&str>, between: &str| words.join(between);
    let zh = list(lacks.iter().map(|(_, zh, _)| *zh).collect(), "、");
    let en = list(lacks.iter().map(|(.., en)| *en).collect(), ", ");
    if lacks.is_empty() {
        return Some((by_zh.to_owned(), by_en.to_owned()));
    }
    Some((format!("{by_zh}（{zh}）"), format!("{by_en} ({en})")))
}

fn value_words(fact: &AlarmFact, point: Option<&PointView>) -> (String, String) {
    let decimals = decimals(point);
    let now = |v: f64| {
        if is_state(fact, point) {
            let (zh, en) = if v > 0.0 { ("是", "Yes") } else { ("否", "No") };
            return (format!("：当前 {zh}"), format!(": now {en}"));
        }
        let shown = with_unit(v, decimals, &fact.unit);
        (format!("：当前 {shown}"), format!(": now {shown}"))
    };
    let (mut zh, mut en) = match fact.reading {
        Some(Reading::Good(v)) => now(v.get()),
        Some(Reading::Uncertain(v, doubt)) => {
            let ((now_zh, now_en), (zh, en)) = (now(v.get()), doubt_words(doubt));
            (format!("{now_zh}（可疑：{zh}）"), format!("{now_en} (uncertain: {en})"))
        }
        Some(Reading::Bad(fault)) => {
            let (zh, en) = fault_words(fault);
            (format!("：{zh}"), format!(": {en}"))
        }
        None => (String::new(), String::new()),
    };
    if let Some(limit) = fact.limit {
        let shown = with_unit(limit, decimals, &fact.unit);
        // a rate and a deviation have limits of their own kind, which must not be read as the value's
        match fact.condition.as_str() {
            "ROC+" | "ROC-" => {
                if let Some(slope) = fact.judged {
                    let (up_zh, up_en) =
                        if slope < 0.0 { ("每分钟下降", "falling by") } else { ("每分钟上升", "rising by") };
                    let by = with_unit(slope.abs(), decimals, &fact.unit);
                    zh.push_str(&format!("，{up_zh} {by}"));
                    en.push_str(&format!(", {up_en} {by} a minute"));
                }
                zh.push_str(&format!("，速率限 {shown}/分"));
                en.push_str(&format!(", limit of the rate {shown}/min"));
            }
            "DEV" => {
                if let Some(difference) = fact.judged {
                    let by = with_unit(difference.abs(), decimals, &fact.unit);
                    let (than_zh, than_en) = if difference < 0.0 { ("低", "below") } else { ("高", "above") };
                    zh.push_str(&format!("，比参考{than_zh} {by}"));
                    en.push_str(&format!(", {by} {than_en} its reference"));
                }
                zh.push_str(&format!("，偏差限 {shown}"));
                en.push_str(&format!(", limit of the deviation {shown}"));
            }
            _ => {
                zh.push_str(&format!("，限值 {shown}"));
                en.push_str(&format!(", limit {shown}"));
            }
        }
    }
    (zh, en)
}

/// Yes or no, as the page shows it: which of them is the alarm is the site's choice, so that it must be said.
fn is_state(fact: &AlarmFact, point: Option<&PointView>) -> bool {
    fact.condition == "DISCRETE" || point.is_some_and(|p| p.kind == "state")
}

fn decimals(point: Option<&PointView>) -> usize {
    usize::from(point.map_or(1, |p| p.decimals))
}

fn with_unit(value: f64, decimals: usize, unit: &str) -> String {
    let shown = format!("{value:.decimals$}");
    if unit.is_empty() { shown } else { format!("{shown} {unit}") }
}
