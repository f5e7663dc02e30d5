//! MQTT: the outbox towards the township office. The durable outbox is the session; the client's memory is not.
//!
//! Owns topics, payloads, connections and delivery states. Leaves the journal to `store` and every alarm to `core`: a message
//! from outside can never change one.

#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod link;
mod outbox;
pub mod payload;
#[path = "../store/outbox.rs"]
pub mod table;

pub use outbox::run_outbox;
