//! RTU lines: late answers, echo, noise, foreign frames, damage.

use super::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

fn right(asked: &Asked) -> Vec<u8> {
    frame_rtu(asked.unit, &data(asked))
}

/// Sends `before` ahead of every right answer and `after` behind it.
async fn serve(mut wire: DuplexStream, before: impl Fn(&Asked) -> Vec<u8>, after: impl Fn(&Asked) -> Vec<u8>) {
    while let Some(asked) = asked_rtu(&mut wire).await {
        let bytes = [before(&asked), right(&asked), after(&asked)].concat();
        wire.write_all(&bytes).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn late_rtu_answer_never_reaches_another_register() {
    for lateness_ms in [401, 420, 450, 600, 799, 801, 900, 1_100] {
        let mut rig = Rig::start(rtu(), &[5], TWO);
        let wire = rig.connections.recv().await.unwrap();
        let (mut hear, mut speak) = tokio::io::split(wire);
        tokio::spawn(async move {
            let (answers, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(64);
            let talk = async {
                while let Some((at, bytes)) = due.recv().await {
                    tokio::time::sleep_until(at).await;
                    speak.write_all(&bytes).await.unwrap();
                }
            };
            let listen = async {
                let mut nth = 0u32;
                let mut b = [0; 8];
                while hear.read_exact(&mut b).await.is_ok() {
                    let asked = Asked {
                        head: vec![],
                        unit: b[0],
                        function: b[1],
                        address: be(b[2], b[3]),
                        count: be(b[4], b[5]),
                    };
                    nth += 1;
                    let delay = if nth % 5 == 1 { lateness_ms } else { 5 };
                    let at = Instant::now() + Duration::from_millis(delay);
                    answers.send((at, right(&asked))).await.unwrap();
                }
            };
            tokio::join!(talk, listen)
        });
        let mut good = 0;
        for _ in 0..30 {
            good += good_and_right(&rig.scan().await, 5, &[0, 100]);
        }
        assert!(good >= 20, "{good} of 60 good with answers {lateness_ms} ms late");
    }
}

#[tokio::test(start_paused = true)]
async fn noise_before_and_after_the_answer_is_dropped() {
    let mut rig = Rig::start(rtu(), &[5], TWO);
    // The noise begins like an answer of 250 bytes.
    tokio::spawn(serve(rig.connections.recv().await.unwrap(), |_| vec![0, 5, 3, 250, 0xFF, 5], |_| vec![0xA5; 30]));
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
    }
    assert!(rig.status.snapshot().link.noise > 0);
}

#[tokio::test(start_paused = true)]
async fn our_own_echo_is_dropped() {
    let mut rig = Rig::start(rtu(), &[5], TWO);
    tokio::spawn(serve(rig.connections.recv().await.unwrap(), |a| a.head.clone(), |_| vec![]));
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
    }
    assert!(rig.status.snapshot().link.echo >= 9);
}

#[tokio::test(start_paused = true)]
async fn frames_of_another_unit_or_function_are_not_taken() {
    let mut rig = Rig::start(rtu(), &[5], ONE);
    let foreign = |_: &Asked| [frame_rtu(6, &[3, 2, 0xDE, 0xAD]), frame_rtu(5, &[4, 2, 0xDE, 0xAD])].concat();
    tokio::spawn(serve(rig.connections.recv().await.unwrap(), foreign, foreign));
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), [5007.0]);
    }
    assert!(rig.status.snapshot().link.foreign >= 4);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_single_bytes_is_taken() {
    let mut rig = Rig::start(rtu(), &[5], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        while let Some(asked) = asked_rtu(&mut wire).await {
            for byte in right(&asked) {
                tokio::time::sleep(Duration::from_millis(10)).await;
                wire.write_all(&[byte]).await.unwrap();
            }
        }
    });
    assert_eq!(values(&rig.scan().await), [5007.0]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_answer_is_bad_and_its_repeat_is_good() {
    let mut rig = Rig::start(rtu(), &[5], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        for _ in 0..2 {
            let mut frame = right(&asked_rtu(&mut wire).await.unwrap());
            frame[4] ^= 0x10;
            wire.write_all(&frame).await.unwrap();
        }
        serve(wire, |_| vec![], |_| vec![]).await;
    });
    assert_eq!(rig.scan().await.samples[0].reading, bad(Fault::Protocol));
    assert_eq!(values(&rig.scan().await), [5007.0]);
    assert_eq!(rig.status.snapshot().link.crc, 2);
}

/// Noise without a pause delays a request by the longest frame; the unit is judged by its own time, so that its time-out stays as it was.
#[tokio::test(start_paused = true)]
async fn chatter_makes_no_unit_seem_slow() {
    let mut rig = Rig::start(rtu(), &[5], ONE);
    let (mut hear, mut speak) = tokio::io::split(rig.connections.recv().await.unwrap());
    let (answer, mut answers) = mpsc::channel(8);
    tokio::spawn(async move {
        let begun = Instant::now();
        let mut b = [0; 8];
        while hear.read_exact(&mut b).await.is_ok() {
            let asked =
                Asked { head: vec![], unit: b[0], function: b[1], address: be(b[2], b[3]), count: be(b[4], b[5]) };
            if begun.elapsed() < Duration::from_secs(60) {
                answer.send(right(&asked)).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        loop {
            let chatter = answers.try_recv().unwrap_or_else(|_| vec![0x55; 2]);
            if speak.write_all(&chatter).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    for _ in 0..50 {
        assert_eq!(values(&rig.scan().await), [5007.0]);
    }
    let slowest_us = rig.status.snapshot().units[0].turnaround_us;
    assert!(slowest_us < 30_000, "{slowest_us} us");
    // The profile's floor of 200 ms, and 9600 baud; the first miss and its repeat, each after the noise.
    let begun = loop {
        let part = rig.part().await;
        if part.samples.iter().any(|s| s.reading.value().is_none()) {
            break part.at.mono;
        }
    };
    let next = rig.part().await.at.mono;
    assert!(next.since(begun) <= Duration::from_millis(1_100), "{:?}", next.since(begun));
}

#[tokio::test(start_paused = true)]
async fn continuous_chatter_keeps_the_deadline() {
    let mut rig = Rig::start(rtu(), &[5], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        while wire.write_all(&[0x55; 10]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let scan = rig.scan().await;
    assert!(!scan.answered && scan.at.mono.0 < 3_000_000_000, "{scan:?}");
    assert!(rig.status.snapshot().link.noise > 500);
}

#[tokio::test(start_paused = true)]
async fn silence_comes_before_every_request() {
    let mut rig = Rig::start(rtu(), &[5], TWO);
    let mut wire = rig.connections.recv().await.unwrap();
    let mut answered = Instant::now();
    for _ in 0..6 {
        let asked = asked_rtu(&mut wire).await.unwrap();
        assert!(answered.elapsed() >= Duration::from_micros(3_645), "3.5 characters of 10 bits at 9600 baud");
        wire.write_all(&right(&asked)).await.unwrap();
        answered = Instant::now();
    }
    assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
}

/// Lengths asked for at address 100, where `TWO` needs one register, by a device that gives `give` of each request.
async fn lengths(give: impl Fn(&Asked) -> Option<Vec<u8>> + Send + 'static) -> (Rig, mpsc::Receiver<u16>) {
    let mut rig = Rig::start(rtu(), &[5], TWO);
    let mut wire = rig.connections.recv().await.unwrap();
    let (tell, told) = mpsc::channel(1_000);
    tokio::spawn(async move {
        while let Some(asked) = asked_rtu(&mut wire).await {
            if asked.address == 100 {
                tell.send(asked.count).await.unwrap();
            }
            if let Some(pdu) = give(&asked) {
                wire.write_all(&frame_rtu(asked.unit, &pdu)).await.unwrap();
            }
        }
    });
    (rig, told)
}

#[tokio::test(start_paused = true)]
async fn requests_that_would_look_alike_are_asked_in_different_lengths() {
    let (mut rig, mut told) = lengths(|asked| Some(data(asked))).await;
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
        assert_eq!(told.recv().await, Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_refuses_the_longer_request_is_asked_the_short_one_at_once_and_loses_no_value() {
    let refuses = |asked: &Asked| if asked.count > 1 { vec![0x83, 2] } else { data(asked) };
    let (mut rig, mut told) = lengths(move |asked| Some(refuses(asked))).await;
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
    }
    let mut asked = Vec::new();
    while let Ok(count) = told.try_recv() {
        asked.push(count);
    }
    // Two refusals: one may be late. The fourth: an answer like none before is asked for twice as long as answers of an earlier run
    // may be on their way.
    assert_eq!(asked[..4], [2, 2, 1, 1]);
    assert!(asked.iter().filter(|count| **count > 1).count() == 2, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn one_late_exception_takes_no_length_from_the_request_it_meets_and_no_value() {
    for lost_before in [false, true] {
        // The refusal of what was asked before, at 0 or by an earlier run, comes instead of the first answer at 100.
        let (asked_at_0, asked_at_100) = (AtomicU32::new(0), AtomicU32::new(0));
        let (mut rig, mut told) = lengths(move |asked| {
            let nth = if asked.address == 0 { &asked_at_0 } else { &asked_at_100 }.fetch_add(1, Relaxed);
            match (asked.address, nth) {
                (0, 0) if lost_before => None,
                (100, 0) => Some(vec![0x83, 2]),
                _ => Some(data(asked)),
            }
        })
        .await;
        for _ in 0..5 {
            assert_eq!(values(&rig.scan().await), [5000.0, 5100.0], "lost before: {lost_before}");
            assert_eq!(told.recv().await, Some(2), "lost before: {lost_before}");
        }
        let exceptions = rig.status.snapshot().units[0].counters.exceptions;
        assert_eq!(exceptions, 1, "lost before: {lost_before}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_silent_on_the_longer_request_is_soon_asked_the_short_one() {
    let (mut rig, _told) = lengths(|asked| (asked.count == 1).then(|| data(asked))).await;
    let begun = Instant::now();
    loop {
        let scan = rig.scan().await;
        if scan.answered && scan.samples.iter().all(|s| s.reading.value().is_some()) {
            assert_eq!(values(&scan), [5000.0, 5100.0]);
            break;
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(rig.status.snapshot().units[0].counters.timeouts, 2, "it never counted as dead");
    for _ in 0..30 {
        assert_eq!(values(&rig.scan().await), [5000.0, 5100.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_that_comes_in_pieces_is_counted_as_what_it_is_and_not_as_noise() {
    let mut rig = Rig::start(rtu(), &[5], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let late = right(&asked_rtu(&mut wire).await.unwrap());
        tokio::time::sleep(Duration::from_millis(425)).await;
        for byte in late {
            wire.write_all(&[byte]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        serve(wire, |_| vec![], |_| vec![]).await;
    });
    assert_eq!(values(&rig.scan().await), [5007.0]);
    let link = rig.status.snapshot().link;
    assert_eq!((link.stale, link.noise, link.timeouts), (1, 0, 1), "{link:?}");
}

/// An instrument that is starting, before its longer request was ever answered.
#[tokio::test(start_paused = true)]
async fn busy_is_no_word_on_a_length() {
    let mut rig = Rig::start(rtu(), &[5], TWO);
    let mut wire = rig.connections.recv().await.unwrap();
    let begun = Instant::now();
    let asked_of_second = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = asked_of_second.clone();
    tokio::spawn(async move {
        while let Some(asked) = asked_rtu(&mut wire).await {
            if asked.address == 100 {
                seen.lock().unwrap().push((begun.elapsed(), asked.count));
            }
            let busy = begun.elapsed() < Duration::from_secs(3);
            let bytes = if busy { frame_rtu(asked.unit, &[0x83, 6]) } else { right(&asked) };
            wire.write_all(&bytes).await.unwrap();
        }
    });
    rig.drain();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = asked_of_second.lock().unwrap();
    assert!(asked.iter().all(|(_, count)| *count == 2), "told apart by its length throughout: {asked:?}");
    for second in 0..3 {
        let within = asked.iter().filter(|(at, _)| at.as_secs() == second).count();
        assert!(within <= 3, "asked, and at most twice again, in second {second}: {asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_exception_code_of_the_makers_own_is_an_answer() {
    for code in [0x0C_u8, 0x10, 0x80, 0xE0] {
        let mut rig = Rig::start(rtu(), &[5], TWO);
        let mut wire = rig.connections.recv().await.unwrap();
        tokio::spawn(async move {
            while let Some(asked) = asked_rtu(&mut wire).await {
                let refused = asked.address == 100;
                let bytes = if refused { frame_rtu(asked.unit, &[0x83, code]) } else { right(&asked) };
                wire.write_all(&bytes).await.unwrap();
            }
        });
        for cycle in 0..10 {
            let scan = rig.scan().await;
            assert_eq!(scan.samples[0].reading.value(), Some(5000.0), "{code:#x}, cycle {cycle}");
            assert_eq!(scan.samples[1].reading, Reading::Bad(Fault::Exception(code)), "cycle {cycle}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_late_frame_of_one_unit_is_no_damage_of_another_ones_answer() {
    let mut rig = Rig::start(rtu(), &[5, 6], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let mut of_five = Vec::new();
        while let Some(asked) = asked_rtu(&mut wire).await {
            match asked.unit {
                5 => {
                    of_five = right(&asked);
                    wire.write_all(&of_five).await.unwrap();
                }
                // silent, while what unit 5 said comes once more
                _ => wire.write_all(&of_five).await.unwrap(),
            }
        }
    });
    let mut faults = BTreeSet::new();
    for _ in 0..20 {
        let scan = rig.scan().await;
        if scan.device.index() == 1 {
            faults.extend(scan.samples.iter().map(|s| format!("{:?}", s.reading)));
        }
    }
    assert_eq!(faults, BTreeSet::from(["Bad(Timeout)".to_owned()]));
}
