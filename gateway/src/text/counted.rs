//! English counts: `1 link`, `2 links`. Chinese has no plural.

use std::fmt::Display;

/// The number and its noun, which takes an s.
pub(crate) fn counted<N: Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    let s = if n == N::from(1) { "" } else { "s" };
    format!("{n} {noun}{s}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "link")), ["0 links", "1 link", "2 links"]);
        assert_eq!(counted(1_usize, "unit id"), "1 unit id");
    }
}
