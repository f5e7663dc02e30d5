//! How the alarm system serves its people: the figures of EEMUA 191 and ISA-18.2 from the journal, each beside the standard's target.
//!
//! Owns counting and targets. Leaves reading the journal to `store::Past`, words on the screen to `cli` and the page.
//! Drills are never counted. An alarm counts when it calls for a person (`EventKind::annunciates`).

mod count;
mod figure;
#[cfg(test)]
mod tests;

pub use count::{AlarmShare, DayCount, FloodSpan, Standing};
pub use figure::Figure;

use crate::store::{Past, Span, StoreError};
use count::Counts;
use rules::Event;
use schemars::JsonSchema;
use serde::Serialize;

/// Everything about one time.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Report {
    pub from: String,
    pub to: String,
    /// What of it was watched; rates are reckoned from it.
    pub recorded_ms: i64,
    /// Alarms that called for a person.
    pub alarms: u64,
    pub figures: Vec<Figure>,
    /// The ten most frequent, most first.
    pub top: Vec<AlarmShare>,
    /// Three raises within a minute, or found so by the engine.
    pub chattering: Vec<AlarmShare>,
    /// Active for more than a day, longest first.
    pub standing: Vec<Standing>,
    pub floods: Vec<FloodSpan>,
    /// By day of the site.
    pub days: Vec<DayCount>,
}

/// The report over a span from events in the order of the journal; those before the span tell what stood when it began.
pub fn report<'a>(events: impl IntoIterator<Item = &'a Event>, span: Span) -> Report {
    let mut counts = Counts::new(span);
    for event in events {
        counts.take(event);
    }
    counts.report()
}

/// The same from a data folder.
/// # Errors
/// The journal cannot be read.
pub fn of_folder(past: &Past, span: Span) -> Result<Report, StoreError> {
    let mut counts = Counts::new(span);
    past.records(counts_it, |record| counts.take(&record.event))?;
    Ok(counts.report())
}

/// Names of events that the figures rest on.
fn counts_it(name: &str) -> bool {
    matches!(
        name,
        "system.started"
            | "alarm.raised"
            | "alarm.realarm"
            | "alarm.shelf_expired"
            | "alarm.returned"
            | "alarm.cleared"
            | "alarm.acked"
            | "alarm.shelved"
            | "alarm.unshelved"
            | "point.out_of_service"
            | "alarm.chatter_start"
            | "alarm.shadow_raised"
            | "alarm.shadow_returned"
            | "flood.started"
            | "flood.ended"
    )
}

/// Shorter than this nothing is said of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
