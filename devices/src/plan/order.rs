//! The order in which a unit is asked: neighbours differ in function or length where that is possible.
//!
//! Nothing in RTU tells the answer to one read from that to another of the same unit, function and length. When the requests
//! before and after differ, the line guard can tell a late answer apart.

use super::Span;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// `blocks` in an order without equal neighbours, as far as there is one; otherwise by address.
#[must_use]
pub fn arrange(blocks: &[Span]) -> Vec<Span> {
    let mut shapes: BTreeMap<(u8, u16), VecDeque<Span>> = BTreeMap::new();
    for block in blocks {
        shapes.entry(block.shape()).or_default().push_back(*block);
    }
    let mut out: Vec<Span> = Vec::with_capacity(blocks.len());
    while out.len() < blocks.len() {
        let last = out.last().map(|b| b.shape());
        let most = |others: bool| {
            let open = shapes.iter().filter(|(shape, left)| !left.is_empty() && (!others || Some(**shape) != last));
            open.max_by_key(|(shape, left)| (left.len(), std::cmp::Reverse(**shape))).map(|(shape, _)| *shape)
        };
        let shape = most(true).or_else(|| most(false)).expect("blocks are left");
        out.extend(shapes.get_mut(&shape).and_then(VecDeque::pop_front));
    }
    out
}
