//! What TOML's grammar has to say about a file, with its place, and in both languages.
//!
//! Owns that one mistake is said once: a bracket that is never closed makes nonsense of everything behind it, and the parser has
//! something to say about each word of that. Leaves which bracket that is to [`super::bracket`], which full-width characters are a mistake to [`super::retyped`], reading and layering to
//! [`super::layers`].

use super::bracket::{never_closed, open_bracket};
use super::diagnostic::Finding;
use super::full_width;
use super::retyped::{Slip, retyped};
use std::collections::BTreeSet;
use std::ops::Range;

/// Every mistake of a text in grammar, as finding of file `file`. Where full-width characters are the mistake, the rest is read as if they
/// were mended.
pub(super) fn errors(file: usize, text: &str) -> Vec<Finding> {
    let (_, errors) = toml::de::DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Vec::new();
    }
    let faulty = errors.iter().map(|error| line_of(text, error.span().map_or(0, |span| span.start))).collect();
    let retyped = retyped(text, &faulty);
    let of_slips: BTreeSet<usize> = retyped.slips.iter().map(|slip| slip.line).collect();
    let mut findings: Vec<Finding> = retyped.slips.iter().map(|slip| in_full_width(file, slip)).collect();
    for finding in of_grammar(file, &retyped.text) {
        let at = finding.at.as_ref().map(|(file, span)| (*file, retyped.original(span)));
        // what else is wrong with such a line is told once it can be read
        if at.as_ref().is_none_or(|(_, span)| !of_slips.contains(&line_of(text, span.start))) {
            findings.push(Finding { at, ..finding });
        }
    }
    findings.sort_by_key(|finding| finding.at.as_ref().map_or(0, |(_, span)| span.start));
    findings
}

/// The mistakes that are none of full-width characters.
fn of_grammar(file: usize, text: &str) -> Vec<Finding> {
    let (_, mut errors) = toml::de::DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    if errors.is_empty() {
        return Vec::new();
    }
    let open = open_bracket(text);
    let end = open.as_ref().map_or(text.len(), |open| open.at);
    let mut findings = Vec::new();
    let mut last_line = None;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = line_of(text, span.start);
        // what follows on the line is the parser finding its way back, and what follows an open bracket all the more
        if span.start < end && last_line.replace(line) != Some(line) {
            findings.push(said(file, error.message(), span));
        }
    }
    findings.extend(open.map(|open| never_closed(file, text, &open)));
    findings
}

/// Only one character is named: what a line of `[[call]]` says of people is repeated to no log.
fn in_full_width(file: usize, slip: &Slip) -> Finding {
    let (zh, en) = full_width::words(slip.typed, &slip.meant);
    let (more_zh, more_en) = match slip.more {
        0 => (String::new(), String::new()),
        n => (format!("；此行另有 {n} 个"), format!("; {n} more in this line")),
    };
    let finding = Finding::fatal("", (zh + &more_zh, en + &more_en), full_width::remedy());
    Finding { at: Some((file, slip.at.clone())), ..finding }
}

fn said(file: usize, message: &str, span: Range<usize>) -> Finding {
    let what = message.lines().collect::<Vec<_>>().join("; ");
    let finding = Finding::fatal(
        "",
        (format!("TOML 语法错误：{}", in_chinese(&what)), format!("TOML syntax: {what}")),
        (
            "按标出的位置改正；字符串要用引号，键名后用 = 号".into(),
            "mend the marked place; strings are quoted, keys are followed by =".into(),
        ),
    );
    Finding { at: Some((file, span)), ..finding }
}

/// The commonest of toml's sentences.
fn in_chinese(what: &str) -> &'static str {
    const WORDS: [(&str, &str); 11] = [
        ("must be quoted", "文字没有加引号"),
        ("missing comma", "各项之间缺少逗号"),
        ("unclosed array", "方括号没有成对"),
        ("unclosed table", "方括号没有成对"),
        ("unclosed inline table", "大括号没有成对"),
        ("no value", "键名后缺少 = 或取值"),
        ("unquoted key", "键名里有不可用的字符（全角符号、冒号等）"),
        ("duplicate key", "同一个键写了两次"),
        ("basic string", "引号没有成对"),
        ("quote", "引号没有成对"),
        ("newline", "这里应当换行，或逗号、括号不成对"),
    ];
    WORDS.iter().find(|(en, _)| what.contains(en)).map_or("这里读不懂", |(_, zh)| zh)
}

/// Counted from 0.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<(usize, String)> {
        let place = |f: Finding| {
            let (_, span) = f.at.unwrap();
            (line_of(text, span.start) + 1, text[span.start..].chars().take(3).collect())
        };
        errors(0, text).into_iter().map(place).collect()
    }

    #[test]
    fn a_bracket_that_is_never_closed_is_one_defect_at_the_bracket() {
        for value in
            ["range = [0, 100", "range = [0, [1, 2]", "limits = { limit = 1", "polygon = [\n  [40, 1],\n  [50, 2],"]
        {
            let text = format!(
                "[[point]]\nkey = \"a]b\" # ]\n{value}\n[point.limits.H]\nlimit = 25\naction = \"x\"\n\n[[point]]\nkey = 1\n"
            );
            let found = places(&text);
            assert_eq!(found.len(), 1, "{value}: {found:?}");
            assert_eq!(found[0].0, 3, "{value}: {found:?}");
            assert!(found[0].1.starts_with(['[', '{']), "{value}: {found:?}");
        }
        assert_eq!(places("a = [1, 2\nb = 3\nc = 4\n"), [(1, "[1,".to_owned())]);
        assert_eq!(places("a = 1\nb = [1,\n"), [(2, "[1,".to_owned())]);
    }

    #[test]
    fn mistakes_before_the_open_bracket_and_on_other_lines_are_all_said() {
        assert_eq!(places("a = x\nb = [1\nc = 2\n").len(), 2);
        assert_eq!(places("a = x\nb = y z\nc = 2\n").iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2]);
    }

    /// Place and Chinese words of every mistake.
    fn said(text: &str) -> Vec<(usize, String)> {
        let said = |f: Finding| (line_of(text, f.at.unwrap().1.start) + 1, f.message_zh);
        errors(0, text).into_iter().map(said).collect()
    }

    #[test]
    fn a_full_width_character_is_named_with_what_to_write_wherever_it_breaks_the_grammar() {
        for (line, words) in [
            ("limit = ２5.0", "全角字符 ２：改为半角 2"),
            ("limit = 2５.0", "全角字符 ５：改为半角 5"),
            ("limit = 25．0", "全角字符 ． 句号：改为半角 ."),
            ("limit = 25。0", "全角字符 。 句号：改为半角 ."),
            ("enabled = ｔｒｕｅ", "全角字符 ｔ：改为半角 t；此行另有 3 个"),
            ("limit ＝ 25", "全角字符 ＝ 等号：改为半角 ="),
            ("name： \"液氨\"", "全角字符 ： 冒号：改为半角 ="),
            ("range = [0，100]", "全角字符 ， 逗号：改为半角 ,"),
            ("range = ［0, 100]", "全角字符 ［ 方括号：改为半角 ["),
            ("range = [0, 100］", "全角字符 ］ 方括号：改为半角 ]"),
            ("range = 【0, 100】", "全角字符 【 方括号：改为半角 [；此行另有 1 个"),
            ("range = （0, 100）", "全角字符 （ 圆括号：改为半角 [；此行另有 1 个"),
            ("name = “液氨：２”", "全角字符 “ 双引号：改为半角 \"；此行另有 1 个"),
            ("name = ‘液氨’", "全角字符 ‘ 单引号：改为半角 '；此行另有 1 个"),
            ("name = ＂液氨＂", "全角字符 ＂ 双引号：改为半角 \"；此行另有 1 个"),
            ("name = \"液氨”", "全角字符 ” 双引号：改为半角 \""),
            ("limit =\u{3000}25", "全角字符 \u{3000}（空格）：改为半角空格"),
            ("limit = －5", "全角字符 － 减号：改为半角 -"),
            ("limit = —5", "全角字符 — 减号：改为半角 -"),
            ("limit = 25 ＃ 高限", "全角字符 ＃ 井号：改为半角 #"),
        ] {
            let text = format!("[[point]]\n{line}\nb = 1\n[[point]]\n");
            assert_eq!(said(&text), [(2, words.to_owned())], "{line}");
        }
    }

    #[test]
    fn full_width_in_texts_and_comments_is_never_called_a_mistake_and_other_mistakes_keep_their_words_and_places() {
        let right = "name = \"２号：“东”，（一）\" # ＝２\nb = '：'\n";
        assert_eq!(said(right), []);
        let unquoted = said(&format!("{right}c = 液氨（一）\n"));
        assert_eq!(unquoted, [(3, "TOML 语法错误：文字没有加引号".to_owned())]);
        let text = "a = ２\nb = x\nc = [0，1]\nd = [1\ne = 2\n";
        let lines: Vec<(usize, bool)> = said(text).into_iter().map(|(line, zh)| (line, zh.contains("全角"))).collect();
        assert_eq!(lines, [(1, true), (2, false), (3, true), (4, false)]);
        assert_eq!(places(text)[1], (2, "x\nc".to_owned()), "a place behind a slip is that of the file as it is");
    }
}
