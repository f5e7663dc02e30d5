//! A simulated plant and its Modbus instruments, for the demo and for tests.
//!
//! Owns the other end of the wire. Shares no code with the gateway's reading side: the register maps are written twice, so
//! that a mistake in one shows.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod demo;
mod fault;
mod instruments;
mod link;
mod plant;
mod prng;
mod pty;
mod relay;
mod scenario;
mod serve;
mod site;
mod stream;

pub use demo::{DemoPlan, DemoSite, Place, start_demo};
pub use fault::{BadRule, Fault, FaultCounts, Faults, FaultyStream, Framing, Rule, Spread, When, serve_faulty_tcp};
pub use instruments::{Instruments, Served, Tap, service};
pub use link::{Link, UnknownLink};
pub use plant::Plant;
pub use prng::Prng;
pub use pty::Pty;
pub use relay::{Relay, RelayFault};
pub use scenario::{Scenario, UnknownScenario};
pub use serve::{Answer, Unit, serve_rtu_over_tcp, serve_rtu_pty, serve_tcp};
pub use site::{SiteName, UnknownSite};
pub use stream::serve_stream;
