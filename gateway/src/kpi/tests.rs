//! Figures against days whose answers can be counted by hand.

use super::*;
use rules::hazard::Decision;
use rules::hide::{EndCause, Service};
use rules::{AlarmFact, EventKind, Mono, Now, Wall};

const HOUR_MS: i64 = 3_600_000;
const DAY: Span = Span { from_ms: 0, to_ms: 24 * HOUR_MS };

fn at(ms: i64) -> Now {
    Now { mono: Mono(u64::try_from(ms.max(0)).unwrap() * 1_000_000), wall: Wall { utc_ms: ms, ..Wall::default() } }
}

fn fact(alarm: &str, occurrence: u64, priority: u8) -> AlarmFact {
    AlarmFact { alarm: alarm.into(), occurrence, priority, ..AlarmFact::default() }
}

fn event(ms: i64, kind: EventKind) -> Event {
    Event { seq: 1, at: at(ms), kind }
}

fn raised(ms: i64, alarm: &str, n: u64) -> Event {
    event(ms, EventKind::Raised { fact: fact(alarm, n, 3), assumed: false, late_by_ms: 0 })
}

fn returned(ms: i64, alarm: &str, n: u64) -> Event {
    event(ms, EventKind::Returned { fact: fact(alarm, n, 3), latched: false })
}

fn acked(ms: i64, alarm: &str, n: u64) -> Event {
    let by = Decision {
        by: "li".into(),
        role: "operator".into(),
        at: at(ms),
        reason: String::new(),
        terminal: String::new(),
    };
    event(ms, EventKind::Acked { fact: fact(alarm, n, 3), by })
}

fn value(report: &Report, code: &str) -> (Option<f64>, Option<bool>) {
    let figure = report.figures.iter().find(|f| f.code == code).unwrap();
    (figure.value, figure.met)
}

#[test]
fn a_quiet_day_meets_every_target() {
    let report = report(&[], DAY);
    assert!(report.figures.iter().all(|f| f.met != Some(false)), "{:?}", report.figures);
    assert_eq!(value(&report, "ack_median"), (None, None));
}

#[test]
fn rates_count_what_calls_for_a_person() {
    let mut events: Vec<Event> = (0..12).map(|k| raised(HOUR_MS + k * 1000, &format!("A{k}:H"), 1)).collect();
    let mut silent = fact("B:H", 1, 3);
    silent.silent = true;
    events.push(event(HOUR_MS, EventKind::Raised { fact: silent, assumed: false, late_by_ms: 0 }));
    let mut drill = fact("C:H", 1, 1);
    drill.drill = true;
    events.push(event(HOUR_MS, EventKind::Raised { fact: drill, assumed: false, late_by_ms: 0 }));
    let report = report(&events, DAY);
    assert_eq!((report.alarms, value(&report, "peak_per_10min")), (12, (Some(12.0), Some(false))));
    assert_eq!(value(&report, "average_per_10min"), (Some(12.0 / 144.0), Some(true)));
    assert_eq!(value(&report, "priority_3_share"), (Some(100.0), Some(true)));
    assert_eq!((report.top.len(), report.days[0].alarms), (10, 12));
}

#[test]
fn rates_rest_on_the_time_that_was_watched_and_a_day_on_a_whole_one() {
    let started = |ms: i64, down_for_ms: Option<u64>| {
        let (boot_id, version, config_hash) = (String::new(), String::new(), String::new());
        event(ms, EventKind::Started { boot_id, version, config_hash, down_for_ms })
    };
    let week = Span { from_ms: 0, to_ms: 168 * HOUR_MS };
    let mut events = vec![started(118 * HOUR_MS, None)];
    events.extend((0..4).map(|n| raised((119 + n) * HOUR_MS, "A:H", 1)));
    let two_hours: u64 = 2 * 3_600_000;
    events.push(started(130 * HOUR_MS, Some(two_hours)));
    let two_days = report(&events, week);
    assert_eq!(two_days.recorded_ms, 48 * HOUR_MS, "50 h since the first start, 2 h down");
    assert_eq!(value(&two_days, "per_day"), (Some(2.0), Some(true)));
    let hours = report(&events, Span { from_ms: 0, to_ms: 124 * HOUR_MS });
    assert_eq!((hours.recorded_ms, value(&hours, "per_day")), (6 * HOUR_MS, (None, None)));
    let later = report(&events, Span { from_ms: 120 * HOUR_MS, to_ms: 168 * HOUR_MS });
    assert_eq!(later.recorded_ms, 46 * HOUR_MS, "it watched before the span began");
}

#[test]
fn a_time_before_the_first_start_has_no_figures_and_meets_no_target() {
    let (boot_id, version, config_hash) = (String::new(), String::new(), String::new());
    let started = event(200 * HOUR_MS, EventKind::Started { boot_id, version, config_hash, down_for_ms: None });
    let report = report(&[started, raised(201 * HOUR_MS, "A:H", 1)], DAY);
    assert_eq!((report.recorded_ms, report.alarms), (0, 0));
    assert!(report.figures.iter().all(|f| (f.value, f.met) == (None, None)), "{:?}", report.figures);
}

#[test]
fn what_a_person_unshelved_or_that_was_cleared_or_left_service_waits_for_nobody() {
    let EventKind::Acked { by, .. } = acked(0, "A:H", 1).kind else { panic!() };
    let service = Service { work_order: String::new(), by: by.clone(), reviewed: at(0), begun_seq: 0 };
    let unshelved = event(3_000, EventKind::Unshelved { fact: fact("A:H", 1, 3), by });
    let cleared = event(4_000, EventKind::Cleared { fact: fact("B:H", 1, 3) });
    let mut events = vec![raised(1_000, "A:H", 1), raised(1_000, "B:H", 1), raised(1_000, "C:H", 1)];
    assert_eq!(value(&report(&events, DAY), "unacknowledged").0, Some(3.0));
    events.extend([unshelved, cleared]);
    events.push(event(5_000, EventKind::OutOfService { point: "C".into(), service }));
    assert_eq!(value(&report(&events, DAY), "unacknowledged").0, Some(0.0));
    events.push(event(
        9_000,
        EventKind::ShelfExpired { fact: fact("A:H", 1, 3), annunciated: true, why: EndCause::Expired },
    ));
    events.push(acked(13_000, "A:H", 1));
    let report = report(&events, DAY);
    assert_eq!((value(&report, "unacknowledged").0, value(&report, "ack_median").0), (Some(0.0), Some(4.0)));
}

#[test]
fn three_raises_within_a_minute_chatter_and_two_do_not() {
    let times = [0, 29_000, 60_000];
    let mut events: Vec<Event> = (1..).zip(times).map(|(n, t)| raised(HOUR_MS + t, "A:H", n)).collect();
    events.extend([raised(2 * HOUR_MS, "B:H", 1), raised(2 * HOUR_MS + 30_000, "B:H", 2)]);
    events.push(raised(2 * HOUR_MS + 61_000, "B:H", 3));
    let report = report(&events, DAY);
    assert_eq!(report.chattering.iter().map(|c| (c.alarm.as_str(), c.count)).collect::<Vec<_>>(), [("A:H", 3)]);
}

#[test]
fn what_stood_before_counts_as_standing_even_if_it_came_before_the_time() {
    let events = [raised(-2 * HOUR_MS, "A:H", 1), raised(-HOUR_MS, "B:H", 1), returned(HOUR_MS, "B:H", 1)];
    let report = report(&events, DAY);
    assert_eq!(report.standing.len(), 1);
    assert!(report.standing[0].stands && (report.standing[0].hours - 26.0).abs() < 1e-9);
    assert_eq!(report.alarms, 0, "raised before the time");
}

#[test]
fn the_time_to_acknowledge_is_that_of_the_same_occurrence() {
    let events = [
        raised(1000, "A:H", 1),
        acked(11_000, "A:H", 1),
        acked(12_000, "A:H", 1),
        raised(20_000, "A:H", 2),
        acked(50_000, "A:H", 2),
        raised(60_000, "B:H", 1),
    ];
    let report = report(&events, DAY);
    assert_eq!((value(&report, "ack_median").0, value(&report, "ack_p90").0), (Some(20.0), Some(30.0)));
    assert_eq!(value(&report, "unacknowledged"), (Some(1.0), Some(false)));
}

#[test]
fn a_flood_counts_with_its_time_even_if_it_goes_on() {
    let begun = |ms| event(ms, EventKind::FloodStarted { count: 11, first: "A:H".into() });
    let over = event(2 * HOUR_MS, EventKind::FloodEnded { count: 40, duration_ms: 1, peak: 20, first: "A:H".into() });
    let report = report(&[begun(HOUR_MS), over, begun(23 * HOUR_MS)], DAY);
    assert_eq!(value(&report, "floods"), (Some(2.0), None));
    assert_eq!(value(&report, "flood_time"), (Some(100.0 * 2.0 / 24.0), Some(false)));
    assert_eq!((report.floods[0].alarms, report.floods[1].peak), (40, 11));
}
