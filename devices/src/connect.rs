//! How a link is opened: sockets with a deadline and a watch on the other end, serial ports in [`crate::serial`].
//!
//! Owns [`Connect`], the seam through which tests and simulations put a stream of their own under a bus, and the pace of a
//! line: the silence between frames, and how long one may be.

use crate::line::Pace;
use crate::{Parity, Transport, serial};
use rustix::net::sockopt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Name, SYN, and for TLS the handshake.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// A peer that has lost power says nothing: the kernel asks after so much silence, so often, so many times (about 10 s).
const KEEP_ALIVE_IDLE: Duration = Duration::from_secs(4);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEP_ALIVE_PROBES: u32 = 3;
/// A request that the peer's kernel has not taken after this long ends the connection.
const USER_TIMEOUT_MS: u32 = 6_000;

/// Anything a bus can run over.
pub trait LinkStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> LinkStream for T {}

/// A link being opened.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn LinkStream>>> + Send + 'a>>;

/// Opens a link, again and again.
pub trait Connect: Send {
    /// One attempt.
    fn connect(&mut self) -> Connecting<'_>;
}

/// The real thing.
#[derive(Clone, Debug)]
pub struct Wire(pub Transport);

impl Connect for Wire {
    fn connect(&mut self) -> Connecting<'_> {
        let open = async {
            match &self.0 {
                Transport::Tcp { address } | Transport::RtuOverTcp { address } => {
                    Ok(Box::new(socket(address).await?) as Box<dyn LinkStream>)
                }
                #[cfg(feature = "tls")]
                Transport::TcpTls { address, tls } => crate::tls::secure(socket(address).await?, address, tls).await,
                #[cfg(not(feature = "tls"))]
                Transport::TcpTls { .. } => Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "this program was built without Modbus/TCP Security",
                )),
                Transport::Rtu { path, baud, data_bits, parity, stop_bits, driver } => {
                    serial::open(path, *baud, *data_bits, *parity, *stop_bits, *driver)
                }
            }
        };
        Box::pin(async { tokio::time::timeout(CONNECT_DEADLINE, open).await? })
    }
}

async fn socket(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    watch(&stream)?;
    Ok(stream)
}

/// Lets the kernel find out by itself that the other end is gone.
fn watch(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEP_ALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(stream, KEEP_ALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, KEEP_ALIVE_PROBES)?;
    sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT_MS)?;
    Ok(())
}

/// Silence that ends an RTU frame: 3.5 characters of the real length, 1.75 ms above 19,200 baud.
pub(crate) fn frame_silence(transport: &Transport) -> Duration {
    match transport {
        Transport::Tcp { .. } | Transport::TcpTls { .. } => Duration::ZERO,
        Transport::RtuOverTcp { .. } => Duration::from_millis(5),
        Transport::Rtu { baud, .. } if *baud > 19_200 => Duration::from_micros(1_750),
        Transport::Rtu { .. } => character(transport) * 7 / 2,
    }
}

/// The longest frame is 256 bytes.
const LONGEST_FRAME_BYTES: u32 = 256;
/// Bytes of a frame come through a converter in pieces, so far apart at most.
const CONVERTER_PIECES: Duration = Duration::from_millis(100);

/// The pace of a line.
pub(crate) fn pace(transport: &Transport) -> Pace {
    let longest_frame = match transport {
        Transport::RtuOverTcp { .. } => CONVERTER_PIECES,
        _ => character(transport) * LONGEST_FRAME_BYTES,
    };
    Pace { silence: frame_silence(transport), longest_frame }
}

/// How long one character takes on the wire; nothing on a socket.
pub(crate) fn character(transport: &Transport) -> Duration {
    let Transport::Rtu { baud, data_bits, parity, stop_bits, .. } = transport else { return Duration::ZERO };
    let bits = 1 + u64::from(*data_bits) + u64::from(*parity != Parity::None) + u64::from(*stop_bits);
    Duration::from_micros(1_000_000 * bits / u64::from((*baud).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_socket_is_watched_by_the_kernel_and_sends_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = socket(&listener.local_addr().unwrap().to_string()).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), KEEP_ALIVE_IDLE);
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), USER_TIMEOUT_MS);
    }

    #[test]
    fn silence_follows_the_real_character() {
        let line = |baud, parity, stop_bits| Transport::Rtu {
            path: "x".into(),
            baud,
            data_bits: 8,
            parity,
            stop_bits,
            driver: crate::SerialDriver::default(),
        };
        assert_eq!(frame_silence(&line(9_600, Parity::None, 1)), Duration::from_nanos(3_643_500));
        assert_eq!(frame_silence(&line(9_600, Parity::Even, 1)), Duration::from_nanos(4_007_500));
        assert_eq!(frame_silence(&line(115_200, Parity::None, 1)), Duration::from_micros(1_750));
    }
}
