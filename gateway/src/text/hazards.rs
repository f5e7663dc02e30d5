//! Sentences of hidden dangers: who did which step, until when, with what.

use super::{alarm, risk_names};
use crate::moment::site_text;
use crate::snapshot::SiteView;
use rules::hazard::{
    Acceptance, Assessment, Assignment, Decision, Hazard, Level, Plan, Rectified, Report, Stage, Work,
};
use rules::hide::Expiry;

type Said = (String, String);

/// A candidate, or what a person found.
pub(super) fn opened(hazard: &Hazard, site: &SiteView) -> Said {
    let (zh, en) = match (&hazard.found, &hazard.stage) {
        (Some(found), Stage::Registered { confirmed }) => (
            format!(
                "发现隐患，已登记：{}，{}，{}，涉及管控措施“{}”，登记人 {}",
                hazard.id,
                found.place,
                found.description,
                measure(hazard, site).0,
                confirmed.by
            ),
            format!(
                "Hidden danger registered: {}, {}, {}, control measure \"{}\", by {}",
                hazard.id,
                found.place,
                found.description,
                measure(hazard, site).1,
                confirmed.by
            ),
        ),
        _ => candidate(hazard, site, "发现隐患，待确认", "Hidden danger found, to be confirmed"),
    };
    match &hazard.repeat_of {
        Some(before) => {
            (format!("{zh}；{before} 销号后重复出现"), format!("{en}; it repeats {before}, which was closed"))
        }
        None => (zh, en),
    }
}

fn measure(hazard: &Hazard, site: &SiteView) -> Said {
    let measure = site.measures.iter().find(|m| m.key == hazard.measure);
    measure.map_or((hazard.measure.clone(), hazard.measure.clone()), |m| (m.text.clone(), m.text_en.clone()))
}

fn candidate(hazard: &Hazard, site: &SiteView, zh: &str, en: &str) -> Said {
    let (text_zh, text_en) = measure(hazard, site);
    let (risk_zh, risk_en) = risk_names(Some(&hazard.risk), site);
    let (cause_zh, cause_en) = alarm::title(&hazard.cause, site);
    (
        format!("{zh}：{}，管控措施“{text_zh}”失效，起因：{cause_zh}{risk_zh}", hazard.id),
        format!("{en}: {}, control measure failed \"{text_en}\", cause {cause_en}{risk_en}", hazard.id),
    )
}

/// A person moved it.
pub(super) fn moved(hazard: &Hazard, site: &SiteView) -> Said {
    let id = &hazard.id;
    match &hazard.stage {
        Stage::Candidate => candidate(hazard, site, "隐患待确认", "Hidden danger to be confirmed"),
        Stage::Registered { confirmed } => (
            format!("隐患 {id} 已登记，确认人 {}{}", confirmed.by, tail("：", &confirmed.reason)),
            format!("Hidden danger {id} registered, confirmed by {}{}", confirmed.by, tail(": ", &confirmed.reason)),
        ),
        Stage::Rejected { rejected } => (
            format!("隐患 {id} 判定为误报，{}：{}", rejected.by, rejected.reason),
            format!("Hidden danger {id} rejected as a false alarm by {}: {}", rejected.by, rejected.reason),
        ),
        Stage::Assessed { level, assessed, .. } => assessment(id, *level, assessed),
        Stage::Planned { plan, .. } => planned(id, plan),
        Stage::Reported { report, .. } => reported(id, report),
        Stage::Rectifying { work } => at_work(id, work),
        Stage::Waiting { rectified, .. } => done(id, rectified),
        Stage::Accepted { acceptance, .. } => accepted(id, acceptance),
        Stage::Closed { closed: by, .. } => closed(hazard, by, site),
    }
}

fn assessment(id: &str, level: Level, assessed: &Assessment) -> Said {
    let Assessment { criteria, cause, by } = assessed;
    let (zh, en) = match level {
        Level::General => ("一般隐患", "general"),
        Level::Major => ("重大隐患（须先定治理方案并报告）", "major (a plan and a report come first)"),
    };
    (
        format!("隐患 {id} 评估为{zh}，判定依据：{criteria}，原因：{cause}，评估人 {}", by.by),
        format!("Hidden danger {id} assessed as {en} by {}, criteria: {criteria}, cause: {cause}", by.by),
    )
}

fn planned(id: &str, plan: &Plan) -> Said {
    let Plan { responsibility, measures, funds, due, emergency, by } = plan;
    let (due_zh, due_en) = date(due.wall_utc_ms);
    (
        format!(
            "重大隐患 {id} 治理方案已定，责任：{responsibility}，措施：{measures}，资金：{funds}，时限：{due_zh}，预案：{emergency}，{}{}",
            by.by,
            tail("：", &by.reason)
        ),
        format!(
            "Major hidden danger {id} has a plan, responsibility: {responsibility}, measures: {measures}, funds: {funds}, until {due_en}, \
             emergency plan: {emergency}, by {}{}",
            by.by,
            tail(": ", &by.reason)
        ),
    )
}

fn reported(id: &str, report: &Report) -> Said {
    let Report { to, receipt, supervision, by } = report;
    (
        format!(
            "重大隐患 {id} 已向{to}报告{}{}，报告人 {}",
            tail("，回执 ", receipt),
            tail("，挂牌督办 ", supervision),
            by.by
        ),
        format!(
            "Major hidden danger {id} reported to {to}{}{} by {}",
            tail(", receipt ", receipt),
            tail(", supervision ", supervision),
            by.by
        ),
    )
}

/// Assigned, assigned anew, or sent back: whichever came last.
fn at_work(id: &str, work: &Work) -> Said {
    let by = &work.assignment.by;
    match (work.sent_back.last(), work.earlier.last()) {
        (Some(back), _) if back.by.at.wall.utc_ms >= by.at.wall.utc_ms => sent_back(id, work, &back.by),
        (_, Some(earlier)) => assigned_anew(id, &work.assignment, earlier),
        _ => assigned(id, &work.assignment),
    }
}

fn sent_back(id: &str, work: &Work, back: &Decision) -> Said {
    let responsible = &work.assignment.responsible;
    let (due_zh, due_en) = date(work.assignment.due.wall_utc_ms);
    (
        format!(
            "隐患 {id} 验收不合格，退回整改：{}，验收人 {}，责任人 {responsible}，期限 {due_zh}",
            back.reason, back.by
        ),
        format!(
            "Hidden danger {id} sent back by {}: {}; {responsible} is responsible, until {due_en}",
            back.by, back.reason
        ),
    )
}

/// The date of before is told where it is another one.
fn assigned_anew(id: &str, now: &Assignment, before: &Assignment) -> Said {
    let Assignment { responsible, due, by, .. } = now;
    let (due_zh, due_en) = date(due.wall_utc_ms);
    let (was_zh, was_en) = date(before.due.wall_utc_ms);
    let (was_zh, was_en) = match before.due.wall_utc_ms == due.wall_utc_ms {
        true => (String::new(), String::new()),
        false => (format!("，原期限 {was_zh}"), format!(" (was {was_en})")),
    };
    (
        format!("隐患 {id} 重新派发，责任人 {responsible}，期限 {due_zh}{was_zh}，{}：{}", by.by, by.reason),
        format!(
            "Hidden danger {id} assigned anew by {}: {responsible} is responsible, until {due_en}{was_en}: {}",
            by.by, by.reason
        ),
    )
}

/// With a reason where it goes beyond the plan.
fn assigned(id: &str, assignment: &Assignment) -> Said {
    let Assignment { responsible, due, interim_control, by } = assignment;
    let (due_zh, due_en) = date(due.wall_utc_ms);
    (
        format!(
            "隐患 {id} 已派发整改，责任人 {responsible}，期限 {due_zh}，期间管控：{interim_control}，派发人 {}{}",
            by.by,
            tail("：", &by.reason)
        ),
        format!(
            "Hidden danger {id} assigned by {} to {responsible}, until {due_en}; meanwhile: {interim_control}{}",
            by.by,
            tail("; ", &by.reason)
        ),
    )
}

fn done(id: &str, rectified: &Rectified) -> Said {
    let Rectified { evidence, by } = rectified;
    (
        format!("隐患 {id} 整改完成，待验收：{evidence}，整改人 {}", by.by),
        format!("Hidden danger {id} rectified by {}, waits for acceptance: {evidence}", by.by),
    )
}

fn accepted(id: &str, acceptance: &Acceptance) -> Said {
    let Acceptance { opinion, review_report, by } = acceptance;
    (
        format!("隐患 {id} 验收合格，待销号：{opinion}{}，验收人 {}", tail("，复查验收报告 ", review_report), by.by),
        format!(
            "Hidden danger {id} accepted by {}, to be closed: {opinion}{}",
            by.by,
            tail(", review report ", review_report)
        ),
    )
}

/// A person is content; where no rule is left that could have judged the alarm behind it, this says so.
fn closed(hazard: &Hazard, by: &Decision, site: &SiteView) -> Said {
    let id = &hazard.id;
    let (zh, en) = match is_gone(&hazard.cause, site) {
        true => ("；起因报警的规则已不在配置中", "; the rule of the alarm behind it is no longer configured"),
        false => ("", ""),
    };
    (
        format!("隐患 {id} 已销号，{}：{}{zh}", by.by, by.reason),
        format!("Hidden danger {id} closed by {}: {}{en}", by.by, by.reason),
    )
}

/// The point, instrument or vote of an alarm is not in the configuration.
fn is_gone(alarm: &str, site: &SiteView) -> bool {
    let key = alarm.rsplit_once(':').map_or(alarm, |(key, _)| key);
    !key.is_empty() && site.points.find(key).is_none() && !site.names.0.contains_key(key)
}

/// Nobody did the step in time.
pub(super) fn overdue(id: &str, due: Expiry) -> Said {
    let (due_zh, due_en) = date(due.wall_utc_ms);
    (
        format!("隐患 {id} 已逾期，应于 {due_zh}前完成的工作尚未完成"),
        format!("Hidden danger {id} is overdue: its step was due by {due_en}"),
    )
}

fn tail(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}

/// A date as people agreed on it, to the minute, in the time of the forms: `2026-12-02 00:00（北京时间）`, `2026-12-02 00:00 +08:00`.
pub(crate) fn date(utc_ms: i64) -> Said {
    let minutes: String = site_text(utc_ms).chars().take(16).collect();
    let minutes = minutes.replace('T', " ");
    (format!("{minutes}（北京时间）"), format!("{minutes} +08:00"))
}
