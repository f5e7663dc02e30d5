//! Configuration: files in, checked site out. CONTRACT: the checked types; loading and `check` are to be built.

use crate::snapshot::SiteView;
use devices::BusSpec;
use rules::RuleBook;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything `run` needs, checked.
#[derive(Clone, Debug)]
pub struct Site {
    /// Site key in topics and event ids: `[a-z0-9-]{1,32}`.
    pub key: String,
    pub data_dir: PathBuf,
    pub book: RuleBook,
    pub view: Arc<SiteView>,
    pub buses: Vec<BusSpec>,
    pub web: WebSettings,
    pub mqtt: Option<MqttSettings>,
    pub influx: Option<InfluxSettings>,
    pub history: HistorySettings,
}

/// The township office.
#[derive(Clone, Debug)]
pub struct Office {
    pub data_dir: PathBuf,
    pub name: String,
    pub name_en: String,
    pub web: WebSettings,
    pub mqtt: MqttSettings,
}

/// Web server settings of both roles.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Loopback unless `allow_plain_http` is set.
    pub listen: SocketAddr,
    /// Signs in a demo operator by itself; only `demo` sets it, only on loopback.
    pub demo_operator: bool,
}

/// Broker settings of both roles.
#[derive(Clone, Debug)]
pub struct MqttSettings {
    pub host: String,
    pub port: u16,
    pub client_id: String,
    pub username: Option<String>,
    pub password: Option<String>,
    pub keep_alive: Duration,
}

/// InfluxDB 2 settings.
#[derive(Clone, Debug)]
pub struct InfluxSettings {
    pub url: String,
    pub org: String,
    pub bucket: String,
    /// Read from the file or credential the configuration names.
    pub token: String,
}

/// History settings.
#[derive(Clone, Copy, Debug)]
pub struct HistorySettings {
    /// Group commit; default 1 s.
    pub commit_interval: Duration,
    /// Budget of the history folder; the oldest day goes first.
    pub max_bytes: u64,
}
