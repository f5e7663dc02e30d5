//! A client, a wire with faults and an instrument whose registers hold their own address, under virtual time.

use super::*;
use crate::serve::{Answer, Unit};
use crate::serve_stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, timeout};
use tokio_modbus::{ExceptionCode, Request, Response};

/// Register n holds n.
#[derive(Clone)]
struct Mirror;

impl Unit for Mirror {
    fn answer(&self, _unit: u8, request: &Request<'_>) -> Answer {
        match *request {
            Request::ReadHoldingRegisters(at, n) => Ok(Some(Response::ReadHoldingRegisters((at..at + n).collect()))),
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

fn wire(framing: Framing, seed: u64, rules: &[&str]) -> (FaultyStream<DuplexStream>, Faults) {
    let (near, far) = tokio::io::duplex(1024);
    tokio::spawn(serve_stream(far, framing, Mirror, Duration::from_millis(5)));
    let faults = Faults::new(seed, rules.iter().map(|r| r.parse().unwrap()).collect());
    (FaultyStream::new(near, framing, faults.clone()), faults)
}

async fn ask(wire: &mut FaultyStream<DuplexStream>, framing: Framing, id: u8, address: u8) {
    let body = [1, 3, 0, address, 0, 1];
    let request = match framing {
        Framing::Tcp => [&[0, id, 0, 0, 0, 6], &body[..]].concat(),
        Framing::Rtu => [&body[..], &check_sum(&body)].concat(),
    };
    wire.write_all(&request).await.unwrap();
}

/// What comes within `limit`.
async fn heard(wire: &mut FaultyStream<DuplexStream>, limit: Duration) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = timeout(limit, async { while wire.read_buf(&mut all).await.unwrap() > 0 {} }).await;
    all
}

fn right(framing: Framing, id: u8, address: u8) -> Vec<u8> {
    let body = [1, 3, 2, 0, address];
    match framing {
        Framing::Tcp => [&[0, id, 0, 0, 0, 5], &body[..]].concat(),
        Framing::Rtu => [&body[..], &check_sum(&body)].concat(),
    }
}

const SOON: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn without_rules_every_answer_passes_at_once() {
    for framing in [Framing::Tcp, Framing::Rtu] {
        let (mut wire, faults) = wire(framing, 1, &[]);
        for n in 1..=20 {
            ask(&mut wire, framing, n, n).await;
            assert_eq!(heard(&mut wire, SOON).await, right(framing, n, n));
        }
        assert_eq!(faults.counts(), FaultCounts { exchanges: 20, ..FaultCounts::default() });
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_comes_into_the_next_request_and_may_be_overtaken() {
    let (mut wire, faults) = wire(Framing::Rtu, 1, &["late=@1:700ms"]);
    let begun = Instant::now();
    ask(&mut wire, Framing::Rtu, 0, 7).await;
    assert_eq!(heard(&mut wire, Duration::from_millis(400)).await, []);
    ask(&mut wire, Framing::Rtu, 0, 8).await;
    let both = heard(&mut wire, Duration::from_millis(400)).await;
    assert_eq!(both, [right(Framing::Rtu, 0, 8), right(Framing::Rtu, 0, 7)].concat());
    assert!(begun.elapsed() >= Duration::from_millis(705));
    assert_eq!(faults.counts().late, 1);
}

#[tokio::test(start_paused = true)]
async fn a_drop_is_silence_and_a_duplicate_comes_twice() {
    let (mut wire, faults) = wire(Framing::Tcp, 1, &["drop=@1", "duplicate=@2:50ms"]);
    ask(&mut wire, Framing::Tcp, 1, 7).await;
    assert_eq!(heard(&mut wire, Duration::from_secs(60)).await, []);
    ask(&mut wire, Framing::Tcp, 2, 7).await;
    assert_eq!(heard(&mut wire, SOON).await, [right(Framing::Tcp, 2, 7), right(Framing::Tcp, 2, 7)].concat());
    assert_eq!((faults.counts().dropped, faults.counts().duplicated), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_is_a_true_beginning_of_it() {
    let (mut wire, faults) = wire(Framing::Rtu, 3, &["truncate=100%"]);
    for n in 0..50 {
        ask(&mut wire, Framing::Rtu, 0, n).await;
        let (part, whole) = (heard(&mut wire, SOON).await, right(Framing::Rtu, 0, n));
        assert!(!part.is_empty() && part.len() < whole.len() && whole.starts_with(&part), "{part:?}");
    }
    assert_eq!(faults.counts().truncated, 50);
}

#[tokio::test(start_paused = true)]
async fn a_corrupted_rtu_answer_fails_its_check_sum_and_a_tcp_one_keeps_its_values() {
    let (mut rtu, _) = wire(Framing::Rtu, 4, &["corrupt=100%"]);
    let (mut tcp, faults) = wire(Framing::Tcp, 4, &["corrupt=100%"]);
    for n in 0..200 {
        ask(&mut rtu, Framing::Rtu, 0, n).await;
        let frame = heard(&mut rtu, SOON).await;
        assert_ne!(check_sum(&frame[..5]), frame[5..], "{frame:?}");
        ask(&mut tcp, Framing::Tcp, n, n).await;
        let frame = heard(&mut tcp, SOON).await;
        assert_ne!(frame, right(Framing::Tcp, n, n));
        assert_eq!(frame[9..], [0, n]);
    }
    assert_eq!(faults.counts().corrupted, 200);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_frame_is_whole_and_not_what_was_asked() {
    let (mut rtu, _) = wire(Framing::Rtu, 5, &["foreign=100%"]);
    let (mut tcp, _) = wire(Framing::Tcp, 5, &["foreign=100%"]);
    for n in 1..50 {
        ask(&mut rtu, Framing::Rtu, 0, n).await;
        let both = heard(&mut rtu, SOON).await;
        let (foreign, own) = both.split_at(7);
        assert_eq!(own, right(Framing::Rtu, 0, n));
        assert!(foreign[0] != 1 && check_sum(&foreign[..5]) == foreign[5..], "{foreign:?}");
        ask(&mut tcp, Framing::Tcp, n, n).await;
        let both = heard(&mut tcp, SOON).await;
        let (foreign, own) = both.split_at(11);
        assert_eq!(own, right(Framing::Tcp, n, n));
        assert!((foreign[1], foreign[6]) != (n, 1) && foreign[9..] == [0xDE, 0xAD], "{foreign:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_ends_inside_an_answer_for_both_directions() {
    let (mut wire, faults) = wire(Framing::Tcp, 6, &["cut=@2"]);
    ask(&mut wire, Framing::Tcp, 1, 1).await;
    assert_eq!(heard(&mut wire, SOON).await, right(Framing::Tcp, 1, 1));
    ask(&mut wire, Framing::Tcp, 2, 2).await;
    let mut part = Vec::new();
    wire.read_to_end(&mut part).await.unwrap();
    assert!(part.len() < 11);
    assert!(wire.write_all(&[0]).await.is_err());
    assert_eq!(faults.counts().cut, 1);
}

/// Times, lengths and counters of many exchanges.
async fn course(seed: u64) -> (Vec<(Duration, Vec<u8>)>, FaultCounts) {
    let rules = ["late=20%:500-900ms", "drop=5%", "corrupt=5%", "truncate=5%", "foreign=10%", "duplicate=5%:0-30ms"];
    let (mut wire, faults) = wire(Framing::Rtu, seed, &rules);
    let begun = Instant::now();
    let mut course = Vec::new();
    for n in 0..250 {
        ask(&mut wire, Framing::Rtu, 0, n).await;
        let bytes = heard(&mut wire, SOON).await;
        course.push((begun.elapsed(), bytes));
    }
    (course, faults.counts())
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_same_course_again_and_another_one_another() {
    let (first, again, other) = (course(11).await, course(11).await, course(12).await);
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
    let counts = first.1;
    assert!((30..=70).contains(&counts.late) && counts.dropped > 3 && counts.foreign > 10, "{counts:?}");
}

#[test]
fn rules_are_read_from_text_and_back() {
    let rule = |text: &str| text.parse::<Rule>();
    let late = Rule { fault: Fault::Late(Spread::exactly(Duration::from_millis(700))), when: When::Share(0.2) };
    assert_eq!(rule("late=20%:700ms"), Ok(late));
    for text in ["drop=1/50", "corrupt=@17", "delay=@100-200:500-1500ms", "duplicate=5%", "cut=0.1%", "late=20%:2s"] {
        let read = rule(text).unwrap();
        assert_eq!(rule(&read.to_string()), Ok(read), "{text}");
    }
    for text in ["late=20%", "drop=5%:1s", "drop=120%", "drop=1/0", "corrupt=@9-3", "late=5%:9-3s", "explode=1%", ""] {
        assert_eq!(rule(text), Err(BadRule(text.into())));
    }
}

#[tokio::test]
async fn real_sockets_carry_the_same_faults() {
    let stop = tokio_util::sync::CancellationToken::new();
    let any = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    let instruments =
        crate::service(crate::Link::TcpA1, Arc::new(Mutex::new(crate::Plant::of(crate::SiteName::Chemical, 1))));
    let server = crate::serve_tcp(any, instruments, stop.clone()).await.unwrap();
    let faults = Faults::new(1, vec!["drop=@1".parse().unwrap(), "foreign=@2".parse().unwrap()]);
    let address = serve_faulty_tcp(any, server, Framing::Tcp, faults.clone(), stop.clone()).await.unwrap();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = [0, 1, 0, 0, 0, 6, 12, 3, 0x60, 0, 0, 7];
    client.write_all(&request).await.unwrap();
    client.write_all(&request).await.unwrap();
    let mut answers = [0; 46];
    client.read_exact(&mut answers).await.unwrap();
    assert_eq!(answers[23..32], [0, 1, 0, 0, 0, 17, 12, 3, 14]);
    assert_eq!((faults.counts().dropped, faults.counts().foreign), (1, 1));
    stop.cancel();
}
