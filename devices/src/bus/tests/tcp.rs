//! Modbus TCP peers: late, wrong, half-open, closing.

use super::*;

/// Answers rightly for ever.
async fn serve(mut wire: DuplexStream) {
    while let Some(asked) = asked_tcp(&mut wire).await {
        wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_unit_is_read_every_period() {
    let mut rig = Rig::start(tcp(), &[1], TWO);
    tokio::spawn(serve(rig.connections.recv().await.unwrap()));
    let (first, second) = (rig.scan().await, rig.scan().await);
    assert!(first.answered);
    assert_eq!(values(&first), [1000.0, 1100.0]);
    assert_eq!(second.at.mono.since(first.at.mono), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn late_tcp_answer_never_reaches_another_register() {
    let mut rig = Rig::start(tcp(), &[1], TWO);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let late = asked_tcp(&mut wire).await.unwrap();
        while let Some(asked) = asked_tcp(&mut wire).await {
            // The answer to the first question comes before that to every other one, for a while.
            if asked.head[1] < 4 {
                wire.write_all(&frame_tcp(&late, &data(&late))).await.unwrap();
            }
            wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
        }
    });
    for _ in 0..10 {
        assert_eq!(good_and_right(&rig.scan().await, 1, &[0, 100]), 2);
    }
    let seen = rig.status.snapshot();
    assert_eq!((seen.link.stale, seen.link.reconnects), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn every_tcp_answer_late_by_one_leaves_no_value_in_the_wrong_place() {
    let mut rig = Rig::start(tcp(), &[1, 2], TWO);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let mut held = asked_tcp(&mut wire).await.unwrap();
        while let Some(asked) = asked_tcp(&mut wire).await {
            if wire.write_all(&frame_tcp(&held, &data(&held))).await.is_err() {
                return;
            }
            held = asked;
        }
    });
    let again = rig.connections.recv().await.unwrap();
    assert_eq!(rig.status.snapshot().units[0].counters.ok, 0, "three stale answers in a row, then a new connection");
    tokio::spawn(serve(again));
    for _ in 0..20 {
        let scan = rig.scan().await;
        let unit = if scan.device.index() == 0 { 1 } else { 2 };
        good_and_right(&scan, unit, &[0, 100]);
    }
    assert!(rig.status.snapshot().units.iter().all(|u| u.counters.ok > 5));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_count_makes_the_whole_answer_bad_and_the_next_one_good() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        for wrong in [vec![3, 4, 0, 1, 0, 2], vec![3, 1, 9], vec![3, 2, 1]] {
            let asked = asked_tcp(&mut wire).await.unwrap();
            wire.write_all(&frame_tcp(&asked, &wrong)).await.unwrap();
        }
        serve(wire).await;
    });
    let scan = rig.scan().await;
    assert_eq!(scan.samples[0].reading, bad(Fault::Protocol));
    assert!(!scan.answered);
    assert_eq!(rig.state().await.1, "unit_dead");
    assert_eq!(rig.state().await, ("u1".into(), "unit_back"));
    assert_eq!(values(&rig.scan().await), [1007.0]);
}

#[tokio::test(start_paused = true)]
async fn a_length_beyond_the_standard_closes_the_connection() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    asked_tcp(&mut wire).await.unwrap();
    wire.write_all(&[0, 1, 0, 0, 0xFF, 0xFF, 1]).await.unwrap();
    tokio::spawn(serve(rig.connections.recv().await.unwrap()));
    assert_eq!(rig.state().await.1, "link_up");
    assert_eq!(rig.state().await.1, "link_down");
    loop {
        let scan = rig.scan().await;
        if scan.answered {
            return assert_eq!(values(&scan), [1007.0]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_unsolicited_frames_cost_a_connection_and_no_value() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        let asked = Asked { head: vec![0x7F, 0xFF], unit: 1, function: 3, address: 7, count: 1 };
        for _ in 0..10_000 {
            if wire.write_all(&frame_tcp(&asked, &[3, 2, 0xAA, 0xAA])).await.is_err() {
                return;
            }
        }
        panic!("the bus must close the connection");
    });
    tokio::spawn(serve(rig.connections.recv().await.unwrap()));
    for _ in 0..5 {
        good_and_right(&rig.scan().await, 1, &[7]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_answered_is_not_alive_while_its_link_is_down() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    let other_end = tokio::spawn(serve(rig.connections.recv().await.unwrap()));
    assert_eq!(rig.state().await.1, "link_up");
    assert!(rig.scan().await.answered);
    assert_eq!(rig.status.report().units[0].unit.state, "alive");
    rig.connections.close();
    other_end.abort();
    assert_eq!(rig.state().await.1, "link_down");
    assert_eq!(rig.status.report().units[0].unit.state, "link_down");
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_down_reads_disconnected_in_every_period() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    drop(rig.connections.recv().await.unwrap());
    rig.connections.close();
    assert_eq!(rig.state().await, ("line".into(), "link_up"));
    assert_eq!(rig.state().await, ("line".into(), "link_down"));
    let mut before = rig.scan().await;
    for _ in 0..30 {
        let scan = rig.scan().await;
        assert_eq!(scan.samples[0].reading, bad(Fault::Disconnected));
        assert!(!scan.answered);
        assert_eq!(scan.at.mono.since(before.at.mono), Duration::from_secs(1));
        before = scan;
    }
    assert!((4..12).contains(&rig.status.snapshot().link.connect_failures));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_accepts_and_never_answers_is_left_after_three_silences() {
    let mut rig = Rig::start(tcp(), &[1, 2], ONE);
    let held = rig.connections.recv().await.unwrap();
    tokio::spawn(serve(rig.connections.recv().await.unwrap()));
    assert_eq!(rig.status.snapshot().units.iter().map(|u| u.counters.timeouts).sum::<u64>(), 3);
    drop(held);
    loop {
        let scan = rig.scan().await;
        assert!(scan.answered || scan.samples[0].reading == bad(Fault::Timeout), "{scan:?}");
        if scan.answered {
            return;
        }
    }
}

/// Three answers to a request that is over, as a gateway sends them that queued what it could not deliver in time.
async fn old_answers(wire: &mut DuplexStream) {
    let old = Asked { head: vec![0x7F, 0xFF], unit: 1, function: 3, address: 7, count: 1 };
    wire.write_all(&frame_tcp(&old, &[3, 2, 0xAA, 0xAA]).repeat(3)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn three_old_answers_renew_the_connection_and_are_neither_a_miss_nor_a_lost_link() {
    for while_asked in [false, true] {
        let mut rig = Rig::start(tcp(), &[1], ONE);
        let mut wire = rig.connections.recv().await.unwrap();
        tokio::spawn(async move {
            for nth in 1.. {
                let Some(asked) = asked_tcp(&mut wire).await else { return };
                if nth < 3 || !while_asked {
                    wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
                }
                if nth == 3 {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    old_answers(&mut wire).await;
                }
            }
        });
        let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
        tokio::spawn(async move { serve(connections.recv().await.unwrap()).await });
        let mut scans = Vec::new();
        while scans.len() < 8 {
            match rig.messages.recv().await.unwrap() {
                BusMessage::Scan(scan) => scans.push(scan),
                BusMessage::State { code, .. } => assert_eq!(code, "link_up", "asked {while_asked}"),
            }
        }
        assert!(scans.iter().all(|scan| values(scan) == [1007.0]));
        let intervals = scans.windows(2).map(|pair| pair[1].at.mono.since(pair[0].at.mono));
        assert!(intervals.max().unwrap() < Duration::from_millis(1_150), "asked {while_asked}: asked again at once");
        let seen = rig.status.snapshot();
        assert_eq!((seen.link.renewals, seen.link.reconnects, seen.link.timeouts), (1, 1, 0), "asked {while_asked}");
        assert_eq!((seen.units[0].counters.timeouts, seen.units[0].counters.protocol), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_nothing_but_old_answers_is_a_lost_link_and_is_left_alone_for_a_while() {
    let mut rig = Rig::start(tcp(), &[1], ONE);
    let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Some(mut wire) = connections.recv().await {
            old_answers(&mut wire).await;
            held.push(wire);
        }
    });
    assert_eq!(rig.state().await.1, "link_up");
    assert_eq!(rig.state().await.1, "link_down");
    while rig.scan().await.at.mono.0 < 20_000_000_000 {}
    let link = rig.status.snapshot().link;
    assert!((3..12).contains(&link.reconnects), "pauses that double, not a loop: {link:?}");
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_answers_with_nothing_but_old_answers_is_dead_and_its_neighbour_is_read() {
    let mut rig = Rig::start(tcp(), &[1, 2], ONE);
    let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
    tokio::spawn(async move {
        while let Some(mut wire) = connections.recv().await {
            while let Some(asked) = asked_tcp(&mut wire).await {
                if asked.unit == 1 {
                    wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
                } else {
                    old_answers(&mut wire).await;
                    break;
                }
            }
        }
    });
    while rig.state().await != ("u2".to_owned(), "unit_dead") {}
    let renewals = rig.status.snapshot().link.reconnects;
    let mut read = 0;
    for _ in 0..60 {
        let part = rig.part().await;
        read += u32::from(part.device.index() == 0 && part.answered);
    }
    let after = rig.status.snapshot().link.reconnects - renewals;
    assert!(read > 20 && after < 6, "{read} read, {after} connections");
}

/// Registers that are, byte for byte, the late answer to the first request.
const LOOKS_LATE: [u16; 5] = [1, 0, 0x000D, 0x0103, 0x0A00];

#[tokio::test(start_paused = true)]
async fn values_that_are_a_late_answer_to_the_byte_cost_a_repeat_and_neither_a_miss_nor_the_connection() {
    let mut rig = Rig::start(tcp(), &[1], &words_at("", 0..5));
    let mut wire = rig.connections.recv().await.unwrap();
    tokio::spawn(async move {
        asked_tcp(&mut wire).await.unwrap(); // never answered
        while let Some(asked) = asked_tcp(&mut wire).await {
            let pdu = [&[3, 10][..], &LOOKS_LATE.map(u16::to_be_bytes).concat()].concat();
            wire.write_all(&frame_tcp(&asked, &pdu)).await.unwrap();
        }
    });
    for _ in 0..5 {
        assert_eq!(values(&rig.scan().await), LOOKS_LATE.map(f64::from));
    }
    let seen = rig.status.snapshot();
    assert_eq!((seen.link.doubtful, seen.link.reconnects, seen.link.timeouts), (1, 0, 1));
    assert_eq!(seen.units[0].counters.protocol, 0);
}

#[tokio::test(start_paused = true)]
async fn a_doubtful_answer_is_asked_for_once_more_only_after_the_pause_the_instrument_wants() {
    let mut rig = Rig::start(tcp(), &[1], &words_at("min_gap_ms = 300", 0..5));
    let mut wire = rig.connections.recv().await.unwrap();
    rig.drain();
    asked_tcp(&mut wire).await.unwrap(); // never answered
    for _ in 0..3 {
        let asked = asked_tcp(&mut wire).await.unwrap();
        let pdu = [&[3, 10][..], &LOOKS_LATE.map(u16::to_be_bytes).concat()].concat();
        wire.write_all(&frame_tcp(&asked, &pdu)).await.unwrap();
        let answered = Instant::now();
        if rig.status.snapshot().link.doubtful == 0 {
            // the next one is the repeat
            asked_tcp(&mut wire).await.unwrap();
            assert!(answered.elapsed() >= Duration::from_millis(300), "{:?}", answered.elapsed());
            assert_eq!(rig.status.snapshot().link.doubtful, 1);
            return;
        }
    }
    panic!("no answer was doubtful");
}
