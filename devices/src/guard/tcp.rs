//! Matching on Modbus TCP: transaction id, protocol id, unit, function and byte count.
//!
//! The guard numbers transactions itself, over the whole life of a connection: a client that is attached anew starts again at
//! 0 and would take a late answer for its own.
//!
//! An answer that a device cut short is filled up by whatever it sends next: a late answer then looks like values. What each late
//! answer begins with is known, unit, function and byte count included, so values rarely look like one by themselves:
//!
//! ```text
//!   begins like nothing owed           ─► the answer
//!   holds a late answer, ends with it  ─► asked once more; that late answer is not expected again, so equal values pass
//!   holds one that goes on behind it   ─► the next frame has lost its beginning: a fresh connection
//! ```

use super::{Expect, Verdict};
use crate::annunciator::Permit;
use crate::status::LinkCounters;
use std::collections::VecDeque;

const HEADER: usize = 7;
/// Of a late answer, to be seen inside another one: all of the header that is known without its unit.
const BEGINNING: usize = 6;
/// Where it goes on behind the answer: its number and a byte more; with the first byte behind it, what is left could begin a frame itself.
const BEGINNING_CUT: usize = 3;
/// Largest length field the standard allows: unit and a PDU of 253 bytes.
const MAX_LENGTH: usize = 254;
/// Old answers in a row after which a fresh connection is asked for: one and two are a slow device, three a queue.
const STALE_IN_A_ROW: u8 = 3;
/// Lost answers remembered: a minute of a link that answers nothing.
const OWED_MAX: usize = 64;

#[derive(Debug, Default)]
pub(super) struct TcpMatcher {
    permit: Permit,
    buf: Vec<u8>,
    last_id: u16,
    /// The client's id and what it waits for.
    pending: Option<(u16, Expect)>,
    /// What its answer begins with.
    asked: Option<Owed>,
    stale_in_a_row: u8,
    damaged: bool,
    /// Requests that were given up: their answers may still come.
    owed: VecDeque<Owed>,
}

/// What a late answer begins with.
#[derive(Clone, Copy, Debug)]
struct Owed {
    id: u16,
    unit: u8,
    function: u8,
}

impl Owed {
    /// True when its answer may begin with `bytes`, as far as they go.
    fn begins(self, bytes: &[u8]) -> bool {
        let [high, low] = self.id.to_be_bytes();
        let known = [high, low, 0, 0, 0];
        let shown = bytes.len().min(known.len());
        let is = |at: usize, fits: &dyn Fn(u8) -> bool| bytes.get(at).copied().is_none_or(fits);
        let length = bytes.get(5).copied().unwrap_or(0);
        // An exception is unit, function and code; a read says its count of bytes; a write repeats five.
        let whole = |n: u8| length == if self.function <= 4 { n.saturating_add(3) } else { 6 };
        let exception = is(7, &|f| f == self.function | 0x80) && is(5, &|n| n == 3);
        let good = is(7, &|f| f == self.function) && is(5, &|n| n > 3) && is(8, &whole);
        bytes[..shown] == known[..shown] && is(6, &|unit| unit == self.unit) && (exception || good)
    }
}

/// Another frame inside an answer.
enum Inside {
    /// Wholly, or as far as the answer goes and nothing behind it yet.
    Ends,
    GoesOn,
}

impl TcpMatcher {
    pub(super) fn with(permit: Permit) -> Self {
        Self { permit, ..Self::default() }
    }

    /// Renumbers a complete request; `None` when it is not one we may send.
    pub(super) fn begin(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let (header, pdu) = request.split_at_checked(HEADER)?;
        let expect = Expect::from_request(header[6], pdu, &self.permit)?;
        self.last_id = self.last_id.wrapping_add(1);
        self.asked = Some(Owed { id: self.last_id, unit: expect.unit, function: expect.function });
        self.pending = Some((u16::from_be_bytes([header[0], header[1]]), expect));
        self.damaged = false;
        let mut out = request.to_vec();
        out[..2].copy_from_slice(&self.last_id.to_be_bytes());
        Some(out)
    }

    /// Bytes kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.buf.len()
    }

    pub(super) fn abandon(&mut self) -> bool {
        if self.pending.take().is_some() {
            self.owed.truncate(OWED_MAX - 1);
            self.owed.extend(self.asked);
            self.owed.rotate_right(1);
        }
        std::mem::take(&mut self.damaged)
    }

    pub(super) fn feed(&mut self, bytes: &[u8], counters: &LinkCounters) -> Verdict {
        self.buf.extend_from_slice(bytes);
        let mut verdict = Verdict::Wait;
        while self.buf.len() >= HEADER {
            let protocol = u16::from_be_bytes([self.buf[2], self.buf[3]]);
            let length = usize::from(u16::from_be_bytes([self.buf[4], self.buf[5]]));
            if protocol != 0 || !(3..=MAX_LENGTH).contains(&length) {
                counters.noise.add(self.buf.len());
                self.buf.clear();
                return Verdict::Lost;
            }
            if self.buf.len() < 6 + length {
                break;
            }
            let frame: Vec<u8> = self.buf.drain(..6 + length).collect();
            match self.judge(frame, counters) {
                Verdict::Wait => {}
                // Repeats right behind the answer take nothing from it; one more of them ends the connection.
                Verdict::Renew if matches!(verdict, Verdict::Answer(_) | Verdict::Doubtful) => {}
                // Also when an answer was complete: its last bytes may be the first ones of the next frame.
                over @ (Verdict::Lost | Verdict::Renew) => {
                    self.buf.clear();
                    return over;
                }
                decided => verdict = decided,
            }
        }
        if matches!(verdict, Verdict::Answer(_) | Verdict::Doubtful) && !self.follows_whole() {
            counters.doubtful.one();
            return Verdict::Renew;
        }
        verdict
    }

    /// What lies behind an answer is the beginning of a late one, or of the same once more.
    fn follows_whole(&self) -> bool {
        let mut known = self.owed.iter().chain(&self.asked);
        self.buf.is_empty() || self.owed.is_empty() || known.any(|owed| owed.begins(&self.buf))
    }

    /// A late answer that `frame` may have swallowed; it is not expected any more.
    fn swallowed(&mut self, frame: &[u8]) -> Option<Inside> {
        if self.owed.is_empty() {
            return None;
        }
        let bytes = [&frame[HEADER..], &self.buf].concat();
        let within = frame.len() - HEADER;
        let goes_on = |from: usize| !self.buf.is_empty() && within - from < BEGINNING;
        let shows = |from: &usize| bytes.len() - from >= if goes_on(*from) { BEGINNING_CUT } else { BEGINNING };
        let found = |from: usize| Some((from, self.owed.iter().position(|owed| owed.begins(&bytes[from..]))?));
        let (from, index) = (0..within).filter(shows).find_map(found)?;
        let length = bytes.get(from + BEGINNING - 1).copied().unwrap_or(0);
        let reaches_over = bytes.len() > within && from + BEGINNING + usize::from(length) > within;
        let inside = if goes_on(from) || reaches_over { Inside::GoesOn } else { Inside::Ends };
        self.owed.remove(index);
        Some(inside)
    }

    fn judge(&mut self, mut frame: Vec<u8>, counters: &LinkCounters) -> Verdict {
        let id = u16::from_be_bytes([frame[0], frame[1]]);
        let Some((client_id, expect)) = self.pending.as_ref().filter(|_| id == self.last_id) else {
            counters.stale.one(); // it stays known: a device that repeats what it says may say it once more
            self.stale_in_a_row += 1;
            return if self.stale_in_a_row >= STALE_IN_A_ROW { Verdict::Renew } else { Verdict::Wait };
        };
        self.stale_in_a_row = 0;
        let exception = frame[7] == expect.function | 0x80;
        if frame[6] != expect.unit || !(exception || frame[7] == expect.function) {
            counters.foreign.one();
            self.damaged = true;
            return Verdict::Wait;
        }
        let whole = match expect.again {
            Some(again) => frame[HEADER + 1..] == again,
            None => frame.len() == HEADER + 2 + usize::from(expect.bytes) && frame[8] == expect.bytes,
        };
        if !(whole || exception && frame.len() == HEADER + 2) {
            counters.short.one();
            self.pending = None;
            return Verdict::Malformed;
        }
        frame[..2].copy_from_slice(&client_id.to_be_bytes());
        self.pending = None;
        let Some(inside) = self.swallowed(&frame) else { return Verdict::Answer(frame) };
        counters.doubtful.one();
        match inside {
            Inside::Ends => Verdict::Doubtful,
            Inside::GoesOn => Verdict::Renew,
        }
    }
}
