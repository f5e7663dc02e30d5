//! How many registers each request of a unit asks for, so that no answer fits two of them.
//!
//! Nothing in RTU tells the answer to one read from that to another of the same unit, function and length: a late or repeated one would
//! be taken for whatever is asked then. So each *shape* (function and length of the answer) belongs to one request of the unit, and a
//! request whose own shape is taken asks for some registers more. The line guard then drops an answer to anything else, however late. A
//! request for bits at 0x0300 … 0x03FF is, to the byte, an answer of three bytes: its echo comes as late as any answer, so it owns that shape too.
//! Not told apart: the first seven bytes of the late echo of a request at 0x02xx (of bits also six at 0x01xx), where its check sum lets them pass, one in 256.
//!
//! ```text
//!   shape free ─► asked as it is      taken ─► asked for 1 … 8 registers more
//!   more of them refused twice, or never answered ─► asked as it is from now on: a twin
//! ```
//! Of twins nothing can be told by shape. What is left is time ([`super::unit`] keeps them apart after a lost answer) and contents: a
//! frame that the line repeats equals a twin's last answer and not the request's own, so such an answer is asked for again; for a while
//! after a lost answer any changed one is.
//!
//! An exception says not even the length: one alone may be a late one, of another request. So it is asked for twice before a length is given up.
//!
//! Pure. TCP needs none of it: its frames carry a number.

use crate::Transport;
use crate::plan::{Bounds, Span};
use std::time::Duration;
use tokio::time::Instant;

/// Registers asked for beyond what is needed: 16 characters, about as many as a request and the frame of its answer take.
const MOST_MORE: u16 = 8;
/// A shape belongs to its request so long after it was last asked: longer than a converter or modem holds bytes back.
const KEPT: Duration = Duration::from_secs(600);
/// More registers, once refused, are not asked for again before: a firmware rarely changes.
const REFUSED_FOR: Duration = Duration::from_secs(3_600);
/// Refusals remembered: more than a unit has requests.
const REFUSALS: usize = 256;
/// Misses in a row after which the length is suspected: with the third the unit would be dead.
pub(crate) const MISSES: u32 = 2;

/// What is known of one request.
#[derive(Clone, Debug)]
struct Known {
    /// What is needed.
    need: Span,
    /// What was asked for.
    asked: Span,
    at: Instant,
    /// Answered at least once as asked.
    proven: bool,
    /// The last answer.
    words: Vec<u16>,
}

/// A request that is not to be asked for more than it needs.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    need: Span,
    /// `None` when that is over and the longer request is tried again.
    until: Option<Instant>,
    /// Not refused, but never answered.
    silent: bool,
}

/// The shapes of one unit's requests.
#[derive(Debug)]
pub(crate) struct Shapes {
    /// Frames carry a number: there is nothing to be kept apart.
    numbered: bool,
    bounds: Bounds,
    known: Vec<Known>,
    refusals: Vec<Refusal>,
    /// The answer to the present request that was not believed.
    first: Option<Vec<u16>>,
    /// The present request, when it was refused once for its length.
    refused_once: Option<Span>,
}

impl Shapes {
    pub(crate) fn new(transport: &Transport, bounds: Bounds) -> Self {
        let numbered = matches!(transport, Transport::Tcp { .. } | Transport::TcpTls { .. });
        Self { numbered, bounds, known: Vec::new(), refusals: Vec::new(), first: None, refused_once: None }
    }

    /// True when every frame carries a number.
    pub(crate) fn are_numbered(&self) -> bool {
        self.numbered
    }

    /// What to ask for where `need` is needed.
    pub(crate) fn ask(&mut self, need: Span, now: Instant) -> Span {
        if self.numbered {
            return need;
        }
        self.known.retain(|k| now.saturating_duration_since(k.at) < KEPT);
        let over = |r: &&mut Refusal| r.need == need && r.until.is_some_and(|until| until <= now);
        if let Some(refusal) = self.refusals.iter_mut().find(over) {
            refusal.until = None;
            self.known.retain(|k| k.need != need);
        }
        if let Some(known) = self.known.iter_mut().find(|k| k.need == need) {
            known.at = now;
            return known.asked;
        }
        let plain_only = self.refusals.iter().any(|r| r.need == need && r.until.is_some());
        let asked = (0..=if plain_only { 0 } else { MOST_MORE })
            .filter_map(|more| longer(need, more, self.bounds))
            .find(|span| self.owners(*span).next().is_none())
            .unwrap_or(need);
        if let Some(taken) = echo_shape(asked) {
            self.known.retain(|k| k.asked.shape() != taken); // whose that was is asked for more from now on
        }
        self.known.push(Known { need, asked, at: now, proven: false, words: Vec::new() });
        asked
    }

    /// Other requests with whose answers, or echoes, `asked`'s could be confused.
    fn owners(&self, asked: Span) -> impl Iterator<Item = &Known> {
        let shape = asked.shape();
        let owns = move |k: &Span| k.shape() == shape || echo_shape(*k) == Some(shape);
        self.known.iter().filter(move |k| owns(&k.asked) && k.asked != asked)
    }

    /// True when some requests cannot be told apart.
    pub(crate) fn has_twins(&self) -> bool {
        self.known.iter().any(|k| self.owners(k.asked).next().is_some())
    }

    /// The device answered `need` with exception `code`: whether that is about what was asked beyond it.
    pub(crate) fn refused(&mut self, need: Span, code: u8, now: Instant) -> Refused {
        let once = self.refused_once.take();
        let longer = self.known.iter().find(|k| k.need == need && k.asked != need);
        // 2 and 3 are about addresses and lengths; of a length never answered any refusal is.
        if !longer.is_some_and(|k| matches!(code, 2 | 3) || !k.proven) {
            return Refused::Needed;
        }
        if once != Some(need) {
            self.refused_once = Some(need);
            return Refused::Perhaps;
        }
        self.give_up(need, false, now);
        Refused::Longer
    }

    /// `need` was not answered, `misses` times in a row. Some devices are silent, or answer in another length, where others refuse: as
    /// long as nothing was ever answered, the other length is tried.
    pub(crate) fn silent(&mut self, need: Span, misses: u32, now: Instant) {
        let Some(known) = self.known.iter().find(|k| k.need == need && !k.proven) else { return };
        let silent_before = self.refusals.iter().any(|r| r.need == need && r.silent);
        if known.asked != need {
            if misses >= MISSES || silent_before {
                self.give_up(need, true, now);
            }
        } else if silent_before {
            // So is the short one: it was not the length.
            self.refusals.retain(|r| r.need != need);
            self.known.retain(|k| k.need != need);
        }
    }

    fn give_up(&mut self, need: Span, silent: bool, now: Instant) {
        for known in self.known.iter_mut().filter(|k| k.need == need) {
            (known.asked, known.proven) = (need, false);
        }
        self.refusals.retain(|r| r.need != need);
        self.refusals.truncate(REFUSALS - 1);
        self.refusals.insert(0, Refusal { need, until: Some(now + REFUSED_FOR), silent });
    }

    /// The present request is over without an answer.
    pub(crate) fn forget_first(&mut self) {
        (self.first, self.refused_once) = (None, None);
    }

    /// An answer came; `lately` tells that an answer of this unit was lost not long ago.
    pub(crate) fn believe(&mut self, need: Span, words: &[u16], lately: bool) -> Belief {
        let first = self.first.take();
        self.refused_once = None;
        let Some(at) = self.known.iter().position(|k| k.need == need) else { return Belief::Yes };
        let known = &self.known[at];
        let twins = || self.owners(known.asked);
        let like_a_twins = twins().any(|twin| twin.words == words);
        let suspect = known.words != words && (like_a_twins || lately && twins().next().is_some());
        let belief = match first {
            None if suspect => {
                self.first = Some(words.to_vec());
                return Belief::Again;
            }
            Some(first) if suspect && first != words => Belief::Doubtful,
            _ => Belief::Yes,
        };
        self.known[at].proven = true;
        self.known[at].words = words.to_vec();
        belief
    }
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// What is needed itself.
    Needed,
    /// The length, or it was the late refusal of another request: to be asked for once more.
    Perhaps,
    /// The length: it is asked for no more than it needs from now on.
    Longer,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    Yes,
    /// To be asked for once more.
    Again,
    /// Asked for twice, and still it may be another register's.
    Doubtful,
}

/// The answer that the request itself looks like: of as many characters, with the high byte of its address for the count of bytes.
fn echo_shape(asked: Span) -> Option<(u8, u16)> {
    (asked.is_bits() && asked.address >> 8 == 3).then_some((asked.function, 3))
}

/// `need` with so many registers more behind it (or as many times eight bits), if the device's limits allow it.
fn longer(need: Span, more: u16, bounds: Bounds) -> Option<Span> {
    let more = if need.is_bits() { more * 8 } else { more };
    let span = Span { count: need.count + more, ..need };
    (more == 0 || (span.count <= bounds.most(span.function) && span.end() <= 0x1_0000)).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn shapes(max_registers: u16) -> Shapes {
        Shapes::new(&crate::bus::tests::rtu(), Bounds { max_registers, max_bits: 2000, coils_from_zero: false })
    }

    fn one(address: u16) -> Span {
        Span { function: 3, address, count: 1 }
    }

    #[test]
    fn requests_that_look_alike_are_asked_for_different_lengths_and_keep_them() {
        let (mut shapes, now) = (shapes(125), Instant::now());
        for _ in 0..3 {
            let counts = [0, 100, 200].map(|at| shapes.ask(one(at), now).count);
            assert_eq!(counts, [1, 2, 3]);
        }
        assert!(!shapes.has_twins());
        let bits = |count| Span { function: 1, address: 0, count };
        assert_eq!((shapes.ask(bits(3), now).count, shapes.ask(bits(5), now).count), (3, 13), "both one byte");
    }

    #[test]
    fn a_length_the_device_refuses_is_given_up_and_tried_again_after_an_hour() {
        let (mut shapes, now) = (shapes(125), Instant::now());
        shapes.ask(one(0), now);
        assert_eq!(shapes.ask(one(9), now).count, 2);
        assert_eq!(twice(&mut shapes, 2, now), [Refused::Perhaps, Refused::Longer]);
        assert_eq!(shapes.ask(one(9), now).count, 1);
        assert!(shapes.has_twins());
        assert_eq!(shapes.refused(one(9), 2, now), Refused::Needed, "the short one is the profile's own fault");
        shapes.ask(one(0), now + REFUSED_FOR);
        assert_eq!(shapes.ask(one(9), now + REFUSED_FOR).count, 2);
    }

    #[test]
    fn a_request_that_looks_like_an_answer_of_three_bytes_leaves_that_length_to_nobody_else() {
        let bits = |function, address, count| Span { function, address, count };
        let now = Instant::now();
        let asked = |needs: &[Span], bounds: Bounds| {
            let mut shapes = Shapes { bounds, ..shapes(125) };
            let counts: Vec<u16> = needs.iter().map(|need| shapes.ask(*need, now).count).collect();
            (counts, shapes.has_twins())
        };
        let (looks, bounds) = (bits(1, 0x310, 1), shapes(125).bounds);
        let three = bits(1, 0x100, 20);
        assert_eq!(asked(&[looks, three], bounds), (vec![1, 28], false));
        assert_eq!(asked(&[three, looks, three], bounds), (vec![20, 1, 28], false), "also when it was asked before");
        assert_eq!(asked(&[looks, bits(2, 0x100, 20)], bounds), (vec![1, 20], false), "another function");
        assert_eq!(asked(&[bits(1, 0x3F0, 20)], bounds), (vec![20], false), "its own echo is known to the line guard");
        let narrow = Bounds { max_bits: 20, ..bounds };
        assert_eq!(asked(&[looks, three], narrow), (vec![1, 20], true), "it gives no more");
    }

    #[test]
    fn any_refusal_speaks_against_a_length_until_it_was_answered_once_and_then_only_2_and_3() {
        let (mut shapes, now) = (shapes(125), Instant::now());
        shapes.ask(one(0), now);
        shapes.ask(one(9), now);
        shapes.believe(one(9), &[7], false);
        assert_eq!(shapes.refused(one(9), 4, now), Refused::Needed, "a device in trouble");
        assert_eq!(twice(&mut shapes, 3, now), [Refused::Perhaps, Refused::Longer]);
        for at in [0, 9] {
            shapes.ask(one(at), now + REFUSED_FOR);
        }
        assert_eq!(twice(&mut shapes, 4, now + REFUSED_FOR), [Refused::Perhaps, Refused::Longer]);
    }

    fn twice(shapes: &mut Shapes, code: u8, now: Instant) -> [Refused; 2] {
        [0; 2].map(|_| shapes.refused(one(9), code, now))
    }

    #[test]
    fn two_refusals_speak_against_a_length_only_in_a_row() {
        let (mut shapes, now) = (shapes(125), Instant::now());
        shapes.ask(one(0), now);
        let answered = |shapes: &mut Shapes| {
            shapes.believe(one(9), &[7], false);
        };
        for between in [answered, Shapes::forget_first] {
            assert_eq!(shapes.ask(one(9), now).count, 2);
            assert_eq!(shapes.refused(one(9), 2, now), Refused::Perhaps);
            between(&mut shapes);
        }
        assert_eq!(shapes.ask(one(9), now).count, 2);
    }

    #[test]
    fn silence_speaks_against_a_length_only_until_it_was_answered_once() {
        let (mut shapes, now) = (shapes(125), Instant::now());
        let count = |shapes: &mut Shapes| shapes.ask(one(9), now).count;
        shapes.ask(one(0), now);
        for (misses, tried) in [(0, 2), (1, 2), (2, 1), (3, 2), (4, 1)] {
            shapes.silent(one(9), misses, now);
            assert_eq!(count(&mut shapes), tried, "after {misses} misses");
        }
        shapes.believe(one(9), &[7], false);
        shapes.silent(one(9), 5, now);
        assert_eq!(count(&mut shapes), 1, "that one answers");
        assert_eq!([0, 9].map(|at| shapes.ask(one(at), now + REFUSED_FOR).count), [1, 2]);
        shapes.silent(one(9), 1, now + REFUSED_FOR);
        assert_eq!(shapes.ask(one(9), now + REFUSED_FOR).count, 1, "known to be silent: one miss is enough");
    }

    /// Two requests of a device that gives one register at a time.
    fn twins() -> Shapes {
        let (mut shapes, now) = (shapes(1), Instant::now());
        shapes.ask(one(0), now);
        shapes.ask(one(9), now);
        assert_eq!(shapes.believe(one(0), &[7], false), Belief::Yes);
        shapes
    }

    #[test]
    fn a_twins_answer_is_asked_for_again_and_the_own_last_one_is_not() {
        let mut shapes = twins();
        assert_eq!(shapes.believe(one(9), &[7], false), Belief::Again, "as if the line had repeated the frame");
        assert_eq!(shapes.believe(one(9), &[8], false), Belief::Yes, "it had");
        assert_eq!(shapes.believe(one(9), &[7], false), Belief::Again);
        assert_eq!(shapes.believe(one(9), &[7], false), Belief::Yes, "twice the same: its own");
        assert_eq!(shapes.believe(one(9), &[7], false), Belief::Yes, "no second question for what it was before");
    }

    #[test]
    fn after_a_lost_answer_a_changed_twin_is_believed_when_two_answers_agree_and_doubted_when_not() {
        let mut shapes = twins();
        assert_eq!(shapes.believe(one(9), &[3], true), Belief::Again);
        assert_eq!(shapes.believe(one(9), &[3], true), Belief::Yes);
        assert_eq!(shapes.believe(one(9), &[4], true), Belief::Again);
        assert_eq!(shapes.believe(one(9), &[5], true), Belief::Doubtful);
    }

    proptest! {
        /// Whatever is asked in whatever order, the answer to one request of a unit fits no other that was asked within the time kept.
        #[test]
        fn no_two_requests_share_a_shape_as_long_as_there_is_one_left(
            needs in proptest::collection::vec((3u8..=4, 0u16..400, 1u16..4), 1..60),
        ) {
            let (mut shapes, now) = (shapes(125), Instant::now());
            let mut owner: BTreeMap<(u8, u16), Span> = BTreeMap::new();
            for (n, (function, address, count)) in (0u64..).zip(needs) {
                let need = Span { function, address, count };
                let asked = shapes.ask(need, now + Duration::from_secs(n));
                prop_assert!(asked.holds(need) && asked.count <= count + MOST_MORE);
                let of = *owner.entry(asked.shape()).or_insert(asked);
                let full = (count..=count + MOST_MORE).all(|c| owner.contains_key(&(function, c * 2)));
                prop_assert!(of == asked || full, "{:?} looks like {:?}", asked, of);
            }
        }
    }
}
