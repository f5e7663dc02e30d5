//! Recorded samples through the live rules, and through others.
//!
//! ```text
//!   history/*.db ─► reader ─┬─► Player (rules in force) ─► Comparison with the journal
//!   records.db ─► Script ───┼─► Player (other rules) ────► Changes against the rules in force
//!                           └─► Survey (noise, gaps) ────► deadbands
//! ```
//!
//! The engine is pure, so the same samples with the same commands give the same events. What did not come out again is listed with
//! its reason. Owns no decision and writes nothing; it can look while the gateway runs.

mod changes;
mod compare;
mod player;
mod run;
mod script;
mod survey;
mod timeline;

pub use changes::{Change, Changes};
pub use compare::{Comparison, Difference, What, Why};
pub use player::{Played, Player, Refused};
pub use run::{Ask, Other, Outcome, Progress, noise, run};
pub use survey::{Noise, Survey};
pub use timeline::Timeline;
