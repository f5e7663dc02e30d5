//! A pair of pseudo-terminals that stands for a serial line: the gateway opens the path, the simulator holds the other end.
//!
//! Owns the two descriptors and the pace of a 9600 baud line. Knows no Modbus.

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// Ten bits for each character at 9600 baud.
const CHARACTER: Duration = Duration::from_micros(1_042);

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
        termios.set_speed(9600)?;
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

    /// Writes all bytes at the pace of the line.
    pub(crate) async fn write_paced(&self, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(8) {
            let characters = u32::try_from(chunk.len()).unwrap_or(1);
            tokio::time::sleep(CHARACTER * characters).await;
            self.write_all(chunk).await?;
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

#[allow(
    deprecated,
    reason = "the successor is unsafe; an OwnedFd is moved in and never changed, which is all it asks for"
)]
fn register(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(master)
}
