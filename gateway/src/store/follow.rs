//! The samples after a position, for sinks that ask every few seconds: the day in hand stays open, with its dictionary.
//!
//! Owns the open file and the way from a file's point ids to the configured points. Leaves the pace to the sink.

use super::block;
use super::history::{HistoryCursor, read_only};
use super::open::is_damage;
use super::writer::days;
use rules::Text;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A batch is closed with the block that reaches this, so that a large site's is one block, a second: 0.5 MB here and as much again for
/// each step towards the lines.
const SAMPLES_AT_ONCE: usize = 10_000;

/// A sample read back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredSample {
    /// Number in the configured order; none for a point that is no longer configured.
    pub point: Option<u32>,
    pub utc_ms: i64,
    pub value: Option<f64>,
    pub quality: u8,
}

/// The samples of the next blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBatch {
    pub samples: Vec<StoredSample>,
    /// The position after them.
    pub next: HistoryCursor,
    /// The batch was full: the rest need not be waited for.
    pub more: bool,
}

#[derive(Debug)]
pub(super) struct Follower {
    dir: PathBuf,
    points: Arc<[Text]>,
    day: Mutex<Option<Day>>,
}

#[derive(Debug)]
struct Day {
    name: String,
    conn: Connection,
    /// Configured number by the file's id.
    numbers: Vec<Option<u32>>,
}

impl Follower {
    pub(super) fn new(dir: PathBuf, points: Arc<[Text]>) -> Self {
        Self { dir, points, day: Mutex::new(None) }
    }

    /// The next blocks after a position; a day that is complete hands over to the next one.
    pub(super) fn after(&self, cursor: &HistoryCursor, blocks_max: u32) -> Option<StoredBatch> {
        let mut open = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        for day in days(&self.dir).into_iter().filter(|d| *d >= cursor.day) {
            let block = if day == cursor.day { cursor.block } else { 0 };
            match self.read(&mut open, &day, block, blocks_max) {
                Ok(batch) if batch.next.block > block => return Some(batch),
                Ok(_) => {}
                // A damaged day must not hide the days after it; any other error is tried again.
                Err(error) if is_damage(&error) => {
                    tracing::error!(%error, day, "history day cannot be read; going on with the next one");
                    *open = None;
                }
                Err(_) => {
                    *open = None;
                    return None;
                }
            }
        }
        None
    }

    fn read(&self, open: &mut Option<Day>, name: &str, block: i64, blocks_max: u32) -> rusqlite::Result<StoredBatch> {
        let day = match open.take().filter(|day| day.name == name) {
            Some(day) => day,
            None => Day::open(&self.dir, name)?,
        };
        open.insert(day).read(block, blocks_max, &self.points)
    }
}

impl Day {
    fn open(dir: &Path, name: &str) -> rusqlite::Result<Self> {
        let conn = read_only(&dir.join(format!("{name}.db")))?;
        Ok(Self { name: name.to_owned(), conn, numbers: Vec::new() })
    }

    fn read(&mut self, block: i64, blocks_max: u32, points: &[Text]) -> rusqlite::Result<StoredBatch> {
        let (mut stored, mut last) = (Vec::new(), block);
        let sql = "SELECT id, codec, crc, body FROM block WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut query = self.conn.prepare_cached(sql)?;
        let (mut rows, mut blocks) = (query.query(params![block, blocks_max])?, 0);
        while stored.len() < SAMPLES_AT_ONCE
            && let Some(row) = rows.next()?
        {
            last = row.get(0)?;
            blocks += 1;
            stored.extend(block::unpack(row.get(1)?, row.get(2)?, row.get_ref(3)?.as_blob()?).unwrap_or_default());
        }
        let more = blocks == blocks_max || stored.len() >= SAMPLES_AT_ONCE;
        drop(rows);
        drop(query);
        // The dictionary is written before the first block that needs it, and may have grown with a new configuration.
        if stored.iter().any(|s| s.point as usize >= self.numbers.len()) {
            self.numbers = numbers(&self.conn, points)?;
        }
        let number = |id: u32| self.numbers.get(id as usize).copied().flatten();
        let samples = stored.iter().map(|s| StoredSample {
            point: number(s.point),
            utc_ms: s.utc_ms,
            value: s.value,
            quality: s.quality,
        });
        let next = HistoryCursor { day: self.name.clone(), block: last };
        Ok(StoredBatch { samples: samples.collect(), next, more })
    }
}

fn numbers(conn: &Connection, points: &[Text]) -> rusqlite::Result<Vec<Option<u32>>> {
    let configured: BTreeMap<&str, u32> = points.iter().map(Text::as_str).zip(0..).collect();
    let mut numbers = Vec::new();
    let mut query = conn.prepare("SELECT id, key FROM point ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let id: u32 = row.get(0)?;
        numbers.resize(id as usize + 1, None);
        numbers[id as usize] = configured.get(row.get_ref(1)?.as_str()?).copied();
    }
    Ok(numbers)
}
