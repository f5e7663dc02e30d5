//! A JSON body whose defects are answered as problems: every field that is missing or of the wrong type by its name.

use super::fields::Wrong;
use super::problem::{Kind, Problem};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A JSON body of type `T`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) = Json::<Value>::from_request(request, state).await.map_err(|rejection| refused(&rejection))?;
        let Value::Object(fields) = value else {
            return Err(Problem::with_detail(Kind::Malformed, "应为 JSON 对象 · a JSON object is expected"));
        };
        read(fields).map(Self)
    }
}

fn refused(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::with_detail(Kind::Malformed, "Content-Type: application/json"),
        _ => Problem::with_detail(Kind::Malformed, "不是 JSON · not JSON"),
    }
}

/// What stands in for a field that is missing or of the wrong type, so that the fields after it are looked at too.
fn stand_ins() -> [Value; 5] {
    [json!(""), json!(0), json!([]), json!(false), json!({})]
}
/// More fields than any body has; the end of the search in any case.
const FIELDS_MAX: usize = 16;

/// The body, or all fields that keep it from being one, with what was sent and what would do.
fn read<T: DeserializeOwned>(mut fields: Map<String, Value>) -> Result<T, Problem> {
    let sent = fields.clone();
    let (mut named, mut wrong): (Vec<String>, Vec<Wrong>) = (Vec::new(), Vec::new());
    while named.len() < FIELDS_MAX {
        let Some(field) = first_defect::<T>(&fields) else { break };
        if named.contains(&field) {
            break;
        }
        let fits = |value: &Value| {
            let mut tried = fields.clone();
            tried.insert(field.clone(), value.clone());
            first_defect::<T>(&tried).is_none_or(|next| next != field)
        };
        let stand_in = stand_ins().into_iter().find(fits);
        let allowed = stand_in.as_ref().map_or_else(|| words_of::<T>(&fields, &field), kind_of);
        wrong.push(Wrong::new(&field, sent.get(&field), allowed));
        named.push(field.clone());
        match stand_in {
            Some(stand_in) => drop(fields.insert(field, stand_in)),
            // a field of words of its own (`mode`): nothing stands in for it, and serde speaks of missing ones last
            None => drop(fields.remove(&field)),
        }
    }
    if !wrong.is_empty() {
        return Err(Problem::unacceptable(&wrong));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|_| Problem::new(Kind::Malformed))
}

/// What a stand-in stands for.
fn kind_of(stand_in: &Value) -> (String, String) {
    let (zh, en) = match stand_in {
        Value::String(_) => ("文字", "a text"),
        Value::Number(_) => ("非负整数", "a whole number, 0 or more"),
        Value::Array(_) => ("文字列表", "a list of texts"),
        Value::Bool(_) => (" true 或 false", "true or false"),
        Value::Object(_) | Value::Null => ("对象", "an object"),
    };
    (zh.to_owned(), en.to_owned())
}

/// Of a field that takes some words only: those words, out of what serde says to an empty one.
fn words_of<T: DeserializeOwned>(fields: &Map<String, Value>, field: &str) -> (String, String) {
    let mut tried = fields.clone();
    tried.insert(field.to_owned(), "".into());
    let said = serde_path_to_error::deserialize::<_, T>(&Value::Object(tried)).err();
    let said = said.map(|error| error.inner().to_string()).unwrap_or_default();
    let words: Vec<&str> = said.split('`').skip(1).step_by(2).filter(|word| !word.is_empty()).collect();
    (words.join("、"), words.join(", "))
}

/// The first field of which serde says that it is missing or wrong.
fn first_defect<T: DeserializeOwned>(fields: &Map<String, Value>) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(&Value::Object(fields.clone())).err()?;
    let said = error.inner().to_string();
    if let Some(name) = said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return Some(name.to_owned());
    }
    match error.path().iter().next() {
        Some(serde_path_to_error::Segment::Map { key }) => Some(key.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Running,
    }

    #[derive(Debug, Deserialize)]
    struct Form {
        seen_seq: u64,
        user: String,
        roles: Vec<String>,
        mode: Word,
        #[serde(default)]
        reason: String,
    }

    fn named(value: Value) -> Vec<String> {
        let Value::Object(fields) = value else { panic!("an object") };
        let mut named = read::<Form>(fields).unwrap_err().fields;
        named.sort();
        named
    }

    #[test]
    fn every_missing_field_is_named_and_every_one_of_the_wrong_type() {
        assert_eq!(named(json!({})), ["mode", "roles", "seen_seq", "user"]);
        assert_eq!(
            named(json!({ "seen_seq": "7", "user": 7, "roles": [7], "mode": "running" })),
            ["roles", "seen_seq", "user"]
        );
        assert_eq!(named(json!({ "seen_seq": -1, "user": "a", "roles": [], "mode": "flying" })), ["mode", "seen_seq"]);
        assert_eq!(
            named(json!({ "seen_seq": 1, "user": "a", "roles": [], "mode": "running", "reason": null })),
            ["reason"]
        );
        let Value::Object(good) = json!({ "seen_seq": 1, "user": "a", "roles": ["b"], "mode": "running" }) else {
            panic!("an object")
        };
        let form: Form = read(good).unwrap();
        assert!((form.seen_seq, form.user.as_str(), form.reason.as_str()) == (1, "a", ""));
        assert!(form.roles == ["b"] && matches!(form.mode, Word::Running));
    }

    #[test]
    fn the_detail_names_them_in_both_languages_and_nothing_of_the_inside() {
        let problem = read::<Form>(Map::new()).unwrap_err();
        let detail = problem.detail.unwrap();
        assert!(
            detail.starts_with("seen_seq：未给出，应为非负整数；user：未给出，应为文字")
                && detail.contains("seen_seq: not given, allowed is a whole number, 0 or more"),
            "{detail}"
        );
        let Value::Object(fields) = json!({ "seen_seq": -1, "user": "a", "roles": "x", "mode": "flying" }) else {
            panic!("an object")
        };
        let detail = read::<Form>(fields).unwrap_err().detail.unwrap();
        for part in [
            "seen_seq: got -1,",
            "roles: got \"x\", allowed is a list of texts",
            "mode: got \"flying\", allowed is running",
        ] {
            assert!(detail.contains(part), "{part} is not in {detail}");
        }
    }
}
