//! Faults on the wire: between a client and the instruments lies a [`FaultyStream`] that delays, drops, cuts short, damages,
//! repeats and foists answers, as a seed and a schedule say.
//!
//! ```text
//!   client ──request──► FaultyStream ──► instrument            each answer is one exchange; it suffers at most one fault:
//!   client ◄──late, damaged, foreign… ◄── answer               the first rule of the list whose turn it is
//! ```
//!
//! Owns which answer suffers what ([`Faults`], shared by all connections of a link) and the counters. What a damaged frame looks
//! like is in `frame`, when bytes come out in `stream`, the text form of a rule in `spec`, real sockets in `proxy`. Time is
//! tokio's, so that everything is the same again under paused time with the same seed.

mod frame;
mod proxy;
mod spec;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use frame::check_sum;
pub use proxy::serve_faulty_tcp;
pub use spec::BadRule;
pub use stream::FaultyStream;

use crate::prng::Prng;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Which frames a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Tcp,
    Rtu,
}

/// A time drawn anew for each exchange: `least` ≤ t ≤ `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    pub least: Duration,
    pub most: Duration,
}

impl Spread {
    /// Always the same time.
    #[must_use]
    pub const fn exactly(time: Duration) -> Self {
        Self { least: time, most: time }
    }

    fn draw(self, prng: &mut Prng) -> Duration {
        self.least + self.most.saturating_sub(self.least).mul_f64(prng.unit())
    }
}

/// What happens to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It comes later, but in time.
    Delay(Spread),
    /// It never comes.
    Drop,
    /// Only its beginning comes.
    Truncate,
    /// One to three bits are wrong: anywhere in an RTU frame, whose check sum shows it; in the header of a TCP frame only, since
    /// nothing in Modbus TCP protects a value (the check sum of TCP does).
    Corrupt,
    /// It comes after the client has given up, so into a later request. The same as a delay; counted apart.
    Late(Spread),
    /// It comes a second time, so much later.
    Duplicate(Spread),
    /// Before it comes a whole frame that answers something else: of another unit, or with an old transaction id.
    Foreign,
    /// Part of it comes, then the connection ends.
    Cut,
}

/// Which exchanges a rule is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Each with this probability, 0 to 1.
    Share(f64),
    /// Every n-th.
    Every(u64),
    /// Those from the first to the last number, counted from 1 over the life of the link.
    Numbers(u64, u64),
}

impl When {
    fn has(self, exchange: u64, prng: &mut Prng) -> bool {
        match self {
            // Drawn also when another rule was first: the course of the seed does not hang on the order of the rules.
            Self::Share(share) => prng.unit() < share,
            Self::Every(n) => exchange.is_multiple_of(n.max(1)),
            Self::Numbers(first, last) => (first..=last).contains(&exchange),
        }
    }
}

/// One line of the schedule. As text: `late=20%:700ms` (see `spec`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    pub fault: Fault,
    pub when: When,
}

/// How many answers passed and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    pub exchanges: u64,
    pub delayed: u64,
    pub dropped: u64,
    pub truncated: u64,
    pub corrupted: u64,
    pub late: u64,
    pub duplicated: u64,
    pub foreign: u64,
    pub cut: u64,
}

impl FaultCounts {
    /// Answers that did not pass untouched.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.delayed
            + self.dropped
            + self.truncated
            + self.corrupted
            + self.late
            + self.duplicated
            + self.foreign
            + self.cut
    }

    const fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::Delay(_) => &mut self.delayed,
            Fault::Drop => &mut self.dropped,
            Fault::Truncate => &mut self.truncated,
            Fault::Corrupt => &mut self.corrupted,
            Fault::Late(_) => &mut self.late,
            Fault::Duplicate(_) => &mut self.duplicated,
            Fault::Foreign => &mut self.foreign,
            Fault::Cut => &mut self.cut,
        } += 1;
    }
}

/// The schedule of one link, its course and its counters. Cheap to clone; clones share all of it.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    rules: Vec<Rule>,
    prng: Prng,
    counts: FaultCounts,
}

impl Faults {
    /// `seed` settles every draw.
    #[must_use]
    pub fn new(seed: u64, rules: Vec<Rule>) -> Self {
        Self(Arc::new(Mutex::new(State { rules, prng: Prng::new(seed), counts: FaultCounts::default() })))
    }

    /// Other rules from the next exchange on; none of them ends all faults.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        self.lock().rules = rules;
    }

    /// The counters so far.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next answer: pieces with the time until each comes out.
    fn treat(&self, framing: Framing, answer: Vec<u8>) -> Vec<(Duration, Piece)> {
        let State { rules, prng, counts } = &mut *self.lock();
        counts.exchanges += 1;
        let mut chosen = None;
        for rule in rules.iter() {
            if rule.when.has(counts.exchanges, prng) && chosen.is_none() {
                chosen = Some(rule.fault);
            }
        }
        let at_once = Duration::ZERO;
        let Some(fault) = chosen else { return vec![(at_once, Piece::Bytes(answer))] };
        counts.count(fault);
        match fault {
            Fault::Delay(time) | Fault::Late(time) => vec![(time.draw(prng), Piece::Bytes(answer))],
            Fault::Drop => Vec::new(),
            Fault::Truncate => vec![(at_once, Piece::Bytes(frame::truncated(answer, prng)))],
            Fault::Corrupt => vec![(at_once, Piece::Bytes(frame::corrupted(framing, answer, prng)))],
            Fault::Duplicate(time) => {
                vec![(at_once, Piece::Bytes(answer.clone())), (time.draw(prng), Piece::Bytes(answer))]
            }
            Fault::Foreign => {
                let foreign = frame::foreign(framing, &answer, prng);
                vec![(at_once, Piece::Bytes(foreign)), (at_once, Piece::Bytes(answer))]
            }
            Fault::Cut => vec![(at_once, Piece::Bytes(frame::truncated(answer, prng))), (at_once, Piece::End)],
        }
    }
}

/// What comes out of the stream next.
#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// The connection is over.
    End,
}
