//! Deadbands beside the noise that the site's own history shows (alarms.md 2.10): a warning with numbers, at its place in the file.

use super::diagnostic::{Diagnostic, Finding};
use super::{Site, SourceFile, locate};
use crate::replay::Noise;

/// One warning for every limit whose deadband is below three sigma of its point.
#[must_use]
pub fn noise_warnings(site: &Site, noise: &[Noise], files: &[SourceFile]) -> Vec<Diagnostic> {
    let findings = noise.iter().flat_map(|n| of_point(site, n)).collect();
    locate::resolve(findings, files)
}

/// Limits with a deadband, and those of them whose point's noise is known.
#[must_use]
pub fn compared(site: &Site, noise: &[Noise]) -> (usize, usize) {
    let banded: Vec<_> = site.book.rules().iter().filter(|r| r.condition.band().is_some()).collect();
    let known = banded.iter().filter(|r| noise.iter().any(|n| n.point == *r.point)).count();
    (known, banded.len())
}

fn of_point<'a>(site: &'a Site, n: &'a Noise) -> impl Iterator<Item = Finding> + 'a {
    let rules = site.book.rules().iter().filter(|r| r.point == n.point);
    rules.filter_map(|r| {
        let (_, deadband) = r.condition.band()?;
        (deadband < 3.0 * n.sigma).then(|| finding(n, r.condition.word(), deadband))
    })
}

fn finding(n: &Noise, word: &str, deadband: f64) -> Finding {
    let (sigma, unit) = (format!("{:.3}", n.sigma), &n.unit);
    let path = match word {
        "DEV" => format!("point[{}].deviation.deadband", n.point),
        limit => format!("point[{}].limits.{limit}.deadband", n.point),
    };
    Finding::fatal(
        path,
        (
            format!("{word} 的回差 {deadband} {unit} 小于噪声 3σ：σ = {sigma} {unit}，取自历史中 {} 个平静的 5 分钟", n.windows),
            format!(
                "the deadband {deadband} {unit} of {word} is below three sigma of the noise: {sigma} {unit} in {} quiet five minutes of the history",
                n.windows
            ),
        ),
        (
            format!("写 deadband = {}，或先消除噪声的来源；否则数值在限值附近会反复报警", n.proposed),
            format!("write deadband = {}, or remove what makes the noise: near its limit the value would raise again and again", n.proposed),
        ),
    )
    .warning()
}
