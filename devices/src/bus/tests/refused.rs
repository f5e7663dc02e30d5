//! What a unit that lives does not give: a refused or silent request is cut, a busy one repeated, and no neighbour pays for it.

use super::*;

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
