//! What hides an alarm, with its reason, its author and its end on both clocks.
//!
//! Hiding takes away the annunciation only: the alarm is judged, journaled and sent upward as before.

use crate::command::ShelfKind;
use crate::hazard::Decision;
use crate::time::{Mono, Now};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What stands for the mode of a unit where a suppression's key would; no suppression may have it.
pub(crate) const MODE_RULE: &str = "mode";

/// An end on both clocks; the first to be reached counts, so that no stepped clock keeps an alarm hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    pub mono: Mono,
    pub wall_utc_ms: i64,
}

impl Expiry {
    /// What has no end of its own.
    pub const NEVER: Self = Self { mono: Mono(u64::MAX), wall_utc_ms: i64::MAX };

    /// The same, so much earlier.
    #[must_use]
    pub(crate) fn earlier(self, by: Duration) -> Self {
        let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self { mono: Mono(self.mono.0.saturating_sub(ns)), wall_utc_ms: self.wall_utc_ms.saturating_sub(ms) }
    }
    /// `d` from now.
    #[must_use]
    pub fn after(now: Now, d: Duration) -> Self {
        let ms = i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        Self { mono: now.mono.plus(d), wall_utc_ms: now.wall.utc_ms.saturating_add(ms) }
    }
    /// Reached on either clock.
    #[must_use]
    pub fn is_over(self, now: Now) -> bool {
        now.mono >= self.mono || now.wall.utc_ms >= self.wall_utc_ms
    }
}

/// Shelved by a person (搁置).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shelf {
    pub kind: ShelfKind,
    pub until: Expiry,
    pub by: Decision,
}

impl Suppressed {
    /// By the rule of that key; from `at` on, where nothing says that it was begun before.
    pub(crate) fn new(rule: &str, until: Expiry, granted_ms: u64, at: Now) -> Self {
        let left = u64::try_from(until.mono.since(at.mono).as_millis()).unwrap_or(0);
        let granted_ms = match granted_ms {
            _ if until == Expiry::NEVER => 0,
            0 => left,
            granted_ms => granted_ms,
        };
        Self { rule: rule.to_owned(), until, granted_ms }
    }
}

impl Shelf {
    /// For how long; by labels, which no reboot moves.
    pub(crate) fn granted(&self) -> Duration {
        granted(self.until, &self.by)
    }
}

impl Bypass {
    /// For how long; by labels, which no reboot moves.
    pub(crate) fn granted(&self) -> Duration {
        granted(self.until, &self.by)
    }
}

fn granted(until: Expiry, by: &Decision) -> Duration {
    let ms = until.wall_utc_ms.saturating_sub(by.at.wall.utc_ms);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Bypassed under a permit (旁路).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bypass {
    pub permit: String,
    pub requested_by: String,
    /// Who asked has no account here: the name is as it was typed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_account: bool,
    /// What watches the place meanwhile.
    pub compensation: String,
    pub until: Expiry,
    /// Its end was announced.
    #[serde(default)]
    pub warned: bool,
    /// Somebody was called for because it ends soon.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expiring: bool,
    /// Number of its event: who ends it has seen it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begun_seq: u64,
    /// Who approved it, and why.
    pub by: Decision,
}

/// Out of service under a work order (停用).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub work_order: String,
    pub by: Decision,
    /// When it was looked at last.
    pub reviewed: Now,
    /// Number of its event: who ends it has seen it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begun_seq: u64,
}

/// Suppressed by design (设计抑制).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Key of the suppression; `mode` for a unit's mode.
    pub rule: String,
    pub until: Expiry,
    /// For how long it was begun; 0 where that has no end, or in rows of an older version.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub granted_ms: u64,
}

/// All that hides one alarm now. Boxes, because few alarms are hidden.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hidden {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shelf: Option<Box<Shelf>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass: Option<Box<Bypass>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Box<Service>>,
}

impl Hidden {
    /// Nothing hides it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shelf.is_none() && self.suppressed.is_empty() && self.bypass.is_none() && self.service.is_none()
    }
}

/// Why hiding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// Its time was over, on one clock or the other.
    Expired,
    /// A person ended it.
    User,
    /// The alarm returned to normal (one-shot shelf).
    Returned,
    /// What suppressed it is false.
    Released,
    /// What suppressed it has no good quality.
    BadQuality,
    /// After a start nobody can prove that it still holds.
    Unproven,
    /// Another configuration.
    Config,
}

/// The device calls itself inhibited, warming up or in calibration (NE 107 C).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inhibit {
    pub since: Now,
    pub until: Expiry,
    /// Its time is over: now it counts as a fault.
    #[serde(default)]
    pub overdue: bool,
}

/// For fields that are left out where they say nothing.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;

    #[test]
    fn an_end_is_reached_on_either_clock() {
        let at = |s: u64, ms: i64| Now { mono: Mono(s * 1_000_000_000), wall: Wall { utc_ms: ms, ..Wall::default() } };
        let end = Expiry::after(at(10, 5_000), Duration::from_secs(60));
        assert!(!end.is_over(at(69, 64_999)));
        assert!(end.is_over(at(70, 0)) && end.is_over(at(0, 65_000)));
    }
}
