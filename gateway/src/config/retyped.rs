//! A TOML text as it was meant: what a Chinese input method put outside of strings and comments, typed again in half-width.
//!
//! Owns which of those characters are the mistake: never one in a text, nor in Chinese that only lacks its quotes. Leaves which they are to
//! [`super::full_width`], and what is wrong beside them to [`super::syntax`].

use super::bracket::quoted_end;
use super::full_width;
use super::syntax::line_of;
use std::collections::BTreeSet;
use std::ops::Range;

/// The text as meant, and what was changed.
pub(super) struct Retyped {
    pub(super) text: String,
    /// Where each byte of `text` stood in the original, and its end.
    origin: Vec<usize>,
    pub(super) slips: Vec<Slip>,
}

/// The first full-width characters of a line.
pub(super) struct Slip {
    /// In the original.
    pub(super) at: Range<usize>,
    pub(super) line: usize,
    pub(super) typed: char,
    pub(super) meant: String,
    /// How many more are in this line.
    pub(super) more: usize,
}

impl Retyped {
    /// A place in `text` as one of the original.
    pub(super) fn original(&self, at: &Range<usize>) -> Range<usize> {
        let of = |at: usize| self.origin.get(at).or(self.origin.last()).copied().unwrap_or(0);
        of(at.start)..of(at.end)
    }
}

/// Types a text again; in lines of `faulty`, counted from 0, a string may end with a full-width quote although a half-width one follows.
pub(super) fn retyped(text: &str, faulty: &BTreeSet<usize>) -> Retyped {
    let out = Retyped { text: String::new(), origin: Vec::new(), slips: Vec::new() };
    let mut typist = Typist { original: text, at: 0, depth: 0, may_begin: true, out };
    while let Some(c) = text[typist.at..].chars().next() {
        typist.next(c, faulty);
    }
    typist.out.origin.push(text.len());
    typist.out
}

struct Typist<'t> {
    original: &'t str,
    at: usize,
    /// Open brackets.
    depth: usize,
    /// A key or a value may begin here.
    may_begin: bool,
    out: Retyped,
}

impl<'t> Typist<'t> {
    fn line(&self) -> &'t str {
        self.original[self.at..].split('\n').next().unwrap_or_default()
    }

    fn next(&mut self, c: char, faulty: &BTreeSet<usize>) {
        let (rest, line) = (&self.original[self.at..], self.line());
        match c {
            '#' => self.copy(line.len()),
            '"' | '\'' if rest.starts_with("\"\"\"") || rest.starts_with("'''") => {
                let end = rest[3..].find(&rest[..3]).map_or(rest.len(), |end| end + 6);
                self.copy(end);
            }
            '"' | '\'' => self.string(line, c, faulty),
            c if c.is_ascii() => {
                self.follow(c);
                self.copy(1);
            }
            '“' | '”' | '＂' if self.may_begin => self.curly_string(line, '"'),
            '‘' | '’' | '＇' if self.may_begin => self.curly_string(line, '\''),
            c => match self.meant(c, &line[c.len_utf8()..]) {
                Some(meant) => {
                    self.type_again(c, &meant);
                    meant.chars().for_each(|c| self.follow(c));
                    if meant == "#" {
                        self.copy(self.line().len());
                    }
                }
                // a text without its quotes: its punctuation is not what is wrong
                None => self.copy(line.len()),
            },
        }
    }

    fn follow(&mut self, c: char) {
        match c {
            '[' | '{' => self.depth += 1,
            ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.may_begin = matches!(c, '\n' | '=' | ',' | '[' | '{') || self.may_begin && c.is_ascii_whitespace();
    }

    /// What has a meaning in TOML at this place; nothing is meant by a comma that ends a line.
    fn meant(&self, c: char, behind: &str) -> Option<String> {
        let (half, is_open) = (full_width::half(c)?, self.depth > 0);
        let meant = match half {
            '(' | '[' if self.may_begin => "[",
            '{' if self.may_begin => "{",
            ')' | ']' | '}' if !is_open => "",
            ')' | ']' => "]",
            '}' => "}",
            ':' => "=",
            ',' | ';' => {
                if is_open {
                    ","
                } else {
                    ""
                }
            }
            '.' if !is_open && ends(behind) => "",
            '.' | '=' | '#' | '-' | '+' | '_' | ' ' => return Some(half.to_string()),
            half if half.is_ascii_alphanumeric() => return Some(half.to_string()),
            _ => return None,
        };
        Some(meant.to_owned())
    }

    /// A string that begins with an ASCII quote.
    fn string(&mut self, line: &str, quote: char, faulty: &BTreeSet<usize>) {
        let end = quoted_end(line, quote);
        self.may_begin = false;
        if end.is_none() || faulty.contains(&line_of(self.original, self.at)) {
            let inner = &line[1..end.map_or(line.len(), |end| end - 1)];
            if let Some((at, closing)) = closed_in_full_width(inner, quote, end.is_none()) {
                self.copy(1 + at);
                return self.type_again(closing, &quote.to_string());
            }
        }
        self.copy(end.unwrap_or(line.len()));
    }

    /// A string that begins with a full-width quote and ends with one of either width.
    fn curly_string(&mut self, line: &str, quote: char) {
        let opening = line.chars().next().unwrap_or(quote);
        let inner = &line[opening.len_utf8()..];
        let quotes = |(_, c): &(usize, char)| *c == quote || full_width::half(*c) == Some(quote);
        let at_an_end = |(at, c): &(usize, char)| ends(&inner[at + c.len_utf8()..]);
        let closing = inner.char_indices().filter(quotes).find(at_an_end);
        self.may_begin = false;
        self.type_again(opening, &quote.to_string());
        match closing.or_else(|| inner.char_indices().find(quotes)) {
            None => self.copy(inner.len()),
            Some((at, c)) if c == quote => self.copy(at + 1),
            Some((at, c)) => {
                self.copy(at);
                self.type_again(c, &quote.to_string());
            }
        }
    }

    fn copy(&mut self, length: usize) {
        self.out.text.push_str(&self.original[self.at..self.at + length]);
        self.out.origin.extend(self.at..self.at + length);
        self.at += length;
    }

    fn type_again(&mut self, typed: char, meant: &str) {
        let at = self.at..self.at + typed.len_utf8();
        let line = line_of(self.original, at.start);
        match self.out.slips.last_mut().filter(|slip| slip.line == line) {
            Some(slip) => {
                slip.more += 1;
                if slip.at.end == at.start {
                    slip.at.end = at.end;
                }
            }
            None => self.out.slips.push(Slip { at: at.clone(), line, typed, meant: meant.to_owned(), more: 0 }),
        }
        self.out.text.push_str(meant);
        self.out.origin.extend(std::iter::repeat_n(at.start, meant.len()));
        self.at = at.end;
    }
}

/// Nothing of this value follows.
fn ends(behind: &str) -> bool {
    let next = behind.trim_start().chars().next();
    next.is_none_or(|c| ",]}#=".contains(full_width::half(c).unwrap_or(c)) || matches!(c, '）' | '、' | '；'))
}

/// The full-width quote that was meant to end a string: one without its partner before it, where the value ends.
fn closed_in_full_width(inner: &str, quote: char, to_the_end: bool) -> Option<(usize, char)> {
    let mut open = 0_usize;
    for (at, c) in inner.char_indices().filter(|(_, c)| full_width::half(*c) == Some(quote)) {
        let behind = &inner[at + c.len_utf8()..];
        if open == 0 && ends(behind) && (to_the_end || !behind.trim().is_empty()) {
            return Some((at, c));
        }
        match c {
            '“' | '‘' => open += 1,
            _ => open = open.saturating_sub(1),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> String {
        let retyped = retyped(text, &BTreeSet::from([0]));
        assert_eq!(retyped.origin.len(), retyped.text.len() + 1, "{text}");
        retyped.text
    }

    #[test]
    fn numbers_signs_quotes_and_brackets_are_typed_as_meant() {
        for (typed, half) in [
            ("limit = ２5.0", "limit = 25.0"),
            ("limit ＝ ２５．０", "limit = 25.0"),
            ("limit = 25。5 ＃ 氨：高限", "limit = 25.5 # 氨：高限"),
            ("limit = —5，", "limit = -5"),
            ("limit： 25；", "limit= 25"),
            ("limits。Ｈ = 1", "limits.H = 1"),
            ("range = ［0，100］", "range = [0,100]"),
            ("range = （0、 －100）", "range = [0, -100]"),
            ("【【point】】", "[[point]]"),
            ("\u{3000}key = 1", " key = 1"),
            ("name = “液氨（一）”", "name = \"液氨（一）\""),
            ("name = ”他说“好”吧” # “”", "name = \"他说“好”吧\" # “”"),
            ("name = ‘a：b’", "name = 'a：b'"),
            ("name = ＂a＂", "name = \"a\""),
            ("name = “a\"", "name = \"a\""),
            ("name = \"液氨”", "name = \"液氨\""),
            ("h = { cause = \"阀门”, action = \"撤离\" }", "h = { cause = \"阀门\", action = \"撤离\" }"),
        ] {
            assert_eq!(meant(typed), half, "{typed}");
        }
    }

    #[test]
    fn texts_comments_and_chinese_without_quotes_stay_as_they_are() {
        for text in [
            "name = \"液氨：２号（东）“A”\" # ＝２，",
            "name = '２：'",
            "name = \"\"\"\n２：\n\"\"\"\n",
            "name = 液氨（一）",
            "name = T1（东）",
            "limit = it’s",
            "name = \"他说“好”",
            "name = \"管径5”\"",
            "limit = 25％",
        ] {
            assert_eq!(meant(text), text);
        }
    }
}
