//! The JSON of an event on the wire: every field of the interface, in one place.

use crate::moment::utc_text;
use crate::record::Record;
use crate::snapshot::SiteView;
use crate::store::outbox::Damaged;
use crate::text::event_text;
use rules::risk::{Risk, RiskLevel};
use rules::{EventKind, Reading};
use serde_json::{Value, json};

/// Largest MQTT packet in either direction.
pub const PACKET_BYTES_MAX: usize = 1024 * 1024;
/// Largest event payload. An event is some 800 bytes; a broker may close the connection over a packet that is too large for it,
/// and the same event would come first again.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// A text is cut to this many characters when a payload would be too large.
const TEXT_CHARS_MAX: usize = 2_000;

/// The payload of one event. `seq` is the delivery number: gapless per site.
#[must_use]
pub fn event_payload(record: &Record, site: &SiteView, replay: bool) -> Value {
    let kind = &record.event.kind;
    let fact = kind.fact();
    let reading = fact.and_then(|f| f.reading);
    let (zh, en) = event_text(&record.event, site);
    let risk = risk_key(kind).and_then(|key| site.risks.iter().find(|r| r.key == key));
    let mut payload = json!({
        "event_id": record.event_id,
        "site": site.site,
        "seq": record.delivery_seq,
        "journal_seq": record.event.seq,
        "boot_id": record.boot_id,
        "time": utc_text(record.event.at.wall.utc_ms),
        "time_quality": record.event.at.wall.quality,
        "time_max_error_ms": record.event.at.wall.max_error_ms,
        "kind": kind.name(),
        "priority": priority(kind, &site.risks),
        "point": fact.map(|f| f.point.as_str()).filter(|p| !p.is_empty()),
        "tag": fact.map(|f| tag(&f.alarm)),
        "rule": fact.map(|f| f.alarm.as_str()),
        "condition": fact.map(|f| f.condition.as_str()),
        "value": reading.and_then(Reading::value),
        "limit": fact.and_then(|f| f.limit),
        "unit": fact.map(|f| f.unit.as_str()),
        "quality": reading.map(quality_word),
        "risk_id": risk_key(kind),
        "risk_level": risk.map(|r| level_word(r.level)),
        "source_id": risk.and_then(|r| r.source.as_deref()),
        "hazard_id": hazard_id(kind),
        "text": { "zh": zh, "en": en },
        "durable": record.durable,
        "replay": replay,
        "drill": fact.is_some_and(|f| f.drill),
        "flood": fact.is_some_and(|f| f.flood),
        "hash": record.hash,
        "prev_hash": record.prev_hash,
    });
    // posts alone, so that the office can call from its own list; absent where the site names none
    if let EventKind::Escalated { level, call, .. } = kind {
        payload["level"] = (*level).into();
        if !call.is_empty() {
            payload["call"] = json!(call);
        }
    }
    payload
}

/// The payload as bytes; a text too long for a packet is cut, never refused, so no event can block the ones behind it.
#[must_use]
pub fn event_bytes(record: &Record, site: &SiteView, replay: bool) -> Vec<u8> {
    let kind = &record.event.kind;
    let mut payload = event_payload(record, site, replay);
    let bytes = payload.to_string().into_bytes();
    if bytes.len() <= PAYLOAD_BYTES_MAX {
        return bytes;
    }
    if let Some(fields) = payload.as_object_mut() {
        fields.values_mut().for_each(cut);
        fields.insert("truncated".into(), Value::Bool(true));
    }
    let bytes = payload.to_string().into_bytes();
    if bytes.len() <= PAYLOAD_BYTES_MAX {
        return bytes;
    }
    let rest = Damaged {
        event_id: record.event_id.clone(),
        kind: kind.name().to_owned(),
        priority: priority(kind, &site.risks),
        hash: record.hash.clone(),
        prev_hash: record.prev_hash.clone(),
    };
    damaged_bytes(&rest, record.delivery_seq.unwrap_or_default(), site, replay)
}

/// An event whose record cannot be read or sent: its number and its hash arrive all the same, so the office misses nothing
/// without knowing, and a person can look it up on site.
#[must_use]
pub fn damaged_bytes(damaged: &Damaged, delivery_seq: u64, site: &SiteView, replay: bool) -> Vec<u8> {
    let payload = json!({
        "event_id": damaged.event_id, "site": site.site, "seq": delivery_seq, "kind": damaged.kind,
        "priority": damaged.priority, "time": null, "unreadable": true,
        "text": {
            "zh": format!("第 {delivery_seq} 号事件的记录无法读取，请到现场核对"),
            "en": format!("The record of event {delivery_seq} cannot be read; check on site"),
        },
        "durable": true, "replay": replay, "drill": false, "hash": damaged.hash, "prev_hash": damaged.prev_hash,
    });
    payload.to_string().into_bytes()
}

fn cut(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.chars().take(TEXT_CHARS_MAX).collect(),
        Value::Object(fields) => fields.values_mut().for_each(cut),
        _ => {}
    }
}

fn tag(alarm: &str) -> &str {
    alarm.rsplit_once(':').map_or(alarm, |(tag, _)| tag)
}

fn quality_word(reading: Reading) -> &'static str {
    match reading {
        Reading::Good(_) => "good",
        Reading::Uncertain(..) => "uncertain",
        Reading::Bad(_) => "bad",
    }
}

fn level_word(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Major => "major",
        RiskLevel::Considerable => "considerable",
        RiskLevel::General => "general",
        RiskLevel::Low => "low",
    }
}

/// Priority 1 … 4; what is not an alarm travels as 3 (hidden dangers) or 4.
///
/// A candidate says that a control measure of a risk has failed, so it weighs what the risk weighs: red 1, orange 2 (the scheme's own
/// grades, domain.md §2). As 3 it would stand below the high alarm that led to it, and a flood may hold 3 together (alarms.md §2.8).
/// Later stages are people's work on it.
#[must_use]
pub fn priority(kind: &EventKind, risks: &[Risk]) -> u8 {
    match (kind.fact(), kind) {
        (Some(fact), _) => fact.priority,
        (None, EventKind::HazardOpened { hazard }) => {
            match risks.iter().find(|risk| risk.key == hazard.risk).map(|risk| risk.level) {
                Some(RiskLevel::Major) => 1,
                Some(RiskLevel::Considerable) => 2,
                Some(RiskLevel::General | RiskLevel::Low) | None => 3,
            }
        }
        _ if hazard_id(kind).is_some() => 3,
        _ => 4,
    }
}

fn risk_key(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::HazardOpened { hazard } | EventKind::HazardStage { hazard } => Some(&hazard.risk),
        other => other.fact()?.risk.as_deref(),
    }
}

fn hazard_id(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::HazardOpened { hazard } | EventKind::HazardStage { hazard } => Some(&hazard.id),
        EventKind::HazardOccurrence { hazard, .. } | EventKind::HazardOverdue { hazard, .. } => Some(hazard),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
