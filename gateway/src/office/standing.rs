//! How one site stands as the office knows it: link, silence, numbers, last reported alarms.
//!
//! ```text
//!   status online ──► online ──no heartbeat for 90 s──► silent ──heartbeat──► online
//!                       └──will, or status offline──► offline ──status online──► online
//! ```
//! Pure: messages and time come in, notices for people go out.

use super::arrived::Arrived;
use super::message::{HeartbeatMessage, StateMessage, StatusMessage};
use crate::moment::utc_text;
use rules::{Mono, Now};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A heartbeat may overtake the event or the state it speaks of: what two in a row say is so.
const BEATS_TO_BE_SURE: u8 = 2;

/// Three heartbeats of 30 s.
const SILENT_AFTER: Duration = Duration::from_secs(90);

/// What is kept of a site over a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    pub(super) site: String,
    pub(super) name: String,
    pub(super) name_en: String,
    pub(super) online: bool,
    pub(super) silent: bool,
    pub(super) boot_id: String,
    pub(super) last_heartbeat_ms: Option<i64>,
    pub(super) outbox_depth: Option<u64>,
    pub(super) chain_head: Option<String>,
    pub(super) clock: Option<String>,
    pub(super) config_hash: Option<String>,
    pub(super) standing: Vec<Value>,
    /// The site's own digest of them.
    pub(super) digest: Option<String>,
    pub(super) hazards: Vec<Value>,
    pub(super) as_of_seq: u64,
    pub(super) as_of: Option<String>,
}

/// Something a duty officer must learn that no site can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Offline,
    Silent,
    Back,
    Missing(u64, u64),
}

#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) known: Known,
    pub(super) arrived: Arrived,
    heard: Mono,
    /// Heartbeats in a row after which nothing waits at the site and yet numbers are missing at the end.
    beats_past_the_end: u8,
    /// Heartbeats in a row whose alarms are not those of the last state.
    beats_of_another_state: u8,
}

/// What a heartbeat leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) notice: Option<Notice>,
    /// The site is to send its state anew.
    pub(super) ask_state: bool,
}

/// Counts beats in a row; true with the one that makes it sure, and counts anew from there.
fn sure(beats: &mut u8, so: bool) -> bool {
    *beats = if so { *beats + 1 } else { 0 };
    let sure = *beats >= BEATS_TO_BE_SURE;
    if sure {
        *beats = 0;
    }
    sure
}

impl Standing {
    /// `known` as of the last run; the silence is counted from now.
    pub(super) fn new(known: Known, now: Mono) -> Self {
        Self { known, arrived: Arrived::default(), heard: now, beats_past_the_end: 0, beats_of_another_state: 0 }
    }

    /// A heartbeat ends a silence, and says what should have arrived.
    pub(super) fn on_heartbeat(&mut self, beat: HeartbeatMessage, now: Now) -> Heard {
        self.compare_end(&beat);
        let ask_state = self.is_another_state(&beat);
        let known = &mut self.known;
        known.last_heartbeat_ms = Some(now.wall.utc_ms);
        known.outbox_depth = beat.outbox_depth.or(known.outbox_depth);
        known.chain_head = beat.chain_head.or(known.chain_head.take());
        known.clock = beat.clock.or(known.clock.take());
        known.config_hash = beat.config_hash.or(known.config_hash.take());
        self.heard = now.mono;
        Heard { notice: std::mem::take(&mut self.known.silent).then_some(Notice::Back), ask_state }
    }

    /// With nothing waiting at the site everything up to its last number has been receipted: by an office that had a database then.
    fn compare_end(&mut self, beat: &HeartbeatMessage) {
        let Some(last) = beat.seq else { return };
        let past = last >= self.arrived.next();
        // what still waits at the site will come by itself
        let nothing_waits = beat.outbox_depth == Some(0);
        if sure(&mut self.beats_past_the_end, past && nothing_waits) || !past {
            self.arrived.announce(last);
        }
    }

    fn is_another_state(&mut self, beat: &HeartbeatMessage) -> bool {
        let differs = matches!((&beat.digest, &self.known.digest), (Some(now), Some(then)) if now != then);
        sure(&mut self.beats_of_another_state, differs)
    }

    /// The retained status, or the will.
    pub(super) fn on_status(&mut self, status: StatusMessage, now: Mono) -> Option<Notice> {
        let was = std::mem::replace(&mut self.known.online, status.online);
        let before = std::mem::replace(&mut self.known.boot_id, status.boot_id);
        match (was, status.online) {
            (true, false) => Some(Notice::Offline),
            (false, true) => {
                self.heard = now;
                self.known.silent = false;
                // the very first word of a new site is no return
                (!before.is_empty()).then_some(Notice::Back)
            }
            _ => None,
        }
    }

    pub(super) fn on_state(&mut self, state: StateMessage) {
        let known = &mut self.known;
        known.standing = state.alarms;
        known.hazards = state.hazards;
        known.digest = state.digest;
        self.beats_of_another_state = 0;
        known.as_of_seq = state.as_of_seq;
        known.as_of = state.time;
        known.name = state.name.unwrap_or(std::mem::take(&mut known.name));
        known.name_en = state.name_en.unwrap_or(std::mem::take(&mut known.name_en));
    }

    /// Silence that has just become one. Being offline says more than being silent.
    pub(super) fn on_tick(&mut self, now: Mono) -> Option<Notice> {
        let silent = now.since(self.heard) > SILENT_AFTER;
        if !silent || self.known.silent {
            return None;
        }
        self.known.silent = true;
        self.known.online.then_some(Notice::Silent)
    }

    /// The row of the page and the interface.
    pub(super) fn row(&self, unconfirmed: u64, broker: bool) -> Value {
        let known = &self.known;
        json!({
            "site": known.site, "name": known.name, "name_en": known.name_en,
            "online": known.online && broker, "silent": known.silent || !broker, "broker_connected": broker,
            "boot_id": known.boot_id, "last_heartbeat_ms": known.last_heartbeat_ms,
            "last_heartbeat_at": known.last_heartbeat_ms.map(utc_text), "missing": self.arrived.missing(),
            "outbox_depth": known.outbox_depth, "chain_head": known.chain_head, "clock": known.clock,
            "config_hash": known.config_hash, "standing": known.standing, "hazards": known.hazards,
            "as_of_seq": known.as_of_seq, "as_of": known.as_of, "events_unconfirmed": unconfirmed,
        })
    }
}

impl Notice {
    /// Kind, priority, zh-CN and English.
    pub(super) fn words(self, site: &str) -> (&'static str, u8, String, String) {
        match self {
            Self::Offline => (
                "office.site_offline",
                2,
                format!("站点 {site} 与消息代理断开，其报警状态不再更新：请电话核实现场"),
                format!("Site {site} left the broker, its alarms are no longer updated: call the site"),
            ),
            Self::Silent => (
                "office.site_silent",
                2,
                format!("站点 {site} 超过 90 秒没有心跳，其报警状态不可信：请电话核实现场"),
                format!("Site {site} has sent no heartbeat for 90 s, its alarms are not to be trusted: call the site"),
            ),
            Self::Back => {
                ("office.site_back", 4, format!("站点 {site} 恢复联系"), format!("Site {site} is heard again"))
            }
            Self::Missing(first, last) => (
                "office.numbers_missing",
                2,
                format!("站点 {site} 的事件 {first}–{last} 三次要求重发仍未到达：请核对现场记录"),
                format!(
                    "Events {first} to {last} of site {site} did not come after three requests: check the site's records"
                ),
            ),
        }
    }

    /// Whether a duty officer is expected to take note.
    pub(super) fn wants_person(self) -> bool {
        self != Self::Back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now { mono: Mono(seconds * 1_000_000_000), ..Now::default() }
    }
    fn status(online: bool, boot: &str) -> StatusMessage {
        StatusMessage { online, boot_id: boot.into() }
    }
    fn beat() -> HeartbeatMessage {
        HeartbeatMessage { outbox_depth: Some(3), ..HeartbeatMessage::default() }
    }

    #[test]
    fn silence_is_said_once_and_ended_by_a_heartbeat() {
        let mut site = Standing::new(Known::default(), at(0).mono);
        site.on_status(status(true, "b"), at(0).mono);
        assert_eq!(site.on_tick(at(90).mono), None);
        assert_eq!(site.on_tick(at(91).mono), Some(Notice::Silent));
        assert_eq!(site.on_tick(at(92).mono), None);
        assert_eq!(site.on_heartbeat(beat(), at(100)).notice, Some(Notice::Back));
        assert_eq!(site.on_tick(at(190).mono), None);
        assert_eq!(site.row(0, true)["silent"], false);
    }

    #[test]
    fn the_will_is_said_at_once_and_not_again_as_silence() {
        let mut site = Standing::new(Known::default(), at(0).mono);
        site.on_status(status(true, "b"), at(0).mono);
        site.on_heartbeat(beat(), at(1));
        assert_eq!(site.on_status(status(false, "b"), at(5).mono), Some(Notice::Offline));
        assert_eq!(site.on_status(status(false, "b"), at(6).mono), None);
        assert_eq!(site.on_tick(at(500).mono), None);
        assert_eq!(site.on_status(status(true, "c"), at(600).mono), Some(Notice::Back));
    }

    #[test]
    fn numbers_missing_at_the_end_are_seen_when_two_beats_say_that_nothing_waits() {
        let mut site = Standing::new(Known::default(), at(0).mono);
        site.arrived.insert(1);
        let said = |seq, depth| HeartbeatMessage { seq: Some(seq), outbox_depth: Some(depth), ..beat() };
        site.on_heartbeat(said(3, 0), at(0));
        assert!(site.arrived.missing().is_empty(), "the beat may have overtaken the event");
        site.on_heartbeat(said(3, 2), at(30));
        site.on_heartbeat(said(3, 0), at(60));
        assert!(site.arrived.missing().is_empty(), "not two in a row");
        site.on_heartbeat(said(4, 0), at(90));
        assert_eq!(site.arrived.missing(), [(2, 4)]);
        site.on_heartbeat(said(1, 0), at(120));
        assert!(site.arrived.missing().is_empty());
    }

    #[test]
    fn a_state_that_two_beats_contradict_is_asked_for_again() {
        let mut site = Standing::new(Known::default(), at(0).mono);
        let said = |digest: &str| HeartbeatMessage { digest: Some(digest.into()), ..beat() };
        assert!(!site.on_heartbeat(said("a"), at(0)).ask_state && !site.on_heartbeat(said("a"), at(30)).ask_state);
        let state = |digest: &str| serde_json::from_value(json!({ "digest": digest })).unwrap();
        site.on_state(state("a"));
        assert!(!site.on_heartbeat(said("a"), at(60)).ask_state);
        assert!(!site.on_heartbeat(said("b"), at(90)).ask_state);
        assert!(site.on_heartbeat(said("c"), at(120)).ask_state);
        assert!(!site.on_heartbeat(said("c"), at(150)).ask_state, "asked every other beat until it comes");
        assert!(site.on_heartbeat(said("c"), at(180)).ask_state);
        site.on_state(state("c"));
        assert!(!site.on_heartbeat(said("c"), at(210)).ask_state);
    }

    #[test]
    fn without_the_broker_no_site_looks_online() {
        let mut site = Standing::new(Known::default(), at(0).mono);
        site.on_status(status(true, "b"), at(0).mono);
        assert_eq!(site.row(0, false)["online"], false);
        assert_eq!(site.row(0, false)["silent"], true);
    }
}
