//! A broker in this process, and a subscriber that says what kind of event has arrived.

use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;
use tokio::sync::mpsc;

/// Starts it on a free port; it ends with the process.
pub(crate) fn start() -> u16 {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a free port").port();
    gateway::demo::broker::start(port);
    port
}

/// The kinds of the events of a site, in the order in which they arrive.
pub(crate) async fn subscribe(port: u16, site: &str) -> mpsc::Receiver<String> {
    let mut options = MqttOptions::new(format!("{site}-listener"), "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20).set_keep_alive(Duration::from_secs(30));
    let (client, mut events) = AsyncClient::new(options, 64);
    let (sender, arrived) = mpsc::channel(4_096);
    let topic = format!("hazard/v1/{site}/event");
    let (ready, listening) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut ready = Some(ready);
        // a broker that is just starting refuses at first
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                    client.subscribe(&topic, QoS::AtLeastOnce).await.expect("the client runs");
                }
                Ok(Event::Incoming(Incoming::SubAck(_))) => {
                    ready.take().map(|ready| ready.send(()));
                }
                Ok(Event::Incoming(Incoming::Publish(publish))) => {
                    let payload: serde_json::Value = serde_json::from_slice(&publish.payload).expect("JSON");
                    let kind = payload["kind"].as_str().unwrap_or_default().to_owned();
                    if sender.send(kind).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    });
    listening.await.expect("the broker lets a subscriber in");
    arrived
}
