//! The outbox: durable rows are the session. Each connection has a new client; any error drops it with all its memory.
//!
//! ```text
//!   stored ──publish──► sent ──PUBACK──► broker-acknowledged ──receipt──► received ──receipt with `by`──► confirmed
//!      ▲                                        │ no receipt in 60 s (doubling to 5 min)
//!      └────────────── sent again ◄─────────────┘
//! ```

use super::link::{Link, Settings};
use crate::config::MqttSettings;
use crate::core::CoreHandle;
use crate::snapshot::SiteView;
use crate::web::AccountDb;
use rules::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Sends events until `stop`. `db` is the store that holds the tables `event` and `outbox`.
pub async fn run_outbox(
    settings: MqttSettings,
    site: Arc<SiteView>,
    db: Arc<dyn AccountDb>,
    core: CoreHandle,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let shared = Settings { mqtt: settings, site, db, core, clock };
    let mut figures = crate::delivery::OutboxFigures::default();
    let mut wait = BACKOFF_FIRST;
    while !stop.is_cancelled() {
        let mut link = Link::open(&shared, figures);
        let error = link.run(&stop).await;
        if link.was_connected() {
            wait = BACKOFF_FIRST;
        }
        figures = link.into_figures();
        if stop.is_cancelled() {
            return;
        }
        tracing::warn!(error, "broker connection ended");
        figures.last_error = Some(error);
        report_while_waiting(&shared, &mut figures, jitter(wait), &stop).await;
        wait = (wait * 2).min(BACKOFF_MAX);
    }
}

async fn report_while_waiting(
    shared: &Settings,
    figures: &mut crate::delivery::OutboxFigures,
    wait: Duration,
    stop: &CancellationToken,
) {
    figures.connected = false;
    super::link::report(shared, figures).await;
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stop.cancelled() => {}
    }
}

/// Between half and all of `wait`: gateways that lost one broker do not return in step.
fn jitter(wait: Duration) -> Duration {
    let mut byte = [128_u8];
    let _ = getrandom::fill(&mut byte);
    wait.mul_f64(0.5 + f64::from(byte[0]) / 510.0)
}
