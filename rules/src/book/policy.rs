//! Times that hold for the whole site (alarms.md 2.4), each with the default of the specification.

use serde::{Deserialize, Serialize};
use std::time::Duration;

const fn min(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// Site-wide times. Arrays go by priority, 1 first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// After annunciation without acknowledgement: L1, L2, L3.
    pub escalation: [Vec<Duration>; 4],
    /// An acknowledged alarm that is still active comes back after this.
    pub realarm: [Option<Duration>; 4],
    /// Longest shelf; none for priority 1.
    pub shelf_max: [Option<Duration>; 4],
    /// Longest bypass: one shift.
    pub bypass_max: Duration,
    /// The end of a bypass is announced this long before.
    pub bypass_warning: Duration,
    /// What is out of service is looked at again.
    pub service_review: Duration,
    /// A device that calls itself inhibited for longer is at fault.
    pub inhibit_max: Duration,
    /// Three raises within this are chattering …
    pub chatter_window: Duration,
    /// … until the condition was false for this long without a break.
    pub chatter_quiet: Duration,
    pub flood_window: Duration,
    /// More annunciations than this within the window begin a flood …
    pub flood_start: usize,
    /// … fewer than this end it.
    pub flood_end: usize,
    /// The sound only.
    pub silence: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        let secs = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        Self {
            escalation: [secs(&[60, 180, 600]), secs(&[180, 900]), Vec::new(), Vec::new()],
            realarm: [Some(min(30)), Some(min(120)), Some(min(480)), None],
            shelf_max: [None, Some(min(60)), Some(min(480)), Some(min(720))],
            bypass_max: min(480),
            bypass_warning: min(10),
            service_review: min(24 * 60),
            inhibit_max: min(30),
            chatter_window: Duration::from_secs(60),
            chatter_quiet: Duration::from_secs(60),
            flood_window: min(10),
            flood_start: 10,
            flood_end: 5,
            silence: Duration::from_secs(120),
        }
    }
}

/// Position of a priority in the arrays above.
pub(crate) fn slot(priority: u8) -> usize {
    usize::from(priority.clamp(1, 4)) - 1
}
