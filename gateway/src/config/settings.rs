//! Settings of the page, the broker and InfluxDB.
//!
//! Owns the refusal of plain HTTP beyond loopback. Leaves what an address is to `address`, the files that hold secrets to `secrets`.

use super::address::{self, Form};
use super::diagnostic::Finding;
use super::file::{HistoryTable, InfluxTable, MqttTable, WebTable};
use super::secrets::secret;
use super::{HistorySettings, InfluxSettings, MqttSettings, WebSettings};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub(super) fn web(table: Option<&WebTable>, default_port: u16, findings: &mut Vec<Finding>) -> WebSettings {
    let loopback = SocketAddr::from(([127, 0, 0, 1], default_port));
    let listen = table.map_or(loopback, |t| t.listen);
    if !listen.ip().is_loopback() && !table.is_some_and(|t| t.allow_plain_http) {
        findings.push(Finding::fatal(
            "web.listen",
            (
                format!("{listen} 可被其他机器访问，而页面未加密"),
                format!("{listen} can be reached by other machines and the page is not encrypted"),
            ),
            (
                "改为 127.0.0.1:8080，前面放 TLS 代理并写 behind_tls = true；确为专用网络时写 allow_plain_http = true".into(),
                "listen on 127.0.0.1:8080 behind a TLS proxy with behind_tls = true; on a network of its own write allow_plain_http = true"
                    .into(),
            ),
        ));
    }
    WebSettings { listen, behind_tls: table.is_some_and(|t| t.behind_tls), demo_operator: false }
}

pub(super) fn mqtt(table: &MqttTable, client_id: &str, base: &Path, findings: &mut Vec<Finding>) -> MqttSettings {
    findings.extend(address::judge("mqtt.host", &table.host, Form::Host));
    findings.extend(address::judge_port("mqtt.port", table.port));
    let password = table.password_file.as_ref().and_then(|f| secret("mqtt.password_file", f, base, findings));
    if table.username.is_none() && table.password_file.is_some() {
        findings.push(Finding::fatal(
            "mqtt.password_file",
            ("有密码却没有用户名".into(), "a password without a user name".into()),
            ("加上 username = \"…\"".into(), "add username = \"…\"".into()),
        ));
    }
    MqttSettings {
        host: table.host.clone(),
        port: table.port,
        client_id: table.client_id.clone().unwrap_or_else(|| client_id.to_owned()),
        username: table.username.clone(),
        password,
        keep_alive: Duration::from_secs(u64::from(table.keep_alive_s.max(5))),
    }
}

pub(super) fn influx(table: &InfluxTable, base: &Path, findings: &mut Vec<Finding>) -> Option<InfluxSettings> {
    findings.extend(address::judge("influx.url", &table.url, Form::Url));
    let token = secret("influx.token_file", &table.token_file, base, findings)?;
    Some(InfluxSettings { url: table.url.clone(), org: table.org.clone(), bucket: table.bucket.clone(), token })
}

pub(super) fn history(table: Option<&HistoryTable>, findings: &mut Vec<Finding>) -> HistorySettings {
    let (ms, gb) = table.map_or((1000, 16), |t| (t.commit_interval_ms, t.max_gb));
    if !(100..=60_000).contains(&ms) {
        findings.push(Finding::fatal(
            "history.commit_interval_ms",
            (format!("{ms} 毫秒不可用"), format!("{ms} ms cannot be used")),
            ("写 100 到 60000 之间的毫秒数".into(), "write 100 to 60000 milliseconds".into()),
        ));
    }
    HistorySettings {
        commit_interval: Duration::from_millis(u64::from(ms)),
        max_bytes: u64::from(gb.max(1)) * 1_000_000_000,
    }
}
