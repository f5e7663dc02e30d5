//! The bracket of a value in TOML that is never closed.
//!
//! Owns finding it without the parser, which has lost its way by then, and its words. Leaves all other grammar to [`super::syntax`].

use super::diagnostic::Finding;
use super::syntax::line_of;

/// A bracket of a value that is open where the next thing begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) at: usize,
    bracket: char,
    /// Beginning of the line that cannot be part of the value; `None` at the end of the file.
    until: Option<usize>,
}

fn closing(bracket: char) -> char {
    if bracket == '[' { ']' } else { '}' }
}

/// Walks over the values of a file line by line, knowing only strings, comments and brackets.
pub(super) fn open_bracket(text: &str) -> Option<Open> {
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
    quoted_end(rest, quote).unwrap_or(rest.len())
}

/// The same; `None` for one without its end. `rest` begins with the quote.
pub(super) fn quoted_end(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
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

/// What is said of it.
pub(super) fn never_closed(file: usize, text: &str, open: &Open) -> Finding {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_texts_and_comments_and_arrays_of_many_lines_are_no_mistake() {
        let text = "a = \"[\" # [\nb = '{'\nc = \"\"\"\n[\n\"\"\"\nd = [\n  [1, 2], # ]\n  [\n    true,\n  ],\n]\ne = { f = [1] }\n[g]\n";
        assert_eq!(open_bracket(text), None);
        assert_eq!(crate::config::syntax::errors(0, text), []);
    }
}
