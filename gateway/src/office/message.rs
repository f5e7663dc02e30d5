//! What comes from a site, checked before anything believes it: the topic's site, the fields that are used, sizes.

use serde::Deserialize;
use serde_json::Value;

const PREFIX: &str = "hazard/v1/";
/// Longest event id that is kept.
const ID_MAX: usize = 128;

/// One message, as far as the office acts on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    Event(EventMessage),
    State(StateMessage),
    Status(StatusMessage),
    Heartbeat(HeartbeatMessage),
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct EventMessage {
    pub(super) event_id: String,
    pub(super) site: String,
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) hash: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) drill: bool,
    /// As it came, for the database.
    #[serde(skip)]
    pub(super) text: String,
}

impl EventMessage {
    /// A duty officer is expected to take note of what begins and of what nobody at the site has taken up, not of each later step.
    pub(super) fn wants_person(&self) -> bool {
        !self.drill && matches!(self.kind.as_str(), "alarm.raised" | "alarm.escalated" | "hazard.opened")
    }
}

/// The site's standing alarms.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct StateMessage {
    #[serde(default)]
    pub(super) alarms: Vec<Value>,
    #[serde(default)]
    pub(super) hazards: Vec<Value>,
    /// Of the standing alarms, also of those that did not fit.
    #[serde(default)]
    pub(super) digest: Option<String>,
    #[serde(default)]
    pub(super) as_of_seq: u64,
    #[serde(default)]
    pub(super) time: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) name_en: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct StatusMessage {
    pub(super) online: bool,
    #[serde(default)]
    pub(super) boot_id: String,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(super) struct HeartbeatMessage {
    /// Last number that goes to the office.
    #[serde(default)]
    pub(super) seq: Option<u64>,
    /// Of the standing alarms, as in the state.
    #[serde(default)]
    pub(super) digest: Option<String>,
    #[serde(default)]
    pub(super) outbox_depth: Option<u64>,
    #[serde(default)]
    pub(super) chain_head: Option<String>,
    #[serde(default)]
    pub(super) clock: Option<String>,
    #[serde(default)]
    pub(super) config_hash: Option<String>,
}

/// The site and the message; `None` for what has no meaning here.
pub(super) fn parse(topic: &str, payload: &[u8]) -> Option<(String, Message)> {
    let (site, name) = topic.strip_prefix(PREFIX)?.split_once('/')?;
    if !is_site_key(site) {
        return None;
    }
    let message = match name {
        "event" => {
            let text = std::str::from_utf8(payload).ok()?;
            let event: EventMessage = serde_json::from_str(text).ok()?;
            // a site speaks for itself only; the broker's access list sees to the topic
            let own = event.site == site && event.seq > 0 && i64::try_from(event.seq).is_ok();
            let sized = !event.event_id.is_empty() && event.event_id.len() <= ID_MAX && event.hash.len() <= ID_MAX;
            if !own || !sized {
                return None;
            }
            Message::Event(EventMessage { text: text.to_owned(), ..event })
        }
        "state" => Message::State(serde_json::from_slice(payload).ok()?),
        "status" => Message::Status(serde_json::from_slice(payload).ok()?),
        "heartbeat" => Message::Heartbeat(serde_json::from_slice(payload).ok()?),
        _ => return None,
    };
    Some((site.to_owned(), message))
}

/// `[a-z0-9-]{1,32}`, as the configuration demands of a site.
pub(super) fn is_site_key(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_another_site_or_without_a_number_has_no_meaning() {
        let good = br#"{"event_id":"a-1","site":"a","seq":1,"kind":"alarm.raised"}"#;
        let Some((site, Message::Event(event))) = parse("hazard/v1/a/event", good) else { panic!("not understood") };
        assert_eq!((site.as_str(), event.seq, event.wants_person()), ("a", 1, true));
        assert!(parse("hazard/v1/b/event", good).is_none());
        assert!(parse("hazard/v1/A/event", good).is_none());
        assert!(parse("hazard/v1/a/event", br#"{"event_id":"a-1","site":"a","seq":0}"#).is_none());
        assert!(parse("hazard/v1/a/event", br#"{"event_id":"a-1","site":"a","seq":18446744073709551615}"#).is_none());
        assert!(parse("hazard/v1/a/event", b"\xff").is_none());
        assert!(parse("hazard/v1/a/receipt", good).is_none() && parse("other", good).is_none());
    }

    #[test]
    fn what_nobody_at_the_site_took_up_wants_a_person() {
        let wants = |kind: &str| {
            let text = format!(r#"{{"event_id":"a-1","site":"a","seq":1,"kind":"{kind}"}}"#);
            let Some((_, Message::Event(event))) = parse("hazard/v1/a/event", text.as_bytes()) else {
                panic!("{text}")
            };
            event.wants_person()
        };
        assert!(wants("alarm.escalated") && wants("hazard.opened") && !wants("alarm.acked") && !wants("alarm.realarm"));
    }

    #[test]
    fn a_drill_wants_no_person() {
        let drill = br#"{"event_id":"a-1","site":"a","seq":1,"kind":"alarm.raised","drill":true}"#;
        let Some((_, Message::Event(event))) = parse("hazard/v1/a/event", drill) else { panic!("not understood") };
        assert!(!event.wants_person());
    }
}
