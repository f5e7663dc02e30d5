//! Room on the data folder's disk: measured with every pulse, so that people make some before anything is lost.
//!
//! ```text
//!   roomy ──used ≥ 90 % and free < 5 GB──► full ──used < 85 % or free > 7.5 GB──► roomy
//! ```
//! Both bounds: a tenth of a small flash card is little, a tenth of a large disk is plenty. Owns the measure. Leaves the alarm to `core`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// reliability.md F03.
const FULL_PERCENT: u128 = 90;
const ROOMY_PERCENT: u128 = 85;
/// A year of the journal, the outbox of a long outage and a day of samples of the largest site fit in it several times.
const FULL_BELOW_BYTES: u64 = 5_000_000_000;
const ROOMY_ABOVE_BYTES: u64 = 7_500_000_000;

/// As last measured.
#[derive(Debug, Default)]
pub struct Space {
    /// What a user without privileges may still write; unknown before the first look.
    free_bytes: AtomicU64,
    known: AtomicBool,
    full: AtomicBool,
}

/// One look at a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    used_bytes: u64,
    free_bytes: u64,
}

impl Room {
    fn of(folder: &Path) -> std::io::Result<Self> {
        let disk = rustix::fs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Self { used_bytes: bytes(disk.f_blocks.saturating_sub(disk.f_bfree)), free_bytes: bytes(disk.f_bavail) })
    }

    fn is_full(self, before: bool) -> bool {
        let (percent, bytes) =
            if before { (ROOMY_PERCENT, ROOMY_ABOVE_BYTES) } else { (FULL_PERCENT, FULL_BELOW_BYTES) };
        let (used, free) = (u128::from(self.used_bytes), u128::from(self.free_bytes));
        // what only root may still write counts as used by nobody
        used * 100 >= (used + free) * percent && self.free_bytes < bytes
    }
}

impl Space {
    /// Looks again; a disk that does not answer says nothing of its room.
    pub(super) fn look(&self, folder: &Path) {
        match Room::of(folder) {
            Ok(room) => self.learn(room),
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "how much room there is cannot be seen"),
        }
    }

    fn learn(&self, room: Room) {
        self.free_bytes.store(room.free_bytes, Ordering::Relaxed);
        self.known.store(true, Ordering::Relaxed);
        self.full.store(room.is_full(self.was_full()), Ordering::Relaxed);
    }

    fn was_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// People should make room; none before the first look.
    #[must_use]
    pub fn full(&self) -> Option<bool> {
        self.known.load(Ordering::Relaxed).then(|| self.was_full())
    }

    /// None before the first look.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        self.known.load(Ordering::Relaxed).then(|| self.free_bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    #[test]
    fn a_disk_is_full_by_share_and_by_bytes_and_roomy_again_a_little_later() {
        let space = Space::default();
        let after = |used: u64, free: u64| {
            space.learn(Room { used_bytes: used * GB / 10, free_bytes: free * GB / 10 });
            (space.was_full(), space.free_bytes())
        };
        assert_eq!(after(143, 17), (false, Some(17 * GB / 10)), "a small card, 89 %");
        assert!(after(144, 16).0, "90 %");
        assert!(after(137, 23).0, "86 %: still");
        assert!(!after(135, 25).0, "84 %");
        assert!(!after(19_900, 100).0, "99 % of two terabytes, and 10 GB free");
        assert!(after(19_951, 49).0);
        assert!(after(19_930, 70).0, "still");
        assert!(!after(19_920, 80).0);
    }

    #[test]
    fn the_folder_of_a_test_has_room_to_be_seen() {
        let (folder, space) = (tempfile::tempdir().unwrap(), Space::default());
        assert_eq!(space.free_bytes(), None);
        space.look(folder.path());
        assert!(space.free_bytes().is_some_and(|free| free > 0));
        space.look(&folder.path().join("gone"));
        assert!(space.free_bytes().is_some(), "as it was");
    }
}
