//! Whatever stands in a file: `check` answers, says at least one error when there is no site, and shows places that exist.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use gateway::config::{diagnostic, site_from_text};
use proptest::prelude::*;

const SITE: &str = include_str!("../examples/minimal-site.toml");

/// Things that people and editors put into a file.
const PIECES: [&str; 22] = [
    "\"",
    "[",
    "]",
    "[[",
    "=",
    "{",
    "}",
    ",",
    "\n",
    "#",
    "。",
    "＝",
    "\u{feff}",
    "nan",
    "-1",
    "1e400",
    "99999999999999999999",
    "true",
    "[[point]]\n",
    "key = \"GT-101\"\n",
    "limits.H = 5\n",
    "[point.limits.H]\n",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, usize),
    DeleteLine(usize),
    RepeatLine(usize),
    SwapLines(usize, usize),
    CutValue(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..2000_usize, 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (0..60_usize).prop_map(Change::DeleteLine),
        (0..60_usize).prop_map(Change::RepeatLine),
        (0..60_usize, 0..60_usize).prop_map(|(a, b)| Change::SwapLines(a, b)),
        (0..60_usize).prop_map(Change::CutValue),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let n = lines.len();
    match change {
        Change::Insert(at, piece) => {
            let at = text.char_indices().map(|(i, _)| i).nth(at % text.chars().count().max(1)).unwrap_or(0);
            return format!("{}{}{}", &text[..at], PIECES[*piece], &text[at..]);
        }
        Change::DeleteLine(i) => drop(lines.remove(i % n)),
        Change::RepeatLine(i) => lines.insert(i % n, lines[i % n]),
        Change::SwapLines(a, b) => lines.swap(a % n, b % n),
        Change::CutValue(i) => lines[i % n] = lines[i % n].split('=').next().unwrap_or_default(),
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_spoilt_file_is_answered_for(changes in prop::collection::vec(change(), 1..6)) {
        let text = changes.iter().fold(SITE.to_owned(), |text, change| changed(&text, change));
        let checked = site_from_text("site.toml", &text, |_| {});
        let fatal = checked.diagnostics.iter().filter(|d| d.fatal).count();
        prop_assert_eq!(checked.value.is_none(), fatal > 0, "{}", text);
        let lines: Vec<&str> = text.split('\n').collect();
        for d in &checked.diagnostics {
            prop_assert!(d.line >= 1 && d.line <= lines.len(), "{:?}\n{}", d, text);
            prop_assert!(d.column >= 1 && d.column <= lines[d.line - 1].chars().count() + 1, "{:?}\n{}", d, text);
            prop_assert!(!d.message_zh.is_empty() && !d.remedy_zh.is_empty() && text.get(d.span.clone()).is_some(), "{:?}\n{}", d, text);
        }
        let mut shown = Vec::new();
        diagnostic::print(&checked.diagnostics, &checked.files, false, &mut shown).unwrap();
        prop_assert_eq!(shown.is_empty(), checked.diagnostics.is_empty());
    }
}
