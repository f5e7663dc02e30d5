//! A heap in which every entry knows its place: arming, disarming and asking for the next are O(log n), and it never holds more than
//! one entry per timer, however often that one is armed anew. Four branches: half the depth of two, and four neighbours are one
//! cache line.

use crate::time::Mono;

/// Children of an entry.
const BRANCHES: usize = 4;
/// The place of what is not in the heap; no site has 4 billion timers.
const ABSENT: u32 = u32::MAX;

/// Due times of numbered timers. Equal times come in the order of the numbers.
#[derive(Debug, Default)]
pub(super) struct Heap {
    entries: Vec<(Mono, u32)>,
    /// Where in `entries` each number stands.
    place: Vec<u32>,
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("no more entries than timers, and those are numbered with 32 bits")
}

impl Heap {
    pub(super) fn new(timers: usize) -> Self {
        Self { entries: Vec::new(), place: vec![ABSENT; timers] }
    }

    pub(super) fn first(&self) -> Option<(Mono, u32)> {
        self.entries.first().copied()
    }

    pub(super) fn due(&self, number: u32) -> Option<Mono> {
        self.entries.get(self.place[number as usize] as usize).map(|(due, _)| *due)
    }

    pub(super) fn set(&mut self, number: u32, due: Mono) {
        let at = self.place[number as usize] as usize;
        if let Some(entry) = self.entries.get_mut(at) {
            let later = due > entry.0;
            entry.0 = due;
            if later { self.sink(at) } else { self.rise(at) }
        } else {
            self.entries.push((due, number));
            self.rise(self.entries.len() - 1);
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        let at = self.place[number as usize] as usize;
        if at >= self.entries.len() {
            return;
        }
        self.place[number as usize] = ABSENT;
        self.entries.swap_remove(at);
        if at < self.entries.len() {
            // The last one stands here now; it may belong further up or further down.
            self.rise(at);
            let number = self.entries[at].1;
            self.sink(self.place[number as usize] as usize);
        }
    }

    /// Moves the entry up to where its parent is due no later.
    fn rise(&mut self, mut at: usize) {
        let entry = self.entries[at];
        while at > 0 {
            let parent = (at - 1) / BRANCHES;
            if self.entries[parent] <= entry {
                break;
            }
            self.put(at, self.entries[parent]);
            at = parent;
        }
        self.put(at, entry);
    }

    /// Moves the entry down to where no child is due earlier.
    fn sink(&mut self, mut at: usize) {
        let entry = self.entries[at];
        loop {
            let first = BRANCHES * at + 1;
            let last = (first + BRANCHES).min(self.entries.len());
            let Some(child) = (first..last).min_by_key(|child| self.entries[*child]) else { break };
            if entry <= self.entries[child] {
                break;
            }
            self.put(at, self.entries[child]);
            at = child;
        }
        self.put(at, entry);
    }

    fn put(&mut self, at: usize, entry: (Mono, u32)) {
        self.entries[at] = entry;
        self.place[entry.1 as usize] = narrow(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_gives_what_an_ordered_map_gives(moves in prop::collection::vec((0..40_u32, prop::option::of(0..100_u64)), 0..300)) {
            let (mut heap, mut map) = (Heap::new(40), BTreeMap::new());
            for (number, due) in moves {
                match due {
                    Some(due) => {
                        heap.set(number, Mono(due));
                        map.insert(number, Mono(due));
                    }
                    None => {
                        heap.remove(number);
                        map.remove(&number);
                    }
                }
                prop_assert_eq!(heap.first(), map.iter().map(|(n, due)| (*due, *n)).min());
                prop_assert_eq!(heap.due(number), map.get(&number).copied());
                prop_assert!(heap.entries.len() == map.len());
            }
        }
    }
}
