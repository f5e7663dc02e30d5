//! The station that a command asks over its own HTTP interface: who it is, where it is, and by what right.
//!
//! With `--config` as the local operator, by the token in the data folder (see `web::local`), and only the station of that file. Leaves
//! what is asked to [`super::client`] and what people do to [`super::person`].

use super::same_station::{Expected, is_here};
use super::{Exit, given, screen};
use crate::config::{AddressForm, is_no_address};
use crate::web::archive::Stopped;
use crate::web::local::LocalToken;
use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder};
use serde_json::Value;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A gateway that answers later than this has a trouble of its own; a person does not wait longer.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Where a station without a configuration at hand is looked for: the demo's page.
const USUAL_URL: &str = "http://127.0.0.1:8080";

/// Which station is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// 站点或镇办的配置文件：由此找到地址并以本机操作员身份查看 · file of the running station: its address, and the right to look.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// 页面地址：演示站点，或与文件中的不同时 · address of the page: of a demo, or where it is not the file's.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// 以 JSON 回答 · the answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Why there is no answer, in both languages and with what to do.
pub(super) struct Trouble {
    pub(super) text: String,
    pub(super) exit: Exit,
}

impl Trouble {
    pub(super) fn io(text: String) -> Self {
        Self { text, exit: Exit::Io }
    }

    pub(super) fn said(self) -> Exit {
        eprintln!("{}", self.text);
        self.exit
    }
}

/// The station that is asked.
pub(super) struct Asked {
    client: Client,
    url: String,
    /// With a configuration: where the token is.
    folder: Option<PathBuf>,
    /// With a configuration: the station that has to answer.
    expected: Option<Expected>,
    pub(super) json: bool,
}

impl Asked {
    pub(super) fn of(target: &Target) -> Result<Self, Exit> {
        let folder = target.config.as_deref().map(given::data_folder).transpose()?;
        let (client, url) = match &folder {
            None => client_of(Client::builder().timeout(ANSWER_LIMIT), target.url.as_deref().unwrap_or(USUAL_URL))?,
            Some(folder) => way_to(folder.listen, target.url.as_deref())?,
        };
        let expected = folder.as_ref().map(Expected::of);
        let here = target.url.is_none() || is_here(&url);
        let folder = folder.map(|folder| folder.dir).filter(|_| here);
        Ok(Self { client, url, folder, expected, json: target.json })
    }

    pub(super) async fn screen(&self) -> Result<Vec<String>, Trouble> {
        if self.is_office().await? {
            let sites = self.get("/api/v1/office/sites").await?;
            return Ok(if self.json { vec![sites.to_string()] } else { screen::office(&sites) });
        }
        let status = self.get("/api/v1/status").await?;
        self.must_be_the_one(&status)?;
        if self.json {
            return Ok(vec![status.to_string()]);
        }
        Ok(screen::site(&status, &self.get("/api/v1/alarms").await?))
    }

    pub(super) async fn events(
        &self,
        after: Option<u64>,
        limit: u32,
        filters: &[(&'static str, String)],
    ) -> Result<(Value, Option<Stopped>), Trouble> {
        if !self.is_office().await? {
            if self.expected.is_some() {
                self.must_be_the_one(&self.get("/api/v1/status").await?)?;
            }
            let mut all = vec![("limit", limit.to_string())];
            all.extend(after.map(|seq| ("after_seq", seq.to_string())));
            let (list, headers) = self.fetch(&with_query("/api/v1/events", all.iter().chain(filters))).await?;
            return Ok((list, Stopped::of_headers(|name| headers.get(name)?.to_str().ok())));
        }
        if !filters.is_empty() {
            let text = "镇办的事件不能这样筛选；在站点上筛选 · an office's events have no such filters; ask the site";
            return Err(Trouble { text: text.into(), exit: Exit::Usage });
        }
        let newest_first = after.is_none();
        let after = after.map_or_else(String::new, |n| format!("after={n}&"));
        let mut list = self.get(&format!("/api/v1/office/events?{after}limit={limit}")).await?;
        if let Some(list) = list.as_array_mut().filter(|_| newest_first) {
            list.reverse();
        }
        Ok((list, None))
    }

    pub(super) async fn is_office(&self) -> Result<bool, Trouble> {
        let session = self.get("/api/v1/session").await?;
        if let Some(expected) = &self.expected {
            expected.kind(&session, &self.url)?;
        }
        Ok(session["kind"] == "office")
    }

    /// Another program may have the port of the file.
    fn must_be_the_one(&self, status: &Value) -> Result<(), Trouble> {
        self.expected.as_ref().map_or(Ok(()), |expected| expected.key(status, &self.url))
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        Ok(self.fetch(path).await?.0)
    }

    async fn fetch(&self, path: &str) -> Result<(Value, HeaderMap), Trouble> {
        let address = format!("{}{path}", self.url);
        let mut request = self.client.get(&address);
        if let Some(folder) = &self.folder {
            request = request.bearer_auth(token(folder)?);
        }
        let no_connection = |error: reqwest::Error| {
            Trouble::io(format!(
                "{address}: 连接不上，网关在运行吗？ · no connection, is the gateway running? ({})",
                root(&error)
            ))
        };
        let response = request.send().await.map_err(no_connection)?;
        let status = response.status();
        if !status.is_success() {
            let detail = response.json::<Value>().await.unwrap_or_default()["detail"].as_str().map(str::to_owned);
            return Err(self.refused(&address, status, detail));
        }
        let headers = response.headers().clone();
        let no_json = |_| Trouble::io(format!("{address}: 回答不是 JSON · the answer is not JSON"));
        Ok((response.json().await.map_err(no_json)?, headers))
    }

    fn refused(&self, address: &str, status: reqwest::StatusCode, detail: Option<String>) -> Trouble {
        if let (422, Some(detail)) = (status.as_u16(), detail) {
            return Trouble { text: detail, exit: Exit::Usage };
        }
        let remedy = match (&self.folder, status.as_u16()) {
            (None, 401) => {
                "需要身份：加 --config 正在运行的配置文件，例如 --config /etc/hazard-gateway/site.toml · give --config with the file the gateway \
                 runs with, for example --config /etc/hazard-gateway/site.toml"
            }
            (Some(_), 401) => {
                "本机令牌不被接受：这个地址上的网关不是用此配置运行的；地址不同时加 --url · the local token is not taken: the gateway at this \
                 address runs with another configuration; where yours is at another address, give --url"
            }
            _ => "",
        };
        let exit = if matches!(status.as_u16(), 401 | 403 | 409 | 429) { Exit::Refused } else { Exit::Io };
        Trouble { text: format!("{address}: {status} {remedy}").trim_end().to_owned(), exit }
    }
}

/// A path with names and values that may hold anything.
pub(super) fn with_query<'a>(path: &str, pairs: impl Iterator<Item = &'a (&'static str, String)>) -> String {
    let mut url = reqwest::Url::parse("http://station").expect("it is written so here");
    url.query_pairs_mut().extend_pairs(pairs.map(|(name, value)| (*name, value.as_str())));
    format!("{path}?{}", url.query().unwrap_or_default())
}

/// To a page that listens there, or where `url` says that it is: neither a proxy nor, without one, another machine gets to see what is said.
pub(super) fn way_to(listen: SocketAddr, url: Option<&str>) -> Result<(Client, String), Exit> {
    let client = Client::builder().timeout(ANSWER_LIMIT).no_proxy();
    let (at, from) = ends(listen);
    match url {
        None => client_of(client.local_address(from), &format!("http://{at}")),
        Some(url) => client_of(client, url),
    }
}

fn client_of(client: ClientBuilder, url: &str) -> Result<(Client, String), Exit> {
    if let Some(why) = is_no_address("--url", url, AddressForm::Url) {
        return Err(Trouble { text: why, exit: Exit::Usage }.said());
    }
    let client = client.build().map_err(|error| Trouble::io(error.to_string()).said())?;
    Ok((client, page(url).to_owned()))
}

/// Of an address as a browser shows it: without the place on the page, `#/alarms`.
fn page(url: &str) -> &str {
    url.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/')
}

/// What is at the bottom of it: the layers above repeat the address and say nothing.
pub(super) fn root(error: &reqwest::Error) -> String {
    let mut below: &dyn std::error::Error = error;
    while let Some(source) = below.source() {
        below = source;
    }
    below.to_string()
}

/// Where a page that listens there is reached from this machine, and from which address: always a loopback one, so that the packets
/// cannot leave it.
fn ends(listen: SocketAddr) -> (SocketAddr, IpAddr) {
    let loopback = match listen.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let at = if listen.ip().is_unspecified() { SocketAddr::new(loopback, listen.port()) } else { listen };
    (at, loopback)
}

/// Read anew for each question: a station that started again has another one.
fn token(folder: &Path) -> Result<String, Trouble> {
    LocalToken::found_in(folder).map_err(|error| {
        let folder = folder.display();
        Trouble::io(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "{folder} 中没有本机令牌：网关没有用此配置运行，或尚未启动 · there is no local token in {folder}: the gateway does not run with this \
                 configuration, or has not started"
            ),
            io::ErrorKind::PermissionDenied => format!(
                "无权读取 {folder} 中的本机令牌：以网关的用户或 root 运行（sudo -u hazard-gateway …） · the local token in {folder} may not be read: run as \
                 the gateway's user or root (sudo -u hazard-gateway …)"
            ),
            _ => format!("{folder}: 无法读取本机令牌 · the local token cannot be read: {error}"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_is_asked_from_a_loopback_address_wherever_it_listens() {
        let way = |listen: &str| {
            let (at, from) = ends(listen.parse().unwrap());
            (at.to_string(), from.to_string())
        };
        let pair = |at: &str, from: &str| (at.to_owned(), from.to_owned());
        assert_eq!(way("127.0.0.1:8080"), pair("127.0.0.1:8080", "127.0.0.1"));
        assert_eq!(way("0.0.0.0:8080"), pair("127.0.0.1:8080", "127.0.0.1"));
        assert_eq!(way("[::]:8080"), pair("[::1]:8080", "::1"));
        assert_eq!(way("192.168.10.5:8080"), pair("192.168.10.5:8080", "127.0.0.1"));
    }

    #[test]
    fn the_address_of_a_page_may_be_copied_from_a_browser_and_one_that_is_none_is_told_by_its_option() {
        let way = |url: &str| client_of(Client::builder(), url).map(|(_, url)| url);
        assert_eq!(way("http://127.0.0.1:8080/#/alarms"), Ok("http://127.0.0.1:8080".into()));
        assert_eq!((way("127.0.0.1:8080"), way("http：//127.0.0.1:8080")), (Err(Exit::Usage), Err(Exit::Usage)));
    }

    #[test]
    fn a_missing_token_names_the_folder_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let trouble = token(folder.path()).unwrap_err();
        assert!(
            trouble.text.contains(&folder.path().display().to_string()) && trouble.text.contains("has not started")
        );
    }
}
