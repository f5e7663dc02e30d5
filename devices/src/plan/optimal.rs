//! The cheapest set of requests, by dynamic programming.
//!
//! Values inside another value are read with it. The others, sorted, have rising starts and rising ends, so a request that holds
//! two of them holds all between: some cheapest set cuts the sorted row into runs. `best[j]` is the cheapest way to read the
//! first `j` values; its last request reads a run that ends there.

use super::{Bounds, Cost, Span};
use std::time::Duration;

/// The cheapest requests that together read every span, each wholly in one of them; of equally cheap ones the fewest. No
/// request reads over the start of a span for which `cut` holds. A span wider than the bounds is a request of its own.
#[must_use]
pub fn plan(spans: &[Span], bounds: Bounds, cost: &Cost, cut: impl Fn(Span) -> bool) -> Vec<Span> {
    let values = distinct(spans);
    let mut blocks = Vec::new();
    for run in values.chunk_by(|a, b| a.function == b.function) {
        cheapest(run, bounds, cost, &cut, &mut blocks);
    }
    blocks
}

/// Sorted, without those that lie inside another: starts and ends of one function rise.
#[must_use]
pub fn distinct(spans: &[Span]) -> Vec<Span> {
    let mut sorted: Vec<Span> = spans.to_vec();
    sorted.sort_unstable_by_key(|s| (s.function, s.address, std::cmp::Reverse(s.count)));
    let mut kept: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        if !kept.last().is_some_and(|k| k.holds(span)) {
            kept.push(span);
        }
    }
    kept
}

fn cheapest(values: &[Span], bounds: Bounds, cost: &Cost, cut: &impl Fn(Span) -> bool, out: &mut Vec<Span>) {
    // Cost, requests, and where the last request's run begins.
    let mut best: Vec<(Duration, u32, usize)> = vec![(Duration::ZERO, 0, 0)];
    for last in 0..values.len() {
        let mut choice = None;
        for first in (0..=last).rev() {
            let request = hull(values[first], values[last], bounds);
            if first < last && request.is_none_or(|r| r.count > bounds.most(r.function)) {
                break;
            }
            let request = request.unwrap_or(values[last]);
            let (before, requests, _) = best[first];
            let offer = (before + cost.of(request), requests + 1, first);
            if choice.is_none_or(|(c, r, _)| (offer.0, offer.1) < (c, r)) {
                choice = Some(offer);
            }
            if cut(values[first]) {
                break;
            }
        }
        best.push(choice.expect("a run of one value is always allowed"));
    }
    let (mut end, from) = (values.len(), out.len());
    while end > 0 {
        let first = best[end].2;
        out.push(hull(values[first], values[end - 1], bounds).unwrap_or(values[end - 1]));
        end = first;
    }
    out[from..].reverse();
}

/// The request that reads from the start of `first` to the end of `last`, if one can be that long.
fn hull(first: Span, last: Span, bounds: Bounds) -> Option<Span> {
    let address = bounds.start(first.function, first.address);
    let count = u16::try_from(last.end() - u32::from(address)).ok()?;
    Some(Span { function: first.function, address, count })
}
