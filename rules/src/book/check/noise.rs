//! Deadbands and the noise of the signal they stand against (alarms.md 2.10). Noise is measured by whoever has the history.

use super::report::Report;
use crate::book::BookParts;

/// A deadband below so many standard deviations lets noise alone clear and raise.
const SIGMAS: f64 = 3.0;

/// Warns of every deadband not above three times the noise of its point; `sigma` in the point's unit, none where not known.
pub(crate) fn noise(r: &mut Report, parts: &BookParts, sigma: &dyn Fn(&str) -> Option<f64>) {
    for rule in &parts.rules {
        let known = sigma(&rule.point).filter(|s| s.is_finite() && *s > 0.0);
        let Some((deadband, sigma)) = rule.condition.deadband().zip(known) else { continue };
        let least = sigma * SIGMAS;
        if deadband > least {
            continue;
        }
        r.warn(
            format!("points[{}].rules.{}.deadband", rule.point, rule.condition.word()),
            format!("回差 {deadband} 不大于信号噪声的三倍 {least:.3}（σ = {sigma:.3}）"),
            format!(
                "the deadband {deadband} is not above three times the noise of the signal, {least:.3} (σ = {sigma:.3})"
            ),
            ("放宽回差或加长恢复延时", "widen the deadband or lengthen the off-delay"),
        );
    }
}
