//! How a client of the broker comes about: the seam through which a simulation puts a broker of its own under the outbox.

use futures_util::future::BoxFuture;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions};

/// Makes a new client. Nothing of an earlier one lives on in it.
pub trait Dial: Send + Sync {
    /// The client with room for `queue` requests, and what becomes of them.
    fn dial(&self, options: MqttOptions, queue: usize) -> (AsyncClient, Box<dyn Session>);
}

/// The life of one connection.
pub trait Session: Send {
    /// The next thing that happened; an error is the end of the connection. Not to be dropped half-way.
    fn poll(&mut self) -> BoxFuture<'_, Result<Event, String>>;
}

/// The real thing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network;

impl Dial for Network {
    fn dial(&self, options: MqttOptions, queue: usize) -> (AsyncClient, Box<dyn Session>) {
        let (client, events) = AsyncClient::new(options, queue);
        (client, Box::new(events))
    }
}

impl Session for EventLoop {
    fn poll(&mut self) -> BoxFuture<'_, Result<Event, String>> {
        Box::pin(async { Self::poll(self).await.map_err(|error| error.to_string()) })
    }
}
