//! Times as RFC 3339 beside the integers: every answer of `/api/v1` carries both, and its schema too.
//!
//! ```text
//!   "utc_ms": n          → "time": "…"            "raised_utc_ms": n → "raised_at": "…"
//!   "since_utc_ms": n    → "since": "…"           "opened": {mono, wall} → "opened_at": "…"      "at": {mono, wall} → "time": "…"
//! ```
//! One walk over the JSON instead of a second field in every type: the page's stream, four frames a second, keeps to the integers.
//! UTC with milliseconds; the integer stays the one to compare.

use crate::moment::utc_text;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// As JSON, with the texts.
pub(super) fn with_moments<T: Serialize>(value: &T) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(value)?;
    add(&mut value);
    Ok(value)
}

/// Adds the texts throughout; a field that is there already stays.
pub(super) fn add(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(add),
        // a moment of the engine: its text is beside it
        Value::Object(fields) if fields.contains_key("wall") && fields.contains_key("mono") => {}
        Value::Object(fields) => {
            fields.values_mut().for_each(add);
            for (name, moment) in fields.iter().filter_map(text_of).collect::<Vec<_>>() {
                fields.entry(name).or_insert(moment);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Name and text beside a field; `None` when it is no time.
fn text_of((key, value): (&String, &Value)) -> Option<(String, Value)> {
    if let Some(utc_ms) = value.pointer("/wall/utc_ms") {
        return Some((name_of_now(key), text(utc_ms)));
    }
    Some((name_of_ms(key)?, text(value)))
}

/// A time that was never is null, as the integer is; 0 stands for "never" in points and alarms.
fn text(utc_ms: &Value) -> Value {
    utc_ms.as_i64().filter(|ms| *ms != 0).map_or(Value::Null, |ms| utc_text(ms).into())
}

fn name_of_now(key: &str) -> String {
    if key == "at" { "time".to_owned() } else { format!("{key}_at") }
}

/// `raised_utc_ms` → `raised_at`; words that say "when" by themselves stay as they are.
fn name_of_ms(key: &str) -> Option<String> {
    if key == "utc_ms" {
        return Some("time".to_owned());
    }
    let what = key.strip_suffix("_utc_ms")?;
    let says_when = ["since", "until", "as_of"].iter().any(|word| what.ends_with(word));
    Some(if says_when { what.to_owned() } else { format!("{what}_at") })
}

/// The same for a schema: wherever an object has such a field, it has its text too.
pub(super) fn add_to_schema(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(add_to_schema),
        Value::Object(fields) => {
            fields.values_mut().for_each(add_to_schema);
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                describe(properties);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn describe(properties: &mut Map<String, Value>) {
    let name = |(key, schema): (&String, &Value)| {
        let is_now = schema["$ref"].as_str().is_some_and(|name| name.ends_with("/Now"));
        if is_now { Some(name_of_now(key)) } else { name_of_ms(key) }
    };
    for name in properties.iter().filter_map(name).collect::<Vec<_>>() {
        properties.entry(name).or_insert(json!({ "type": ["string", "null"], "format": "date-time" }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_integer_time_has_its_text_beside_it() {
        let now = json!({ "mono": 7, "wall": { "utc_ms": 1_500, "quality": "synced" } });
        let answer = with_moments(&json!([{
            "utc_ms": 1_000, "raised_utc_ms": 2_000, "returned_utc_ms": null, "since_utc_ms": 3_000, "as_of_utc_ms": 4_000, "opened": now,
            "inner": { "acked_utc_ms": 5_000 }, "t": [1],
        }]))
        .unwrap();
        let first = &answer[0];
        for (name, text) in [
            ("time", "1970-01-01T00:00:01.000Z"),
            ("raised_at", "1970-01-01T00:00:02.000Z"),
            ("since", "1970-01-01T00:00:03.000Z"),
            ("as_of", "1970-01-01T00:00:04.000Z"),
            ("opened_at", "1970-01-01T00:00:01.500Z"),
        ] {
            assert_eq!(first[name], text, "{answer}");
        }
        assert_eq!(
            (&first["returned_at"], &first["inner"]["acked_at"]),
            (&Value::Null, &"1970-01-01T00:00:05.000Z".into())
        );
        assert_eq!((&first["raised_utc_ms"], &first["opened"]), (&2_000.into(), &now));
        assert_eq!(with_moments(&json!({ "at": now })).unwrap()["time"], "1970-01-01T00:00:01.500Z");
    }

    #[test]
    fn a_schema_says_so_too() {
        let mut schema = json!({ "properties": { "raised_utc_ms": { "type": "integer" }, "opened": { "$ref": "#/components/schemas/Now" } } });
        add_to_schema(&mut schema);
        assert!(
            schema["properties"]["raised_at"].is_object() && schema["properties"]["opened_at"].is_object(),
            "{schema}"
        );
    }
}
