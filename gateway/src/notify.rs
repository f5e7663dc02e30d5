//! systemd's notifications. `WATCHDOG=1` is sent only while the core and every bus make progress; a stuck one is a restart.

use devices::status::BusStatus;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Seconds without a turn of one of them after which the watchdog is no longer fed.
const STUCK_AFTER: u32 = 10;

/// The store is open and the first scan is done.
pub fn ready() {
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// Another configuration takes over; [`ready()`] follows.
pub fn reloading() {
    let _ = sd_notify::notify(&[NotifyState::Reloading]);
}

/// A clean end has begun.
pub fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
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
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(?stuck, "no progress; the watchdog is not fed");
        }
    }
}
