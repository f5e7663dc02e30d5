//! systemd's notifications. `WATCHDOG=1` is sent only while the core, every bus and the store make progress; a stuck one is a restart.
//!
//! The library's socket waits while its reader's queue is full, and a supervisor that does not read would then stop the gateway; ours
//! never waits. What is not taken is said again a second later (watchdog) or logged.

use crate::store::Store;
use devices::status::BusStatus;
use sd_notify::NotifyState;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Seconds without a turn of the core or a bus after which the watchdog is no longer fed.
const STUCK_AFTER_S: u32 = 10;
/// The same for the store: flash may stall for 30 s (reliability.md F07), and an alarm goes out without it meanwhile.
const STORE_STUCK_AFTER_S: u32 = 60;

/// What shows that one part of the gateway still moves.
pub struct Evidence {
    name: String,
    stuck_after_s: u32,
    /// A number that grows, or none while there is nothing to do.
    read: Box<dyn Fn() -> Option<u64> + Send>,
    last: Option<u64>,
    still_for_s: u32,
}

/// What a second has shown of the parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standstill {
    /// Without progress for longer than they may be.
    pub stuck: Vec<String>,
    /// Were stuck and go on, after so many seconds.
    pub goes_on: Vec<(String, u32)>,
}

impl Evidence {
    fn new(name: &str, stuck_after_s: u32, read: impl Fn() -> Option<u64> + Send + 'static) -> Self {
        Self { name: name.to_owned(), stuck_after_s, read: Box::new(read), last: None, still_for_s: 0 }
    }

    /// The turns of a loop that is never idle for long.
    #[must_use]
    pub fn turns(name: &str, turns: Arc<AtomicU64>) -> Self {
        Self::new(name, STUCK_AFTER_S, move || Some(turns.load(Ordering::Relaxed)))
    }

    /// The turns of one bus; one that waits for its next start after a fault has nothing to do, and its fault is an alarm of its own.
    #[must_use]
    pub fn bus(key: &str, status: Arc<BusStatus>) -> Self {
        let turns = move || (!status.waits_for_start()).then(|| status.progress());
        Self::new(&format!("bus {key}"), STUCK_AFTER_S, turns)
    }

    /// The two writers of the store: a pulse that comes back, and samples that are dealt with.
    #[must_use]
    pub fn store(store: &Store) -> [Self; 2] {
        let (pulse, store) = (store.pulse(), store.clone());
        let samples = move || {
            let figures = store.history_figures();
            (figures.waiting() > 0).then(|| figures.dealt_with())
        };
        [
            Self::new("records writer", STORE_STUCK_AFTER_S, move || pulse.progress()),
            Self::new("history writer", STORE_STUCK_AFTER_S, samples),
        ]
    }

    /// A second has passed: is this part stuck?
    fn is_stuck(&mut self) -> bool {
        let now = (self.read)();
        self.still_for_s = if now.is_some() && now == self.last { self.still_for_s + 1 } else { 0 };
        self.last = now;
        self.still_for_s >= self.stuck_after_s
    }

    fn look(&mut self, seen: &mut Standstill) {
        let before_s = self.still_for_s;
        if self.is_stuck() {
            seen.stuck.push(self.name.clone());
        } else if before_s >= self.stuck_after_s {
            seen.goes_on.push((self.name.clone(), before_s));
        }
    }
}

/// Sends without waiting; without a supervisor it does nothing.
fn tell(state: &NotifyState<'_>) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(name.as_bytes(), state.to_string().as_bytes()) {
        tracing::warn!(%error, %state, "the supervisor did not take a notification");
    }
}

fn send(name: &[u8], text: &[u8]) -> std::io::Result<usize> {
    let address = match name.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(Path::new(OsStr::from_bytes(name)))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(text, &address)
}

/// The store is open and the first scan is done.
pub fn ready() {
    tell(&NotifyState::Ready);
}

/// Another configuration takes over; [`ready()`] follows.
pub fn reloading() {
    tell(&NotifyState::Reloading);
}

/// A clean end has begun.
pub fn stopping() {
    tell(&NotifyState::Stopping);
}

/// Feeds the watchdog once a second from the evidence of progress; `changed` hears when parts come to a standstill or go on.
pub async fn watchdog(mut parts: Vec<Evidence>, stop: CancellationToken, mut changed: impl FnMut(Standstill)) {
    let mut turn = tokio::time::interval(Duration::from_secs(1));
    // A second counts when it has passed: a machine that was paused must not find everybody stuck.
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stuck_before = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turn.tick() => {}
        }
        let mut seen = Standstill::default();
        parts.iter_mut().for_each(|part| part.look(&mut seen));
        if seen.stuck.is_empty() {
            tell(&NotifyState::Watchdog);
        } else {
            tracing::error!(stuck = ?seen.stuck, "no progress; the watchdog is not fed");
        }
        let stuck = seen.stuck.len();
        if stuck != stuck_before || !seen.goes_on.is_empty() {
            changed(seen);
        }
        stuck_before = stuck;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_that_does_not_read_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let name = path.as_os_str().as_bytes();
        let refused = (0..100_000).find_map(|_| send(name, b"WATCHDOG=1").err()).unwrap();
        assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_part_without_progress_is_stuck_and_one_without_work_is_not() {
        let turns = Arc::new(AtomicU64::new(1));
        let mut core = Evidence::turns("core", turns.clone());
        let mut stuck_after = |limit: u32| (0..=limit).find(|_| core.is_stuck());
        assert_eq!(stuck_after(20), Some(STUCK_AFTER_S));
        turns.fetch_add(1, Ordering::Relaxed);
        assert!(!core.is_stuck(), "one turn is enough");
        let mut idle = Evidence::new("idle", 1, || None);
        assert!((0..100).all(|_| !idle.is_stuck()));
    }

    #[test]
    fn an_abstract_name_is_reached() {
        let name = format!("@hazard-gateway-test-{}", std::process::id());
        let reader = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap()).unwrap();
        send(name.as_bytes(), NotifyState::Ready.to_string().as_bytes()).unwrap();
        let mut text = [0; 64];
        let n = reader.recv(&mut text).unwrap();
        assert_eq!(text[..n].trim_ascii(), b"READY=1");
    }
}
