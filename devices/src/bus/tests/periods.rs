//! Periods per point, fast periods, urgency, and the plan that follows what is learned.

use super::*;
use crate::{Fast, Wanted};

/// Three values, too far apart for one request.
fn three() -> String {
    three_with(4, 200)
}

/// The same, with the third one elsewhere.
fn three_with(function: u8, address: u16) -> String {
    profile_of("max_registers = 16", &[("a", 3, 0, "u16"), ("b", 3, 100, "u16"), ("c", function, address, "u16")])
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A healthy TCP peer that answers after `turnaround` and tells when it was asked for what.
fn serve(mut wire: DuplexStream, turnaround: Duration) -> mpsc::Receiver<(Instant, Asked)> {
    let (tell, told) = mpsc::channel(10_000);
    tokio::spawn(async move {
        while let Some(asked) = asked_tcp(&mut wire).await {
            tell.send((Instant::now(), asked.clone())).await.unwrap();
            tokio::time::sleep(turnaround).await;
            wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
        }
    });
    told
}

/// Intervals between requests for `address` in the next `seconds`.
async fn intervals(told: &mut mpsc::Receiver<(Instant, Asked)>, address: u16, seconds: u64) -> Vec<Duration> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut last, mut out) = (None, Vec::new());
    while let Ok(Some((at, asked))) = tokio::time::timeout_at(until, told.recv()).await {
        if asked.address == address {
            out.extend(last.replace(at).map(|before| at - before));
        }
    }
    out
}

#[tokio::test(start_paused = true)]
async fn every_point_is_read_in_its_own_period() {
    let mut spec = spec(tcp(), &[1], &three());
    for (point, period) in Arc::make_mut(&mut spec.devices[0].points).iter_mut().zip([100, 1_000, 3_600_000]) {
        point.period = ms(period);
    }
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut told = serve(rig.connections.recv().await.unwrap(), ms(5));
    rig.drain();
    let seen = intervals(&mut told, 0, 60).await;
    assert!(seen.len() > 590 && seen.iter().all(|i| *i <= ms(107)), "{seen:?}");
    let seen = intervals(&mut told, 100, 20).await;
    assert!(seen.len() >= 18 && seen.iter().all(|i| i.abs_diff(ms(1_000)) <= ms(7)), "{seen:?}");
    assert_eq!(intervals(&mut told, 200, 7_300).await, [Duration::from_secs(3_600)]);
}

#[tokio::test(start_paused = true)]
async fn a_point_whose_fast_period_is_wanted_is_read_fast_and_then_slowly_again() {
    let mut spec = spec(tcp(), &[1], &three());
    let wanted = Wanted::default();
    Arc::make_mut(&mut spec.devices[0].points)[0].fast =
        Some(Box::new(Fast { period: ms(200), wanted: wanted.clone() }));
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut told = serve(rig.connections.recv().await.unwrap(), ms(5));
    rig.drain();
    assert!(intervals(&mut told, 0, 10).await.iter().all(|i| i.abs_diff(ms(1_000)) <= ms(7)));
    wanted.set(true);
    assert!(intervals(&mut told, 0, 10).await.len() > 45);
    wanted.set(false);
    intervals(&mut told, 0, 2).await;
    assert!(intervals(&mut told, 0, 10).await.iter().all(|i| i.abs_diff(ms(1_000)) <= ms(7)));
}

#[tokio::test(start_paused = true)]
async fn alarm_critical_requests_go_first() {
    let mut spec = spec(tcp(), &[1, 2], &three());
    Arc::make_mut(&mut spec.devices[1].points)[1].critical = true;
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut told = serve(rig.connections.recv().await.unwrap(), ms(5));
    rig.drain();
    for _ in 0..5 {
        let (_, first) = told.recv().await.unwrap();
        assert_eq!((first.unit, first.address), (2, 100));
        for _ in 0..5 {
            told.recv().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_too_slow_skips_and_counts_and_never_queues() {
    let mut spec = spec(tcp(), &[1], &three());
    Arc::make_mut(&mut spec.devices[0].points).iter_mut().for_each(|p| p.period = ms(100));
    let mut rig = Rig::start_spec(Pipe, spec);
    let _told = serve(rig.connections.recv().await.unwrap(), ms(90));
    let first = rig.scan().await.at.mono;
    let mut last = first;
    for _ in 0..20 {
        last = rig.scan().await.at.mono;
    }
    // 270 ms a cycle: every third due time is kept.
    assert!(last.since(first).abs_diff(ms(6_000)) < ms(300), "{:?}", last.since(first));
    assert!(rig.status.snapshot().units[0].counters.skipped >= 40);
}

#[tokio::test(start_paused = true)]
async fn a_slow_unit_costs_no_more_than_twice_its_own_time_when_it_dies() {
    let mut rig = Rig::start(tcp(), &[1, 2], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let begun = Instant::now();
        while let Some(asked) = asked_tcp(&mut wire).await {
            if asked.unit == 2 && begun.elapsed() > Duration::from_secs(60) {
                continue;
            }
            tokio::time::sleep(ms(5)).await;
            wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
        }
    });
    let mut last: Option<Instant> = None;
    let mut longest = Duration::ZERO;
    while rig.status.snapshot().units[1].state != "dead" {
        if rig.scan().await.device.index() == 0 {
            longest = longest.max(last.replace(Instant::now()).map_or(ms(0), |l| l.elapsed()));
        }
    }
    assert!(longest <= ms(1_450), "two waits of 200 ms, not of 400: {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hole_refused_once_is_read_over_again_later() {
    let holed = TWO.replace("address = 100", "address = 4");
    let mut rig = Rig::start(tcp(), &[1], &holed);
    let mut wire = rig.connections.recv().await.unwrap();
    let (tell, mut told) = mpsc::channel(1_000);
    tokio::spawn(async move {
        let mut nth = 0;
        while let Some(asked) = asked_tcp(&mut wire).await {
            nth += 1;
            let pdu = if nth == 3 { vec![0x83, 2] } else { data(&asked) };
            tell.send(asked.count).await.unwrap();
            wire.write_all(&frame_tcp(&asked, &pdu)).await.unwrap();
        }
    });
    for _ in 0..30 {
        assert_eq!(values(&rig.scan().await), [1000.0, 1004.0]);
    }
    let mut asked = Vec::new();
    while let Ok(count) = told.try_recv() {
        asked.push(count);
    }
    assert_eq!(asked[..5], [5, 5, 5, 1, 1]);
    assert!(asked.iter().filter(|c| **c == 1).count() <= 24 && asked.ends_with(&[5, 5, 5]), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cycle_whose_only_request_alone_is_silent_says_nothing_of_the_unit_until_the_unit_is_silent_too() {
    let mut spec = spec(tcp(), &[1], &three());
    for (point, period) in Arc::make_mut(&mut spec.devices[0].points).iter_mut().zip([1_000, 2_000, 500]) {
        point.period = ms(period);
    }
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
    let begun = Instant::now();
    let dies = Duration::from_secs(120);
    tokio::spawn(async move {
        while let Some(mut wire) = connections.recv().await {
            while let Some(asked) = asked_tcp(&mut wire).await {
                // The third value, in the shortest period, never comes.
                if asked.function == 3 && begun.elapsed() < dies {
                    wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
                }
            }
        }
    });
    let mute = rig.points[0] - 1;
    let (mut unsaid, mut last_said) = (0, begun.elapsed());
    while begun.elapsed() < dies + Duration::from_secs(60) {
        let part = rig.part().await;
        let only_the_mute = part.samples.iter().all(|s| s.point.index() == mute);
        if only_the_mute && (Duration::from_secs(60)..dies).contains(&begun.elapsed()) {
            assert!(part.answered, "{:?} {part:?}", begun.elapsed());
            unsaid += 1;
        }
        if part.answered {
            last_said = begun.elapsed();
        }
    }
    assert!(unsaid > 50, "{unsaid}");
    assert!(last_said < dies + Duration::from_secs(10), "{last_said:?}");
}

/// A current of 4–20 mA in hundredths, and a switch.
const CURRENT: &str = "
title_zh = '电流'
title_en = 'current'
[field.a]
function = 3
address = 0
type = 'u16'
signal = { raw = [0, 2000], milliamp = [0, 20] }
[field.b]
function = 3
address = 100
type = 'u16'
";

/// Sets the wish for the first point anew every seven seconds.
fn flip(wanted: &Wanted) {
    let wanted = wanted.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(7)).await;
            wanted.set(!wanted.get());
        }
    });
}

fn with_fast(spec: &mut BusSpec, point: usize) -> Wanted {
    let wanted = Wanted::default();
    let fast = Fast { period: ms(200), wanted: wanted.clone() };
    Arc::make_mut(&mut spec.devices[0].points)[point].fast = Some(Box::new(fast));
    wanted
}

#[tokio::test(start_paused = true)]
async fn a_change_of_period_forgets_nothing_of_a_request_that_alone_is_silent() {
    // the silent value far from the others, and beside the one whose period changes or the one that keeps its own
    for (address, silent) in [(200, 200), (2, 0), (2, 2)] {
        let mut spec = spec(tcp(), &[1], &three_with(3, address));
        let wanted = with_fast(&mut spec, 0);
        let mut rig = Rig::start_spec(Pipe, spec);
        let holds = move |a: &Asked| (a.address..a.address + a.count).contains(&silent);
        serve_as(&mut rig, move |a| (!holds(a)).then(|| data(a)));
        let settled = Instant::now() + Duration::from_secs(120);
        while Instant::now() < settled {
            rig.part().await;
        }
        flip(&wanted);
        let (until, mut good) = (Instant::now() + Duration::from_secs(300), 0);
        while Instant::now() < until {
            for sample in rig.part().await.samples {
                let at = [0, 100, address][sample.point.index()];
                assert_eq!(sample.reading.value().is_some(), at != silent, "{at}, silent {silent}: {sample:?}");
                good += usize::from(at != silent);
            }
        }
        assert!(good > 550, "{good} good values with {silent} silent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_current_that_is_out_for_four_seconds_is_a_fault_however_often_its_period_changes() {
    let mut spec = spec(tcp(), &[1], CURRENT);
    let wanted = with_fast(&mut spec, 0);
    let mut rig = Rig::start_spec(Pipe, spec);
    serve_as(&mut rig, |asked| {
        let count = usize::from(asked.count);
        Some([vec![asked.function, u8::try_from(count * 2).unwrap()], [0x01, 0x40].repeat(count)].concat()) // 3.2 mA
    });
    let (begun, mut reading) = (Instant::now(), None);
    while begun.elapsed() < Duration::from_secs(6) {
        wanted.set(!wanted.get());
        let samples = rig.part().await.samples;
        reading = samples.iter().find(|s| s.point.index() == 0).map(|s| s.reading).or(reading);
    }
    assert_eq!(reading, Some(bad(Fault::Sensor)));
}

#[tokio::test(start_paused = true)]
async fn one_wish_that_ends_as_another_begins_is_followed() {
    let mut spec = spec(tcp(), &[1], &three());
    let (a, b) = (with_fast(&mut spec, 0), with_fast(&mut spec, 1));
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut told = serve(rig.connections.recv().await.unwrap(), ms(5));
    rig.drain();
    a.set(true);
    assert!(intervals(&mut told, 0, 10).await.len() > 45);
    a.set(false);
    b.set(true);
    intervals(&mut told, 0, 2).await;
    assert!(intervals(&mut told, 100, 10).await.len() > 45);
    assert!(intervals(&mut told, 0, 10).await.iter().all(|i| i.abs_diff(ms(1_000)) <= ms(7)));
}

/// What became of the values other than the silent one, from now on for so long.
async fn lost(rig: &mut Rig, silent: usize, long: Duration) -> (usize, Vec<&'static str>) {
    let (until, mut lost, mut states) = (Instant::now() + long, 0, Vec::new());
    while Instant::now() < until {
        match rig.messages.recv().await.unwrap() {
            BusMessage::Scan(scan) => {
                let others = scan.samples.iter().filter(|s| s.point.index() != silent);
                lost += others.filter(|s| s.reading.value().is_none()).count();
            }
            BusMessage::State { code, .. } => states.push(code),
        }
    }
    (lost, states)
}

#[tokio::test(start_paused = true)]
async fn whatever_wishes_come_and_go_a_value_that_is_silent_costs_its_neighbours_no_cycle() {
    for seed in 0..24_u64 {
        let mut dice = seed * 104_729 + 5;
        let mut roll = move |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let mut at = 0;
        let mut addresses: Vec<u16> = (0..3)
            .map(|_| {
                at += 1 + u16::try_from(roll(3)).unwrap();
                at
            })
            .collect();
        addresses.push(500);
        let silent = usize::try_from(roll(3)).unwrap();
        let hole = addresses[silent];
        let mut spec = spec(tcp(), &[1], &words_at("", addresses.iter().copied()));
        let wishes: Vec<Wanted> = (0..3).map(|n| with_fast(&mut spec, n)).collect();
        let mut rig = Rig::start_spec(Pipe, spec);
        serve_as(&mut rig, move |a| (!(a.address..a.address + a.count).contains(&hole)).then(|| data(a)));
        lost(&mut rig, silent, Duration::from_secs(300)).await;
        for _ in 0..40 {
            let wish = &wishes[usize::try_from(roll(3)).unwrap()];
            wish.set(!wish.get());
            let long = ms(2_300 + roll(9_000));
            let told = lost(&mut rig, silent, long).await;
            assert_eq!(told, (0, vec![]), "seed {seed}: {addresses:?}, {hole} is silent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_hole_is_known_also_after_an_hour_in_which_its_sides_had_other_periods() {
    let mut spec = spec(tcp(), &[1], &words_at("", [0, 2, 300]));
    let wanted = with_fast(&mut spec, 1);
    let mut rig = Rig::start_spec(Pipe, spec);
    serve_as(&mut rig, |a| (a.count == 1).then(|| data(a)));
    lost(&mut rig, 9, Duration::from_secs(300)).await;
    wanted.set(true);
    assert_eq!(lost(&mut rig, 9, Duration::from_secs(3_600)).await, (0, vec![]));
    wanted.set(false);
    assert_eq!(lost(&mut rig, 9, Duration::from_secs(60)).await, (0, vec![]));
}

/// The answer to a repeat is to be confirmed; that the device is busy in between and a period changes takes nothing away from it.
#[tokio::test(start_paused = true)]
async fn a_change_of_period_confirms_no_value() {
    let mut spec = spec(rtu(), &[1], ONE);
    let wanted = with_fast(&mut spec, 0);
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        for n in 1_u32.. {
            let Some(asked) = asked_rtu(&mut wire).await else { return };
            let answer = match n {
                5 => continue,
                6 => {
                    wanted.set(true);
                    frame_rtu(asked.unit, &[0x83, 6])
                }
                _ => frame_rtu(asked.unit, &data(&asked)),
            };
            tokio::time::sleep(ms(20)).await;
            wire.write_all(&answer).await.unwrap();
        }
    });
    let mut told = Vec::new();
    while told.len() < 5 {
        told.extend(rig.part().await.samples);
    }
    let doubts = told.iter().filter(|s| s.reading.is_unconfirmed()).count();
    assert_eq!(doubts, 1, "{told:?}");
    assert!(told[4].reading.is_unconfirmed(), "{told:?}");
}
