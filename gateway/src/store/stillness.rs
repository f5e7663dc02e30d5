//! How long values had stood still when the site stopped, from its own history: what a start tells the rules about stuck values.
//!
//! Read once, from the newest sample back by half the longest window. Owns that reading; what it means is the rules' to say.

use super::{Past, PastSample, Span, StoreError};
use rules::RuleBook;
use rules::engine::Stillness;
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

fn read(dir: &Path, book: &RuleBook, reach_ms: i64) -> Result<Stillness, StoreError> {
    let (past, mut still, mut count) = (Past::open(dir)?, Stillness::default(), 0);
    let Some(whole) = past.samples_span() else { return Ok(still) };
    let span = Span { from_ms: whole.to_ms.saturating_sub(reach_ms), to_ms: whole.to_ms };
    let number = |key: &str| book.point_id(key).and_then(|p| u32::try_from(p.index()).ok());
    let points: Vec<_> = book.points().iter().map(|p| book.point_id(&p.key)).collect();
    let mut batch: Vec<PastSample> = Vec::new();
    for day in past.days(span) {
        past.samples(&day, span, &number, &mut batch, |samples| {
            count += samples.len();
            for s in samples.drain(..) {
                let point = points.get(s.point as usize).copied().flatten();
                if let Some((point, value)) = point.zip(s.reading.value()) {
                    still.take(book, point, value, s.utc_ms);
                }
            }
            count <= SAMPLES_MAX
        })?;
    }
    // Cut short, the newest samples are missing: what they moved would be taken for still.
    Ok(if count <= SAMPLES_MAX { still } else { Stillness::default() })
}
