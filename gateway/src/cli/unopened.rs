//! Why a link does not open, and what to do about it: nothing listens, no way there, no such port, not allowed, taken by another program.
//!
//! Pure but for a look at the device file. Leaves opening to `devices`, and what an open link answers to `read`, `scan` and `probe`.

use crate::text::of_device;
use devices::Transport;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;

/// zh-CN and English.
type Words = (String, String);

/// The address or serial port of a link.
pub(super) fn place(transport: &Transport) -> &str {
    match transport {
        Transport::Tcp { address } | Transport::TcpTls { address, .. } | Transport::RtuOverTcp { address } => address,
        Transport::Rtu { path, .. } => path,
    }
}

/// One line for a person: the link by its name, where that is another one, its address or port, the system's word, and the remedy.
pub(super) fn said(transport: &Transport, name: &str, error: &io::Error) -> String {
    let place = place(transport);
    let (zh, en) = match transport {
        Transport::Rtu { path, .. } => of_port(path, error),
        Transport::TcpTls { .. }
            if matches!(error.kind(), ErrorKind::Other | ErrorKind::InvalidData) && !is_look_up(error) =>
        {
            (of_device(&error.to_string()), "the secure connection is not made".to_owned())
        }
        _ => of_address(error),
    };
    let (link_zh, link_en) = match name == place {
        true => (format!(" {place}"), place.to_owned()),
        false => (format!("链路 {name}（{place}）"), format!("the link {name} ({place})")),
    };
    format!("无法打开{link_zh}：{zh} · cannot open {link_en}: {en} ({error})")
}

fn words(zh: &str, en: &str) -> Words {
    (zh.to_owned(), en.to_owned())
}

/// The resolver's own word; it has no kind of error.
fn is_look_up(error: &io::Error) -> bool {
    error.to_string().contains("lookup address")
}

fn of_address(error: &io::Error) -> Words {
    match error.kind() {
        ErrorKind::ConnectionRefused => words(
            "该地址有主机，但这个端口上没有程序在监听：核对端口（Modbus TCP 通常是 502），仪表或串口服务器的 TCP 服务是否已启用；有的只收一个连接，正在运行的网关可能占着它",
            "there is a host, but nothing listens on this port: check the port (502 is usual for Modbus TCP) and that the instrument or converter serves TCP; \
             some take one connection only, which a running gateway may hold",
        ),
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => words(
            "连不到该地址：核对 IP、网线和供电，本机是否在同一网段，防火墙是否放行",
            "nothing answers from this address: check the IP, cable and power, that this machine is in the same network, and the firewall",
        ),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => words(
            "对方立即断开：它可能只收一个连接，正在运行的网关可能占着它；或不接受本机的 IP",
            "the other end hung up at once: it may take one connection only, which a running gateway may hold, or does not accept this machine's IP",
        ),
        ErrorKind::Unsupported => words(
            "本程序编译时没有包含 Modbus/TCP Security（特性 modbus-tls）",
            "this program was built without Modbus/TCP Security (feature modbus-tls)",
        ),
        _ if is_look_up(error) => words(
            "主机名解析不出：核对拼写和 DNS，或写 IP 地址",
            "the name is not known: check its spelling and DNS, or give an IP address",
        ),
        _ => words("核对地址和网络", "check the address and the network"),
    }
}

fn of_port(path: &str, error: &io::Error) -> Words {
    let Ok(file) = std::fs::metadata(path) else {
        return words(
            "没有这个串口：USB 转换器插好了吗？ls -l /dev/serial/by-id/ 列出现有的",
            "there is no such port: is the USB adapter plugged in? ls -l /dev/serial/by-id/ lists what there is",
        );
    };
    if !file.file_type().is_char_device() {
        return words("这个文件不是串口", "this file is no serial port");
    }
    match error.kind() {
        ErrorKind::PermissionDenied => words(
            "无权打开：ls -l 看它属于哪个组（通常 dialout），usermod -aG dialout 用户名 后重新登录，或用 sudo -u hazard-gateway 运行",
            "it may not be opened: ls -l tells its group (usually dialout), usermod -aG dialout USER and a new login, or run as sudo -u hazard-gateway",
        ),
        // busy, or locked: what the serial crate makes of it; the port is there
        ErrorKind::NotFound | ErrorKind::WouldBlock | ErrorKind::ResourceBusy => words(
            "被别的程序占用：正在运行的网关独占它的串口，先停它（systemctl stop hazard-gateway）；fuser -v 看是谁",
            "another program holds it: a running gateway keeps its serial ports to itself, stop it first (systemctl stop hazard-gateway); fuser -v tells who",
        ),
        _ => words(
            "核对它是不是串口，以及接线、转换器和串口参数",
            "check that it is a serial port, its wiring, adapter and settings",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use devices::{Parity, SerialDriver};

    fn tcp(address: &str) -> Transport {
        Transport::Tcp { address: address.into() }
    }

    fn serial(path: &str) -> Transport {
        let driver = SerialDriver::default();
        Transport::Rtu { path: path.into(), baud: 9600, data_bits: 8, parity: Parity::None, stop_bits: 1, driver }
    }

    #[test]
    fn a_link_that_does_not_open_is_told_with_its_name_its_address_and_what_to_do() {
        let said = |error: ErrorKind| said(&tcp("192.0.2.7:502"), "tcp-a1", &error.into());
        let refused = said(ErrorKind::ConnectionRefused);
        assert!(
            refused.contains("链路 tcp-a1（192.0.2.7:502）") && refused.contains("the link tcp-a1 (192.0.2.7:502)"),
            "{refused}"
        );
        assert!(refused.contains("没有程序在监听") && refused.contains("nothing listens on this port"), "{refused}");
        assert!(said(ErrorKind::TimedOut).contains("网线"));
        let by_hand = super::said(
            &tcp("plc.plant:502"),
            "plc.plant:502",
            &io::Error::other("failed to lookup address information"),
        );
        assert!(by_hand.starts_with("无法打开 plc.plant:502：主机名解析不出"), "{by_hand}");
    }

    #[test]
    fn a_certificate_that_is_not_believed_is_no_unknown_name() {
        let tls = devices::TlsFiles { ca: "ca.pem".into(), client: None, server_name: None };
        let secure = Transport::TcpTls { address: "plc-1.plant:802".into(), tls };
        let said = |why: &str| said(&secure, "tls-a1", &io::Error::other(why.to_owned()));
        let expired = said("the instrument's certificate has expired: renew it, or set the clock of this machine");
        assert!(expired.contains("证书已过期") && !expired.contains("DNS"), "{expired}");
        assert!(said("failed to lookup address information").contains("主机名解析不出"));
    }

    #[test]
    fn a_serial_port_that_is_missing_forbidden_taken_or_none_is_told_each_in_its_words() {
        let said = |path: &str, error: ErrorKind| said(&serial(path), "rtu-a3", &error.into());
        let missing = said("/dev/ttyNOPE", ErrorKind::NotFound);
        assert!(missing.contains("rtu-a3（/dev/ttyNOPE）") && missing.contains("/dev/serial/by-id/"), "{missing}");
        let tty = "/dev/tty";
        assert!(said(tty, ErrorKind::PermissionDenied).contains("dialout"));
        for taken in [ErrorKind::NotFound, ErrorKind::WouldBlock] {
            let taken = said(tty, taken);
            assert!(taken.contains("systemctl stop hazard-gateway") && !taken.contains("没有这个串口"), "{taken}");
        }
        assert!(said("/etc/passwd", ErrorKind::Other).contains("这个文件不是串口"));
    }
}
