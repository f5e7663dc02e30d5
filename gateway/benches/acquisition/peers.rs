//! The other side: Modbus TCP servers that count, a paced serial slave, and a database that takes everything.

use crate::plant::Counts;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the servers have seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Counts>>);

impl Seen {
    fn one(&self, link: usize, unit: u8) {
        *self.0.lock().expect("nobody panics with it").entry((link, unit)).or_default() += 1;
    }
    pub(crate) fn total(&self) -> u64 {
        self.0.lock().expect("nobody panics with it").values().sum()
    }
}

/// The register of a unit at this second.
fn register(address: u16, second: u64) -> u16 {
    let second = u16::try_from(second % 60).expect("below 60");
    (address.wrapping_mul(7).wrapping_add(second * (1 + address % 5))) & 0x7FF
}

fn answer(address: u16, count: u16, second: u64, out: &mut Vec<u8>) {
    out.push(u8::try_from(count * 2).expect("at most 125 registers"));
    (address..address + count).for_each(|a| out.extend(register(a, second).to_be_bytes()));
}

/// A Modbus TCP server at a free port; units of `silent` say nothing.
pub(crate) async fn serve_tcp(link: usize, seen: Seen, silent: fn(u8) -> bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            tokio::spawn(serve_one(socket, link, seen.clone(), silent));
        }
    });
    address
}

async fn serve_one(mut socket: TcpStream, link: usize, seen: Seen, silent: fn(u8) -> bool) {
    let begun = Instant::now();
    let (mut request, mut frame) = ([0; 12], Vec::with_capacity(260));
    while socket.read_exact(&mut request).await.is_ok() {
        let [t0, t1, _, _, _, _, unit, function, a0, a1, c0, c1] = request;
        seen.one(link, unit);
        if silent(unit) {
            continue;
        }
        let (address, count) = (u16::from_be_bytes([a0, a1]), u16::from_be_bytes([c0, c1]));
        frame.clear();
        frame.extend([t0, t1, 0, 0]);
        frame.extend((count * 2 + 3).to_be_bytes());
        frame.extend([unit, function]);
        answer(address, count, begun.elapsed().as_secs(), &mut frame);
        if socket.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// An InfluxDB that answers 204.
pub(crate) async fn serve_influx() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(take_all(socket));
        }
    });
    address
}

async fn take_all(socket: TcpStream) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while socket.read_line(&mut line).await? > 2 {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        tokio::io::copy(&mut (&mut socket).take(length), &mut tokio::io::sink()).await?;
        socket.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    }
}

/// One exchange on the serial line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    /// Characters of both frames and the slave's turnaround.
    pub(crate) wire: Duration,
}

/// A slave on a pseudo-terminal, at the pace of a real line of ten bits a character.
pub(crate) struct SerialSlave {
    pub(crate) path: String,
    pub(crate) exchanges: Arc<Mutex<Vec<Exchange>>>,
    _keep: std::fs::File,
}

impl SerialSlave {
    pub(crate) fn start(baud: u32, turnaround: Duration, silent: fn(u8) -> bool) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let path = ptsname(&master, Vec::new()).expect("its name").into_string().expect("ASCII");
        let far = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("the other end");
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let (log, mut line) = (exchanges.clone(), std::fs::File::from(master));
        std::thread::spawn(move || {
            let mut request = [0; 8];
            while line.read_exact(&mut request).is_ok() {
                if let Some(exchange) = exchange(&mut line, &request, baud, turnaround, silent) {
                    log.lock().expect("nobody panics with it").push(exchange);
                }
            }
        });
        Self { path, exchanges, _keep: far }
    }
}

fn exchange(
    line: &mut std::fs::File,
    request: &[u8; 8],
    baud: u32,
    turnaround: Duration,
    silent: fn(u8) -> bool,
) -> Option<Exchange> {
    let begun = Instant::now();
    if silent(request[0]) {
        return None;
    }
    let character = Duration::from_nanos(10_000_000_000 / u64::from(baud));
    let (address, count) = (u16::from_be_bytes([request[2], request[3]]), u16::from_be_bytes([request[4], request[5]]));
    let mut frame = vec![request[0], request[1]];
    answer(address, count, begun.elapsed().as_secs(), &mut frame);
    let sum = crc(&frame);
    frame.extend(sum.to_le_bytes());
    let mut at = begun + character * 8 + turnaround;
    for chunk in frame.chunks(16) {
        at += character * u32::try_from(chunk.len()).expect("at most 16");
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        line.write_all(chunk).ok()?;
    }
    Some(Exchange { begun, ended: Instant::now(), wire: at - begun })
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xA001 } else { c >> 1 })
    })
}
