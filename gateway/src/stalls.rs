//! A part that makes no progress: noted for the next start, an alarm and an event while the daemon lives.
//!
//! ```text
//!   watchdog (thread of its own) ─► stalled file, at once        what hangs may be the core, a bus or the disk
//!                                └► queue ─► follow ─► core      as soon as the core takes it
//! ```
//! The watchdog has a thread and a runtime of its own, so that a part which holds its thread is seen and named like any other. Owns
//! that thread and the way to the core. Leaves who is stuck to `notify`.

use crate::core::CoreHandle;
use crate::notify::{Evidence, Standstill, watchdog};
use crate::store::EndMark;
use crate::text::parts;
use rules::{EventKind, SystemCondition};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// 64 buses and three parts, each of which needs ten seconds to be stuck; systemd ends the process long before it is full.
const WAITING_MAX: usize = 256;

/// The queue between the two.
pub(crate) fn queue() -> (mpsc::Sender<Standstill>, mpsc::Receiver<Standstill>) {
    mpsc::channel(WAITING_MAX)
}

/// Feeds systemd's watchdog until `stop`; for a thread that may be held.
pub(crate) fn watch(
    evidence: Vec<Evidence>,
    mark: &EndMark,
    to_core: &mpsc::Sender<Standstill>,
    stop: CancellationToken,
) {
    let runtime = match Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no watchdog");
            return;
        }
    };
    runtime.block_on(watchdog(evidence, stop, |seen| {
        mark.set_stalled(&seen.stuck.iter().map(String::as_str).collect::<Vec<_>>());
        if to_core.try_send(seen).is_err() {
            tracing::error!("the core cannot be told of parts without progress");
        }
    }));
}

/// Tells the core until `stop`.
pub(crate) async fn follow(mut seen: mpsc::Receiver<Standstill>, core: CoreHandle, stop: CancellationToken) {
    let told = async {
        let mut before = Vec::new();
        while let Some(turn) = seen.recv().await {
            before = tell(&core, turn, &before).await;
        }
    };
    stop.run_until_cancelled(told).await;
    stop.cancelled().await;
}

/// The event first: it has the names, the alarm has not. Gives what is stuck now.
async fn tell(core: &CoreHandle, turn: Standstill, before: &[String]) -> Vec<String> {
    let Standstill { stuck, goes_on } = turn;
    for (name, after_s) in &goes_on {
        note(core, "part_goes_on", parts::goes_on(name, *after_s)).await;
    }
    let new: Vec<&String> = stuck.iter().filter(|name| !before.contains(name)).collect();
    if !new.is_empty() {
        note(core, "part_stalled", parts::stalled(&new)).await;
    }
    core.system(SystemCondition::PartStalled, !stuck.is_empty()).await;
    stuck
}

async fn note(core: &CoreHandle, code: &str, (text_zh, text_en): (String, String)) {
    core.note(EventKind::Notice { code: code.into(), text_zh, text_en }).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::CoreRequest;
    use crate::mqtt::fixture::listening_core;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_stands_still_is_noted_for_the_next_start_and_told_with_its_name_until_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (core, mut inbox, _keep) = listening_core(16);
        let (to_core, seen) = queue();
        let stop = CancellationToken::new();
        tokio::spawn(follow(seen, core, stop.clone()));
        let turns = Arc::new(AtomicU64::new(1));
        let mark = EndMark::of(folder.path());
        let evidence = vec![Evidence::turns("core", turns.clone())];
        tokio::spawn(watchdog(evidence, stop.clone(), move |seen| {
            mark.set_stalled(&seen.stuck.iter().map(String::as_str).collect::<Vec<_>>());
            to_core.try_send(seen).unwrap();
        }));
        let mut next =
            async || match tokio::time::timeout(Duration::from_secs(60), inbox.recv()).await.unwrap().unwrap() {
                CoreRequest::Note { kind, .. } => match *kind {
                    EventKind::Notice { code, text_zh, .. } => format!("{code} {text_zh}"),
                    other => panic!("{other:?}"),
                },
                CoreRequest::System { condition, active } => format!("{} {active}", condition.code()),
                other => panic!("{other:?}"),
            };
        assert_eq!(next().await, "part_stalled 报警核心 没有进展，看门狗不再被喂；若不恢复，网关将被重启");
        assert_eq!(next().await, "part_stalled true");
        assert_eq!(std::fs::read_to_string(folder.path().join("stalled")).unwrap(), "core");
        tokio::time::sleep(Duration::from_secs(5)).await;
        turns.fetch_add(1, Ordering::Relaxed);
        assert!(next().await.starts_with("part_goes_on 报警核心 恢复进展，停滞了 1"));
        assert_eq!(next().await, "part_stalled false");
        assert!(!folder.path().join("stalled").exists());
        stop.cancel();
    }
}
