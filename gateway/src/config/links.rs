//! How links are reached: sockets, converters, serial ports, TLS.
//!
//! Owns every check of a `[[link]]` and its [`Transport`]. One link owns one socket or port: two links to the same place would
//! disturb each other, so they are refused.

use super::address::{self, Form};
use super::diagnostic::Finding;
use super::file::{LinkTable, ParityWord, TlsTable};
use super::place::{Place, Same};
use super::secrets::{secret, secret_path};
use devices::{Parity, Rs485, SerialDriver, TlsFiles, Transport};
use std::path::Path;

/// Checks every link by itself and against the others; `annunciator` is the link that must share its place with none.
pub(super) fn check(links: &[LinkTable], annunciator: Option<&str>, base: &Path, findings: &mut Vec<Finding>) {
    let mut taken: Vec<(Place, &str)> = Vec::new();
    for link in links {
        check_way(link, base, findings);
        check_addresses(link, findings);
        check_serial(link, findings);
        check_tls(link, base, findings);
        for (field, written) in ways(link) {
            let Some((place, written)) = written.and_then(|w| Some((place_of(field, w)?, w))) else { continue };
            if let Some((_, other)) = taken.iter().find(|(known, _)| known.is(&place) == Same::Yes) {
                let alone = [link.key.as_str(), *other].into_iter().find(|key| Some(*key) == annunciator);
                findings.push(shared(&format!("link[{}].{field}", link.key), written, other, alone));
            }
            taken.push((place, &link.key));
        }
    }
}

/// The transport of a link without defects.
pub(super) fn transport(link: &LinkTable, base: &Path) -> Option<Transport> {
    let (mut given, address) = (ways(link).into_iter().filter(|(_, place)| place.is_some()), String::clone);
    let way = given.next().filter(|_| given.next().is_none())?;
    match way {
        ("tcp", _) => link.tcp.as_ref().map(|a| Transport::Tcp { address: address(a) }),
        ("rtu_over_tcp", _) => link.rtu_over_tcp.as_ref().map(|a| Transport::RtuOverTcp { address: address(a) }),
        ("tcp_tls", _) => {
            let tls = tls_files(link.tls.as_ref()?, base);
            link.tcp_tls.as_ref().map(|a| Transport::TcpTls { address: address(a), tls })
        }
        _ => link.serial.as_deref().map(|path| serial(link, path)),
    }
}

fn place_of(field: &str, written: &str) -> Option<Place> {
    if field == "serial" { Some(Place::port(written)) } else { Place::socket(written) }
}

/// Where a link leads to; none while it is not written rightly.
pub(super) fn place(link: &LinkTable) -> Option<Place> {
    ways(link).into_iter().find_map(|(field, written)| place_of(field, written?))
}

fn ways(link: &LinkTable) -> [(&'static str, Option<&str>); 4] {
    [
        ("tcp", link.tcp.as_deref()),
        ("rtu_over_tcp", link.rtu_over_tcp.as_deref()),
        ("serial", link.serial.as_deref()),
        ("tcp_tls", link.tcp_tls.as_deref()),
    ]
}

fn serial(link: &LinkTable, path: &str) -> Transport {
    let rs485 = link.rs485.map(|t| Rs485 {
        rts_high_on_send: t.rts_high_on_send,
        delay_before_send_ms: t.delay_before_send_ms,
        delay_after_send_ms: t.delay_after_send_ms,
    });
    Transport::Rtu {
        path: path.to_owned(),
        baud: link.baud,
        data_bits: link.data_bits,
        parity: match link.parity {
            ParityWord::None => Parity::None,
            ParityWord::Even => Parity::Even,
            ParityWord::Odd => Parity::Odd,
        },
        stop_bits: link.stop_bits,
        driver: SerialDriver { rs485, low_latency: link.low_latency },
    }
}

fn tls_files(table: &TlsTable, base: &Path) -> TlsFiles {
    let client = table.certificate_file.as_ref().zip(table.key_file.as_ref());
    TlsFiles {
        ca: base.join(&table.ca_file),
        client: client.map(|(certificate, key)| (base.join(certificate), secret_path(key, base))),
        server_name: table.server_name.clone(),
    }
}

fn check_way(link: &LinkTable, base: &Path, findings: &mut Vec<Finding>) {
    let given = ways(link).iter().filter(|(_, place)| place.is_some()).count();
    // A `tcp_tls` without its table is told by check_tls.
    if given == 1 && (link.tcp_tls.is_some() || transport(link, base).is_some()) {
        return;
    }
    findings.push(Finding::fatal(
        format!("link[{}]", link.key),
        ("链路需要且只需要一种连接方式".into(), "a link is reached in exactly one way".into()),
        (
            "只写 tcp、rtu_over_tcp、serial、tcp_tls 其中之一".into(),
            "write exactly one of `tcp`, `rtu_over_tcp`, `serial`, `tcp_tls`".into(),
        ),
    ));
}

fn check_addresses(link: &LinkTable, findings: &mut Vec<Finding>) {
    for (field, written) in ways(link).into_iter().filter(|(field, _)| *field != "serial") {
        let path = format!("link[{}].{field}", link.key);
        findings.extend(written.and_then(|written| address::judge(&path, written, Form::HostPort)));
    }
}

/// `alone` is the one of the two that cannot be joined with the other.
fn shared(path: &str, place: &str, other: &str, alone: Option<&str>) -> Finding {
    Finding::fatal(
        path,
        (format!("{place} 已由链路 {other} 使用"), format!("{place} is used by link `{other}` already")),
        match alone {
            None => (
                "同一地址或串口只写一个 [[link]]，各仪表用 unit 区分".into(),
                "write one [[link]] for one address or port; its instruments differ by `unit`".into(),
            ),
            Some(alone) => (
                format!(
                    "{alone} 是声光报警器的链路，不能与仪表合成一条：把继电器模块改接到另一个串口或另一个地址，再写在这里"
                ),
                format!(
                    "`{alone}` is the annunciator's link and cannot be joined with an instrument's: wire the relay module to another port or address, and write that one"
                ),
            ),
        },
    )
}

fn check_serial(link: &LinkTable, findings: &mut Vec<Finding>) {
    let path = |field: &str| format!("link[{}].{field}", link.key);
    if link.serial.as_deref().is_some_and(unstable_serial_name) {
        findings.push(
            Finding::fatal(
                path("serial"),
                (
                    "USB 串口的编号在重启或换插口后会变，可能接到另一条总线".into(),
                    "the number of a USB serial port changes with reboot or socket: it may become another bus".into(),
                ),
                (
                    "用 /dev/serial/by-id/… 或 /dev/serial/by-path/…".into(),
                    "use /dev/serial/by-id/… or /dev/serial/by-path/…".into(),
                ),
            )
            .warning(),
        );
    }
    findings.extend(link.serial.as_deref().filter(|path| is_socket(path)).map(|path| no_port(link, path)));
    let mut refuse = |field: &str, ok: bool, allowed: &str| {
        if !ok {
            findings.push(Finding::fatal(
                path(field),
                (format!("{field} 的取值不可用"), format!("this `{field}` cannot be used")),
                (format!("可用：{allowed}"), format!("allowed: {allowed}")),
            ));
        }
    };
    refuse("baud", is_baud(link.baud), "300 … 921600");
    refuse(
        "data_bits",
        link.data_bits == 8,
        "8：Modbus RTU 的每个字符为 8 位 · every character of Modbus RTU has 8 bits",
    );
    refuse("stop_bits", matches!(link.stop_bits, 1 | 2), "1, 2");
    refuse("timeout_ms", (20..=30_000).contains(&link.timeout_ms), "20 … 30000");
    // The kernel clamps both to 100 ms.
    let rs485 = |ms: fn(&super::file::Rs485Table) -> u32| link.rs485.as_ref().is_none_or(|t| ms(t) <= 100);
    refuse("rs485.delay_before_send_ms", rs485(|t| t.delay_before_send_ms), "0 … 100");
    refuse("rs485.delay_after_send_ms", rs485(|t| t.delay_after_send_ms), "0 … 100");
    let stray = if link.rs485.is_some() { "rs485" } else { "low_latency" };
    if link.serial.is_none() && (link.rs485.is_some() || link.low_latency) {
        findings.push(Finding::fatal(
            path(stray),
            (format!("{stray} 只用于串口链路"), format!("`{stray}` belongs to a serial link")),
            ("删去此行，或改用 serial".into(), "take this line out, or use `serial`".into()),
        ));
    }
}

fn check_tls(link: &LinkTable, base: &Path, findings: &mut Vec<Finding>) {
    let path = |field: &str| format!("link[{}].{field}", link.key);
    let Some(tls) = link.tls.as_ref().filter(|_| link.tcp_tls.is_some()) else {
        if link.tls.is_some() != link.tcp_tls.is_some() {
            let field = if link.tls.is_some() { "tls" } else { "tcp_tls" };
            findings.push(Finding::fatal(
                path(field),
                ("tcp_tls 与 [link.tls] 必须同时出现".into(), "`tcp_tls` and [link.tls] belong together".into()),
                (
                    "写 tcp_tls = \"主机:802\" 和 tls = { ca_file = … }".into(),
                    "write tcp_tls = \"host:802\" and tls = { ca_file = … }".into(),
                ),
            ));
        }
        return;
    };
    if !devices::has_tls() {
        findings.push(Finding::fatal(
            path("tcp_tls"),
            (
                "本程序编译时未包含 Modbus/TCP Security".into(),
                "this program was built without Modbus/TCP Security".into(),
            ),
            ("用 --features modbus-tls 编译".into(), "build it with --features modbus-tls".into()),
        ));
    }
    for (field, file) in [("tls.ca_file", Some(&tls.ca_file)), ("tls.certificate_file", tls.certificate_file.as_ref())]
    {
        if file.is_some_and(|f| !std::fs::read_to_string(base.join(f)).is_ok_and(|t| t.contains("BEGIN CERTIFICATE"))) {
            findings.push(Finding::fatal(
                path(field),
                ("不是可读的 PEM 证书文件".into(), "not a readable PEM file with a certificate".into()),
                ("以 -----BEGIN CERTIFICATE----- 开头的文件".into(), "a file with -----BEGIN CERTIFICATE-----".into()),
            ));
        }
    }
    if tls.certificate_file.is_some() != tls.key_file.is_some() {
        findings.push(Finding::fatal(
            path("tls"),
            (
                "certificate_file 与 key_file 必须同时出现".into(),
                "`certificate_file` and `key_file` belong together".into(),
            ),
            ("补上缺的一项".into(), "add the missing one".into()),
        ));
    }
    if let Some(key) = &tls.key_file {
        let _ = secret(&path("tls.key_file"), key, base, findings);
    }
}

/// Speeds that a serial port may have.
pub(super) fn is_baud(baud: u32) -> bool {
    (300..=921_600).contains(&baud)
}

/// `host:port` where the path of a port belongs; paths with a colon have a slash as well.
fn is_socket(path: &str) -> bool {
    !path.contains('/') && address::is_host_port(path)
}

fn no_port(link: &LinkTable, path: &str) -> Finding {
    Finding::fatal(
        format!("link[{}].serial", link.key),
        (format!("{path} 是网络地址，不是串口"), format!("{path} is an address of the network, no serial port")),
        (
            format!("串口服务器写 rtu_over_tcp = \"{path}\"，Modbus TCP 写 tcp = \"{path}\""),
            format!("for a converter write rtu_over_tcp = \"{path}\", for Modbus TCP tcp = \"{path}\""),
        ),
    )
}

fn unstable_serial_name(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| {
        ["ttyUSB", "ttyACM"].iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::config::site_from_text;

    fn said(of_the_link: &str) -> Vec<(String, String)> {
        let text = format!(
            "[site]\nkey = \"s\"\nname = \"站\"\nname_en = \"Site\"\n[[area]]\nkey = \"A1\"\nname = \"区\"\nname_en = \"Area\"\n\
             [[link]]\nkey = \"l\"\n{of_the_link}\n\
             [[device]]\nkey = \"CARD\"\nlink = \"l\"\nunit = 1\nprofile = \"adam-4117\"\narea = \"A1\"\n\
             [[point]]\nkey = \"LT-1\"\nname = \"液位\"\nname_en = \"Level\"\ndevice = \"CARD\"\nfield = \"channel_0\"\n\
             kind = \"level\"\nunit = \"m\"\nperiod_ms = 50\nrange = [0, 5]\nsignal_span = [0, 5]\n"
        );
        site_from_text("site.toml", &text, |_| ()).diagnostics.into_iter().map(|d| (d.path, d.remedy_en)).collect()
    }

    #[test]
    fn an_address_where_a_port_belongs_is_told_with_the_way_that_was_meant() {
        let found = said("serial = \"127.0.0.1:4001\"\nbaud = 115200");
        assert_eq!(found.first().map(|f| f.0.as_str()), Some("link[l].serial"), "{found:?}");
        assert!(found[0].1.contains("rtu_over_tcp = \"127.0.0.1:4001\""), "{found:?}");
        assert!(
            !said("serial = \"/dev/serial/by-path/pci-0:0:502\"\nbaud = 115200")
                .iter()
                .any(|f| f.0.ends_with("serial"))
        );
    }

    #[test]
    fn nothing_is_reckoned_from_a_speed_that_no_port_has() {
        let found = said("serial = \"/dev/ttyS1\"\nbaud = 123");
        assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["link[l].baud"], "{found:?}");
    }
}
