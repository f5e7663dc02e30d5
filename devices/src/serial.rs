//! Serial ports: opened for ourselves alone, set up as the line needs it.
//!
//! Owns the order of those steps. What the kernel's driver is asked for beyond termios is in [`crate::kernel`]. A port that
//! is pulled out shows as a read of 0 bytes or an error in the line guard, which ends the session; the bus then closes the
//! descriptor and opens the path again.

use crate::connect::LinkStream;
use crate::{Parity, SerialDriver, kernel};
use std::io;
use tokio_serial::SerialPortBuilderExt as _;

pub(crate) fn open(
    path: &str,
    baud: u32,
    data: u8,
    parity: Parity,
    stop: u8,
    driver: SerialDriver,
) -> io::Result<Box<dyn LinkStream>> {
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
    if let Some(rs485) = driver.rs485 {
        // Without it the transceiver would never send: better no link than a silent one.
        kernel::set_rs485(&port, rs485)
            .map_err(|e| io::Error::new(e.kind(), format!("the driver of {path} has no RS-485 mode: {e}")))?;
    }
    if driver.low_latency
        && let Err(error) = kernel::set_low_latency(&port)
    {
        tracing::warn!(path, %error, "the driver has no low-latency flag; answers may wait in the adapter");
    }
    Ok(Box::new(port))
}
