//! What every connection of the outbox is made from, and its times.

use super::dial::Dial;
use super::payload::PACKET_BYTES_MAX;
use super::said::{self, topic};
use super::window::INFLIGHT;
use crate::config::MqttSettings;
use crate::core::CoreHandle;
use crate::snapshot::SiteView;
use crate::store::Store;
use rules::Clock;
use rumqttc::{LastWill, MqttOptions, QoS};
use std::sync::Arc;
use std::time::Duration;

/// What every connection needs.
pub(super) struct Settings {
    pub(super) mqtt: MqttSettings,
    pub(super) site: Arc<SiteView>,
    pub(super) store: Store,
    pub(super) core: CoreHandle,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pace: Pace,
    pub(super) dial: Arc<dyn Dial>,
}

/// The times of the outbox; tests run it faster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// No receipt for this long: sent again.
    pub(super) resend_first: Duration,
    /// Doubling up to this.
    pub(super) resend_longest: Duration,
    /// No acknowledgement of the broker for this long: the client is rebuilt (reliability.md F21).
    pub(super) stall: Duration,
    pub(super) heartbeat: Duration,
    /// Figures, state and heartbeat are looked at this often.
    pub(super) look: Duration,
    pub(super) backoff_first: Duration,
    pub(super) backoff_longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            resend_first: Duration::from_secs(60),
            resend_longest: Duration::from_secs(300),
            stall: Duration::from_secs(30),
            heartbeat: Duration::from_secs(30),
            look: Duration::from_secs(1),
            backoff_first: Duration::from_secs(1),
            backoff_longest: Duration::from_secs(30),
        }
    }
}

/// Options of a new client; it keeps no session, the rows are the session.
pub(super) fn options(shared: &Settings) -> MqttOptions {
    let mqtt = &shared.mqtt;
    let mut options = MqttOptions::new(&mqtt.client_id, &mqtt.host, mqtt.port);
    options.set_clean_session(true).set_keep_alive(mqtt.keep_alive.max(Duration::from_secs(1)));
    options.set_inflight(INFLIGHT).set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    let offline = said::status(shared, false);
    options.set_last_will(LastWill::new(topic(shared, "status"), offline, QoS::AtLeastOnce, true));
    if let Some(user) = &mqtt.username {
        options.set_credentials(user, mqtt.password.clone().unwrap_or_default());
    }
    options
}
