//! Columns that mostly go on as they went: numbers in the order of polling, times that a whole answer shares, qualities that stay good.
//!
//! ```text
//!   column = ( zigzag varint step ‖ varint times )*      each step is taken so many times, from 0
//! ```
//! One second of a site is a handful of bytes, and costs a nanosecond a sample both ways.

/// Longest column taken back: far more than any block, so that damage cannot ask for memory.
const LONGEST: usize = 1 << 22;

pub(super) fn pack(column: impl Iterator<Item = i64>) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut last, mut run) = (0_i64, (0_i64, 0_u64));
    for value in column {
        let step = value.wrapping_sub(last);
        last = value;
        if step == run.0 {
            run.1 += 1;
            continue;
        }
        put_run(&mut out, run);
        run = (step, 1);
    }
    put_run(&mut out, run);
    out
}

fn put_run(out: &mut Vec<u8>, (step, times): (i64, u64)) {
    if times > 0 {
        put(out, ((step << 1) ^ (step >> 63)).cast_unsigned());
        put(out, times);
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7F {
        out.push(u8::try_from(number & 0x7F).expect("seven bits") | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).expect("seven bits"));
}

/// `None` when it is damaged.
pub(super) fn unpack(mut bytes: &[u8]) -> Option<Vec<i64>> {
    let (mut column, mut last) = (Vec::new(), 0_i64);
    while !bytes.is_empty() {
        let step = take(&mut bytes)?;
        let step = (step >> 1).cast_signed() ^ -(step & 1).cast_signed();
        let times = usize::try_from(take(&mut bytes)?).ok()?;
        if times > LONGEST - column.len() {
            return None;
        }
        column.extend(
            std::iter::repeat_with(|| {
                last = last.wrapping_add(step);
                last
            })
            .take(times),
        );
    }
    Some(column)
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_second_of_a_site_is_a_few_bytes() {
        assert_eq!(pack(1..=20_000), [2, 0xA0, 0x9C, 1]);
        assert_eq!(pack(std::iter::repeat_n(8, 1_000)), [16, 1, 0, 0xE7, 7]);
    }

    #[test]
    fn damage_asks_for_no_memory() {
        let mut bomb = vec![2];
        put(&mut bomb, u64::MAX);
        assert_eq!(unpack(&bomb), None);
        assert_eq!(unpack(&[2]), None);
        assert_eq!(unpack(&[0x80; 12]), None);
    }

    proptest! {
        #[test]
        fn any_column_comes_back(column in proptest::collection::vec(prop_oneof![any::<i64>(), 0i64..3], 0..200)) {
            let packed = pack(column.iter().copied());
            prop_assert_eq!(unpack(&packed).unwrap(), column);
        }
    }
}
