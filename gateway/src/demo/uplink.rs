//! The wire between the demo site and its broker, which the scenario `uplink-cut` cuts.
//!
//! Owns a socket that passes everything on, and its connections. What the site does without its uplink is the product's own.

use crate::lock::lock;
use sim::{Plant, Scenario};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often the plant is asked whether the wire is cut: short beside any time-out of MQTT.
const LOOK: Duration = Duration::from_millis(200);
/// The site has one connection; the rest is room for those that have not been noticed as dead.
const CONNECTIONS_MAX: usize = 8;

/// Passes connections on to `broker` until `stop`, but for the time that the plant runs `uplink-cut`; gives the port.
pub(super) async fn start(broker: u16, plant: Arc<Mutex<Plant>>, stop: CancellationToken) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let (tell, whole) = watch::channel(true);
    tokio::spawn(stop.clone().run_until_cancelled_owned(look(plant, tell)));
    tokio::spawn(stop.run_until_cancelled_owned(pass(listener, (Ipv4Addr::LOCALHOST, broker).into(), whole)));
    Ok(port)
}

async fn look(plant: Arc<Mutex<Plant>>, tell: watch::Sender<bool>) {
    let mut turn = tokio::time::interval(LOOK);
    loop {
        turn.tick().await;
        let whole = !lock(&plant).is_running(Scenario::UplinkCut);
        tell.send_if_modified(|before| std::mem::replace(before, whole) != whole);
    }
}

async fn pass(listener: TcpListener, broker: SocketAddr, whole: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((site, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        if *whole.borrow() && connections.len() < CONNECTIONS_MAX {
            connections.spawn(carry(site, broker, whole.clone()));
        }
    }
}

/// Until either side ends or the wire is cut; both sides then see the connection end.
async fn carry(mut site: TcpStream, broker: SocketAddr, mut whole: watch::Receiver<bool>) {
    let Ok(mut broker) = TcpStream::connect(broker).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut site, &mut broker) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::SiteName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Whether a byte sent at the near end comes back from the echo behind.
    async fn comes_back(stream: &mut TcpStream) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").await.is_ok() && stream.read_exact(&mut byte).await.is_ok()
    }

    #[tokio::test]
    async fn the_wire_is_dead_while_it_is_cut_and_carries_again_afterwards() {
        let (stop, plant) = (CancellationToken::new(), Arc::new(Mutex::new(Plant::of(SiteName::Chemical, 1))));
        let _end = stop.clone().drop_guard();
        let echo = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let behind = echo.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.into_split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        let port = start(behind, plant.clone(), stop).await.unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port));

        let mut stream = connect().await.unwrap();
        assert!(comes_back(&mut stream).await);
        plant.lock().unwrap().start(Scenario::UplinkCut);
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "the connection ends");
        assert!(!comes_back(&mut connect().await.unwrap()).await);
        plant.lock().unwrap().stop_all();
        while !comes_back(&mut connect().await.unwrap()).await {}
    }
}
