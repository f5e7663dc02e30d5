//! The hash chain of the journal: `hash = SHA-256(prev_hash ‖ JSON of the event with its id and boot)`.
//!
//! A changed, deleted, inserted or reordered record breaks it at a named number; the office holds the head, so a cut tail shows too.

use crate::record::Record;
use rusqlite::Connection;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// `prev_hash` of the first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The first place where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainFault {
    pub seq: u64,
    pub reason: String,
}

/// Fills in both hashes of a record that follows `head`.
pub fn seal(record: &mut Record, head: &str) {
    head.clone_into(&mut record.prev_hash);
    record.hash = hash_of(record);
}

fn hash_of(record: &Record) -> String {
    // Delivery number and `durable` are kept beside the fact, not inside it.
    let body = serde_json::to_vec(&(&record.event_id, &record.boot_id, &record.event))
        .expect("an event is finite numbers and texts only");
    let mut hasher = Sha256::new();
    hasher.update(record.prev_hash.as_bytes());
    hasher.update(body);
    hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Walks the whole journal; returns how many records hold, or the first fault.
/// # Errors
/// SQLite's.
pub fn verify(conn: &Connection) -> rusqlite::Result<Result<u64, ChainFault>> {
    let mut query = conn.prepare("SELECT seq, json, hash, prev_hash FROM event ORDER BY seq")?;
    let mut rows = query.query([])?;
    let (mut head, mut next, mut count) = (GENESIS.to_owned(), None::<u64>, 0);
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.unsigned_abs();
        let fault = |reason: &str| Ok(Err(ChainFault { seq, reason: reason.into() }));
        let json: String = row.get(1)?;
        let Ok(record) = serde_json::from_str::<Record>(&json) else { return fault("cannot be read") };
        if next.is_some_and(|n| n != seq) || record.event.seq != seq {
            return fault("a number is missing or out of order");
        }
        if record.prev_hash != head || row.get::<_, String>(3)? != head {
            return fault("does not follow the record before it");
        }
        if hash_of(&record) != record.hash || row.get::<_, String>(2)? != record.hash {
            return fault("was changed");
        }
        head = record.hash;
        next = Some(seq + 1);
        count += 1;
    }
    Ok(Ok(count))
}
