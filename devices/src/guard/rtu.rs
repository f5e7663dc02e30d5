//! Matching on RTU: unit, function, expected byte count and check sum, at any offset of what the line delivers.
//!
//! Never waits for a length that noise made up: the length is known from the request. The answer to a write is the same frame as its request; on an
//! adapter that hears itself the first copy is the echo. Whether one does is known from the reads.

use super::{Expect, Verdict};
use crate::annunciator::Permit;
use crate::status::LinkCounters;

/// Longest frame of the standard; nothing older is kept.
const LONGEST: usize = 256;
const REQUEST: usize = 8;

#[derive(Debug, Default)]
pub(super) struct RtuMatcher {
    permit: Permit,
    buf: Vec<u8>,
    pending: Option<(Expect, Vec<u8>)>,
    /// The exchange before this one ended without its answer: what comes may be that one's.
    owed: bool,
    /// The echo of the request under way was heard.
    echoed: bool,
    /// Those of the reads are; none as long as nobody knows.
    hears_itself: Option<bool>,
}

impl RtuMatcher {
    pub(super) fn with(permit: Permit) -> Self {
        Self { permit, ..Self::default() }
    }

    pub(super) fn begin(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let expect =
            (request.len() == REQUEST).then(|| Expect::from_request(request[0], &request[1..6], &self.permit))??;
        self.buf.clear();
        self.echoed = false;
        self.pending = Some((expect, request.to_vec()));
        Some(request.to_vec())
    }

    /// The line is quiet: what nobody waited for is whole now.
    pub(super) fn quiet(&mut self, counters: &LinkCounters) {
        if self.pending.is_none() {
            sort_out(&std::mem::take(&mut self.buf), None, counters);
        }
    }

    /// Bytes kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.buf.len()
    }

    /// Ends the exchange and counts what is left; true when an answer came but was damaged.
    pub(super) fn abandon(&mut self, counters: &LinkCounters) -> bool {
        let expect = self.pending.take().map(|(e, _)| e);
        let left = std::mem::take(&mut self.buf);
        // A whole wait has shown what follows a frame that may be the beginning of an echo: the echo, or nothing.
        let read = expect.as_ref().filter(|e| e.again.is_none() && self.hears_itself.is_none());
        if read.is_some_and(|read| self.echoed || find(&left, read, None).is_some()) {
            self.hears_itself = Some(self.echoed);
        }
        let Some(expect) = expect else { return sort_out(&left, None, counters) };
        let damaged = left.windows(3).any(|w| w == expect.head());
        if damaged {
            counters.crc.one();
        }
        // Whole and of the right kind, but of another length, and no earlier answer is outstanding: the device got it wrong.
        let other_length = (0..left.len()).any(|from| of_another_length(&left[from..], &expect));
        let wrong_length = other_length && !self.owed;
        self.owed = true;
        if wrong_length {
            counters.short.one();
            return true;
        }
        // The whole frame of another unit is no damage of this answer.
        sort_out(&left, None, counters);
        damaged || other_length
    }

    pub(super) fn feed(&mut self, bytes: &[u8], counters: &LinkCounters) -> Verdict {
        let Some((expect, request)) = &self.pending else {
            // A real port gives a frame in pieces: what it was is seen when the line is quiet.
            self.buf.extend_from_slice(bytes);
            if self.buf.len() > 2 * LONGEST {
                self.quiet(counters);
            }
            return Verdict::Wait;
        };
        self.buf.extend_from_slice(bytes);
        // The echo goes first: three bytes of bits could make it look like an answer. Of a write one copy at most is an echo.
        let may_be_echo = expect.again.is_none() || (self.hears_itself == Some(true) && !self.echoed);
        while let Some(at) = self.buf.windows(REQUEST).position(|w| w == request).filter(|_| may_be_echo) {
            self.buf.drain(at..at + REQUEST);
            self.echoed = true;
            counters.echo.one();
            if expect.again.is_some() {
                break;
            }
        }
        let echo_may_come = self.hears_itself.is_none_or(|hears| hears && !self.echoed);
        if let Some((from, len)) = find(&self.buf, expect, echo_may_come.then_some(request)) {
            let frame = self.buf[from..from + len].to_vec();
            sort_out(&self.buf[..from], Some(expect.unit), counters);
            sort_out(&self.buf[from + len..], Some(expect.unit), counters);
            if expect.again.is_none() {
                self.hears_itself = Some(self.echoed);
            }
            self.buf.clear();
            self.pending = None;
            self.owed = false;
            return Verdict::Answer(frame);
        }
        let surplus = self.buf.len().saturating_sub(2 * LONGEST);
        if surplus > 0 {
            counters.noise.add(surplus);
            self.buf.drain(..surplus);
        }
        Verdict::Wait
    }
}

/// Offset and length of the awaited answer; what `echo` begins with is none.
fn find(buf: &[u8], expect: &Expect, echo: Option<&Vec<u8>>) -> Option<(usize, usize)> {
    (0..buf.len()).find_map(|from| {
        let rest = &buf[from..];
        let len = match rest {
            [unit, function, bytes, ..] if [*unit, *function, *bytes] == expect.head() => match expect.again {
                Some(again) if rest.get(2..6) != Some(&again[..]) => return None,
                Some(_) => REQUEST,
                None => 5 + usize::from(*bytes),
            },
            // makers have codes of their own
            [unit, function, code, ..] if (*unit, *function) == (expect.unit, expect.function | 0x80) && *code != 0 => {
                5
            }
            _ => return None,
        };
        let frame = rest.get(..len)?;
        // An echo comes in pieces, and the check sum of one request in 256 at 0x02xx lets its first seven bytes pass for an answer.
        let of_the_echo = len < REQUEST && echo.is_some_and(|echo| echo.starts_with(frame));
        (!of_the_echo && intact(frame)).then_some((from, len))
    })
}

/// A whole answer of the unit and function asked, with another number of bytes.
fn of_another_length(rest: &[u8], expect: &Expect) -> bool {
    let &[unit, function, bytes, ..] = rest else { return false };
    expect.again.is_none()
        && (unit, function) == (expect.unit, expect.function)
        && bytes != expect.bytes
        && rest.get(..5 + usize::from(bytes)).is_some_and(intact)
}

/// Length of the whole frame at the front, whoever sent it: an answer to a read, an exception, a request of another master, a
/// broadcast or a write.
fn frame_length(rest: &[u8]) -> Option<usize> {
    let lengths = match rest {
        [_, 1..=4, bytes, ..] => [5 + usize::from(*bytes), REQUEST],
        [_, 5 | 6, ..] => [REQUEST, REQUEST],
        [_, 15 | 16, _, _, _, _, bytes, ..] => [REQUEST, 9 + usize::from(*bytes)],
        [_, 0x81..=0x90, ..] => [5, 5],
        _ => return None,
    };
    lengths.into_iter().find(|len| rest.get(..*len).is_some_and(intact))
}

/// Counts the frames and the noise in bytes nobody waits for; true when a whole answer to a read was among them.
fn sort_out(mut rest: &[u8], asked: Option<u8>, counters: &LinkCounters) -> bool {
    let mut answers = false;
    let mut noise = 0;
    while !rest.is_empty() {
        if let Some(len) = frame_length(rest) {
            // Nobody answers a broadcast, and a request of another master is not an answer either.
            let an_answer = rest[0] != 0 && matches!(rest[1], 1..=4 | 0x81..=0x84) && (len != REQUEST || rest[2] == 3);
            match asked {
                Some(unit) if unit != rest[0] => counters.foreign.one(),
                _ if !an_answer => counters.foreign.one(),
                _ => counters.stale.one(),
            }
            answers |= an_answer;
            rest = &rest[len..];
        } else {
            noise += 1;
            rest = &rest[1..];
        }
    }
    counters.noise.add(noise);
    answers
}

/// True when the last two bytes are the check sum of the others.
fn intact(frame: &[u8]) -> bool {
    let Some((body, sum)) = frame.split_last_chunk::<2>() else { return false };
    crc(body).to_le_bytes() == *sum
}

/// CRC-16/MODBUS. By table, since a line full of noise asks for it at every byte.
pub(crate) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc: u16, byte| crc >> 8 ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

/// What each low byte does to the sum.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte: u16 = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 };
            bit += 1;
        }
        table[byte as usize] = sum;
        byte += 1;
    }
    table
};
