//! Every way to share values out to requests, one after the other: slow, short, and without a line of the planner.

use super::*;

/// Which values no request may read over the start of.
pub(super) type CutSet = BTreeSet<(u8, u16)>;

/// What a plan is held against: every way to share the values out to requests.
pub(super) struct Every<'a> {
    /// Those that lie in no other one.
    pub(super) widest: Vec<Span>,
    bounds: Bounds,
    cost: &'a Cost,
    /// A request with these values is not allowed.
    forbids: &'a dyn Fn(&Self, &[Span], Span) -> bool,
}

impl<'a> Every<'a> {
    pub(super) fn of(
        spans: &[Span],
        bounds: Bounds,
        cost: &'a Cost,
        forbids: &'a dyn Fn(&Self, &[Span], Span) -> bool,
    ) -> Self {
        Self { widest: widest(spans), bounds, cost, forbids }
    }

    /// The least cost, and the number of requests.
    pub(super) fn least(&self, values: &[Span], shared: &mut Vec<Vec<Span>>) -> Option<(Duration, usize)> {
        let Some((first, rest)) = values.split_first() else {
            let price = shared.iter().try_fold(Duration::ZERO, |sum, set| Some(sum + self.price(set)?));
            return price.map(|p| (p, shared.len()));
        };
        let mut best = None;
        for i in 0..=shared.len() {
            if i == shared.len() {
                shared.push(vec![]);
            }
            shared[i].push(*first);
            // what holds two functions is no request, whatever comes to it
            let found = if shared[i][0].function == first.function { self.least(rest, shared) } else { None };
            best = best.into_iter().chain(found).min();
            shared[i].pop();
            shared.retain(|s| !s.is_empty());
        }
        best
    }

    /// Of one request for all of `set`; `None` when there can be none.
    fn price(&self, set: &[Span]) -> Option<Duration> {
        let function = set[0].function;
        let from = set.iter().map(|s| s.address).min()?;
        let from = if self.bounds.coils_from_zero && function == 1 { 0 } else { from };
        let count = u16::try_from(set.iter().map(|s| s.end()).max()? - u32::from(from)).ok()?;
        let request = Span { function, address: from, count };
        let most = match function {
            1 | 2 => self.bounds.max_bits.min(2_000),
            _ => self.bounds.max_registers.min(125),
        };
        let one_holds_all = set.iter().any(|s| set.iter().all(|other| s.holds(*other)));
        let allowed = (count <= most || one_holds_all) && !(self.forbids)(self, set, request);
        allowed.then(|| self.cost.of(request))
    }
}

/// Those that lie in no other one, each once.
pub(super) fn widest(spans: &[Span]) -> Vec<Span> {
    let all: BTreeSet<Span> = spans.iter().copied().collect();
    all.iter().copied().filter(|s| !all.iter().any(|other| other != s && other.holds(*s))).collect()
}

/// A request for `set` reads over the start of a value with a cut before it. A value that begins inside of the last one does not count: no
/// request for the last one is without it.
pub(super) fn reads_over(widest_of_all: &[Span], set: &[Span], cuts: &CutSet) -> bool {
    let starts = || widest(set).into_iter().map(|s| s.address);
    let (Some(first), Some(last)) = (starts().min(), starts().max()) else { return false };
    let over = |v: &&Span| v.function == set[0].function && v.address > first && v.address <= last;
    widest_of_all.iter().filter(over).any(|v| cuts.contains(&(v.function, v.address)))
}
