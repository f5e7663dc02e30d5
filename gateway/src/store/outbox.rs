//! SQL of the outbox: events on their way to the office. States: 0 stored, 1 sent, 2 broker-acknowledged, 3 received, 4 confirmed.
//! Only a receipt (3, 4) ends re-sending.
//!
//! Owns the rows and when each is due again: `attempts` and `due_ms` (monotonic) live in the row, so a period survives a new
//! connection and a new process. Leaves to `mqtt` what is published. Every query ends in a `LIMIT` or walks an index.

mod resend;
mod standing;
#[cfg(test)]
mod tests;

use crate::delivery::OfficeReceipt;
use crate::record::Record;
use resend::Pass;
use rules::Now;
use rusqlite::{Connection, OptionalExtension, Row, params};
use standing::{damaged_row, text};
use std::time::Duration;

pub use standing::{Standing, standing, states};

/// The step of the schema that puts the resend times into the rows, and an index under each question asked here.
pub const SCHEMA_STEP: &str = "
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;
DROP INDEX IF EXISTS outbox_waiting;
CREATE INDEX outbox_waiting ON outbox(delivery_seq) WHERE state < 3;
CREATE INDEX outbox_fresh ON outbox(priority > 1, delivery_seq) WHERE state = 0;
UPDATE outbox SET attempts = 1 WHERE state > 0;
CREATE INDEX outbox_again ON outbox(priority > 1, due_ms, delivery_seq) WHERE state IN (1, 2);
";

const ROW: &str = "SELECT o.delivery_seq, o.attempts, o.event_id, e.kind, o.priority, e.hash, e.prev_hash, e.json \
                   FROM outbox o LEFT JOIN event e ON e.event_id = o.event_id WHERE ";
const FRESH: &str = "o.state = 0 AND (o.priority > 1) = ?1 ORDER BY o.delivery_seq LIMIT ?2";
const AGAIN: &str =
    "o.state IN (1, 2) AND (o.priority > 1) = ?1 AND o.due_ms <= ?3 ORDER BY o.due_ms, o.delivery_seq LIMIT ?2";
const ASKED: &str =
    "o.attempts > 0 AND o.state > 0 AND o.delivery_seq BETWEEN ?1 AND ?3 ORDER BY o.delivery_seq LIMIT ?2";

/// A receipt that came while nobody listened is gone with the broker's session: what it may have been for is due this soon on a new
/// connection. Long enough for an office that lost the same broker to be back.
const RECEIPT_LOST_AFTER: Duration = Duration::from_secs(5);
/// Sent so shortly before the new connection that the break may have taken the receipt.
const BREAK: Duration = Duration::from_secs(15);
/// A link that comes and goes costs each event so many repeats and no more.
const BREAKS_MAX: u32 = 4;

/// What one turn brings to the store and asks of it: one transaction.
#[derive(Clone, Debug)]
pub struct Turn {
    pub now: Now,
    /// Set on the first turn of a connection.
    pub reopened: Option<Reopened>,
    pub acknowledged: Vec<u64>,
    pub receipts: Vec<OfficeReceipt>,
    /// The office asks for these numbers again, first and last.
    pub resend: Vec<(u64, u64)>,
    /// Events wanted.
    pub room: usize,
    /// How many of them may be re-sends for want of a receipt.
    pub again_max: usize,
    pub first_period: Duration,
    pub longest_period: Duration,
}

/// What the last connection left behind.
#[derive(Clone, Debug, Default)]
pub struct Reopened {
    /// Under way when it ended.
    pub lost: Vec<u64>,
    /// The one event that several connections died of: it waits the first period, so that those behind it go first.
    pub suspect: Option<u64>,
}

/// What a turn led to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order they go out; already marked as sent.
    pub due: Vec<Due>,
    /// Those of them that count against [`Turn::again_max`].
    pub rationed: usize,
    /// Receipts that changed something.
    pub received: Vec<OfficeReceipt>,
    /// Events received for the first time.
    pub first_receipts: u64,
    pub unknown_receipts: u64,
    pub dead_lettered: u64,
    /// Monotonic milliseconds of the next re-send.
    pub next_due_ms: Option<u64>,
    /// More was due than there was room for.
    pub more: bool,
}

/// One event to send.
#[derive(Clone, Debug)]
pub struct Due {
    pub delivery_seq: u64,
    /// Sent before.
    pub again: bool,
    pub body: Body,
}

/// What is left of an event.
#[derive(Clone, Debug)]
pub enum Body {
    Record(Box<Record>),
    /// The stored text cannot be read: the office still gets its number, or it would miss it for ever.
    Damaged(Damaged),
}

/// The columns beside a text that cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damaged {
    pub event_id: String,
    pub kind: String,
    pub priority: u8,
    pub hash: String,
    pub prev_hash: String,
}

/// One turn, in one transaction.
/// # Errors
/// SQLite's; nothing has happened then and the turn can be repeated.
pub fn turn(conn: &Connection, turn: &Turn) -> rusqlite::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut pass = resend::load(conn)?;
    let before = pass.clone();
    if let Some(reopened) = &turn.reopened {
        reopen(conn, turn, reopened, &mut pass)?;
    }
    for seq in &turn.acknowledged {
        acknowledge(conn, *seq)?;
    }
    for receipt in &turn.receipts {
        receive(conn, receipt, turn.now.wall.utc_ms, &mut outcome)?;
    }
    if !turn.resend.is_empty() {
        let last = last_number(conn)?;
        turn.resend.iter().for_each(|(from, to)| pass.ask((*from).max(1), (*to).min(last)));
    }
    take(conn, turn, &mut pass, &mut outcome)?;
    outcome.more |= turn.room > 0 && !pass.is_over();
    if pass != before {
        resend::save(conn, &pass)?;
    }
    outcome.next_due_ms = next_due(conn)?;
    Ok(outcome)
}

/// What was under way goes back to its place in the order, in front of what was never sent. Times of another boot of the machine
/// mean nothing: due now.
fn reopen(conn: &Connection, turn: &Turn, reopened: &Reopened, pass: &mut Pass) -> rusqlite::Result<()> {
    let latest = mono_ms(turn.now).saturating_add(millis(turn.longest_period));
    conn.execute("UPDATE outbox SET due_ms = 0 WHERE state IN (1, 2) AND due_ms > ?1", [number(latest)])?;
    conn.execute("UPDATE outbox SET state = 0 WHERE state IN (1, 2) AND state = 1", [])?;
    receipts_lost(conn, turn)?;
    let mut lost = reopened.lost.clone();
    lost.sort_unstable_by(|a, b| b.cmp(a));
    for seq in &lost {
        let waits =
            conn.execute("UPDATE outbox SET due_ms = 0 WHERE delivery_seq = ?1 AND state < 3", [number(*seq)])?;
        if waits == 0 {
            pass.put_back(*seq);
        }
    }
    if let Some(seq) = reopened.suspect {
        let due = mono_ms(turn.now).saturating_add(millis(turn.first_period));
        conn.execute(
            "UPDATE outbox SET state = MAX(state, 1), due_ms = ?2 WHERE delivery_seq = ?1 AND state < 3",
            [number(seq), number(due)],
        )?;
    }
    Ok(())
}

/// Events sent once, or just before the break: their receipts may be gone with the old connection.
fn receipts_lost(conn: &Connection, turn: &Turn) -> rusqlite::Result<()> {
    let now = mono_ms(turn.now);
    let soon = now.saturating_add(millis(RECEIPT_LOST_AFTER.min(turn.first_period)));
    let mut hasten = conn.prepare_cached(
        "UPDATE outbox SET due_ms = ?1 WHERE state IN (1, 2) AND state = 2 AND attempts = ?2 AND due_ms > ?1 AND due_ms > ?3",
    )?;
    for attempts in 1..=BREAKS_MAX {
        // due_ms is the time it was sent and the period it was given then
        let just_sent = now.saturating_add(millis(period(turn, attempts - 1))).saturating_sub(millis(BREAK));
        let due_after = if attempts == 1 { 0 } else { just_sent };
        hasten.execute([number(soon), i64::from(attempts), number(due_after)])?;
    }
    Ok(())
}

/// The broker has it; the office may not.
fn acknowledge(conn: &Connection, seq: u64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE outbox SET state = 2 WHERE delivery_seq = ?1 AND state = 1")?.execute([number(seq)])?;
    Ok(())
}

/// A receipt changes a row at most twice, by the machine and by a person: repeats cost nothing and are journaled once.
fn receive(conn: &Connection, receipt: &OfficeReceipt, utc_ms: i64, outcome: &mut Outcome) -> rusqlite::Result<()> {
    let state: Option<u8> = conn
        .prepare_cached("SELECT state FROM outbox WHERE event_id = ?1 AND attempts > 0")?
        .query_row([&receipt.event_id], |row| row.get(0))
        .optional()?;
    let Some(state) = state else {
        outcome.unknown_receipts += 1;
        return Ok(());
    };
    let reached = if receipt.by.is_some() { 4 } else { 3 };
    if reached <= state {
        return Ok(());
    }
    outcome.first_receipts += u64::from(state < 3);
    conn.prepare_cached(
        "UPDATE outbox SET state = ?2, received_ms = COALESCE(received_ms, ?3), by = COALESCE(by, ?4), \
         note = COALESCE(note, ?5) WHERE event_id = ?1",
    )?
    .execute(params![receipt.event_id, reached, utc_ms, receipt.by, receipt.note])?;
    outcome.received.push(receipt.clone());
    Ok(())
}

/// Priority 1 first, then what was never sent, then what the office asked for, then what had no receipt in time.
fn take(conn: &Connection, turn: &Turn, pass: &mut Pass, outcome: &mut Outcome) -> rusqlite::Result<()> {
    let now_ms = number(mono_ms(turn.now));
    let mut again_left = turn.again_max;
    for later in [0, 1] {
        let room = turn.room - outcome.due.len();
        let found = select(conn, FRESH, later, room, None)?;
        send(conn, turn, found, outcome)?;
        while later == 1 && outcome.due.len() < turn.room {
            let Some((next, to)) = pass.first() else { break };
            take_asked(conn, turn, (next, to), pass, outcome)?;
        }
        let room = (turn.room - outcome.due.len()).min(again_left);
        let found = select(conn, AGAIN, later, room, Some(now_ms))?;
        again_left -= found.len();
        outcome.rationed += found.len();
        send(conn, turn, found, outcome)?;
    }
    outcome.more = outcome.due.len() >= turn.room;
    Ok(())
}

fn take_asked(
    conn: &Connection,
    turn: &Turn,
    (next, to): (u64, u64),
    pass: &mut Pass,
    outcome: &mut Outcome,
) -> rusqlite::Result<()> {
    let room = turn.room - outcome.due.len();
    let mut found = select(conn, ASKED, number(next), room, Some(number(to)))?;
    let last = found.last().filter(|_| found.len() == room).map_or(to, |row| row.delivery_seq);
    pass.done_to(last);
    // a row that was taken a line above is on its way already
    found.retain(|row| outcome.due.iter().all(|due| due.delivery_seq != row.delivery_seq));
    send(conn, turn, found, outcome)
}

/// A row as it was read.
struct Found {
    delivery_seq: u64,
    attempts: u32,
    body: Result<Record, (Damaged, String, String)>,
}

fn select(conn: &Connection, which: &str, first: i64, room: usize, third: Option<i64>) -> rusqlite::Result<Vec<Found>> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let mut query = conn.prepare_cached(&format!("{ROW}{which}"))?;
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    match third {
        Some(third) => query.query_map([first, limit, third], found)?.collect(),
        None => query.query_map([first, limit], found)?.collect(),
    }
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    let delivery_seq = row.get::<_, i64>(0)?.unsigned_abs();
    let (event_id, json) = (text(row, 2), text(row, 7));
    let body = match serde_json::from_str::<Record>(&json) {
        Ok(record) if record.event_id == event_id && record.delivery_seq == Some(delivery_seq) => Ok(record),
        Ok(_) => Err((damaged_row(row), json, "the record is another event's".to_owned())),
        Err(error) => Err((damaged_row(row), json, format!("the record cannot be read: {error}"))),
    };
    Ok(Found { delivery_seq, attempts: row.get(1)?, body })
}

/// Marks rows as sent before they are: a crash in between costs a repeat, never an event.
fn send(conn: &Connection, turn: &Turn, rows: Vec<Found>, outcome: &mut Outcome) -> rusqlite::Result<()> {
    for row in rows {
        let due = mono_ms(turn.now).saturating_add(millis(period(turn, row.attempts)));
        conn.prepare_cached(
            "UPDATE outbox SET state = MAX(state, 1), attempts = attempts + 1, due_ms = ?2, sent_ms = ?3 WHERE delivery_seq = ?1",
        )?
        .execute([number(row.delivery_seq), number(due), turn.now.wall.utc_ms])?;
        let body = match row.body {
            Ok(record) => Body::Record(Box::new(record)),
            Err((damaged, json, reason)) => {
                if row.attempts == 0 {
                    set_aside(conn, &json, &reason, turn.now.wall.utc_ms)?;
                    outcome.dead_lettered += 1;
                }
                Body::Damaged(damaged)
            }
        };
        outcome.due.push(Due { delivery_seq: row.delivery_seq, again: row.attempts > 0, body });
    }
    Ok(())
}

/// Doubling with every attempt.
fn period(turn: &Turn, attempts: u32) -> Duration {
    turn.first_period.saturating_mul(1_u32.checked_shl(attempts).unwrap_or(u32::MAX)).min(turn.longest_period)
}

/// At most 64 KiB of a text nobody can read: for the person who repairs the file.
fn set_aside(conn: &Connection, json: &str, reason: &str, utc_ms: i64) -> rusqlite::Result<()> {
    let line: String = json.chars().take(16 * 1024).collect();
    let sql = "INSERT INTO dead_letter(at_ms, line, reason) VALUES (?1, ?2, ?3)";
    conn.execute(sql, params![utc_ms, line, format!("outbox: {reason}")]).map(|_| ())
}

fn next_due(conn: &Connection) -> rusqlite::Result<Option<u64>> {
    let mut query =
        conn.prepare_cached("SELECT MIN(due_ms) FROM outbox WHERE state IN (1, 2) AND (priority > 1) = ?1")?;
    let mut least = |later: i64| query.query_row([later], |row| row.get::<_, Option<i64>>(0));
    let (urgent, others) = (least(0)?, least(1)?);
    Ok(urgent.into_iter().chain(others).min().map(i64::unsigned_abs))
}

fn last_number(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT COALESCE(MAX(delivery_seq), 0) FROM outbox", [], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}

fn mono_ms(now: Now) -> u64 {
    now.mono.0 / 1_000_000
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
