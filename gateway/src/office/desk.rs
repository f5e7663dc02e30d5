//! The desk: everything that arrives is stored first and answered then.
//!
//! Owns the sites as they stand, and what goes back to them. Leaves the connection to [`super::link`], SQL to
//! [`crate::store::office`]. A message can never change an alarm of a site: receipts and requests are all that leaves.

use super::message::{EventMessage, Message, parse};
use super::standing::{Known, Notice, Standing};
use crate::lock::lock;
use crate::moment::utc_text;
use crate::store::office::{self as tables, Confirmation, Confirmed, Listing, NewEvent, OfficeEvent};
use crate::web::{AccountDb, Figures as Sheet, OwnDb};
use rules::{Clock, Now};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Sites of one office; a township has dozens. More would be a stranger inventing names.
const SITES_MAX: usize = 1_000;
/// Confirmations sent on at once.
const OWED_MAX: usize = 64;

/// One message to a site.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outgoing {
    pub(super) topic: String,
    pub(super) payload: String,
    /// Row of a person's confirmation, to be ticked off when the broker has it.
    pub(super) confirmation: Option<i64>,
}

/// Counters of the office.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Messages without a meaning, or of a site beyond the limit.
    pub(super) set_aside: AtomicU64,
    /// Events stored and receipted, copies included.
    pub(super) stored: AtomicU64,
    /// Events that could not be stored; their site sends them again.
    pub(super) not_stored: AtomicU64,
}

pub(super) struct Desk {
    db: OwnDb,
    clock: Arc<dyn Clock>,
    sites: Mutex<BTreeMap<String, Standing>>,
    unconfirmed: Mutex<BTreeMap<String, u64>>,
    pub(super) broker: AtomicBool,
    pub(super) figures: Figures,
    changed: watch::Sender<u64>,
}

impl Desk {
    /// Sites and their numbers as they were.
    pub(super) async fn open(db: OwnDb, clock: Arc<dyn Clock>) -> Option<Self> {
        let desk = Self {
            db,
            clock,
            sites: Mutex::default(),
            unconfirmed: Mutex::default(),
            broker: AtomicBool::new(false),
            figures: Figures::default(),
            changed: watch::Sender::new(0),
        };
        let (known, arrived) = desk.stored(|conn| Ok((tables::sites(conn)?, tables::arrived(conn)?))).await?;
        let now = desk.clock.now().mono;
        {
            let mut sites = lock(&desk.sites);
            for known in known.iter().filter_map(|json| serde_json::from_str::<Known>(json).ok()) {
                sites.insert(known.site.clone(), Standing::new(known, now));
            }
            for (site, first, last) in arrived {
                let standing = sites.entry(site.clone()).or_insert_with(|| new_site(&site, now));
                standing.arrived.insert_range(first, last);
            }
        }
        desk.count().await;
        Some(desk)
    }

    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let done = self.db.run(Box::new(move |conn| {
            let _ = reply.send(work(conn)?);
            Ok(())
        }));
        if done.await { answer.await.ok() } else { None }
    }

    /// A page that listens is told.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn tell(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Takes messages that arrived together; what they ask for goes back.
    pub(super) async fn take(&self, messages: Vec<(String, Vec<u8>)>) -> Vec<Outgoing> {
        let mut events = Vec::new();
        let mut out = Vec::new();
        for (topic, payload) in messages {
            match parse(&topic, &payload) {
                Some((site, message)) if self.admit(&site) => match message {
                    Message::Event(event) => events.push(event),
                    other => out.extend(self.on_other(&site, other).await),
                },
                _ => {
                    self.figures.set_aside.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(topic, "message of no meaning set aside");
                }
            }
        }
        out.extend(self.take_events(events).await);
        self.tell();
        out
    }

    /// Makes a place for a site that speaks for the first time.
    fn admit(&self, site: &str) -> bool {
        let mut sites = lock(&self.sites);
        if !sites.contains_key(site) && sites.len() < SITES_MAX {
            sites.insert(site.to_owned(), new_site(site, self.clock.now().mono));
        }
        sites.contains_key(site)
    }

    /// Stores, then receipts: what is receipted is on the disk. A copy is receipted again, its first receipt may be lost.
    async fn take_events(&self, events: Vec<EventMessage>) -> Vec<Outgoing> {
        if events.is_empty() {
            return Vec::new();
        }
        let now = self.clock.now();
        let rows: Vec<NewEvent> = events.iter().map(row_of).collect();
        let utc_ms = now.wall.utc_ms;
        if self.stored(move |conn| tables::insert(conn, &rows, utc_ms)).await.is_none() {
            self.figures.not_stored.fetch_add(events.len() as u64, Ordering::Relaxed);
            return Vec::new();
        }
        {
            let mut sites = lock(&self.sites);
            for event in &events {
                if let Some(site) = sites.get_mut(&event.site) {
                    site.arrived.insert(event.seq);
                }
            }
        }
        self.figures.stored.fetch_add(events.len() as u64, Ordering::Relaxed);
        self.count().await;
        events.iter().map(|event| receipt(&event.site, &event.event_id, utc_ms, None)).collect()
    }

    async fn on_other(&self, site: &str, message: Message) -> Vec<Outgoing> {
        let now = self.clock.now();
        let mut online = None;
        let mut out = Vec::new();
        let (notice, keep) = {
            let mut sites = lock(&self.sites);
            let Some(standing) = sites.get_mut(site) else { return Vec::new() };
            let notice = match message {
                Message::Heartbeat(beat) => {
                    let heard = standing.on_heartbeat(beat, now);
                    out.extend(heard.ask_state.then(|| request(site, &json!({ "want": "state" }))));
                    heard.notice
                }
                Message::Status(status) => {
                    online = status.online.then(|| standing.arrived.next());
                    standing.on_status(status, now.mono)
                }
                Message::State(state) => {
                    standing.on_state(state);
                    None
                }
                Message::Event(_) => None,
            };
            (notice, standing.known.clone())
        };
        self.keep(keep.clone()).await;
        if let Some(notice) = notice {
            self.notice(site, notice).await;
        }
        let Some(next) = online else { return out };
        // receipts and confirmations around the break may not have been heard; a minute of overlap costs nothing
        let since = keep.last_heartbeat_ms.map_or(i64::MAX, |ms| ms - 60_000);
        let name = site.to_owned();
        self.stored(move |conn| tables::owe_again(conn, &name, since)).await;
        out.push(request(site, &json!({ "want": "resend", "from": next })));
        out
    }

    async fn keep(&self, known: Known) {
        let Ok(json) = serde_json::to_string(&known) else { return };
        self.stored(move |conn| tables::put_site(conn, &known.site, &json)).await;
    }

    /// What the office noticed by itself is an event of its own, to be confirmed like the others.
    async fn notice(&self, site: &str, notice: Notice) {
        let now = self.clock.now();
        let (kind, priority, zh, en) = notice.words(site);
        tracing::warn!(site, kind, "{en}");
        let row = own_event(site, kind, priority, (&zh, &en), notice.wants_person(), now);
        self.stored(move |conn| tables::insert(conn, &[row], now.wall.utc_ms)).await;
        self.count().await;
    }

    /// Silence and holes that have become due.
    pub(super) async fn tick(&self) -> Vec<Outgoing> {
        let now = self.clock.now().mono;
        let mut notices = Vec::new();
        let mut out = Vec::new();
        if self.broker.load(Ordering::Relaxed) {
            for (name, site) in lock(&self.sites).iter_mut() {
                notices.extend(site.on_tick(now).map(|notice| (name.clone(), notice)));
                if !site.known.online {
                    continue;
                }
                let backlog = site.known.outbox_depth.is_some_and(|depth| depth > 0);
                for wanted in site.arrived.due(now, backlog) {
                    match wanted {
                        super::arrived::Wanted::Ask(from, to) => {
                            out.push(request(name, &json!({ "want": "resend", "from": from, "to": to })));
                        }
                        super::arrived::Wanted::GivenUp(from, to) => {
                            notices.push((name.clone(), Notice::Missing(from, to)));
                        }
                    }
                }
            }
        }
        for (site, notice) in &notices {
            self.notice(site, *notice).await;
        }
        if !notices.is_empty() {
            self.tell();
        }
        out
    }

    /// Confirmations that the sites have not been sent yet.
    pub(super) async fn owed(&self) -> Vec<Outgoing> {
        let owed = self.stored(|conn| tables::owed(conn, OWED_MAX)).await.unwrap_or_default();
        let one = |row: tables::Owed| {
            let person = row.by.map(|by| (by, row.note.unwrap_or_default()));
            let message = receipt(&row.site, &row.event_id, row.received_ms, person);
            Outgoing { confirmation: Some(row.n), ..message }
        };
        owed.into_iter().map(one).collect()
    }

    pub(super) async fn paid(&self, row: i64) {
        self.stored(move |conn| tables::paid(conn, row)).await;
    }

    /// A person took note; the first one counts.
    pub(super) async fn confirm(&self, event_id: String, said: Confirmation) -> Option<Confirmed> {
        let utc_ms = self.clock.now().wall.utc_ms;
        let done = self.stored(move |conn| tables::confirm(conn, &event_id, &said, utc_ms)).await;
        self.count().await;
        self.tell();
        done
    }

    pub(super) async fn events(&self, listing: Listing) -> Option<Vec<OfficeEvent>> {
        self.stored(move |conn| tables::list(conn, &listing)).await
    }

    /// Order of arrival of the newest event; 0 before the first.
    pub(super) async fn newest(&self) -> Option<u64> {
        self.stored(tables::newest).await
    }

    /// What the office knows of itself, for `/metrics`.
    pub(super) fn measure(&self, figures: &mut Sheet) {
        let unconfirmed: u64 = lock(&self.unconfirmed).values().sum();
        let sites = lock(&self.sites);
        let count = |so: fn(&Standing) -> bool| sites.values().filter(|site| so(site)).count();
        let holes = sites.values().flat_map(|site| site.arrived.missing());
        let missing = holes.fold(0_u64, |sum, (first, last)| sum.saturating_add(last - first).saturating_add(1));
        figures.gauge(
            "office_broker_connected",
            "1 when the broker is connected",
            u8::from(self.broker.load(Ordering::Relaxed)),
        );
        figures.gauge("office_sites", "Sites that have spoken", sites.len());
        figures.gauge("office_sites_online", "Sites whose status says online", count(|site| site.known.online));
        figures.gauge("office_sites_silent", "Sites without a heartbeat for 90 s", count(|site| site.known.silent));
        figures.gauge("office_events_missing", "Numbers of sites that have not arrived", missing);
        figures.gauge("office_events_unconfirmed", "Events that wait for a person", unconfirmed);
        let stood = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        figures.counter("office_messages_set_aside", "Messages without a meaning", stood(&self.figures.set_aside));
        figures.counter("office_events_not_stored", "Events that could not be stored", stood(&self.figures.not_stored));
        figures.counter("office_events_stored", "Events stored, copies included", stood(&self.figures.stored));
    }

    /// True while the database answers.
    pub(super) async fn answers(&self) -> bool {
        self.stored(|conn| conn.query_row("SELECT 1", [], |_| Ok(()))).await.is_some()
    }

    /// Rows of all sites.
    pub(super) fn rows(&self) -> Vec<Value> {
        let broker = self.broker.load(Ordering::Relaxed);
        let unconfirmed = lock(&self.unconfirmed);
        let sites = lock(&self.sites);
        sites.iter().map(|(name, site)| site.row(unconfirmed.get(name).copied().unwrap_or(0), broker)).collect()
    }

    async fn count(&self) {
        if let Some(counts) = self.stored(tables::unconfirmed).await {
            *lock(&self.unconfirmed) = counts.into_iter().collect();
        }
    }
}

fn new_site(site: &str, now: rules::Mono) -> Standing {
    Standing::new(Known { site: site.to_owned(), ..Known::default() }, now)
}

fn row_of(event: &EventMessage) -> NewEvent {
    NewEvent {
        event_id: event.event_id.clone(),
        hash: event.hash.clone(),
        site: event.site.clone(),
        seq: Some(event.seq),
        payload: event.text.clone(),
        wants_person: event.wants_person(),
    }
}

fn own_event(site: &str, kind: &str, priority: u8, text: (&str, &str), wants_person: bool, now: Now) -> NewEvent {
    let payload = json!({
        "kind": kind, "priority": priority, "site": site, "time": utc_text(now.wall.utc_ms),
        "time_quality": now.wall.quality, "time_max_error_ms": now.wall.max_error_ms, "text": { "zh": text.0, "en": text.1 },
    });
    NewEvent {
        // the monotonic part keeps two of the same moment apart when the wall clock stands still
        event_id: format!("office-{}-{}", now.wall.utc_ms, now.mono.0),
        hash: kind.to_owned() + site,
        site: site.to_owned(),
        seq: None,
        payload: payload.to_string(),
        wants_person,
    }
}

fn receipt(site: &str, event_id: &str, received_ms: i64, person: Option<(String, String)>) -> Outgoing {
    let mut payload = json!({ "event_id": event_id, "received_at": utc_text(received_ms) });
    if let Some((by, note)) = person {
        payload["by"] = by.into();
        payload["note"] = note.into();
    }
    Outgoing { topic: format!("hazard/v1/{site}/receipt"), payload: payload.to_string(), confirmation: None }
}

fn request(site: &str, what: &Value) -> Outgoing {
    Outgoing { topic: format!("hazard/v1/{site}/request"), payload: what.to_string(), confirmation: None }
}
