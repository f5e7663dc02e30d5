//! SQL of the office's database: events as they came, what a person said to them, and each site as last reported.
//!
//! An event is one row per `(event_id, hash)`: a site that was set back may use a number twice, and neither copy may hide the other.

use super::{StoreError, open, schema};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// Tables worth saving from a damaged file.
const SALVAGED: [&str; 5] = ["received", "site", "user", "session", "operator_note"];

const V1: &str = "
CREATE TABLE received(n INTEGER PRIMARY KEY, event_id TEXT NOT NULL, hash TEXT NOT NULL, site TEXT NOT NULL, seq INTEGER,
  payload TEXT NOT NULL, received_ms INTEGER NOT NULL, copies INTEGER NOT NULL DEFAULT 1, wants_person INTEGER NOT NULL,
  by TEXT, note TEXT, by_user TEXT, confirmed_ms INTEGER, owed INTEGER NOT NULL DEFAULT 0, UNIQUE(event_id, hash));
CREATE INDEX received_seq ON received(site, seq);
CREATE INDEX received_open ON received(site) WHERE wants_person = 1 AND confirmed_ms IS NULL;
CREATE INDEX received_owed ON received(n) WHERE owed = 1;
CREATE TABLE site(site TEXT PRIMARY KEY, json TEXT NOT NULL);
";

/// The office's file in its data folder.
pub const FILE: &str = "office.db";

/// Opens or makes the office's file; a damaged one is set aside, and what was saved of it is said.
/// # Errors
/// [`StoreError`] when it is newer than this program or cannot be made.
pub fn open(folder: &Path, label: &str) -> Result<(Connection, Option<String>), StoreError> {
    std::fs::create_dir_all(folder).map_err(|error| StoreError::Io(folder.into(), error))?;
    open::database(&folder.join(FILE), label, prepare, &SALVAGED)
}

/// The same file for the command line, beside a running office or before its first start.
/// # Errors
/// As [`open()`].
pub fn open_beside(folder: &Path) -> Result<Connection, StoreError> {
    open::beside(&folder.join(FILE), prepare)
}

fn prepare(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    schema::bring_forward(conn, path, &[V1])?;
    conn.execute_batch(super::users::SCHEMA)?;
    Ok(())
}

/// An event as it goes in.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub event_id: String,
    pub hash: String,
    pub site: String,
    /// `None` for what the office noticed by itself.
    pub seq: Option<u64>,
    pub payload: String,
    /// Whether a duty officer is expected to take note.
    pub wants_person: bool,
}

/// An event as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfficeEvent {
    /// Order of arrival.
    pub n: u64,
    pub event_id: String,
    pub site: String,
    pub payload: Value,
    pub received_ms: i64,
    /// How often it came.
    pub copies: u64,
    pub wants_person: bool,
    pub by: Option<String>,
    pub note: Option<String>,
    /// Account that was signed in.
    pub by_user: Option<String>,
    pub confirmed_ms: Option<i64>,
}

/// Stores events; for each, true when it is new.
/// # Errors
/// SQLite's.
pub fn insert(conn: &Connection, events: &[NewEvent], received_ms: i64) -> rusqlite::Result<Vec<bool>> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO received(event_id, hash, site, seq, payload, received_ms, wants_person) VALUES(?1,?2,?3,?4,?5,?6,?7) \
         ON CONFLICT(event_id, hash) DO UPDATE SET copies = copies + 1 RETURNING copies",
    )?;
    let one = |event: &NewEvent| {
        let seq = event.seq.and_then(|seq| i64::try_from(seq).ok());
        let values = params![
            event.event_id,
            event.hash,
            event.site,
            seq,
            event.payload,
            received_ms,
            i64::from(event.wants_person)
        ];
        insert.query_row(values, |row| row.get::<_, i64>(0)).map(|copies| copies == 1)
    };
    events.iter().map(one).collect()
}

/// The newest event's order of arrival; 0 when there is none.
/// # Errors
/// SQLite's.
pub fn newest(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT COALESCE(MAX(n), 0) FROM received", [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// Which events are listed.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub site: Option<String>,
    /// With it, oldest first from after this arrival; without, newest first.
    pub after: Option<u64>,
    pub unconfirmed: bool,
    pub limit: u32,
}

/// # Errors
/// SQLite's.
pub fn list(conn: &Connection, listing: &Listing) -> rusqlite::Result<Vec<OfficeEvent>> {
    let order = if listing.after.is_some() { "ASC" } else { "DESC" };
    let mut query = conn.prepare_cached(&format!(
        "SELECT n, event_id, site, payload, received_ms, copies, wants_person, by, note, by_user, confirmed_ms FROM received \
         WHERE n > ?1 AND (?2 IS NULL OR site = ?2) AND (?3 = 0 OR (wants_person = 1 AND confirmed_ms IS NULL)) \
         ORDER BY n {order} LIMIT ?4"
    ))?;
    let after = listing.after.map_or(0, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let rows = query.query_map(params![after, listing.site, listing.unconfirmed, listing.limit], event_of)?;
    rows.collect()
}

fn event_of(row: &Row<'_>) -> rusqlite::Result<OfficeEvent> {
    Ok(OfficeEvent {
        n: row.get::<_, i64>(0)?.unsigned_abs(),
        event_id: row.get(1)?,
        site: row.get(2)?,
        payload: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
        received_ms: row.get(4)?,
        copies: row.get::<_, i64>(5)?.unsigned_abs(),
        wants_person: row.get(6)?,
        by: row.get(7)?,
        note: row.get(8)?,
        by_user: row.get(9)?,
        confirmed_ms: row.get(10)?,
    })
}

/// What a person said to an event.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub by: String,
    pub note: String,
    pub user: String,
}

/// How a confirmation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    Now,
    /// Somebody was first; who.
    Already(String),
    Unknown,
}

/// Writes it once; the site is owed the news.
/// # Errors
/// SQLite's.
pub fn confirm(conn: &Connection, event_id: &str, said: &Confirmation, utc_ms: i64) -> rusqlite::Result<Confirmed> {
    let changed = conn.execute(
        "UPDATE received SET by = ?2, note = ?3, by_user = ?4, confirmed_ms = ?5, owed = seq IS NOT NULL \
         WHERE event_id = ?1 AND confirmed_ms IS NULL",
        params![event_id, said.by, said.note, said.user, utc_ms],
    )?;
    if changed > 0 {
        return Ok(Confirmed::Now);
    }
    let first: Option<Option<String>> =
        conn.query_row("SELECT by FROM received WHERE event_id = ?1", [event_id], |row| row.get(0)).optional()?;
    Ok(first.map_or(Confirmed::Unknown, |by| Confirmed::Already(by.unwrap_or_default())))
}

/// A confirmation that its site has not been sent.
#[derive(Clone, Debug)]
pub struct Owed {
    pub n: i64,
    pub site: String,
    pub event_id: String,
    pub received_ms: i64,
    pub by: Option<String>,
    pub note: Option<String>,
}

/// # Errors
/// SQLite's.
pub fn owed(conn: &Connection, limit: usize) -> rusqlite::Result<Vec<Owed>> {
    let mut query = conn.prepare_cached(
        "SELECT n, site, event_id, received_ms, by, note FROM received WHERE owed = 1 ORDER BY n LIMIT ?1",
    )?;
    let rows = query.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        Ok(Owed {
            n: row.get(0)?,
            site: row.get(1)?,
            event_id: row.get(2)?,
            received_ms: row.get(3)?,
            by: row.get(4)?,
            note: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// The broker has the confirmation.
/// # Errors
/// SQLite's.
pub fn paid(conn: &Connection, n: i64) -> rusqlite::Result<usize> {
    conn.execute("UPDATE received SET owed = 0 WHERE n = ?1", [n])
}

/// A site is back: receipts and confirmations from the time when it may not have listened go to it again.
/// # Errors
/// SQLite's.
pub fn owe_again(conn: &Connection, site: &str, since_ms: i64) -> rusqlite::Result<usize> {
    conn.execute(
        "UPDATE received SET owed = 1 WHERE site = ?1 AND seq IS NOT NULL AND MAX(received_ms, COALESCE(confirmed_ms, 0)) >= ?2",
        params![site, since_ms],
    )
}

/// Ranges of numbers that have come, per site.
/// # Errors
/// SQLite's.
pub fn arrived(conn: &Connection) -> rusqlite::Result<Vec<(String, u64, u64)>> {
    let mut query = conn.prepare(
        "SELECT site, MIN(seq), MAX(seq) FROM (SELECT site, seq, seq - DENSE_RANK() OVER (PARTITION BY site ORDER BY seq) AS run \
         FROM received WHERE seq IS NOT NULL) GROUP BY site, run",
    )?;
    let rows = query.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get::<_, i64>(2)?.unsigned_abs()))
    })?;
    rows.collect()
}

/// Events per site that still want a person.
/// # Errors
/// SQLite's.
pub fn unconfirmed(conn: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut query = conn.prepare_cached(
        "SELECT site, COUNT(*) FROM received WHERE wants_person = 1 AND confirmed_ms IS NULL GROUP BY site",
    )?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    rows.collect()
}

/// # Errors
/// SQLite's.
pub fn put_site(conn: &Connection, site: &str, json: &str) -> rusqlite::Result<usize> {
    conn.execute("INSERT OR REPLACE INTO site(site, json) VALUES(?1, ?2)", [site, json])
}

/// # Errors
/// SQLite's.
pub fn sites(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = conn.prepare("SELECT json FROM site ORDER BY site")?;
    query.query_map([], |row| row.get(0))?.collect()
}
