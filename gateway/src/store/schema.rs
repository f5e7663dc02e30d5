//! Tables of records.db, by `user_version`. A newer version is refused; an older one is brought forward step by step.

use super::{StoreError, books, outbox};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

const V1: &str = "
CREATE TABLE event(seq INTEGER PRIMARY KEY, delivery_seq INTEGER UNIQUE, event_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  priority INTEGER, json TEXT NOT NULL, hash TEXT NOT NULL, prev_hash TEXT NOT NULL);
CREATE TABLE alarm_state(key TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE hazard(id TEXT PRIMARY KEY, json TEXT NOT NULL, open INTEGER NOT NULL);
CREATE TABLE outbox(delivery_seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, priority INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0, sent_ms INTEGER, received_ms INTEGER, by TEXT, note TEXT);
CREATE INDEX outbox_waiting ON outbox(priority, delivery_seq) WHERE state < 3;
CREATE TABLE user(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE session(token_hash TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL,
  created_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL);
CREATE TABLE cursor(name TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE dead_letter(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
";

/// Names for people, and what the command line changed while the journal was in other hands.
const V2: &str = "
ALTER TABLE user ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
CREATE TABLE operator_note(id INTEGER PRIMARY KEY, action TEXT NOT NULL, detail TEXT NOT NULL);
";

/// One step per version, from nothing; their number is the version this program writes.
const STEPS: [&str; 5] = [V1, V2, outbox::SCHEMA_STEP, books::SCHEMA_STEP, books::MORE_THAN_ONCE_STEP];

/// The version of records.db, or refusal of a newer one.
pub(super) fn version(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    known_version(conn, path, &STEPS)
}

/// Settings of every connection, then the tables.
pub(super) fn prepare(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    bring_forward(conn, path, &STEPS)
}

fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

fn known_version(conn: &Connection, path: &Path, steps: &[&str]) -> Result<i64, StoreError> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > newest(steps) { Err(StoreError::NewerVersion(path.into(), version)) } else { Ok(version) }
}

/// Refuses a file with more steps than these, sets what keeps a commit through a power cut, takes the steps that are missing.
pub(super) fn bring_forward(conn: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let version = known_version(conn, path, steps)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    if version < newest(steps) {
        // Immediate, and the version read again: the daemon and the command line may both be first.
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in steps.iter().skip(usize::try_from(version).unwrap_or(0)) {
            tx.execute_batch(step)?;
        }
        tx.pragma_update(None, "user_version", newest(steps))?;
        tx.commit()?;
    }
    Ok(())
}
