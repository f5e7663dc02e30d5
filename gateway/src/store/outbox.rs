//! SQL of the outbox: events that wait for the office's receipt. States: 0 stored, 1 sent, 2 broker-acknowledged, 3 received,
//! 4 confirmed. Only a receipt (3, 4) ends re-sending.

use crate::delivery::{Delivery, OutboxFigures};
use crate::record::Record;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// One event that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub delivery_seq: u64,
    pub state: u8,
    pub record: Record,
}

/// The next events without a receipt: priority 1 first, then by age; those in `busy` are left out.
/// # Errors
/// SQLite's.
pub fn waiting(conn: &Connection, busy: &[u64], limit: usize) -> rusqlite::Result<Vec<Waiting>> {
    let mut query = conn.prepare_cached(
        "SELECT o.delivery_seq, o.state, e.json FROM outbox o JOIN event e ON e.event_id = o.event_id \
         WHERE o.state < 3 ORDER BY o.priority > 1, o.delivery_seq LIMIT ?1",
    )?;
    let most = i64::try_from(limit + busy.len()).unwrap_or(i64::MAX);
    let rows = query.query_map([most], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, String>(2)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (seq, state, json) = row?;
        let delivery_seq = u64::try_from(seq).unwrap_or_default();
        // an entry nobody can read must not block the ones behind it; `audit verify` reports it
        if let Ok(record) = serde_json::from_str(&json)
            && !busy.contains(&delivery_seq)
            && found.len() < limit
        {
            found.push(Waiting { delivery_seq, state, record });
        }
    }
    Ok(found)
}

/// Sent to the broker.
/// # Errors
/// SQLite's.
pub fn sent(conn: &Connection, delivery_seq: u64, utc_ms: i64) -> rusqlite::Result<()> {
    let seq = i64::try_from(delivery_seq).unwrap_or(i64::MAX);
    conn.execute(
        "UPDATE outbox SET state = MAX(state, 1), sent_ms = ?2 WHERE delivery_seq = ?1",
        params![seq, utc_ms],
    )?;
    Ok(())
}

/// The broker has it; the office may not.
/// # Errors
/// SQLite's.
pub fn broker_acknowledged(conn: &Connection, delivery_seq: u64) -> rusqlite::Result<()> {
    let seq = i64::try_from(delivery_seq).unwrap_or(i64::MAX);
    conn.execute("UPDATE outbox SET state = MAX(state, 2) WHERE delivery_seq = ?1", [seq])?;
    Ok(())
}

/// A receipt: the delivery number when the event is known, else `None`. It touches nothing but the outbox.
/// # Errors
/// SQLite's.
pub fn received(
    conn: &Connection,
    event_id: &str,
    by: Option<&str>,
    note: Option<&str>,
    utc_ms: i64,
) -> rusqlite::Result<Option<u64>> {
    conn.query_row(
        "UPDATE outbox SET state = MAX(state, CASE WHEN ?2 IS NULL THEN 3 ELSE 4 END), \
         received_ms = COALESCE(received_ms, ?4), by = COALESCE(?2, by), note = COALESCE(?3, note) \
         WHERE event_id = ?1 AND state >= 1 RETURNING delivery_seq",
        params![event_id, by, note, utc_ms],
        |row| row.get::<_, i64>(0),
    )
    .optional()
    .map(|seq| seq.and_then(|seq| u64::try_from(seq).ok()))
}

/// The office asks for everything from a number again.
/// # Errors
/// SQLite's.
pub fn resend_from(conn: &Connection, delivery_seq: u64) -> rusqlite::Result<usize> {
    let seq = i64::try_from(delivery_seq).unwrap_or(i64::MAX);
    conn.execute("UPDATE outbox SET state = 1 WHERE delivery_seq >= ?1 AND state = 3", [seq])
}

/// Delivery states of some events; unknown ones are left out.
/// # Errors
/// SQLite's.
pub fn states(conn: &Connection, event_ids: &[String]) -> rusqlite::Result<BTreeMap<String, Delivery>> {
    let mut query = conn.prepare_cached("SELECT state FROM outbox WHERE event_id = ?1")?;
    let mut found = BTreeMap::new();
    for id in event_ids {
        let state: Option<u8> = query.query_row([id], |row| row.get(0)).optional()?;
        let state = match state {
            None => continue,
            Some(0) => Delivery::Stored,
            Some(1) => Delivery::Sent,
            Some(2) => Delivery::BrokerAcknowledged,
            Some(3) => Delivery::Received,
            Some(_) => Delivery::Confirmed,
        };
        found.insert(id.clone(), state);
    }
    Ok(found)
}

/// Depth and oldest age.
/// # Errors
/// SQLite's.
pub fn figures(conn: &Connection, utc_ms: i64) -> rusqlite::Result<OutboxFigures> {
    let (depth, oldest): (u64, Option<String>) = conn.query_row(
        "SELECT COUNT(*), (SELECT e.json FROM outbox o JOIN event e ON e.event_id = o.event_id WHERE o.state < 3 \
         ORDER BY o.delivery_seq LIMIT 1) FROM outbox WHERE state < 3",
        [],
        |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)),
    )?;
    let since = oldest.and_then(|json| serde_json::from_str::<Record>(&json).ok()).map(|r| r.event.at.wall.utc_ms);
    let oldest_age_ms = since.map_or(0, |since| u64::try_from(utc_ms - since).unwrap_or(0));
    Ok(OutboxFigures { depth, oldest_age_ms, ..OutboxFigures::default() })
}
