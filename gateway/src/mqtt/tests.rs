//! The outbox against brokers and offices that misbehave, over real sockets.

mod broker;
mod hostile;
mod office;
mod site;

use crate::mqtt::fixture::raised;
use crate::record::Record;
use broker::Came;

/// Events of priority 2, numbered from 1.
fn events(count: u64) -> Vec<Record> {
    (1..=count).map(|seq| raised(seq, 2)).collect()
}

fn seqs(came: &[Came]) -> Vec<u64> {
    came.iter().map(|event| event.payload["seq"].as_u64().unwrap()).collect()
}
