//! What the page reads of the past: the journal and the curves. The site's store is one; tests have their own.

use super::event_filter::EventFilter;
use super::problem::Problem;
use crate::record::Record;
use crate::store::{IncidentFigures, KeptIncident};
use futures_util::future::BoxFuture;
use rules::hazard::Hazard;
use rusqlite::{Connection, OptionalExtension as _, params};
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

/// What a filter found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    pub records: Vec<T>,
    /// `None` when all that was asked for was looked through.
    pub stopped: Option<Stopped>,
}

/// A filter that looked through as much as it may ([`LOOKED_THROUGH_MAX`]) and left entries aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// First and last entry looked at.
    pub from_seq: u64,
    pub to_seq: u64,
    /// What to ask for as `after_seq` to go on: forwards behind `to_seq`, from the newest backwards before `from_seq`.
    pub go_on_after: u64,
}

/// Headers of the answer that say so; the answer itself stays a list.
pub const SEARCHED_FROM: &str = "searched-from-seq";
pub const SEARCHED_TO: &str = "searched-to-seq";
pub const GO_ON_AFTER: &str = "continue-after-seq";

impl Stopped {
    /// As headers of an answer.
    #[must_use]
    pub fn headers(self) -> [(&'static str, String); 3] {
        [(SEARCHED_FROM, self.from_seq), (SEARCHED_TO, self.to_seq), (GO_ON_AFTER, self.go_on_after)]
            .map(|(name, seq)| (name, seq.to_string()))
    }

    /// Read back from those of an answer; `None` when all was looked through.
    pub fn of_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let seq = |name| header(name)?.parse().ok();
        Some(Self { from_seq: seq(SEARCHED_FROM)?, to_seq: seq(SEARCHED_TO)?, go_on_after: seq(GO_ON_AFTER)? })
    }
}

/// Reads of the past, off the runtime.
pub trait Archive: Send + Sync {
    /// Records after a number, or the newest ones; oldest first.
    fn records(&self, after_seq: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, Problem>>;
    /// Of those only the ones that fit.
    fn events(&self, filter: EventFilter) -> BoxFuture<'_, Result<Found<Record>, Problem>>;
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
    conn.prepare_cached(sql)?.query_map((number(after_seq), limit), |row| row.get(0))?.collect()
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
pub const LOOKED_THROUGH_MAX: u32 = 500_000;

/// As [`read_records`], only those that fit. Lists become JSON, so that the statement is the same whatever is asked.
/// # Errors
/// SQLite's.
pub fn read_events(conn: &Connection, filter: &EventFilter) -> rusqlite::Result<Found<String>> {
    read_within(conn, filter, LOOKED_THROUGH_MAX)
}

fn read_within(conn: &Connection, filter: &EventFilter, most: u32) -> rusqlite::Result<Found<String>> {
    let records = read_fitting(conn, filter, most)?;
    // A full answer says by itself where to go on.
    let full = records.len() >= filter.limit as usize;
    let stopped = if full { None } else { stopped(conn, filter.after_seq, most)? };
    Ok(Found { records, stopped })
}

/// Where a look through `most` entries ended, when there are more of them.
fn stopped(conn: &Connection, after_seq: Option<u64>, most: u32) -> rusqlite::Result<Option<Stopped>> {
    let order = if after_seq.is_some() { "ASC" } else { "DESC" };
    let nth = format!("SELECT seq FROM event WHERE seq > ?1 ORDER BY seq {order} LIMIT 1 OFFSET ?2");
    let mut nth = conn.prepare(&nth)?;
    let mut at = |n| nth.query_row(params![number(after_seq), n], |row| row.get::<_, i64>(0)).optional();
    let (Some(first), Some(last), Some(next)) = (at(0)?, at(most - 1)?, at(most)?) else { return Ok(None) };
    let [first, last, next] = [first, last, next].map(|seq| u64::try_from(seq).unwrap_or_default());
    Ok(Some(match after_seq {
        Some(_) => Stopped { from_seq: first, to_seq: last, go_on_after: last },
        None => Stopped { from_seq: last, to_seq: first, go_on_after: next.saturating_sub(most.into()) },
    }))
}

/// Numbers begin with 1; -1 is before all of them.
fn number(after_seq: Option<u64>) -> i64 {
    after_seq.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX))
}

fn read_fitting(conn: &Connection, filter: &EventFilter, most: u32) -> rusqlite::Result<Vec<String>> {
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
    let (kinds, priorities) = (json!(filter.kinds).to_string(), json!(filter.priorities).to_string());
    let asked = params![
        number(filter.after_seq),
        most,
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
            let found = read_events(&conn, &EventFilter { limit: filter.limit.max(2), ..filter }).unwrap();
            assert_eq!(found.stopped, None);
            found.records.iter().map(|row| serde_json::from_str::<Value>(row).unwrap()["n"].as_i64().unwrap()).collect()
        };
        let any = EventFilter::default;
        assert_eq!(found(EventFilter { kinds: vec!["alarm.raised", "operator.action"], ..any() }), [2, 4]);
        assert_eq!(found(EventFilter { kinds: vec!["alarm.raised"], after_seq: Some(0), ..any() }), [1, 2]);
        assert_eq!(found(EventFilter { point: Some("A".into()), limit: 9, ..any() }), [1, 2, 3, 5]);
        assert_eq!(found(EventFilter { alarm: Some("A:H".into()), ..any() }), [1, 5]);
        assert_eq!(found(EventFilter { priorities: vec![1], ..any() }), [1, 5]);
        assert_eq!(found(EventFilter { since_ms: Some(2000), until_ms: Some(4000), limit: 9, ..any() }), [2, 3, 4]);
    }

    #[test]
    fn a_filter_that_may_look_no_further_says_how_far_it_was_and_how_to_go_on() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE event(seq INTEGER PRIMARY KEY, kind TEXT, priority INTEGER, json TEXT);
             WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 25)
             INSERT INTO event SELECT seq, iif(seq = 3, 'alarm.raised', 'alarm.acked'), NULL, seq FROM n;",
        )
        .unwrap();
        let ask = |kind, after_seq, limit| {
            let filter = EventFilter { kinds: vec![kind], after_seq, limit, ..EventFilter::default() };
            let found = read_within(&conn, &filter, 10).unwrap();
            (found.records, found.stopped.map(|s| (s.from_seq, s.to_seq, s.go_on_after)))
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(ask("alarm.raised", None, 9), (none.clone(), Some((16, 25, 5))), "the ten newest");
        assert_eq!(ask("alarm.raised", Some(5), 9), (none.clone(), Some((6, 15, 15))), "the ten before them");
        assert_eq!(ask("alarm.raised", Some(0), 9), (vec!["3".to_owned()], Some((1, 10, 10))));
        assert_eq!(ask("alarm.raised", Some(15), 9), (none, None), "all there is was looked at");
        assert_eq!(ask("alarm.acked", Some(0), 2).1, None, "a full answer says by itself where to go on");
    }
}
