//! Units that are silent, away or slow: who pays for them, and when they are seen again.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_dead_unit_of_eight_leaves_others_period_within_1_15() {
    let mut rig = Rig::start(tcp(), &[1, 2, 3, 4, 5, 6, 7, 8], ONE);
    serve_as(&mut rig, |asked| (asked.unit != 4).then(|| data(asked)));
    let mut last = [None; 8];
    let mut intervals = Vec::new();
    while intervals.len() < 7 * 600 {
        let scan = rig.scan().await;
        let index = scan.device.index();
        if index == 3 {
            assert_eq!(scan.samples[0].reading, bad(Fault::Timeout));
            continue;
        }
        assert!(scan.answered);
        if let Some(before) = last[index].replace(scan.at.mono) {
            intervals.push(scan.at.mono.since(before));
        }
    }
    intervals.sort();
    let p99 = intervals[intervals.len() * 99 / 100];
    assert!(p99 <= Duration::from_millis(1_150), "{p99:?}");
    let units = rig.status.snapshot().units;
    assert_eq!(units[3].state, "dead");
    assert!((8..40).contains(&units[3].counters.timeouts), "{} probes in ten minutes", units[3].counters.timeouts);
}

#[tokio::test(start_paused = true)]
async fn eight_dead_units_of_32_leave_others_period_within_1_5() {
    let units: Vec<u8> = (1..=32).collect();
    let mut rig = Rig::start(tcp(), &units, ONE);
    serve_as(&mut rig, |asked| (asked.unit % 4 != 0).then(|| data(asked)));
    let (mut last, mut answered) = ([None; 32], [0_u32; 32]);
    let mut intervals = Vec::new();
    while intervals.len() < 24 * 600 {
        let scan = rig.scan().await;
        answered[scan.device.index()] += u32::from(scan.answered);
        let seen = scan.answered.then(|| last[scan.device.index()].replace(scan.at.mono)).flatten();
        intervals.extend(seen.map(|before| scan.at.mono.since(before)));
    }
    intervals.sort();
    let p99 = intervals[intervals.len() * 99 / 100];
    assert!(p99 <= Duration::from_millis(1_500), "{p99:?}");
    let living = answered.iter().enumerate().filter(|(i, _)| (i + 1) % 4 != 0);
    assert!(living.clone().count() == 24 && living.clone().all(|(_, n)| *n > 580), "none is starved: {answered:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_unit_is_reported_once_and_is_back_when_it_answers() {
    let mut rig = Rig::start(tcp(), &[1, 2], ONE);
    let begun = Instant::now();
    let alive = move |a: &Asked| a.unit != 2 || begun.elapsed() > Duration::from_secs(20);
    serve_as(&mut rig, move |asked| alive(asked).then(|| data(asked)));
    assert_eq!(rig.state().await, ("line".into(), "link_up"));
    assert_eq!(rig.state().await, ("u2".into(), "unit_dead"));
    assert_eq!(rig.state().await, ("u2".into(), "unit_back"));
    assert!(begun.elapsed() < Duration::from_secs(40));
}

/// The figures of silence: a unit falls silent after ten seconds, returns after five minutes, when its probes are furthest apart.
#[tokio::test(start_paused = true)]
async fn silence_is_bad_within_three_cycles_and_a_second_and_its_end_is_seen_within_65_seconds() {
    // alone with another one, and on a bus that is three quarters full: every answer takes 25 ms, thirty units want one each second
    for (units, turnaround_ms) in [(2, 5), (31, 25)] {
        let units: Vec<u8> = (1..=units).collect();
        let mut rig = Rig::start(tcp(), &units, ONE);
        let mut wire = rig.connections.recv().await.unwrap();
        let begun = Instant::now();
        let silent = Duration::from_secs(10)..Duration::from_secs(310);
        let falls_silent = silent.clone();
        tokio::spawn(async move {
            while let Some(asked) = asked_tcp(&mut wire).await {
                tokio::time::sleep(Duration::from_millis(turnaround_ms)).await;
                if asked.unit != 2 || !falls_silent.contains(&begun.elapsed()) {
                    wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
                }
            }
        });
        let mut scan_of_2 = async |wanted: fn(Reading) -> bool| loop {
            let scan = rig.scan().await;
            if scan.device.index() == 1 && wanted(scan.samples[0].reading) {
                return begun.elapsed();
            }
        };
        let bad = scan_of_2(|reading| reading.value().is_none()).await;
        assert!(bad > silent.start && bad <= silent.start + Duration::from_secs(4), "{units:?}: bad after {bad:?}");
        let good = scan_of_2(|reading| reading.value().is_some()).await;
        assert!(good >= silent.end && good <= silent.end + Duration::from_secs(65), "{units:?}: back after {good:?}");
    }
}

/// Whatever was asked while it was away, all of it is read again at once.
#[tokio::test(start_paused = true)]
async fn a_unit_that_was_away_as_a_whole_is_back_as_a_whole() {
    let apart = words_at("max_registers = 16", [0, 100, 3000]);
    for away_s in [4, 20, 600] {
        let mut rig = Rig::start(tcp(), &[1, 2], &apart);
        let begun = Instant::now();
        let away = Duration::from_secs(10)..Duration::from_secs(10 + away_s);
        let silent = away.clone();
        serve_as(&mut rig, move |asked| (asked.unit == 1 || !silent.contains(&begun.elapsed())).then(|| data(asked)));
        let mut scan_of_2 = async || loop {
            let scan = rig.scan().await;
            if scan.device.index() == 1 {
                return scan;
            }
        };
        let first_good = loop {
            let scan = scan_of_2().await;
            let good = scan.samples.iter().any(|s| s.reading.value().is_some());
            if good && begun.elapsed() >= away.end {
                break scan;
            }
            assert!(begun.elapsed() < away.end + Duration::from_secs(70), "away for {away_s} s: not back");
        };
        let next = scan_of_2().await;
        let whole = |scan: &Scan| scan.samples.iter().all(|s| s.reading.value().is_some());
        assert!(whole(&first_good) && whole(&next), "away for {away_s} s: {first_good:?} {next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_bus_ends_and_progress_grew() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    serve_as(&mut rig, |asked| Some(data(asked)));
    rig.scan().await;
    assert!(rig.status.progress() > 0);
    rig.stop.cancel();
    while rig.messages.recv().await.is_some() {}
}

/// Twenty units that ask for a fifth more than the bus can do: what is dead has its twentieth of the time all the same.
#[tokio::test(start_paused = true)]
async fn a_dead_unit_is_probed_and_is_back_on_a_bus_that_is_full() {
    let units: Vec<u8> = (1..=21).collect();
    let mut rig = Rig::start(tcp(), &units, ONE);
    let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
    let begun = Instant::now();
    let back_s = 300;
    tokio::spawn(async move {
        while let Some(mut wire) = connections.recv().await {
            while let Some(asked) = asked_tcp(&mut wire).await {
                if asked.unit != 21 || begun.elapsed() > Duration::from_secs(back_s) {
                    tokio::time::sleep(Duration::from_millis(60)).await;
                    wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
                }
            }
        }
    });
    let (mut skipped, mut is_back) = (0, false);
    while begun.elapsed() < Duration::from_secs(back_s + 65) && !is_back {
        let scan = rig.part().await;
        is_back = scan.device.index() == 20 && scan.answered;
        skipped = rig.status.snapshot().units.iter().map(|u| u.counters.skipped).sum::<u64>();
    }
    assert!(is_back && skipped > 20, "{is_back}, {skipped} cycles skipped");
}

/// The beat moves every four seconds and may stand still for ten. Nobody saw it while the unit was away.
#[tokio::test(start_paused = true)]
async fn an_outage_is_no_time_without_a_heartbeat() {
    let profile = "title_zh = '心跳'\ntitle_en = 'beat'\n[heartbeat.h]\nfunction = 3\naddress = 1\nwithin_s = 10\n\
                   [field.a]\nfunction = 3\naddress = 0\ntype = 'u16'\nheartbeat = 'h'\n";
    let mut rig = Rig::start(tcp(), &[1], profile);
    let begun = Instant::now();
    let beat = move |asked: &Asked| {
        let second = begun.elapsed().as_secs();
        let beat = u8::from(second / 4 % 2 == 1 && second < 120);
        (!(30..76).contains(&second)).then(|| vec![asked.function, 4, 0, 7, 0, beat])
    };
    serve_as(&mut rig, beat);
    let mut frozen = Vec::new();
    while begun.elapsed() < Duration::from_secs(150) {
        let scan = rig.scan().await;
        frozen.extend((scan.samples[0].reading == bad(Fault::Frozen)).then(|| begun.elapsed().as_secs()));
    }
    assert!(
        frozen.first().is_some_and(|s| (127..=131).contains(s)),
        "it stands still from 116 or 120 s on: {frozen:?}"
    );
}

/// Fibre becomes a radio link: 5 ms for two minutes, then always 350 ms where the link waits for 400.
#[tokio::test(start_paused = true)]
async fn a_unit_that_becomes_slower_within_the_links_time_out_is_read_again() {
    for transport in [tcp(), Transport::RtuOverTcp { address: "in memory".into() }] {
        let mut rig = Rig::start(transport.clone(), &[5, 6], ONE);
        let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
        let begun = Instant::now();
        let numbered = matches!(transport, Transport::Tcp { .. });
        tokio::spawn(async move {
            while let Some(wire) = connections.recv().await {
                let (mut hear, mut speak) = tokio::io::split(wire);
                let (later, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(64);
                tokio::spawn(async move {
                    while let Some((at, bytes)) = due.recv().await {
                        tokio::time::sleep_until(at).await;
                        if speak.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
                tokio::spawn(async move {
                    loop {
                        let asked = if numbered { asked_tcp(&mut hear).await } else { asked_rtu(&mut hear).await };
                        let Some(asked) = asked else { return };
                        let slow = asked.unit == 5 && begun.elapsed() > Duration::from_secs(120);
                        let at = Instant::now() + Duration::from_millis(if slow { 350 } else { 5 });
                        let bytes = if numbered {
                            frame_tcp(&asked, &data(&asked))
                        } else {
                            frame_rtu(asked.unit, &data(&asked))
                        };
                        if later.send((at, bytes)).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let mut good = 0;
        while begun.elapsed() < Duration::from_secs(300) {
            let scan = rig.scan().await;
            let slow = scan.device.index() == 0 && begun.elapsed() > Duration::from_secs(121);
            good += usize::from(slow && scan.samples[0].reading.value().is_some());
        }
        assert!(good > 160, "{transport:?}: {good} of 179 seconds");
    }
}
