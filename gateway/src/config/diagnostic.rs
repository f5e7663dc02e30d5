//! One thing wrong with a configuration, and how it is printed.
//!
//! Owns the form people read (file, line, caret, key, remedy; zh-CN first, en second). Leaves finding it to the others.

use super::locate::{SourceFile, texts};
use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};
use rules::Defect;
use serde::Serialize;
use std::io;
use std::ops::Range;

/// A defect by path, before it has a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub path: String,
    pub message_zh: String,
    pub message_en: String,
    pub remedy_zh: String,
    pub remedy_en: String,
    pub fatal: bool,
    /// Point at the key, not at the value.
    pub at_key: bool,
    /// The place, where it is known beforehand: file number and bytes.
    pub at: Option<(usize, Range<usize>)>,
    /// The path of the first of two entries with one key, whose line is told as well.
    pub first: Option<String>,
}

/// The place of a finding about a file that could not be read: its path is the file's.
pub(super) const NO_FILE: (usize, Range<usize>) = (usize::MAX, 0..0);

impl Finding {
    /// A fatal finding; texts are zh-CN and en.
    pub(super) fn fatal(path: impl Into<String>, message: (String, String), remedy: (String, String)) -> Self {
        Self {
            path: path.into(),
            message_zh: message.0,
            message_en: message.1,
            remedy_zh: remedy.0,
            remedy_en: remedy.1,
            fatal: true,
            at_key: false,
            at: None,
            first: None,
        }
    }
    pub(super) fn warning(mut self) -> Self {
        self.fatal = false;
        self
    }
    pub(super) fn at_key(mut self) -> Self {
        self.at_key = true;
        self
    }
}

impl From<Defect> for Finding {
    fn from(d: Defect) -> Self {
        let fatal = d.fatal;
        let mut finding = Self::fatal(as_written(&d.path), (d.message_zh, d.message_en), (d.remedy_zh, d.remedy_en));
        finding.fatal = fatal;
        finding
    }
}

/// The rule book's path in the keys of the file: `points[X].rules.HH.on_delay` is `point[X].limits.HH.delay_s`.
fn as_written(path: &str) -> String {
    let mut path = if path == "calls" { "call".to_owned() } else { path.replacen("s[", "[", 1) };
    for (theirs, ours) in [
        (".rules.SENSOR_FAULT", ".sensor_fault"),
        (".rules.ROC+", ".rising"),
        (".rules.ROC-", ".falling"),
        (".rules.DEV.", ".deviation."),
        (".rules.STUCK", ".stuck"),
        (".rules.DEVICE_FROZEN", ".frozen"),
        ("plant_unit[", "unit["),
        (".rules.DISCRETE", ".state_alarm"),
        (".rules.", ".limits."),
    ] {
        path = path.replace(theirs, ours);
    }
    let (above, last) = path.rsplit_once('.').unwrap_or(("", &path));
    let last = match last {
        "on_delay" => "delay_s",
        "off_delay" => "off_delay_s",
        "period" => "period_ms",
        "max_age" => "max_age_s",
        "comms_timeout" => "comms_timeout_s",
        "window" => "window_s",
        "max" => "max_s",
        "release_delay" => "release_delay_s",
        "points" if path.starts_with("unit[") => "points",
        "point" if path.starts_with("suppression[") => "point",
        "points" => "watched",
        "condition" | "point" => return above.to_owned(),
        other => other,
    };
    if above.is_empty() { last.to_owned() } else { format!("{above}.{last}") }
}

/// A defect with its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnostic {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Such as `point[GT-102].limits.HH.limit`.
    pub path: String,
    pub fatal: bool,
    pub message_zh: String,
    pub message_en: String,
    pub remedy_zh: String,
    pub remedy_en: String,
    #[serde(skip)]
    pub span: Range<usize>,
}

impl Diagnostic {
    pub(super) fn new(f: Finding, file: String, line: usize, column: usize, span: Range<usize>) -> Self {
        Self {
            file,
            line,
            column,
            path: f.path,
            fatal: f.fatal,
            message_zh: f.message_zh,
            message_en: f.message_en,
            remedy_zh: f.remedy_zh,
            remedy_en: f.remedy_en,
            span,
        }
    }
}

/// Prints all diagnostics with the lines they are about.
/// # Errors
/// When `out` cannot be written.
pub fn print(
    diagnostics: &[Diagnostic],
    files: &[SourceFile],
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let texts = texts(files);
    for d in diagnostics {
        if texts.contains_key(&d.file) {
            let cache = ariadne::sources(texts.clone());
            let mut text = Vec::new();
            report(d, colour).write(cache, &mut text)?;
            // ariadne paints a kind of one's own in any case
            out.write_all(&if colour { text } else { unpainted(&text) })?;
        } else {
            writeln!(out, "{}: {}\n  {}\n  {}\n  {}", d.file, d.message_zh, d.message_en, d.remedy_zh, d.remedy_en)?;
        }
    }
    Ok(())
}

/// Without the sequences `ESC [ … m`.
fn unpainted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == 0x1b {
            rest.by_ref().find(|b| *b == b'm');
        } else {
            plain.push(byte);
        }
    }
    plain
}

fn report(d: &Diagnostic, colour: bool) -> Report<'static, (String, Range<usize>)> {
    let (word, paint) = if d.fatal { ("错误 error", Color::Red) } else { ("提醒 warning", Color::Yellow) };
    let kind = ReportKind::Custom(word, paint);
    let span = (d.file.clone(), d.span.clone());
    let key = if d.path.is_empty() { "这里 here" } else { &d.path };
    Report::build(kind, span.clone())
        .with_config(Config::default().with_color(colour).with_index_type(IndexType::Byte))
        .with_message(format!("{}\n{}", d.message_zh, d.message_en))
        .with_label(Label::new(span).with_message(key).with_color(paint))
        .with_help(format!("{}\n{}", d.remedy_zh, d.remedy_en))
        .finish()
}

/// The last line of `check`.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.fatal).count();
    let warnings = diagnostics.len() - errors;
    format!("{errors} 处错误，{warnings} 处提醒 · {errors} error(s), {warnings} warning(s)")
}
