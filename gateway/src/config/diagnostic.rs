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
}

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
        let mut finding = Self::fatal(d.path, (d.message_zh, d.message_en), (d.remedy_zh, d.remedy_en));
        finding.fatal = fatal;
        finding
    }
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
            report(d, colour).write(cache, &mut *out)?;
        } else {
            writeln!(out, "{}: {}\n  {}\n  {}\n  {}", d.file, d.message_zh, d.message_en, d.remedy_zh, d.remedy_en)?;
        }
    }
    Ok(())
}

fn report(d: &Diagnostic, colour: bool) -> Report<'static, (String, Range<usize>)> {
    let (kind, paint) = if d.fatal { (ReportKind::Error, Color::Red) } else { (ReportKind::Warning, Color::Yellow) };
    let span = (d.file.clone(), d.span.clone());
    let key = if d.path.is_empty() { "?" } else { &d.path };
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
