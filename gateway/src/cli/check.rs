//! `check` and `schema`.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::{Exit, plan};
use crate::config::{self, Checked, Diagnostic, SourceFile, diagnostic};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// All defects on stderr (or JSON on stdout), the summary on stdout; 2 when one is fatal.
pub(super) fn main(path: &Path, json: bool) -> Exit {
    let (ok, diagnostics, files, what) = if config::is_office(path) {
        let Checked { value, diagnostics, files } = config::check_office(path);
        (value.is_some(), diagnostics, files, String::new())
    } else {
        let Checked { value, diagnostics, files } = config::check_site(path);
        let what = value.as_ref().map(content).unwrap_or_default();
        (value.is_some(), diagnostics, files, what)
    };
    if json {
        match serde_json::to_string_pretty(&diagnostics) {
            Ok(text) => println!("{text}"),
            Err(_) => return Exit::Internal,
        }
    } else {
        report(&diagnostics, &files);
        println!("{}{what}", diagnostic::summary(&diagnostics));
    }
    if ok { Exit::Ok } else { Exit::Usage }
}

fn content(site: &config::Site) -> String {
    let plan = plan::verdict(&plan::all(site, 0), false);
    let devices: usize = site.buses.iter().map(|b| b.devices.len()).sum();
    format!(
        "\n{}：{} 条链路，{devices} 台仪表，{} 个测点，{} 条报警，{} 项风险 · {} links, {devices} devices, {} points, {} alarm rules, {} risks\n{plan}",
        site.view.name,
        site.buses.len(),
        site.book.points().len(),
        site.book.rules().len(),
        site.book.risks().len(),
        site.buses.len(),
        site.book.points().len(),
        site.book.rules().len(),
        site.book.risks().len(),
    )
}

/// Prints diagnostics for people, coloured on a terminal.
pub(super) fn report(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    let stderr = io::stderr();
    let colour = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut out = stderr.lock();
    let _ = diagnostic::print(diagnostics, files, colour, &mut out);
    let _ = out.flush();
}

/// The JSON Schema of a file.
pub(super) fn schema(office: bool) -> Exit {
    let schema = if office {
        schemars::schema_for!(config::file::OfficeFile)
    } else {
        schemars::schema_for!(config::file::SiteFile)
    };
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => {
            println!("{text}");
            Exit::Ok
        }
        Err(_) => Exit::Internal,
    }
}
