//! SQL that only looks: how the outbox stands, how far single events have come, and where the journal's chain ends.

use super::Damaged;
use crate::delivery::{Delivered, Delivery};
use crate::record::Record;
use crate::store::GENESIS;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::BTreeMap;

/// How the outbox stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Events without the office's receipt.
    pub depth: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Since>,
    /// Last number of the office's count up to the journal number asked for.
    pub delivery_seq: u64,
    /// Last journal number on the disk up to the one asked for, and its hash.
    pub chain_seq: u64,
    pub chain_head: String,
}

/// When a stored event happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    pub boot_id: String,
    pub mono_ns: u64,
    pub utc_ms: i64,
}

/// Depth, oldest, and both counts up to a journal number.
/// # Errors
/// SQLite's.
pub fn standing(conn: &Connection, journal_seq: u64) -> rusqlite::Result<Standing> {
    let seq = i64::try_from(journal_seq).unwrap_or(i64::MAX);
    let depth = conn
        .prepare_cached("SELECT COUNT(*) FROM outbox WHERE state < 3")?
        .query_row([], |row| row.get::<_, i64>(0))?
        .unsigned_abs();
    let delivery_seq = conn
        .prepare_cached(
            "SELECT delivery_seq FROM event WHERE seq <= ?1 AND +delivery_seq > 0 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([seq], |row| row.get::<_, i64>(0))
        .optional()?
        .map_or(0, i64::unsigned_abs);
    let chain = conn
        .prepare_cached("SELECT seq, hash FROM event WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([seq], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), text(row, 1))))
        .optional()?;
    let (chain_seq, chain_head) = chain.unwrap_or((0, GENESIS.to_owned()));
    Ok(Standing { depth, oldest: oldest(conn)?, delivery_seq, chain_seq, chain_head })
}

fn oldest(conn: &Connection) -> rusqlite::Result<Option<Since>> {
    let row = conn
        .prepare_cached(
            "SELECT o.sent_ms, e.json FROM outbox o LEFT JOIN event e ON e.event_id = o.event_id WHERE o.state < 3 \
             ORDER BY o.delivery_seq LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get::<_, Option<i64>>(0)?, text(row, 1))))
        .optional()?;
    Ok(row.map(|(sent_ms, json)| match serde_json::from_str::<Record>(&json) {
        Ok(Record { boot_id, event, .. }) => Since { boot_id, mono_ns: event.at.mono.0, utc_ms: event.at.wall.utc_ms },
        // no time of its own is left: since it was first tried
        Err(_) => Since { boot_id: String::new(), mono_ns: 0, utc_ms: sent_ms.unwrap_or(i64::MAX) },
    }))
}

/// Delivery states of some events; unknown ones are left out.
/// # Errors
/// SQLite's.
pub fn states(conn: &Connection, event_ids: &[String]) -> rusqlite::Result<BTreeMap<String, Delivered>> {
    let mut query = conn.prepare_cached("SELECT state, by, note FROM outbox WHERE event_id = ?1")?;
    let mut found = BTreeMap::new();
    for id in event_ids {
        let row = query.query_row([id], |row| Ok((row.get::<_, u8>(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((state, by, note)) = row else { continue };
        let state = match state {
            0 => Delivery::Stored,
            1 => Delivery::Sent,
            2 => Delivery::BrokerAcknowledged,
            3 => Delivery::Received,
            _ => Delivery::Confirmed,
        };
        found.insert(id.clone(), Delivered { state, by, note });
    }
    Ok(found)
}

/// A column as text, whatever is in it: a damaged row must be readable as far as it goes.
pub(super) fn text(row: &Row<'_>, column: usize) -> String {
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

/// The columns beside a text that cannot be read, as `table` selects them.
pub(super) fn damaged_row(row: &Row<'_>) -> Damaged {
    Damaged {
        event_id: text(row, 2),
        kind: text(row, 3),
        priority: row.get(4).unwrap_or(4),
        hash: text(row, 5),
        prev_hash: text(row, 6),
    }
}
