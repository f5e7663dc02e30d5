//! The InfluxDB 2 writer: samples go there from the history and alarm transitions from the journal, each at its own pace, whatever the outage.
//!
//! Owns encoding (`line`, `transition`), policy (`writer`) and the HTTP side (`sink`). Leaves storage to `store`; the page never reads from here.

pub mod line;
pub mod sink;
pub mod transition;
pub mod writer;

use crate::config::InfluxSettings;
use crate::core::CoreHandle;
use crate::snapshot::SiteView;
use crate::store::{Store, Transitions};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Sends history and alarm transitions to InfluxDB until `stop`. Settings that no client can be built from are reported as refused, and nothing is sent.
pub async fn run_writer(
    settings: InfluxSettings,
    site: Arc<SiteView>,
    store: Store,
    core: CoreHandle,
    stop: CancellationToken,
) {
    let database = match sink::Database::new(&settings) {
        Ok(database) => database,
        Err(error) => {
            let figures =
                writer::Figures { refused: true, last_error: Some(error.to_string()), ..writer::Figures::default() };
            core.influx_figures(figures);
            stop.cancelled().await;
            return;
        }
    };
    let (samples, transitions) = (line::Encoder::new(&site), transition::TransitionEncoder::new(&site));
    let journal = Transitions(store.clone());
    tokio::join!(
        writer::pump(&store, &database, &samples, |figures| core.influx_figures(figures.clone()), &stop),
        writer::pump(&journal, &database, &transitions, |figures| core.transition_figures(figures.clone()), &stop),
    );
}
