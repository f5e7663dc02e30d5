//! A site, running: the plant, its links and the task that lets time pass.
//!
//! Owns the task graph. Everything ends with the token.

use crate::fault::{Faults, Framing, Rule, serve_faulty_tcp};
use crate::instruments::{Tap, service};
use crate::link::Link;
use crate::plant::Plant;
use crate::relay::Relay;
use crate::serve::{Unit, serve_rtu_pty, serve_tcp};
use crate::site::SiteName;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(200);
/// A free port of this machine.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Where the instruments are to be reached, and what their links suffer.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    pub site: SiteName,
    /// Addresses of TCP links; a link that is not named gets a free port.
    pub listen: Vec<(Link, SocketAddr)>,
    /// A lasting name for the pseudo-terminal of the serial link, made as a symbolic link.
    pub rtu_link: Option<PathBuf>,
    /// Settles the weather and the noise of the plant and every draw of the faults.
    pub seed: u64,
    /// Rules for one link, or for all where none is named.
    pub faults: Vec<(Option<Link>, Rule)>,
    /// Hears every answer of the instruments, before any fault.
    pub tap: Option<Tap>,
}

impl DemoPlan {
    /// Free ports and clean wires.
    #[must_use]
    pub const fn anywhere(site: SiteName, seed: u64) -> Self {
        Self { site, listen: Vec::new(), rtu_link: None, seed, faults: Vec::new(), tap: None }
    }

    fn faults(&self, link: Link) -> Option<Faults> {
        let mine = |(about, _): &&(Option<Link>, Rule)| about.is_none_or(|about| about == link);
        let rules: Vec<Rule> = self.faults.iter().filter(mine).map(|(_, rule)| *rule).collect();
        // Links with the same rules take different courses.
        (!rules.is_empty()).then(|| Faults::new(self.seed.wrapping_mul(31) + link as u64, rules))
    }

    fn address(&self, link: Link) -> SocketAddr {
        self.listen.iter().find(|(named, _)| *named == link).map_or(ANY, |(_, address)| *address)
    }
}

/// Where a link is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Tcp(SocketAddr),
    Serial(PathBuf),
}

impl Place {
    /// The key in a `[[link]]` of a configuration, and its value.
    #[must_use]
    pub fn as_configured(&self) -> (&'static str, String) {
        match self {
            Self::Tcp(address) => ("tcp", address.to_string()),
            Self::Serial(path) => ("serial", path.display().to_string()),
        }
    }
}

/// Where the instruments of a site are reached, and the plant behind them.
#[derive(Clone, Debug)]
pub struct DemoSite {
    /// Every link of the site's instruments.
    pub links: Vec<(Link, Place)>,
    /// The relay module of its annunciator, where it has one, and where that is reached.
    pub annunciator: Option<(Link, Place, Relay)>,
    pub plant: Arc<Mutex<Plant>>,
    /// The links that have faults.
    pub faults: Vec<(Link, Faults)>,
}

impl DemoSite {
    /// Where the link of that name is reached, as `[[link]]` says it: `tcp` or `serial`, and the place.
    #[must_use]
    pub fn place(&self, link: &str) -> Option<(&'static str, String)> {
        let relay = self.annunciator.as_ref().map(|(link, place, _)| (link, place));
        let mut all = self.links.iter().map(|(link, place)| (link, place)).chain(relay);
        all.find(|(l, _)| l.name() == link).map(|(_, place)| place.as_configured())
    }
}

/// Starts a site as planned.
pub async fn start_demo(plan: DemoPlan, stop: CancellationToken) -> io::Result<DemoSite> {
    let plant = Arc::new(Mutex::new(Plant::of(plan.site, plan.seed)));
    let (mut links, mut faults) = (Vec::new(), Vec::new());
    for link in Link::of(plan.site).iter().copied() {
        let instruments = service(link, Arc::clone(&plant)).tapped(plan.tap.clone());
        let on_wire = plan.faults(link);
        faults.extend(on_wire.clone().map(|on_wire| (link, on_wire)));
        let place = if link.is_serial() {
            let terminal = serve_rtu_pty(instruments, on_wire, stop.clone()).await?;
            let named = plan.rtu_link.as_deref().map(|name| lasting(&terminal, name)).transpose()?;
            Place::Serial(named.unwrap_or(terminal))
        } else {
            Place::Tcp(tcp(plan.address(link), instruments, on_wire, &stop).await?)
        };
        links.push((link, place));
    }
    let mut annunciator = None;
    if let Some(link) = Link::annunciator_of(plan.site) {
        let (relay, on_wire) = (Relay::default(), plan.faults(link));
        faults.extend(on_wire.clone().map(|on_wire| (link, on_wire)));
        let place = Place::Tcp(tcp(plan.address(link), relay.clone(), on_wire, &stop).await?);
        annunciator = Some((link, place, relay));
    }
    tokio::spawn(stop.run_until_cancelled_owned(drive(Arc::clone(&plant))));
    Ok(DemoSite { links, annunciator, plant, faults })
}

async fn tcp(
    address: SocketAddr,
    instruments: impl Unit,
    faults: Option<Faults>,
    stop: &CancellationToken,
) -> io::Result<SocketAddr> {
    match faults {
        None => serve_tcp(address, instruments, stop.clone()).await,
        Some(faults) => {
            let behind = serve_tcp(ANY, instruments, stop.clone()).await?;
            serve_faulty_tcp(address, behind, Framing::Tcp, faults, stop.clone()).await
        }
    }
}

/// Makes `name` stand for `terminal`; replaces only what is a symbolic link itself.
fn lasting(terminal: &Path, name: &Path) -> io::Result<PathBuf> {
    if name.is_symlink() {
        std::fs::remove_file(name)?;
    }
    std::os::unix::fs::symlink(terminal, name)?;
    Ok(name.to_owned())
}

async fn drive(plant: Arc<Mutex<Plant>>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        plant.lock().unwrap_or_else(PoisonError::into_inner).advance(TICK);
    }
}
