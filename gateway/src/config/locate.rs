//! Places: from a path such as `point[GT-102].limits.HH` to file, line and column.
//!
//! Owns the second parse of every file, in which `toml` keeps spans. Leaves what is wrong to the others.

use super::diagnostic::{Diagnostic, Finding};
use super::twice;
use std::collections::HashMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One file that took part: the layers in their order, then profiles and vectors.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As given on the command line.
    pub name: String,
    pub text: String,
    /// A layer of the configuration; in any other file nothing is looked for, what is said of it brings its place along.
    pub layer: bool,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: usize,
    span: Range<usize>,
    depth: usize,
}

/// One step of a path.
enum Step<'a> {
    Field(&'a str),
    Keyed(&'a str),
    Item(usize),
}

/// Gives every finding its place: the deepest part of its path that exists, in the last layer that has it; what is in no layer belongs into
/// the first, the file that was given. In the order of the layers and lines, as a person works through them.
#[must_use]
pub fn resolve(findings: Vec<Finding>, files: &[SourceFile]) -> Vec<Diagnostic> {
    if findings.is_empty() {
        // Parsing with places costs ten times the file in memory, which a daemon of many points would keep.
        return Vec::new();
    }
    let parsed: Vec<_> = files.iter().filter(|f| f.layer).map(|f| DeTable::parse_recoverable(&f.text).0).collect();
    let lines: Vec<LineIndex> = files.iter().map(|f| LineIndex::new(&f.text)).collect();
    let findings = twice::told(findings, |path| {
        let place = find(&Finding::fatal(path, Default::default(), Default::default()), &parsed)?;
        let (line, _) = lines[place.file].position(&files[place.file].text, place.span.start);
        Some((files[place.file].name.as_str(), line))
    });
    let mut found: Vec<Diagnostic> = findings.into_iter().map(|f| with_place(f, files, &parsed, &lines)).collect();
    let layer = |d: &Diagnostic| files.iter().position(|file| file.name == d.file);
    found.sort_by_key(|d| (layer(d), d.line, d.column));
    found
}

fn with_place(
    finding: Finding,
    files: &[SourceFile],
    parsed: &[Spanned<DeTable<'_>>],
    lines: &[LineIndex],
) -> Diagnostic {
    let place = match &finding.at {
        Some((file, span)) => Some(Place { file: *file, span: span.clone(), depth: 0 }),
        None => find(&finding, parsed),
    };
    let Some(place) = place.filter(|p| p.file < files.len()) else {
        let unread = finding.at.as_ref() == Some(&super::diagnostic::NO_FILE);
        let first = files.first().map(|f| f.name.clone()).unwrap_or_default();
        let file = if unread { finding.path.clone() } else { first };
        return Diagnostic::new(finding, file, 1, 1, 0..0);
    };
    let (line, column) = lines[place.file].position(&files[place.file].text, place.span.start);
    let span = visible(&files[place.file].text, place.span);
    Diagnostic::new(finding, files[place.file].name.clone(), line, column, span)
}

/// The deepest part of the finding's path that stands in `text`; the beginning where nothing does.
pub(super) fn span_in(text: &str, finding: &Finding) -> Range<usize> {
    let (parsed, _) = DeTable::parse_recoverable(text);
    find(finding, std::slice::from_ref(&parsed)).map_or(0..0, |place| place.span)
}

/// A place between two characters is shown by the one after it, or before it at the end of a line.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    let at = span.start.min(text.len());
    if !span.is_empty() || !text.is_char_boundary(at) {
        return span;
    }
    match (text[at..].chars().next().filter(|c| *c != '\n' && *c != '\r'), text[..at].chars().next_back()) {
        (Some(after), _) => at..at + after.len_utf8(),
        (None, Some(before)) if before != '\n' => at - before.len_utf8()..at,
        _ => span,
    }
}

fn find(finding: &Finding, parsed: &[Spanned<DeTable<'_>>]) -> Option<Place> {
    let steps = steps(&finding.path);
    if let Some(place) = in_list(&steps, parsed, finding.at_key) {
        return Some(place);
    }
    parsed
        .iter()
        .enumerate()
        .map(|(file, doc)| walk(Cursor::Table(doc.get_ref()), &steps, file, finding.at_key))
        .reduce(|best, next| if next.depth > 0 && next.depth >= best.depth { next } else { best })
}

/// A path into a list: the lists of all layers are one behind the other.
fn in_list(steps: &[Step<'_>], parsed: &[Spanned<DeTable<'_>>], at_key: bool) -> Option<Place> {
    let [Step::Field(list), entry @ (Step::Keyed(_) | Step::Item(_)), rest @ ..] = steps else { return None };
    let entries = parsed.iter().enumerate().flat_map(|(file, doc)| {
        let array = field(doc.get_ref(), list).and_then(|(_, value)| value.get_ref().as_array());
        array.into_iter().flat_map(|array| array.iter()).map(move |entry| (file, entry))
    });
    let (file, found) = match entry {
        Step::Item(n) => entries.into_iter().nth(*n)?,
        Step::Keyed(word) | Step::Field(word) => {
            let (key, nth) =
                word.rsplit_once('~').and_then(|(key, n)| Some((key, n.parse().ok()?))).unwrap_or((word, 1));
            let mut of_key = entries.filter(|(_, e)| key_of(e) == Some(key));
            of_key.nth(nth.max(1) - 1)?
        }
    };
    let mut place = walk(Cursor::Value(found.get_ref()), rest, file, at_key);
    if place.depth == 0 {
        place.span = shown_span(found, found.span());
    }
    Some(place)
}

fn key_of<'a>(entry: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    entry.get_ref().get("key")?.get_ref().as_str()
}

/// Splits `points[GT-102].rules.HH.limit`; `[#3]` is an index.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').unwrap_or(inner.len());
            let word = &inner[..end];
            steps.push(match word.strip_prefix('#').and_then(|n| n.parse().ok()) {
                Some(i) => Step::Item(i),
                None => Step::Keyed(word),
            });
            rest = inner.get(end + 1..).unwrap_or("");
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end > 0 {
                steps.push(Step::Field(&rest[..end]));
            }
            rest = &rest[end..];
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    steps
}

fn walk(from: Cursor<'_, '_>, steps: &[Step<'_>], file: usize, at_key: bool) -> Place {
    let mut place = Place { file, span: 0..0, depth: 0 };
    let mut here = from;
    for (i, step) in steps.iter().enumerate() {
        let next = match (&here, step) {
            (Cursor::Table(table), Step::Field(name) | Step::Keyed(name)) => field(table, name),
            (Cursor::Value(value), Step::Field(name)) => value.as_table().and_then(|t| field(t, name)),
            (Cursor::Value(value), Step::Keyed(word)) => element(value, word),
            (Cursor::Value(value), Step::Item(n)) => value.as_array().and_then(|a| a.get(*n)).map(|v| (v.span(), v)),
            (Cursor::Table(_), Step::Item(_)) => None,
        };
        let Some((key_span, value)) = next else { break };
        let last = i + 1 == steps.len();
        place.span = if last && at_key { key_span } else { shown_span(value, key_span) };
        place.depth = i + 1;
        here = Cursor::Value(value.get_ref());
    }
    place
}

enum Cursor<'a, 'i> {
    Table(&'a DeTable<'i>),
    Value(&'a DeValue<'i>),
}

type Found<'a, 'i> = (Range<usize>, &'a Spanned<DeValue<'i>>);

/// The key as written, or as the rule book calls it: `points` is `point`, `rules` is `limits`.
fn field<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<Found<'a, 'i>> {
    let exact = |wanted: &str| table.iter().find(|(k, _)| k.get_ref() == wanted).map(|(k, v)| (k.span(), v));
    let plural = format!("{name}s");
    exact(name).or_else(|| name.strip_suffix('s').and_then(exact)).or_else(|| exact(&plural)).or_else(|| match name {
        "rules" => exact("limits"),
        "on_delay" => exact("delay_s"),
        "off_delay" => exact("off_delay_s"),
        "period" => exact("period_ms"),
        "max_age" => exact("max_age_s"),
        "comms_timeout" => exact("comms_timeout_s"),
        "evidence" => exact("watched"),
        _ => None,
    })
}

/// The array's entry whose `key` is `word`.
fn element<'a, 'i>(value: &'a DeValue<'i>, word: &str) -> Option<Found<'a, 'i>> {
    if let Some(table) = value.as_table() {
        return field(table, word);
    }
    let array = value.as_array()?;
    let found =
        array.iter().find(|entry| entry.get_ref().get("key").is_some_and(|k| k.get_ref().as_str() == Some(word)));
    found.or_else(|| word.parse::<usize>().ok().and_then(|n| array.get(n))).map(|v| (v.span(), v))
}

/// A whole entry is shown by its `key`; anything else by its value.
fn shown_span(value: &Spanned<DeValue<'_>>, key_span: Range<usize>) -> Range<usize> {
    match value.get_ref() {
        DeValue::Table(_) => match value.get_ref().get("key") {
            Some(key) => key.span(),
            None => key_span,
        },
        DeValue::Array(array) if array.iter().any(|e| e.get_ref().is_table()) => key_span,
        _ => value.span(),
    }
}

/// Line starts of one text.
struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { starts }
    }

    /// Line and column from 1; columns count characters.
    fn position(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|s| *s <= offset).max(1);
        let start = self.starts[line - 1];
        let column = text.get(start..offset).map_or(1, |t| t.chars().count() + 1);
        (line, column)
    }
}

/// The texts by name, for the printer.
#[must_use]
pub fn texts(files: &[SourceFile]) -> HashMap<String, String> {
    files.iter().map(|f| (f.name.clone(), f.text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_no_layer_belongs_into_the_first_and_what_is_in_some_is_shown_in_the_last_of_them() {
        let file = |name: &str, text: &str| SourceFile { name: name.into(), text: text.into(), layer: true };
        let files = [
            file("site.toml", "[web]\nlisten = \"a\"\n"),
            file("conf.d/tags.toml", "[[point]]\nkey = \"P\"\n[web]\nlisten = \"b\"\n"),
            file("environment", "history.max_gb = 4\n"),
        ];
        let place = |path: &str| {
            let found = resolve(vec![Finding::fatal(path, Default::default(), Default::default())], &files).remove(0);
            (found.file, found.line)
        };
        for absent in ["call", "site", "mqtt.host", "call[#0].post", ""] {
            assert_eq!(place(absent), ("site.toml".to_owned(), 1), "{absent}");
        }
        assert_eq!(place("web.listen"), ("conf.d/tags.toml".to_owned(), 4));
        assert_eq!(place("point[P].limits"), ("conf.d/tags.toml".to_owned(), 2));
    }
}
