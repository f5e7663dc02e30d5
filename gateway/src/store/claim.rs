//! One writer per data folder: two gateways on one journal would give out the same numbers twice and lose events.
//!
//! Owns the lock on `DIR/lock`, which the kernel lets go when the process ends, however it ends. Commands that only read, and `user`,
//! which writes rows that nobody numbers, take no claim.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

/// A gateway that is ending, or one whose configuration is being switched, lets go within this.
const TRIES: u32 = 40;
const BETWEEN: Duration = Duration::from_millis(50);

/// Held as long as the store is open.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims `dir` for this process.
    /// # Errors
    /// [`StoreError::InUse`] names the process that has it.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let io = |error| StoreError::Io(dir.join("lock"), error);
        std::fs::create_dir_all(dir).map_err(|error| StoreError::Io(dir.into(), error))?;
        let options = OpenOptions::new().create(true).truncate(false).read(true).write(true).to_owned();
        let mut file = options.open(dir.join("lock")).map_err(io)?;
        for left in (0..TRIES).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(io(error)),
                Err(TryLockError::WouldBlock) if left == 0 => {
                    return Err(StoreError::InUse(dir.into(), holder(&mut file)));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(io)?;
        Ok(Self { _lock: file })
    }

    /// The process that has `dir`, where it is another one than this: it is not waited for.
    #[must_use]
    pub fn of_another(dir: &Path) -> Option<String> {
        let mut file = File::open(dir.join("lock")).ok()?;
        let is_held = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        is_held.then(|| holder(&mut file)).filter(|holder| *holder != std::process::id().to_string())
    }

    /// Nobody has `dir`, and somebody once had.
    #[must_use]
    pub fn is_free(dir: &Path) -> bool {
        File::open(dir.join("lock")).is_ok_and(|file| file.try_lock().is_ok())
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    if text.is_empty() { "?".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_is_refused_with_the_holders_number_until_the_first_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let first = Claim::take(folder.path()).unwrap();
        let refused = Claim::take(folder.path()).unwrap_err();
        assert!(matches!(&refused, StoreError::InUse(_, pid) if *pid == std::process::id().to_string()), "{refused}");
        assert!(!Claim::is_free(folder.path()));
        assert_eq!(Claim::of_another(folder.path()), None, "it is this one");
        std::fs::write(folder.path().join("lock"), "1").unwrap();
        assert_eq!(Claim::of_another(folder.path()).as_deref(), Some("1"));
        drop(first);
        assert_eq!(Claim::of_another(folder.path()), None);
        assert!(Claim::is_free(folder.path()));
        Claim::take(folder.path()).unwrap();
    }
}
