//! The line guard against `rmodbus`, which shares no line with it: a stream made from raw bytes or from whole, damaged, foreign and
//! repeated frames goes through the guard, and what comes out must be what the other implementation accepts.
//!
//! Used by the seeded tests and, by path, by the fuzz targets. The input is one byte string:
//!
//! ```text
//!   unit, function, address high, address low, count, piece, then segments: kind, length or place, …
//! ```

use super::trial;
use rmodbus::client::ModbusRequest;
use rmodbus::server::ModbusFrame;
use rmodbus::server::context::ModbusContext as _;
use rmodbus::server::storage::ModbusStorage;
use rmodbus::{ErrorKind, ModbusProto};
use std::sync::LazyLock;

type Store = ModbusStorage<512, 512, 512, 512>;

const UNIT: u8 = 17;

/// What the other implementation's server serves; filled once, since a fuzzer asks it a thousand times a second.
static STORE: LazyLock<Box<Store>> = LazyLock::new(|| {
    let mut store = Box::new(Store::new());
    for n in 0..512 {
        store.set_holding(n, n.wrapping_mul(257)).expect("inside the store");
        store.set_input(n, !n).expect("inside the store");
        store.set_coil(n, n % 3 == 0).expect("inside the store");
    }
    store
});

/// A question both implementations make for themselves.
struct Question {
    client: ModbusRequest,
    request: Vec<u8>,
    proto: ModbusProto,
    unit: u8,
}

impl Question {
    fn of(rtu: bool, unit: u8, function: u8, address: u16, count: u16) -> Option<Self> {
        let proto = if rtu { ModbusProto::Rtu } else { ModbusProto::TcpUdp };
        // The guard numbers its first transaction 1.
        let mut client = if rtu { ModbusRequest::new(unit, proto) } else { ModbusRequest::new_tcp_udp(unit, 1) };
        let mut request = Vec::new();
        let made = match function {
            1 => client.generate_get_coils(address, count, &mut request),
            2 => client.generate_get_discretes(address, count, &mut request),
            3 => client.generate_get_holdings(address, count, &mut request),
            _ => client.generate_get_inputs(address, count, &mut request),
        };
        made.ok()?;
        Some(Self { client, request, proto, unit })
    }

    /// The answer of rmodbus' server to what went out.
    fn right(&self, sent: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut frame = ModbusFrame::new(self.unit, sent, self.proto, &mut answer);
        if frame.parse().is_err() {
            return Vec::new();
        }
        if frame.processing_required {
            let _ = frame.process_read(&**STORE);
        }
        if frame.response_required {
            let _ = frame.finalize_response();
        }
        answer
    }
}

/// One input through both; panics where they disagree.
pub(crate) fn compare(rtu: bool, input: &[u8]) {
    let &[unit, function, high, low, count, piece, ref segments @ ..] = input else { return };
    let (unit, function) = (if unit == 0 { UNIT } else { unit }, function % 4 + 1);
    let (address, count) = (u16::from_be_bytes([high & 1, low]), u16::from(count % 125) + 1);
    let Some(question) = Question::of(rtu, unit, function, address, count) else { return };
    let mut whole = false;
    let outcome = trial(rtu, &question.request, usize::from(piece % 40) + 1, |sent| {
        let right = question.right(sent);
        let (stream, clean) = assemble(segments, sent, &right);
        whole = clean;
        stream
    });
    let Some(outcome) = outcome else { panic!("the guard refuses a read: {:02X?}", question.request) };
    assert!(outcome.answers.len() <= 1, "more than one answer to one request");
    assert!(outcome.held <= if rtu { 2 * 256 } else { 260 + 40 }, "{} bytes held", outcome.held);
    for answer in &outcome.answers {
        accepted(&question, answer);
    }
    assert!(!whole || outcome.answers.len() == 1, "a right answer was lost: {input:02X?}");
}

/// What goes up must be what the other implementation takes for the answer.
fn accepted(question: &Question, answer: &[u8]) {
    let function = answer[if question.proto == ModbusProto::Rtu { 1 } else { 7 }];
    match question.client.parse_ok(answer) {
        Ok(()) => assert!(function & 0x80 == 0, "taken for an exception: {answer:02X?}"),
        Err(ErrorKind::FrameBroken | ErrorKind::FrameCRCError) => panic!("not an answer: {answer:02X?}"),
        Err(_) => assert!(function & 0x80 != 0, "taken for a value: {answer:02X?}"),
    }
}

/// A stream from segments; true when a right answer lies in it undamaged, with nothing before it that could hide it.
fn assemble(mut segments: &[u8], sent: &[u8], right: &[u8]) -> (Vec<u8>, bool) {
    let (mut stream, mut clean, mut whole) = (Vec::new(), true, false);
    while let [kind, place, rest @ ..] = segments {
        segments = rest;
        let place = usize::from(*place);
        match kind % 6 {
            0 => {
                let n = (place % 64).min(segments.len());
                stream.extend_from_slice(&segments[..n]);
                segments = &segments[n..];
                clean = false;
            }
            1 => {
                stream.extend_from_slice(right);
                whole |= clean && !right.is_empty();
            }
            2 => {
                let mut frame = right.to_vec();
                if let Some(byte) = frame.get_mut(place) {
                    *byte ^= 1 << (kind / 6 % 8);
                }
                stream.extend(frame);
                clean = false;
            }
            3 => {
                stream.extend_from_slice(&right[..place.min(right.len())]);
                clean = false;
            }
            // On RTU an adapter's echo is dropped; over TCP our own request is a frame with the right number and the wrong length.
            4 => {
                stream.extend_from_slice(sent);
                clean &= sent.len() == 8;
            }
            _ => {
                let mut frame = right.to_vec();
                frame.reverse();
                stream.extend(frame);
                clean = false;
            }
        }
    }
    // Over TCP a stream that breaks in the same read takes the answer with it: its end may not be its own.
    (stream, whole && (clean || sent.len() == 8))
}
