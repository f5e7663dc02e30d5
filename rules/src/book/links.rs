//! Lists by position, close together: what hangs on a point or an alarm. Most sites leave most of them empty.
//!
//! Two vectors instead of one per row, and none at all where no row has anything.

use std::ops::Index;

/// `links[row]` is what hangs on it, in the order in which it was given.
#[derive(Clone, Debug)]
pub(crate) struct Links<T> {
    /// Where the items of each row end; empty while there are no items.
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self { ends: Vec::new(), items: Vec::new() }
    }
}

impl<T> Links<T> {
    /// Of pairs `(row, item)`; rows are below `rows`.
    pub(super) fn of(mut pairs: Vec<(usize, T)>, rows: usize) -> Self {
        if pairs.is_empty() {
            return Self::default();
        }
        pairs.sort_by_key(|(row, _)| *row); // stable: the order within a row stays
        let mut ends = vec![0; rows];
        pairs.iter().for_each(|(row, _)| ends[*row] += 1);
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        Self { ends, items: pairs.into_iter().map(|(_, item)| item).collect() }
    }

    /// As [`Links::of`], an item once only where it was given to a row several times in a row.
    pub(super) fn unique(mut pairs: Vec<(usize, T)>, rows: usize) -> Self
    where
        T: PartialEq,
    {
        pairs.sort_by_key(|(row, _)| *row);
        pairs.dedup();
        Self::of(pairs, rows)
    }
}

impl<T> Index<usize> for Links<T> {
    type Output = [T];

    fn index(&self, row: usize) -> &[T] {
        if self.ends.is_empty() {
            return &[];
        }
        let begin = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.items[begin as usize..self.ends[row] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_what_was_hung_on_it_in_the_order_given() {
        let links = Links::of(vec![(2, 'c'), (0, 'b'), (2, 'a'), (0, 'z')], 4);
        assert_eq!((&links[0], &links[1], &links[2], &links[3]), (&['b', 'z'][..], &[][..], &['c', 'a'][..], &[][..]));
        assert_eq!(&Links::unique(vec![(1, 'a'), (0, 'x'), (1, 'a'), (1, 'b')], 2)[1], ['a', 'b']);
        assert!(Links::<u8>::default()[7].is_empty());
    }
}
