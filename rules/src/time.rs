//! Two clocks that must not be mixed: [`Mono`] decides, [`Wall`] labels.
//!
//! Owns the types and the trait through which time is passed in; reading a clock is left to `gateway::clock`.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Time since boot (`CLOCK_BOOTTIME`), in nanoseconds; never steps, counts through suspend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    /// The time `d` later; saturates after 584 years.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
    /// How long ago `earlier` was; zero when it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// What is known about the wall clock when a label was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeQuality {
    /// Disciplined by a time source.
    Synced,
    /// No time source disciplines it, or none has for hours.
    #[default]
    Unsynced,
    /// Jumped against the monotonic clock and not yet confirmed again.
    Stepped,
}

/// A UTC label in milliseconds since 1970, with its quality. No rule, timer or retry reads it, but for the end of
/// what hides an alarm (the first of both clocks), what a reboot credits, and the hour of the annunciator's daily self-test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wall {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub utc_ms: i64,
    /// What is known about the clock.
    pub quality: TimeQuality,
    /// How far the label can be wrong at most, in ms rounded up, as the operating system says while the clock is synchronised. None where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_error_ms: Option<u16>,
}

impl Wall {
    /// A label of a synchronised clock whose error nobody has told.
    #[must_use]
    pub const fn synced(utc_ms: i64) -> Self {
        Self { utc_ms, quality: TimeQuality::Synced, max_error_ms: None }
    }
}

/// The pair that every call into the engine carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Now {
    /// Decides.
    pub mono: Mono,
    /// Labels.
    pub wall: Wall,
}

/// Where time comes from. The daemon implements it over the operating system, a simulation over virtual time.
pub trait Clock: Send + Sync {
    /// The present moment on both clocks.
    fn now(&self) -> Now;
}
