//! What a request costs on a bus: time, linear in the bytes of the answer.
//!
//! ```text
//!   RTU   (8 + 5 + data) characters × character time + silence before the request + turnaround of the unit
//!   TCP   one round trip + work at both ends + the time the device takes for a register more
//! ```

use super::Span;
use crate::{Parity, Transport};
use std::time::Duration;

/// A request of 8 characters; unit, function, byte count and check sum around the data of an answer.
const RTU_CHARACTERS: u32 = 8 + 5;
/// Header and PDU of a request; header, function and byte count of an answer.
const TCP_BYTES: u32 = 12 + 9;
/// A converter tells nothing of the line behind it; most lines behind converters run at this rate.
const ASSUMED_BAUD: u32 = 9_600;
/// What one more register costs a device on TCP: small beside any round trip, yet no hole is read for nothing.
const TCP_BYTE: Duration = Duration::from_micros(2);
/// What a request costs at least, however near the device: work at both ends. Dearer than any hole within one request.
const TCP_REQUEST: Duration = Duration::from_millis(1);
/// Until measured: slaves of 9600 baud lines answer in 5 to 50 ms.
const USUAL_RTU_TURNAROUND: Duration = Duration::from_millis(20);
/// Until measured: a switch and a controller that looks once in its cycle.
const USUAL_ROUND_TRIP: Duration = Duration::from_millis(5);

/// The cost model of one unit on one bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    per_request: Duration,
    per_byte: Duration,
    turnaround: Duration,
}

impl Cost {
    /// On `transport`, for a unit that wants `silence` before a request and takes `turnaround` to answer (`None`: not yet
    /// measured).
    #[must_use]
    pub fn on(transport: &Transport, silence: Duration, turnaround: Option<Duration>) -> Self {
        match character_time(transport) {
            None => Self {
                per_request: TCP_REQUEST,
                per_byte: TCP_BYTE,
                turnaround: turnaround.unwrap_or(USUAL_ROUND_TRIP),
            },
            Some(character) => Self {
                per_request: character * RTU_CHARACTERS + silence.max(crate::connect::frame_silence(transport)),
                per_byte: character,
                turnaround: turnaround.unwrap_or(USUAL_RTU_TURNAROUND),
            },
        }
    }

    /// What stands for a round trip until one is measured; on a socket it is nearly all that a request costs.
    #[must_use]
    pub fn assumed_round_trip(transport: &Transport) -> Option<Duration> {
        character_time(transport).is_none().then_some(USUAL_ROUND_TRIP)
    }

    /// Time that the bus is taken by one exchange.
    #[must_use]
    pub fn of(&self, span: Span) -> Duration {
        self.wire(span) + self.turnaround
    }

    /// As [`Cost::of`], without the unit's turnaround: what the bytes and the silence alone take.
    #[must_use]
    pub fn wire(&self, span: Span) -> Duration {
        self.per_request + self.per_byte * data_bytes(span)
    }

    /// The turnaround it reckons with.
    #[must_use]
    pub fn turnaround(&self) -> Duration {
        self.turnaround
    }
}

fn data_bytes(span: Span) -> u32 {
    u32::from(span.shape().1)
}

/// Bytes of request and answer together.
#[must_use]
pub fn wire_bytes(transport: &Transport, span: Span) -> u32 {
    data_bytes(span) + if character_time(transport).is_none() { TCP_BYTES } else { RTU_CHARACTERS }
}

/// Time of one character of the real length; `None` where bytes take no time worth counting.
fn character_time(transport: &Transport) -> Option<Duration> {
    let (bits, baud) = match transport {
        Transport::Tcp { .. } | Transport::TcpTls { .. } => return None,
        Transport::RtuOverTcp { .. } => (10, ASSUMED_BAUD),
        Transport::Rtu { baud, data_bits, parity, stop_bits, .. } => {
            (1 + u32::from(*data_bits) + u32::from(*parity != Parity::None) + u32::from(*stop_bits), *baud)
        }
    };
    Some(Duration::from_nanos(u64::from(bits) * 1_000_000_000 / u64::from(baud.max(1))))
}
