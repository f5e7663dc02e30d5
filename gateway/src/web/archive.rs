//! What the page reads of the past: the journal and the curves. The site's store is one; tests have their own.

use super::event_filter::EventFilter;
use super::problem::Problem;
use crate::record::Record;
use crate::store::{IncidentFigures, KeptIncident};
use futures_util::future::BoxFuture;
use rules::hazard::Hazard;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

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
    /// Of those only the ones that fit.
    fn events(&self, filter: EventFilter) -> BoxFuture<'_, Result<Vec<Record>, Problem>>;
    /// Hidden dangers that are over, the newest first.
    fn closed_hazards(&self, limit: u32) -> BoxFuture<'_, Result<Vec<Hazard>, Problem>>;
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

/// For [`Archive::closed_hazards`]; what cannot be read is left out, as at a start.
/// # Errors
/// SQLite's.
pub fn read_closed_hazards(conn: &Connection, limit: u32) -> rusqlite::Result<Vec<Hazard>> {
    let sql = "SELECT json FROM hazard WHERE NOT open ORDER BY rowid DESC LIMIT ?1";
    let mut query = conn.prepare_cached(sql)?;
    let rows: Vec<String> = query.query_map([limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(rows.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

/// Rows that a filter looks through, from the newest or from `after_seq` on: some seconds of reading, a year of a busy site.
const LOOKED_THROUGH_MAX: u32 = 500_000;

/// As [`read_records`], only those that fit. Lists become JSON, so that the statement is the same whatever is asked.
/// # Errors
/// SQLite's.
pub fn read_events(conn: &Connection, filter: &EventFilter) -> rusqlite::Result<Vec<String>> {
    let order = if filter.after_seq.is_some() { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT json FROM (SELECT seq, json FROM (SELECT seq, kind, priority, json FROM event WHERE seq > ?1 ORDER BY seq {order} LIMIT ?2) \
         WHERE (?3 = '[]' OR kind IN (SELECT value FROM json_each(?3))) \
         AND (?4 = '[]' OR priority IN (SELECT value FROM json_each(?4))) \
         AND (?5 IS NULL OR json_extract(json, '$.fact.alarm') = ?5) \
         AND (?6 IS NULL OR ?6 IN (json_extract(json, '$.fact.point'), json_extract(json, '$.bypassed_point'), \
              json_extract(json, '$.service_point'))) \
         AND (?7 IS NULL OR json_extract(json, '$.at.wall.utc_ms') >= ?7) \
         AND (?8 IS NULL OR json_extract(json, '$.at.wall.utc_ms') <= ?8) \
         ORDER BY seq {order} LIMIT ?9) ORDER BY seq"
    );
    let after = filter.after_seq.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let (kinds, priorities) = (json!(filter.kinds).to_string(), json!(filter.priorities).to_string());
    let asked = params![
        after,
        LOOKED_THROUGH_MAX,
        kinds,
        priorities,
        filter.alarm,
        filter.point,
        filter.since_ms,
        filter.until_ms,
        filter.limit
    ];
    conn.prepare(&sql)?.query_map(asked, |row| row.get(0))?.collect()
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

    #[test]
    fn a_filter_gives_the_newest_that_fit_and_the_newest_last() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE event(seq INTEGER PRIMARY KEY, kind TEXT, priority INTEGER, json TEXT)")
            .unwrap();
        let at = |ms: i64| json!({ "mono": 0, "wall": { "utc_ms": ms } });
        let rows = [
            ("alarm.raised", Some(1), json!({ "n": 1, "at": at(1000), "fact": { "alarm": "A:H", "point": "A" } })),
            ("alarm.raised", Some(3), json!({ "n": 2, "at": at(2000), "fact": { "alarm": "A:L", "point": "A" } })),
            ("point.bypassed", None, json!({ "n": 3, "at": at(3000), "bypassed_point": "A" })),
            ("operator.action", None, json!({ "n": 4, "at": at(4000), "user": "li" })),
            ("alarm.acked", Some(1), json!({ "n": 5, "at": at(5000), "fact": { "alarm": "A:H", "point": "A" } })),
        ];
        for (kind, priority, body) in rows {
            let row = params![kind, priority, body.to_string()];
            conn.execute("INSERT INTO event(kind, priority, json) VALUES (?1, ?2, ?3)", row).unwrap();
        }
        let found = |filter: EventFilter| -> Vec<i64> {
            let rows = read_events(&conn, &EventFilter { limit: filter.limit.max(2), ..filter }).unwrap();
            rows.iter().map(|row| serde_json::from_str::<Value>(row).unwrap()["n"].as_i64().unwrap()).collect()
        };
        let any = EventFilter::default;
        assert_eq!(found(EventFilter { kinds: vec!["alarm.raised", "operator.action"], ..any() }), [2, 4]);
        assert_eq!(found(EventFilter { kinds: vec!["alarm.raised"], after_seq: Some(0), ..any() }), [1, 2]);
        assert_eq!(found(EventFilter { point: Some("A".into()), limit: 9, ..any() }), [1, 2, 3, 5]);
        assert_eq!(found(EventFilter { alarm: Some("A:H".into()), ..any() }), [1, 5]);
        assert_eq!(found(EventFilter { priorities: vec![1], ..any() }), [1, 5]);
        assert_eq!(found(EventFilter { since_ms: Some(2000), until_ms: Some(4000), limit: 9, ..any() }), [2, 3, 4]);
    }
}
