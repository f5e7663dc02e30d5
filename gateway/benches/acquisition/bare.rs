//! The bare pollers: the same frames to the same servers at the same pace, and nothing else. Each runs as a process of its own.
//!
//! The one that counts writes frames made beforehand into its sockets and looks at nothing that comes back. The second asks with
//! tokio-modbus' client, as a program of thirty lines would: what it takes more is the price of the library that the gateway uses too.
//! The third keeps what comes back ([`crate::least`]).

use crate::least::{self, Kept, Sample};
use devices::{BusSpec, Transport, forecast};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_modbus::prelude::{Reader as _, Slave, SlaveContext as _};

/// The requests of all buses, a line each: address, unit, function, first register, count, and which of these are points.
pub(crate) fn script(buses: &[BusSpec], points: &[u16]) -> String {
    let mut text = String::new();
    for bus in buses {
        let Transport::Tcp { address } = &bus.transport else { continue };
        for r in forecast(bus, 0, &|_| Duration::from_secs(60)).requests {
            let _ = write!(text, "{address} {} {} {} {}", r.unit, r.span.function, r.span.address, r.span.count);
            let within =
                points.iter().filter_map(|point| point.checked_sub(r.span.address)).filter(|n| *n < r.span.count);
            within.for_each(|n| text.push_str(&format!(" {n}")));
            text.push('\n');
        }
    }
    text
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Poller {
    /// Sockets alone.
    Sockets,
    /// The client of tokio-modbus.
    Library,
    /// Sockets, a durable store and a database.
    Least,
}

/// A request, and which registers of its answer are points of which numbers.
struct Ask {
    frame: [u8; 12],
    points: Vec<(usize, u32)>,
}

impl Poller {
    const ALL: [(&'static str, Self); 3] =
        [("--bare", Self::Sockets), ("--bare-library", Self::Library), ("--least", Self::Least)];

    /// The first word of the process that is this poller.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Sockets => Self::ALL[0].0,
            Self::Library => Self::ALL[1].0,
            Self::Least => Self::ALL[2].0,
        }
    }

    pub(crate) fn of(flag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == flag).map(|(_, poller)| poller)
    }
}

/// Polls as the script says, once a second, until it is ended.
pub(crate) fn main(poller: Poller, script: &Path) {
    let links = links(&std::fs::read_to_string(script).expect("the script"));
    let kept = matches!(poller, Poller::Least).then(Kept::default);
    if let (Some(kept), Some(folder)) = (&kept, script.parent()) {
        least::keep(kept.clone(), folder);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let polls = links.into_iter().map(|(address, asks)| match poller {
            Poller::Sockets | Poller::Least => tokio::spawn(poll(address, asks, kept.clone())),
            Poller::Library => tokio::spawn(poll_by_library(address, asks)),
        });
        for task in polls.collect::<Vec<_>>() {
            let _ = task.await;
        }
    });
}

fn links(script: &str) -> BTreeMap<String, Vec<Ask>> {
    let (mut links, mut number) = (BTreeMap::<String, Vec<Ask>>::new(), 0u32..);
    for line in script.lines() {
        let mut words = line.split(' ');
        let address = words.next().expect("an address").to_owned();
        let numbers: Vec<u16> = words.map(|w| w.parse().expect("a number")).collect();
        let low = |n: usize| numbers[n].to_be_bytes()[1];
        let (from, count) = (numbers[2].to_be_bytes(), numbers[3].to_be_bytes());
        let frame = [0, 0, 0, 0, 0, 6, low(0), low(1), from[0], from[1], count[0], count[1]];
        let points = numbers[4..].iter().map(|n| usize::from(*n)).zip(&mut number).collect();
        links.entry(address).or_default().push(Ask { frame, points });
    }
    links
}

async fn poll(address: String, mut asks: Vec<Ask>, kept: Option<Kept>) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut every = tokio::time::interval(Duration::from_secs(1));
    let (mut answer, mut id) = ([0; 260], 0u16);
    loop {
        every.tick().await;
        for Ask { frame, points } in &mut asks {
            id = id.wrapping_add(1);
            frame[..2].copy_from_slice(&id.to_be_bytes());
            socket.write_all(frame).await?;
            let length = 9 + usize::from(u16::from_be_bytes([frame[10], frame[11]])) * 2;
            socket.read_exact(&mut answer[..length]).await?;
            let Some(kept) = &kept else { continue };
            let utc_ms = least::utc_ms();
            let value = |n: usize| f64::from(u16::from_be_bytes([answer[9 + n * 2], answer[10 + n * 2]]));
            let samples = points.iter().map(|(n, point)| Sample { point: *point, utc_ms, value: value(*n) });
            kept.lock().expect("nobody panics with it").extend(samples);
        }
    }
}

async fn poll_by_library(address: String, asks: Vec<Ask>) -> std::io::Result<()> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut client = tokio_modbus::client::tcp::attach(socket);
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        every.tick().await;
        for Ask { frame, .. } in &asks {
            let number = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
            client.set_slave(Slave(frame[6]));
            let answer = client.read_holding_registers(number(8), number(10)).await;
            std::hint::black_box(answer.map_err(std::io::Error::other)?.map_err(std::io::Error::other)?);
        }
    }
}
