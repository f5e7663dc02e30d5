//! What TOML's grammar has to say about a file, with its place, and in both languages.
//!
//! Owns that one mistake is said once: a bracket that is never closed makes nonsense of everything behind it, and the parser has
//! something to say about each word of that. Leaves reading and layering to [`super::layers`].

use super::diagnostic::Finding;
use std::ops::Range;

/// Every mistake of a text in grammar, as finding of file `file`.
pub(super) fn errors(file: usize, text: &str) -> Vec<Finding> {
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

fn never_closed(file: usize, text: &str, open: &Open) -> Finding {
    let (bracket, closing) = (open.bracket, closing(open.bracket));
    let (upto_zh, upto_en) = match open.until {
        Some(at) => {
            let line = line_of(text, at) + 1;
            (format!("第 {line} 行已是下一项"), format!("line {line} is the next thing already"))
        }
        None => ("直到文件末尾也没有".to_owned(), "nor does the file to its end".to_owned()),
    };
    let finding = Finding::fatal(
        "",
        (
            format!("TOML 语法错误：括号没有成对：这个 {bracket} 没有对应的 {closing}，{upto_zh}"),
            format!("TOML syntax: this `{bracket}` is never closed, {upto_en}"),
        ),
        (
            format!("在这个值的末尾补上 {closing}；其余缺陷在补上之后列出"),
            format!("add `{closing}` at the end of this value; everything else is listed once it is there"),
        ),
    );
    Finding { at: Some((file, open.at..open.at + 1)), ..finding }
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

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count()
}

/// A bracket of a value that is open where the next thing begins.
#[derive(Debug, PartialEq, Eq)]
struct Open {
    at: usize,
    bracket: char,
    /// Beginning of the line that cannot be part of the value; `None` at the end of the file.
    until: Option<usize>,
}

fn closing(bracket: char) -> char {
    if bracket == '[' { ']' } else { '}' }
}

/// Walks over the values of a file line by line, knowing only strings, comments and brackets.
fn open_bracket(text: &str) -> Option<Open> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut long: Option<&str> = None;
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let from = if open.is_empty() && long.is_none() {
            // a heading is no value, and what stands before `=` is none either
            if is_heading(line) { line.len() } else { line.find('=').map_or(line.len(), |at| at + 1) }
        } else {
            0
        };
        if let (Some((at, bracket)), None) = (open.last(), long)
            && (is_heading(line) || (*bracket == '[' && is_assignment(line)))
        {
            return Some(Open { at: *at, bracket: *bracket, until: Some(begin) });
        }
        walk(line, from, begin, &mut open, &mut long);
        begin += line.len();
    }
    open.last().map(|(at, bracket)| Open { at: *at, bracket: *bracket, until: None })
}

/// Follows one line from `from`; `begin` is where it stands in the file, `long` the quotes of a text of several lines.
fn walk(line: &str, from: usize, begin: usize, open: &mut Vec<(usize, char)>, long: &mut Option<&str>) {
    let mut at = from;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(quotes) = *long {
            let Some(end) = rest.find(quotes) else { return };
            *long = None;
            at += end + quotes.len();
            continue;
        }
        let c = rest.chars().next().unwrap_or('\n');
        at += match c {
            '#' => return,
            '"' | '\'' if rest.starts_with("\"\"\"") || rest.starts_with("'''") => {
                *long = Some(if c == '"' { "\"\"\"" } else { "'''" });
                3
            }
            '"' | '\'' => quoted(rest, c),
            '[' | '{' => {
                open.push((begin + at, c));
                1
            }
            ']' | '}' => {
                open.pop();
                1
            }
            other => other.len_utf8(),
        };
    }
}

/// Length of a text in quotes on one line; one without its end takes the rest of the line.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `[point.limits.H]` or `[[point]]` on a line of its own, closed or not; `[true]` and `[1, 2]` are values.
fn is_heading(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let Some(rest) = line.strip_prefix('[') else { return false };
    let name = rest.trim_start_matches('[').trim_end_matches(']').trim();
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let is_value = matches!(name, "true" | "false" | "inf" | "nan");
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(bare) && !is_value
}

fn is_assignment(line: &str) -> bool {
    let Some((key, _)) = line.split_once('=') else { return false };
    let key = key.trim();
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
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

    #[test]
    fn brackets_in_texts_and_comments_and_arrays_of_many_lines_are_no_mistake() {
        let text = "a = \"[\" # [\nb = '{'\nc = \"\"\"\n[\n\"\"\"\nd = [\n  [1, 2], # ]\n  [\n    true,\n  ],\n]\ne = { f = [1] }\n[g]\n";
        assert_eq!(open_bracket(text), None);
        assert_eq!(places(text), []);
    }
}
