//! The simulated instruments read by a foreign master, `mbpoll` (libmodbus), over TCP and over the pseudo-terminal of the serial link.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use sim::{DemoPlan, Link, Served, SiteName, Tap};
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// First register of a gas module's block (0x6000), as mbpoll counts: from 1.
const REFERENCE: &str = "24577";
const COUNT: usize = 7;

/// What mbpoll printed: `[24577]: <tab>20`, signed reading in brackets behind it.
fn registers(place: &[&str], unit: u8) -> Vec<u16> {
    let unit = unit.to_string();
    let count = COUNT.to_string();
    let output = Command::new("mbpoll")
        .args(["-1", "-o", "2", "-t", "4", "-a", &unit, "-r", REFERENCE, "-c", &count])
        .args(place)
        .output()
        .expect("mbpoll is installed by tests/run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let value = |line: &str| {
        let (reference, value) = line.strip_prefix('[')?.split_once("]:")?;
        reference.parse::<u16>().ok()?;
        value.split_whitespace().next()?.parse().ok()
    };
    text.lines().filter_map(value).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mbpoll_reads_what_the_instruments_serve_over_tcp_and_over_the_serial_line() {
    let served: Arc<Mutex<Vec<Served>>> = Arc::default();
    let hear = served.clone();
    let tap = Tap::new(move |answer| hear.lock().unwrap().push(answer));
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    let site =
        sim::start_demo(DemoPlan { tap: Some(tap), ..DemoPlan::anywhere(SiteName::Chemical, 7) }, stop).await.unwrap();
    let place = |link| site.place(link).unwrap().1;
    let (address, line) = (place("tcp-a1"), place("rtu-a3"));
    let (_, port) = address.rsplit_once(':').unwrap();
    let ways: [(Link, u8, Vec<&str>); 2] = [
        (Link::TcpA1, 12, vec!["-m", "tcp", "-p", port, "127.0.0.1"]),
        (Link::RtuA3, 41, vec!["-m", "rtu", "-b", "9600", "-P", "none", &line]),
    ];
    for (link, unit, place) in ways {
        let read = tokio::task::block_in_place(|| registers(&place, unit));
        let answers = std::mem::take(&mut *served.lock().unwrap());
        let answer = answers.last().unwrap_or_else(|| panic!("{} was not asked", link.name()));
        assert_eq!((answer.link, answer.unit), (link, unit));
        assert_eq!(read, answer.words, "{}", link.name());
        assert_eq!(read.len(), COUNT);
    }
}
