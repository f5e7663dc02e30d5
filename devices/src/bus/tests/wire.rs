//! The real connectors: a socket and a pseudo-terminal, in real time.

use super::*;
use crate::{Transport, run_bus};
use std::io::{Read as _, Write as _};
use tokio::net::TcpListener;
use tokio_util::sync::DropGuard;

/// A bus over its own connector, until the guard is dropped.
pub(super) fn run(spec: BusSpec) -> (mpsc::Receiver<BusMessage>, DropGuard) {
    let status = Arc::new(BusStatus::new(&spec));
    let (out, messages) = mpsc::channel(64);
    let stop = CancellationToken::new();
    tokio::spawn(run_bus(spec, Arc::new(Virtual(Instant::now())), out, status, stop.clone()));
    (messages, stop.drop_guard())
}

pub(super) async fn first_scan(transport: Transport) -> Scan {
    let spec = spec(transport, &[1], TWO);
    let (mut messages, _ends) = run(spec);
    let wait = async {
        let mut first: Option<Scan> = None;
        loop {
            if let Some(BusMessage::Scan(part)) = messages.recv().await {
                match &mut first {
                    Some(scan) => scan.samples.extend(part.samples),
                    None => first = Some(part),
                }
            }
            if let Some(whole) = first.take_if(|scan| scan.samples.len() == 2) {
                return whole;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap()
}

#[tokio::test]
async fn a_real_socket_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut b = [0; 12];
        while socket.read_exact(&mut b).await.is_ok() {
            let head = b[..2].to_vec();
            let asked = Asked { head, unit: b[6], function: b[7], address: be(b[8], b[9]), count: be(b[10], b[11]) };
            socket.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
        }
    });
    assert_eq!(values(&first_scan(Transport::Tcp { address }).await), [1000.0, 1100.0]);
}

/// A pseudo-terminal with an instrument at its far end.
struct Terminal {
    path: String,
    /// Keeps the far end open, so that the near one does not see a hang-up before the bus has opened it.
    _far: std::fs::File,
}

impl Terminal {
    /// Answers `answers` requests, then hangs up.
    fn start(answers: usize) -> Self {
        let (master, path) = pseudo_terminal();
        let far = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut line = std::fs::File::from(master);
        std::thread::spawn(move || {
            let mut b = [0; 8];
            for _ in 0..answers {
                if line.read_exact(&mut b).is_err() {
                    return;
                }
                let (address, count) = (be(b[2], b[3]), be(b[4], b[5]));
                let asked = Asked { head: vec![], unit: b[0], function: b[1], address, count };
                line.write_all(&frame_rtu(asked.unit, &data(&asked))).unwrap();
            }
            // The next request is the sign that the last answer was read.
            let _ = line.read_exact(&mut b);
        });
        Self { path, _far: far }
    }
}

#[tokio::test]
async fn a_real_terminal_is_read() {
    let terminal = Terminal::start(usize::MAX);
    assert_eq!(values(&first_scan(serial(&terminal.path, 9_600)).await), [1000.0, 1100.0]);
}

#[tokio::test]
async fn a_terminal_that_is_pulled_is_reported_and_read_again_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    let first = Terminal::start(2);
    std::os::unix::fs::symlink(&first.path, &path).unwrap();
    let spec = spec(serial(path.to_str().unwrap(), 9_600), &[1], TWO);
    let (mut messages, _ends) = run(spec);
    let story = async {
        let mut told = Vec::new();
        let mut back = None;
        loop {
            match messages.recv().await.unwrap() {
                BusMessage::State { code: "link_down", .. } => {
                    told.push("down");
                    let second = back.insert(Terminal::start(usize::MAX));
                    std::fs::remove_file(&path).unwrap();
                    std::os::unix::fs::symlink(&second.path, &path).unwrap();
                }
                BusMessage::Scan(scan) if scan.answered => {
                    let good = good_and_right(&scan, 1, if values(&scan) == [1000.0] { &[0] } else { &[100] });
                    assert_eq!(good, 1, "each comes when it is read");
                    if values(&scan) == [1000.0] {
                        continue;
                    }
                    told.push("read");
                    if back.is_some() {
                        return told;
                    }
                }
                _ => {}
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(10), story).await.unwrap();
    assert_eq!(told, ["read", "down", "read"]);
}
