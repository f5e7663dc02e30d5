//! What is told of a link and its units: an open link on which nobody answers, and a bus whose task was started anew.

use super::*;

/// Answers as long as `lives` says so, connection after connection.
fn serve_all(rig: &mut Rig, lives: impl Fn(u8) -> bool + Send + 'static) {
    let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
    tokio::spawn(async move {
        while let Some(mut wire) = connections.recv().await {
            while let Some(asked) = asked_tcp(&mut wire).await {
                if lives(asked.unit) && wire.write_all(&frame_tcp(&asked, &data(&asked))).await.is_err() {
                    break;
                }
            }
        }
    });
}

#[tokio::test(start_paused = true)]
async fn an_open_link_is_silent_while_no_unit_answers_and_up_with_the_first_answer() {
    let mut rig = Rig::start(tcp(), &[1, 2, 3], ONE);
    let begun = Instant::now();
    serve_all(&mut rig, move |unit| unit == 2 && (300..600).contains(&begun.elapsed().as_secs()));
    assert_eq!(rig.status.snapshot().state, "down");
    while rig.state().await.1 != "link_up" {}
    assert_eq!(rig.status.snapshot().state, "up", "nobody was asked yet");
    let mut states = vec![rig.status.snapshot().state];
    while begun.elapsed().as_secs() < 900 {
        rig.part().await;
        let told = rig.status.report();
        assert!(told.up, "it is open all the while");
        if states.last() != Some(&told.state) {
            states.push(told.state);
        }
    }
    assert_eq!(states, ["up", "silent", "up", "silent"]);
    rig.status.end();
    assert_eq!(rig.status.snapshot().state, "down");
}

/// As `keep_bus` does after a panic: the same counters, another run.
#[tokio::test(start_paused = true)]
async fn a_unit_that_was_dead_before_its_bus_failed_is_dead_until_its_answer_and_that_is_told() {
    let spec = spec(tcp(), &[1, 2], ONE);
    let mut first = Rig::start_spec(Pipe, spec.clone());
    serve_all(&mut first, |unit| unit == 1);
    while first.state().await != ("u2".to_owned(), "unit_dead") {}
    first.stop.cancel();
    while first.messages.recv().await.is_some() {}
    first.status.end();

    first.status.begin();
    let mut second = Rig::start_with(Pipe, spec, first.status.clone());
    let begun = Instant::now();
    serve_all(&mut second, move |unit| unit == 1 || begun.elapsed().as_secs() >= 5);
    let (mut told, mut readings) = (Vec::new(), Vec::new());
    while told.len() < 2 {
        match second.messages.recv().await.unwrap() {
            BusMessage::State { subject, code, .. } => told.push((subject, code)),
            BusMessage::Scan(scan) if scan.device.index() == 1 => readings.push(scan.samples[0].reading),
            BusMessage::Scan(_) => assert_eq!(second.status.snapshot().units[1].state, "dead"),
        }
    }
    assert_eq!(told, [("line".to_owned(), "link_up"), ("u2".to_owned(), "unit_back")]);
    let (last, before) = readings.split_last().unwrap();
    assert!(last.value().is_some() && before.len() >= 5, "{readings:?}");
    assert!(before.iter().all(|reading| *reading == bad(Fault::Timeout)), "from the first cycle on: {before:?}");
    assert_eq!(second.status.snapshot().units[1].state, "alive");
}
