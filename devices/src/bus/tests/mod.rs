//! A whole bus over an in-memory wire and virtual time, with peers that misbehave as scripted.
//!
//! Every register of the scripted device says where it comes from: `unit * 1000 + address`.

mod course;
mod fair;
mod faults;
mod fresh;
mod given;
mod parts;
mod periods;
mod refused;
mod rtu;
mod schedule;
mod scheduler;
pub(crate) mod table;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod told;
mod wire;

use crate::connect::{Connect, Connecting, LinkStream};
use crate::status::BusStatus;
use crate::{BusMessage, BusSpec, Scan, Transport, run_bus_with};
pub(crate) use given::serial;
pub(super) use given::{ONE, TWO, rtu, spec, tcp};
use given::{profile_of, pseudo_terminal, words_at};
use rules::{Clock, Fault, Mono, Now, Reading, Wall};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Virtual time as the product's clock.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Now {
        let nanos = u64::try_from(self.0.elapsed().as_nanos()).unwrap();
        Now { mono: Mono(nanos), wall: Wall::default() }
    }
}

/// Hands the far end of each new connection to the peer; refuses when the peer is gone.
struct Pipe(mpsc::Sender<DuplexStream>);

impl Connect for Pipe {
    fn connect(&mut self) -> Connecting<'_> {
        Box::pin(async move {
            let (near, far) = tokio::io::duplex(4096);
            self.0.send(far).await.map_err(|_| std::io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(near) as Box<dyn LinkStream>)
        })
    }
}

struct Rig {
    messages: mpsc::Receiver<BusMessage>,
    connections: mpsc::Receiver<DuplexStream>,
    status: Arc<BusStatus>,
    stop: CancellationToken,
    /// Points of each device, and what of its cycle has come.
    points: Vec<usize>,
    parts: BTreeMap<usize, Scan>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Rig {
    /// A bus with one device per unit, each with one point per field of `profile`, asked every second, time-out 400 ms.
    fn start(transport: Transport, units: &[u8], profile: &str) -> Self {
        Self::start_over(Pipe, transport, units, profile)
    }
    /// As [`Rig::start`], over a connector made from the sender of connections.
    fn start_over<C: Connect + 'static>(
        connector: impl FnOnce(mpsc::Sender<DuplexStream>) -> C,
        transport: Transport,
        units: &[u8],
        profile: &str,
    ) -> Self {
        Self::start_spec(connector, spec(transport, units, profile))
    }
    /// As [`Rig::start_over`], for any bus.
    fn start_spec<C: Connect + 'static>(
        connector: impl FnOnce(mpsc::Sender<DuplexStream>) -> C,
        spec: BusSpec,
    ) -> Self {
        let status = Arc::new(BusStatus::new(&spec));
        Self::start_with(connector, spec, status)
    }
    /// As [`Rig::start_spec`], with the counters of a run before this one.
    fn start_with<C: Connect + 'static>(
        connector: impl FnOnce(mpsc::Sender<DuplexStream>) -> C,
        spec: BusSpec,
        status: Arc<BusStatus>,
    ) -> Self {
        let points = points_of(&spec);
        let (out, messages) = mpsc::channel(1024);
        let (offer, connections) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let clock = Arc::new(Virtual(Instant::now()));
        tokio::spawn(run_bus_with(connector(offer), spec, clock, out, status.clone(), stop.clone()));
        Self { messages, connections, status, stop, points, parts: BTreeMap::new() }
    }
    /// Takes what is published and looks at none of it.
    fn drain(&mut self) {
        let mut messages = std::mem::replace(&mut self.messages, mpsc::channel(1).1);
        tokio::spawn(async move { while messages.recv().await.is_some() {} });
    }
    /// As it comes: the points that one answer completed.
    async fn part(&mut self) -> Scan {
        loop {
            if let BusMessage::Scan(scan) = self.messages.recv().await.unwrap() {
                return scan;
            }
        }
    }
    /// A whole cycle of a device all of whose points have one period; each point is in it once, or this panics.
    async fn scan(&mut self) -> Scan {
        loop {
            let part = self.part().await;
            let index = part.device.index();
            let cycle = self.parts.entry(index).or_insert_with(|| Scan { samples: Vec::new(), ..part.clone() });
            (cycle.at, cycle.answered) = (part.at, cycle.answered | part.answered);
            for sample in part.samples {
                let told = cycle.samples.iter().any(|s| s.point == sample.point);
                assert!(!told, "{:?} twice in a cycle: {cycle:?}", sample.point);
                cycle.samples.push(sample);
            }
            if cycle.samples.len() == self.points[index] {
                let mut cycle = self.parts.remove(&index).unwrap();
                cycle.samples.sort_by_key(|s| s.point.index());
                return cycle;
            }
        }
    }
    async fn state(&mut self) -> (String, &'static str) {
        loop {
            if let BusMessage::State { subject, code, .. } = self.messages.recv().await.unwrap() {
                return (subject, code);
            }
        }
    }
}

fn points_of(spec: &BusSpec) -> Vec<usize> {
    spec.devices.iter().map(|d| d.points.len()).collect()
}

/// What one register of the scripted device holds.
pub(crate) fn origin(unit: u8, address: u16) -> u16 {
    u16::from(unit) * 1000 + address
}

/// A request as the peer sees it, whatever the framing.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    head: Vec<u8>,
    pub(crate) unit: u8,
    pub(crate) function: u8,
    pub(crate) address: u16,
    pub(crate) count: u16,
}

/// Answers with what `answer` makes of each request, after 5 ms and on every connection there will be; `None` is silence.
fn serve_as(rig: &mut Rig, mut answer: impl FnMut(&Asked) -> Option<Vec<u8>> + Send + 'static) {
    let mut connections = std::mem::replace(&mut rig.connections, mpsc::channel(1).1);
    tokio::spawn(async move {
        while let Some(mut wire) = connections.recv().await {
            while let Some(asked) = asked_tcp(&mut wire).await {
                let Some(pdu) = answer(&asked) else { continue };
                tokio::time::sleep(Duration::from_millis(5)).await;
                if wire.write_all(&frame_tcp(&asked, &pdu)).await.is_err() {
                    break;
                }
            }
        }
    });
}

async fn asked_tcp(wire: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut b = [0; 12];
    wire.read_exact(&mut b).await.ok()?;
    Some(Asked { head: b[..2].to_vec(), unit: b[6], function: b[7], address: be(b[8], b[9]), count: be(b[10], b[11]) })
}

pub(crate) async fn asked_rtu(wire: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut b = [0; 8];
    wire.read_exact(&mut b).await.ok()?;
    Some(Asked { head: b.to_vec(), unit: b[0], function: b[1], address: be(b[2], b[3]), count: be(b[4], b[5]) })
}

fn be(hi: u8, lo: u8) -> u16 {
    u16::from_be_bytes([hi, lo])
}

/// The PDU of the right answer.
pub(crate) fn data(asked: &Asked) -> Vec<u8> {
    let words = (asked.address..asked.address + asked.count).flat_map(|a| origin(asked.unit, a).to_be_bytes());
    let mut pdu = vec![asked.function, u8::try_from(asked.count * 2).unwrap()];
    pdu.extend(words);
    pdu
}

fn frame_tcp(asked: &Asked, pdu: &[u8]) -> Vec<u8> {
    let mut frame = asked.head.clone();
    frame.extend([0, 0, 0, u8::try_from(pdu.len() + 1).unwrap(), asked.unit]);
    frame.extend(pdu);
    frame
}

pub(crate) fn frame_rtu(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(pdu);
    let sum = crate::guard::crc(&frame);
    frame.extend(sum.to_le_bytes());
    frame
}

/// The values of a scan; panics when one is bad.
fn values(scan: &Scan) -> Vec<f64> {
    scan.samples.iter().map(|s| s.reading.value().unwrap_or_else(|| panic!("{:?}", s.reading))).collect()
}

/// Every value of every scan must come from the register it is bound to, or be bad; returns how many were good.
fn good_and_right(scan: &Scan, unit: u8, addresses: &[u16]) -> usize {
    let mut good = 0;
    for (sample, address) in scan.samples.iter().zip(addresses) {
        if let Some(value) = sample.reading.value() {
            assert!((value - f64::from(origin(unit, *address))).abs() < f64::EPSILON, "{value} at address {address}");
            good += 1;
        }
    }
    good
}

fn bad(fault: Fault) -> Reading {
    Reading::Bad(fault)
}
