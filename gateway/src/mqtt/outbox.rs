//! The outbox: durable rows are the session. Each connection has a new client; any error drops it with all its memory.
//!
//! ```text
//!   stored ──publish──► sent ──PUBACK──► broker-acknowledged ──receipt──► received ──receipt with `by`──► confirmed
//!      ▲                                        │ no receipt in 60 s (doubling to 5 min)
//!      └────────────── sent again ◄─────────────┘
//! ```

use super::dial::{Dial, Network};
use super::link::{Left, Link};
use super::settings::{Pace, Settings};
use crate::config::MqttSettings;
use crate::core::CoreHandle;
use crate::snapshot::SiteView;
use crate::store::Store;
use rules::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Sends events until `stop`. `store` holds the tables `event` and `outbox`.
pub async fn run_outbox(
    mqtt: MqttSettings,
    site: Arc<SiteView>,
    store: Store,
    core: CoreHandle,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    run_outbox_over(Arc::new(Network), mqtt, site, store, core, clock, stop).await;
}

/// As [`run_outbox`], over whatever `dial` makes.
pub async fn run_outbox_over(
    dial: Arc<dyn Dial>,
    mqtt: MqttSettings,
    site: Arc<SiteView>,
    store: Store,
    core: CoreHandle,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    run(Settings { mqtt, site, store, core, clock, pace: Pace::default(), dial }, stop).await;
}

pub(super) async fn run(shared: Settings, stop: CancellationToken) {
    let mut left = Left::default();
    left.meter.figures.configured = true;
    left.meter.tell(&shared);
    let mut wait = shared.pace.backoff_first;
    let mut attempt = 0_u64;
    while !stop.is_cancelled() {
        let (mut link, events) = Link::open(&shared, left);
        let error = link.run(events, &stop).await;
        if link.was_fruitful() {
            wait = shared.pace.backoff_first;
        }
        left = link.into_left();
        left.meter.figures.connected = false;
        if stop.is_cancelled() {
            left.meter.tell(&shared);
            return;
        }
        tracing::warn!(error, "broker connection ended");
        left.meter.figures.last_error = Some(error);
        tokio::select! {
            () = tell_meanwhile(&shared, &mut left) => {}
            () = tokio::time::sleep(jitter(wait, &shared.mqtt.client_id, attempt)) => {}
            () = stop.cancelled() => {}
        }
        attempt += 1;
        wait = (wait * 2).min(shared.pace.backoff_longest);
    }
}

/// Figures go on while nothing is connected: the control room sees the queue grow.
async fn tell_meanwhile(shared: &Settings, left: &mut Left) {
    let mut look = tokio::time::interval(shared.pace.look);
    loop {
        look.tick().await;
        if let Some(reading) = left.meter.look(shared) {
            let glance = reading.await;
            left.meter.keep(glance);
        }
        left.meter.tell(shared);
    }
}

/// Between half and all of `wait`, the same for the same client and attempt: gateways that lost one broker do not return in step.
fn jitter(wait: Duration, client_id: &str, attempt: u64) -> Duration {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (client_id, attempt).hash(&mut hasher);
    wait.mul_f64(0.5 + f64::from(u8::try_from(hasher.finish() & 0xFF).unwrap_or(0)) / 510.0)
}
