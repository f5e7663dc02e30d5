//! A bus task that ends is started again, alone.
//!
//! Owns the isolation of one bus from all others: a panic is an event, an alarm while it lasts, and a new start of that task with
//! growing pauses. While it waits its link is down and the watchdog expects nothing of it; its points become stale by their age.

use crate::core::CoreHandle;
use devices::status::BusStatus;
use devices::{BusMessage, BusSpec, run_bus};
use rules::{Clock, EventKind, SystemCondition};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A task that ran for so long was well: its next fault is a first one.
const WELL_AFTER: Duration = Duration::from_secs(600);

/// One bus for ever.
pub(crate) async fn keep_bus(
    spec: BusSpec,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<BusMessage>,
    status: Arc<BusStatus>,
    core: CoreHandle,
    down: Arc<AtomicU32>,
    stop: CancellationToken,
) {
    let key = spec.key.clone();
    let run = || run_bus(spec.clone(), clock.clone(), out.clone(), status.clone(), stop.clone());
    keep(&key, run, &status, &core, &down, &stop).await;
}

/// Runs what `start` makes, again after each end, until `stop`. `down` counts the buses that wait for their next start: the alarm is of
/// all of them.
pub(crate) async fn keep<F: Future<Output = ()> + Send + 'static>(
    key: &str,
    mut start: impl FnMut() -> F,
    status: &BusStatus,
    core: &CoreHandle,
    down: &AtomicU32,
    stop: &CancellationToken,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        status.begin();
        let ended = tokio::spawn(start()).await;
        let was_up = status.end();
        if stop.is_cancelled() {
            return;
        }
        if begun.elapsed() >= WELL_AFTER {
            pause = FIRST_PAUSE;
        }
        let why = ended.err().map_or_else(|| "ended".to_owned(), |e| e.to_string());
        tracing::error!(bus = key, why, "bus task is started again");
        tell_end(key, was_up, core).await;
        down.fetch_add(1, Ordering::Relaxed);
        core.system(SystemCondition::TaskRestarted, true).await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        let others = down.fetch_sub(1, Ordering::Relaxed) - 1;
        core.system(SystemCondition::TaskRestarted, others > 0).await;
    }
}

/// The event first: it says why the link is down.
async fn tell_end(key: &str, was_up: bool, core: &CoreHandle) {
    core.note(EventKind::Notice {
        code: "task_panicked".into(),
        text_zh: format!("总线 {key} 的任务异常，已重新启动"),
        text_en: format!("The task of bus {key} failed and was started again"),
    })
    .await;
    if was_up {
        let detail = "the task of the bus failed".to_owned();
        core.note(EventKind::DeviceState { device: key.to_owned(), code: "link_down".into(), detail }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site_from_text;
    use crate::core::CoreRequest;
    use crate::mqtt::fixture::listening_core;
    use crate::notify::{Evidence, watchdog};

    fn status() -> Arc<BusStatus> {
        let site = site_from_text("t", include_str!("../examples/minimal-site.toml"), |_| {}).value.unwrap();
        Arc::new(BusStatus::new(&site.buses[0]))
    }

    #[tokio::test(start_paused = true)]
    async fn a_bus_that_panics_is_an_event_and_is_started_again_while_the_others_run_on() {
        let (core, mut inbox, _keep) = listening_core(16);
        let stop = CancellationToken::new();
        let (ill, well) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let down = Arc::new(AtomicU32::new(0));
        for (key, starts, panics) in [("gas-bus", ill.clone(), 3), ("tank-bus", well.clone(), 0)] {
            let (core, stop, down) = (core.clone(), stop.clone(), down.clone());
            tokio::spawn(async move {
                let run = || {
                    let nth = starts.fetch_add(1, Ordering::Relaxed);
                    let stop = stop.clone();
                    async move {
                        assert!(nth >= panics, "as if the decoder had a mistake");
                        stop.cancelled().await;
                    }
                };
                keep(key, run, &status(), &core, &down, &stop).await;
            });
        }
        let (mut notices, mut alarms) = (Vec::new(), Vec::new());
        while alarms.len() < 6 {
            match inbox.recv().await.unwrap() {
                CoreRequest::Note { kind, .. } => match *kind {
                    EventKind::Notice { code, text_en, .. } => notices.push((code, text_en)),
                    other => panic!("{other:?}"),
                },
                CoreRequest::System { condition: SystemCondition::TaskRestarted, active } => alarms.push(active),
                other => panic!("{other:?}"),
            }
        }
        let notice = ("task_panicked".to_owned(), "The task of bus gas-bus failed and was started again".to_owned());
        assert_eq!(notices, [notice.clone(), notice.clone(), notice]);
        assert_eq!(alarms, [true, false, true, false, true, false]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((ill.load(Ordering::Relaxed), well.load(Ordering::Relaxed)), (4, 1));
        stop.cancel();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_was_well_for_long_waits_a_second_again_and_the_alarm_is_of_all_that_wait() {
        let (core, mut inbox, _keep) = listening_core(64);
        let (stop, down, nth) = (CancellationToken::new(), Arc::new(AtomicU32::new(1)), Arc::new(AtomicU32::new(0)));
        let lives = [1, 1, 1, 3600, 1]; // seconds
        let starts = {
            let (nth, stop) = (nth.clone(), stop.clone());
            move || {
                let life = lives.get(nth.fetch_add(1, Ordering::Relaxed) as usize).copied();
                let stop = stop.clone();
                async move {
                    match life {
                        Some(s) => tokio::time::sleep(Duration::from_secs(s)).await,
                        None => stop.cancelled().await,
                    }
                }
            }
        };
        let (kept, counted) = (stop.clone(), down.clone());
        tokio::spawn(async move { keep("gas-bus", starts, &status(), &core, &counted, &kept).await });
        let (begun, mut pauses, mut since) = (Instant::now(), Vec::new(), None);
        while pauses.len() < 5 {
            if let CoreRequest::System { active, .. } = inbox.recv().await.unwrap() {
                assert!(active, "another bus still waits");
                match since.take() {
                    None => since = Some(begun.elapsed()),
                    Some(at) => pauses.push((begun.elapsed() - at).as_secs()),
                }
            }
        }
        assert_eq!(pauses, [1, 2, 4, 1, 2]);
        stop.cancel();
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_fed_while_a_bus_waits_for_its_next_start_and_not_while_one_hangs() {
        let (core, mut inbox, _keep) = listening_core(16);
        tokio::spawn(async move { while inbox.recv().await.is_some() {} });
        let (stop, starts) = (CancellationToken::new(), Arc::new(AtomicU32::new(0)));
        let begin = |key: &'static str, hangs_at: u32, nth: Arc<AtomicU32>| {
            let (core, status, stop) = (core.clone(), status(), stop.clone());
            let evidence = Evidence::bus(key, status.clone());
            tokio::spawn(async move {
                let run = || {
                    let nth = nth.fetch_add(1, Ordering::Relaxed);
                    async move {
                        assert!(nth >= hangs_at, "as if the decoder had a mistake");
                        std::future::pending::<()>().await;
                    }
                };
                keep(key, run, &status, &core, &AtomicU32::new(0), &stop).await;
            });
            evidence
        };
        // The second hangs after 1, 2 and 4 s of waiting.
        let parts = vec![begin("gas-bus", u32::MAX, starts.clone()), begin("tank-bus", 3, Arc::default())];
        let (told, mut seen) = mpsc::channel(16);
        let begun = Instant::now();
        tokio::spawn(watchdog(parts, stop.clone(), move |turn| {
            told.try_send((begun.elapsed().as_secs(), turn.stuck, turn.goes_on)).unwrap();
        }));
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert!(starts.load(Ordering::Relaxed) >= 8, "it waits for a minute by now");
        let (at_s, stuck, _) = seen.try_recv().unwrap();
        assert!((16..=19).contains(&at_s), "ten seconds after the third start: {at_s}");
        assert_eq!(stuck, ["bus tank-bus"]);
        assert!(seen.try_recv().is_err(), "nothing changes after that");
        stop.cancel();
    }
}
