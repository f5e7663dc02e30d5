//! The least that a gateway with a durable store does, in straight code: the bare poller, its registers as values, and once a second a packed
//! block that is committed with `fsync` and a batch of lines for the database.
//!
//! It judges nothing, guards nothing, keeps no picture, has no deadlines and serves nobody. What it takes more than the bare poller no
//! gateway that keeps its samples can save on this machine; what the gateway takes more than it, all else costs.

use pco::standalone::simple_compress;
use pco::{ChunkConfig, DeltaSpec};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The file beside the script that names the database.
pub(crate) const DATABASE: &str = "database";
/// As the gateway packs: the fastest that is worth it.
const LEVEL: usize = 4;
/// What the bench's database answers.
const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) point: u32,
    pub(crate) utc_ms: i64,
    pub(crate) value: f64,
}

/// Samples that are not committed yet.
pub(crate) type Kept = Arc<Mutex<Vec<Sample>>>;

/// Now, as samples have it.
pub(crate) fn utc_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("before the year 292 million")
}

/// Commits and sends once a second, in a thread of its own, until the process ends.
pub(crate) fn keep(kept: Kept, folder: &Path) {
    let database = std::fs::read_to_string(folder.join(DATABASE)).expect("the database's address");
    let conn = rusqlite::Connection::open(folder.join("least.db")).expect("the folder is ours");
    conn.pragma_update(None, "journal_mode", "WAL").expect("a new file");
    conn.pragma_update(None, "synchronous", "FULL").expect("a new file");
    conn.execute_batch("CREATE TABLE block (at INTEGER PRIMARY KEY, points BLOB, times BLOB, samples BLOB)")
        .expect("a new file");
    let mut socket = TcpStream::connect(database).expect("the database listens");
    socket.set_nodelay(true).expect("a socket");
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let samples = std::mem::take(&mut *kept.lock().expect("nobody panics with it"));
            commit(&conn, &samples);
            send(&mut socket, &samples);
        }
    });
}

fn commit(conn: &rusqlite::Connection, samples: &[Sample]) {
    let config = ChunkConfig::default().with_compression_level(LEVEL).with_delta_spec(DeltaSpec::NoOp);
    let values: Vec<f64> = samples.iter().map(|s| s.value).collect();
    let points: Vec<u8> = samples.iter().flat_map(|s| s.point.to_le_bytes()).collect();
    let times: Vec<u8> = samples.iter().flat_map(|s| s.utc_ms.to_le_bytes()).collect();
    let values = simple_compress(&values, &config).expect("pco takes any numbers");
    let insert = "INSERT INTO block VALUES (?1, ?2, ?3, ?4)";
    let row = (utc_ms(), points, times, values);
    conn.prepare_cached(insert).and_then(|mut insert| insert.execute(row)).expect("the disk takes it");
}

fn send(socket: &mut TcpStream, samples: &[Sample]) {
    let (mut lines, mut number) = (String::with_capacity(samples.len() * 96), zmij::Buffer::new());
    for s in samples {
        let _ = write!(lines, "sample,area=A,device=d,kind=other,point=p{},site=bench,unit=1 ", s.point);
        let _ = writeln!(lines, "quality=0i,value={} {}", number.format_finite(s.value), s.utc_ms);
    }
    let head = format!(
        "POST /api/v2/write?org=o&bucket=b&precision=ms HTTP/1.1\r\nHost: database\r\nContent-Length: {}\r\n\r\n",
        lines.len()
    );
    let mut answer = [0; ANSWER.len()];
    let sent = socket
        .write_all(head.as_bytes())
        .and_then(|()| socket.write_all(lines.as_bytes()))
        .and_then(|()| socket.read_exact(&mut answer));
    sent.expect("the database takes everything");
}
