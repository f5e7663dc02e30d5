//! What is on disk, read without touching it: the journal and the samples of a time, also beside a running gateway.
//!
//! Owns reading and order (as they came). Leaves what they mean to `replay` and `kpi`.

use super::detail;
use super::writer::{day_of, days};
use super::{Books, RECORDS_FILE, StoreError, block, history, open, schema};
use crate::record::Record;
use rules::Reading;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A data folder, for reading.
#[derive(Clone, Debug)]
pub struct Past {
    dir: PathBuf,
}

/// A sample read back whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastSample {
    /// The caller's number of the point.
    pub point: u32,
    pub utc_ms: i64,
    pub reading: Reading,
    /// Whether the device answered that scan; none in blocks of earlier versions.
    pub answered: Option<bool>,
}

/// Times in UTC milliseconds; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from_ms: i64,
    pub to_ms: i64,
}

impl Past {
    /// A folder with a records file of this version or an earlier one.
    /// # Errors
    /// No such file, or one of a newer version.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let file = dir.join(RECORDS_FILE);
        if !file.exists() {
            return Err(StoreError::Io(file, std::io::ErrorKind::NotFound.into()));
        }
        schema::version(&open::reader(&file)?, &file)?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// The folder itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Records in the order of the journal, those whose name `wanted` takes; the number of unreadable ones is returned.
    /// # Errors
    /// SQLite's.
    pub fn records(&self, wanted: fn(&str) -> bool, mut each: impl FnMut(Record)) -> Result<u64, StoreError> {
        let conn = open::reader(&self.dir.join(RECORDS_FILE))?;
        let mut query = conn.prepare("SELECT kind, json FROM event ORDER BY seq")?;
        let mut rows = query.query([])?;
        let mut unreadable = 0;
        while let Some(row) = rows.next()? {
            if !row.get_ref(0)?.as_str().is_ok_and(wanted) {
                continue;
            }
            match row.get_ref(1)?.as_str().ok().and_then(|json| serde_json::from_str(json).ok()) {
                Some(record) => each(record),
                None => unreadable += 1,
            }
        }
        Ok(unreadable)
    }

    /// Rule books that were in force.
    /// # Errors
    /// SQLite's.
    pub fn books(&self) -> Result<Books, StoreError> {
        let path = self.dir.join(RECORDS_FILE);
        let conn = open::reader(&path)?;
        let version = schema::version(&conn, &path)?;
        Ok(Books::of(conn, version))
    }

    /// Days with samples inside a span, oldest first.
    #[must_use]
    pub fn days(&self, span: Span) -> Vec<String> {
        let (first, last) = (day_of(span.from_ms), day_of(span.to_ms));
        days(&self.dir.join("history")).into_iter().filter(|d| *d >= first && *d <= last).collect()
    }

    /// First and last sample time; none without samples.
    #[must_use]
    pub fn samples_span(&self) -> Option<Span> {
        let days = days(&self.dir.join("history"));
        let edge = |day: &String, sql: &str| -> Option<i64> {
            self.day(day).ok()?.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).ok()?
        };
        let from_ms = days.iter().find_map(|d| edge(d, "SELECT MIN(from_ms) FROM block"))?;
        let to_ms = days.iter().rev().find_map(|d| edge(d, "SELECT MAX(to_ms) FROM block"))?;
        Some(Span { from_ms, to_ms })
    }

    /// The samples of a day inside a span, block by block in the order in which they came: each block's are added to `samples`, from
    /// which `each` takes what it wants; it returns false to stop.
    /// Damaged blocks are counted and left out.
    /// # Errors
    /// SQLite's.
    pub fn samples(
        &self,
        day: &str,
        span: Span,
        number: &dyn Fn(&str) -> Option<u32>,
        samples: &mut Vec<PastSample>,
        mut each: impl FnMut(&mut Vec<PastSample>) -> bool,
    ) -> Result<u64, StoreError> {
        let conn = self.day(day)?;
        let names: BTreeMap<u32, String> = conn
            .prepare("SELECT id, key FROM point")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let top = names.keys().next_back().map_or(0, |id| *id as usize + 1);
        let mut numbers = vec![None; top];
        for (id, name) in &names {
            numbers[*id as usize] = number(name);
        }
        let mut query =
            conn.prepare("SELECT codec, crc, body FROM block WHERE to_ms >= ?1 AND from_ms <= ?2 ORDER BY id")?;
        let mut rows = query.query(params![span.from_ms, span.to_ms])?;
        let mut damaged = 0;
        while let Some(row) = rows.next()? {
            let Some(stored) =
                row.get_ref(2)?.as_blob().ok().and_then(|body| block::read(row.get(0).ok()?, row.get(1).ok()?, body))
            else {
                damaged += 1;
                continue;
            };
            let inside = |s: &history::Stored| s.utc_ms >= span.from_ms && s.utc_ms <= span.to_ms;
            samples.extend(stored.filter(inside).filter_map(|s| {
                let point = numbers.get(s.point as usize).copied().flatten()?;
                let reading = detail::reading(s.value, s.quality, s.detail);
                Some(PastSample { point, utc_ms: s.utc_ms, reading, answered: detail::answered(s.detail) })
            }));
            if !each(samples) {
                break;
            }
        }
        Ok(damaged)
    }

    fn day(&self, day: &str) -> rusqlite::Result<Connection> {
        history::read_only(&self.dir.join("history").join(format!("{day}.db")))
    }
}
