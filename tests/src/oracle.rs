//! Judges what came out against what went in.
//!
//! Owns the comparison of a point's stored values with the values its instrument sent. Each stored value is paired with the one answer it can
//! come from: sent at most [`LATEST_MS`] before the stored time. A pair must agree within half a step of the register.

use crate::plant::{Given, Simulated};
use crate::registers::{REGISTERS, Register};
use std::collections::BTreeMap;

/// A point as it was read back from a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    pub utc_ms: i64,
    pub value: f64,
}

/// An answer is stamped at most this long after it was sent: the line's time-out is 500 ms. Far below the period of 1 s, so pairs are unique.
const LATEST_MS: i64 = 600;
/// Both clocks are the same one, read in ms.
const EARLIEST_MS: i64 = 2;

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub pairs: usize,
    /// Sent and not stored.
    pub missing: Vec<Given>,
    /// Stored and never sent, or stored with another value: must never be.
    pub foreign: Vec<Kept>,
    /// Stored times that do not increase.
    pub out_of_order: usize,
}

/// Compares everything sent up to `until_ms`.
#[must_use]
pub fn judge(register: &Register, given: &[Given], kept: &[Kept], until_ms: i64) -> Verdict {
    let out_of_order = kept.windows(2).filter(|pair| pair[0].utc_ms >= pair[1].utc_ms).count();
    let mut verdict = Verdict { out_of_order, ..Verdict::default() };
    let given: Vec<Given> = given.iter().take_while(|g| g.utc_ms <= until_ms).copied().collect();
    let last_ms = given.last().map_or(i64::MIN, |g| g.utc_ms);
    let mut rest = given.as_slice();
    for row in kept {
        // The nearest answer before the stored time that has its value: around a restart two answers can lie close together.
        let window = |g: &Given| g.utc_ms + LATEST_MS >= row.utc_ms && g.utc_ms <= row.utc_ms + EARLIEST_MS;
        let fits = |g: &Given| window(g) && (g.value - row.value).abs() <= register.half_step(g.value);
        match rest.iter().rposition(fits) {
            Some(n) => {
                verdict.missing.extend(&rest[..n]);
                rest = &rest[n + 1..];
                verdict.pairs += 1;
            }
            None if row.utc_ms <= last_ms => verdict.foreign.push(*row),
            None => {}
        }
    }
    verdict.missing.extend(rest);
    verdict
}

/// Every register of the plant value by value: all that was sent up to `until_ms` is stored, in order, and nothing else. Gives the number of
/// values.
///
/// # Panics
/// Names the register whose values differ.
#[must_use]
pub fn must_equal(plant: &Simulated, stored: &BTreeMap<String, Vec<Kept>>, until_ms: i64) -> usize {
    let mut pairs = 0;
    for register in &REGISTERS {
        let verdict = judge(register, &plant.given(register.point), &stored[register.point], until_ms);
        assert_eq!(verdict.foreign, [], "{}: never sent", register.point);
        assert_eq!(verdict.missing, [], "{}: sent, not stored", register.point);
        assert_eq!(verdict.out_of_order, 0, "{}", register.point);
        pairs += verdict.pairs;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers::REGISTERS;

    fn gas() -> Register {
        *REGISTERS.iter().find(|r| r.point == "GT-102").unwrap()
    }

    fn given(list: &[(i64, f64)]) -> Vec<Given> {
        list.iter().map(|(utc_ms, value)| Given { utc_ms: *utc_ms, value: *value }).collect()
    }

    fn kept(list: &[(i64, f64)]) -> Vec<Kept> {
        list.iter().map(|(utc_ms, value)| Kept { utc_ms: *utc_ms, value: *value }).collect()
    }

    #[test]
    fn a_lost_value_is_missing_and_the_ones_around_it_are_paired() {
        let sent = given(&[(1000, 1.0), (2000, 2.0), (3000, 3.0)]);
        let verdict = judge(&gas(), &sent, &kept(&[(1010, 1.0), (3010, 3.04)]), 9000);
        assert_eq!((verdict.pairs, verdict.missing, verdict.foreign), (2, given(&[(2000, 2.0)]), vec![]));
    }

    #[test]
    fn a_value_of_another_time_is_foreign() {
        let sent = given(&[(1000, 1.0), (2000, 2.0), (3000, 3.0)]);
        let verdict = judge(&gas(), &sent, &kept(&[(1010, 1.0), (2010, 1.0), (3010, 3.0)]), 9000);
        assert_eq!((verdict.foreign, verdict.missing), (kept(&[(2010, 1.0)]), given(&[(2000, 2.0)])));
    }

    #[test]
    fn an_answer_lost_just_before_the_next_one_is_missing() {
        let sent = given(&[(1000, 1.0), (1400, 1.0), (2400, 2.0)]);
        let verdict = judge(&gas(), &sent, &kept(&[(1410, 1.0), (2410, 2.0)]), 9000);
        assert_eq!((verdict.pairs, verdict.missing, verdict.foreign), (2, given(&[(1000, 1.0)]), vec![]));
    }

    #[test]
    fn times_that_stand_still_are_counted() {
        let sent = given(&[(1000, 1.0), (2000, 1.0)]);
        assert_eq!(judge(&gas(), &sent, &kept(&[(1010, 1.0), (1010, 1.0)]), 9000).out_of_order, 1);
    }

    #[test]
    fn what_was_sent_after_the_cut_is_not_asked_for() {
        let sent = given(&[(1000, 1.0), (2000, 2.0)]);
        let verdict = judge(&gas(), &sent, &kept(&[(1010, 1.0), (2010, 2.0)]), 1500);
        assert_eq!((verdict.pairs, verdict.missing.len(), verdict.foreign.len()), (1, 0, 0));
    }
}
