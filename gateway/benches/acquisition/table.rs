//! The table: one line per figure, as Markdown.

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
    let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
    println!("| {plant} | {figure} | {measured:.3}{note} | {target} | {verdict} |");
}

/// One figure that must not be below `least`.
pub(crate) fn at_least(plant: &str, figure: &str, measured: f64, least: f64, note: &str) {
    let verdict = match measured {
        m if !m.is_finite() => "NO DATA",
        m if m < least => "short",
        _ => "ok",
    };
    println!("| {plant} | {figure} | {measured:.3} ({note}) | ≥ {least} | {verdict} |");
}
