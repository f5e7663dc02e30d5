//! A pair of pseudo-terminals that stands for a serial line: the gateway opens the path, the simulator holds the other end.
//!
//! Owns the two descriptors and the pace of the line: a pseudo-terminal carries bytes at once, whatever rate was set on it, so
//! this end waits for each as long as a wire of that rate would take. Knows no Modbus.

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ControlModes, OptionalActions, Termios, ioctl_tiocnxcl, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// The rate before anybody has set one, and for a line that was hung up (rate 0).
const USUAL_BAUD: u32 = 9_600;
/// Written at once: what a UART with a small buffer hands over.
const BURST: usize = 8;

/// The simulator's end of a serial line.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
    /// Kept open, so that reading does not fail while nobody else has the line open.
    slave: OwnedFd,
    path: PathBuf,
}

impl Pty {
    /// Opens a pair in raw mode. Needs a running tokio runtime.
    pub fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let slave = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut termios = tcgetattr(&slave)?;
        termios.make_raw();
        termios.set_speed(USUAL_BAUD)?;
        tcsetattr(&slave, OptionalActions::Now, &termios)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let path = PathBuf::from(name.to_string_lossy().into_owned());
        Ok(Self { master: register(master)?, slave, path })
    }

    /// What the gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go of the exclusive use a former client had claimed: since this end stays open, the kernel would keep it.
    pub(crate) fn release(&self) -> io::Result<()> {
        Ok(ioctl_tiocnxcl(&self.slave)?)
    }

    /// Reads what the other end has written; waits for at least one byte.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.readable().await?;
            match ready.try_io(|fd| Ok(rustix::io::read(fd, &mut *buffer)?)) {
                Ok(result) => return result,
                Err(_would_block) => {}
            }
        }
    }

    /// How long one character takes at the rate and form that the other end has set.
    fn character(&self) -> io::Result<Duration> {
        let termios = tcgetattr(&self.slave)?;
        let baud = Some(termios.output_speed()).filter(|baud| *baud > 0).unwrap_or(USUAL_BAUD);
        Ok(Duration::from_secs(1) * bits(&termios) / baud)
    }

    /// Writes all bytes at the pace of the line.
    pub(crate) async fn write_paced(&self, bytes: &[u8]) -> io::Result<()> {
        let (begun, character) = (Instant::now(), self.character()?);
        let mut written = 0;
        for burst in bytes.chunks(BURST) {
            written += u32::try_from(burst.len()).expect("a burst is short");
            // Counted from the beginning: the runtime rounds each wait up to a millisecond, which must not add up.
            tokio::time::sleep_until(begun + character * written).await;
            self.write_all(burst).await?;
        }
        Ok(())
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.master.writable().await?;
            match ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?)) {
                Ok(written) => bytes = &bytes[written?..],
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}

/// Bits of one character: start, eight of data, one or two stop bits. A Linux pseudo-terminal keeps eight data bits without
/// parity whatever it is asked for, so the time of a parity bit cannot be known here.
fn bits(termios: &Termios) -> u32 {
    if termios.control_modes.contains(ControlModes::CSTOPB) { 11 } else { 10 }
}

#[allow(
    deprecated,
    reason = "the successor is unsafe; an OwnedFd is moved in and never changed, which is all it asks for"
)]
fn register(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(master)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens the line as a gateway would and sets it.
    fn set(pty: &Pty, baud: u32, form: impl Fn(&mut Termios)) -> OwnedFd {
        let line =
            rustix::fs::open(pty.path(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut termios = tcgetattr(&line).unwrap();
        termios.set_speed(baud).unwrap();
        form(&mut termios);
        tcsetattr(&line, OptionalActions::Now, &termios).unwrap();
        line
    }

    /// In virtual time, so that nothing but the pace is counted.
    async fn milliseconds_for(pty: &Pty, bytes: usize) -> u128 {
        let begun = Instant::now();
        pty.write_paced(&vec![0x55; bytes]).await.unwrap();
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_take_as_long_as_the_rate_that_the_other_end_has_set_says() {
        let pty = Pty::open().unwrap();
        for (baud, milliseconds) in [(9_600, 250), (115_200, 21), (1_200, 2_000)] {
            let _line = set(&pty, baud, |_| {});
            assert_eq!(milliseconds_for(&pty, 240).await, milliseconds, "240 characters of 10 bits at {baud} baud");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_stop_bit_takes_its_time_too() {
        let pty = Pty::open().unwrap();
        let _line = set(&pty, 9_600, |termios| termios.control_modes |= ControlModes::CSTOPB);
        assert_eq!(milliseconds_for(&pty, 240).await, 275, "240 characters of 11 bits");
    }

    #[tokio::test]
    async fn a_line_that_nobody_has_set_is_a_9600_baud_line() {
        assert_eq!(Pty::open().unwrap().character().unwrap(), Duration::from_secs(10) / 9_600);
    }
}
