//! The InfluxDB 2 writer: samples go there from the history, at their own pace, whatever the outage.
//!
//! Owns encoding (`line`), policy (`writer`) and the HTTP side (`sink`). Leaves storage to `store`; the page never reads from here.

pub mod line;
pub mod sink;
pub mod writer;

use crate::config::InfluxSettings;
use crate::core::CoreHandle;
use crate::snapshot::SiteView;
use crate::store::Store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Sends history to InfluxDB until `stop`. Settings that no client can be built from are reported as refused, and nothing is sent.
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
    let encoder = line::Encoder::new(&site);
    writer::pump(&store, &database, &encoder, |figures| core.influx_figures(figures.clone()), &stop).await;
}
