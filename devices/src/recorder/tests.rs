use super::ring::{CAUSE_BYTES, EVENTS_MAX, GATHERS_AT_MOST, INCIDENTS_MAX};
use super::*;
use tokio::time::Instant;

fn exchange(recorder: &Recorder, answer: &[u8]) {
    recorder.begin(1, &[1, 3, 0, 0, 0, 1]);
    recorder.heard(answer);
    recorder.end(Verdict::Ok, Dropped::default());
}

#[tokio::test]
async fn the_last_256_exchanges_are_kept_and_chatter_does_not_grow_them() {
    let recorder = Recorder::default();
    for _ in 0..1_000 {
        exchange(&recorder, &[0xA5; 10_000]);
    }
    let kept = recorder.exchanges(0);
    assert_eq!((kept.len(), kept[0].number), (EXCHANGES_MAX, 745));
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
    recorder.incident("unit_dead u1", None);
    exchange(&recorder, &[101]);
    recorder.incident("alarm GT-1:HH", Some("site-7"));
    assert!(!recorder.incidents(0)[0].complete);
    for _ in 0..1_000 {
        exchange(&recorder, &[9]);
    }
    let [incident] = &recorder.incidents(5_000)[..] else { panic!("one incident, two causes") };
    assert_eq!(incident.cause, "unit_dead u1, alarm GT-1:HH");
    assert_eq!((&incident.event_ids[..], incident.complete), (&["site-7".to_owned()][..], true));
    let numbers: Vec<u64> = incident.exchanges.iter().map(|e| e.number).collect();
    assert_eq!(numbers, (37..=132).collect::<Vec<_>>());
}

#[tokio::test]
async fn incidents_are_bounded_and_the_newest_stay() {
    let recorder = Recorder::default();
    for n in 0..20 {
        recorder.incident(&format!("number {n}"), None);
        for _ in 0..40 {
            exchange(&recorder, &[9]);
        }
    }
    let kept = recorder.incidents(0);
    assert_eq!(kept.len(), INCIDENTS_MAX);
    assert_eq!((&*kept[3].cause, kept[3].number), ("number 19", 20));
}

#[tokio::test(start_paused = true)]
async fn who_keeps_incidents_hears_of_their_beginning_and_of_their_end_and_of_nothing_else() {
    let recorder = Recorder::default();
    let heard =
        async || tokio::time::timeout(std::time::Duration::from_secs(1), recorder.incident_news()).await.is_ok();
    exchange(&recorder, &[9]);
    assert!(!heard().await, "an exchange is no news");
    recorder.incident("alarm GT-1:HH", None);
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
    recorder.incident("unit_dead u1", None);
    exchange(&recorder, &[2]);
    recorder.incident_news().await;
    let begun = Instant::now();
    recorder.incident_news().await;
    assert_eq!(begun.elapsed(), GATHERS_AT_MOST);
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!((incident.complete, incident.exchanges.len()), (true, 2));
    exchange(&recorder, &[3]);
    recorder.incident("link_down", None);
    let [old, new] = &recorder.incidents(0)[..] else { panic!("another incident begins anew") };
    assert_eq!((&*old.cause, old.exchanges.len(), &*new.cause), ("unit_dead u1", 2, "link_down"));
    assert!(old.complete && !new.complete);
}

#[tokio::test(start_paused = true)]
async fn after_two_minutes_another_incident_begins_also_where_nobody_has_looked_meanwhile() {
    let recorder = Recorder::default();
    recorder.incident("unit_dead u1", None);
    tokio::time::advance(GATHERS_AT_MOST).await;
    recorder.incident("link_down", None);
    assert_eq!(recorder.incidents(0).len(), 2);
}

#[tokio::test]
async fn a_flood_of_alarms_belongs_to_one_incident_up_to_a_bound() {
    let recorder = Recorder::default();
    (0..200).for_each(|n| recorder.incident(&format!("alarm GT-{n}:HH"), Some("site-7")));
    let [incident] = &recorder.incidents(0)[..] else { panic!("one incident") };
    assert_eq!(incident.event_ids.len(), EVENTS_MAX);
    assert!(incident.cause.len() < CAUSE_BYTES + 2, "{}", incident.cause.len());
}
