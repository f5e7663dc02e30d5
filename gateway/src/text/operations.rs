//! Sentences of what people and rules do to alarms: shelf, bypass, service, suppression, groups, flood, mode, sound.

use super::{alarm, length, titled};
use crate::snapshot::SiteView;
use rules::book::Mode;
use rules::hazard::Decision;
use rules::hide::EndCause;
use rules::{AlarmFact, Cause, EventKind};

/// The alarm of bypasses in their last minutes.
const EXPIRING: &str = "system:bypass_expiring";

/// A sentence of a whole point, group, unit or the site; `None` for other kinds.
pub(super) fn sentence(kind: &EventKind, site: &SiteView) -> Option<(String, String)> {
    Some(match kind {
        EventKind::Bypassed { point, bypass } => {
            let (zh, en) = named(point, site);
            let (asked_zh, asked_en) =
                if bypass.no_account { ("（无账号）", " (not an account)") } else { ("", "") };
            (
                format!(
                    "{zh} 报警旁路，作业票 {}，申请人 {}{asked_zh}，批准人 {}，原因：{}，补偿措施：{}",
                    bypass.permit, bypass.requested_by, bypass.by.by, bypass.by.reason, bypass.compensation
                ),
                format!(
                    "{en}: alarms bypassed under permit {}, asked by {}{asked_en}, approved by {}: {}; meanwhile: {}",
                    bypass.permit, bypass.requested_by, bypass.by.by, bypass.by.reason, bypass.compensation
                ),
            )
        }
        EventKind::BypassExpiring { point, .. } => {
            let (zh, en) = named(point, site);
            (format!("{zh} 的旁路将在 10 分钟内到期"), format!("{en}: the bypass ends within 10 minutes"))
        }
        EventKind::BypassEnded { point, why, by } => {
            let ((zh, en), (why_zh, why_en)) = (named(point, site), end_words(*why, by.as_ref()));
            (
                format!("{zh} 旁路结束（{why_zh}），报警恢复作用"),
                format!("{en}: bypass ended ({why_en}), alarms in effect again"),
            )
        }
        EventKind::OutOfService { point, service } => {
            let (zh, en) = named(point, site);
            (
                format!("{zh} 停用，工单 {}，{}：{}", service.work_order, service.by.by, service.by.reason),
                format!(
                    "{en}: out of service, work order {}, {}: {}",
                    service.work_order, service.by.by, service.by.reason
                ),
            )
        }
        EventKind::ServiceReview { point, days } => {
            let (zh, en) = named(point, site);
            (format!("{zh} 已停用 {days} 天，请复核"), format!("{en}: out of service for {days} days, please review"))
        }
        EventKind::InService { point, by } => {
            let (zh, en) = named(point, site);
            (
                format!("{zh} 恢复使用（{}），重新开始判断", said_by(by).0),
                format!("{en}: back in service ({}), judged anew", said_by(by).1),
            )
        }
        kind => return of_groups(kind, site),
    })
}

fn of_groups(kind: &EventKind, site: &SiteView) -> Option<(String, String)> {
    Some(match kind {
        EventKind::FirstOutReset { group, by } => {
            let (zh, en) = site.names.of(group);
            (
                because(&format!("首出组 {zh} 已由 {} 复位", by.by), &by.reason, ("：", "")),
                because(&format!("First-out group {en} reset by {}", by.by), &by.reason, (": ", "")),
            )
        }
        EventKind::SuppressionReleased { rule } => {
            let (zh, en) = suppressor(rule, site);
            (
                format!("设计抑制 {zh} 已用尽最长时间，现条件已解除，再次成立时重新抑制"),
                format!("Suppression {en}, whose time was used up, is released: it suppresses again the next time"),
            )
        }
        EventKind::FloodStarted { count, first } => {
            let (zh, en) = alarm::title(first, site);
            (
                format!("报警泛滥：10 分钟内 {count} 个报警，最先是 {zh}。先处理 1 级和 2 级"),
                format!("Alarm flood: {count} alarms within 10 minutes, first {en}. Priorities 1 and 2 first"),
            )
        }
        EventKind::FloodEnded { count, duration_ms, peak, first } => {
            let ((zh, en), (long_zh, long_en)) = (alarm::title(first, site), length(*duration_ms));
            (
                format!("报警泛滥结束：共 {count} 个，历时 {long_zh}，10 分钟内最多 {peak} 个，最先是 {zh}"),
                format!("Alarm flood over: {count} alarms in {long_en}, {peak} at most in 10 minutes, first {en}"),
            )
        }
        EventKind::ModeChanged { plant_unit, old, new, by } => {
            let by_itself = (
                "自动：运行信号、启动或配置".to_owned(),
                "by itself: running signal, start or configuration".to_owned(),
            );
            let (by_zh, by_en) = by.as_ref().map_or(by_itself, said_by);
            let (zh, en) = site.names.of(plant_unit);
            (
                format!("装置 {zh} 由{}转为{}（{by_zh}），报警限随之改变", mode_zh(*old), mode_zh(*new)),
                format!("Unit {en} from {} to {} ({by_en}); its limits follow", old.word(), new.word()),
            )
        }
        EventKind::Silenced { until, by } => {
            let (zh, en) = length(u64::try_from(until.wall_utc_ms - by.at.wall.utc_ms).unwrap_or_default());
            (
                format!("{} 消音 {zh}，新的 1、2 级报警会再次发声", by.by),
                format!("Sound stopped by {} for {en}; a new P1 or P2 brings it back", by.by),
            )
        }
        _ => return None,
    })
}

/// What an alarm's transition says beyond the plain ones; `None` for those.
pub(super) fn transition(kind: &EventKind, site: &SiteView) -> Option<(String, String)> {
    let fixed = |zh: &str, en: &str| Some((zh.to_owned(), en.to_owned()));
    match kind {
        EventKind::Returned { fact, latched: true } if fact.cause == Cause::User => fixed(
            "因停用停止判断（未恢复），已锁存，需班长复位",
            "no longer judged, out of service (not returned), latched until a shift leader resets it",
        ),
        EventKind::Returned { latched: true, .. } => {
            fixed("恢复正常，已锁存，需班长复位", "returned to normal, latched until a shift leader resets it")
        }
        EventKind::Held { assumed: true, .. } => {
            fixed("保持（当前无有效数据，按最坏情况判定）", "held (no valid data, worst case assumed)")
        }
        EventKind::ShadowRaised { .. } => {
            fixed("条件成立，但处于搁置、旁路或抑制中，只记录不发声", "true, but hidden: recorded without sound")
        }
        EventKind::ShadowReturned { .. } => fixed("在搁置、旁路或抑制期间已恢复", "returned while hidden"),
        EventKind::Realarm { fact, .. } if fact.alarm == EXPIRING => {
            fixed("又有旁路即将到期，再次报警", "one more is about to end: called again")
        }
        EventKind::Realarm { count: 0, .. } => {
            fixed("隐藏期间曾报警并锁存，现在通知", "came and went while hidden and is latched; called for now")
        }
        EventKind::Realarm { count, .. } => Some((
            format!("确认后长时间未恢复，第 {count} 次重新报警"),
            format!("acknowledged long ago and still active: re-alarm no. {count}"),
        )),
        EventKind::Escalated { level, call, .. } => Some(escalated(*level, call, site)),
        EventKind::Acked { by, .. } => Some((
            because(&format!("已由 {} 确认", by.by), &by.reason, ("（", "）")),
            because(&format!("acknowledged by {}", by.by), &by.reason, (" (", ")")),
        )),
        EventKind::Reset { by, .. } => Some((
            because(&format!("锁存由 {} 复位", by.by), &by.reason, ("（", "）")),
            because(&format!("latch reset by {}", by.by), &by.reason, (" (", ")")),
        )),
        EventKind::Shelved { shelf, .. } => {
            let minutes = shelf.until.mono.since(shelf.by.at.mono).as_secs().div_ceil(60);
            Some((
                format!("由 {} 搁置 {minutes} 分钟（{}）", shelf.by.by, shelf.by.reason),
                format!("shelved by {} for {minutes} min ({})", shelf.by.by, shelf.by.reason),
            ))
        }
        EventKind::Unshelved { fact, by } => Some(unshelved(fact, by)),
        EventKind::ShelfExpired { annunciated, why, .. } => {
            let (why_zh, why_en) = end_words(*why, None);
            let (zh, en) = if *annunciated { ("，仍在报警，请处理", ", still in alarm") } else { ("", "") };
            Some((format!("搁置结束（{why_zh}）{zh}"), format!("shelf ended ({why_en}){en}")))
        }
        EventKind::ShelfEnded { .. } => fixed("恢复正常，一次性搁置结束", "returned to normal, one-shot shelf over"),
        EventKind::Suppressed { rule, .. } => {
            let (zh, en) = suppressor(rule, site);
            Some((format!("按设计抑制（{zh}）"), format!("suppressed by design ({en})")))
        }
        EventKind::Unsuppressed { rule, why, .. } => {
            let ((zh, en), (why_zh, why_en)) = (suppressor(rule, site), end_words(*why, None));
            Some((format!("解除抑制（{zh}，{why_zh}）"), format!("no longer suppressed ({en}, {why_en})")))
        }
        EventKind::ChatterStart { .. } => fixed(
            "判为抖动报警：一分钟内三次报警，保持报警直到平稳一分钟",
            "chattering: three times in a minute, held until quiet for a minute",
        ),
        EventKind::ChatterEnd { .. } => fixed("不再是抖动报警", "chatter over"),
        EventKind::Inhibited { inhibit, .. } => {
            let minutes = inhibit.until.mono.since(inhibit.since.mono).as_secs().div_ceil(60);
            Some((
                format!("仪表自报抑制、预热或标定，此时不能判断报警，最多 {minutes} 分钟"),
                format!("inhibited, warming up or calibrating by its own word: not judged, for at most {minutes} min"),
            ))
        }
        EventKind::InhibitEnded { overdue: true, .. } => {
            fixed("仪表自报抑制超时，按故障处理", "inhibited for too long: treated as a fault")
        }
        EventKind::InhibitEnded { overdue: false, .. } => fixed("仪表抑制结束，恢复测量", "measuring again"),
        _ => None,
    }
}

/// The level, and the posts to be called by telephone where the site names some.
fn escalated(level: u8, call: &[String], site: &SiteView) -> (String, String) {
    let (zh, en) = (format!("无人确认，升级通知 L{level}"), format!("not acknowledged, escalated to L{level}"));
    if call.is_empty() {
        return (zh, en);
    }
    let posts_en: Vec<&str> = call.iter().map(|post| site.calls.post_en(post)).collect();
    (format!("{zh}：请致电 {}", call.join("、")), format!("{en}: call {}", posts_en.join(", ")))
}

/// Who ends a shelf acknowledges what stands behind it (alarms.md 2.3, row 17): that must not pass unnoticed.
fn unshelved(fact: &AlarmFact, by: &Decision) -> (String, String) {
    let after = fact.states.as_ref().map_or("", |states| &states.after);
    let is = |word: &str| after.split(' ').any(|w| w == word);
    let acknowledged = (is("active") || is("pending_off") || is("latched")) && !is("unacked");
    let (zh, en) = match acknowledged {
        true => ("解除搁置并视为已确认", "and thereby acknowledged"),
        false => ("解除搁置", ""),
    };
    let en = format!("taken off the shelf by {} {en}", by.by);
    (because(&format!("由 {} {zh}", by.by), &by.reason, ("（", "）")), because(en.trim_end(), &by.reason, (" (", ")")))
}

/// A person, and the reason where one was given.
fn said_by(by: &Decision) -> (String, String) {
    (because(&by.by, &by.reason, ("：", "")), because(&by.by, &by.reason, (": ", "")))
}

/// Who or what, and the reason where one was given.
fn because(what: &str, reason: &str, (open, close): (&str, &str)) -> String {
    if reason.trim().is_empty() { what.to_owned() } else { format!("{what}{open}{}{close}", reason.trim()) }
}

/// The suppression by its name, or the mode of the unit.
fn suppressor(rule: &str, site: &SiteView) -> (String, String) {
    if rule == "mode" { ("装置运行方式".into(), "mode of the unit".into()) } else { site.names.of(rule) }
}

fn named(point: &str, site: &SiteView) -> (String, String) {
    match site.points.find(point) {
        Some(p) => (titled(&p.key, &p.name), titled(&p.key, &p.name_en)),
        None => (point.to_owned(), point.to_owned()),
    }
}

fn mode_zh(mode: Mode) -> &'static str {
    match mode {
        Mode::Running => "运行",
        Mode::Stopped => "停车",
        Mode::Maintenance => "检修",
    }
}

fn end_words(why: EndCause, by: Option<&Decision>) -> (String, String) {
    let (zh, en) = match why {
        EndCause::Expired => ("到期", "time is over"),
        EndCause::User => ("人工", "by hand"),
        EndCause::Returned => ("已恢复", "returned"),
        EndCause::Released => ("条件解除", "no longer so"),
        EndCause::BadQuality => ("抑制信号不可信", "its signal cannot be trusted"),
        EndCause::Unproven => ("重启后无法证明仍有效", "not provable after a start"),
        EndCause::Config => ("配置更改", "configuration changed"),
    };
    match by {
        Some(d) => (format!("{zh}，{}", said_by(d).0), format!("{en}, {}", said_by(d).1)),
        None => (zh.to_owned(), en.to_owned()),
    }
}
