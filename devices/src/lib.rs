//! Instruments over Modbus: profiles, decoding, request planning, the line guard and one task per link.
//!
//! Owns everything between a configured device and a [`Scan`]. Knows no limit, no alarm, no store. The only bytes that reach
//! tokio-modbus' client are those its line guard has matched with the request. Instruments are only read; what may be written is in [`annunciator`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod annunciator;
mod bus;
pub mod commission;
mod connect;
mod decode;
pub mod derive;
mod guard;
pub mod guess;
mod kernel;
mod line;
pub mod plan;
pub mod profile;
pub mod recorder;
mod serial;
pub mod status;
#[cfg(feature = "tls")]
mod tls;
pub mod vectors;

/// For the fuzz targets only: the line guard without a line.
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::guard::{Before, Trial, trial};
}

pub use bus::forecast::{BusForecast, LatePoint, Outlook, RequestForecast, forecast};
pub use bus::{run_bus, run_bus_with};
pub use connect::{Connect, Connecting, LinkStream, Wire};
pub use kernel::{ClockDiscipline, clock_discipline};

use rules::{DeviceId, Now, PointId, Sample, Text};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How a link is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// Modbus TCP, `host:port`.
    Tcp { address: String },
    /// RTU frames over a TCP converter, `host:port`.
    RtuOverTcp { address: String },
    /// Modbus/TCP Security: Modbus TCP inside TLS, `host:port` (802 by the standard). Needs the cargo feature `tls`.
    TcpTls { address: String, tls: TlsFiles },
    /// RTU on a serial port.
    Rtu { path: String, baud: u32, data_bits: u8, parity: Parity, stop_bits: u8, driver: SerialDriver },
}

/// What proves who is at either end of a Modbus/TCP Security link; PEM files, read at every connect, so that a renewed
/// certificate is taken without a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Authorities that may sign the instrument's certificate.
    pub ca: PathBuf,
    /// Our certificate and its private key; the standard asks both ends for one.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Name in the instrument's certificate; the host of the address when not given.
    pub server_name: Option<String>,
}

/// What the driver of a serial port is asked for beyond speed and framing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialDriver {
    /// The UART's own RS-485 mode switches the transceiver with RTS; an adapter that switches by itself needs none of it.
    pub rs485: Option<Rs485>,
    /// Hands bytes on at once instead of collecting them (FTDI adapters: 1 ms instead of 16 ms).
    pub low_latency: bool,
}

/// RTS of a UART in RS-485 mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rs485 {
    /// RTS is high while sending; low otherwise.
    pub rts_high_on_send: bool,
    pub delay_before_send_ms: u32,
    pub delay_after_send_ms: u32,
}

/// True when this build can open [`Transport::TcpTls`].
#[must_use]
pub const fn has_tls() -> bool {
    cfg!(feature = "tls")
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
    pub key: Text,
    /// Name of the profile's field, such as `concentration` or `pressure_a`.
    pub field: Text,
    pub period: Duration,
    /// A reading that is older is stale.
    pub max_age: Duration,
    /// An alarm rule judges it: its requests go before others.
    pub critical: bool,
    /// A shorter period for while the core asks for it.
    pub fast: Option<Box<Fast>>,
}

impl PointBinding {
    /// The period that holds now.
    #[must_use]
    pub fn period_now(&self) -> Duration {
        self.fast.as_ref().filter(|f| f.wanted.get()).map_or(self.period, |f| f.period.min(self.period))
    }
}

/// The period of a point whose value nears a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Fast {
    pub period: Duration,
    pub wanted: Wanted,
}

/// A wish of the core that the bus follows within a tenth of a second. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Wanted(Arc<AtomicBool>);

impl Wanted {
    /// Asks for it, or no longer.
    pub fn set(&self, wanted: bool) {
        self.0.store(wanted, Ordering::Relaxed);
    }
    /// True while it is asked for.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A wish is no part of what is configured.
impl PartialEq for Wanted {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One unit on a link.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    pub device: DeviceId,
    pub key: String,
    /// Modbus unit id, 1–247 (TCP also 0 and 255).
    pub unit: u8,
    pub profile: Arc<profile::Profile>,
    /// Shared: a bus keeps what it needs to be started again, and of 20,000 points each copy is 4 MB.
    pub points: Arc<[PointBinding]>,
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

/// What one answer of a device completed: each of its points once a cycle, as soon as everything it needs has been read.
#[derive(Clone, Debug)]
pub struct Scan {
    pub device: DeviceId,
    /// False when the device itself gave nothing valid in this cycle.
    pub answered: bool,
    /// Good, uncertain and bad readings of the points that are complete; no other scan of the cycle holds them.
    pub samples: Vec<Sample>,
    /// Nothing more of this cycle follows; it may have no samples of its own then.
    pub ends_cycle: bool,
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
