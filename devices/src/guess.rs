//! What registers may mean: every type and byte order that fits, the plausible ones first.
//!
//! Owns the ranking. Pure. A person looks at the instrument's display and decides.

use crate::profile::WordOrder;

/// One way to read some registers.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// Registers from the first one asked for.
    pub offset: usize,
    /// As written in a profile.
    pub kind: &'static str,
    /// `None` for a single register in its usual order.
    pub order: Option<WordOrder>,
    pub scale: f64,
    /// Scale applied.
    pub value: f64,
    /// 0–1; 1 is what one would bet on.
    pub plausibility: f64,
}

/// Divisors that makers use.
const SCALES: [f64; 4] = [1.0, 0.1, 0.01, 0.001];
/// Of the expected value: further off is something else.
const NEAR: f64 = 0.05;

/// Every reading of `words` that is a number, at every offset, the most plausible first.
#[must_use]
pub fn guesses(words: &[u16]) -> Vec<Guess> {
    let alone: Vec<Guess> = (0..words.len()).flat_map(|offset| at(&words[offset..], offset)).collect();
    let together =
        |guess: &Guess| Guess { plausibility: guess.plausibility * company(guess, &alone, words), ..guess.clone() };
    let mut found: Vec<Guess> = alone.iter().map(together).collect();
    sort(&mut found);
    found
}

/// The readings near `expected`, whole divisors tried as well, the nearest and most plausible first.
#[must_use]
pub fn expecting(words: &[u16], expected: f64) -> Vec<Guess> {
    let mut found = Vec::new();
    for guess in guesses(words) {
        for scale in SCALES.into_iter().filter(|s| (s - 1.0).abs() < f64::EPSILON || !guess.kind.starts_with('f')) {
            let value = guess.value * scale;
            let off = (value - expected).abs() / expected.abs().max(1e-3);
            if off <= NEAR {
                let nearness = 1.0 - off / NEAR;
                // a divisor more is a coincidence more
                let simple = if scale < 1.0 { 0.9 } else { 1.0 };
                let plausibility = (0.6 * nearness + 0.4 * guess.plausibility) * simple;
                found.push(Guess { scale, value, plausibility, ..guess.clone() });
            }
        }
    }
    sort(&mut found);
    found
}

fn sort(guesses: &mut [Guess]) {
    guesses.sort_by(|a, b| b.plausibility.total_cmp(&a.plausibility).then(a.offset.cmp(&b.offset)));
}

/// An instrument keeps one type and order for all its values, and whoever reads begins with the first register of one: a reading is
/// the more plausible the more its like beside it are.
fn company(guess: &Guess, all: &[Guess], words: &[u16]) -> f64 {
    let width = match guess.kind {
        "f64" => 4,
        "u32" | "i32" | "f32" => 2,
        _ => return 1.0,
    };
    let begins_late = if guess.offset.is_multiple_of(width) { 1.0 } else { 0.95 };
    let places = (guess.offset % width..).step_by(width).take_while(|at| at + width <= words.len());
    // Registers that are not used hold zero in any order.
    let others: Vec<usize> =
        places.filter(|at| *at != guess.offset && words[*at..at + width].iter().any(|w| *w != 0)).collect();
    if others.is_empty() {
        return begins_late;
    }
    let like = |at: &usize| all.iter().find(|g| g.offset == *at && (g.kind, g.order) == (guess.kind, guess.order));
    let sum: f64 = others.iter().map(|at| like(at).map_or(0.0, |g| g.plausibility)).sum();
    let mean = sum / f64::from(u32::try_from(others.len()).unwrap_or(u32::MAX));
    begins_late * (0.8 + 0.2 * mean)
}

fn at(words: &[u16], offset: usize) -> Vec<Guess> {
    let mut found = single(words[0], offset);
    if let Some(two) = words.get(..2) {
        found.extend(WordOrder::OF_32.into_iter().flat_map(|order| double(two, order, offset)));
    }
    if let Some(four) = words.get(..4) {
        found.extend(WordOrder::OF_64.into_iter().filter_map(|order| quadruple(four, order, offset)));
    }
    found
}

fn single(word: u16, offset: usize) -> Vec<Guess> {
    let guess = |kind, order, value: f64, plausibility| Guess { offset, kind, order, scale: 1.0, value, plausibility };
    let swapped = word.swap_bytes();
    let mut found = vec![guess("u16", None, f64::from(word), whole(f64::from(word), 16))];
    if word & 0x8000 != 0 {
        let signed = f64::from(word.cast_signed());
        found.push(guess("i16", None, signed, whole(signed, 16) * 0.9));
    }
    if swapped != word {
        let unlikely = whole(f64::from(swapped), 16) * 0.3;
        found.push(guess("u16", Some(WordOrder::Badc), f64::from(swapped), unlikely));
    }
    let digits = [12, 8, 4, 0].map(|shift| word >> shift & 0xF);
    if word > 9 && digits.iter().all(|d| *d <= 9) {
        let value = digits.iter().fold(0.0, |sum, d| sum * 10.0 + f64::from(*d));
        found.push(guess("bcd16", None, value, 0.2));
    }
    found
}

#[allow(clippy::cast_possible_truncation, reason = "two registers are 32 bits")]
fn double(words: &[u16], order: WordOrder, offset: usize) -> Vec<Guess> {
    let bits = order.join(words) as u32;
    let (float, signed) = (f32::from_bits(bits), bits.cast_signed());
    let common = if matches!(order, WordOrder::Abcd | WordOrder::Cdab) { 1.0 } else { 0.7 };
    let guess = |kind, value, plausibility: f64| Guess {
        offset,
        kind,
        order: Some(order),
        scale: 1.0,
        value,
        plausibility: plausibility * common,
    };
    let mut found = vec![guess("u32", f64::from(bits), whole(f64::from(bits), 32))];
    if signed < 0 {
        found.push(guess("i32", f64::from(signed), whole(f64::from(signed), 32) * 0.8));
    }
    if float.is_finite() && !float.is_subnormal() && bits != 0 {
        let spare = f64::from(bits.trailing_zeros().min(23)) / 23.0;
        found.push(guess("f32", f64::from(float), real(f64::from(float), spare)));
    }
    found
}

fn quadruple(words: &[u16], order: WordOrder, offset: usize) -> Option<Guess> {
    let bits = order.join(words);
    let float = f64::from_bits(bits);
    let spare = f64::from(bits.trailing_zeros().min(52)) / 52.0;
    let plausibility = real(float, spare) * 0.9;
    (float.is_finite() && !float.is_subnormal() && bits != 0 && plausibility > 0.2).then_some(Guess {
        offset,
        kind: "f64",
        order: Some(order),
        scale: 1.0,
        value: float,
        plausibility,
    })
}

/// A whole number that measures something is small against what its registers can hold; where one register would do, two are less likely.
fn whole(value: f64, bits: i32) -> f64 {
    if bits > 16 && value.abs() < 65_536.0 {
        return whole(value, 16) * 0.9;
    }
    let used = (value.abs() + 1.0).log2() / f64::from(bits);
    (0.75 - 0.6 * used).clamp(0.02, 0.75)
}

/// A float that measures something mostly lies between a hundredth and ten thousand and is seldom negative; a wrong order seldom
/// comes near that.
fn real(value: f64, spare_bits: f64) -> f64 {
    let size = value.abs().log10();
    let likely = match size {
        s if (-2.0..=4.0).contains(&s) => 0.85,
        s if (-3.0..=6.0).contains(&s) => 0.65,
        s if (-6.0..=9.0).contains(&s) => 0.3,
        _ => 0.02,
    };
    let likely = if value < 0.0 { likely * 0.95 } else { likely };
    likely + if likely > 0.5 { 0.15 * spare_bits } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registers(value: f32, order: WordOrder) -> [u16; 2] {
        let [a, b, c, d] = value.to_be_bytes();
        let pair = |x, y| u16::from_be_bytes([x, y]);
        match order {
            WordOrder::Cdab => [pair(c, d), pair(a, b)],
            WordOrder::Badc => [pair(b, a), pair(d, c)],
            WordOrder::Dcba => [pair(d, c), pair(b, a)],
            _ => [pair(a, b), pair(c, d)],
        }
    }

    #[test]
    fn the_expected_value_is_found_in_every_order() {
        for order in WordOrder::OF_32 {
            let first = expecting(&registers(20.5, order), 20.5).remove(0);
            assert_eq!((first.kind, first.order, first.scale), ("f32", Some(order), 1.0), "{order:?}");
        }
    }

    #[test]
    fn a_scaled_integer_is_found_by_its_value() {
        let first = expecting(&[0, 253, 9], 25.3).remove(0);
        assert_eq!((first.kind, first.offset, first.scale), ("u16", 1, 0.1));
    }

    #[test]
    fn without_a_hint_a_float_in_its_order_comes_before_the_same_in_another() {
        for value in [20.5f32, 1.24, 650.5, -10.0, 0.0371, 8.8] {
            for order in [WordOrder::Abcd, WordOrder::Cdab] {
                let all = guesses(&registers(value, order));
                let first = all.iter().find(|g| g.kind == "f32").unwrap();
                assert_eq!(first.order, Some(order), "{value}: {first:?}");
            }
        }
    }

    /// Registers of a methanol tank, as an instrument sent them: 9.798681 m and 6.385393 m, low word first.
    #[test]
    fn two_values_of_one_instrument_tell_the_order_better_than_one() {
        let all = guesses(&[0xC766, 0x411C, 0x5523, 0x40CC]);
        let first: Vec<_> = all.iter().take(2).map(|g| (g.kind, g.order, g.offset)).collect();
        assert_eq!(first, [("f32", Some(WordOrder::Cdab), 0), ("f32", Some(WordOrder::Cdab), 2)], "{all:#?}");
    }

    proptest! {
        #[test]
        fn every_guess_is_a_number_with_a_plausibility(words in prop::collection::vec(any::<u16>(), 1..12)) {
            for guess in guesses(&words) {
                prop_assert!(guess.value.is_finite() && (0.0..=1.0).contains(&guess.plausibility), "{guess:?}");
            }
        }

        #[test]
        fn the_value_that_stands_there_is_among_the_guesses(value in -1e6f32..1e6, order in 0..4usize) {
            prop_assume!(value.abs() > 1e-3);
            let order = WordOrder::OF_32[order];
            let all = expecting(&registers(value, order), f64::from(value));
            prop_assert!(all.iter().any(|g| g.kind == "f32" && g.order == Some(order)));
        }
    }
}
