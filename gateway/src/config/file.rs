//! The files as people write them: one struct per table, nothing checked but the shape.
//!
//! Owns the names and defaults of the site file and the office file, and their JSON Schema. Every struct refuses unknown
//! keys. Leaves the tables of alarms to [`super::alarm_tables`], cross-references to [`super::build`] and the rule book.

use super::alarm_tables::{
    DeviationTable, FirstOutTable, FrozenTable, LimitTable, LimitWord, RateTable, SensorFaultTable, StateAlarmTable,
    StuckTable, SuppressionTable, UnitTable, VoteTable,
};
use super::annunciator::AnnunciatorTable;
use super::calls::CallTable;
use super::substances::SubstanceWord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A site: instruments, limits, risks, and where the data goes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "hazard-gateway site file")]
pub struct SiteFile {
    pub site: Option<SiteTable>,
    pub web: Option<WebTable>,
    pub mqtt: Option<MqttTable>,
    pub influx: Option<InfluxTable>,
    pub history: Option<HistoryTable>,
    pub annunciator: Option<AnnunciatorTable>,
    #[serde(default)]
    pub area: Vec<AreaTable>,
    #[serde(default)]
    pub source: Vec<SourceTable>,
    #[serde(default)]
    pub risk: Vec<RiskTable>,
    #[serde(default)]
    pub measure: Vec<MeasureTable>,
    #[serde(default)]
    pub link: Vec<LinkTable>,
    #[serde(default)]
    pub device: Vec<DeviceTable>,
    #[serde(default)]
    pub point: Vec<PointTable>,
    #[serde(default)]
    pub strapping: Vec<StrappingTable>,
    #[serde(default)]
    pub vote: Vec<VoteTable>,
    #[serde(default)]
    pub suppression: Vec<SuppressionTable>,
    #[serde(default)]
    pub first_out: Vec<FirstOutTable>,
    #[serde(default)]
    pub unit: Vec<UnitTable>,
    #[serde(default)]
    pub call: Vec<CallTable>,
}

/// The township office.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "hazard-gateway office file")]
pub struct OfficeFile {
    pub office: Option<OfficeTable>,
    pub web: Option<WebTable>,
    pub mqtt: Option<MqttTable>,
}

/// `[site]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteTable {
    /// Key in topics and event ids: `[a-z0-9-]{1,32}`.
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Where records and history are kept.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// Plan size in metres: east, north.
    #[serde(default = "default_plan")]
    pub plan: (f64, f64),
}

/// `[office]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficeTable {
    pub name: String,
    pub name_en: String,
    #[serde(default = "default_office_dir")]
    pub data_dir: PathBuf,
}

/// `[web]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebTable {
    /// Address of the page; loopback unless `allow_plain_http` is set.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The page is plain HTTP; set this only behind a proxy that adds TLS or on a wire of its own.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// People reach the page over https, through a proxy that adds TLS: sessions travel in Secure cookies only, and the address of a
    /// person is taken from the X-Forwarded-For of a proxy on this machine.
    #[serde(default)]
    pub behind_tls: bool,
}

/// `[mqtt]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MqttTable {
    pub host: String,
    #[serde(default = "default_mqtt_port")]
    pub port: u16,
    /// Default: the site key, or `office`.
    pub client_id: Option<String>,
    pub username: Option<String>,
    /// File with the password; readable by the owner only.
    pub password_file: Option<PathBuf>,
    #[serde(default = "default_keep_alive_s")]
    pub keep_alive_s: u16,
}

/// `[influx]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfluxTable {
    pub url: String,
    pub org: String,
    pub bucket: String,
    /// File with the token; readable by the owner only.
    pub token_file: PathBuf,
}

/// `[history]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryTable {
    /// Group commit.
    #[serde(default = "default_commit_ms")]
    pub commit_interval_ms: u32,
    /// Budget of the history folder; the oldest day goes first.
    #[serde(default = "default_max_gb")]
    pub max_gb: u32,
}

/// `[[area]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AreaTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Corners in metres, origin south-west.
    #[serde(default)]
    pub polygon: Vec<(f64, f64)>,
}

/// `[[source]]`: a major hazard source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Sum of q/Q.
    pub s: f64,
    /// α·Σβq/Q.
    pub r: f64,
    /// 1–4.
    pub grade: u8,
    /// Responsible persons' roles: overall, technical, operation. Never names.
    pub responsible_roles: [String; 3],
    /// The same posts in English, for the English page.
    pub responsible_roles_en: Option<[String; 3]>,
}

/// The four levels.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LevelWord {
    Major,
    Considerable,
    General,
    Low,
}

/// `[[risk]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskTable {
    pub key: String,
    pub name: String,
    pub name_en: String,
    pub area: String,
    pub level: LevelWord,
    pub accident_type: String,
    pub leader_role: String,
    /// The same post in English, for the English page.
    pub leader_role_en: Option<String>,
    pub source: Option<String>,
}

/// `[[measure]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureTable {
    pub key: String,
    pub risk: String,
    pub text: String,
    pub text_en: String,
    pub responsible_role: String,
    /// The same post in English, for the English page.
    pub responsible_role_en: Option<String>,
    /// Points that prove the measure; without it people inspect it.
    pub watched: Option<Vec<String>>,
}

/// Serial parity.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParityWord {
    #[default]
    None,
    Even,
    Odd,
}

/// `[[link]]`: exactly one of `tcp`, `rtu_over_tcp`, `serial`, `tcp_tls`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkTable {
    pub key: String,
    /// Modbus TCP, `host:port`.
    pub tcp: Option<String>,
    /// Modbus/TCP Security (TLS), `host:port`; port 802 by the standard. Needs `[link.tls]`.
    pub tcp_tls: Option<String>,
    /// Certificates of a `tcp_tls` link.
    pub tls: Option<TlsTable>,
    /// RTU frames through a converter, `host:port`.
    pub rtu_over_tcp: Option<String>,
    /// Serial port, best by `/dev/serial/by-id/…` or `/dev/serial/by-path/…`.
    pub serial: Option<String>,
    #[serde(default = "default_baud")]
    pub baud: u32,
    #[serde(default = "default_data_bits")]
    pub data_bits: u8,
    #[serde(default)]
    pub parity: ParityWord,
    #[serde(default = "default_stop_bits")]
    pub stop_bits: u8,
    /// The UART switches its RS-485 transceiver with RTS. Leave out for adapters that switch by themselves, as most do.
    pub rs485: Option<Rs485Table>,
    /// Asks the serial driver to hand on what comes in at once.
    #[serde(default)]
    pub low_latency: bool,
    /// Longest wait for an answer.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u32,
}

/// `[link.tls]`: PEM files, read at every connect.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsTable {
    /// Authorities that may sign the instrument's certificate.
    pub ca_file: PathBuf,
    /// Our certificate; together with `key_file`.
    pub certificate_file: Option<PathBuf>,
    /// Private key of our certificate; readable by the owner only.
    pub key_file: Option<PathBuf>,
    /// Name in the instrument's certificate; default: the host of `tcp_tls`.
    pub server_name: Option<String>,
}

/// `[link.rs485]`
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rs485Table {
    /// RTS is high while sending.
    #[serde(default = "default_rts_high_on_send")]
    pub rts_high_on_send: bool,
    #[serde(default)]
    pub delay_before_send_ms: u32,
    #[serde(default)]
    pub delay_after_send_ms: u32,
}

/// `[[device]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceTable {
    pub key: String,
    /// Default: the key.
    pub name: Option<String>,
    /// The same in English; default: the key.
    pub name_en: Option<String>,
    pub link: String,
    /// Modbus unit id: 1–247; over TCP also 0 and 255.
    pub unit: u16,
    /// A shipped profile, or a file `profiles/<name>.toml` beside the configuration.
    pub profile: String,
    pub area: String,
    /// Silence that raises COMMS_LOSS; default max(5 s, 5 polls).
    pub comms_timeout_s: Option<f64>,
    /// Priority of COMMS_LOSS, 1–4.
    #[serde(default = "default_comms_priority")]
    pub priority: u8,
}

/// `[[point]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointTable {
    /// Tag, such as `GT-102`.
    pub key: String,
    pub name: String,
    pub name_en: String,
    #[serde(default)]
    pub device: String,
    /// Field of the device's profile.
    #[serde(default)]
    pub field: String,
    /// Computed from other points instead of read: `max({GT-101}, {GT-102})`.
    pub expression: Option<String>,
    /// Byte order of this point's value, where it is not the profile's: `ABCD`, `CDAB`, `BADC`, `DCBA`.
    pub word_order: Option<String>,
    /// Values at 4 and at 20 mA, for a field that is a current.
    pub signal_span: Option<(f64, f64)>,
    pub kind: KindWord,
    /// What a detector of toxic gas measures; its limits in ppm or mg/m³ are then held against GB/T 50493.
    pub substance: Option<SubstanceWord>,
    /// Why no detector is to be had whose range fits the exposure limit: its limits are then held against 5 % and 10 % of IDLH.
    pub limits_by_idlh: Option<String>,
    #[serde(default)]
    pub unit: String,
    /// Measuring range; 0–1 for states when left out.
    pub range: Option<(f64, f64)>,
    #[serde(default = "default_decimals")]
    pub decimals: u8,
    /// Poll period.
    #[serde(default = "default_period_ms")]
    pub period_ms: u32,
    /// Poll period while its value, or that of a point computed from it, is near one of its `limits` (5 % of the range) or beyond it, moves at
    /// half of the speed of `rising` or `falling`, or is off by 80 % of its `deviation`; default: `period_ms`.
    pub fast_period_ms: Option<u32>,
    /// A point is computed from it that can near a limit, a rate or a deviation of its own.
    #[serde(skip)]
    pub is_input_of_neared: bool,
    /// Older than this is bad; default three periods.
    pub max_age_s: Option<f64>,
    /// Default: the device's area.
    pub area: Option<String>,
    pub position: Option<(f64, f64)>,
    /// Alarm limits by `LL`, `L`, `H`, `HH`.
    #[serde(default)]
    pub limits: BTreeMap<LimitWord, LimitTable>,
    /// Alarm of a state.
    pub state_alarm: Option<StateAlarmTable>,
    /// Rate of change upwards and downwards.
    pub rising: Option<RateTable>,
    pub falling: Option<RateTable>,
    /// Distance from a setpoint or a twin.
    pub deviation: Option<DeviationTable>,
    /// A value that does not move; not for gas.
    pub stuck: Option<StuckTable>,
    /// A heartbeat that must move.
    pub frozen: Option<FrozenTable>,
    /// Alarm of a failed sensor; by default priority 3 after 4 s for every measured value that has a limit.
    pub sensor_fault: Option<SensorFaultTable>,
}

impl PointTable {
    /// It has a rule that its value can come near to, before the alarm.
    pub fn can_near(&self) -> bool {
        !self.limits.is_empty() || self.rising.is_some() || self.falling.is_some() || self.deviation.is_some()
    }
}

/// `[[strapping]]`: level to volume of a vessel, for `table(key, level)` in expressions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrappingTable {
    /// Letters, digits and `_`.
    pub key: String,
    /// `[level, volume]`, rising.
    pub rows: Vec<(f64, f64)>,
}

/// What a point measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindWord {
    Gas,
    Pressure,
    Temperature,
    Level,
    Flow,
    Speed,
    Percent,
    State,
    Other,
}

pub(super) fn default_data_dir() -> PathBuf {
    PathBuf::from("/var/lib/hazard-gateway")
}
pub(super) fn default_office_dir() -> PathBuf {
    PathBuf::from("/var/lib/hazard-gateway-office")
}
fn default_plan() -> (f64, f64) {
    (400.0, 260.0)
}
pub(super) fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}
fn default_mqtt_port() -> u16 {
    1883
}
/// A dead line is found after twice this, and an alarm must not wait longer than 30 s to learn of it.
fn default_keep_alive_s() -> u16 {
    10
}
fn default_commit_ms() -> u32 {
    1000
}
fn default_max_gb() -> u32 {
    16
}
fn default_baud() -> u32 {
    9600
}
fn default_rts_high_on_send() -> bool {
    true
}
fn default_data_bits() -> u8 {
    8
}
fn default_stop_bits() -> u8 {
    1
}
fn default_timeout_ms() -> u32 {
    500
}
fn default_comms_priority() -> u8 {
    3
}
fn default_decimals() -> u8 {
    1
}
fn default_period_ms() -> u32 {
    1000
}
