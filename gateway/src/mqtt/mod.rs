//! MQTT: the outbox towards the township office. The durable outbox is the session; the client's memory is not.

#[cfg(test)]
pub(crate) mod fixture;
pub mod payload;
