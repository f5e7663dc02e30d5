//! Sessions against an instrument that is late, on a pseudo-terminal and through a converter, in real time. Every register says where it
//! comes from, so that a value of another one is seen.

use super::*;
use crate::Transport;
use crate::bus::tests::serial;
use crate::bus::tests::table::Master;
use crate::bus::tests::{Asked, asked_rtu, data, frame_rtu, origin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

const WAIT: Duration = Duration::from_millis(150);
const UNIT: u8 = 1;

/// What the instrument says to a question, and how late; nothing where it is silent.
type Script = Arc<dyn Fn(&Asked) -> Option<(Duration, Vec<u8>)> + Send + Sync>;

/// So many hundredths of the wait.
fn waits(hundredths: u32) -> Duration {
    WAIT * hundredths / 100
}

fn holding(address: u16) -> Span {
    Span { function: 3, address, count: 1 }
}

fn right(asked: &Asked, late: Duration) -> Option<(Duration, Vec<u8>)> {
    Some((late, data(asked)))
}

/// Late at one register, prompt at all others.
fn late_at(address: u16, late: Duration) -> Script {
    Arc::new(move |asked| right(asked, if asked.address == address { late } else { Duration::ZERO }))
}

/// Refuses to give more than one register.
fn one_at_a_time(script: Script) -> Script {
    Arc::new(move |asked| match asked.count {
        1 => script(asked),
        _ => Some((Duration::ZERO, vec![asked.function | 0x80, 3])),
    })
}

/// Answers in the order of the questions, each when the script says.
async fn questions(mut wire: impl AsyncRead + Unpin, script: &Script, answers: &mpsc::Sender<(Instant, Vec<u8>)>) {
    while let Some(asked) = asked_rtu(&mut wire).await {
        if asked.unit == UNIT
            && let Some((late, pdu)) = script(&asked)
        {
            answers.send((Instant::now() + late, frame_rtu(UNIT, &pdu))).await.unwrap();
        }
    }
}

fn on_a_line(script: Script) -> Transport {
    let master = Master::open();
    let line = serial(&master.path, 115_200);
    let (reading, mut writing) = tokio::io::split(master);
    let (send, mut answers) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    tokio::spawn(async move { questions(reading, &script, &send).await });
    tokio::spawn(async move {
        while let Some((at, frame)) = answers.recv().await {
            tokio::time::sleep_until(at).await;
            writing.write_all(&frame).await.unwrap();
        }
    });
    line
}

/// A converter hands what its line says to whoever is connected then.
async fn behind_a_converter(script: Script) -> Transport {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (send, mut answers) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let client: Arc<Mutex<Option<Box<dyn AsyncWrite + Send + Unpin>>>> = Arc::default();
    let connected = client.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (reading, writing) = socket.into_split();
            *connected.lock().await = Some(Box::new(writing));
            let (script, send) = (script.clone(), send.clone());
            tokio::spawn(async move { questions(reading, &script, &send).await });
        }
    });
    tokio::spawn(async move {
        while let Some((at, frame)) = answers.recv().await {
            tokio::time::sleep_until(at).await;
            if let Some(writing) = &mut *client.lock().await {
                let _ = writing.write_all(&frame).await;
            }
        }
    });
    Transport::RtuOverTcp { address }
}

async fn both(script: Script) -> [Transport; 2] {
    [on_a_line(script.clone()), behind_a_converter(script).await]
}

async fn session(transport: &Transport) -> Session {
    Session::open(transport).await.unwrap()
}

/// Asks; a value must be the register's own.
async fn own(session: &mut Session, address: u16) -> Result<(), Silence> {
    let (words, _) = session.ask(&Instrument::unknown(UNIT), holding(address), WAIT).await?;
    assert_eq!(words, [origin(UNIT, address)], "another register's value at {address}, {:?}", session.transport);
    Ok(())
}

#[tokio::test]
async fn a_late_answer_never_becomes_another_registers_in_one_command() {
    for late in [130, 180, 420] {
        for transport in both(late_at(0, waits(late))).await {
            let mut session = session(&transport).await;
            assert_eq!(own(&mut session, 0).await, Err(Silence::Timeout), "{late} % of the wait");
            let mut good = 0;
            for address in [100, 200, 300, 100, 200, 300] {
                good += usize::from(own(&mut session, address).await.is_ok());
            }
            // behind the late answer the others are late as well
            assert!(good >= 3, "{late} % of the wait late at 0: {good}, {transport:?}");
        }
    }
}

#[tokio::test]
async fn an_instrument_that_gives_one_register_at_a_time_is_waited_for_after_a_lost_answer() {
    for transport in both(one_at_a_time(late_at(0, waits(180)))).await {
        let mut session = session(&transport).await;
        assert_eq!(own(&mut session, 100).await, Ok(()));
        assert_eq!(own(&mut session, 0).await, Err(Silence::Timeout));
        for address in [200, 300, 100] {
            assert_eq!(own(&mut session, address).await, Ok(()), "{address}");
        }
    }
}

#[tokio::test]
async fn a_late_refusal_is_not_told_of_another_register() {
    let script: Script = Arc::new(|asked| match asked.address {
        0 => Some((waits(160), vec![asked.function | 0x80, 2])),
        _ => right(asked, Duration::ZERO),
    });
    for transport in both(script).await {
        let mut session = session(&transport).await;
        assert_eq!(own(&mut session, 0).await, Err(Silence::Timeout));
        assert_eq!(own(&mut session, 100).await, Ok(()));
        assert_eq!(own(&mut session, 0).await, Err(Silence::Timeout));
        assert_eq!(own(&mut session, 200).await, Ok(()), "the same when it has answered before");
    }
}

/// How a command ends that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// As it should.
    Listening,
    /// A person, or the system, ended it.
    Killed,
}

/// Each question is a program of its own; gives how many were answered.
async fn again_and_again(transport: &Transport, ends: Ends, context: &str) -> usize {
    let mut good = 0;
    for nth in 1..=10 {
        let mut session = session(transport).await;
        session.lengths = u64::from(nth) * 3;
        match own(&mut session, nth * 10).await {
            Ok(()) => good += 1,
            Err(silence) => assert!(matches!(silence, Silence::Timeout | Silence::Ambiguous), "{context} {silence:?}"),
        }
        if ends == Ends::Listening {
            session.hear_out().await;
        }
    }
    good
}

/// Odd tens are late; what is asked next waits behind them.
fn some_late(late: Duration) -> Script {
    Arc::new(move |asked| right(asked, if asked.address / 10 % 2 == 1 { late } else { Duration::ZERO }))
}

#[tokio::test]
async fn a_command_run_again_after_a_time_out_never_shows_the_register_asked_before() {
    let mut all = tokio::task::JoinSet::new();
    for late in [110, 190, 310, 900] {
        for ends in [Ends::Listening, Ends::Killed] {
            all.spawn(async move {
                let always: Script = Arc::new(move |asked| right(asked, waits(late)));
                // a line that is further behind than a command listens may stay so
                let some = usize::from(ends == Ends::Listening && late < 300);
                for (script, least) in [(always, 0), (some_late(waits(late)), some)] {
                    for transport in both(script).await {
                        let context = format!("{late} % of the wait, {ends:?}, {transport:?}");
                        let good = again_and_again(&transport, ends, &context).await;
                        assert!(good >= least, "{context}: {good}");
                    }
                }
            });
        }
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

/// Where no other length can be asked for only time is left: twice the wait after the time-out.
#[tokio::test]
async fn of_an_instrument_that_gives_one_register_at_a_time_a_command_listens_before_it_ends() {
    let mut all = tokio::task::JoinSet::new();
    for late in [110, 190, 240] {
        for ends in [Ends::Listening, Ends::Killed] {
            all.spawn(async move {
                for transport in both(one_at_a_time(some_late(waits(late)))).await {
                    let context = format!("{late} % of the wait, {ends:?}, {transport:?}");
                    let good = again_and_again(&transport, ends, &context).await;
                    assert!(good >= 1, "{context}: {good}");
                }
            });
        }
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_prompt_unit_is_asked_twice_more_for_its_first_value_and_once_for_any_other() {
    for transport in both(late_at(0, Duration::ZERO)).await {
        // In real time: on a machine that stalls for twice the wait nothing of before can come any more, and one question is spared.
        for attempt in 1.. {
            let (begun, mut session) = (Instant::now(), session(&transport).await);
            let mut bytes = Vec::new();
            for address in [0, 100, 200] {
                assert_eq!(own(&mut session, address).await, Ok(()));
                bytes.push(session.status.link().bytes_sent.get());
            }
            if bytes == [24, 32, 40] {
                break;
            }
            assert!(begun.elapsed() >= WAIT && attempt < 9, "8 bytes a question: {bytes:?}");
        }
    }
}

#[tokio::test]
async fn a_value_that_moves_with_every_question_is_read() {
    let count = AtomicU16::new(0);
    let script: Script = Arc::new(move |asked| {
        let nth = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let words = nth.repeat(usize::from(asked.count));
        Some((Duration::ZERO, [vec![asked.function, u8::try_from(words.len()).unwrap()], words].concat()))
    });
    for transport in both(script).await {
        let mut session = session(&transport).await;
        for address in [0, 100] {
            let answer = session.ask(&Instrument::unknown(UNIT), holding(address), WAIT).await;
            assert!(answer.is_ok(), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_instrument_that_is_silent_to_any_other_length_is_read() {
    let script: Script = Arc::new(|asked| (asked.count == 1).then(|| right(asked, Duration::ZERO))?);
    for transport in both(script).await {
        let mut session = session(&transport).await;
        for address in [0, 100] {
            assert_eq!(own(&mut session, address).await, Ok(()), "{address}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_after_it_was_given_twice() {
    let script: Script = Arc::new(|asked| Some((Duration::ZERO, vec![asked.function | 0x80, 2])));
    for transport in both(script).await {
        let mut session = session(&transport).await;
        assert_eq!(own(&mut session, 0).await, Err(Silence::Exception(2)));
        assert_eq!(session.status.link().bytes_sent.get(), 16, "8 bytes a question");
    }
}

#[tokio::test]
async fn a_silent_unit_costs_its_wait_and_no_more() {
    let transport = on_a_line(Arc::new(|_| None));
    let mut session = session(&transport).await;
    let begun = Instant::now();
    for address in [0, 100] {
        assert_eq!(own(&mut session, address).await, Err(Silence::Timeout));
    }
    assert!(begun.elapsed() < WAIT * 4, "{:?}", begun.elapsed());
}
