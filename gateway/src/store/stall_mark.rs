//! Which parts made no progress when the watchdog was no longer fed: the next start can name them.
//!
//! ```text
//!   DIR/stalled = one name a line; there only while something is stalled
//! ```
//! A file beside records.db and not a row in it, because the part that hangs may be the records' own writer. No fsync: the watchdog
//! kills the process, not the machine. Owns the file; who is stalled is `notify`'s to say.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const FILE: &str = "stalled";

/// The file of one data folder.
#[derive(Clone, Debug)]
pub struct StallMark(PathBuf);

impl StallMark {
    pub(crate) fn of(dir: &Path) -> Self {
        Self(dir.join(FILE))
    }

    /// These parts are stalled now; none takes the file away.
    pub fn set(&self, parts: &[&str]) {
        let done = if parts.is_empty() { self.remove() } else { std::fs::write(&self.0, parts.join("\n")) };
        if let Err(error) = done {
            tracing::error!(%error, ?parts, "the parts without progress cannot be noted for the next start");
        }
    }

    /// What the run before had left, taken away.
    pub(super) fn take(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        self.set(&[]);
        text.lines().map(str::to_owned).collect()
    }

    fn remove(&self) -> std::io::Result<()> {
        std::fs::remove_file(&self.0).or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
    }
}
