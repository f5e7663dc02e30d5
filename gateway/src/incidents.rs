//! Freezes the flight recorders of the links whose instruments an alarm is about, and has what was frozen written down.
//!
//! ```text
//!   alarm ─ concerned ─► instruments ─► links, units ─► an incident on each link, all with the alarm's entry of the journal
//! ```
//! Owns the way from an alarm to links and units, from the beginning of its delay on, and when and how often an incident is written:
//! beside the buses and the core, soon after it began and once more when all that follows has come. A dead unit freezes its own bus in
//! `devices`, without us. Leaves to `concerned` which instruments an alarm is about, the files to [`crate::store`]. While nothing
//! happens nothing here is woken.

mod concerned;

pub(crate) use concerned::Inputs;

use crate::clock::file_label;
use crate::core::CoreHandle;
use crate::pace::Pace;
use crate::record::Record;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::text::parts;
use crate::web::Buses;
use devices::recorder::{Concerns, IncidentView};
use devices::status::BusStatus;
use futures_util::future::join_all;
use rules::{AlarmFact, Clock, EventKind, Mono};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// News of one incident come in a burst (a dead unit, its alarms): they are one write.
const GATHER: Duration = Duration::from_millis(500);
/// Incidents of one bus that are written one after the other …
const BURST: u32 = 4;
/// … and one more for every so many minutes: a unit that comes and goes all day shall not push out everybody else's.
const ONE_MORE_EVERY: Duration = Duration::from_secs(600);

/// Freezes recorders when alarms are raised.
pub(crate) struct Freezer {
    inputs: Inputs,
    /// Of the core: they have the rules in force.
    pictures: watch::Receiver<Arc<Snapshot>>,
    clock: Arc<dyn Clock>,
    buses: Buses,
}

impl Freezer {
    pub(crate) fn of(
        inputs: Inputs,
        pictures: watch::Receiver<Arc<Snapshot>>,
        clock: Arc<dyn Clock>,
        buses: Buses,
    ) -> Self {
        Self { inputs, pictures, clock, buses }
    }

    /// Runs until `stop` or the end of the core; gives the task's name.
    pub(crate) async fn run(
        mut self,
        mut records: broadcast::Receiver<Arc<Record>>,
        stop: CancellationToken,
    ) -> &'static str {
        loop {
            let record = tokio::select! {
                () = stop.cancelled() => break,
                record = records.recv() => record,
            };
            match record {
                Ok(record) => self.look(&record).await,
                // Under such a flood the first ones are kept already; marks that nobody takes away go when there are newer ones.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => {
                    stop.cancelled().await;
                    break;
                }
            }
        }
        "incident watch"
    }

    async fn look(&mut self, record: &Record) {
        let Some(fact) = fact_of(&record.event.kind) else { return };
        // After a reload the alarms of its turn are told before the picture with the new rules is drawn; a core that has ended draws none.
        let drawn = self.pictures.wait_for(|picture| picture.seq >= record.event.seq).await.map(|p| p.clone());
        let Ok(picture) = drawn else { return };
        let units = units_of(&self.inputs.devices_of(picture.site.points.book(), fact), &self.buses);
        follow(record, fact, self.clock.now().mono, &units);
    }
}

/// Of the entries that say something to a recorder.
fn fact_of(kind: &EventKind) -> Option<&AlarmFact> {
    match kind {
        EventKind::PendingOn { fact } | EventKind::PendingCancelled { fact } | EventKind::Raised { fact, .. } => {
            Some(fact)
        }
        _ => None,
    }
}

/// An alarm whose delay begins marks the exchanges that it began with; one that is raised freezes the recorder of each link it is about.
fn follow(record: &Record, fact: &AlarmFact, now: Mono, concerned: &[(&BusStatus, Vec<u8>)]) {
    for (status, units) in concerned {
        let recorder = status.recorder();
        match &record.event.kind {
            EventKind::PendingOn { .. } => recorder.mark(&fact.alarm, units, now.since(record.event.at.mono)),
            EventKind::Raised { .. } => {
                let of_units: Vec<Concerns> = units.iter().copied().map(Concerns::Unit).collect();
                // While the link itself is away nobody can tell whose exchanges show why.
                let concerns = if status.is_up() { &of_units[..] } else { &[Concerns::Bus] };
                recorder.incident(&format!("alarm {}", fact.alarm), Some(&record.event_id), concerns);
                recorder.unmark(&fact.alarm);
            }
            _ => recorder.unmark(&fact.alarm),
        }
    }
}

/// The links on which the devices are, each with their units.
fn units_of<'b>(devices: &BTreeSet<&str>, buses: &'b [(String, Arc<BusStatus>)]) -> Vec<(&'b BusStatus, Vec<u8>)> {
    let of_bus = |(_, status): &'b (String, Arc<BusStatus>)| {
        let units: Vec<u8> = devices.iter().filter_map(|device| status.unit_of(device)).collect();
        (!units.is_empty()).then_some((&**status, units))
    };
    buses.iter().filter_map(of_bus).collect()
}

/// Writes what is frozen until `stop`, then what has come until then.
pub(crate) async fn keep(store: Store, core: CoreHandle, clock: Arc<dyn Clock>, buses: Buses, stop: CancellationToken) {
    let unreadable = store.find_incidents(file_label(clock.now())).await;
    if !unreadable.is_empty() {
        let (text_zh, text_en) = parts::incidents_set_aside(&unreadable);
        core.note(EventKind::Notice { code: "incidents_set_aside".into(), text_zh, text_en }).await;
    }
    let of_bus = |(key, status): &(String, Arc<BusStatus>)| {
        let keeper = Keeper {
            bus: key.clone(),
            store: store.clone(),
            clock: clock.clone(),
            seen: 0,
            begun: None,
            pace: Pace::new(BURST, ONE_MORE_EVERY),
        };
        keeper.run(status.clone(), stop.clone())
    };
    join_all(buses.iter().map(of_bus)).await;
    stop.cancelled().await;
}

/// Writes the incidents of one bus.
struct Keeper {
    bus: String,
    store: Store,
    clock: Arc<dyn Clock>,
    /// Number of the last one that is done with, written or not.
    seen: u64,
    /// One that was written while it still gathered: number in the recorder, number on the disk.
    begun: Option<(u64, u64)>,
    pace: Pace,
}

impl Keeper {
    async fn run(mut self, status: Arc<BusStatus>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = status.recorder().incident_news() => {
                    let _ = tokio::time::timeout(GATHER, stop.cancelled()).await;
                }
                () = stop.cancelled() => {}
            }
            let now = self.clock.now();
            let news = status.recorder().incidents_after(self.seen, now.wall.utc_ms);
            self.take(news, now.mono).await;
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// Oldest first; only the newest may still gather.
    async fn take(&mut self, news: Vec<IncidentView>, now: Mono) {
        let newest = news.last().map_or(0, |view| view.number);
        for view in news {
            let files = self.store.incidents();
            let gone = view.number.saturating_sub(self.seen + 1);
            if gone > 0 {
                files.dropped("overrun", gone);
            }
            let again = self.begun.take_if(|(number, _)| *number == view.number).map(|(_, kept)| kept);
            let (number, over) = (view.number, view.complete || view.number < newest);
            self.seen = number - u64::from(!over);
            if again.is_none() && !self.pace.admits(now) {
                files.dropped("rate", 1);
                self.seen = number;
                continue;
            }
            match self.store.keep_incident(self.bus.clone(), view, again).await {
                Ok(kept) => self.begun = (!over).then_some((number, kept)),
                Err(error) => {
                    tracing::warn!(%error, bus = self.bus, "an incident cannot be written");
                    self.seen = number;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
