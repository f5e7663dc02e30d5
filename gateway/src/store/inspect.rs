//! Looking through the files without touching them: `store verify` and `audit verify`, also beside a running gateway.
//!
//! Owns what is counted and which place is called broken. Leaves words and exit codes to the command line.

use super::{RECORDS_FILE, StoreError, block, history, open, schema, writer};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// One broken place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub file: PathBuf,
    /// Such as `event 17` or `block 3`; empty for the whole file.
    pub place: String,
    pub reason: String,
}

/// The hash chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// Records that hold, from the first.
    pub records: u64,
    pub last_seq: u64,
    /// Hash of the last record: what the gateway's heartbeat carries.
    pub head: String,
}

/// `records.db` beyond its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Journal {
    pub schema: i64,
    pub events: u64,
    /// None where no office is told: its rows are kept in case there will be one.
    pub outbox: Option<u64>,
    /// Without the office's receipt.
    pub waiting: Option<u64>,
    pub hazards: u64,
    pub users: u64,
}

/// One day of samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Samples {
    pub day: String,
    pub blocks: u64,
    pub samples: u64,
    pub broken_blocks: u64,
}

/// Walks the chain; `expected` is a head that the office has seen and that must be in it.
/// # Errors
/// A file that cannot be opened, or one of a newer version.
pub fn audit(dir: &Path, expected: Option<&str>) -> Result<(Chain, Vec<Fault>), StoreError> {
    let file = dir.join(RECORDS_FILE);
    let conn = open::reader(&file)?;
    schema::version(&conn, &file)?;
    let fault = |place: String, reason: String| Fault { file: file.clone(), place, reason };
    let mut faults = Vec::new();
    let mut chain = Chain::default();
    match super::verify(&conn) {
        Ok(Ok(records)) => {
            let last = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1";
            let last = conn.query_row(last, [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).optional()?;
            let (seq, head) = last.unwrap_or((0, super::GENESIS.to_owned()));
            chain = Chain { records, last_seq: seq.unsigned_abs(), head };
        }
        Ok(Err(found)) => faults.push(fault(format!("event {}", found.seq), found.reason)),
        Err(error) => faults.push(fault(String::new(), error.to_string())),
    }
    if let Some(expected) = expected {
        let sql = "SELECT EXISTS(SELECT 1 FROM event WHERE hash = ?1)";
        if !conn.query_row(sql, [expected], |row| row.get::<_, bool>(0)).unwrap_or(false) {
            faults.push(fault(
                String::new(),
                format!("the record with the hash {expected} is missing: the end was cut off"),
            ));
        }
    }
    Ok((chain, faults))
}

/// `records.db`: pages and indexes, and whether every event that the office is told stands in the outbox.
/// # Errors
/// A file that cannot be opened, or one of a newer version.
pub fn databases(dir: &Path, tells_office: bool) -> Result<(Journal, Vec<Fault>), StoreError> {
    let file = dir.join(RECORDS_FILE);
    let conn = open::reader(&file)?;
    let schema = schema::version(&conn, &file)?;
    let mut faults = pages(&conn, &file);
    let mut count = |sql: &str| count(&conn, &file, sql, &mut faults);
    let journal = Journal {
        schema,
        events: count("SELECT COUNT(*) FROM event"),
        outbox: tells_office.then(|| count("SELECT COUNT(*) FROM outbox")),
        waiting: tells_office.then(|| count("SELECT COUNT(*) FROM outbox WHERE state < 3")),
        hazards: count("SELECT COUNT(*) FROM hazard"),
        users: count("SELECT COUNT(*) FROM user"),
    };
    let lost = count(
        "SELECT COUNT(*) FROM event WHERE delivery_seq IS NOT NULL AND event_id NOT IN (SELECT event_id FROM outbox)",
    );
    let without = count("SELECT COUNT(*) FROM outbox WHERE event_id NOT IN (SELECT event_id FROM event)");
    let holes = count("SELECT COALESCE(MAX(delivery_seq) - COUNT(delivery_seq), 0) FROM event");
    for (n, what) in [
        (lost, "events for the office are not in the outbox"),
        (without, "entries of the outbox have no event"),
        (holes, "numbers of the delivery sequence are missing"),
    ] {
        if n > 0 {
            faults.push(Fault { file: file.clone(), place: "outbox".into(), reason: format!("{n} {what}") });
        }
    }
    Ok((journal, faults))
}

/// What an office has received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Received {
    pub events: u64,
    pub sites: u64,
    /// Waiting for a person's confirmation.
    pub unconfirmed: u64,
    pub users: u64,
}

/// `office.db`: pages and indexes, and that every stored payload can be read.
/// # Errors
/// A file that cannot be opened.
pub fn received(dir: &Path) -> Result<(Received, Vec<Fault>), StoreError> {
    let file = dir.join(super::office::FILE);
    let conn = open::reader(&file)?;
    let mut faults = pages(&conn, &file);
    let mut count = |sql: &str| count(&conn, &file, sql, &mut faults);
    let received = Received {
        events: count("SELECT COUNT(*) FROM received"),
        sites: count("SELECT COUNT(*) FROM site"),
        unconfirmed: count("SELECT COUNT(*) FROM received WHERE wants_person = 1 AND confirmed_ms IS NULL"),
        users: count("SELECT COUNT(*) FROM user"),
    };
    let unreadable = count("SELECT COUNT(*) FROM received WHERE NOT json_valid(payload)");
    if unreadable > 0 {
        faults.push(Fault { file, place: "received".into(), reason: format!("{unreadable} payloads cannot be read") });
    }
    Ok((received, faults))
}

/// A number; a table that cannot be counted is a fault.
fn count(conn: &Connection, file: &Path, sql: &str, faults: &mut Vec<Fault>) -> u64 {
    conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).unwrap_or_else(|error| {
        faults.push(Fault { file: file.into(), place: String::new(), reason: error.to_string() });
        0
    })
}

/// SQLite's own check, one fault per line of it.
fn pages(conn: &Connection, file: &Path) -> Vec<Fault> {
    let lines: rusqlite::Result<Vec<String>> = conn
        .prepare("PRAGMA integrity_check(20)")
        .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect());
    let fault = |reason: String| Fault { file: file.into(), place: String::new(), reason };
    match lines {
        Ok(lines) => lines.into_iter().filter(|line| line != "ok").map(fault).collect(),
        Err(error) => vec![fault(error.to_string())],
    }
}

/// Every day of the history, every block unpacked; `each` is told of a day when it is done.
pub fn samples(dir: &Path, mut each: impl FnMut(&Samples)) -> (Vec<Samples>, Vec<Fault>) {
    let dir = dir.join("history");
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for day in writer::days(&dir) {
        let file = dir.join(format!("{day}.db"));
        let mut samples = Samples { day, ..Samples::default() };
        if let Err(error) = read_day(&file, &mut samples, &mut faults) {
            faults.push(Fault { file, place: String::new(), reason: error.to_string() });
        }
        each(&samples);
        found.push(samples);
    }
    (found, faults)
}

fn read_day(file: &Path, day: &mut Samples, faults: &mut Vec<Fault>) -> rusqlite::Result<()> {
    let conn = history::read_only(file)?;
    faults.extend(pages(&conn, file));
    let mut query = conn.prepare("SELECT id, n, from_ms, to_ms, codec, crc, body FROM block ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        day.blocks += 1;
        let (id, n, from, to): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let body: Vec<u8> = row.get(6)?;
        let reason = match block::unpack(row.get(4)?, row.get(5)?, &body) {
            None => "does not match its checksum or cannot be unpacked",
            Some(samples) if i64::try_from(samples.len()) != Ok(n) => "holds another number of samples than it says",
            Some(samples) if samples.iter().any(|s| s.utc_ms < from || s.utc_ms > to) => {
                "holds samples outside its times"
            }
            Some(samples) => {
                day.samples += samples.len() as u64;
                continue;
            }
        };
        day.broken_blocks += 1;
        faults.push(Fault { file: file.into(), place: format!("block {id}"), reason: reason.into() });
    }
    Ok(())
}
