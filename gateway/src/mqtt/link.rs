//! One connection of the outbox: subscribe, publish a window, correlate acknowledgements, end at the first error.

use super::payload::{PACKET_BYTES_MAX, event_bytes, utc_text};
use super::table;
use crate::config::MqttSettings;
use crate::core::CoreHandle;
use crate::delivery::{OfficeReceipt, OutboxFigures};
use crate::snapshot::SiteView;
use crate::web::AccountDb;
use rules::Clock;
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, Publish, QoS};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Events without a receipt on the way at once; half of the in-flight limit, so packet ids cannot collide.
const WINDOW: usize = 8;
const INFLIGHT: u16 = 64;
const WINDOW_SPAN: u64 = 24;
const QUEUE: usize = 64;
const RESEND_FIRST: Duration = Duration::from_secs(60);
const RESEND_MAX: Duration = Duration::from_secs(300);
/// No acknowledgement of the broker for this long: the client is rebuilt.
const STALL: Duration = Duration::from_secs(90);
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What every connection needs.
pub(super) struct Settings {
    pub(super) mqtt: MqttSettings,
    pub(super) site: Arc<SiteView>,
    pub(super) db: Arc<dyn AccountDb>,
    pub(super) core: CoreHandle,
    pub(super) clock: Arc<dyn Clock>,
}

struct OnTheWay {
    due: Instant,
    period: Duration,
    acked: bool,
}

pub(super) struct Link<'a> {
    shared: &'a Settings,
    client: AsyncClient,
    events: Option<EventLoop>,
    figures: OutboxFigures,
    /// `None` for publishes that are not events.
    queued: VecDeque<Option<u64>>,
    /// Packet id → (how many publishes went before it, what it is).
    by_packet: BTreeMap<u16, (u64, Option<u64>)>,
    published: u64,
    on_the_way: BTreeMap<u64, OnTheWay>,
    connected: bool,
    progress: Instant,
    heartbeat: Instant,
    state_shown: String,
}

/// Runs `work` in the store and brings its result back; `None` when the store cannot.
pub(crate) async fn stored<T: Send + 'static>(
    db: &dyn AccountDb,
    work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Option<T> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let done = db
        .run(Box::new(move |conn| {
            let _ = reply.send(work(conn)?);
            Ok(())
        }))
        .await;
    if done { answer.await.ok() } else { None }
}

/// Tells the core how the outbox stands.
pub(super) async fn report(shared: &Settings, figures: &mut OutboxFigures) {
    let now = shared.clock.now().wall.utc_ms;
    if let Some(fresh) = stored(&*shared.db, move |conn| table::figures(conn, now)).await {
        figures.depth = fresh.depth;
        figures.oldest_age_ms = fresh.oldest_age_ms;
    }
    shared.core.outbox_figures(figures.clone());
}

impl<'a> Link<'a> {
    pub(super) fn open(shared: &'a Settings, figures: OutboxFigures) -> Self {
        let (client, events) = AsyncClient::new(options(shared), QUEUE);
        let now = Instant::now();
        Self {
            shared,
            client,
            events: Some(events),
            figures,
            queued: VecDeque::new(),
            by_packet: BTreeMap::new(),
            published: 0,
            on_the_way: BTreeMap::new(),
            connected: false,
            progress: now,
            heartbeat: now,
            state_shown: String::new(),
        }
    }

    pub(super) fn was_connected(&self) -> bool {
        self.connected
    }

    pub(super) fn into_figures(self) -> OutboxFigures {
        self.figures
    }

    /// Runs until the connection fails or `stop`; says why it ended.
    pub(super) async fn run(&mut self, stop: &CancellationToken) -> String {
        let (pass, mut arrived) = tokio::sync::mpsc::channel(QUEUE);
        let mut events = self.events.take().expect("a link is run once");
        // poll lives in a task of its own: a poll dropped half-way loses packets
        let poll = tokio::spawn(async move {
            loop {
                let event = events.poll().await.map_err(|e| e.to_string());
                let failed = event.is_err();
                if pass.send(event).await.is_err() || failed {
                    return;
                }
            }
        });
        let why = self.turns(&mut arrived, stop).await;
        poll.abort();
        why
    }

    async fn turns(
        &mut self,
        arrived: &mut tokio::sync::mpsc::Receiver<Result<Event, String>>,
        stop: &CancellationToken,
    ) -> String {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut records = self.shared.core.records();
        let mut live = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.leave(arrived).await,
                event = arrived.recv() => match event {
                    Some(Ok(event)) => self.on_event(event).await,
                    Some(Err(error)) => return error,
                    None => return "event loop ended".into(),
                },
                record = records.recv(), if live => {
                    live = !matches!(record, Err(tokio::sync::broadcast::error::RecvError::Closed));
                }
                _ = second.tick() => self.on_second().await,
            }
            if self.progress.elapsed() > STALL && self.on_the_way.values().any(|e| !e.acked) {
                return "no acknowledgement for 90 s".into();
            }
            self.fill().await;
        }
    }

    /// Says offline by itself; the will is for deaths.
    async fn leave(&mut self, arrived: &mut tokio::sync::mpsc::Receiver<Result<Event, String>>) -> String {
        self.say("status", true, status(self.shared, false));
        let _ = self.client.try_disconnect();
        let drain = async { while let Some(Ok(_)) = arrived.recv().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), drain).await;
        "stopped".into()
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => self.on_connected(),
            Event::Outgoing(Outgoing::Publish(id)) if id != 0 => {
                if let Some(what) = self.queued.pop_front() {
                    self.published += 1;
                    self.by_packet.insert(id, (self.published, what));
                }
            }
            Event::Incoming(Packet::PubAck(ack)) => self.on_acknowledged(ack.pkid).await,
            Event::Incoming(Packet::Publish(publish)) => self.on_message(&publish).await,
            _ => {}
        }
    }

    fn on_connected(&mut self) {
        self.connected = true;
        self.figures.connected = true;
        self.progress = Instant::now();
        // before anything is published: a receipt must find us listening
        for name in ["receipt", "request"] {
            let _ = self.client.try_subscribe(topic(self.shared, name), QoS::AtLeastOnce);
        }
        self.say("status", true, status(self.shared, true));
        self.say_state();
    }

    async fn on_acknowledged(&mut self, packet: u16) {
        self.progress = Instant::now();
        let Some((_, Some(seq))) = self.by_packet.remove(&packet) else { return };
        self.figures.broker_acknowledged += 1;
        if let Some(entry) = self.on_the_way.get_mut(&seq) {
            entry.acked = true;
        }
        stored(&*self.shared.db, move |conn| table::broker_acknowledged(conn, seq)).await;
    }

    async fn on_message(&mut self, publish: &Publish) {
        if publish.topic == topic(self.shared, "receipt") {
            if let Ok(receipt) = serde_json::from_slice::<OfficeReceipt>(&publish.payload) {
                return self.on_receipt(receipt).await;
            }
        } else if let Ok(request) = serde_json::from_slice::<Value>(&publish.payload) {
            match (request["want"].as_str(), request["from"].as_u64()) {
                (Some("state"), _) => return self.say_state(),
                (Some("resend"), Some(from)) => {
                    stored(&*self.shared.db, move |conn| table::resend_from(conn, from)).await;
                    return;
                }
                _ => {}
            }
        }
        tracing::debug!(topic = publish.topic, "message of no meaning set aside");
    }

    async fn on_receipt(&mut self, receipt: OfficeReceipt) {
        let now = self.shared.clock.now().wall.utc_ms;
        let kept = receipt.clone();
        let known = stored(&*self.shared.db, move |conn| {
            table::received(conn, &kept.event_id, kept.by.as_deref(), kept.note.as_deref(), now)
        })
        .await
        .flatten();
        if let Some(seq) = known {
            self.on_the_way.remove(&seq);
            self.figures.received += 1;
            self.shared.core.receipt(receipt).await;
        }
    }

    async fn on_second(&mut self) {
        report(self.shared, &mut self.figures).await;
        if !self.connected {
            return;
        }
        let now = state(self.shared, false).to_string();
        if self.state_shown != now {
            self.say_state();
        }
        if self.heartbeat <= Instant::now() {
            self.heartbeat = Instant::now() + HEARTBEAT;
            let beat = heartbeat(self.shared, &self.figures).to_string();
            let _ = self.client.try_publish(topic(self.shared, "heartbeat"), QoS::AtMostOnce, false, beat);
        }
    }

    /// Publishes what the window has room for, and again what had no receipt in time.
    async fn fill(&mut self) {
        let oldest = self.by_packet.values().map(|(ordinal, _)| *ordinal).min().unwrap_or(self.published + 1);
        let span = self.published + 1 - oldest + self.queued.len() as u64;
        // by the oldest without an acknowledgement, not by count: packet ids come round and must not meet one still out
        if !self.connected || span >= WINDOW_SPAN {
            return;
        }
        let now = Instant::now();
        let busy: Vec<u64> = self.on_the_way.iter().filter(|(_, e)| e.due > now).map(|(seq, _)| *seq).collect();
        let waiting_for_broker = self.on_the_way.values().filter(|e| !e.acked).count();
        // an office that is silent must not keep later events from the broker
        let room = WINDOW.saturating_sub(waiting_for_broker);
        if room == 0 {
            return;
        }
        let found = stored(&*self.shared.db, move |conn| table::waiting(conn, &busy, room)).await;
        for waiting in found.unwrap_or_default() {
            self.publish(&waiting).await;
        }
    }

    async fn publish(&mut self, waiting: &table::Waiting) {
        let seq = waiting.delivery_seq;
        let bytes = event_bytes(&waiting.record, &self.shared.site, waiting.state > 0);
        if self.client.try_publish(topic(self.shared, "event"), QoS::AtLeastOnce, false, bytes).is_err() {
            return;
        }
        self.queued.push_back(Some(seq));
        let period = self.on_the_way.get(&seq).map_or(RESEND_FIRST, |e| (e.period * 2).min(RESEND_MAX));
        if self.on_the_way.values().all(|e| e.acked) {
            self.progress = Instant::now();
        }
        self.on_the_way.insert(seq, OnTheWay { due: Instant::now() + period, period, acked: false });
        self.figures.sent += 1;
        let now = self.shared.clock.now().wall.utc_ms;
        stored(&*self.shared.db, move |conn| table::sent(conn, seq, now)).await;
    }

    fn say_state(&mut self) {
        self.state_shown = state(self.shared, false).to_string();
        self.say("state", true, state(self.shared, true));
    }

    fn say(&mut self, name: &str, retain: bool, payload: Value) {
        let sent = self.client.try_publish(topic(self.shared, name), QoS::AtLeastOnce, retain, payload.to_string());
        if sent.is_ok() {
            self.queued.push_back(None);
        }
    }
}

fn options(shared: &Settings) -> MqttOptions {
    let mqtt = &shared.mqtt;
    let mut options = MqttOptions::new(&mqtt.client_id, &mqtt.host, mqtt.port);
    options.set_clean_session(true).set_keep_alive(mqtt.keep_alive.max(Duration::from_secs(1)));
    options.set_inflight(INFLIGHT).set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    options.set_last_will(LastWill::new(
        topic(shared, "status"),
        status(shared, false).to_string(),
        QoS::AtLeastOnce,
        true,
    ));
    if let Some(user) = &mqtt.username {
        options.set_credentials(user, mqtt.password.clone().unwrap_or_default());
    }
    options
}

fn topic(shared: &Settings, name: &str) -> String {
    format!("hazard/v1/{}/{name}", shared.site.site)
}

fn status(shared: &Settings, online: bool) -> Value {
    json!({ "online": online, "boot_id": shared.core.snapshot().boot_id })
}

/// All standing alarms; without the stamp it is equal as long as nothing changed.
fn state(shared: &Settings, stamped: bool) -> Value {
    let snapshot = shared.core.snapshot();
    let mut state = json!({
        "alarms": *snapshot.alarms, "hazards": *snapshot.hazards, "digest": digest(&snapshot.alarms),
        "shelves": [], "bypasses": [],
    });
    if stamped {
        state["as_of_seq"] = snapshot.seq.into();
        state["time"] = utc_text(snapshot.utc_ms).into();
    }
    state
}

fn heartbeat(shared: &Settings, figures: &OutboxFigures) -> Value {
    let snapshot = shared.core.snapshot();
    json!({
        "boot_id": snapshot.boot_id, "seq": snapshot.seq, "time": utc_text(snapshot.utc_ms), "clock": snapshot.clock,
        "outbox_depth": figures.depth, "outbox_age_ms": figures.oldest_age_ms,
        "digest": digest(&snapshot.alarms), "config_hash": snapshot.site.config_hash,
    })
}

/// SHA-256 over key, occurrence and state of every standing alarm.
fn digest(alarms: &[crate::snapshot::AlarmView]) -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    for alarm in alarms {
        hash.update(format!("{}#{}={}\n", alarm.id, alarm.occurrence, alarm.state));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
