//! The real connectors: a socket and a pseudo-terminal, in real time.

use super::*;
use crate::{Transport, run_bus};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::io::{Read as _, Write as _};
use tokio::net::TcpListener;

async fn first_scan(transport: Transport) -> Scan {
    let spec = spec(transport, &[1], TWO);
    let status = Arc::new(BusStatus::new(&spec));
    let (out, mut messages) = mpsc::channel(64);
    let stop = CancellationToken::new();
    tokio::spawn(run_bus(spec, Arc::new(Virtual(Instant::now())), out, status, stop.clone()));
    let _ends = stop.drop_guard();
    let wait = async {
        loop {
            if let Some(BusMessage::Scan(scan)) = messages.recv().await {
                return scan;
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

#[tokio::test]
async fn a_real_terminal_is_read() {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let mut line = std::fs::File::from(master);
    // Keeps the far end open, so that the master does not see a hang-up before the bus has opened it.
    let _far = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    std::thread::spawn(move || {
        let mut b = [0; 8];
        while line.read_exact(&mut b).is_ok() {
            let asked =
                Asked { head: vec![], unit: b[0], function: b[1], address: be(b[2], b[3]), count: be(b[4], b[5]) };
            line.write_all(&frame_rtu(asked.unit, &data(&asked))).unwrap();
        }
    });
    let parity = crate::Parity::None;
    let transport = Transport::Rtu { path, baud: 9600, data_bits: 8, parity, stop_bits: 1 };
    assert_eq!(values(&first_scan(transport).await), [1000.0, 1100.0]);
}
