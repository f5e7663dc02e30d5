//! Matching on Modbus TCP: transaction id, protocol id, unit, function and byte count.
//!
//! The guard numbers transactions itself, over the whole life of a connection: a client that is attached anew starts again at
//! 0 and would take a late answer for its own.
//!
//! An answer that a device cut short is filled up by whatever it sends next: a late answer then looks like values. So while one is
//! owed, no answer is taken that holds its beginning, or with part of another frame behind it.

use super::{Expect, Verdict};
use crate::annunciator::Permit;
use crate::status::LinkCounters;
use std::collections::VecDeque;

const HEADER: usize = 7;
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
    stale_in_a_row: u8,
    damaged: bool,
    /// Ids of requests that were given up: their answers may still come.
    owed: VecDeque<u16>,
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
            self.owed.push_front(self.last_id);
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
                Verdict::Renew if matches!(verdict, Verdict::Answer(_)) => {}
                // Also when an answer was complete: its last bytes may be the first ones of the next frame.
                over @ (Verdict::Lost | Verdict::Renew) => return over,
                decided => verdict = decided,
            }
        }
        if matches!(verdict, Verdict::Answer(_)) && !self.buf.is_empty() && !self.owed.is_empty() {
            counters.short.one();
            return Verdict::Lost;
        }
        verdict
    }

    /// True when a frame holds the beginning of another one that is still owed.
    fn swallowed(&self, frame: &[u8]) -> bool {
        let begins = |head: &[u8]| {
            head[2..5] == [0, 0, 0] && head[5] >= 3 && self.owed.contains(&u16::from_be_bytes([head[0], head[1]]))
        };
        !self.owed.is_empty() && frame[HEADER..].windows(6).any(begins)
    }

    fn judge(&mut self, mut frame: Vec<u8>, counters: &LinkCounters) -> Verdict {
        let id = u16::from_be_bytes([frame[0], frame[1]]);
        let Some((client_id, expect)) = self.pending.as_ref().filter(|_| id == self.last_id) else {
            counters.stale.one();
            self.owed.retain(|owed| *owed != id);
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
        if self.swallowed(&frame) {
            counters.short.one();
            return Verdict::Lost;
        }
        frame[..2].copy_from_slice(&client_id.to_be_bytes());
        self.pending = None;
        Verdict::Answer(frame)
    }
}
