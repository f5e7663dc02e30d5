//! Where a link leads to, whatever it is called: two spellings of one socket or one port are one place.
//!
//! Owns that comparison. No name is looked up: what a name means differs from machine to machine and from day to day, so two sockets of which
//! one has a name are *perhaps* the same.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The place of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Socket { host: Host, port: u16 },
    Port { written: PathBuf, device: Option<PathBuf> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// In lower case, without the dot at its end.
    Name(String),
}

/// Whether two links lead to one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Same {
    Yes,
    No,
    /// Cannot be told from the configuration.
    Perhaps,
}

impl Place {
    /// Of `host:port`; none where it is no such thing.
    pub(super) fn socket(address: &str) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let name = bare.trim_end_matches('.');
        let host = match name.parse::<IpAddr>() {
            Ok(address) => Host::Address(address.to_canonical()),
            Err(_) if name == "localhost" => Host::Address(IpAddr::from([127, 0, 0, 1])),
            Err(_) => Host::Name(name.to_owned()),
        };
        Some(Self::Socket { host, port: port.parse().ok()? })
    }

    /// Of a serial port: what stands behind a link below `/dev/serial` is looked at where it is plugged in.
    pub(super) fn port(path: &str) -> Self {
        Self::Port { written: PathBuf::from(path), device: std::fs::canonicalize(path).ok() }
    }

    pub(super) fn is(&self, other: &Self) -> Same {
        match (self, other) {
            (Self::Socket { host: a, port }, Self::Socket { host: b, port: other }) if port == other => sockets(a, b),
            (Self::Port { written: a, device: x }, Self::Port { written: b, device: y }) => match (x, y) {
                _ if a == b => Same::Yes,
                (Some(x), Some(y)) if x == y => Same::Yes,
                (Some(_), Some(_)) => Same::No,
                // two names of one folder are two ports; a name of another folder may be another name of the same
                _ if a.parent() == b.parent() && a.parent() != Some(Path::new("")) => Same::No,
                _ => Same::Perhaps,
            },
            _ => Same::No,
        }
    }
}

fn sockets(a: &Host, b: &Host) -> Same {
    match (a, b) {
        (Host::Name(_), Host::Address(_)) | (Host::Address(_), Host::Name(_)) => Same::Perhaps,
        _ if a == b => Same::Yes,
        (Host::Name(_), Host::Name(_)) => Same::Perhaps,
        (Host::Address(_), Host::Address(_)) => Same::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets_are(a: &str, b: &str) -> Same {
        Place::socket(a).unwrap().is(&Place::socket(b).unwrap())
    }

    #[test]
    fn spellings_of_one_socket_are_one_and_a_name_may_be_any_address() {
        for (a, b, same) in [
            ("192.168.10.21:502", "192.168.10.21:0502", Same::Yes),
            ("localhost:502", "127.0.0.1:502", Same::Yes),
            ("MOXA-1:4001", "moxa-1.:4001", Same::Yes),
            ("[::ffff:10.0.0.1]:502", "10.0.0.1:502", Same::Yes),
            ("192.168.10.21:502", "192.168.10.22:502", Same::No),
            ("192.168.10.21:502", "192.168.10.21:503", Same::No),
            ("moxa-1:4001", "192.168.10.21:4001", Same::Perhaps),
            ("moxa-1:4001", "moxa-2:4001", Same::Perhaps),
            ("moxa-1:4001", "192.168.10.21:4002", Same::No),
        ] {
            assert_eq!((sockets_are(a, b), sockets_are(b, a)), (same, same), "{a} {b}");
        }
    }

    #[test]
    fn two_names_of_one_port_are_one_where_it_is_plugged_in_and_may_be_one_where_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("ttyUSB0"), "").unwrap();
        std::fs::create_dir(at("by-id")).unwrap();
        std::os::unix::fs::symlink(at("ttyUSB0"), at("by-id/usb-moxa")).unwrap();
        let ports_are = |a: &str, b: &str| Place::port(a).is(&Place::port(b));
        assert_eq!(ports_are(&at("ttyUSB0"), &at("by-id/usb-moxa")), Same::Yes);
        assert_eq!(ports_are("/dev/none/by-id/a", "/dev/none/ttyUSB7"), Same::Perhaps);
        assert_eq!(ports_are("/dev/none/by-id/a", "/dev/none/by-id/b"), Same::No);
        assert_eq!(Place::port("/dev/ttyS0").is(&Place::socket("10.0.0.1:502").unwrap()), Same::No);
    }
}
