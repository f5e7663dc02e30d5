//! Where the three servers of the demo listen: at the addresses that were given, else at the first free port of each row.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

const SITE_PORT: u16 = 8080;
const OFFICE_PORT: u16 = 8081;
const BROKER_PORT: u16 = 1883;
/// Ports tried, ten apart, before the demo gives up.
const PORT_TRIES: u16 = 50;

/// Two pages and the broker.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) site: SocketAddr,
    pub(super) office: SocketAddr,
    pub(super) broker: u16,
}

impl Places {
    /// None of them is another's: each stays held until all are found.
    pub(super) fn free(site: Option<SocketAddr>, office: Option<SocketAddr>) -> Result<Self, String> {
        let named = |option: &str, at: Option<SocketAddr>| at.map(|at| held(option, at)).transpose();
        let (site, office) = (named("--listen", site)?, named("--office-listen", office)?);
        let site = site.map_or_else(|| first_free(SITE_PORT, Some("--listen")), Ok)?;
        let office = office.map_or_else(|| first_free(OFFICE_PORT, Some("--office-listen")), Ok)?;
        let broker = first_free(BROKER_PORT, None)?;
        Ok(Self { site: site.0, office: office.0, broker: broker.0.port() })
    }
}

/// An address, and what keeps it from the other servers.
type Held = (SocketAddr, TcpListener);

fn held(option: &str, at: SocketAddr) -> Result<Held, String> {
    let listener = TcpListener::bind(at).map_err(|error| taken(option, at, &error))?;
    Ok((listener.local_addr().unwrap_or(at), listener))
}

/// What a page's address of the command line hinders.
pub(super) fn taken(option: &str, at: SocketAddr, error: &io::Error) -> String {
    let (zh, en) = match error.kind() {
        io::ErrorKind::AddrInUse => ("这个端口被占用", "this port is taken"),
        io::ErrorKind::PermissionDenied => {
            ("无权使用这个端口，1024 以下的归 root", "this port is not yours: those below 1024 are root's")
        }
        _ => ("不能在此地址上监听", "nothing can listen at this address"),
    };
    format!(
        "{option} {at}：{zh}（{error}）；换一个端口，不写 {option} 则自动找空闲的 · {en} ({error}); give another port, or leave {option} out and a free one is found"
    )
}

/// The first free port of a row on loopback; a taken one is said.
fn first_free(first: u16, option: Option<&str>) -> Result<Held, String> {
    let at = |n: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, first + 10 * n));
    let found = (0..PORT_TRIES).find_map(|n| Some((at(n), TcpListener::bind(at(n)).ok()?)));
    let Some(found) = found else {
        let (zh, en) = option.map_or_else(Default::default, |option| {
            (format!("；用 {option} 另选"), format!("; choose one with {option}"))
        });
        return Err(format!(
            "{first} 起每隔 10 的 {PORT_TRIES} 个端口都被占用{zh} · {PORT_TRIES} ports from {first} on, ten apart, are taken{en}"
        ));
    };
    if found.0.port() != first {
        println!("端口 {first} 被占用，改用 {0} · port {first} is taken, using {0}", found.0.port());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    #[test]
    fn a_given_port_that_is_taken_is_told_by_its_option_and_never_exchanged_for_another() {
        let other = TcpListener::bind(at(0)).unwrap();
        let taken_at = other.local_addr().unwrap();
        let said = Places::free(Some(taken_at), None).unwrap_err();
        assert!(
            said.starts_with(&format!("--listen {taken_at}：这个端口被占用")) && said.contains("this port is taken"),
            "{said}"
        );
        let said = Places::free(None, Some(taken_at)).unwrap_err();
        assert!(said.starts_with("--office-listen"), "{said}");
    }

    #[test]
    fn given_addresses_are_taken_as_they_are_and_no_two_servers_get_one_port() {
        let free = TcpListener::bind(at(0)).unwrap().local_addr().unwrap();
        let places = Places::free(Some(free), None).unwrap();
        assert_eq!(places.site, free);
        assert!(places.office != places.site && places.broker != places.site.port(), "{places:?}");
        let twice = Places::free(Some(free), Some(free)).unwrap_err();
        assert!(twice.starts_with("--office-listen"), "{twice}");
    }
}
