//! What the page reads of the past: the journal and the curves. The site's store is one; tests have their own.

use super::problem::Problem;
use crate::record::Record;
use crate::store::{IncidentFigures, KeptIncident};
use futures_util::future::BoxFuture;
use rusqlite::Connection;
use serde_json::Value;

/// One column of a curve; a gap has no value and quality 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    pub t_ms: i64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub last: Option<f64>,
    pub quality: u8,
}

/// Reads of the past, off the runtime.
pub trait Archive: Send + Sync {
    /// Records after a number, or the newest ones; oldest first.
    fn records(&self, after_seq: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, Problem>>;
    /// A point's curve in at most `width` columns.
    fn history(&self, point: &str, from_ms: i64, to_ms: i64, width: u32)
    -> BoxFuture<'_, Result<Vec<Bucket>, Problem>>;
    /// What is kept around incidents, without frames, oldest first, and the counters.
    fn incidents(&self) -> (Vec<KeptIncident>, IncidentFigures);
    /// Those of a bus with their frames.
    fn incidents_of(&self, bus: &str) -> BoxFuture<'_, Result<Vec<Value>, Problem>>;
    /// The figures of the alarm system over a time.
    fn kpi(&self, span: crate::store::Span) -> BoxFuture<'_, Result<crate::kpi::Report, Problem>>;
}

/// The journal's rows for [`Archive::records`] out of the table `event(seq, json, …)`.
/// # Errors
/// SQLite's.
pub fn read_records(conn: &Connection, after_seq: Option<u64>, limit: u32) -> rusqlite::Result<Vec<String>> {
    let sql = match after_seq {
        Some(_) => "SELECT json FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        None => "SELECT json FROM (SELECT seq, json FROM event WHERE seq > ?1 ORDER BY seq DESC LIMIT ?2) ORDER BY seq",
    };
    let after = after_seq.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    conn.prepare_cached(sql)?.query_map((after, limit), |row| row.get(0))?.collect()
}

/// Rows as records; a row that cannot be read is an internal error, never left out.
/// # Errors
/// [`super::Kind::Internal`].
pub fn parse_records(rows: &[String]) -> Result<Vec<Record>, Problem> {
    rows.iter().map(|row| serde_json::from_str(row).map_err(|error| Problem::internal(&error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_records_come_oldest_first_and_later_ones_in_pages() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE event(seq INTEGER PRIMARY KEY, json TEXT)").unwrap();
        for seq in 1..=5 {
            conn.execute("INSERT INTO event VALUES (?1, ?1)", [seq]).unwrap();
        }
        assert_eq!(read_records(&conn, None, 2).unwrap(), ["4", "5"]);
        assert_eq!(read_records(&conn, Some(1), 2).unwrap(), ["2", "3"]);
        assert_eq!(read_records(&conn, Some(u64::MAX), 2).unwrap(), Vec::<String>::new());
        assert!(parse_records(&["{}".to_owned()]).is_err());
    }
}
