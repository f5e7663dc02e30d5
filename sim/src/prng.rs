//! A small seeded generator (SplitMix64), so that a plant runs the same way each time with the same seed.
//!
//! Owns nothing but its state. Not fit for secrets.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// A generator whose whole course is set by `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly spread over 0 ≤ x < 1.
    pub fn unit(&mut self) -> f64 {
        // The upper 32 bits are exact in an f64.
        f64::from(u32::try_from(self.next_u64() >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    /// Evenly spread over 0 ≤ n < `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = (end as u64).max(1);
        usize::try_from(self.next_u64() % end).unwrap_or(0)
    }

    /// Evenly spread over −1 ≤ x < 1.
    pub fn signed(&mut self) -> f64 {
        self.unit() * 2.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_courses_and_others_differ() {
        let course = |seed| {
            let mut prng = Prng::new(seed);
            (0..50).map(|_| prng.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(course(7), course(7));
        assert_ne!(course(7), course(8));
    }

    #[test]
    fn draws_stay_in_their_range() {
        let mut prng = Prng::new(1);
        assert!((0..10_000).map(|_| prng.signed()).all(|x| (-1.0..1.0).contains(&x)));
    }
}
