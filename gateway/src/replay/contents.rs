//! What two events of one kind, alarm and time say: the numbers they were judged by, and what follows from them.
//!
//! Owns which fields must come out again. Left out is what hangs on the order within one instant or on the run itself: state vectors and
//! the newest value of an event that a timer made, numbers of occurrences before the beginning, sounds, lateness, the revision's name.

use rules::EventKind;
use serde_json::Value;

/// Of the alarm: by what it was judged.
const OF_THE_ALARM: [&str; 7] = ["priority", "limit", "deadband", "on_delay_ms", "off_delay_ms", "drill", "detail"];
/// Of the event's own kind: how far it went, why, and who was to be called.
const OF_THE_KIND: [&str; 8] = ["level", "count", "assumed", "latched", "rule", "why", "new", "call"];
/// Where a kind keeps who did it; when they did is the event's own time, on the clock of the run.
const WHO: [&str; 4] = ["/by", "/shelf/by", "/bypass/by", "/service/by"];

/// Each field that differs, as `limit 25.0 → 28.0`: recorded, then replayed.
#[must_use]
pub(super) fn differing(recorded: &EventKind, replayed: &EventKind) -> Vec<String> {
    let (was, is) = (fields(recorded), fields(replayed));
    let alarm = OF_THE_ALARM.iter().map(|name| (*name, &was["fact"][name], &is["fact"][name]));
    let kind = OF_THE_KIND.iter().map(|name| (*name, &was[name], &is[name]));
    let by_sample = |event: &Value| event["fact"]["cause"] == "sample";
    let value =
        (by_sample(&was) && by_sample(&is)).then_some(("reading", &was["fact"]["reading"], &is["fact"]["reading"]));
    let who = WHO
        .iter()
        .flat_map(|place| ["by", "role", "reason"].map(|name| (name, who(&was, place, name), who(&is, place, name))));
    let differ = alarm.chain(kind).chain(value).chain(who).filter(|(_, was, is)| was != is);
    differ.map(|(name, was, is)| format!("{name} {was} → {is}")).collect()
}

/// Nothing where that kind keeps nobody there.
fn who<'a>(event: &'a Value, place: &str, name: &str) -> &'a Value {
    event.pointer(place).map_or(&Value::Null, |decision| &decision[name])
}

/// An event that cannot be written has been in no journal.
fn fields(kind: &EventKind) -> Value {
    serde_json::to_value(kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::hazard::Decision;
    use rules::{AlarmFact, Cause, Finite, Mono, Now, Reading};

    fn raised(limit: f64, value: f64, cause: Cause) -> EventKind {
        let reading = Some(Reading::Good(Finite::new(value).unwrap()));
        let fact = AlarmFact { limit: Some(limit), reading, cause, ..AlarmFact::default() };
        EventKind::Raised { fact, assumed: false, late_by_ms: 7 }
    }

    #[test]
    fn the_numbers_an_alarm_was_judged_by_must_come_out_again_and_its_value_where_a_sample_made_it() {
        let was = raised(25.0, 26.0, Cause::Sample);
        assert_eq!(differing(&was, &was), [""; 0]);
        assert_eq!(differing(&was, &raised(28.0, 26.0, Cause::Sample)), ["limit 25.0 → 28.0"]);
        assert_eq!(differing(&was, &raised(25.0, 27.0, Cause::Sample)), [r#"reading {"good":26.0} → {"good":27.0}"#]);
        assert_eq!(differing(&was, &raised(25.0, 27.0, Cause::Timer)), [""; 0], "the newest value at a timer");
        let EventKind::Raised { fact, .. } = was.clone() else { unreachable!() };
        let assumed = EventKind::Raised { fact, assumed: true, late_by_ms: 0 };
        assert_eq!(differing(&was, &assumed), ["assumed false → true"], "lateness is of the run");
    }

    #[test]
    fn who_did_it_and_why_must_come_out_again_and_not_when_by_the_clock_of_another_boot() {
        let acked = |by: &str, reason: &str, mono: u64| {
            let at = Now { mono: Mono(mono), ..Now::default() };
            let by = Decision {
                by: by.into(),
                role: "operator".into(),
                at,
                reason: reason.into(),
                terminal: mono.to_string(),
            };
            EventKind::Acked { fact: AlarmFact::default(), by }
        };
        assert_eq!(differing(&acked("li", "seen", 1), &acked("li", "seen", 9_000)), [""; 0]);
        assert_eq!(differing(&acked("li", "seen", 1), &acked("wang", "seen", 1)), [r#"by "li" → "wang""#]);
        assert_eq!(differing(&acked("li", "seen", 1), &acked("li", "", 1)), [r#"reason "seen" → """#]);
    }
}
