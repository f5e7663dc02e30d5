//! The day files being written: one block per group commit, the oldest day goes first.
//!
//! ```text
//!   samples ──of a scan──► waiting ──an interval's──► Writer ──block──► history/DAY.db       on a thread of its own, or inline
//! ```
//!
//! Owns the group commit, the writer thread and retention. A file that cannot be opened is renamed and a new one begun. The thread is
//! woken by the first sample of a block and by the end of its interval, never by the scans between.

use super::history::{Counters, Stored};
use super::open::{is_damage, settle};
use super::{OpenOptions, Workers, block, spawn};
use rules::{Clock, Mono, Text};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Samples that may wait while the disk stalls: 60 s of the largest site, 20,000 points at 1 Hz. 38 MB when all are there.
pub(super) const WAITING_MAX: usize = 1_200_000;
/// Three seconds of the largest site.
const BLOCK_SAMPLES_MAX: usize = 65_536;
/// What waits grows by this part of itself at the least.
const GROWS_BY: usize = 8;
/// Pages that a connection keeps, in KiB: one row a second needs its own page, the index' and the way to them.
pub(super) const CACHE_KIB: i64 = 256;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS point(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, n INTEGER NOT NULL,
  codec INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS block_time ON block(to_ms);";

/// Where samples are handed in.
#[derive(Debug)]
pub(super) enum Desk {
    Thread { waiting: Arc<Waiting>, writer: Mutex<Option<JoinHandle<()>>> },
    Inline(Mutex<Option<Box<Inline>>>),
}

/// What the writer's thread has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    samples: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    samples: Vec<Stored>,
    closed: bool,
}

impl Queue {
    /// Whether the thread, which sleeps until the first sample and then for an interval, must wake.
    fn wakes(&self, before: usize) -> bool {
        before == 0 || (before < BLOCK_SAMPLES_MAX && self.samples.len() >= BLOCK_SAMPLES_MAX)
    }
}

/// A writer without a thread: a block is closed by the first batch after its interval.
pub(super) struct Inline {
    writer: Writer,
    block: Vec<Stored>,
    until: Mono,
    interval: Duration,
}

impl std::fmt::Debug for Inline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inline")
    }
}

impl Desk {
    pub(super) fn open(writer: Writer, options: &OpenOptions) -> std::io::Result<Self> {
        let interval = options.commit_interval;
        if options.workers == Workers::Inline {
            let inline = Inline { writer, block: Vec::new(), until: Mono(0), interval };
            return Ok(Self::Inline(Mutex::new(Some(Box::new(inline)))));
        }
        let waiting = Arc::new(Waiting::default());
        let theirs = waiting.clone();
        let thread = spawn("store-history", move || writer.run(&theirs, interval))?;
        Ok(Self::Thread { waiting, writer: Mutex::new(Some(thread)) })
    }

    /// Never waits for the disk; false when the samples were not taken.
    pub(super) fn take(&self, samples: impl ExactSizeIterator<Item = Stored>) -> bool {
        match self {
            Self::Thread { waiting, .. } => waiting.put(samples),
            Self::Inline(inline) => {
                let mut inline = inline.lock().unwrap_or_else(PoisonError::into_inner);
                inline.as_mut().map(|inline| inline.take(samples)).is_some()
            }
        }
    }

    /// Writes what waits and ends the writer.
    pub(super) fn close(&self) {
        match self {
            Self::Thread { waiting, writer } => {
                waiting.close();
                if let Some(writer) = writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    let _ = writer.join();
                }
            }
            Self::Inline(inline) => {
                if let Some(mut inline) = inline.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    inline.writer.write(&mut inline.block);
                    inline.writer.end_day();
                }
            }
        }
    }
}

/// Without its store the thread writes what waits and ends.
impl Drop for Desk {
    fn drop(&mut self) {
        if let Self::Thread { waiting, .. } = self {
            waiting.close();
        }
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, samples: impl ExactSizeIterator<Item = Stored>) -> bool {
        let mut queue = self.lock();
        let before = queue.samples.len();
        if queue.closed || before + samples.len() > WAITING_MAX {
            return false;
        }
        // A vector that doubles would keep room for two of the largest intervals there were; it is one of two that take turns.
        if queue.samples.capacity() < before + samples.len() {
            queue.samples.reserve_exact(samples.len().max(before / GROWS_BY));
        }
        queue.samples.extend(samples);
        let wakes = queue.wakes(before);
        drop(queue);
        if wakes {
            self.changed.notify_one();
        }
        true
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Puts an interval's samples into `block`, which is empty; the first one opens the interval. True after the last ones.
    fn collect(&self, block: &mut Vec<Stored>, interval: Duration, clock: &dyn Clock) -> bool {
        let mut queue = self.lock();
        while queue.samples.is_empty() && !queue.closed {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let end = clock.now().mono.plus(interval);
        // A block is bounded by its size as well: what a burst brings beyond it is written at once.
        while !queue.closed && queue.samples.len() < BLOCK_SAMPLES_MAX {
            let left = end.since(clock.now().mono);
            if left.is_zero() {
                break;
            }
            queue = self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut queue.samples, block);
        queue.closed
    }
}

impl Inline {
    fn take(&mut self, samples: impl Iterator<Item = Stored>) {
        let now = self.writer.clock.now().mono;
        if self.block.is_empty() {
            self.until = now.plus(self.interval);
        }
        self.block.extend(samples);
        if now >= self.until || self.block.len() >= BLOCK_SAMPLES_MAX {
            self.writer.write(&mut self.block);
        }
    }
}

pub(super) struct Writer {
    dir: PathBuf,
    points: Arc<[Text]>,
    max_bytes: u64,
    synchronous: &'static str,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    /// Day, connection, and the file's id of every point.
    open: Option<(String, Connection, Vec<u32>)>,
}

impl Writer {
    pub(super) fn new(dir: PathBuf, points: Arc<[Text]>, options: &OpenOptions, counters: Arc<Counters>) -> Self {
        Self {
            dir,
            points,
            max_bytes: options.max_bytes,
            synchronous: options.workers.synchronous(),
            clock: options.clock.clone(),
            counters,
            open: None,
        }
    }

    fn run(mut self, waiting: &Waiting, interval: Duration) {
        let mut block = Vec::new();
        // The promise is that a kill costs at most one interval: the write itself needs its share of it.
        let collecting = interval - interval / 8;
        self.end_earlier_days();
        loop {
            let ended = waiting.collect(&mut block, collecting, &*self.clock);
            self.write(&mut block);
            if ended {
                self.end_day();
                return;
            }
        }
    }

    /// Writes and empties `block`.
    fn write(&mut self, block: &mut Vec<Stored>) {
        // A block that spans midnight is cut, so that each file holds its day only.
        if !block.is_sorted_by_key(|s| day_number(s.utc_ms)) {
            block.sort_by_key(|s| day_number(s.utc_ms));
        }
        for day in block.chunk_by(|a, b| day_number(a.utc_ms) == day_number(b.utc_ms)) {
            day.chunks(BLOCK_SAMPLES_MAX).for_each(|part| self.write_part(part));
        }
        block.clear();
        // What a stalled disk has let grow is given back.
        block.shrink_to(BLOCK_SAMPLES_MAX);
    }

    fn write_part(&mut self, part: &[Stored]) {
        let n = part.len() as u64;
        match self.write_day(part) {
            Ok(()) => {
                self.counters.stored.fetch_add(n, Ordering::Relaxed);
                self.counters.blocks.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::error!(%error, samples = n, "history block not written");
                self.counters.dropped_disk.fetch_add(n, Ordering::Relaxed);
                self.open = None;
            }
        }
    }

    fn write_day(&mut self, part: &[Stored]) -> rusqlite::Result<()> {
        let day = day_of(part[0].utc_ms);
        if self.open.as_ref().is_none_or(|(open, ..)| *open != day) {
            self.end_day();
            self.open = Some(self.open_day(day)?);
            self.make_room();
        }
        let Some((_, conn, ids)) = &self.open else { return Ok(()) };
        // A number without a point cannot come from this configuration; in the file it is one without a name.
        let id = |number: u32| ids.get(number as usize).copied().unwrap_or(u32::MAX);
        let Some(body) = block::pack(part, id) else { return Err(rusqlite::Error::InvalidQuery) };
        let from = part.iter().map(|s| s.utc_ms).min().unwrap_or_default();
        let to = part.iter().map(|s| s.utc_ms).max().unwrap_or_default();
        conn.prepare_cached("INSERT INTO block(from_ms, to_ms, n, codec, crc, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![from, to, part.len() as i64, block::CODEC, crc32c::crc32c(&body), body])?;
        Ok(())
    }

    /// Nothing more is written to the day in hand: its file is to be whole by itself.
    fn end_day(&mut self) {
        if let Some((_, conn, _)) = self.open.take() {
            settle(&conn);
        }
    }

    /// Days of runs that did not end in order, or whose end somebody's reading kept back: after the next stop they too are whole by themselves.
    fn end_earlier_days(&self) {
        let path = |day: &str, end: &str| self.dir.join(format!("{day}{end}"));
        let has_log = |day: &String| std::fs::metadata(path(day, ".db-wal")).is_ok_and(|log| log.len() > 0);
        for day in days(&self.dir).iter().filter(|day| has_log(day)) {
            match Connection::open(path(day, ".db")) {
                Ok(conn) => settle(&conn),
                Err(error) => tracing::warn!(%error, day, "the day's newest entries stay in its -wal file"),
            }
        }
    }

    fn open_day(&self, day: String) -> rusqlite::Result<(String, Connection, Vec<u32>)> {
        let path = self.dir.join(format!("{day}.db"));
        let mut conn = match prepare(&path, self.synchronous) {
            // Only damage sets a file aside: a full or busy disk says nothing about what is in it.
            Err(error) if is_damage(&error) => {
                tracing::error!(%error, file = %path.display(), "history file set aside");
                set_aside(&path);
                prepare(&path, self.synchronous)
            }
            other => other,
        }?;
        let tx = conn.transaction()?;
        let mut ids = Vec::with_capacity(self.points.len());
        for key in self.points.iter() {
            tx.execute("INSERT OR IGNORE INTO point(key) VALUES (?1)", [key.as_str()])?;
            ids.push(tx.query_row("SELECT id FROM point WHERE key = ?1", [key.as_str()], |row| row.get(0))?);
        }
        tx.commit()?;
        Ok((day, conn, ids))
    }

    /// Over budget the oldest day goes; the day in hand never does.
    fn make_room(&self) {
        let mut days = days(&self.dir);
        let size = |day: &String| {
            [".db", ".db-wal"]
                .iter()
                .filter_map(|end| std::fs::metadata(self.dir.join(format!("{day}{end}"))).ok())
                .map(|m| m.len())
                .sum::<u64>()
        };
        let mut total: u64 = days.iter().map(size).sum();
        while total > self.max_bytes && days.len() > 1 {
            let oldest = days.remove(0);
            total = total.saturating_sub(size(&oldest));
            for end in [".db", ".db-wal", ".db-shm"] {
                let _ = std::fs::remove_file(self.dir.join(format!("{oldest}{end}")));
            }
            tracing::warn!(day = oldest, "oldest history removed: the budget is reached");
        }
    }
}

/// Renames a day with its companions: a WAL left behind would be replayed into the new file.
fn set_aside(path: &Path) {
    let free = (0..1000).find(|n| !path.with_extension(format!("db.corrupt-{n}")).exists());
    let Some(n) = free else { return };
    for end in ["db-wal", "db-shm", "db"] {
        let _ = std::fs::rename(path.with_extension(end), path.with_extension(format!("{end}.corrupt-{n}")));
    }
}

fn prepare(path: &Path, synchronous: &str) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // One fsync per group commit; a power cut costs at most the block in hand.
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.execute_batch(SCHEMA)?;
    Ok(conn)
}

/// Day files, oldest first, by their names.
pub(super) fn days(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut days: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".db").map(str::to_owned))
        .filter(|day| day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    days.sort();
    days
}

fn day_number(utc_ms: i64) -> i64 {
    utc_ms.div_euclid(86_400_000)
}

pub(super) fn day_of(utc_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(utc_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%d").to_string()
}
