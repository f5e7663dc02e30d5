//! The links of the simulated sites, by the names of the example configurations.

use crate::site::SiteName;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// One link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    TcpA1,
    TcpA2,
    RtuA3,
    TcpB1,
    RtuB1,
    TcpC1,
    RtuC2,
    RelayA,
}

/// A name that no link has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("没有此链路 no such link: {0}")]
pub struct UnknownLink(pub String);

impl Link {
    const ALL: [Self; 8] =
        [Self::TcpA1, Self::TcpA2, Self::RtuA3, Self::TcpB1, Self::RtuB1, Self::TcpC1, Self::RtuC2, Self::RelayA];

    /// The links of a site's instruments.
    #[must_use]
    pub const fn of(site: SiteName) -> &'static [Self] {
        match site {
            SiteName::Chemical => &[Self::TcpA1, Self::TcpA2, Self::RtuA3],
            SiteName::ColdStore => &[Self::TcpB1, Self::RtuB1],
            SiteName::Mine => &[Self::TcpC1, Self::RtuC2],
        }
    }

    /// The link of a site's annunciator: a relay module and nothing else.
    #[must_use]
    pub const fn annunciator_of(site: SiteName) -> Option<Self> {
        match site {
            SiteName::Chemical => Some(Self::RelayA),
            SiteName::ColdStore | SiteName::Mine => None,
        }
    }

    /// The name in the site's example configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TcpA1 => "tcp-a1",
            Self::TcpA2 => "tcp-a2",
            Self::RtuA3 => "rtu-a3",
            Self::TcpB1 => "tcp-b1",
            Self::RtuB1 => "rtu-b1",
            Self::TcpC1 => "tcp-c1",
            Self::RtuC2 => "rtu-c2",
            Self::RelayA => "relay-a",
        }
    }

    /// The address in the example configuration; a serial line has none.
    #[must_use]
    pub const fn example_address(self) -> Option<SocketAddr> {
        let port = match self {
            Self::TcpA1 => 1502,
            Self::TcpA2 => 1503,
            Self::TcpB1 => 1504,
            Self::TcpC1 => 1505,
            Self::RelayA => 1506,
            Self::RtuA3 | Self::RtuB1 | Self::RtuC2 => return None,
        };
        Some(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// Whether it is a serial line.
    #[must_use]
    pub const fn is_serial(self) -> bool {
        self.example_address().is_none()
    }
}

impl FromStr for Link {
    type Err = UnknownLink;

    fn from_str(name: &str) -> Result<Self, UnknownLink> {
        Self::ALL.into_iter().find(|link| link.name() == name).ok_or_else(|| UnknownLink(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_belongs_to_one_site_and_reads_back_by_its_name() {
        let instruments = SiteName::ALL.iter().flat_map(|site| Link::of(*site)).copied();
        let annunciators = SiteName::ALL.iter().filter_map(|site| Link::annunciator_of(*site));
        let of_sites: Vec<Link> = instruments.chain(annunciators).collect();
        assert_eq!(of_sites, Link::ALL);
        assert!(of_sites.iter().all(|link| link.name().parse() == Ok(*link)));
    }

    #[test]
    fn every_site_has_sockets_and_a_serial_line() {
        for site in SiteName::ALL {
            let serial = Link::of(site).iter().filter(|link| link.is_serial()).count();
            assert!(serial == 1 && Link::of(site).len() > 1, "{site}");
        }
    }
}
