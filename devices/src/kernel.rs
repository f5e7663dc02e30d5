//! The three questions to the kernel that no safe API asks: a serial driver's RS-485 mode and low-latency flag, and how far the wall clock can be wrong.
//!
//! The only module of the product with `unsafe`. Two calls are one ioctl each on a descriptor that lives as long as the call, with a
//! buffer of ours that is at least as large as what the kernel reads or writes. Layouts are those of `<linux/serial.h>`:
//!
//! ```text
//!   struct serial_rs485   32 bytes   u32 flags, u32 delay before send (ms), u32 delay after send (ms), 20 bytes of zero
//!   struct serial_struct  ≤ 72 bytes int type, line; unsigned port; int irq, flags; … only `flags`, the fifth word, is ours
//! ```
//!
//! The third is adjtimex(2) with `modes` 0, which reads and sets nothing; its struct is libc's. What follows from the answer is left to
//! `gateway::clock`, the only one who asks.

#![allow(unsafe_code, reason = "calls without a safe wrapper; see the text above")]

use crate::Rs485;
use rustix::fd::BorrowedFd;
use rustix::ioctl::{Opcode, Setter, Updater, ioctl};
use std::io;
use std::os::fd::AsRawFd;

// The same numbers on x86, ARM and RISC-V (asm-generic/ioctls.h).
const TIOCGSERIAL: Opcode = 0x541E;
const TIOCSSERIAL: Opcode = 0x541F;
const TIOCSRS485: Opcode = 0x542F;

const SER_RS485_ENABLED: u32 = 1;
const SER_RS485_RTS_ON_SEND: u32 = 1 << 1;
const SER_RS485_RTS_AFTER_SEND: u32 = 1 << 2;
const ASYNC_LOW_LATENCY: u32 = 1 << 13;

/// `struct serial_rs485` as words.
fn rs485_words(rs485: Rs485) -> [u32; 8] {
    let level = if rs485.rts_high_on_send { SER_RS485_RTS_ON_SEND } else { SER_RS485_RTS_AFTER_SEND };
    [SER_RS485_ENABLED | level, rs485.delay_before_send_ms, rs485.delay_after_send_ms, 0, 0, 0, 0, 0]
}

/// Lets the UART switch the transceiver.
pub(crate) fn set_rs485(port: &impl AsRawFd, rs485: Rs485) -> io::Result<()> {
    // SAFETY: `port` keeps the descriptor open; TIOCSRS485 reads a `struct serial_rs485` of 32 bytes, which we pass.
    unsafe {
        let fd = BorrowedFd::borrow_raw(port.as_raw_fd());
        Ok(ioctl(fd, Setter::<TIOCSRS485, [u32; 8]>::new(rs485_words(rs485)))?)
    }
}

/// Asks the driver to hand on what comes in at once.
pub(crate) fn set_low_latency(port: &impl AsRawFd) -> io::Result<()> {
    // Twice what any architecture's `struct serial_struct` takes.
    let mut words = [0u32; 36];
    // SAFETY: `port` keeps the descriptor open; the kernel writes and then reads at most 72 of our 144 bytes.
    unsafe {
        let fd = BorrowedFd::borrow_raw(port.as_raw_fd());
        ioctl(fd, Updater::<TIOCGSERIAL, [u32; 36]>::new(&mut words))?;
        words[4] |= ASYNC_LOW_LATENCY;
        Ok(ioctl(fd, Setter::<TIOCSSERIAL, [u32; 36]>::new(words))?)
    }
}

/// What the kernel says of the wall clock (adjtimex(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDiscipline {
    /// A time service sets the clock and has not been silent for too long: `STA_UNSYNC` is not set.
    pub synchronised: bool,
    /// How far the clock can be wrong at most, in µs: `maxerror` and what is still to be slewed away. The time service sets the first; the
    /// kernel lets it grow by half a millisecond a second, and at 16 s the clock is no longer synchronised. chrony and ntpd count the
    /// distance to the source of time in it, systemd-timesyncd begins at 0 with each answer.
    pub max_error_us: u64,
}

/// Asks how the wall clock is disciplined; refused where a sandbox forbids the question.
///
/// # Errors
/// The kernel's, as it is.
pub fn clock_discipline() -> io::Result<ClockDiscipline> {
    // SAFETY: `timex` is plain numbers, for which all zeros are valid; the kernel writes that struct and nothing else. With `modes` 0 it sets nothing.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    let synchronised = timex.status & libc::STA_UNSYNC == 0;
    // What is still to be slewed away is not in `maxerror` where the service does not put it there (systemd-timesyncd).
    let offset_us = timex.offset.saturating_abs() / if timex.status & libc::STA_NANO == 0 { 1 } else { 1000 };
    let max_error_us = u64::try_from(timex.maxerror.saturating_add(offset_us)).unwrap_or(0);
    Ok(ClockDiscipline { synchronised, max_error_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_how_far_the_clock_can_be_wrong_or_refuses() {
        // What it says is the machine's; that the struct is read at its places shows in the bound that the kernel keeps: 16 s, and half a second to slew.
        match clock_discipline() {
            Ok(said) => assert!(said.max_error_us <= 17_000_000, "{said:?}"),
            Err(error) => {
                assert!(matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported), "{error}")
            }
        }
    }

    #[test]
    fn rs485_words_are_those_of_the_kernel_header() {
        let rs485 = Rs485 { rts_high_on_send: true, delay_before_send_ms: 1, delay_after_send_ms: 2 };
        assert_eq!(rs485_words(rs485), [0b011, 1, 2, 0, 0, 0, 0, 0]);
        assert_eq!(rs485_words(Rs485 { rts_high_on_send: false, ..rs485 })[0], 0b101);
    }

    #[test]
    fn a_file_that_is_no_serial_port_refuses_both() {
        let file = tempfile::tempfile().unwrap();
        let rs485 = Rs485 { rts_high_on_send: true, delay_before_send_ms: 0, delay_after_send_ms: 0 };
        assert!(set_rs485(&file, rs485).is_err());
        assert!(set_low_latency(&file).is_err());
    }
}
