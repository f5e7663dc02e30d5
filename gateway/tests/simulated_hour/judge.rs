//! What must be true of every hour, whatever its seed. Gathers all complaints, so that one run tells everything.

use crate::plant::Due;
use crate::world::Outcome;
use gateway::record::Record;
use rules::EventKind;
use std::collections::BTreeSet;
use std::time::Duration;

/// Beside poll and delay: the other units of the link that are asked first.
const TURN: Duration = Duration::from_millis(500);
/// On wires with faults a unit may miss polls, be called dead and probed.
const PATIENCE: Duration = Duration::from_secs(30);
/// After its end a mishap's alarms still come and go for so long.
const AFTERMATH: Duration = Duration::from_secs(90);

/// Everything that is wrong.
pub(crate) fn complaints(outcome: &Outcome) -> Vec<String> {
    let mut all = Vec::new();
    journal(outcome, &mut all);
    outcome.dues.iter().for_each(|due| alarm_came(due, outcome, &mut all));
    no_alarm_without_a_cause(outcome, &mut all);
    broker_outages_are_alarms(outcome, &mut all);
    office(outcome, &mut all);
    samples(outcome, &mut all);
    if !outcome.active_at_end.is_empty() {
        all.push(format!("still active twelve minutes after the last fault: {:?}", outcome.active_at_end));
    }
    all
}

fn journal(outcome: &Outcome, all: &mut Vec<String>) {
    let numbers = outcome.records.iter().map(|r| r.event.seq);
    if !numbers.eq(1..=outcome.records.len() as u64) {
        all.push("the journal's numbers have a gap".into());
    }
    if outcome.chain != Ok(outcome.records.len() as u64) {
        all.push(format!("the chain: {:?}", outcome.chain));
    }
    let last = outcome.records.last().map(|r| r.event.kind.name());
    if last != Some("system.stopped") {
        all.push(format!("the journal ends with {last:?}"));
    }
}

/// Raised records of an alarm in a time.
fn raised<'a>(outcome: &'a Outcome, alarm: &str, from: Duration, to: Duration) -> Option<&'a Record> {
    outcome.records.iter().find(|r| {
        let hit = matches!(&r.event.kind, EventKind::Raised { fact, .. } if fact.alarm == alarm);
        hit && (from..=to).contains(&outcome.at(r))
    })
}

fn alarm_came(due: &Due, outcome: &Outcome, all: &mut Vec<String>) {
    let Some(true_from) = due.true_from else {
        return all.push(format!("{}: its cause never came true", due.alarm));
    };
    let slack = if due.faulty { PATIENCE } else { TURN };
    let came = raised(outcome, &due.alarm, due.begun, true_from + due.within + slack).is_some();
    let excused = due.faulty && stood(outcome, due, true_from);
    if !came && !excused {
        let later = raised(outcome, &due.alarm, due.begun, Duration::MAX).map(|r| outcome.at(r));
        all.push(format!(
            "{} of {} was due within {:?} from {true_from:?} and came at {later:?} (faulty wires: {})",
            due.alarm, due.scenario, due.within, due.faulty
        ));
    }
}

/// On faulty wires the silence of the device may be the alarm instead, or may have been there before.
fn stood(outcome: &Outcome, due: &Due, true_from: Duration) -> bool {
    let silence = outcome.records.iter().filter(|r| outcome.at(r) < true_from + PATIENCE);
    let mut standing = BTreeSet::new();
    for record in silence {
        match &record.event.kind {
            EventKind::Raised { fact, .. } if fact.condition == "COMMS_LOSS" => {
                standing.insert(fact.alarm.clone());
            }
            EventKind::Returned { fact, .. } if outcome.at(record) < due.begun => {
                standing.remove(&fact.alarm);
            }
            _ => {}
        }
    }
    let device = match due.alarm.split(':').next().unwrap_or_default() {
        point if point.starts_with("GT-") || point.starts_with("GD-") => format!("DET-{}", &point[3..]),
        point if point.starts_with("LT-201") => "TANK-A2".into(),
        other => other.to_owned(),
    };
    standing.contains(&format!("{device}:COMMS_LOSS"))
}

/// A fault on a wire may silence a device; it never makes a value, so it never makes an alarm of one.
fn no_alarm_without_a_cause(outcome: &Outcome, all: &mut Vec<String>) {
    for record in &outcome.records {
        let EventKind::Raised { fact, .. } = &record.event.kind else { continue };
        let at = outcome.at(record);
        let mishap = outcome.plan.slots.iter().any(|s| at >= s.at && at <= s.at + s.scenario.lasts() + AFTERMATH);
        let faults = outcome
            .plan
            .slots
            .iter()
            .any(|s| !s.faults.is_empty() && at >= s.window.from && at <= s.window.to + AFTERMATH);
        let explained = match fact.condition.as_str() {
            "SYSTEM" => fact.alarm == "system:uplink_down" || fact.alarm == "system:office_silent",
            "COMMS_LOSS" => mishap || faults,
            _ => mishap,
        };
        if !explained {
            all.push(format!("{} was raised at {at:?} without a cause", fact.alarm));
        }
    }
}

fn broker_outages_are_alarms(outcome: &Outcome, all: &mut Vec<String>) {
    for window in &outcome.plan.broker_down {
        let long = window.to.saturating_sub(window.from) > Duration::from_secs(60);
        if long && raised(outcome, "system:uplink_down", window.from, window.from + Duration::from_secs(35)).is_none() {
            all.push(format!("the broker's absence from {:?} on was no alarm", window.from));
        }
    }
}

fn office(outcome: &Outcome, all: &mut Vec<String>) {
    if !outcome.without_receipt.is_empty() {
        all.push(format!("without a receipt: {:?}", outcome.without_receipt));
    }
    let sent: Vec<(u64, String)> =
        outcome.records.iter().filter_map(|r| Some((r.delivery_seq?, r.event_id.clone()))).collect();
    let noted: Vec<(u64, String)> = outcome.noted.events.iter().map(|(seq, id)| (*seq, id.clone())).collect();
    if noted != sent {
        let missing: Vec<_> = sent.iter().filter(|event| !noted.contains(event)).collect();
        all.push(format!("the office has {} of {} events; missing {missing:?}", noted.len(), sent.len()));
    }
    let journaled: BTreeSet<&str> = outcome.records.iter().filter_map(|r| receipt_for(r)).collect();
    let before_the_stop = sent.len().saturating_sub(1);
    let unreceipted: Vec<_> =
        sent[..before_the_stop].iter().filter(|(_, id)| !journaled.contains(id.as_str())).collect();
    if !unreceipted.is_empty() {
        all.push(format!("no receipt in the journal: {unreceipted:?}"));
    }
}

fn receipt_for(record: &Record) -> Option<&str> {
    match &record.event.kind {
        EventKind::Receipt { event_id, .. } => Some(event_id),
        _ => None,
    }
}

fn samples(outcome: &Outcome, all: &mut Vec<String>) {
    let history = &outcome.history;
    if history.read != history.stored + history.dropped_queue_full + history.dropped_disk || history.read < 90_000 {
        all.push(format!("samples do not balance: {history:?}"));
    }
    if outcome.delivered.delivered != history.stored || outcome.delivered.dead_lettered > 0 {
        all.push(format!("delivered {:?} of {} stored samples", outcome.delivered, history.stored));
    }
    if !outcome.never_true.is_empty() || outcome.compared < 80_000 {
        let (first, n) = (outcome.never_true.iter().take(10).collect::<Vec<_>>(), outcome.never_true.len());
        all.push(format!("{n} of {} values the plant never had: {first:?}", outcome.compared));
    }
    if outcome.database.lines != outcome.stored_lines {
        all.push(format!(
            "{} lines in the database, {} stored",
            outcome.database.lines.len(),
            outcome.stored_lines.len()
        ));
    }
}
