//! The bare poller: the same frames to the same servers at the same pace, and nothing else. Runs as a process of its own.

use devices::{BusSpec, Transport, forecast};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The requests of all buses, a line each: address, unit, function, first register, count.
pub(crate) fn script(buses: &[BusSpec]) -> String {
    let mut text = String::new();
    for bus in buses {
        let Transport::Tcp { address } = &bus.transport else { continue };
        for r in forecast(bus, 0, &|_| Duration::from_secs(60)).requests {
            let _ = writeln!(text, "{address} {} {} {} {}", r.unit, r.span.function, r.span.address, r.span.count);
        }
    }
    text
}

/// Polls as the script says, once a second, until it is ended.
pub(crate) fn main(script: &str) {
    let mut links: BTreeMap<String, Vec<[u8; 12]>> = BTreeMap::new();
    for line in script.lines() {
        let mut words = line.split(' ');
        let address = words.next().expect("an address").to_owned();
        let numbers: Vec<u16> = words.map(|w| w.parse().expect("a number")).collect();
        let low = |n: usize| numbers[n].to_be_bytes()[1];
        let (from, count) = (numbers[2].to_be_bytes(), numbers[3].to_be_bytes());
        let frame = [0, 0, 0, 0, 0, 6, low(0), low(1), from[0], from[1], count[0], count[1]];
        links.entry(address).or_default().push(frame);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let polls: Vec<_> = links.into_iter().map(|(address, frames)| tokio::spawn(poll(address, frames))).collect();
        for task in polls {
            let _ = task.await;
        }
    });
}

async fn poll(address: String, mut frames: Vec<[u8; 12]>) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut every = tokio::time::interval(Duration::from_secs(1));
    let (mut answer, mut id) = ([0; 260], 0u16);
    loop {
        every.tick().await;
        for frame in &mut frames {
            id = id.wrapping_add(1);
            frame[..2].copy_from_slice(&id.to_be_bytes());
            socket.write_all(frame).await?;
            let length = 9 + usize::from(u16::from_be_bytes([frame[10], frame[11]])) * 2;
            socket.read_exact(&mut answer[..length]).await?;
        }
    }
}
