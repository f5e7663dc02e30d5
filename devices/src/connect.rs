//! How a link is opened: sockets with a deadline, serial ports exclusively.
//!
//! Owns [`Connect`], the seam through which tests and simulations put a stream of their own under a bus.

use crate::{Parity, Transport};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_serial::SerialPortBuilderExt as _;

const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

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
        Box::pin(async move {
            match &self.0 {
                Transport::Tcp { address } | Transport::RtuOverTcp { address } => socket(address).await,
                Transport::Rtu { path, baud, data_bits, parity, stop_bits } => {
                    serial(path, *baud, *data_bits, *parity, *stop_bits)
                }
            }
        })
    }
}

async fn socket(address: &str) -> io::Result<Box<dyn LinkStream>> {
    let stream = tokio::time::timeout(CONNECT_DEADLINE, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

fn serial(path: &str, baud: u32, data: u8, parity: Parity, stop: u8) -> io::Result<Box<dyn LinkStream>> {
    let port = tokio_serial::new(path, baud)
        .data_bits(if data == 7 { tokio_serial::DataBits::Seven } else { tokio_serial::DataBits::Eight })
        .parity(match parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(if stop == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One });
    let mut port = port.open_native_async()?;
    port.set_exclusive(true)?;
    Ok(Box::new(port))
}

/// Silence that ends an RTU frame: 3.5 characters of the real length, 1.75 ms above 19,200 baud.
pub(crate) fn frame_silence(transport: &Transport) -> Duration {
    match transport {
        Transport::Tcp { .. } => Duration::ZERO,
        Transport::RtuOverTcp { .. } => Duration::from_millis(5),
        Transport::Rtu { baud, .. } if *baud > 19_200 => Duration::from_micros(1_750),
        Transport::Rtu { baud, data_bits, parity, stop_bits, .. } => {
            let bits = 1 + u64::from(*data_bits) + u64::from(*parity != Parity::None) + u64::from(*stop_bits);
            Duration::from_micros(3_500_000 * bits / u64::from((*baud).max(1)))
        }
    }
}
