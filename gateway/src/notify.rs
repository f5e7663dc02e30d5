//! systemd's notifications. `WATCHDOG=1` is sent only while the core and every bus make progress; a stuck one is a restart.
//!
//! The library's socket waits while its reader's queue is full, and a supervisor that does not read would then stop the gateway; ours
//! never waits. What is not taken is said again a second later (watchdog) or logged.

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
use tokio_util::sync::CancellationToken;

/// Seconds without a turn of one of them after which the watchdog is no longer fed.
const STUCK_AFTER: u32 = 10;

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

/// Feeds the watchdog once a second from the evidence of progress.
pub async fn watchdog(core: Arc<AtomicU64>, buses: Vec<Arc<BusStatus>>, stop: CancellationToken) {
    let read = || -> Vec<u64> {
        std::iter::once(core.load(Ordering::Relaxed)).chain(buses.iter().map(|b| b.progress())).collect()
    };
    let mut last = read();
    let mut stuck = vec![0_u32; last.len()];
    let mut turn = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turn.tick() => {}
        }
        let now = read();
        for (i, count) in stuck.iter_mut().enumerate() {
            *count = if now[i] == last[i] { *count + 1 } else { 0 };
        }
        last = now;
        if stuck.iter().all(|seconds| *seconds < STUCK_AFTER) {
            tell(&NotifyState::Watchdog);
        } else {
            tracing::error!(?stuck, "no progress; the watchdog is not fed");
        }
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
    fn an_abstract_name_is_reached() {
        let name = format!("@hazard-gateway-test-{}", std::process::id());
        let reader = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap()).unwrap();
        send(name.as_bytes(), NotifyState::Ready.to_string().as_bytes()).unwrap();
        let mut text = [0; 64];
        let n = reader.recv(&mut text).unwrap();
        assert_eq!(text[..n].trim_ascii(), b"READY=1");
    }
}
