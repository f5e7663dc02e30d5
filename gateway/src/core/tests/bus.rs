//! A bus whose task fails.

use super::*;
use crate::kept_bus::keep;
use crate::snapshot::Snapshot;
use devices::{Connect, Connecting, LinkStream, run_bus_with};
use rules::{EventKind, Fault};
use std::io;
use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A wire on which the task of its bus fails with the first exchange, as if the decoder had a mistake.
struct Cursed;

impl Connect for Cursed {
    fn connect(&mut self) -> Connecting<'_> {
        Box::pin(async { Ok(Box::new(Self) as Box<dyn LinkStream>) })
    }
}

impl AsyncRead for Cursed {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        panic!("as if the decoder had a mistake")
    }
}

impl AsyncWrite for Cursed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn the_link_of_a_bus_that_failed_is_down_at_once_and_its_points_are_stale_within_their_age() {
    let folder = tempfile::tempdir().unwrap();
    let age = "range = [0, 100]\nmax_age_s = 1.0";
    let mut bench = bench_on(folder.path(), &SITE.replacen("range = [0, 100]", age, 1));
    let ((spec, status), clock, scans) = (bench.bus.clone(), bench.clock.clone(), bench.scans.clone());
    let (core, stop) = (bench.handle.clone(), bench.stop.clone());
    let mut pictures = core.snapshots();
    bench.scan(10.0).await;
    pictures.wait_for(|p| p.values[0].reading.value() == Some(10.0)).await.unwrap();
    let scanned = Instant::now();
    let keeping = tokio::spawn(async move {
        let run = || run_bus_with(Cursed, spec.clone(), clock.clone(), scans.clone(), status.clone(), stop.clone());
        keep("bus-a", run, &status, &core, &AtomicU32::new(0), &stop).await;
    });
    let mut told = Vec::new();
    while told.len() < 3 {
        let record = bench.records.recv().await.unwrap();
        match &record.event.kind {
            EventKind::DeviceState { code, .. } | EventKind::Notice { code, .. } => told.push(code.to_string()),
            _ => {}
        }
    }
    told.sort_unstable(); // the bus has said that it is up on a way of its own
    assert_eq!(told, ["link_down", "link_up", "task_panicked"]);
    let stale = |p: &Arc<Snapshot>| !p.buses[0].up && p.values[0].reading == Reading::Bad(Fault::Stale);
    tokio::time::timeout(PATIENCE, pictures.wait_for(stale)).await.unwrap().unwrap();
    assert!(scanned.elapsed() < Duration::from_secs(3), "a second, and the next picture");
    bench.end().await;
    keeping.await.unwrap();
}
