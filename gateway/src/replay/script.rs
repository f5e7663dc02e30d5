//! What the samples do not say, taken from the journal: people's commands, conditions of the gateway itself, starts.
//!
//! Owns the way from an event back to what caused it. Everything else in the journal must come out of the rules again.

use rules::engine::ConfigChange;
use rules::hazard::step::Step as Given;
use rules::hazard::{Decision, Stage, Work};
use rules::hide::EndCause;
use rules::{Actor, Command, Event, EventKind, SystemCondition};

/// One thing that happened from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The daemon started: alarms stood again, readings were unknown.
    Start { seq: u64, config_hash: String, rebooted: bool },
    /// Another configuration took the running one's place, by that entry of the journal.
    Change { seq: u64, change: ConfigChange },
    /// The daemon ended: until the next start nothing is judged.
    Stop,
    /// A person; the number of what they saw is filled in when it is played.
    Person(Command, Actor),
    /// A condition of the gateway itself.
    System(SystemCondition, bool),
}

/// What caused an event, if it came from outside; times are those of the event.
#[must_use]
pub(super) fn step(event: &Event, rebooted: bool) -> Option<Step> {
    let person = |command, by: &Decision| {
        let Decision { by: user, role, terminal, .. } = by.clone();
        Some(Step::Person(command, Actor { user, role, terminal }))
    };
    let seconds = |until: rules::Mono| (until.since(event.at.mono).as_millis() + 500) / 1000;
    let seconds = |until| u64::try_from(seconds(until)).unwrap_or(0);
    match &event.kind {
        EventKind::Started { config_hash, .. } => {
            Some(Step::Start { seq: event.seq, config_hash: config_hash.clone(), rebooted })
        }
        EventKind::ConfigChanged { old_hash, new_hash, by, asked } => {
            let (old_hash, new_hash, by, asked) = (old_hash.clone(), new_hash.clone(), by.clone(), asked.clone());
            Some(Step::Change { seq: event.seq, change: ConfigChange { by, asked, old_hash, new_hash } })
        }
        EventKind::Stopped { .. } => Some(Step::Stop),
        EventKind::Raised { fact, .. } | EventKind::ShadowRaised { fact, .. } => system(&fact.alarm, true),
        EventKind::Returned { fact, .. } | EventKind::ShadowReturned { fact, .. } => system(&fact.alarm, false),
        EventKind::Acked { fact, by } => {
            person(Command::Acknowledge { alarm: fact.alarm.clone(), seen_seq: 0, comment: by.reason.clone() }, by)
        }
        EventKind::Shelved { fact, shelf } => person(
            Command::Shelve {
                alarm: fact.alarm.clone(),
                seen_seq: 0,
                kind: shelf.kind,
                duration_s: seconds(shelf.until.mono),
                reason: shelf.by.reason.clone(),
            },
            &shelf.by,
        ),
        EventKind::Unshelved { fact, by } => {
            let reason = by.reason.clone();
            person(Command::Unshelve { alarm: fact.alarm.clone(), seen_seq: 0, reason }, by)
        }
        EventKind::Reset { fact, by } => {
            let reason = by.reason.clone();
            person(Command::ResetLatch { alarm: fact.alarm.clone(), seen_seq: 0, reason }, by)
        }
        EventKind::Bypassed { point, bypass } => person(
            Command::Bypass {
                point: point.clone(),
                seen_seq: 0,
                permit: bypass.permit.clone(),
                reason: bypass.by.reason.clone(),
                requested_by: bypass.requested_by.clone(),
                no_account: bypass.no_account,
                duration_s: seconds(bypass.until.mono),
                compensation: bypass.compensation.clone(),
            },
            &bypass.by,
        ),
        EventKind::BypassEnded { point, why: EndCause::User, by: Some(by) } => {
            person(Command::EndBypass { point: point.clone(), seen_seq: 0, reason: by.reason.clone() }, by)
        }
        EventKind::OutOfService { point, service } => person(
            Command::OutOfService {
                point: point.clone(),
                seen_seq: 0,
                work_order: service.work_order.clone(),
                reason: service.by.reason.clone(),
            },
            &service.by,
        ),
        EventKind::InService { point, by } => {
            person(Command::ReturnToService { point: point.clone(), seen_seq: 0, reason: by.reason.clone() }, by)
        }
        EventKind::FirstOutReset { group, by } => {
            let reason = by.reason.clone();
            person(Command::ResetFirstOut { group: group.clone(), seen_seq: None, reason }, by)
        }
        EventKind::ModeChanged { plant_unit, new, by: Some(by), .. } => person(
            Command::SetMode { unit: plant_unit.clone(), seen_seq: 0, mode: *new, reason: by.reason.clone() },
            by,
        ),
        EventKind::Silenced { by, .. } => person(Command::Silence { seen_seq: None }, by),
        EventKind::HazardStage { hazard } => match &hazard.stage {
            Stage::Registered { confirmed: by } => person(
                Command::ConfirmHazard { hazard: hazard.id.clone(), seen_seq: None, reason: by.reason.clone() },
                by,
            ),
            Stage::Rejected { rejected: by } => person(
                Command::RejectHazard { hazard: hazard.id.clone(), seen_seq: None, reason: by.reason.clone() },
                by,
            ),
            Stage::Candidate => None,
            stage => last_step(stage).and_then(|(step, by)| {
                person(Command::MoveHazard { hazard: hazard.id.clone(), seen_seq: 0, step }, by)
            }),
        },
        EventKind::HazardOpened { hazard } => match (&hazard.found, &hazard.stage) {
            (Some(found), Stage::Registered { confirmed: by }) => {
                let (place, description) = (found.place.clone(), found.description.clone());
                person(Command::RegisterHazard { measure: hazard.measure.clone(), place, description }, by)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What a person gave to bring a record to this stage.
fn last_step(stage: &Stage) -> Option<(Given, &Decision)> {
    Some(match stage {
        Stage::Candidate | Stage::Registered { .. } | Stage::Rejected { .. } => return None,
        Stage::Assessed { level, assessed, .. } => {
            let (criteria, cause) = (assessed.criteria.clone(), assessed.cause.clone());
            (Given::Assess { level: *level, criteria, cause }, &assessed.by)
        }
        Stage::Planned { plan, .. } => (
            Given::Plan {
                responsibility: plan.responsibility.clone(),
                measures: plan.measures.clone(),
                funds: plan.funds.clone(),
                due_at: plan.due.wall_utc_ms,
                emergency: plan.emergency.clone(),
                reason: plan.by.reason.clone(),
            },
            &plan.by,
        ),
        Stage::Reported { report, .. } => {
            let (to, receipt) = (report.to.clone(), report.receipt.clone());
            (Given::Report { to, receipt, supervision: report.supervision.clone() }, &report.by)
        }
        Stage::Rectifying { work } => at_work(work),
        Stage::Waiting { rectified, .. } => (Given::Rectify { evidence: rectified.evidence.clone() }, &rectified.by),
        Stage::Accepted { acceptance, .. } => {
            let (opinion, review_report) = (acceptance.opinion.clone(), acceptance.review_report.clone());
            (Given::Accept { opinion, review_report }, &acceptance.by)
        }
        Stage::Closed { closed, .. } => (Given::Close { reason: closed.reason.clone() }, closed),
    })
}

/// Sent back or assigned, whichever came last.
fn at_work(work: &Work) -> (Given, &Decision) {
    let assignment = &work.assignment;
    let back = work.sent_back.last().filter(|back| back.by.at.wall.utc_ms >= assignment.by.at.wall.utc_ms);
    if let Some(back) = back {
        return (Given::SendBack { opinion: back.by.reason.clone() }, &back.by);
    }
    // a date that stayed was not given, and may have been over already
    let stays = work.earlier.last().is_some_and(|earlier| earlier.due.wall_utc_ms == assignment.due.wall_utc_ms);
    let given = Given::Assign {
        responsible: assignment.responsible.clone(),
        due_at: if stays { 0 } else { assignment.due.wall_utc_ms },
        interim_control: assignment.interim_control.clone(),
        reason: assignment.by.reason.clone(),
    };
    (given, &assignment.by)
}

fn system(alarm: &str, active: bool) -> Option<Step> {
    let code = alarm.strip_prefix("system:")?;
    let told = SystemCondition::ALL.into_iter().find(|c| c.code() == code && !c.is_the_engines());
    told.map(|c| Step::System(c, active))
}

/// The command with the number of what stands: who acted had it on the screen.
#[must_use]
pub(super) fn seen(command: &Command, newest: u64) -> Command {
    let mut command = command.clone();
    if let Some(seen_seq) = command.seen_seq_mut() {
        *seen_seq = newest;
    }
    command
}

/// True for what the rules decide, in the journal or in a replay; the rest are notes of the gateway and of people.
#[must_use]
pub(super) fn is_decided(kind: &EventKind) -> bool {
    let name = kind.name();
    ["alarm.", "point.", "suppression.", "group.", "flood.", "unit.", "sound.", "hazard."]
        .iter()
        .any(|room| name.starts_with(room))
        || name.starts_with("device.inhibit")
}

/// What an event is about: the alarm, or the point, group, unit or record.
#[must_use]
pub(super) fn subject(kind: &EventKind) -> String {
    if let Some(fact) = kind.fact() {
        return fact.alarm.clone();
    }
    match kind {
        EventKind::FirstOutReset { group, .. } => group.clone(),
        EventKind::SuppressionReleased { rule } => rule.clone(),
        EventKind::ModeChanged { plant_unit, .. } => plant_unit.clone(),
        EventKind::HazardOpened { hazard } | EventKind::HazardStage { hazard } if hazard.cause.is_empty() => {
            hazard.id.clone()
        }
        EventKind::HazardOpened { hazard } | EventKind::HazardStage { hazard } => hazard.cause.clone(),
        EventKind::HazardOccurrence { hazard, .. } | EventKind::HazardOverdue { hazard, .. } => hazard.clone(),
        other => other.whole_point().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::hide::{Expiry, Shelf};
    use rules::{AlarmFact, Now};
    use serde_json::json;

    #[test]
    fn a_shelf_becomes_the_command_that_made_it() {
        let at = Now::default();
        let until = Expiry::after(at, std::time::Duration::from_secs(600));
        let by = Decision {
            by: "li".into(),
            role: "operator".into(),
            at,
            reason: "换探头中".into(),
            terminal: String::new(),
        };
        let shelf = Shelf { kind: rules::ShelfKind::OneShot, until, by };
        let fact = AlarmFact { alarm: "A:H".into(), ..AlarmFact::default() };
        let event = Event { seq: 1, at, kind: EventKind::Shelved { fact, shelf } };
        let Some(Step::Person(command, actor)) = step(&event, false) else { panic!("{event:?}") };
        let Command::Shelve { alarm, seen_seq, duration_s, .. } = seen(&command, 41) else { panic!("{command:?}") };
        assert_eq!((alarm.as_str(), seen_seq, duration_s, actor.user.as_str()), ("A:H", 41, 600, "li"));
    }

    #[test]
    fn an_alarm_of_a_point_comes_from_the_samples_and_one_of_the_gateway_from_the_journal() {
        let raised = |alarm: &str| {
            let fact = AlarmFact { alarm: alarm.into(), ..AlarmFact::default() };
            let kind = EventKind::Raised { fact, assumed: false, late_by_ms: 0 };
            step(&Event { seq: 1, at: Now::default(), kind }, false)
        };
        assert_eq!(raised("GT-1:H"), None);
        assert_eq!(raised("system:uplink_down"), Some(Step::System(SystemCondition::UplinkDown, true)));
        assert_eq!(raised("system:bypass_expiring"), None, "the rules find it out again");
    }

    #[test]
    fn a_date_that_stayed_when_work_was_assigned_anew_is_not_given_again() {
        let by = json!({ "by": "sun", "role": "safety", "at": { "mono": 1, "wall": { "utc_ms": 2, "quality": "synced" } }, "reason": "陈工出差" });
        let to = |responsible: &str, ms: i64| json!({ "responsible": responsible, "due": { "mono": 1, "wall_utc_ms": ms }, "interim_control": "巡检", "by": by });
        let assessed = json!({ "criteria": "4.2", "cause": "老化", "by": by });
        for (before_ms, given_ms) in [(9, 0), (8, 9)] {
            let work = json!({ "confirmed": by, "level": "general", "assessed": assessed, "assignment": to("li", 9), "earlier": [to("chen", before_ms)] });
            let work: Work = serde_json::from_value(work).unwrap();
            assert!(matches!(at_work(&work).0, Given::Assign { due_at, .. } if due_at == given_ms));
        }
    }

    /// Names of one sign were taken once: the form is asked where people fill it in.
    #[test]
    fn a_bypass_on_record_is_played_whoever_asked_for_it() {
        let site = crate::config::site_from_text("site.toml", include_str!("../../examples/minimal-site.toml"), |_| {});
        let book = site.value.unwrap().book;
        let mut engine = rules::Engine::new(book, rules::engine::Restored::default(), Now::default());
        let by = json!({ "by": "sun", "role": "safety", "at": Now::default(), "reason": "动火作业" });
        let bypass = json!({ "permit": "DH-1", "requested_by": "王", "compensation": "专人便携检测", "by": by,
            "until": Expiry::after(Now::default(), std::time::Duration::from_secs(600)) });
        let recorded = EventKind::Bypassed { point: "GT-101".into(), bypass: serde_json::from_value(bypass).unwrap() };
        let event = Event { seq: 1, at: Now::default(), kind: recorded.clone() };
        let Some(Step::Person(command, actor)) = step(&event, false) else { panic!("{event:?}") };
        let mut played = Vec::new();
        let command = seen(&command, engine.next_seq() - 1);
        engine.command(&command, &actor, Now::default(), &mut played).unwrap();
        assert!(
            matches!(&played[0].kind, EventKind::Bypassed { bypass, .. } if bypass.requested_by == "王"),
            "{played:?}"
        );
    }
}
