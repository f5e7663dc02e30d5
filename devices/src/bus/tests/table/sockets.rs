//! Rows about hostile peers on sockets: half-open, mute, resetting, dripping, lying about lengths, talking unasked.

use super::*;
use rustix::net::sockopt::set_socket_linger;

/// A listener whose first connections are treated by `hostile`, every later one answered rightly.
async fn hostile<F, T>(on: On, connections: u32, mut treat: F) -> Transport
where
    F: FnMut(Far) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let (mut listener, transport) = Listener::on(on).await;
    tokio::spawn(async move {
        for nth in 1.. {
            let far = listener.accept().await;
            if nth <= connections {
                tokio::spawn(treat(far));
            } else {
                tokio::spawn(async move { play(far, on, &mut 0, &mut |asked, _| right(on, asked)).await });
            }
        }
    });
    transport
}

/// The points are bad within the deadline of two requests, then good again over a new connection; a second bus notices nothing.
async fn bad_in_time_and_back(on: On, transport: Transport, what: &str) -> Rig {
    let mut other = start(peer(on, move |asked, _| right(on, asked)).await, &[9], ONE);
    let begun = Instant::now();
    let mut rig = start(transport, &[1], ONE);
    assert_eq!(rig.state().await.1, "link_up");
    let shaken = if on == On::Socket { Duration::ZERO } else { begun.elapsed() };
    until(&mut rig, |scan| !scan.answered).await;
    let bad_after = begun.elapsed().saturating_sub(shaken);
    assert!(bad_after < TIMEOUT * 2 + PERIOD * 2, "{on:?} {what}: bad after {bad_after:?}");
    let scan = until(&mut rig, |scan| scan.answered).await;
    assert_eq!(values(&scan), [1007.0], "{on:?} {what}");
    for _ in 0..5 {
        assert_eq!(values(&other.scan().await), [9007.0], "{on:?} {what}: the other bus");
    }
    assert_eq!(other.status.snapshot().link.timeouts, 0, "{on:?} {what}: the other bus");
    rig
}

/// Sends and keeps nothing back.
async fn say(far: &mut Far, bytes: &[u8]) -> io::Result<()> {
    far.write_all(bytes).await?;
    far.flush().await
}

#[tokio::test]
async fn a_half_open_connection_is_bad_within_the_deadline_and_is_left() {
    on_every_socket(|on| async move {
        // Answers once, then hears no more and says nothing: as when the instrument loses power and its router forgets it.
        let transport = hostile(on, 1, |mut far| async move {
            let asked = asked_tcp(&mut far).await.unwrap();
            say(&mut far, &frame_tcp(&asked, &data(&asked))).await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        bad_in_time_and_back(on, transport, "half-open").await;
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_accepts_and_never_answers_is_bad_within_the_deadline_and_is_left() {
    on_every_socket(|on| async move {
        let transport = hostile(on, 1, |far| async move {
            let _held = far;
            std::future::pending::<()>().await;
        })
        .await;
        let rig = bad_in_time_and_back(on, transport, "mute").await;
        assert_eq!(rig.status.snapshot().link.timeouts, 3, "{on:?}: three silences, then another connection");
    })
    .await;
}

#[tokio::test]
async fn a_reset_in_mid_answer_is_bad_and_the_link_is_opened_again() {
    on_every_socket(|on| async move {
        let transport = hostile(on, 3, |mut far| async move {
            let asked = asked_tcp(&mut far).await.unwrap();
            say(&mut far, &frame_tcp(&asked, &data(&asked))[..7]).await.unwrap();
            set_socket_linger(&far.socket, Some(Duration::ZERO)).unwrap();
        })
        .await;
        let rig = bad_in_time_and_back(on, transport, "reset").await;
        assert_eq!(rig.status.snapshot().link.reconnects, 3, "{on:?}");
    })
    .await;
}

#[tokio::test]
async fn a_byte_every_five_seconds_is_bad_within_the_deadline() {
    on_every_socket(|on| async move {
        let transport = hostile(on, 1, |mut far| async move {
            let asked = asked_tcp(&mut far).await.unwrap();
            for byte in frame_tcp(&asked, &data(&asked)) {
                if say(&mut far, &[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        })
        .await;
        bad_in_time_and_back(on, transport, "dripping").await;
    })
    .await;
}

#[tokio::test]
async fn a_length_of_0_or_65535_ends_the_connection_at_once() {
    on_every_socket(|on| async move {
        for length in [[0, 0], [0xFF, 0xFF]] {
            let transport = hostile(on, 1, move |mut far| async move {
                let asked = asked_tcp(&mut far).await.unwrap();
                let frame = [&asked.head[..], &[0, 0], &length, &[asked.unit, 3, 2, 0, 1]].concat();
                say(&mut far, &frame).await.unwrap();
                assert!(asked_tcp(&mut far).await.is_none(), "nothing more is asked over this connection");
            })
            .await;
            let rig = bad_in_time_and_back(on, transport, "length").await;
            assert_eq!(rig.status.snapshot().link.timeouts, 0, "{on:?}: found out before the deadline");
        }
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_unsolicited_frames_cost_the_connection_no_value_and_no_memory() {
    on_every_socket(|on| async move {
        let transport = hostile(on, 1, |mut far| async move {
            let asked = Asked { head: vec![0x7F, 0xFF], unit: 1, function: 3, address: 7, count: 1 };
            let frame = frame_tcp(&asked, &[3, 2, 0xAA, 0xAA]);
            for _ in 0..10_000 {
                if say(&mut far, &frame).await.is_err() {
                    return;
                }
            }
        })
        .await;
        let mut rig = start(transport, &[1], ONE);
        for _ in 0..5 {
            assert_eq!(values(&rig.scan().await), [1007.0], "{on:?}");
        }
        let link = rig.status.snapshot().link;
        assert_eq!((link.renewals, link.reconnects), (1, 1), "{on:?}: three of them cost the connection: {link:?}");
        let kept: usize = rig.status.recorder().exchanges(0).iter().map(|e| e.received.len() + e.request.len()).sum();
        assert!(kept < 100_000, "{on:?}: {kept} characters in the recorder");
    })
    .await;
}

/// The same beneath TLS: records instead of frames.
#[cfg(feature = "tls")]
#[tokio::test]
async fn a_record_that_is_cut_by_a_reset_damaged_too_long_or_never_ends_is_bad_in_time_and_the_link_is_opened_again() {
    let begun: &[u8] = &[23, 3, 3, 0, 64, 1, 2, 3, 4, 5, 6, 7];
    let damaged = [&[23, 3, 3, 0, 64][..], &[0x55; 64]].concat();
    let too_long: &[u8] = &[23, 3, 3, 0xFF, 0xFF];
    let on_all = [("cut", begun), ("damaged", &damaged[..]), ("too long", too_long), ("never ends", begun)];
    for (what, record) in on_all {
        let (cut, record) = (what == "cut", record.to_vec());
        let transport = hostile(On::Tls, 1, move |mut far| {
            let record = record.clone();
            async move {
                asked_tcp(&mut far).await.unwrap();
                rustix::io::write(&far.socket, &record).unwrap();
                if cut {
                    set_socket_linger(&far.socket, Some(Duration::ZERO)).unwrap();
                } else {
                    // says no more; ends when the gateway does
                    let _ = far.read_u8().await;
                }
            }
        })
        .await;
        bad_in_time_and_back(On::Tls, transport, what).await;
    }
}

#[tokio::test]
async fn a_peer_that_refuses_is_asked_with_growing_pauses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut rig = start(Transport::Tcp { address }, &[1], ONE);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        assert_eq!(rig.scan().await.samples[0].reading, bad(Fault::Disconnected));
    }
    let attempts = rig.status.snapshot().link.connect_failures;
    assert!((3..=5).contains(&attempts), "{attempts} attempts in four seconds: 0.5 s, 1 s, 2 s, each ± 25 %");
}

/// Those of one converter that restarts are not to come all at once.
#[tokio::test]
async fn pauses_differ_from_bus_to_bus_and_from_attempt_to_attempt_by_a_quarter_at_most() {
    let jitter = |key: &str| {
        let mut spec = spec(tcp(), &[1], ONE);
        spec.key = key.into();
        let (status, clock) = (Arc::new(BusStatus::new(&spec)), Arc::new(Virtual(Instant::now())));
        let desk = crate::bus::desk::Desk::new(spec, clock, mpsc::channel(1).0, status);
        (1..=8).map(|attempt| (desk.jitter(attempt) * 1e6).round()).collect::<Vec<f64>>()
    };
    let of: Vec<Vec<f64>> = ["north", "south", "east"].map(jitter).to_vec();
    assert!(of.iter().flatten().all(|j| (0.75e6..=1.25e6).contains(j)), "{of:?}");
    assert_eq!(jitter("north"), of[0], "a bus keeps its own");
    let same = |a: &[f64], b: &[f64]| a.iter().zip(b).filter(|(a, b)| (*a - *b).abs() < 1e3).count();
    assert!(same(&of[0], &of[1]) + same(&of[0], &of[2]) + same(&of[1], &of[2]) <= 3, "{of:?}");
    assert!(of.iter().all(|of| of.windows(2).any(|pair| (pair[0] - pair[1]).abs() > 1e4)), "{of:?}");
}

/// A converter keeps what its line sent too late, and hands it to whoever connects next.
#[tokio::test]
async fn a_converter_that_hands_on_old_answers_gives_no_register_the_value_of_another() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut kept, mut nth) = (Vec::new(), 0);
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(&std::mem::take(&mut kept)).await;
            while let Some(asked) = asked_rtu(&mut socket).await {
                nth += 1;
                let answer = right(On::Terminal, &asked);
                if nth % 7 == 0 {
                    kept.extend(answer);
                } else if socket.write_all(&answer).await.is_err() {
                    break;
                }
            }
        }
    });
    let mut rig = start(Transport::RtuOverTcp { address }, &[1, 2], TWO);
    let mut good = 0;
    while good < 60 {
        let scan = rig.scan().await;
        good += good_and_right(&scan, if scan.device.index() == 0 { 1 } else { 2 }, &[0, 100]);
    }
    let link = rig.status.snapshot().link;
    assert!(link.reconnects >= 3, "after any lost answer the connection is renewed: {link:?}");
}
