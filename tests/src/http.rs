//! The outside's view over HTTP: JSON in, JSON out, with the session and CSRF header a browser would send.
//!
//! Owns one signed-in client. Leaves to the tests what is asked.

use crate::oracle::Kept;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// 4,000 columns of 15 ms; samples of a point are a second apart.
const SLICE_MS: i64 = 60_000;

/// The element of a list whose field has a value.
#[must_use]
pub fn found(list: &Value, field: &str, value: &str) -> Option<Value> {
    list.as_array()?.iter().find(|entry| entry[field] == value).cloned()
}

/// A browser-like client of one station.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    cookie: String,
    csrf: String,
}

impl Client {
    /// Where the station answers.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Not signed in.
    #[must_use]
    pub fn anonymous(base: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self { http, base: base.into(), cookie: String::new(), csrf: String::new() }
    }

    /// With the session that `demo` and `demo_operator` give to loopback.
    pub async fn demo(base: &str) -> Self {
        let mut client = Self::anonymous(base);
        client.take_session("GET", "/api/v1/session", None).await;
        client
    }

    /// First start: creates the first administrator with the one-time code, who is then signed in.
    pub async fn set_up(base: &str, code: &str, user: &str, password: &str) -> Self {
        let mut client = Self::anonymous(base);
        let body = serde_json::json!({"code": code, "user": user, "password": password});
        client.take_session("POST", "/api/v1/setup", Some(body)).await;
        client
    }

    /// Signs in.
    pub async fn sign_in(base: &str, user: &str, password: &str) -> Self {
        let mut client = Self::anonymous(base);
        let body = serde_json::json!({"user": user, "password": password});
        client.take_session("POST", "/api/v1/session", Some(body)).await;
        client
    }

    async fn take_session(&mut self, method: &str, path: &str, body: Option<Value>) {
        let answer = self.request(method, path, body).await;
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
        self.cookie = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|v| v.to_str().ok()?.split(';').next())
            .collect::<Vec<_>>()
            .join("; ");
        let session: Value = answer.json().await.unwrap();
        self.csrf = session["csrf"].as_str().unwrap_or_default().into();
    }

    /// Any request; the answer whatever its status.
    pub async fn request(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Response {
        self.try_request(method, path, body).await.unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// Any request; an error while the station is down.
    /// # Errors
    /// No answer.
    pub async fn try_request(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let mut request = self
            .http
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
            .header("Sec-Fetch-Site", "same-origin")
            .header("Origin", &self.base)
            .header("X-CSRF-Token", &self.csrf);
        if !self.cookie.is_empty() {
            request = request.header("Cookie", &self.cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await
    }

    /// Status of a request whose answer does not matter.
    pub async fn status(&self, method: &str, path: &str, body: Option<Value>) -> u16 {
        self.request(method, path, body).await.status().as_u16()
    }

    /// A stream of server-sent events without an end, or nothing while the station is down.
    pub async fn open_stream(&self, path: &str, last_id: &str) -> Option<reqwest::Response> {
        let endless = Duration::from_secs(24 * 3600);
        let mut request = self.http.get(format!("{}{path}", self.base)).timeout(endless);
        if !self.cookie.is_empty() {
            request = request.header("Cookie", &self.cookie);
        }
        if !last_id.is_empty() {
            request = request.header("Last-Event-ID", last_id);
        }
        request.send().await.ok().filter(|answer| answer.status().is_success())
    }

    /// JSON of a GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.request("GET", path, None).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("GET {path}: {e}: {text}"))
    }

    /// The whole journal, oldest first.
    pub async fn journal(&self) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().and_then(|r| r["seq"].as_u64()).unwrap_or(0);
            let page = self.get(&format!("/api/v1/events?after_seq={after}&limit=1000")).await;
            match page.as_array() {
                Some(page) if !page.is_empty() => all.extend(page.iter().cloned()),
                _ => return all,
            }
        }
    }

    /// Every sample of a point between two times as the history has it: asked in slices so narrow that no column holds two samples.
    pub async fn samples(&self, point: &str, from_ms: i64, to_ms: i64) -> Vec<Kept> {
        let (mut found, mut from) = (Vec::new(), from_ms);
        while from < to_ms {
            let to = (from + SLICE_MS).min(to_ms);
            let path = format!("/api/v1/points/{point}/history?from={from}&to={to}&width=4000");
            let columns = self.get(&path).await;
            let (times, values) = (columns["t"].as_array().unwrap(), columns["last"].as_array().unwrap());
            let kept = times.iter().zip(values).filter_map(|(t, value)| {
                Some(Kept { utc_ms: t.as_i64().unwrap(), value: value.as_f64()? }).filter(|k| k.utc_ms < to)
            });
            found.extend(kept);
            from = to;
        }
        found
    }

    /// JSON of a GET, or nothing while the station is down.
    pub async fn try_get(&self, path: &str) -> Option<Value> {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if !self.cookie.is_empty() {
            request = request.header("Cookie", &self.cookie);
        }
        let answer = request.send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// Asks until `found` says yes; panics with the last answer after `limit`.
    pub async fn until<T>(&self, path: &str, limit: Duration, mut found: impl FnMut(&Value) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + limit;
        let mut turn = tokio::time::interval(Duration::from_millis(50));
        let mut last = Value::Null;
        while tokio::time::Instant::now() < deadline {
            turn.tick().await;
            if let Some(value) = self.try_get(path).await {
                if let Some(result) = found(&value) {
                    return result;
                }
                last = value;
            }
        }
        panic!("{path} never said so within {limit:?}; last: {last:#}");
    }
}

/// A GET without a runtime, for waiting on a start.
/// # Errors
/// Anything but an answer with status 200.
pub fn get_blocking(url: &str) -> std::io::Result<String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| std::io::Error::other("only http"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    if text.starts_with("HTTP/1.0 200") || text.starts_with("HTTP/1.1 200") {
        return Ok(text);
    }
    Err(std::io::Error::other(text.lines().next().unwrap_or_default().to_owned()))
}
