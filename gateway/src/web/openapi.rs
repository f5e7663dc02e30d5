//! `/api/v1/openapi.json`: the description of every route, made from the one table of routes.

use super::archive::{GO_ON_AFTER, SEARCHED_FROM, SEARCHED_TO};
use super::routes::{Access, ROUTES, Route, Station};
use super::schemas::Shapes;
use super::shell::{PageKind, Shell};
use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) async fn serve(State(shell): State<Arc<Shell>>) -> Json<Value> {
    Json(describe(shell.kind))
}

/// The whole description for one kind of station.
#[must_use]
pub fn describe(kind: PageKind) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut shapes = Shapes::new();
    for route in ROUTES.iter().filter(|route| serves(route.station, kind)) {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation(route, &mut shapes);
    }
    let mut schemas = shapes.named();
    schemas.insert("Problem".into(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "hazard-gateway", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "securitySchemes": { "session": { "type": "apiKey", "in": "cookie", "name": "hazard_session" } },
            "schemas": schemas,
        },
    })
}

pub(super) fn serves(station: Station, kind: PageKind) -> bool {
    match station {
        Station::Both => true,
        Station::Site | Station::Demo => kind == PageKind::Site,
        Station::Office => kind == PageKind::Office,
    }
}

fn operation(route: &Route, shapes: &mut Shapes) -> Value {
    let changes = route.method != "GET";
    let mut parameters: Vec<Value> = path_parameters(route.path);
    parameters.extend(query_parameters(route.path, route.method));
    if changes && matches!(route.access, Access::Needs(_)) {
        parameters.push(parameter("header", "X-CSRF-Token", true, "string"));
        parameters.push(parameter("header", "Idempotency-Key", false, "string"));
    }
    let (status, content) = shapes.response(route);
    let mut done = json!({ "description": "done" });
    if content.is_object() {
        done["content"] = content;
    }
    if route.path == "/api/v1/events" {
        done["headers"] = searched_headers();
    }
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            status: done,
            "default": { "description": "problem", "content": {
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } },
        },
    });
    if matches!(route.access, Access::Needs(_)) {
        operation["security"] = json!([{ "session": [] }]);
    }
    if let Some(schema) = body_schema(route.path, route.method) {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

fn parameter(place: &str, name: &str, required: bool, kind: &str) -> Value {
    let mut schema = json!({ "type": kind });
    if kind == "array" {
        // repeated: type=alarm.raised&type=point
        schema["items"] = json!({ "type": "string" });
    }
    json!({ "name": name, "in": place, "required": required, "schema": schema })
}

/// Of a filter that could not look through all.
fn searched_headers() -> Value {
    let header = |said: &str| json!({ "description": said, "schema": { "type": "integer" } });
    json!({
        SEARCHED_FROM: header("first entry looked at; only where the filter looked through as much as it may"),
        SEARCHED_TO: header("last entry looked at"),
        GO_ON_AFTER: header("give it as after_seq to go on"),
    })
}

fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter("path", name, true, "string"))
        .collect()
}

fn query_parameters(path: &str, method: &str) -> Vec<Value> {
    let names: &[(&str, &str)] = match (method, path) {
        ("GET", "/api/v1/points/{id}/history") => &[("from", "string"), ("to", "string"), ("width", "integer")],
        ("GET", "/api/v1/devices/{bus}/incidents") => &[("event_id", "string")],
        ("GET", "/api/v1/kpi") => &[("from", "string"), ("to", "string")],
        ("GET", "/api/v1/events") => &[
            ("after_seq", "integer"),
            ("limit", "integer"),
            ("type", "array"),
            ("alarm", "string"),
            ("point", "string"),
            ("priority", "array"),
            ("since", "string"),
            ("until", "string"),
        ],
        ("GET", "/api/v1/hazards") => &[("closed", "boolean")],
        ("GET", "/api/v1/requester") => &[("name", "string")],
        ("GET", "/api/v1/office/events") => &[("site", "string"), ("after", "integer"), ("limit", "integer")],
        _ => &[],
    };
    names.iter().map(|(name, kind)| parameter("query", name, false, kind)).collect()
}

/// Fields of a body: name, JSON type, required.
type Field = (&'static str, &'static str, bool);

fn body_schema(path: &str, method: &str) -> Option<Value> {
    if method != "POST" {
        return None;
    }
    let fields: &[Field] = match path {
        "/api/v1/session" => &[("user", "string", true), ("password", "string", true)],
        "/api/v1/setup" => &[("code", "string", true), ("user", "string", true), ("password", "string", true)],
        "/api/v1/password" => &[("old", "string", true), ("new", "string", true)],
        "/api/v1/users" => &[("user", "string", true), ("roles", "array", true), ("password", "string", true)],
        "/api/v1/users/{name}" => {
            &[("roles", "array", false), ("password", "string", false), ("disabled", "boolean", false)]
        }
        "/api/v1/alarms/{id}/ack" => &[("seen_seq", "integer", true), ("comment", "string", false)],
        "/api/v1/alarms/{id}/shelve" => &[
            ("seen_seq", "integer", true),
            ("kind", "string", false),
            ("duration_s", "integer", true),
            ("reason", "string", true),
        ],
        "/api/v1/alarms/{id}/unshelve" => &[("seen_seq", "integer", true)],
        "/api/v1/alarms/{id}/reset" | "/api/v1/points/{id}/bypass/end" | "/api/v1/points/{id}/out-of-service/end" => {
            &[("seen_seq", "integer", true), ("reason", "string", true)]
        }
        "/api/v1/points/{id}/bypass" => &[
            ("seen_seq", "integer", true),
            ("permit", "string", true),
            ("reason", "string", true),
            ("requested_by", "string", true),
            ("duration_s", "integer", true),
            ("compensation", "string", true),
        ],
        "/api/v1/points/{id}/out-of-service" => {
            &[("seen_seq", "integer", true), ("work_order", "string", true), ("reason", "string", true)]
        }
        "/api/v1/units/{id}/mode" => {
            &[("seen_seq", "integer", true), ("mode", "string", true), ("reason", "string", true)]
        }
        "/api/v1/annunciator/test" => &[("reason", "string", true)],
        "/api/v1/first-out/{id}/reset" | "/api/v1/silence" => &[("reason", "string", false)],
        "/api/v1/hazards/{id}/confirm" => &[("seen_seq", "integer", false), ("reason", "string", false)],
        "/api/v1/config/reload" => &[("reason", "string", true)],
        "/api/v1/hazards/{id}/reject" => &[("seen_seq", "integer", false), ("reason", "string", true)],
        "/api/v1/hazards" => &[("measure", "string", true), ("place", "string", true), ("description", "string", true)],
        "/api/v1/hazards/{id}/assess" => &[
            ("seen_seq", "integer", true),
            ("level", "string", true),
            ("criteria", "string", true),
            ("cause", "string", true),
        ],
        "/api/v1/hazards/{id}/plan" => &[
            ("seen_seq", "integer", true),
            ("responsibility", "string", true),
            ("measures", "string", true),
            ("funds", "string", true),
            ("due_at", "string", true),
            ("emergency", "string", true),
            ("reason", "string", false),
        ],
        "/api/v1/hazards/{id}/report" => &[
            ("seen_seq", "integer", true),
            ("to", "string", true),
            ("receipt", "string", false),
            ("supervision", "string", false),
        ],
        "/api/v1/hazards/{id}/assign" => &[
            // anew, what is left out stays, and a reason is needed instead
            ("seen_seq", "integer", true),
            ("responsible", "string", false),
            ("due_at", "string", false),
            ("interim_control", "string", false),
            ("reason", "string", false),
        ],
        "/api/v1/hazards/{id}/rectify" => &[("seen_seq", "integer", true), ("evidence", "string", true)],
        "/api/v1/hazards/{id}/accept" => &[
            ("seen_seq", "integer", true),
            ("passed", "boolean", true),
            ("opinion", "string", true),
            ("review_report", "string", false),
        ],
        "/api/v1/hazards/{id}/close" => &[("seen_seq", "integer", true), ("reason", "string", true)],
        "/api/v1/demo/scenarios" => &[("name", "string", true)],
        "/api/v1/office/events/{event_id}/confirm" => &[("by", "string", true), ("note", "string", false)],
        _ => return None,
    };
    let properties: Map<String, Value> =
        fields.iter().map(|(name, kind, _)| ((*name).to_owned(), json!({ "type": kind }))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.2).map(|field| field.0).collect();
    Some(json!({ "type": "object", "properties": properties, "required": required }))
}

fn problem_schema() -> Value {
    json!({ "type": "object", "required": ["type", "title", "status"], "properties": {
        "type": { "type": "string" }, "title": { "type": "string" }, "title_en": { "type": "string" },
        "status": { "type": "integer" }, "detail": { "type": "string" },
        "fields": { "type": "array", "items": { "type": "string" } },
        "errors": { "type": "array", "items": { "type": "object", "properties": {
            "field": { "type": "string" }, "sent": {}, "allowed": { "type": "string" }, "allowed_en": { "type": "string" },
            "max": { "type": ["integer", "null"] } } } },
        "defects": { "type": "array", "items": { "type": "object" } },
    } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_may_leave_out_what_stays() {
        let all = describe(PageKind::Site);
        let assign = &all["paths"]["/api/v1/hazards/{id}/assign"]["post"]["requestBody"];
        assert_eq!(assign["content"]["application/json"]["schema"]["required"], json!(["seen_seq"]));
    }

    #[test]
    fn every_route_of_a_station_is_described_and_every_body_too() {
        for kind in [PageKind::Site, PageKind::Office] {
            let all = describe(kind);
            for route in ROUTES.iter().filter(|route| serves(route.station, kind)) {
                let operation = &all["paths"][route.path][route.method.to_lowercase()];
                assert!(operation["summary"].is_string(), "{} {}", route.method, route.path);
                assert_eq!(operation["requestBody"].is_object(), route.method == "POST", "{}", route.path);
            }
        }
    }
}
