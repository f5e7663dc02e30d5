//! The line guard against `rmodbus`, which shares no line with it: a stream made from raw bytes or from whole, damaged, foreign and
//! repeated frames goes through the guard, and what comes out must be what the other implementation accepts. Some requests were given up
//! before: their answers come late, over TCP also in the place of the end of an answer that was cut short, or as values that look like them.
//! What that means on RTU is in [`rtu`].
//!
//! Used by the seeded tests and, by path, by the fuzz targets. The input is one byte string:
//!
//! ```text
//!   unit, function, address high and requests given up, address low, count, piece, then segments: kind, length or place, …
//! ```

#[path = "oracle/rtu.rs"]
mod rtu;

use super::{Before, trial};
use rmodbus::client::ModbusRequest;
use rmodbus::server::ModbusFrame;
use rmodbus::server::context::ModbusContext as _;
use rmodbus::server::storage::ModbusStorage;
use rmodbus::{ErrorKind, ModbusProto};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// More than the largest address and count that are asked for.
const SERVED: usize = 1_152;

type Store = ModbusStorage<SERVED, SERVED, SERVED, SERVED>;

const UNIT: u8 = 17;

/// What the other implementation's server serves; filled once, since a fuzzer asks it a thousand times a second.
static STORE: LazyLock<Box<Store>> = LazyLock::new(|| {
    let mut store = Box::new(Store::new());
    for n in 0..1_152 {
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
    let count = u16::from(count % 125) + 1;
    let piece = if piece >= 250 { usize::MAX } else { usize::from(piece % 40) + 1 };
    if rtu {
        rtu::compare(unit, function, [high, low], count, piece, segments);
        return;
    }
    let address = u16::from_be_bytes([high & 1, low]);
    let Some(question) = Question::of(false, unit, function, address, count) else { return };
    let late = late(unit, function, address, count, high >> 1 & 3);
    let given_up: Vec<_> = late.iter().map(|(request, _)| (request.clone(), Vec::new())).collect();
    let answers: Vec<&[u8]> = late.iter().map(|(_, answer)| answer.as_slice()).collect();
    let mut first: Option<Stream> = None;
    let before = Before { given_up: &given_up, drained: &[] };
    let outcome = trial(false, before, &question.request, piece, |sent| {
        let right = question.right(sent);
        if let Some(first) = &first {
            // Asked once more: the device gives the same values, and what was late has come.
            return [&right[..7], &first.honest[7..]].concat();
        }
        first.insert(Stream::of(segments, &right, &answers, sent)).bytes.clone()
    });
    let (Some(outcome), Some(stream)) = (outcome, first) else { panic!("refused: {:02X?}", question.request) };
    assert!(outcome.answers.len() <= 1, "more than one answer to one request");
    assert!(outcome.held <= 260 + 40, "{} bytes held", outcome.held);
    for answer in &outcome.answers {
        accepted(&question, answer);
        let right = piece < usize::MAX || !stream.only_cut || answer[7..] == stream.honest[7..];
        assert!(right, "values of another answer: {answer:02X?} for {:02X?}, {input:02X?}", stream.honest);
    }
    assert!(!stream.whole || outcome.answers.len() == 1, "a right answer was lost: {input:02X?}");
}

/// Requests that were given up before, numbered from 1, and their answers.
fn late(unit: u8, function: u8, address: u16, count: u16, requests: u8) -> Vec<(Vec<u8>, Vec<u8>)> {
    let one = |nth: u8| {
        let question =
            Question::of(false, unit, (function + nth) % 4 + 1, address, (count + 7 * u16::from(nth)) % 125 + 1)?;
        let sent = [&[0, nth + 1], &question.request[2..]].concat();
        let answer = question.right(&sent);
        Some((question.request, answer))
    };
    (0..requests).filter_map(one).collect()
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

/// What comes back over TCP, and what may be expected of it.
struct Stream {
    bytes: Vec<u8>,
    /// The answer that holds the values of the device.
    honest: Vec<u8>,
    /// That answer lies in it undamaged, with nothing before it that could hide it.
    whole: bool,
    /// Of what is ours, the last may be cut short; no byte is wrong otherwise.
    only_cut: bool,
}

impl Stream {
    fn of(mut segments: &[u8], right: &[u8], late: &[&[u8]], sent: &[u8]) -> Self {
        let mut stream = Self { bytes: Vec::new(), honest: right.to_vec(), whole: false, only_cut: true };
        let (mut clean, mut whole, mut cut, mut given, mut came) = (true, false, false, false, BTreeSet::new());
        while let [kind, place, rest @ ..] = segments {
            segments = rest;
            let place = usize::from(*place);
            match kind {
                248.. if !late.is_empty() => {
                    stream.bytes.extend_from_slice(late[place % late.len()]);
                    // One that came is not expected again, and the third ends the connection.
                    clean &= came.insert(place % late.len()) && came.len() < 3;
                    continue;
                }
                240.. if !late.is_empty() && segments.is_empty() && !cut && stream.honest.len() > 9 => {
                    paste(&mut stream.honest, late[place % late.len()], place);
                    stream.bytes.extend_from_slice(&stream.honest);
                    // An answer before it was the right one, and has gone up.
                    stream.only_cut &= !given;
                    whole |= clean;
                    continue;
                }
                _ => {}
            }
            stream.only_cut &= matches!(kind % 6, 1 | 3) && !cut;
            match kind % 6 {
                0 => {
                    let n = (place % 64).min(segments.len());
                    stream.bytes.extend_from_slice(&segments[..n]);
                    segments = &segments[n..];
                    clean = false;
                }
                1 => {
                    stream.bytes.extend_from_slice(right);
                    given = true;
                    whole |= clean && !right.is_empty();
                }
                2 => {
                    let mut frame = right.to_vec();
                    if let Some(byte) = frame.get_mut(place) {
                        *byte ^= 1 << (kind / 6 % 8);
                    }
                    stream.bytes.extend(frame);
                    clean = false;
                }
                3 => {
                    stream.bytes.extend_from_slice(&right[..place.min(right.len())]);
                    (clean, cut) = (false, true);
                }
                // Our own request is a frame with the right number and the wrong length.
                4 => {
                    stream.bytes.extend_from_slice(sent);
                    clean = false;
                }
                _ => {
                    let mut frame = right.to_vec();
                    frame.reverse();
                    stream.bytes.extend(frame);
                    clean = false;
                }
            }
        }
        // A stream that breaks in the same read takes the answer with it: its end may not be its own.
        stream.whole = whole && clean;
        stream
    }
}

/// Values that look like a late answer.
fn paste(honest: &mut [u8], late: &[u8], place: usize) {
    let data = &mut honest[9..];
    let from = place % data.len();
    data[from..].iter_mut().zip(late).for_each(|(value, byte)| *value = *byte);
}
