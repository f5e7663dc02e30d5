//! Rows about answers: late, of the wrong length, damaged, foreign, exceptions, silence.

use super::*;
use sim::{Faults, FaultyStream, Framing};

/// A right instrument behind a wire with seeded faults, on a real socket or terminal.
async fn faulty(on: On, seed: u64, rules: &[&str]) -> (Transport, Faults) {
    let framing = if on == On::Terminal { Framing::Rtu } else { Framing::Tcp };
    let faults = Faults::new(seed, rules.iter().map(|r| r.parse().unwrap()).collect());
    let shared = faults.clone();
    let instrument = move || {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(async move { play(far, on, &mut 0, &mut |asked, _| right(on, asked)).await });
        FaultyStream::new(near, framing, shared.clone())
    };
    if on == On::Terminal {
        let mut master = Master::open();
        let path = master.path.clone();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut master, &mut instrument()).await });
        return (serial(&path, 115_200), faults);
    }
    let (mut listener, transport) = Listener::on(on).await;
    tokio::spawn(async move {
        loop {
            let (mut far, mut wire) = (listener.accept().await, instrument());
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut far, &mut wire).await });
        }
    });
    (transport, faults)
}

#[tokio::test]
async fn a_late_answer_is_bad_or_of_its_own_repeat_and_never_another_registers_on_every_wire() {
    on_every_wire(late).await;
}

async fn late(on: On) {
    // Up to five time-outs, and repeats beyond the next request.
    let (transport, faults) = faulty(on, 7, &["late=20%:151-750ms", "duplicate=10%:0-60ms"]).await;
    let mut rig = start(transport, &[1, 2], TWO);
    let (mut good, mut bad) = (0, 0);
    while good < 60 {
        let scan = rig.scan().await;
        let unit = if scan.device.index() == 0 { 1 } else { 2 };
        let right = good_and_right(&scan, unit, &[0, 100]);
        (good, bad) = (good + right, bad + 2 - right);
    }
    assert!(faults.counts().late > 3, "{on:?}: seed 7, {:?}, {bad} bad", faults.counts());
}

#[tokio::test]
async fn a_wrong_or_odd_count_a_short_and_a_long_answer_are_bad_as_a_whole_on_every_wire() {
    on_every_wire(wrong).await;
}

async fn wrong(on: On) {
    let wrong: [&[u8]; 4] = [&[3, 2, 0, 1], &[3, 3, 0, 1, 2], &[3, 4, 0, 1, 0], &[3, 8, 0, 1, 0, 2, 0, 3, 0, 4]];
    let long = profile_of("", &[("a", 3, 7, "u32")]);
    let transport = peer(on, move |asked, nth| {
        let wrong = wrong.get(nth as usize - 1);
        wrong.map_or_else(|| right(on, asked), |pdu| framed(on, asked, pdu))
    })
    .await;
    let mut rig = start(transport, &[1], &long);
    let first = rig.scan().await;
    assert!(matches!(first.samples[0].reading, Reading::Bad(Fault::Protocol | Fault::Timeout)), "{on:?} {first:?}");
    let scan = until(&mut rig, |scan| scan.answered).await;
    assert_eq!(values(&scan), [f64::from(1007 << 16 | 1008)], "{on:?}");
    assert!(rig.status.snapshot().link.short >= 1, "{on:?}");
}

#[tokio::test]
async fn damage_and_noise_cost_one_answer_and_the_next_good_frame_is_taken() {
    let on = On::Terminal;
    let transport = peer(on, move |asked, nth| {
        let mut frame = framed(on, asked, &data(asked));
        match nth % 4 {
            0 => frame[3] ^= 0x40,
            1 => frame = [vec![asked.unit, 3, 250, 9], frame].concat(),
            2 => frame.extend([0x55; 40]),
            _ => {}
        }
        frame
    })
    .await;
    let mut rig = start(transport, &[5], TWO);
    let mut good = 0;
    for _ in 0..20 {
        good += good_and_right(&rig.scan().await, 5, &[0, 100]);
    }
    let link = rig.status.snapshot().link;
    assert!(good >= 30 && link.crc >= 3 && link.noise >= 100, "{good} good, {link:?}");
}

#[tokio::test]
async fn a_foreign_unit_or_function_first_and_the_right_answer_after_it_the_right_one_is_taken_on_every_wire() {
    on_every_wire(|on| async move {
        let transport = peer(on, move |asked, _| {
            let other = Asked { unit: asked.unit + 1, ..asked.clone() };
            let foreign = [framed(on, &other, &[3, 2, 0xDE, 0xAD]), framed(on, asked, &[4, 2, 0xDE, 0xAD])].concat();
            [foreign, right(on, asked)].concat()
        })
        .await;
        let mut rig = start(transport, &[5], ONE);
        for _ in 0..5 {
            assert_eq!(values(&rig.scan().await), [5007.0], "{on:?}");
        }
        let link = rig.status.snapshot().link;
        assert!(link.foreign >= 4 && link.reconnects == 0, "{on:?} {link:?}");
    })
    .await;
}

#[tokio::test]
async fn exceptions_1_2_and_3_are_a_configuration_fault_of_their_block_only_without_a_storm_on_every_wire() {
    for code in [1, 2, 3] {
        on_every_wire(|on| refused(on, code)).await;
    }
}

async fn refused(on: On, code: u8) {
    let refuse = move |asked: &Asked, _| {
        if asked.address == 100 { framed(on, asked, &[0x83, code]) } else { right(on, asked) }
    };
    let mut rig = start(peer(on, refuse).await, &[1], TWO);
    for _ in 0..20 {
        let scan = rig.scan().await;
        assert_eq!(scan.samples[0].reading.value(), Some(1000.0), "{on:?} {code}");
        assert_eq!(scan.samples[1].reading, bad(Fault::Configuration), "{on:?} {code}");
    }
    let report = rig.status.report();
    let asked = report.units[0].exceptions_by_code[&code];
    assert!(asked <= 4 && report.link.reconnects == 0, "{on:?}: code {code}, {asked} times in 20 cycles");
}

#[tokio::test]
async fn exceptions_5_6_0a_and_0b_are_tried_later_and_never_cost_the_connection_on_every_wire() {
    on_every_wire(|on| async move {
        let refuse = move |asked: &Asked, nth: u32| match nth {
            1..=12 => framed(on, asked, &[0x83, [5, 6, 0x0A, 0x0B][nth as usize % 4]]),
            _ => right(on, asked),
        };
        let mut rig = start(peer(on, refuse).await, &[1], ONE);
        let scan = until(&mut rig, |scan| scan.samples[0].reading.value().is_some()).await;
        assert_eq!(values(&scan), [1007.0]);
        let link = rig.status.snapshot().link;
        assert_eq!((link.reconnects, link.timeouts, link.exceptions), (0, 0, 12), "{on:?}");
    })
    .await;
}

#[tokio::test]
async fn a_unit_that_its_converter_does_not_reach_is_dead_and_back_without_a_reconnect_on_every_wire() {
    for code in [0x0A, 0x0B] {
        on_every_wire(|on| dead_and_back(on, code)).await;
    }
}

async fn dead_and_back(on: On, code: u8) {
    let script = move |asked: &Asked, nth| match nth {
        1..=3 => framed(on, asked, &[0x83, code]),
        _ => right(on, asked),
    };
    let mut rig = start(peer(on, script).await, &[1], ONE);
    assert_eq!(rig.state().await.1, "link_up");
    assert_eq!(rig.state().await, ("u1".into(), "unit_dead"), "{on:?} {code}");
    assert_eq!(rig.status.report().units[0].unit.state, "dead");
    assert_eq!(rig.state().await, ("u1".into(), "unit_back"), "{on:?} {code}");
    let link = rig.status.snapshot().link;
    assert_eq!((link.reconnects, link.timeouts, link.exceptions), (0, 0, 3), "{on:?} {code}");
}

/// How long the neighbours' intervals and ages become no wire tells without a flake: the properties `the_living_keep_their_intervals_whatever_the_time_out`
/// and `no_reading_of_the_living_becomes_stale_for_the_dead` prove it in virtual time, and the bench `acquisition` measures it.
#[tokio::test]
async fn a_silent_unit_of_32_stops_none_of_its_neighbours_and_not_the_same_unit_on_another_bus_on_every_wire() {
    for on in SOCKETS {
        silent(*on, On::Terminal).await;
        silent(On::Terminal, *on).await;
    }
}

async fn silent(on: On, elsewhere: On) {
    let units: Vec<u8> = (1..=32).collect();
    let script = move |asked: &Asked, _| if asked.unit == 4 { Vec::new() } else { right(on, asked) };
    let mut ill = start(peer(on, script).await, &units, ONE);
    let mut well = start(peer(elsewhere, move |asked, _| right(elsewhere, asked)).await, &[4], ONE);
    until(&mut ill, |scan| scan.device.index() == 3 && !scan.answered).await;
    let before = ill.status.report();
    for _ in 0..10 {
        assert_eq!(values(&well.scan().await), [4007.0]);
    }
    let mut answered = [0; 32];
    for _ in 0..32 * 6 {
        let scan = ill.scan().await;
        answered[scan.device.index()] += u32::from(scan.answered);
    }
    let after = ill.status.report();
    assert!(answered.iter().enumerate().all(|(i, n)| if i == 3 { *n == 0 } else { *n >= 4 }), "{on:?} {answered:?}");
    assert_eq!((after.units[3].unit.state, before.link.reconnects, after.link.reconnects), ("dead", 0, 0));
    assert_eq!(well.status.snapshot().units[0].counters.timeouts, 0);
}

#[tokio::test]
async fn the_first_values_after_a_time_out_on_a_serial_line_say_so_and_the_second_ones_do_not() {
    let on = On::Terminal;
    let transport = peer(on, move |asked, nth| if nth == 1 { Vec::new() } else { right(on, asked) }).await;
    let mut rig = start(transport, &[1], ONE);
    let (first, second) = (rig.scan().await, rig.scan().await);
    assert!(first.samples[0].reading.is_unconfirmed(), "{first:?}");
    assert_eq!(first.samples[0].reading.value(), Some(1007.0));
    assert_eq!(second.samples[0].reading.quality_code(), 0);
}

#[tokio::test]
async fn a_request_that_is_never_answered_costs_its_own_values_and_not_its_unit_on_every_wire() {
    on_every_wire(one_silent_block).await;
}

/// Cheap instruments do not refuse what they do not have: they say nothing.
async fn one_silent_block(on: On) {
    let apart = profile_of("", &[("a", 3, 7, "u16"), ("b", 3, 3000, "u16"), ("c", 3, 6000, "u32")]);
    let transport = peer(on, move |asked, _| if asked.address == 3000 { Vec::new() } else { right(on, asked) }).await;
    let mut rig = start(transport, &[1], &apart);
    // within two pauses of a dead unit its other requests are heard again, and then go on
    let lives = async {
        let mut good = 0;
        while good < 8 {
            let scan = rig.scan().await;
            let of = |n: usize| scan.samples[n].reading;
            let whole = (of(0).value(), of(2).value()) == (Some(1007.0), Some(f64::from(7000 << 16 | 7001)));
            assert!(of(1).value().is_none(), "{on:?} {scan:?}");
            good = if whole && matches!(of(1), Reading::Bad(Fault::Timeout)) { good + 1 } else { 0 };
        }
    };
    tokio::time::timeout(Duration::from_secs(20), lives)
        .await
        .unwrap_or_else(|_| panic!("{on:?}: never eight in a row"));
    assert_eq!(rig.status.report().units[0].unit.state, "alive", "{on:?}");
}
