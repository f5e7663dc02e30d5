//! What the office asked to have again, whatever the rows' states: ranges of numbers that are walked once, remembered over a
//! restart. Requests cannot pile up and cannot throw the walk back: it only goes forward, and what lies behind it waits its turn.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

const NAME: &str = "outbox_resend";
/// An office with more holes than this gets some numbers twice: the ranges become one.
const RANGES_MAX: usize = 16;

/// Ranges, both ends included; the first one is under way and begins where the walk stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pass(Vec<(u64, u64)>);

impl Pass {
    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn first(&self) -> Option<(u64, u64)> {
        self.0.first().copied()
    }

    pub(super) fn done_to(&mut self, seq: u64) {
        if let Some((next, to)) = self.0.first_mut() {
            *next = seq.saturating_add(1);
            if *next > *to {
                self.0.remove(0);
            }
        }
    }

    pub(super) fn ask(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        let Some((next, end)) = self.0.first_mut() else { return self.0.push((from, to)) };
        if to < *next || from > *end + 1 {
            return self.queue(from, to);
        }
        *end = to.max(*end);
        let next = *next;
        if from < next {
            self.queue(from, next - 1);
        }
    }

    /// Behind the walk; ranges that touch become one.
    fn queue(&mut self, mut from: u64, mut to: u64) {
        let under_way = self.0.remove(0);
        self.0.retain(|(start, end)| {
            let apart = *end + 1 < from || *start > to + 1;
            if !apart {
                (from, to) = (from.min(*start), to.max(*end));
            }
            apart
        });
        self.0.push((from, to));
        if self.0.len() >= RANGES_MAX {
            let start = self.0.iter().map(|(start, _)| *start).min().unwrap_or(from);
            let end = self.0.iter().map(|(_, end)| *end).max().unwrap_or(to);
            self.0 = vec![(start, end)];
        }
        self.0.insert(0, under_way);
    }

    /// Taken, but the connection ended before the broker had it.
    pub(super) fn put_back(&mut self, seq: u64) {
        match self.0.first_mut() {
            Some((next, _)) if *next == seq + 1 => *next = seq,
            _ => self.0.insert(0, (seq, seq)),
        }
    }
}

pub(super) fn load(conn: &Connection) -> rusqlite::Result<Pass> {
    let text: Option<String> = conn
        .prepare_cached("SELECT json FROM cursor WHERE name = ?1")?
        .query_row([NAME], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

pub(super) fn save(conn: &Connection, pass: &Pass) -> rusqlite::Result<()> {
    let json = serde_json::to_string(pass).expect("pairs of numbers can be written");
    conn.execute("INSERT OR REPLACE INTO cursor VALUES (?1, ?2)", [NAME, json.as_str()]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_wishes_stays_small_and_never_throws_the_walk_back() {
        let mut pass = Pass::default();
        pass.ask(50, 100);
        for step in 50..=100 {
            for from in 1..=100 {
                pass.ask(from, 100);
                assert!(pass.0.len() <= 2);
            }
            assert_eq!(pass.first(), Some((step, 100)));
            pass.done_to(step);
        }
        assert_eq!(pass.first(), Some((1, 99)), "what lay behind comes next");
    }

    #[test]
    fn single_holes_are_kept_apart_up_to_a_limit() {
        let mut pass = Pass::default();
        for hole in [3, 9, 27, 10] {
            pass.ask(hole, hole);
        }
        assert_eq!(pass.0, [(3, 3), (27, 27), (9, 10)]);
        (100..200).step_by(2).for_each(|hole| pass.ask(hole, hole));
        assert!(pass.0.len() <= RANGES_MAX + 1);
        for hole in [9, 10, 27, 100, 198] {
            assert!(pass.0.iter().any(|(from, to)| (from..=to).contains(&&hole)), "{hole} is forgotten");
        }
    }

    #[test]
    fn what_was_lost_on_the_way_goes_back_to_the_front() {
        let mut pass = Pass::default();
        pass.ask(1, 10);
        pass.done_to(4);
        (3..=4).rev().for_each(|seq| pass.put_back(seq));
        assert_eq!(pass.0, [(3, 10)]);
        pass.done_to(10);
        (9..=10).rev().for_each(|seq| pass.put_back(seq));
        assert_eq!(pass.0, [(9, 10)]);
    }

    #[test]
    fn an_empty_wish_is_none() {
        let mut pass = Pass::default();
        pass.ask(7, 6);
        assert!(pass.is_over());
    }
}
