//! The samples: `history/YYYYMMDD.db` (UTC), one row per group commit, so that retention is an unlink and damage stays in one day.
//!
//! Owns what goes in, its counters, and reading back. Leaves the day files being written and their retention to `writer`.

use super::follow::{Follower, StoredBatch};
use super::writer::{CACHE_KIB, Desk, Writer, day_of, days};
use super::{OpenOptions, StoreError, block, detail};
use rules::{Sample, Text};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A sample inside a block; `point` is an id of the file's dictionary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stored {
    pub point: u32,
    pub utc_ms: i64,
    pub value: Option<f64>,
    pub quality: u8,
    /// Reason and answer, as in `detail`.
    pub detail: u16,
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
pub(super) struct Counters {
    read: AtomicU64,
    pub(super) stored: AtomicU64,
    dropped_queue_full: AtomicU64,
    pub(super) dropped_disk: AtomicU64,
    pub(super) blocks: AtomicU64,
}

#[derive(Debug)]
pub(super) struct History {
    dir: PathBuf,
    desk: Desk,
    follower: Follower,
    counters: Arc<Counters>,
}

impl HistoryFigures {
    /// Samples that the writer has taken over and not dealt with yet.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.read.saturating_sub(self.dealt_with() + self.dropped_queue_full)
    }

    /// Samples that were stored or that the disk refused: grows as long as the writer does anything.
    #[must_use]
    pub const fn dealt_with(&self) -> u64 {
        self.stored + self.dropped_disk
    }
}

impl History {
    pub(super) fn open(dir: PathBuf, options: &OpenOptions) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&dir).map_err(|e| StoreError::Io(dir.clone(), e))?;
        let counters = Arc::new(Counters::default());
        let points: Arc<[Text]> = options.points.clone().into();
        let writer = Writer::new(dir.clone(), points.clone(), options, counters.clone());
        let follower = Follower::new(dir.clone(), points);
        let desk = Desk::open(writer, options).map_err(|e| StoreError::Io(dir.clone(), e))?;
        Ok(Self { dir, desk, follower, counters })
    }

    pub(super) fn append(&self, samples: &[Sample], answered: bool) {
        if samples.is_empty() {
            return;
        }
        let stored = samples.iter().map(|s| Stored {
            point: u32::try_from(s.point.index()).unwrap_or(u32::MAX),
            utc_ms: s.at.wall.utc_ms,
            value: s.reading.value(),
            quality: s.reading.quality_code(),
            detail: detail::of(s.reading, answered),
        });
        let n = samples.len() as u64;
        self.counters.read.fetch_add(n, Ordering::Relaxed);
        if !self.desk.take(stored) {
            self.counters.dropped_queue_full.fetch_add(n, Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(super) fn append_stored(&self, sample: Stored) {
        assert!(self.desk.take(std::iter::once(sample)));
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
        self.desk.close();
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

    /// The next blocks after a position.
    pub(super) fn after(&self, cursor: &HistoryCursor, blocks_max: u32) -> Option<StoredBatch> {
        self.follower.after(cursor, blocks_max)
    }
}

pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(2))?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
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
