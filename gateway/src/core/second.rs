//! What the core looks at once a second: disk, clock and the end of what is said for a while.
//!
//! Owns when a clock without a time service is an alarm.

use super::task::Core;
use rules::{Now, SystemCondition, TimeQuality};
use std::time::Duration;

/// A time service needs minutes to come up, and a line that is down for a while costs a clock little.
const UNSYNCED_GRACE: Duration = Duration::from_secs(1800);

impl Core {
    pub(super) async fn every_second(&mut self) {
        self.ledger.catch_up().await;
        let late = self.ledger.is_late();
        if !late {
            self.not_durable.clear();
        }
        let now = self.clock.now();
        self.system(SystemCondition::StorageSlow, late || self.store.pulse().is_late(now.mono)).await;
        if let Some(full) = self.store.space().full() {
            self.system(SystemCondition::StorageFull, full).await;
        }
        let untrusted = self.clock_is_untrusted(now);
        self.system(SystemCondition::ClockUntrusted, untrusted).await;
        if self.unclean_until.take_if(|until| *until <= now.mono).is_some() {
            self.system(SystemCondition::UncleanEnd, false).await;
        }
        self.look_at_buses();
    }

    /// At once after a step; without a time service when it has had time to come up.
    fn clock_is_untrusted(&mut self, now: Now) -> bool {
        if now.wall.quality == TimeQuality::Synced {
            self.unsynced_since = None;
        }
        match now.wall.quality {
            TimeQuality::Synced => false,
            TimeQuality::Stepped => true,
            TimeQuality::Unsynced => now.mono.since(*self.unsynced_since.get_or_insert(now.mono)) >= UNSYNCED_GRACE,
        }
    }
}
