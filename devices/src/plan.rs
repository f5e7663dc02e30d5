//! From the values of a device to requests. Pure.
//!
//! Merges neighbours across holes up to a bound, never splits a value, keeps the limits of standard and device.

/// Where a value lies: registers for functions 3 and 4, bits for 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub function: u8,
    pub address: u16,
    pub count: u16,
}

impl Span {
    fn end(self) -> u32 {
        u32::from(self.address) + u32::from(self.count)
    }
    /// True when `other` lies wholly inside.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.function == other.function && self.address <= other.address && other.end() <= self.end()
    }
}

/// What bounds a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub max_registers: u16,
    pub max_bits: u16,
    /// Unwanted registers worth reading to save a request; bits count sixteen to a register.
    pub hole: u16,
}

/// Requests that together read every span. Each span lies wholly in at least one of them.
#[must_use]
pub fn plan(spans: &[Span], bounds: Bounds) -> Vec<Span> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut blocks: Vec<Span> = Vec::new();
    for span in sorted {
        match blocks.last().and_then(|b| merged(*b, span, bounds)) {
            Some(wider) => *blocks.last_mut().expect("just seen") = wider,
            None if blocks.last().is_some_and(|b| b.holds(span)) => {}
            None => blocks.push(span),
        }
    }
    blocks
}

/// `block` widened to hold `span`, where that is allowed and worth it.
fn merged(block: Span, span: Span, bounds: Bounds) -> Option<Span> {
    let bits = span.function <= 2;
    let (most, hole) = if bits {
        (bounds.max_bits.min(2000), u32::from(bounds.hole) * 16)
    } else {
        (bounds.max_registers.min(125), u32::from(bounds.hole))
    };
    let end = block.end().max(span.end());
    let count = u16::try_from(end - u32::from(block.address)).ok()?;
    let near = u32::from(span.address) <= block.end() + hole;
    (block.function == span.function && near && count <= most).then_some(Span { count, ..block })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDE: Bounds = Bounds { max_registers: 125, max_bits: 2000, hole: 12 };

    fn span(function: u8, address: u16, count: u16) -> Span {
        Span { function, address, count }
    }

    #[test]
    fn a_hole_that_is_cheap_is_read_and_one_that_is_not_is_left() {
        assert_eq!(plan(&[span(3, 0, 1), span(3, 6, 1)], WIDE), [span(3, 0, 7)]);
        assert_eq!(plan(&[span(3, 0, 1), span(3, 14, 1)], WIDE), [span(3, 0, 1), span(3, 14, 1)]);
    }

    #[test]
    fn functions_are_never_mixed() {
        assert_eq!(plan(&[span(3, 0, 1), span(4, 1, 1), span(1, 0, 1)], WIDE).len(), 3);
    }

    proptest! {
        #[test]
        fn every_value_is_whole_in_one_request_and_no_request_breaks_a_limit(
            raw in proptest::collection::vec((1u8..=4, 0u16..400, 1u16..=2), 1..40),
            max_registers in 2u16..=125, max_bits in 2u16..=2000, hole in 0u16..=20,
        ) {
            let spans: Vec<_> = raw.into_iter().map(|(f, a, c)| span(f, a, c)).collect();
            let bounds = Bounds { max_registers, max_bits, hole };
            let blocks = plan(&spans, bounds);
            for s in &spans {
                prop_assert!(blocks.iter().any(|b| b.holds(*s)), "{s:?} is in no request");
            }
            for b in &blocks {
                let most = if b.function <= 2 { max_bits } else { max_registers };
                prop_assert!(b.count >= 1 && b.count <= most);
            }
        }

        #[test]
        fn no_more_requests_than_values(raw in proptest::collection::vec((3u8..=4, 0u16..60, 1u16..=2), 1..40)) {
            let spans: Vec<_> = raw.into_iter().map(|(f, a, c)| span(f, a, c)).collect();
            prop_assert!(plan(&spans, WIDE).len() <= spans.len());
        }
    }
}
