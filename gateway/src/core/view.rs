//! The picture for outsiders, made from the engine's state. Decides nothing.

use crate::delivery::Delivered;
use crate::snapshot::{AlarmView, HazardView, PostView, SiteView, ValueView};
use rules::event::AlarmFact;
use rules::hazard::Hazard;
use rules::{AlarmState, Engine, Event, EventKind, Reading, TimeQuality};
use std::collections::{BTreeMap, BTreeSet};

/// What the engine does not know of an alarm.
pub(super) struct Beside<'a> {
    pub site: &'a SiteView,
    pub delivery: &'a BTreeMap<String, Delivered>,
    /// Numbers of events that were shown before the disk had them.
    pub not_durable: &'a BTreeSet<u64>,
}

/// Open records.
pub(super) fn hazards(engine: &Engine) -> Vec<HazardView> {
    let view = |hazard: &Hazard| HazardView {
        next_steps: hazard.stage.next_steps(),
        lacks: hazard.stage.lacks(),
        condition_normal: engine.is_proven_normal(&hazard.cause),
        hazard: hazard.clone(),
    };
    engine.hazards().iter().map(view).collect()
}

/// Moving parts of all points.
pub(super) fn values(engine: &Engine) -> Vec<ValueView> {
    engine.readings().iter().map(|(reading, at)| ValueView { reading: *reading, utc_ms: at.wall.utc_ms }).collect()
}

/// What says nothing now of a point that has a value.
pub(super) fn unjudged(engine: &Engine) -> Vec<(usize, &'static str)> {
    engine.unjudged().map(|(point, condition)| (point.index(), condition)).collect()
}

/// The standing alarms: unacknowledged first, then by priority, newest first.
pub(super) fn alarms(engine: &Engine, beside: &Beside<'_>) -> Vec<AlarmView> {
    let mut views: Vec<AlarmView> =
        engine.alarms().eventful().filter(|(_, a)| a.stands()).map(|(i, a)| alarm(engine, i, a, beside)).collect();
    views.sort_by_key(|a| (!a.state.ends_with("unacked"), a.priority, -a.raised_utc_ms, a.id.clone()));
    views
}

fn alarm(engine: &Engine, index: usize, state: &AlarmState, beside: &Beside<'_>) -> AlarmView {
    let fact = state.fact.as_ref();
    let site = beside.site;
    let point = fact.map(|f| f.point.clone()).unwrap_or_default();
    let described = site.points.find(&point);
    let described = described.as_ref();
    let told = told(engine, index);
    let event_id = format!("{}-{}", site.site, state.annunciated_seq);
    let reading = shown_reading(engine, index, state);
    let (text_zh, text_en) = sentence(state, reading, site);
    let (title_zh, title_en) = crate::text::alarm_title(&state.key, site);
    let delivered = beside.delivery.get(&event_id).cloned().unwrap_or_default();
    AlarmView {
        id: state.key.clone(),
        name: described.map_or(title_zh, |p| p.name.to_string()),
        name_en: described.map_or(title_en, |p| p.name_en.to_string()),
        area: described.map_or(told.area, |p| &p.area).to_owned(),
        plant_unit: site.points.plant_unit(&point).map(str::to_owned),
        point,
        condition: fact.map(|f| f.condition.clone()).unwrap_or_default(),
        priority: engine.urgency(index),
        state: state.shown().word().into(),
        held: state.held,
        suppressed: state.is_hidden(),
        superseded: engine.superseded(index),
        sounds: engine.sounds(index),
        latched: state.latched,
        chatter: state.chatter,
        escalated: state.escalated,
        call: engine.called(index).map(|c| PostView { post: c.post.clone(), post_en: c.post_en.clone() }).collect(),
        first_out: state.first_out.map(|f| f.rank),
        first_out_tie: state.first_out.is_some_and(|f| f.tie),
        cause: told.cause.to_owned(),
        consequence: told.consequence.to_owned(),
        assumed: state.assumed,
        occurrence: state.occurrence,
        seq: state.annunciated_seq,
        raised_utc_ms: state.raised.map_or(0, |n| n.wall.utc_ms),
        returned_utc_ms: state.returned.map(|n| n.wall.utc_ms),
        acked_utc_ms: state.acked_at.map(|n| n.wall.utc_ms),
        acked_by: state.acked_by.clone(),
        value: reading.and_then(Reading::value),
        limit: fact.and_then(|f| f.limit),
        unit: fact.map(|f| f.unit.clone()).unwrap_or_default(),
        point_kind: described.map(|p| p.kind),
        decimals: described.map(|p| p.decimals),
        risk: fact.and_then(|f| f.risk.clone()),
        hazard: engine.hazards().iter().find(|h: &&Hazard| h.cause == state.key).map(|h| h.id.clone()),
        action: told.action.to_owned(),
        action_en: told.action_en.to_owned(),
        delivery: delivered.state,
        office_by: delivered.by,
        office_note: delivered.note,
        drill: fact.is_some_and(|f| f.drill),
        durable: !beside.not_durable.contains(&state.annunciated_seq),
        event_id,
        text_zh,
        text_en,
    }
}

/// What the configuration tells a person about an alarm.
#[derive(Default)]
struct Told<'a> {
    area: &'a str,
    cause: &'a str,
    consequence: &'a str,
    action: &'a str,
    action_en: &'a str,
}

/// Of the alarm at `index`: a rule's, a vote's, or one that every site has, of an instrument or of the gateway itself.
fn told(engine: &Engine, index: usize) -> Told<'_> {
    let book = engine.book();
    if let Some(r) = book.rules().get(index) {
        return Told {
            cause: &r.cause,
            consequence: &r.consequence,
            action: &r.action,
            action_en: &r.action_en,
            ..Told::default()
        };
    }
    let alarm = engine.alarms().key(index);
    let key = alarm.rsplit_once(':').map_or("", |(key, _)| key);
    if let Some(v) = book.votes().iter().find(|v| v.key == key) {
        return Told {
            area: &v.area,
            cause: &v.cause,
            consequence: &v.consequence,
            action: &v.action,
            action_en: &v.action_en,
        };
    }
    let area = book.device_id(key).map_or("", |id| book.devices()[id.index()].area.as_str());
    let told = crate::text::own_alarm(&alarm);
    Told { area, cause: told.cause, consequence: told.consequence, action: told.action, action_en: told.action_en }
}

/// What the point says now; while it says nothing, what the alarm's last event said.
fn shown_reading(engine: &Engine, index: usize, state: &AlarmState) -> Option<Reading> {
    let now = engine.newest_reading(index).filter(|r| r.value().is_some());
    now.or_else(|| state.fact.as_ref().and_then(|f| f.reading))
}

/// The sentence of the raise, with the newest facts.
fn sentence(state: &AlarmState, reading: Option<Reading>, site: &SiteView) -> (String, String) {
    let (Some(fact), Some(at)) = (state.fact.clone(), state.raised) else {
        return (state.key.clone(), state.key.clone());
    };
    let fact = AlarmFact { reading, ..*fact };
    let kind = EventKind::Raised { fact, assumed: state.assumed, late_by_ms: 0 };
    crate::text::event_text(&Event { seq: state.annunciated_seq, at, kind }, site)
}

/// `synced`, `unsynced`, `stepped`.
pub(super) fn clock_word(quality: TimeQuality) -> &'static str {
    match quality {
        TimeQuality::Synced => "synced",
        TimeQuality::Unsynced => "unsynced",
        TimeQuality::Stepped => "stepped",
    }
}
