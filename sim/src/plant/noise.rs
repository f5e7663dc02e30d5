//! What an instrument adds to the truth: a reading that wanders, never farther than its bound.

use crate::prng::Prng;

/// A tag and how far its instrument's noise moves it.
pub(super) type Tag = (&'static str, f64);

/// Share of a deviation that is left after a step: noise fades within two seconds.
const KEPT: f64 = 0.95;
const DRAWN: f64 = 0.15;

#[derive(Clone, Debug)]
pub(super) struct Noise {
    tags: &'static [Tag],
    now: Vec<f64>,
}

impl Noise {
    pub(super) fn of(tags: &'static [Tag]) -> Self {
        Self { tags, now: vec![0.0; tags.len()] }
    }

    pub(super) fn step(&mut self, prng: &mut Prng) {
        for ((_, bound), now) in self.tags.iter().zip(&mut self.now) {
            *now = (*now * KEPT + prng.signed() * bound * DRAWN).clamp(-bound, *bound);
        }
    }

    /// The tag as the plant spells it, and its noise; `None` when there is no such tag.
    pub(super) fn at(&self, key: &str) -> Option<(&'static str, f64)> {
        let found = self.tags.iter().zip(&self.now).find(|((tag, _), _)| *tag == key);
        found.map(|((tag, _), now)| (*tag, *now))
    }
}
