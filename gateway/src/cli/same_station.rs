//! Whether the station that answers is that of the configuration: another program may have its port.
//!
//! Owns what is compared (site or office, and a site's key) and the words. Leaves asking to [`super::client`] and [`super::person`].

use super::Exit;
use super::asked::Trouble;
use crate::config::{DataFolder, Station};
use serde_json::Value;
use std::net::IpAddr;

/// The station that the configuration names.
pub(super) struct Expected {
    station: Station,
    key: Option<String>,
}

impl Expected {
    pub(super) fn of(folder: &DataFolder) -> Self {
        Self { station: folder.station, key: folder.key.clone() }
    }

    /// By the answer of `/api/v1/session`, which everybody gets.
    pub(super) fn kind(&self, session: &Value, url: &str) -> Result<(), Trouble> {
        let word = |office: bool| if office { "镇办 office" } else { "站点 site" };
        let (answers, named) = (session["kind"] == "office", self.station == Station::Office);
        if answers == named { Ok(()) } else { Err(another(url, word(answers), word(named))) }
    }

    /// By the answer of `/api/v1/status`; one that has no key says nothing.
    pub(super) fn key(&self, status: &Value, url: &str) -> Result<(), Trouble> {
        match (status["site"].as_str(), self.key.as_deref()) {
            (Some(answers), Some(named)) if answers != named => Err(another(url, answers, named)),
            _ => Ok(()),
        }
    }
}

fn another(url: &str, answers: &str, named: &str) -> Trouble {
    let text = format!(
        "{url} 上的是 {answers}，配置文件的是 {named}：端口可能被别的程序占用；加 --url 给出它的页面地址（刚改了 key 则须重启网关）\n\
         at {url} answers {answers}, the file is of {named}: another program may have the port; give --url with the address of its page \
         (after a change of the key restart the gateway)"
    );
    Trouble { text, exit: Exit::Usage }
}

/// An address of this machine itself: another one must not see the token.
pub(super) fn is_here(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn another_station_is_refused_with_both_keys_and_the_remedy() {
        let expected = Expected { station: Station::Site, key: Some("east-plant".into()) };
        let refused = expected.key(&json!({ "site": "demo-chemical" }), "http://127.0.0.1:8080").unwrap_err().text;
        for part in ["demo-chemical", "east-plant", "--url", "http://127.0.0.1:8080"] {
            assert_eq!(refused.matches(part).count(), 2, "in both languages: {part} in {refused}");
        }
        assert!(expected.key(&json!({ "site": "east-plant" }), "x").is_ok());
        assert!(expected.key(&Value::Null, "x").is_ok(), "who says nothing is not another one");
        assert!(expected.kind(&json!({ "kind": "site" }), "x").is_ok());
        assert!(expected.kind(&json!({ "kind": "office" }), "x").unwrap_err().text.contains("镇办 office"));
    }

    #[test]
    fn the_token_is_shown_to_this_machine_only() {
        assert!(is_here("http://127.0.0.1:8080") && is_here("http://[::1]:8080"));
        assert!(
            !is_here("http://192.168.10.5:8080")
                && !is_here("http://localhost:8080")
                && !is_here("http://gateway.example")
        );
    }
}
