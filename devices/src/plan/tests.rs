//! The plan against brute force, and the order of its requests.

use super::*;
use crate::{Parity, Transport};
use proptest::prelude::*;
use std::time::Duration;

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

/// The least cost and number of requests over every way to share the values out to requests.
fn brute_force(values: &[Span], bounds: Bounds, cost: &Cost, shared: &mut Vec<Vec<Span>>) -> Option<(Duration, usize)> {
    let Some((first, rest)) = values.split_first() else {
        return price(shared, bounds, cost).map(|p| (p, shared.len()));
    };
    let mut best = None;
    for i in 0..=shared.len() {
        if i == shared.len() {
            shared.push(vec![]);
        }
        shared[i].push(*first);
        let found = brute_force(rest, bounds, cost, shared);
        best = best.into_iter().chain(found).min();
        shared[i].pop();
        shared.retain(|s| !s.is_empty());
    }
    best
}

fn price(shared: &[Vec<Span>], bounds: Bounds, cost: &Cost) -> Option<Duration> {
    shared.iter().try_fold(Duration::ZERO, |sum, set| {
        let function = set[0].function;
        let from = set.iter().map(|s| s.address).min()?;
        let from = if bounds.coils_from_zero && function == 1 { 0 } else { from };
        let count = u16::try_from(set.iter().map(|s| s.end()).max()? - u32::from(from)).ok()?;
        let most = if function <= 2 { bounds.max_bits } else { bounds.max_registers };
        let one_holds_all = set.iter().any(|s| set.iter().all(|other| s.holds(*other)));
        let whole = set.iter().all(|s| s.function == function) && (count <= most || one_holds_all);
        whole.then(|| sum + cost.of(Span { function, address: from, count }))
    })
}

fn bus() -> impl Strategy<Value = Transport> {
    prop_oneof![Just(serial(2400)), Just(serial(9600)), Just(serial(115_200)), Just(tcp())]
}

fn spans(most: u16, n: usize) -> impl Strategy<Value = Vec<Span>> {
    let one = (prop_oneof![Just(1u8), Just(3), Just(4)], 0..most, 1u16..=4);
    proptest::collection::vec(one.prop_map(|(f, a, c)| span(f, a, c)), 1..n)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn no_way_to_share_values_out_to_requests_is_cheaper(
        spans in spans(120, 7), bus in bus(), turnaround_ms in 0u64..60,
        max_registers in 4u16..=60, max_bits in 4u16..=60, coils_from_zero in any::<bool>(),
    ) {
        let bounds = Bounds { max_registers, max_bits, coils_from_zero };
        let cost = Cost::on(&bus, Duration::ZERO, Some(Duration::from_millis(turnaround_ms)));
        let blocks = plan(&spans, bounds, &cost, |_| false);
        let (least, fewest) = brute_force(&spans, bounds, &cost, &mut vec![]).unwrap();
        let ours: Duration = blocks.iter().map(|b| cost.of(*b)).sum();
        prop_assert_eq!((ours, blocks.len()), (least, fewest), "{:?}", blocks);
    }
}

proptest! {
    #[test]
    fn every_value_is_whole_in_one_request_and_no_request_breaks_a_limit(
        spans in spans(2_000, 60), bus in bus(), max_registers in 4u16..=125, max_bits in 4u16..=2000,
    ) {
        let bounds = Bounds { max_registers, max_bits, coils_from_zero: false };
        let blocks = plan(&spans, bounds, &cost_on(&bus), |_| false);
        for s in &spans {
            prop_assert!(blocks.iter().any(|b| b.holds(*s)), "{s:?} is in no request");
        }
        for b in &blocks {
            prop_assert!(b.count >= 1 && b.count <= bounds.most(b.function));
        }
    }

    #[test]
    fn no_request_reads_over_a_cut(spans in spans(60, 30), cuts in proptest::collection::btree_set(0u16..60, 0..10)) {
        let values = distinct(&spans);
        for b in plan(&spans, WIDE, &cost_on(&tcp()), |v| cuts.contains(&v.address)) {
            let inner = values.iter().filter(|v| b.holds(**v)).skip(1);
            prop_assert!(inner.clone().all(|v| !cuts.contains(&v.address)), "{b:?}");
        }
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
