//! One transaction per turn of the core, and what a start finds.

use super::{Found, GENESIS, KeptBook, UncleanEnd, books};
use crate::record::Record;
use rules::hazard::Hazard;
use rules::{AlarmState, BootSince, Event, EventKind, Restored, UnitMode};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Of what no person waits for.
const LOWEST: u8 = 4;

/// Events, the states they lead to, and what a restart must know.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    pub records: Vec<Record>,
    /// Priorities, by journal number, of events that are no alarm's: a candidate weighs what its risk weighs. 4 where there is none.
    pub priorities: BTreeMap<u64, u8>,
    pub alarms: Vec<AlarmState>,
    /// These are all there are.
    pub all: bool,
    /// Keys of alarms that the configuration no longer has.
    pub gone: Vec<String>,
    pub hazards: Vec<Hazard>,
    pub next_hazard: u64,
    /// Units of the plant whose mode changed; with `all`, of every unit there is.
    pub modes: Vec<UnitMode>,
    /// The rules that an entry among `records` puts in force.
    pub book: Option<KeptBook>,
    /// The boot of the machine that begins with these records: `alarms` and `hazards` then hold all there are, on its clock.
    pub boot: Option<NewBoot>,
}

fn number(n: u64) -> i64 {
    i64::try_from(n).expect("journal numbers stay far below 2^63")
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("stored types are finite numbers and texts only")
}

pub(super) fn write(tx: &Transaction<'_>, commit: &Commit) -> rusqlite::Result<()> {
    for record in &commit.records {
        let other = commit.priorities.get(&record.event.seq).copied().unwrap_or(LOWEST);
        write_record(tx, record, other)?;
        if let EventKind::Started { config_hash: hash, .. } | EventKind::ConfigChanged { new_hash: hash, .. } =
            &record.event.kind
        {
            set_meta(tx, CONFIG_HASH, hash)?;
            if let Some(book) = &commit.book {
                books::keep(tx, number(record.event.seq), book)?;
            }
        }
    }
    if commit.all {
        tx.execute("DELETE FROM alarm_state", [])?;
    }
    for alarm in &commit.alarms {
        tx.prepare_cached("INSERT OR REPLACE INTO alarm_state VALUES (?1, ?2)")?
            .execute(params![alarm.key, json(alarm)])?;
    }
    for key in &commit.gone {
        tx.execute("DELETE FROM alarm_state WHERE key = ?1", [key])?;
    }
    for hazard in &commit.hazards {
        let open = hazard.stage.is_open();
        tx.execute("INSERT OR REPLACE INTO hazard VALUES (?1, ?2, ?3)", params![hazard.id, json(hazard), open])?;
        if !open {
            tx.execute(FORGET_OVER, [OVER_MAX])?;
        }
    }
    if commit.all {
        tx.execute("DELETE FROM meta WHERE key LIKE 'mode.%'", [])?;
    }
    for mode in &commit.modes {
        set_meta(tx, &format!("{MODE}{}", mode.unit), &json(mode))?;
    }
    if let (Some(boot), Some(first)) = (&commit.boot, commit.records.first()) {
        begin_boot(tx, boot, first.event.seq)?;
    }
    set_meta(tx, "next_hazard", &commit.next_hazard.to_string())
}

/// Records that are over and listed; all of them are in the journal.
const OVER_MAX: u32 = 10_000;
const FORGET_OVER: &str = "DELETE FROM hazard WHERE NOT open AND rowid <= \
     (SELECT rowid FROM hazard WHERE NOT open ORDER BY rowid DESC LIMIT 1 OFFSET ?1)";
/// The newest closed ones, oldest first, so that a repeat is known: a row goes behind all others with each write.
const CLOSED: &str = "SELECT id, json FROM (SELECT rowid AS n, id, json FROM hazard WHERE NOT open AND json LIKE '%\"stage\":\"closed\"%' \
     ORDER BY n DESC LIMIT 1024) ORDER BY n";

fn write_record(tx: &Transaction<'_>, record: &Record, other: u8) -> rusqlite::Result<()> {
    // A commit whose answer was lost is written again; what is there already stays.
    let seq = number(record.event.seq);
    let stored =
        tx.prepare_cached("SELECT hash FROM event WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()?;
    if stored.is_some_and(|hash: String| hash == record.hash) {
        return Ok(());
    }
    let priority = record.event.kind.fact().map_or(other, |f| f.priority);
    tx.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
        seq,
        record.delivery_seq.map(number),
        record.event_id,
        record.event.kind.name(),
        priority,
        json(record),
        record.hash,
        record.prev_hash
    ])?;
    match record.event.kind {
        EventKind::FloodStarted { .. } => set_meta(tx, FLOOD, &seq.to_string())?,
        EventKind::FloodEnded { .. } => set_meta(tx, FLOOD, "0")?,
        _ => {}
    }
    if let Some(seq) = record.delivery_seq {
        tx.prepare_cached("INSERT INTO outbox(delivery_seq, event_id, priority) VALUES (?1, ?2, ?3)")?
            .execute(params![number(seq), record.event_id, priority])?;
    }
    Ok(())
}

pub(super) fn set_meta(tx: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value]).map(|_| ())
}

pub(super) fn meta(conn: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    conn.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

/// Key in `meta` of the wall time at which the gateway last said that it watches.
const ALIVE: &str = "alive_utc_ms";

/// Key of the latest wall time ever seen: a clock behind it at a start proves nothing of what is hidden.
const WALL_MARK: &str = "wall_mark_utc_ms";

/// Says that the gateway watches: a start then knows for how long nobody did. The mark only grows, unless the clock has run behind it for
/// longer than anything may be hidden (`lower`): what a wrong date of long ago had hidden is over by then.
pub(super) fn mark_alive(tx: &Transaction<'_>, utc_ms: i64, lower: bool) -> rusqlite::Result<i64> {
    set_meta(tx, ALIVE, &utc_ms.to_string())?;
    let mark = wall_mark(tx)?.filter(|_| !lower).map_or(utc_ms, |mark| mark.max(utc_ms));
    set_meta(tx, WALL_MARK, &mark.to_string())?;
    Ok(mark)
}

fn wall_mark(conn: &Connection) -> rusqlite::Result<Option<i64>> {
    Ok(meta(conn, WALL_MARK)?.and_then(|v| v.parse().ok()))
}

/// Rows that cannot be read are left out: an alarm then raises again, which is the safe side.
fn rows<T: DeserializeOwned>(conn: &Connection, sql: &str) -> rusqlite::Result<Vec<T>> {
    let mut query = conn.prepare(sql)?;
    let texts: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

/// The newest closed records and the open ones, and the ids of those that cannot be read: nothing would open them again.
fn hazards(conn: &Connection) -> rusqlite::Result<(Vec<Hazard>, Vec<String>)> {
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    for sql in [CLOSED, "SELECT id, json FROM hazard WHERE open ORDER BY rowid"] {
        let mut query = conn.prepare(sql)?;
        let found: Vec<(String, String)> =
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        for (id, text) in found {
            serde_json::from_str(&text).map_or_else(|_| unread.push(id), |hazard| read.push(hazard));
        }
    }
    Ok((read, unread))
}

/// Key in `meta` of the configuration that was in force last.
const CONFIG_HASH: &str = "config_hash";
/// Key of a unit's mode in `meta`.
const MODE: &str = "mode.";

fn modes(conn: &Connection) -> rusqlite::Result<Vec<UnitMode>> {
    let mut query = conn.prepare("SELECT key, value FROM meta WHERE key LIKE 'mode.%' ORDER BY key")?;
    let rows: Vec<(String, String)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let mode = |(key, value): &(String, String)| mode_of(key.strip_prefix(MODE)?, value);
    Ok(rows.iter().filter_map(mode).collect())
}

/// A row of an older version is the mode alone: that it was a person's is the better guess, since a signal says its own soon.
fn mode_of(unit: &str, value: &str) -> Option<UnitMode> {
    let alone = || Some(UnitMode { unit: unit.to_owned(), mode: serde_json::from_str(value).ok()?, measured: false });
    serde_json::from_str(value).ok().or_else(alone)
}

/// Newest annunciations, oldest first: the flood window is rebuilt from them. Of the newest events only, so that a start does not read
/// years of them; a window of ten minutes holds far fewer.
const RECENT: &str = "SELECT json FROM (SELECT seq, json FROM event \
     WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM event) - 20000 AND kind IN \
     ('alarm.raised', 'alarm.realarm', 'alarm.shelf_expired', 'flood.started', 'flood.ended') \
     ORDER BY seq DESC LIMIT 4096) ORDER BY seq";
/// Key in `meta` of the event that began the flood that is on.
const FLOOD: &str = "flood_since_seq";

/// The flood that is on comes first, however many alarms came since.
fn recent(conn: &Connection) -> rusqlite::Result<Vec<Event>> {
    let begun = "SELECT json FROM event WHERE kind = 'flood.started' AND seq = \
         (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'flood_since_seq')";
    let mut events: Vec<Event> = Vec::new();
    for record in rows::<Record>(conn, begun)?.into_iter().chain(rows::<Record>(conn, RECENT)?) {
        if events.first().is_none_or(|first| first.seq != record.event.seq) {
            events.push(record.event);
        }
    }
    events.sort_by_key(|event| event.seq);
    Ok(events)
}

/// Keys in `meta`: the kernel's id of the newest boot, the number that its first event has, and the wall mark before it.
const KERNEL_BOOT: &str = "kernel_boot_id";
const BOOT_SEQ: &str = "boot_since_seq";
const BOOT_WALL_MARK: &str = "boot_wall_mark_utc_ms";

/// A boot of the machine of which the records have nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBoot {
    kernel_boot_id: String,
    /// The latest wall time ever seen before it.
    wall_mark_utc_ms: Option<i64>,
}

fn begin_boot(tx: &Transaction<'_>, boot: &NewBoot, first_seq: u64) -> rusqlite::Result<()> {
    set_meta(tx, KERNEL_BOOT, &boot.kernel_boot_id)?;
    set_meta(tx, BOOT_SEQ, &first_seq.to_string())?;
    set_meta(tx, BOOT_WALL_MARK, &boot.wall_mark_utc_ms.map_or_else(String::new, |mark| mark.to_string()))
}

/// The boot of the machine, if it is still the one of the newest events. One that has left no event has left no times either.
fn boot_since(conn: &Connection, kernel_boot_id: &str) -> rusqlite::Result<Option<BootSince>> {
    let known = meta(conn, KERNEL_BOOT)?.filter(|known| !kernel_boot_id.is_empty() && known == kernel_boot_id);
    let since = meta(conn, BOOT_SEQ)?.and_then(|seq| seq.parse::<u64>().ok());
    let Some(since) = since.filter(|_| known.is_some()) else { return Ok(None) };
    let wall_mark_utc_ms = meta(conn, BOOT_WALL_MARK)?.and_then(|mark| mark.parse().ok());
    let first = rows::<Record>(conn, &format!("SELECT json FROM event WHERE seq >= {since} ORDER BY seq LIMIT 1"))?;
    let begun = |record: &Record| BootSince { seq: since, at: record.event.at, wall_mark_utc_ms };
    Ok(first.first().map(begun))
}

pub(super) fn load(conn: &mut Connection, kernel_boot_id: &str) -> rusqlite::Result<Found> {
    let last: Option<(i64, String, String)> = conn
        .query_row("SELECT seq, hash, json FROM event ORDER BY seq DESC LIMIT 1", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .optional()?;
    let in_order = "SELECT kind = 'system.stopped' FROM event ORDER BY seq DESC LIMIT 1";
    let in_order: Option<bool> = conn.query_row(in_order, [], |row| row.get(0)).optional()?;
    let delivered: i64 = conn.query_row("SELECT COALESCE(MAX(delivery_seq), 0) FROM event", [], |row| row.get(0))?;
    let next_seq = last.as_ref().map_or(1, |(seq, ..)| seq.unsigned_abs() + 1);
    let next_hazard = meta(conn, "next_hazard")?.and_then(|v| v.parse().ok()).unwrap_or(1);
    let last_record = last.as_ref().and_then(|(_, _, text)| serde_json::from_str::<Record>(text).ok());
    let alive_utc_ms = meta(conn, ALIVE)?.and_then(|v| v.parse().ok());
    let last_utc_ms = last_record.map(|r| r.event.at.wall.utc_ms).max(alive_utc_ms);
    let (hazards, unread_hazards) = hazards(conn)?;
    let wall_mark_utc_ms = wall_mark(conn)?.max(last_utc_ms);
    let restored = Restored {
        next_seq,
        next_hazard,
        alarms: rows(conn, "SELECT json FROM alarm_state ORDER BY key")?,
        hazards,
        boot: boot_since(conn, kernel_boot_id)?,
        wall_mark_utc_ms,
        modes: modes(conn)?,
        recent: recent(conn)?,
        stillness: rules::engine::Stillness::default(),
    };
    let new_boot =
        restored.boot.is_none().then(|| NewBoot { kernel_boot_id: kernel_boot_id.to_owned(), wall_mark_utc_ms });
    Ok(Found {
        restored,
        chain_head: last.map_or_else(|| GENESIS.to_owned(), |(_, hash, _)| hash),
        next_delivery: delivered.unsigned_abs() + 1,
        last_utc_ms,
        config_hash: meta(conn, CONFIG_HASH)?,
        new_boot,
        salvaged: None,
        unread_hazards,
        unclean_end: in_order.filter(|yes| !yes).map(|_| UncleanEnd::default()),
    })
}
