//! The samples: `history/YYYYMMDD.db` (UTC), one row per group commit, so that retention is an unlink and damage stays in one day.
//!
//! Owns the writer thread, the day files, retention and reading back. A file that cannot be opened is renamed and a new one begun.

use super::open::is_damage;
use super::{StoreError, block, spawn};
use rules::Sample;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Batches (one per scan) that may wait while the disk stalls: 60 s of 1,000 devices at 1 Hz.
pub(super) const BATCHES_MAX: usize = 60_000;
/// Three seconds of the largest site.
const BLOCK_SAMPLES_MAX: usize = 65_536;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS point(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, n INTEGER NOT NULL,
  codec INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS block_time ON block(to_ms);";

/// A sample inside a block; `point` is an id of the file's dictionary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stored {
    pub point: u32,
    pub utc_ms: i64,
    pub value: Option<f64>,
    pub quality: u8,
}

/// A sample read back.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSample {
    pub point: String,
    pub utc_ms: i64,
    pub value: Option<f64>,
    pub quality: u8,
}

/// Position of a sink: day file and block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCursor {
    pub day: String,
    pub block: i64,
}

/// read = stored + dropped + waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFigures {
    pub read: u64,
    pub stored: u64,
    pub dropped_queue_full: u64,
    pub dropped_disk: u64,
    pub blocks: u64,
}

#[derive(Debug, Default)]
struct Counters {
    read: AtomicU64,
    stored: AtomicU64,
    dropped_queue_full: AtomicU64,
    dropped_disk: AtomicU64,
    blocks: AtomicU64,
}

#[derive(Debug)]
pub(super) struct History {
    dir: PathBuf,
    inbox: Mutex<Option<SyncSender<Vec<Stored>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    counters: std::sync::Arc<Counters>,
}

impl History {
    pub(super) fn open(
        dir: PathBuf,
        points: Vec<String>,
        interval: Duration,
        max_bytes: u64,
        clock: std::sync::Arc<dyn rules::Clock>,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&dir).map_err(|e| StoreError::Io(dir.clone(), e))?;
        let (inbox, batches) = sync_channel(BATCHES_MAX);
        let counters = std::sync::Arc::new(Counters::default());
        let writer = Writer { dir: dir.clone(), points, max_bytes, clock, counters: counters.clone(), open: None };
        let thread = spawn("store-history", move || writer.run(&batches, interval))
            .map_err(|e| StoreError::Io(dir.clone(), e))?;
        Ok(Self { dir, inbox: Mutex::new(Some(inbox)), writer: Mutex::new(Some(thread)), counters })
    }

    pub(super) fn append(&self, samples: &[Sample]) {
        if samples.is_empty() {
            return;
        }
        let batch: Vec<Stored> = samples
            .iter()
            .map(|s| Stored {
                point: u32::try_from(s.point.index()).unwrap_or(u32::MAX),
                utc_ms: s.at.wall.utc_ms,
                value: s.reading.value(),
                quality: s.reading.quality_code(),
            })
            .collect();
        let n = batch.len() as u64;
        self.counters.read.fetch_add(n, Ordering::Relaxed);
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = inbox.as_ref().map(|inbox| inbox.try_send(batch));
        if !matches!(taken, Some(Ok(()))) {
            debug_assert!(!matches!(taken, Some(Err(TrySendError::Disconnected(_)))), "the writer outlives its sender");
            self.counters.dropped_queue_full.fetch_add(n, Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(super) fn append_stored(&self, sample: Stored) {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.as_ref().unwrap().send(vec![sample]).unwrap();
    }

    pub(super) fn figures(&self) -> HistoryFigures {
        let c = &self.counters;
        HistoryFigures {
            read: c.read.load(Ordering::Relaxed),
            stored: c.stored.load(Ordering::Relaxed),
            dropped_queue_full: c.dropped_queue_full.load(Ordering::Relaxed),
            dropped_disk: c.dropped_disk.load(Ordering::Relaxed),
            blocks: c.blocks.load(Ordering::Relaxed),
        }
    }

    /// Writes a last block and ends the writer.
    pub(super) fn close(&self) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }

    /// Samples of `point` between two times, oldest first. A damaged block is left out: it shows as a gap.
    pub(super) fn range(&self, point: &str, from_ms: i64, to_ms: i64) -> Vec<Stored> {
        let mut found = Vec::new();
        for day in days(&self.dir) {
            if day.as_str() < day_of(from_ms).as_str() || day.as_str() > day_of(to_ms).as_str() {
                continue;
            }
            if let Ok(part) = read_range(&self.dir.join(format!("{day}.db")), point, from_ms, to_ms) {
                found.extend(part);
            }
        }
        found.sort_by_key(|s| s.utc_ms);
        found
    }

    /// The next blocks after a position; a day that is complete hands over to the next one.
    pub(super) fn after(&self, cursor: &HistoryCursor, blocks_max: u32) -> Option<(Vec<StoredSample>, HistoryCursor)> {
        for day in days(&self.dir).into_iter().filter(|d| *d >= cursor.day) {
            let block = if day == cursor.day { cursor.block } else { 0 };
            let (samples, last) = match read_after(&self.dir.join(format!("{day}.db")), block, blocks_max) {
                Ok(read) => read,
                // A damaged day must not hide the days after it; any other error is tried again.
                Err(error) if is_damage(&error) => {
                    tracing::error!(%error, day, "history day cannot be read; going on with the next one");
                    continue;
                }
                Err(_) => return None,
            };
            if last > block {
                return Some((samples, HistoryCursor { day, block: last }));
            }
        }
        None
    }
}

struct Writer {
    dir: PathBuf,
    points: Vec<String>,
    max_bytes: u64,
    clock: std::sync::Arc<dyn rules::Clock>,
    counters: std::sync::Arc<Counters>,
    /// Day, connection, and the file's id of every point.
    open: Option<(String, Connection, Vec<u32>)>,
}

impl Writer {
    fn run(mut self, batches: &Receiver<Vec<Stored>>, interval: Duration) {
        let mut block: Vec<Stored> = Vec::new();
        // The promise is that a kill costs at most one interval: the write itself needs its share of it.
        let collecting = interval - interval / 8;
        loop {
            // The first sample of a block opens its interval; the rest of it is collected until the interval is over.
            let Ok(first) = batches.recv() else { return };
            block.extend(first);
            let ended = collect(batches, &mut block, collecting, &*self.clock);
            self.write(&mut block);
            if ended {
                return;
            }
        }
    }

    fn write(&mut self, block: &mut Vec<Stored>) {
        // A block that spans midnight is cut, so that each file holds its day only.
        block.sort_by_key(|s| day_number(s.utc_ms));
        for part in block.chunk_by(|a, b| day_number(a.utc_ms) == day_number(b.utc_ms)) {
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
        block.clear();
    }

    fn write_day(&mut self, part: &[Stored]) -> rusqlite::Result<()> {
        let day = day_of(part[0].utc_ms);
        if self.open.as_ref().is_none_or(|(open, ..)| *open != day) {
            self.open = Some(self.open_day(day)?);
            self.make_room();
        }
        let Some((_, conn, ids)) = &self.open else { return Ok(()) };
        let mapped: Vec<Stored> =
            part.iter().filter_map(|s| ids.get(s.point as usize).map(|id| Stored { point: *id, ..*s })).collect();
        let Some(body) = block::pack(&mapped) else { return Err(rusqlite::Error::InvalidQuery) };
        let from = mapped.iter().map(|s| s.utc_ms).min().unwrap_or_default();
        let to = mapped.iter().map(|s| s.utc_ms).max().unwrap_or_default();
        conn.prepare_cached("INSERT INTO block(from_ms, to_ms, n, codec, crc, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![from, to, mapped.len() as i64, block::CODEC, crc32c::crc32c(&body), body])?;
        Ok(())
    }

    fn open_day(&self, day: String) -> rusqlite::Result<(String, Connection, Vec<u32>)> {
        let path = self.dir.join(format!("{day}.db"));
        let mut conn = match prepare(&path) {
            // Only damage sets a file aside: a full or busy disk says nothing about what is in it.
            Err(error) if is_damage(&error) => {
                tracing::error!(%error, file = %path.display(), "history file set aside");
                set_aside(&path);
                prepare(&path)
            }
            other => other,
        }?;
        let tx = conn.transaction()?;
        let mut ids = Vec::with_capacity(self.points.len());
        for key in &self.points {
            tx.execute("INSERT OR IGNORE INTO point(key) VALUES (?1)", [key])?;
            ids.push(tx.query_row("SELECT id FROM point WHERE key = ?1", [key], |row| row.get(0))?);
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

/// Collects until the interval is over; true when the senders are gone.
fn collect(
    batches: &Receiver<Vec<Stored>>,
    block: &mut Vec<Stored>,
    interval: Duration,
    clock: &dyn rules::Clock,
) -> bool {
    let end = clock.now().mono.plus(interval);
    // A block is bounded by its size as well: what a burst brings beyond it begins the next one.
    while block.len() < BLOCK_SAMPLES_MAX {
        let left = end.since(clock.now().mono);
        if left.is_zero() {
            return false;
        }
        match batches.recv_timeout(left) {
            Ok(more) => block.extend(more),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
    false
}

/// Renames a day with its companions: a WAL left behind would be replayed into the new file.
fn set_aside(path: &Path) {
    let free = (0..1000).find(|n| !path.with_extension(format!("db.corrupt-{n}")).exists());
    let Some(n) = free else { return };
    for end in ["db-wal", "db-shm", "db"] {
        let _ = std::fs::rename(path.with_extension(end), path.with_extension(format!("{end}.corrupt-{n}")));
    }
}

fn prepare(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // One fsync per group commit; a power cut costs at most the block in hand.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch(SCHEMA)?;
    Ok(conn)
}

pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(2))?;
    Ok(conn)
}

fn read_range(path: &Path, point: &str, from_ms: i64, to_ms: i64) -> rusqlite::Result<Vec<Stored>> {
    let conn = read_only(path)?;
    let id: Option<u32> =
        conn.query_row("SELECT id FROM point WHERE key = ?1", [point], |row| row.get(0)).optional()?;
    let Some(id) = id else { return Ok(Vec::new()) };
    let mut query =
        conn.prepare("SELECT codec, crc, body FROM block WHERE to_ms >= ?1 AND from_ms <= ?2 ORDER BY id")?;
    let mut rows = query.query([from_ms, to_ms])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(2)?;
        let Some(samples) = block::unpack(row.get(0)?, row.get(1)?, &body) else { continue };
        found.extend(samples.into_iter().filter(|s| s.point == id && s.utc_ms >= from_ms && s.utc_ms <= to_ms));
    }
    Ok(found)
}

fn read_after(path: &Path, block: i64, blocks_max: u32) -> rusqlite::Result<(Vec<StoredSample>, i64)> {
    let conn = read_only(path)?;
    let names: BTreeMap<u32, String> = conn
        .prepare("SELECT id, key FROM point")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut query = conn.prepare("SELECT id, codec, crc, body FROM block WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut rows = query.query(params![block, blocks_max])?;
    let (mut found, mut last) = (Vec::new(), block);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let body: Vec<u8> = row.get(3)?;
        for s in block::unpack(row.get(1)?, row.get(2)?, &body).unwrap_or_default() {
            if let Some(point) = names.get(&s.point) {
                let point = point.clone();
                found.push(StoredSample { point, utc_ms: s.utc_ms, value: s.value, quality: s.quality });
            }
        }
    }
    Ok((found, last))
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

fn day_of(utc_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(utc_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%d").to_string()
}
