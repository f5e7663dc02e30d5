//! Exchanges one after the other, their bytes side by side: no allocation for each, and a copy is two blocks of memory.
//!
//! Owns the layout and what it costs. Leaves to `ring` how many are kept and to `incident` which are copied.

use super::{Dropped, KEPT_BYTES, Verdict};
use std::collections::{VecDeque, vec_deque};
use tokio::time::Instant;

/// A block grows by so many exchanges or bytes, not to twice its size: fifty links would hold it for nothing.
const EXCHANGES_STEP: usize = 32;
const BYTES_STEP: usize = 4 << 10;

/// One exchange without its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) number: u64,
    pub(super) begun: Instant,
    /// Bytes that went out, and those kept of what came in.
    pub(super) asked: u16,
    came: u16,
    /// Bytes beyond what is kept.
    more: u32,
    /// Microseconds from the request to the first and to the last byte that came in; 0 while none has.
    first_us: u32,
    last_us: u32,
    pub(super) unit: Option<u8>,
    pub(super) verdict: Verdict,
    dropped: Thrown,
}

/// [`Dropped`] in what one exchange can need of it.
#[derive(Clone, Copy, Debug, Default)]
struct Thrown {
    crc: u16,
    foreign: u16,
    stale: u16,
    echo: u16,
    noise: u32,
}

/// An exchange with its bytes: what went out, then what came in.
#[derive(Clone, Debug)]
pub(super) struct Kept<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) bytes: vec_deque::Iter<'a, u8>,
}

/// A run of exchanges, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    exchanges: VecDeque<Exchange>,
    bytes: VecDeque<u8>,
}

impl Exchange {
    pub(super) fn asked(number: u64, unit: Option<u8>, request: &[u8]) -> Self {
        Self {
            number,
            begun: Instant::now(),
            asked: u16::try_from(request.len()).expect("a request is at most 260 bytes"),
            came: 0,
            more: 0,
            first_us: 0,
            last_us: 0,
            unit,
            verdict: Verdict::None,
            dropped: Thrown::default(),
        }
    }

    /// From the request to the first and to the last byte that came in.
    pub(super) fn heard_us(&self) -> Option<(u32, u32)> {
        (self.came > 0).then_some((self.first_us, self.last_us))
    }

    pub(super) fn more(&self) -> u32 {
        self.more
    }

    pub(super) fn dropped(&self) -> Dropped {
        let Thrown { crc, foreign, stale, echo, noise } = self.dropped;
        Dropped {
            crc: crc.into(),
            foreign: foreign.into(),
            stale: stale.into(),
            echo: echo.into(),
            noise: noise.into(),
        }
    }

    pub(super) fn end(&mut self, verdict: Verdict, dropped: Dropped) {
        let frames = |count: u64| u16::try_from(count).unwrap_or(u16::MAX);
        self.verdict = verdict;
        self.dropped = Thrown {
            crc: frames(dropped.crc),
            foreign: frames(dropped.foreign),
            stale: frames(dropped.stale),
            echo: frames(dropped.echo),
            noise: u32::try_from(dropped.noise).unwrap_or(u32::MAX),
        };
    }

    fn len(&self) -> usize {
        usize::from(self.asked) + usize::from(self.came)
    }

    /// Bytes of memory it takes with its frames.
    pub(super) fn cost(&self) -> usize {
        size_of::<Self>() + self.len()
    }
}

impl Frames {
    pub(super) fn len(&self) -> usize {
        self.exchanges.len()
    }

    pub(super) fn first(&self) -> Option<&Exchange> {
        self.exchanges.front()
    }

    pub(super) fn last(&self) -> Option<&Exchange> {
        self.exchanges.back()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Exchange> {
        self.exchanges.back_mut()
    }

    /// Bytes of memory that what is here takes.
    pub(super) fn cost(&self) -> usize {
        self.exchanges.len() * size_of::<Exchange>() + self.bytes.len()
    }

    /// Bytes that are allocated, also for what is to come.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.exchanges.capacity() * size_of::<Exchange>() + self.bytes.capacity()
    }

    /// `bytes` are those of the exchange.
    pub(super) fn push<'b>(&mut self, exchange: Exchange, bytes: impl IntoIterator<Item = &'b u8>) {
        if self.exchanges.len() == self.exchanges.capacity() {
            self.exchanges.reserve_exact(EXCHANGES_STEP);
        }
        self.reserve(exchange.len());
        self.exchanges.push_back(exchange);
        self.bytes.extend(bytes);
    }

    fn reserve(&mut self, more: usize) {
        if self.bytes.capacity() - self.bytes.len() < more {
            self.bytes.reserve_exact(BYTES_STEP.max(more));
        }
    }

    pub(super) fn pop_front(&mut self) {
        if let Some(oldest) = self.exchanges.pop_front() {
            self.bytes.drain(..oldest.len());
        }
    }

    /// Bytes came in for the newest.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let Some(newest) = self.exchanges.back_mut() else { return };
        let us = u32::try_from(newest.begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        if newest.came == 0 {
            newest.first_us = us;
        }
        newest.last_us = us;
        let room = KEPT_BYTES.saturating_sub(newest.came.into()).min(bytes.len());
        newest.came += u16::try_from(room).expect("it is at most KEPT_BYTES");
        newest.more = newest.more.saturating_add(u32::try_from(bytes.len() - room).unwrap_or(u32::MAX));
        self.reserve(room);
        self.bytes.extend(&bytes[..room]);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Kept<'_>> {
        let mut from = 0;
        self.exchanges.iter().map(move |exchange| {
            let bytes = self.bytes.range(from..from + exchange.len());
            from += exchange.len();
            Kept { exchange, bytes }
        })
    }

    /// Number of the oldest exchange from which on all that are `wanted` are no more than `most` and fit into so many bytes.
    pub(super) fn reach(&self, most: usize, bytes: usize, wanted: impl Fn(&Exchange) -> bool) -> u64 {
        let (mut room, mut oldest) = (bytes, u64::MAX);
        for exchange in self.exchanges.iter().rev().filter(|e| wanted(e)).take(most) {
            let Some(left) = room.checked_sub(exchange.cost()) else { break };
            (room, oldest) = (left, exchange.number);
        }
        oldest
    }
}

/// In the order of their numbers; of two with the same number the first is taken.
impl<'a> FromIterator<Kept<'a>> for Frames {
    fn from_iter<I: IntoIterator<Item = Kept<'a>>>(kept: I) -> Self {
        let mut kept: Vec<Kept<'a>> = kept.into_iter().collect();
        kept.sort_by_key(|k| k.exchange.number);
        kept.dedup_by_key(|k| k.exchange.number);
        let mut frames = Self::default();
        frames.exchanges.reserve_exact(kept.len());
        frames.bytes.reserve_exact(kept.iter().map(|k| k.bytes.len()).sum());
        kept.into_iter().for_each(|k| frames.push(*k.exchange, k.bytes));
        frames
    }
}
