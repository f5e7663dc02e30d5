//! Witnesses outside the process: they write down what the page, the API and the broker showed them, and notice when two showings of one event
//! differ. What was shown once must be there for ever, unchanged.
//!
//! Owns the ledger of what was shown and the three listeners. Leaves to the tests what follows from it.

use crate::http::Client;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A page that lost its stream comes back this soon.
const RETURN_AFTER: Duration = Duration::from_millis(50);
const PACKET_BYTES_MAX: usize = 1 << 20;

/// One message of the topic `event`, in order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    pub event_id: String,
    pub seq: u64,
    pub priority: u64,
    pub replay: bool,
}

/// Everything shown so far.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Journal entries by number, as the page or the API showed them first.
    pub records: BTreeMap<u64, Value>,
    /// How many entries each listener was shown.
    pub showings: BTreeMap<&'static str, usize>,
    /// Event payloads by id, without `replay`.
    pub messages: BTreeMap<String, Value>,
    pub arrivals: Vec<Arrival>,
    /// Raise of every alarm that a list showed: event id → alarm key.
    pub alarms: BTreeMap<String, String>,
    /// Two showings of one thing that differ.
    pub contradictions: Vec<String>,
}

impl Ledger {
    /// A journal entry was shown.
    pub fn note_record(&mut self, source: &'static str, record: Value) {
        *self.showings.entry(source).or_default() += 1;
        let Some(seq) = record["seq"].as_u64() else {
            self.contradictions.push(format!("{source} showed an entry without a number: {record}"));
            return;
        };
        match self.records.get(&seq) {
            None => drop(self.records.insert(seq, record)),
            Some(first) if *first == record => {}
            Some(first) => self.contradictions.push(format!("{source}, entry {seq}: first {first}, then {record}")),
        }
    }

    /// A list of standing alarms was shown.
    pub fn note_alarms(&mut self, alarms: &Value) {
        for alarm in alarms.as_array().into_iter().flatten() {
            if let (Some(id), Some(key)) = (alarm["event_id"].as_str(), alarm["id"].as_str()) {
                self.alarms.insert(id.into(), key.into());
            }
        }
    }

    fn note_message(&mut self, mut payload: Value) {
        let id = payload["event_id"].as_str().unwrap_or_default().to_owned();
        let replay = payload["replay"].as_bool().unwrap_or_default();
        let (seq, priority) = (payload["seq"].as_u64().unwrap_or(0), payload["priority"].as_u64().unwrap_or(0));
        self.arrivals.push(Arrival { event_id: id.clone(), seq, priority, replay });
        if let Some(fields) = payload.as_object_mut() {
            fields.remove("replay");
        }
        match self.messages.get(&id) {
            None => drop(self.messages.insert(id, payload)),
            Some(first) if *first == payload => {}
            Some(first) => self.contradictions.push(format!("broker, {id}: first {first}, then {payload}")),
        }
    }
}

/// Listeners that end with it.
#[derive(Debug, Default)]
pub struct Witness {
    ledger: Arc<Mutex<Ledger>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Witness {
    /// What was shown so far.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Watches the page's stream with a browser's habits: returns with `Last-Event-ID` when it is cut.
    pub fn watch_page(&mut self, client: &Client) {
        let (client, ledger) = (client.clone(), Arc::clone(&self.ledger));
        self.tasks.push(tokio::spawn(async move {
            let mut last_id = String::new();
            loop {
                if let Some(mut answer) = client.open_stream("/api/v1/stream", &last_id).await {
                    let mut text = Vec::new();
                    while let Ok(Some(chunk)) = answer.chunk().await {
                        text.extend_from_slice(&chunk);
                        for frame in take_frames(&mut text) {
                            last_id.clone_from(&frame.id);
                            note_frame(&mut ledger.lock().unwrap(), frame);
                        }
                    }
                }
                tokio::time::sleep(RETURN_AFTER).await;
            }
        }));
    }

    /// Asks the API again and again for what is new, as a script would.
    pub fn watch_api(&mut self, client: &Client) {
        let (client, ledger) = (client.clone(), Arc::clone(&self.ledger));
        self.tasks.push(tokio::spawn(async move {
            let mut after = 0;
            let mut turn = tokio::time::interval(Duration::from_millis(100));
            loop {
                turn.tick().await;
                let records = client.try_get(&format!("/api/v1/events?after_seq={after}&limit=200")).await;
                for record in records.as_ref().and_then(Value::as_array).into_iter().flatten() {
                    after = record["seq"].as_u64().unwrap_or(after);
                    ledger.lock().unwrap().note_record("API", record.clone());
                }
                if let Some(alarms) = client.try_get("/api/v1/alarms").await {
                    ledger.lock().unwrap().note_alarms(&alarms);
                }
            }
        }));
    }

    /// Subscribes to all sites' events; with `receipts` it answers each as an office does.
    pub fn watch_broker(&mut self, port: u16, receipts: bool) {
        let ledger = Arc::clone(&self.ledger);
        self.tasks.push(tokio::spawn(async move {
            loop {
                let mut options = MqttOptions::new("witness", "127.0.0.1", port);
                options.set_keep_alive(Duration::from_secs(5)).set_clean_session(true);
                options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
                let (client, mut events) = AsyncClient::new(options, 256);
                while let Ok(event) = events.poll().await {
                    match event {
                        Event::Incoming(Packet::ConnAck(_)) => {
                            client.try_subscribe("hazard/v1/+/event", QoS::AtLeastOnce).unwrap();
                        }
                        Event::Incoming(Packet::Publish(message)) => {
                            let payload: Value = serde_json::from_slice(&message.payload).unwrap();
                            if receipts {
                                let receipt = json!({
                                    "event_id": payload["event_id"], "received_at": "2026-01-01T00:00:00.000Z"
                                });
                                let topic = message.topic.replace("/event", "/receipt");
                                client.try_publish(topic, QoS::AtLeastOnce, false, receipt.to_string()).unwrap();
                            }
                            ledger.lock().unwrap().note_message(payload);
                        }
                        _ => {}
                    }
                }
                tokio::time::sleep(RETURN_AFTER).await;
            }
        }));
    }
}

/// One frame of server-sent events.
#[derive(Debug, Default, PartialEq)]
struct Frame {
    name: String,
    id: String,
    data: String,
}

/// Takes the complete frames off the front of `text`.
fn take_frames(text: &mut Vec<u8>) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
        let whole: Vec<u8> = text.drain(..end + 2).collect();
        let mut frame = Frame::default();
        for line in String::from_utf8_lossy(&whole).lines() {
            let Some((field, value)) = line.split_once(':') else { continue };
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => frame.name = value.into(),
                "id" => frame.id = value.into(),
                "data" => frame.data.push_str(value),
                _ => {}
            }
        }
        frames.push(frame);
    }
    frames
}

fn note_frame(ledger: &mut Ledger, frame: Frame) {
    let data: Value = match serde_json::from_str(&frame.data) {
        Ok(data) => data,
        Err(_) if frame.data.is_empty() => return,
        Err(error) => return ledger.contradictions.push(format!("page, frame {}: {error}", frame.name)),
    };
    match frame.name.as_str() {
        "record" => ledger.note_record("page", data),
        "alarms" => ledger.note_alarms(&data),
        "snapshot" => ledger.note_alarms(&data["alarms"]),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_when_complete() {
        let mut text = b"event: record\nid: b:7\ndata: {\"seq\":7}\n\nevent: alar".to_vec();
        let frames = take_frames(&mut text);
        assert_eq!(frames, [Frame { name: "record".into(), id: "b:7".into(), data: "{\"seq\":7}".into() }]);
        assert_eq!(text, b"event: alar");
    }

    #[test]
    fn a_second_showing_that_differs_is_noticed() {
        let mut ledger = Ledger::default();
        ledger.note_record("page", json!({"seq": 1, "kind": "a"}));
        ledger.note_record("API", json!({"seq": 1, "kind": "a"}));
        assert!(ledger.contradictions.is_empty());
        ledger.note_record("API", json!({"seq": 1, "kind": "b"}));
        assert_eq!(ledger.contradictions.len(), 1);
    }
}
