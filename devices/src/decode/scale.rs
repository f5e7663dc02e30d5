//! Counts to a value without binary noise: 1005 counts of a thousandth are 1.005, the number a limit is written as.
//!
//! `1005 × 0.001` is 1.0049999999999999 in binary, below an inclusive limit of 1.005, and `503 × 0.1` is 50.300000000000004 on every
//! wire behind us. Dividing by the whole number that a decimal scale stands for rounds once, to the nearest number there is.

/// How far a quotient may be from a whole number to be meant as one: far more than two roundings, far less than any scale in use.
const WHOLE: f64 = 1e-9;

/// `raw × factor`, by dividing where `factor` is one part of a whole number (0.1, 0.25, 0.001).
pub(super) fn times(raw: f64, factor: f64) -> f64 {
    match whole(1.0 / factor) {
        Some(parts) if parts != 0.0 => raw / parts,
        _ => raw * factor,
    }
}

/// `raw × scale + offset`; an offset that is a whole number of counts is added before scaling.
pub(super) fn linear(raw: f64, scale: f64, offset: f64) -> f64 {
    if offset == 0.0 {
        return times(raw, scale);
    }
    match whole(times(offset, 1.0 / scale)) {
        Some(counts) => times(raw + counts, scale),
        None => times(raw, scale) + offset,
    }
}

/// The whole number that `value` is meant as; whole numbers beyond 2^53 are not told apart and stay as they are.
fn whole(value: f64) -> Option<f64> {
    let nearest = value.round();
    let near = (value - nearest).abs() <= WHOLE * nearest.abs().max(1.0);
    (near && nearest.abs() < 9_007_199_254_740_992.0).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_of_a_decimal_scale_is_the_number_as_it_is_written() {
        for (scale, decimals) in [(0.1, 1), (0.01, 2), (0.001, 3), (0.0001, 4)] {
            for raw in -70_000_i32..=70_000 {
                let written: f64 = format!("{raw}e-{decimals}").parse().unwrap();
                assert_eq!(linear(f64::from(raw), scale, 0.0), written, "{raw} × {scale}");
            }
        }
    }

    #[test]
    fn an_offset_brings_no_noise() {
        for raw in 0_i32..=2000 {
            let written: f64 = format!("{}e-1", raw - 400).parse().unwrap();
            assert_eq!(linear(f64::from(raw), 0.1, -40.0), written, "{raw}");
        }
        assert_eq!(linear(10.0, 2.0, -5.0), 15.0);
        assert_eq!(linear(7.0, 1.0, 0.25), 7.25);
    }

    #[test]
    fn scales_that_are_no_part_of_a_whole_number_multiply() {
        assert_eq!(times(3.0, 2.5), 7.5);
        assert_eq!(times(3.0, 1e300), 3e300);
        assert_eq!(times(2.0, -0.5), -1.0);
        assert!((linear(9.0, 0.3, 1.0) - 3.7).abs() < 1e-12);
    }
}
