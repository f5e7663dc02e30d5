//! One pass over the events: what is counted, and the lists beside the figures.

use super::figure::{Basis, figures};
use super::{DAY_MS, Report};
use crate::moment::{day_text, site_day, utc_text};
use crate::store::Span;
use rules::{AlarmFact, Event, EventKind};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The standard counts in periods of ten minutes.
const PERIOD_MS: i64 = 600_000;
/// Three raises within a minute are chattering, as practice has it; ISA-18.2 gives no number.
const CHATTER_MS: i64 = 60_000;
const CHATTER_RAISES: usize = 3;
const TOP: usize = 10;

/// One alarm and its part of all.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct AlarmShare {
    pub alarm: String,
    pub count: u64,
    pub share: f64,
}

/// One alarm that stands or stood for long.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Standing {
    pub alarm: String,
    pub since: String,
    pub hours: f64,
    /// Still active at the end of the time.
    pub stands: bool,
}

/// One flood inside the time.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct FloodSpan {
    pub from: String,
    pub to: String,
    pub alarms: u32,
    pub peak: u32,
    pub first: String,
    #[serde(skip)]
    pub(super) ms: i64,
}

/// Alarms of a day of the site.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct DayCount {
    pub day: String,
    pub alarms: u64,
}

/// What one pass gathers.
pub(super) struct Counts {
    span: Span,
    alarms: u64,
    by_alarm: BTreeMap<String, u64>,
    by_priority: [u64; 4],
    by_period: BTreeMap<i64, u64>,
    by_day: BTreeMap<i64, u64>,
    /// Newest raises of an alarm, for chattering.
    raises: BTreeMap<String, Vec<i64>>,
    chattering: BTreeMap<String, u64>,
    /// Active since.
    active: BTreeMap<String, i64>,
    long: Vec<(String, i64, i64, bool)>,
    /// Raised and waiting for a person: occurrence and time.
    waiting: BTreeMap<String, (u64, i64)>,
    ack_ms: Vec<i64>,
    floods: Vec<FloodSpan>,
    flood_since: Option<(i64, u32, String)>,
    /// First start of all, where the journal begins with it; before it nobody watched.
    begun: Option<i64>,
    any: bool,
    /// Inside the span, but the gateway did not run.
    down_ms: i64,
}

impl Counts {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            alarms: 0,
            by_alarm: BTreeMap::new(),
            by_priority: [0; 4],
            by_period: BTreeMap::new(),
            by_day: BTreeMap::new(),
            raises: BTreeMap::new(),
            chattering: BTreeMap::new(),
            active: BTreeMap::new(),
            long: Vec::new(),
            waiting: BTreeMap::new(),
            ack_ms: Vec::new(),
            floods: Vec::new(),
            flood_since: None,
            begun: None,
            any: false,
            down_ms: 0,
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        let at = event.at.wall.utc_ms;
        if !std::mem::replace(&mut self.any, true) && matches!(event.kind, EventKind::Started { .. }) {
            // also one after the span: nobody watched in it then
            self.begun = Some(at);
        }
        if at > self.span.to_ms || event.kind.fact().is_some_and(|f| f.drill) {
            return;
        }
        let inside = at >= self.span.from_ms;
        if let EventKind::Started { down_for_ms, .. } = &event.kind {
            self.started(at, *down_for_ms);
        }
        if inside
            && event.kind.annunciates()
            && let Some(fact) = event.kind.fact()
        {
            self.annunciated(fact, at);
        }
        match &event.kind {
            EventKind::Raised { fact, .. } => {
                self.active.insert(fact.alarm.clone(), at);
                self.waiting.insert(fact.alarm.clone(), (fact.occurrence, at));
                if inside {
                    self.raised(&fact.alarm, at);
                }
            }
            // what is hidden was never annunciated, and stands in the list of what is hidden
            EventKind::Returned { fact, .. } | EventKind::ShadowReturned { fact, .. } | EventKind::Cleared { fact } => {
                self.returned(&fact.alarm, at);
                if matches!(event.kind, EventKind::Cleared { .. }) {
                    self.waiting.remove(&fact.alarm);
                }
            }
            EventKind::Acked { fact, .. } => {
                let begun = self.waiting.remove(&fact.alarm).filter(|(n, _)| *n == fact.occurrence);
                if let Some((_, raised)) = begun.filter(|_| inside) {
                    self.ack_ms.push(at - raised);
                }
            }
            // it calls again, and a time of before says nothing of this call
            EventKind::Realarm { fact, .. } | EventKind::ShelfExpired { fact, annunciated: true, .. } => {
                self.waiting.insert(fact.alarm.clone(), (fact.occurrence, at));
            }
            // a shelf is a person's answer, as its early end is; neither is a time to acknowledge
            EventKind::Shelved { fact, .. } | EventKind::Unshelved { fact, .. } => {
                self.waiting.remove(&fact.alarm);
            }
            EventKind::OutOfService { point, .. } => {
                self.waiting.retain(|alarm, _| alarm.rsplit_once(':').is_none_or(|(of, _)| of != point));
            }
            EventKind::ChatterStart { fact } if inside => {
                self.chattering.entry(fact.alarm.clone()).or_default();
            }
            EventKind::FloodStarted { count, first } => self.flood_since = Some((at, *count, first.clone())),
            EventKind::FloodEnded { count, peak, first, .. } => self.flood_over(at, *count, *peak, first),
            _ => {}
        }
    }

    fn started(&mut self, at: i64, down_for_ms: Option<u64>) {
        let down_ms = down_for_ms.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0);
        self.down_ms += down_ms.min(at - self.span.from_ms).max(0);
    }

    /// What of the span was watched: the asked one may begin before the gateway did.
    fn recorded_ms(&self) -> i64 {
        let from = self.begun.map_or(self.span.from_ms, |begun| begun.max(self.span.from_ms));
        (self.span.to_ms - from - self.down_ms).max(0)
    }

    fn annunciated(&mut self, fact: &AlarmFact, at: i64) {
        self.alarms += 1;
        *self.by_alarm.entry(fact.alarm.clone()).or_default() += 1;
        self.by_priority[usize::from(fact.priority.clamp(1, 4)) - 1] += 1;
        *self.by_period.entry(at.div_euclid(PERIOD_MS)).or_default() += 1;
        *self.by_day.entry(site_day(at)).or_default() += 1;
    }

    fn raised(&mut self, alarm: &str, at: i64) {
        let newest = self.raises.entry(alarm.to_owned()).or_default();
        newest.push(at);
        if newest.len() > CHATTER_RAISES {
            newest.remove(0);
        }
        if newest.len() == CHATTER_RAISES && at - newest[0] <= CHATTER_MS {
            self.chattering.entry(alarm.to_owned()).or_default();
        }
    }

    fn returned(&mut self, alarm: &str, at: i64) {
        if let Some(since) = self.active.remove(alarm)
            && at >= self.span.from_ms
            && at - since > DAY_MS
        {
            self.long.push((alarm.to_owned(), since, at, false));
        }
    }

    fn flood_over(&mut self, at: i64, count: u32, peak: u32, first: &str) {
        let since = self.flood_since.take().map_or(at, |(since, ..)| since).max(self.span.from_ms);
        if at >= self.span.from_ms {
            let (from, to) = (utc_text(since), utc_text(at));
            self.floods.push(FloodSpan { from, to, alarms: count, peak, first: first.to_owned(), ms: at - since });
        }
    }

    /// The standard counts what stands on any one day, each from its 25th hour.
    fn worst_day(&self) -> u64 {
        let mut days = BTreeMap::<i64, u64>::new();
        for (_, since, to, _) in &self.long {
            let from = (since + DAY_MS).max(self.span.from_ms);
            for day in site_day(from)..=site_day(*to) {
                *days.entry(day).or_default() += 1;
            }
        }
        days.into_values().max().unwrap_or(0)
    }

    pub(super) fn report(mut self) -> Report {
        if let Some((_, count, first)) = self.flood_since.clone() {
            self.flood_over(self.span.to_ms, count, count, &first);
        }
        for (alarm, since) in std::mem::take(&mut self.active) {
            if self.span.to_ms - since > DAY_MS {
                self.long.push((alarm, since, self.span.to_ms, true));
            }
        }
        self.long.sort_by_key(|(_, since, to, _)| since - to);
        let all = self.alarms.max(1) as f64;
        let share = |alarm: &String, count: u64| AlarmShare { alarm: alarm.clone(), count, share: count as f64 / all };
        let mut top: Vec<AlarmShare> = self.by_alarm.iter().map(|(a, n)| share(a, *n)).collect();
        top.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.alarm.cmp(&b.alarm)));
        top.truncate(TOP);
        let chattering: BTreeSet<&String> = self.chattering.keys().collect();
        let chattering =
            chattering.into_iter().map(|a| share(a, self.by_alarm.get(a).copied().unwrap_or(0))).collect::<Vec<_>>();
        let standing = self.long.iter().map(|(alarm, since, to, stands)| Standing {
            alarm: alarm.clone(),
            since: utc_text(*since),
            hours: (to - since) as f64 / 3_600_000.0,
            stands: *stands,
        });
        self.ack_ms.sort_unstable();
        let basis = Basis {
            length_ms: self.recorded_ms(),
            alarms: self.alarms,
            peak: self.by_period.values().copied().max().unwrap_or(0),
            overfull: self.by_period.values().filter(|n| **n > 10).count() as u64,
            by_priority: self.by_priority,
            top_share: top.iter().map(|t| t.share).sum(),
            chattering: chattering.len() as u64,
            standing: self.worst_day(),
            floods: self.floods.len() as u64,
            flood_ms: self.floods.iter().map(|f| f.ms).sum(),
            ack_ms: &self.ack_ms,
            unacknowledged: self.waiting.values().filter(|(_, at)| *at >= self.span.from_ms).count() as u64,
        };
        Report {
            from: utc_text(self.span.from_ms),
            to: utc_text(self.span.to_ms),
            recorded_ms: self.recorded_ms(),
            alarms: self.alarms,
            figures: figures(&basis),
            standing: standing.collect(),
            days: self.by_day.iter().map(|(d, n)| DayCount { day: day_text(*d), alarms: *n }).collect(),
            floods: std::mem::take(&mut self.floods),
            top,
            chattering,
        }
    }
}
