//! Freezes the flight recorder of a bus when an alarm of one of its instruments is raised.
//!
//! Owns the way from an alarm to its bus. A dead unit freezes its own bus in `devices`, without us.

use crate::record::Record;
use crate::snapshot::SiteView;
use crate::web::Buses;
use rules::EventKind;
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Runs until `stop` or the end of the core; gives the task's name.
pub(crate) async fn watch(
    mut records: broadcast::Receiver<Arc<Record>>,
    site: Arc<SiteView>,
    buses: Buses,
    stop: CancellationToken,
) -> &'static str {
    loop {
        let record = tokio::select! {
            () = stop.cancelled() => break,
            record = records.recv() => record,
        };
        match record {
            Ok(record) => freeze(&record, &site, &buses),
            // Under such a flood the first ones are kept already.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => {
                stop.cancelled().await;
                break;
            }
        }
    }
    "incident watch"
}

fn freeze(record: &Record, site: &SiteView, buses: &Buses) {
    let EventKind::Raised { fact, .. } = &record.event.kind else { return };
    let of_device = || fact.alarm.split(':').next().unwrap_or_default();
    let point = site.points.find(&fact.point);
    let device = point.as_ref().map_or_else(of_device, |p| &p.device);
    if let Some((_, status)) = buses.iter().find(|(_, status)| status.has_device(device)) {
        status.recorder().incident(&format!("alarm {}", fact.alarm));
    }
}
