//! Every sentence, as the operator reads it. The list beside this file is meant to be read; after a change:
//! `UPDATE=1 cargo test -p gateway --lib text`, then read the difference.

use super::*;
use crate::calls::{CallList, Contact, Personal};
use crate::snapshot::{Names, SiteView, fixture};
use rules::annunciator::AnnunciatorFault;
use rules::book::{Call, Mode};
use rules::hazard::{
    Acceptance, Assessment, Assignment, Decision, Found, Hazard, Level, Plan, Rectified, Report, SentBack, Settled,
    Stage, Work,
};
use rules::hide::{Bypass, EndCause, Expiry, Inhibit, Service, Shelf};
use rules::{AlarmFact, Cause, Finite, FirstOut, Mono, Now, Reading, ShelfKind, StateChange, Wall};
use std::fmt::Write as _;
use std::time::Duration;

fn at() -> Now {
    Now { mono: Mono(1_000_000_000), wall: Wall { utc_ms: 1_772_409_000_000, ..Wall::default() } }
}

fn by(reason: &str) -> Decision {
    Decision { by: "王班长".into(), role: "shift".into(), at: at(), reason: reason.into(), terminal: String::new() }
}

pub(super) fn site() -> SiteView {
    let mut site = crate::mqtt::fixture::site();
    site.points = fixture::points([fixture::gas("GT-102", ("液氨泵房", "Ammonia pump room"), "ppm", 50.0)]);
    let call = |post: &str, post_en: &str| Contact {
        call: Call { level: 2, post: post.into(), post_en: post_en.into(), ..Call::default() },
        telephone: Personal::default(),
        name: None,
    };
    site.calls = CallList(vec![call("值班长", "shift leader"), call("安全总监", "safety director")]);
    let name = |key: &str, zh: &str, en: &str| (key.to_owned(), (format!("{key} {zh}"), format!("{key} {en}")));
    site.names = Names(
        [
            name("V-1", "氨气三取二", "ammonia 2 of 3"),
            name("F-1", "氨气首出", "ammonia first-out"),
            name("U-1", "2 号罐", "tank 2"),
            name("S-1", "泵停时", "pump stopped"),
            name("DET-1", "泵房探测器", "pump room detector"),
        ]
        .into(),
    );
    site
}

fn fact(condition: &str) -> AlarmFact {
    AlarmFact {
        alarm: format!("GT-102:{condition}"),
        occurrence: 3,
        point: "GT-102".into(),
        condition: condition.into(),
        priority: 2,
        reading: Finite::new(26.04).map(Reading::Good),
        limit: Some(25.0),
        unit: "ppm".into(),
        ..AlarmFact::default()
    }
}

fn of(alarm: &str, condition: &str) -> AlarmFact {
    AlarmFact { alarm: alarm.into(), condition: condition.into(), priority: 2, ..AlarmFact::default() }
}

fn operator(user: &str, action: &str, detail: &str) -> EventKind {
    EventKind::Operator { user: user.into(), action: action.into(), detail: detail.into() }
}

fn value(number: f64) -> Option<Reading> {
    Finite::new(number).map(Reading::Good)
}

fn device(code: &str, detail: &str) -> EventKind {
    EventKind::DeviceState { device: "DET-1".into(), code: code.into(), detail: detail.into() }
}

fn raised(fact: AlarmFact) -> EventKind {
    EventKind::Raised { fact, assumed: false, late_by_ms: 0 }
}

fn over(cause: Cause, before: &str) -> EventKind {
    let states = Some(Box::new(StateChange { before: before.into(), after: "normal".into() }));
    EventKind::Cleared { fact: AlarmFact { cause, states, ..fact("H") } }
}

/// What an alarm goes through by itself.
fn of_alarms() -> Vec<EventKind> {
    let h = || fact("H");
    let bad = |fault| AlarmFact { reading: Some(Reading::Bad(fault)), limit: None, ..fact("SENSOR_FAULT") };
    let first = AlarmFact { first_out: Some(FirstOut { rank: 2, tie: true, at: at().mono }), ..h() };
    vec![
        EventKind::PendingOn { fact: h() },
        EventKind::PendingCancelled { fact: h() },
        raised(AlarmFact { risk: Some("RA-01".into()), ..fact("HH") }),
        raised(first),
        raised(AlarmFact { drill: true, ..h() }),
        raised(AlarmFact { reading: Finite::new(26.0).map(|v| Reading::Uncertain(v, Doubt::OverRange)), ..h() }),
        EventKind::Raised { fact: h(), assumed: true, late_by_ms: 0 },
        EventKind::Held { fact: AlarmFact { reading: Some(Reading::Bad(Fault::Timeout)), ..h() }, assumed: true },
        EventKind::Held { fact: AlarmFact { reading: Some(Reading::Bad(Fault::Timeout)), ..h() }, assumed: false },
        EventKind::Released { fact: h() },
        EventKind::PendingOff { fact: h() },
        EventKind::ReturnCancelled { fact: h() },
        EventKind::ReturnCancelled { fact: AlarmFact { reading: value(24.9), deadband: Some(1.0), ..h() } },
        EventKind::ReturnCancelled { fact: AlarmFact { reading: value(25.4), deadband: Some(1.0), ..fact("L") } },
        EventKind::Returned { fact: h(), latched: false },
        EventKind::Returned { fact: fact("HH"), latched: true },
        EventKind::Returned { fact: AlarmFact { cause: Cause::User, ..fact("HH") }, latched: true },
        EventKind::Cleared { fact: h() },
        over(Cause::User, "normal"),
        over(Cause::User, "active unacked"),
        over(Cause::User, "pending_off"),
        over(Cause::User, "normal unacked"),
        over(Cause::Config, "active unacked"),
        over(Cause::Config, "normal latched"),
        over(Cause::Config, "normal"),
        EventKind::Cleared { fact: AlarmFact { cause: Cause::Restart, reading: None, ..h() } },
        EventKind::ShadowRaised { fact: h(), assumed: false },
        EventKind::ShadowReturned { fact: h(), latched: false },
        EventKind::Realarm { fact: h(), count: 1, late_by_ms: 0 },
        EventKind::Realarm { fact: fact("HH"), count: 0, late_by_ms: 0 },
        EventKind::Escalated { fact: h(), level: 2, late_by_ms: 0, call: Vec::new() },
        EventKind::Escalated { fact: h(), level: 1, late_by_ms: 0, call: vec!["值班长".into()] },
        EventKind::Escalated {
            fact: AlarmFact { risk: Some("RA-01".into()), ..fact("HH") },
            level: 2,
            late_by_ms: 0,
            call: vec!["值班长".into(), "安全总监".into()],
        },
        EventKind::ChatterStart { fact: h() },
        EventKind::ChatterEnd { fact: h() },
        raised(bad(Fault::Sensor)),
        raised(AlarmFact { limit: None, reading: value(0.0), ..fact("DISCRETE") }),
        raised(AlarmFact { limit: None, reading: value(1.0), ..fact("DISCRETE") }),
        raised(fact("ROC+")),
        raised(AlarmFact { judged: Some(12.34), ..fact("ROC+") }),
        raised(AlarmFact { judged: Some(-12.34), ..fact("ROC-") }),
        raised(AlarmFact { judged: Some(8.0), ..fact("DEV") }),
        raised(AlarmFact { judged: Some(-8.0), ..fact("DEV") }),
        raised(fact("DEV")),
        raised(AlarmFact { limit: None, ..fact("STUCK") }),
        raised(of("DET-1:COMMS_LOSS", "COMMS_LOSS")),
        raised(AlarmFact { alarm: "GT-41:H".into(), point: "GT-41".into(), ..h() }),
        raised(AlarmFact { detail: "2/2".into(), ..of("V-1:VOTE", "VOTE") }),
        raised(AlarmFact { detail: "1/1".into(), ..of("V-1:VOTE", "VOTE") }),
        raised(of("V-1:VOTE_INVALID", "VOTE_INVALID")),
        raised(of("system:storage_full", "SYSTEM")),
        raised(of("system:annunciator_failed", "SYSTEM")),
        EventKind::Inhibited {
            fact: bad(Fault::Inhibited),
            inhibit: Inhibit { since: at(), until: Expiry::after(at(), Duration::from_secs(1800)), overdue: false },
        },
        EventKind::InhibitEnded { fact: bad(Fault::Inhibited), overdue: true },
        EventKind::InhibitEnded { fact: fact("SENSOR_FAULT"), overdue: false },
    ]
}

/// What people and rules do to alarms.
fn of_people() -> Vec<EventKind> {
    let h = || fact("H");
    let until = Expiry::after(at(), Duration::from_secs(1800));
    let point = || "GT-102".to_owned();
    let shelf = Shelf { kind: ShelfKind::Timed, until, by: by("探头受潮误报") };
    let bypass = Bypass {
        permit: "ZY-117".into(),
        requested_by: "赵仪表".into(),
        no_account: true,
        compensation: "便携仪每 10 分钟巡测".into(),
        until,
        warned: false,
        expiring: false,
        begun_seq: 0,
        by: by("更换探头"),
    };
    vec![
        EventKind::Acked { fact: h(), by: by("") },
        EventKind::Acked { fact: h(), by: by("已派人查看") },
        EventKind::Reset { fact: fact("HH"), by: by("") },
        EventKind::Reset { fact: fact("HH"), by: by("现场复核正常") },
        EventKind::Shelved { fact: h(), shelf },
        unshelved("normal unacked", "normal unacked", ""),
        unshelved("active unacked shadow", "active", "探头已烘干"),
        unshelved("normal unacked latched", "normal latched", ""),
        EventKind::ShelfExpired { fact: h(), annunciated: true, why: EndCause::Expired },
        EventKind::ShelfExpired { fact: h(), annunciated: false, why: EndCause::Unproven },
        EventKind::ShelfEnded { fact: h() },
        EventKind::Suppressed { fact: h(), rule: "S-1".into(), until, granted_ms: 0 },
        EventKind::Suppressed { fact: h(), rule: "mode".into(), until, granted_ms: 0 },
        EventKind::Unsuppressed { fact: h(), rule: "S-1".into(), why: EndCause::BadQuality },
        EventKind::SuppressionReleased { rule: "S-1".into() },
        EventKind::Bypassed { point: point(), bypass },
        EventKind::BypassExpiring { point: point(), until },
        EventKind::BypassEnded { point: point(), why: EndCause::User, by: Some(by("已恢复")) },
        EventKind::BypassEnded { point: point(), why: EndCause::Expired, by: None },
        EventKind::OutOfService {
            point: point(),
            service: Service { work_order: "WO-88".into(), by: by("送检"), reviewed: at(), begun_seq: 0 },
        },
        EventKind::ServiceReview { point: point(), days: 2 },
        EventKind::InService { point: point(), by: by("") },
        EventKind::InService { point: point(), by: by("已检定") },
        EventKind::FirstOutReset { group: "F-1".into(), by: by("") },
        EventKind::FirstOutReset { group: "F-1".into(), by: by("原因已查明") },
        EventKind::FloodStarted { count: 11, first: "GT-102:H".into() },
        EventKind::FloodEnded { count: 12, duration_ms: 450_000, peak: 12, first: "GT-102:H".into() },
        EventKind::ModeChanged {
            plant_unit: "U-1".into(),
            old: Mode::Running,
            new: Mode::Maintenance,
            by: Some(by("清罐")),
        },
        EventKind::ModeChanged { plant_unit: "U-1".into(), old: Mode::Running, new: Mode::Stopped, by: None },
        EventKind::Silenced { until, by: by("") },
        EventKind::AnnunciatorTestRequested { by: by("交接班试音") },
        tested(None, false, Some("王班长")),
        tested(None, true, None),
        tested(Some(AnnunciatorFault::FeedbackMissing), false, None),
    ]
}

fn unshelved(before: &str, after: &str, reason: &str) -> EventKind {
    let states = Some(Box::new(StateChange { before: format!("{before} shelved"), after: after.into() }));
    EventKind::Unshelved { fact: AlarmFact { states, ..fact("H") }, by: by(reason) }
}

fn tested(fault: Option<AnnunciatorFault>, by_alarm: bool, asked_by: Option<&str>) -> EventKind {
    EventKind::AnnunciatorTested { fault, by_alarm, asked_by: asked_by.map(str::to_owned) }
}

/// A hidden danger from the assessment to the closing, each sentence once.
fn of_hazards() -> Vec<EventKind> {
    let due = |hours: i64| Expiry { mono: at().mono, wall_utc_ms: 1_796_140_800_000 + hours * 3_600_000 };
    let (confirmed, assessed) =
        (by("现场属实"), Assessment { criteria: "AQ 3067 第 4.2 条".into(), cause: "密封老化".into(), by: by("") });
    let plan = Plan {
        responsibility: "设备部主任".into(),
        measures: "更换法兰".into(),
        funds: "2 万元".into(),
        due: due(48),
        emergency: "3 号预案".into(),
        by: by(""),
    };
    let report =
        Report { to: "镇应急办".into(), receipt: "R-5".into(), supervision: "督办-7".into(), by: by("") };
    let assignment = |hours: i64, reason: &str| Assignment {
        responsible: "陈工".into(),
        due: due(hours),
        interim_control: "拉警戒带，专人巡检".into(),
        by: by(reason),
    };
    let settled =
        Settled::Major { assessed: assessed.clone(), plan: Box::new(plan.clone()), report: Box::new(report.clone()) };
    let work = Work {
        confirmed: confirmed.clone(),
        settled,
        assignment: assignment(0, ""),
        earlier: Vec::new(),
        sent_back: Vec::new(),
    };
    let again =
        Work { earlier: vec![assignment(0, "")], assignment: assignment(72, "配件未到货"), ..work.clone() };
    let to_another = Work {
        earlier: vec![assignment(0, "")],
        assignment: Assignment { responsible: "li".into(), ..assignment(0, "陈工出差") },
        ..work.clone()
    };
    let beyond_the_plan = Work { assignment: assignment(72, "配件未到货"), ..work.clone() };
    let rectified = Rectified { evidence: "法兰已换，照片 IMG-12".into(), by: by("") };
    let back = SentBack { rectified: rectified.clone(), by: by("仍有渗漏") };
    let sent_back = Work { sent_back: vec![back], ..work.clone() };
    let acceptance = Acceptance { opinion: "复查合格".into(), review_report: "复查-2026-11".into(), by: by("") };
    let level = |level| Stage::Assessed { confirmed: confirmed.clone(), level, assessed: assessed.clone() };
    let stages = vec![
        level(Level::General),
        level(Level::Major),
        Stage::Planned { confirmed: confirmed.clone(), assessed: assessed.clone(), plan: plan.clone() },
        Stage::Reported { confirmed: confirmed.clone(), assessed: assessed.clone(), plan, report },
        Stage::Rectifying { work: work.clone() },
        Stage::Rectifying { work: again },
        Stage::Rectifying { work: to_another },
        Stage::Rectifying { work: beyond_the_plan },
        Stage::Rectifying { work: sent_back },
        Stage::Waiting { work: work.clone(), rectified: rectified.clone() },
        Stage::Accepted { work: work.clone(), rectified: rectified.clone(), acceptance: acceptance.clone() },
        Stage::Closed {
            work: work.clone(),
            rectified: rectified.clone(),
            acceptance: acceptance.clone(),
            closed: by("整改到位"),
        },
    ];
    let closed = Stage::Closed { work, rectified, acceptance, closed: by("整改到位") };
    let without_rule = EventKind::HazardStage { hazard: Hazard { cause: "GT-909:HH".into(), ..hazard(closed) } };
    let found = Found { place: "东门".into(), description: "消防通道被占用".into() };
    let by_hand =
        Hazard { found: Some(found), cause: String::new(), ..hazard(Stage::Registered { confirmed: by("") }) };
    let repeated = Hazard { repeat_of: Some("HD-3".into()), ..hazard(Stage::Candidate) };
    let opened = [by_hand, repeated].map(|hazard| EventKind::HazardOpened { hazard });
    let moved = stages.into_iter().map(|stage| EventKind::HazardStage { hazard: hazard(stage) });
    opened.into_iter().chain(moved).chain([without_rule]).collect()
}

fn hazard(stage: Stage) -> Hazard {
    Hazard {
        id: "HD-7".into(),
        measure: "RA-01.M2".into(),
        risk: "RA-01".into(),
        cause: "GT-102:HH".into(),
        opened: at(),
        occurrences: Vec::new(),
        stage,
        found: None,
        repeat_of: None,
        moved_seq: 0,
        overdue: false,
    }
}

/// Hidden dangers, the gateway itself, the office.
fn of_the_rest() -> Vec<EventKind> {
    let id = String::new;
    vec![
        EventKind::HazardOpened { hazard: hazard(Stage::Candidate) },
        EventKind::HazardOccurrence { hazard: "HD-7".into(), occurrence: "GT-102:HH#4".into() },
        EventKind::HazardStage { hazard: hazard(Stage::Registered { confirmed: by("现场确认泄漏") }) },
        EventKind::HazardStage { hazard: hazard(Stage::Rejected { rejected: by("标定气体") }) },
        EventKind::HazardStage { hazard: hazard(Stage::Registered { confirmed: by("") }) },
        EventKind::HazardOverdue {
            hazard: "HD-7".into(),
            due: Expiry { mono: at().mono, wall_utc_ms: 1_796_140_800_000 },
        },
        EventKind::Started { boot_id: id(), version: "0.1".into(), config_hash: id(), down_for_ms: Some(8_000_000) },
        EventKind::Stopped { boot_id: id() },
        EventKind::ConfigChanged { old_hash: id(), new_hash: id(), by: "SIGHUP".into(), asked: None },
        EventKind::ConfigChanged {
            old_hash: id(),
            new_hash: id(),
            by: "li".into(),
            asked: Some(by("按评审单 12 放宽高限")),
        },
        device("unit_dead", ""),
        device("unit_dead", "tcp-1 unit 12"),
        device("link_down", "closed by the other end or unplugged"),
        EventKind::Receipt { event_id: "s-9".into(), by: None, note: None },
        EventKind::Receipt { event_id: "s-9".into(), by: Some("值班员李".into()), note: Some("已派人".into()) },
        operator("li", "sign_in", "from 10.0.0.7"),
        operator("li", "refused", "POST alarms/GT-102:HH/shelve: forbidden: priority_one (as operator), from 10.0.0.7"),
        operator("li", "config_refused", "2 defects; 按评审单 12"),
        operator("li", "setup", "first administrator, from 10.0.0.7"),
        operator(COMMAND_LINE, "user_added", "zhang admin; uid 0 (li), 2026-03-02T00:00:00Z"),
    ]
}

#[test]
fn every_sentence_is_as_it_was_read() {
    let mut said = String::new();
    for kind in of_alarms().into_iter().chain(of_people()).chain(of_hazards()).chain(of_the_rest()) {
        let name = kind.name();
        let (zh, en) = event_text(&Event { seq: 1, at: at(), kind }, &site());
        assert!(!zh.contains(name) && !en.contains(name), "{name} shows through: {zh} · {en}");
        assert!(!zh.contains("：：") && !zh.contains("  ") && !en.contains("  "), "{zh} · {en}");
        let _ = write!(said, "{name}\n  {zh}\n  {en}\n");
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/sentences.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &said).unwrap();
    }
    assert_eq!(said, std::fs::read_to_string(file).unwrap_or_default(), "read the difference, then UPDATE=1");
}

#[test]
fn a_length_is_said_in_the_units_a_person_uses() {
    assert_eq!(length(400).0, "0 秒");
    assert_eq!(length(450_000), ("7 分 30 秒".into(), "7 min 30 s".into()));
    assert_eq!(length(12_060_000).0, "3 小时 21 分");
}

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
