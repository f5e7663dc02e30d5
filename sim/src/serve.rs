//! The instruments on real transports: Modbus TCP on a socket, Modbus RTU on a pseudo-terminal.
//!
//! Owns the server tasks and their restart. Framing is tokio-modbus' own. Its RTU server takes a stream of any kind only in
//! its RTU-over-TCP form, so the pseudo-terminal is joined to one of those over loopback; a server that gives up on a bad
//! frame is then joined afresh and the path of the line stays the same.

use crate::fault::{Faults, FaultyStream, Framing};
use crate::pty::Pty;
use std::future::{Ready, ready};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::server::{Service, rtu_over_tcp, tcp};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_util::sync::CancellationToken;

/// An answer, silence, or an exception.
pub type Answer = Result<Option<Response>, ExceptionCode>;

/// What stands at the other end of a link: the instruments of a plant, or a relay module.
pub trait Unit: Clone + Send + Sync + 'static {
    fn answer(&self, unit: u8, request: &Request<'_>) -> Answer;
}

/// A unit as the server library wants it.
#[derive(Clone)]
struct Served<U>(U);

impl<U: Unit> Service for Served<U> {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Answer>;

    fn call(&self, SlaveRequest { slave, request }: Self::Request) -> Self::Future {
        ready(self.0.answer(slave, &request))
    }
}

const RESTART_AFTER: Duration = Duration::from_millis(200);
/// No frame of Modbus RTU is longer.
const LONGEST_FRAME: usize = 256;

/// A server of the library, by framing.
enum Server {
    Tcp(tcp::Server),
    Rtu(rtu_over_tcp::Server),
}

impl Server {
    /// Until it gives up, as on a frame that it cannot read.
    async fn serve(&self, instruments: &impl Unit) -> io::Result<()> {
        let accept = |stream: TcpStream, _peer| ready(Ok(Some((Served(instruments.clone()), stream))));
        match self {
            Self::Tcp(server) => server.serve(&accept, log_end).await,
            Self::Rtu(server) => server.serve(&accept, log_end).await,
        }
    }
}

async fn serve(
    address: SocketAddr,
    server: fn(TcpListener) -> Server,
    instruments: impl Unit,
    stop: CancellationToken,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let server = server(listener);
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        loop {
            if let Err(error) = server.serve(&instruments).await {
                tracing::warn!(%error, "a server of the simulator starts again");
            }
            tokio::time::sleep(RESTART_AFTER).await;
        }
    }));
    Ok(bound)
}

/// Serves `instruments` over Modbus TCP until `stop`; gives the address bound.
pub async fn serve_tcp(address: SocketAddr, instruments: impl Unit, stop: CancellationToken) -> io::Result<SocketAddr> {
    serve(address, |listener| Server::Tcp(tcp::Server::new(listener)), instruments, stop).await
}

/// Serves `instruments` as RTU frames over TCP, like a serial converter, until `stop`; gives the address bound.
pub async fn serve_rtu_over_tcp(
    address: SocketAddr,
    instruments: impl Unit,
    stop: CancellationToken,
) -> io::Result<SocketAddr> {
    serve(address, |listener| Server::Rtu(rtu_over_tcp::Server::new(listener)), instruments, stop).await
}

/// Serves `instruments` over Modbus RTU on a new pseudo-terminal until `stop`, with faults where there are any; gives the path
/// to open.
pub async fn serve_rtu_pty(
    instruments: impl Unit,
    faults: Option<Faults>,
    stop: CancellationToken,
) -> io::Result<PathBuf> {
    let pty = Pty::open()?;
    let path = pty.path().to_owned();
    let inner = serve_rtu_over_tcp((Ipv4Addr::LOCALHOST, 0).into(), instruments, stop.clone()).await?;
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        loop {
            if let Err(error) = join(&pty, inner, faults.as_ref()).await {
                tracing::warn!(%error, "serial line of the simulator is joined again");
            }
            tokio::time::sleep(RESTART_AFTER).await;
        }
    }));
    Ok(path)
}

fn log_end(error: io::Error) {
    tracing::debug!(%error, "a client of the simulator is gone");
}

/// Carries bytes between the line and one connection to the server, until the server ends it.
async fn join(pty: &Pty, server: SocketAddr, faults: Option<&Faults>) -> io::Result<()> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    match faults {
        None => carry(pty, stream).await,
        Some(faults) => carry(pty, FaultyStream::new(stream, Framing::Rtu, faults.clone())).await,
    }
}

async fn carry(pty: &Pty, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let (mut from_line, mut from_server) = ([0; LONGEST_FRAME], [0; LONGEST_FRAME]);
    let mut release = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            read = pty.read(&mut from_line) => stream.write_all(&from_line[..read?]).await?,
            read = stream.read(&mut from_server) => match read? {
                0 => return Ok(()),
                length => pty.write_paced(&from_server[..length]).await?,
            },
            _ = release.tick() => pty.release()?,
        }
    }
}
