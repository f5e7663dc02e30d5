//! The demo's broker, inside the process; the bench of a burst has the same one.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

/// rumqttd on a thread of its own; it ends with the process.
pub fn start(port: u16) {
    let connections = rumqttd::ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: 1 << 20,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    let server = rumqttd::ServerSettings {
        name: "demo".into(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    let settings = rumqttd::Config {
        id: 0,
        router: rumqttd::RouterConfig {
            max_connections: 16,
            max_outgoing_packet_count: 200,
            max_segment_size: 1 << 20,
            max_segment_count: 10,
            ..rumqttd::RouterConfig::default()
        },
        v4: Some(HashMap::from([("demo".to_owned(), server)])),
        ..rumqttd::Config::default()
    };
    let thread = std::thread::Builder::new().name("demo-broker".into()).spawn(move || {
        if let Err(error) = rumqttd::Broker::new(settings).start() {
            tracing::error!(?error, "embedded broker");
        }
    });
    if let Err(error) = thread {
        tracing::error!(%error, "embedded broker");
    }
}
