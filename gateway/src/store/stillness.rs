//! How long values had stood still when the site stopped, from its own history: what a start tells the rules about stuck values.
//!
//! Read once, from the newest sample back by half the longest window. What a point read while it was out of service counts no more than it
//! would have without a start. Owns that reading; what it means is the rules' to say.

use super::{Past, PastSample, RECORDS_FILE, Span, StoreError, open};
use crate::record::Record;
use rules::book::{Condition, Rule};
use rules::engine::Stillness;
use rules::{EventKind, RuleBook};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Samples read at most: a second or two of a small machine, also at 20,000 points. Beyond it a stuck value is found later, never sooner.
const SAMPLES_MAX: usize = 50_000_000;

/// Nothing where no rule asks for it or nothing can be read: a start never fails because of old data.
#[must_use]
pub fn stillness(dir: &Path, book: &RuleBook) -> Stillness {
    let Some(reach) = Stillness::reach(book) else { return Stillness::default() };
    let reach_ms = i64::try_from(reach.as_millis()).unwrap_or(i64::MAX);
    read(dir, book, reach_ms).unwrap_or_else(|error| {
        tracing::warn!(%error, "how long values stood still before this start cannot be read");
        Stillness::default()
    })
}

/// Points that came back into service, and when last. Of the newest events only, so that a start does not read years of them.
fn returned_to_service(dir: &Path) -> Result<BTreeMap<String, i64>, StoreError> {
    let conn = open::reader(&dir.join(RECORDS_FILE))?;
    let newest = "SELECT json FROM event WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM event) - 20000 \
                  AND kind = 'point.in_service' ORDER BY seq";
    let mut query = conn.prepare(newest)?;
    let mut rows = query.query([])?;
    let mut returned = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let record: Option<Record> = row.get_ref(0)?.as_str().ok().and_then(|json| serde_json::from_str(json).ok());
        let Some(event) = record.map(|r| r.event) else { continue };
        if let EventKind::InService { point, .. } = event.kind {
            returned.insert(point, event.at.wall.utc_ms);
        }
    }
    Ok(returned)
}

fn read(dir: &Path, book: &RuleBook, reach_ms: i64) -> Result<Stillness, StoreError> {
    let (past, mut still, mut count) = (Past::open(dir)?, Stillness::default(), 0);
    let Some(whole) = past.samples_span() else { return Ok(still) };
    let span = Span { from_ms: whole.to_ms.saturating_sub(reach_ms), to_ms: whole.to_ms };
    let stuck = |r: &&Rule| matches!(r.condition, Condition::Stuck { .. });
    let watched: BTreeSet<&str> = book.rules().iter().filter(stuck).map(|r| r.point.as_ref()).collect();
    let number = |key: &str| {
        let point = watched.get(key).and_then(|key| book.point_id(key))?;
        u32::try_from(point.index()).ok()
    };
    let returned = returned_to_service(dir)?;
    let served_from = |p: &rules::book::Point| returned.get(p.key.as_ref()).copied().unwrap_or(i64::MIN);
    let points: Vec<_> = book.points().iter().map(|p| (book.point_id(&p.key), served_from(p))).collect();
    let mut batch: Vec<PastSample> = Vec::new();
    for day in past.days(span) {
        past.samples(&day, span, &number, &mut batch, |samples| {
            count += samples.len();
            for s in samples.drain(..) {
                let Some((point, from_ms)) = points.get(s.point as usize).copied() else { continue };
                // The first value after a time-out and one of a test say nothing of whether it moved.
                let proves = s.utc_ms > from_ms && s.reading.proves_normal();
                if let Some((point, value)) = point.zip(s.reading.value()).filter(|_| proves) {
                    still.take(book, point, value, s.utc_ms);
                }
            }
            count <= SAMPLES_MAX
        })?;
    }
    if count > SAMPLES_MAX {
        // Cut short, the newest samples are missing: what they moved would be taken for still.
        tracing::warn!(
            count,
            "too many samples before this start to see what stood still: a stuck value is found half a window later"
        );
        return Ok(Stillness::default());
    }
    Ok(still)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site_from_text;
    use crate::store::tests::{chain, commit, options};
    use crate::store::{OpenOptions, Store, Workers};
    use rules::engine::{Engine, Input, Restored};
    use rules::hazard::Decision;
    use rules::{Finite, Mono, Now, Reading, Sample, Wall};
    use std::time::Duration;

    const SITE: &str = "[site]\nkey = 's'\nname = '站'\nname_en = 'site'\n[[area]]\nkey = 'A1'\nname = '区'\nname_en = 'area'\n\
        [[link]]\nkey = 'bus'\ntcp = '10.0.0.1:502'\n\
        [[device]]\nkey = 'D1'\nlink = 'bus'\nunit = 1\nprofile = 'tank-f32'\narea = 'A1'\n\
        [[point]]\nkey = 'LT-1'\nname = '液位'\nname_en = 'level'\ndevice = 'D1'\nfield = 'level_a'\nkind = 'level'\nrange = [0, 100]\n\
        stuck = { epsilon = 0.1, window_s = 600 }\n";
    const STOPPED_MS: i64 = 1_772_407_800_000;

    fn now(seconds: i64) -> Now {
        let mono = Mono(u64::try_from(100_000 + seconds).unwrap() * 1_000_000_000);
        Now { mono, wall: Wall::synced(STOPPED_MS + seconds * 1_000) }
    }

    fn put_in_service(store: &Store, seconds: i64) {
        let (role, terminal) = ("shift_leader".into(), String::new());
        let by = Decision { by: "li".into(), role, at: now(seconds), reason: "检修完毕".into(), terminal };
        let mut records = chain([EventKind::InService { point: "LT-1".into(), by }]);
        records[0].event.at = now(seconds);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(store.commit(commit(records))).unwrap();
    }

    /// What the first sample after a start, a minute after the stop, leads to: the value had moved so many seconds before the stop, and
    /// the point may have come back into service since.
    fn first_sample_after_a_start(moved_s: i64, served_s: Option<i64>) -> Vec<&'static str> {
        let (dir, site) = (tempfile::tempdir().unwrap(), site_from_text("t", SITE, |_| {}).value.unwrap());
        let point = site.book.point_id("LT-1").unwrap();
        let sample = |seconds: i64, value: f64| Sample {
            point,
            reading: Reading::Good(Finite::new(value).unwrap()),
            raw: rules::Raw::NONE,
            at: now(seconds),
        };
        let points = vec!["LT-1".into()];
        let (store, _) = Store::open(dir.path(), OpenOptions { points, ..options("boot-a", Workers::Inline) }).unwrap();
        for second in -400..=0 {
            store.append_samples(&[sample(second, if second < -moved_s { 20.0 } else { 50.0 })], true);
        }
        if let Some(served_s) = served_s {
            put_in_service(&store, -served_s);
        }
        drop(store);
        let restored = Restored { stillness: stillness(dir.path(), &site.book), ..Restored::default() };
        let mut engine = Engine::new(site.book.clone(), restored, now(60));
        let mut events = Vec::new();
        let device = site.book.device_id("D1").unwrap();
        let first = [sample(61, 50.0)];
        engine.handle(Input::Scan { device, answered: true, samples: &first }, now(61), &mut events);
        events.iter().map(|e| e.kind.name()).collect()
    }

    #[test]
    fn a_value_that_stood_still_before_the_stop_is_suspicious_at_once_and_one_that_moved_is_not() {
        assert_eq!(first_sample_after_a_start(290, None), ["alarm.pending_on"]);
        assert!(first_sample_after_a_start(60, None).is_empty());
        // without a file to read nothing is known, and nothing fails
        let site = site_from_text("t", SITE, |_| {}).value.unwrap();
        drop(stillness(Path::new("/nowhere"), &site.book));
    }

    #[test]
    fn what_a_point_read_while_it_was_out_of_service_is_not_still() {
        assert!(first_sample_after_a_start(290, Some(200)).is_empty());
        assert_eq!(first_sample_after_a_start(280, Some(290)), ["alarm.pending_on"]);
    }

    #[test]
    fn half_the_window_is_read_and_nothing_without_such_a_rule() {
        let site = site_from_text("t", SITE, |_| {}).value.unwrap();
        assert_eq!(Stillness::reach(&site.book), Some(Duration::from_secs(300)));
        let without = SITE.replace("stuck = { epsilon = 0.1, window_s = 600 }", "");
        assert_eq!(Stillness::reach(&site_from_text("t", &without, |_| {}).value.unwrap().book), None);
    }
}
