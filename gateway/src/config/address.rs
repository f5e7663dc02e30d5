//! An address as people write it, judged in one way for every key that holds one: `tcp`, `web.listen`, `mqtt.host`, `influx.url`, and for every
//! option of the command line: `--tcp`, `--url`, `--listen`.
//!
//! Owns what of a text can be no address, and the words for it. No name is looked up. Leaves which addresses are one place to [`super::place`].

use super::diagnostic::Finding;
use super::full_width;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A name or IP address, and a port.
    HostPort,
    /// An IP address of this machine, and a port.
    Listen,
    /// A name or IP address; the port has a key of its own.
    Host,
    /// `http://` or `https://`, a name or IP address, perhaps a port and a path.
    Url,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    FullWidth(char),
    Space,
    NoHost,
    NoPort,
    PortNoNumber(String),
    PortOutside(String),
    PortElsewhere,
    NoIp(String),
    Scheme,
    NoScheme,
}

/// What is wrong with the address at `path`.
pub(super) fn judge(path: &str, written: &str, form: Form) -> Option<Finding> {
    let fault = fault(written, form)?;
    Some(Finding::fatal(path, words(&fault, form), remedy(&fault, written, form)))
}

/// The same of what an option of the command line was given, on one line.
pub(crate) fn is_no_address(option: &str, written: &str, form: Form) -> Option<String> {
    let Finding { message_zh, message_en, remedy_zh, remedy_en, .. } = judge(option, written, form)?;
    Some(format!("{option}：{message_zh}；{remedy_zh} · {message_en}; {remedy_en}"))
}

/// What is wrong with a port that has a key of its own.
pub(super) fn judge_port(path: &str, port: u16) -> Option<Finding> {
    let fault = of_port(&port.to_string(), Form::Host)?;
    Some(Finding::fatal(path, words(&fault, Form::Host), ("例如 1883".into(), "for example 1883".into())))
}

/// `host:port`, as far as can be told from the text.
pub(super) fn is_host_port(written: &str) -> bool {
    fault(written, Form::HostPort).is_none()
}

fn fault(written: &str, form: Form) -> Option<Fault> {
    if let Some(c) = full_width::first(written) {
        return Some(Fault::FullWidth(c));
    }
    if written.contains(char::is_whitespace) {
        return Some(Fault::Space);
    }
    match form {
        Form::Url => of_url(written),
        _ if written.contains("://") => Some(Fault::Scheme),
        Form::Host => of_host(written).or_else(|| {
            let has_port = written.contains(':') && written.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_err();
            has_port.then_some(Fault::PortElsewhere)
        }),
        Form::Listen if written.parse::<SocketAddr>().is_ok() => None,
        Form::HostPort | Form::Listen => {
            let Some((host, port)) = written.rsplit_once(':') else { return Some(Fault::NoPort) };
            let not_ip = || (form == Form::Listen).then(|| Fault::NoIp(host.to_owned()));
            of_port(port, form).or_else(|| of_host(host)).or_else(not_ip)
        }
    }
}

fn of_url(written: &str) -> Option<Fault> {
    let rest = written.strip_prefix("http://").or_else(|| written.strip_prefix("https://"));
    let Some(rest) = rest else { return Some(Fault::NoScheme) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    match place.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => of_host(host).or_else(|| of_port(port, Form::Url)),
        None => of_host(place),
    }
}

/// Four numbers that are no IP address are no name either: a resolver would take `010` for 8.
fn of_host(host: &str) -> Option<Fault> {
    if host.is_empty() {
        return Some(Fault::NoHost);
    }
    let is_numeric = host.contains('.') && host.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_numeric && host.parse::<Ipv4Addr>().is_err()).then(|| Fault::NoIp(host.to_owned()))
}

fn of_port(port: &str, form: Form) -> Option<Fault> {
    if port.is_empty() {
        return Some(Fault::NoPort);
    }
    if !port.chars().all(|c| c.is_ascii_digit()) {
        return Some(Fault::PortNoNumber(port.to_owned()));
    }
    // a listener on port 0 is given one by the system
    let least = if form == Form::Listen { 0 } else { 1 };
    let is_one = port.parse::<u16>().is_ok_and(|port| port >= least);
    (!is_one).then(|| Fault::PortOutside(port.to_owned()))
}

fn words(fault: &Fault, form: Form) -> (String, String) {
    let said = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match fault {
        Fault::FullWidth(c) => full_width::said_of(*c),
        Fault::Space => said("地址里有空格", "there is a space in the address"),
        Fault::NoHost if form == Form::Host => said("主机不能为空", "the host is empty"),
        Fault::NoHost => said("地址缺少主机", "the address has no host"),
        Fault::NoPort => said("没有端口：地址应为 主机:端口", "there is no port: the address is host:port"),
        Fault::PortNoNumber(port) => (
            format!("端口“{port}”不是数字，应为 1 到 65535"),
            format!("the port `{port}` is no number from 1 to 65535"),
        ),
        Fault::PortOutside(port) => {
            (format!("端口 {port} 不在 1 到 65535 之间"), format!("the port {port} is not within 1 to 65535"))
        }
        Fault::PortElsewhere => said("端口不写在 host 里", "the port does not belong into `host`"),
        Fault::NoIp(host) if host.parse::<Ipv6Addr>().is_ok() => {
            (format!("IPv6 地址 {host} 要写在方括号里"), format!("the IPv6 address {host} has no brackets"))
        }
        Fault::NoIp(host) if form == Form::Listen => (
            format!("{host} 不是 IP 地址：监听地址要写数字 IP"),
            format!("{host} is no IP address: a page is served at a numeric one"),
        ),
        Fault::NoIp(host) => (
            format!("{host} 不是 IP 地址：四段，各为 0 到 255，前面不加 0"),
            format!("{host} is no IP address: four numbers from 0 to 255, without zeros before them"),
        ),
        Fault::Scheme => said("地址不带 http:// 之类的前缀", "the address has no prefix such as http://"),
        Fault::NoScheme => said("地址应以 http:// 或 https:// 开头", "the address starts with http:// or https://"),
    }
}

/// The address as it was probably meant, else an example.
fn remedy(fault: &Fault, written: &str, form: Form) -> (String, String) {
    // never one with a password in it
    let meant = meant(fault, written, form).filter(|meant| !meant.contains('@') && self::fault(meant, form).is_none());
    let example = match (meant, form) {
        (Some(meant), _) if *fault != Fault::NoPort => {
            return (format!("写 \"{meant}\""), format!("write \"{meant}\""));
        }
        // which port it is, nobody but the person knows
        (Some(meant), _) => meant,
        (None, Form::HostPort) => "192.168.10.21:502".into(),
        (None, Form::Listen) => "127.0.0.1:8080".into(),
        (None, Form::Host) => return of_two_keys(&full_width::halved(written)),
        (None, Form::Url) => "http://127.0.0.1:8086".into(),
    };
    (format!("例如 \"{example}\""), format!("for example \"{example}\""))
}

/// What the person probably meant, right or not.
fn meant(fault: &Fault, written: &str, form: Form) -> Option<String> {
    let usual = |host: &str| match form {
        Form::HostPort => Some(format!("{host}:502")),
        Form::Listen if host.parse::<u16>().is_ok() => Some(format!("127.0.0.1:{host}")),
        Form::Listen => Some(format!("{host}:8080")),
        Form::Host | Form::Url => None,
    };
    match fault {
        Fault::FullWidth(_) | Fault::Space => Some(full_width::halved(written).split_whitespace().collect()),
        Fault::NoPort => usual(written.trim_end_matches(':')),
        Fault::Scheme if form != Form::Host => {
            let (_, bare) = written.split_once("://")?;
            Some(bare.trim_end_matches('/').to_owned())
        }
        Fault::NoScheme => Some(format!("http://{written}")),
        // an IPv6 address without its brackets
        Fault::NoIp(host) if form == Form::Listen && host.parse::<Ipv6Addr>().is_ok() => {
            Some(format!("[{host}]:{}", written.rsplit(':').next()?))
        }
        _ => None,
    }
}

fn of_two_keys(written: &str) -> (String, String) {
    let bare = written.rsplit_once("://").map_or(written, |(_, bare)| bare);
    let meant =
        bare.rsplit_once(':').filter(|(host, _)| !host.contains('@') && is_host_port(bare) && of_host(host).is_none());
    let (host, port) = meant.unwrap_or(("192.168.10.5", "1883"));
    (format!("分两行写：host = \"{host}\"，port = {port}"), format!("write two keys: host = \"{host}\", port = {port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_address_is_named_in_every_form() {
        let (ip, port) = (|host: &str| Some(Fault::NoIp(host.into())), |p: &str| Some(Fault::PortOutside(p.into())));
        for (form, written, fault_of) in [
            (Form::HostPort, "127.0.0.1:21502", None),
            (Form::HostPort, "plc-1.plant:502", None),
            (Form::HostPort, "[fe80::1]:502", None),
            (Form::HostPort, "127.0.0.1：21502", Some(Fault::FullWidth('：'))),
            (Form::HostPort, "127.0.0.1:2150２", Some(Fault::FullWidth('２'))),
            (Form::HostPort, "127.0.0.1: 502", Some(Fault::Space)),
            (Form::HostPort, "127.0.0.1:99999", port("99999")),
            (Form::HostPort, "127.0.0.1:0", port("0")),
            (Form::HostPort, "127.0.0.1:+5", Some(Fault::PortNoNumber("+5".into()))),
            (Form::HostPort, "127.0.0.1", Some(Fault::NoPort)),
            (Form::HostPort, "127.0.0.1:", Some(Fault::NoPort)),
            (Form::HostPort, ":502", Some(Fault::NoHost)),
            (Form::HostPort, "192.168.010.21:502", ip("192.168.010.21")),
            (Form::HostPort, "tcp://10.0.0.1:502", Some(Fault::Scheme)),
            (Form::Listen, "[::1]:0", None),
            (Form::Listen, "127.0.0.1：22081", Some(Fault::FullWidth('：'))),
            (Form::Listen, "localhost:8080", ip("localhost")),
            (Form::Listen, "127.0.0.1:65536", port("65536")),
            (Form::Listen, "::1:8080", ip("::1")),
            (Form::Host, "broker.example", None),
            (Form::Host, "fe80::1", None),
            (Form::Host, "broker.example:1883", Some(Fault::PortElsewhere)),
            (Form::Host, "mqtt://broker.example", Some(Fault::Scheme)),
            (Form::Host, "10．0.0.1", Some(Fault::FullWidth('．'))),
            (Form::Host, "10.0.0.256", ip("10.0.0.256")),
            (Form::Host, "", Some(Fault::NoHost)),
            (Form::Url, "https://u:p@influx.example/v2", None),
            (Form::Url, "http://[::1]:8086", None),
            (Form::Url, "http：//10.0.0.9:8086", Some(Fault::FullWidth('：'))),
            (Form::Url, "http://10.0.0.9:80860", port("80860")),
            (Form::Url, "http://:8086", Some(Fault::NoHost)),
            (Form::Url, "10.0.0.9:8086", Some(Fault::NoScheme)),
        ] {
            assert_eq!(fault(written, form), fault_of, "{written}");
        }
        let bare = is_no_address("--listen", "::1:8080", Form::Listen).unwrap();
        assert!(bare.contains("写 \"[::1]:8080\"") && bare.contains("方括号"), "{bare}");
    }

    #[test]
    fn an_option_of_the_command_line_is_judged_as_a_key_of_the_file_is() {
        let said = |written: &str| is_no_address("--tcp", written, Form::HostPort).unwrap_or_default();
        assert_eq!(
            said("127.0.0.1：502"),
            "--tcp：全角字符 ： 冒号：改为半角 :；写 \"127.0.0.1:502\" · full-width character ： (colon): write :; write \"127.0.0.1:502\""
        );
        assert!(said("127.0.0.1").starts_with("--tcp：没有端口"), "{}", said("127.0.0.1"));
        assert_eq!(said("127.0.0.1:502"), "");
    }

    #[test]
    fn the_address_that_was_meant_is_the_remedy_and_a_password_never_is() {
        let remedy = |written: &str, form: Form| judge("x", written, form).unwrap().remedy_zh;
        assert_eq!(remedy("127.0.0.1：2150２", Form::HostPort), "写 \"127.0.0.1:21502\"");
        assert_eq!(remedy("http：//10.0.0.9:8086", Form::Url), "写 \"http://10.0.0.9:8086\"");
        assert_eq!(remedy("mqtt://broker:1884", Form::Host), "分两行写：host = \"broker\"，port = 1884");
        assert_eq!(remedy("tcp://10.0.0.1:502", Form::HostPort), "写 \"10.0.0.1:502\"");
        assert_eq!(remedy("9080", Form::Listen), "例如 \"127.0.0.1:9080\"");
        assert_eq!(remedy("10.0.0.1", Form::HostPort), "例如 \"10.0.0.1:502\"");
        assert_eq!(remedy("10.0.0.9:8086", Form::Url), "写 \"http://10.0.0.9:8086\"");
        assert!(!remedy("http://u:canary@10.0.0.9：1", Form::Url).contains("canary"));
        assert!(!remedy("u:canary@10.0.0.9:1", Form::Url).contains("canary"));
        assert!(!remedy("tcp://u:canary@10.0.0.9:1", Form::HostPort).contains("canary"));
        assert!(!remedy("mqtt://u:canary@10.0.0.9:1", Form::Host).contains("canary"));
    }
}
