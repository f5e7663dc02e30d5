//! A real InfluxDB 2 on a free loopback port: started, set up, queried with Flux, stopped.
//!
//! Owns the server's process and its token. Leaves to the tests what is written and read.

use crate::oracle::Kept;
use crate::peer::{Program, free_port, wait_until};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The server and what it takes to talk to it.
#[derive(Debug)]
pub struct Influx {
    pub url: String,
    pub token: String,
    pub org: String,
    pub bucket: String,
    pub program: Program,
    port: u16,
    dir: PathBuf,
}

impl Influx {
    /// Starts and sets it up. The server program is named by `INFLUXD`; tests/run sets it.
    pub async fn start(dir: &Path) -> Self {
        let port = free_port();
        let program = Self::spawn(dir, port);
        let url = format!("http://127.0.0.1:{port}");
        let mut influx = Self {
            url,
            token: String::new(),
            org: "township".into(),
            bucket: "plant".into(),
            program,
            port,
            dir: dir.into(),
        };
        influx.wait_until_healthy();
        influx.token = influx.setup().await;
        influx
    }

    /// Starts it again after [`Program::kill`] with what it had stored.
    pub fn restart(&mut self) {
        self.program = Self::spawn(&self.dir, self.port);
        self.wait_until_healthy();
    }

    fn spawn(dir: &Path, port: u16) -> Program {
        let path =
            std::env::var_os("INFLUXD").expect("INFLUXD names the server program: INFLUXD=$(tests/influxd/build)");
        Program::start(
            "influxd",
            dir,
            Command::new(path)
                .arg("--reporting-disabled")
                .args(["--http-bind-address", &format!("127.0.0.1:{port}")])
                .arg("--bolt-path")
                .arg(dir.join("influxd.bolt"))
                .arg("--engine-path")
                .arg(dir.join("engine"))
                .arg("--sqlite-path")
                .arg(dir.join("influxd.sqlite")),
        )
    }

    fn wait_until_healthy(&self) {
        let url = format!("{}/health", self.url);
        wait_until(Duration::from_secs(60), || crate::http::get_blocking(&url).ok())
            .expect("InfluxDB answers /health within a minute");
    }

    async fn setup(&self) -> String {
        let answer: serde_json::Value = reqwest::Client::new()
            .post(format!("{}/api/v2/setup", self.url))
            .json(&serde_json::json!({
                "username": "tests", "password": "tests-only-password", "org": self.org, "bucket": self.bucket
            }))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["auth"]["token"].as_str().expect("setup answers with a token").to_owned()
    }

    /// The values once `points` points have one after `utc_ms`; panics after `limit`.
    pub async fn until_after(&self, utc_ms: i64, points: usize, limit: Duration) -> BTreeMap<String, Vec<Kept>> {
        let deadline = tokio::time::Instant::now() + limit;
        let mut turn = tokio::time::interval(Duration::from_millis(300));
        loop {
            turn.tick().await;
            let values = self.values().await;
            let late = values.values().filter(|rows| rows.last().is_some_and(|k| k.utc_ms > utc_ms)).count();
            if late >= points {
                return values;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "only {late} of {points} points have reached InfluxDB after {limit:?}"
            );
        }
    }

    /// Field `value` of every point of the last hour, by point, oldest first.
    pub async fn values(&self) -> BTreeMap<String, Vec<Kept>> {
        let flux = format!(
            "from(bucket: \"{}\") |> range(start: -1h) |> filter(fn: (r) => r._measurement == \"sample\" and \
             r._field == \"value\") |> keep(columns: [\"_time\", \"_value\", \"point\"]) |> group() |> sort(columns: [\"_time\"])",
            self.bucket
        );
        parse_csv(&self.query(flux).await)
    }

    /// Names of the transitions of `alarm` in the measurement `alarm`, oldest first.
    pub async fn transitions(&self, alarm: &str) -> Vec<String> {
        let flux = format!(
            "from(bucket: \"{}\") |> range(start: -1h) |> filter(fn: (r) => r._measurement == \"alarm\" and r._field == \"seq\" \
             and r.alarm == \"{alarm}\") |> keep(columns: [\"_time\", \"transition\"]) |> group() |> sort(columns: [\"_time\"])",
            self.bucket
        );
        let text = self.query(flux).await;
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let head: Vec<&str> = lines.next().unwrap_or_default().trim_end().split(',').collect();
        let Some(at) = head.iter().position(|column| *column == "transition") else { return Vec::new() };
        lines.filter_map(|line| Some(line.trim_end().split(',').nth(at)?.to_owned())).collect()
    }

    /// A Flux query's answer as CSV.
    async fn query(&self, flux: String) -> String {
        reqwest::Client::new()
            .post(format!("{}/api/v2/query?org={}", self.url, self.org))
            .header("Authorization", format!("Token {}", self.token))
            .header("Accept", "application/csv")
            .header("Content-Type", "application/vnd.flux")
            .body(flux)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }
}

/// CSV without annotations: `,result,table,_time,_value,point`.
fn parse_csv(text: &str) -> BTreeMap<String, Vec<Kept>> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().trim_end().split(',').collect();
    let find = |name: &str| columns.iter().position(|c| *c == name);
    let (Some(time), Some(value), Some(point)) = (find("_time"), find("_value"), find("point")) else {
        assert!(text.trim().is_empty(), "not a table: {text}");
        return BTreeMap::new();
    };
    let mut found = BTreeMap::<String, Vec<Kept>>::new();
    for line in lines.filter(|l| !l.trim().is_empty()) {
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        let at: jiff::Timestamp = cells[time].parse().unwrap();
        let kept = Kept { utc_ms: at.as_millisecond(), value: cells[value].parse().unwrap() };
        found.entry(cells[point].into()).or_default().push(kept);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flux_rows_are_read_by_column_name() {
        let text = ",result,table,_time,_value,point\r\n,_result,0,1970-01-01T00:00:02.5Z,1.5,GT-102\r\n\r\n";
        let rows = parse_csv(text);
        assert_eq!(rows["GT-102"], [Kept { utc_ms: 2500, value: 1.5 }]);
    }
}
