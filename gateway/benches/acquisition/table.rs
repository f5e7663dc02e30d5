//! The table: one line per figure, as Markdown, and which figures fell short.

use std::process::ExitCode;
use std::sync::Mutex;

/// Figures that missed their target, or of which nothing was measured.
static MISSED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The head.
pub(crate) fn head() {
    println!("| plant | figure | measured | target | |\n|---|---|---|---|---|");
}

/// One figure; `most` is its target.
pub(crate) fn row(plant: &str, figure: &str, measured: f64, most: Option<f64>, note: &str) {
    let target = most.map_or_else(String::new, |m| format!("≤ {m}"));
    let verdict = match most {
        _ if !measured.is_finite() => "NO DATA",
        Some(m) if measured > m => "short",
        Some(_) => "ok",
        None => "",
    };
    remember(plant, figure, verdict);
    println!("| {plant} | {figure} | {measured:.3}{} | {target} | {verdict} |", bracketed(note));
}

fn bracketed(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({note})") }
}

/// One figure that must not be below `least`.
pub(crate) fn at_least(plant: &str, figure: &str, measured: f64, least: f64, note: &str) {
    let verdict = match measured {
        m if !m.is_finite() => "NO DATA",
        m if m < least => "short",
        _ => "ok",
    };
    remember(plant, figure, verdict);
    println!("| {plant} | {figure} | {measured:.3}{} | ≥ {least} | {verdict} |", bracketed(note));
}

fn remember(plant: &str, figure: &str, verdict: &str) {
    if matches!(verdict, "short" | "NO DATA") {
        MISSED.lock().expect("nobody panics with it").push(format!("{plant}: {figure}: {verdict}"));
    }
}

/// Names what missed its target on stderr: the table on stdout is the same whatever came of it.
pub(crate) fn end() -> ExitCode {
    let missed = MISSED.lock().expect("nobody panics with it");
    for figure in missed.iter() {
        eprintln!("{figure}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
