//! Recorded samples through the live rules, and through others.
//!
//! ```text
//!   history/*.db ─► reader ─┬─► Player (rules of each time) ─► Comparison with the journal
//!   records.db ─► Script ───┼─► Player (other rules) ────────► Changes against the rules in hand
//!                           └─► Survey (noise, gaps) ────► deadbands
//! ```
//!
//! The engine is pure, so the same samples with the same commands give the same events. What did not come out again is listed with
//! its reason. Owns no decision and writes nothing; it can look while the gateway runs.

mod changes;
mod compare;
mod contents;
mod player;
mod revisions;
mod run;
mod script;
mod survey;
mod timeline;

pub use changes::{Change, Changes};
pub use compare::{Comparison, Difference, What, Why};
pub use player::{Played, Player, Refused};
pub use revisions::Revision;
pub use run::{Ask, Other, Outcome, Progress, Rules, noise, run};
pub use survey::{Noise, Survey};
pub use timeline::Timeline;
