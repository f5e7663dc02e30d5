//! MQTT: the outbox towards the township office. The durable outbox is the session; the client's memory is not.
//!
//! Owns topics, payloads, connections and delivery states. Leaves the journal to `store` and every alarm to `core`: a message
//! from outside can never change one.
//!
//! ```text
//!   outbox   reconnects ──► link: one connection ──► window: what the broker has not acknowledged
//!                              │  │  └─► inbox: what comes in, and how much of it
//!                              │  └────► said: status, state, heartbeat         payload: the event on the wire
//!                              └───────► turns: one transaction each (`store::outbox`)          meter: figures, once a second
//! ```

pub mod dial;
#[cfg(test)]
pub(crate) mod fixture;
mod inbox;
mod link;
mod meter;
mod outbox;
pub mod payload;
mod said;
mod sender;
mod settings;
#[cfg(test)]
mod tests;
mod turns;
mod window;

pub use outbox::{run_outbox, run_outbox_over};
