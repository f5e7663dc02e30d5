//! The life of a hidden danger from its registration to its closing: people move it, in order, with what each step needs. When it may be
//! closed is in `closing`, people who do anything at any time in `random`.

mod closing;
mod random;

use super::*;
use crate::command::Refusal;
use crate::hazard::step::Step;
use crate::hazard::{Hazard, Level, Settled, Stage};

pub(super) const HD: &str = "HD-1";

pub(super) fn assess(level: Level) -> Step {
    Step::Assess { level, criteria: "AQ 3067 第4.2条".into(), cause: "密封老化".into() }
}

pub(super) fn plan(due_s: i64, reason: &str) -> Step {
    Step::Plan {
        responsibility: "王主任".into(),
        measures: "更换法兰".into(),
        funds: "2 万元".into(),
        due_at: due_s * 1000,
        emergency: "应急预案 3 号".into(),
        reason: reason.into(),
    }
}

pub(super) fn report() -> Step {
    Step::Report { to: "镇应急办".into(), receipt: String::new(), supervision: "督办-7".into() }
}

pub(super) fn assign(due_s: i64, reason: &str) -> Step {
    Step::Assign {
        responsible: "chen".into(),
        due_at: due_s * 1000,
        interim_control: "拉警戒带，专人巡检".into(),
        reason: reason.into(),
    }
}

pub(super) fn rectify() -> Step {
    Step::Rectify { evidence: "法兰已换，照片 IMG-12".into() }
}

pub(super) fn accept(review_report: &str) -> Step {
    Step::Accept { opinion: "复查合格".into(), review_report: review_report.into() }
}

pub(super) fn send_back() -> Step {
    Step::SendBack { opinion: "仍有渗漏".into() }
}

fn close() -> Step {
    Step::Close { reason: "整改到位，同意销号".into() }
}

impl Rig {
    /// By somebody who has just looked.
    pub(super) fn step(&mut self, t: f64, user: &str, step: Step) -> Result<(), Rejected> {
        self.until(t);
        let seen_seq = self.engine.next_seq() - 1;
        self.command(t, user, &Command::MoveHazard { hazard: HD.into(), seen_seq, step })
    }
    pub(super) fn command(&mut self, t: f64, user: &str, command: &Command) -> Result<(), Rejected> {
        self.until(t);
        let actor = Actor { user: user.into(), role: "safety".into(), terminal: "10.0.0.7".into() };
        self.engine.command(command, &actor, at(t), &mut self.events)
    }
    pub(super) fn record(&self) -> &Hazard {
        self.engine.hazards().iter().chain(self.engine.closed_hazards()).find(|h| h.id == HD).unwrap()
    }
    pub(super) fn word(&self) -> &'static str {
        self.record().stage.word()
    }
    pub(super) fn steps(&mut self, t: f64, all: Vec<(&str, Step)>) {
        for (n, (user, step)) in all.into_iter().enumerate() {
            assert_eq!(self.step(t + n as f64 / 100.0, user, step.clone()), Ok(()), "{step:?}");
        }
    }
}

/// An HH whose candidate a safety officer confirmed at 9 s.
fn registered() -> Rig {
    let mut r = Rig::plain();
    r.hold(0, 4, 60.0);
    let confirm = Command::ConfirmHazard { hazard: HD.into(), seen_seq: None, reason: "现场属实".into() };
    assert_eq!(r.command(4.5, "sun", &confirm), Ok(()));
    r
}

/// The same, normal and acknowledged from 17 s on.
pub(super) fn registered_and_normal() -> Rig {
    let mut r = registered();
    r.hold(5, 20, 10.0);
    assert_eq!(r.ack(20.5, "GT-101:HH"), Ok(()));
    assert_eq!(r.ack(20.5, "GT-101:H"), Ok(()));
    r
}

/// Assigned until 3600 s.
pub(super) fn assigned() -> Rig {
    let mut r = registered_and_normal();
    r.steps(21.0, vec![("sun", assess(Level::General)), ("sun", assign(3600, ""))]);
    r
}

fn accepted() -> Rig {
    let mut r = assigned();
    r.steps(22.0, vec![("chen", rectify()), ("sun", accept(""))]);
    r.hold(23, 29, 10.0);
    r
}

pub(super) fn missing(fields: &[&str]) -> Result<(), Rejected> {
    Err(Rejected::Incomplete(fields.iter().map(|f| (*f).to_owned()).collect()))
}

fn refused(why: Refusal) -> Result<(), Rejected> {
    Err(Rejected::Refused(why))
}

#[test]
fn a_general_danger_goes_from_its_candidate_to_its_closing_and_every_step_has_who_when_where_and_why() {
    let mut r = accepted();
    assert_eq!(r.step(30.0, "sun", close()), Ok(()));
    assert!(r.engine.hazards().is_empty());
    let Stage::Closed { work, rectified, acceptance, closed } = &r.record().stage else { panic!("{}", r.word()) };
    let Settled::General { assessed } = &work.settled else { panic!("{work:?}") };
    let steps = [&work.confirmed, &assessed.by, &work.assignment.by, &rectified.by, &acceptance.by, closed];
    let who: Vec<&str> = steps.iter().map(|by| by.by.as_str()).collect();
    assert_eq!(who, ["sun", "sun", "sun", "chen", "sun", "sun"]);
    assert!(steps.iter().all(|by| by.role == "safety" && by.terminal == "10.0.0.7"));
    assert!(steps.windows(2).all(|two| two[0].at.mono < two[1].at.mono));
    assert_eq!((closed.reason.as_str(), rectified.evidence.as_str()), ("整改到位，同意销号", "法兰已换，照片 IMG-12"));
    assert_eq!(r.record().occurrences, ["GT-101:HH#1"]);
    assert_eq!(r.count("hazard.stage"), 6);
}

#[test]
fn a_major_danger_is_planned_and_reported_before_anybody_is_put_to_work() {
    let mut r = registered_and_normal();
    assert_eq!(r.step(21.0, "sun", assess(Level::Major)), Ok(()));
    assert_eq!(r.step(21.1, "sun", assign(3600, "")), missing(&["plan", "report"]));
    assert_eq!(r.step(21.2, "sun", report()), missing(&["plan"]));
    assert_eq!(r.step(21.3, "sun", plan(7200, "")), Ok(()));
    assert_eq!(r.step(21.4, "sun", assign(3600, "")), missing(&["report"]));
    assert_eq!(r.step(21.5, "sun", report()), Ok(()));
    assert_eq!(r.step(21.6, "sun", assign(3600, "")), Ok(()));
    assert_eq!(r.step(21.7, "chen", rectify()), Ok(()));
    assert_eq!(r.step(21.8, "sun", accept(" ")), missing(&["review_report"]));
    assert_eq!(r.step(21.9, "sun", accept("复查报告 2026-11")), Ok(()));
    assert_eq!(r.step(22.0, "sun", close()), Ok(()));
    let Settled::Major { report, .. } = &r.record().stage.work().unwrap().settled else { panic!() };
    assert_eq!((report.to.as_str(), report.supervision.as_str()), ("镇应急办", "督办-7"));
}

#[test]
fn the_plan_of_a_major_danger_needs_all_five_settled_items_each_by_its_name() {
    let mut r = registered_and_normal();
    r.steps(21.0, vec![("sun", assess(Level::Major))]);
    let without = |field: &str| {
        let Step::Plan { mut responsibility, mut measures, mut funds, mut due_at, mut emergency, reason } =
            plan(7200, "")
        else {
            unreachable!()
        };
        match field {
            "responsibility" => responsibility = "  ".into(),
            "measures" => measures.clear(),
            "funds" => funds.clear(),
            "due_at" => due_at = 20_000 - 86_400_000,
            _ => emergency.clear(),
        }
        Step::Plan { responsibility, measures, funds, due_at, emergency, reason }
    };
    for field in ["responsibility", "measures", "funds", "due_at", "emergency"] {
        assert_eq!(r.step(22.0, "sun", without(field)), missing(&[field]));
        assert_eq!(r.word(), "assessed");
    }
}

#[test]
fn every_step_names_all_that_it_lacks() {
    let mut r = registered_and_normal();
    let empty = || Step::Assess { level: Level::General, criteria: String::new(), cause: " ".into() };
    assert_eq!(r.step(21.0, "sun", empty()), missing(&["criteria", "cause"]));
    assert_eq!(r.step(21.1, "sun", assess(Level::General)), Ok(()));
    let nothing =
        Step::Assign { responsible: String::new(), due_at: 0, interim_control: String::new(), reason: String::new() };
    assert_eq!(r.step(21.2, "sun", nothing), missing(&["responsible", "due_at", "interim_control"]));
    assert_eq!(r.step(21.3, "sun", assign(3600, "")), Ok(()));
    assert_eq!(r.step(21.4, "chen", Step::Rectify { evidence: String::new() }), missing(&["evidence"]));
    assert_eq!(r.step(21.5, "chen", Step::Rectify { evidence: "长".repeat(1001) }), missing(&["evidence"]));
    assert_eq!(r.step(21.6, "chen", rectify()), Ok(()));
    let mute = Step::Accept { opinion: String::new(), review_report: String::new() };
    assert_eq!(r.step(21.7, "sun", mute), missing(&["opinion"]));
    assert_eq!(r.step(21.8, "sun", Step::SendBack { opinion: "漏".into() }), missing(&["opinion"]));
    assert_eq!(r.step(21.9, "sun", close()), missing(&["acceptance"]));
    assert_eq!(r.step(22.0, "sun", accept("")), Ok(()));
    assert_eq!(r.step(22.1, "sun", Step::Close { reason: "好".into() }), missing(&["reason"]));
}

#[test]
fn a_step_of_another_stage_is_refused_and_changes_nothing() {
    let mut r = registered_and_normal();
    for step in [plan(7200, ""), report(), assign(3600, ""), rectify(), accept(""), send_back(), close()] {
        assert_eq!(r.step(21.0, "sun", step.clone()), refused(Refusal::OtherStage), "{step:?}");
    }
    assert_eq!(r.step(21.1, "sun", assess(Level::General)), Ok(()));
    assert_eq!(r.step(21.2, "sun", plan(7200, "")), refused(Refusal::OtherStage), "a general one has no plan");
    assert_eq!(r.step(21.3, "sun", assess(Level::Major)), Ok(()), "a person thinks better of it");
    assert_eq!(r.record().stage.level(), Some(Level::Major));
    let mut candidate = Rig::plain();
    candidate.hold(0, 4, 60.0);
    assert_eq!(candidate.step(5.0, "sun", assess(Level::Major)), refused(Refusal::OtherStage));
}

#[test]
fn who_did_the_work_or_answers_for_it_does_not_accept_it() {
    let mut r = assigned();
    assert_eq!(r.step(22.0, "li", rectify()), Ok(()));
    let own = Err(Rejected::Forbidden(Refusal::InspectorIsRectifier));
    assert_eq!(r.step(22.1, "li", accept("")), own);
    assert_eq!(r.step(22.2, " LI", accept("")), own);
    assert_eq!(r.step(22.3, "Chen", accept("")), own, "responsible by the assignment");
    assert_eq!(r.step(22.4, "sun", accept("")), Ok(()));
}

#[test]
fn another_spelling_is_no_other_person() {
    let mut r = assigned();
    assert_eq!(r.step(22.0, "li", rectify()), Ok(()));
    for spelling in ["ＬＩ", "l i", "Ｃhen", "chen\u{3000}"] {
        assert_eq!(r.step(22.1, spelling, accept("")), Err(Rejected::Forbidden(Refusal::InspectorIsRectifier)));
    }
    assert_eq!(r.word(), "waiting");
}

#[test]
fn who_did_the_work_that_was_sent_back_or_answered_for_it_before_does_not_accept_it_either() {
    let mut r = assigned();
    r.steps(22.0, vec![("li", rectify()), ("sun", send_back())]);
    let to_wang = Step::Assign {
        responsible: "wang".into(),
        due_at: 7_200_000,
        interim_control: String::new(),
        reason: "陈工出差".into(),
    };
    r.steps(23.0, vec![("sun", to_wang), ("zhao", rectify())]);
    for earlier in ["li", "chen"] {
        let own = Err(Rejected::Forbidden(Refusal::InspectorIsRectifier));
        assert_eq!(r.step(24.0, earlier, accept("")), own, "{earlier}");
    }
    assert_eq!(r.step(24.1, "sun", accept("")), Ok(()));
}

#[test]
fn what_was_moved_after_it_was_shown_is_refused() {
    let mut r = assigned();
    let shown = r.record().moved_seq;
    let seen = |seen_seq, step| Command::MoveHazard { hazard: HD.into(), seen_seq, step };
    assert_eq!(r.command(22.0, "chen", &seen(shown, rectify())), Ok(()));
    let changed = Err(Rejected::Changed(HD.into()));
    assert_eq!(r.command(22.1, "sun", &seen(shown, accept(""))), changed);
    let ahead = r.engine.next_seq();
    assert_eq!(r.command(22.2, "sun", &seen(ahead, accept(""))), changed, "nobody has seen what is still to come");
    assert_eq!(r.command(22.3, "sun", &seen(ahead - 1, accept(""))), Ok(()));
}

#[test]
fn what_is_said_to_be_mended_and_comes_again_was_not_seen_by_who_accepts() {
    let mut r = assigned();
    r.steps(22.0, vec![("chen", rectify())]);
    let shown = r.record().moved_seq;
    r.hold(23, 27, 60.0);
    assert_eq!(r.record().occurrences, ["GT-101:HH#1", "GT-101:HH#2"]);
    let unaware = Command::MoveHazard { hazard: HD.into(), seen_seq: shown, step: accept("") };
    assert_eq!(r.command(28.0, "sun", &unaware), Err(Rejected::Changed(HD.into())));
}

#[test]
fn work_that_is_not_good_enough_goes_back_with_the_reason_and_the_evidence_stays() {
    let mut r = assigned();
    for n in 0..6 {
        r.steps(22.0 + f64::from(n), vec![("chen", rectify()), ("sun", send_back())]);
    }
    let Stage::Rectifying { work } = &r.record().stage else { panic!("{}", r.word()) };
    assert_eq!(work.sent_back.len(), 4, "the newest; all of them are in the journal");
    assert_eq!((work.sent_back[3].by.reason.as_str(), r.count("hazard.stage")), ("仍有渗漏", 15));
}

#[test]
fn a_person_registers_what_they_found_and_nobody_confirms_it() {
    let mut r = Rig::plain();
    let found = |measure: &str, place: &str| Command::RegisterHazard {
        measure: measure.into(),
        place: place.into(),
        description: "消防通道被占用".into(),
    };
    assert_eq!(r.command(1.0, "li", &found("RA-99", "")), missing(&["measure", "place"]));
    assert_eq!(r.command(1.0, "li", &found("RA-01.M1", "东门")), Ok(()));
    let h = r.record();
    assert_eq!((h.stage.word(), h.risk.as_str(), h.cause.as_str()), ("registered", "RA-01", ""));
    let steps = [assess(Level::General), assign(60, ""), rectify()];
    r.steps(2.0, steps.into_iter().map(|step| ("li", step)).collect());
    r.steps(3.0, vec![("sun", accept("")), ("sun", close())]);
    assert!(r.engine.hazards().is_empty());
}

#[test]
fn a_record_of_the_first_version_still_reads_and_every_stage_reads_back_as_it_was_written() {
    let old = r#"{"id":"HD-3","measure":"RA-01.M1","risk":"RA-01","cause":"GT-101:HH",
        "opened":{"mono":1,"wall":{"utc_ms":2,"quality":"synced"}},"occurrences":["GT-101:HH#1"],
        "stage":{"stage":"registered","confirmed":{"by":"sun","role":"safety","at":{"mono":1,"wall":{"utc_ms":2,
        "quality":"synced"}},"reason":"属实"}}}"#;
    let old: Hazard = serde_json::from_str(old).unwrap();
    assert_eq!((old.stage.word(), old.moved_seq), ("registered", 0));

    let mut r = registered_and_normal();
    let steps = [("sun", assess(Level::Major)), ("sun", plan(7200, "")), ("sun", report()), ("sun", assign(3600, ""))];
    r.steps(21.0, steps.to_vec());
    r.steps(22.0, vec![("chen", rectify()), ("sun", send_back()), ("chen", rectify()), ("sun", accept("复查-1"))]);
    r.steps(23.0, vec![("sun", close())]);
    let mut words = Vec::new();
    for event in &r.events {
        let json = serde_json::to_string(event).unwrap();
        assert_eq!(&serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
        if let EventKind::HazardStage { hazard } = &event.kind {
            words.push(hazard.stage.word());
        }
    }
    assert_eq!(
        words,
        [
            "registered",
            "assessed",
            "planned",
            "reported",
            "rectifying",
            "waiting",
            "rectifying",
            "waiting",
            "accepted",
            "closed"
        ]
    );
}

#[test]
fn what_a_stage_lacks_is_what_its_next_step_asks_for() {
    let mut r = registered_and_normal();
    assert_eq!(r.record().stage.lacks(), ["level", "criteria", "cause"]);
    r.steps(21.0, vec![("sun", assess(Level::Major))]);
    assert_eq!(r.record().stage.next_steps()[0], "plan");
    assert_eq!(r.record().stage.lacks(), ["responsibility", "measures", "funds", "due_at", "emergency"]);
}
