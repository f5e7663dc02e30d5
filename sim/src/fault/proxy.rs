//! The fault layer between real sockets.
//!
//! Owns the listener and its connections; both sides of one end together.

use super::{Faults, FaultyStream, Framing};
use std::io;
use std::net::SocketAddr;
use tokio::io::{copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Clients of one link at once.
const CONNECTIONS_MAX: usize = 32;

/// Passes connections on to `target` with `faults` on the answers, until `stop`; gives the address bound.
pub async fn serve_faulty_tcp(
    address: SocketAddr,
    target: SocketAddr,
    framing: Framing,
    faults: Faults,
    stop: CancellationToken,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok((client, _)) = listener.accept().await else { continue };
            if connections.len() < CONNECTIONS_MAX {
                let faults = faults.clone();
                connections.spawn(async move {
                    if let Err(error) = carry(client, target, framing, faults).await {
                        tracing::debug!(%error, "a connection with faults has ended");
                    }
                });
            }
        }
    }));
    Ok(bound)
}

async fn carry(client: TcpStream, target: SocketAddr, framing: Framing, faults: Faults) -> io::Result<()> {
    let instrument = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    instrument.set_nodelay(true)?;
    let (mut answers, mut requests) = split(FaultyStream::new(instrument, framing, faults));
    let (mut from_client, mut to_client) = client.into_split();
    tokio::select! {
        ended = copy(&mut from_client, &mut requests) => ended.map(|_| ()),
        ended = copy(&mut answers, &mut to_client) => ended.map(|_| ()),
    }
}
