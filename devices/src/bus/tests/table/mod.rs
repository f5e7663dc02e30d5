//! The table of faults (what happens on the wire, and what it must lead to), row by row, on real sockets, inside TLS and on pseudo-terminals, in
//! real time.
//!
//! Owns the scripted peer: one script, played over any wire. Every register says where it comes from, as in the other tests.

mod answers;
mod many;
mod plug;
mod sockets;
mod time;

use super::*;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Which wire a row is played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Socket,
    #[cfg(feature = "tls")]
    Tls,
    Terminal,
}

/// What carries numbered frames.
const SOCKETS: &[On] = &[
    On::Socket,
    #[cfg(feature = "tls")]
    On::Tls,
];

/// Plays a row on every wire at a time.
async fn on_every_wire<F: Future<Output = ()> + Send + 'static>(row: impl Fn(On) -> F) {
    on_each(SOCKETS.iter().copied().chain([On::Terminal]), row).await;
}

/// Plays a row on every socket at a time.
async fn on_every_socket<F: Future<Output = ()> + Send + 'static>(row: impl Fn(On) -> F) {
    on_each(SOCKETS.iter().copied(), row).await;
}

async fn on_each<F: Future<Output = ()> + Send + 'static>(wires: impl Iterator<Item = On>, row: impl Fn(On) -> F) {
    let mut rows: JoinSet<()> = wires.map(row).collect();
    while let Some(played) = rows.join_next().await {
        played.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
    }
}
const PERIOD: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_millis(150);

/// Far end of a pseudo-terminal.
pub(crate) struct Master {
    fd: AsyncFd<OwnedFd>,
    pub(crate) path: String,
}

impl Master {
    pub(crate) fn open() -> Self {
        let (master, path) = pseudo_terminal();
        let near = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut termios = tcgetattr(&near).unwrap();
        termios.make_raw();
        tcsetattr(&near, OptionalActions::Now, &termios).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        // The near end stays open for ever: else reading fails while the bus has not opened it yet.
        std::mem::forget(near);
        Self::over(master, path)
    }
    #[allow(deprecated, reason = "the successor is unsafe; an OwnedFd is moved in and never changed")]
    fn over(master: OwnedFd, path: String) -> Self {
        Self { fd: AsyncFd::new(master).unwrap(), path }
    }
}

impl AsyncRead for Master {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.fd.poll_read_ready(cx))?;
            let read = guard.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), buf.initialize_unfilled())?));
            if let Ok(read) = read {
                buf.advance(read?);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Master {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.fd.poll_write_ready(cx))?;
            if let Ok(written) = guard.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?)) {
                return Poll::Ready(written);
            }
        }
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The far end of one connection.
struct Far {
    wire: Box<dyn LinkStream>,
    /// The socket itself, to be treated as the wire inside it cannot be.
    socket: OwnedFd,
}

impl AsyncRead for Far {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(cx, buf)
    }
}

impl AsyncWrite for Far {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

/// Where a peer on a socket is connected to.
struct Listener {
    on: On,
    listener: TcpListener,
}

impl Listener {
    /// With the way to it.
    async fn on(on: On) -> (Self, Transport) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let transport = match on {
            #[cfg(feature = "tls")]
            On::Tls => super::tls::way_to(address),
            _ => Transport::Tcp { address },
        };
        (Self { on, listener }, transport)
    }

    /// The next connection, hands shaken where the wire asks for it.
    async fn accept(&mut self) -> Far {
        let (stream, _) = self.listener.accept().await.unwrap();
        let socket = stream.as_fd().try_clone_to_owned().unwrap();
        let wire: Box<dyn LinkStream> = match self.on {
            #[cfg(feature = "tls")]
            On::Tls => match super::tls::acceptor("device").accept(stream).await {
                Ok(wire) => Box::new(wire),
                Err(_) => Box::new(tokio::io::empty()), // a gateway that was stopped
            },
            _ => Box::new(stream),
        };
        Far { wire, socket }
    }
}

/// Sends what `script` makes of each request until the other end closes; `nth` counts from 1 over all connections.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    mut wire: S,
    on: On,
    nth: &mut u32,
    script: &mut impl FnMut(&Asked, u32) -> Vec<u8>,
) -> S {
    loop {
        let asked = match on {
            On::Terminal => asked_rtu(&mut wire).await,
            _ => asked_tcp(&mut wire).await,
        };
        let Some(asked) = asked else { return wire };
        *nth += 1;
        // what a wire keeps back until it is told goes out with the answer
        let said = wire.write_all(&script(&asked, *nth)).await.is_ok() && wire.flush().await.is_ok();
        if !said {
            return wire;
        }
    }
}

/// Starts a peer that plays `script` on every connection; gives the way to it.
async fn peer(on: On, mut script: impl FnMut(&Asked, u32) -> Vec<u8> + Send + 'static) -> Transport {
    let mut nth = 0;
    if on != On::Terminal {
        let (mut listener, transport) = Listener::on(on).await;
        tokio::spawn(async move {
            loop {
                drop(play(listener.accept().await, on, &mut nth, &mut script).await);
            }
        });
        return transport;
    }
    let master = Master::open();
    let path = master.path.clone();
    tokio::spawn(async move { play(master, on, &mut nth, &mut script).await });
    serial(&path, 9_600)
}

/// A frame for `asked` with this PDU, in the form of the wire.
fn framed(on: On, asked: &Asked, pdu: &[u8]) -> Vec<u8> {
    match on {
        On::Terminal => frame_rtu(asked.unit, pdu),
        _ => frame_tcp(asked, pdu),
    }
}

fn right(on: On, asked: &Asked) -> Vec<u8> {
    framed(on, asked, &data(asked))
}

/// A bus over the real connectors, with a short period and time-out.
fn start(transport: Transport, units: &[u8], profile: &str) -> Rig {
    start_with(transport, units, profile, Arc::new(Virtual(Instant::now())))
}

fn start_with(transport: Transport, units: &[u8], profile: &str, clock: Arc<dyn Clock>) -> Rig {
    let spec = quick(spec(transport, units, profile));
    let status = Arc::new(BusStatus::new(&spec));
    let points = points_of(&spec);
    let (out, messages) = mpsc::channel(1024);
    let stop = CancellationToken::new();
    tokio::spawn(crate::run_bus(spec, clock, out, status.clone(), stop.clone()));
    Rig { messages, connections: mpsc::channel(1).1, status, stop, points, parts: BTreeMap::new() }
}

fn quick(mut spec: BusSpec) -> BusSpec {
    spec.timeout = TIMEOUT;
    for point in spec.devices.iter_mut().flat_map(|d| Arc::make_mut(&mut d.points)) {
        point.period = PERIOD;
    }
    spec
}

/// Scans until `done`; fails after ten seconds.
async fn until(rig: &mut Rig, mut done: impl FnMut(&Scan) -> bool) -> Scan {
    let wait = async {
        loop {
            let scan = rig.scan().await;
            if done(&scan) {
                return scan;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap()
}
