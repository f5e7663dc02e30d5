//! Harness of the whole-system tests: starts the built programs and real peers on free loopback ports, stops them by process id.
//!
//! Owns processes, ports and temporary folders of one test. Leaves to the tests what must be seen.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

pub mod clock;
pub mod http;
pub mod influx;
pub mod instrument;
pub mod office;
pub mod oracle;
pub mod peer;
pub mod plant;
pub mod registers;
pub mod station;
pub mod witness;
