//! Where an answer ends, and how to damage one. Pure.

use super::Framing;
use crate::prng::Prng;

/// Unit, function and byte count follow the six bytes of transaction id, protocol id and length.
const TCP_LENGTH_ENDS: usize = 6;
/// Header of a TCP frame with function and byte count: what may be damaged without touching a value.
const TCP_HEADER: usize = 9;

/// Takes the next whole answer off the front of `buffer`. What is no frame at all passes as it came.
pub(super) fn next_answer(framing: Framing, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = match (framing, buffer.as_slice()) {
        (_, []) => return None,
        (Framing::Tcp, &[_, _, 0, 0, high, low, ..]) => TCP_LENGTH_ENDS + usize::from(u16::from_be_bytes([high, low])),
        (Framing::Tcp, rest) if rest.len() < TCP_LENGTH_ENDS => return None,
        (Framing::Rtu, &[_, 1..=4, bytes, ..]) => 5 + usize::from(bytes),
        (Framing::Rtu, &[_, 1..=4] | &[_]) => return None,
        (Framing::Rtu, &[_, 0x81..=0xFF, ..]) => 5,
        (_, other) => other.len(),
    };
    (buffer.len() >= length).then(|| buffer.drain(..length).collect())
}

/// The beginning of a frame: at least one byte, never all.
pub(super) fn truncated(mut answer: Vec<u8>, prng: &mut Prng) -> Vec<u8> {
    let keep = 1 + prng.below(answer.len().saturating_sub(1));
    answer.truncate(keep);
    answer
}

/// One to three different bits turned over: CRC-16 finds every such damage in a frame of this length.
pub(super) fn corrupted(framing: Framing, mut answer: Vec<u8>, prng: &mut Prng) -> Vec<u8> {
    let bits = 8 * match framing {
        Framing::Tcp => answer.len().min(TCP_HEADER),
        Framing::Rtu => answer.len(),
    };
    let mut turned = Vec::with_capacity(3);
    for _ in 0..1 + prng.below(3) {
        let bit = prng.below(bits);
        if !turned.contains(&bit) {
            answer[bit / 8] ^= 1 << (bit % 8);
            turned.push(bit);
        }
    }
    answer
}

/// A whole frame of the same shape that answers something else, with values no plant has.
pub(super) fn foreign(framing: Framing, answer: &[u8], prng: &mut Prng) -> Vec<u8> {
    let mut frame = answer.to_vec();
    let (unit_at, values, end) = match framing {
        Framing::Tcp => (TCP_LENGTH_ENDS, TCP_HEADER, frame.len()),
        Framing::Rtu => (0, 3, frame.len().saturating_sub(2)),
    };
    if let Some(values) = frame.get_mut(values..end) {
        values.iter_mut().zip([0xDE, 0xAD].into_iter().cycle()).for_each(|(byte, odd)| *byte = odd);
    }
    if framing == Framing::Tcp && prng.below(2) == 0 {
        let id = u16::from_be_bytes([frame[0], frame[1]]).wrapping_sub(1);
        frame[..2].copy_from_slice(&id.to_be_bytes());
    } else {
        frame[unit_at] = frame[unit_at] % 247 + 1;
    }
    if framing == Framing::Rtu {
        let sum = check_sum(&frame[..end]);
        frame[end..].copy_from_slice(&sum);
    }
    frame
}

/// CRC-16/MODBUS as it goes on the wire, low byte first.
pub(crate) fn check_sum(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0xFFFF_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1 == 1;
            crc >>= 1;
            if carry {
                crc ^= 0xA001;
            }
        }
    }
    crc.to_le_bytes()
}
