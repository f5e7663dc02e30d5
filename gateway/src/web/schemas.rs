//! What each route answers with, for `/api/v1/openapi.json`.
//!
//! Owns the table route → body. The types are those that are serialised; of what `rules`, the office and the journal write the shape is
//! repeated here, since they know nothing of schemas. A test holds all of it against a running demo.

use super::DemoScenario;
use super::api::{AlarmRow, Columns, PointNow, StatusView};
use super::calls::CallRow;
use super::moments;
use super::requester::Requester;
use super::routes::{Role, Route};
use super::shell::PageKind;
use crate::kpi;
use crate::snapshot::{BypassView, GroupsView, ShelfView};
use crate::store::IncidentFigures;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Where the shapes stand in the document.
const PLACE: &str = "/components/schemas";

/// Collects the shapes that routes refer to.
pub(super) struct Shapes(SchemaGenerator);

impl Shapes {
    pub(super) fn new() -> Self {
        let settings =
            SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.definitions_path = PLACE.into());
        Self(settings.into_generator())
    }

    fn one<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.0.subschema_for::<T>().to_value();
        moments::add_to_schema(&mut schema);
        schema
    }

    fn list<T: JsonSchema>(&mut self) -> Value {
        self.one::<Vec<T>>()
    }

    /// All that was referred to, by name.
    pub(super) fn named(mut self) -> Map<String, Value> {
        let mut all = Value::Object(self.0.take_definitions(true));
        moments::add_to_schema(&mut all);
        if let Value::Object(all) = all { all } else { Map::new() }
    }

    /// Status and content of a success.
    pub(super) fn response(&mut self, route: &Route) -> (&'static str, Value) {
        let text = |media: &str| json!({ media: { "schema": { "type": "string" } } });
        match (route.method, route.path) {
            (_, "/healthz" | "/readyz") => ("200", text("text/plain")),
            (_, "/metrics") => ("200", text("application/openmetrics-text")),
            (_, path) if path.ends_with("/stream") => ("200", text("text/event-stream")),
            ("POST", "/api/v1/users") => ("201", Value::Null),
            ("POST", "/api/v1/demo/scenarios") => ("202", Value::Null),
            ("DELETE", "/api/v1/demo/scenarios") => ("204", Value::Null),
            ("DELETE", _) | ("POST", "/api/v1/password" | "/api/v1/users/{name}") => ("204", Value::Null),
            (method, path) => ("200", json!({ "application/json": { "schema": self.body(method, path) } })),
        }
    }

    fn body(&mut self, method: &str, path: &str) -> Value {
        match (method, path) {
            ("GET", "/api/v1/openapi.json") => json!({ "type": "object", "required": ["openapi", "paths"] }),
            (_, "/api/v1/session" | "/api/v1/setup") => self.one::<SessionShape>(),
            ("GET", "/api/v1/users") => self.list::<UserShape>(),
            ("GET", "/api/v1/status") => self.one::<StatusView<'static>>(),
            ("GET", "/api/v1/points") => self.list::<PointNow>(),
            ("GET", "/api/v1/points/{id}") => self.one::<PointNow>(),
            ("GET", "/api/v1/points/{id}/history") => self.one::<Columns>(),
            ("GET", "/api/v1/alarms") => self.list::<AlarmRow<'static>>(),
            ("GET", "/api/v1/calls") => self.list::<CallRow<'static>>(),
            ("GET", "/api/v1/events") => self.list::<RecordShape>(),
            ("GET", "/api/v1/kpi") => self.one::<kpi::Report>(),
            ("GET", "/api/v1/risks") => self.list::<RiskShape>(),
            ("GET", "/api/v1/measures") => self.list::<MeasureShape>(),
            ("GET", "/api/v1/sources") => self.list::<SourceShape>(),
            ("GET", "/api/v1/hazards") => self.list::<HazardShape>(),
            ("GET", "/api/v1/devices") => self.list::<DeviceLinkShape>(),
            ("GET", "/api/v1/devices/{bus}/exchanges") => self.one::<ExchangesShape>(),
            ("GET", "/api/v1/devices/{bus}/incidents") => self.one::<IncidentsShape>(),
            ("GET", "/api/v1/incidents") => self.one::<AllIncidentsShape>(),
            ("GET", "/api/v1/shelves") => self.list::<ShelfView>(),
            ("GET", "/api/v1/bypasses") => self.list::<BypassView>(),
            ("GET", "/api/v1/requester") => self.one::<Requester>(),
            ("GET", "/api/v1/groups") => self.one::<GroupsView>(),
            ("GET", "/api/v1/demo/scenarios") => self.list::<DemoScenario>(),
            ("GET", "/api/v1/office/sites") => self.list::<OfficeSiteShape>(),
            ("GET", "/api/v1/office/events") => self.list::<OfficeEventShape>(),
            ("POST", "/api/v1/office/events/{event_id}/confirm") => self.one::<AlreadyShape>(),
            ("POST", "/api/v1/config/reload") => self.one::<ReloadShape>(),
            ("POST", _) => self.one::<CommandShape>(),
            _ => json!({}),
        }
    }
}

/// Shapes whose JSON is written elsewhere; their fields are never read.
macro_rules! shapes {
    ($($(#[$meta:meta])* $name:ident as $shown:literal { $($(#[$of:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $($(#[$meta])*
        #[derive(JsonSchema)]
        #[schemars(rename = $shown)]
        #[allow(dead_code, reason = "only its shape is used")]
        struct $name { $($(#[$of])* $field: $kind),* })*
    };
}

shapes! {
    /// The engine's moment: monotonic nanoseconds and the label of the wall clock.
    Now as "Now" { mono: u64, wall: Wall }
    Wall as "Wall" { utc_ms: i64, /** `synced`, `unsynced`, `stepped`. */ quality: String, /** How far it can be wrong at most; left out where nobody knows. */ #[serde(skip_serializing_if = "Option::is_none")] max_error_ms: Option<u16> }
    SessionShape as "Session" {
        kind: PageKind, user: Option<String>, display_name: Option<String>, role: Option<Role>, roles: Vec<Role>, csrf: Option<String>, demo: bool, setup_needed: bool, utc_ms: i64
    }
    UserShape as "User" { user: String, roles: Vec<Role>, disabled: bool, display_name: String }
    /// A journal entry; each kind has fields of its own besides.
    RecordShape as "Record" {
        seq: u64, at: Now, kind: String, event_id: String, boot_id: String, delivery_seq: Option<u64>, durable: bool, prev_hash: String, hash: String,
        text_zh: String, text_en: String
    }
    CommandShape as "CommandDone" { already_so: bool, records: Vec<RecordShape> }
    /// `restart`: a stop and a start follow, because the wiring is another.
    ReloadShape as "Reload" { in_force: bool, /** False where the file is what runs already: nothing was done. */ changed: bool, restart: bool, config_hash: Option<String> }
    AlreadyShape as "AlreadySo" { already_so: bool }
    RiskShape as "Risk" {
        key: String, name: String, name_en: String, area: String, /** `major`, `considerable`, `general`, `low`. */ level: String, accident_type: String,
        leader_role: String, source: Option<String>
    }
    MeasureShape as "Measure" { key: String, risk: String }
    SourceShape as "Source" { key: String, name: String, name_en: String, s: f64, r: f64, grade: u8, responsible_roles: Vec<String> }
    HazardShape as "Hazard" {
        id: String, measure: String, risk: String, /** Alarm; empty where a person found it. */ cause: String, opened: Now, occurrences: Vec<String>,
        stage: StageShape, #[serde(skip_serializing_if = "Option::is_none")] found: Option<FoundShape>, /** The closed record that came back. */ #[serde(skip_serializing_if = "Option::is_none")] repeat_of: Option<String>,
        /** What `seen_seq` of the next step must not be older than. */ #[serde(skip_serializing_if = "Option::is_none")] moved_seq: Option<u64>, /** Somebody was called because its step is overdue. */ #[serde(skip_serializing_if = "Option::is_none")] overdue: Option<bool>,
        /** Of open ones: steps that fit now, the expected one first. */ #[serde(skip_serializing_if = "Option::is_none")] next_steps: Option<Vec<String>>,
        /** Of open ones: what the expected step needs. */ #[serde(skip_serializing_if = "Option::is_none")] lacks: Option<Vec<String>>,
        /** Of open ones: the alarm behind it is judged and normal. */ #[serde(skip_serializing_if = "Option::is_none")] condition_normal: Option<bool>
    }
    FoundShape as "Found" { place: String, description: String }
    /// `candidate`, `registered`, `rejected`, `assessed`, `planned`, `reported`, `rectifying`, `waiting`, `accepted`, `closed`; with what the stage requires.
    StageShape as "Stage" {
        stage: String, #[serde(skip_serializing_if = "Option::is_none")] confirmed: Option<DecisionShape>, #[serde(skip_serializing_if = "Option::is_none")] rejected: Option<DecisionShape>, /** `general`, `major`. */ #[serde(skip_serializing_if = "Option::is_none")] level: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] assessed: Option<Map<String, Value>>, #[serde(skip_serializing_if = "Option::is_none")] plan: Option<Map<String, Value>>, #[serde(skip_serializing_if = "Option::is_none")] report: Option<Map<String, Value>>, #[serde(skip_serializing_if = "Option::is_none")] assignment: Option<Map<String, Value>>,
        #[serde(skip_serializing_if = "Option::is_none")] earlier: Option<Vec<Map<String, Value>>>, #[serde(skip_serializing_if = "Option::is_none")] sent_back: Option<Vec<Map<String, Value>>>, #[serde(skip_serializing_if = "Option::is_none")] rectified: Option<Map<String, Value>>,
        #[serde(skip_serializing_if = "Option::is_none")] acceptance: Option<Map<String, Value>>, #[serde(skip_serializing_if = "Option::is_none")] closed: Option<DecisionShape>
    }
    DecisionShape as "Decision" { by: String, role: String, at: Now, reason: String, #[serde(skip_serializing_if = "Option::is_none")] terminal: Option<String> }
    /// A link with all its counters.
    DeviceLinkShape as "DeviceLink" {
        key: String, /** The link is open. */ up: bool, /** `up`; `silent`: open, and no unit answers; `down`. */ state: String, detail: Map<String, Value>
    }
    ExchangesShape as "Exchanges" { bus: String, exchanges: Vec<Map<String, Value>> }
    IncidentsShape as "Incidents" {
        site: String, bus: String, version: String, utc_ms: i64, turnaround_edges_ms: Vec<f64>,
        /** None of a bus that the running configuration does not have. */ counters: Option<Map<String, Value>>, incidents: Vec<Map<String, Value>>
    }
    /// `number` is none while it is in memory only.
    IncidentShape as "Incident" {
        number: Option<u64>, bus: String, utc_ms: i64, cause: String, event_ids: Vec<String>, complete: bool, /** It outlives a restart. */ saved: bool
    }
    AllIncidentsShape as "AllIncidents" { incidents: Vec<IncidentShape>, figures: IncidentFigures }
    OfficeSiteShape as "OfficeSite" {
        site: String, name: String, name_en: String, online: bool, silent: bool, broker_connected: bool, boot_id: String, last_heartbeat_ms: Option<i64>,
        /** RFC 3339 UTC. */ last_heartbeat_at: Option<String>, /** Ranges of numbers that have not arrived. */ missing: Vec<(u64, u64)>,
        outbox_depth: Option<u64>, chain_head: Option<String>, clock: Option<String>, config_hash: Option<String>, standing: Vec<Map<String, Value>>,
        hazards: Vec<Map<String, Value>>, as_of_seq: u64, as_of: Option<String>, events_unconfirmed: u64
    }
    /// A received event; `payload` as the site sent it.
    OfficeEventShape as "OfficeEvent" {
        n: u64, event_id: String, site: String, payload: Map<String, Value>, copies: u64, wants_person: bool, received_at: String, by: Option<String>,
        note: Option<String>, by_user: Option<String>, confirmed_at: Option<String>
    }
}

#[cfg(test)]
mod tests {
    use super::super::routes::ROUTES;
    use super::*;

    #[test]
    fn every_route_says_what_it_answers() {
        let mut shapes = Shapes::new();
        for route in ROUTES {
            let (status, content) = shapes.response(route);
            assert!(status.starts_with('2'), "{}", route.path);
            let schemas =
                content.as_object().map(|media| media.values().map(|of| of["schema"].clone()).collect::<Vec<_>>());
            let said =
                schemas.is_none_or(|all| all.iter().all(|schema| schema.as_object().is_some_and(|s| !s.is_empty())));
            assert!(said, "{} {} has a row in routes::ROUTES and none in schemas::body", route.method, route.path);
        }
        let named = shapes.named();
        assert!(named["AlarmRow"]["properties"]["raised_at"].is_object(), "{:?}", named.keys().collect::<Vec<_>>());
        assert!(
            named["Record"]["properties"]["time"].is_object() && named["Hazard"]["properties"]["opened_at"].is_object()
        );
    }
}
