//! Opening records.db. Old data never hinder a start: a damaged file is renamed, what can be read of it is copied, and both are said.

use super::{StoreError, schema};
use rules::Text;
use rusqlite::{Connection, OpenFlags};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the store is told at start.
#[derive(Clone)]
pub struct OpenOptions {
    /// Point keys in the rule book's order.
    pub points: Vec<Text>,
    pub commit_interval: Duration,
    pub max_bytes: u64,
    /// Label for files that are set aside: UTC, such as `20261124T021500Z`.
    pub now_label: String,
    /// The kernel's boot id: tells whether monotonic times of before are comparable.
    pub kernel_boot_id: String,
    /// Measures the group commit.
    pub clock: std::sync::Arc<dyn rules::Clock>,
    pub workers: Workers,
}

/// Who does the store's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// Writer threads of its own, the runtime's blocking pool for reading; every commit reaches the disk. The daemon.
    Threads,
    /// The calling task, at once, without waiting for the disk. Only for a simulation under virtual time: while another thread
    /// works, virtual time would run on by itself, and two runs of one seed would differ.
    Inline,
}

impl Workers {
    pub(super) const fn synchronous(self) -> &'static str {
        match self {
            Self::Threads => "FULL",
            Self::Inline => "OFF",
        }
    }
}

/// The command line waits so long for a running gateway's transaction; one takes milliseconds, a stalled disk seconds.
const BESIDE_WAIT: Duration = Duration::from_secs(10);

/// Tables worth saving, with the columns both files have.
const SALVAGED: [&str; 11] = [
    "event",
    "alarm_state",
    "hazard",
    "outbox",
    "user",
    "session",
    "cursor",
    "dead_letter",
    "meta",
    "operator_note",
    "rule_book",
];

pub(super) fn records(path: &Path, label: &str) -> Result<(Connection, Option<String>), StoreError> {
    database(path, label, schema::prepare, &SALVAGED)
}

/// Makes or brings forward the tables of one file.
pub(super) type Prepare = fn(&mut Connection, &Path) -> Result<(), StoreError>;

/// Opens a file of this program; a damaged one is set aside and what can be read of `salvaged` is copied.
pub(super) fn database(
    path: &Path,
    label: &str,
    prepare: Prepare,
    salvaged: &[&str],
) -> Result<(Connection, Option<String>), StoreError> {
    make_private(path).map_err(|error| StoreError::Io(path.into(), error))?;
    match open_checked(path, prepare) {
        Ok(conn) => Ok((conn, None)),
        Err(newer @ StoreError::NewerVersion(..)) => Err(newer),
        Err(StoreError::Sqlite(error)) if path.exists() && is_damage(&error) => {
            let aside = set_aside(path, label)?;
            let mut conn = open_checked(path, prepare)?;
            let rows = salvage(&mut conn, &aside, salvaged);
            let what = format!("{} ({error}): {rows} rows salvaged", aside.display());
            Ok((conn, Some(what)))
        }
        Err(other) => Err(other),
    }
}

/// For the command line, also beside a running gateway: waits for its transactions, makes the file (owner only) when there is none.
pub(super) fn beside(path: &Path, prepare: Prepare) -> Result<Connection, StoreError> {
    make_private(path).map_err(|e| StoreError::Io(path.into(), e))?;
    let mut conn = Connection::open(path)?;
    conn.busy_timeout(BESIDE_WAIT)?;
    prepare(&mut conn, path)?;
    Ok(conn)
}

/// An empty file is an empty database; SQLite gives its companions the same mode and owner. Root hands it to the folder's owner,
/// or the daemon could not write what the command line made.
fn make_private(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let owner = std::fs::metadata(folder)?;
            if rustix::process::geteuid().is_root() && owner.uid() != 0 {
                std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))?;
            }
            Ok(())
        }
    }
}

/// A second connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(2))?;
    Ok(conn)
}

/// Whoever still reads is waited for no longer than this; a stop has a limit of its own.
const SETTLE_WAIT: Duration = Duration::from_secs(1);

/// Brings what the write-ahead log holds into the file itself and empties the log: at the end of a run, so that the file alone is whole.
/// SQLite does it by itself only where the last connection may write, and ours that read are open to the end.
pub(super) fn settle(conn: &Connection) {
    let _ = conn.busy_timeout(SETTLE_WAIT);
    match conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)) {
        Ok(0) => {}
        Ok(_) => tracing::warn!(file = conn.path(), "somebody still reads: the newest entries stay in the -wal file"),
        Err(error) => tracing::warn!(%error, file = conn.path(), "the newest entries stay in the -wal file"),
    }
}

fn open_checked(path: &Path, prepare: Prepare) -> Result<Connection, StoreError> {
    let mut conn = Connection::open(path)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    prepare(&mut conn, path)?;
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(code, Some(verdict)).into());
    }
    Ok(conn)
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}

/// Renames the file and its companions; returns the new name of the file itself.
fn set_aside(path: &Path, label: &str) -> Result<PathBuf, StoreError> {
    let name = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let aside = name(&format!(".corrupt-{label}"));
    std::fs::rename(path, &aside).map_err(|e| StoreError::Io(path.into(), e))?;
    for companion in ["-wal", "-shm"] {
        let from = name(companion);
        if from.exists() {
            let to = PathBuf::from(format!("{}{companion}", aside.display()));
            std::fs::rename(&from, to).map_err(|e| StoreError::Io(from.clone(), e))?;
        }
    }
    Ok(aside)
}

/// Copies row by row until the damage; good rows behind a bad one of another table survive.
fn salvage(conn: &mut Connection, aside: &Path, tables: &[&str]) -> u64 {
    let Ok(old) = Connection::open_with_flags(aside, OpenFlags::SQLITE_OPEN_READ_ONLY) else { return 0 };
    tables.iter().map(|table| copy_table(&old, conn, table).unwrap_or(0)).sum()
}

fn copy_table(old: &Connection, new: &mut Connection, table: &str) -> rusqlite::Result<u64> {
    let tx = new.transaction()?;
    let mut copied = 0;
    {
        let mut select = old.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = select.column_count();
        // By name: the damaged file may be of an earlier version with fewer columns.
        let names: Vec<String> = select.column_names().map(|name| format!("\"{name}\"")).collect();
        let (names, marks) = (names.join(","), vec!["?"; columns].join(","));
        let mut insert = tx.prepare(&format!("INSERT OR IGNORE INTO {table}({names}) VALUES ({marks})"))?;
        let mut rows = select.query([])?;
        while let Ok(Some(row)) = rows.next() {
            let values: rusqlite::Result<Vec<rusqlite::types::Value>> = (0..columns).map(|i| row.get(i)).collect();
            if let Ok(values) = values {
                copied += insert.execute(rusqlite::params_from_iter(values))? as u64;
            }
        }
    }
    tx.commit()?;
    Ok(copied)
}
