//! Instruments over Modbus: profiles, decoding, request planning, the line guard and one task per link.
//!
//! Owns everything between a configured device and a [`Scan`]. Knows no limit, no alarm, no store. The only bytes that reach
//! tokio-modbus' client are those its line guard has matched with the request.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod bus;
mod connect;
mod decode;
mod guard;
mod line;
pub mod plan;
pub mod profile;
pub mod status;

pub use bus::{run_bus, run_bus_with};
pub use connect::{Connect, Connecting, LinkStream, Wire};

use rules::{DeviceId, Now, PointId, Sample};
use std::sync::Arc;
use std::time::Duration;

/// How a link is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// Modbus TCP, `host:port`.
    Tcp { address: String },
    /// RTU frames over a TCP converter, `host:port`.
    RtuOverTcp { address: String },
    /// RTU on a serial port.
    Rtu { path: String, baud: u32, data_bits: u8, parity: Parity, stop_bits: u8 },
}

/// Serial parity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    None,
    Even,
    Odd,
}

/// A point bound to its device: where it lies in the device's profile.
#[derive(Clone, Debug, PartialEq)]
pub struct PointBinding {
    pub point: PointId,
    /// Point key, for logs and reports.
    pub key: String,
    /// Name of the profile's field, such as `concentration` or `pressure_a`.
    pub field: String,
    pub period: Duration,
}

/// One unit on a link.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    pub device: DeviceId,
    pub key: String,
    /// Modbus unit id, 1–247 (TCP also 0 and 255).
    pub unit: u8,
    pub profile: Arc<profile::Profile>,
    pub points: Vec<PointBinding>,
}

/// One link and everything on it.
#[derive(Clone, Debug)]
pub struct BusSpec {
    pub key: String,
    pub transport: Transport,
    pub devices: Vec<DeviceSpec>,
    /// Longest time to wait for an answer before it counts as missed.
    pub timeout: Duration,
}

/// The result of asking one device once.
#[derive(Clone, Debug)]
pub struct Scan {
    pub device: DeviceId,
    /// False when nothing valid came back.
    pub answered: bool,
    /// Good, uncertain and bad readings of the points that were due.
    pub samples: Vec<Sample>,
    pub at: Now,
}

/// What a bus tells the core.
#[derive(Clone, Debug)]
pub enum BusMessage {
    Scan(Scan),
    /// Link or unit state changed; `code` is `link_up`, `link_down`, `unit_dead`, `unit_back`.
    State {
        subject: String,
        code: &'static str,
        detail: String,
    },
}
