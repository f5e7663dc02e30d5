//! The plan against brute force, and the order of its requests.

mod brute;

use super::cuts::Cuts;
use super::*;
use crate::{Parity, Transport};
use brute::{CutSet, Every, reads_over, widest};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

const WIDE: Bounds = Bounds { max_registers: 125, max_bits: 2000, coils_from_zero: false };

fn span(function: u8, address: u16, count: u16) -> Span {
    Span { function, address, count }
}

fn serial(baud: u32) -> Transport {
    let (path, driver) = (String::new(), crate::SerialDriver::default());
    Transport::Rtu { path, baud, data_bits: 8, parity: Parity::Even, stop_bits: 1, driver }
}

fn tcp() -> Transport {
    Transport::Tcp { address: String::new() }
}

fn cost_on(transport: &Transport) -> Cost {
    Cost::on(transport, Duration::ZERO, None)
}

fn planned(spans: &[Span], transport: &Transport) -> Vec<Span> {
    plan(spans, WIDE, &cost_on(transport), |_| false)
}

#[test]
fn a_hole_is_read_where_that_is_cheaper_on_this_bus() {
    let near = [span(3, 0, 1), span(3, 14, 1)];
    assert_eq!(
        planned(&near, &serial(9600)),
        [span(3, 0, 15)],
        "13 registers at 9600 baud take as long as a turnaround"
    );
    let far = [span(3, 0, 1), span(3, 40, 1)];
    assert_eq!(planned(&far, &serial(9600)), far, "78 bytes at 9600 baud take longer than another request");
    assert_eq!(planned(&far, &serial(115_200)), [span(3, 0, 41)]);
    assert_eq!(planned(&far, &tcp()), [span(3, 0, 41)], "a round trip costs more than any hole");
}

#[test]
fn a_unit_that_answers_fast_is_asked_more_often() {
    let two = [span(3, 0, 1), span(3, 14, 1)];
    let fast = Cost::on(&serial(9600), Duration::ZERO, Some(Duration::from_millis(1)));
    assert_eq!(plan(&two, WIDE, &fast, |_| false), two);
}

#[test]
fn functions_are_never_mixed() {
    assert_eq!(planned(&[span(3, 0, 1), span(4, 1, 1), span(1, 0, 1)], &tcp()).len(), 3);
}

#[test]
fn a_thousand_dense_registers_are_eight_requests() {
    let spans: Vec<Span> = (0..500).map(|i| span(3, i * 2, 2)).collect();
    let blocks = planned(&spans, &tcp());
    assert_eq!(blocks.len(), 9, "125 is odd: a request ends at 124, and 1,000 = 8 × 124 + 8");
    let singles: Vec<Span> = (0..1000).map(|i| span(3, i, 1)).collect();
    assert_eq!(planned(&singles, &tcp()).len(), 8);
}

#[test]
fn coils_of_a_device_that_counts_from_zero_are_read_from_zero() {
    let bounds = Bounds { coils_from_zero: true, ..WIDE };
    let spans = [span(1, 40, 1), span(1, 900, 1), span(2, 40, 1)];
    let blocks = plan(&spans, bounds, &cost_on(&serial(9600)), |_| false);
    assert_eq!(blocks, [span(1, 0, 901), span(2, 40, 1)]);
}

#[test]
fn neighbours_differ_in_function_or_length_where_that_is_possible() {
    let blocks = [span(3, 0, 1), span(3, 100, 1), span(3, 200, 1), span(3, 300, 2), span(4, 0, 1)];
    let order = arrange(&blocks);
    assert_eq!(order.len(), blocks.len());
    assert!(order.windows(2).all(|w| (w[0].function, w[0].count) != (w[1].function, w[1].count)), "{order:?}");
}

fn bus() -> impl Strategy<Value = Transport> {
    prop_oneof![Just(serial(2400)), Just(serial(9600)), Just(serial(115_200)), Just(tcp())]
}

/// Values of all four functions: bits are closer together in time, so their addresses are wider apart.
fn spans(most: u16, n: usize) -> impl Strategy<Value = Vec<Span>> {
    let one = (1u8..=4, 0..most, 1u16..=4, prop::bool::weighted(0.3));
    let place = move |(function, address, count, far): (u8, u16, u16, bool)| {
        span(function, if far && function <= 2 { address * 16 } else { address }, count)
    };
    proptest::collection::vec(one.prop_map(place), 1..n)
}

/// What a profile may ask for, and the standard's own.
fn bounds() -> impl Strategy<Value = Bounds> {
    let registers = prop_oneof![Just(125u16), Just(1), Just(16), 4u16..=60];
    let bits = prop_oneof![Just(2_000u16), Just(1), Just(16), 4u16..=60, 1_000u16..=2_000];
    (registers, bits, any::<bool>()).prop_map(|(max_registers, max_bits, coils_from_zero)| Bounds {
        max_registers,
        max_bits,
        coils_from_zero,
    })
}

/// Cuts before some of the values, by a bit for each.
fn cut_set(spans: &[Span], which: u16) -> CutSet {
    let chosen = spans.iter().enumerate().filter(|(nth, _)| which >> (nth % 16) & 1 == 1);
    chosen.map(|(_, s)| (s.function, s.address)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    /// Of all four functions, within any limits of a profile, with and without cuts.
    #[test]
    fn no_way_to_share_values_out_to_requests_is_cheaper(
        spans in spans(120, 7), bus in bus(), turnaround_ms in 0u64..60, bounds in bounds(), which in any::<u16>(), with_cuts in any::<bool>(),
    ) {
        let cost = Cost::on(&bus, Duration::ZERO, Some(Duration::from_millis(turnaround_ms)));
        let cuts = if with_cuts { cut_set(&spans, which) } else { CutSet::new() };
        let blocks = plan(&spans, bounds, &cost, |v| cuts.contains(&(v.function, v.address)));
        let forbids = |every: &Every, set: &[Span], _: Span| reads_over(&every.widest, set, &cuts);
        let (least, fewest) = Every::of(&spans, bounds, &cost, &forbids).least(&spans, &mut vec![]).unwrap();
        let ours: Duration = blocks.iter().map(|b| cost.of(*b)).sum();
        prop_assert_eq!((ours, blocks.len()), (least, fewest), "{:?}", blocks);
    }
}

proptest! {
    #[test]
    fn every_value_is_whole_in_one_request_and_no_request_breaks_a_limit(
        spans in spans(2_000, 60), bus in bus(), bounds in bounds(), which in any::<u16>(),
    ) {
        let cuts = cut_set(&spans, which);
        let blocks = plan(&spans, bounds, &cost_on(&bus), |v| cuts.contains(&(v.function, v.address)));
        for s in &spans {
            prop_assert!(blocks.iter().any(|b| b.holds(*s)), "{s:?} is in no request");
        }
        for b in &blocks {
            let most = if b.is_bits() { bounds.max_bits } else { bounds.max_registers };
            // a value that is wider than the device gives is asked for all the same, and alone
            let from_zero = bounds.coils_from_zero && b.function == 1;
            let alone = spans.iter().any(|s| s.end() == b.end() && (s == b || from_zero && s.function == 1));
            prop_assert!(b.count >= 1 && (b.count <= most || alone), "{b:?} of {bounds:?}");
            prop_assert!(spans.iter().any(|s| s.end() == b.end() && b.holds(*s)), "{b:?} ends behind what is wanted");
            let begins = spans.iter().any(|s| s.address == b.address && b.holds(*s));
            prop_assert!(begins || from_zero && b.address == 0, "{b:?} begins before what is wanted");
        }
    }

    #[test]
    fn no_request_reads_over_a_cut(spans in spans(60, 30), bounds in bounds(), which in any::<u16>()) {
        let (cuts, bounds) = (cut_set(&spans, which), Bounds { coils_from_zero: false, ..bounds });
        for b in plan(&spans, bounds, &cost_on(&tcp()), |v| cuts.contains(&(v.function, v.address))) {
            let held: Vec<Span> = spans.iter().copied().filter(|v| b.holds(*v)).collect();
            prop_assert!(!reads_over(&widest(&spans), &held, &cuts), "{b:?}");
        }
    }

    /// A device without some of the registers or bits between the values: whatever it refused on the way, in the end no request holds one of them, and
    /// no plan of which that is true is cheaper.
    #[test]
    fn what_was_learned_of_refused_addresses_leaves_the_cheapest_plan_that_touches_none_of_them(
        spans in spans(40, 7), bus in bus(), missing in proptest::collection::vec((1u8..=4, 0u16..640), 0..60),
    ) {
        let is_missing = |(function, address): (u8, u16)| missing.contains(&(function, address));
        let refuses = |b: Span| (b.address..=b.address + (b.count - 1)).any(|at| is_missing((b.function, at)));
        prop_assume!(!spans.iter().any(|s| refuses(*s)));
        let (cost, now) = (cost_on(&bus), Instant::now());
        let (values, mut cuts) = (distinct(&spans), Cuts::default());
        let planned = |values: &[Span], cuts: &Cuts| plan(values, WIDE, &cost, |v| cuts.stands_before(v));
        for second in 0..600 {
            cuts.try_one(now + Duration::from_secs(second));
            let (mut open, mut asked) = (planned(&values, &cuts), 0);
            while let Some(block) = open.pop() {
                asked += 1;
                prop_assert!(asked <= 2 * values.len(), "{block:?} again and again");
                let held: Vec<Span> = values.iter().copied().filter(|v| block.holds(*v)).collect();
                if !refuses(block) {
                    cuts.read(&held);
                } else {
                    prop_assert!(cuts.refused(&held, now + Duration::from_secs(second)), "{block:?} cannot be cut");
                    open.extend(planned(&held, &cuts));
                }
            }
        }
        let blocks = planned(&values, &cuts);
        prop_assert!(!blocks.iter().any(|b| refuses(*b)), "{blocks:?}");
        let ours: Duration = blocks.iter().map(|b| cost.of(*b)).sum();
        let forbids = |_: &Every, _: &[Span], request: Span| refuses(request);
        let (least, fewest) = Every::of(&spans, WIDE, &cost, &forbids).least(&spans, &mut vec![]).unwrap();
        prop_assert_eq!((ours, blocks.len()), (least, fewest), "{:?}", blocks);
    }

    #[test]
    fn the_order_keeps_every_request_and_parts_equal_ones_where_that_can_be(spans in spans(300, 20)) {
        let order = arrange(&spans);
        let (mut a, mut b) = (spans.clone(), order.clone());
        a.sort();
        b.sort();
        prop_assert_eq!(a, b);
        let shape = |s: &Span| s.shape();
        let most = spans.iter().map(|s| spans.iter().filter(|o| shape(o) == shape(s)).count()).max().unwrap_or(0);
        if most <= spans.len().div_ceil(2) {
            prop_assert!(order.windows(2).all(|w| shape(&w[0]) != shape(&w[1])), "{order:?}");
        }
    }
}
