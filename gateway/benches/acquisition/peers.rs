//! The other side: Modbus TCP servers that count, a paced serial slave, and a database that takes everything.

use crate::plant::Plant;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the servers were asked, by link and unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeMap<(usize, u8), Asked>>>);

#[derive(Debug, Default)]
struct Asked {
    ever: u64,
    /// Since the window began.
    at: Vec<Instant>,
}

/// How far the requests of a unit were from the period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeriodErrors {
    pub(crate) worst_unit_p99_ms: f64,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(usize, u8), Asked>> {
        self.0.lock().expect("nobody panics with it")
    }

    fn one(&self, link: usize, unit: u8) {
        let at = Instant::now();
        let asked = &mut *self.lock();
        let asked = asked.entry((link, unit)).or_default();
        asked.ever += 1;
        asked.at.push(at);
    }

    /// A window begins.
    pub(crate) fn forget(&self) {
        self.lock().values_mut().for_each(|asked| asked.at.clear());
    }

    /// Requests since the window began.
    pub(crate) fn total(&self) -> usize {
        self.lock().values().map(|asked| asked.at.len()).sum()
    }

    /// Every request against the same one of the cycle before.
    pub(crate) fn period_errors(&self, requests_of_a_unit: usize, period: Duration) -> PeriodErrors {
        let p99 = |asked: &Asked| {
            let (first, next) = (&asked.at, asked.at.iter().skip(requests_of_a_unit));
            let mut errors: Vec<Duration> = first.iter().zip(next).map(|(a, b)| (*b - *a).abs_diff(period)).collect();
            errors.sort();
            errors.get(errors.len() * 99 / 100).copied().unwrap_or(Duration::MAX)
        };
        let worst = self.lock().values().map(p99).max().unwrap_or(Duration::MAX);
        PeriodErrors { worst_unit_p99_ms: worst.as_secs_f64() * 1000.0 }
    }

    /// Samples of all cycles since the start; the last one of each unit may have been cut off by the end.
    pub(crate) fn samples_asked(&self, plant: &Plant) -> u64 {
        let requests = plant.requests_of_a_unit() as u64;
        let cycles = self.lock().values().map(|asked| (asked.ever / requests).saturating_sub(1)).sum::<u64>();
        cycles * plant.points as u64
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

/// A server whose every byte is wrong: frames nobody asked for, a length of 65,535, another protocol, as fast as they are taken.
pub(crate) async fn serve_hostile() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let unasked = [0x77, 0x77, 0, 0, 0, 5, 1, 3, 2, 0, 1].repeat(400);
        let endless = [0, 1, 0, 0, 0xFF, 0xFF, 1, 3].to_vec();
        let other = [0xFF; 4_096].to_vec();
        for attack in [unasked, endless, other].iter().cycle() {
            let Ok((mut socket, _)) = listener.accept().await else { return };
            let attack = attack.clone();
            tokio::spawn(async move { while socket.write_all(&attack).await.is_ok() {} });
        }
    });
    address
}

/// An InfluxDB that answers 204 and keeps what it was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database(Arc<Mutex<Vec<Vec<u8>>>>);

impl Database {
    pub(crate) async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, this) = (listener.local_addr().expect("bound"), self.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(this.clone().take_all(socket));
            }
        });
        address
    }

    async fn take_all(self, socket: TcpStream) -> std::io::Result<()> {
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
            let mut body = vec![0; length];
            socket.read_exact(&mut body).await?;
            socket.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
            self.0.lock().expect("nobody panics with it").push(body);
        }
    }

    /// Lines in all bodies, which are plain text: the database is on this machine. Counted only now, so that it disturbs no measurement.
    pub(crate) fn lines(&self) -> u64 {
        let bodies = self.0.lock().expect("nobody panics with it");
        let lines = |body: &Vec<u8>| std::str::from_utf8(body).expect("plain text").lines().count() as u64;
        bodies.iter().map(lines).sum()
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

/// A line on which noise never ends, at the pace of its characters; and how many bytes came from the other end.
pub(crate) fn chatter(baud: u32) -> (SerialSlave, Arc<AtomicUsize>) {
    let (slave, mut line) = SerialSlave::open();
    let heard = Arc::new(AtomicUsize::new(0));
    let (mut listening, count) = (line.try_clone().expect("a second descriptor"), heard.clone());
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(read @ 1..) = listening.read(&mut buffer) {
            count.fetch_add(read, Ordering::Relaxed);
        }
    });
    std::thread::spawn(move || {
        let (mut random, mut at) = (1u64, Instant::now());
        loop {
            let noise: [u8; 16] = std::array::from_fn(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                random.to_be_bytes()[0]
            });
            at += Duration::from_nanos(10_000_000_000 / u64::from(baud)) * 16;
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if line.write_all(&noise).is_err() {
                return;
            }
        }
    });
    (slave, heard)
}

impl SerialSlave {
    /// A line, and the end of it that is ours.
    fn open() -> (Self, std::fs::File) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let path = ptsname(&master, Vec::new()).expect("its name").into_string().expect("ASCII");
        let far = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("the other end");
        (Self { path, exchanges: Arc::default(), _keep: far }, std::fs::File::from(master))
    }

    pub(crate) fn start(baud: u32, turnaround: Duration, silent: fn(u8) -> bool) -> Self {
        let (slave, mut line) = Self::open();
        let log = slave.exchanges.clone();
        std::thread::spawn(move || {
            let mut request = [0; 8];
            while line.read_exact(&mut request).is_ok() {
                if let Some(exchange) = exchange(&mut line, &request, baud, turnaround, silent) {
                    log.lock().expect("nobody panics with it").push(exchange);
                }
            }
        });
        slave
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

pub(crate) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xA001 } else { c >> 1 })
    })
}
