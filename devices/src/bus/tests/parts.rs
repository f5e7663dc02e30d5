//! When a point is told: as soon as all it needs has been read, once a cycle, from one cycle alone.

use super::*;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// A value whose status lies in another request, and a value of its own; asked in the order 0, 100, 200.
const WITH_STATUS: &str = "
title_zh = '态'
title_en = 'status'
[limits]
max_registers = 16
[status.state]
address = 100
values = { 0 = 'ok', 1 = 'fault' }
[field.a]
function = 3
address = 0
type = 'u16'
status = ['state']
[field.b]
function = 3
address = 200
type = 'u16'
";

/// Answers after 200 ms, with what `word` makes of an address, as long as `lives` says so.
fn serve(
    mut wire: DuplexStream,
    word: impl Fn(u16) -> u16 + Send + 'static,
    mut lives: impl FnMut(&Asked) -> bool + Send + 'static,
) {
    tokio::spawn(async move {
        while let Some(asked) = asked_tcp(&mut wire).await {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let words = (asked.address..asked.address + asked.count).flat_map(|at| word(at).to_be_bytes());
            let mut pdu = vec![asked.function, u8::try_from(asked.count * 2).unwrap()];
            pdu.extend(words);
            if lives(&asked) {
                wire.write_all(&frame_tcp(&asked, &pdu)).await.unwrap();
            }
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_value_is_told_when_it_is_read_and_not_with_the_rest_of_its_cycle() {
    let mut rig = Rig::start(tcp(), &[1], TWO);
    serve(rig.connections.recv().await.unwrap(), |at| at, |_| true);
    for second in 0..5 {
        for (place, due_ms) in [(0.0, 200), (100.0, 400)] {
            let part = rig.part().await;
            // What is computed of both waits for the last part.
            assert_eq!((values(&part), part.answered, part.ends_cycle), (vec![place], true, place == 100.0));
            let told = Duration::from_nanos(part.at.mono.0);
            let due = Duration::from_millis(second * 1_000 + due_ms);
            assert!(told >= due && told < due + Duration::from_millis(20), "{place}: {told:?}, not {due:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_waits_for_its_status_and_both_are_of_one_cycle() {
    let mut rig = Rig::start(tcp(), &[1], WITH_STATUS);
    let cycle = Arc::new(AtomicU16::new(0));
    let number = cycle.clone();
    let word = move |at| match at {
        0 => cycle.fetch_add(1, Relaxed),
        100 => (cycle.load(Relaxed) - 1) % 2,
        _ => at,
    };
    serve(rig.connections.recv().await.unwrap(), word, |_| true);
    let mut parts = Vec::new();
    while number.load(Relaxed) < 7 {
        parts.push(rig.part().await.samples);
    }
    assert!(parts.iter().all(|samples| samples.len() == 1), "a with its status, then b: {parts:?}");
    for (nth, samples) in (0_u16..).zip(parts.iter().step_by(2)) {
        let expected =
            if nth % 2 == 0 { rules::Finite::new(nth.into()).map(Reading::Good) } else { Some(bad(Fault::Sensor)) };
        assert_eq!(Some(samples[0].reading), expected, "cycle {nth}: {parts:?}");
    }
}

/// [`Rig::scan`] panics when a point comes twice in a cycle, and waits for ever when one is missing.
#[tokio::test(start_paused = true)]
async fn every_point_has_one_sample_a_cycle_also_where_a_unit_falls_silent_or_its_link_goes_in_the_middle_of_one() {
    for closes in [false, true] {
        let mut rig = Rig::start(tcp(), &[1], WITH_STATUS);
        let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
        tokio::spawn(async move {
            let mut nth = 0;
            while let Some(mut wire) = connections.recv().await {
                while let Some(asked) = asked_tcp(&mut wire).await {
                    nth += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    match nth % 41 {
                        // Three misses and a probe.
                        8..=11 if !closes => {}
                        8 => break,
                        _ => wire.write_all(&frame_tcp(&asked, &[3, 2, 0, 0])).await.unwrap(),
                    }
                }
            }
        });
        let mut before = rig.scan().await.at.mono;
        let (mut whole, mut broken) = (0, 0);
        for _ in 0..200 {
            let scan = rig.scan().await;
            let good = scan.samples.iter().filter(|s| s.reading.value().is_some()).count();
            (whole, broken) = (whole + u32::from(good == 2), broken + u32::from(good < 2));
            let interval = scan.at.mono.since(before);
            assert!(interval <= Duration::from_millis(2_500), "closes {closes}: {interval:?}");
            before = scan.at.mono;
        }
        assert!(whole > 20 && broken > 10, "closes: {closes}, {whole} whole, {broken} broken");
    }
}

#[tokio::test(start_paused = true)]
async fn values_read_before_a_doubt_arose_are_as_they_were() {
    let mut rig = Rig::start(rtu(), &[5], TWO);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let mut nth = 0;
        while let Some(asked) = asked_rtu(&mut wire).await {
            nth += 1;
            if nth != 2 {
                wire.write_all(&frame_rtu(asked.unit, &data(&asked))).await.unwrap();
            }
        }
    });
    let first = rig.scan().await;
    assert_eq!(first.samples.iter().map(|s| s.reading.is_unconfirmed()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(values(&first), [5000.0, 5100.0]);
    let sent: Vec<_> = first.samples.iter().map(|s| s.raw.words().to_vec()).collect();
    assert_eq!(sent, [[5000], [5100]], "with the registers that they were made of");
    assert!(rig.scan().await.samples.iter().all(|s| !s.reading.is_unconfirmed()));
}
