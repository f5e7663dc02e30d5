//! The daemon's rooms. `main.rs` only parses arguments and calls [`cli::main`].
//!
//! Owns wiring, storing, sending and serving. Decisions live in `rules`, the wire in `devices`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod annunciator;
pub mod calls;
pub mod cli;
pub mod clock;
pub mod config;
pub mod core;
pub mod delivery;
#[cfg(feature = "demo")]
pub mod demo;
mod hex;
mod incidents;
pub mod influx;
mod kept_bus;
pub mod kpi;
mod lock;
pub mod moment;
pub mod mqtt;
pub mod notify;
pub mod office;
mod pace;
pub mod record;
pub mod reload;
pub mod replay;
pub mod run;
pub mod snapshot;
mod stalls;
pub mod store;
pub mod text;
pub mod web;
