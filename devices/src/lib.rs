//! Instruments over Modbus: profiles, decoding, request planning, the line guard and one task per link.
//!
//! Owns everything between a configured device and a [`Scan`]. Knows no limit, no alarm, no store. The only bytes that reach
//! tokio-modbus' client are those its line guard has matched with the request.
//!
//! CONTRACT: the types below are relied on by `gateway`; everything else in here is this room's own.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use rules::{Clock, DeviceId, Now, PointId, Sample};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

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

/// Runs one bus until cancelled; reconnects by itself; never ends for a reason on the wire.
/// `out` is bounded: a full channel makes the bus wait (the core never blocks on a bus).
pub async fn run_bus(
    spec: BusSpec,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<BusMessage>,
    status: Arc<status::BusStatus>,
    stop: CancellationToken,
) {
    let _ = (spec, clock, out, status, stop);
    todo!()
}

pub mod profile {
    //! A model's register map, from TOML.

    /// A checked profile. CONTRACT: `Profile::from_toml(name, text) -> Result<Profile, ProfileError>`, `field_names()`,
    /// and `shipped(name) -> Option<Arc<Profile>>` with `shipped_names()` for the embedded ones.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Profile {
        pub name: String,
    }
}

pub mod status {
    //! Counters of a bus that others may read at any time (atomics; snapshot type for views).

    /// CONTRACT: `BusStatus::new(&BusSpec)`, `snapshot() -> BusSnapshot` (Serialize) with link state, per unit state and counters
    /// (ok, exceptions, time-outs, CRC, foreign, stale, echo, short, reconnects, bytes), and `progress() -> u64` that grows with every turn.
    #[derive(Debug, Default)]
    pub struct BusStatus {}
}
