//! What outsiders see: one immutable picture of the site, published by the core through a watch channel after each turn.
//!
//! These types ARE the JSON of `/api/v1/*` and of the stream's `snapshot` frame; the page is written against them.

mod points;
mod value;

#[cfg(test)]
pub(crate) use points::fixture;
pub use points::{PointView, Points};
pub use value::ValueView;

use crate::annunciator::AnnunciatorView;
use crate::calls::CallList;
use crate::delivery::{Delivery, OutboxFigures};
use devices::status::BusSnapshot;
use rules::annunciator::Annunciation;
use rules::hazard::Hazard;
use rules::risk::{Measure, Risk, Source};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// An open record, and what comes next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HazardView {
    #[serde(flatten)]
    pub hazard: Hazard,
    /// Steps that fit now, the expected one first: the last part of their address.
    pub next_steps: &'static [&'static str],
    /// What the expected step needs from a person.
    pub lacks: &'static [&'static str],
    /// The alarm behind it is judged and normal: it may be closed.
    pub condition_normal: bool,
}

/// The part that only changes with the configuration.
#[derive(Clone, Debug, Serialize)]
pub struct SiteView {
    pub site: String,
    pub name: String,
    pub name_en: String,
    pub config_hash: String,
    pub points: Points,
    pub risks: Vec<Risk>,
    pub measures: Vec<Measure>,
    pub sources: Vec<Source>,
    pub areas: Vec<AreaView>,
    /// Plan size in metres.
    pub plan: (f64, f64),
    /// True for `demo`.
    pub demo: bool,
    /// Of what is neither a point nor a risk; for sentences, not part of the JSON.
    #[serde(skip)]
    pub names: Names,
    /// Whom to call, with numbers: for people who are signed in, not part of the JSON.
    #[serde(skip)]
    pub calls: CallList,
}

/// zh-CN and English names by key.
#[derive(Clone, Debug, Default)]
pub struct Names(pub std::collections::BTreeMap<String, (String, String)>);

impl Names {
    /// The name beside its key, or the key alone where nothing of that key has a name.
    #[must_use]
    pub fn of(&self, key: &str) -> (String, String) {
        match self.0.get(key) {
            Some((zh, en)) => (zh.clone(), en.clone()),
            None => (key.to_owned(), key.to_owned()),
        }
    }
}

/// An area of the four-colour plan (风险四色图).
#[derive(Clone, Debug, Serialize)]
pub struct AreaView {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Polygon in metres, origin south-west, x east, y north.
    pub polygon: Vec<(f64, f64)>,
    /// Worst risk: `major considerable general low`; `not_assessed` where none is registered.
    pub level: String,
}

/// One standing alarm.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct AlarmView {
    /// `GT-102:HH`.
    pub id: String,
    pub point: String,
    /// The unit of the plant whose mode may hide it.
    pub plant_unit: Option<String>,
    pub name: String,
    pub name_en: String,
    pub area: String,
    pub condition: String,
    pub priority: u8,
    /// `unacked acked returned_unacked latched_unacked latched_acked shelved suppressed bypassed out_of_service`.
    pub state: String,
    pub held: bool,
    /// Hidden by anything: judged and recorded, not annunciated.
    pub suppressed: bool,
    /// Shown under the outer limit, without a sound of its own.
    pub superseded: bool,
    /// It has a sound of its own: unacknowledged, not hidden, not superseded.
    pub sounds: bool,
    pub latched: bool,
    pub chatter: bool,
    /// Escalation level reached.
    pub escalated: u8,
    /// Posts to be called now, in that order: those of the level reached, until somebody acknowledges. Who holds them and by which number is
    /// in `/api/v1/calls`.
    pub call: Vec<PostView>,
    /// Rank in its first-out group, and whether polling cannot tell it from another of the same rank.
    pub first_out: Option<u16>,
    pub first_out_tie: bool,
    pub cause: String,
    pub consequence: String,
    pub assumed: bool,
    pub occurrence: u64,
    /// What an acknowledgement must have seen (`seen_seq`).
    pub seq: u64,
    /// Event id of the raise, for the delivery state.
    pub event_id: String,
    pub raised_utc_ms: i64,
    pub returned_utc_ms: Option<i64>,
    pub acked_utc_ms: Option<i64>,
    pub acked_by: Option<String>,
    /// Value at the last transition and the limit.
    pub value: Option<f64>,
    pub limit: Option<f64>,
    pub unit: String,
    /// Of the point: `state` is shown as yes or no, others with so many decimals; none where it is about no point.
    pub point_kind: Option<&'static str>,
    pub decimals: Option<u8>,
    pub risk: Option<String>,
    pub hazard: Option<String>,
    pub action: String,
    pub action_en: String,
    pub delivery: Delivery,
    /// The person at the office who took note of it, and the words.
    pub office_by: Option<String>,
    pub office_note: Option<String>,
    pub drill: bool,
    pub durable: bool,
    /// Event texts of the raise.
    pub text_zh: String,
    pub text_en: String,
}

/// A post (岗位) in both languages.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct PostView {
    pub post: String,
    pub post_en: String,
}

/// One shelved alarm.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct ShelfView {
    /// `GT-102:H`.
    pub alarm: String,
    pub point: String,
    /// `timed`, `one_shot`.
    pub kind: &'static str,
    pub by: String,
    pub reason: String,
    pub since_utc_ms: i64,
    pub until_utc_ms: i64,
    /// The condition is true behind it.
    pub active: bool,
}

/// A point whose alarms are bypassed, or that is out of service.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct BypassView {
    pub point: String,
    /// `bypass`, `out_of_service`, `inhibited`.
    pub kind: &'static str,
    /// Permit or work order.
    pub paper: String,
    pub by: String,
    pub requested_by: String,
    /// Who asked has no account here: the name is as it was typed.
    pub no_account: bool,
    pub reason: String,
    /// What watches the place meanwhile.
    pub compensation: String,
    pub since_utc_ms: i64,
    /// None for out of service.
    pub until_utc_ms: Option<i64>,
    /// A condition is true behind it.
    pub active: bool,
}

/// A vote as it stands.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct VoteView {
    pub key: String,
    pub name: String,
    pub name_en: String,
    pub votes: u8,
    pub needed: u8,
    pub healthy: u8,
    pub members: Vec<String>,
}

/// A first-out group: members in the order in which they came, those that did not last.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct FirstOutView {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// Alarm key, rank, tie.
    pub ranked: Vec<(String, u16, bool)>,
}

/// A unit of the plant and how it is run.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct UnitView {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// `running`, `stopped`, `maintenance`.
    pub mode: &'static str,
    /// Its mode comes from a running signal.
    pub measured: bool,
}

/// More alarms than a person can follow.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct FloodView {
    pub since_utc_ms: i64,
    pub count: u32,
    pub peak: u32,
    pub first: String,
}

/// One alarm suppressed by design, also when its condition is not true: it is not normal, nobody would be called.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct SuppressedView {
    /// `GT-102:H`.
    pub alarm: String,
    pub point: String,
    /// Key of the suppression; `mode` for a unit's mode.
    pub rule: String,
    /// None while it lasts as long as the unit's mode.
    pub until_utc_ms: Option<i64>,
    /// The condition is true behind it.
    pub active: bool,
}

/// Sensor faults that stand under the silence of their instrument: one alarm for one cause, for as long as that one stands.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct UnderSilenceView {
    /// `DET-101:COMMS_LOSS`.
    pub cause: String,
    /// `GT-102:SENSOR_FAULT` …
    pub alarms: Vec<String>,
}

/// What ties alarms together.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct GroupsView {
    pub votes: Vec<VoteView>,
    pub first_out: Vec<FirstOutView>,
    pub units: Vec<UnitView>,
    pub suppressed: Vec<SuppressedView>,
    pub under_silence: Vec<UnderSilenceView>,
    pub flood: Option<FloodView>,
    /// What sounds unless it is silenced: `p1`, `p2`, `p3`, or `flood` instead of `p3` in a flood. Page and annunciator follow this one word.
    pub sound: Option<&'static str>,
    /// The sound is off until then.
    pub silenced_until_utc_ms: Option<i64>,
    /// Who turned it off.
    pub silenced_by: Option<String>,
}

/// A link and its units, for the device page.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct BusView {
    pub key: String,
    /// The link is open.
    pub up: bool,
    /// `up`; `silent`: open, and no unit answers; `down`.
    pub state: &'static str,
    #[schemars(with = "serde_json::Value")]
    pub detail: BusSnapshot,
}

/// Figures of the store and the InfluxDB writer.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct StorageView {
    pub ok: bool,
    pub last_commit_ms: u64,
    /// Room left on the disk; unknown in the first seconds.
    pub free_bytes: Option<u64>,
    pub samples_read: u64,
    pub samples_stored: u64,
    /// reason → count.
    pub samples_dropped: std::collections::BTreeMap<String, u64>,
    pub influx_enabled: bool,
    pub influx_delivered: u64,
    pub influx_pending: u64,
    pub influx_dead_lettered: u64,
    /// The same for the transitions of alarms.
    pub influx_transitions_delivered: u64,
    pub influx_transitions_dead_lettered: u64,
    pub influx_last_error: Option<String>,
}

/// One picture.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    pub boot_id: String,
    /// Last journal number contained.
    pub seq: u64,
    pub utc_ms: i64,
    /// `synced`, `unsynced`, `stepped`.
    pub clock: String,
    /// How far the wall clock can be wrong at most; none where nobody knows.
    pub clock_max_error_ms: Option<u16>,
    pub version: &'static str,
    /// Journal number from which `site` holds; a page that has seen less must see it again.
    #[serde(skip)]
    pub site_since_seq: u64,
    pub site: Arc<SiteView>,
    pub values: Vec<ValueView>,
    /// Conditions that say nothing now although their points have values, by number of the point: `[[12, "DEV"]]`. Never "normal".
    pub unjudged: Arc<Vec<(usize, &'static str)>>,
    pub alarms: Arc<Vec<AlarmView>>,
    pub shelves: Arc<Vec<ShelfView>>,
    pub bypasses: Arc<Vec<BypassView>>,
    pub groups: Arc<GroupsView>,
    pub hazards: Arc<Vec<HazardView>>,
    pub buses: Arc<Vec<BusView>>,
    pub outbox: OutboxFigures,
    pub storage: StorageView,
    /// Events still without a receipt after five minutes.
    pub office_silent: bool,
    /// What is to be heard and seen; for the annunciator, not part of the JSON.
    #[serde(skip)]
    pub annunciation: Annunciation,
    /// None where none is configured.
    pub annunciator: Option<AnnunciatorView>,
}
