//! The store as its readers see it: the page's archive, the account tables, the InfluxDB writer's source.

use super::{HistoryCursor, IncidentFigures, KeptIncident, Past, Span, Store, StoreError, StoredBatch, Workers, open};
use crate::influx::line::SeriesSample;
use crate::influx::writer::{Batch, BatchOf, Source};
use crate::kpi;
use crate::record::Record;
use crate::web::archive::{Found, parse_records, read_closed_hazards, read_events, read_records};
use crate::web::{AccountDb, Archive, Bucket, CommitMark, DbJob, EventFilter, Problem};
use futures_util::future::BoxFuture;
use rules::hazard::Hazard;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// Blocks the InfluxDB writer takes at once: a minute of one-second commits.
const BLOCKS_AT_ONCE: u32 = 60;
/// The kernel stamps a file in steps of a clock tick, 10 ms at most: a younger one may be written again under the same stamp.
const STAMP_SETTLED_MS: u64 = 100;
/// Lines that the database will never take: kept up to so many, the oldest go first.
const DEAD_LETTERS_MAX: i64 = 100_000;
const CURSOR_NAME: &str = "influx";

impl Archive for Store {
    fn records(&self, after_seq: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, Problem>> {
        Box::pin(async move {
            let rows = self.read(move |conn| read_records(conn, after_seq, limit)).await.map_err(internal)?;
            parse_records(&rows)
        })
    }

    /// On a connection of its own, as [`Self::kpi`].
    fn events(&self, filter: EventFilter) -> BoxFuture<'_, Result<Found<Record>, Problem>> {
        let file = self.path.clone();
        Box::pin(async move {
            let read = move || Ok(read_events(&open::reader(&file)?, &filter)?);
            let Found { records, stopped } = self.apart(read).await.and_then(|found| found).map_err(internal)?;
            Ok(Found { records: parse_records(&records)?, stopped })
        })
    }

    fn closed_hazards(&self, limit: u32) -> BoxFuture<'_, Result<Vec<Hazard>, Problem>> {
        Box::pin(async move { self.read(move |conn| read_closed_hazards(conn, limit)).await.map_err(internal) })
    }

    fn history(
        &self,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        width: u32,
    ) -> BoxFuture<'_, Result<Vec<Bucket>, Problem>> {
        let (history, point) = (self.history.clone(), point.to_owned());
        Box::pin(async move {
            let read = move || columns(&history.range(&point, from_ms, to_ms), from_ms, to_ms, width);
            self.apart(read).await.map_err(internal)
        })
    }

    fn incidents(&self) -> (Vec<KeptIncident>, IncidentFigures) {
        (self.incidents.list(), self.incidents.figures())
    }

    fn incidents_of(&self, bus: &str) -> BoxFuture<'_, Result<Vec<Value>, Problem>> {
        let (files, bus) = (self.incidents.clone(), bus.to_owned());
        Box::pin(async move { self.apart(move || files.read(&bus)).await.map_err(internal) })
    }

    /// On a connection of its own: a year of events takes a second, and the page's other reads do not wait for it.
    fn kpi(&self, span: Span) -> BoxFuture<'_, Result<kpi::Report, Problem>> {
        let dir = self.path.parent().map(Path::to_path_buf).unwrap_or_default();
        Box::pin(async move {
            let read = move || kpi::of_folder(&Past::open(&dir)?, span);
            self.apart(read).await.and_then(|report| report).map_err(internal)
        })
    }
}

fn internal(error: StoreError) -> Problem {
    Problem::internal(&error)
}

/// Downsamples to at most `width` columns with first-come extremes; bad samples make a column without a value.
fn columns(samples: &[super::history::Stored], from_ms: i64, to_ms: i64, width: u32) -> Vec<Bucket> {
    let width = i64::from(width.max(1));
    let step = ((to_ms - from_ms) / width).max(1);
    let mut found: Vec<Bucket> = Vec::new();
    for group in samples.chunk_by(|a, b| (a.utc_ms - from_ms) / step == (b.utc_ms - from_ms) / step) {
        let values: Vec<f64> = group.iter().filter_map(|s| s.value).collect();
        let last = group.last().expect("a group has at least one sample");
        found.push(Bucket {
            t_ms: last.utc_ms,
            min: values.iter().copied().reduce(f64::min),
            max: values.iter().copied().reduce(f64::max),
            last: last.value,
            quality: group.iter().map(|s| s.quality).max().unwrap_or(2),
        });
    }
    found
}

impl AccountDb for Store {
    fn run(&self, job: DbJob) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            match self.write(move |tx| job(tx)).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(%error, "account tables");
                    false
                }
            }
        })
    }

    /// Of the write-ahead log: a commit of any process is appended there. A simulation's clock is not that of its files.
    fn mark(&self) -> Option<CommitMark> {
        let log =
            std::fs::metadata(self.path.with_extension("db-wal")).ok().filter(|_| self.workers == Workers::Threads)?;
        let written = log.modified().ok()?;
        let written_ms = written.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
        let age_ms = i64::try_from(written_ms).ok()?.abs_diff(self.clock.now().wall.utc_ms);
        (age_ms > STAMP_SETTLED_MS).then_some(CommitMark(log.len(), written))
    }
}

impl Source for Store {
    type Item = SeriesSample;
    type Cursor = HistoryCursor;

    async fn after(&self, cursor: &HistoryCursor) -> Option<BatchOf<Self>> {
        let StoredBatch { samples, next, more } = self.samples_after(cursor.clone(), BLOCKS_AT_ONCE).await?;
        let all = samples.len();
        let known = samples.into_iter().filter_map(|s| {
            Some(SeriesSample { point: s.point?, utc_ms: s.utc_ms, value: s.value, quality: s.quality })
        });
        let samples: Vec<SeriesSample> = known.collect();
        let unknown_points = (all - samples.len()) as u64;
        Some(Batch { items: samples, unknown_points, next, more })
    }

    async fn load(&self) -> HistoryCursor {
        load_cursor(self, CURSOR_NAME).await
    }

    async fn save(&self, cursor: &HistoryCursor) -> bool {
        save_cursor(self, CURSOR_NAME, cursor).await
    }

    async fn set_aside(&self, line: String, reason: String) -> bool {
        set_aside(self, line, reason).await
    }
}

/// The position of a sink; the beginning when there is none or it cannot be read: sending again changes nothing.
pub(super) async fn load_cursor<C: DeserializeOwned + Default>(store: &Store, name: &'static str) -> C {
    let sql = "SELECT json FROM cursor WHERE name = ?1";
    let text = store.read(move |conn| conn.query_row(sql, [name], |r| r.get::<_, String>(0)).optional());
    text.await.ok().flatten().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

pub(super) async fn save_cursor<C: Serialize>(store: &Store, name: &'static str, cursor: &C) -> bool {
    let Ok(text) = serde_json::to_string(cursor) else { return false };
    let sql = "INSERT OR REPLACE INTO cursor VALUES (?1, ?2)";
    store.write(move |tx| tx.execute(sql, [name, text.as_str()])).await.is_ok()
}

pub(super) async fn set_aside(store: &Store, line: String, reason: String) -> bool {
    let at_ms = store.clock.now().wall.utc_ms;
    store
        .write(move |tx| {
            tx.execute(
                "INSERT INTO dead_letter(at_ms, line, reason) VALUES (?1, ?2, ?3)",
                params![at_ms, line, reason],
            )?;
            tx.execute("DELETE FROM dead_letter WHERE id <= (SELECT MAX(id) FROM dead_letter) - ?1", [DEAD_LETTERS_MAX])
        })
        .await
        .is_ok()
}
