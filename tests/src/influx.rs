//! A real InfluxDB 2 on a free loopback port: started, set up, queried with Flux, stopped.
//!
//! Owns the server's process and its token. Leaves to the tests what is written and read.

use crate::peer::{Program, free_port, wait_until};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// One point as the database gave it back.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub point: String,
    /// RFC 3339 as InfluxDB prints it.
    pub time: String,
    pub value: String,
}

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
    /// Starts and sets it up; `None` when no server program is at hand (`INFLUXD` is not set: tests/run sets it).
    pub async fn start(dir: &Path) -> Option<Self> {
        let path = std::env::var_os("INFLUXD")?;
        let port = free_port();
        let program = Self::spawn(dir, port, Path::new(&path));
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
        Some(influx)
    }

    /// Starts it again after [`Program::kill`] with what it had stored.
    pub fn restart(&mut self) {
        let path = std::env::var_os("INFLUXD").expect("it was started from there");
        self.program = Self::spawn(&self.dir, self.port, Path::new(&path));
        self.wait_until_healthy();
    }

    fn spawn(dir: &Path, port: u16, path: &Path) -> Program {
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

    /// All values of the measurement `sample`, field `value`, of the last hour.
    pub async fn values(&self, point: &str) -> Vec<Row> {
        let flux = format!(
            "from(bucket: \"{}\") |> range(start: -1h) |> filter(fn: (r) => r._measurement == \"sample\" and \
             r._field == \"value\" and r.point == \"{point}\") |> keep(columns: [\"_time\", \"_value\"]) |> sort(columns: [\"_time\"])",
            self.bucket
        );
        let text = reqwest::Client::new()
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
            .unwrap();
        parse_csv(&text, point)
    }
}

/// Annotated CSV without annotations: `,result,table,_time,_value`.
fn parse_csv(text: &str, point: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let Some(header) = lines.next() else { return Vec::new() };
    let columns: Vec<&str> = header.split(',').collect();
    let find = |name: &str| columns.iter().position(|c| *c == name);
    let (Some(time), Some(value)) = (find("_time"), find("_value")) else { return Vec::new() };
    lines
        .filter(|l| !l.trim().is_empty())
        .map(|line| {
            let cells: Vec<&str> = line.trim_end().split(',').collect();
            Row { point: point.into(), time: cells[time].into(), value: cells[value].into() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flux_rows_are_read_by_column_name() {
        let text = ",result,table,_time,_value\r\n,_result,0,2026-01-01T00:00:00Z,1.5\r\n\r\n";
        let rows = parse_csv(text, "GT-102");
        assert_eq!(rows, [Row { point: "GT-102".into(), time: "2026-01-01T00:00:00Z".into(), value: "1.5".into() }]);
    }
}
