//! What two configurations of a site have in common: with the same wiring only rules, texts and registers of risks differ, and the
//! running site takes them over without a stop.
//!
//! Owns that comparison. It errs toward a restart: what it does not know to be the same counts as different.

use super::Site;
use devices::{BusSpec, DeviceSpec};
use rules::book::Point;

impl Site {
    /// True when links, instruments, points and their numbers, store, page and northbounds are the same.
    #[must_use]
    pub fn has_wiring_of(&self, other: &Self) -> bool {
        let points = |site: &Self| site.book.points().len();
        self.key == other.key
            && self.data_dir == other.data_dir
            && self.web == other.web
            && self.mqtt == other.mqtt
            && self.influx == other.influx
            && self.history == other.history
            && self.annunciator == other.annunciator
            && self.derived == other.derived
            && points(self) == points(other)
            && self.book.points().iter().zip(other.book.points()).all(|(a, b)| same_point(a, b))
            && self.book.devices().len() == other.book.devices().len()
            && self.book.devices().iter().zip(other.book.devices()).all(|(a, b)| a.key == b.key)
            && self.buses.len() == other.buses.len()
            && self.buses.iter().zip(&other.buses).all(|(a, b)| same_bus(a, b))
    }
}

/// Name and place may differ: nobody but the engine and the page holds them. The age limit of a point that is read is its bus' too, and in
/// what [`same_device`] compares.
fn same_point(a: &Point, b: &Point) -> bool {
    (&a.key, &a.device, &a.area, a.kind, &a.unit, a.range, a.period)
        == (&b.key, &b.device, &b.area, b.kind, &b.unit, b.range, b.period)
}

fn same_bus(a: &BusSpec, b: &BusSpec) -> bool {
    a.key == b.key
        && a.transport == b.transport
        && a.timeout == b.timeout
        && a.devices.len() == b.devices.len()
        && a.devices.iter().zip(&b.devices).all(|(a, b)| same_device(a, b))
}

fn same_device(a: &DeviceSpec, b: &DeviceSpec) -> bool {
    (a.device, &a.key, a.unit, &a.profile, &a.points) == (b.device, &b.key, b.unit, &b.profile, &b.points)
}
