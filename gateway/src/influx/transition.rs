//! Measurement `alarm`: every transition of an alarm as one line, so that a dashboard can lay alarms over curves.
//!
//! Tags `alarm, area, condition, point, priority, site, transition` (empty ones left out), fields `event_id`, `seq`, `occurrence`, and where the
//! event has them `value`, `quality` and `limit`; the time is that of the event in ms. One transition of one alarm has one time, so sending
//! again changes nothing. Owns the shape only; the events come from the journal, sending is `writer`'s.

use super::line::escape_tag;
use super::writer::Encode;
use crate::record::Record;
use crate::snapshot::SiteView;
use std::fmt::Write as _;

/// The site's key.
#[derive(Clone, Debug)]
pub struct TransitionEncoder {
    site: String,
}

impl TransitionEncoder {
    /// Of a site.
    #[must_use]
    pub fn new(site: &SiteView) -> Self {
        Self { site: site.site.clone() }
    }
}

impl Encode<Record> for TransitionEncoder {
    fn line(&self, record: &Record, out: &mut String) {
        let kind = record.event.kind.name();
        let (Some(fact), Some(transition)) = (record.event.kind.fact(), kind.strip_prefix("alarm.")) else { return };
        let priority = fact.priority.to_string();
        out.push_str("alarm");
        for (key, value) in [
            ("alarm", fact.alarm.as_str()),
            ("area", &fact.area),
            ("condition", &fact.condition),
            ("point", &fact.point),
            ("priority", &priority),
            ("site", &self.site),
            ("transition", transition),
        ] {
            let value = escape_tag(value);
            if !value.is_empty() {
                let _ = write!(out, ",{key}={value}");
            }
        }
        // event ids are made of the site's key and a number: nothing in them needs escaping
        let _ =
            write!(out, " event_id=\"{}\",seq={}i,occurrence={}i", record.event_id, record.event.seq, fact.occurrence);
        if let Some(reading) = fact.reading {
            if let Some(value) = reading.value().filter(|v| v.is_finite()) {
                let _ = write!(out, ",value={value}");
            }
            let _ = write!(out, ",quality={}i", reading.quality_code());
        }
        if let Some(limit) = fact.limit.filter(|v| v.is_finite()) {
            let _ = write!(out, ",limit={limit}");
        }
        let _ = writeln!(out, " {}", record.event.at.wall.utc_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use influxdb_line_protocol::{FieldValue, parse_lines};
    use rules::{AlarmFact, Event, EventKind, Finite, Now, Reading, Wall};

    fn record(kind: EventKind) -> Record {
        let wall = Wall { utc_ms: 1_700_000_000_123, ..Wall::default() };
        Record {
            event_id: "demo-7".into(),
            boot_id: "b".into(),
            delivery_seq: None,
            durable: true,
            prev_hash: String::new(),
            hash: String::new(),
            event: Event { seq: 7, at: Now { wall, ..Now::default() }, kind },
        }
    }

    fn fact() -> AlarmFact {
        AlarmFact {
            alarm: "GT-102:HH".into(),
            occurrence: 3,
            point: "GT-102".into(),
            condition: "HH".into(),
            priority: 1,
            reading: Some(Reading::Good(Finite::new(50.3).unwrap())),
            limit: Some(50.0),
            ..AlarmFact::default()
        }
    }

    fn lines(kind: EventKind) -> String {
        let mut out = String::new();
        TransitionEncoder::new(&crate::mqtt::fixture::site()).line(&record(kind), &mut out);
        out
    }

    #[test]
    fn a_raise_is_one_line_that_an_independent_parser_reads() {
        let text = lines(EventKind::Raised { fact: fact(), assumed: false, late_by_ms: 0 });
        let line = parse_lines(&text).next().unwrap().unwrap();
        assert_eq!(line.series.measurement.as_str(), "alarm");
        assert_eq!(line.timestamp, Some(1_700_000_000_123));
        let tags: Vec<(String, String)> =
            line.series.tag_set.iter().flatten().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect();
        assert!(tags.is_sorted() && tags.contains(&("transition".into(), "raised".into())), "{tags:?}");
        let fields: Vec<(String, FieldValue<'_>)> =
            line.field_set.iter().map(|(k, v)| (k.as_str().into(), v.clone())).collect();
        assert!(fields.contains(&("value".into(), FieldValue::F64(50.3))), "{fields:?}");
        assert!(fields.contains(&("limit".into(), FieldValue::F64(50.0))) && text.ends_with('\n'), "{fields:?}");
    }

    #[test]
    fn what_is_no_transition_of_an_alarm_is_no_line() {
        assert_eq!(lines(EventKind::Stopped { boot_id: "b".into() }), "");
    }

    #[test]
    fn a_bad_reading_writes_its_quality_and_no_value() {
        let fact = AlarmFact { reading: Some(Reading::Bad(rules::Fault::Timeout)), ..fact() };
        let text = lines(EventKind::Held { fact, assumed: false });
        assert!(text.contains(",quality=2i") && !text.contains("value="), "{text}");
    }
}
