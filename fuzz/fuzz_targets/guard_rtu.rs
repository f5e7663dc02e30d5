//! The line guard's RTU framing against rmodbus; the comparison itself is shared with the unit tests.

#![no_main]

use devices::fuzzing::{Before, trial};
use libfuzzer_sys::fuzz_target;

#[path = "../../devices/src/guard/oracle.rs"]
mod oracle;

fuzz_target!(|input: &[u8]| oracle::compare(true, input));
