//! The HTTP side: `influxdb2`'s write path over a client with time-outs, HTTP/1 only, bodies compressed here unless the server is on this machine.
//!
//! Owns what an HTTP answer means. Leaves retrying to `writer`.

use super::writer::{Answer, Sink};
use crate::config::InfluxSettings;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use influxdb2::api::write::TimestampPrecision;
use influxdb2::{Client, ClientBuilder, RequestError};
use std::io::Write as _;
use std::time::Duration;

/// A batch is small; a server that needs longer is treated as away.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// One bucket of one server.
#[derive(Debug)]
pub struct Database {
    client: Client,
    org: String,
    bucket: String,
    /// Bodies go out as gzip.
    packs: bool,
}

impl Database {
    /// Ready to write; nothing is connected yet. The configuration has checked the address.
    /// # Errors
    /// The HTTP client could not be built.
    pub fn new(settings: &InfluxSettings) -> Result<Self, influxdb2::BuildError> {
        let packs = !is_on_this_machine(&settings.url);
        let mut headers = reqwest::header::HeaderMap::new();
        if packs {
            headers.insert(reqwest::header::CONTENT_ENCODING, reqwest::header::HeaderValue::from_static("gzip"));
        }
        // HTTP/1 only keeps the h2 0.3 advisory out of reach; reqwest has no limit of its own on anything.
        let http = reqwest::Client::builder()
            .timeout(REQUEST_LIMIT)
            .connect_timeout(CONNECT_LIMIT)
            .http1_only()
            .pool_max_idle_per_host(1)
            .default_headers(headers);
        let client = ClientBuilder::with_builder(http, &settings.url, &settings.org, &settings.token).build()?;
        Ok(Self { client, org: settings.org.clone(), bucket: settings.bucket.clone(), packs })
    }
}

impl Sink for Database {
    async fn write(&self, body: Bytes) -> Answer {
        let sent = if self.packs { gzip(&body).map(Bytes::from) } else { Some(body) };
        let Some(sent) = sent else {
            return Answer::TryLater("the batch could not be compressed".into());
        };
        let written = self.client.write_line_protocol_with_precision(
            &self.org,
            &self.bucket,
            sent,
            TimestampPrecision::Milliseconds,
        );
        written.await.map_or_else(|error| classify(&error), |()| Answer::Stored)
    }
}

fn classify(error: &RequestError) -> Answer {
    match error {
        RequestError::Http { status, text } => match status.as_u16() {
            400 | 422 => Answer::BadData(text.clone()),
            413 => Answer::TooLarge,
            401 | 403 | 404 => Answer::Refused(format!("{status}: {text}")),
            _ => Answer::TryLater(format!("{status}: {text}")),
        },
        other => Answer::TryLater(other.to_string()),
    }
}

/// There nothing is saved on any line, and both sides would only work for it.
fn is_on_this_machine(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Level 1: lines of one site repeat themselves so much that more effort gains little.
fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::new(1));
    packer.write_all(body).ok()?;
    packer.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leaves_the_machine_is_compressed() {
        let here = [
            "http://127.0.0.1:8086",
            "http://127.9.0.1/",
            "http://localhost:8086/",
            "http://LocalHost",
            "http://[::1]:8086",
        ];
        let away = [
            "http://10.0.0.7:8086",
            "https://influx.town.cn",
            "http://localhost.town.cn",
            "http://[::ffff:127.0.0.1]:8086",
            "nonsense",
        ];
        assert_eq!(here.map(is_on_this_machine), [true; 5]);
        assert_eq!(away.map(is_on_this_machine), [false; 5]);
    }
}
