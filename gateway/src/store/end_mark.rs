//! Why a run did not end in order, for the next start: parts that made no progress, or one that ended by itself.
//!
//! ```text
//!   DIR/stalled   one name a line; there only while something is stalled
//!   DIR/ended     the name of a part that ended and must not
//! ```
//! Files beside records.db and not rows in it, because the part may be the records' own writer. No fsync: the watchdog, or the process
//! itself, ends the process and not the machine. Owns the files; what is stalled is `notify`'s to say, what ended `run`'s.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const STALLED: &str = "stalled";
const ENDED: &str = "ended";

/// The files of one data folder.
#[derive(Clone, Debug)]
pub struct EndMark {
    stalled: PathBuf,
    ended: PathBuf,
}

/// A run without a stop at its end: power, a kill, the watchdog, a part that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UncleanEnd {
    /// Parts that made no progress then, so that the watchdog was not fed.
    pub stalled: Vec<String>,
    /// The part that ended by itself, and with it the process.
    pub ended: Option<String>,
}

impl EndMark {
    pub(crate) fn of(dir: &Path) -> Self {
        Self { stalled: dir.join(STALLED), ended: dir.join(ENDED) }
    }

    /// These parts are stalled now; none takes the file away.
    pub fn set_stalled(&self, parts: &[&str]) {
        write(&self.stalled, &parts.join("\n"));
    }

    /// This part has ended and must not.
    pub fn set_ended(&self, part: &str) {
        write(&self.ended, part);
    }

    /// What the run before has left.
    pub(super) fn read(&self) -> UncleanEnd {
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let ended = text(&self.ended);
        UncleanEnd {
            stalled: text(&self.stalled).lines().map(str::to_owned).collect(),
            ended: Some(ended).filter(|part| !part.is_empty()),
        }
    }

    /// It has been said.
    pub fn clear(&self) {
        self.set_stalled(&[]);
        write(&self.ended, "");
    }
}

fn write(path: &Path, text: &str) {
    let done = if text.is_empty() { remove(path) } else { std::fs::write(path, text) };
    if let Err(error) = done {
        tracing::error!(%error, path = %path.display(), text, "why this run may end cannot be noted for the next start");
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path).or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
}
