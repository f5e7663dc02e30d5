//! Shelves, bypasses and groups as outsiders see them, made from the engine's state. Decides nothing.

use crate::snapshot::{
    BypassView, FirstOutView, FloodView, GroupsView, ShelfView, SuppressedView, UnderSilenceView, UnitView, VoteView,
};
use rules::annunciator::{Annunciation, Sound};
use rules::{AlarmState, Engine, Now, ShelfKind};
use std::collections::BTreeMap;

/// All shelved alarms.
pub(super) fn shelves(engine: &Engine) -> Vec<ShelfView> {
    engine.alarms().eventful().filter_map(|(_, a)| shelf(a)).collect()
}

fn shelf(a: &AlarmState) -> Option<ShelfView> {
    let shelf = a.hidden.shelf.as_ref()?;
    Some(ShelfView {
        alarm: a.key.clone(),
        point: a.fact.as_ref().map(|f| f.point.clone()).unwrap_or_default(),
        kind: match shelf.kind {
            ShelfKind::Timed => "timed",
            ShelfKind::OneShot => "one_shot",
        },
        by: shelf.by.by.clone(),
        reason: shelf.by.reason.clone(),
        since_utc_ms: shelf.by.at.wall.utc_ms,
        until_utc_ms: shelf.until.wall_utc_ms,
        active: a.is_active(),
    })
}

/// Bypassed, out-of-service and inhibited points, once each.
pub(super) fn bypasses(engine: &Engine) -> Vec<BypassView> {
    let mut views: Vec<BypassView> = Vec::new();
    for (i, a) in engine.alarms().eventful() {
        let Some(rule) = engine.book().rules().get(i) else { continue };
        for view in [bypass(a, &rule.point), service(a, &rule.point), inhibit(a, &rule.point)].into_iter().flatten() {
            match views.iter_mut().find(|v| v.point == view.point && v.kind == view.kind) {
                Some(known) => known.active |= view.active,
                None => views.push(view),
            }
        }
    }
    views
}

fn bypass(a: &AlarmState, point: &str) -> Option<BypassView> {
    let b = a.hidden.bypass.as_ref()?;
    Some(BypassView {
        point: point.to_owned(),
        kind: "bypass",
        paper: b.permit.clone(),
        by: b.by.by.clone(),
        requested_by: b.requested_by.clone(),
        no_account: b.no_account,
        reason: b.by.reason.clone(),
        compensation: b.compensation.clone(),
        since_utc_ms: b.by.at.wall.utc_ms,
        until_utc_ms: Some(b.until.wall_utc_ms),
        active: a.is_active(),
    })
}

fn service(a: &AlarmState, point: &str) -> Option<BypassView> {
    let s = a.hidden.service.as_ref()?;
    Some(BypassView {
        point: point.to_owned(),
        kind: "out_of_service",
        paper: s.work_order.clone(),
        by: s.by.by.clone(),
        requested_by: String::new(),
        no_account: false,
        reason: s.by.reason.clone(),
        compensation: String::new(),
        since_utc_ms: s.by.at.wall.utc_ms,
        until_utc_ms: None,
        active: false,
    })
}

fn inhibit(a: &AlarmState, point: &str) -> Option<BypassView> {
    let i = a.inhibit.as_ref()?;
    Some(BypassView {
        point: point.to_owned(),
        kind: "inhibited",
        paper: String::new(),
        by: String::new(),
        requested_by: String::new(),
        no_account: false,
        reason: String::new(),
        compensation: String::new(),
        since_utc_ms: i.since.wall.utc_ms,
        until_utc_ms: Some(i.until.wall_utc_ms),
        active: i.overdue,
    })
}

/// Votes, first-out groups, units, flood and silence.
pub(super) fn groups(engine: &Engine, heard: &Annunciation, now: Now) -> GroupsView {
    let book = engine.book();
    GroupsView {
        votes: book.votes().iter().enumerate().map(|(k, v)| vote(engine, k, v)).collect(),
        first_out: book.first_out_groups().iter().map(|g| first_out(engine, g)).collect(),
        units: book
            .plant_units()
            .iter()
            .zip(engine.modes())
            .map(|(u, mode)| UnitView {
                key: u.key.clone(),
                name: u.name.clone(),
                name_en: u.name_en.clone(),
                mode: mode.word(),
                measured: u.running_point.is_some(),
            })
            .collect(),
        suppressed: suppressed(engine),
        under_silence: under_silence(engine),
        flood: engine.flood().map(|f| FloodView {
            since_utc_ms: f.since.wall.utc_ms,
            count: f.count,
            peak: f.peak,
            first: f.first.clone(),
        }),
        sound: heard.sound.map(Sound::word),
        silenced_until_utc_ms: heard.silenced.map(|until| until.wall_utc_ms),
        silenced_by: engine.silenced_by(now).map(str::to_owned),
    }
}

fn suppressed(engine: &Engine) -> Vec<SuppressedView> {
    let point = |i: usize| engine.book().rules().get(i).map(|rule| rule.point.to_string()).unwrap_or_default();
    let each = engine.alarms().eventful().flat_map(|(i, a)| a.hidden.suppressed.iter().map(move |s| (i, a, s)));
    each.map(|(i, a, s)| SuppressedView {
        alarm: a.key.clone(),
        point: point(i),
        rule: s.rule.clone(),
        until_utc_ms: Some(s.until.wall_utc_ms).filter(|ms| *ms < i64::MAX),
        active: a.is_active(),
    })
    .collect()
}

/// By device.
fn under_silence(engine: &Engine) -> Vec<UnderSilenceView> {
    let book = engine.book();
    let mut by_device: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (i, a) in engine.alarms().eventful().filter(|(_, a)| a.suppressed) {
        let point = book.rules().get(i).and_then(|rule| book.point_id(&rule.point));
        if let Some(point) = point.map(|id| &book.points()[id.index()]) {
            by_device.entry(&point.device).or_default().push(a.key.clone());
        }
    }
    let view = |(device, alarms)| UnderSilenceView { cause: format!("{device}:COMMS_LOSS"), alarms };
    by_device.into_iter().map(view).collect()
}

fn vote(engine: &Engine, k: usize, v: &rules::book::Vote) -> VoteView {
    let count = engine.count(k);
    VoteView {
        key: v.key.clone(),
        name: v.name.clone(),
        name_en: v.name_en.clone(),
        votes: count.votes,
        needed: count.needed,
        healthy: count.healthy,
        members: v.members.clone(),
    }
}

fn first_out(engine: &Engine, group: &rules::book::FirstOutGroup) -> FirstOutView {
    let state = |key: &String| engine.alarm_index(key).map(|i| &engine.alarms()[i]);
    let mut ranked: Vec<(String, u16, bool)> =
        group.alarms.iter().filter_map(|key| state(key)?.first_out.map(|f| (key.clone(), f.rank, f.tie))).collect();
    ranked.sort_by_key(|(_, rank, _)| *rank);
    FirstOutView { key: group.key.clone(), name: group.name.clone(), name_en: group.name_en.clone(), ranked }
}
