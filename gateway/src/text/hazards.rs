//! Sentences of hidden dangers: who did which step, until when, with what.

use super::{alarm, risk_names};
use crate::mqtt::payload::utc_text;
use crate::snapshot::SiteView;
use rules::hazard::{Acceptance, Assessment, Assignment, Hazard, Level, Plan, Rectified, Report, Stage, Work};
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
        format!("{zh}：{}，管控措施“{text_zh}”失效，起因是{cause_zh}{risk_zh}", hazard.id),
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
        Stage::Closed { closed, .. } => (
            format!("隐患 {id} 已销号，{}：{}", closed.by, closed.reason),
            format!("Hidden danger {id} closed by {}: {}", closed.by, closed.reason),
        ),
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
    let due = time(*due);
    (
        format!(
            "重大隐患 {id} 治理方案已定，责任：{responsibility}，措施：{measures}，资金：{funds}，时限：{due}，预案：{emergency}，{}{}",
            by.by,
            tail("：", &by.reason)
        ),
        format!(
            "Major hidden danger {id} has a plan, responsibility: {responsibility}, measures: {measures}, funds: {funds}, until {due}, \
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
    let Assignment { responsible, due, interim_control, by } = &work.assignment;
    let (due, back) = (time(*due), work.sent_back.last());
    if let Some(back) = back.filter(|back| back.by.at.wall.utc_ms >= by.at.wall.utc_ms) {
        return (
            format!(
                "隐患 {id} 验收不合格，退回整改：{}，验收人 {}，责任人 {responsible}，期限 {due}",
                back.by.reason, back.by.by
            ),
            format!(
                "Hidden danger {id} sent back by {}: {}; {responsible} is responsible, until {due}",
                back.by.by, back.by.reason
            ),
        );
    }
    if let Some(earlier) = work.earlier.last() {
        let was = time(earlier.due);
        return (
            format!("隐患 {id} 重新派发，责任人 {responsible}，期限 {due}（原 {was}），{}：{}", by.by, by.reason),
            format!(
                "Hidden danger {id} assigned anew by {}: {responsible} is responsible, until {due} (was {was}): {}",
                by.by, by.reason
            ),
        );
    }
    (
        format!(
            "隐患 {id} 已派发整改，责任人 {responsible}，期限 {due}，期间管控：{interim_control}，派发人 {}",
            by.by
        ),
        format!("Hidden danger {id} assigned by {} to {responsible}, until {due}; meanwhile: {interim_control}", by.by),
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

/// Nobody did the step in time.
pub(super) fn overdue(id: &str, due: Expiry) -> Said {
    let due = time(due);
    (
        format!("隐患 {id} 已逾期，应于 {due} 前完成的工作尚未完成"),
        format!("Hidden danger {id} is overdue: its step was due by {due}"),
    )
}

fn tail(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}

/// `2026-12-01 08:00 UTC`: nobody sets a date to the second.
fn time(due: Expiry) -> String {
    let text = utc_text(due.wall_utc_ms);
    let minutes: String = text.chars().take(16).collect();
    format!("{} UTC", minutes.replace('T', " "))
}
