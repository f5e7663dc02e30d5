//! The journal's alarm transitions as the InfluxDB writer reads them.
//!
//! Owns the query and the cursor. A row that cannot be read is left out: the curve lacks a mark, the journal still has the event.

use super::Store;
use super::web_side::{load_cursor, save_cursor, set_aside};
use crate::influx::writer::{Batch, BatchOf, Source};
use crate::record::Record;

/// Events looked at in one turn; a flood of a thousand is one request.
const EVENTS_AT_ONCE: u16 = 1000;
const CURSOR_NAME: &str = "influx_alarm";

/// Alarm transitions in the order of the journal.
#[derive(Clone, Debug)]
pub struct Transitions(pub Store);

impl Source for Transitions {
    type Item = Record;
    /// Number of the last event looked at.
    type Cursor = u64;

    async fn after(&self, cursor: &u64) -> Option<BatchOf<Self>> {
        let after = i64::try_from(*cursor).unwrap_or(i64::MAX);
        let rows = self.0.read(move |conn| {
            let mut query = conn.prepare_cached(
                "SELECT seq, CASE WHEN kind LIKE 'alarm.%' THEN json END FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let rows = query.query_map((after, EVENTS_AT_ONCE), |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<(i64, Option<String>)>>>()
        });
        let rows = rows.await.ok()?;
        let next = rows.last()?.0.unsigned_abs();
        let more = rows.len() == usize::from(EVENTS_AT_ONCE);
        let items = rows.iter().filter_map(|(_, json)| serde_json::from_str(json.as_ref()?).ok()).collect();
        Some(Batch { items, unknown_points: 0, next, more })
    }

    async fn load(&self) -> u64 {
        load_cursor(&self.0, CURSOR_NAME).await
    }

    async fn save(&self, cursor: &u64) -> bool {
        save_cursor(&self.0, CURSOR_NAME, cursor).await
    }

    async fn set_aside(&self, line: String, reason: String) -> bool {
        set_aside(&self.0, line, reason).await
    }
}
