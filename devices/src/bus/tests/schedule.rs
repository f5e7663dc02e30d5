//! Dead units, exceptions, busy devices: who pays for them.

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
        serve_as(&mut rig, move |asked| {
            (asked.unit == 1 || !silent.contains(&begun.elapsed())).then(|| data(asked))
        });
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
async fn an_exception_is_a_configuration_fault_of_its_block_only() {
    let mut rig = Rig::start(tcp(), &[1], TWO);
    serve_as(&mut rig, |asked| Some(if asked.address == 100 { vec![0x83, 2] } else { data(asked) }));
    for _ in 0..60 {
        let scan = rig.scan().await;
        assert!(scan.answered);
        assert_eq!(scan.samples[0].reading.value(), Some(1000.0));
        assert_eq!(scan.samples[1].reading, bad(Fault::Configuration));
    }
    let asked = rig.status.snapshot().units[0].counters.exceptions;
    assert!(asked < 12, "{asked} exceptions in a minute are a storm");
}

#[tokio::test(start_paused = true)]
async fn one_noisy_exception_mutes_nothing() {
    let mut rig = Rig::start(tcp(), &[1], TWO);
    let mut nth = 0;
    serve_as(&mut rig, move |asked| {
        nth += 1;
        Some(if nth == 2 { vec![0x83, 2] } else { data(asked) })
    });
    assert_eq!(rig.scan().await.samples[1].reading, bad(Fault::Configuration));
    assert_eq!(values(&rig.scan().await), [1000.0, 1100.0]);
}

#[tokio::test(start_paused = true)]
async fn a_hole_the_device_refuses_splits_the_request_at_once() {
    let holed = TWO.replace("address = 100", "address = 4");
    let mut rig = Rig::start(tcp(), &[1], &holed);
    serve_as(&mut rig, |asked| Some(if asked.count > 1 { vec![0x83, 2] } else { data(asked) }));
    assert_eq!(values(&rig.scan().await), [1000.0, 1004.0]);
}

#[tokio::test(start_paused = true)]
async fn busy_is_repeated_twice_and_then_bad() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    let mut nth = 0;
    serve_as(&mut rig, move |asked| {
        nth += 1;
        Some(if nth <= 5 { vec![0x83, 6] } else { data(asked) })
    });
    assert_eq!(rig.scan().await.samples[0].reading, bad(Fault::Exception(6)));
    assert_eq!(values(&rig.scan().await), [1007.0]);
}

#[tokio::test(start_paused = true)]
async fn busy_is_repeated_twice_although_other_requests_are_answered_between() {
    let mut spec = spec(tcp(), &[1], TWO);
    Arc::make_mut(&mut spec.devices[0].points)[0].period = Duration::from_millis(50);
    let mut rig = Rig::start_spec(Pipe, spec);
    serve_as(&mut rig, |asked| Some(if asked.address == 100 { vec![0x83, 6] } else { data(asked) }));
    rig.drain();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let busy = rig.status.snapshot().units[0].counters.busy;
    assert!((170..=183).contains(&busy), "{busy} in a minute, at most three of each second");
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

/// Eight values in one request and one elsewhere; the device says nothing to a request over address 5, until it has it.
#[tokio::test(start_paused = true)]
async fn one_silent_hole_in_a_long_request_mutes_no_neighbour_and_is_joined_again_when_it_answers() {
    let mut rig = Rig::start(tcp(), &[1], &words_at("", (0..8).chain([3000])));
    let (begun, mended_s) = (Instant::now(), 3_600);
    let last = Arc::new(std::sync::atomic::AtomicU16::new(0));
    let asked_for = last.clone();
    let answer = move |asked: &Asked| {
        let over = (asked.address..asked.address + asked.count).contains(&5);
        let answers = !over || begun.elapsed() > Duration::from_secs(mended_s);
        if asked.address < 8 {
            asked_for.store(asked.count, std::sync::atomic::Ordering::Relaxed);
        }
        answers.then(|| data(asked))
    };
    serve_as(&mut rig, answer);
    let mut good = Vec::new();
    while begun.elapsed() < Duration::from_secs(mended_s) {
        let scan = rig.scan().await;
        good.push(scan.samples.iter().filter(|s| s.reading.value().is_some()).count());
        if begun.elapsed() > Duration::from_secs(120) {
            assert_eq!(scan.samples[5].reading, bad(Fault::Timeout));
        }
    }
    let whole = good.iter().skip(120).filter(|n| **n == 8).count();
    assert!(
        whole * 100 >= good[120..].len() * 99,
        "{whole} of {} cycles with all that answers: {good:?}",
        good.len() - 120
    );
    let missed = rig.status.snapshot().units[0].counters.timeouts;
    assert!((10..40).contains(&missed), "{missed} time-outs in an hour");
    while rig.scan().await.samples.iter().any(|s| s.reading.value().is_none()) {}
    assert!(begun.elapsed() <= Duration::from_secs(mended_s + 601), "asked every ten minutes: {:?}", begun.elapsed());
    for _ in 0..2 * 3_600 {
        assert_eq!(values(&rig.scan().await).len(), 9);
        if last.load(std::sync::atomic::Ordering::Relaxed) == 8 {
            return;
        }
    }
    panic!("it is never one request again");
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

/// Nothing else of it can be asked, and the device says nothing to a request over the hole: its first register alone shows that it lives.
#[tokio::test(start_paused = true)]
async fn a_unit_whose_only_request_spans_a_silent_hole_is_found() {
    let holed = TWO.replace("address = 100", "address = 2");
    let mut rig = Rig::start(tcp(), &[1], &holed);
    serve_as(&mut rig, |asked| (asked.count == 1).then(|| data(asked)));
    let begun = Instant::now();
    let mut good = [0, 0];
    while begun.elapsed() < Duration::from_secs(600) {
        for sample in rig.part().await.samples {
            good[sample.point.index()] += usize::from(sample.reading.value().is_some());
        }
    }
    assert!(good.iter().all(|n| *n > 500), "{good:?} good values of 600");
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

/// One refusal by noise in a long cycle, beside points that are read five times as often.
#[tokio::test(start_paused = true)]
async fn what_one_noisy_refusal_cut_is_joined_again_also_beside_another_period() {
    let long = [0, 2].into_iter().chain((1..20).map(|n| n * 500));
    let mut spec = spec(tcp(), &[1], &words_at("", long.chain([20_000])));
    for p in Arc::make_mut(&mut spec.devices[0].points) {
        p.period = Duration::from_millis(if p.key.ends_with("f20000") { 200 } else { 1000 });
    }
    let mut rig = Rig::start_spec(Pipe, spec);
    let mut wire = rig.connections.recv().await.unwrap();
    let begun = Instant::now();
    let short_until = Arc::new(std::sync::Mutex::new((None, None)));
    let seen = short_until.clone();
    tokio::spawn(async move {
        let mut refused = false;
        while let Some(asked) = asked_tcp(&mut wire).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let refuses = !refused && asked.address == 0 && begun.elapsed() > Duration::from_secs(30);
            refused |= refuses;
            if asked.address == 0 {
                let mut seen = seen.lock().unwrap();
                let which = if asked.count == 1 { &mut seen.0 } else { &mut seen.1 };
                *which = Some(begun.elapsed().as_secs());
            }
            let pdu = if refuses { vec![0x83, 2] } else { data(&asked) };
            wire.write_all(&frame_tcp(&asked, &pdu)).await.unwrap();
        }
    });
    rig.drain();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let (short, whole) = *short_until.lock().unwrap();
    assert!(short.is_some_and(|at| (30..60).contains(&at)), "{short:?}");
    assert!(whole.is_some_and(|at| at >= 118), "{whole:?}");
}

/// Coils are asked for from 0 on: the request for the second holds the first one, too.
#[tokio::test(start_paused = true)]
async fn a_refused_coil_takes_no_lower_one_with_it_whatever_is_asked_first() {
    let profile = "title_zh = '线圈'\ntitle_en = 'coils'\n[limits]\ncoils_from_zero = true\n\
         [field.a]\nfunction = 1\naddress = 2\ntype = 'bit'\n[field.b]\nfunction = 1\naddress = 9\ntype = 'bit'\n";
    let mut rig = Rig::start(tcp(), &[1], profile);
    let begun = Instant::now();
    // away for a minute again and again, so that probes turn the order of its requests
    serve_as(&mut rig, move |asked| {
        let there = begun.elapsed().as_secs() % 120 < 60;
        there.then(|| if asked.count > 3 { vec![0x81, 2] } else { vec![1, 1, 0b100] })
    });
    let mut good = 0;
    while begun.elapsed() < Duration::from_secs(120 * 6) {
        let scan = rig.scan().await;
        let first = scan.samples.iter().find(|s| s.point.index() == 0);
        let Some(first) = first else { continue };
        assert_ne!(first.reading, Reading::Bad(Fault::Configuration), "{:?}", begun.elapsed());
        good += usize::from(first.reading.value().is_some());
    }
    assert!(good > 200, "{good}");
}

/// A register that points of two periods share, as a status or a unit code, where the device refuses what lies between.
#[tokio::test(start_paused = true)]
async fn a_cut_that_another_period_learned_takes_no_value_of_this_one() {
    let fields = [("a", 0), ("b", 5), ("shared1", 10), ("shared5", 10)].map(|(name, at)| (name, 3, at, "u16"));
    let mut spec = spec(tcp(), &[1], &profile_of("", &fields));
    for p in Arc::make_mut(&mut spec.devices[0].points) {
        let slow = p.key.ends_with("b") || p.key.ends_with("shared5");
        p.period = Duration::from_secs(if slow { 5 } else { 1 });
    }
    let mut rig = Rig::start_spec(Pipe, spec);
    serve_as(&mut rig, |asked| Some(if asked.count > 1 { vec![0x83, 2] } else { data(asked) }));
    let (begun, mut bad) = (Instant::now(), Vec::new());
    while begun.elapsed() < Duration::from_secs(600) {
        let part = rig.part().await;
        let wrong = part.samples.iter().filter(|s| s.reading.value().is_none());
        bad.extend(wrong.map(|s| (begun.elapsed(), s.point.index(), s.reading)));
    }
    assert_eq!(bad, [], "each register is there by itself");
}
