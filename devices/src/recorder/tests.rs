use super::incident::{CAUSE_BYTES, EVENTS_MAX, GATHERS_AT_MOST, INCIDENTS_BYTES, INCIDENTS_MAX};
use super::ring::{REACHES_BACK, RING_BYTES};
use super::*;
use tokio::time::{Instant, advance};

/// What 256 exchanges with a gas detector took before they stood side by side: 88 bytes and a block of 32 each.
const BEFORE_BYTES: usize = 256 * (88 + 32);

fn exchange(recorder: &Recorder, answer: &[u8]) {
    exchange_with(recorder, 1, answer);
}

fn exchange_with(recorder: &Recorder, unit: u8, answer: &[u8]) {
    recorder.begin(unit, &[unit, 3, 0, 0, 0, 2, 0xC5, 0xCD]);
    recorder.heard(answer);
    recorder.end(Verdict::Ok, Dropped::default());
}

/// So many seconds of a bus that asks each of its units once a second and hears nine bytes.
async fn plant(recorder: &Recorder, units: u8, seconds: u32) {
    for _ in 0..seconds {
        (1..=units).for_each(|unit| exchange_with(recorder, unit, &[unit; 9]));
        advance(Duration::from_secs(1)).await;
    }
}

fn numbers_of(incident: &IncidentView, unit: u8) -> Vec<u64> {
    incident.exchanges.iter().filter(|e| e.unit == Some(unit)).map(|e| e.number).collect()
}

fn allocated(recorder: &Recorder) -> usize {
    let ring = recorder.lock();
    ring.frames.allocated()
        + ring.marks.allocated()
        + ring.seldom.allocated()
        + ring.incidents.iter().map(Incident::allocated).sum::<usize>()
}

#[tokio::test]
async fn the_last_256_exchanges_are_kept_and_chatter_does_not_grow_them() {
    let recorder = Recorder::default();
    for _ in 0..1_000 {
        exchange(&recorder, &[0xA5; 10_000]);
    }
    let kept = recorder.exchanges(0);
    assert_eq!((kept.len(), kept[0].number), (EXCHANGES_MIN, 745));
    assert!(kept.iter().all(|e| e.received.len() == KEPT_BYTES * 3 - 1 && e.more_bytes == 10_000 - KEPT_BYTES));
}

#[tokio::test]
async fn unasked_bytes_are_one_entry_until_the_next_request() {
    let recorder = Recorder::default();
    exchange(&recorder, &[1]);
    for _ in 0..10_000 {
        recorder.heard(&[2; 12]);
    }
    exchange(&recorder, &[3]);
    let kept = recorder.exchanges(0);
    assert_eq!(kept.iter().map(|e| e.unit).collect::<Vec<_>>(), [Some(1), None, Some(1)]);
    assert_eq!(kept[1].more_bytes, 120_000 - KEPT_BYTES);
}

#[tokio::test]
async fn an_incident_keeps_what_was_before_and_what_came_after() {
    let recorder = Recorder::default();
    for n in 0..100 {
        exchange(&recorder, &[n]);
    }
    recorder.incident("unit_dead u2", None, &[Concerns::Unit(2)]);
    exchange(&recorder, &[101]);
    recorder.incident("alarm GT-1:HH", Some("site-7"), &[Concerns::Unit(2)]);
    assert!(!recorder.incidents(0)[0].complete);
    for _ in 0..1_000 {
        exchange(&recorder, &[9]);
    }
    let [incident] = &recorder.incidents(5_000)[..] else { panic!("one incident, two causes") };
    assert_eq!(incident.cause, "unit_dead u2, alarm GT-1:HH");
    assert_eq!((&incident.event_ids[..], incident.complete), (&["site-7".to_owned()][..], true));
    let numbers: Vec<u64> = incident.exchanges.iter().map(|e| e.number).collect();
    assert_eq!(numbers, (37..=132).collect::<Vec<_>>());
}

#[tokio::test]
async fn incidents_are_bounded_and_the_newest_stay() {
    let recorder = Recorder::default();
    for n in 0..20 {
        recorder.incident(&format!("number {n}"), None, &[Concerns::Unit(2)]);
        for _ in 0..40 {
            exchange(&recorder, &[9]);
        }
    }
    let kept = recorder.incidents(0);
    assert_eq!(kept.len(), INCIDENTS_MAX);
    assert_eq!((&*kept[3].cause, kept[3].number), ("number 19", 20));
    (0..4).for_each(|n| {
        recorder.incident(&format!("whole {n}"), None, &[Concerns::Bus]);
        (0..40).for_each(|_| exchange(&recorder, &[9; 300]));
    });
    assert!(recorder.lock().incidents.iter().map(Incident::cost).sum::<usize>() <= INCIDENTS_BYTES);
    assert_eq!(recorder.incidents(0).last().unwrap().cause, "whole 3");
}

#[tokio::test(start_paused = true)]
async fn who_keeps_incidents_hears_of_their_beginning_and_of_their_end_and_of_nothing_else() {
    let recorder = Recorder::default();
    let heard =
        async || tokio::time::timeout(std::time::Duration::from_secs(1), recorder.incident_news()).await.is_ok();
    exchange(&recorder, &[9]);
    assert!(!heard().await, "an exchange is no news");
    recorder.incident("alarm GT-1:HH", None, &[Concerns::Unit(1)]);
    assert!(heard().await && !heard().await);
    (0..31).for_each(|_| exchange(&recorder, &[9]));
    assert!(!heard().await, "it still gathers");
    (0..200).for_each(|_| exchange(&recorder, &[9]));
    assert!(heard().await && !heard().await);
}

#[tokio::test(start_paused = true)]
async fn an_incident_on_a_link_that_falls_silent_is_complete_after_two_minutes_and_gathers_no_more() {
    let recorder = Recorder::default();
    exchange(&recorder, &[1]);
    recorder.incident("unit_dead u1", None, &[Concerns::Unit(1)]);
    exchange(&recorder, &[2]);
    recorder.incident_news().await;
    let begun = Instant::now();
    recorder.incident_news().await;
    assert_eq!(begun.elapsed(), GATHERS_AT_MOST);
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!((incident.complete, incident.exchanges.len()), (true, 2));
    exchange(&recorder, &[3]);
    recorder.incident("link_down", None, &[Concerns::Unit(1)]);
    let [old, new] = &recorder.incidents(0)[..] else { panic!("another incident begins anew") };
    assert_eq!((&*old.cause, old.exchanges.len(), &*new.cause), ("unit_dead u1", 2, "link_down"));
    assert!(old.complete && !new.complete);
}

#[tokio::test(start_paused = true)]
async fn after_two_minutes_another_incident_begins_also_where_nobody_has_looked_meanwhile() {
    let recorder = Recorder::default();
    recorder.incident("unit_dead u1", None, &[Concerns::Unit(1)]);
    tokio::time::advance(GATHERS_AT_MOST).await;
    recorder.incident("link_down", None, &[Concerns::Unit(1)]);
    assert_eq!(recorder.incidents(0).len(), 2);
}

#[tokio::test]
async fn a_flood_of_alarms_belongs_to_one_incident_up_to_a_bound() {
    let recorder = Recorder::default();
    (0..200).for_each(|n| recorder.incident(&format!("alarm GT-{n}:HH"), Some("site-7"), &[Concerns::Unit(1)]));
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!(incident.event_ids.len(), EVENTS_MAX);
    assert!(incident.cause.len() < CAUSE_BYTES + 2, "{}", incident.cause.len());
}

#[tokio::test(start_paused = true)]
async fn an_incident_holds_the_exchanges_of_its_unit_as_far_back_as_the_ring_goes() {
    let recorder = Recorder::default();
    plant(&recorder, 16, 100).await;
    recorder.incident("alarm PT-7:HH", Some("site-7"), &[Concerns::Unit(7)]);
    let ring: Vec<u64> = recorder.exchanges(0).iter().filter(|e| e.unit == Some(7)).map(|e| e.number).collect();
    plant(&recorder, 16, 3).await;
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    let of_unit = numbers_of(incident, 7);
    assert_eq!((of_unit[..ring.len()].to_vec(), of_unit.len()), (ring, 22), "20 s before it and two cycles after it");
    assert_eq!(numbers_of(incident, 8).len(), 6, "of another, as of all, 64 exchanges before and 32 after");
    assert_eq!(incident.exchanges.len(), 64 + 32 + 16);
    assert!(incident.exchanges.is_sorted_by(|a, b| a.number < b.number));
}

#[tokio::test(start_paused = true)]
async fn another_unit_of_an_incident_that_gathers_brings_its_own_exchanges_and_the_link_brings_all() {
    let recorder = Recorder::default();
    plant(&recorder, 16, 100).await;
    recorder.incident("unit_dead u7", None, &[Concerns::Unit(7)]);
    (1..=16).for_each(|unit| exchange_with(&recorder, unit, &[unit; 9]));
    recorder.incident("unit_dead u9", None, &[Concerns::Unit(9)]);
    recorder.incident("alarm PT-9:HH", None, &[Concerns::Unit(9)]);
    let look = || recorder.incidents(0).pop().unwrap();
    assert_eq!([7, 9, 8].map(|unit| numbers_of(&look(), unit).len()), [21, 20, 5]);
    recorder.incident("alarm PT-1:HH", None, &[Concerns::Bus]);
    let all: Vec<u64> = look().exchanges.iter().map(|e| e.number).collect();
    assert_eq!(all, (1_600 - 255..=1_616).collect::<Vec<_>>(), "the last 256 of all before it, and what followed");
    assert_eq!(recorder.incidents(0).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn twenty_seconds_of_a_bus_of_32_units_are_within_reach_and_a_slow_bus_keeps_256() {
    let recorder = Recorder::default();
    plant(&recorder, 32, 100).await;
    let kept = recorder.exchanges(0);
    assert_eq!(kept.len(), 32 * usize::try_from(REACHES_BACK.as_secs()).unwrap());
    plant(&recorder, 1, 1_000).await;
    assert_eq!(recorder.exchanges(0).len(), EXCHANGES_MIN);
}

#[tokio::test(start_paused = true)]
async fn fifty_links_of_ten_units_take_no_more_memory_than_256_loose_exchanges_did() {
    let recorder = Recorder::default();
    plant(&recorder, 10, 1_000).await;
    assert_eq!(recorder.exchanges(0).len(), EXCHANGES_MIN);
    assert!(allocated(&recorder) <= BEFORE_BYTES, "{} bytes", allocated(&recorder));
    let full = Recorder::default();
    plant(&full, 22, 1_000).await;
    let more = allocated(&full).saturating_sub(BEFORE_BYTES);
    assert!(50 * more <= 1 << 20, "{more} bytes a link more, on a serial line that is never at rest");
}

#[tokio::test(start_paused = true)]
async fn a_hostile_peer_makes_a_link_hold_no_more_than_400_kib() {
    let recorder = Recorder::default();
    let mut most = (0, 0);
    for n in 0..4_000_u32 {
        // By turns small frames, which fill the ring with exchanges, and the longest there are.
        let (request, answer): (&[u8], &[u8]) = if n % 2_000 < 1_500 { (&[1; 8], &[]) } else { (&[1; 260], &[2; 400]) };
        recorder.begin(1, request);
        recorder.heard(answer);
        recorder.end(Verdict::Damaged, Dropped { noise: u64::MAX, crc: 70_000, ..Dropped::default() });
        recorder.mark(&format!("PT-{n}:HH"), &[1], Duration::ZERO);
        recorder.incident(&format!("alarm PT-{n}:HH"), Some("site-7"), &[Concerns::Bus]);
        let ring = recorder.lock().frames.cost();
        most = (most.0.max(ring), most.1.max(allocated(&recorder)));
        if n % 8 == 0 {
            advance(Duration::from_millis(1)).await;
        }
    }
    assert!(most.0 <= EXCHANGES_MIN * 616 && most.0 > RING_BYTES, "{most:?}");
    assert!(most.1 <= 400 << 10, "{most:?}");
    let newest = recorder.exchanges(0).pop().unwrap();
    assert_eq!(
        (newest.dropped.crc, newest.dropped.noise),
        (u16::MAX.into(), u32::MAX.into()),
        "it counts up to a bound"
    );
}

#[tokio::test(start_paused = true)]
async fn the_exchanges_in_which_a_condition_began_are_kept_until_its_alarm_however_long_the_delay() {
    let recorder = Recorder::default();
    plant(&recorder, 16, 100).await;
    recorder.begin(7, &[7; 8]);
    recorder.heard(&[0xC0; 9]);
    recorder.end(Verdict::Ok, Dropped::default());
    let crossing = recorder.exchanges(0).pop().unwrap();
    advance(Duration::from_millis(10)).await;
    plant(&recorder, 16, 2).await;
    recorder.mark("TT-7:HH", &[7], Duration::from_millis(2_005));
    recorder.mark("TT-7:H", &[7], Duration::from_millis(2_005));
    recorder.mark("TT-9:HH", &[9], Duration::ZERO);
    plant(&recorder, 16, 60).await;
    recorder.incident("alarm TT-7:HH", None, &[Concerns::Unit(7)]);
    recorder.unmark("TT-7:HH");
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    let place = incident
        .exchanges
        .iter()
        .position(|e| e.number == crossing.number && e.received == crossing.received)
        .expect("it left the ring half a minute ago");
    assert_eq!(place, 7, "and the seven of the unit before it");
    assert!(incident.exchanges[..8].iter().all(|e| e.unit == Some(7)));
    assert_eq!(incident.exchanges.len(), 8 + 64 + 16, "and nothing of what was marked for another unit");
    plant(&recorder, 16, 60).await;
    recorder.unmark("TT-7:H");
    recorder.incident("alarm TT-7:LL", None, &[Concerns::Unit(7)]);
    let [_, incident] = &recorder.incidents(0)[..] else { panic!("another one") };
    assert_eq!(incident.exchanges.len(), 64 + 16, "what is over is not kept");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_about_several_units_keeps_what_each_of_them_said_and_what_its_delay_began_with() {
    let recorder = Recorder::default();
    plant(&recorder, 16, 100).await;
    recorder.mark("V-1:VOTE", &[3, 7, 9], Duration::ZERO);
    plant(&recorder, 16, 600).await;
    recorder.incident("alarm V-1:VOTE", Some("site-7"), &[3, 7, 9].map(Concerns::Unit));
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!(incident.event_ids, ["site-7"], "named once, however many units");
    for unit in [3, 7, 9] {
        let of_unit = numbers_of(incident, unit);
        let began: Vec<u64> = (92..100).map(|second| second * 16 + u64::from(unit)).collect();
        assert_eq!(of_unit[..8], began, "its last eight of unit {unit}");
        assert_eq!(of_unit.len(), 8 + 20, "and 20 s before the alarm");
    }
    assert_eq!(numbers_of(incident, 8).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_an_alarm_about_many_units_keeps_the_last_of_each_within_the_bound_of_one_alarm() {
    let recorder = Recorder::default();
    plant(&recorder, 20, 100).await;
    let units: Vec<u8> = (1..=20).collect();
    recorder.mark("SUM:H", &units, Duration::ZERO);
    let concerned: Vec<Concerns> = units.iter().copied().map(Concerns::Unit).collect();
    let marked: Vec<u64> = recorder.lock().marks.of(&concerned).map(|kept| kept.exchange.number).collect();
    assert_eq!(marked, (1_981..=2_000).collect::<Vec<_>>(), "the newest cycle, each unit once");
    let bytes = |recorder: &Recorder, concerned: &[Concerns]| {
        recorder.lock().marks.of(concerned).map(|kept| kept.exchange.cost()).sum::<usize>()
    };
    assert!(bytes(&recorder, &concerned) <= 2 << 10);

    let crowd = Recorder::default();
    plant(&crowd, 40, 10).await;
    let units: Vec<u8> = (1..=40).collect();
    crowd.mark("SUM:H", &units, Duration::ZERO);
    let concerned: Vec<Concerns> = units.iter().copied().map(Concerns::Unit).collect();
    let bytes = bytes(&crowd, &concerned);
    let marked = crowd.lock().marks.of(&concerned).count();
    assert!(marked >= 25 && bytes <= 2 << 10, "{marked} of 40 units, {bytes} bytes");
}

/// Ten units a second and twenty every tenth second leave the ring and come again: one that is asked once a minute keeps its place.
#[tokio::test(start_paused = true)]
async fn units_that_the_ring_has_take_no_place_from_one_that_it_has_lost() {
    let recorder = Recorder::default();
    plant(&recorder, 10, 40).await;
    exchange_with(&recorder, 40, &[7; 9]);
    for _ in 0..5 {
        (50..70).for_each(|unit| exchange_with(&recorder, unit, &[unit; 9]));
        plant(&recorder, 10, 10).await;
    }
    recorder.incident("alarm PT-7:DEV", Some("site-7"), &[Concerns::Unit(40)]);
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!(numbers_of(incident, 40).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_unit_that_is_asked_too_seldom_for_the_ring_an_incident_has_the_last_it_said() {
    let recorder = Recorder::default();
    plant(&recorder, 16, 100).await;
    (0..3).for_each(|block| exchange_with(&recorder, 40, &[block; 9]));
    plant(&recorder, 16, 55).await;
    assert!(recorder.exchanges(0).iter().all(|e| e.unit != Some(40)), "it has left the ring");
    recorder.incident("alarm PT-7:DEV", Some("site-7"), &[Concerns::Unit(7), Concerns::Unit(40)]);
    let said = |incident: &IncidentView| numbers_of(incident, 40);
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!(said(incident), [1_601, 1_602, 1_603]);
    assert_eq!(numbers_of(incident, 7).len(), 20);
    (0..6).for_each(|block| exchange_with(&recorder, 40, &[block; 9]));
    plant(&recorder, 16, 200).await;
    recorder.incident("alarm PT-7:DEV", Some("site-8"), &[Concerns::Unit(7), Concerns::Unit(40)]);
    let newest = recorder.incidents(0).pop().unwrap();
    assert_eq!(said(&newest).len(), 4, "the last four, and nothing of the time before");
    recorder.incident("alarm PT-7:HH", Some("site-9"), &[Concerns::Unit(7)]);
    exchange_with(&recorder, 40, &[1; 9]);
    plant(&recorder, 16, 200).await;
    recorder.incident("alarm PT-7:HH", Some("site-10"), &[Concerns::Unit(7)]);
    assert!(said(&recorder.incidents(0).pop().unwrap()).is_empty(), "it is not about that unit");
}
