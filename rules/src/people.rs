//! Names of people: whether two are the same person's, however they are written.
//!
//! Leaves to others who has an account and what people call them.

/// The same but for case, spaces and full-width letters; nothing is nobody's name.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    let one = normal(one);
    !one.is_empty() && one == normal(other)
}

/// Fewest signs of a name: `王五` has two, and so has the shortest account.
pub const NAME_MIN: usize = 2;

/// True when it can be anybody's name: two letters or digits, not the marks that a form is filled with.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphanumeric()).count() >= NAME_MIN
}

fn normal(name: &str) -> String {
    let narrow = |c: char| match c {
        // full-width forms of the printable ASCII signs
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    name.chars().map(narrow).filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_whatever_its_case_spaces_and_width() {
        for spelling in ["zhang", "Zhang ", "ＺＨＡＮＧ", " z hang", "zhang\u{3000}"] {
            assert!(same_name(spelling, "zhang"), "{spelling}");
        }
        for (text, is) in [
            ("王五", true),
            ("li", true),
            ("外委 赵", true),
            ("", false),
            (" x ", false),
            ("--", false),
            ("。。。", false),
        ] {
            assert_eq!(is_name(text), is, "{text}");
        }
        assert!(!same_name("zhang2", "zhang") && !same_name("", "") && !same_name(" ", "\u{3000}"));
    }
}
